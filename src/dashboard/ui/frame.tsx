import {
  IconBook2,
  IconBuilding,
  IconChartBar,
  IconChevronDown,
  IconClockHour4,
  IconCommand,
  IconInbox,
  IconKey,
  IconLogout,
  IconMessages,
  IconSettings,
  IconStopwatch,
  IconUserCircle,
  IconUsers,
  IconUsersGroup,
  type Icon,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useMatchRoute, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { forgetFiles } from '../inbox/attachments.js'
import { forgetDrafts } from '../inbox/drafts.js'
import type { View } from '../inbox/follow.js'
import { emptyOutbox } from '../inbox/outbox.js'
import { useNews } from '../inbox/news.js'
import { useLanguage, useT, type Key } from '../languages/index.js'
import { call, chosenCompany } from '../server/client.js'
import { useLine } from '../server/live.js'
import { tellLanguage } from '../server/own-language.js'
import { queryClient, useChannels, useCompany, useCounts, useMe, type Counts, type Me } from '../server/queries.js'
import { shownKey, useCommands } from './commands.js'
import { Face } from './face.js'
import './frame.css'
import { Menu } from './menu.js'
import { Coming, Failed } from './states.js'

const SignIn = lazy(() => import('../sign-in/sign-in.js').then((module) => ({ default: module.SignIn })))
const CapacityBanner = lazy(() => import('./capacity.js').then((module) => ({ default: module.CapacityBanner })))
const Palette = lazy(() => import('./palette.js').then((module) => ({ default: module.Palette })))

/** The desk itself: who is not signed in gets the way in, at the same address, so that nothing is lost. */
export const Frame = () => {
  const me = useMe()
  if (me.data === null)
    return (
      <Suspense>
        <SignIn />
      </Suspense>
    )
  if (me.data) return <Desk me={me.data} />
  return (
    <main className="page">
      {me.isError ? <Failed error={me.error} retry={() => void me.refetch()} /> : <Coming lines={6} />}
    </main>
  )
}

const VIEWS: { view: View; title: Key; count?: Exclude<keyof Counts, 'teams'> }[] = [
  { view: 'all', title: 'inbox.all', count: 'all' },
  { view: 'mine', title: 'inbox.mine', count: 'mine' },
  { view: 'waiting', title: 'inbox.waiting', count: 'waiting' },
  { view: 'resolved', title: 'inbox.resolved' },
]

const Desk = ({ me }: { me: Me }) => {
  const t = useT()
  const navigate = useNavigate()
  const news = useNews(me)
  const [palette, setPalette] = useState<'commands' | 'keys' | null>(null)
  const counts = useCounts()
  const waiting = counts.data?.waiting ?? 0
  const language = useLanguage()
  useEffect(() => tellLanguage(me.id, language), [me.id, language])
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Helpdesk` : 'Helpdesk'
  }, [waiting])

  useCommands([
    { id: 'palette', title: t('palette.title'), group: 'other', key: 'mod+k', run: () => setPalette('commands') },
    { id: 'keys', title: t('palette.keys'), group: 'other', key: '?', run: () => setPalette('keys') },
    ...VIEWS.map(({ view, title }) => ({
      id: `view-${view}`,
      title: `${t('nav.inbox')}: ${t(title)}`,
      group: 'go' as const,
      run: () => void navigate({ to: '/inbox', search: view === 'all' ? {} : { view } }),
    })),
    ...placesOf(me).map(({ to, title }) => ({
      id: `go-${to}`,
      title: t(title),
      group: 'go' as const,
      run: () => void navigate({ to }),
    })),
    { id: 'sign-out', title: t('nav.signOut'), group: 'other', run: () => void signOut() },
  ])

  return (
    <div className="desk">
      <a className="skip" href="#content">
        {t('nav.skip')}
      </a>
      <nav className="side" aria-label={t('nav.label')}>
        <Whose me={me} />
        <button type="button" className="side-search" onClick={() => setPalette('commands')}>
          <IconCommand aria-hidden />
          <span>{t('palette.open')}</span>
          {shownKey('mod+k').map((key) => (
            <kbd key={key} aria-hidden>
              {key}
            </kbd>
          ))}
        </button>
        <div className="side-group">
          {VIEWS.map(({ view, title, count }) => (
            <ViewLink key={view} view={view} title={t(title)} count={count ? counts.data?.[count] : undefined} />
          ))}
        </div>
        <div className="side-group">
          {placesOf(me).map(({ to, title, icon: PlaceIcon }) => (
            <Link key={to} to={to} className="side-link" activeProps={{ 'aria-current': 'page' }}>
              <PlaceIcon aria-hidden />
              <span className="grow cut">{t(title)}</span>
            </Link>
          ))}
        </div>
        <Self me={me} />
      </nav>
      <div className="desk-main">
        <LineBanner />
        <ChannelsBanner />
        {me.permissions.includes('company:write') && (
          <Suspense>
            <CapacityBanner />
          </Suspense>
        )}
        <div id="content" tabIndex={-1} className="desk-content">
          <Outlet />
        </div>
      </div>
      <nav className="tabs" aria-label={t('nav.label')}>
        <Tab to="/inbox" title={t('nav.inbox')} icon={<IconInbox aria-hidden />} count={waiting} />
        <Tab to="/knowledge" title={t('nav.knowledge')} icon={<IconBook2 aria-hidden />} />
        <Tab to="/settings" title={t('nav.settings')} icon={<IconSettings aria-hidden />} />
      </nav>
      <p className="hidden" aria-live="polite" role="status">
        {news}
      </p>
      {palette && (
        <Suspense>
          <Palette shown={palette} close={() => setPalette(null)} />
        </Suspense>
      )}
    </div>
  )
}

type Place = { to: PlacePath; title: Key; icon: Icon; may: Me['permissions'][number] }
type PlacePath =
  | '/knowledge'
  | '/reports'
  | '/settings/channels'
  | '/settings/hours'
  | '/settings/policies'
  | '/settings/people'
  | '/settings/teams'
  | '/settings/keys'
  | '/settings/company'

const PLACES: readonly Place[] = [
  { to: '/knowledge', title: 'nav.knowledge', icon: IconBook2, may: 'knowledge:read' },
  { to: '/reports', title: 'nav.reports', icon: IconChartBar, may: 'reports:read' },
  { to: '/settings/channels', title: 'nav.channels', icon: IconMessages, may: 'channels:read' },
  { to: '/settings/hours', title: 'nav.hours', icon: IconClockHour4, may: 'service_levels:write' },
  { to: '/settings/policies', title: 'nav.policies', icon: IconStopwatch, may: 'service_levels:write' },
  { to: '/settings/people', title: 'nav.people', icon: IconUsers, may: 'people:read' },
  { to: '/settings/teams', title: 'nav.teams', icon: IconUsersGroup, may: 'people:read' },
  { to: '/settings/keys', title: 'nav.keys', icon: IconKey, may: 'keys:read' },
  { to: '/settings/company', title: 'nav.company', icon: IconBuilding, may: 'company:write' },
]

/** What a person may not open is not offered. */
export const placesOf = (me: Me): readonly Place[] => PLACES.filter(({ may }) => me.permissions.includes(may))

const ViewLink = ({ view, title, count }: { view: View; title: string; count: number | undefined }) => {
  const inInbox = Boolean(useMatchRoute()({ to: '/inbox', fuzzy: true }))
  const search = useSearch({ strict: false })
  const current = inInbox && (search.view ?? 'all') === view
  return (
    <Link
      to="/inbox"
      search={view === 'all' ? {} : { view }}
      className={`side-link view-${view}`}
      activeProps={{}}
      // The router's own notion of active would mark every view whose search is a part of the present one.
      activeOptions={{ exact: true }}
      {...(current ? { 'aria-current': 'page' as const } : { 'aria-current': undefined })}
    >
      {view === 'all' ? <IconInbox aria-hidden /> : <span className="side-dot" aria-hidden />}
      <span className="grow cut">{title}</span>
      {count !== undefined && count > 0 && <span className="side-count">{count}</span>}
    </Link>
  )
}

const Tab = ({ to, title, icon, count = 0 }: TabProps) => (
  <Link to={to} className="tab" activeProps={{ 'aria-current': 'page' }}>
    {icon}
    <span>{title}</span>
    {count > 0 && <span className="tab-count">{count}</span>}
  </Link>
)
type TabProps = { to: '/inbox' | '/knowledge' | '/settings'; title: string; icon: ReactNode; count?: number }

/** The company; for who belongs to several, the way to the others. */
const Whose = ({ me }: { me: Me }) => {
  const t = useT()
  const company = useCompany()
  const companies = useQuery({
    queryKey: ['companies'],
    queryFn: ({ signal }) => call('companies', 'listCompanies', { signal }),
    staleTime: 10 * 60_000,
  })
  const others = companies.data?.companies.filter(({ id, member }) => member && id !== me.companyId) ?? []
  const name = (
    <>
      <img src="/assets/icon.svg" alt="" width="24" height="24" />
      <strong className="grow cut">{company.data?.name ?? ' '}</strong>
    </>
  )
  if (others.length === 0) return <div className="whose">{name}</div>
  return (
    <Menu
      className="whose"
      label={t('nav.company_switch', { name: company.data?.name ?? '' })}
      items={others.map(({ id, name: other }) => ({ text: other, run: () => switchTo(id) }))}
    >
      {name}
      <IconChevronDown aria-hidden size={16} />
    </Menu>
  )
}

const switchTo = (companyId: string): void => {
  chosenCompany.set(companyId)
  location.assign('/inbox')
}

const Self = ({ me }: { me: Me }) => {
  const t = useT()
  const navigate = useNavigate()
  return (
    <div className="self-place">
      <Menu
        className="self"
        placement="above"
        items={[
          {
            text: t('nav.profile'),
            icon: <IconUserCircle size={16} aria-hidden />,
            run: () => void navigate({ to: '/settings/profile' }),
          },
          { text: t('nav.signOut'), icon: <IconLogout size={16} aria-hidden />, run: () => void signOut() },
        ]}
      >
        <Face name={me.name} />
        <span className="grow cut">{me.name}</span>
      </Menu>
    </div>
  )
}

/** Nothing of the person stays in this browser but how they like the page to look. */
export const signOut = async (): Promise<void> => {
  await call('setup', 'signOut', { body: {} })
  forgetDrafts()
  forgetFiles()
  emptyOutbox()
  chosenCompany.set(null)
  queryClient.clear()
  location.assign('/inbox')
}

/** A lost line is said only when it stays lost: a hiccup is nobody's business. */
const SAY_AFTER_MS = 1_500

const LineBanner = () => {
  const t = useT()
  const line = useLine()
  const [said, setSaid] = useState(false)
  useEffect(() => {
    if (line !== 'lost') return setSaid(false)
    const timer = setTimeout(() => setSaid(true), SAY_AFTER_MS)
    return () => clearTimeout(timer)
  }, [line])
  return <div role="status">{said && <p className="banner">{t('line.lost')}</p>}</div>
}

/** Nobody else notices that customers do not get through; it stays until somebody has seen to it. */
const ChannelsBanner = () => {
  const t = useT()
  const channels = useChannels()
  return (
    <div role="status">
      {channels.data?.some(({ state }) => state === 'refused') && (
        <p className="banner bad">
          <Link to="/settings/channels">{t('news.channel')}</Link>
        </p>
      )}
    </div>
  )
}
