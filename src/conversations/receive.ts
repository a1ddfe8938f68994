import type { Promised } from '../companies/service-levels.mongo.js'
import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { currentRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { sha256 } from '../platform/secrets.js'
import type { Facts } from '../sla/policy.js'
import { factsOf, FIRST } from './clocks.js'
import { afterCustomerMessage, type HandoffReason } from './conversation.js'
import { canRead, isWorthWaiting, type Reads } from './heard-and-seen.js'
import type { Draft } from './documents.mongo.js'
import type { Appended } from './fold.js'
import type { Opening } from './opening-notice.js'
import { contactIdOf, type Author, type MessageArrival, type Origin, type Received } from './message.js'
import { isCreationRace, isKnownArrival, type ConversationStore } from './store.mongo.js'
import { announce, eventLine, summarised } from './timeline.js'

type Needs = {
  store: ConversationStore
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
  assistantPaused(companyId: string): Promise<boolean>
  openingOf(companyId: string, channelId: string): Promise<Opening>
  /** What a new conversation is promised; `null`: nothing. */
  promiseFor(companyId: string, facts: Facts): Promise<Promised | null>
  /** Whose is what is handed over on a channel; `null`: everybody's. */
  teamOfChannel(companyId: string, channelId: string): Promise<Team | null>
  /** What this installation makes of files. */
  reads: Reads
  wakeAnswer(companyId: string, conversationId: string): void
  wakeRead(companyId: string, messageId: string): void
}

type Team = { id: string; name: string }

/** A race for the same new conversation is lost at most this often before it is a fault. */
const CREATION_TRIES = 4

/**
 * Takes in what a channel decoded: once, durably, and nothing more. When this resolves, the message survives a kill -9
 * and the provider may be told so. Everything slow comes after.
 */
export const makeReceive = ({
  store,
  bus,
  clock,
  log,
  metrics,
  assistantPaused,
  openingOf,
  promiseFor,
  teamOfChannel,
  reads,
  wakeAnswer,
  wakeRead,
}: Needs) => {
  const receive = async (origin: Origin, arrival: MessageArrival, tries = 1): Promise<Received> => {
    const requestId = currentRequestId() ?? newId('req')
    const paused = await assistantPaused(origin.companyId)
    const { hours, outside } = await openingOf(origin.companyId, origin.channelId)
    const saysWhen = hours !== null && outside !== 'as_usual'
    try {
      const appended = await append(
        { store, promiseFor, teamOfChannel },
        { origin, arrival, reads, paused, saysWhen, now: clock.now(), requestId },
      )
      metrics.messages.inc({ author: arrival.from ?? 'customer' })
      announce(bus, appended)
      const { id: messageId, conversationId, isBeingRead } = firstOf(appended)
      log.info({ conversationId, messageId }, 'message received')
      if (isBeingRead) wakeRead(origin.companyId, messageId)
      if (appended.conversation.answerDue) wakeAnswer(origin.companyId, conversationId)
      return { messageId, conversationId, duplicate: false }
    } catch (error) {
      const isKnown = isKnownArrival(error)
      if (!isKnown && isCreationRace(error) && tries < CREATION_TRIES) return receive(origin, arrival, tries + 1)
      const stored = isKnown || isCreationRace(error) ? await alreadyStored(store, origin, arrival) : null
      if (!stored) throw isKnown ? lookedUpInVain() : error
      metrics.duplicates.inc()
      return stored
    }
  }
  return receive
}

type Entry = {
  origin: Origin
  arrival: MessageArrival
  reads: Reads
  paused: boolean
  saysWhen: boolean
  now: Date
  requestId: string
}

/** Into the conversation that the channel names, unless it is closed; else the contact's newest; else a new one. */
const append = async (
  { store, promiseFor, teamOfChannel }: Pick<Needs, 'store' | 'promiseFor' | 'teamOfChannel'>,
  entry: Entry,
): Promise<Appended> => {
  const { origin, arrival } = entry
  const named = arrival.conversationId && (await appendTo(store, arrival.conversationId, entry))
  if (named) return named

  const contactId = await contactOf(store, origin, arrival)
  const latest = arrival.startsConversation
    ? null
    : await store.latestOfContact(origin.companyId, origin.channelId, contactId)
  const followed = latest && (await appendTo(store, latest.id, entry))
  if (followed) return followed
  // What was said about somebody before holds for who they are now.
  const known = await store.contact(origin.companyId, contactId)
  const blocked = known?.blocked ?? false
  const reason = blocked ? null : reasonForPeople(entry)
  const team = reason && (await teamOfChannel(origin.companyId, origin.channelId))
  const facts = factsOf(
    { channelId: origin.channelId, teamId: team?.id ?? null, ...FIRST, language: latest?.language ?? null },
    { ...known, ...arrival.contact },
  )
  const promised = blocked ? null : await promiseFor(origin.companyId, facts)
  return create(store, entry, { contactId, blocked, previousId: latest?.id ?? null, promised, reason, team })
}

/** Why a conversation begins with people instead of the assistant. */
const reasonForPeople = ({ arrival, paused }: Entry): HandoffReason | null => {
  if (arrival.automatic && !arrival.consent) return 'automatic_message'
  return paused && !arrival.from ? 'assistant_paused' : null
}

/** A channel that names conversations knows its people by one id for ever; others may have learned a second one. */
const contactOf = async (store: ConversationStore, origin: Origin, { contact, conversationId }: MessageArrival) => {
  const contactId = contactIdOf(origin, contact.externalId)
  return conversationId ? contactId : store.contactBehind(origin.companyId, contactId)
}

/** `null` when the conversation is closed or does not exist. Who has it decides what the message does. */
const appendTo = (
  store: ConversationStore,
  conversationId: string,
  { origin, arrival, reads, paused, saysWhen, now, requestId }: Entry,
) => {
  const message = draftOf(arrival, reads)
  const target = { companyId: origin.companyId, conversationId, at: now, requestId }
  // Where the assistant is paused a team may get it, and a promise may ask for the team.
  return store.change({ ...target, ...(paused ? { choosesAgain: true } : {}) }, (conversation) => {
    const state = afterCustomerMessage(conversation.state)
    if (!state || conversation.channelId !== origin.channelId) return null
    if (arrival.automatic || conversation.blocked) return { change: {}, drafts: [message] }
    const opened = { state, resolvedAt: null }
    if (arrival.from === 'agent') return { change: { handler: 'agent', answerDue: null }, drafts: [message] }
    const waits = { since: now, attempts: 0, notBefore: now, requestId }
    // Whoever waits for people may have to be told when they are back; whether, is looked at where it holds nobody up.
    if (conversation.handler !== 'assistant') {
      return { change: { ...opened, ...(saysWhen ? { answerDue: waits } : {}) }, drafts: [message] }
    }
    if (!paused) {
      const { since = now, attempts = 0 } = conversation.answerDue ?? {}
      return { change: { ...opened, answerDue: { since, attempts, notBefore: now, requestId } }, drafts: [message] }
    }
    return {
      change: { ...opened, handler: 'nobody', handoff: handoffOf(arrival, 'assistant_paused', now), answerDue: waits },
      drafts: [message, eventLine({ name: 'handoff', reason: 'assistant_paused' })],
    }
  })
}

type Beginning = {
  contactId: string
  blocked: boolean
  previousId: string | null
  promised: Promised | null
  reason: HandoffReason | null
  team: Team | null
}

const create = (
  store: ConversationStore,
  { origin, arrival, reads, now, requestId }: Entry,
  { contactId, blocked, previousId, promised, reason, team }: Beginning,
): Promise<Appended> => {
  const { companyId, channelId } = origin
  const { externalId, ...known } = arrival.contact
  const waits = { since: now, attempts: 0, notBefore: now, requestId }
  return store.create({
    conversation: {
      // A channel's name for the conversation is good once. After closing, the next one's name follows from the closed
      // one's: two messages at the same moment then race for one conversation instead of making two.
      id: previousId ? nextIdAfter(previousId) : (arrival.conversationId ?? firstIdOf(contactId)),
      companyId,
      channelId,
      contactId,
      previousId,
      state: blocked ? 'resolved' : 'open',
      handler: arrival.from ?? (reason ? 'nobody' : 'assistant'),
      assignee: null,
      ...(team ? { teamId: team.id } : {}),
      priority: promised?.terms.policy.setsPriority ?? FIRST.priority,
      tags: FIRST.tags,
      language: null,
      seq: 0,
      version: 1,
      answerDue: arrival.from || arrival.automatic || blocked ? null : waits,
      lease: null,
      handoff: reason && handoffOf(arrival, reason, now),
      createdAt: now,
      updatedAt: now,
      resolvedAt: blocked ? now : null,
      ...(blocked ? { blocked } : {}),
    },
    drafts: [
      draftOf(arrival, reads),
      ...(reason ? [eventLine({ name: 'handoff', reason })] : []),
      ...(team ? [eventLine({ name: 'team', to: { id: team.id, name: team.name } })] : []),
    ],
    contact: {
      _id: contactId,
      companyId,
      channelId,
      externalId,
      ...known,
      ...(arrival.consent?.wants === 'out' ? { optedOutAt: now } : {}),
      createdAt: now,
    },
    requestId,
    promised,
  })
}

/** Of a contact without a conversation: messages that come at the same moment race for this one. */
const firstIdOf = (contactId: string): string => `cnv_${sha256(`first of ${contactId}`).slice(0, 32)}`

const nextIdAfter = (previousId: string): string => `cnv_${sha256(`after ${previousId}`).slice(0, 32)}`

const handoffOf = ({ text }: MessageArrival, reason: HandoffReason, at: Date) => ({
  reason,
  summary: summarised(text),
  at,
})

const draftOf = (
  { text, externalId, contact, from, attachments = [], ...more }: MessageArrival,
  reads: Reads,
): Draft => {
  const { automatic, needsPerson, wordless, awaitsFile, chosen, details, replyTo, sentAt, original } = more
  const isRead = !from && !automatic && attachments.some((file) => canRead(file, reads))
  const author: Author = { kind: from ?? 'customer', ...(contact.name && !from ? { name: contact.name } : {}) }
  return {
    kind: 'message',
    author,
    text,
    externalId,
    ...(from ? { isSent: true } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(automatic ? { automatic } : {}),
    ...(needsPerson ? { needsPerson } : {}),
    ...(wordless ? { wordless } : {}),
    ...(awaitsFile && isWorthWaiting(more, reads) ? { awaitsFile } : {}),
    ...(isRead ? { reads: true } : {}),
    ...(chosen ? { chosen } : {}),
    ...(details ? { details } : {}),
    ...(replyTo ? { replyTo } : {}),
    ...(sentAt ? { sentAt } : {}),
    ...(original ? { original } : {}),
  }
}

const firstOf = ({ messages: [first] }: Appended) => {
  if (!first) throw new AppError('internal', 'nothing_appended', 'An arrival was appended without its message.')
  return first
}

const lookedUpInVain = () =>
  new AppError('unavailable', 'try_again', 'The message could not be looked up. Send it again.')

const alreadyStored = async (
  store: ConversationStore,
  origin: Origin,
  arrival: MessageArrival,
): Promise<Received | null> => {
  const stored = await store.messageByExternalId(origin.companyId, origin.channelId, arrival.externalId)
  if (!stored) return null
  // What was edited since came the first time as it comes now.
  if ((stored.edits?.[0]?.text ?? stored.text) !== arrival.text) {
    throw new AppError('conflict', 'message_id_reused', 'Another message was already sent with this id.', {
      field: 'id',
    })
  }
  return { messageId: stored.id, conversationId: stored.conversationId, duplicate: true }
}
