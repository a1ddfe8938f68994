import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Choices, TermsRef } from '../../src/companies/service-levels.mongo.js'
import { matchPolicy, type Policy } from '../../src/sla/policy.js'
import { promise } from '../sla/conversation.js'
import { HOUR, MINUTE } from '../sla/hours.js'
import { ACME, arrival, grounded, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const within = (ms: number) => {
  const each = { first_response: ms, next_response: ms, resolution: null }
  return { low: each, normal: each, high: each, urgent: each }
}
const policy = (id: string, ms: number, change: Partial<Policy> = {}): Policy => ({
  ...promise({}),
  id,
  name: id,
  when: {},
  targets: within(ms),
  ...change,
})

const VIP = policy('vip', 20 * MINUTE, { when: { tag: ['vip'] } })
const GOLD = policy('gold', 30 * MINUTE, { when: { tier: ['gold'] } })
const FRENCH = policy('french', 40 * MINUTE, { when: { language: ['fr'] } })
const URGENT = policy('urgent', 10 * MINUTE, { when: { priority: ['urgent'] } })
const EVERYBODY = policy('everybody', 2 * HOUR)

/** The choices that a list of policies gives, under one version. */
const choicesOf =
  (policies: readonly Policy[]) =>
  (_ref: TermsRef | null, channelId: string): Choices => ({
    changes: true,
    choose: (facts) => {
      const found = matchPolicy(policies, facts)
      return (
        found && {
          ref: { policyId: found.id, policies: 1, hours: null, channelId },
          terms: { policy: found, hours: null },
        }
      )
    },
  })

describe('a promise is chosen again', () => {
  let mongo: Awaited<ReturnType<typeof openTestMongo>>
  let core: Core
  let number = 0

  beforeAll(async () => {
    mongo = await openTestMongo()
    core = await openCore(mongo)
    core.channel.send = async () => ({ kind: 'sent' })
  })
  afterAll(() => mongo.close())

  const begin = async (first: Policy | null, policies: readonly Policy[] = [VIP, GOLD, URGENT, EVERYBODY]) => {
    core.choices.now = choicesOf(policies)
    core.promise.now = first && {
      ref: { policyId: first.id, policies: 1, hours: null, channelId: ACME.channelId },
      terms: { policy: first, hours: null },
    }
    number += 1
    const id = `cnv_c${number}`
    const contact = { externalId: id }
    await core.receive(ACME, arrival(`${id}:1`, { contact, conversationId: id }))
    const target = { companyId: ACME.companyId, conversationId: id, person: { id: 'per_1', name: 'Ana' } }
    return {
      target,
      begun: core.now(),
      again: (text: string) => core.receive(ACME, arrival(`${id}:${text}`, { contact, conversationId: id, text })),
      tag: (...tags: string[]) => core.actions.setTags({ ...target, tags }),
      answer: async () => {
        await core.actions.speak({ ...target, text: 'Here you are.' })
        await core.deliver(ACME.companyId, id)
      },
      policy: async () => (await core.inbox.get(ACME.companyId, id)).clocks?.ref.policyId,
      due: async () => (await core.inbox.get(ACME.companyId, id)).clocks?.due,
      ledgers: () => core.store.clocksOf(ACME.companyId, id),
      told: async () =>
        (await core.inbox.messages(ACME.companyId, id)).flatMap(({ event }) =>
          event?.name === 'service_level' ? [event.change] : [],
        ),
    }
  }

  it('when a tag is set, and counts from the first message as if it had been made then', async () => {
    const one = await begin(EVERYBODY)
    core.pass(5 * MINUTE)
    await one.tag('vip')
    expect(await one.policy()).toBe('vip')
    expect((await one.due())?.at).toEqual(new Date(one.begun.getTime() + 20 * MINUTE))
    expect((await one.ledgers()).find(({ kind }) => kind === 'first_response')).toMatchObject({
      ref: { policyId: 'vip' },
      targetMs: 20 * MINUTE,
    })
  })

  it('when the priority changes, and when the tag goes again', async () => {
    const one = await begin(EVERYBODY)
    await core.actions.setPriority({ ...one.target, priority: 'urgent' })
    expect(await one.policy()).toBe('urgent')
    await one.tag('vip')
    expect(await one.policy()).toBe('vip')
    await one.tag()
    expect(await one.policy()).toBe('urgent')
    await core.actions.setPriority({ ...one.target, priority: 'normal' })
    expect(await one.policy()).toBe('everybody')
  })

  it('when the customer gets a tier, in everything of theirs that is not resolved and in what they begin later', async () => {
    const one = await begin(EVERYBODY)
    await core.actions.setTier({ ...one.target, tier: 'gold' })
    expect(await one.policy()).toBe('gold')
    expect((await core.inbox.get(ACME.companyId, one.target.conversationId)).contact.tier).toBe('gold')
    await core.actions.setTier({ ...one.target, tier: null })
    expect(await one.policy()).toBe('everybody')
  })

  it('in every conversation of the customer that is not resolved, when one of them gives them a tier', async () => {
    const one = await begin(EVERYBODY)
    const contact = { externalId: one.target.conversationId }
    const named = async (id: string) => {
      await core.receive(ACME, arrival(`${id}:1`, { contact, conversationId: id, startsConversation: true }))
      return { ...one.target, conversationId: id }
    }
    const [beside, solved] = [await named(`cnv_beside${number}`), await named(`cnv_solved${number}`)]
    await core.actions.setState({ ...solved, state: 'resolved' })
    await core.actions.setTier({ ...one.target, tier: 'gold' })
    const policyOf = async (id: string) => (await core.inbox.get(ACME.companyId, id)).clocks?.ref.policyId
    expect(await policyOf(beside.conversationId)).toBe('gold')
    expect(await policyOf(solved.conversationId)).toBe('everybody')
    const another = await begin(EVERYBODY)
    expect(await another.policy()).toBe('everybody')
    for (const each of [one.target, beside, solved]) await core.actions.setState({ ...each, state: 'closed' })
    await one.again('One more thing')
    expect(core.asked.at(-1)?.tier).toBe('gold')
  })

  it('when the customer’s language is recognised, and known at once where they begin again', async () => {
    const one = await begin(EVERYBODY, [FRENCH, EVERYBODY])
    expect(core.asked.at(-1)?.language).toBeNull()
    core.assistant.answerQuestion = async (...given) => ({ ...(await grounded(...given)), language: 'fr' })
    await core.answer(ACME.companyId, one.target.conversationId)
    expect(await one.policy()).toBe('french')
    expect((await one.due())?.at).toEqual(new Date(one.begun.getTime() + 40 * MINUTE))
    await core.actions.setState({ ...one.target, state: 'closed' })
    await one.again('Encore une question')
    expect(core.asked.at(-1)?.language).toBe('fr')
    core.assistant.answerQuestion = grounded
  })

  it('is broken at once where the time of the new promise has passed, and announced once', async () => {
    const one = await begin(EVERYBODY)
    core.pass(30 * MINUTE)
    await one.tag('vip')
    await core.tellTime()
    expect(await one.told()).toEqual(['warning', 'breach'])
  })

  it('but not once it was kept or broken: no result is judged by another promise', async () => {
    const kept = await begin(EVERYBODY)
    core.pass(30 * MINUTE)
    await kept.answer()
    await kept.tag('vip')
    expect(await kept.policy()).toBe('everybody')
    const broken = await begin(EVERYBODY)
    core.pass(2 * HOUR + 1)
    await core.tellTime()
    await broken.tag('vip')
    expect(await broken.policy()).toBe('everybody')
    expect(await broken.told()).toEqual(['warning', 'breach'])
  })

  it('and stays where nothing matches any more', async () => {
    const one = await begin(VIP, [VIP])
    await one.tag()
    expect(await one.policy()).toBe('vip')
  })

  it('and made where nothing was promised, by a tag that promises something', async () => {
    const one = await begin(null, [VIP])
    expect(await one.policy()).toBeUndefined()
    core.pass(MINUTE)
    await one.tag('vip')
    expect(await one.policy()).toBe('vip')
    expect((await one.due())?.at).toEqual(new Date(one.begun.getTime() + 20 * MINUTE))
    core.pass(MINUTE)
    await one.answer()
    expect((await one.ledgers()).find(({ kind }) => kind === 'first_response')).toMatchObject({ state: 'met' })
  })

  it('gives the same ledger whichever way it came to its policy', async () => {
    const early = await begin(VIP)
    await early.tag('vip')
    const late = await begin(EVERYBODY)
    await Promise.all([late.tag('vip'), late.again('Hello?'), late.again('Still there?')])
    await Promise.all([early.again('Hello?'), early.again('Still there?')])
    core.pass(20 * MINUTE + 1)
    await core.tellTime()
    const shape = async (of: typeof early) =>
      (await of.ledgers()).map(({ kind, state, targetMs, ledger }) => [
        kind,
        state,
        targetMs,
        ledger.map(({ change }) => change),
      ])
    expect(await shape(late)).toEqual(await shape(early))
  })

  it('is not chosen by another company', async () => {
    const one = await begin(EVERYBODY)
    await expect(core.actions.setTier({ ...one.target, companyId: 'other', tier: 'gold' })).rejects.toMatchObject({
      code: 'conversation_not_found',
    })
    expect(await one.policy()).toBe('everybody')
  })
})
