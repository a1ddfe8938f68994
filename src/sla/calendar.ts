import { zoneNamed, type Zone } from './zone.js'

/** Local wall times, `HH:MM`. `24:00` is midnight at the end of the day; `close` ≤ `open` closes on the next day. */
export type Period = { open: string; close: string }

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type Weekday = (typeof WEEKDAYS)[number]

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
export const DAY = 86_400_000

// Business time is one sequence of half-open periods [open, close) on the line of absolute time, sorted, apart from each
// other. It is made lazily in stretches of four weeks, which are cut at fixed instants and therefore never overlap; every
// question is a fold over it. Always open (null) is the sequence with one endless period.

export const STRETCH = 28 * DAY
const DAYS_IN_400_YEARS = 146_097
/** The calendar repeats after 400 years: what has not opened by then never will. Also the furthest a question may reach. */
export const FURTHEST = Math.ceil((DAYS_IN_400_YEARS * DAY) / STRETCH)
/** Some 40 years per hours object. */
const STRETCHES_KEPT = 520

type Stretch = { opens: number[]; closes: number[]; total: number }
export type Calendar = (index: number) => Stretch

/** Milliseconds after the local midnight of the day on which the period opens; `close` may lie on the next day. */
export type Span = { open: number; close: number }

const calendars = new WeakMap<BusinessHours, Calendar>()

/** Made once per hours object. Throws a RangeError for what cannot be read. */
export const calendarOf = (hours: BusinessHours): Calendar => {
  const known = calendars.get(hours)
  if (known) return known
  const calendar = makeCalendar(hours)
  calendars.set(hours, calendar)
  return calendar
}

export const makeCalendar = (hours: BusinessHours): Calendar => {
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
  const yearly = new Map<string, Span[]>()
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

// ── The folds that several questions share ──────────────────────────────────────────────────────────────────────────

/** Open milliseconds in [start, end). */
export const count = (calendar: Calendar, start: number, end: number): number => {
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

/** The first open instant from `start` on; `null` where the hours never open again. */
export const findOpening = (calendar: Calendar, start: number): number | null => {
  const first = Math.floor(start / STRETCH)
  for (let index = first; index <= first + FURTHEST; index += 1) {
    const { opens, closes } = calendar(index)
    for (let at = 0; at < opens.length; at += 1) {
      if ((closes[at] ?? 0) > start) return Math.max(opens[at] ?? 0, start)
    }
  }
  return null
}

// ── Reading what was written ────────────────────────────────────────────────────────────────────────────────────────

/** Milliseconds after midnight; `null` for what no clock shows. */
export const parseTime = (text: string): number | null => {
  if (text === '24:00') return DAY
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  return hours === undefined ? null : Number(hours) * 60 * MINUTE + Number(minutes) * MINUTE
}

export const spanOf = ({ open, close }: Period): Span => {
  const opens = parseTime(open)
  const closes = parseTime(close)
  if (opens === null || closes === null) throw new RangeError(`Not a time of day: ${JSON.stringify({ open, close })}`)
  return { open: opens, close: closes <= opens ? closes + DAY : closes }
}

/** `MM-DD`, of years with more than four digits too. */
const monthDayOf = (day: number): string => new Date(day * DAY).toISOString().slice(-19, -14)

type ExceptionDate = { kind: 'once'; day: number } | { kind: 'yearly'; monthDay: string }

/** `null` for a date that is in no calendar. */
export const parseDate = (text: string): ExceptionDate | null => {
  const [, year, month, dayOfMonth] = /^(?:(\d{4})-)?(\d\d)-(\d\d)$/.exec(text) ?? []
  // 2000 had a 29 February: as a yearly date it counts in the years that have one. Asked 400 years later, because
  // Date.UTC takes the years 0 to 99 for those of the last century.
  const date = new Date(Date.UTC(Number(year ?? 2000) + 400, Number(month) - 1, Number(dayOfMonth)))
  // A calendar that rolls 31 February over into March does not say the same month back.
  if (date.getUTCMonth() !== Number(month) - 1) return null
  const day = date.getTime() / DAY - DAYS_IN_400_YEARS
  return year === undefined ? { kind: 'yearly', monthDay: text } : { kind: 'once', day }
}
