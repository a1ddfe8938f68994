import { makeChannelKit } from '../../src/channels/channel-kit.js'
import type { ChannelRecord, Health, KeptFile } from '../../src/channels/channel.js'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { openLinked, type LinkedSettings } from '../../src/channels/whatsapp/linked/index.js'
import { makeArrivals } from '../../src/conversations/arrivals.js'
import type { Arrival, Message } from '../../src/conversations/message.js'
import { makeOutside } from '../../src/platform/addresses.js'
import { makeBus } from '../../src/platform/bus.js'
import { systemClock, type Clock } from '../../src/platform/clock.js'
import { makeLog, type Log } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { eventually } from './app.js'
import type { Core } from './core.js'
import type { Phone } from './whatsapp-socket.js'

type Options = {
  channelId: string
  settings?: LinkedSettings
  clock?: Clock
  companyId?: string
  timing?: { gap: number }
  log?: Log
}

/** A company with a linked phone, on a real store; the phone is played. */
export const openLinkedDesk = async (mongo: Mongo, core: Core, phone: Phone, options: Options) => {
  const { channelId, settings = {}, clock = systemClock, companyId = 'acme', timing, log = makeLog('silent') } = options
  const origin = { companyId, channelId }
  const record: ChannelRecord = {
    id: channelId,
    companyId,
    kind: 'whatsapp-baileys',
    name: 'Phone',
    key: null,
    settings,
  }
  const health: Health[] = []
  const arrivals: Arrival[] = []
  const failing: { next: number } = { next: 0 }
  const takeIn = makeArrivals({ ...core, bus: makeBus(), clock: { now: core.now }, log, receive: core.receive })
  const kept: { name: string; bytes: Buffer }[] = []
  const memories = makeMemories(mongo)
  const kit = makeChannelKit({
    memoryOf: memories.of,
    leases: {
      hold: (_name, work) => {
        const stopping = new AbortController()
        const running = work(stopping.signal)
        return { stop: async () => (stopping.abort(), running) }
      },
    },
    outside: makeOutside({ allowPrivate: true }),
    attachments: {
      keep: async (_companyId: string, file: KeptFile) => {
        const parts: Uint8Array[] = []
        for await (const part of file.bytes) parts.push(part)
        const bytes = Buffer.concat(parts)
        kept.push({ name: file.name, bytes })
        return { id: `f${kept.length}`, name: file.name, type: 'application/octet-stream', size: bytes.length }
      },
    } as unknown as Parameters<typeof makeChannelKit>[0]['attachments'],
    ...core.store,
    recentMessages: (of, conversationId, most) => core.store.recentMessages(of, conversationId, most),
    conversation: (of, id) => core.store.findConversation(of, id),
    writesLetters: () => false,
    takeIn,
    letterCameBack: async () => false,
    clock,
    log,
    secrets: makeSecrets('k'.repeat(40)),
    publicUrl: 'http://127.0.0.1',
  })(record, (said) => health.push(said))
  const channel = openLinked(settings, kit, phone.openSocket, {
    gap: 1,
    typingBase: 1,
    typingPerCharacter: 0,
    typingMost: 1,
    ...timing,
  })
  await channel.start(async (arrival) => {
    if (failing.next > 0) {
      failing.next -= 1
      throw new Error('the store is away')
    }
    arrivals.push(arrival)
    return takeIn(origin, arrival)
  })

  const messages = async (): Promise<Message[]> => {
    const found = await mongo.db.collection('messages').find(origin).sort({ conversationId: 1, seq: 1 }).toArray()
    return found.filter(({ kind }) => kind === 'message') as unknown as Message[]
  }

  return {
    channel,
    kit,
    origin,
    health,
    arrivals,
    failing,
    kept,
    messages,
    texts: async () => (await messages()).map(({ text }) => text),
    untilConnected: () => eventually(async () => health.at(-1)?.state === 'connected'),
    idle: async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      await channel.idle()
    },
    stop: () => channel.stop(),
  }
}
