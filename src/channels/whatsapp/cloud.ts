import { setTimeout as pause } from 'node:timers/promises'
import type { MessageArrival, OutboundMessage, Receipt } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import type { Channel, ChannelKit, Reachable, Receive } from '../channel.js'
import type { Fetched } from './checked-file.js'
import { asWaId, externalIdOf } from './contact.js'
import { decodeUpdates, type Update } from './decode.js'
import { makeGraph } from './graph.js'
import { arrivalOf, wordsOf } from './incoming.js'
import { edited, makeLateMedia } from './late-media.js'
import { makeFetchMedia } from './media.js'
import { isUnwanted, UNWANTED, withConsent } from './opt-out.js'
import { ratingIn } from './outgoing.js'
import { makePace } from './pace.js'
import { makeSending } from './sending.js'
import type { CloudSettings } from './settings.js'
import { answerChallenge, isSigned } from './signature.js'
import { makeTemplates } from './templates.js'
import { makeWatch } from './watch.js'
import { isOpenAt, windowClosesAt } from './window.js'

/** People whose messages are taken in side by side; those of one person go in their order. */
const AT_ONCE = 16
/** How long the acknowledgement may wait for files; Meta wants it within some seconds, and we within one. */
const FILES_WITHIN_MS = 500
/** A sign that somebody writes is worth showing only where the answer does not come at once. */
const TYPING_AFTER_MS = 700
const MOST_TYPING = 200
/** The newest message of a customer is looked for among this many. */
const HISTORY = 100
const LOOK_EVERY_MS = 30_000

/** One number behind Meta's Cloud API. */
export const openCloud = (settings: CloudSettings, kit: ChannelKit): Channel => {
  const { clock, log, memory } = kit
  const watch = makeWatch({ settings, kit })
  const pace = makePace({ clock, changed: () => watch.note({ restsUntil: pace.restsUntil() }) })
  const graph = makeGraph({ settings, fetch: kit.fetch, pace })
  const fetchMedia = makeFetchMedia({ graph, keepFile: kit.keepFile })
  const late = makeLateMedia({ fetchMedia, memory, clock, log })
  const sending = makeSending({ settings, graph, kit, refused: watch.noteRefusal })
  const templates = makeTemplates({ graph, memory })
  const stopping = new AbortController()
  const typing = new Map<string, NodeJS.Timeout>()
  let receive: Receive = () =>
    Promise.reject(new AppError('unavailable', 'channel_not_open', 'The channel is not open.'))
  let looking: NodeJS.Timeout | null = null

  const look = async (): Promise<void> => {
    await watch.look(graph, stopping.signal)
    await late.fetchDue(receive, stopping.signal)
  }

  const inBackground = (what: string, work: Promise<unknown>): void => {
    work.catch((err: unknown) => stopping.signal.aborted || log.warn({ err }, what))
  }

  /** The contact under which somebody is known here, whether WhatsApp shows their number this time or not. */
  const knownAs = async (update: Extract<Update, { kind: 'message' | 'echo' }>): Promise<string | null> => {
    const { waId, userId } = update.sender
    const shown = externalIdOf(update.sender)
    if (!userId || !shown) return shown
    const key = `user/${userId}`
    const before = remembered.get(userId) ?? (await memory.get<string>(key))
    // The number is hidden: they may have shown it before.
    if (!waId) {
      if (!before) await memory.set(key, shown)
      return note(userId, before ?? shown)
    }
    // They hid it until now: it is the same person.
    if (before === userId) await receive({ kind: 'identity', from: userId, to: shown })
    if (before !== shown) await memory.set(key, shown)
    return note(userId, shown)
  }

  const remembered = new Map<string, string>()
  const note = (userId: string, contact: string): string => {
    const [oldest] = remembered.keys()
    if (remembered.size >= 10_000 && oldest !== undefined) remembered.delete(oldest)
    remembered.set(userId, contact)
    return contact
  }

  /** A file that is here in time comes with its message; any other is written down before the message is. */
  const withFile = async (
    update: Extract<Update, { kind: 'message' | 'echo' }>,
    arrival: MessageArrival,
    fetching: Promise<Fetched> | undefined,
  ): Promise<MessageArrival> => {
    if (update.content.kind !== 'media' || !fetching) return arrival
    const { media, caption } = update.content
    const fetched = await Promise.race([fetching, pause(FILES_WITHIN_MS, null)])
    if (fetched && fetched.kind !== 'later') {
      const { details, ...rest } = edited(media, caption && arrival.text, fetched)
      return { ...arrival, ...rest, ...(details ? { details: { ...arrival.details, ...details } } : {}) }
    }
    await late.want(update.externalId, media, caption && arrival.text)
    return { ...arrival, awaitsFile: true }
  }

  const takeMessage = async (
    update: Extract<Update, { kind: 'message' | 'echo' }>,
    fetching: Promise<Fetched> | undefined,
  ): Promise<void> => {
    const contactId = await knownAs(update)
    const now = clock.now()
    const rating = update.kind === 'message' && update.content.kind === 'choice' ? ratingIn(update.content.id) : null
    if (rating && contactId) {
      const at = update.sentAt && update.sentAt < now ? update.sentAt : now
      await receive({ kind: 'rating', from: contactId, ...rating, at })
      return
    }
    const arrival = arrivalOf(update, contactId, now)
    if (!arrival) return
    const words = update.kind === 'message' && update.content.kind === 'text' ? update.content.text : ''
    const whole = await withConsent(await withFile(update, arrival, fetching), words, kit.contactOf)
    await receive(whole)
    if (fetching && whole.awaitsFile)
      inBackground(
        'file of a message not fetched',
        fetching.then((fetched) => late.came(receive, update.externalId, fetched)),
      )
  }

  const take = async (update: Update, fetching?: Promise<Fetched>): Promise<void> => {
    switch (update.kind) {
      case 'message':
      case 'echo':
        return takeMessage(update, fetching)
      case 'number_changed':
        await receive({ kind: 'identity', from: update.from, to: update.to })
        return
      case 'edit': {
        const text = wordsOf(update.content)
        if (text !== null) await receive({ kind: 'edit', externalId: update.externalId, text })
        return
      }
      case 'revoke':
        await receive({ kind: 'edit', externalId: update.externalId, text: null })
        return
      case 'reaction':
        await receive({ kind: 'reaction', externalId: update.externalId, emoji: update.emoji })
        return
      case 'status':
        return sending.told(update, receive)
      case 'fault':
        log.warn({ providerCode: update.error.code }, 'WhatsApp reports a fault')
        return
      case 'ignored':
        log.info({ ignored: update.name }, 'update ignored')
    }
  }

  /** Nothing that is told again, or cannot be kept however often it is told, holds up the rest. */
  const takeOne = (update: Update, fetching?: Promise<Fetched>): Promise<void> =>
    take(update, fetching).catch((err: unknown) => {
      if (!(err instanceof AppError) || !FINAL.has(err.kind)) throw err
      if (err.code !== 'message_id_reused') log.warn({ err, kind: update.kind }, 'update not taken in')
    })

  /** Messages first, those of one person in their order; then what is told of messages, of each in its order. */
  const takeAll = async (updates: Update[]): Promise<void> => {
    const messages = updates.filter(isMessage)
    const known = await alreadyHere(messages)
    const files = new Map<Update, Promise<Fetched>>()
    for (const message of messages)
      if (message.content.kind === 'media' && !known.has(message.externalId))
        files.set(message, fetchMedia(message.content.media, stopping.signal))
    await inLanes(
      updates.filter((update) => isMessage(update) || update.kind === 'number_changed'),
      laneOf,
      (update) => takeOne(update, files.get(update)),
    )
    await inLanes(
      updates.filter((update) => !isMessage(update) && update.kind !== 'number_changed'),
      laneOf,
      takeOne,
    )
  }

  /** Asked only of messages with files, which would be fetched again for nothing. */
  const alreadyHere = async (messages: readonly Extract<Update, { kind: 'message' | 'echo' }>[]) => {
    const ids = messages.filter(({ content }) => content.kind === 'media').map(({ externalId }) => externalId)
    const found = ids.length > 0 ? await kit.messagesByExternalIds(ids) : []
    return new Set(found.map(({ externalId }) => externalId))
  }

  const endTyping = (conversationId: string): void => {
    clearTimeout(typing.get(conversationId))
    typing.delete(conversationId)
  }

  const showTyping = async (conversationId: string): Promise<void> => {
    const last = (await kit.history(conversationId, 1)).at(-1)
    if (last?.author.kind === 'customer' && last.externalId)
      await graph.markRead(last.externalId, true, stopping.signal)
  }

  const reachable = async (conversationId: string): Promise<Reachable> => {
    const closesAt = windowClosesAt(await kit.history(conversationId, HISTORY))
    if (closesAt && isOpenAt(closesAt, clock.now())) return { kind: 'open', until: closesAt }
    const conversation = await kit.conversation(conversationId)
    const contact = conversation && (await kit.contact(conversation.contactId))
    if (contact?.optedOut)
      return {
        kind: 'closed',
        code: 'opted_out',
        message: 'This person wants no messages that they did not ask for. They have to write first.',
      }
    return {
      kind: 'closed',
      code: 'window_closed',
      message: 'More than 24 hours have passed since the customer wrote. WhatsApp allows only templates now.',
    }
  }

  return {
    start: async (handTo) => {
      receive = handTo
      inBackground('first look at WhatsApp failed', look())
      looking = setInterval(() => inBackground('look at WhatsApp failed', look()), LOOK_EVERY_MS)
      looking.unref()
    },

    stop: async () => {
      stopping.abort()
      if (looking) clearInterval(looking)
      for (const id of [...typing.keys()]) endTyping(id)
    },

    webhook: async (request) => {
      if (request.method === 'GET') {
        const answer = answerChallenge(new URL(request.url), settings.verifyToken)
        if (answer.ok) watch.heard()
        return answer
      }
      const raw = new Uint8Array(await request.arrayBuffer())
      if (!isSigned(raw, request.headers.get('x-hub-signature-256'), settings.appSecret)) {
        throw new AppError('unauthenticated', 'signature_wrong', 'The body is not signed with the secret of the app.')
      }
      const body = parsed(raw)
      watch.heard()
      const updates = decodeUpdates(body)
      const ours = updates.filter(({ phoneNumberId }) => phoneNumberId === settings.phoneNumberId)
      if (ours.length < updates.length) log.info({ ignored: updates.length - ours.length }, 'updates of other numbers')
      const accountId = accountIdIn(body)
      if (accountId && ours.length > 0) inBackground('account not noted', templates.account(accountId))
      await takeAll(ours)
      return Response.json({ taken: ours.length })
    },

    send: async (message: OutboundMessage, signal): Promise<Receipt> => {
      endTyping(message.conversationId)
      const history = await kit.history(message.conversationId, HISTORY)
      if (!message.template && !isOpenAt(windowClosesAt(history), clock.now())) {
        return { kind: 'refused', reason: 'window_closed: more than 24 hours have passed since the customer wrote' }
      }
      if (isUnwanted(message)) return { kind: 'refused', reason: UNWANTED }
      const receipt = await sending.send(message, signal)
      if (receipt.kind === 'sent') {
        watch.sent()
        const last = history.findLast(({ author, externalId }) => author.kind === 'customer' && externalId)
        if (last?.externalId)
          inBackground('not marked as read', graph.markRead(last.externalId, false, stopping.signal))
      }
      return receipt
    },

    reachable,

    typing: (conversationId) => {
      if (typing.has(conversationId) || typing.size >= MOST_TYPING) return
      const timer = setTimeout(() => {
        typing.delete(conversationId)
        inBackground('typing not shown', showTyping(conversationId))
      }, TYPING_AFTER_MS)
      typing.set(conversationId, timer.unref())
    },

    templates: templates.list,

    test: async (to, signal) => sending.test(to, asWaId(to.replace(/[\s().-]/gu, '')), await watch.hasHeard(), signal),
  }
}

/** Refusals that the same update would meet again. */
const FINAL = new Set<AppError['kind']>(['invalid', 'too_large', 'unsupported', 'conflict', 'not_found', 'forbidden'])

const isMessage = (update: Update): update is Extract<Update, { kind: 'message' | 'echo' }> =>
  update.kind === 'message' || update.kind === 'echo'

/** Within a lane the order is kept. */
const laneOf = (update: Update): string => {
  switch (update.kind) {
    case 'message':
    case 'echo':
      return externalIdOf(update.sender) ?? ''
    case 'number_changed':
      return update.from
    case 'edit':
    case 'revoke':
    case 'reaction':
    case 'status':
      return update.externalId
    case 'fault':
    case 'ignored':
      return ''
  }
}

/** All is tried; then the first failure is thrown, so that the provider tells it all again. */
const inLanes = async <T>(
  items: readonly T[],
  laneOf: (item: T) => string,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const lanes = new Map<string, T[]>()
  for (const item of items) {
    const lane = lanes.get(laneOf(item))
    if (lane) lane.push(item)
    else lanes.set(laneOf(item), [item])
  }
  const waiting = [...lanes.values()]
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane; lane = waiting.shift()) {
      try {
        for (const item of lane) await work(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, worker))
  if (failures.length > 0) throw failures[0]
}

const parsed = (raw: Uint8Array): object => {
  const unreadable = (cause?: unknown) =>
    new AppError('invalid', 'body_unreadable', 'The body is not JSON in UTF-8.', { cause })
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw))
  } catch (error) {
    throw unreadable(error)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unreadable()
  return body
}

/** The business account, which the settings do not name: Meta tells it with each update. */
const accountIdIn = (body: object): string | null => {
  const { entry } = body as { entry?: unknown }
  const first: unknown = Array.isArray(entry) ? entry[0] : null
  const id = typeof first === 'object' && first !== null && 'id' in first ? first.id : null
  return typeof id === 'string' && /^\d{5,25}$/u.test(id) ? id : null
}
