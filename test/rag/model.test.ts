import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { makeLog } from '../../src/platform/log.js'
import { AppError } from '../../src/platform/errors.js'
import { openPlayer, type Player } from '../support/openai.mjs'
import { KEY, listen, never, openProvider, question } from './provider.js'

let player: Player
beforeAll(async () => {
  player = await openPlayer()
})
afterAll(() => player.close())
beforeEach(() => {
  player.behave('good')
  player.forget()
})

const open = (options: Partial<Parameters<typeof openProvider>[0]> = {}) =>
  openProvider({ baseUrl: player.baseUrl, ...options })

describe('a model that works', () => {
  it('speaks in pieces, as JSON of the schema that was asked for', async () => {
    const { text, pieces } = await listen(open().model)
    expect(JSON.parse(text)).toEqual({
      sentences: [
        {
          text: 'Goods can be returned within 30 days.',
          citations: [{ passage: 1, quote: 'Goods can be returned within 30 days.' }],
        },
      ],
    })
    expect(pieces.length).toBeGreaterThan(10)
  })

  it('is asked for this model, this schema, few tokens and no invention', async () => {
    await listen(open().model, question({ maxOutputTokens: 321 }))
    expect(player.requests).toHaveLength(1)
    expect(player.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      authorization: `Bearer ${KEY}`,
      body: {
        model: 'player-1',
        stream: true,
        stream_options: { include_usage: true },
        temperature: 0,
        max_tokens: 321,
        response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true } },
        messages: question().messages.map(({ role, text }) => ({ role, content: text })),
      },
    })
  })

  it('says what it cost, and the company is charged once', async () => {
    const { model, used } = open()
    const { usage } = await listen(model)
    const inputTokens = Number(usage?.inputTokens)
    const outputTokens = Number(usage?.outputTokens)
    expect(inputTokens).toBeGreaterThan(50)
    expect(outputTokens).toBeGreaterThan(20)
    expect(usage).toMatchObject({ requests: 1, costUsd: (inputTokens + 4 * outputTokens) / 1e6 })
    expect(used).toEqual([{ companyId: 'acme', purpose: 'answer', latencyMs: expect.any(Number) as unknown, ...usage }])
  })

  it('answers a short request whole', async () => {
    const { text, usage } = await open().model.complete(
      question({
        purpose: 'rewrite',
        schema: { name: 'rewrite', definition: {} },
        messages: [
          {
            role: 'user',
            text: JSON.stringify({
              conversation: [{ author: 'customer', text: 'When do you open on Monday?' }],
              question: 'And on Sunday?',
            }),
          },
        ],
      }),
      never,
    )
    expect(JSON.parse(text)).toEqual({ question: 'When do you open on Monday And on Sunday?' })
    expect(usage.requests).toBe(1)
  })

  it('that refuses a temperature is asked without one, from then on', async () => {
    const { model } = open()
    player.behave(({ body }) =>
      (body as { temperature?: number }).temperature === undefined
        ? 'good'
        : { kind: 'refusing', param: 'temperature' },
    )
    expect((await listen(model)).usage).toMatchObject({ requests: 2 })
    expect((await listen(model)).usage).toMatchObject({ requests: 1 })
  })

  it('that goes on holding the line after its last word is not waited for', async () => {
    const held = createServer((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const frame = (delta: object, finish_reason: string | null) =>
        res.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`)
      frame({ content: 'Good day.' }, null)
      frame({}, 'stop')
      res.write('data: [DONE]\n\n')
    })
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve))
    const { model, used } = open({ baseUrl: `http://127.0.0.1:${(held.address() as AddressInfo).port}/v1` })
    const { text, error } = await listen(model)
    expect({ text, error }).toEqual({ text: 'Good day.', error: null })
    // No count came: it is estimated, never nought.
    expect(used[0]?.inputTokens).toBeGreaterThan(10)
    expect(used[0]?.outputTokens).toBe(3)
    held.closeAllConnections()
    held.close()
  })
})

describe('embeddings', () => {
  it('are unit vectors, one for each text, in order', async () => {
    const { embedder, used } = open()
    const texts = ['Goods can be returned within 30 days', 'returning goods', 'weather in Lisbon']
    const none = new Float32Array()
    const [goods = none, returning = none, weather = none] = await embedder.embed('acme', texts, never)
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, at) => sum + x * (b[at] ?? 0), 0)
    expect(dot(goods, goods)).toBeCloseTo(1, 5)
    expect(dot(goods, returning)).toBeGreaterThan(dot(goods, weather))
    expect(player.requests).toHaveLength(1)
    expect(player.requests[0]).toMatchObject({ body: { model: 'player-e', input: texts, encoding_format: 'base64' } })
    expect(used).toMatchObject([{ companyId: 'acme', purpose: 'embedding', requests: 1, outputTokens: 0 }])
  })

  it('of nothing are nothing, without a request', async () => {
    expect(await open().embedder.embed('acme', [], never)).toEqual([])
    expect(player.requests).toEqual([])
  })

  it.each(['not_json', 'wrong_schema', 'html', 'endless', 'one_line'] as const)(
    'that are %s are refused by name',
    async (what) => {
      player.behave({ kind: 'garbage', what })
      await expect(open().embedder.embed('acme', ['one', 'two'], never)).rejects.toMatchObject({
        kind: 'unavailable',
        code: what === 'endless' || what === 'one_line' ? 'model_too_long' : 'model_garbled',
      })
    },
  )

  /** What becomes of vectors that a server sends as these. */
  const embedAs = async (...vectors: unknown[]) => {
    const odd = createServer((_req, res) => {
      const data = vectors.map((embedding, index) => ({ embedding, index }))
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }))
    })
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
    const { embedder } = open({ baseUrl: `http://127.0.0.1:${(odd.address() as AddressInfo).port}/v1` })
    return embedder.embed('acme', ['one', 'two'], never).finally(() => {
      odd.closeAllConnections()
      odd.close()
    })
  }

  it('may come as plain numbers, whatever was asked for, and of any length', async () => {
    const vectors = await embedAs([3, 0, -4, 0], [0, 12, 0, 5])
    expect(vectors.map((vector) => [...vector].map((number) => Number(number.toFixed(3))))).toEqual([
      [0.6, 0, -0.8, 0],
      [0, 0.923, 0, 0.385],
    ])
  })

  it.each<[string, unknown[]]>([
    [
      'of different lengths',
      [
        [1, 0, 0],
        [1, 0],
      ],
    ],
    ['fewer than texts', [[1, 0]]],
    [
      'without a direction',
      [
        [0, 0],
        [1, 0],
      ],
    ],
    [
      'of words',
      [
        ['one', 'two'],
        [1, 0],
      ],
    ],
    ['of bytes that are no floats', ['AAAA8D8=', 'AAAA8D8A']],
    ['of nothing', [null, null]],
    ['empty', [[], []]],
  ])('that are %s are refused', async (_what, vectors) => {
    await expect(embedAs(...vectors)).rejects.toMatchObject({ code: 'model_garbled' })
  })
})

describe('a company whose budget is spent', () => {
  it('causes no request at all', async () => {
    const spent = new AppError('unavailable', 'model_budget', 'The tokens of this month are used up.')
    const { model, embedder, used } = open({ meter: { assertWithinBudget: () => Promise.reject(spent) } })
    expect((await listen(model)).error).toBe(spent)
    await expect(embedder.embed('acme', ['one'], never)).rejects.toBe(spent)
    expect(player.requests).toEqual([])
    expect(used).toEqual([])
  })
})

describe('what a customer wrote', () => {
  const loud = [
    'LANGSMITH_TRACING',
    'LANGSMITH_TRACING_V2',
    'LANGCHAIN_TRACING_V2',
    'LANGCHAIN_TRACING',
    'LANGCHAIN_VERBOSE',
  ]
  let tracer: ReturnType<typeof createServer>
  const exported: string[] = []
  beforeAll(async () => {
    tracer = createServer((req, res) => {
      exported.push(req.url ?? '')
      res.end('{}')
    })
    await new Promise<void>((resolve) => tracer.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(tracer.address() as AddressInfo).port}`
    for (const name of loud) process.env[name] = 'true'
    process.env['LANGSMITH_ENDPOINT'] = address
    process.env['LANGCHAIN_ENDPOINT'] = address
    process.env['LANGSMITH_API_KEY'] = 'ls-key'
    process.env['LANGSMITH_GATEWAY'] = address
    process.env['OPENAI_LOG'] = 'debug'
  })
  afterAll(() => {
    for (const name of [
      ...loud,
      'LANGSMITH_ENDPOINT',
      'LANGCHAIN_ENDPOINT',
      'LANGSMITH_API_KEY',
      'LANGSMITH_GATEWAY',
      'OPENAI_LOG',
    ])
      delete process.env[name]
    tracer.closeAllConnections()
    tracer.close()
  })
  const CANARY = 'canary-4711-of-a-customer'
  const canary = () => question({ messages: [{ role: 'user', text: `${CANARY} where is my parcel?` }] })

  const streams = [process.stdout, process.stderr] as const
  const kept = streams.map((stream) => stream.write.bind(stream))
  let printed = ''
  beforeEach(() => {
    printed = ''
    for (const method of ['log', 'debug', 'info', 'warn', 'error'] as const)
      jest
        .spyOn(console, method)
        .mockImplementation((...said: unknown[]) => void (printed += inspect(said, { depth: 20 })))
    for (const stream of streams)
      stream.write = (chunk: string | Uint8Array) => {
        printed += String(chunk)
        return true
      }
  })
  afterEach(() => {
    jest.restoreAllMocks()
    for (const [at, stream] of streams.entries()) stream.write = kept[at] as typeof stream.write
  })

  it('goes to the provider and nowhere else, whatever the environment says about tracing', async () => {
    const { model, embedder } = open()
    await listen(model, canary())
    await embedder.embed('acme', [CANARY], never)
    player.behave('failing')
    await listen(model, canary())
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(player.requests.length).toBeGreaterThan(2)
    expect(exported).toEqual([])
    expect(printed).not.toContain(CANARY)
  })

  it('stands in no error and in no log line, nor does the key', async () => {
    const lines: string[] = []
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString())
        done()
      },
    })
    const log = makeLog('trace', sink)
    const gossip = createServer((req, res) => {
      let text = ''
      req.on('data', (chunk: Buffer) => (text += chunk.toString()))
      req.on('end', () => {
        const echo = `${text} ${req.headers.authorization ?? ''}`
        const error = { message: echo, code: echo, type: echo, param: echo }
        res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
      })
    })
    await new Promise<void>((resolve) => gossip.listen(0, '127.0.0.1', resolve))
    const { model } = open({ baseUrl: `http://127.0.0.1:${(gossip.address() as AddressInfo).port}/v1`, log })
    const { error } = await listen(model, canary())
    expect(error).toMatchObject({ code: 'model_refused' })
    log.error({ err: error }, 'as its caller logs it')
    const shown = `${lines.join('')} ${String(error?.stack)} ${String(error?.cause?.stack)} ${JSON.stringify(error?.cause)}`
    expect(lines.length).toBeGreaterThan(1)
    expect(shown).toContain('400')
    expect(shown).not.toContain(CANARY)
    expect(shown).not.toContain(KEY)
    gossip.closeAllConnections()
    gossip.close()
  })
})
