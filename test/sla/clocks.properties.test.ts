import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { addBusinessTime, businessTimeBetween, type BusinessHours } from '../../src/sla/business-hours.js'
import { advance, look, readClocks, settle, watch, type Clock, type HistoryEvent } from '../../src/sla/clocks.js'
import { hoursUnder } from '../../src/sla/timing.js'
import { explain } from '../../src/sla/explain.js'
import { PAUSABLE_STATES, PRIORITIES, STATES, type Policy } from '../../src/sla/policy.js'
import { promise } from './conversation.js'
import { DAY, HOUR, hoursOf, MINUTE, office, RUNS } from './hours.js'

/** The last of them has no hours of its own, and nobody may have it. */
const TEAMS = [...['tea_night', 'tea_always', 'tea_plain'].map((id) => ({ id, name: id })), null]

const START = new Date('2024-03-27T00:00Z').getTime()

const what = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom({ kind: 'customer_message' as const }, { kind: 'human_reply' as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ kind: 'assistant_reply' as const }, { kind: 'handoff' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('state' as const), state: fc.constantFrom(...STATES) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('priority' as const), priority: fc.constantFrom(...PRIORITIES) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('team' as const), team: fc.constantFrom(...TEAMS) }) },
)

/** A few busy days, in order; whole quarters of an hour, so that events fall on deadlines and on each other. */
const history: fc.Arbitrary<HistoryEvent[]> = fc
  .array(
    fc.record({
      what,
      after: fc.oneof(
        fc.integer({ min: 0, max: 40 }).map((n) => n * 15 * MINUTE),
        fc.integer({ min: 0, max: 5 * HOUR }),
      ),
    }),
    {
      maxLength: 14,
    },
  )
  .map((steps) => {
    let at = START
    return steps.map(({ what: happened, after }, index): HistoryEvent => {
      at += after
      return { id: `e${index + 1}`, at: new Date(at), ...happened }
    })
  })

const target = fc.option(fc.integer({ min: 1, max: 48 }).map((n) => n * 15 * MINUTE))
const targets = fc.record({ first_response: target, next_response: target, resolution: target })
const policy: fc.Arbitrary<Policy> = fc
  .record({
    time: fc.constantFrom('business' as const, 'calendar' as const),
    targets: fc.record({ low: targets, normal: targets, high: targets, urgent: targets }),
    pausedIn: fc.subarray([...PAUSABLE_STATES]),
    warningShare: fc.constantFrom(0.5, 0.75, 0.9),
    countAssistantReplies: fc.boolean(),
  })
  .map(promise)

const hours: fc.Arbitrary<BusinessHours | null> = fc.constantFrom(
  null,
  office('Europe/Berlin', { '03-29': '', '2024-04-01': '10:00-12:00' }),
  hoursOf('Africa/Cairo', { sun: '22:00-06:00', mon: '22:00-06:00', thu: '08:00-12:00 13:00-15:30' }),
)

const teamHours: ReadonlyMap<string, BusinessHours | null> = new Map([
  ['tea_night', hoursOf('America/Santiago', { wed: '20:00-04:00', thu: '20:00-04:00', sat: '20:00-04:00' })],
  ['tea_always', null],
])

const conversations = fc
  .record({
    policy,
    hours,
    teamHours: fc.constant(teamHours),
    priority: fc.constantFrom(...PRIORITIES),
    history,
    later: fc.integer({ min: 0, max: 3 * DAY }),
  })
  .map(({ history: events, later, ...terms }) => {
    const last = events.at(-1)?.at.getTime() ?? START
    return { terms, events, now: new Date(last + later) }
  })

/** What must not move while nothing happens: everything but the time that passes. */
const still = (clocks: readonly Clock[]) => clocks.map(({ elapsedMs: _elapsed, ...rest }) => rest)

describe('whatever happens in a conversation', () => {
  it('followed event by event, looked at in between, is the same as read from the beginning', () => {
    fc.assert(
      fc.property(
        conversations,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 14 }),
        ({ terms, events, now }, looks) => {
          let running = watch(terms)
          for (const [index, event] of events.entries()) {
            running = advance(running, event)
            const gap = (events[index + 1]?.at ?? now).getTime() - event.at.getTime()
            const between = new Date(event.at.getTime() + Math.floor(gap * (looks[index] ?? 0)))
            running = settle(running, between)
            const read = readClocks({ ...terms, history: events.slice(0, index + 1), now: between })
            expect(look(running, between)).toEqual(read)
          }
          expect(look(running, now)).toEqual(readClocks({ ...terms, history: events, now }))
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('the order in which it is told does not matter where the times differ', () => {
    fc.assert(
      fc.property(conversations, fc.integer(), ({ terms, events, now }, turn) => {
        const apart = events.filter(({ at }, index) => at > (events[index - 1]?.at ?? new Date(0)))
        const cut = apart.length > 0 ? Math.abs(turn) % apart.length : 0
        const told = [...apart.slice(cut), ...apart.slice(0, cut)].toReversed()
        expect(readClocks({ ...terms, history: told, now })).toEqual(readClocks({ ...terms, history: apart, now }))
      }),
      { numRuns: RUNS },
    )
  })

  it('nothing changes before the next change that was foretold, and something does then', () => {
    fc.assert(
      fc.property(conversations, fc.double({ min: 0, max: 1, noNaN: true }), ({ terms, events, now }, part) => {
        const read = (at: Date) => readClocks({ ...terms, history: events, now: at })
        const before = read(now)
        const end = before.nextChangeAt?.getTime() ?? now.getTime() + 10 * DAY
        const within = new Date(now.getTime() + Math.floor((end - 1 - now.getTime()) * part))
        expect(still(read(within).clocks)).toEqual(still(before.clocks))
        if (before.nextChangeAt) {
          expect(before.nextChangeAt > now).toBe(true)
          expect(still(read(before.nextChangeAt).clocks)).not.toEqual(still(before.clocks))
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('the ledger only ever grows', () => {
    fc.assert(
      fc.property(conversations, fc.integer({ min: 0, max: 3 * DAY }), ({ terms, events, now }, more) => {
        const read = (at: Date) => readClocks({ ...terms, history: events, now: at }).clocks
        const later = read(new Date(now.getTime() + more))
        for (const [index, clock] of read(now).entries()) {
          expect(later[index]?.id).toBe(clock.id)
          expect(later[index]?.ledger.slice(0, clock.ledger.length)).toEqual(clock.ledger)
        }
        for (const { ledger } of later) {
          expect(ledger.filter(({ change }) => change === 'warning').length).toBeLessThanOrEqual(1)
          expect(ledger.filter(({ change }) => change === 'breach').length).toBeLessThanOrEqual(1)
          expect(ledger.every(({ at }, entry) => at >= (ledger[entry - 1]?.at ?? new Date(0)))).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('the time to the solution is the time in which it was somebody’s turn here', () => {
    fc.assert(
      fc.property(conversations, ({ terms, events, now }) => {
        const begin = events.findIndex(({ kind }) => kind === 'customer_message')
        let expected = 0
        let state = 'open'
        let team: string | undefined
        for (const [index, event] of events.entries()) {
          if (event.kind === 'team') team = event.team?.id
          if (event.kind === 'customer_message') state = 'open'
          if (event.kind === 'state') state = event.state
          const idle: readonly string[] = ['resolved', 'closed', ...terms.policy.pausedIn]
          if (begin < 0 || index < begin || idle.includes(state)) continue
          const theirs = hoursUnder(terms, { team })
          const counted = terms.policy.time === 'business' ? theirs : null
          expected += businessTimeBetween(counted, event.at, events[index + 1]?.at ?? now)
        }
        const { clocks } = readClocks({ ...terms, history: events, now })
        expect(clocks.find(({ kind }) => kind === 'resolution')?.elapsedMs ?? 0).toBe(expected)
      }),
      { numRuns: RUNS },
    )
  })

  it('at one priority and with one team, an answer is late exactly when it comes after the start and its target', () => {
    fc.assert(
      fc.property(conversations, ({ terms, events, now }) => {
        const steady = events.filter(({ kind }) => kind !== 'priority' && kind !== 'team')
        const counted = terms.policy.time === 'business' ? terms.hours : null
        for (const clock of readClocks({ ...terms, history: steady, now }).clocks) {
          if (clock.kind === 'resolution' || !('targetMs' in clock)) continue
          const deadline = addBusinessTime(counted, clock.startedAt, clock.targetMs)
          const until = ('endedAt' in clock ? clock.endedAt : null) ?? now
          expect(clock.state === 'breached').toBe(until > deadline)
          expect('deadline' in clock && clock.deadline).toEqual(deadline)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('can be explained', () => {
    fc.assert(
      fc.property(conversations, ({ terms, events, now }) => {
        for (const clock of readClocks({ ...terms, history: events, now }).clocks) {
          const steps = explain(clock, terms.hours, terms.teamHours)
          expect(steps[0]?.at).toEqual(clock.startedAt)
          for (const { text } of steps) expect(text).not.toMatch(/undefined|NaN|null|Invalid/)
          if (clock.state === 'running') expect(steps.at(-1)?.at).toEqual(clock.deadline)
        }
      }),
      { numRuns: RUNS },
    )
  })
})
