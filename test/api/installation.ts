import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { contract } from '../../src/api/contract.js'
import type { Route } from '../../src/api/contract/route.js'
import { makeLimits } from '../../src/api/limits.js'
import { makeApi, ownOrigins } from '../../src/api/server.js'
import { makeAttachments } from '../../src/channels/attachments.js'
import { channelKinds } from '../../src/channels/index.js'
import { makeChannelKit } from '../../src/channels/channel-kit.js'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { makePublicKit } from '../../src/channels/public-kit.js'
import { channelSchemas, makeChannelRegistry } from '../../src/channels/registry.mongo.js'
import { companiesSchemas, makeCompanies } from '../../src/companies/companies.js'
import { makeActions } from '../../src/conversations/actions.js'
import { makeAttendance } from '../../src/conversations/attendance.js'
import { makeContacts } from '../../src/conversations/contacts.js'
import { makeCustomerActions } from '../../src/conversations/customer.js'
import { makeArrivals } from '../../src/conversations/arrivals.js'
import { makeInbox } from '../../src/conversations/inbox.js'
import { makeOutlook } from '../../src/conversations/letters.js'
import { makeLetterStore } from '../../src/conversations/letters.mongo.js'
import { makePolicyPreview } from '../../src/conversations/policy-preview.js'
import { makeReceive } from '../../src/conversations/receive.js'
import { makeServiceLevelReport } from '../../src/conversations/service-level-report.js'
import { makeExplainServiceLevels } from '../../src/conversations/service-levels.js'
import { makeStopMail } from '../../src/conversations/stop-mail.js'
import { conversationSchemas, makeConversationStore } from '../../src/conversations/store.mongo.js'
import type { Origin } from '../../src/conversations/message.js'
import { makeOutside } from '../../src/platform/addresses.js'
import { makeBus } from '../../src/platform/bus.js'
import type { Clock } from '../../src/platform/clock.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { describeError } from '../../src/platform/log.js'
import { makeLeases } from '../../src/platform/lease.mongo.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { ensureSchema } from '../../src/platform/mongo.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { decisionsSchema, makeDecisions } from '../../src/rag/decisions.mongo.js'
import { knowledgeSchema } from '../../src/rag/documents.mongo.js'
import { makeKnowledge } from '../../src/rag/knowledge.mongo.js'
import { makeUsage, usageSchema } from '../../src/rag/usage.mongo.js'
import { openTestMongo } from '../support/mongo.js'

type Options = {
  clock?: Clock
  rateLimitFactor?: number
  trustProxy?: string
  publicUrl?: string
  adminEmail?: string
  adminPassword?: string
  sick?: string[]
}

export const OWNER_KEY = 'environment-key-of-the-first-company'

/** The real API over real HTTP and the real store, with the real rooms behind it; only nobody answers in the background. */
export const openInstallation = async (options: Options = {}) => {
  const mongo = await openTestMongo()
  // Nobody searches here: the indexes for search stay unmade.
  const schemas = [
    companiesSchemas,
    conversationSchemas,
    channelSchemas,
    knowledgeSchema,
    decisionsSchema,
    usageSchema,
  ].flat()
  await ensureSchema(
    mongo.db,
    schemas.map(({ collection, indexes = [] }) => ({ collection, indexes })),
  )
  // As in production: a test that is slow between two requests finds its connection as it left it.
  const server = createServer({ keepAliveTimeout: 65_000 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const address = `http://127.0.0.1:${port}`
  const publicUrl = options.publicUrl ?? address
  const origins = ownOrigins({ host: '127.0.0.1', port, publicUrl: options.publicUrl })
  const clock = options.clock ?? systemClock
  const lines: string[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    },
  })
  const log = pino({ level: 'trace', serializers: { err: describeError } }, sink)
  const reported: unknown[] = []
  const metrics = makeMetrics()
  const limit = makeLimits({ factor: options.rateLimitFactor ?? 1, metrics })
  const bus = makeBus()
  const secrets = makeSecrets('k'.repeat(40))

  const companies = makeCompanies({
    ...mongo,
    clock,
    secretKey: 'k'.repeat(40),
    publicUrl,
    origins,
    sendInvitation: null,
    releaseWork: ({ companyId, id, name }, personId) => actions.releaseAll(companyId, personId, { id, name }),
    releaseTeam: ({ companyId, id, name }, teamId) => actions.releaseTeam(companyId, teamId, { id, name }),
    createFirstChannel: (companyId) => channels.create(companyId, { kind: 'webchat', settings: {} }),
    channelIds: async (companyId) => (await channels.list(companyId)).map(({ id }) => id),
  })
  const { promiseFor, choicesFor, termsOf, hoursFor, opening: openingOf } = companies.serviceLevels
  const teamOfChannel = companies.teams.ofChannel
  const store = makeConversationStore({ ...mongo, termsOf, choicesFor, teamOfChannel })
  const inbox = makeInbox(store)
  const asleep = () => {}
  const reads = { transcript: false, description: false }
  const assistantPaused = async (companyId: string) => (await companies.settings(companyId)).assistant.paused
  const writesLetters = (channel: Origin) => channels.writesLetters(channel)
  const actions = makeActions({
    ...{ store, bus, clock, metrics, assistantPaused, writesLetters },
    wakeAnswer: asleep,
    wakeDeliver: asleep,
  })
  const receive = makeReceive({
    store,
    bus,
    clock,
    log,
    metrics,
    assistantPaused,
    openingOf,
    promiseFor,
    teamOfChannel,
    reads,
    wakeAnswer: asleep,
    wakeRead: asleep,
  })
  const outside = makeOutside({ allowPrivate: true })
  const memories = makeMemories(mongo)
  const waking = { wakeAnswer: asleep, wakeDeliver: asleep, wakeRead: asleep }
  const takeIn = makeArrivals({ store, receive, reads, ...waking, bus, clock, log, metrics })
  const channels = makeChannelRegistry({
    db: mongo.db,
    kinds: channelKinds,
    receive:
      ({ id, companyId }) =>
      (arrival) =>
        takeIn({ companyId, channelId: id }, arrival),
    kit: (record, report) =>
      makeChannelKit({
        memoryOf: memories.of,
        leases: makeLeases({ db: mongo.db, clock, log }),
        outside,
        attachments,
        ...store,
        conversation: store.findConversation,
        writesLetters,
        takeIn,
        letterCameBack: async () => false,
        clock,
        log,
        secrets,
        publicUrl,
      })(record, report),
    connected: () => {},
    healthChanged: async () => {},
    forget: memories.forget,
    outside,
    metrics,
    bus,
    clock,
    log,
    secrets,
  })
  const directory = await mkdtemp(path.join(tmpdir(), 'helpdesk-api-'))
  const knowledge = makeKnowledge({ mongo, clock, files: makeDiskFiles(directory) })
  const attachmentFiles = makeDiskFiles(path.join(directory, 'attachments'))
  const attachments = makeAttachments({ files: attachmentFiles, attachment: store.attachment, secrets, clock })
  const kit = makePublicKit({
    channelByKey: channels.byKey,
    channelById: channels.byId,
    demoChannel: () => null,
    receive: ({ id, companyId }, arrival) => receive({ companyId, channelId: id }, arrival),
    history: inbox.historyOfContact,
    message: store.message,
    ...makeCustomerActions({ store, openingOf, bus, clock }),
    passageText: knowledge.passageText,
    attachments,
    attendance: makeAttendance({ letters: makeLetterStore(mongo), bus, clock, log, metrics }),
    limit,
    bus,
    clock,
    log,
    secrets,
    ownOrigins: origins,
  })
  const decisions = makeDecisions({ mongo })
  const api = makeApi({
    companies,
    usage: makeUsage({ mongo, budgetOf: async () => null, clock, log }),
    inbox,
    actions,
    contacts: makeContacts({ store, bus, clock }),
    outlookOf: makeOutlook({ carrierOf: () => null, writesLetters }),
    stopMail: makeStopMail({ store, secrets, publicUrl, bus, clock }),
    attachments,
    openAttachment: async (companyId, fileId) =>
      attachments.offer(companyId, await inbox.attachment(companyId, fileId)),
    serviceLevelReport: makeServiceLevelReport({ store, clock, termsOf }),
    previewPolicies: makePolicyPreview({ store, hoursFor, clock }),
    explainServiceLevels: makeExplainServiceLevels({ store, termsOf, clock }),
    knowledge: {
      ...knowledge,
      ...decisions,
      search: async () => [],
      ask: async () => ({ kind: 'unknown', text: '', citations: [], mode: 'extractive', decisionId: 'dec_none' }),
    },
    channels,
    publicApis: Object.values(channelKinds).flatMap((kind) => kind.publicApi?.(kit) ?? []),
    checks: ['store', 'search', 'model'].map((name) => ({
      name,
      essential: name === 'store',
      probe: async () => ({ ok: !options.sick?.includes(name), ...(name === 'model' ? { state: 'closed' } : {}) }),
    })),
    bus,
    clock,
    limit,
    metrics,
    log,
    report: (error) => void reported.push(error),
    publicUrl,
    origins,
    trustProxy: options.trustProxy,
  })
  server.on('request', api.app)
  const sockets = api.attachSockets(server)
  const { firstCompanyId, setupPath } = await companies.start({ ...options, apiKey: OWNER_KEY })

  const close = async () => {
    await sockets.close()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    await channels.closeAll()
    await mongo.close()
    await rm(directory, { recursive: true })
  }
  return {
    address,
    mongo,
    knowledge,
    directory,
    server,
    api,
    companies,
    channels,
    receive,
    decisions,
    sockets,
    lines,
    reported,
    firstCompanyId,
    setupPath,
    close,
  }
}

export type Installation = Awaited<ReturnType<typeof openInstallation>>

type Call = { key?: string | undefined; body?: unknown; headers?: Record<string, string>; raw?: string }

/** One call, as a program would make it. */
export const call = async (address: string, method: string, path: string, { key, body, headers, raw }: Call = {}) => {
  const response = await fetch(address + path, {
    method: method.toUpperCase(),
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(body !== undefined || raw !== undefined ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(raw !== undefined ? { body: raw } : body !== undefined ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, json: (isJson ? JSON.parse(text) : null) as Answer }
}

/** What tests look at in answers of every shape. */
type Answer = {
  error: { code: string; message: string; field?: string; requestId: string }
  id: string
  key: string
  apiKey: string
  role: string
  title: string
  user: { email: string }
  companies: { id: string; name: string }[]
  channels: { id: string; key: string }[]
  documents: { id: string }[]
  openapi: string
  paths: Record<string, Record<string, Operation>>
}
type Operation = {
  security: object[]
  requestBody: { content: Record<string, { schema: object }> }
  responses: Record<string, object>
}

export const allRoutes: Route[] = Object.values(contract).flatMap((routes) => Object.values(routes) as Route[])
export const protectedRoutes = allRoutes.filter(({ permission }) => permission !== 'public')
