import { contactIdOf, type Message, type Origin } from '../conversations/message.js'
import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
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

/** Tabs and devices in which one contact's chat may be open at once. */
const MOST_FOLLOWERS = 20

/** One contact's open chats. What is shown is looked up one after the other, so that it arrives in its order. */
type Followed = { listeners: Set<(message: Message) => void>; shown: Promise<void> }

/** What the public API of a kind of channel gets to work with: everything it sees is one contact's. */
export const makePublicKit = ({ receive, history, message, bus, log, ...rest }: Needs): PublicKit => {
  const followed = new Map<string, Followed>()

  const show = async ({ listeners }: Followed, companyId: string, messageId: string) => {
    const found = await message(companyId, messageId)
    if (found) for (const onMessage of listeners) onMessage(found)
  }

  bus.subscribe((event) => {
    if (event.type !== 'message' || event.kind !== 'message') return
    const contact = followed.get(event.contactId)
    if (!contact) return
    contact.shown = contact.shown
      .then(() => show(contact, event.companyId, event.messageId))
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
      const contact = followed.get(contactId) ?? { listeners: new Set(), shown: Promise.resolve() }
      if (contact.listeners.size >= MOST_FOLLOWERS) {
        throw new AppError('rate_limited', 'too_many_connections', `A chat is open at most ${MOST_FOLLOWERS} times.`)
      }
      contact.listeners.add(onMessage)
      followed.set(contactId, contact)
      return () => {
        contact.listeners.delete(onMessage)
        if (contact.listeners.size === 0) followed.delete(contactId)
      }
    },
  }
}

const originOf = ({ id, companyId }: ChannelRecord): Origin => ({ companyId, channelId: id })
