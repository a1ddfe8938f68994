import { choiceTaken } from './choices.js'
import type { HandoffReason, Recap } from './conversation.js'
import { wordsOf } from './heard-and-seen.js'
import type { Message } from './message.js'
import { recogniseTalk } from './talk.js'
import { handoffInWords } from './timeline.js'

/** Read before the first word is written, so no longer than a glance takes, in characters. */
const LONGEST = 400
const QUESTIONS = 2
const QUESTION_LENGTH = 110
const ANSWER_LENGTH = 70
const TITLES_LENGTH = 60

/**
 * What a person needs to know before taking over, made of what was said: what was asked, what was answered and from which
 * documents. No model is asked, so it is there whatever fails.
 */
export const recapOf = (messages: readonly Message[]): Recap => {
  const spoken = messages.filter(({ kind, handover }) => kind === 'message' && !handover)
  const written = spoken.flatMap((message, at) => {
    if (message.author.kind !== 'customer') return []
    const taken = choiceTaken(spoken.slice(0, at).findLast(isReply), message)
    return [{ ...message, text: taken?.label ?? (wordsOf(message) || message.text) }]
  })
  const questions = written.filter(({ text }) => !recogniseTalk(text)).slice(-QUESTIONS)
  const last = written.at(-1)
  const answer = spoken.findLast((message) => isReply(message) && !message.talk && !message.choices)
  return {
    asked: questions.map(({ text }) => excerpt(text, QUESTION_LENGTH)),
    ...(last && !questions.includes(last) ? { lastWords: excerpt(last.text, QUESTION_LENGTH) } : {}),
    ...(answer ? { answered: { text: excerpt(answer.text, ANSWER_LENGTH), ...saidBy(answer) } } : {}),
  }
}

const isReply = ({ author }: Message): boolean => author.kind !== 'customer'

/** The same in plain lines of English, and why it is theirs now. */
export const summaryOf = ({ asked, lastWords, answered }: Recap, reason: HandoffReason): string => {
  const whence = answered?.by ? ` by ${answered.by}` : answered?.from ? ` from ${answered.from}` : ''
  const lines = [
    asked.length > 0 && `Asked: ${asked.join(' / ')}`,
    lastWords && `Last words: ${lastWords}`,
    answered && `Answered${whence}: ${answered.text}`,
    `Handed over: ${handoffInWords(reason)}.`,
  ]
  return lines.filter(Boolean).join('\n').slice(0, LONGEST)
}

const saidBy = ({ author, citations }: Message): { by?: string; from?: string } => {
  if (author.kind === 'agent') return { by: excerpt(author.name ?? 'a person', TITLES_LENGTH) }
  const titles = [...new Set(citations.map(({ title }) => title))]
  return titles.length > 0 ? { from: excerpt(titles.join(', '), TITLES_LENGTH) } : {}
}

const excerpt = (text: string, length: number): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
