import { useLanguage, useT } from '../languages/index.js'
import { useMinute } from './clock.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** "now", "5 min", "14:05", "Mon", "3 Mar": as short as can be, with the whole of it on hover. */
export const When = ({ at }: { at: string }) => {
  const language = useLanguage()
  const t = useT()
  const present = useMinute()
  const date = new Date(at)
  const age = present - date.getTime()
  return (
    <time dateTime={at} title={format(language, date, { dateStyle: 'full', timeStyle: 'short' })}>
      {age < 60_000 ? t('time.now') : short(language, date, age, present)}
    </time>
  )
}

const short = (language: string, date: Date, age: number, present: number): string => {
  if (age < HOUR_MS)
    return new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'short' }).format(
      Math.floor(age / 60_000),
    )
  if (sameDay(date, new Date(present))) return clockTime(language, date)
  if (age < 6 * DAY_MS) return format(language, date, { weekday: 'short' })
  return format(language, date, { day: 'numeric', month: 'short' })
}

export const clockTime = (language: string, date: Date): string => format(language, date, { timeStyle: 'short' })

/** "Today", "Yesterday", "Monday, 2 March". */
export const dayName = (language: string, date: Date, present: number): string => {
  const days = Math.round((midnight(date) - midnight(new Date(present))) / DAY_MS)
  if (days > -2 && days < 1)
    return capital(new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day'))
  return format(language, date, { weekday: 'long', day: 'numeric', month: 'long' })
}

export const fullDate = (language: string, at: string): string =>
  format(language, new Date(at), { dateStyle: 'medium' })

/** As short as it stays clear: "14:05" today, "Mon 14:05" within the week, the day and month beyond it. */
export const momentOf = (language: string, date: Date, present: number): string => {
  if (sameDay(date, new Date(present))) return clockTime(language, date)
  const time = { hour: 'numeric', minute: '2-digit' } as const
  if (Math.abs(date.getTime() - present) < 6 * DAY_MS) return format(language, date, { weekday: 'short', ...time })
  const year = date.getFullYear() === new Date(present).getFullYear() ? {} : ({ year: 'numeric' } as const)
  return format(language, date, { day: 'numeric', month: 'short', ...year, ...time })
}

export const sameDay = (one: Date, other: Date): boolean => midnight(one) === midnight(other)

const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1)

const formats = new Map<string, Intl.DateTimeFormat>()

const format = (language: string, date: Date, options: Intl.DateTimeFormatOptions): string => {
  const key = language + JSON.stringify(options)
  const made = formats.get(key) ?? new Intl.DateTimeFormat(language, options)
  formats.set(key, made)
  return made.format(date)
}
