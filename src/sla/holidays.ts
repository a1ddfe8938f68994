import { DAY, parseDate } from './calendar.js'

/** A day on which nobody is there: `YYYY-MM-DD` once, `MM-DD` every year. */
export type Holiday = { date: string; name: string }

export type HolidayFault = {
  /** The line of the file, from 1. */
  line: number
  code:
    | 'not_a_calendar'
    | 'file_too_long'
    | 'too_many_events'
    | 'too_many_days'
    | 'not_a_date'
    | 'not_a_whole_day'
    | 'ends_before_it_begins'
    | 'event_too_long'
    | 'recurrence_not_supported'
    | 'property_not_supported'
    | 'event_not_closed'
  message: string
}

type Read = { kind: 'read'; holidays: Holiday[] } | { kind: 'refused'; fault: HolidayFault }

/** Characters of a file, events in it, days of one event, days in all: a calendar of holidays is far below each of them. */
const LONGEST_FILE = 512 * 1024
const MOST_EVENTS = 1_000
const LONGEST_EVENT_DAYS = 60
const MOST_DAYS = 400
const NAME_LENGTH = 120

/**
 * The holidays in an iCalendar file (RFC 5545): whole days, once or every year. Whatever would need more than that is
 * refused by name and nothing of the file is taken: half a calendar is worse than none.
 */
export const readHolidays = (text: string): Read => {
  try {
    return { kind: 'read', holidays: daysOf(eventsOf(text)) }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', fault: error.fault }
    throw error
  }
}

class Refused extends Error {
  constructor(readonly fault: HolidayFault) {
    super(fault.message)
  }
}

const refuse = (line: number, code: HolidayFault['code'], message: string): never => {
  throw new Refused({ line, code, message })
}

type Property = { line: number; name: string; value: string }
type Event = { line: number; properties: Map<string, Property> }

/** Section 3.1: a line that begins with a blank goes on where the one before ended. */
const propertiesOf = (text: string): Property[] => {
  const found: { line: number; text: string }[] = []
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const last = found.at(-1)
    if (last && /^[ \t]/.test(line)) last.text += line.slice(1)
    else if (line !== '') found.push({ line: index + 1, text: line })
  }
  return found.map(({ line, text: whole }) => ({
    line,
    // Parameters say nothing here. What is trimmed may be a byte order mark.
    name: whole
      .replace(/[;:].*/s, '')
      .trim()
      .toUpperCase(),
    // Between quotes, a colon belongs to a parameter.
    value: whole.replace(/^[^":]*(?:"[^"]*"[^":]*)*:/, '').trim(),
  }))
}

/** What says when an event happens, and is not understood here, must not be passed over. */
const NOT_SUPPORTED = ['RDATE', 'EXDATE', 'EXRULE', 'DURATION', 'RECURRENCE-ID']

const eventsOf = (text: string): Event[] => {
  if (text.length > LONGEST_FILE) refuse(1, 'file_too_long', `A calendar is at most ${LONGEST_FILE} characters long.`)
  const properties = propertiesOf(text)
  const [first] = properties
  if (first?.name !== 'BEGIN' || first.value.toUpperCase() !== 'VCALENDAR') {
    refuse(first?.line ?? 1, 'not_a_calendar', 'The file does not begin with BEGIN:VCALENDAR.')
  }
  const events: Event[] = []
  /** Parts that are open, the outermost first. Of parts other than events nothing is read. */
  const open: { line: number; part: string }[] = []
  const inEvent = () => open[1]?.part === 'VEVENT' && open.length === 2
  for (const property of properties) {
    const { line, name, value } = property
    if (name === 'BEGIN') {
      open.push({ line, part: value.toUpperCase() })
      if (!inEvent()) continue
      if (events.length === MOST_EVENTS)
        refuse(line, 'too_many_events', `A calendar has at most ${MOST_EVENTS} events.`)
      events.push({ line, properties: new Map() })
    } else if (name === 'END') {
      if (open.pop()?.part !== value.toUpperCase()) {
        refuse(line, 'event_not_closed', `END:${value.slice(0, 20)} closes nothing here.`)
      }
    } else {
      const event = inEvent() ? events.at(-1) : undefined
      if (event && NOT_SUPPORTED.includes(name)) refuse(line, 'property_not_supported', `${name} is not supported.`)
      event?.properties.set(name, property)
    }
  }
  const left = open.at(-1)
  if (left) refuse(left.line, 'event_not_closed', `${left.part.slice(0, 20)} is not closed.`)
  return events
}

const daysOf = (events: readonly Event[]): Holiday[] => {
  const names = new Map<string, string>()
  for (const { line, properties } of events) {
    if (properties.get('STATUS')?.value.toUpperCase() === 'CANCELLED') continue
    const start = properties.get('DTSTART')
    if (!start) return refuse(line, 'not_a_date', 'An event has no DTSTART.')
    const first = dayOf(start)
    const end = properties.get('DTEND')
    // Section 3.6.1: the end is the day after the last one; without it, it is one day.
    const after = end ? dayOf(end) : first + 1
    if (after <= first) refuse(line, 'ends_before_it_begins', 'An event ends before it begins.')
    if (after - first > LONGEST_EVENT_DAYS) {
      refuse(line, 'event_too_long', `A holiday lasts at most ${LONGEST_EVENT_DAYS} days.`)
    }
    const rule = properties.get('RRULE')
    const yearly = rule ? isYearly(rule, first) : false
    const name = nameOf(properties.get('SUMMARY'))
    for (let day = first; day < after; day += 1) {
      const date = new Date(day * DAY).toISOString().slice(yearly ? 5 : 0, 10)
      if (!names.has(date)) names.set(date, name)
    }
    if (names.size > MOST_DAYS) refuse(line, 'too_many_days', `A calendar has at most ${MOST_DAYS} holidays.`)
  }
  return [...names].sort().map(([date, name]) => ({ date, name }))
}

/** Days since 1 January 1970. */
const dayOf = ({ line, name, value }: Property): number => {
  const given = `${name} ${value.slice(0, 20)}`
  if (/\dT\d/.test(value)) {
    return refuse(line, 'not_a_whole_day', `${given} is a time of day; only whole days are supported.`)
  }
  const parsed = parseDate(value.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3'))
  if (parsed?.kind !== 'once') return refuse(line, 'not_a_date', `${given} is not a day.`)
  return parsed.day
}

/** Every year on its own date, without an end: all that a yearly exception can say. */
const isYearly = ({ line, value }: Property, first: number): true => {
  const date = new Date(first * DAY)
  const allowed = ['FREQ=YEARLY', 'INTERVAL=1', `BYMONTH=${date.getUTCMonth() + 1}`, `BYMONTHDAY=${date.getUTCDate()}`]
  const parts = value
    .toUpperCase()
    .replace(/=0+(?=\d)/g, '=')
    .split(';')
    // What a week begins with changes nothing here.
    .filter((part) => part !== '' && !part.startsWith('WKST='))
  const odd = parts.find((part) => !allowed.includes(part))
  if (odd !== undefined) return refuse(line, 'recurrence_not_supported', `RRULE ${odd.slice(0, 60)} is not supported.`)
  if (!parts.includes('FREQ=YEARLY')) return refuse(line, 'recurrence_not_supported', 'RRULE without FREQ=YEARLY.')
  return true
}

/** Section 3.3.11. */
const nameOf = (summary: Property | undefined): string =>
  (summary?.value ?? '')
    .replace(/\\(.)/g, (_pair, escaped: string) => (/n/i.test(escaped) ? ' ' : escaped))
    .trim()
    .slice(0, NAME_LENGTH)
