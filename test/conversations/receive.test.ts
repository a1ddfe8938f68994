import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0
/** Each test has a visitor and a conversation of its own. */
let mine: { contact: { externalId: string }; conversationId: string }

beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())
beforeEach(async () => {
  core = await openCore(mongo)
  number += 1
  mine = { contact: { externalId: `visitor-${number}` }, conversationId: `cnv_${number}` }
})

const write = (externalId: string, text = 'Where is my parcel?') =>
  core.receive(ACME, arrival(`${mine.conversationId}:${externalId}`, { ...mine, text }))
const person = { id: 'per_1', name: 'Ana' }
const target = (conversationId = mine.conversationId) => ({ companyId: ACME.companyId, conversationId, person })

describe('a customer’s message', () => {
  it('starts the conversation that the channel reserved for it, with the assistant', async () => {
    const received = await write('m1')
    expect(received).toMatchObject({ conversationId: mine.conversationId, duplicate: false })
    const conversation = await core.inbox.get('acme', mine.conversationId)
    expect(conversation).toMatchObject({ state: 'open', handler: 'assistant', seq: 1, answerDue: { attempts: 0 } })
    expect(core.woken).toEqual([{ job: 'answer', companyId: 'acme', id: mine.conversationId }])
  })

  it('is stored once, however often and however concurrently it is delivered', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => write('m1')))
    expect(new Set(results.map(({ messageId }) => messageId)).size).toBe(1)
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(1)
    expect((await core.inbox.get('acme', mine.conversationId)).seq).toBe(1)
  })

  it('that is a stranger’s wish to be left alone holds with the message itself, whatever happens next', async () => {
    const first = arrival('stop', { ...mine, text: 'STOP', automatic: 'opt_out', consent: { wants: 'out' } })
    await core.receive(ACME, first)
    const { contactId } = await core.inbox.get('acme', mine.conversationId)
    expect(await core.store.contact('acme', contactId)).toMatchObject({ optedOut: true })
  })

  it('is refused when its id was already used for other words', async () => {
    await write('m1', 'Hello')
    await expect(write('m1', 'Goodbye')).rejects.toMatchObject({ code: 'message_id_reused', field: 'id' })
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(1)
  })

  it('gets the next number without a gap when many arrive at once', async () => {
    await write('first')
    await Promise.all(Array.from({ length: 20 }, (_, index) => write(`m${index}`)))
    const messages = await core.inbox.messages('acme', mine.conversationId)
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1))
  })

  it('makes one conversation when the first ones arrive at once', async () => {
    const received = await Promise.all(Array.from({ length: 6 }, (_, index) => write(`m${index}`)))
    expect(new Set(received.map(({ conversationId }) => conversationId))).toEqual(new Set([mine.conversationId]))
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(6)
  })

  it.each(['pending', 'on_hold', 'snoozed', 'resolved'] as const)('opens a conversation that is %s', async (state) => {
    await write('m1')
    await core.actions.setState({ ...target(), state })
    await write('m2')
    expect(await core.inbox.get('acme', mine.conversationId)).toMatchObject({ state: 'open', resolvedAt: null })
  })

  it('starts a new, linked conversation after the old one was closed, and goes on there', async () => {
    await write('m1')
    await core.actions.setState({ ...target(), state: 'closed' })
    const second = await write('m2')
    const third = await write('m3')
    expect(second.conversationId).not.toBe(mine.conversationId)
    expect(third.conversationId).toBe(second.conversationId)
    expect(await core.inbox.get('acme', second.conversationId)).toMatchObject({ previousId: mine.conversationId })
  })

  it('is one of several at once after closing: they go on in one new conversation', async () => {
    await write('m1')
    await core.actions.setState({ ...target(), state: 'closed' })
    const received = await Promise.all(Array.from({ length: 5 }, (_, index) => write(`after${index}`)))
    expect(new Set(received.map(({ conversationId }) => conversationId)).size).toBe(1)
  })

  it('does not wake the assistant while a person has the conversation', async () => {
    await write('m1')
    await core.actions.speak({ ...target(), text: 'Hello' })
    core.woken.length = 0
    await write('m2')
    expect(core.woken).toEqual([])
    expect(await core.inbox.get('acme', mine.conversationId)).toMatchObject({ handler: 'agent', answerDue: null })
  })

  it('goes to the human queue with the reason while the assistant is paused', async () => {
    await write('m1')
    core.settings.paused = true
    await write('m2')
    const conversation = await core.inbox.get('acme', mine.conversationId)
    expect(conversation).toMatchObject({ handler: 'nobody', handoff: { reason: 'assistant_paused' } })
    const lines = await core.inbox.messages('acme', mine.conversationId)
    expect(lines.map(({ kind }) => kind)).toEqual(['message', 'message', 'event'])
  })

  it('of a new customer goes to the human queue at once while the assistant is paused', async () => {
    core.settings.paused = true
    await write('m1')
    // What is due is not an answer, but the word that a person will give one.
    expect(await core.inbox.get('acme', mine.conversationId)).toMatchObject({ handler: 'nobody', answerDue: {} })
    expect(core.woken).toHaveLength(1)
  })

  it('cannot reach a conversation of another company or channel by naming it', async () => {
    await write('m1')
    const stranger = { companyId: 'other', channelId: 'chn_other' }
    await expect(core.receive(stranger, arrival('x', mine))).rejects.toThrow()
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(1)
    await expect(core.inbox.get('other', mine.conversationId)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('is not lost with another one that fails beside it', async () => {
    await write('first')
    await write('known', 'Hello')
    const others = Array.from({ length: 10 }, (_, index) =>
      core.receive(
        ACME,
        arrival(`${mine.conversationId}:other${index}`, {
          contact: { externalId: `${mine.conversationId}-${index}` },
          conversationId: `${mine.conversationId}-${index}`,
        }),
      ),
    )
    await Promise.all(others)
    const again = others.map((_, index) =>
      core.receive(
        ACME,
        arrival(`${mine.conversationId}:again${index}`, {
          contact: { externalId: `${mine.conversationId}-${index}` },
          conversationId: `${mine.conversationId}-${index}`,
        }),
      ),
    )
    const outcomes = await Promise.allSettled([write('known', 'Other words'), ...again])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...again.map(() => 'fulfilled')])
  })

  it('stays on its channel: another channel of the same company cannot name its conversation', async () => {
    await write('m1')
    const other = { companyId: ACME.companyId, channelId: 'chn_second' }
    await expect(core.receive(other, arrival('elsewhere', mine))).rejects.toThrow()
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(1)
  })

  it('cannot be answered, noted or assigned by people of another company', async () => {
    await write('m1')
    const stranger = { ...target(), companyId: 'other' }
    for (const attempt of [
      () => core.actions.speak({ ...stranger, text: 'Hi' }),
      () => core.actions.note({ ...stranger, text: 'Hi' }),
      () => core.actions.assign({ ...stranger, assignee: person }),
      () => core.actions.setState({ ...stranger, state: 'closed' }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ kind: 'not_found' })
    }
    expect(await core.inbox.messages('acme', mine.conversationId)).toHaveLength(1)
  })
})
