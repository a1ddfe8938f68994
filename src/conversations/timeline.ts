import type { Bus } from '../platform/bus.js'
import type { HandoffReason } from './conversation.js'
import type { Author, TimelineEvent } from './message.js'
import type { Draft } from './documents.mongo.js'
import type { Appended } from './fold.js'

/** The lines of a timeline that people see and customers do not. */
export const eventLine = (event: TimelineEvent, author: Author = { kind: 'system' }): Draft => ({
  kind: 'event',
  author,
  event,
  text: inWords(event),
})

const HANDOFF_IN_WORDS: Record<HandoffReason, string> = {
  unknown_answer: 'the documents do not answer the question',
  asked_for_person: 'the customer asked for a person',
  complaint: 'the customer complained',
  nothing_asked: 'the customer keeps greeting and asks nothing',
  assistant_paused: 'the assistant is paused',
  outside_hours: 'nobody is there at this time',
  assistant_failed: 'the assistant failed',
  took_too_long: 'the assistant took too long',
  delivery_failed: 'the answer could not be delivered',
  needs_person: 'the assistant cannot read or may not answer what was sent',
  automatic_message: 'a machine wrote this, not a person',
  opted_out: 'the customer wants no automatic messages',
  enough_answers: 'the assistant has answered here as often as it may',
  requested_by_agent: 'an agent asked for it',
}

export const handoffInWords = (reason: string): string => HANDOFF_IN_WORDS[reason as HandoffReason] ?? reason

const inWords = (event: TimelineEvent): string => {
  switch (event.name) {
    case 'handoff':
      return `Handed over to people: ${handoffInWords(event.reason)}.`
    case 'resumed':
      return 'Handed back to the assistant.'
    case 'blocked':
      return 'The contact was blocked.'
    case 'unblocked':
      return 'The contact is no longer blocked.'
    case 'mail_stopped':
      return 'The customer wants no more mail about this conversation.'
    case 'state':
      return `${event.from} → ${event.to}${event.reason ? `: ${event.reason}` : ''}`
    case 'assigned':
      return event.to ? `Assigned to ${event.to}.` : 'Assigned to nobody.'
    case 'team':
      return event.to ? `Team ${event.to.name} has it.` : 'No team has it.'
    case 'attempt':
      return `The message tries to instruct the assistant (${event.kinds.join(', ').replaceAll('_', ' ')}).`
    case 'consent':
      return event.wants === 'out'
        ? 'The customer wants no more automatic messages.'
        : 'The customer wants automatic messages again.'
    case 'priority':
      return `Priority ${event.from} → ${event.to}.`
    case 'service_level':
      return `${CHANGE_IN_WORDS[event.change]}: ${event.clock.replace('_', ' ')}, due ${event.dueAt.slice(0, 16).replace('T', ' ')} UTC.`
  }
}

const CHANGE_IN_WORDS = {
  warning: 'Due soon',
  breach: 'Promise broken',
  withdrawn: 'Promise kept after all',
} as const

const SUMMARY_LENGTH = 500

/** What a person sees first of what was asked. */
export const summarised = (text: string): string => text.slice(0, SUMMARY_LENGTH)

/** Tells whoever watches live what was just written. Call it after the commit, never before. */
export const announce = (bus: Bus, { conversation, messages }: Appended): void => {
  const { companyId, channelId, contactId, id: conversationId } = conversation
  for (const { id: messageId, seq, kind, event } of messages) {
    bus.publish({ type: 'message', companyId, conversationId, channelId, contactId, messageId, seq, kind })
    if (event?.name === 'service_level') {
      const { clock, change, dueAt } = event
      bus.publish({ type: 'service_level', companyId, conversationId, clock, change, dueAt })
    }
  }
  bus.publish({ type: 'conversation', companyId, conversationId, contactId, version: conversation.version })
}
