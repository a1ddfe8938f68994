import { describe, expect, it } from '@jest/globals'
import { readHolidays } from '../../src/sla/holidays.js'

const calendar = (...lines: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR'].join('\r\n')
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1@example.test', ...lines, 'END:VEVENT']

const holidays = (text: string) => {
  const read = readHolidays(text)
  if (read.kind !== 'read') throw new Error(read.fault.message)
  return read.holidays
}
const refusal = (text: string) => {
  const read = readHolidays(text)
  return read.kind === 'refused' ? [read.fault.code, read.fault.line, read.fault.message] : 'read'
}
const day = 'DTSTART;VALUE=DATE:20260501'

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

  it('is read with folded lines, bare line feeds, zones, tasks and alarms that say nothing here', () => {
    const text = calendar(
      'BEGIN:VTIMEZONE',
      'BEGIN:STANDARD',
      'DTSTART:19701025T030000',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
      'END:STANDARD',
      'END:VTIMEZONE',
      'BEGIN:VTODO',
      'RDATE:20260102',
      'END:VTODO',
      ...event(
        'SUMMARY;LANGUAGE="de;x:y";ALTREP="cid:1":Tag der Arbeit\\, der erste\\; ',
        ' im Mai',
        day,
        'BEGIN:VALARM',
        'DURATION:PT15M',
        'END:VALARM',
      ),
    ).replaceAll('\r\n', '\n')
    expect(holidays(text)).toEqual([{ date: '2026-05-01', name: 'Tag der Arbeit, der erste; im Mai' }])
  })

  it('is read however it was saved: with a byte order mark, empty lines, small letters, blanks at the end', () => {
    const text = `\r\n${calendar('', 'calscale:gregorian', ...event(`${day}  `, 'summary: Labour Day ')).toLowerCase()}\r\n`
    expect(readHolidays(text)).toEqual({ kind: 'read', holidays: [{ date: '2026-05-01', name: 'labour day' }] })
    expect(holidays(`\uFEFF${calendar(...event(day))}`)).toHaveLength(1)
  })

  it.each([
    ['a name over two lines', 'SUMMARY:\\nBetween\\Nthe years\\n', 'Between the years'],
    ['a name with a backslash', 'SUMMARY:C:\\\\new', 'C:\\new'],
    ['no name', 'CLASS:PUBLIC', ''],
    ['a name as long as a page', `SUMMARY:${'ho'.repeat(500)}`, 'ho'.repeat(60)],
    ['a name behind a quote that never ends', 'SUMMARY;X="a:Fair', 'SUMMARY;X="a:Fair'],
  ])('closes a day with %s', (_what, summary, name) => {
    expect(holidays(calendar(...event(day, summary)))).toEqual([{ date: '2026-05-01', name }])
  })

  it.each([
    ['the week begins on Monday', 'RRULE:FREQ=YEARLY;WKST=MO'],
    ['every single year', 'RRULE:FREQ=YEARLY;INTERVAL=1'],
    ['a semicolon too many', 'RRULE:FREQ=YEARLY;'],
    ['zeros in front', 'RRULE:FREQ=YEARLY;BYMONTH=05;BYMONTHDAY=001'],
  ])('comes back every year: %s', (_what, rule) => {
    expect(holidays(calendar(...event(day, rule)))).toEqual([{ date: '05-01', name: '' }])
  })

  it('may come back on a tenth of October, zeros and all', () => {
    const rule = 'RRULE:FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=10'
    expect(holidays(calendar(...event('DTSTART;VALUE=DATE:20261010', rule)))).toEqual([{ date: '10-10', name: '' }])
  })

  it('leaves out what was cancelled and says a day once', () => {
    expect(holidays(calendar(...event('STATUS:CANCELLED', day)))).toEqual([])
    expect(holidays(calendar(...event('SUMMARY:One', day), ...event('SUMMARY:Two', day)))).toEqual([
      { date: '2026-05-01', name: 'One' },
    ])
  })

  it.each([
    ['not a calendar at all', 'hello', 'not_a_calendar', 'The file does not begin with BEGIN:VCALENDAR.'],
    ['nothing', '', 'not_a_calendar', 'The file does not begin with BEGIN:VCALENDAR.'],
    ['a visiting card', 'BEGIN:VCARD\nEND:VCARD', 'not_a_calendar', 'The file does not begin with BEGIN:VCALENDAR.'],
    [
      'a rule for every second',
      calendar(...event(day, 'RRULE:FREQ=SECONDLY')),
      'recurrence_not_supported',
      'RRULE FREQ=SECONDLY is not supported.',
    ],
    [
      'a rule without a frequency',
      calendar(...event(day, 'RRULE:INTERVAL=1')),
      'recurrence_not_supported',
      'RRULE without FREQ=YEARLY.',
    ],
    [
      'every other year',
      calendar(...event(day, 'RRULE:FREQ=YEARLY;INTERVAL=2')),
      'recurrence_not_supported',
      'RRULE INTERVAL=2 is not supported.',
    ],
    [
      'a moving feast',
      calendar(...event(day, 'RRULE:FREQ=YEARLY;BYDAY=4TH')),
      'recurrence_not_supported',
      'RRULE BYDAY=4TH is not supported.',
    ],
    [
      'a rule with an end',
      calendar(...event(day, 'RRULE:FREQ=YEARLY;COUNT=3')),
      'recurrence_not_supported',
      'RRULE COUNT=3 is not supported.',
    ],
    [
      'a rule on another day',
      calendar(...event(day, 'RRULE:FREQ=YEARLY;BYMONTHDAY=2')),
      'recurrence_not_supported',
      'RRULE BYMONTHDAY=2 is not supported.',
    ],
    [
      'a rule on a hundred and first day',
      calendar(...event('DTSTART;VALUE=DATE:20260511', 'RRULE:FREQ=YEARLY;BYMONTHDAY=101')),
      'recurrence_not_supported',
      'RRULE BYMONTHDAY=101 is not supported.',
    ],
    [
      'a rule of a whole page, which is not repeated',
      calendar(...event(day, `RRULE:FREQ=YEARLY;BYDAY=${'MO,'.repeat(500)}`)),
      'recurrence_not_supported',
      `RRULE BYDAY=${'MO,'.repeat(18)} is not supported.`,
    ],
    ...['RDATE', 'EXDATE', 'EXRULE', 'DURATION', 'RECURRENCE-ID'].map((name) => [
      `what changes the days: ${name}`,
      calendar(...event(day, `${name}:20260102`)),
      'property_not_supported',
      `${name} is not supported.`,
    ]),
    [
      'an hour of a day',
      calendar(...event('DTSTART:20260101T090000Z')),
      'not_a_whole_day',
      'DTSTART 20260101T090000Z is a time of day; only whole days are supported.',
    ],
    [
      'an hour with a page behind it',
      calendar(...event(`DTSTART:20260101T09${'0'.repeat(500)}`)),
      'not_a_whole_day',
      'DTSTART 20260101T09000000000 is a time of day; only whole days are supported.',
    ],
    ['31 February', calendar(...event('DTSTART;VALUE=DATE:20260231')), 'not_a_date', 'DTSTART 20260231 is not a day.'],
    ['a word for a day', calendar(...event('DTSTART:TODAY')), 'not_a_date', 'DTSTART TODAY is not a day.'],
    ['a day without a year', calendar(...event('DTSTART:05-01')), 'not_a_date', 'DTSTART 05-01 is not a day.'],
    [
      'a page for a day, which is not repeated',
      calendar(...event(`DTSTART:${'2026'.repeat(500)}`)),
      'not_a_date',
      `DTSTART ${'2026'.repeat(5)} is not a day.`,
    ],
    ['an event without a day', calendar(...event('SUMMARY:Some day')), 'not_a_date', 'An event has no DTSTART.'],
    [
      'an end before the beginning',
      calendar(...event('DTSTART;VALUE=DATE:20260102', 'DTEND;VALUE=DATE:20260101')),
      'ends_before_it_begins',
      'An event ends before it begins.',
    ],
    [
      'an end at the beginning',
      calendar(...event('DTSTART;VALUE=DATE:20260102', 'DTEND;VALUE=DATE:20260102')),
      'ends_before_it_begins',
      'An event ends before it begins.',
    ],
    [
      'ten years off',
      calendar(...event('DTSTART;VALUE=DATE:20260101', 'DTEND;VALUE=DATE:20360101')),
      'event_too_long',
      'A holiday lasts at most 60 days.',
    ],
  ])('is refused by name: %s', (_what, text, code, message) => {
    expect(refusal(text)).toEqual([code, expect.any(Number), message])
  })

  it.each<[string, string[], number, string]>([
    ['an event', ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:1'], 2, 'VEVENT is not closed.'],
    ['a calendar', ['BEGIN:VCALENDAR', ...event(day)], 1, 'VCALENDAR is not closed.'],
    ['an alarm', ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'BEGIN:VALARM'], 3, 'VALARM is not closed.'],
    ['parts that cross', ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'END:VCALENDAR'], 3, 'END:VCALENDAR closes nothing here.'],
    ['an end of nothing', ['BEGIN:VCALENDAR', 'END:VCALENDAR', 'END:VEVENT'], 3, 'END:VEVENT closes nothing here.'],
    ['a part with a long name', ['BEGIN:VCALENDAR', `BEGIN:${'X'.repeat(99)}`], 2, `${'X'.repeat(20)} is not closed.`],
    [
      'an end with a long name',
      ['BEGIN:VCALENDAR', `END:${'X'.repeat(99)}`],
      2,
      `END:${'X'.repeat(20)} closes nothing here.`,
    ],
  ])('is refused where it was cut off: %s', (_what, lines, line, message) => {
    expect(refusal(lines.join('\n'))).toEqual(['event_not_closed', line, message])
  })

  it('is refused when it is a bomb: too long, too many events, too many days', () => {
    const padded = (length: number) => calendar(''.padEnd(length - calendar('').length, 'x'))
    expect(refusal(padded(512 * 1024))).toBe('read')
    expect(refusal(padded(512 * 1024 + 1))).toEqual([
      'file_too_long',
      1,
      'A calendar is at most 524288 characters long.',
    ])

    const events = (number: number) => calendar(...Array.from({ length: number }, () => event(day)).flat())
    expect(refusal(events(1_000))).toBe('read')
    expect(refusal(events(1_001))).toEqual(['too_many_events', 4_003, 'A calendar has at most 1000 events.'])

    // Sixty days of each of six years, and then forty.
    const days = (last: string) =>
      calendar(
        ...[2030, 2031, 2032, 2033, 2034, 2035].flatMap((year) => event(`DTSTART:${year}0601`, `DTEND:${year}0731`)),
        ...event('DTSTART:20360601', `DTEND:${last}`),
      )
    expect(holidays(days('20360711'))).toHaveLength(400)
    expect(refusal(days('20360712'))).toEqual([
      'too_many_days',
      expect.any(Number),
      'A calendar has at most 400 holidays.',
    ])
  })

  it('names the line of what it refuses, as the admin sees it in an editor', () => {
    expect(refusal(calendar('', ...event(day, 'SUMMARY:Over', ' two lines', 'RRULE:FREQ=DAILY')))).toEqual([
      'recurrence_not_supported',
      9,
      'RRULE FREQ=DAILY is not supported.',
    ])
  })

  it('is not blamed for a fault of the program', () => {
    expect(() => readHolidays(undefined as unknown as string)).toThrow(TypeError)
  })
})
