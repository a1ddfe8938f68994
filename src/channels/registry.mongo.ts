import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Origin, OutboundMessage, Receipt } from '../conversations/message.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import type { Log } from '../platform/log.js'
import { withId, type CollectionSchema, type Db } from '../platform/mongo.js'
import type { Secrets } from '../platform/secrets.js'
import type { Channel, ChannelDefinition, ChannelRecord, Receive } from './channel.js'

type ChannelDocument = Omit<ChannelRecord, 'id'> & { _id: string; createdAt: Date }

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
  clock: Clock
  log: Log
  secrets: Secrets
}

/** How a secret stands in the store. */
type Sealed = { sealed: string }
const PURPOSE = 'channel-settings'

type Opened = { record: ChannelRecord; definition: ChannelDefinition; channel: Channel }

/** The companies' channels: kept in the store, opened in this process. Every open one is in memory: looking one up is free. */
export const makeChannelRegistry = ({ db, kinds, receive, clock, log, secrets }: Needs) => {
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

  const checked = (definition: ChannelDefinition, settings: unknown): Record<string, unknown> => {
    const parsed = definition.settings.safeParse(settings)
    if (parsed.success) return parsed.data as Record<string, unknown>
    const [issue] = parsed.error.issues
    const field = ['settings', ...(issue?.path ?? [])].join('.')
    throw new AppError('invalid', 'invalid_settings', `${field}: ${issue?.message ?? 'invalid'}`, { field })
  }

  /** What the store keeps: secrets only sealed. */
  const sealed = ({ secrets: names = [] }: ChannelDefinition, settings: Record<string, unknown>) =>
    mapped(settings, names, (value) =>
      typeof value === 'string' ? ({ sealed: secrets.seal(PURPOSE, value) } satisfies Sealed) : value,
    )

  const unsealed = ({ secrets: names = [] }: ChannelDefinition, settings: Record<string, unknown>) =>
    mapped(settings, names, (value) => (isSealed(value) ? secrets.unseal(PURPOSE, value.sealed) : value))

  const toRecord = ({ createdAt: _createdAt, ...document }: ChannelDocument): ChannelRecord => {
    const record = withId(document)
    return { ...record, settings: unsealed(definitionOf(record.kind), record.settings) }
  }

  const open = async (record: ChannelRecord): Promise<void> => {
    const definition = definitionOf(record.kind)
    const channel = definition.open(record.settings, { record, clock, log: log.child({ channelId: record.id }) })
    opened.set(record.id, { record, definition, channel })
    await channel.start(receive(record))
  }

  const findDocument = async (companyId: string, id: string): Promise<ChannelDocument> => {
    const found = await documents.findOne({ _id: id, companyId })
    if (!found) throw new AppError('not_found', 'channel_not_found', 'There is no such channel.')
    return found
  }

  const find = async (companyId: string, id: string): Promise<ChannelRecord> =>
    toRecord(await findDocument(companyId, id))

  const toListed = ({ id, kind, name, key }: Omit<ChannelRecord, 'settings'>) => ({
    id,
    kind,
    name,
    state: opened.has(id) ? 'open' : 'closed',
    ...(key ? { key } : {}),
  })

  return {
    /** `settings` as a JSON Schema, from which a form can be made. */
    kinds: () =>
      Object.entries(kinds).map(([kind, { label, icon, settings, secrets: hidden = [] }]) => {
        const schema = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
        return { kind, label, icon, settings: schema, secrets: [...hidden] }
      }),

    list: async (companyId: string) =>
      (await documents.find({ companyId }, { sort: { createdAt: 1 } }).toArray()).map((found) =>
        toListed(withId(found)),
      ),

    /** With its settings, but for the secrets: of them only the names of those that are set. */
    get: async (companyId: string, id: string) => {
      const found = await findDocument(companyId, id)
      const definition = definitionOf(found.kind)
      // What is kept from before a setting was thought of gets that setting's default.
      const { data } = definition.settings.safeParse(unsealed(definition, found.settings))
      const all = (data ?? found.settings) as Record<string, unknown>
      const hidden = new Set(definition.secrets)
      return {
        ...toListed(withId(found)),
        settings: Object.fromEntries(Object.entries(all).filter(([name]) => !hidden.has(name))),
        secretsSet: [...hidden].filter((name) => typeof all[name] === 'string'),
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
        settings: checked(definition, given.settings),
      }
      const { id: _id, ...rest } = record
      const settings = sealed(definition, rest.settings)
      await documents.insertOne({ _id, ...rest, settings, createdAt: clock.now() })
      await open(record)
      return { id: record.id }
    },

    update: async (
      companyId: string,
      id: string,
      given: { name?: string | undefined; settings?: Record<string, unknown> | undefined },
    ) => {
      const before = await find(companyId, id)
      const definition = definitionOf(before.kind)
      const settings = given.settings ? checked(definition, { ...before.settings, ...given.settings }) : before.settings
      const record = { ...before, name: given.name ?? before.name, settings }
      const kept = sealed(definition, settings)
      await documents.updateOne({ _id: id, companyId }, { $set: { name: record.name, settings: kept } })
      await opened.get(id)?.channel.stop()
      await open(record)
      return toListed(record)
    },

    remove: async (companyId: string, id: string): Promise<void> => {
      await findDocument(companyId, id)
      await documents.deleteOne({ _id: id, companyId })
      const removed = opened.get(id)
      opened.delete(id)
      await removed?.channel.stop()
    },

    byId: (id: string): ChannelRecord | null => opened.get(id)?.record ?? null,

    byKey: (key: string): ChannelRecord | null =>
      [...opened.values()].find(({ record }) => record.key === key)?.record ?? null,

    /** The oldest channel of a kind that a company has. */
    firstOf: (companyId: string, kind: string): ChannelRecord | null =>
      [...opened.values()].find(({ record }) => record.companyId === companyId && record.kind === kind)?.record ?? null,

    isIdempotent: ({ channelId }: Origin): boolean => opened.get(channelId)?.definition.idempotent ?? false,

    send: async ({ companyId, channelId }: Origin, message: OutboundMessage, signal: AbortSignal): Promise<Receipt> => {
      const target = opened.get(channelId)
      if (target) return target.channel.send(message, signal)
      const exists = await documents.findOne({ _id: channelId, companyId }, { projection: { _id: 1 } })
      if (exists) throw new AppError('unavailable', 'channel_not_open', 'The channel is not open at this moment.')
      return { kind: 'refused', reason: 'the channel no longer exists' }
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

const isSealed = (value: unknown): value is Sealed => typeof value === 'object' && value !== null && 'sealed' in value

const mapped = (
  settings: Record<string, unknown>,
  names: readonly string[],
  change: (value: unknown) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, names.includes(name) ? change(value) : value]),
  )
