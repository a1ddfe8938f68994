import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import type { View } from './inbox/follow.js'
import { InboxScreen, NothingChosen } from './inbox/inbox.js'
import { withWords } from './languages/index.js'
import { Frame } from './ui/frame.js'
import { Lost, NotFound } from './ui/lost.js'

/** Every address of the dashboard. The list of the inbox comes with the first load, the rest, with
 * its words, when somebody goes there. */

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Lost })

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/inbox', replace: true, throw: true })
  },
})

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(
    withWords(['gate'], () => import('./sign-in/set-up.js')),
    'SetUpScreen',
  ),
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  beforeLoad: () => {
    redirect({ to: '/inbox', replace: true, throw: true })
  },
})

/** All behind it asks for a signed-in person. */
const desk = createRoute({ getParentRoute: () => root, id: 'desk', component: Frame })

const VIEWS: readonly string[] = ['all', 'mine', 'waiting', 'resolved'] satisfies View[]

const inbox = createRoute({
  getParentRoute: () => desk,
  path: '/inbox',
  component: InboxScreen,
  validateSearch: ({ view, q, team }): { view?: View; q?: string; team?: string } => ({
    ...(typeof view === 'string' && VIEWS.includes(view) && view !== 'all' ? { view: view as View } : {}),
    ...(q !== undefined && q !== '' ? { q: String(q as string | number).slice(0, 200) } : {}),
    ...(typeof team === 'string' && team !== '' ? { team: team.slice(0, 100) } : {}),
  }),
})
const nothingChosen = createRoute({ getParentRoute: () => inbox, path: '/', component: NothingChosen })
const conversation = createRoute({
  getParentRoute: () => inbox,
  path: '$id',
  component: lazyRouteComponent(
    withWords(['talk'], () => import('./inbox/conversation.js')),
    'ConversationScreen',
  ),
})

const knowledge = createRoute({
  getParentRoute: () => desk,
  path: '/knowledge',
  component: lazyRouteComponent(
    withWords(['knowledge', 'talk'], () => import('./knowledge/knowledge.js')),
    'KnowledgeScreen',
  ),
})

const reports = createRoute({
  getParentRoute: () => desk,
  path: '/reports',
  component: lazyRouteComponent(
    withWords(['promises'], () => import('./reports/reports.js')),
    'ReportsScreen',
  ),
})

const settings = createRoute({ getParentRoute: () => desk, path: '/settings' })
const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: '/',
  component: lazyRouteComponent(() => import('./settings/home.js'), 'SettingsHome'),
})
const channels = createRoute({
  getParentRoute: () => settings,
  path: 'channels',
  component: lazyRouteComponent(
    withWords(['channels'], () => import('./settings/channels.js')),
    'ChannelsScreen',
  ),
})
const people = createRoute({
  getParentRoute: () => settings,
  path: 'people',
  component: lazyRouteComponent(
    withWords(['settings'], () => import('./settings/people.js')),
    'PeopleScreen',
  ),
})
const teams = createRoute({
  getParentRoute: () => settings,
  path: 'teams',
  component: lazyRouteComponent(
    withWords(['settings'], () => import('./settings/teams.js')),
    'TeamsScreen',
  ),
})
const keys = createRoute({
  getParentRoute: () => settings,
  path: 'keys',
  component: lazyRouteComponent(
    withWords(['settings'], () => import('./settings/keys.js')),
    'KeysScreen',
  ),
})
const company = createRoute({
  getParentRoute: () => settings,
  path: 'company',
  component: lazyRouteComponent(
    withWords(['settings'], () => import('./settings/company.js')),
    'CompanyScreen',
  ),
})
const hours = createRoute({
  getParentRoute: () => settings,
  path: 'hours',
  component: lazyRouteComponent(
    withWords(['promises'], () => import('./settings/hours.js')),
    'HoursScreen',
  ),
})
const policies = createRoute({
  getParentRoute: () => settings,
  path: 'policies',
  component: lazyRouteComponent(
    withWords(['promises'], () => import('./settings/policies.js')),
    'PoliciesScreen',
  ),
})
const profile = createRoute({
  getParentRoute: () => settings,
  path: 'profile',
  component: lazyRouteComponent(
    withWords(['settings'], () => import('./settings/profile.js')),
    'ProfileScreen',
  ),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    setUp,
    signIn,
    desk.addChildren([
      inbox.addChildren([nothingChosen, conversation]),
      knowledge,
      reports,
      settings.addChildren([settingsHome, channels, people, teams, keys, hours, policies, company, profile]),
    ]),
  ]),
  defaultPreload: 'intent',
  defaultPendingMs: 150,
})

declare module '@tanstack/react-router' {
  // Merging into the library's interface is how its types learn of the routes.
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions
  interface Register {
    router: typeof router
  }
}
