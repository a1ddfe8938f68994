import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { io, type Socket } from 'socket.io-client'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

type Frame = {
  id: string
  conversationId: string
  seq: number
  author: string
  name?: string
  text: string
  citations: { documentId: string; passageId: string; quote: string; title: string }[]
}

type Line = { author: string; status: string | null; decisionId?: string }
type Session = { token: string; conversationId: string }
type Refusal = { error: { code: string; message: string; field?: string; requestId: string } }
type Answer = { kind: string; text: string }

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>
let channelKey = ''
const sockets: Socket[] = []

beforeAll(async () => {
  mongo = await openTestMongo()
  app = await openApp(mongo)
  channelKey = (await app.call<{ channelKey: string }>('/webchat/demo')).body.channelKey
  await eventually(async () => {
    const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
    return documents.length > 0 && documents.every(({ status }) => status === 'ready')
  })
})
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await app.stop()
  await mongo.close()
})

const visit = async () => (await app.call<Session>('/webchat/sessions', { body: { channelKey } })).body
const write = (token: string, id: string, text: string) =>
  app.call<{ messageId: string }>('/webchat/messages', { token, body: { id, text } })
const read = async (token: string, after?: string): Promise<Frame[]> =>
  (await app.call<{ messages: Frame[] }>(`/webchat/messages${after ? `?after=${after}` : ''}`, { token })).body.messages
const answerTo = (token: string) =>
  eventually(async () => (await read(token)).find(({ author }) => author !== 'customer'))
const linesOf = async (conversationId: string) =>
  (await app.call<{ messages: Line[] }>(`/conversations/${conversationId}/messages`)).body.messages
const connect = async (token: string) => {
  const socket = io(`${app.url}/webchat`, { auth: { token }, transports: ['websocket'], reconnection: false })
  sockets.push(socket)
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(null))
    socket.once('connect_error', reject)
  })
  return socket
}

describe('a question over the web chat', () => {
  it('is answered with quotes that stand verbatim in the company’s documents', async () => {
    const { token } = await visit()
    const accepted = await write(token, 'm1', 'How long can I return goods?')
    expect(accepted.status).toBe(202)
    const answer = await answerTo(token)
    expect(answer.text).toContain('within 30 days')
    expect(answer.citations.length).toBeGreaterThan(0)
    const { passages } = (
      await app.call<{ passages: { passageId: string; text: string }[] }>('/knowledge/search', {
        body: { query: 'How long can I return goods?', k: 10 },
      })
    ).body
    for (const { passageId, quote } of answer.citations) {
      const passage = passages.find((one) => one.passageId === passageId)
      expect(passage?.text).toContain(quote)
    }
  })

  it('leaves a decision record that explains the answer', async () => {
    const { token, conversationId } = await visit()
    await write(token, 'm1', 'When do you refund the price?')
    await answerTo(token)
    const line = (await linesOf(conversationId)).find(({ author }) => author === 'assistant')
    const decision = (await app.call<{ candidates: unknown[] }>(`/decisions/${line?.decisionId}`)).body
    expect(decision).toMatchObject({ question: 'When do you refund the price?', mode: 'extractive' })
    expect(decision.candidates.length).toBeGreaterThan(0)
  })

  it('that the documents do not answer is handed to a person, and the person’s reply arrives in the same chat', async () => {
    const { token, conversationId } = await visit()
    const socket = await connect(token)
    const frames: Frame[] = []
    socket.on('message', (frame: Frame) => frames.push(frame))
    const question = { id: 'm1', text: 'Which team won the championship in 1974?' }
    expect(await socket.emitWithAck('message', question)).toMatchObject({ ok: true })
    const answer = await eventually(async () => frames.find(({ author }) => author === 'assistant'))
    expect(answer.text).toMatch(/^I don't know that\./)
    expect(answer.citations).toEqual([])
    const conversation = (await app.call(`/conversations/${conversationId}`)).body
    expect(conversation).toMatchObject({ handler: 'nobody', handoff: { reason: 'unknown_answer' } })

    await app.call(`/conversations/${conversationId}/messages`, { body: { text: 'I do not know either.' } })
    const reply = await eventually(async () => frames.find(({ author }) => author === 'agent'))
    expect(reply).toMatchObject({ text: 'I do not know either.', name: 'API · Environment' })
    await eventually(async () =>
      (await linesOf(conversationId)).find(({ author, status }) => author === 'agent' && status === 'sent'),
    )
  })

  it('that is sent again and again is one message with one answer', async () => {
    const { token } = await visit()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => write(token, 'same', 'How long can I return goods?')),
    )
    expect(new Set(answers.map(({ body }) => body.messageId)).size).toBe(1)
    await answerTo(token)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await read(token)).map(({ author }) => author)).toEqual(['customer', 'assistant'])
  })

  it('can be read on from any message, after a reconnect too', async () => {
    const { token } = await visit()
    await write(token, 'm1', 'How long can I return goods?')
    const answer = await answerTo(token)
    const first = (await read(token))[0]
    expect((await read(token, first?.id)).map(({ id }) => id)).toEqual([answer.id])
    const socket = await connect(token)
    const replay = (await socket.emitWithAck('history', { after: first?.id })) as { messages: Frame[] }
    expect(replay.messages.map(({ id }) => id)).toEqual([answer.id])
  })
})

describe('a change of the knowledge', () => {
  const ask = async (question: string) => (await app.call<Answer>('/knowledge/ask', { body: { question } })).body
  const ready = (id: string) =>
    eventually(async () => (await app.call<{ status: string }>(`/knowledge/documents/${id}`)).body.status === 'ready')

  it('takes effect on the next answer: added, replaced, deleted', async () => {
    const question = 'How much does the express parcel to Norway cost?'
    expect((await ask(question)).kind).toBe('unknown')

    const draft = (price: string) => ({
      title: 'Express parcels',
      text: `The express parcel to Norway costs ${price} euros.`,
    })
    const added = await app.call<{ id: string }>('/knowledge/documents', { body: draft('19') })
    expect(added.status).toBe(202)
    const { id } = added.body
    await ready(id)
    expect(await ask(question)).toMatchObject({
      kind: 'grounded',
      text: 'The express parcel to Norway costs 19 euros.',
    })

    await app.call(`/knowledge/documents/${id}`, { method: 'PUT', body: draft('23') })
    expect((await ask(question)).text).not.toContain('19')
    await ready(id)
    expect((await ask(question)).text).toContain('23')

    expect((await app.call(`/knowledge/documents/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(question)).kind).toBe('unknown')
  })
})

describe('a second company', () => {
  it('has a chat of its own that knows nothing of the first one’s documents', async () => {
    const { apiKey } = (await app.call<{ apiKey: string }>('/companies', { body: { name: 'Second' } })).body
    const listed = await app.call<{ channels: { key: string }[] }>('/channels', { token: apiKey })
    const opening = { body: { channelKey: listed.body.channels[0]?.key } }
    const session = (await app.call<Session>('/webchat/sessions', opening)).body
    await write(session.token, 'm1', 'How long can I return goods?')
    const answer = await answerTo(session.token)
    expect(answer.text).toMatch(/^I don't know that\./)
    expect((await app.call(`/conversations/${session.conversationId}`)).status).toBe(404)
    expect((await app.call(`/conversations/${session.conversationId}`, { token: apiKey })).status).toBe(200)
  })
})

describe('a token', () => {
  it.each([
    ['missing', ''],
    ['made up', 'eyJhIjoxfQ.c2lnbmF0dXJl'],
    ['an API key', 'a-key-for-the-tests-only'],
  ])('that is %s opens no chat', async (_what, token) => {
    expect((await write(token, 'm1', 'Hello')).status).toBe(401)
    await expect(connect(token)).rejects.toThrow()
  })

  it('sees its own visitor’s chat alone', async () => {
    const [mine, theirs] = [await visit(), await visit()]
    await write(mine.token, 'm1', 'How long can I return goods?')
    const answer = await answerTo(mine.token)
    expect(await read(theirs.token)).toEqual([])
    expect((await app.call(`/webchat/messages?after=${answer.id}`, { token: theirs.token })).status).toBe(404)
  })
})

describe('bad input', () => {
  it.each([
    ['malformed JSON', '{"id": "m1", ', 400, undefined],
    ['a missing field', { id: 'm1' }, 400, 'text'],
    ['an unknown field', { id: 'm1', text: 'Hello', admin: true }, 400, 'admin'],
    ['an empty text', { id: 'm1', text: '  \n ' }, 400, 'text'],
    ['a text over the limit', { id: 'm1', text: 'x'.repeat(10_001) }, 400, 'text'],
    ['an operator where a string belongs', { id: 'm1', text: { $gt: '' } }, 400, 'text'],
    ['an operator where an id belongs', { id: { $ne: null }, text: 'Hello' }, 400, 'id'],
    ['an id with odd characters', { id: '../../etc', text: 'Hello' }, 400, 'id'],
  ])('%s is refused by name and leaves nothing behind', async (_what, body, status, field) => {
    const { token } = await visit()
    const refused = await app.call<Refusal>('/webchat/messages', { token, body })
    expect(refused.status).toBe(status)
    expect(refused.body.error.message).not.toBe('')
    expect(refused.body.error.requestId).toBe(refused.headers.get('x-request-id'))
    if (field) expect(refused.body.error.field).toBe(field)
    expect(await read(token)).toEqual([])
  })
})
