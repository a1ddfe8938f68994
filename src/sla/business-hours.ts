import { calendarOf, count, findOpening, FURTHEST, STRETCH, type BusinessHours, type Span } from './calendar.js'

export { checkHours } from './check-hours.js'
export { WEEKDAYS, type BusinessHours, type Period } from './calendar.js'

// Every question is a fold over the one sequence of open periods (calendar.ts).

/** Whether `at` lies in a period; the closing instant does not. */
export const isOpen = (hours: BusinessHours | null, at: Date): boolean => {
  const instant = instantOf(at)
  if (hours === null) return true
  const { opens, closes } = calendarOf(hours)(Math.floor(instant / STRETCH))
  return opens.some((open, index) => open <= instant && instant < (closes[index] ?? open))
}

/** `from` itself when open, else the next opening. Throws a RangeError when the hours never open again. */
export const nextOpening = (hours: BusinessHours | null, from: Date): Date => {
  const start = instantOf(from)
  if (hours === null) return new Date(start)
  const opening = findOpening(calendarOf(hours), start)
  if (opening === null) throw new RangeError(`These hours never open after ${from.toISOString()}`)
  return new Date(opening)
}

/**
 * The instant at which `milliseconds` of business time have passed since `from`; for 0 the next opening. Where the time
 * is used up exactly at a closing, that closing is the answer, not the next opening.
 */
export const addBusinessTime = (hours: BusinessHours | null, from: Date, milliseconds: number): Date => {
  const start = instantOf(from)
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new RangeError(`A duration must be zero or more milliseconds, not ${milliseconds}`)
  }
  if (hours === null) return dateOf(start + milliseconds)
  if (milliseconds === 0) return nextOpening(hours, from)

  const calendar = calendarOf(hours)
  const first = Math.floor(start / STRETCH)
  let left = milliseconds
  for (let index = first; index <= first + FURTHEST; index += 1) {
    const { opens, closes, total } = calendar(index)
    if (index > first && total < left) {
      left -= total
      continue
    }
    for (let at = 0; at < opens.length; at += 1) {
      const begin = Math.max(opens[at] ?? 0, start)
      const available = (closes[at] ?? 0) - begin
      if (available <= 0) continue
      if (left <= available) return dateOf(begin + left)
      left -= available
    }
  }
  throw new RangeError(`These hours are not open for ${milliseconds} ms within 400 years of ${from.toISOString()}`)
}

/** Milliseconds of business time in [from, to). Throws when `to` lies before `from`: that would be a negative duration. */
export const businessTimeBetween = (hours: BusinessHours | null, from: Date, to: Date): number => {
  const start = instantOf(from)
  const end = instantOf(to)
  if (end < start) throw new RangeError(`${to.toISOString()} lies before ${from.toISOString()}`)
  if (hours === null) return end - start

  return count(calendarOf(hours), start, end)
}

/** The open periods that reach into [from, to), cut to it, oldest first: what a screen draws and an explanation lists. */
export function* openPeriods(
  hours: BusinessHours | null,
  from: Date,
  to: Date,
): Generator<{ open: Date; close: Date }> {
  const start = instantOf(from)
  const end = instantOf(to)
  if (hours === null) {
    if (start < end) yield { open: new Date(start), close: new Date(end) }
    return
  }
  const calendar = calendarOf(hours)
  // A night over the cut between two stretches is one period: the last one found is held back until the next is known.
  // What lies outside is cut to nothing or less, and falls out where it would be told.
  let held: Span = { open: start, close: start }
  for (let index = Math.floor(start / STRETCH); index * STRETCH < end; index += 1) {
    const { opens, closes } = calendar(index)
    for (let at = 0; at < opens.length; at += 1) {
      const open = Math.max(opens[at] ?? 0, start)
      const close = Math.min(closes[at] ?? 0, end)
      if (held.close === open) held.close = close
      else {
        if (held.open < held.close) yield { open: new Date(held.open), close: new Date(held.close) }
        held = { open, close }
      }
    }
  }
  if (held.open < held.close) yield { open: new Date(held.open), close: new Date(held.close) }
}

const instantOf = (date: Date): number => {
  const instant = date.getTime()
  if (Number.isNaN(instant)) throw new RangeError('An invalid date has no place in business time')
  return instant
}

const dateOf = (instant: number): Date => {
  const date = new Date(instant)
  if (Number.isNaN(date.getTime())) throw new RangeError('The result lies beyond what a date can hold')
  return date
}
