import { describe, expect, it } from '@jest/globals'
import { explain } from '../../src/sla/explain.js'
import { at, clock, conversation, promise } from './conversation.js'
import { HOUR, hoursOf, office } from './hours.js'

const texts = (...given: Parameters<typeof explain>) => explain(...given).map(({ text }) => text)

describe('why is this due then?', () => {
  const hours = office('Europe/Berlin')
  const policy = promise({ time: 'business' })

  it('because it came in the evening and counts from the morning', () => {
    const found = clock(at('20:00', conversation('17:30 customer'), { policy, hours }), 'first_response')
    expect(texts(found, hours)).toEqual([
      'Mon 15 Jan 2024, 18:30: the first response clock starts with customer message e1; 1 h of business time (policy pol_1, version 3)',
      'Closed until Tue 16 Jan 2024, 09:00',
      'From Tue 16 Jan 2024, 09:00 to Tue 16 Jan 2024, 10:00: 1 h, 1 h so far',
      'Due Tue 16 Jan 2024, 10:00',
    ])
  })

  it('because it waited for the customer meanwhile', () => {
    const history = conversation(
      '14:00 customer',
      '15:00:30 pending',
      '1 09:00 customer',
      '1 09:30 urgent',
      '1 09:40 pending',
    )
    const reading = at('1 10:00', history, { policy, hours })
    expect(texts(clock(reading, 'resolution'), hours)).toEqual([
      'Mon 15 Jan 2024, 15:00: the resolution clock starts with customer message e1; 8 h of business time (policy pol_1, version 3)',
      'From Mon 15 Jan 2024, 15:00 to Mon 15 Jan 2024, 16:00:30: 1 h 30 s, 1 h 30 s so far',
      'Mon 15 Jan 2024, 16:00:30: stands still, state pending (e2)',
      'Tue 16 Jan 2024, 10:00: goes on, customer message e3',
      'From Tue 16 Jan 2024, 10:00 to Tue 16 Jan 2024, 10:30: 30 min, 1 h 30 min 30 s so far',
      'Tue 16 Jan 2024, 10:30: priority urgent (e4); from now on 2 h of business time',
      'From Tue 16 Jan 2024, 10:30 to Tue 16 Jan 2024, 10:40: 10 min, 1 h 40 min 30 s so far',
      'Tue 16 Jan 2024, 10:40: stands still, state pending (e5)',
    ])
  })

  it('because the promise was broken at its deadline, and the answer came later', () => {
    const found = clock(at('20:00', conversation('10:00 customer', '12:00 agent')), 'first_response')
    expect(texts(found, null)).toEqual([
      'Mon 15 Jan 2024, 10:00: the first response clock starts with customer message e1; 1 h of calendar time (policy pol_1, version 3)',
      'From Mon 15 Jan 2024, 10:00 to Mon 15 Jan 2024, 11:00: 1 h, 1 h so far',
      'Mon 15 Jan 2024, 11:00: 1 h of calendar time used up, the promise is broken',
      'From Mon 15 Jan 2024, 11:00 to Mon 15 Jan 2024, 12:00: 1 h, 2 h so far',
      'Mon 15 Jan 2024, 12:00: ended, human reply e2',
    ])
  })

  it('because many days went by, which are summed up', () => {
    const month = { first_response: null, next_response: null, resolution: 80 * HOUR }
    const slow = promise({ time: 'business', targets: { low: month, normal: month, high: month, urgent: month } })
    const found = clock(at('10:00', conversation('08:00 customer'), { policy: slow, hours }), 'resolution')
    expect(texts(found, hours).slice(1)).toEqual([
      'From Mon 15 Jan 2024, 09:00 to Mon 15 Jan 2024, 17:00: 8 h, 8 h so far',
      'From Tue 16 Jan 2024, 09:00 to Tue 16 Jan 2024, 17:00: 8 h, 16 h so far',
      '7 more openings until Thu 25 Jan 2024, 17:00: 56 h, 72 h so far',
      'From Fri 26 Jan 2024, 09:00 to Fri 26 Jan 2024, 17:00: 8 h, 80 h so far',
      'Due Fri 26 Jan 2024, 17:00',
    ])
  })

  it('because six days went by, each of which is told', () => {
    const week = { first_response: null, next_response: null, resolution: 48 * HOUR }
    const slow = promise({ time: 'business', targets: { low: week, normal: week, high: week, urgent: week } })
    const found = clock(at('10:00', conversation('08:00 customer'), { policy: slow, hours }), 'resolution')
    expect(texts(found, hours).filter((text) => text.startsWith('From'))).toHaveLength(6)
  })

  it('because nobody was there while the customer was asked', () => {
    const history = conversation('18:00 customer', '19:00 on_hold')
    expect(
      texts(clock(at('20:00', history, { policy: { ...policy, pausedIn: ['on_hold'] }, hours }), 'resolution'), hours),
    )
      // The zone is an hour ahead.
      .toEqual([
        'Mon 15 Jan 2024, 19:00: the resolution clock starts with customer message e1; 8 h of business time (policy pol_1, version 3)',
        'Closed until Mon 15 Jan 2024, 20:00',
        'Mon 15 Jan 2024, 20:00: stands still, state on hold (e2)',
      ])
  })

  it('because it counts by the calendar, whatever the hours are', () => {
    const found = clock(at('20:00', conversation('19:30 customer'), { policy: promise(), hours }), 'first_response')
    expect(texts(found, hours).slice(1)).toEqual([
      'From Mon 15 Jan 2024, 20:30 to Mon 15 Jan 2024, 21:30: 1 h, 1 h so far',
      'Due Mon 15 Jan 2024, 21:30',
    ])
  })

  it.each<[string, string[], string[]]>([
    [
      'kept',
      ['10:00 customer', '11:00 resolved', '15:00 open'],
      ['kept, state resolved (e2)', 'goes on, state open (e3)', '1 h, 1 h so far', '7 h, 8 h so far'],
    ],
    [
      'broken',
      ['10:00 customer', '19:00 resolved', '21:00 open', '22:00 resolved'],
      [
        'ended, state resolved (e2)',
        'goes on, state open (e3)',
        '8 h, 8 h so far',
        '1 h, 9 h so far',
        '1 h, 10 h so far',
      ],
    ],
  ])('because it was reopened: what lay between does not count, the promise once %s', (_case, lines, expected) => {
    const told = texts(clock(at('23:00', conversation(...lines)), 'resolution'), null).join('\n')
    for (const part of expected) expect(told).toContain(part)
    expect(told.match(/so far/g)).toHaveLength(expected.filter((part) => part.includes('so far')).length)
  })

  it.each<[string, string[], string]>([
    ['kept', ['10:00 customer', '10:30 agent'], 'Mon 15 Jan 2024, 10:30: kept, human reply e2'],
    [
      'cancelled',
      ['10:00 customer', '10:30 resolved'],
      'Mon 15 Jan 2024, 10:30: cancelled before it was due, state resolved (e2)',
    ],
    [
      'waived',
      ['10:00 customer', '10:01 assistant', '10:30 resolved'],
      'Mon 15 Jan 2024, 10:30: does not apply, the assistant alone solved it, state resolved (e3)',
    ],
  ])('or why it is %s', (_case, lines, expected) => {
    const found = clock(at('20:00', conversation(...lines)), 'first_response')
    expect(texts(found, hoursOf('UTC', {})).at(-1)).toBe(expected)
  })

  it('or that nothing is promised', () => {
    const found = clock(at('20:00', conversation('10:00 customer'), { priority: 'low' }), 'resolution')
    expect(texts(found, null)).toEqual([
      'Mon 15 Jan 2024, 10:00: the resolution clock starts with customer message e1; nothing is promised (policy pol_1, version 3)',
    ])
  })
})
