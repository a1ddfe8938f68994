import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeExplainServiceLevels } from '../../src/conversations/service-levels.js'
import { makeServiceLevelReport } from '../../src/conversations/service-level-report.js'
import { matchPolicy, type Policy } from '../../src/sla/policy.js'
import { promise } from '../sla/conversation.js'
import { HOUR, MINUTE, office } from '../sla/hours.js'
import { ACME, arrival, openCore, unknown, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const NIGHT = { id: 'tea_night', name: 'Night', members: ['per_nora'] }
const ANA = { id: 'per_ana', name: 'Ana' }
const NORA = { id: 'per_nora', name: 'Nora' }

const evening = [{ open: '18:00', close: '23:00' }]
const DAY_HOURS = office('UTC')
const NIGHT_HOURS = { timeZone: 'UTC', weekly: { mon: evening, tue: evening } }
const business = (change: Partial<Policy> = {}): Policy => promise({ time: 'business', ...change })
const hours = { hours: DAY_HOURS, teamHours: new Map([[NIGHT.id, NIGHT_HOURS]]) }
const terms = { policy: business(), ...hours }
const ref = { policyId: terms.policy.id, policies: 1, hours: 1, channelId: ACME.channelId }
/** A Monday on which the day team is there until five. */
const MONDAY = new Date('2026-03-02T16:30:00Z')

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0

beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())

beforeEach(async () => {
  core = await openCore(mongo)
  core.promise.now = { ref, terms }
  core.assistant.answerQuestion = unknown
  core.pass(MONDAY.getTime() - core.now().getTime())
})

const clock = (time: string) => new Date(`2026-03-02T${time}Z`)
const until = (time: string) => core.pass(clock(time).getTime() - core.now().getTime())

const begin = async (company = ACME.companyId) => {
  number += 1
  const id = `cnv_t${number}`
  const contact = { externalId: id }
  await core.receive({ ...ACME, companyId: company }, arrival(`${id}:1`, { contact, conversationId: id }))
  const target = { companyId: company, conversationId: id, person: ANA }
  return {
    id,
    target,
    again: (text: string) => core.receive(ACME, arrival(`${id}:${text}`, { contact, conversationId: id, text })),
    seen: () => core.inbox.get(company, id),
    due: async () => (await core.inbox.get(company, id)).clocks?.due?.at.toISOString().slice(11, 16),
    lines: async () =>
      (await core.inbox.messages(company, id))
        .flatMap(({ event }) => (event ? [event] : []))
        .map((event) => event.name),
  }
}

describe('a team', () => {
  it('gets what is handed over on its channel, in the same breath, and its hours count from then on', async () => {
    core.team.now = NIGHT
    const one = await begin()
    expect([(await one.seen()).teamId, await one.due()]).toEqual([undefined, '09:30'])
    await core.answer(ACME.companyId, one.id)
    expect(await one.seen()).toMatchObject({ handler: 'nobody', teamId: NIGHT.id })
    expect(await one.lines()).toEqual(['handoff', 'team'])
    // Nothing of its hour was used up at 16:30.
    expect(await one.due()).toBe('19:00')
  })

  it('gets what begins with people because the assistant is paused, or because a machine wrote it', async () => {
    core.team.now = NIGHT
    core.settings.paused = true
    const one = await begin()
    expect([(await one.seen()).teamId, await one.due()]).toEqual([NIGHT.id, '19:00'])
    expect(await one.lines()).toEqual(['handoff', 'team'])
    core.settings.paused = false
    const id = 'cnv_machine'
    await core.receive(
      ACME,
      arrival('machine', { contact: { externalId: id }, conversationId: id, automatic: 'auto-replied' }),
    )
    expect((await core.inbox.get(ACME.companyId, id)).teamId).toBe(NIGHT.id)
  })

  it('gets what is handed over later: by an agent, and while the assistant is paused', async () => {
    const one = await begin()
    core.team.now = NIGHT
    await core.actions.handoff({ ...one.target, reason: 'please' })
    expect((await one.seen()).teamId).toBe(NIGHT.id)
    core.team.now = null
    const other = await begin()
    core.team.now = NIGHT
    core.settings.paused = true
    await other.again('Hello?')
    expect(await other.seen()).toMatchObject({ handler: 'nobody', teamId: NIGHT.id })
  })

  it('does not get what another team has already', async () => {
    const one = await begin()
    await core.actions.assignTeam({ ...one.target, team: { id: 'tea_first', name: 'First', members: [] } })
    core.team.now = NIGHT
    await core.actions.handoff({ ...one.target, reason: 'please' })
    expect((await one.seen()).teamId).toBe('tea_first')
    expect(await one.lines()).toEqual(['team', 'handoff'])
  })

  it('takes a conversation out of the hands of whoever is not of it, and leaves it in the hands of a member', async () => {
    const one = await begin()
    await core.actions.assign({ ...one.target, assignee: ANA })
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    expect(await one.seen()).toMatchObject({ handler: 'nobody', assignee: null, teamId: NIGHT.id })
    expect(await one.lines()).toEqual(['assigned', 'team', 'assigned'])
    await core.actions.assign({ ...one.target, assignee: NORA })
    await core.actions.assignTeam({ ...one.target, team: null })
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    expect(await one.seen()).toMatchObject({ handler: 'agent', assignee: NORA, teamId: NIGHT.id })
  })

  it('is noted once, however often it gets the same conversation', async () => {
    const one = await begin()
    for (let times = 0; times < 3; times += 1) await core.actions.assignTeam({ ...one.target, team: NIGHT })
    expect(await one.lines()).toEqual(['team'])
  })

  it('that is no more has nothing, but what is closed stays as it was', async () => {
    const open = await begin()
    const closed = await begin()
    const foreign = await begin('other')
    for (const one of [open, closed, foreign]) await core.actions.assignTeam({ ...one.target, team: NIGHT })
    await core.actions.setState({ ...closed.target, state: 'closed' })
    await core.actions.releaseTeam(ACME.companyId, NIGHT.id, ANA)
    expect((await open.seen()).teamId).toBeNull()
    expect(await open.due()).toBe('09:30')
    expect((await closed.seen()).teamId).toBe(NIGHT.id)
    expect((await foreign.seen()).teamId).toBe(NIGHT.id)
  })
})

describe('the inbox', () => {
  it('is seen by team, and counted by team, each company its own', async () => {
    const company = 'teams'
    const mine = await begin(company)
    const other = await begin(company)
    const none = await begin(company)
    const foreign = await begin('elsewhere')
    for (const one of [mine, foreign]) await core.actions.assignTeam({ ...one.target, team: NIGHT })
    await core.actions.assignTeam({ ...other.target, team: { id: 'tea_other', name: 'Other', members: [] } })
    await core.actions.handoff({ ...mine.target, reason: 'please' })
    const listed = async (team: readonly string[] | null) =>
      (await core.inbox.list(company, { team, order: 'changed', limit: 10 })).conversations.map(({ id }) => id).sort()
    expect(await listed([NIGHT.id])).toEqual([mine.id])
    expect(await listed([NIGHT.id, 'tea_other'])).toEqual([mine.id, other.id].sort())
    expect(await listed(null)).toEqual([none.id])
    expect(await listed([])).toEqual([])
    expect((await core.inbox.counts(company, ANA.id)).teams).toEqual([
      { teamId: NIGHT.id, all: 1, waiting: 1 },
      { teamId: 'tea_other', all: 1, waiting: 0 },
    ])
    await core.actions.setState({ ...mine.target, state: 'resolved' })
    expect((await core.inbox.counts(company, ANA.id)).teams).toEqual([{ teamId: 'tea_other', all: 1, waiting: 0 }])
  })
})

describe('a promise', () => {
  it('to what a team gets is that of the policy for the team, from the first message on, as if made then', async () => {
    const policies = [business({ id: 'pol_night', when: { team: [NIGHT.id] } }), business({ id: 'pol_all' })]
    const promised = (id: string) => ({
      ref: { ...ref, policyId: id },
      terms: { policy: policies.find((one) => one.id === id)!, ...hours },
    })
    core.choices.now = () => ({
      changes: true,
      choose: (facts) => {
        const found = matchPolicy(policies, facts)
        return found && promised(found.id)
      },
    })
    core.promise.now = promised('pol_all')
    const one = await begin()
    until('16:40')
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    const { clocks } = await one.seen()
    expect(clocks?.ref.policyId).toBe('pol_night')
    expect(await one.due()).toBe('18:50')
    const ledgers = await core.store.clocksOf(ACME.companyId, one.id)
    const first = ledgers.find(({ kind }) => kind === 'first_response')
    expect(first?.ledger.map(({ change, cause }) => [change, cause.kind])).toEqual([
      ['start', 'customer_message'],
      ['transfer', 'team'],
    ])
    await core.actions.assignTeam({ ...one.target, team: null })
    expect([(await one.seen()).clocks?.ref.policyId, await one.due()]).toEqual(['pol_all', '09:30'])
  })

  it('that was kept stays kept by whom it was, and what runs goes on by the hours of the new team', async () => {
    const one = await begin()
    until('16:40')
    await core.actions.speak({ ...one.target, text: 'We are looking.' })
    await core.deliver(ACME.companyId, one.id)
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    const ledgers = await core.store.clocksOf(ACME.companyId, one.id)
    expect(ledgers.find(({ kind }) => kind === 'first_response')).toMatchObject({ state: 'met', teamId: null })
    expect(ledgers.find(({ kind }) => kind === 'resolution')).toMatchObject({ state: 'running', teamId: NIGHT.id })
  })

  it('explains by whose hours it is due, in the zone of those who have it', async () => {
    const one = await begin()
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    const explain = makeExplainServiceLevels({
      store: core.store,
      termsOf: async () => terms,
      clock: { now: core.now },
    })
    const explained = await explain(ACME.companyId, one.id)
    expect(explained?.timeZone).toBe('UTC')
    const texts = explained?.clocks[0]?.steps.map(({ text }) => text)
    expect(texts?.some((text) => /team Night has it \(msg_[\w-]+\); from here on its hours count$/.test(text))).toBe(
      true,
    )
    expect(texts?.at(-1)).toBe('Due Mon 2 Mar 2026, 19:00')
    const moved = explained?.clocks[0]?.steps.find(({ kind }) => kind === 'transfer')
    expect(moved).toMatchObject({ hoursOf: NIGHT.id, cause: { kind: 'team', team: { id: NIGHT.id } } })
    expect(explained?.teamNames.get(NIGHT.id)).toBe('Night')
  })

  it('is reported by the team that had it at its end, in the hours of whoever had it when', async () => {
    const company = 'reports'
    const one = await begin(company)
    until('17:30')
    await core.actions.handoff({ ...one.target, reason: 'please' })
    await core.actions.assignTeam({ ...one.target, team: NIGHT })
    until('18:20')
    await core.actions.speak({ ...one.target, person: NORA, text: 'Here.' })
    await core.deliver(company, one.id)
    await core.actions.setState({ ...one.target, person: NORA, state: 'resolved' })
    const other = await begin(company)
    core.pass(5 * MINUTE)
    await core.actions.speak({ ...other.target, text: 'Here.' })
    await core.deliver(company, other.id)
    const report = makeServiceLevelReport({ store: core.store, clock: { now: core.now }, termsOf: async () => terms })
    const range = { from: new Date(MONDAY.getTime() - HOUR), to: new Date(MONDAY.getTime() + 24 * HOUR) }
    const { rows } = await report(company, { ...range, by: 'team', time: 'business', timeZone: 'UTC' })
    expect(rows.map(({ key }) => key)).toEqual(['', NIGHT.id])
    const night = rows.find(({ key }) => key === NIGHT.id)?.measures
    // Half an hour of the day team, twenty minutes of the night team; by the calendar it was almost two hours.
    expect(night?.first_response).toMatchObject({ ended: 1, medianMs: 50 * MINUTE, met: 1, breached: 0 })
    expect(night?.resolution).toMatchObject({ ended: 1, medianMs: 50 * MINUTE })
    expect(night?.handoff_to_human_reply).toMatchObject({ ended: 1, medianMs: 20 * MINUTE })
    const calendar = await report(company, { ...range, by: 'team', time: 'calendar', timeZone: 'UTC' })
    expect(calendar.rows[1]?.measures.first_response.medianMs).toBe(110 * MINUTE)
  })
})
