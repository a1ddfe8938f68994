import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Receipt } from '../../src/conversations/message.js'
import { AppError } from '../../src/platform/errors.js'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())

const HOUR = 60 * 60_000
const DAY = 24 * HOUR
const putOff: Receipt = { kind: 'deferred', reason: 'the mail server puts it off: 451 4.7.1 come again' }
let core: Core
let ids = 0
let tries: number[] = []

beforeEach(async () => {
  core = await openCore(mongo)
  core.settings.idempotent = false
  core.settings.patience = { tellAfterMs: HOUR, giveUpAfterMs: 4 * DAY }
  tries = []
})

const answered = async (): Promise<string> => {
  const conversationId = `cnv_deferred_${(ids += 1)}`
  const contact = { externalId: `visitor-${ids}` }
  await core.receive(ACME, arrival(`deferred-${ids}`, { conversationId, contact }))
  await core.answer(ACME.companyId, conversationId)
  return conversationId
}
const answerIn = async (conversationId: string) =>
  (await core.store.messagesOf(ACME.companyId, conversationId)).find(({ author }) => author.kind === 'assistant')
const handlerOf = async (conversationId: string) =>
  (await core.store.conversation(ACME.companyId, conversationId))?.handler

/** Lets time go on in steps of five minutes, as the sweep would, and delivers what is due. */
const live = async (conversationId: string, receipt: () => Receipt, ms: number): Promise<void> => {
  core.channel.send = async () => {
    tries.push(core.now().getTime())
    return receipt()
  }
  for (let passed = 0; passed < ms; passed += 5 * 60_000) {
    await core.deliver(ACME.companyId, conversationId)
    core.pass(5 * 60_000)
  }
}

describe('an answer that its provider puts off', () => {
  it('is tried again for days with growing pauses, and leaves once when it is taken', async () => {
    const conversationId = await answered()
    await live(conversationId, () => putOff, 2 * DAY)
    expect(await answerIn(conversationId)).toMatchObject({ status: 'queued' })
    const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(2 * HOUR)
    expect(tries.length).toBeGreaterThan(15)
    tries = []
    await live(conversationId, () => ({ kind: 'sent', externalId: `deferred-out-${ids}` }), 4 * HOUR)
    expect(tries).toHaveLength(1)
    const sent = await answerIn(conversationId)
    expect(sent).toMatchObject({ status: 'sent' })
    expect(sent?.reason).toBeUndefined()
  })

  it('is nobody’s concern within the hour, and then a person knows why it is late', async () => {
    const conversationId = await answered()
    await live(conversationId, () => putOff, 50 * 60_000)
    expect((await answerIn(conversationId))?.reason).toBeUndefined()
    expect(await handlerOf(conversationId)).toBe('assistant')
    core.events.length = 0
    await live(conversationId, () => putOff, 4 * HOUR)
    expect(await answerIn(conversationId)).toMatchObject({ status: 'queued', reason: putOff.reason })
    expect(await handlerOf(conversationId)).toBe('nobody')
    expect(core.events.map(({ type }) => type)).toContain('delivery')
    const lines = await core.store.messagesOf(ACME.companyId, conversationId)
    expect(lines.filter(({ event }) => event?.name === 'handoff')).toHaveLength(1)
  })

  it('is given up after four days, with the words of the server', async () => {
    const conversationId = await answered()
    await live(conversationId, () => putOff, 4 * DAY + 4 * HOUR)
    expect(await answerIn(conversationId)).toMatchObject({ status: 'refused', reason: putOff.reason })
  })

  it('waits as long for a server that cannot be reached, and no longer than a few tries where nobody has that patience', async () => {
    const away = (): Receipt => {
      throw new AppError('unavailable', 'server_unreachable', 'The server does not answer at this port.')
    }
    const patient = await answered()
    await live(patient, away, 2 * HOUR)
    expect(await answerIn(patient)).toMatchObject({
      status: 'queued',
      reason: 'server_unreachable: The server does not answer at this port.',
    })
    core.settings.patience = null
    const impatient = await answered()
    await live(impatient, () => putOff, 2 * HOUR)
    expect(await answerIn(impatient)).toMatchObject({ status: 'refused', reason: putOff.reason })
    expect(await handlerOf(impatient)).toBe('nobody')
  })

  it('keeps those behind it in their order', async () => {
    const conversationId = await answered()
    await core.actions.speak({
      companyId: ACME.companyId,
      conversationId,
      person: { id: 'per_1', name: 'Kim' },
      text: 'And one thing more.',
      attachments: [],
    })
    await live(conversationId, () => putOff, 3 * HOUR)
    const order: string[] = []
    core.channel.send = async (_channel, { text }) => {
      order.push(text)
      return { kind: 'sent' }
    }
    core.pass(3 * HOUR)
    await core.deliver(ACME.companyId, conversationId)
    expect(order).toEqual([expect.stringContaining('It is on its way.'), 'And one thing more.'])
  })
})
