import type { OutsideHours } from '../companies/opening-hours.js'
import { isOpen, nextOpening, type BusinessHours } from '../sla/business-hours.js'
import type { Conversation } from './conversation.js'
import { phrasesIn } from './phrases.js'

/** The hours of a channel, and what its customers meet outside of them. */
export type Opening = { hours: BusinessHours | null; outside: OutsideHours }

/** What a conversation's customer was told: until when nobody is there, and that the assistant is paused. */
export type Told = { backAt?: Date; paused?: true }

/** Nobody is there now; `backAt` is when somebody is. `null` while people are there. */
export const closedUntil = ({ hours }: Opening, now: Date): { backAt: Date; timeZone: string } | null =>
  !hours || isOpen(hours, now) ? null : { backAt: nextOpening(hours, now), timeZone: hours.timeZone }

/** What is said about when a person is back, and what has been told then. */
export type Notice = { text: string; told: Told }

/**
 * "A person is back on Monday at 9:00", once in a conversation and closed period; `null` where the channel says nothing
 * about it, people are there, or it was said.
 */
export const backNotice = (
  { told }: Pick<Conversation, 'told'>,
  opening: Opening,
  language: string,
  now: Date,
): Notice | null => {
  const closed = opening.outside === 'as_usual' ? null : closedUntil(opening, now)
  if (!closed || told?.backAt?.getTime() === closed.backAt.getTime()) return null
  const { backAt, timeZone } = closed
  return { text: backIn(language, backAt, now, timeZone), told: { ...told, backAt } }
}

/** To a customer whom people have: that a person will answer, while the assistant is paused, and when that may be. */
export const waitingNotice = (
  conversation: Pick<Conversation, 'told' | 'handoff'>,
  opening: Opening,
  language: string,
  now: Date,
): Notice | null => {
  const { told, handoff } = conversation
  if (handoff?.reason !== 'assistant_paused' || told?.paused) return backNotice(conversation, opening, language, now)
  const word = phrasesIn(language).personAnswers
  const closed = closedUntil(opening, now)
  if (!closed) return { text: word, told: { ...told, paused: true } }
  const { backAt, timeZone } = closed
  return { text: `${word} ${backIn(language, backAt, now, timeZone)}`, told: { ...told, paused: true, backAt } }
}

// ── Words for a moment ──────────────────────────────────────────────────────────────────────────────────────────────

/** A moment as people say it: a time of day, and the day where it is not today. */
export type Moment = { day: string | null; time: string; zone: string }

const WEEK_MS = 6 * 24 * 60 * 60 * 1000

const backIn = (language: string, backAt: Date, now: Date, timeZone: string): string => {
  const { back, locale } = phrasesIn(language)
  return back(momentOf(locale, backAt, now, timeZone))
}

/** In the zone of the hours, which is named: a customer may be in another one. */
const momentOf = (locale: string, at: Date, now: Date, timeZone: string): Moment => {
  const inZone = (options: Intl.DateTimeFormatOptions, date = at) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options })
      .formatToParts(date)
      .filter(({ type }) => type !== 'literal' || options.weekday)
  const textOf = (parts: Intl.DateTimeFormatPart[]) => parts.map(({ value }) => value).join('')
  const part = (type: string, options: Intl.DateTimeFormatOptions) =>
    inZone(options).find((one) => one.type === type)?.value ?? ''
  const date = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const isToday = textOf(inZone(date)) === textOf(inZone(date, now))
  const isNear = at.getTime() - now.getTime() < WEEK_MS
  const clock = { hour: 'numeric', minute: '2-digit', hourCycle: 'h23' } as const
  return {
    day: isToday
      ? null
      : textOf(inZone(isNear ? { weekday: 'long' } : { weekday: 'long', day: 'numeric', month: 'long' })),
    time: `${Number(part('hour', clock))}:${part('minute', clock).padStart(2, '0')}`,
    zone: part('timeZoneName', { timeZoneName: 'short' }),
  }
}
