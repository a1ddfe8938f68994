import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { eventOf } from '../../src/conversations/clocks.js'
import { PRIORITIES, STATES } from '../../src/conversations/conversation.js'
import type { Message } from '../../src/conversations/message.js'
import type { Promised } from '../../src/companies/service-levels.mongo.js'
import { AppError } from '../../src/platform/errors.js'
import { look, readClocks, type LedgerEntry } from '../../src/sla/clocks.js'
import { promise } from '../sla/conversation.js'
import { HOUR, MINUTE, office, RUNS, SECOND } from '../sla/hours.js'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
})
afterAll(() => mongo.close())

const promised = (
  change: Parameters<typeof promise>[0] = {},
  hours: Promised['terms']['hours'] = null,
  teamHours: Promised['terms']['teamHours'] = new Map(),
): Promised => {
  number += 1
  return {
    ref: { policyId: `pol_${number}`, policies: number, hours: null, channelId: ACME.channelId },
    terms: { policy: promise(change), hours, teamHours },
  }
}

const TEAMS = [null, ...['tea_night', 'tea_always', 'tea_day'].map((id) => ({ id, name: id, members: [] }))]
const NIGHT = [{ open: '20:00', close: '04:00' }]
const TEAM_HOURS = new Map([
  ['tea_night', { timeZone: 'Europe/Berlin', weekly: { mon: NIGHT, tue: NIGHT, wed: NIGHT, fri: NIGHT } }],
  ['tea_always', null],
])

const PERSON = { id: 'per_1', name: 'Ana' }

/** One conversation, with what its customer and its people do. */
const open = (given: Promised | null = promised()) => {
  core.promise.now = given
  core.channel.send = async () => ({ kind: 'sent' })
  number += 1
  const id = `cnv_k${number}`
  let said = 0
  const target = { companyId: ACME.companyId, conversationId: id, person: PERSON }
  const timeline = () => core.inbox.messages(ACME.companyId, id)
  const ledgers = () => core.store.clocksOf(ACME.companyId, id)
  return {
    id,
    write: () => {
      said += 1
      const contact = { externalId: id }
      return core.receive(ACME, arrival(`${id}:${said}`, { contact, conversationId: id, text: `Question ${said}?` }))
    },
    speak: () => core.actions.speak({ ...target, text: 'Here you are.' }),
    deliver: () => core.deliver(ACME.companyId, id),
    answer: () => core.answer(ACME.companyId, id),
    state: (state: Parameters<Core['actions']['setState']>[0]['state']) => core.actions.setState({ ...target, state }),
    priority: (priority: Parameters<Core['actions']['setPriority']>[0]['priority']) =>
      core.actions.setPriority({ ...target, priority }),
    team: (team: (typeof TEAMS)[number]) => core.actions.assignTeam({ ...target, team }),
    handoff: () => core.actions.handoff({ ...target, reason: 'please' }),
    tag: () => core.actions.setTags({ ...target, tags: ['seen'] }),
    conversation: () => core.inbox.get(ACME.companyId, id),
    timeline,
    ledgers,
    clock: async (kind: string, nth = 0) => (await ledgers()).filter((one) => one.kind === kind)[nth],
    told: async () => (await timeline()).flatMap(({ event }) => (event?.name === 'service_level' ? [event] : [])),
  }
}

type Opened = ReturnType<typeof open>

const changes = (ledger: readonly LedgerEntry[] | undefined) => ledger?.map(({ change }) => change)

describe('a conversation that was promised something', () => {
  it('carries what is due first, from its first message on, and nothing once a person has answered', async () => {
    const one = open()
    const begun = core.now()
    await one.write()
    expect((await one.conversation()).clocks?.due).toEqual({
      clock: 'first_response',
      at: new Date(begun.getTime() + HOUR),
      state: 'running',
    })
    core.pass(10 * MINUTE)
    await one.speak()
    // Written, but not yet taken by the channel: the customer has nothing in hand.
    expect(await one.clock('first_response')).toMatchObject({ state: 'running' })
    await one.deliver()
    expect(await one.clock('first_response')).toMatchObject({
      state: 'met',
      endedAt: new Date(begun.getTime() + 10 * MINUTE),
      endedBy: { kind: 'agent', id: 'per_1', name: 'Ana' },
    })
    expect((await one.conversation()).clocks?.due?.clock).toBe('resolution')
    await one.state('resolved')
    expect((await one.conversation()).clocks?.due).toBeNull()
    expect(changes((await one.clock('resolution'))?.ledger)).toEqual(['start', 'meet'])
  })

  it('is warned once and told of the breach once, whoever looks and however often', async () => {
    const one = open()
    await one.write()
    core.pass(45 * MINUTE)
    await Promise.all([core.tellTime(), core.tellTime(), core.tellTime()])
    expect((await one.told()).map(({ change }) => change)).toEqual(['warning'])
    expect((await one.conversation()).clocks?.due?.state).toBe('warned')
    core.pass(15 * MINUTE)
    await core.tellTime()
    expect(await one.told()).toHaveLength(1)
    core.pass(1)
    const other = await openCore(mongo)
    other.pass(core.now().getTime() - other.now().getTime())
    core.events.length = other.events.length = 0
    await Promise.all([core.tellTime(), other.tellTime(), core.tellTime(), one.write()])
    expect((await one.told()).map(({ clock, change }) => [clock, change])).toEqual([
      ['first_response', 'warning'],
      ['first_response', 'breach'],
    ])
    expect([...core.events, ...other.events].filter(({ type }) => type === 'service_level')).toMatchObject([
      { conversationId: one.id, clock: 'first_response', change: 'breach' },
    ])
    expect((await one.conversation()).clocks?.due?.state).toBe('breached')
  })

  it('pauses while it waits for the customer, and goes on with their word', async () => {
    const one = open()
    await one.write()
    await one.speak()
    await one.deliver()
    await one.state('pending')
    expect((await one.conversation()).clocks?.due).toBeNull()
    core.pass(100 * HOUR)
    await core.tellTime()
    expect(await one.told()).toEqual([])
    await one.write()
    expect(await one.clock('resolution')).toMatchObject({ state: 'running' })
    expect((await one.conversation()).clocks?.due?.clock).toBe('next_response')
  })

  it('solved by the assistant alone, its first response does not apply', async () => {
    const one = open()
    await one.write()
    await one.answer()
    await one.deliver()
    await one.state('resolved')
    expect(await one.clock('first_response')).toMatchObject({ state: 'not_applicable' })
    expect(await one.clock('assistant_first_reply')).toMatchObject({ state: 'met', endedBy: { kind: 'assistant' } })
  })

  it('counts from the next opening where its customer wrote at night', async () => {
    const one = open(promised({ time: 'business' }, office('Europe/Berlin')))
    const saturday = new Date('2026-03-21T20:00:00Z')
    core.pass(saturday.getTime() - core.now().getTime())
    await one.write()
    expect((await one.conversation()).clocks?.due?.at).toEqual(new Date('2026-03-23T09:00:00Z'))
  })

  it('of an answer that was written in time and left late, the breach is taken back', async () => {
    const one = open()
    await one.write()
    core.pass(59 * MINUTE)
    await core.tellTime()
    await one.speak()
    core.channel.send = () => Promise.reject(new AppError('unavailable', 'down', 'down'))
    await one.deliver()
    core.pass(2 * MINUTE)
    await core.tellTime()
    expect(await one.clock('first_response')).toMatchObject({ state: 'breached' })
    core.channel.send = async () => ({ kind: 'sent' })
    await one.deliver()
    expect(await one.clock('first_response')).toMatchObject({ state: 'met' })
    expect((await one.told()).map(({ change }) => change)).toEqual(['warning', 'breach', 'withdrawn'])
  })

  it('an answer and a question of the same instant count in the order in which they were written', async () => {
    const one = open()
    await one.write()
    core.pass(MINUTE)
    await one.speak()
    await one.write()
    await one.deliver()
    expect(await one.clock('first_response')).toMatchObject({ state: 'met' })
    expect(await one.clock('next_response')).toMatchObject({ state: 'running', startedAt: core.now() })
  })

  it('an answer is taken by its channel in the very transaction, and at the very instant, in which the customer writes again', async () => {
    const one = open()
    await one.write()
    await one.speak()
    const message = await core.store.nextToDeliver(ACME.companyId, one.id)
    if (!message) throw new Error('nothing is to be delivered')
    await core.store.claimDelivery(message, core.now(), new Date(core.now().getTime() + MINUTE))
    const target = { companyId: ACME.companyId, conversationId: one.id, at: core.now(), requestId: 'req_1' }
    const question = { kind: 'message', author: { kind: 'customer' }, text: 'And now?' } as const
    await Promise.all([
      core.store.change(target, () => ({ change: {}, drafts: [question] })),
      core.store.messageSent(message, core.now()),
    ])
    expect(await one.clock('first_response')).toMatchObject({ state: 'met', endedAt: message.at })
    expect(await one.clock('next_response')).toMatchObject({ state: 'running', startedAt: core.now() })
  })

  it('never goes back in time, however far the clocks of two processes are apart', async () => {
    const one = open()
    await one.write()
    await one.priority('urgent')
    const behind = new Date(core.now().getTime() - HOUR)
    const target = { companyId: ACME.companyId, conversationId: one.id, at: behind, requestId: 'req_1' }
    const line = { kind: 'event', author: { kind: 'system' }, text: 'x' } as const
    const event = { name: 'state', from: 'open', to: 'pending' } as const
    await core.store.change(target, () => ({ change: { state: 'pending' }, drafts: [{ ...line, event }] }))
    expect((await one.timeline()).at(-1)?.at).toEqual(core.now())
    expect(await one.clock('resolution')).toMatchObject({ state: 'paused' })
  })

  it('an answer that is refused by its channel was none', async () => {
    const one = open()
    await one.write()
    await one.speak()
    core.channel.send = async () => ({ kind: 'refused', reason: 'blocked' })
    await one.deliver()
    expect(await one.clock('first_response')).toMatchObject({ state: 'running' })
  })

  it('keeps the terms that it began under when the company promises something else', async () => {
    const one = open()
    await one.write()
    core.promise.now = promised({ countAssistantReplies: true })
    await one.priority('urgent')
    expect(await one.clock('first_response')).toMatchObject({ targetMs: 15 * MINUTE, policyVersion: 3 })
    await one.answer()
    await one.deliver()
    expect(await one.clock('first_response')).toMatchObject({ state: 'running' })
  })

  it('without a policy has no clocks, no ledger and no cost', async () => {
    const one = open(null)
    await one.write()
    await one.speak()
    await one.deliver()
    expect(await one.conversation()).not.toHaveProperty('clocks')
    expect(await one.ledgers()).toEqual([])
  })

  it('says nothing of another company’s clocks', async () => {
    const one = open()
    await one.write()
    expect(await core.store.clocksOf('other', one.id)).toEqual([])
  })
})

// ── The history alone decides ───────────────────────────────────────────────────────────────────────────────────────

type Deed = (one: Opened) => Promise<unknown>
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['write', (one: Opened) => one.write()] as const) },
  { weight: 3, arbitrary: fc.constant(['speak', (one: Opened) => one.speak()] as const) },
  { weight: 4, arbitrary: fc.constant(['deliver', (one: Opened) => one.deliver()] as const) },
  { weight: 1, arbitrary: fc.constant(['answer', (one: Opened) => one.answer()] as const) },
  { weight: 1, arbitrary: fc.constant(['handoff', (one: Opened) => one.handoff()] as const) },
  { weight: 1, arbitrary: fc.constant(['tag', (one: Opened) => one.tag()] as const) },
  { weight: 3, arbitrary: fc.constant(['tell', () => core.tellTime()] as const) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...STATES.filter((state) => state !== 'closed'))
      .map((state) => [state, (one: Opened) => one.state(state)] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...PRIORITIES)
      .map((priority) => [priority, (one: Opened) => one.priority(priority)] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...TEAMS)
      .map((team) => [team?.id ?? 'no team', (one: Opened) => one.team(team)] as const),
  },
) satisfies fc.Arbitrary<readonly [string, Deed]>

const step = fc.record({
  deed,
  /** The deed that comes at the same moment. */
  beside: fc.option(deed, { freq: 3 }),
  after: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 90 }).map((n) => n * MINUTE),
    fc.constant(3 * SECOND),
  ),
  channelDown: fc.boolean(),
})

/** What a person may not do in this state is no fault here. */
const unlessRefused = (doing: Promise<unknown>) =>
  doing.catch((error: unknown) => {
    if (!(error instanceof AppError) || error.kind !== 'conflict') throw error
  })

const withoutText = (lines: Message[]) => lines.flatMap((line) => eventOf(line) ?? [])

describe('after any history', () => {
  it('the clocks that were kept are those that the timeline tells, and each was announced once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 16 }),
        fc.constantFrom('business' as const, 'calendar' as const),
        fc.boolean(),
        async (steps, time, countAssistantReplies) => {
          const terms = promised({ time, countAssistantReplies }, office('Europe/Berlin', { '03-03': '' }), TEAM_HOURS)
          const one = open(terms)
          await one.write()
          for (const {
            deed: [, act],
            beside,
            after,
            channelDown,
          } of steps) {
            core.pass(after)
            core.channel.send = channelDown
              ? () => Promise.reject(new AppError('unavailable', 'down', 'down'))
              : async () => ({ kind: 'sent' })
            await Promise.all([act, ...(beside ? [beside[1]] : [])].map((each: Deed) => unlessRefused(each(one))))
          }
          core.pass(1)
          await core.tellTime()

          const { clocks: running } = await one.conversation()
          if (!running) throw new Error('its clocks are gone')
          const now = core.now()
          const of = { ...terms.terms, priority: 'normal' as const }
          const lines = await one.timeline()
          const read = readClocks({ ...of, history: withoutText(lines), now })
          const kept = await one.ledgers()
          const clocks = kept.filter(({ clockId }) => clockId.includes(':'))
          expect(Object.fromEntries(clocks.map(({ clockId, state, ledger }) => [clockId, { state, ledger }]))).toEqual(
            Object.fromEntries(read.clocks.map(({ id, state, ledger }) => [id, { state, ledger }])),
          )
          for (const { clockId, startedAt, endedAt, deadline } of clocks) {
            const clock = read.clocks.find(({ id }) => id === clockId)
            expect({ startedAt, endedAt, deadline }).toEqual({
              startedAt: clock?.startedAt,
              endedAt: (clock && 'endedAt' in clock ? clock.endedAt : null) ?? null,
              deadline: (clock && 'deadline' in clock ? clock.deadline : null) ?? null,
            })
          }
          const bare = ({ ledger: _ledger, ...clock }: (typeof read.clocks)[number]) => clock
          const live = look({ ...running.watch, terms: of }, now)
          const ids = live.clocks.map(({ id }) => id)
          expect(live.clocks.map(bare)).toEqual(read.clocks.filter(({ id }) => ids.includes(id)).map(bare))
          expect(live.nextChangeAt).toEqual(read.nextChangeAt)
          expect(running.nextChangeAt ?? null).toEqual(read.nextChangeAt)
          expect(live.handoffToHumanReply).toEqual(read.handoffToHumanReply)
          expect(live.assistantFirstReply).toEqual(read.assistantFirstReply)

          const told = await one.told()
          const count = (change: string) => told.filter((line) => line.change === change).length
          const entries = kept.flatMap(({ ledger }) => changes(ledger) ?? [])
          expect(count('breach') - count('withdrawn')).toBe(entries.filter((change) => change === 'breach').length)
          expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_line, index) => index + 1))
        },
      ),
      { numRuns: Math.ceil(RUNS / 6) },
    )
  }, 600_000)
})
