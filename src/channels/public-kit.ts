import { contactIdOf, type Message, type Origin } from '../conversations/message.js'
import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'
import type { ChannelRecord, LimitName, PublicKit, Receive } from './channel.js'

type Needs = {
  channelByKey: PublicKit['channelByKey']
  channelById: PublicKit['channelById']
  demoChannel: PublicKit['demoChannel']
  receive(channel: ChannelRecord): Receive
  history(origin: Origin, contactId: string, after?: string): Promise<Message[]>
  message(companyId: string, id: string): Promise<Message | null>
  limit(name: LimitName, key: string): Promise<void>
  bus: Bus
  clock: Clock
  log: Log
  secrets: Secrets
}

/** What the public API of a kind of channel gets to work with: everything it sees is one contact's. */
export const makePublicKit = ({ receive, history, message, bus, log, ...rest }: Needs): PublicKit => {
  const followers = new Map<string, Set<(message: Message) => void>>()
  /** Messages are looked up one after the other, so that they are shown in the order in which they were announced. */
  let shown = Promise.resolve()

  const show = async (companyId: string, contactId: string, messageId: string) => {
    const found = await message(companyId, messageId)
    if (found) for (const onMessage of followers.get(contactId) ?? []) onMessage(found)
  }

  bus.subscribe((event) => {
    if (event.type !== 'message' || event.kind !== 'message' || !followers.has(event.contactId)) return
    shown = shown
      .then(() => show(event.companyId, event.contactId, event.messageId))
      .catch((err: unknown) => log.warn({ err, messageId: event.messageId }, 'live message not shown'))
  })

  const contactOn = (channel: ChannelRecord, externalId: string) => contactIdOf(originOf(channel), externalId)

  return {
    ...rest,
    receive: (channel, arrival) => receive(channel)(arrival),
    history: (channel, contactExternalId, after) =>
      history(originOf(channel), contactOn(channel, contactExternalId), after),
    follow: (channel, contactExternalId, onMessage) => {
      const contactId = contactOn(channel, contactExternalId)
      const present = followers.get(contactId) ?? new Set()
      followers.set(contactId, present.add(onMessage))
      return () => {
        present.delete(onMessage)
        if (present.size === 0) followers.delete(contactId)
      }
    },
  }
}

const originOf = ({ id, companyId }: ChannelRecord): Origin => ({ companyId, channelId: id })
