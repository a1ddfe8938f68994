import { Button, Loader } from '@mantine/core'
import {
  IconAlertTriangle,
  IconArrowDown,
  IconClock,
  IconNote,
  IconPaperclip,
  IconSparkles,
  IconThumbDown,
  IconThumbUp,
} from '@tabler/icons-react'
import { lazy, memo, Suspense, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { Refused } from '../server/client.js'
import { useMay, type Conversation, type Message } from '../server/queries.js'
import { useMinute } from '../ui/clock.js'
import { Face } from '../ui/face.js'
import { clockTime, dayName, sameDay, When } from '../ui/time.js'
import { eventText } from './events.js'
import { Delivery } from './delivery.js'
import { Files } from './files.js'
import { nameOf } from './news.js'
import { Offered } from './offered.js'
import { forget, sayAgain, type Outgoing } from './outbox.js'
import { Sources } from './sources.js'
import { Mailed } from './letter.js'
import { Recap } from './recap.js'
import { Linked } from './text.js'
import type { Writing } from './writing.js'

const MailMarks = lazy(() => import('./mail.js').then((module) => ({ default: module.MailMarks })))

type Props = {
  conversation: Conversation
  messages: readonly Message[]
  outgoing: readonly Outgoing[]
  writing: Writing | null
  explain: (decisionId: string) => void
}

/** Closer to the end than this counts as reading along. */
const NEAR_END_PX = 120

/** Everything said and done, oldest first. It stays at the end while one reads along, and does not move when one reads up. */
export const Timeline = ({ conversation, messages, outgoing, writing, explain }: Props) => {
  const t = useT()
  const language = useLanguage()
  const present = useMinute()
  const scroller = useRef<HTMLDivElement>(null)
  const whole = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const lastTop = useRef(0)
  const [below, setBelow] = useState(false)
  const days = useMemo(() => byDay(messages), [messages])
  const taken = useMemo(
    () => new Map(messages.flatMap(({ about }) => (about ? [[about.messageId, about.label] as const] : []))),
    [messages],
  )
  const handoffSeq = messages.findLast(({ event }) => event?.name === 'handoff')?.seq
  const arrived = new Set(messages.map(({ clientId }) => clientId))
  const unsent = outgoing.filter(({ id }) => !arrived.has(id))
  const ownLast = unsent.at(-1)?.id

  const toEnd = () => {
    const element = scroller.current
    if (element) element.scrollTop = element.scrollHeight
    setBelow(false)
  }
  const length = messages.length + (writing?.sentences.length ?? 0)
  useLayoutEffect(() => {
    if (atEnd.current) toEnd()
    else setBelow(true)
  }, [length])
  // What I wrote myself I want to see.
  useLayoutEffect(() => {
    if (ownLast) toEnd()
  }, [ownLast])

  // What is not on screen has no exact height yet: as it gets one, the end moves.
  useLayoutEffect(() => {
    const watched = new ResizeObserver(() => atEnd.current && toEnd())
    if (whole.current) watched.observe(whole.current)
    if (scroller.current) watched.observe(scroller.current)
    return () => watched.disconnect()
  }, [])

  const onScroll = () => {
    const element = scroller.current
    if (!element) return
    const up = element.scrollTop < lastTop.current
    lastTop.current = element.scrollTop
    const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX
    // Only going up leaves the end: content that grows below does not.
    if (near) atEnd.current = true
    else if (up) atEnd.current = false
    if (near) setBelow(false)
  }
  const visitor = nameOf(conversation, t('inbox.visitor'))

  return (
    <div className="timeline">
      <div
        className="timeline-scroll"
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label={t('talk.messages')}
      >
        <div ref={whole}>
          {days.map(({ date, groups }) => (
            <section key={date.toISOString()} className="day" aria-label={dayName(language, date, present)}>
              <h3>
                <span>{dayName(language, date, present)}</span>
              </h3>
              {groups.map((group) => (
                <Group
                  key={group[0].id}
                  conversationId={conversation.id}
                  group={group}
                  handoffSeq={handoffSeq}
                  handoff={conversation.handoff}
                  visitor={visitor}
                  taken={taken}
                  explain={explain}
                />
              ))}
            </section>
          ))}
          {writing && (
            <div className="group out assistant">
              <span className="face-place" aria-hidden>
                <IconSparkles />
              </span>
              <div className="bubbles">
                <span className="group-name">{t('talk.writing')}</span>
                <div className="bubble writing">
                  {writing.sentences.map(({ index, text }) => (
                    <span key={index}>{text} </span>
                  ))}
                  <Loader type="dots" size="xs" color="gray" aria-hidden />
                </div>
              </div>
            </div>
          )}
          {unsent.map((one) => (
            <Unsent key={one.id} outgoing={one} />
          ))}
        </div>
      </div>
      {below && (
        <Button
          className="to-end"
          size="xs"
          radius="xl"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={toEnd}
        >
          {t('talk.newBelow')}
        </Button>
      )}
    </div>
  )
}

type GroupOf = [Message, ...Message[]]
type Day = { date: Date; groups: GroupOf[] }

const TOGETHER_MS = 5 * 60_000

/** Days, and within them what one author said in one go. */
const byDay = (messages: readonly Message[]): Day[] => {
  const days: Day[] = []
  for (const message of messages) {
    const date = new Date(message.at)
    let day = days.at(-1)
    if (!day || !sameDay(day.date, date)) days.push((day = { date, groups: [] }))
    const group = day.groups.at(-1)
    const before = group?.at(-1)
    if (group && before && belongTogether(before, message)) group.push(message)
    else day.groups.push([message])
  }
  return days
}

const belongTogether = (before: Message, next: Message): boolean =>
  next.kind !== 'event' &&
  before.kind === next.kind &&
  before.author === next.author &&
  before.authorName === next.authorName &&
  new Date(next.at).getTime() - new Date(before.at).getTime() < TOGETHER_MS

type GroupProps = {
  conversationId: string
  group: GroupOf
  /** The number of the newest handover's line. */
  handoffSeq: number | undefined
  handoff: Conversation['handoff']
  visitor: string
  /** What was chosen, by the message that offered it. */
  taken: ReadonlyMap<string, string>
  explain: (decisionId: string) => void
}

const Group = ({ conversationId, group, handoffSeq, handoff, visitor, taken, explain }: GroupProps) => {
  const t = useT()
  const language = useLanguage()
  const [first] = group
  if (first.kind === 'event') return <Event message={first} handoff={first.seq === handoffSeq ? handoff : null} />
  const note = first.kind === 'note'
  const own = first.author !== 'customer'
  const named = first.author === 'agent' ? first.authorName : undefined
  const name = first.author === 'customer' ? visitor : (named ?? t(`author.${first.author}`))
  const kind = note ? 'note' : first.author
  return (
    <div className={`group ${own && !note ? 'out' : 'in'} ${kind}`}>
      <span className="face-place" aria-hidden>
        {first.author === 'assistant' ? <IconSparkles /> : note ? <IconNote /> : <Face name={name} />}
      </span>
      <div className="bubbles">
        <span className="group-name">
          <bdi>{name}</bdi>
          {note && ` · ${t('talk.note')}`}
          {first.author === 'assistant' && first.mode === 'extractive' && ` · ${t('talk.quoted')}`}
          {' · '}
          <time dateTime={first.at}>{clockTime(language, new Date(first.at))}</time>
        </span>
        {group.map((message) => (
          <Bubble key={message.id} taken={taken.get(message.id)} {...{ conversationId, message, visitor, explain }} />
        ))}
      </div>
    </div>
  )
}

type BubbleProps = {
  conversationId: string
  message: Message
  visitor: string
  taken: string | undefined
  explain: (decisionId: string) => void
}

/** Drawn again only when it changed: an arriving message leaves hundreds of others as they are. */
const Bubble = memo(function Bubble({ conversationId, message, visitor, taken, explain }: BubbleProps) {
  const t = useT()
  const mayExplain = useMay('decisions:read')
  const { text, citations, decisionId, status, feedback, about, choices, attachments = [] } = message
  const isMail = message.author === 'customer' && message.details?.email !== undefined
  // What was sent without a word is called by the names of its files: they stand below.
  const isWordless = attachments.length > 0 && text === attachments.map(({ name }) => name).join(', ')
  return (
    <>
      {!isWordless && (
        <div className="bubble" dir="auto">
          <Linked text={text} />
        </div>
      )}
      {choices && <Offered choices={choices} taken={taken} />}
      {attachments.length > 0 && <Files files={attachments} />}
      {message.isBeingRead && <p className="small soft">{t('files.beingRead')}</p>}
      {citations.length > 0 && <Sources citations={citations} />}
      {(status !== null || decisionId || feedback || about || isMail) && (
        <div className="under">
          {isMail && (
            <Suspense>
              <MailMarks message={message} />
            </Suspense>
          )}
          {about && <span className="delivery">{t('talk.about', { label: about.label })}</span>}
          {decisionId && mayExplain && (
            <button type="button" onClick={() => explain(decisionId)}>
              {t('talk.why')}
            </button>
          )}
          {status !== null && <Delivery conversationId={conversationId} message={message} />}
          {message.letter && <Mailed letter={message.letter} />}
          {feedback && <Rated {...feedback} visitor={visitor} />}
        </div>
      )}
    </>
  )
})

type RatedProps = NonNullable<Message['feedback']> & { visitor: string }

/** What the customer thought of an answer, and when. */
const Rated = ({ rating, at, visitor }: RatedProps) => {
  const t = useT()
  const Thumb = rating === 'up' ? IconThumbUp : IconThumbDown
  return (
    <span className={`delivery rated ${rating}`}>
      <Thumb aria-hidden />
      <span>
        {t(rating === 'up' ? 'talk.ratedUp' : 'talk.ratedDown', { name: visitor })} · <When at={at} />
      </span>
    </span>
  )
}

/** `handoff`: of the newest handover, what the person who takes it should know. */
const Event = ({ message, handoff }: { message: Message; handoff: Conversation['handoff'] }) => {
  const t = useT()
  const language = useLanguage()
  return (
    <div className={`event ${message.event?.name ?? ''}`}>
      <p>
        {eventText(t, message)}
        <time dateTime={message.at}> {clockTime(language, new Date(message.at))}</time>
      </p>
      {handoff && <Recap handoff={handoff} />}
    </div>
  )
}

/** Written here and not yet known to have arrived. */
const Unsent = ({ outgoing }: { outgoing: Outgoing }) => {
  const t = useT()
  const fault = useFault()
  const { kind, text, files = [], state } = outgoing
  const reason =
    outgoing.fault && fault(new Refused(0, outgoing.fault.code, outgoing.fault.message, undefined, undefined))
  return (
    <div className={`group ${kind === 'note' ? 'in note' : 'out agent'} unsent`}>
      <div className="bubbles">
        {text !== '' && (
          <div className="bubble" dir="auto">
            <Linked text={text} />
          </div>
        )}
        {files.length > 0 && (
          <ul className="files">
            {files.map(({ ticket, name }) => (
              <li key={ticket}>
                <span className="file">
                  <IconPaperclip aria-hidden />
                  <bdi className="cut">{name}</bdi>
                </span>
              </li>
            ))}
          </ul>
        )}
        <div className="under">
          {state === 'sending' ? (
            <span className="delivery">
              <IconClock aria-hidden />
              {t('delivery.sending')}
            </span>
          ) : (
            <>
              <span className="delivery bad" role="alert">
                <IconAlertTriangle aria-hidden />
                {t('talk.notSent')}: {reason}
              </span>
              <button type="button" onClick={() => sayAgain(outgoing)}>
                {t('states.retry')}
              </button>
              <button type="button" onClick={() => forget(outgoing)}>
                {t('talk.discard')}
              </button>
            </>
          )}
        </div>
      </div>
    </div>
  )
}
