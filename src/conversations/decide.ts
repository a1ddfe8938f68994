import { choiceTaken } from './choices.js'
import type { AnswerDue, Conversation, HandoffReason } from './conversation.js'
import { isForPeople, isHeard, needsPerson, picturesIn, wordsOf } from './heard-and-seen.js'
import type { Choice, Message } from './message.js'
import { recogniseTalk, type SmallTalk, type Talk } from './talk.js'

/** What the assistant does about a conversation. Pure: the same conversation at the same time, the same decision. */
export type Decision =
  /**
   * `pictures`: what came with the question shows, as a machine says. `from`: it was said by voice. `within`: what its customer
   * chose when they were asked back what they meant. `asksBack`: they may be asked, which they were not just before.
   */
  | {
      kind: 'answer'
      question: Message
      from?: 'transcript'
      history: Message[]
      pictures: string[]
      within?: Taken
      asksBack: boolean
    }
  /** A kind word; no document is asked. */
  | { kind: 'talk'; talk: SmallTalk; language: string }
  /** Without a language where the message does not say which. */
  | {
      kind: 'hand_over'
      reason: 'asked_for_person' | 'complaint' | 'nothing_asked' | 'needs_person'
      language?: string
    }
  | { kind: 'leave'; reason: 'a_person_has_it' | 'nothing_to_answer' | 'enough_said' }

/** A choice of the message that offered it. */
export type Taken = { choice: Extract<Choice, { kind: 'place' }>; messageId: string }

/** Nobody waits longer than this for a first word, in milliseconds; then a person is asked. */
export const ANSWER_WITHIN_MS = 30_000
/** What the handover itself may take of it. */
const MARGIN_MS = 1_000

/** Runs that may be started for what is unanswered; the last failure is a handoff. */
const MAX_ATTEMPTS = 3

/** One run may take this long: what remains is for a second one. */
const RUN_MS = 14_000

/** A file that says what is asked is worth waiting for, in milliseconds; what remains is for the answer. */
const FILES_WITHIN_MS = 12_000

/** Kind words without a question between them. Two machines that thank each other would never end; a person looks, or nobody needs to. */
const MOST_SMALL_TALK = 3

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

/** Until when an answer waits for what is said or shown in files; `null`: it need not. */
export const filesAwaitedUntil = (messages: readonly Message[], now: Date, servingSince: Date): Date | null => {
  const { unanswered } = turns(messages)
  if (unanswered.some(isForPeople)) return null
  const waiting = unanswered.filter(({ isBeingRead, awaitsFile }) => isBeingRead || awaitsFile)
  const latest = Math.max(...waiting.map(({ at }) => Math.max(at.getTime(), servingSince.getTime())))
  return latest + FILES_WITHIN_MS > now.getTime() ? new Date(latest + FILES_WITHIN_MS) : null
}

export const decide = (conversation: Conversation, messages: readonly Message[]): Decision => {
  if (conversation.handler !== 'assistant') return { kind: 'leave', reason: 'a_person_has_it' }

  const { before, unanswered } = turns(messages)
  const question = unanswered.at(-1)
  if (!conversation.answerDue || !question) return { kind: 'leave', reason: 'nothing_to_answer' }

  const asked = notYetServed(messages, unanswered).filter((message) => !isPressedAgain(message, before))
  if (asked.length === 0) return { kind: 'leave', reason: 'nothing_to_answer' }
  const text = textOf(asked)
  // Files alone ask nothing that the assistant could answer.
  if (text === '' || asked.some(needsPerson)) return { kind: 'hand_over', reason: 'needs_person' }
  const person = asked.map(asksForPerson).find(Boolean)
  const taken = person ? null : decideOnChoice(messages, before, asked)
  if (taken) return taken
  const talk = person ?? recogniseTalk(text, conversation.language)
  if (!talk) return { ...answerTo(asked, before), asksBack: !before.at(-1)?.choices }

  const { kind, language } = talk
  switch (kind) {
    case 'person':
      return { kind: 'hand_over', reason: 'asked_for_person', language }
    case 'complaint':
      return { kind: 'hand_over', reason: 'complaint', language }
    case 'greeting':
    case 'thanks':
    case 'goodbye':
      if (smallTalkAtEndOf(before) < MOST_SMALL_TALK) return { kind: 'talk', talk: kind, language }
      return kind === 'greeting'
        ? { kind: 'hand_over', reason: 'nothing_asked', language }
        : { kind: 'leave', reason: 'enough_said' }
  }
}

type Answering = Extract<Decision, { kind: 'answer' }>

const answerTo = (asked: readonly Message[], before: readonly Message[]): Omit<Answering, 'within' | 'asksBack'> => ({
  kind: 'answer',
  question: { ...(asked.at(-1) as Message), text: textOf(asked) },
  ...(asked.some(isHeard) ? { from: 'transcript' } : {}),
  history: before.slice(-HISTORY_LENGTH),
  pictures: asked.flatMap(picturesIn),
})

/** Whoever says which thing they meant asks again what they asked, of that alone; what they say beside it belongs to it. */
const decideOnChoice = (
  messages: readonly Message[],
  before: readonly Message[],
  asked: readonly Message[],
): Decision | null => {
  const offering = before.at(-1)
  const taken = asked.map((message) => choiceTaken(offering, message))
  const choice = taken.findLast(Boolean)
  if (!offering || !choice) return null
  if (choice.kind === 'person') return { kind: 'hand_over', reason: 'asked_for_person' }
  const until = messages.filter(({ seq }) => seq < offering.seq)
  const earlier = turns(until)
  const meant = [...notYetServed(until, earlier.unanswered), ...asked.filter((_message, at) => taken[at] === null)]
  if (meant.length === 0) return null
  return { ...answerTo(meant, earlier.before), within: { choice, messageId: offering.id }, asksBack: false }
}

/** A button that is pressed a second time asks what was answered the first time. */
const isPressedAgain = ({ chosen }: Message, before: readonly Message[]): boolean => {
  if (!chosen) return false
  const { messageId, at } = chosen
  return (
    before.some(({ id, choices }) => id === messageId && choices?.[at]) &&
    before.some((earlier) => earlier.chosen?.messageId === messageId && earlier.chosen.at === at)
  )
}

/** What was said up to the last reply, and what the customer wrote after it. That a person will come, or when, is no reply. */
const turns = (messages: readonly Message[]): { before: Message[]; unanswered: Message[] } => {
  const spoken = messages.filter(
    ({ kind, handover, notice, automatic, revoked }) =>
      kind === 'message' && !handover && !notice && !automatic && !revoked,
  )
  const lastReply = spoken.findLastIndex((message) => message.author.kind !== 'customer')
  return { before: spoken.slice(0, lastReply + 1), unanswered: spoken.slice(lastReply + 1) }
}

/** What is read of all that waits: who writes pages is asked for by their beginning and their end. */
const READ = 4_000

/** Several messages in a row are one question, in the customer's words. */
const textOf = (messages: readonly Message[]): string => shortened(messages.map(wordsOf).filter(Boolean).join('\n'))

const shortened = (text: string): string =>
  text.length <= READ ? text : `${text.slice(0, READ / 2)}\n${text.slice(-READ / 2)}`

/** What the customer wrote, said and showed since somebody last answered; empty when everything is answered. */
export const unansweredText = (messages: readonly Message[]): string => {
  const { unanswered } = turns(messages)
  return shortened([textOf(unanswered), ...unanswered.flatMap(picturesIn)].join('\n'))
}

/** Judged for each message: whoever asks for a person gets one, whatever else they wrote meanwhile. */
const asksForPerson = (message: Message): Talk | null => {
  const talk = recogniseTalk(wordsOf(message))
  return talk?.kind === 'person' ? talk : null
}

/**
 * An agent who hands the conversation back has seen what went to a person before. Requests and complaints are not served again,
 * and an old question is asked again only when nothing newer was written: the documents may know it now.
 */
const notYetServed = (messages: readonly Message[], unanswered: readonly Message[]): readonly Message[] => {
  const promisedAt = messages.findLast(({ handover }) => handover)?.seq ?? 0
  const newer = unanswered.filter(({ seq }) => seq > promisedAt)
  if (newer.length > 0) return newer
  const left = unanswered.filter((message) => {
    const kind = recogniseTalk(wordsOf(message))?.kind
    return kind !== 'person' && kind !== 'complaint'
  })
  return left.length > 0 ? left : unanswered
}

/** How many of the assistant's last words were answers to small talk. */
const smallTalkAtEndOf = (spoken: readonly Message[]): number => {
  const replies = spoken.filter(({ author }) => author.kind !== 'customer').reverse()
  const other = replies.findIndex(({ talk }) => !talk)
  return other < 0 ? replies.length : other
}
