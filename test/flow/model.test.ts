import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { io, type Socket } from 'socket.io-client'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { openPlayer } from '../support/openai.mjs'

/** The whole product with a model and with vectors, seen from a visitor's chat; the provider is the player. */
type Sentence = { conversationId: string; draftId: string; index: number; text: string; citations: object[] }
type Frame = { id: string; author: string; text: string; mode?: string; citations: { quote: string }[] }

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let player: Awaited<ReturnType<typeof openPlayer>>
let app: Awaited<ReturnType<typeof openApp>>
const sockets: Socket[] = []

beforeAll(async () => {
  mongo = await openTestMongo()
  player = await openPlayer()
  app = await openApp(mongo, {
    env: {
      OPENAI_BASE_URL: player.baseUrl,
      OPENAI_API_KEY: 'key-of-the-player',
      OPENAI_MODEL: 'player',
      OPENAI_EMBEDDING_MODEL: 'player-vectors',
      OPENAI_FIRST_TOKEN_MS: '1000',
    },
  })
  await eventually(async () => {
    const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
    return documents.length > 0 && documents.every(({ status }) => status === 'ready')
  })
  await eventually(async () => player.requests.some(({ kind }) => kind === 'embeddings'))
})
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await app.stop()
  await player.close()
  await mongo.close()
})
afterEach(() => player.behave('good'))

/** A visitor's open chat, with all that it was shown. */
const visit = async () => {
  const { channelKey } = (await app.call<{ channelKey: string }>('/webchat/demo')).body
  const { token, conversationId } = (
    await app.call<{ token: string; conversationId: string }>('/webchat/sessions', { body: { channelKey } })
  ).body
  const socket = io(`${app.url}/webchat`, { auth: { token }, transports: ['websocket'], reconnection: false })
  sockets.push(socket)
  await new Promise((resolve) => socket.once('connect', () => resolve(null)))
  const shown: ('withdrawn' | Sentence)[] = []
  const messages: Frame[] = []
  socket.on('answer.sentence', (sentence: Sentence) => shown.push(sentence))
  socket.on('answer.withdrawn', () => shown.push('withdrawn'))
  socket.on('message', (message: Frame) => messages.push(message))
  const write = (id: string, text: string) => socket.emit('message', { id, text })
  const reply = () => eventually(async () => messages.find(({ author }) => author !== 'customer'))
  return { conversationId, shown, messages, write, reply }
}

const QUESTION = 'How long can I return goods?'
const decisionOf = async (conversationId: string) => {
  const { messages } = (
    await app.call<{ messages: { decisionId?: string }[] }>(`/conversations/${conversationId}/messages`)
  ).body
  const id = messages.findLast(({ decisionId }) => decisionId)?.decisionId ?? ''
  return (
    await app.call<{ mode: string; model: { outcome: string; reason: string | null } | null; vectors: string }>(
      `/decisions/${id}`,
    )
  ).body
}

describe('with a model', () => {
  it('a customer sees proved sentences arrive, and then the message that they make', async () => {
    player.behave({ kind: 'slow', betweenTokensMs: 3 })
    const chat = await visit()
    chat.write('m1', QUESTION)
    const reply = await chat.reply()
    expect(reply).toMatchObject({ author: 'assistant', mode: 'model' })
    expect(reply.text).toContain('30 days')
    const sentences = chat.shown.map((one) => (one === 'withdrawn' ? one : one.text))
    expect(sentences.join(' ')).toBe(reply.text)
    expect(await decisionOf(chat.conversationId)).toMatchObject({ mode: 'model', model: { outcome: 'answered' } })
  })

  it('the search goes by meaning too once the documents are embedded', async () => {
    await eventually(async () => {
      const { decisionId } = (
        await app.call<{ decisionId: string }>('/knowledge/ask', { body: { question: QUESTION } })
      ).body
      return (await app.call<{ vectors: string }>(`/decisions/${decisionId}`)).body.vectors === 'used'
    })
  })

  it('a person who speaks first ends the assistant’s sentence, at the provider too', async () => {
    // Slow enough that the person is first on any machine.
    player.behave({ kind: 'slow', betweenTokensMs: 400 })
    player.forget()
    const chat = await visit()
    chat.write('m1', QUESTION)
    await eventually(async () =>
      player.requests.some(({ schema, firstTokenAt }) => schema === 'answer' && firstTokenAt !== null),
    )
    await app.call(`/conversations/${chat.conversationId}/messages`, { body: { text: 'Hello, this is Ana.' } })
    const spokeAt = performance.now()
    const reply = await chat.reply()
    expect(reply).toMatchObject({ author: 'agent', text: 'Hello, this is Ana.' })
    await eventually(async () =>
      player.requests.every(({ closedAt, finishedAt }) => closedAt !== null || finishedAt !== null),
    )
    const [request] = player.requests.filter(({ schema }) => schema === 'answer')
    expect(request?.finishedAt).toBeNull()
    expect((request?.closedAt ?? Infinity) - spokeAt).toBeLessThan(1_000)
    expect(chat.messages.some(({ author }) => author === 'assistant')).toBe(false)
    if (chat.shown.length > 0) expect(chat.shown.at(-1)).toBe('withdrawn')
  })

  it('a model that stalls in the middle leaves no half answer: the documents are quoted', async () => {
    player.behave({ kind: 'stalling', tokens: 12 })
    const chat = await visit()
    chat.write('m1', QUESTION)
    const reply = await chat.reply()
    expect(reply).toMatchObject({ author: 'assistant', mode: 'extractive' })
    expect(reply.text).toContain('30 days')
    expect(await decisionOf(chat.conversationId)).toMatchObject({
      mode: 'extractive',
      model: { outcome: 'failed', reason: 'model_stalled' },
    })
  })

  it('a provider that is down opens the breaker, every customer is answered, and health says so', async () => {
    player.behave({ kind: 'failing', status: 503 })
    for (let customer = 0; customer < 5; customer += 1) {
      const chat = await visit()
      chat.write('m1', QUESTION)
      expect(await chat.reply()).toMatchObject({ mode: 'extractive' })
    }
    const modelState = async () => {
      const response = await fetch(`${app.url}/health/deep`)
      const { checks } = (await response.json()) as { checks: Record<string, { state?: string }> }
      return { status: response.status, state: checks.model?.state }
    }
    expect(await modelState()).toEqual({ status: 200, state: 'open' })
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200)
    player.behave('good')
    await eventually(async () => {
      await app.call('/knowledge/ask', { body: { question: QUESTION } })
      return (await modelState()).state === 'closed'
    })
  })

  it('what was used is counted per company', async () => {
    const usage = await eventually(async () => {
      const { status, body } = await app.call<{ months: { purposes?: object }[] }>('/usage')
      expect(status).toBe(200)
      return body.months.length > 0 && body.months
    })
    expect(JSON.stringify(usage)).toMatch(/answer/)
  })
})
