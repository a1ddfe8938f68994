import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  addBusinessTime,
  businessTimeBetween,
  checkHours,
  isOpen,
  nextOpening,
  openPeriods,
  WEEKDAYS,
  type BusinessHours,
  type Period,
} from '../../src/sla/business-hours.js'
import { DAY, HOUR, MINUTE, RUNS } from './hours.js'
import { MinuteByMinute } from './minute-by-minute.js'

/** Zones and the local days around which their clocks change; the first has none. */
const CHANGES: [zone: string, ...days: string[]][] = [
  ['Asia/Kathmandu', '2024-03-01'],
  ['Australia/Lord_Howe', '2024-04-07', '2024-10-06'],
  ['Pacific/Chatham', '2024-04-07', '2024-09-29'],
  ['Africa/Cairo', '2024-04-26', '2024-11-01'],
  ['America/Santiago', '2024-04-07', '2024-09-08'],
  ['America/St_Johns', '2024-03-10', '2006-04-02', '2006-10-29'],
  ['America/New_York', '2024-03-10', '2024-11-03'],
  ['Europe/London', '2024-03-31', '2024-10-27'],
  ['America/Sao_Paulo', '2018-11-04', '2018-02-18'],
  ['Africa/Casablanca', '2024-03-10', '2024-04-14'],
  ['America/Havana', '2024-03-10', '2024-11-03'],
  ['Asia/Tehran', '2021-03-22', '2021-09-22'],
  ['Pacific/Apia', '2011-12-30'],
  ['UTC', '2024-02-29'],
]

const place = fc.constantFrom(...CHANGES.flatMap(([zone, ...days]) => days.map((day) => ({ zone, day }))))

const time = fc.oneof(
  fc.constantFrom(
    '00:00',
    '00:30',
    '01:00',
    '01:45',
    '02:00',
    '02:15',
    '02:30',
    '03:00',
    '09:00',
    '17:00',
    '23:30',
    '24:00',
  ),
  fc.integer({ min: 0, max: 1439 }).map((minute) => {
    return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  }),
)
const period: fc.Arbitrary<Period> = fc.record({ open: time, close: time })
const day = fc.array(period, { maxLength: 3 })

/** Hours with exceptions near the change of the clocks, of both kinds. */
const hoursAt = ({ zone, day: near }: { zone: string; day: string }): fc.Arbitrary<BusinessHours> => {
  const date = fc.integer({ min: -5, max: 5 }).map((days) => {
    return new Date(new Date(near).getTime() + days * DAY).toISOString().slice(0, 10)
  })
  const exception = fc
    .record({ date, yearly: fc.boolean(), periods: day })
    .map(({ date: full, yearly, periods }) => ({ date: yearly ? full.slice(5) : full, periods }))
  return fc
    .record({
      week: fc.tuple(day, day, day, day, day, day, day),
      // From 24:00 to 00:00 no time passes: hours of nothing else never open, and are never saved.
      always: fc.record({
        weekday: fc.constantFrom(...WEEKDAYS),
        period: period.filter(({ open }) => open !== '24:00'),
      }),
      exceptions: fc.uniqueArray(exception, { selector: (entry) => entry.date, maxLength: 4 }),
    })
    .map(({ week, always, exceptions }) => {
      const weekly: BusinessHours['weekly'] = Object.fromEntries(
        WEEKDAYS.map((name, index) => [name, week[index] ?? []]),
      )
      weekly[always.weekday] = [...(weekly[always.weekday] ?? []), always.period]
      return { timeZone: zone, weekly, exceptions }
    })
}

/** A time within four days of the change, to the millisecond, more often on a full half hour. */
const around = (near: string) => {
  const middle = new Date(near).getTime()
  return fc
    .oneof(
      fc.integer({ min: -4 * DAY, max: 4 * DAY }),
      fc.integer({ min: -4 * 48, max: 4 * 48 }).map((half) => half * 30 * MINUTE),
    )
    .map((offset) => new Date(middle + offset))
}

const scene = place.chain((where) =>
  fc.record({
    hours: hoursAt(where),
    moments: fc
      .tuple(around(where.day), around(where.day), around(where.day))
      .map((dates) => dates.toSorted((a, b) => a.getTime() - b.getTime())),
    near: fc.constant(where.day),
    short: fc.oneof(
      fc.integer({ min: 1, max: 10 * HOUR }),
      fc.integer({ min: 1, max: 20 }).map((half) => half * 30 * MINUTE),
    ),
    long: fc.integer({ min: 1, max: 3000 * HOUR }),
  }),
)

const first = <T>([value]: readonly T[]): T => value as T

describe('for any week, any exceptions, any change of the clocks', () => {
  it('business time is what counting minute by minute says', () => {
    fc.assert(
      fc.property(scene, ({ hours, moments: [from, , to], near, short }) => {
        const counted = new MinuteByMinute(hours, near)
        const start = first([from as Date])
        const end = first([to as Date])
        expect(isOpen(hours, start)).toBe(counted.isOpen(start))
        expect(businessTimeBetween(hours, start, end)).toBe(counted.between(start, end))
        const opens = counted.nextOpening(start)
        if (opens) expect(nextOpening(hours, start)).toEqual(opens)
        const due = counted.add(start, short)
        if (due) expect(addBusinessTime(hours, start, short)).toEqual(due)
      }),
      { numRuns: RUNS },
    )
  })

  it('adding and counting undo each other', () => {
    fc.assert(
      fc.property(scene, ({ hours, moments: [from = new Date(0)], short, long }) => {
        for (const duration of [short, long]) {
          const due = addBusinessTime(hours, from, duration)
          expect(businessTimeBetween(hours, from, due)).toBe(duration)
          // The earliest such instant: a millisecond before, a millisecond is missing.
          expect(businessTimeBetween(hours, from, new Date(due.getTime() - 1))).toBe(duration - 1)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('later starts and longer times are never due earlier', () => {
    fc.assert(
      fc.property(scene, ({ hours, moments: [from = new Date(0), later = from], short, long }) => {
        const due = (start: Date, duration: number) => addBusinessTime(hours, start, duration).getTime()
        expect(due(later, short)).toBeGreaterThanOrEqual(due(from, short))
        expect(due(from, short + long)).toBeGreaterThan(due(from, short))
        expect(due(from, short)).toBeGreaterThanOrEqual(nextOpening(hours, from).getTime())
        expect(nextOpening(hours, later).getTime()).toBeGreaterThanOrEqual(nextOpening(hours, from).getTime())
      }),
      { numRuns: RUNS },
    )
  })

  it('a wait in two parts is the wait as a whole', () => {
    fc.assert(
      fc.property(scene, ({ hours, moments: [from = new Date(0), middle = from, to = from], short, long }) => {
        const between = (start: Date, end: Date) => businessTimeBetween(hours, start, end)
        expect(between(from, middle) + between(middle, to)).toBe(between(from, to))
        const inTwo = addBusinessTime(hours, addBusinessTime(hours, from, long), short)
        expect(inTwo).toEqual(addBusinessTime(hours, from, long + short))
      }),
      { numRuns: RUNS },
    )
  })

  it('the periods lie apart, in order, and hold all the time there is', () => {
    fc.assert(
      fc.property(scene, ({ hours, moments: [from = new Date(0), , to = from] }) => {
        const found = [...openPeriods(hours, from, to)]
        expect(found.reduce((sum, { open, close }) => sum + close.getTime() - open.getTime(), 0)).toBe(
          businessTimeBetween(hours, from, to),
        )
        for (const [index, { open, close }] of found.entries()) {
          expect(isOpen(hours, open)).toBe(true)
          expect(isOpen(hours, new Date(close.getTime() - 1))).toBe(true)
          if (close < to) expect(isOpen(hours, close)).toBe(false)
          expect(open < close && close < (found[index + 1]?.open ?? new Date(8e15))).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('what is accepted when saved can always be reckoned with, at any time and in any zone', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    const anywhere = fc.record({
      timeZone: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...zones) }, { weight: 1, arbitrary: fc.string() }),
      weekly: fc.dictionary(fc.constantFrom(...WEEKDAYS), fc.array(period, { maxLength: 2 })),
      exceptions: fc.array(
        fc.record({
          date: fc.oneof(fc.constantFrom('12-25', '02-29', '02-31', '2024-02-29', '2023-02-29'), fc.string()),
          periods: day,
        }),
        { maxLength: 2 },
      ),
    })
    const when = fc.date({ min: new Date('1950-01-01'), max: new Date('2150-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(anywhere, when, fc.integer({ min: 0, max: 366 * DAY }), (hours, from, duration) => {
        if (checkHours(hours).length > 0) return
        const due = addBusinessTime(hours, from, duration)
        expect(businessTimeBetween(hours, from, due)).toBe(duration)
      }),
      { numRuns: RUNS },
    )
  })
})
