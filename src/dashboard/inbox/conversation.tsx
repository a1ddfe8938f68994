import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useEffect, useState } from 'react'
import { useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useMay, type Conversation, type Message } from '../server/queries.js'
import { useCommands } from '../ui/commands.js'
import { Coming, Failed } from '../ui/states.js'
import { useActs } from './acts.js'
import { Composer } from './composer.js'
import './conversation.css'
import { fetchMessages } from './follow.js'
import { ConversationHead } from './head.js'
import { useOutgoing } from './outbox.js'
import { Timeline } from './timeline.js'
import { useWriting } from './writing.js'

const Beside = lazy(() => import('./beside.js').then((module) => ({ default: module.Beside })))

export const ConversationScreen = () => {
  const { id } = useParams({ from: '/desk/inbox/$id' })
  // A conversation of its own each time: nothing of the one before may stand in it.
  return <Talk key={id} id={id} />
}

/** What the panel at the side shows: the conversation's details, or why the assistant said something. */
export type Aside = { shows: 'details' } | { shows: 'decision'; decisionId: string }

const WIDE = '(min-width: 82em)'

const Talk = ({ id }: { id: string }) => {
  const t = useT()
  const conversation = useQuery({
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => call('conversations', 'get', { params: { id }, signal }),
  })
  const messages = useQuery({
    queryKey: ['messages', id],
    queryFn: ({ signal }) => fetchMessages(id, signal),
    // From here on frames keep it; a line that was gone fetches what came after.
    staleTime: Infinity,
    refetchOnMount: 'always',
  })
  const failed = conversation.isError ? conversation : messages.isError && !messages.data ? messages : null
  if (failed)
    return (
      <section className="talk" aria-label={t('inbox.conversation')}>
        <Failed error={failed.error} retry={() => void failed.refetch()} />
      </section>
    )
  if (!conversation.data || !messages.data)
    return (
      <section className="talk" aria-label={t('inbox.conversation')}>
        <Coming lines={7} />
      </section>
    )
  return <Open conversation={conversation.data} messages={messages.data} />
}

const Open = ({ conversation, messages }: { conversation: Conversation; messages: readonly Message[] }) => {
  const t = useT()
  const acts = useActs(conversation)
  const may = useMay('conversations:write')
  const outgoing = useOutgoing(conversation.id)
  const writing = useWriting(conversation.id, messages)
  const [aside, setAside] = useState<Aside | null>(() => (matchMedia(WIDE).matches ? { shows: 'details' } : null))
  const explain = useCallback((decisionId: string) => setAside({ shows: 'decision', decisionId }), [])
  const toggle = () => setAside((before) => (before ? null : { shows: 'details' }))

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !matchMedia(WIDE).matches) setAside(null)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])

  useCommands([
    { id: 'aside', title: t('talk.details'), group: 'actions', key: 'i', run: toggle },
    acts.takeOver && { id: 'assign', title: t('talk.assignToMe'), group: 'actions', key: 'a', run: acts.takeOver },
    acts.resolve && { id: 'resolve', title: t('talk.resolve'), group: 'actions', key: 'e', run: acts.resolve },
    acts.reopen && { id: 'reopen', title: t('talk.reopen'), group: 'actions', key: 'e', run: acts.reopen },
    acts.handBack && { id: 'resume', title: t('talk.handBack'), group: 'actions', run: acts.handBack },
    acts.toQueue && { id: 'queue', title: t('talk.toQueue'), group: 'actions', run: acts.toQueue },
  ])

  return (
    <div className={aside ? 'talk-with-aside' : 'talk-alone'}>
      <section className="talk" aria-label={t('inbox.conversation')}>
        <ConversationHead conversation={conversation} acts={acts} aside={aside !== null} toggleAside={toggle} />
        <Timeline
          conversation={conversation}
          messages={messages}
          outgoing={outgoing}
          writing={writing}
          explain={explain}
        />
        {may && <Composer conversation={conversation} />}
        {!may && <p className="read-only">{t('talk.readOnly')}</p>}
      </section>
      {aside && (
        <Suspense fallback={<aside className="beside" />}>
          <Beside
            conversation={conversation}
            acts={acts}
            aside={aside}
            close={() => setAside(null)}
            toDetails={() => setAside({ shows: 'details' })}
          />
        </Suspense>
      )}
    </div>
  )
}
