import { contactIdOf, type Citation, type Message, type Origin } from '../conversations/message.js'
import type { Bus, LiveEvent } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'
import type { Attachments } from './attachments.js'
import type { ChannelRecord, Follower, LimitName, PublicKit, Standing } from './channel.js'

type Needs = {
  channelByKey: PublicKit['channelByKey']
  channelById: PublicKit['channelById']
  demoChannel: PublicKit['demoChannel']
  receive: PublicKit['receive']
  history(origin: Origin, contactId: string, after?: string): Promise<Message[]>
  message(companyId: string, id: string): Promise<Message | null>
  standing(origin: Origin, contactId: string): Promise<Standing>
  rate(origin: Origin, contactId: string, messageId: string, rating: 'up' | 'down' | null): Promise<void>
  leaveEmail(origin: Origin, contactId: string, email: string): Promise<void>
  citation(origin: Origin, contactId: string, messageId: string, index: number): Promise<Citation>
  /** A passage's text; `null` when it is no longer quoted from. */
  passageText(companyId: string, passageId: string): Promise<string | null>
  limit(name: LimitName, key: string): Promise<void>
  attachments: Attachments
  attendance: {
    came(origin: Origin, contactId: string): void
    left(origin: Origin, contactId: string, how: 'left' | 'lost'): void
    read(contactId: string, messages: readonly Message[]): void
  }
  bus: Bus
  clock: Clock
  log: Log
  secrets: Secrets
  ownOrigins: readonly string[]
}

/** Tabs and devices in which one contact's chat may be open at once. */
const MOST_FOLLOWERS = 20

/** One contact's open chats. What is shown is looked up one after the other, so that it arrives in its order. */
type Followed = { origin: Origin; followers: Set<Follower>; shown: Promise<void> }

/** What the public API of a kind of channel gets to work with: everything it sees is one contact's. */
export const makePublicKit = (needs: Needs): PublicKit => {
  const { history, message, standing, rate, leaveEmail, citation, passageText, attachments, ...more } = needs
  const { attendance, bus, log, ...rest } = more
  const followed = new Map<string, Followed>()

  const show = async ({ origin, followers }: Followed, event: Shown): Promise<void> => {
    switch (event.type) {
      case 'conversation': {
        const now = await standing(origin, event.contactId)
        for (const follower of followers) follower.standing(now)
        return
      }
      case 'message':
      case 'feedback': {
        const found = await message(event.companyId, event.messageId)
        if (found) for (const follower of followers) follower.message(found)
        return
      }
      case 'sentence': {
        const { conversationId, draftId, index, text, citations } = event
        for (const follower of followers) follower.sentence({ conversationId, draftId, index, text, citations })
        return
      }
      case 'withdrawn': {
        const { conversationId, draftId } = event
        for (const follower of followers) follower.withdrawn({ conversationId, draftId })
      }
    }
  }

  bus.subscribe((event) => {
    if (!isShown(event)) return
    const contact = followed.get(event.contactId)
    if (!contact) return
    contact.shown = contact.shown
      .then(() => show(contact, event))
      .catch((err: unknown) => log.warn({ err, conversationId: event.conversationId }, 'live event not shown'))
  })

  const contactOn = (channel: ChannelRecord, externalId: string) => contactIdOf(originOf(channel), externalId)

  return {
    ...rest,
    history: async (channel, contactExternalId, after) => {
      const contactId = contactOn(channel, contactExternalId)
      const messages = await history(originOf(channel), contactId, after)
      attendance.read(contactId, messages)
      return messages
    },
    standing: (channel, contactExternalId) => standing(originOf(channel), contactOn(channel, contactExternalId)),
    rate: (channel, contactExternalId, messageId, rating) =>
      rate(originOf(channel), contactOn(channel, contactExternalId), messageId, rating),
    leaveEmail: (channel, contactExternalId, email) =>
      leaveEmail(originOf(channel), contactOn(channel, contactExternalId), email),
    source: async (channel, contactExternalId, messageId, index) => {
      const contactId = contactOn(channel, contactExternalId)
      const { passageId, quote } = await citation(originOf(channel), contactId, messageId, index)
      const text = (await passageText(channel.companyId, passageId)) ?? quote
      const at = text.indexOf(quote)
      // The document may have been replaced since: then the quote stands alone, as it was when it was quoted.
      if (at < 0) return { before: '', quote, after: '' }
      return { before: text.slice(0, at), quote, after: text.slice(at + quote.length) }
    },
    acceptFile: ({ id, companyId }, contactExternalId, file) =>
      attachments.accept({ companyId, ownerId: contactIdOf({ companyId, channelId: id }, contactExternalId) }, file),
    redeemFiles: ({ id, companyId }, contactExternalId, tickets) =>
      attachments.redeem({ companyId, ownerId: contactIdOf({ companyId, channelId: id }, contactExternalId) }, tickets),
    linkToFile: attachments.linkTo,
    openLink: attachments.openLink,
    follow: (channel, contactExternalId, follower) => {
      const contactId = contactOn(channel, contactExternalId)
      const contact = followed.get(contactId) ?? {
        origin: originOf(channel),
        followers: new Set(),
        shown: Promise.resolve(),
      }
      if (contact.followers.size >= MOST_FOLLOWERS) {
        throw new AppError('rate_limited', 'too_many_connections', `A chat is open at most ${MOST_FOLLOWERS} times.`)
      }
      contact.followers.add(follower)
      followed.set(contactId, contact)
      attendance.came(contact.origin, contactId)
      return (how) => {
        if (contact.followers.delete(follower)) attendance.left(contact.origin, contactId, how)
        if (contact.followers.size === 0) followed.delete(contactId)
      }
    },
  }
}

/** What a contact sees of what happens: notes and lines of the timeline are for the company's people. */
const SHOWN = ['message', 'feedback', 'conversation', 'sentence', 'withdrawn'] as const
type Shown = Extract<LiveEvent, { type: (typeof SHOWN)[number] }>

const isShown = (event: LiveEvent): event is Shown =>
  event.type === 'message' ? event.kind === 'message' : SHOWN.some((type) => type === event.type)

const originOf = ({ id, companyId }: ChannelRecord): Origin => ({ companyId, channelId: id })
