import type { Answer } from '../server/client.js'

export type OpeningHours = Pick<Answer<'hours', 'get'>, 'hours' | 'outside' | 'channels' | 'teams'>
export type Hours = NonNullable<OpeningHours['hours']>
export type Period = { open: string; close: string }
export type HoursException = NonNullable<Hours['exceptions']>[number]

export const DAYS = [
  'mon',
  'tue',
  'wed',
  'thu',
  'fri',
  'sat',
  'sun',
] as const satisfies readonly (keyof Hours['weekly'])[]

/** 1 January 2024 was a Monday. */
export const dayName = (language: string, day: (typeof DAYS)[number], weekday: 'long' | 'short'): string =>
  new Intl.DateTimeFormat(language, { weekday, timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + DAYS.indexOf(day)))

export const monthNames = (language: string): string[] =>
  Array.from({ length: 12 }, (_, month) =>
    new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, month, 1)),
  )

/** Minutes since midnight; `null`: not a time yet. */
export const minutesOf = (time: string): number | null => {
  const read = /^(\d\d):(\d\d)$/.exec(time)
  return read ? Number(read[1]) * 60 + Number(read[2]) : null
}

/** What closes at midnight still closes on its own day. */
export const isNextDay = ({ open, close }: Period): boolean => {
  const [from, to] = [minutesOf(open), minutesOf(close)]
  return from !== null && to !== null && to < from && to > 0
}

const WORKDAY: Period[] = [{ open: '09:00', close: '17:00' }]

/** To begin with: working days in the zone of whoever begins. */
export const usualHours = (): Hours => ({
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  weekly: Object.fromEntries(DAYS.slice(0, 5).map((day) => [day, WORKDAY.map((period) => ({ ...period }))])),
  exceptions: [],
})

/** Holidays that are not there yet; a day that has an exception keeps it. */
export const withHolidays = (
  exceptions: readonly HoursException[],
  holidays: readonly { date: string; name: string }[],
): HoursException[] => {
  const known = new Set(exceptions.map(({ date }) => date))
  const added = holidays.filter(({ date }) => !known.has(date)).map(({ date, name }) => ({ date, name, periods: [] }))
  return [...exceptions, ...added].sort((a, b) => (a.date < b.date ? -1 : 1))
}
