import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { io, type Socket } from 'socket.io-client'
import { makeLimits } from '../../src/api/limits.js'
import { attachLive } from '../../src/api/live.js'
import type { ChannelNamespace } from '../../src/channels/channel.js'
import { AppError } from '../../src/platform/errors.js'
import { makeMetrics } from '../../src/platform/metrics.js'

let server: Server
let address: string
let live: ReturnType<typeof attachLive>
let emitToVisitor: (event: string, payload: object) => void
let closed: number
let clients: Socket[]

const namespace: ChannelNamespace = {
  path: '/chat',
  connect: async ({ token, origin, emit }) => {
    if (origin === 'https://evil.example') throw new AppError('forbidden', 'foreign_origin', 'Not from there.')
    if (token !== 'good') throw new AppError('unauthenticated', 'invalid_token', 'The token is not valid.')
    emitToVisitor = emit
    return {
      on: {
        say: async (payload) => ({ heard: payload }),
        refuse: async () => {
          throw new AppError('invalid', 'empty', 'The text is empty.', { field: 'text' })
        },
        fail: async () => {
          throw new Error('canary of the inside')
        },
      },
      close: () => void (closed += 1),
    }
  },
}

beforeEach(async () => {
  closed = 0
  clients = []
  server = createServer()
  const metrics = makeMetrics()
  const limit = makeLimits({ factor: 1, metrics })
  live = attachLive(server, {
    namespaces: [namespace],
    addressOf: () => '127.0.0.1',
    limit,
    metrics,
    log: pino({ level: 'silent' }),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const client of clients) client.disconnect()
  await live.close()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
})

const connect = async (auth: object, headers: Record<string, string> = {}) => {
  const client = io(`${address}/chat`, {
    auth,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: headers,
  })
  clients.push(client)
  const refused = await new Promise<(Error & { data?: object }) | null>((resolve) => {
    client.on('connect', () => resolve(null))
    client.on('connect_error', resolve)
  })
  return { client, refused }
}

const until = async (condition: () => boolean) => {
  for (let waited = 0; waited < 2_000 && !condition(); waited += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

describe('a live connection', () => {
  it('is acknowledged event by event', async () => {
    const { client } = await connect({ token: 'good' })
    expect(await client.emitWithAck('say', { text: 'hi' })).toEqual({ ok: true, heard: { text: 'hi' } })
    expect(await client.emitWithAck('refuse', {})).toEqual({
      ok: false,
      error: { code: 'empty', message: 'The text is empty.', field: 'text' },
    })
  })

  it('hears what is emitted to it', async () => {
    const { client } = await connect({ token: 'good' })
    const heard = new Promise((resolve) => client.on('message', resolve))
    emitToVisitor('message', { seq: 1 })
    expect(await heard).toEqual({ seq: 1 })
  })

  it.each([
    ['a wrong token', { token: 'bad' }, {}, 'invalid_token'],
    ['no token', {}, {}, 'invalid_token'],
    ['an operator for a token', { token: { $gt: '' } }, {}, 'invalid_token'],
    ['a foreign origin', { token: 'good' }, { origin: 'https://evil.example' }, 'foreign_origin'],
  ])('with %s is refused by name', async (_name, auth, headers, code) => {
    const { refused } = await connect(auth, headers)
    expect(refused?.data).toMatchObject({ code })
  })

  it('survives events that nobody expects, and so does the process', async () => {
    const { client } = await connect({ token: 'good' })
    for (const event of ['nonsense', '__proto__', 'constructor', 'toString', 'error']) {
      expect(await client.emitWithAck(event, { a: 1 })).toMatchObject({ ok: false, error: { code: 'unknown_event' } })
    }
    client.emit('say')
    client.emit(
      'say',
      () => {},
      () => {},
      null,
    )
    client.emit('refuse', null)
    expect(await client.emitWithAck('say')).toMatchObject({ ok: true })
  })

  it('learns nothing about a fault of our own', async () => {
    const { client } = await connect({ token: 'good' })
    const answer: unknown = await client.emitWithAck('fail', {})
    expect(answer).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(JSON.stringify(answer)).not.toContain('canary')
  })

  it('that floods is told to wait', async () => {
    const { client } = await connect({ token: 'good' })
    const answers = await Promise.all(Array.from({ length: 80 }, () => client.emitWithAck('say', {})))
    expect(answers.filter(({ ok }) => ok)).toHaveLength(60)
    expect(answers.at(-1)).toMatchObject({ ok: false, error: { code: 'rate_limited' } })
  })

  it('that sends more than the limit at once is cut off', async () => {
    const { client } = await connect({ token: 'good' })
    client.emit('say', 'x'.repeat(200 * 1024))
    await until(() => closed === 1 && client.disconnected)
  })

  it('that sends what is no packet is cut off, and the others stay', async () => {
    const { client: other } = await connect({ token: 'good' })
    const { client } = await connect({ token: 'good' })
    const { engine } = client.io
    engine.write('2/chat,{"not":"an array"')
    await until(() => client.disconnected)
    expect(await other.emitWithAck('say', 1)).toMatchObject({ ok: true })
  })

  it('whose reader takes nothing is cut off instead of filling the memory', async () => {
    const { client } = await connect({ token: 'good' })
    const transport = client.io.engine.transport as unknown as { ws: { pause(): void; _socket: { pause(): void } } }
    transport.ws._socket.pause()
    const payload = { text: 'x'.repeat(20_000) }
    for (let frame = 0; frame < 5_000 && closed === 0; frame += 1) {
      emitToVisitor('message', payload)
      if (frame % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await until(() => closed === 1)
  })

  it('ends what it began when the visitor leaves', async () => {
    const { client } = await connect({ token: 'good' })
    client.disconnect()
    await until(() => closed === 1)
  })

  it('is told when the server closes', async () => {
    const { client } = await connect({ token: 'good' })
    const told = new Promise((resolve) => client.on('closing', resolve))
    await live.close()
    expect(await told).toEqual({})
    await until(() => client.disconnected && closed === 1)
  })
})
