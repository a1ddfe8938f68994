import type { Conversation, HandoffReason } from './conversation.js'
import type { Message } from './message.js'

/** What the assistant does about a conversation. Pure: the same conversation at the same time, the same decision. */
export type Decision =
  | { kind: 'answer'; question: Message; history: Message[] }
  | { kind: 'handoff'; reason: HandoffReason }
  | { kind: 'leave'; reason: 'a_person_has_it' | 'nothing_to_answer' }

/** Nobody waits longer than this for a first word, in milliseconds; then a person is asked. */
export const ANSWER_WITHIN_MS = 30_000

/** Runs that may be started for one message; the last failure is a handoff. */
export const MAX_ATTEMPTS = 3

/** Older turns say little about the present question. */
const HISTORY_LENGTH = 12

export const decide = (conversation: Conversation, messages: readonly Message[], now: Date): Decision => {
  if (conversation.handler !== 'assistant') return { kind: 'leave', reason: 'a_person_has_it' }

  const spoken = messages.filter((message) => message.kind === 'message')
  const lastReply = spoken.findLastIndex((message) => message.author.kind !== 'customer')
  const unanswered = spoken.slice(lastReply + 1)
  const question = unanswered.at(-1)
  if (!conversation.answerDue || !question) return { kind: 'leave', reason: 'nothing_to_answer' }

  const { attempts, since } = conversation.answerDue
  if (attempts > MAX_ATTEMPTS) return { kind: 'handoff', reason: 'assistant_failed' }
  // After an outage of our own the first attempt is still made: a late proved answer beats a late apology.
  const waitedMs = now.getTime() - since.getTime()
  if (attempts > 1 && waitedMs > ANSWER_WITHIN_MS) return { kind: 'handoff', reason: 'took_too_long' }

  return {
    kind: 'answer',
    question: joined(unanswered, question),
    history: spoken.slice(0, lastReply + 1).slice(-HISTORY_LENGTH),
  }
}

/** Several messages in a row are one question, in the customer's words. */
const joined = (unanswered: readonly Message[], question: Message): Message => ({
  ...question,
  text: unanswered.map((message) => message.text).join('\n'),
})
