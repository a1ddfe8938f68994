import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Receipt } from '../../src/conversations/message.js'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const KIM = { id: 'per_kim', name: 'Kim' }
const { companyId } = ACME
const putOff: Receipt = { kind: 'deferred', reason: 'server_defers: 451 4.7.1 come again' }
let core: Core
let ids = 0
let left: string[] = []

beforeEach(async () => {
  core = await openCore(mongo)
  core.settings.idempotent = false
  core.settings.patience = { tellAfterMs: HOUR, giveUpAfterMs: 96 * HOUR }
  core.channel.send = async () => putOff
  left = []
})

const begin = async (): Promise<string> => {
  const conversationId = `cnv_cancel_${(ids += 1)}`
  const contact = { externalId: `cancel-${ids}` }
  await core.receive(ACME, arrival(`cancel-${ids}`, { conversationId, contact }))
  return conversationId
}
const say = (conversationId: string, text: string) =>
  core.actions.speak({ companyId, conversationId, person: KIM, text, attachments: [] })
const cancel = (messageId: string, of = companyId) => core.actions.cancel({ companyId: of, messageId, person: KIM })
const now = (messageId: string) => core.store.message(companyId, messageId)
/** The provider takes everything from now on. */
const takes = () => {
  core.channel.send = async (_channel, { text }) => {
    left.push(text)
    return { kind: 'sent' }
  }
}
const deliver = (conversationId: string) => core.deliver(companyId, conversationId)

describe('a message that waits for its server', () => {
  it('says when it is tried again, and never leaves once a person has cancelled it', async () => {
    const conversationId = await begin()
    const { id } = await say(conversationId, 'The wrong price.')
    expect((await now(id))?.nextTryAt).toBeUndefined()
    core.events.length = 0
    await deliver(conversationId)
    expect(await now(id)).toMatchObject({ status: 'queued', nextTryAt: expect.any(Date) })
    expect(core.events).toContainEqual({ type: 'delivery', companyId, conversationId, messageId: id })
    expect(await cancel(id)).toMatchObject({ id, status: 'refused', reason: 'cancelled: Kim' })
    takes()
    core.pass(5 * HOUR)
    await core.sweep(0)
    await deliver(conversationId)
    expect(left).toEqual([])
    expect(await now(id)).toMatchObject({ status: 'refused' })
    expect((await now(id))?.nextTryAt).toBeUndefined()
  })

  it('holds nothing up any more that was written after it', async () => {
    const conversationId = await begin()
    const wrong = await say(conversationId, 'The wrong price.')
    await say(conversationId, 'The right price.')
    await deliver(conversationId)
    core.pass(30 * MINUTE)
    await deliver(conversationId)
    takes()
    core.woken.length = 0
    await cancel(wrong.id)
    expect(core.woken).toContainEqual({ job: 'deliver', companyId, id: conversationId })
    await deliver(conversationId)
    expect(left).toEqual(['The right price.'])
  })

  it('is too late to cancel while it is being sent, and after it was', async () => {
    const conversationId = await begin()
    const { id } = await say(conversationId, 'Hello.')
    let answer = (_receipt: Receipt): void => {}
    const begun = new Promise<void>((sending) => {
      core.channel.send = () =>
        new Promise((resolve) => {
          answer = resolve
          sending()
        })
    })
    const sending = deliver(conversationId)
    await begun
    await expect(cancel(id)).rejects.toMatchObject({ kind: 'conflict', code: 'too_late_to_cancel' })
    answer({ kind: 'sent' })
    await sending
    await expect(cancel(id)).rejects.toMatchObject({ code: 'too_late_to_cancel' })
    expect(await now(id)).toMatchObject({ status: 'sent' })
  })

  it('is either cancelled or sent, whoever is faster: never both, never neither', async () => {
    for (let round = 0; round < 12; round += 1) {
      const conversationId = await begin()
      const { id } = await say(conversationId, `Round ${round}`)
      core.channel.send = async () => putOff
      await deliver(conversationId)
      core.pass(5 * HOUR)
      takes()
      left = []
      let told = true
      const cancelling = () => cancel(id).catch(() => (told = false))
      const sending = () => deliver(conversationId)
      await Promise.all((round % 2 === 0 ? [cancelling, sending] : [sending, cancelling]).map((begin) => begin()))
      expect(left).toEqual(told ? [] : [`Round ${round}`])
      expect(await now(id)).toMatchObject({ status: told ? 'refused' : 'sent' })
    }
  })

  it('may be cancelled twice, and by nobody of another company', async () => {
    const conversationId = await begin()
    const { id } = await say(conversationId, 'Hello.')
    await deliver(conversationId)
    await expect(cancel(id, 'rivals')).rejects.toMatchObject({ kind: 'not_found' })
    const once = await cancel(id)
    const again = await core.actions.cancel({ companyId, messageId: id, person: { id: 'per_bo', name: 'Bo' } })
    expect(again).toEqual(once)
    await expect(cancel('msg_unknown')).rejects.toMatchObject({ code: 'message_not_found' })
  })

  it('leaves nobody in silence where it was the assistant’s', async () => {
    const conversationId = await begin()
    await core.answer(companyId, conversationId)
    await deliver(conversationId)
    const lines = await core.store.messagesOf(companyId, conversationId)
    const { id } = lines.find(({ author }) => author.kind === 'assistant') ?? { id: '' }
    await cancel(id)
    expect(await core.store.conversation(companyId, conversationId)).toMatchObject({
      handler: 'nobody',
      handoff: { reason: 'requested_by_agent' },
    })
  })

  it('does not count as an answer: what a customer wrote is none that may be cancelled', async () => {
    const conversationId = await begin()
    const [written] = await core.store.messagesOf(companyId, conversationId)
    await expect(cancel(written?.id ?? '')).rejects.toMatchObject({ code: 'too_late_to_cancel' })
  })
})
