import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Attachment } from '../../src/conversations/message.js'
import { AppError } from '../../src/platform/errors.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { eventually } from '../support/app.js'
import { ACME, arrival, grounded, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let number = 0

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
})
beforeEach(() => {
  core.reads.transcript = true
  core.reads.description = true
  core.assistant.answerQuestion = grounded
  core.hearing.readFile = async (_companyId, { type }) => ({
    kind: 'read',
    text: {
      kind: type.startsWith('image/') ? 'description' : 'transcript',
      text: 'Where is my parcel?',
      model: 'ear',
      at: core.now(),
    },
  })
})
afterAll(() => mongo.close())

const voice: Attachment = { id: 'a'.repeat(64), name: 'voice.ogg', type: 'application/octet-stream', size: 9_000 }
const photo: Attachment = { id: 'b'.repeat(64), name: 'photo.png', type: 'image/png', size: 9_000 }

const sent = async (files: Attachment[], more: Parameters<typeof arrival>[1] = {}) => {
  number += 1
  const conversationId = `cnv_read_${number}`
  const contact = { externalId: `reader-${number}` }
  const said = arrival(`read-${number}`, { conversationId, contact, attachments: files, text: '[Voice note]', ...more })
  const { messageId } = await core.receive(ACME, said)
  return { conversationId, messageId }
}
const linesOf = (conversationId: string) => core.store.messagesOf(ACME.companyId, conversationId)
const conversationOf = (id: string) => core.store.conversation(ACME.companyId, id)
const answer = (conversationId: string) => core.answer(ACME.companyId, conversationId)
const read = (messageId: string) => core.read(ACME.companyId, messageId)
const unavailable = (code: string) => new AppError('unavailable', code, 'Not now.')

describe('an answer', () => {
  it('waits for what is being heard, and no longer than twelve seconds', async () => {
    const { conversationId } = await sent([voice], { needsPerson: 'voice', wordless: true })
    await answer(conversationId)
    expect((await linesOf(conversationId)).length).toBe(1)
    core.pass(11_000)
    await answer(conversationId)
    expect((await conversationOf(conversationId)).handler).toBe('assistant')
    core.pass(1_100)
    await answer(conversationId)
    expect((await conversationOf(conversationId)).handoff?.reason).toBe('needs_person')
  })

  it('waits for nothing where no model hears', async () => {
    core.reads.transcript = false
    const { conversationId } = await sent([voice], { needsPerson: 'voice', wordless: true })
    await answer(conversationId)
    expect((await conversationOf(conversationId)).handoff?.reason).toBe('needs_person')
  })

  it('is about what was heard, and says so where it is decided', async () => {
    const asked: Parameters<typeof grounded>[0][] = []
    core.assistant.answerQuestion = (question, ...rest) => (asked.push(question), grounded(question, ...rest))
    const { conversationId, messageId } = await sent([voice], { needsPerson: 'voice', wordless: true })
    await read(messageId)
    await answer(conversationId)
    expect(asked).toMatchObject([{ text: 'Where is my parcel?', from: 'transcript' }])
  })

  it('has what a picture shows as context, and not as words of the customer', async () => {
    const asked: Parameters<typeof grounded>[0][] = []
    core.assistant.answerQuestion = (question, ...rest) => (asked.push(question), grounded(question, ...rest))
    const { conversationId, messageId } = await sent([photo], { needsPerson: 'image', text: 'Is this normal?' })
    await read(messageId)
    await answer(conversationId)
    expect(asked).toMatchObject([
      { text: 'Is this normal?', history: [{ author: 'picture', text: 'Where is my parcel?' }] },
    ])
    expect(asked[0]?.from).toBeUndefined()
  })

  it('to a voice and a video is a person’s: the video was not heard', async () => {
    const video = { ...voice, id: 'c'.repeat(64), name: 'video.mp4' }
    const { conversationId, messageId } = await sent([voice, video], { needsPerson: 'voice', wordless: true })
    await read(messageId)
    await answer(conversationId)
    expect((await conversationOf(conversationId)).handoff?.reason).toBe('needs_person')
  })
})

describe('reading a file', () => {
  it('that fails is tried three times; then people are told that nothing came of it', async () => {
    core.hearing.readFile = async () => {
      throw unavailable('model_failed')
    }
    const { messageId, conversationId } = await sent([voice])
    for (let tries = 0; tries < 3; tries += 1) {
      await read(messageId)
      core.pass(60_000)
    }
    const [line] = await linesOf(conversationId)
    expect(line?.attachments).toEqual([{ ...voice, unread: 'failed' }])
    expect(line?.isBeingRead).toBeUndefined()
  })

  it('that another process has in hand costs no attempt', async () => {
    const given = core.hearing.readFile
    core.hearing.readFile = async () => {
      throw unavailable('file_busy')
    }
    const { messageId, conversationId } = await sent([voice])
    for (let tries = 0; tries < 6; tries += 1) {
      await read(messageId)
      core.pass(1_000)
    }
    core.hearing.readFile = given
    await read(messageId)
    expect((await linesOf(conversationId))[0]?.attachments?.[0]?.text?.text).toBe('Where is my parcel?')
  })

  it('that kills its process each time ends all the same', async () => {
    let asked = 0
    core.hearing.readFile = () => ((asked += 1), new Promise(() => {}))
    const { messageId, conversationId } = await sent([voice])
    for (let kills = 0; kills < 3; kills += 1) {
      void read(messageId)
      await eventually(async () => asked === kills + 1)
      core.pass(6_001)
    }
    await read(messageId)
    expect(asked).toBe(3)
    expect((await linesOf(conversationId))[0]?.attachments?.[0]?.unread).toBe('failed')
  })

  it('is woken again by the sweep where its job was lost', async () => {
    const { messageId } = await sent([voice])
    core.woken.length = 0
    await core.sweep(0)
    expect(core.woken).toContainEqual({ job: 'read', companyId: ACME.companyId, id: messageId })
  })

  it('of somebody who is blocked is not paid for', async () => {
    let asked = 0
    core.hearing.readFile = async () => ((asked += 1), { kind: 'unread', reason: 'silent' })
    const { messageId, conversationId } = await sent([voice])
    const target = { companyId: ACME.companyId, conversationId, at: core.now(), requestId: 'req' }
    await core.store.change(target, () => ({ change: { blocked: true }, drafts: [] }))
    await read(messageId)
    expect(asked).toBe(0)
  })

  it('is not begun for a sign in a signature, a machine’s mail, or another company’s message', async () => {
    const sign = { ...photo, size: 900 }
    const signed = await sent([sign])
    const machine = await sent([voice], { automatic: 'auto_replied' })
    for (const { conversationId } of [signed, machine])
      expect((await linesOf(conversationId))[0]?.isBeingRead).toBeUndefined()
    const { messageId, conversationId } = await sent([voice])
    await core.read('globex', messageId)
    expect((await linesOf(conversationId))[0]?.isBeingRead).toBe(true)
  })
})
