import type { Server } from 'node:http'
import path from 'node:path'
import { makeLimits } from './api/limits.js'
import { makeApi, ownOrigins } from './api/server.js'
import { answerUnavailable } from './api/unavailable.js'
import { makeAttachments } from './channels/attachments.js'
import { makeChannelKit } from './channels/channel-kit.js'
import { channelKinds } from './channels/index.js'
import { makeMemories, memorySchemas } from './channels/memory.mongo.js'
import { makePublicKit } from './channels/public-kit.js'
import { makeMailRefusals } from './channels/refusal-mail.js'
import { makeRefusals, refusalSchemas } from './channels/refusals.mongo.js'
import { channelSchemas, makeChannelRegistry } from './channels/registry.mongo.js'
import { companiesSchemas, makeCompanies, type Invitation } from './companies/companies.js'
import { invitationMail } from './companies/invitation.js'
import { healthChecks } from './checks.js'
import { ownAddress, type Config } from './config.js'
import { makeActions } from './conversations/actions.js'
import { makeAnswer } from './conversations/answer.js'
import { makeArrivals } from './conversations/arrivals.js'
import { makeAttendance } from './conversations/attendance.js'
import { makeContacts } from './conversations/contacts.js'
import { makeCustomerActions } from './conversations/customer.js'
import { makeDeliver, makeHasten } from './conversations/deliver.js'
import { sanitiseAgain } from './channels/email/html.js'
import { makeInbox } from './conversations/inbox.js'
import { makeLetterCameBack, makeMailLetters, makeOutlook, type Carrier } from './conversations/letters.js'
import { letterSchemas, makeLetterStore } from './conversations/letters.mongo.js'
import type { Origin } from './conversations/message.js'
import { makePolicyPreview } from './conversations/policy-preview.js'
import { makeReadFiles } from './conversations/read-files.js'
import { makeReceive } from './conversations/receive.js'
import { makeServiceLevelReport } from './conversations/service-level-report.js'
import { makeExplainServiceLevels } from './conversations/service-levels.js'
import { makeMailPromises } from './conversations/clocks-mail.js'
import { conversationSchemas, makeConversationStore } from './conversations/store.mongo.js'
import { makeStopMail } from './conversations/stop-mail.js'
import { makeSweep } from './conversations/sweep.js'

import {
  defineJobs,
  MAIL_LETTERS_EVERY_MS,
  MAIL_PROMISES_EVERY_MS,
  MAIL_REFUSALS_EVERY_MS,
  SWEEP_EVERY_MS,
  SWEEP_FILES_EVERY_MS,
  TELL_TIME_EVERY_MS,
} from './jobs.js'
import { openModels } from './models.js'
import { makeOutside } from './platform/addresses.js'
import { makeBus } from './platform/bus.js'
import type { Clock } from './platform/clock.js'
import { AppError } from './platform/errors.js'
import type { Files } from './platform/files.js'
import { leaseSchemas, makeLeases } from './platform/lease.mongo.js'
import type { Log } from './platform/log.js'
import { makeMailer, type Mailer } from './platform/mail.js'
import { makeMetrics, measureStore } from './platform/metrics.js'
import { ensureSchema, type Mongo, readCapacity } from './platform/mongo.js'
import { makeQueue, queueSchemas } from './platform/queue.mongo.js'
import { repeat } from './platform/repeat.js'
import { makeSecrets } from './platform/secrets.js'
import { makeAnswerQuestion } from './rag/answer.js'
import { attemptsIn } from './rag/attempts.js'
import { decisionsSchema, makeDecisions } from './rag/decisions.mongo.js'
import { fileTextSchemas, makeReadFile } from './rag/file-texts.mongo.js'
import { makeSyncFolder, type Root } from './rag/folder.js'
import { knowledgeSchema } from './rag/documents.mongo.js'
import { makeKnowledge } from './rag/knowledge.mongo.js'
import { detectLanguage } from './rag/languages.js'
import type { Read } from './rag/reading.js'
import { makeSearch } from './rag/search.mongo.js'
import { makeUsage, usageSchema } from './rag/usage.mongo.js'
import { makeVectors, vectorsSchema } from './rag/vectors.mongo.js'

type Needs = {
  config: Config
  mongo: Mongo
  /** Originals of documents. */
  files: Files
  attachmentFiles: Files
  /** Reads documents; in this process where nothing else is given. */
  read?: Read
  secretKey: string
  port: number
  clock: Clock
  log: Log
  report: (error: unknown, context: { requestId: string }) => void
}

/** How long running work may go on after a stop was asked for. */
const GRACE_MS = 5_000
/** A question through the API is given up after this long. */
const ASK_WITHIN_MS = 15_000

/** Puts the rooms together. Opens nothing itself: production and the tests hand in what is open. */
export const compose = ({
  config,
  mongo,
  files,
  attachmentFiles,
  read,
  secretKey,
  port,
  clock,
  log,
  report,
}: Needs) => {
  const { client, db } = mongo
  const metrics = makeMetrics()
  const embedded = !config.MONGODB_URI
  if (embedded)
    measureStore(metrics, () => readCapacity(mongo), {
      documents: 'Documents in the embedded store',
      bytes: 'Size of the documents in the embedded store',
      fullPercent: 'Share of what the embedded store is made for',
      longScans: 'Queries since the start that looked at more than 10,000 documents without an index',
    })
  const bus = makeBus()
  const secrets = makeSecrets(secretKey)
  const publicUrl = config.PUBLIC_URL ?? ownAddress(config.HOST, port)
  const origins = ownOrigins({ host: config.HOST, port, publicUrl: config.PUBLIC_URL })
  const limit = makeLimits({ factor: config.RATE_LIMIT_FACTOR, metrics })

  const wakeAnswer = (companyId: string, conversationId: string) => queue.wake('answer', { companyId, conversationId })
  const wakeDeliver = (companyId: string, conversationId: string) =>
    queue.wake('deliver', { companyId, conversationId })
  const wakeRead = (companyId: string, messageId: string) => queue.wake('read', { companyId, messageId })
  const wakeIndex = (companyId: string, documentId: string) => queue.wake('index', { companyId, documentId })

  const mailer = openMailer({ config, clock, log })
  const companies = makeCompanies({
    client,
    db,
    clock,
    secretKey,
    publicUrl,
    origins,
    sendInvitation: mailer && makeSendInvitation(mailer, log),
    releaseWork: ({ companyId, id, name }, personId) => actions.releaseAll(companyId, personId, { id, name }),
    releaseTeam: ({ companyId, id, name }, teamId) => actions.releaseTeam(companyId, teamId, { id, name }),
    createFirstChannel: (companyId) => channels.create(companyId, { kind: 'webchat', settings: {} }),
    channelIds: async (companyId) => (await channels.list(companyId)).map(({ id }) => id),
  })
  const assistantPaused = async (companyId: string) => (await companies.settings(companyId)).assistant.paused

  const usage = makeUsage({
    mongo,
    budgetOf: async (companyId) => (await companies.settings(companyId)).assistant.monthlyTokens,
    clock,
    log,
  })

  const { promiseFor, choicesFor, termsOf, hoursFor, opening: openingOf } = companies.serviceLevels
  const teamOfChannel = companies.teams.ofChannel
  const store = makeConversationStore({ ...mongo, termsOf, choicesFor, teamOfChannel, mails: mailer !== null })
  const inbox = makeInbox(store)
  const explainServiceLevels = makeExplainServiceLevels({ store, termsOf, clock })
  const waking = { wakeAnswer, wakeDeliver, wakeRead }
  const reads = {
    transcript: config.OPENAI_TRANSCRIPTION_MODEL !== undefined,
    description: config.OPENAI_VISION_MODEL !== undefined,
  }
  const writesLetters = (channel: Origin) => channels.writesLetters(channel)
  const policies = { assistantPaused, openingOf, promiseFor, teamOfChannel, writesLetters, reads }
  const core = { store, ...policies, bus, clock, log, metrics, ...waking }
  const actions = makeActions(core)
  const customers = makeCustomerActions(core)
  const contacts = makeContacts(core)
  const letters = makeLetterStore(mongo)
  const attendance = makeAttendance({ letters, bus, clock, log, metrics })
  const stopMail = makeStopMail({ store, secrets, publicUrl, bus, clock })
  const attachments = makeAttachments({ files: attachmentFiles, attachment: store.attachment, secrets, clock })
  const receive = makeReceive(core)
  const takeIn = makeArrivals({ ...core, receive })
  const memories = makeMemories(mongo)
  const refusals = makeRefusals(mongo)
  const outside = makeOutside({ allowPrivate: config.ALLOW_PRIVATE_ADDRESSES })
  const channels = makeChannelRegistry({
    db,
    kinds: channelKinds,
    receive:
      ({ companyId, id }) =>
      (arrival) =>
        takeIn({ companyId, channelId: id }, arrival),
    kit: makeChannelKit({
      memoryOf: memories.of,
      leases: makeLeases({ db, clock, log }),
      outside,
      attachments,
      ...store,
      conversation: (companyId, id) => store.findConversation(companyId, id),
      writesLetters,
      takeIn,
      letterCameBack: makeLetterCameBack({ letters, bus, metrics }),
      clock,
      log,
      secrets,
      publicUrl,
    }),
    connected: makeHasten(core),
    healthChanged: (channel, health) => refusals.note(channel, health, clock.now()),
    forget: async (companyId, channelId) => {
      await memories.forget(companyId, channelId)
      await refusals.forget(companyId, channelId)
    },
    outside,
    metrics,
    bus,
    clock,
    log,
    secrets,
  })

  const models = openModels({ config, meter: usage.meter, clock, log, metrics })
  const vectors = models.embedder ? makeVectors({ mongo, clock, ...models, embedder: models.embedder }) : undefined
  const changed = (companyId: string, documentId: string, status: string) => {
    bus.publish({ type: 'document', companyId, documentId, status })
    if (vectors && status === 'ready') queue.wake('embed', { companyId, documentId })
    // What is not forgotten now is found by nobody, and tidied up at the next start.
    if (status === 'deleted')
      vectors?.forget(companyId, documentId).catch((err: unknown) => log.warn({ err }, 'vectors'))
  }
  const knowledge = makeKnowledge({ mongo, clock, files, ...(read ? { read } : {}), enqueue: wakeIndex, changed })
  const decisions = makeDecisions({ mongo })
  const syncFolder = makeSyncFolder({ knowledge })
  const search = makeSearch({ mongo, vectors })
  const answerQuestion = makeAnswerQuestion({ search, decisions, ...models, clock })
  const ask = async (companyId: string, text: string) => {
    const late = new AbortController()
    const reason = new AppError('unavailable', 'answer_late', 'The answer took too long. Try again.')
    const timer = setTimeout(() => late.abort(reason), ASK_WITHIN_MS)
    return answerQuestion({ companyId, text, history: [] }, late.signal).finally(() => clearTimeout(timer))
  }
  const answer = makeAnswer({
    ...core,
    answerQuestion,
    attemptsIn,
    languageOf: detectLanguage,
    automaticLimitsOf: channels.automaticLimitsOf,
    showTyping: channels.typing,
    servingSince: clock.now(),
  })
  const { send, isIdempotent, patienceOf } = channels
  const deliver = makeDeliver({ ...core, send, isIdempotent, patienceOf })
  const readFile = makeReadFile({ mongo, ...models, clock, log })
  const readFiles = makeReadFiles({
    ...core,
    readFile: (companyId, file, language, signal) =>
      readFile(
        companyId,
        { ...file, open: async () => (await attachments.open(companyId, file)).stream },
        language,
        signal,
      ),
  })
  const embed = async (companyId: string, documentId: string, stop: AbortSignal) =>
    vectors?.embedDocument(companyId, documentId, stop)
  const jobs = defineJobs({ answer, deliver, read: readFiles, index: knowledge.indexDocument, embed })
  const queue = makeQueue({ db, jobs, log, metrics })
  const { wakeDue, tellTime } = makeSweep(core)

  /** The company's own mail where it has some; else the installation's, to which nobody can answer. */
  const carrierOf = (companyId: string): Carrier | null => {
    const carry = channels.carrierOf(companyId)
    if (carry) return { answerable: true, carry }
    return mailer && { answerable: false, carry: carriedBy(mailer) }
  }
  const mailLetters = makeMailLetters({
    ...{ store, letters, attendance, carrierOf, bus, clock, log, metrics },
    compose: channels.composeLetter,
    companyName: async (companyId) => (await companies.settings(companyId)).name,
    stopUrl: stopMail.urlFor,
  })

  let firstCompanyId: string | null = null
  const kit = (kind: string) =>
    makePublicKit({
      channelByKey: channels.byKey,
      channelById: channels.byId,
      demoChannel: () => (firstCompanyId ? channels.firstOf(firstCompanyId, kind) : null),
      receive: ({ companyId, id }, arrival) => receive({ companyId, channelId: id }, arrival),
      history: inbox.historyOfContact,
      message: store.message,
      ...customers,
      passageText: knowledge.passageText,
      attachments,
      attendance,
      limit,
      bus,
      clock,
      log,
      secrets,
      ownOrigins: origins,
    })
  const publicApis = Object.entries(channelKinds).flatMap(([kind, { publicApi }]) =>
    publicApi ? [publicApi(kit(kind))] : [],
  )

  bus.subscribe((event) => {
    if (event.type === 'service_level') metrics.serviceLevels.inc({ clock: event.clock, change: event.change })
  })

  let started = false
  const api = makeApi({
    inbox: {
      ...inbox,
      original: async (companyId: string, messageId: string) => {
        const found = await inbox.original(companyId, messageId)
        return found?.html ? { ...found, html: sanitiseAgain(found.html) } : found
      },
    },
    actions,
    contacts,
    attachments,
    openAttachment: async (companyId, fileId) =>
      attachments.offer(companyId, await inbox.attachment(companyId, fileId)),
    serviceLevelReport: makeServiceLevelReport({ store, termsOf, clock }),
    previewPolicies: makePolicyPreview({ store, hoursFor, clock }),
    explainServiceLevels,
    outlookOf: makeOutlook({ carrierOf, writesLetters }),
    stopMail,
    knowledge: {
      ...knowledge,
      search: (companyId, request) => search.searchPassages({ companyId, ...request }),
      ask,
      getDecision: decisions.getDecision,
    },
    channels,
    companies,
    usage,
    publicApis,
    checks: healthChecks({ mongo, embedded, search, modelState: models.state, channels, isWorking: () => started }),
    bus,
    clock,
    limit,
    metrics,
    log,
    report,
    publicUrl,
    origins,
    trustProxy: config.TRUST_PROXY,
  })

  const sweep = async (graceMs: number): Promise<void> => {
    await wakeDue(graceMs)
    const due = await knowledge.dueDocuments(new Date(clock.now().getTime() - graceMs))
    for (const { companyId, documentId } of due) wakeIndex(companyId, documentId)
    // Only when nothing else waits; once all is up to date nothing becomes outdated while this process runs.
    if (due.length === 0 && outdated) outdated = (await knowledge.queueOutdated(clock.now())) > 0
    for (const work of (await vectors?.dueForEmbedding(clock.now())) ?? []) queue.wake('embed', work)
  }
  let outdated = true
  const sweepFiles = async (): Promise<void> => {
    await knowledge.sweepFiles(clock.now())
    await attachments.sweep()
  }
  const mailPromises =
    mailer &&
    makeMailPromises({
      store,
      recipients: companies.people.promiseMailTo,
      openingOf,
      send: mailer.send,
      publicUrl,
      clock,
      log,
    })
  const mailRefusals =
    mailer &&
    makeMailRefusals({
      refusals,
      channel: async (companyId, channelId) => {
        const found = (await channels.list(companyId)).find(({ id }) => id === channelId)
        if (!found) return null
        const { name, kind } = found
        return { name, kind: channelKinds[kind]?.label ?? kind, company: (await companies.settings(companyId)).name }
      },
      recipients: companies.people.adminsToTell,
      send: mailer.send,
      publicUrl,
      clock,
      log,
    })
  const repeated = [
    repeat(SWEEP_EVERY_MS, () => sweep(SWEEP_EVERY_MS), log),
    repeat(TELL_TIME_EVERY_MS, tellTime, log),
    ...(mailPromises ? [repeat(MAIL_PROMISES_EVERY_MS, mailPromises, log)] : []),
    ...(mailRefusals ? [repeat(MAIL_REFUSALS_EVERY_MS, mailRefusals, log)] : []),
    repeat(MAIL_LETTERS_EVERY_MS, mailLetters, log),
    repeat(SWEEP_FILES_EVERY_MS, sweepFiles, log),
  ]
  let live: { close(): Promise<void> } | null = null

  return {
    /** Resolves when everything is served. `setupPath` is the one-time link for the first owner while there is none. */
    start: async (server: Server): Promise<{ setupPath: string | null }> => {
      await ensureSchema(db, [
        ...companiesSchemas,
        ...channelSchemas,
        ...memorySchemas,
        ...refusalSchemas,
        ...leaseSchemas,
        ...conversationSchemas,
        ...letterSchemas,
        ...knowledgeSchema,
        ...decisionsSchema,
        ...usageSchema,
        ...fileTextSchemas,
        ...(vectors ? vectorsSchema : []),
        ...queueSchemas,
      ])
      const first = await companies.start({
        adminEmail: config.HELPDESK_ADMIN_EMAIL,
        adminPassword: config.HELPDESK_ADMIN_PASSWORD,
        apiKey: config.HELPDESK_API_KEY,
      })
      firstCompanyId = first.firstCompanyId
      companies.serviceLevels.warm(clock.now()).catch((err: unknown) => log.warn({ err }, 'hours not looked at'))
      await syncFolder(firstCompanyId, knowledgeRoots(config))
      await channels.openAll()
      await queue.start()
      started = true
      await sweep(0)
      for (const work of repeated) work.start()
      server.removeAllListeners('request')
      server.on('request', api.app)
      live = api.attachSockets(server)
      // The first search builds what the later ones use; no customer should wait for it.
      search.responds().catch((err: unknown) => log.warn({ err }, 'search does not respond'))
      models.warm().catch((err: unknown) => log.warn({ err }, 'the model could not be loaded'))
      vectors?.forgetOrphans().catch((err: unknown) => log.warn({ err }, 'vectors not tidied'))
      return { setupPath: first.setupPath }
    },

    /** Takes nothing new in, ends what runs, then closes the rooms; whatever is still due is on disk. */
    stop: async (server: Server): Promise<void> => {
      started = false
      server.removeAllListeners('request')
      server.on('request', answerUnavailable)
      await live?.close()
      for (const work of repeated) await work.stop()
      await queue.stop(GRACE_MS)
      await channels.closeAll()
    },
  }
}

/** What the first company answers from: the product's own documentation, unless a folder is named. */
const knowledgeRoots = ({ KNOWLEDGE_DIR }: Config): Root[] => {
  if (KNOWLEDGE_DIR === '') return []
  if (KNOWLEDGE_DIR !== undefined) return [{ path: KNOWLEDGE_DIR }]
  const product = path.resolve(import.meta.dirname, '..')
  return ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs'].map((name) => ({ path: path.join(product, name) }))
}

/** The product's own mail; `null` where the installation sends none. */
const openMailer = ({ config: { SMTP_URL, MAIL_FROM }, clock, log }: Pick<Needs, 'config' | 'clock' | 'log'>) =>
  SMTP_URL && MAIL_FROM ? makeMailer({ smtpUrl: SMTP_URL, from: MAIL_FROM, clock, log }) : null

const carriedBy =
  (mailer: Mailer): Carrier['carry'] =>
  async (letter) => {
    const posted = await mailer.post(letter)
    return posted.kind === 'sent'
      ? { kind: 'sent', externalId: posted.messageId }
      : { kind: 'refused', reason: posted.words }
  }

const makeSendInvitation = (mailer: Mailer, log: Log) => (invitation: Invitation) =>
  mailer.send(invitationMail(invitation)).catch((err: unknown) => {
    log.warn({ err }, 'invitation not mailed')
    throw err
  })
