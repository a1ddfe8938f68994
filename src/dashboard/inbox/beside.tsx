import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { IconArrowLeft, IconX } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useT } from '../languages/index.js'
import { useMay, usePeople, useTeams, type Conversation } from '../server/queries.js'
import { fullDate } from '../ui/time.js'
import { useLanguage } from '../languages/index.js'
import type { Acts } from './acts.js'
import './beside.css'
import type { Aside } from './conversation.js'
import { Decision } from './decision.js'
import { handoffText } from './events.js'
import { nameOf } from './news.js'
import { ThePerson } from './person.js'
import { Recap } from './recap.js'
import { Promises, Tier } from './promises.js'

type Props = { conversation: Conversation; acts: Acts; aside: Aside; close: () => void; toDetails: () => void }

export const Beside = ({ conversation, acts, aside, close, toDetails }: Props) => {
  const t = useT()
  const decision = aside.shows === 'decision'
  return (
    <aside className="beside" aria-label={decision ? t('decision.title') : t('talk.details')}>
      <header>
        {decision && (
          <ActionIcon variant="subtle" color="gray" aria-label={t('talk.details')} onClick={toDetails}>
            <IconArrowLeft size={18} className="flips" aria-hidden />
          </ActionIcon>
        )}
        <h2 className="grow">{decision ? t('decision.title') : t('talk.details')}</h2>
        <ActionIcon variant="subtle" color="gray" aria-label={t('common.close')} onClick={close}>
          <IconX size={18} aria-hidden />
        </ActionIcon>
      </header>
      <div
        className="beside-scroll"
        tabIndex={0}
        role="region"
        aria-label={decision ? t('decision.title') : t('talk.details')}
      >
        {aside.shows === 'decision' ? (
          <Decision id={aside.decisionId} />
        ) : (
          <Details conversation={conversation} acts={acts} />
        )}
      </div>
    </aside>
  )
}

const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const

const Details = ({ conversation, acts }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const language = useLanguage()
  const { contact, handoff, priority, handler } = conversation
  return (
    <>
      <dl className="facts">
        <Fact name={t('details.customer')}>
          <bdi>{nameOf(conversation, t('inbox.visitor'))}</bdi>
        </Fact>
        {contact.email && (
          <Fact name={t('signIn.email')}>
            <a href={`mailto:${encodeURIComponent(contact.email)}`}>{contact.email}</a>
          </Fact>
        )}
        {contact.phone && (
          <Fact name={t('details.phone')}>
            <bdi dir="ltr">{contact.phone}</bdi>
          </Fact>
        )}
        {contact.reference && (
          <Fact name={t('details.reference')}>
            <bdi>{contact.reference}</bdi>
          </Fact>
        )}
        <Fact name={t('details.begun')}>{fullDate(language, conversation.createdAt)}</Fact>
        <Fact name={t('details.state')}>{t(`state.${conversation.state}`)}</Fact>
      </dl>
      {handler === 'nobody' && handoff && (
        <section className="why-waiting">
          <h3>{t('details.whyWaiting')}</h3>
          <p>{handoffText(t, handoff.reason)}</p>
          <Recap handoff={handoff} />
        </section>
      )}
      <Promises conversation={conversation} />
      <Team conversation={conversation} acts={acts} />
      <Assignee conversation={conversation} acts={acts} />
      <NativeSelect
        label={t('common.priority')}
        size="sm"
        value={priority}
        disabled={!acts.setPriority}
        data={PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) }))}
        onChange={(event) => acts.setPriority?.(event.currentTarget.value as typeof priority)}
      />
      <Tags conversation={conversation} acts={acts} />
      <Tier key={`tier ${conversation.contactId}`} conversation={conversation} />
      <ThePerson key={`person ${conversation.contactId}`} conversation={conversation} />
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Assignee = ({ conversation, acts }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const people = usePeople()
  const mayRead = useMay('people:read')
  const { assignee } = conversation
  const active = people.data?.filter(({ status, role }) => status === 'active' && role !== 'viewer') ?? []
  const others = assignee && !active.some(({ id }) => id === assignee.id) ? [assignee] : []
  if (!mayRead) return null
  return (
    <NativeSelect
      label={t('details.assignee')}
      size="sm"
      disabled={!acts.assign}
      value={assignee?.id ?? ''}
      data={[
        { value: '', label: t('details.nobody') },
        ...[...active, ...others].map(({ id, name }) => ({ value: id, label: name })),
      ]}
      onChange={(event) => {
        const id = event.currentTarget.value
        acts.assign?.(active.find((one) => one.id === id) ?? null)
      }}
    />
  )
}

/** Only where the company has teams. */
const Team = ({ conversation: { teamId }, acts }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const teams = useTeams()
  if (!teams.data || (teams.data.length === 0 && teamId === null)) return null
  const isKnown = teams.data.some(({ id }) => id === teamId)
  return (
    <NativeSelect
      label={t('details.team')}
      size="sm"
      disabled={!acts.assignTeam}
      value={teamId ?? ''}
      data={[
        { value: '', label: t('details.noTeam') },
        ...teams.data.map(({ id, name }) => ({ value: id, label: name })),
        ...(teamId === null || isKnown ? [] : [{ value: teamId, label: teamId }]),
      ]}
      onChange={(event) => acts.assignTeam?.(event.currentTarget.value || null)}
    />
  )
}

const MOST_TAGS = 30

const Tags = ({ conversation: { tags }, acts: { setTags } }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const [typed, setTyped] = useState('')
  const add = () => {
    const tag = typed.trim()
    if (tag && !tags.includes(tag) && tags.length < MOST_TAGS) setTags?.([...tags, tag])
    setTyped('')
  }
  return (
    <section className="tags">
      <h3>{t('details.tags')}</h3>
      {tags.length > 0 && (
        <ul>
          {tags.map((tag) => (
            <li key={tag} className="chip">
              <bdi className="cut">{tag}</bdi>
              {setTags && (
                <button
                  type="button"
                  aria-label={t('details.removeTag', { tag })}
                  onClick={() => setTags(tags.filter((one) => one !== tag))}
                >
                  <IconX aria-hidden />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {setTags && (
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault()
            add()
          }}
        >
          <input
            className="plain-input grow"
            aria-label={t('details.addTag')}
            placeholder={t('details.addTag')}
            maxLength={60}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          {typed.trim() && (
            <Button type="submit" size="xs" variant="default">
              {t('common.add')}
            </Button>
          )}
        </form>
      )}
    </section>
  )
}
