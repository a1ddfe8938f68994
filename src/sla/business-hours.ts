import { zoneNamed, type Zone } from './zone.js'

/** Local wall times, `HH:MM`. `24:00` is midnight at the end of the day; `close` ≤ `open` closes on the next day. */
export type Period = { open: string; close: string }

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/**
 * When people work, as local wall time in an IANA zone. An exception replaces the periods that open on its date (none:
 * closed); the tail of the night before stays. A dated exception beats a yearly one, both beat the weekly table.
 * An object is read once and remembered by identity: replace it, never change it.
 */
export type BusinessHours = {
  timeZone: string
  weekly: Partial<Record<Weekday, Period[]>>
  /** `YYYY-MM-DD` once, `MM-DD` every year. */
  exceptions?: { date: string; periods: Period[] }[]
}

const MINUTE = 60_000
const DAY = 86_400_000

// Business time is one sequence of half-open periods [open, close) on the line of absolute time, sorted, apart from each
// other. It is made lazily in stretches of four weeks, which are cut at fixed instants and therefore never overlap; every
// question below is a fold over it. Always open (null) is the sequence with one endless period.

const STRETCH = 28 * DAY
const DAYS_IN_400_YEARS = 146_097
/** The calendar repeats after 400 years: what has not opened by then never will. Also the furthest a question may reach. */
const FURTHEST = Math.ceil((DAYS_IN_400_YEARS * DAY) / STRETCH)
/** Some 40 years per hours object. */
const STRETCHES_KEPT = 520

type Stretch = { opens: number[]; closes: number[]; total: number }
type Calendar = (index: number) => Stretch

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

  const calendar = calendarOf(hours)
  const first = Math.floor(start / STRETCH)
  const last = Math.floor(end / STRETCH)
  if (last - first > FURTHEST) throw new RangeError('Business time is counted over 400 years at most')
  let sum = 0
  for (let index = first; index <= last; index += 1) {
    const { opens, closes, total } = calendar(index)
    if (index > first && index < last) {
      sum += total
      continue
    }
    for (let at = 0; at < opens.length; at += 1) {
      sum += Math.max(0, Math.min(closes[at] ?? 0, end) - Math.max(opens[at] ?? 0, start))
    }
  }
  return sum
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
  let held: Span = { open: start, close: start }
  for (let index = Math.floor(start / STRETCH); index * STRETCH < end; index += 1) {
    const { opens, closes } = calendar(index)
    for (let at = 0; at < opens.length; at += 1) {
      const open = Math.max(opens[at] ?? 0, start)
      const close = Math.min(closes[at] ?? 0, end)
      if (close <= open) continue
      if (held.close === open) held.close = close
      else {
        if (held.open < held.close) yield { open: new Date(held.open), close: new Date(held.close) }
        held = { open, close }
      }
    }
  }
  if (held.open < held.close) yield { open: new Date(held.open), close: new Date(held.close) }
}

const findOpening = (calendar: Calendar, start: number): number | null => {
  const first = Math.floor(start / STRETCH)
  for (let index = first; index <= first + FURTHEST; index += 1) {
    const { opens, closes } = calendar(index)
    for (let at = 0; at < opens.length; at += 1) {
      if ((closes[at] ?? 0) > start) return Math.max(opens[at] ?? 0, start)
    }
  }
  return null
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

// ── The sequence ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Milliseconds after the local midnight of the day on which the period opens; `close` may lie on the next day. */
type Span = { open: number; close: number }

const calendars = new WeakMap<BusinessHours, Calendar>()

const calendarOf = (hours: BusinessHours): Calendar => {
  const known = calendars.get(hours)
  if (known) return known
  const calendar = makeCalendar(hours)
  calendars.set(hours, calendar)
  return calendar
}

const makeCalendar = (hours: BusinessHours): Calendar => {
  const zone = zoneNamed(hours.timeZone)
  const spansOn = makeSpansOn(hours)
  const stretches = new Map<number, Stretch>()
  return (index) => {
    const known = stretches.get(index)
    if (known) return known
    const stretch = makeStretch(zone, spansOn, index * STRETCH)
    if (stretches.size >= STRETCHES_KEPT) stretches.clear()
    stretches.set(index, stretch)
    return stretch
  }
}

/** The spans that open on a day, counted in days since 1 January 1970. */
const makeSpansOn = ({ weekly, exceptions = [] }: BusinessHours): ((day: number) => readonly Span[]) => {
  const week = WEEKDAYS.map((weekday) => (weekly[weekday] ?? []).map(spanOf))
  const dated = new Map<number, Span[]>()
  const yearly = new Map<number, Span[]>()
  for (const { date, periods } of exceptions) {
    const parsed = parseDate(date)
    if (!parsed) throw new RangeError(`Not a date: ${JSON.stringify(date)}`)
    if (parsed.kind === 'once') dated.set(parsed.day, periods.map(spanOf))
    else yearly.set(parsed.monthDay, periods.map(spanOf))
  }
  const ofYear = (day: number) => (yearly.size === 0 ? undefined : yearly.get(monthDayOf(day)))
  // 1 January 1970 was a Thursday.
  return (day) => dated.get(day) ?? ofYear(day) ?? week[(((day + 3) % 7) + 7) % 7] ?? []
}

const makeStretch = (zone: Zone, spansOn: (day: number) => readonly Span[], start: number): Stretch => {
  const end = start + STRETCH
  const found: Span[] = []
  // Two days before: a night's tail, in zones up to a day away from UTC, one of which once left out a whole day.
  for (let day = start / DAY - 3; day <= end / DAY + 1; day += 1) {
    for (const span of spansOn(day)) {
      const open = Math.max(zone.instantOf(day * DAY + span.open), start)
      const close = Math.min(zone.instantOf(day * DAY + span.close), end)
      if (open < close) found.push({ open, close })
    }
  }
  found.sort((a, b) => a.open - b.open)

  const opens: number[] = []
  const closes: number[] = []
  let total = 0
  for (const { open, close } of found) {
    const last = closes.at(-1)
    if (last !== undefined && open <= last) {
      if (close <= last) continue
      closes[closes.length - 1] = close
      total += close - last
    } else {
      opens.push(open)
      closes.push(close)
      total += close - open
    }
  }
  return { opens, closes, total }
}

// ── Reading what was written ────────────────────────────────────────────────────────────────────────────────────────

const parseTime = (text: string): number | null => {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text === '24:00' ? '' : text) ?? []
  if (text === '24:00') return DAY
  return hours === undefined ? null : Number(hours) * 60 * MINUTE + Number(minutes) * MINUTE
}

const spanOf = ({ open, close }: Period): Span => {
  const opens = parseTime(open)
  const closes = parseTime(close)
  if (opens === null || closes === null) throw new RangeError(`Not a time of day: ${JSON.stringify({ open, close })}`)
  return { open: opens, close: closes <= opens ? closes + DAY : closes }
}

const monthDayOf = (day: number): number => {
  const date = new Date(day * DAY)
  return (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
}

type ExceptionDate = { kind: 'once'; day: number } | { kind: 'yearly'; monthDay: number }

const parseDate = (text: string): ExceptionDate | null => {
  const [, year, month, dayOfMonth] = /^(?:(\d{4})-)?(\d\d)-(\d\d)$/.exec(text) ?? []
  // 2000 had a 29 February: as a yearly date it counts in the years that have one. Asked 400 years later, because
  // Date.UTC takes the years 0 to 99 for those of the last century.
  const date = new Date(Date.UTC(Number(year ?? 2000) + 400, Number(month) - 1, Number(dayOfMonth)))
  // A calendar that rolls 31 February over into March does not say the same day back.
  if (date.getUTCDate() !== Number(dayOfMonth) || date.getUTCMonth() !== Number(month) - 1) return null
  const day = date.getTime() / DAY - DAYS_IN_400_YEARS
  return year === undefined ? { kind: 'yearly', monthDay: monthDayOf(day) } : { kind: 'once', day }
}

// ── Refusing on save ────────────────────────────────────────────────────────────────────────────────────────────────

export type HoursFault = {
  /** Where, as a path: `weekly.mon.1.close`. */
  field: string
  code:
    | 'unknown_zone'
    | 'unknown_day'
    | 'not_a_time'
    | 'empty_period'
    | 'opens_at_24'
    | 'overlapping_periods'
    | 'not_a_date'
    | 'duplicate_date'
    | 'never_opens'
  message: string
}

/** Everything that is wrong with hours before they are saved, by field; nothing found is an empty list. */
export const checkHours = (hours: BusinessHours): HoursFault[] => {
  const faults = [...zoneFaults(hours), ...weeklyFaults(hours), ...exceptionFaults(hours)]
  return faults.length > 0 ? faults : neverOpens(hours)
}

const zoneFaults = ({ timeZone }: BusinessHours): HoursFault[] => {
  try {
    zoneNamed(timeZone)
    return []
  } catch {
    return [{ field: 'timeZone', code: 'unknown_zone', message: `There is no time zone ${JSON.stringify(timeZone)}.` }]
  }
}

const weeklyFaults = ({ weekly }: BusinessHours): HoursFault[] => {
  const unknown = Object.keys(weekly).filter((day) => !WEEKDAYS.some((weekday) => weekday === day))
  return [
    ...unknown.map((day): HoursFault => {
      return { field: `weekly.${day}`, code: 'unknown_day', message: `There is no day ${day}.` }
    }),
    ...WEEKDAYS.flatMap((day) => periodFaults(`weekly.${day}`, weekly[day] ?? [])),
    ...weeklyOverlaps(weekly),
  ]
}

const exceptionFaults = ({ exceptions = [] }: BusinessHours): HoursFault[] => {
  const seen = new Set<string>()
  return exceptions.flatMap(({ date, periods }, index) => {
    const field = `exceptions.${index}`
    const faults = periodFaults(`${field}.periods`, periods)
    if (!parseDate(date)) faults.push({ field: `${field}.date`, code: 'not_a_date', message: `There is no ${date}.` })
    if (seen.has(date)) {
      faults.push({ field: `${field}.date`, code: 'duplicate_date', message: `${date} has an exception already.` })
    }
    seen.add(date)
    const spans = readable(periods).map(({ span, at }) => ({ ...span, field: `${field}.periods.${at}` }))
    return [...faults, ...overlaps(spans)]
  })
}

const periodFaults = (field: string, periods: readonly Period[]): HoursFault[] =>
  periods.flatMap(({ open, close }, index): HoursFault[] => {
    const own = `${field}.${index}`
    const wrong = (['open', 'close'] as const).filter((side) => parseTime({ open, close }[side]) === null)
    if (wrong.length > 0) {
      return wrong.map((side) => {
        const message = `${JSON.stringify({ open, close }[side])} is not a time from 00:00 to 24:00.`
        return { field: `${own}.${side}`, code: 'not_a_time', message }
      })
    }
    if (open === '24:00') {
      return [{ field: `${own}.open`, code: 'opens_at_24', message: 'Put it on the next day, from 00:00.' }]
    }
    if (open === close) {
      const message = `${open} to ${close} is empty; the whole day is 00:00 to 24:00.`
      return [{ field: own, code: 'empty_period', message }]
    }
    return []
  })

/** What can be read; the rest has its own fault already. */
const readable = (periods: readonly Period[]): { span: Span; at: number }[] =>
  periods.flatMap((period, at) =>
    parseTime(period.open) === null || parseTime(period.close) === null || period.open === period.close
      ? []
      : [{ span: spanOf(period), at }],
  )

type Placed = Span & { field: string }

/** On the circle of one week: Sunday's night meets Monday's morning. */
const weeklyOverlaps = (weekly: BusinessHours['weekly']): HoursFault[] => {
  const placed = WEEKDAYS.flatMap((day, number) =>
    readable(weekly[day] ?? []).map(({ span, at }): Placed => {
      const midnight = number * DAY
      return { open: midnight + span.open, close: midnight + span.close, field: `weekly.${day}.${at}` }
    }),
  )
  const again = placed.map((span): Placed => ({ ...span, open: span.open + 7 * DAY, close: span.close + 7 * DAY }))
  return overlaps([...placed, ...again])
}

const overlaps = (placed: readonly Placed[]): HoursFault[] => {
  const sorted = placed.toSorted((a, b) => a.open - b.open)
  const faults = new Map<string, HoursFault>()
  let before: Placed | null = null
  for (const span of sorted) {
    if (before && span.open < before.close) {
      const message = `This period begins before ${before.field} ends.`
      faults.set(span.field, { field: span.field, code: 'overlapping_periods', message })
    }
    if (!before || span.close > before.close) before = span
  }
  return [...faults.values()]
}

/** Asked after the last dated exception: hours that open on a few named days only would leave later customers waiting. */
const neverOpens = (hours: BusinessHours): HoursFault[] => {
  const dates = (hours.exceptions ?? []).flatMap(({ date }) => {
    const parsed = parseDate(date)
    return parsed?.kind === 'once' ? [parsed.day] : []
  })
  const after = (Math.max(0, ...dates) + 3) * DAY
  if (findOpening(makeCalendar(hours), after) !== null) return []
  return [{ field: 'weekly', code: 'never_opens', message: 'With these hours nobody would ever be there.' }]
}
