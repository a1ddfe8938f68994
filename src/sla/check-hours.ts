import {
  count,
  DAY,
  findOpening,
  makeCalendar,
  parseDate,
  parseTime,
  spanOf,
  WEEKDAYS,
  type BusinessHours,
  type Period,
  type Span,
} from './calendar.js'
import { zoneNamed } from './zone.js'

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
    | 'hardly_opens'
  message: string
}

/** Everything that is wrong with hours before they are saved, by field; nothing found is an empty list. */
export const checkHours = (hours: BusinessHours): HoursFault[] => {
  const faults = [...zoneFaults(hours), ...weeklyFaults(hours), ...exceptionFaults(hours)]
  return faults.length > 0 ? faults : tooRare(hours)
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
    ...WEEKDAYS.flatMap((day) => periodFaults(`weekly.${day}`, periodsOn(weekly, day))),
    ...weeklyOverlaps(weekly),
  ]
}

const periodsOn = (weekly: BusinessHours['weekly'], day: (typeof WEEKDAYS)[number]) => weekly[day] ?? []

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
    readable(periodsOn(weekly, day)).map(({ span, at }): Placed => {
      const midnight = number * DAY
      return { open: midnight + span.open, close: midnight + span.close, field: `weekly.${day}.${at}` }
    }),
  )
  const before = placed.map((span): Placed => ({ ...span, open: span.open - 7 * DAY, close: span.close - 7 * DAY }))
  return overlaps([...before, ...placed])
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

/** A day a year, so that any target of a policy is reached within the 400 years that are looked at. */
const FOUR_YEARS = 1461 * DAY
const LEAST_IN_FOUR_YEARS = 4 * DAY

/** Asked after the last dated exception: hours that open on a few named days only would leave later customers waiting. */
const tooRare = (hours: BusinessHours): HoursFault[] => {
  const dates =
    hours.exceptions?.flatMap(({ date }) => {
      const parsed = parseDate(date)
      return parsed?.kind === 'once' ? [parsed.day] : []
    }) ?? []
  const after = (Math.max(0, ...dates) + 3) * DAY
  const calendar = makeCalendar(hours)
  if (count(calendar, after, after + FOUR_YEARS) >= LEAST_IN_FOUR_YEARS) return []
  return findOpening(calendar, after) === null
    ? [{ field: 'weekly', code: 'never_opens', message: 'With these hours nobody would ever be there.' }]
    : [{ field: 'weekly', code: 'hardly_opens', message: 'With these hours nobody is there for even a day a year.' }]
}
