import { describe, expect, it } from '@jest/globals'
import {
  addBusinessTime,
  businessTimeBetween,
  checkHours,
  isOpen,
  nextOpening,
  openPeriods,
  type BusinessHours,
} from '../../src/sla/business-hours.js'
import { DAY, HOUR, hoursOf, MINUTE, office, periods, SECOND } from './hours.js'

const at = (text: string) => new Date(text)
const due = (hours: BusinessHours | null, from: string, milliseconds: number) =>
  addBusinessTime(hours, at(from), milliseconds).toISOString().replace(':00.000Z', 'Z')
const opening = (hours: BusinessHours | null, from: string) =>
  nextOpening(hours, at(from)).toISOString().replace(':00.000Z', 'Z')
const between = (hours: BusinessHours | null, from: string, to: string) => businessTimeBetween(hours, at(from), at(to))
const open = (hours: BusinessHours | null, from: string, to: string) =>
  [...openPeriods(hours, at(from), at(to))].map(
    (period) =>
      `${period.open.toISOString().replace(':00.000Z', 'Z')} ${period.close.toISOString().replace(':00.000Z', 'Z')}`,
  )

/** Another length every day, short on Saturday, closed on Sunday. 2 January 2006 is a Monday. */
const shop = hoursOf('UTC', {
  mon: '09:00-17:00',
  tue: '10:00-16:00',
  wed: '09:00-17:00',
  thu: '10:00-16:00',
  fri: '09:00-17:00',
  sat: '11:00-14:30',
})

describe('time is added only while people are there', () => {
  const longTuesday: BusinessHours = office('UTC')
  longTuesday.weekly.tue = periods('09:00-20:00')
  const openSaturday: BusinessHours = office('UTC')
  openSaturday.weekly.sat = periods('00:00-24:00')

  it.each<[string, BusinessHours | null, string, number, string]>([
    ['within the morning', office('UTC'), '2024-01-17T10:00Z', 2 * HOUR, '2024-01-17T12:00Z'],
    ['over the weekend', office('UTC'), '2024-01-19T16:00Z', 2 * HOUR, '2024-01-22T10:00Z'],
    ['from before opening', office('UTC'), '2024-01-17T07:00Z', 2 * HOUR, '2024-01-17T11:00Z'],
    ['from after closing', office('UTC'), '2024-01-17T18:00Z', 2 * HOUR, '2024-01-18T11:00Z'],
    ['from a Saturday', office('UTC'), '2024-01-20T10:00Z', 2 * HOUR, '2024-01-22T11:00Z'],
    ['over several days', office('UTC'), '2024-01-15T16:00Z', 10 * HOUR, '2024-01-17T10:00Z'],
    ['in the zone of the company', office('America/New_York'), '2024-01-19T21:00Z', 2 * HOUR, '2024-01-22T15:00Z'],
    ['on a Saturday that is open', openSaturday, '2024-01-20T10:00Z', 2 * HOUR, '2024-01-20T12:00Z'],
    ['on a whole day to its last minute', openSaturday, '2024-01-20T00:00Z', DAY, '2024-01-21T00:00Z'],
    ['where one day is longer', longTuesday, '2024-01-15T18:00Z', 10 * HOUR, '2024-01-16T19:00Z'],
    ['up to the later closing of that day', longTuesday, '2024-01-15T16:00Z', 12 * HOUR, '2024-01-16T20:00Z'],
    ['up to the closing, which is not the next opening', shop, '2006-01-04T13:00Z', 4 * HOUR, '2006-01-04T17:00Z'],
    ['one millisecond more is on the next day', shop, '2006-01-04T13:00Z', 4 * HOUR + 1, '2006-01-05T10:00:00.001Z'],
    ['by the second', shop, '2006-01-04T15:58:30Z', 90 * SECOND, '2006-01-04T16:00Z'],
    ['by the minute', shop, '2006-01-04T14:30Z', 90 * MINUTE, '2006-01-04T16:00Z'],
    ['by the hour', shop, '2006-01-04T13:00Z', 3 * HOUR, '2006-01-04T16:00Z'],
    ['nothing, outside hours: the next opening', shop, '2006-01-03T00:00Z', 0, '2006-01-03T10:00Z'],
    ['nothing, at the closing: the next opening', shop, '2006-01-03T16:00Z', 0, '2006-01-04T09:00Z'],
    ['nothing, within hours', shop, '2006-01-02T13:00Z', 0, '2006-01-02T13:00Z'],
    ['no hours configured: by the calendar', null, '2024-01-19T16:00Z', HOUR, '2024-01-19T17:00Z'],
    ['five years ahead', office('UTC'), '2024-01-15T09:00Z', 5 * 52 * 40 * HOUR, '2029-01-05T17:00Z'],
  ])('%s', (_case, hours, from, milliseconds, expected) => {
    expect(due(hours, from, milliseconds)).toBe(expected)
  })

  it.each<[string, string, string, number]>([
    ['by the second', '2006-01-04T16:00Z', '2006-01-04T16:01:30Z', 90 * SECOND],
    ['a night and two half days', '2006-01-05T12:00Z', '2006-01-06T12:00Z', 7 * HOUR],
    ['a whole week', '2006-01-02T00:00Z', '2006-01-09T00:00Z', 39.5 * HOUR],
    ['a Sunday', '2006-01-08T00:00Z', '2006-01-09T00:00Z', 0],
    ['no time at all', '2006-01-04T12:00Z', '2006-01-04T12:00Z', 0],
    ['one millisecond', '2006-01-04T12:00Z', '2006-01-04T12:00:00.001Z', 1],
    ['a year', '2006-01-02T00:00Z', '2007-01-01T00:00Z', 52 * 39.5 * HOUR],
  ])('and counted the same way: %s', (_case, from, to, expected) => {
    expect(between(shop, from, to)).toBe(expected)
  })

  it('by the calendar where no hours are configured', () => {
    expect(between(null, '2006-01-07T00:00Z', '2006-01-08T00:00Z')).toBe(DAY)
    expect(open(null, '2006-01-07T00:00Z', '2006-01-08T00:00Z')).toEqual(['2006-01-07T00:00Z 2006-01-08T00:00Z'])
    expect(open(null, '2006-01-07T00:00Z', '2006-01-07T00:00Z')).toEqual([])
    expect(opening(null, '2006-01-07T00:00Z')).toBe('2006-01-07T00:00Z')
    expect(isOpen(null, at('2006-01-07T00:00Z'))).toBe(true)
  })
})

describe('the door', () => {
  it.each<[string, string, boolean]>([
    ['is open in the middle of a morning', '2020-10-26T10:00Z', true],
    ['is open at the opening instant', '2020-10-26T09:00Z', true],
    ['is open a millisecond before closing', '2020-10-26T16:59:59.999Z', true],
    ['is shut at the closing instant', '2020-10-26T17:00Z', false],
    ['is shut a millisecond before opening', '2020-10-26T08:59:59.999Z', false],
    ['is shut half an hour after closing', '2021-09-10T17:30Z', false],
    ['is shut on Sunday', '2020-11-01T13:00Z', false],
  ])('%s', (_case, when, expected) => {
    expect(isOpen(office('UTC'), at(when))).toBe(expected)
  })

  it('opens next where it is not open, and now where it is', () => {
    expect(opening(office('UTC'), '2020-10-31T12:00Z')).toBe('2020-11-02T09:00Z')
    expect(opening(office('UTC'), '2020-11-02T12:34Z')).toBe('2020-11-02T12:34Z')
    expect(opening(office('UTC'), '2020-11-02T17:00Z')).toBe('2020-11-03T09:00Z')
  })

  it('closes for lunch', () => {
    const split = hoursOf('UTC', { mon: '09:00-12:00 13:30-18:00' })
    expect(due(split, '2024-01-15T11:00Z', 2 * HOUR)).toBe('2024-01-15T14:30Z')
    expect(isOpen(split, at('2024-01-15T13:00Z'))).toBe(false)
  })

  it('stays open past midnight', () => {
    const bar = hoursOf('UTC', { fri: '18:00-02:00' })
    expect(isOpen(bar, at('2024-01-20T01:59Z'))).toBe(true)
    expect(isOpen(bar, at('2024-01-20T02:00Z'))).toBe(false)
    expect(isOpen(bar, at('2024-01-19T01:00Z'))).toBe(false)
    expect(open(bar, '2024-01-19T00:00Z', '2024-01-27T00:00Z')).toEqual([
      '2024-01-19T18:00Z 2024-01-20T02:00Z',
      '2024-01-26T18:00Z 2024-01-27T00:00Z',
    ])
  })

  it('stays open past midnight from Sunday to Monday', () => {
    expect(isOpen(hoursOf('UTC', { sun: '22:00-06:00' }), at('2024-01-22T05:00Z'))).toBe(true)
  })

  it('is open for a whole day where opening and closing are the same', () => {
    expect(between(hoursOf('UTC', { mon: '08:00-08:00' }), '2024-01-15T00:00Z', '2024-01-20T00:00Z')).toBe(DAY)
  })

  it('has one period where two overlap or touch', () => {
    const overlapping = hoursOf('UTC', { mon: '09:00-12:00 11:00-14:00 14:00-15:00 09:30-10:00', tue: '08:00-09:00' })
    expect(open(overlapping, '2024-01-15T00:00Z', '2024-01-16T00:00Z')).toEqual(['2024-01-15T09:00Z 2024-01-15T15:00Z'])
    expect(between(overlapping, '2024-01-15T00:00Z', '2024-01-16T00:00Z')).toBe(6 * HOUR)
  })

  it('opens in the order of the day, whatever the order in which it was written', () => {
    const disorder = hoursOf('UTC', { mon: '14:00-15:00 09:00-10:00' })
    expect(open(disorder, '2024-01-15T00:00Z', '2024-01-16T00:00Z')).toEqual([
      '2024-01-15T09:00Z 2024-01-15T10:00Z',
      '2024-01-15T14:00Z 2024-01-15T15:00Z',
    ])
    expect(opening(disorder, '2024-01-15T00:00Z')).toBe('2024-01-15T09:00Z')
  })

  it('counts once what two periods say, over a year as well', () => {
    const twice = hoursOf('UTC', { mon: '09:00-12:00 11:00-14:00' })
    expect(between(twice, '2024-01-01T00:00Z', '2024-12-30T00:00Z')).toBe(52 * 5 * HOUR)
  })

  it('never shuts where every day is whole', () => {
    const day = '00:00-24:00'
    const always = hoursOf('Europe/Berlin', { mon: day, tue: day, wed: day, thu: day, fri: day, sat: day, sun: day })
    expect(open(always, '2024-01-01T00:00Z', '2024-12-31T00:00Z')).toEqual(['2024-01-01T00:00Z 2024-12-31T00:00Z'])
    expect(due(always, '2024-01-01T00:00Z', 400 * DAY)).toBe('2025-02-04T00:00Z')
  })
})

describe('an exception', () => {
  it.each<[string, Record<string, string>, string, string[]]>([
    ['closes a day', { '2024-01-17': '' }, '2024-01-17', []],
    ['gives a day other hours', { '2024-01-17': '12:00-14:00' }, '2024-01-17', ['12:00 14:00']],
    ['opens a day that is closed', { '2024-01-20': '10:00-11:00' }, '2024-01-20', ['10:00 11:00']],
    ['comes back every year', { '01-17': '' }, '2024-01-17', []],
    ['for one date beats the yearly one', { '01-17': '', '2024-01-17': '10:00-11:00' }, '2024-01-17', ['10:00 11:00']],
    ['for one date beats it when it closes, too', { '2024-01-17': '', '01-17': '10:00-11:00' }, '2024-01-17', []],
    ['does not touch the same day of another year', { '2023-01-17': '' }, '2024-01-17', ['09:00 17:00']],
    ['comes back in ten thousand years', { '01-17': '' }, '+012024-01-17', []],
    ['on 29 February counts in a leap year', { '02-29': '' }, '2024-02-29', []],
    ['on 29 February leaves 1 March of another year alone', { '02-29': '' }, '2023-03-01', ['09:00 17:00']],
    ['may run past midnight', { '2024-01-19': '22:00-03:00' }, '2024-01-20', ['00:00 03:00']],
    [
      'splits a day',
      { '2024-01-17': '09:00-10:00 11:30-13:00 14:00-17:00' },
      '2024-01-17',
      ['09:00 10:00', '11:30 13:00', '14:00 17:00'],
    ],
  ])('%s', (_case, exceptions, date, expected) => {
    const hours = office('UTC', exceptions)
    const day = open(hours, `${date}T00:00Z`, new Date(at(`${date}T00:00Z`).getTime() + DAY).toISOString())
    expect(day.map((period) => period.replaceAll(/\d{4}-\d\d-\d\dT(\d\d:\d\d)Z/g, '$1'))).toEqual(expected)
  })

  it('leaves the tail of the night before', () => {
    const nights = hoursOf('UTC', { fri: '22:00-06:00', sat: '22:00-06:00' }, { '2024-01-20': '' })
    expect(open(nights, '2024-01-19T00:00Z', '2024-01-23T00:00Z')).toEqual(['2024-01-19T22:00Z 2024-01-20T06:00Z'])
  })

  it('takes away the tail of the night that would have opened on its date', () => {
    const nights = hoursOf('UTC', { sat: '22:00-06:00' }, { '2024-01-20': '' })
    expect(isOpen(nights, at('2024-01-21T03:00Z'))).toBe(false)
  })

  it('may open hours that are otherwise closed, until there are none left', () => {
    const fair = hoursOf('UTC', {}, { '2024-05-01': '10:00-12:00' })
    expect(due(fair, '2020-01-01T00:00Z', 2 * HOUR)).toBe('2024-05-01T12:00Z')
    expect(() => addBusinessTime(fair, at('2020-01-01T00:00Z'), 2 * HOUR + 1)).toThrow(/not open for 7200001 ms/)
    expect(() => nextOpening(fair, at('2024-05-01T12:00Z'))).toThrow(/never open after 2024-05-01/)
  })

  it('skips the holidays on the way', () => {
    const closed = {
      ...shop,
      exceptions: [
        { date: '2006-01-16', periods: [] },
        { date: '2006-01-18', periods: [] },
      ],
    }
    expect(open(closed, '2006-01-14T00:00Z', '2006-01-20T00:00Z')).toEqual([
      '2006-01-14T11:00Z 2006-01-14T14:30Z',
      '2006-01-17T10:00Z 2006-01-17T16:00Z',
      '2006-01-19T10:00Z 2006-01-19T16:00Z',
    ])
  })
})

describe('when the clocks change', () => {
  it.each<[string, BusinessHours, string, string, string[]]>([
    [
      'a time that does not exist moves forward by the gap',
      hoursOf('America/Los_Angeles', { sun: '02:30-12:00' }),
      '2014-03-09T00:00Z',
      '2014-03-10T00:00Z',
      ['2014-03-09T10:30Z 2014-03-09T19:00Z'],
    ],
    [
      'of two equal times the first counts when opening',
      hoursOf('America/Los_Angeles', { sun: '01:30-04:00' }),
      '2014-11-02T00:00Z',
      '2014-11-03T00:00Z',
      ['2014-11-02T08:30Z 2014-11-02T12:00Z'],
    ],
    [
      'of two equal times the first counts when closing',
      hoursOf('America/Los_Angeles', { sun: '00:00-01:30' }),
      '2014-11-02T00:00Z',
      '2014-11-03T00:00Z',
      ['2014-11-02T07:00Z 2014-11-02T08:30Z'],
    ],
    [
      'the hour after the two equal ones comes once',
      hoursOf('America/Los_Angeles', { sun: '02:00-04:00' }),
      '2014-11-02T00:00Z',
      '2014-11-03T00:00Z',
      ['2014-11-02T10:00Z 2014-11-02T12:00Z'],
    ],
    [
      'a midnight that does not exist is one in the morning',
      hoursOf('America/Sao_Paulo', { sat: '20:00-24:00' }),
      '2015-10-17T00:00Z',
      '2015-10-19T00:00Z',
      ['2015-10-17T23:00Z 2015-10-18T03:00Z'],
    ],
    [
      'hours that the gap swallows are not open',
      hoursOf('America/Los_Angeles', { sun: '02:30-03:15' }),
      '2006-04-02T00:00Z',
      '2006-04-08T00:00Z',
      [],
    ],
    [
      'hours within the gap are moved as a whole',
      hoursOf('Europe/Berlin', { sun: '02:00-02:45' }),
      '2024-03-31T00:00Z',
      '2024-04-01T00:00Z',
      ['2024-03-31T01:00Z 2024-03-31T01:45Z'],
    ],
    [
      'half an hour is a gap, too',
      hoursOf('Australia/Lord_Howe', { sun: '02:15-04:00' }),
      '2024-10-05T00:00Z',
      '2024-10-07T00:00Z',
      ['2024-10-05T15:45Z 2024-10-05T17:00Z'],
    ],
    [
      'a day that an island left out moves to the next',
      hoursOf('Pacific/Apia', { fri: '09:00-12:00' }),
      '2011-12-29T00:00Z',
      '2012-01-02T00:00Z',
      ['2011-12-30T19:00Z 2011-12-30T22:00Z'],
    ],
  ])('%s', (_case, hours, from, to, expected) => {
    expect(open(hours, from, to)).toEqual(expected)
  })

  it.each<[string, string, string, number]>([
    ['the night in spring is an hour shorter', '2024-03-30T21:00Z', '2024-03-31T10:00Z', 7 * HOUR],
    ['the night in autumn is an hour longer', '2024-10-26T20:00Z', '2024-10-27T10:00Z', 9 * HOUR],
    ['an ordinary night is as written', '2024-06-15T20:00Z', '2024-06-16T10:00Z', 8 * HOUR],
  ])('%s', (_case, from, to, expected) => {
    expect(between(hoursOf('Europe/Berlin', { sat: '22:00-06:00' }), from, to)).toBe(expected)
  })

  it('nine in the morning is nine in the morning, in summer and in winter', () => {
    const hours = office('Europe/Berlin')
    expect(opening(hours, '2024-03-29T20:00Z')).toBe('2024-04-01T07:00Z')
    expect(opening(hours, '2024-10-25T20:00Z')).toBe('2024-10-28T08:00Z')
    expect(due(hours, '2024-03-29T15:00Z', 2 * HOUR)).toBe('2024-04-01T08:00Z')
  })

  it('a quarter of an hour beside the full hour is read as such', () => {
    expect(opening(office('Asia/Kathmandu'), '2024-01-16T00:00Z')).toBe('2024-01-16T03:15Z')
    expect(opening(office('Pacific/Chatham'), '2024-01-15T12:00Z')).toBe('2024-01-15T19:15Z')
    expect(opening(office('America/St_Johns'), '2024-01-16T00:00Z')).toBe('2024-01-16T12:30Z')
  })

  it('hours that the gap swallows to the minute are no opening', () => {
    const hours = hoursOf('America/Los_Angeles', { sun: '02:00-03:00' })
    expect(opening(hours, '2006-04-01T00:00Z')).toBe('2006-04-09T09:00Z')
  })

  it('two changes a week apart are both seen', () => {
    const hours = hoursOf('America/Recife', { mon: '09:00-10:00' })
    expect(['2000-10-02', '2000-10-09', '2000-10-16'].map((day) => opening(hours, `${day}T00:00Z`))).toEqual([
      '2000-10-02T12:00Z',
      '2000-10-09T11:00Z',
      '2000-10-16T12:00Z',
    ])
  })

  it('offsets of old days have seconds', () => {
    expect(nextOpening(hoursOf('Africa/Monrovia', { mon: '09:00-10:00' }), at('1950-01-02T00:00Z')).toISOString()).toBe(
      '1950-01-02T09:44:30.000Z',
    )
  })
})

describe('what makes no sense is refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a negative duration',
      () => addBusinessTime(office('UTC'), at('2024-01-15'), -1),
      /zero or more milliseconds, not -1/,
    ],
    ['a negative duration without hours', () => addBusinessTime(null, at('2024-01-15'), -1), /zero or more/],
    ['a duration that is no number', () => addBusinessTime(null, at('2024-01-15'), NaN), /zero or more/],
    ['an endless duration', () => addBusinessTime(office('UTC'), at('2024-01-15'), Infinity), /zero or more/],
    ['a time span that runs backwards', () => between(office('UTC'), '2024-01-16', '2024-01-15'), /lies before/],
    ['one without hours, too', () => between(null, '2024-01-16', '2024-01-15'), /lies before/],
    ['an unknown zone', () => isOpen(office('Mars/Olympus'), at('2024-01-15')), /Unknown time zone: "Mars\/Olympus"/],
    ['an offset for a zone', () => nextOpening(office('+02:00'), at('2024-01-15')), /Unknown time zone/],
    ['no zone', () => nextOpening(office(''), at('2024-01-15')), /Unknown time zone/],
    ['an invalid date', () => isOpen(office('UTC'), at('never')), /invalid date/],
    ['an invalid date without hours', () => isOpen(null, at('never')), /invalid date/],
    [
      'a time that no clock shows',
      () => isOpen(hoursOf('UTC', { mon: '09:00-25:61' }), at('2024-01-15')),
      /Not a time of day: \{"open":"09:00","close":"25:61"\}/,
    ],
    [
      'an opening that no clock shows',
      () => isOpen(hoursOf('UTC', { mon: '9:00-17:00' }), at('2024-01-15')),
      /Not a time of day: \{"open":"9:00","close":"17:00"\}/,
    ],
    [
      'a day that no calendar shows',
      () => isOpen(office('UTC', { '02-31': '' }), at('2024-01-15')),
      /Not a date: "02-31"/,
    ],
    ['hours that never open', () => addBusinessTime(hoursOf('UTC', {}), at('2024-01-15'), 1), /not open for 1 ms/],
    [
      'hours that never open, asked for nothing',
      () => addBusinessTime(hoursOf('UTC', {}), at('2024-01-15'), 0),
      /never open/,
    ],
    [
      'hours that never open, asked when',
      () => nextOpening(hoursOf('UTC', { mon: '' }), at('2024-01-15')),
      /never open/,
    ],
    ['more time than four centuries hold', () => addBusinessTime(office('UTC'), at('2024-01-15'), 1e13), /400 years/],
    ['a longer span than four centuries', () => between(office('UTC'), '1500-01-01', '2024-01-01'), /400 years/],
    ['a result that no date can hold', () => addBusinessTime(null, at('2024-01-15'), 1e18), /beyond what a date/],
  ])('%s', (_case, act, message) => {
    expect(act).toThrow(RangeError)
    expect(act).toThrow(message)
  })

  it('and the reason that the runtime gives is kept', () => {
    expect.assertions(1)
    try {
      isOpen(office('Mars/Olympus'), at('2024-01-15'))
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(Error)
    }
  })

  it('hours that never open are simply not open, and count nothing', () => {
    expect(isOpen(hoursOf('UTC', {}), at('2024-01-15'))).toBe(false)
    expect(between(hoursOf('UTC', {}), '2024-01-15', '2025-01-15')).toBe(0)
  })

  it('hours that open only on 29 February are found across a century without one', () => {
    expect(opening(hoursOf('UTC', {}, { '02-29': '10:00-11:00' }), '2096-03-01')).toBe('2104-02-29T10:00Z')
  })
})

describe('hours that are to be saved', () => {
  it.each<[string, BusinessHours]>([
    ['an ordinary week', office('Europe/Berlin')],
    ['split shifts', hoursOf('UTC', { mon: '09:00-12:00 12:00-13:00 14:00-18:00' })],
    ['nights that meet', hoursOf('UTC', { sun: '22:00-06:00', mon: '06:00-14:00 22:00-06:00' })],
    ['a whole day', hoursOf('UTC', { sat: '00:00-24:00' })],
    ['closed on 29 February', office('UTC', { '02-29': '', '2024-02-29': '' })],
    ['open only one day a year', hoursOf('UTC', {}, { '12-24': '00:00-24:00' })],
    ['no exceptions at all', { timeZone: 'UTC', weekly: { mon: periods('09:00-10:00') } }],
  ])('pass: %s', (_case, hours) => {
    expect(checkHours(hours)).toEqual([])
  })

  const everyDate = Array.from({ length: 366 }, (_, day) =>
    new Date(Date.UTC(2000, 0, 1 + day)).toISOString().slice(5, 10),
  )

  it.each<[string, BusinessHours, string[]]>([
    ['an unknown zone', office('Europe/Atlantis'), ['timeZone unknown_zone']],
    [
      '25:61',
      hoursOf('UTC', { mon: '25:61-26:00' }),
      ['weekly.mon.0.open not_a_time', 'weekly.mon.0.close not_a_time'],
    ],
    ['24:01', hoursOf('UTC', { mon: '09:00-24:01' }), ['weekly.mon.0.close not_a_time']],
    ['9:00', hoursOf('UTC', { mon: '9:00-10:00' }), ['weekly.mon.0.open not_a_time']],
    ['a time with more before it', hoursOf('UTC', { mon: '109:00-10:00' }), ['weekly.mon.0.open not_a_time']],
    ['a time with more behind it', hoursOf('UTC', { mon: '09:000-10:00' }), ['weekly.mon.0.open not_a_time']],
    ['09:60', hoursOf('UTC', { mon: '09:60-10:00' }), ['weekly.mon.0.open not_a_time']],
    [
      'an empty text',
      { timeZone: 'UTC', weekly: { mon: [{ open: '09:00', close: '' }] } },
      ['weekly.mon.0.close not_a_time'],
    ],
    ['an empty period', hoursOf('UTC', { tue: '09:00-09:00' }), ['weekly.tue.0 empty_period']],
    [
      'an empty period before another',
      hoursOf('UTC', { tue: '09:00-09:00 10:00-11:00' }),
      ['weekly.tue.0 empty_period'],
    ],
    ['an opening at 24:00', hoursOf('UTC', { tue: '24:00-02:00' }), ['weekly.tue.0.open opens_at_24']],
    ['overlapping periods', hoursOf('UTC', { tue: '09:00-12:00 11:00-13:00' }), ['weekly.tue.1 overlapping_periods']],
    [
      'periods in disorder that overlap',
      hoursOf('UTC', { tue: '11:00-13:00 09:00-12:00' }),
      ['weekly.tue.0 overlapping_periods'],
    ],
    [
      'a short period inside a long one',
      hoursOf('UTC', { tue: '09:00-18:00 10:00-11:00 17:00-19:00' }),
      ['weekly.tue.1 overlapping_periods', 'weekly.tue.2 overlapping_periods'],
    ],
    [
      'a night that runs into the morning',
      hoursOf('UTC', { mon: '22:00-06:00', tue: '05:00-09:00' }),
      ['weekly.tue.0 overlapping_periods'],
    ],
    [
      "Sunday's night that runs into Monday",
      hoursOf('UTC', { sun: '22:00-06:00', mon: '05:00-09:00' }),
      ['weekly.mon.0 overlapping_periods'],
    ],
    [
      'an unknown day',
      {
        timeZone: 'UTC',
        weekly: { monday: periods('09:00-10:00'), mon: periods('09:00-10:00') } as BusinessHours['weekly'],
      },
      ['weekly.monday unknown_day'],
    ],
    ['31 February', office('UTC', { '02-31': '' }), ['exceptions.0.date not_a_date']],
    ['29 February of a year without', office('UTC', { '2023-02-29': '' }), ['exceptions.0.date not_a_date']],
    ['the thirteenth month', office('UTC', { '2023-13-01': '' }), ['exceptions.0.date not_a_date']],
    ['a day zero', office('UTC', { '2023-01-00': '' }), ['exceptions.0.date not_a_date']],
    ['a date in another order', office('UTC', { '24.12.2023': '' }), ['exceptions.0.date not_a_date']],
    ['a date with more before it', office('UTC', { 'on 12-24': '' }), ['exceptions.0.date not_a_date']],
    ['a date with more behind it', office('UTC', { '2023-12-24T00:00': '' }), ['exceptions.0.date not_a_date']],
    [
      'the same date twice',
      {
        ...office('UTC'),
        exceptions: [
          { date: '12-24', periods: [] },
          { date: '12-24', periods: [] },
        ],
      },
      ['exceptions.1.date duplicate_date'],
    ],
    [
      'overlaps within an exception',
      office('UTC', { '12-24': '09:00-12:00 11:00-13:00' }),
      ['exceptions.0.periods.1 overlapping_periods'],
    ],
    [
      'a wrong time within an exception',
      office('UTC', { '12-24': '09:00-12:99' }),
      ['exceptions.0.periods.0.close not_a_time'],
    ],
    [
      'an empty period within an exception',
      office('UTC', { '12-24': '09:00-09:00' }),
      ['exceptions.0.periods.0 empty_period'],
    ],
    ['no period at all', hoursOf('UTC', { mon: '' }), ['weekly never_opens']],
    ['a minute less than a day in a year', hoursOf('UTC', {}, { '12-24': '00:00-23:59' }), ['weekly hardly_opens']],
    ['only every leap year', hoursOf('UTC', {}, { '02-29': '09:00-17:00' }), ['weekly hardly_opens']],
    ['open on one date and never again', hoursOf('UTC', {}, { '2024-05-01': '10:00-12:00' }), ['weekly never_opens']],
    [
      'a week that every date of the year takes back',
      office('UTC', Object.fromEntries(everyDate.map((date) => [date, '']))),
      ['weekly never_opens'],
    ],
    [
      'several things at once',
      office('Nowhere', { '02-30': '10:00-10:00' }),
      ['timeZone unknown_zone', 'exceptions.0.periods.0 empty_period', 'exceptions.0.date not_a_date'],
    ],
  ])('are refused by field: %s', (_case, hours, expected) => {
    const faults = checkHours(hours)
    expect(faults.map(({ field, code }) => `${field} ${code}`)).toEqual(expected)
    for (const { message } of faults) expect(message).toMatch(/\.$/)
  })

  it.each<[string, BusinessHours, string[]]>([
    [
      'a zone, a day and a time',
      hoursOf('Mars', { mon: '25:61-10:00' }, { '02-31': '' }),
      ['There is no time zone "Mars".', '"25:61" is not a time from 00:00 to 24:00.', 'There is no 02-31.'],
    ],
    ['a closing time', hoursOf('UTC', { mon: '09:00-9.30' }), ['"9.30" is not a time from 00:00 to 24:00.']],
    [
      'a day of the week',
      { timeZone: 'UTC', weekly: { monday: periods('09:00-10:00') } as BusinessHours['weekly'] },
      ['There is no day monday.'],
    ],
    ['a late opening', hoursOf('UTC', { tue: '24:00-02:00' }), ['Put it on the next day, from 00:00.']],
    [
      'an empty period',
      hoursOf('UTC', { tue: '09:00-09:00' }),
      ['09:00 to 09:00 is empty; the whole day is 00:00 to 24:00.'],
    ],
    [
      'which period is in the way, the one that was there first',
      hoursOf('UTC', { tue: '09:00-12:00 10:00-12:00 11:00-13:00' }),
      ['This period begins before weekly.tue.0 ends.', 'This period begins before weekly.tue.0 ends.'],
    ],
    [
      'a night of Sunday in the way of Monday',
      hoursOf('UTC', { sun: '22:00-06:00', mon: '05:00-09:00' }),
      ['This period begins before weekly.sun.0 ends.'],
    ],
    [
      'a day that was there already',
      { ...office('UTC'), exceptions: Array.from({ length: 2 }, () => ({ date: '12-24', periods: [] })) },
      ['12-24 has an exception already.'],
    ],
    ['that nobody would come', hoursOf('UTC', {}), ['With these hours nobody would ever be there.']],
    [
      'that hardly anybody would come',
      hoursOf('UTC', {}, { '02-29': '09:00-17:00' }),
      ['With these hours nobody is there for even a day a year.'],
    ],
  ])('are refused in words that name %s', (_case, hours, expected) => {
    expect(checkHours(hours).map(({ message }) => message)).toEqual(expected)
  })

  it('are looked at anew each time: a form that is being filled in is one object', () => {
    const draft = hoursOf('UTC', {})
    expect(checkHours(draft)).toHaveLength(1)
    draft.weekly.mon = periods('09:00-10:00')
    expect(checkHours(draft)).toEqual([])
  })
})
