import express, { type Express, type Request, type RequestHandler } from 'express'
import helmet from 'helmet'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { ChannelNamespace, ChannelRoute } from '../channels/channel.js'
import type { Companies } from '../companies/companies.js'
import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { makeAdmission } from './admission.js'
import { makeDesk } from './desk.js'
import { mount } from './endpoint.js'
import { contract } from './contract.js'
import type { Route } from './contract/route.js'
import { makeErrorHandler } from './errors.js'
import { makeHealth, type Check } from './health.js'
import type { Limits } from './limits.js'
import { attachLive } from './live.js'
import { describeApi } from './openapi.js'
import { makeStopPage, type StopPageNeeds } from './page-stop.js'
import { makePages } from './pages.js'
import { mountChannelRoute } from './public-routes.js'
import { makeChannelsRouter, type ChannelsNeeds } from './routes/channels.js'
import {
  makeCompaniesRouter,
  makeKeysRouter,
  makePeopleRouter,
  makeSignInRouter,
  type CompaniesNeeds,
} from './routes/companies.js'
import { makeContactsRouter, type ContactsNeeds } from './routes/contacts.js'
import { makeConversationsRouter, type ConversationsNeeds } from './routes/conversations.js'
import { makeKnowledgeRouter, type KnowledgeNeeds } from './routes/knowledge.js'
import { makeReportsRouter, type ReportsNeeds } from './routes/reports.js'
import { makeWebhooks, type WebhooksNeeds } from './webhooks.js'
import { makeServiceLevelsRouter, type ServiceLevelsNeeds } from './routes/service-levels.js'
import { makeTeamsRouter } from './routes/teams.js'

export type ApiNeeds = Omit<ConversationsNeeds, 'people'> &
  ContactsNeeds &
  KnowledgeNeeds &
  ChannelsNeeds &
  Pick<CompaniesNeeds, 'usage'> &
  Pick<ReportsNeeds, 'serviceLevelReport'> &
  Pick<ServiceLevelsNeeds, 'previewPolicies'> &
  StopPageNeeds & {
    companies: Companies
    channels: WebhooksNeeds
    /** The public APIs of all kinds of channel. */
    publicApis: readonly { routes: ChannelRoute[]; namespace: ChannelNamespace }[]
    checks: readonly Check[]
    bus: Bus
    clock: Clock
    limit: Limits
    metrics: Metrics
    log: Log
    report: (error: unknown, context: { requestId: string }) => void
    publicUrl: string
    /** From `ownOrigins`. */
    origins: readonly string[]
    /** As TRUST_PROXY says it. */
    trustProxy?: string | undefined
  }

const SANE_REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/
const HSTS = 'max-age=31536000; includeSubDomains'

/** The whole HTTP interface. Opens nothing: the caller listens. */
export const makeApi = (needs: ApiNeeds): Api => {
  const { companies, publicApis, limit, metrics, log, publicUrl, origins } = needs
  const secure = publicUrl.startsWith('https:')
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // Strings and lists of strings only: `?id[$ne]=` cannot become an object.
  app.set('query parser', 'simple')
  if (needs.trustProxy) believe(app, needs.trustProxy)

  app.use(accompany({ metrics, log }))
  const channelRoutes = publicApis.flatMap(({ routes }) => routes)
  for (const route of channelRoutes) mountChannelRoute(app, route, secure ? HSTS : null)
  app.use(securityHeaders(secure))
  app.use('/webhooks', makeWebhooks({ webhookOf: needs.channels.webhookOf, publicUrl }))

  const health = makeHealth(needs.checks)
  app.get('/health/live', at('/health/live'), health.live)
  app.get('/health/ready', at('/health/ready'), health.ready)
  app.get('/health/deep', at('/health/deep'), health.deep)
  app.get('/metrics', at('/metrics'), async (_req, res) => {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  const admission = makeAdmission({ origins, ...companies, limit })
  const desk = makeDesk({ ...needs, callerBySession: companies.callerBySession })
  const endpoints = [
    ...makeSignInRouter({ companies, limit }),
    ...makeConversationsRouter({ ...needs, people: companies.people }),
    ...makeContactsRouter(needs),
    ...makeKnowledgeRouter(needs),
    ...makeChannelsRouter(needs),
    ...makeCompaniesRouter(needs),
    ...makeServiceLevelsRouter(needs),
    ...makeTeamsRouter(needs),
    ...makeReportsRouter(needs),
    ...makePeopleRouter(companies),
    ...makeKeysRouter(companies),
  ]
  app.use(afterwards(REVOKING, desk.recheck))
  for (const one of endpoints) mount(app, one, admission)

  const description = describeApi({ routes: endpoints.map(({ route }) => route), channelRoutes })
  app.get('/openapi.json', at('/openapi.json'), (_req, res) => void res.json(description))
  app.use('/mail/stop', makeStopPage(needs))
  app.use(makePages())
  app.use(() => {
    throw new AppError('not_found', 'not_found', 'There is nothing at this address.')
  })
  app.use(makeErrorHandler(needs))

  const namespaces = [desk.namespace, ...publicApis.map(({ namespace }) => namespace)]
  // A socket's handshake never passes through Express; its rule about trusted proxies is asked all the same.
  const addressOf = ({ headers, socket }: IncomingMessage): string => {
    const request = Object.assign(Object.create(app.request) as Request, { app, headers, socket, connection: socket })
    return request.ip ?? ''
  }
  return {
    app,
    attachSockets: (server: HttpServer) => {
      const live = attachLive(server, { namespaces, addressOf, limit, metrics, log })
      return {
        close: async () => {
          desk.close()
          await live.close()
        },
      }
    },
  }
}

export type Api = { app: Express; attachSockets: (server: HttpServer) => { close: () => Promise<void> } }

/** Calls after which somebody may no longer see what they were just watching. */
const REVOKING: readonly Route[] = [
  contract.setup.signOut,
  contract.setup.changePassword,
  contract.people.changeRole,
  contract.people.remove,
]

const afterwards =
  (routes: readonly Route[], act: () => Promise<void>): RequestHandler =>
  (req, res, next) => {
    res.on('finish', () => {
      const done = routes.some(({ path, method }) => path === res.locals.route && method === req.method.toLowerCase())
      if (done && res.statusCode < 400) void act()
    })
    next()
  }

/** Where browsers reach this server: PUBLIC_URL, and on loopback both names of it. */
export const ownOrigins = ({
  host,
  port,
  publicUrl,
}: {
  host: string
  port: number
  publicUrl?: string | undefined
}): string[] => {
  const loopback = host === '127.0.0.1' || host === 'localhost' || host === '::1'
  const own = loopback ? [`http://127.0.0.1:${port}`, `http://localhost:${port}`] : []
  return [...(publicUrl ? [new URL(publicUrl).origin] : []), ...own]
}

const believe = (app: Express, proxies: string): void => {
  try {
    app.set(
      'trust proxy',
      proxies.split(',').map((proxy) => proxy.trim()),
    )
  } catch (cause) {
    const message = 'TRUST_PROXY: give addresses or CIDRs, separated by commas, or "loopback".'
    throw new AppError('invalid', 'invalid_configuration', message, { field: 'TRUST_PROXY', cause })
  }
}

/** Gives the request its id, which is in every log line from here to the last job, and measures it. */
const accompany =
  ({ metrics, log }: Pick<ApiNeeds, 'metrics' | 'log'>): RequestHandler =>
  (req, res, next) => {
    const given = req.headers['x-request-id']
    const requestId = typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newId('req')
    const startedAt = performance.now()
    res.setHeader('x-request-id', requestId)
    res.on('finish', () => {
      const milliseconds = performance.now() - startedAt
      const route = typeof res.locals.route === 'string' ? res.locals.route : 'none'
      metrics.httpDuration.observe({ method: req.method, route, status: res.statusCode }, milliseconds / 1000)
      log.debug({ requestId, method: req.method, route, status: res.statusCode, milliseconds }, 'request')
    })
    withRequestId(requestId, next)
  }

const at =
  (route: string): RequestHandler =>
  (_req, res, next) => {
    res.locals.route = route
    next()
  }

const securityHeaders = (secure: boolean): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        mediaSrc: ["'self'"],
        connectSrc: ["'self'"],
        frameSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'no-referrer' },
  })
