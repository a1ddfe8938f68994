import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeLog } from '../../src/platform/log.js'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import type { ChannelKind, Door, Provider, Said } from './provider.js'

/** A message as its company sees it. */
type Seen = {
  id: string
  author: string
  kind: string
  text: string
  status: string | null
  reason?: string
}
/** The same as it lies in the store. */
type Stored = { _id: string; conversationId: string; contactId: string; text: string; externalId?: string }
type State = { state: string; code?: string; detail?: string; settings: object; secretsSet: string[]; key?: string }

export type Company = Awaited<ReturnType<typeof openCompany>>
export type House = Awaited<ReturnType<typeof openHouse>>

/** One installation with its log, that can be stopped and started again on what it kept, and have a second process beside it. */
export const openHouse = async () => {
  const mongo = await openTestMongo()
  const directory = await mkdtemp(path.join(tmpdir(), 'helpdesk-contract-'))
  const lines: string[] = []
  const open = () =>
    openApp(mongo, {
      env: { ALLOW_PRIVATE_ADDRESSES: 'true', RATE_LIMIT_FACTOR: '1000000' },
      log: makeLog('trace', { write: (line) => void lines.push(line) }),
      directory,
    })
  let app = await open()
  let isOpen = true
  await eventually(async () => {
    const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
    return documents.length > 0 && documents.every(({ status }) => status === 'ready')
  })
  const stop = async () => {
    if (isOpen) await app.stop()
    isOpen = false
  }
  return {
    mongo,
    lines,
    get app() {
      return app
    },
    another: open,
    stop,
    start: async () => {
      app = await open()
      isOpen = true
    },
    close: async () => {
      await stop()
      await mongo.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** A company with one channel of the kind, and the provider behind it. */
export const openCompany = async (house: House, { kind, open }: ChannelKind, name: string, token?: string) => {
  const { mongo } = house
  const provider: Provider = await open(name)
  const call = <Body>(route: string, options: { method?: string; body?: unknown } = {}) =>
    house.app.call<Body>(route, { ...options, ...(token ? { token } : {}) })
  const made = await call<{ id: string }>('/channels', { body: { kind, settings: provider.settings } })
  if (made.status !== 201) throw new Error(`the channel was not opened: ${JSON.stringify(made.body)}`)
  const channelId = made.body.id
  const channel = async () => (await call<State>(`/channels/${channelId}`)).body
  const { key = '' } = await channel()
  const door = (url = house.app.url): Door => ({ url, channelId, key })

  const stored = async (match: (message: Stored) => boolean = () => true): Promise<Stored[]> => {
    const found = mongo.db.collection('messages').find({ channelId, kind: 'message' })
    return (await found.sort({ conversationId: 1, seq: 1 }).toArray()).filter((message) =>
      match(message as unknown as Stored),
    ) as unknown as Stored[]
  }
  const messageWith = (words: string) =>
    eventually(async () => (await stored(({ text }) => text.includes(words)))[0] ?? null)
  const seenIn = async (conversationId: string) =>
    (await call<{ messages: Seen[] }>(`/conversations/${conversationId}/messages`)).body.messages.filter(
      ({ kind: of }) => of === 'message',
    )

  /** As soon as the way out of such a message has come to one of these ends. */
  const outbound = (conversationId: string, match: (message: Seen) => boolean, ...ends: string[]) =>
    eventually(async () =>
      (await seenIn(conversationId)).find((message) => match(message) && ends.includes(message.status ?? '')),
    )
  const sending = { status: { $in: ['queued', 'sending'] } }

  return {
    provider,
    channelId,
    call,
    door,
    channel,
    link: async () => provider.link?.(async () => 'pairing' in (await channel())),
    until: (...states: string[]) => eventually(async () => states.includes((await channel()).state)),
    /** Handed over once, and in the store when this resolves. */
    hears: async (...said: Said[]) => {
      await provider.deliver(door(), ...said)
      for (const { text } of said) await messageWith(text)
    },
    got: (address: string) => provider.got(door(), address),
    stored,
    messageWith,
    seenIn,
    conversation: async (id: string) =>
      (await call<{ handoff: { reason: string } | null }>(`/conversations/${id}`)).body,
    speak: (conversationId: string, text: string) =>
      call<Seen>(`/conversations/${conversationId}/messages`, { body: { text } }),
    outbound,
    /** As soon as the provider has such a message. */
    left: (conversationId: string, match: (message: Seen) => boolean) =>
      outbound(conversationId, match, 'sent', 'delivered', 'read'),
    /** Nothing that the contact wrote is still to be answered, and nothing is still on its way to them. */
    settled: (contactId: string) =>
      eventually(async () => {
        const [due, leaving] = [
          { contactId, answerDue: { $ne: null } },
          { contactId, ...sending },
        ]
        const { db } = mongo
        return (
          (await db.collection('conversations').countDocuments(due)) === 0 &&
          (await db.collection('messages').countDocuments(leaving)) === 0
        )
      }),
    /** Messages without all that belongs to one. */
    halves: async () => {
      const ids = async (collection: string) =>
        new Set((await mongo.db.collection(collection).find({ channelId }).toArray()).map(({ _id }) => String(_id)))
      const [conversations, contacts] = [await ids('conversations'), await ids('contacts')]
      return stored(
        ({ conversationId, contactId, text }) =>
          !conversations.has(conversationId) || !contacts.has(contactId) || typeof text !== 'string',
      )
    },
  }
}
