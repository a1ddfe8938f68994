import {
  contactIdOf,
  type KnownContact,
  type KnownConversation,
  type Message,
  type MessageArrival,
  type Origin,
  type Original,
  type Received,
} from '../conversations/message.js'
import type { Outside } from '../platform/addresses.js'
import type { Clock } from '../platform/clock.js'
import type { Leases } from '../platform/lease.mongo.js'
import type { Log } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'
import type { Attachments } from './attachments.js'
import type { Carried, ChannelKit, ChannelRecord, Health } from './channel.js'
import type { Memory } from './memory.mongo.js'

type Needs = {
  memoryOf(record: ChannelRecord): Memory
  leases: Leases
  outside: Outside
  attachments: Attachments
  recentMessages(companyId: string, conversationId: string, most: number): Promise<Message[]>
  original(companyId: string, messageId: string): Promise<Original | null>
  messagesByExternalIds(origin: Origin, externalIds: readonly string[]): Promise<Message[]>
  conversation(companyId: string, id: string): Promise<KnownConversation | null>
  contact(companyId: string, id: string): Promise<KnownContact | null>
  contactBehind(companyId: string, contactId: string): Promise<string>
  message(companyId: string, id: string): Promise<Message | null>
  /** Whether this channel's customers leave. */
  writesLetters(channel: Origin): boolean
  takeIn(origin: Origin, arrival: MessageArrival): Promise<Received | null>
  letterCameBack(companyId: string, messageId: string, detail: string): Promise<boolean>
  clock: Clock
  log: Log
  secrets: Secrets
  publicUrl: string
}

/** What one opened channel gets to work with. All of it is its own company's, and most of it its own channel's. */
export const makeChannelKit =
  (needs: Needs) =>
  (record: ChannelRecord, report: (health: Health) => void): ChannelKit => {
    const { companyId, id: channelId } = record
    const origin = { companyId, channelId }
    const { memoryOf, leases, outside, attachments, clock, log, secrets, publicUrl } = needs
    return {
      record,
      clock,
      log: log.child({ channelId }),
      secrets,
      publicUrl,
      ...outside,
      report,
      memory: memoryOf(record),
      lease: (name, work) => leases.hold(`${channelId}/${name}`, work),
      history: (conversationId, most) => needs.recentMessages(companyId, conversationId, most),
      original: (messageId) => needs.original(companyId, messageId),
      messagesByExternalIds: (externalIds) => needs.messagesByExternalIds(origin, externalIds),
      conversation: async (id) => {
        const found = await needs.conversation(companyId, id)
        return found?.channelId === channelId ? found : null
      },
      contact: (id) => needs.contact(companyId, id),
      carried: makeCarried(needs, origin),
      contactOf: async (externalId) =>
        needs.contact(companyId, await needs.contactBehind(companyId, contactIdOf(origin, externalId))),
      keepFile: (file) => attachments.keep(companyId, file),
      openFile: (attachment) => attachments.open(companyId, attachment),
    }
  }

/** Another channel's conversations, of the same company, and only those whose customers were to be written to. */
const makeCarried = (needs: Needs, { companyId, channelId }: Origin): Carried => {
  const find = async (conversationId: string): Promise<KnownConversation | null> => {
    const found = await needs.conversation(companyId, conversationId)
    const isCarried = found && found.channelId !== channelId
    return isCarried && needs.writesLetters({ companyId, channelId: found.channelId }) ? found : null
  }
  return {
    contactOf: async (conversationId) => {
      const found = await find(conversationId)
      return found && needs.contact(companyId, found.contactId)
    },
    conversationOf: async (messageId) => {
      const message = await needs.message(companyId, messageId)
      return message?.letter ? message.conversationId : null
    },
    receive: async (arrival) => {
      const found = await find(arrival.conversationId)
      return found && needs.takeIn({ companyId, channelId: found.channelId }, arrival)
    },
    cameBack: (messageId, detail) => needs.letterCameBack(companyId, messageId, detail),
  }
}
