import { ActionIcon } from '@mantine/core'
import { IconBell, IconInbox, IconMessageCircle2, IconSearch, IconSparkles, IconX } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { useT, type Key } from '../languages/index.js'
import { call } from '../server/client.js'
import { useMay, useMe, useTeams, type Conversation } from '../server/queries.js'
import { remembered } from '../server/remembered.js'
import { useCommands } from '../ui/commands.js'
import { Face } from '../ui/face.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { When } from '../ui/time.js'
import { DueChip } from './due.js'
import { listKey, type View } from './follow.js'
import './inbox.css'
import { nameOf } from './news.js'
import { useRowsInView } from './rows-in-view.js'

const TITLES: Record<View, Key> = {
  all: 'inbox.all',
  mine: 'inbox.mine',
  waiting: 'inbox.waiting',
  resolved: 'inbox.resolved',
}

const FILTERS = {
  all: { state: 'unresolved' },
  mine: { state: 'unresolved', assignee: 'me' },
  waiting: { state: 'unresolved', handler: 'nobody', order: 'due' },
  resolved: { state: 'resolved' },
} as const satisfies Record<View, object>

/** The list, and beside it what was chosen from it; on a narrow screen one of the two. */
export const InboxScreen = () => {
  const t = useT()
  const may = useMay('conversations:read')
  const { id } = useParams({ strict: false })
  const { view = 'all', q = '', team = '' } = useSearch({ from: '/desk/inbox' })
  if (!may) return <Blank title={t('lost.noRight')}>{t('lost.noRightText')}</Blank>
  return (
    <main className={id ? 'inbox chosen' : 'inbox'}>
      <h1 className="hidden">{t('nav.inbox')}</h1>
      <section className="list" aria-label={t('inbox.list')}>
        <ListHead view={view} q={q} team={team} />
        <List key={view + q + team} view={view} q={q} team={team} chosen={id} />
      </section>
      <Outlet />
    </main>
  )
}

const SEARCH_AFTER_MS = 250

const ListHead = ({ view, q, team }: { view: View; q: string; team: string }) => {
  const t = useT()
  const navigate = useNavigate()
  const [wanted, setWanted] = useState(q)
  const input = useRef<HTMLInputElement>(null)
  const within = team === '' ? {} : { team }
  const search: { view?: View; team?: string } = { ...(view === 'all' ? {} : { view }), ...within }
  useEffect(() => setWanted(q), [q])
  useEffect(() => {
    if (wanted.trim() === q) return
    const timer = setTimeout(
      () =>
        void navigate({
          to: '.',
          search: { ...search, ...(wanted.trim() ? { q: wanted.trim() } : {}) },
          replace: true,
        }),
      SEARCH_AFTER_MS,
    )
    return () => clearTimeout(timer)
  })
  useCommands([{ id: 'search', title: t('inbox.search'), group: 'other', key: '/', run: () => input.current?.focus() }])
  return (
    <header className="list-head">
      <h2>{t(TITLES[view])}</h2>
      <nav className="views" aria-label={t('inbox.views')}>
        {(Object.keys(TITLES) as View[]).map((one) => (
          <Link
            key={one}
            to="/inbox"
            search={{ ...(one === 'all' ? {} : { view: one }), ...within }}
            activeProps={{}}
            {...(one === view ? { 'aria-current': 'page' as const } : { 'aria-current': undefined })}
          >
            {t(TITLES[one])}
          </Link>
        ))}
      </nav>
      <div className="search">
        <IconSearch aria-hidden />
        <input
          ref={input}
          type="search"
          aria-label={t('inbox.search')}
          placeholder={t('inbox.search')}
          maxLength={200}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            setWanted('')
            event.currentTarget.blur()
          }}
        />
        {wanted && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={t('inbox.clear')}
            onClick={() => setWanted('')}
          >
            <IconX size={14} aria-hidden />
          </ActionIcon>
        )}
      </div>
      <Teams team={team} choose={(next) => void navigate({ to: '.', search: searchWith(next) })} />
      <AskForNotifications />
    </header>
  )
}

type Search = { view?: View; q?: string; team?: string }

const searchWith =
  (team: string) =>
  ({ view, q }: Search): Search => ({ ...(view ? { view } : {}), ...(q ? { q } : {}), ...(team ? { team } : {}) })

const TeamChoice = lazy(() => import('./team-choice.js').then((module) => ({ default: module.TeamChoice })))

/** Most companies have no teams: the choice is fetched where there is one. */
const Teams = (choice: { team: string; choose: (team: string) => void }) => {
  const teams = useTeams().data ?? []
  return (
    (teams.length > 0 || choice.team !== '') && (
      <Suspense>
        <TeamChoice {...choice} />
      </Suspense>
    )
  )
}

const ASKED = 'helpdesk.notifications'

/** Offered once, asked only by a click. */
const AskForNotifications = () => {
  const t = useT()
  const [open, setOpen] = useState(
    () => 'Notification' in window && Notification.permission === 'default' && !remembered.get(ASKED),
  )
  if (!open) return null
  const close = () => {
    remembered.set(ASKED, 'asked')
    setOpen(false)
  }
  return (
    <div className="ask-notifications">
      <IconBell size={16} aria-hidden />
      <button type="button" onClick={() => void Notification.requestPermission().finally(close)}>
        {t('inbox.notify')}
      </button>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t('inbox.notNow')} onClick={close}>
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </div>
  )
}

const ROW_HEIGHT = 84

type ListProps = { view: View; q: string; team: string; chosen: string | undefined }

const List = ({ view, q, team, chosen }: ListProps) => {
  const t = useT()
  const navigate = useNavigate()
  const list = useInfiniteQuery({
    queryKey: listKey(view, q, team),
    queryFn: ({ pageParam, signal }) =>
      call('conversations', 'list', {
        query: {
          ...FILTERS[view],
          ...(q ? { q } : {}),
          ...(team ? { team } : {}),
          ...(pageParam ? { cursor: pageParam } : {}),
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  })
  const rows = useMemo(() => {
    const all = list.data?.pages.flatMap(({ conversations }) => conversations) ?? []
    return [...new Map(all.map((one) => [one.id, one])).values()]
  }, [list.data])
  const { scroller, from, to, scrollTo } = useRowsInView({ count: rows.length, rowHeight: ROW_HEIGHT })
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && to >= rows.length - 8) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, to, rows.length])

  const step = (by: 1 | -1) => {
    const at = rows.findIndex(({ id }) => id === chosen)
    const next = rows[at === -1 ? 0 : at + by]
    if (!next) return
    scrollTo(rows.indexOf(next))
    void navigate({ to: '/inbox/$id', params: { id: next.id }, search: (before) => before })
  }
  useCommands([
    { id: 'next', title: t('inbox.next'), group: 'go', key: 'j', run: () => step(1) },
    { id: 'previous', title: t('inbox.previous'), group: 'go', key: 'k', run: () => step(-1) },
  ])

  if (list.isPending) return <Coming lines={8} />
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />
  if (rows.length === 0) return <EmptyList view={view} q={q} team={team} />
  return (
    <div className="list-scroll" ref={scroller} tabIndex={-1}>
      <ul style={{ height: rows.length * ROW_HEIGHT, position: 'relative' }}>
        {rows.slice(from, to).map((row, at) => (
          <li
            key={row.id}
            style={{ transform: `translateY(${(from + at) * ROW_HEIGHT}px)`, height: ROW_HEIGHT }}
            aria-setsize={rows.length}
            aria-posinset={from + at + 1}
          >
            <Row conversation={row} current={row.id === chosen} />
          </li>
        ))}
      </ul>
    </div>
  )
}

const EmptyList = ({ view, q, team }: { view: View; q: string; team: string }) => {
  const t = useT()
  if (q) return <Blank icon={<IconSearch aria-hidden />} title={t('inbox.noneFound', { q })} />
  if (team) return <Blank icon={<IconInbox aria-hidden />} title={t('inbox.empty_team')} />
  if (view === 'all')
    return (
      <Blank
        icon={<IconMessageCircle2 aria-hidden />}
        title={t('inbox.emptyAll')}
        action={<a href="/demo">{t('inbox.tryChat')}</a>}
      >
        {t('inbox.emptyAllText')}
      </Blank>
    )
  return <Blank icon={<IconInbox aria-hidden />} title={t(`inbox.empty_${view}`)} />
}

const Row = ({ conversation, current }: { conversation: Conversation; current: boolean }) => {
  const t = useT()
  const { id, lastMessage, tags } = conversation
  const name = nameOf(conversation, t('inbox.visitor'))
  return (
    <Link
      to="/inbox/$id"
      params={{ id }}
      search={(before) => before}
      className="conversation-row"
      activeProps={{}}
      {...(current ? { 'aria-current': 'true' as const } : { 'aria-current': undefined })}
    >
      <Face name={name} />
      <span className="row-text">
        <span className="row-top">
          <strong className="cut grow">
            <bdi>{name}</bdi>
          </strong>
          <When at={lastMessage.at} />
        </span>
        <span className="row-excerpt">
          {lastMessage.author !== 'customer' && (
            <span className="faint">{t(`author.${authorOf(lastMessage.author)}`)}:</span>
          )}
          <span className="cut" dir="auto">
            {lastMessage.excerpt}
          </span>
        </span>
        <span className="row-chips">
          <WhoHasIt conversation={conversation} />
          <DueChip conversation={conversation} />
          <PriorityChip conversation={conversation} />
          <TeamChip conversation={conversation} />
          {tags.slice(0, 2).map((tag) => (
            <span key={tag} className="chip cut">
              {tag}
            </span>
          ))}
        </span>
      </span>
    </Link>
  )
}

const TeamChip = ({ conversation: { teamId } }: { conversation: Conversation }) => {
  const name = useTeams().data?.find(({ id }) => id === teamId)?.name
  return name === undefined ? null : <span className="chip cut">{name}</span>
}

const PriorityChip = ({ conversation: { priority } }: { conversation: Conversation }) => {
  const t = useT()
  if (priority === 'normal' || priority === 'low') return null
  return <span className="chip bad">{t(`priority.${priority}`)}</span>
}

const authorOf = (author: string): 'customer' | 'assistant' | 'agent' | 'system' =>
  author === 'assistant' || author === 'agent' || author === 'system' ? author : 'customer'

/** In whose hands it is, in words and not by colour alone. */
export const WhoHasIt = ({ conversation }: { conversation: Conversation }) => {
  const t = useT()
  const me = useMe().data
  const { state, handler, assignee, handoff } = conversation
  if (state === 'resolved' || state === 'closed') return <span className="chip">{t(`state.${state}`)}</span>
  if (handler === 'nobody')
    return (
      <span className="chip waiting">
        {t('inbox.isWaiting')}
        {handoff && (
          <>
            {' · '}
            <When at={handoff.at} />
          </>
        )}
      </span>
    )
  if (handler === 'assistant')
    return (
      <span className="chip assistant">
        <IconSparkles aria-hidden />
        {t('author.assistant')}
      </span>
    )
  return (
    <>
      <span className="chip person cut">
        {/* Nobody of the desk: somebody writes elsewhere, such as on the company's phone. */}
        {assignee ? (assignee.id === me?.id ? t('inbox.you') : assignee.name) : t('author.agent')}
      </span>
      {state !== 'open' && <span className="chip">{t(`state.${state}`)}</span>}
    </>
  )
}

export const NothingChosen = () => {
  const t = useT()
  return (
    <section className="nothing-chosen" aria-label={t('inbox.conversation')}>
      <Blank icon={<IconMessageCircle2 aria-hidden />} title={t('inbox.choose')}>
        {t('inbox.chooseText')}
      </Blank>
    </section>
  )
}
