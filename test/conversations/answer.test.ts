import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../../src/platform/errors.js'
import { ACME, arrival, grounded, openCore, unknown, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0
let id = ''

beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())
beforeEach(async () => {
  core = await openCore(mongo)
  number += 1
  id = `cnv_${number}`
})

const write = (externalId: string, text = 'Where is my parcel?') =>
  core.receive(ACME, arrival(`${id}:${externalId}`, { contact: { externalId: id }, conversationId: id, text }))
const answer = () => core.answer('acme', id)
const deliver = () => core.deliver('acme', id)
const lines = () => core.inbox.messages('acme', id)
const spoken = async () => (await lines()).filter(({ kind }) => kind === 'message')
const conversation = () => core.inbox.get('acme', id)
const person = { id: 'per_1', name: 'Ana' }
const target = () => ({ companyId: 'acme', conversationId: id, person })

describe('the assistant', () => {
  it('answers with quotes, says that it quotes, and asks for delivery', async () => {
    await write('m1')
    await answer()
    const reply = (await spoken())[1]
    expect(reply).toMatchObject({
      author: { kind: 'assistant' },
      mode: 'extractive',
      status: 'queued',
      decisionId: 'dec_1',
    })
    expect(reply?.text).toBe('From our documentation:\n\nIt is on its way.')
    expect(core.woken.at(-1)).toEqual({ job: 'deliver', companyId: 'acme', id })
    expect(await conversation()).toMatchObject({ answerDue: null, lease: null, handler: 'assistant' })
  })

  it('hands over what it does not know, with the reason and what was asked', async () => {
    core.assistant.answerQuestion = unknown
    await write('m1', 'What is the meaning of life?')
    await answer()
    expect((await spoken())[1]?.text).toMatch(/^I don't know that\. I have asked a person/)
    expect(await conversation()).toMatchObject({
      handler: 'nobody',
      handoff: { reason: 'unknown_answer', summary: expect.stringContaining('What is the meaning of life?') },
    })
    expect((await lines()).at(-1)).toMatchObject({
      kind: 'event',
      event: { name: 'handoff', reason: 'unknown_answer' },
    })
  })

  it('answers once, however many workers try at once', async () => {
    await write('m1')
    await Promise.all(Array.from({ length: 6 }, answer))
    expect(await spoken()).toHaveLength(2)
  })

  it('falls silent when a person replies while it is thinking', async () => {
    await write('m1')
    core.assistant.answerQuestion = async (question, signal, draft) => {
      await core.actions.speak({ ...target(), text: 'Hello, this is Ana.' })
      return grounded(question, signal, draft)
    }
    await answer()
    expect((await spoken()).map(({ author }) => author.kind)).toEqual(['customer', 'agent'])
    expect(await conversation()).toMatchObject({ handler: 'agent', answerDue: null, lease: null })
  })

  it('takes a message that arrives while it is thinking into the same answer: one reply, not two', async () => {
    await write('m1', 'My parcel')
    const asked: string[] = []
    core.assistant.answerQuestion = async (question, signal, draft) => {
      asked.push(question.text)
      if (asked.length === 1) await write('m2', 'where is it?')
      return grounded(question, signal, draft)
    }
    await answer()
    expect(asked).toEqual(['My parcel', 'My parcel\nwhere is it?'])
    expect((await spoken()).map(({ author }) => author.kind)).toEqual(['customer', 'customer', 'assistant'])
  })

  it('tries three times, then asks a person and says so', async () => {
    await write('m1')
    let tries = 0
    core.assistant.answerQuestion = async () => {
      tries += 1
      throw new AppError('unavailable', 'search_down', 'The search does not answer.')
    }
    for (let round = 0; round < 6; round += 1) {
      await answer()
      core.pass(8_000)
    }
    expect(tries).toBeLessThanOrEqual(3)
    expect(await conversation()).toMatchObject({ handler: 'nobody', answerDue: null })
    expect((await spoken()).at(-1)).toMatchObject({ author: { kind: 'assistant' } })
    expect((await spoken()).at(-1)?.text).toMatch(/person/)
  })

  it('is tried again only after a pause', async () => {
    await write('m1')
    let tries = 0
    core.assistant.answerQuestion = async () => {
      tries += 1
      throw new Error('down')
    }
    await answer()
    await answer()
    expect(tries).toBe(1)
    core.pass(1_000)
    await answer()
    expect(tries).toBe(2)
  })

  it('leaves a conversation alone that another worker holds, and takes it when that worker died', async () => {
    await write('m1')
    const now = new Date('2026-03-02T10:00:00Z')
    await core.store.claimAnswer('acme', id, now, 'run_other', new Date(now.getTime() + 6_000))
    await answer()
    expect(await spoken()).toHaveLength(1)
    core.pass(6_001)
    await answer()
    expect(await spoken()).toHaveLength(2)
  })

  it('is given up in time when it hangs and heeds no signal, and the next try hands over', async () => {
    await write('m1')
    core.pass(28_900)
    core.assistant.answerQuestion = () => new Promise(() => {})
    await answer()
    expect(core.woken.at(-1)).not.toEqual({ job: 'deliver', companyId: 'acme', id })
    core.pass(700)
    core.assistant.answerQuestion = grounded
    await answer()
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'took_too_long' }, lease: null })
  })

  it('counts the time from the oldest unanswered message, however many follow', async () => {
    await write('m1')
    for (let index = 2; index < 5; index += 1) {
      core.pass(10_000)
      await write(`m${index}`)
    }
    await answer()
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'took_too_long' } })
  })

  it('does not take it for a failure when people tag the conversation while it thinks', async () => {
    await write('m1')
    let rounds = 0
    core.assistant.answerQuestion = async (question, signal, draft) => {
      rounds += 1
      if (rounds <= 4) await core.actions.setTags({ ...target(), tags: [`round-${rounds}`] })
      return grounded(question, signal, draft)
    }
    await answer()
    expect(rounds).toBe(5)
    expect(await conversation()).toMatchObject({ handler: 'assistant', answerDue: null })
    expect((await spoken()).at(-1)).toMatchObject({ mode: 'extractive' })
  })

  it('frees the conversation at once when it fails after a person stepped in', async () => {
    await write('m1')
    core.assistant.answerQuestion = async () => {
      await core.actions.speak({ ...target(), text: 'I have it.' })
      throw new Error('down')
    }
    await answer()
    expect(await conversation()).toMatchObject({ lease: null, answerDue: null, handler: 'agent' })
  })

  it('answers again what it did not know, when it is handed the conversation back', async () => {
    core.assistant.answerQuestion = unknown
    await write('m1')
    await answer()
    core.assistant.answerQuestion = grounded
    await core.actions.resume(target())
    await answer()
    expect((await spoken()).at(-1)).toMatchObject({ author: { kind: 'assistant' }, mode: 'extractive' })
  })

  it('does not come back while it is paused for the company', async () => {
    await write('m1')
    core.settings.paused = true
    await expect(core.actions.resume(target())).rejects.toMatchObject({ code: 'assistant_paused' })
  })

  it('answers what waits when it is handed the conversation back', async () => {
    core.assistant.answerQuestion = unknown
    await write('m1')
    await answer()
    await write('m2', 'Still there?')
    core.assistant.answerQuestion = grounded
    core.woken.length = 0
    await core.actions.resume(target())
    expect(core.woken).toEqual([{ job: 'answer', companyId: 'acme', id }])
    await answer()
    expect((await spoken()).at(-1)).toMatchObject({ author: { kind: 'assistant' }, mode: 'extractive' })
  })
})

describe('the sweep', () => {
  it('wakes an answer whose job was lost', async () => {
    await write('m1')
    core.woken.length = 0
    await core.sweep(0)
    expect(core.woken).toContainEqual({ job: 'answer', companyId: 'acme', id })
  })

  it('leaves alone what was woken a moment ago and what is being worked on', async () => {
    await write('m1')
    core.woken.length = 0
    await core.sweep(2_000)
    expect(core.woken.filter((one) => one.id === id)).toEqual([])
    core.pass(3_000)
    const now = new Date('2026-03-02T10:00:03Z')
    await core.store.claimAnswer('acme', id, now, 'run_other', new Date(now.getTime() + 6_000))
    await core.sweep(2_000)
    expect(core.woken.filter((one) => one.id === id)).toEqual([])
  })

  it('wakes a delivery whose job was lost', async () => {
    await write('m1')
    await answer()
    core.woken.length = 0
    await core.sweep(0)
    expect(core.woken).toContainEqual({ job: 'deliver', companyId: 'acme', id })
  })

  it('closes what was resolved seven days ago', async () => {
    await write('m1')
    await core.actions.setState({ ...target(), state: 'resolved' })
    core.pass(7 * 24 * 3_600_000 - 1)
    await core.sweep(0)
    expect((await conversation()).state).toBe('resolved')
    core.pass(1)
    await core.sweep(0)
    expect((await conversation()).state).toBe('closed')
  })
})

describe('delivery', () => {
  it('marks a message as sent once the channel took it', async () => {
    await write('m1')
    await answer()
    await deliver()
    expect((await spoken())[1]).toMatchObject({ status: 'sent' })
  })

  it('tries again after a broken network, in order, and never asks the assistant again', async () => {
    await write('m1')
    await answer()
    await core.actions.speak({ ...target(), text: 'And this is Ana.' })
    const sent: string[] = []
    let broken = true
    core.channel.send = async (_origin, message) => {
      if (broken) throw new AppError('unavailable', 'network', 'No connection.')
      sent.push(message.text)
      return { kind: 'sent' }
    }
    await deliver()
    broken = false
    await deliver()
    expect(sent).toEqual([])
    core.pass(1_500)
    await deliver()
    expect(sent).toEqual(['From our documentation:\n\nIt is on its way.', 'And this is Ana.'])
    expect(await spoken()).toHaveLength(3)
  })

  it('keeps the reason of a refusal', async () => {
    await write('m1')
    await answer()
    core.channel.send = async () => ({ kind: 'refused', reason: 'blocked' })
    await deliver()
    expect((await spoken())[1]).toMatchObject({ status: 'refused', reason: 'blocked' })
  })

  it('of an answer that is refused brings in a person', async () => {
    await write('m1')
    await answer()
    core.channel.send = async () => ({ kind: 'refused', reason: 'blocked' })
    await deliver()
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'delivery_failed' } })
  })

  it('of a refused answer brings in a person even when the process dies in between', async () => {
    await write('m1')
    await answer()
    core.channel.send = async () => ({ kind: 'refused', reason: 'blocked' })
    const { endDelivery } = core.store
    core.store.endDelivery = () => Promise.reject(new Error('killed'))
    await expect(deliver()).rejects.toThrow('killed')
    core.store.endDelivery = endDelivery
    expect(await conversation()).toMatchObject({ handler: 'nobody' })
    core.pass(15_001)
    await deliver()
    expect((await spoken())[1]).toMatchObject({ status: 'refused', reason: 'blocked' })
  })

  it('with an unknown end is repeated where that does no harm, and shown as uncertain where it would', async () => {
    for (const [idempotent, status] of [
      [true, 'queued'],
      [false, 'uncertain'],
    ] as const) {
      core.settings.idempotent = idempotent
      await write(`m-${status}`)
      await core.actions.speak({ ...target(), text: 'Hello' })
      core.channel.send = async () => {
        throw new TypeError('terminated')
      }
      await deliver()
      expect((await spoken()).find((line) => line.status === status)).toBeTruthy()
      core.channel.send = async () => ({ kind: 'sent' })
      core.pass(2_000)
      await deliver()
    }
  })

  it('wakes itself after a pause, and those behind it wait as long', async () => {
    await write('m1')
    await answer()
    await core.actions.speak({ ...target(), text: 'And this is Ana.' })
    core.channel.send = async () => {
      throw new AppError('unavailable', 'network', 'No connection.')
    }
    await deliver()
    core.woken.length = 0
    core.pass(900)
    await core.sweep(0)
    expect(core.woken.filter((one) => one.id === id)).toEqual([])
    core.pass(101)
    await core.sweep(0)
    expect(core.woken).toContainEqual({ job: 'deliver', companyId: 'acme', id })
  })

  it('sends once, however many workers try at once', async () => {
    await write('m1')
    await answer()
    let sent = 0
    core.channel.send = async () => {
      sent += 1
      return { kind: 'sent' }
    }
    await Promise.all(Array.from({ length: 5 }, deliver))
    expect(sent).toBe(1)
  })

  it.each([
    ['sends again where a second copy does no harm', true, 'sent'],
    ['shows a message as uncertain where a second copy would', false, 'uncertain'],
  ] as const)('%s, when its sender died in between', async (_what, idempotent, status) => {
    core.settings.idempotent = idempotent
    await write('m1')
    await answer()
    const message = await core.store.nextToDeliver('acme', id)
    const now = new Date('2026-03-02T10:00:00Z')
    if (message) await core.store.claimDelivery(message, now, new Date(now.getTime() + 15_000))
    await deliver()
    expect((await spoken())[1]).toMatchObject({ status: 'sending' })
    core.pass(15_001)
    await deliver()
    expect((await spoken())[1]).toMatchObject({ status })
  })
})

describe('people', () => {
  it('who reply take the conversation over', async () => {
    await write('m1')
    await core.actions.speak({ ...target(), text: 'Hello' })
    expect(await conversation()).toMatchObject({ handler: 'agent', assignee: person, answerDue: null })
    await answer()
    expect(await spoken()).toHaveLength(2)
  })

  it('who leave the company give back what they had in hand', async () => {
    await write('m1')
    await core.actions.assign({ ...target(), assignee: person })
    await core.actions.releaseAll('acme', person.id, { id: 'per_2', name: 'Owner' })
    expect(await conversation()).toMatchObject({ handler: 'nobody', assignee: null })
  })

  it('who act at the same moment all take effect', async () => {
    await write('m1')
    await Promise.all([
      core.actions.setPriority({ ...target(), priority: 'high' }),
      core.actions.setTags({ ...target(), tags: ['parcel', 'parcel'] }),
      core.actions.note({ ...target(), text: 'Looks urgent' }),
    ])
    expect(await conversation()).toMatchObject({ priority: 'high', tags: ['parcel'] })
    expect(await lines()).toHaveLength(3)
  })

  it('cannot take a conversation where its state does not lead', async () => {
    await write('m1')
    await core.actions.setState({ ...target(), state: 'closed' })
    await expect(core.actions.setState({ ...target(), state: 'open' })).rejects.toMatchObject({
      code: 'state_not_allowed',
    })
    await expect(core.actions.speak({ ...target(), text: 'Hi' })).rejects.toMatchObject({ code: 'conversation_closed' })
  })

  it('find conversations page by page, newest change first, each once', async () => {
    const mineOnly = await openTestMongo()
    const own = await openCore(mineOnly)
    for (let index = 0; index < 7; index += 1) {
      own.pass(index % 3 === 0 ? 0 : 10)
      const entry = { contact: { externalId: `v${index}` }, conversationId: `cnv_p${index}` }
      await own.receive(ACME, arrival(`p${index}`, entry))
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await own.inbox.list('acme', { order: 'changed', limit: 3, cursor })
      seen.push(...page.conversations.map((one) => one.id))
      cursor = page.nextCursor ?? undefined
    } while (cursor)
    expect(seen).toHaveLength(7)
    expect(new Set(seen).size).toBe(7)
    expect(seen[0]).toBe('cnv_p6')
    await mineOnly.close()
  })

  it('see notes and events, customers do not', async () => {
    await write('m1')
    await core.actions.note({ ...target(), text: 'Angry' })
    await core.actions.assign({ ...target(), assignee: person })
    const { contactId } = await conversation()
    const history = await core.inbox.historyOfContact(ACME, contactId)
    expect(history.map(({ text }) => text)).toEqual(['Where is my parcel?'])
    expect((await lines()).map(({ kind }) => kind)).toEqual(['message', 'note', 'event'])
  })
})
