import { describe, expect, it } from '@jest/globals'
import { explain } from '../../src/sla/explain.js'
import { readClocks, type HistoryEvent } from '../../src/sla/clocks.js'
import { checkPolicies, matchPolicy, type Facts } from '../../src/sla/policy.js'
import { clock, clockFace, conversation, dueAt, ledger, moment, promise } from './conversation.js'
import { HOUR, MINUTE } from './hours.js'

/** A day team, as the channel says, and a night team with hours of its own. */
const day = {
  timeZone: 'UTC',
  weekly: { mon: [{ open: '09:00', close: '17:00' }], tue: [{ open: '09:00', close: '17:00' }] },
}
const night = {
  timeZone: 'UTC',
  weekly: { mon: [{ open: '20:00', close: '04:00' }], tue: [{ open: '20:00', close: '04:00' }] },
}
const teamHours = new Map([['tea_night', night]])
const business = promise({ time: 'business' })

/** `16:30 team tea_night`, `18:00 team none`; all else as ever. */
const told = (...lines: string[]): HistoryEvent[] =>
  lines.map((line, index): HistoryEvent => {
    const given = /^(.*) team (\S+)$/.exec(line)
    const [plain] = conversation(given ? `${given[1] ?? ''} customer` : line)
    if (!plain) throw new Error(line)
    const id = `e${index + 1}`
    if (!given) return { ...plain, id }
    const team = given[2] === 'none' ? null : { id: given[2] ?? '', name: 'Night' }
    return { id, at: plain.at, kind: 'team', team }
  })

const read = (now: string, lines: string[], policy = business) =>
  readClocks({ policy, hours: day, teamHours, priority: 'normal', history: told(...lines), now: moment(now) })

describe('a conversation that another team gets', () => {
  it('is due by the hours of that team, and what counted before stays', () => {
    const found = clock(read('20:10', ['16:30 customer', '17:30 team tea_night']), 'first_response')
    // Half an hour before the day team left, half an hour after the night team came.
    expect([dueAt(found), found.elapsedMs]).toEqual(['20:30', 40 * MINUTE])
    expect(ledger(found)).toEqual(['16:30 start by e1', '17:30 transfer by e2'])
    expect(found.ledger.at(-1)).toMatchObject({
      change: 'transfer',
      team: 'tea_night',
      cause: { kind: 'team', id: 'e2', team: { id: 'tea_night', name: 'Night' } },
    })
  })

  it('counts from when that team opens, if nothing had counted yet', () => {
    const found = clock(read('20:10', ['18:00 customer', '18:30 team tea_night']), 'first_response')
    expect([clockFace(found.countsFrom), dueAt(found)]).toEqual(['20:00', '21:00'])
    const before = clock(read('18:10', ['18:00 customer', '18:30 team tea_night']), 'first_response')
    expect([clockFace(before.countsFrom), dueAt(before)]).toEqual(['1 09:00', '1 10:00'])
  })

  it('counts from where it did, if something had counted', () => {
    const found = clock(read('13:00', ['10:00 customer', '12:00 team tea_night']), 'first_response')
    expect(clockFace(found.countsFrom)).toBe('10:00')
    const atOnce = clock(read('13:00', ['09:00 customer', '09:00 team tea_night']), 'first_response')
    expect(clockFace(atOnce.countsFrom)).toBe('20:00')
  })

  it('while it stands still, goes on by the hours of that team', () => {
    const lines = ['10:00 customer', '11:00 pending', '12:00 team tea_night', '19:00 open']
    const found = clock(read('21:00', lines), 'resolution')
    expect(ledger(found).slice(1)).toEqual(['11:00 pause by e2', '12:00 transfer by e3', '19:00 resume by e4'])
    expect(found.elapsedMs).toBe(2 * HOUR)
  })

  it('goes by the hours of its channel where no team has any', () => {
    const history = told('16:30 customer', '16:40 team tea_night')
    const found = readClocks({ policy: business, hours: day, priority: 'normal', history, now: moment('16:50') })
    expect(dueAt(clock(found, 'first_response'))).toBe('1 09:30')
  })

  it('goes by the hours of its channel again where no team has it, or one without hours', () => {
    for (const back of ['none', 'tea_without_hours']) {
      const found = clock(
        read('1 09:05', ['16:30 customer', '17:30 team tea_night', `20:10 team ${back}`]),
        'first_response',
      )
      expect([dueAt(found), found.elapsedMs]).toEqual(['1 09:20', 45 * MINUTE])
    }
  })

  it('keeps a broken promise broken at the instant at which it was, and goes on counting by the new hours', () => {
    const found = clock(read('21:00', ['09:00 customer', '11:00 team tea_night']), 'first_response')
    expect([found.state, dueAt(found), found.elapsedMs]).toEqual(['breached', '10:00', 3 * HOUR])
    expect(ledger(found)).toEqual([
      '09:00 start by e1',
      '09:45 warning by time',
      '10:00:00.001 breach by time',
      '11:00 transfer by e2',
    ])
  })

  it('stands still where it stood still, and goes on by the hours of the team that has it then', () => {
    const lines = ['09:00 customer', '09:10 agent', '10:00 pending', '11:00 team tea_night']
    expect(clock(read('21:00', lines), 'resolution').state).toBe('paused')
    const found = clock(read('22:00', [...lines, '21:00 open']), 'resolution')
    // An hour by day, an hour by night; six are left, and then the day's end at 04:00 counts.
    expect([dueAt(found), found.elapsedMs]).toEqual(['1 04:00', 2 * HOUR])
  })

  it('is reopened by the hours of the team that got it while it was resolved', () => {
    const lines = ['09:00 customer', '10:00 agent', '10:00 resolved', '11:00 team tea_night', '21:00 customer']
    const reading = read('21:30', lines)
    expect(clock(reading, 'resolution').elapsedMs).toBe(1.5 * HOUR)
    expect(dueAt(clock(reading, 'next_response'))).toBe('21:30')
    expect(clock(reading, 'resolution').ledger.map(({ change }) => change)).toEqual(['start', 'meet', 'resume'])
  })

  it('is not noted twice where the same team gets it again', () => {
    const found = clock(read('20:10', ['16:30 customer', '17:30 team tea_night', '18:00 team tea_night']), 'resolution')
    expect(ledger(found)).toEqual(['16:30 start by e1', '17:30 transfer by e2'])
  })

  it('does not matter to a promise by the calendar, but stands in its ledger', () => {
    const found = clock(read('17:00', ['16:30 customer', '16:40 team tea_night'], promise()), 'first_response')
    expect([dueAt(found), ledger(found)]).toEqual(['17:30', ['16:30 start by e1', '16:40 transfer by e2']])
  })

  it('counts the wait for a person by the hours of the team that answered', () => {
    const reading = read('22:00', [
      '09:00 customer',
      '16:00 handoff',
      '16:30 team tea_night',
      '20:20 agent',
      '21:00 team none',
    ])
    expect(reading.handoffToHumanReply).toEqual({ fromId: 'e2', toId: 'e4', elapsedMs: 20 * MINUTE })
  })

  it('says so in the steps to its deadline, each stretch by its own hours', () => {
    const found = clock(read('20:10', ['16:30 customer', '17:30 team tea_night']), 'first_response')
    expect(explain(found, day, teamHours).map(({ text }) => text)).toEqual([
      'Mon 15 Jan 2024, 16:30: the first response clock starts with customer message e1; 1 h of business time (policy pol_1, version 3)',
      'From Mon 15 Jan 2024, 16:30 to Mon 15 Jan 2024, 17:00: 30 min, 30 min so far',
      'Mon 15 Jan 2024, 17:30: team Night has it (e2); from here on its hours count',
      'Closed until Mon 15 Jan 2024, 20:00',
      'From Mon 15 Jan 2024, 20:00 to Mon 15 Jan 2024, 20:30: 30 min, 1 h so far',
      'Due Mon 15 Jan 2024, 20:30',
    ])
    const back = clock(read('20:15', ['16:30 customer', '17:30 team tea_night', '20:10 team none']), 'first_response')
    expect(explain(back, day, teamHours).map(({ text }) => text)).toContain(
      "Mon 15 Jan 2024, 20:10: no team has it (e3); from here on the channel's hours count",
    )
  })
})

describe('the steps to a deadline', () => {
  it('are told in the zone of whoever has it now', () => {
    const zones = { ...day, timeZone: 'Europe/Berlin' }
    const lines = ['08:30 customer', '08:40 team tea_night', '08:50 team none']
    const [found] = readClocks({
      policy: business,
      hours: zones,
      teamHours,
      priority: 'normal',
      history: told(...lines),
      now: moment('09:00'),
    }).clocks
    if (!found) throw new Error('no clock')
    expect(explain(found, zones, teamHours).at(-1)?.text).toBe('Due Mon 15 Jan 2024, 10:40')
  })
})

describe('a policy for a team', () => {
  const facts: Facts = { tier: null, channel: 'chn_1', priority: 'normal', tags: [], language: null, attributes: {} }
  const nightly = promise({ when: { team: ['tea_night', 'tea_other'] } })

  it('counts for what that team has, and for nothing else', () => {
    expect(matchPolicy([nightly], { ...facts, team: 'tea_night' })).toBe(nightly)
    for (const team of ['tea_day', null]) expect(matchPolicy([nightly], { ...facts, team })).toBeNull()
    expect(matchPolicy([nightly], facts)).toBeNull()
  })

  it('is refused, by field, while there is no such team', () => {
    const faults = (teams: string[]) =>
      checkPolicies([nightly], { channels: [], teams }).map(({ field, code }) => [field, code])
    expect(faults(['tea_night', 'tea_other'])).toEqual([])
    expect(faults(['tea_night'])).toEqual([['0.when.team.1', 'unknown_team']])
    expect(
      checkPolicies([promise({ when: { team: [] } })], { channels: [] }).map(({ field, code }) => [field, code]),
    ).toEqual([['0.when.team', 'empty_condition']])
  })
})
