import type { AnswerDue, Conversation, HandoffReason } from './conversation.js'
import type { Message } from './message.js'

/** What the assistant does about a conversation. Pure: the same conversation at the same time, the same decision. */
export type Decision =
  | { kind: 'answer'; question: Message; history: Message[] }
  | { kind: 'leave'; reason: 'a_person_has_it' | 'nothing_to_answer' }

/** Nobody waits longer than this for a first word, in milliseconds; then a person is asked. */
export const ANSWER_WITHIN_MS = 30_000
/** What the handover itself may take of it. */
const MARGIN_MS = 1_000

/** Runs that may be started for what is unanswered; the last failure is a handoff. */
const MAX_ATTEMPTS = 3

/** One run may take this long: what remains is for a second one. */
const RUN_MS = 14_000

/** Older turns say little about the present question. */
const HISTORY_LENGTH = 12

/**
 * When a person must be asked at the latest. An outage of ours does not count: `servingSince` is when this process began,
 * and what waited longer is tried first, because a late proved answer beats a late apology.
 */
const lastMoment = ({ since }: AnswerDue, servingSince: Date): number =>
  Math.max(since.getTime(), servingSince.getTime()) + ANSWER_WITHIN_MS - MARGIN_MS

/** Why the assistant must give up without another try; `null` while it may go on. Needs no messages: reading may be what fails. */
export const mustGiveUp = (due: AnswerDue, now: Date, servingSince: Date): HandoffReason | null => {
  if (due.attempts > MAX_ATTEMPTS) return 'assistant_failed'
  return now.getTime() >= lastMoment(due, servingSince) ? 'took_too_long' : null
}

/** How long the run that starts now may take, in milliseconds; one that gives up has time of its own to say so. */
export const runLimitMs = (due: AnswerDue, now: Date, servingSince: Date): number =>
  mustGiveUp(due, now, servingSince) ? RUN_MS : Math.min(RUN_MS, lastMoment(due, servingSince) - now.getTime())

export const decide = (conversation: Conversation, messages: readonly Message[]): Decision => {
  if (conversation.handler !== 'assistant') return { kind: 'leave', reason: 'a_person_has_it' }

  const spoken = messages.filter((message) => message.kind === 'message' && !message.handover)
  const lastReply = spoken.findLastIndex((message) => message.author.kind !== 'customer')
  const unanswered = spoken.slice(lastReply + 1)
  const question = unanswered.at(-1)
  if (!conversation.answerDue || !question) return { kind: 'leave', reason: 'nothing_to_answer' }

  const history = spoken.slice(0, lastReply + 1).slice(-HISTORY_LENGTH)
  return { kind: 'answer', question: joined(unanswered, question), history }
}

/** Several messages in a row are one question, in the customer's words. */
const joined = (unanswered: readonly Message[], question: Message): Message => ({
  ...question,
  text: unanswered.map((message) => message.text).join('\n'),
})
