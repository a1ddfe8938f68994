import { describe, expect, it } from '@jest/globals'
import { readHolidays } from '../../src/sla/holidays.js'

const calendar = (...lines: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR'].join('\r\n')
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1@example.test', ...lines, 'END:VEVENT']

const holidays = (text: string) => {
  const read = readHolidays(text)
  if (read.kind === 'refused') throw new Error(read.fault.message)
  return read.holidays
}
const refusal = (text: string) => {
  const read = readHolidays(text)
  return read.kind === 'refused' ? [read.fault.code, read.fault.line] : 'read'
}

describe('a calendar of holidays', () => {
  it('closes single days, several in a row up to the day before the end, and days of every year', () => {
    const text = calendar(
      ...event('SUMMARY:Labour Day', 'DTSTART;VALUE=DATE:20260501'),
      ...event('SUMMARY:Between the years', 'DTSTART;VALUE=DATE:20261229', 'DTEND;VALUE=DATE:20270102'),
      ...event('SUMMARY:Christmas', 'DTSTART;VALUE=DATE:20201225', 'RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25'),
    )
    expect(holidays(text)).toEqual([
      { date: '12-25', name: 'Christmas' },
      { date: '2026-05-01', name: 'Labour Day' },
      { date: '2026-12-29', name: 'Between the years' },
      { date: '2026-12-30', name: 'Between the years' },
      { date: '2026-12-31', name: 'Between the years' },
      { date: '2027-01-01', name: 'Between the years' },
    ])
  })

  it('is read with folded lines, escapes, bare line feeds, a byte order mark, zones and alarms that say nothing here', () => {
    const text = `\uFEFF${calendar(
      'BEGIN:VTIMEZONE',
      'BEGIN:STANDARD',
      'DTSTART:19701025T030000',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
      'END:STANDARD',
      'END:VTIMEZONE',
      ...event(
        'SUMMARY;LANGUAGE="de;x:y":Tag der Arbeit\\, der erste\\; ',
        ' im Mai',
        'DTSTART;VALUE=DATE:20260501',
        'BEGIN:VALARM',
        'DURATION:PT15M',
        'END:VALARM',
      ),
    ).replaceAll('\r\n', '\n')}`
    expect(holidays(text)).toEqual([{ date: '2026-05-01', name: 'Tag der Arbeit, der erste; im Mai' }])
  })

  it('leaves out what was cancelled and says a day once', () => {
    const day = 'DTSTART;VALUE=DATE:20260501'
    expect(holidays(calendar(...event('STATUS:CANCELLED', day)))).toEqual([])
    expect(holidays(calendar(...event('SUMMARY:One', day), ...event('SUMMARY:Two', day)))).toEqual([
      { date: '2026-05-01', name: 'One' },
    ])
  })

  it.each([
    ['not a calendar at all', 'hello', 'not_a_calendar'],
    ['nothing', '', 'not_a_calendar'],
    [
      'a rule for every second',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=SECONDLY')),
      'recurrence_not_supported',
    ],
    [
      'a rule without a frequency',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:INTERVAL=1')),
      'recurrence_not_supported',
    ],
    [
      'a moving feast',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=YEARLY;BYDAY=4TH')),
      'recurrence_not_supported',
    ],
    [
      'a rule with an end',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=YEARLY;COUNT=3')),
      'recurrence_not_supported',
    ],
    [
      'a rule on another day',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=YEARLY;BYMONTHDAY=2')),
      'recurrence_not_supported',
    ],
    [
      'a rule named like a part of every object',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=YEARLY;__PROTO__=1')),
      'recurrence_not_supported',
    ],
    [
      'dates beside the rule',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'RDATE:20260102')),
      'property_not_supported',
    ],
    ['an hour of a day', calendar(...event('DTSTART:20260101T090000Z')), 'not_a_whole_day'],
    ['31 February', calendar(...event('DTSTART;VALUE=DATE:20260231')), 'not_a_date'],
    ['an event without a day', calendar(...event('SUMMARY:Some day')), 'not_a_date'],
    [
      'an end before the beginning',
      calendar(...event('DTSTART;VALUE=DATE:20260102', 'DTEND;VALUE=DATE:20260101')),
      'ends_before_it_begins',
    ],
    ['ten years off', calendar(...event('DTSTART;VALUE=DATE:20260101', 'DTEND;VALUE=DATE:20360101')), 'event_too_long'],
    ['an event that never ends', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101', 'event_not_closed'],
    ['parts that cross', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR', 'event_not_closed'],
  ])('is refused by name: %s', (_what, text, code) => {
    expect(refusal(text)).toEqual([code, expect.any(Number)])
  })

  it('is refused when it is a bomb: too long, too many events, too many days', () => {
    expect(refusal(calendar('X:'.padEnd(600_000, 'x')))).toEqual(['file_too_long', 1])
    const many = Array.from({ length: 1_001 }, () => event('DTSTART;VALUE=DATE:20260101')).flat()
    expect(refusal(calendar(...many))).toEqual(['too_many_events', expect.any(Number)])
    const long = Array.from({ length: 8 }, (_, index) =>
      event(`DTSTART;VALUE=DATE:20${30 + index}0101`, `DTEND;VALUE=DATE:20${30 + index}0301`),
    ).flat()
    expect(refusal(calendar(...long))).toEqual(['too_many_days', expect.any(Number)])
  })

  it('names the line of what it refuses', () => {
    expect(refusal(calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=DAILY')))).toEqual([
      'recurrence_not_supported',
      6,
    ])
  })
})
