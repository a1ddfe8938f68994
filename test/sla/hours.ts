import type { BusinessHours } from '../../src/sla/business-hours.js'

/** `09:00-12:00 13:00-17:00` as periods; an empty text is a closed day. */
export const periods = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((period) => {
      const [open = '', close = ''] = period.split('-')
      return { open, close }
    })

type Table = Partial<Record<keyof BusinessHours['weekly'], string>>

export const hoursOf = (timeZone: string, week: Table, exceptions: Record<string, string> = {}): BusinessHours => ({
  timeZone,
  weekly: Object.fromEntries(Object.entries(week).map(([day, text]) => [day, periods(text)])),
  exceptions: Object.entries(exceptions).map(([date, text]) => ({ date, periods: periods(text) })),
})

/** Monday to Friday, nine to five. */
export const office = (timeZone: string, exceptions: Record<string, string> = {}) => {
  const day = '09:00-17:00'
  return hoursOf(timeZone, { mon: day, tue: day, wed: day, thu: day, fri: day }, exceptions)
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** How often a property is tried; `PROPERTY_RUNS=100000` for a long night. */
export const RUNS = Number(process.env.PROPERTY_RUNS ?? 300)
