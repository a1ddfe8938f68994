import { AppError } from '../platform/errors.js'
import type { RunningClocks } from './clocks.js'
import type { Told } from './opening-notice.js'

/** Where a conversation stands. Who has it is apart: `Handler`. */
export const STATES = ['open', 'pending', 'on_hold', 'snoozed', 'resolved', 'closed'] as const
export type State = (typeof STATES)[number]

/** `nobody` is the human queue: a person is wanted and none has it yet. */
export const HANDLERS = ['assistant', 'agent', 'nobody'] as const
export type Handler = (typeof HANDLERS)[number]

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
export type Priority = (typeof PRIORITIES)[number]

/** Why a conversation left the assistant for people. */
export type HandoffReason =
  | 'unknown_answer'
  | 'asked_for_person'
  | 'complaint'
  | 'nothing_asked'
  | 'assistant_paused'
  | 'outside_hours'
  | 'assistant_failed'
  | 'took_too_long'
  | 'delivery_failed'
  | 'needs_person'
  | 'automatic_message'
  | 'enough_answers'
  | 'opted_out'
  | 'requested_by_agent'

/** `summary` is for people who read English; `recap` says the same in parts, for whoever reads it in another language. */
export type Handoff = { reason: HandoffReason; summary: string; recap?: Recap; at: Date }

/** What was said before people were asked: excerpts, each in the words of whoever said it. */
export type Recap = {
  asked: string[]
  /** Where the last words were no question. */
  lastWords?: string
  /** `by`: the person who said it; `from`: the documents that it was said from. */
  answered?: { text: string; by?: string; from?: string }
}

export type Conversation = {
  id: string
  companyId: string
  channelId: string
  contactId: string
  /** The closed conversation that this one follows. */
  previousId: string | null
  state: State
  handler: Handler
  assignee: { id: string; name: string } | null
  /** Whose queue it is in; absent or null: everybody's. */
  teamId?: string | null
  priority: Priority
  tags: string[]
  /** The customer's language as the assistant last recognised it, a two-letter code. */
  language: string | null
  /** Number of the last message. */
  seq: number
  /** Grows with every change: whoever decides on a conversation writes only if it is still the one decided on. */
  version: number
  /** A customer's message that the assistant has yet to deal with; written in the message's own transaction. */
  answerDue: AnswerDue | null
  /** Serialises the assistant's work on this conversation over all processes. */
  lease: { owner: string; until: Date } | null
  handoff: Handoff | null
  lastMessage: { author: string; excerpt: string; at: Date }
  /** Absent where nothing was promised when it began. */
  clocks?: RunningClocks
  told?: Told
  /** Its contact was blocked: what they write is kept, and nobody is bothered with it. */
  blocked?: boolean
  /** Its customer wants no mail about it. */
  mailStopped?: boolean
  createdAt: Date
  updatedAt: Date
  resolvedAt: Date | null
}

/** When the oldest unanswered message arrived, failed or running runs, and when the next run may start. */
export type AnswerDue = { since: Date; attempts: number; notBefore: Date; requestId: string }

/** Every allowed change of state, who may cause it, in one table. A customer's message to a closed one starts a new one. */
const TRANSITIONS: Record<State, { byPerson: readonly State[]; byCustomer: State | null; bySystem: readonly State[] }> =
  {
    open: { byPerson: ['pending', 'on_hold', 'snoozed', 'resolved', 'closed'], byCustomer: 'open', bySystem: [] },
    pending: { byPerson: ['open', 'on_hold', 'snoozed', 'resolved', 'closed'], byCustomer: 'open', bySystem: [] },
    on_hold: { byPerson: ['open', 'pending', 'snoozed', 'resolved', 'closed'], byCustomer: 'open', bySystem: [] },
    snoozed: { byPerson: ['open', 'pending', 'on_hold', 'resolved', 'closed'], byCustomer: 'open', bySystem: ['open'] },
    resolved: { byPerson: ['open', 'closed'], byCustomer: 'open', bySystem: ['closed'] },
    closed: { byPerson: [], byCustomer: null, bySystem: [] },
  }

/** The state after a customer's message; `null` when it starts a new conversation instead. */
export const afterCustomerMessage = (state: State): State | null => TRANSITIONS[state].byCustomer

export const assertTransition = (from: State, to: State, by: 'person' | 'system'): void => {
  const allowed = by === 'person' ? TRANSITIONS[from].byPerson : TRANSITIONS[from].bySystem
  if (from !== to && !allowed.includes(to)) {
    throw new AppError('conflict', 'state_not_allowed', `A conversation that is ${from} cannot become ${to}.`, {
      field: 'state',
    })
  }
}

/** A resolved conversation closes by itself after this long, in milliseconds. */
export const CLOSES_AFTER_MS = 7 * 24 * 60 * 60 * 1000
