import { AppError } from '../../../platform/errors.js'
import type { Secrets } from '../../../platform/secrets.js'
import type { ChannelKit } from '../../channel.js'

/**
 * What makes this installation the linked device of a phone: its identity and the keys of every chat. Each value is sealed for
 * this channel and under its own name, so that it opens nowhere else; what changes together is written together.
 * What cannot be read is damaged, never missing: a second identity over the first would cost the company its link.
 */

type Needs = {
  channelId: string
  memory: ChannelKit['memory']
  secrets: Pick<Secrets, 'seal' | 'unseal'>
}

/** By type and id, as Baileys asks for them; `null` removes. */
export type KeyBatch = Record<string, Record<string, unknown>>

export type SessionKeys = {
  /** `null` where this channel has never been linked. */
  readonly identity: Record<string, unknown> | null
  /** Takes the place of what was begun and never linked. */
  begin(identity: Record<string, unknown>): Promise<void>
  get(type: string, ids: readonly string[]): Promise<Record<string, unknown>>
  /** All of it or nothing, and with it the identity where that changed. Durable when it resolves. */
  set(batch: KeyBatch): Promise<void>
  saveIdentity(): Promise<void>
  /** At most a thousand, by their ids. */
  list(type: string): Promise<{ id: string; value: unknown }[]>
  forgetAll(): Promise<void>
  /** From now on nothing is written: somebody else may own the link. */
  close(): void
}

/** One value as it is sealed. */
type Envelope = { v: number; name: string; value: unknown }

const VERSION = 1
const PREFIX = 'link/'
const IDENTITY = 'identity'
/** Of the keys that were used last; a chat has a handful. */
const MOST_CACHED = 5_000

export const openSessionKeys = async ({ channelId, memory, secrets }: Needs): Promise<SessionKeys> => {
  const purpose = `whatsapp-link ${channelId}`
  const cache = new Map<string, unknown>()
  let closed = false

  const seal = (name: string, value: unknown): string =>
    secrets.seal(purpose, JSON.stringify({ v: VERSION, name, value: toJson(value) } satisfies Envelope))

  const unseal = (name: string, sealed: unknown): unknown => {
    if (typeof sealed !== 'string') throw damaged()
    let envelope: Partial<Envelope>
    try {
      envelope = JSON.parse(secrets.unseal(purpose, sealed)) as Partial<Envelope>
    } catch (cause) {
      throw damaged(cause)
    }
    if (typeof envelope.v === 'number' && envelope.v > VERSION)
      throw new AppError('conflict', 'keys_newer', 'The keys of the linked phone were written by a newer version.')
    if (envelope.v !== VERSION || envelope.name !== name) throw damaged()
    return fromJson(envelope.value)
  }

  const remember = (name: string, value: unknown): void => {
    cache.delete(name)
    cache.set(name, value)
    const [oldest] = cache.keys()
    if (cache.size > MOST_CACHED && oldest !== undefined) cache.delete(oldest)
  }

  const nameOf = (type: string, id: string): string => `${type}/${id}`

  const read = async (name: string): Promise<unknown> => {
    if (cache.has(name)) {
      const value = cache.get(name)
      remember(name, value)
      return value
    }
    const sealed = await memory.get(PREFIX + name)
    if (sealed === null) return null
    const value = unseal(name, sealed)
    remember(name, value)
    return value
  }

  const kept = await memory.get(PREFIX + IDENTITY)
  let identity = kept === null ? null : asIdentity(unseal(IDENTITY, kept))
  let savedIdentity = identity && JSON.stringify(toJson(identity))
  // Keys without the identity that they belong to: it was there.
  if (!identity && (await memory.list(PREFIX)).length > 0) throw damaged()

  const write = async (entries: { name: string; value: unknown }[]): Promise<void> => {
    if (closed) throw new AppError('unavailable', 'link_moved', 'Another process has the linked phone.')
    const current = identity && JSON.stringify(toJson(identity))
    const changed = current !== null && current !== savedIdentity
    const all = changed ? [...entries, { name: IDENTITY, value: identity }] : entries
    await memory.setMany(
      all.map(({ name, value }) => ({ key: PREFIX + name, value: value === null ? null : seal(name, value) })),
    )
    if (changed) savedIdentity = current
    for (const { name, value } of entries) remember(name, value)
  }

  const forgetAll = async (): Promise<void> => {
    cache.clear()
    identity = null
    savedIdentity = null
    // The identity goes last: whoever dies in between finds something damaged rather than half of something new.
    for (;;) {
      const found = (await memory.list(PREFIX)).filter(({ key }) => key !== PREFIX + IDENTITY)
      if (found.length === 0) break
      await memory.setMany(found.map(({ key }) => ({ key, value: null })))
    }
    await memory.remove(PREFIX + IDENTITY)
  }

  return {
    get identity() {
      return identity
    },
    begin: async (fresh) => {
      if (identity && isLinked(identity)) throw damaged()
      await forgetAll()
      identity = fresh
      await write([])
    },
    get: async (type, ids) => {
      const found = await Promise.all(ids.map(async (id) => [id, await read(nameOf(type, id))] as const))
      return Object.fromEntries(found.filter(([, value]) => value !== null && value !== undefined))
    },
    set: (batch) =>
      write(
        Object.entries(batch).flatMap(([type, values]) =>
          Object.entries(values).map(([id, value]) => ({ name: nameOf(type, id), value: value ?? null })),
        ),
      ),
    saveIdentity: () => (JSON.stringify(toJson(identity)) === savedIdentity ? Promise.resolve() : write([])),
    list: async (type) => {
      const found = await memory.list(`${PREFIX}${type}/`)
      return found.map(({ key, value }) => {
        const name = key.slice(PREFIX.length)
        return { id: name.slice(type.length + 1), value: unseal(name, value) }
      })
    },
    forgetAll,
    close: () => {
      closed = true
    },
  }
}

/** A phone has signed this identity. Before that it is an offer that nobody took, and may be made anew. */
export const isLinked = (identity: Record<string, unknown>): boolean => Boolean(identity.account)

const damaged = (cause?: unknown): AppError =>
  new AppError('conflict', 'keys_damaged', 'The keys of the linked phone cannot be read.', { cause })

const asIdentity = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || !('noiseKey' in value) || !('signedIdentityKey' in value))
    throw damaged()
  return value
}

/** JSON has no bytes. What knows how to become JSON by itself (protobuf) does so. */
const toJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') return (value as { toJSON(): unknown }).toJSON()
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}

const fromJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value && typeof value.$bytes === 'string') return Buffer.from(value.$bytes, 'base64')
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromJson(item)]))
}
