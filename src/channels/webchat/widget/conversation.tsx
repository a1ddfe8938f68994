import { Fragment, type ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChatMessage } from '../frames.js'
import type { ChatState } from './chat.js'
import { EmailCard } from './email.js'
import { Files } from './files.js'
import { Chevron, Down, Up } from './icons.js'
import { filled, type Words } from './languages.js'
import type { Unsent } from './outbox.js'
import type { PanelProps } from './panel.js'
import type { Source } from './source.js'
import { blocksOf, type Block, type Span } from './text.js'

type Props = PanelProps & { openSource(source: Source): void; edit(id: string): void }

/** Near enough to the end that a new message should be scrolled to. */
const NEAR_PX = 80

/**
 * What was said. The finished messages are a live region, which screen readers read out once each; the draft of an answer
 * and the sign that one is being written stand outside of it, so that nothing is read out twice.
 */
export const Conversation = (props: Props) => {
  const { state, words, language, openSource } = props
  const { messages, unsent, draft, standing, loaded } = state
  const scroller = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [isBehind, setBehind] = useState(false)
  const last = messages.at(-1)?.id
  const written = draft?.sentences.length ?? 0

  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  useLayoutEffect(() => {
    if (atEnd.current) toEnd()
    else setBehind(true)
  }, [last, written])
  // What one writes oneself is always in sight.
  useLayoutEffect(() => void toEnd(), [unsent.length, loaded, standing.askEmail])

  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current as HTMLDivElement
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
    if (atEnd.current) setBehind(false)
  }

  const isEmpty = loaded && messages.length === 0 && unsent.length === 0
  const thinks = standing.handler === 'assistant' && standing.working && !draft
  return (
    <div class="talk">
      <div class="scroll" ref={scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label={words.conversation}>
        {isEmpty && (
          <div class="greeting">
            <h3>{words.title}</h3>
            <p>{words.greeting}</p>
          </div>
        )}
        <div role="log" aria-label={words.conversation} aria-live={loaded ? 'polite' : 'off'} aria-relevant="additions">
          {messages.map((message, at) => (
            <Fragment key={message.id}>
              {dayBetween(messages[at - 1], message, language)}
              <Said
                {...{ message, words, openSource, language }}
                base={props.base}
                follows={isSame(messages[at - 1], message)}
                rate={props.chat.rate}
                choose={canChoose(state, at) ? props.chat.send : null}
              />
            </Fragment>
          ))}
        </div>
        {unsent.map((one) => (
          <Waiting
            key={one.id}
            {...{ one, words }}
            away={state.away || state.gone !== null}
            edit={() => props.edit(one.id)}
          />
        ))}
        {draft && (
          <div class="said theirs">
            <p class="who">{words.assistant}</p>
            <div class="bubble" dir="auto" aria-busy="true">
              <Text text={draft.sentences.join(' ')} citations={draft.citations} words={words} />
              <span class="caret" />
            </div>
          </div>
        )}
        {thinks && (
          <div class="said theirs">
            <div class="bubble dots" role="img" aria-label={words.thinking}>
              <i />
              <i />
              <i />
            </div>
          </div>
        )}
        {standing.askEmail && <EmailCard {...{ words }} leave={props.chat.leaveEmail} />}
      </div>
      {isBehind && (
        <button type="button" class="below" onClick={toEnd}>
          {words.newBelow} <Chevron />
        </button>
      )}
    </div>
  )
}

type SaidProps = {
  base: string
  message: ChatMessage
  words: Words
  language: string
  follows: boolean
  openSource(source: Source): void
  rate(messageId: string, rating: 'up' | 'down' | null): Promise<void>
  /** `null` once it was answered or overtaken. */
  choose: ((text: string, files: [], id: string) => void) | null
}

const Said = ({ message, words, language, follows, openSource, rate, base, choose }: SaidProps) => {
  const { author, citations, id, text, at, attachments = [], choices = [] } = message
  // What was sent without a word is called by the names of its files: they stand below.
  const isWordless = attachments.length > 0 && text === attachments.map(({ name }) => name).join(', ')
  const isOwn = author === 'customer'
  const open = (index: number) => {
    const citation = citations[index]
    if (citation) openSource({ messageId: id, index, citation })
  }
  return (
    <div class={`said ${isOwn ? 'own' : 'theirs'} ${author} ${follows ? 'follows' : ''}`}>
      <p class={isOwn || follows ? 'who unseen' : 'who'}>
        <bdi>{whoIs(message, words)}</bdi>
        {at && (
          <time dateTime={at} class={isOwn ? 'unseen' : ''}>
            {timeOf(at, language)}
          </time>
        )}
      </p>
      {!isWordless && (
        <div class="bubble" dir="auto">
          {isOwn ? <p>{text}</p> : <Text {...{ text, citations, words, open }} />}
        </div>
      )}
      {attachments.length > 0 && <Files files={attachments} base={base} />}
      {choices.length > 0 && (
        <ul class="choices">
          {choices.map((choice, index) => (
            <li key={index}>
              {/* Not `disabled`: whoever pressed it by the keyboard would lose their place. */}
              <button
                type="button"
                dir="auto"
                aria-disabled={!choose}
                onClick={() => choose?.(choice, [], `choice:${id}:${index}`)}
              >
                {choice}
              </button>
            </li>
          ))}
        </ul>
      )}
      {citations.length > 0 && (
        <ul class="sources" aria-label={words.sources}>
          {citations.map(({ title, headings = [] }, index) => (
            <li key={index}>
              <button type="button" onClick={() => open(index)}>
                <span class="number">{index + 1}</span>
                <bdi>
                  {[title, headings.at(-1)].filter((part, at, all) => part && all.indexOf(part) === at).join(' › ')}
                </bdi>
              </button>
            </li>
          ))}
        </ul>
      )}
      {author === 'assistant' && citations.length > 0 && (
        <Rating {...{ words }} rating={message.feedback} rate={(rating) => void rate(id, rating)} />
      )}
    </div>
  )
}

/** While nobody has written since, and the assistant still has the conversation. */
const canChoose = ({ messages, unsent, standing }: ChatState, at: number): boolean =>
  standing.handler === 'assistant' &&
  unsent.length === 0 &&
  messages.slice(at + 1).every(({ author }) => author === 'assistant')

type RatingProps = { words: Words; rating: 'up' | 'down' | undefined; rate(rating: 'up' | 'down' | null): void }

const Rating = ({ words, rating, rate }: RatingProps) => (
  <div class="rating">
    {(['up', 'down'] as const).map((one) => (
      <button
        key={one}
        type="button"
        aria-label={one === 'up' ? words.helpful : words.notHelpful}
        aria-pressed={rating === one}
        onClick={() => rate(rating === one ? null : one)}
      >
        {one === 'up' ? <Up /> : <Down />}
      </button>
    ))}
    <span role="status">{rating ? words.thanks : ''}</span>
  </div>
)

type WaitingProps = { one: Unsent; words: Words; away: boolean; edit(): void }

const Waiting = ({ one, words, away, edit }: WaitingProps) => (
  <div class="said own waiting">
    <div class="bubble" dir="auto">
      <p>{[one.text, ...Object.values(one.files ?? {}).map(({ name }) => name)].filter(Boolean).join('\n')}</p>
    </div>
    {one.refused === undefined ? (
      <p class="state">{away ? words.kept : words.sending}</p>
    ) : (
      <p class="state bad" role="alert">
        {filled(words.refused, { why: one.refused })}{' '}
        <button type="button" onClick={edit}>
          {words.edit}
        </button>
      </p>
    )}
  </div>
)

type TextProps = { text: string; citations: ChatMessage['citations']; words: Words; open?: (index: number) => void }

const Text = ({ text, citations, words, open }: TextProps) => {
  const spans = (given: Span[]): ComponentChildren =>
    given.map((span, at) => {
      switch (span.kind) {
        case 'text':
          return span.text
        case 'strong':
          return <strong key={at}>{span.text}</strong>
        case 'code':
          return <code key={at}>{span.text}</code>
        case 'link':
          return (
            <a key={at} href={span.href} target="_blank" rel="noopener noreferrer nofollow">
              {span.text}
            </a>
          )
        case 'mark': {
          const n = span.citation + 1
          const label = filled(words.source, { n, title: citations[span.citation]?.title ?? '' })
          return open ? (
            <button key={at} type="button" class="mark" aria-label={label} onClick={() => open(span.citation)}>
              {n}
            </button>
          ) : (
            <span key={at} class="mark">
              {n}
            </span>
          )
        }
      }
    })
  return <>{blocksOf(text, citations.length).map((block, at) => drawn(block, spans, at))}</>
}

const drawn = (block: Block, spans: (given: Span[]) => ComponentChildren, key: number) => {
  switch (block.kind) {
    case 'paragraph':
      return <p key={key}>{spans(block.spans)}</p>
    case 'code':
      return (
        <pre key={key} tabIndex={0} dir="ltr">
          <code>{block.text}</code>
        </pre>
      )
    case 'list': {
      const items = block.items.map((item, at) => <li key={at}>{spans(item)}</li>)
      return block.ordered ? (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      ) : (
        <ul key={key}>{items}</ul>
      )
    }
  }
}

const whoIs = ({ author, name }: ChatMessage, words: Words): string => {
  switch (author) {
    case 'customer':
      return words.you
    case 'assistant':
      return words.assistant
    case 'agent':
      return name ?? words.personIs
    case 'system':
      return words.system
  }
}

const isSame = (before: ChatMessage | undefined, message: ChatMessage): boolean =>
  before?.author === message.author && before.name === message.name

const timeOf = (at: string, language: string): string =>
  new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(new Date(at))

/** Between two days stands the later one. The visitor's own clock is not asked: it may be wrong by a year. */
const dayBetween = (before: ChatMessage | undefined, { at }: ChatMessage, language: string) => {
  if (!before?.at || !at) return null
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long' })
  const [one, other] = [day.format(new Date(before.at)), day.format(new Date(at))]
  return one === other ? null : <p class="day">{other}</p>
}
