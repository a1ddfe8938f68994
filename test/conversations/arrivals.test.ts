import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeArrivals } from '../../src/conversations/arrivals.js'
import { contactIdOf, type Arrival, type StatusArrival } from '../../src/conversations/message.js'
import { makeBus } from '../../src/platform/bus.js'
import { makeLog } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { arrival, ACME, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let takeIn: ReturnType<typeof makeArrivals>
let number = 0
/** A contact and a conversation that nothing else has touched. */
const fresh = () => {
  number += 1
  const id = `of-${number}`
  return { id, conversationId: `cnv_${number}`, contact: { externalId: `visitor-${number}` } }
}

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  takeIn = makeArrivals({
    ...core,
    bus: makeBus(),
    clock: { now: core.now },
    log: makeLog('silent'),
    receive: core.receive,
  })
})
afterAll(() => mongo.close())

const messagesIn = (conversationId: string) => core.store.messagesOf(ACME.companyId, conversationId)

const answered = async (externalId: string): Promise<string> => {
  const { id, ...where } = fresh()
  await core.receive(ACME, arrival(id, where))
  await core.answer(ACME.companyId, where.conversationId)
  core.channel.send = async () => ({ kind: 'sent', externalId })
  await core.deliver(ACME.companyId, where.conversationId)
  return where.conversationId
}

const status = (externalId: string, to: StatusArrival['status']): StatusArrival => ({
  kind: 'status',
  externalId,
  status: to,
  ...(to === 'refused' ? { reason: 'the number is gone' } : {}),
})

const statusOf = async (conversationId: string) =>
  (await messagesIn(conversationId)).find(({ author }) => author.kind === 'assistant')?.status

describe('what became of a message of ours', () => {
  it('moves forward only, in whatever order and however often it is told', async () => {
    const RANK = ['sent', 'delivered', 'read'] as const
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...RANK), { minLength: 1, maxLength: 8 }), async (told) => {
        round += 1
        const externalId = `wamid.order-${round}`
        const conversationId = await answered(externalId)
        for (const one of told) await takeIn(ACME, status(externalId, one))
        const furthest = RANK[Math.max(...told.map((one) => RANK.indexOf(one)))]
        expect(await statusOf(conversationId)).toBe(furthest)
      }),
      { numRuns: 25 },
    )
  })

  it('is kept when the provider is faster than our own note, and never moved back by a late one', async () => {
    await takeIn(ACME, status('wamid.early', 'read'))
    await takeIn(ACME, status('wamid.early', 'delivered'))
    expect(await statusOf(await answered('wamid.early'))).toBe('read')
  })

  it('of another channel or company is nobody’s business here', async () => {
    const conversationId = await answered('wamid.own')
    await takeIn({ ...ACME, channelId: 'chn_other' }, status('wamid.own', 'read'))
    await takeIn({ companyId: 'other', channelId: ACME.channelId }, status('wamid.own', 'read'))
    expect(await statusOf(conversationId)).toBe('sent')
  })

  it('brings in a person where an answer was refused after all', async () => {
    const conversationId = await answered('wamid.refused')
    await takeIn(ACME, status('wamid.refused', 'refused'))
    expect(await core.store.conversation(ACME.companyId, conversationId)).toMatchObject({
      handler: 'nobody',
      handoff: { reason: 'delivery_failed' },
    })
    await takeIn(ACME, status('wamid.refused', 'delivered'))
    expect(await statusOf(conversationId)).toBe('refused')
  })
})

describe('what a customer changes later', () => {
  it('is shown as it is now, with what it was; taken back, its text is gone and nothing answers it', async () => {
    const { id, ...where } = fresh()
    await core.receive(ACME, arrival(id, { ...where, text: 'Where is my parcell?' }))
    await takeIn(ACME, { kind: 'edit', externalId: id, text: 'Where is my parcel?' })
    expect((await messagesIn(where.conversationId))[0]).toMatchObject({
      text: 'Where is my parcel?',
      edits: [{ text: 'Where is my parcell?' }],
    })
    // The provider tells the first version again: still the same message.
    expect(await core.receive(ACME, arrival(id, { ...where, text: 'Where is my parcell?' }))).toMatchObject({
      duplicate: true,
    })
    await takeIn(ACME, { kind: 'edit', externalId: id, text: null })
    await core.answer(ACME.companyId, where.conversationId)
    const messages = await messagesIn(where.conversationId)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ text: '', revoked: true })
  })

  it('is done all the same where it is told before the message itself', async () => {
    const { id, ...where } = fresh()
    await takeIn(ACME, { kind: 'edit', externalId: id, text: 'Where is my parcel?' })
    await takeIn(ACME, { kind: 'reaction', externalId: id, emoji: '🙏' })
    await takeIn(ACME, { ...arrival(id, { ...where, text: 'Where is my parcell?' }) })
    const [message] = await messagesIn(where.conversationId)
    expect(message).toMatchObject({
      text: 'Where is my parcel?',
      edits: [{ text: 'Where is my parcell?' }],
      reaction: '🙏',
    })
  })

  it('stays taken back, whatever else was told of it before it came, and only on its own channel', async () => {
    const { id, ...where } = fresh()
    await takeIn(ACME, { kind: 'edit', externalId: id, text: null })
    await takeIn(ACME, { kind: 'edit', externalId: id, text: 'Changed before that' })
    const elsewhere = { ...ACME, channelId: 'chn_other' }
    const other = fresh()
    await takeIn(elsewhere, { ...arrival(id, { ...other, text: 'Another channel' }) })
    expect((await messagesIn(other.conversationId))[0]).toMatchObject({ text: 'Another channel' })
    await takeIn(ACME, { ...arrival(id, { ...where, text: 'My card number is' }) })
    await core.answer(ACME.companyId, where.conversationId)
    const messages = await messagesIn(where.conversationId)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ text: '', revoked: true })
  })

  it('may be a sign under a message of ours, told before we noted its name', async () => {
    await takeIn(ACME, { kind: 'reaction', externalId: 'wamid.early-liked', emoji: '❤️' })
    const conversationId = await answered('wamid.early-liked')
    expect((await messagesIn(conversationId)).at(-1)?.reaction).toBe('❤️')
  })

  it('may be a sign under a message, and its taking back', async () => {
    const conversationId = await answered('wamid.liked')
    const liked = async () => (await messagesIn(conversationId)).at(-1)?.reaction
    await takeIn(ACME, { kind: 'reaction', externalId: 'wamid.liked', emoji: '👍' })
    expect(await liked()).toBe('👍')
    await takeIn(ACME, { kind: 'reaction', externalId: 'wamid.liked', emoji: null })
    expect(await liked()).toBeUndefined()
  })

  it('may be their number: the conversation goes on, and is answered at the new one', async () => {
    const { conversationId: _named, ...old } = arrival('before-move', { contact: { externalId: '15550001' } })
    const first = await core.receive(ACME, old)
    await takeIn(ACME, { kind: 'identity', from: '15550001', to: '15550002' })
    const { conversationId: _also, ...next } = arrival('after-move', { contact: { externalId: '15550002' } })
    const second = await core.receive(ACME, next)
    expect(second.conversationId).toBe(first.conversationId)
    await core.answer(ACME.companyId, second.conversationId)
    const sentTo: string[] = []
    core.channel.send = async (_origin, { contact }) => {
      sentTo.push(contact.externalId)
      return { kind: 'sent' }
    }
    await core.deliver(ACME.companyId, second.conversationId)
    expect(sentTo).toEqual(['15550002'])
    await takeIn(ACME, { kind: 'identity', from: '15550002', to: '15550001' })
    expect(await core.store.contact(ACME.companyId, contactIdOf(ACME, '15550001'))).toMatchObject({
      externalId: '15550001',
    })
  })
})

describe('what no customer asks', () => {
  const receiveIn = async (change: Partial<Extract<Arrival, { kind: 'message' }>>) => {
    const { id, ...where } = fresh()
    await core.receive(ACME, arrival(id, { ...where, ...change }))
    await core.answer(ACME.companyId, where.conversationId)
    return {
      conversation: await core.store.conversation(ACME.companyId, where.conversationId),
      messages: await messagesIn(where.conversationId),
    }
  }
  const said = ({ messages }: Awaited<ReturnType<typeof receiveIn>>) =>
    messages.filter(({ author }) => author.kind === 'assistant')

  it('an automatic message is kept for people and never answered', async () => {
    const kept = await receiveIn({ automatic: 'auto-replied' })
    expect(kept.conversation).toMatchObject({ handler: 'nobody', handoff: { reason: 'automatic_message' } })
    expect(said(kept)).toEqual([])
  })

  it('an automatic message in a resolved conversation does not open it again', async () => {
    const conversationId = await answered('wamid.resolved')
    await core.actions.setState({
      companyId: ACME.companyId,
      conversationId,
      person: { id: 'prs_1', name: 'Kim' },
      state: 'resolved',
    })
    await core.receive(ACME, arrival('vacation', { conversationId, automatic: 'vacation' }))
    expect(await core.store.conversation(ACME.companyId, conversationId)).toMatchObject({ state: 'resolved' })
  })

  it('what the assistant cannot read goes to a person, and the customer is told', async () => {
    const kept = await receiveIn({ text: '[voice message]', needsPerson: 'voice' })
    expect(kept.conversation).toMatchObject({ handler: 'nobody', handoff: { reason: 'needs_person' } })
    expect(said(kept).map(({ handover }) => handover)).toEqual([true])
  })

  it('what the company’s own people wrote elsewhere takes the conversation over', async () => {
    const { id, ...where } = fresh()
    await core.receive(ACME, arrival(id, where))
    await core.receive(ACME, arrival(`${id}-own`, { ...where, text: 'I will look.', from: 'agent' }))
    await core.answer(ACME.companyId, where.conversationId)
    expect(await core.store.conversation(ACME.companyId, where.conversationId)).toMatchObject({ handler: 'agent' })
    const messages = await messagesIn(where.conversationId)
    expect(messages.map(({ author, status: sent }) => [author.kind, sent])).toEqual([
      ['customer', null],
      ['agent', 'sent'],
    ])
  })

  it('all of what was sent is kept beside what is new in it, and read alone', async () => {
    const original = { text: 'Thanks!\n\n> Your parcel is on its way.', html: '<p>Thanks!</p>' }
    const { id, ...where } = fresh()
    const { messageId } = await core.receive(ACME, arrival(id, { ...where, text: 'Thanks!', original }))
    expect(JSON.stringify(await messagesIn(where.conversationId))).not.toContain('> Your')
    expect(JSON.stringify(await core.store.message(ACME.companyId, messageId))).not.toContain('> Your')
    expect(await core.store.original(ACME.companyId, messageId)).toEqual(original)
    expect(await core.store.original('other', messageId)).toBeNull()
  })

  it('begins a conversation of its own where the channel says so, once', async () => {
    const { id, ...where } = fresh()
    await core.receive(ACME, arrival(id, where))
    const other = arrival(`${id}-other`, {
      ...where,
      conversationId: `${where.conversationId}_own`,
      startsConversation: true,
    })
    const first = await core.receive(ACME, other)
    expect(first.conversationId).toBe(`${where.conversationId}_own`)
    expect(await core.receive(ACME, other)).toEqual({ ...first, duplicate: true })
  })
})

describe('two machines that answer each other', () => {
  it('stop at the limit of the conversation: people have it then, and the other side is told nothing', async () => {
    core.settings.automaticLimits = { perConversation: 3 }
    const { id, ...where } = fresh()
    for (let turn = 0; turn < 6; turn++) {
      await core.receive(ACME, arrival(`${id}-${turn}`, { ...where, text: `And what about order ${turn}?` }))
      await core.answer(ACME.companyId, where.conversationId)
    }
    core.settings.automaticLimits = {}
    const messages = await messagesIn(where.conversationId)
    expect(messages.filter(({ author }) => author.kind === 'assistant')).toHaveLength(3)
    expect(await core.store.conversation(ACME.companyId, where.conversationId)).toMatchObject({
      handler: 'nobody',
      handoff: { reason: 'enough_answers' },
    })
  })

  it('stop where each asks for a person again and again: the queue has it, and nothing more is said', async () => {
    core.settings.automaticLimits = { perContactAndDay: 2 }
    const { id, contact } = fresh()
    const said: number[] = []
    for (const turn of [0, 1, 2, 3]) {
      const conversationId = `cnv_person_${id}_${turn}`
      const text = 'I want to talk to a human please'
      await core.receive(ACME, arrival(conversationId, { contact, conversationId, startsConversation: true, text }))
      await core.answer(ACME.companyId, conversationId)
      said.push(
        (await messagesIn(conversationId)).filter(
          ({ author, kind }) => kind === 'message' && author.kind === 'assistant',
        ).length,
      )
      expect(await core.store.conversation(ACME.companyId, conversationId)).toMatchObject({
        handler: 'nobody',
        handoff: { reason: 'asked_for_person' },
      })
    }
    core.settings.automaticLimits = {}
    expect(said).toEqual([1, 1, 0, 0])
  })

  it('stop at the limit of the day, over all conversations of the person', async () => {
    core.settings.automaticLimits = { perContactAndDay: 2 }
    const { id, contact } = fresh()
    const ids = [0, 1, 2].map((turn) => `cnv_day_${id}_${turn}`)
    for (const conversationId of ids) {
      await core.receive(ACME, arrival(conversationId, { contact, conversationId, startsConversation: true }))
      await core.answer(ACME.companyId, conversationId)
    }
    core.pass(25 * 60 * 60 * 1000)
    const next = `cnv_day_${id}_next`
    await core.receive(ACME, arrival(next, { contact, conversationId: next, startsConversation: true }))
    await core.answer(ACME.companyId, next)
    core.settings.automaticLimits = {}
    const answers = await Promise.all(
      [...ids, next].map(
        async (conversationId) =>
          (await messagesIn(conversationId)).filter(({ author }) => author.kind === 'assistant').length,
      ),
    )
    expect(answers).toEqual([1, 1, 0, 1])
  })
})
