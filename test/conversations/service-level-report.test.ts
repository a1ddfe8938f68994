import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  makeServiceLevelReport,
  toCsv,
  type Measure,
  type ReportRequest,
} from '../../src/conversations/service-level-report.js'
import { makePolicyPreview } from '../../src/conversations/policy-preview.js'
import { promise } from '../sla/conversation.js'
import { DAY, HOUR, MINUTE, office } from '../sla/hours.js'
import { arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let report: ReturnType<typeof makeServiceLevelReport>

const BERLIN = office('Europe/Berlin')
const terms = { policy: promise({ time: 'business' }), hours: BERLIN }
const ref = { policyId: 'pol_r', policies: 1, hours: 1, channelId: 'chn_r' }
const HASTY = { first_response: 15 * MINUTE, next_response: null, resolution: null }
const ANA = { id: 'per_ana', name: '=HYPERLINK("http://evil.example")' }
const BEN = { id: 'per_ben', name: 'Ben, "the second"' }
/** A Monday, ten o'clock in Berlin. */
const MONDAY = new Date('2026-03-02T09:00:00Z')

const at = (time: Date) => core.pass(time.getTime() - core.now().getTime())

/** A customer who writes `start` after Monday ten, and who answers after how long. */
const conversation = async (id: string, start: number, channelId = 'chn_r') => {
  at(new Date(MONDAY.getTime() + start))
  const origin = { companyId: 'rep', channelId }
  await core.receive(origin, arrival(`${id}:1`, { contact: { externalId: id }, conversationId: id }))
  return {
    answered: async (after: number, person = ANA) => {
      at(new Date(MONDAY.getTime() + start + after))
      await core.actions.speak({ companyId: 'rep', conversationId: id, person, text: 'Here.' })
      await core.deliver('rep', id)
    },
    becomes: async (state: 'pending' | 'resolved' | 'open', after: number, person = ANA) => {
      at(new Date(MONDAY.getTime() + start + after))
      await core.actions.setState({ companyId: 'rep', conversationId: id, person, state })
    },
  }
}

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  core.promise.now = { ref, terms }
  report = makeServiceLevelReport({ store: core.store, clock: { now: core.now }, termsOf: async () => terms })

  // Answered within ten, twenty and forty minutes, and after two hours: of an hour, that one is broken.
  const first = await conversation('r1', 0)
  await first.answered(10 * MINUTE)
  await first.becomes('pending', HOUR)
  await first.becomes('open', 2 * HOUR)
  await first.becomes('resolved', 3 * HOUR, BEN)
  await (await conversation('r2', 4 * HOUR)).answered(20 * MINUTE)
  await (await conversation('r3', DAY, 'chn_mail')).answered(2 * HOUR, BEN)
  // At night, an hour before nine: answered forty minutes after the opening.
  await (await conversation('r4', DAY + 22 * HOUR)).answered(HOUR + 40 * MINUTE)
  await conversation('r5', 2 * DAY)
})
afterAll(() => mongo.close())

const ask = (change: Partial<ReportRequest> = {}) =>
  report('rep', {
    from: MONDAY,
    to: new Date(MONDAY.getTime() + 10 * DAY),
    by: 'company',
    time: 'business',
    timeZone: 'Europe/Berlin',
    ...change,
  })

describe('the report of service levels', () => {
  it('says how long customers waited, and of what was promised how much was kept', async () => {
    const { total } = await ask()
    expect(total.measures.first_response).toEqual({
      ended: 4,
      medianMs: 30 * MINUTE,
      p90Ms: 2 * HOUR,
      met: 3,
      breached: 1,
      share: 0.75,
    } satisfies Measure)
    // An hour of three was the customer's turn.
    expect(total.measures.resolution).toMatchObject({ ended: 1, medianMs: 2 * HOUR, met: 1 })
    expect(total.measures.next_response).toEqual({
      ended: 0,
      medianMs: null,
      p90Ms: null,
      met: 0,
      breached: 0,
      share: null,
    })
  })

  it('counts the hours of the night where it is asked for calendar time', async () => {
    const { total } = await ask({ time: 'calendar', by: 'day' })
    expect(total.measures.first_response).toMatchObject({ medianMs: HOUR, p90Ms: 2 * HOUR, met: 3, breached: 1 })
  })

  it('is told apart by channel, agent, priority and the day in the zone of the company', async () => {
    const rows = async (by: ReportRequest['by']) =>
      (await ask({ by })).rows.map(
        ({
          key,
          name,
          measures: {
            first_response: { ended, breached },
          },
        }) => [key, name, ended, breached],
      )
    expect(await rows('channel')).toEqual([
      ['chn_mail', 'chn_mail', 1, 1],
      ['chn_r', 'chn_r', 3, 0],
    ])
    expect(await rows('agent')).toEqual([
      ['', '', 0, 0],
      ['per_ana', ANA.name, 3, 0],
      ['per_ben', BEN.name, 1, 1],
    ])
    expect(await rows('priority')).toEqual([['normal', 'normal', 4, 1]])
    expect(await rows('day')).toEqual([
      ['2026-03-02', '2026-03-02', 2, 0],
      ['2026-03-03', '2026-03-03', 1, 1],
      ['2026-03-04', '2026-03-04', 1, 0],
    ])
  })

  it('of another company is empty, and of another time too', async () => {
    expect(
      (await report('other', { from: MONDAY, to: core.now(), by: 'company', time: 'business', timeZone: 'UTC' })).rows,
    ).toEqual([])
    expect((await ask({ from: new Date(0), to: new Date(DAY) })).rows).toEqual([])
  })

  it('refuses a range that is none, or too long, by name', async () => {
    await expect(ask({ to: MONDAY })).rejects.toMatchObject({ code: 'range_empty', field: 'to' })
    await expect(ask({ from: new Date(0) })).rejects.toMatchObject({ code: 'range_too_long', field: 'to' })
  })

  it('of another policy is known before it is saved', async () => {
    const preview = makePolicyPreview({
      store: core.store,
      hoursFor: async () => ({ hours: BERLIN }),
      clock: { now: core.now },
    })
    const hasty = promise({ time: 'business', targets: { ...terms.policy.targets, normal: HASTY } })
    expect(await preview('rep', [hasty])).toMatchObject({
      conversations: 5,
      unpromised: 0,
      clocks: {
        first_response: { before: { met: 3, breached: 1 }, after: { met: 1, breached: 3 } },
        resolution: { before: { met: 1, breached: 0 }, after: { met: 0, breached: 0 } },
      },
    })
    expect(await preview('rep', [promise({ when: { tag: ['vip'] } })])).toMatchObject({ unpromised: 5 })
    expect(await preview('other', [hasty])).toMatchObject({ conversations: 0 })
  })

  it('is known of the last 30 days alone, and without a word of what is not decided', async () => {
    const previewAt = (now: Date) =>
      makePolicyPreview({ store: core.store, hoursFor: async () => ({ hours: BERLIN }), clock: { now: () => now } })
    const same = [terms.policy]
    const onTheDay = await previewAt(new Date(MONDAY.getTime() + 30 * DAY))('rep', same)
    expect(onTheDay).toMatchObject({ conversations: 5, cut: false, since: MONDAY })
    // The conversations of the Monday are gone, that of the Tuesday is left.
    const nextDay = await previewAt(new Date(MONDAY.getTime() + 30 * DAY + 5 * HOUR))('rep', same)
    expect(nextDay.conversations).toBeLessThan(5)
    expect(nextDay.conversations).toBeGreaterThan(0)
    const late = await previewAt(new Date(MONDAY.getTime() + 60 * DAY))('rep', same)
    expect(late).toMatchObject({ conversations: 0, clocks: { first_response: { before: { met: 0, breached: 0 } } } })
    // Under what was promised anyway nothing is otherwise, and nothing was written by looking.
    const before = await core.store.clocksOf('rep', 'r1')
    const { clocks } = await previewAt(core.now())('rep', same)
    expect(clocks.first_response.after).toEqual(clocks.first_response.before)
    expect(await core.store.clocksOf('rep', 'r1')).toEqual(before)
  })

  it('as a table holds no formula and no broken line', async () => {
    const { rows } = await ask({ by: 'agent' })
    const [head, , ana, ben, ...rest] = toCsv('agent', rows).split('\r\n')
    expect(head).toMatch(/^agent,name,first_response_ended,first_response_median_ms,/)
    expect(ana).toMatch(/^per_ana,"'=HYPERLINK\(""http:\/\/evil\.example""\)",3,1200000,/)
    expect(ben).toMatch(/^per_ben,"Ben, ""the second""",1,7200000,7200000,0,1,0,/)
    expect(rest).toEqual([''])
    for (const sign of ['+', '-', '@', '\t', '\r']) {
      const row = { ...rows[0], key: 'k', name: `${sign}1` } as (typeof rows)[number]
      expect(toCsv('agent', [row])).toContain(`'${sign}1`)
    }
  })
})
