import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type {
  ComposedLetter,
  LetterGiven,
  MessageArrival,
  Origin,
  OutboundLetter,
  OutboundMessage,
  Patience,
  Receipt,
} from '../conversations/message.js'
import type { Outside } from '../platform/addresses.js'
import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { withId, type CollectionSchema, type Db } from '../platform/mongo.js'
import type { Secrets } from '../platform/secrets.js'
import type { Channel, ChannelDefinition, ChannelKit, ChannelRecord, Health, Reachable, Receive } from './channel.js'
import { checked, makeSettings, merged } from './settings.js'

type ChannelDocument = Omit<ChannelRecord, 'id'> & {
  _id: string
  createdAt: Date
  health?: StoredHealth
  lastArrival?: LastArrival
}
/** Whoever reads the store, or a copy of it, must not be able to link a phone. */
type StoredHealth = Omit<Health, 'pairing'> & { at: Date }

export const channelSchemas: CollectionSchema[] = [
  {
    collection: 'channels',
    indexes: [
      { key: { companyId: 1, createdAt: 1 }, name: 'of_company' },
      { key: { key: 1 }, name: 'channel_key', unique: true, partialFilterExpression: { key: { $type: 'string' } } },
    ],
  },
]

type Needs = {
  db: Db
  kinds: Record<string, ChannelDefinition>
  /** What an opened channel hands its arrivals to. */
  receive(channel: ChannelRecord): Receive
  kit(record: ChannelRecord, report: (health: Health) => void): ChannelKit
  /** The channel serves its customers, and did not a moment ago. */
  connected(channel: Origin): void
  /** The channel is in another state than before, as this process knows it. */
  healthChanged(channel: Origin, health: Health): Promise<void>
  /** What the channel remembered is forgotten with it. */
  forget(companyId: string, channelId: string): Promise<void>
  outside: Outside
  metrics: Pick<Metrics, 'channels' | 'channelLag' | 'channelChanges' | 'channelArrivals' | 'channelSends' | 'webhooks'>
  bus: Bus
  clock: Clock
  log: Log
  secrets: Secrets
}

/** What most providers send at once is a hundredth of it. */
const WEBHOOK_BYTES = 1024 * 1024

type Opened = {
  record: ChannelRecord
  definition: ChannelDefinition
  channel: Channel
  health: Health | null
  /** That came in by this process. */
  lastArrival?: LastArrival
  arrivalKeptAt: number
}
type LastArrival = { at: Date; lagMs: number }

/** Other processes see it as old as this. */
const KEEP_ARRIVAL_EVERY_MS = 30_000
/** How far back "at present" reaches, for whoever asks how late messages are. */
const LATELY_MS = 15 * 60_000

/** States in which customers are not served. */
const TROUBLED: readonly Health['state'][] = ['disconnected', 'refused']
/** What asks a provider for somebody who waits before a screen. */
const CHECK_MS = 20_000

/** The companies' channels: kept in the store, opened in this process. Every open one is in memory: looking one up is free. */
export const makeChannelRegistry = (needs: Needs) => {
  const { db, kinds, receive, kit, connected, healthChanged, forget, outside, metrics, bus, clock, log, secrets } =
    needs
  const { sealed, unsealed, shown } = makeSettings(secrets)
  const documents = db.collection<ChannelDocument>('channels')
  const opened = new Map<string, Opened>()

  const definitionOf = (kind: string): ChannelDefinition => {
    const definition = kinds[kind]
    if (definition) return definition
    const known = Object.keys(kinds).join(', ')
    throw new AppError('invalid', 'unknown_channel_kind', `There is no channel of this kind; there are: ${known}.`, {
      field: 'kind',
    })
  }

  const toRecord = ({
    createdAt: _at,
    health: _health,
    lastArrival: _last,
    ...rest
  }: ChannelDocument): ChannelRecord => {
    const record = withId(rest)
    return { ...record, settings: unsealed(definitionOf(record.kind), record.settings) }
  }

  const open = async (record: ChannelRecord): Promise<void> => {
    const definition = definitionOf(record.kind)
    const channel = definition.open(
      record.settings,
      kit(record, (health) => noteHealth(record.id, channel, health)),
    )
    opened.set(record.id, { record, definition, channel, health: null, arrivalKeptAt: 0 })
    count()
    const takeIn = receive(record)
    await channel.start(async (arrival) => {
      const received = await takeIn(arrival)
      metrics.channelArrivals.inc({ kind: record.kind, arrival: arrival.kind })
      if (arrival.kind === 'message' && received && !received.duplicate) noteArrival(record.id, arrival)
      return received
    })
  }

  /** When somebody last wrote, by their provider's clock, and how long that took to be here: people see that messages flow. */
  const noteArrival = (id: string, { sentAt, automatic }: MessageArrival): void => {
    const found = opened.get(id)
    // Old mail that is taken in when a channel is opened is not late.
    if (!found || !sentAt || automatic) return
    const now = clock.now().getTime()
    const lastArrival = { at: sentAt, lagMs: Math.max(0, now - sentAt.getTime()) }
    metrics.channelLag.observe({ kind: found.record.kind }, lastArrival.lagMs / 1_000)
    found.lastArrival = lastArrival
    if (now - found.arrivalKeptAt < KEEP_ARRIVAL_EVERY_MS) return
    found.arrivalKeptAt = now
    const { companyId } = found.record
    documents
      .updateOne({ _id: id, companyId }, { $set: { lastArrival } })
      .catch((err: unknown) => log.warn({ err, channelId: id }, 'last arrival not kept'))
  }

  /** Of the channel as it is open now: what one that was closed still says does not count. */
  const noteHealth = (id: string, channel: Channel, health: Health): void => {
    const found = opened.get(id)
    if (found?.channel !== channel || isDeepStrictEqual(found.health, health)) return
    const before = found.health?.state
    found.health = health
    count()
    const { companyId, kind } = found.record
    if (health.state !== before) {
      metrics.channelChanges.inc({ kind, state: health.state })
      if (health.state === 'connected') connected({ companyId, channelId: id })
      healthChanged({ companyId, channelId: id }, health).catch((err: unknown) =>
        log.warn({ err, channelId: id }, 'refusal not kept'),
      )
    }
    const { pairing: _pairing, ...kept } = health
    log.info({ channelId: id, state: health.state, code: health.code }, 'channel')
    documents
      .updateOne({ _id: id, companyId }, { $set: { health: { ...kept, at: clock.now() } } })
      .then(() => bus.publish({ type: 'channel', companyId, channelId: id, state: health.state }))
      .catch((err: unknown) => log.warn({ err, channelId: id }, 'channel state not kept'))
  }

  const count = (): void => {
    metrics.channels.reset()
    for (const { record, health } of opened.values())
      metrics.channels.inc({
        kind: record.kind,
        state: health?.state ?? 'open',
        ...(health?.code ? { code: health.code } : {}),
      })
  }

  const counted = async (kind: string, sending: Promise<Receipt>): Promise<Receipt> => {
    const receipt = await sending.catch((error: unknown) => {
      metrics.channelSends.inc({ kind, outcome: 'failed' })
      throw error
    })
    metrics.channelSends.inc({ kind, outcome: receipt.kind })
    return receipt
  }

  const checkWithProvider = async (definition: ChannelDefinition, settings: Record<string, unknown>): Promise<void> =>
    definition.check?.(settings, outside, AbortSignal.timeout(CHECK_MS))

  const turns = new Map<string, Promise<unknown>>()
  /** One after the other of one channel: else two who save at once leave one open that nobody closes any more. */
  const inTurn = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(id) ?? Promise.resolve()).then(work, work)
    turns.set(id, turn)
    const end = () => turns.get(id) === turn && turns.delete(id)
    turn.then(end, end)
    return turn
  }

  const openedOf = async (companyId: string, id: string): Promise<Opened> => {
    await findDocument(companyId, id)
    const found = opened.get(id)
    if (!found) throw notOpen()
    return found
  }

  /** Whoever counts down need not have the right time. */
  const secondsUntil = (time: Date): number => Math.max(0, Math.ceil((time.getTime() - clock.now().getTime()) / 1_000))

  const findDocument = async (companyId: string, id: string): Promise<ChannelDocument> => {
    const found = await documents.findOne({ _id: id, companyId })
    if (!found) throw new AppError('not_found', 'channel_not_found', 'There is no such channel.')
    return found
  }

  const find = async (companyId: string, id: string): Promise<ChannelRecord> =>
    toRecord(await findDocument(companyId, id))

  type Listed = Omit<ChannelRecord, 'settings'> & Pick<ChannelDocument, 'health' | 'lastArrival'>

  const toListed = ({ id, kind, name, key, health, lastArrival: kept }: Listed) => {
    const lastArrival = opened.get(id)?.lastArrival ?? kept
    const isOpen = opened.has(id)
    const { state, ...why } = isOpen && health ? health : { state: isOpen ? ('open' as const) : ('closed' as const) }
    const hasWebhook = opened.get(id)?.channel.webhook !== undefined
    return {
      id,
      kind,
      name,
      state,
      ...why,
      ...(key ? { key } : {}),
      ...(lastArrival ? { lastArrival } : {}),
      ...(hasWebhook ? { webhookPath: `/webhooks/${id}` } : {}),
    }
  }

  return {
    /** `settings` as a JSON Schema, from which a form can be made. */
    kinds: () =>
      Object.entries(kinds).map(([kind, { label, icon, settings, secrets: hidden = [], cautions = {} }]) => {
        const schema = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
        const known = Object.entries(cautions).map(([code, text]) => ({ code, text }))
        return { kind, label, icon, settings: schema, secrets: [...hidden], cautions: known }
      }),

    list: async (companyId: string) =>
      (await documents.find({ companyId }, { sort: { createdAt: 1 } }).toArray()).map((found) =>
        toListed(withId(found)),
      ),

    /** With its settings, but for the secrets: of them only the names of those that are set. */
    get: async (companyId: string, id: string) => {
      const found = await findDocument(companyId, id)
      const pairing = opened.get(id)?.health?.pairing
      return {
        ...toListed(withId(found)),
        ...(pairing ? { pairing: { ...pairing, secondsLeft: secondsUntil(pairing.expiresAt) } } : {}),
        ...shown(definitionOf(found.kind), found.settings),
      }
    },

    create: async (companyId: string, given: { kind: string; name?: string | undefined; settings: unknown }) => {
      const definition = definitionOf(given.kind)
      const record: ChannelRecord = {
        id: newId('chn'),
        companyId,
        kind: given.kind,
        name: given.name ?? definition.label,
        key: definition.publicApi ? randomBytes(12).toString('base64url') : null,
        settings: checked(definition, merged({}, given.settings)),
      }
      await checkWithProvider(definition, record.settings)
      const { id: _id, ...rest } = record
      const settings = sealed(definition, rest.settings)
      await documents.insertOne({ _id, ...rest, settings, createdAt: clock.now() })
      await open(record)
      return { id: record.id }
    },

    update: (
      companyId: string,
      id: string,
      given: { name?: string | undefined; settings?: Record<string, unknown> | undefined },
    ) =>
      inTurn(id, async () => {
        const before = await find(companyId, id)
        const definition = definitionOf(before.kind)
        const settings = given.settings ? checked(definition, merged(before.settings, given.settings)) : before.settings
        if (given.settings) await checkWithProvider(definition, settings)
        const record = { ...before, name: given.name ?? before.name, settings }
        const kept = sealed(definition, settings)
        await documents.updateOne(
          { _id: id, companyId },
          { $set: { name: record.name, settings: kept }, $unset: { health: '' } },
        )
        await opened.get(id)?.channel.stop()
        await open(record)
        return toListed(record)
      }),

    remove: (companyId: string, id: string): Promise<void> =>
      inTurn(id, async () => {
        await findDocument(companyId, id)
        await documents.deleteOne({ _id: id, companyId })
        const removed = opened.get(id)
        opened.delete(id)
        count()
        await removed?.channel.stop()
        await forget(companyId, id)
      }),

    /** Sends something to `to` through the channel and says how far it came. */
    test: async (companyId: string, id: string, to: string) => {
      const { channel, record } = await openedOf(companyId, id)
      if (!channel.test)
        throw new AppError('invalid', 'not_testable', `A channel of the kind ${record.kind} has no test message.`)
      return channel.test(to, AbortSignal.timeout(CHECK_MS))
    },

    /** Free text may be sent where a channel does not say otherwise; one that is not open says nothing. */
    reachable: async ({ companyId, channelId }: Origin, conversationId: string): Promise<Reachable> => {
      const found = opened.get(channelId)
      if (found?.record.companyId !== companyId) return { kind: 'open' }
      return (await found.channel.reachable?.(conversationId)) ?? { kind: 'open' }
    },

    /** Customers of this channel leave, and are written to then. */
    writesLetters: ({ channelId }: Origin): boolean => opened.get(channelId)?.channel.letter !== undefined,

    composeLetter: async ({ companyId, channelId }: Origin, given: LetterGiven): Promise<ComposedLetter> => {
      const found = opened.get(channelId)
      if (found?.record.companyId !== companyId || !found.channel.letter) throw notOpen()
      return found.channel.letter(given)
    },

    /** How the company's oldest channel that can, and works at this moment, carries a letter; `null`: none does. */
    carrierOf: (companyId: string) => {
      const found = [...opened.values()].find(
        ({ record, channel, health }) =>
          record.companyId === companyId && channel.carry && health && !TROUBLED.includes(health.state),
      )
      const carry = found?.channel.carry
      return carry ? (letter: OutboundLetter, signal: AbortSignal): Promise<Receipt> => carry(letter, signal) : null
    },

    typing: ({ channelId }: Origin, conversationId: string): void =>
      opened.get(channelId)?.channel.typing?.(conversationId),

    templates: async (companyId: string, id: string) => {
      const { channel } = await openedOf(companyId, id)
      return (await channel.templates?.(AbortSignal.timeout(CHECK_MS))) ?? []
    },

    /** What a provider calls; `null` where there is nothing at this address. */
    webhookOf: (id: string) => {
      const found = opened.get(id)
      const { channel, definition, record } = found ?? {}
      if (!channel?.webhook || !record) return null
      return {
        mostBytes: definition?.webhookBytes ?? WEBHOOK_BYTES,
        handle: async (request: Request): Promise<Response> => {
          const response = await channel.webhook!(request)
          metrics.webhooks.inc({ kind: record.kind, status: response.status })
          return response
        },
      }
    },

    /** Why channels do not serve their customers, one word for each of them. */
    troubled: (): string[] =>
      [...opened.values()].flatMap(({ health }) =>
        health && TROUBLED.includes(health.state) ? [health.code ?? health.state] : [],
      ),

    /** How late what came in lately was, at worst; `null` where nothing came. */
    lagMs: (): number | null => {
      const since = clock.now().getTime() - LATELY_MS
      const lags = [...opened.values()].flatMap(({ lastArrival }) =>
        lastArrival && lastArrival.at.getTime() + lastArrival.lagMs > since ? [lastArrival.lagMs] : [],
      )
      return lags.length > 0 ? Math.max(...lags) : null
    },

    automaticLimitsOf: ({ channelId }: Origin) => opened.get(channelId)?.definition.automaticLimits ?? {},

    byId: (id: string): ChannelRecord | null => opened.get(id)?.record ?? null,

    byKey: (key: string): ChannelRecord | null =>
      [...opened.values()].find(({ record }) => record.key === key)?.record ?? null,

    /** The oldest channel of a kind that a company has. */
    firstOf: (companyId: string, kind: string): ChannelRecord | null =>
      [...opened.values()].find(({ record }) => record.companyId === companyId && record.kind === kind)?.record ?? null,

    isIdempotent: ({ channelId }: Origin): boolean => opened.get(channelId)?.definition.idempotent ?? false,

    patienceOf: ({ channelId }: Origin): Patience | null => opened.get(channelId)?.definition.patience ?? null,

    send: async ({ companyId, channelId }: Origin, message: OutboundMessage, signal: AbortSignal): Promise<Receipt> => {
      const target = opened.get(channelId)
      if (target) return counted(target.record.kind, target.channel.send(message, signal))
      const exists = await documents.findOne({ _id: channelId, companyId }, { projection: { _id: 1 } })
      if (exists) throw notOpen()
      return { kind: 'refused', reason: 'channel_gone: the channel no longer exists' }
    },

    openAll: async (): Promise<void> => {
      for (const found of await documents.find({}, { sort: { createdAt: 1 } }).toArray()) {
        if (opened.has(found._id)) continue
        // One channel that cannot be opened does not keep the others from their customers.
        try {
          await open(toRecord(found))
        } catch (err) {
          log.error({ err, channelId: found._id, kind: found.kind }, 'channel not opened')
        }
      }
    },

    closeAll: async (): Promise<void> => {
      await Promise.all([...opened.values()].map(({ channel }) => channel.stop()))
      opened.clear()
    },
  }
}

const notOpen = () => new AppError('unavailable', 'channel_not_open', 'The channel is not open at this moment.')
