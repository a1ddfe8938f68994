import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { setTimeout as wait } from 'node:timers/promises'
import { RESET_MS } from '../../src/platform/resilience.js'
import { eventually } from '../support/app.js'
import { openPlayer, type Behaviour, type Player } from '../support/openai.mjs'
import { listen, never, openProvider, question } from './provider.js'

let player: Player
beforeAll(async () => {
  player = await openPlayer()
  // What is loaded with the first call is not what is tested.
  await listen(open({ firstTokenMs: 10_000 }).model)
})
afterAll(() => player.close())
beforeEach(() => {
  player.behave('good')
  player.forget()
})

const open = (options: Partial<Parameters<typeof openProvider>[0]> = {}) =>
  openProvider({ baseUrl: player.baseUrl, ...options })

/** Where the first word is not what is tested: machines are slow at times. */
const PATIENT_MS = 8_000
const late: Behaviour = { kind: 'slow', firstTokenMs: 3_000 }
const slowly: Behaviour = { kind: 'slow', betweenTokensMs: 40 }

/** Milliseconds from `since` until the provider saw the line close. */
const closedAfter = async (since: number): Promise<number> =>
  (await eventually(async () => player.requests.at(-1)?.closedAt ?? null)) - since

describe('a provider that', () => {
  it.each<[string, Behaviour, string, number]>([
    ['never answers', 'hanging', 'model_late', 1],
    ['sends headers and nothing more', { kind: 'hanging', headers: true }, 'model_late', 1],
    ['thinks for too long', late, 'model_late', 1],
    ['stops in the middle', { kind: 'stalling', tokens: 3 }, 'model_stalled', 1],
    ['fails', 'failing', 'model_failed', 2],
    ['is overloaded', { kind: 'failing', status: 503 }, 'model_failed', 2],
    ['gives up waiting', { kind: 'refusing', status: 408 }, 'model_failed', 2],
    ['refuses the request', 'refusing', 'model_refused', 1],
    ['knows no such key', { kind: 'refusing', status: 401, code: 'invalid_api_key' }, 'model_refused', 1],
    ['knows no such model', { kind: 'refusing', status: 404 }, 'model_refused', 1],
    ['finds the prompt too long', { kind: 'refusing', code: 'context_length_exceeded' }, 'model_refused', 1],
    ['takes no more requests', 'limited', 'model_limited', 1],
    ['takes none for an hour', { kind: 'limited', retryAfter: 3_600 }, 'model_limited', 1],
    ['hangs up', { kind: 'cut', when: 'before_headers' }, 'model_failed', 2],
    ['hangs up before the first word', { kind: 'cut', when: 'before_first_token' }, 'model_failed', 2],
    ['hangs up in the middle', { kind: 'cut', when: 'middle' }, 'model_failed', 1],
    ['ends in the middle as if that were all', { kind: 'cut', when: 'clean' }, 'model_failed', 1],
    ['says nothing', { kind: 'garbage', what: 'empty' }, 'model_garbled', 1],
    ['shows a web page', { kind: 'garbage', what: 'html' }, 'model_garbled', 1],
    ['breaks its own protocol', { kind: 'garbage', what: 'broken_frames' }, 'model_garbled', 1],
    ['never comes to an end', { kind: 'garbage', what: 'endless' }, 'model_too_long', 1],
    ['sends ten megabytes in a line', { kind: 'garbage', what: 'one_line' }, 'model_too_long', 1],
  ])('%s is named for that', async (_what, behaviour, code, requests) => {
    player.behave(behaviour)
    const { model } = open({ firstTokenMs: code === 'model_late' ? 400 : PATIENT_MS })
    const { error } = await listen(model)
    expect(error).toMatchObject({ name: 'AppError', kind: 'unavailable', code })
    expect(player.requests).toHaveLength(requests)
    // Whoever fails, the line is not left open.
    await eventually(async () => player.requests.every(({ closedAt, finishedAt }) => closedAt ?? finishedAt))
  })

  it('is nowhere is named for that', async () => {
    const nowhere = await openPlayer()
    await nowhere.close()
    const { model } = open({ baseUrl: nowhere.baseUrl })
    const { error } = await listen(model)
    expect(error).toMatchObject({ code: 'model_failed' })
    expect(error?.cause).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('goes on too slowly to ever end is cut off', async () => {
    player.behave({ kind: 'slow', betweenTokensMs: 1_000 })
    const { model, provider } = open()
    provider.deadlines.wholeMs = 1_500
    const { error, pieces } = await listen(model)
    expect(error).toMatchObject({ code: 'model_stalled' })
    expect(pieces.length).toBeGreaterThan(0)
  })

  it('writes past the limit that it was given is known to be cut', async () => {
    const { model } = open()
    const { error, text } = await listen(model, question({ maxOutputTokens: 5 }))
    expect(error).toMatchObject({ code: 'model_too_long' })
    expect(text.length).toBeGreaterThan(0)
  })

  it('is slow within its deadlines is waited for', async () => {
    player.behave({ kind: 'slow', firstTokenMs: 200, betweenTokensMs: 10 })
    expect((await listen(open().model)).error).toBeNull()
  })
})

describe('a repeat', () => {
  it('is made once, and saves the answer', async () => {
    player.script('failing')
    const { model, used } = open()
    const { text, usage, error } = await listen(model)
    expect(error).toBeNull()
    expect(text).toContain('30 days')
    expect(usage?.requests).toBe(2)
    expect(used).toMatchObject([{ requests: 2 }])
  })

  it('waits as long as the provider asks for', async () => {
    player.script({ kind: 'limited', retryAfter: 0.3 })
    const { usage } = await listen(open({ firstTokenMs: 1_500 }).model)
    expect(usage?.requests).toBe(2)
    const [first, second] = player.requests
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(290)
  })

  it('is not made when something of the answer was seen: no customer reads a beginning twice', async () => {
    player.script({ kind: 'cut', when: 'middle', tokens: 4 })
    const { pieces, error } = await listen(open().model)
    expect(pieces).toHaveLength(4)
    expect(error).toMatchObject({ code: 'model_failed' })
    expect(player.requests).toHaveLength(1)
  })

  it('is not made when there is no time left for it', async () => {
    player.behave(() => ({ kind: 'failing' }))
    // Time stands still: however slow the machine, the answer comes within it, and there is as little left of it.
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask', 'setImmediate'] })
    try {
      expect((await listen(open({ firstTokenMs: 150 }).model)).error).toMatchObject({ code: 'model_failed' })
    } finally {
      jest.useRealTimers()
    }
    expect(player.requests).toHaveLength(1)
  })

  it('of embeddings follows the same rules', async () => {
    const { embedder } = open()
    player.script('failing')
    expect(await embedder.embed('acme', ['one'], never)).toHaveLength(1)
    expect(player.requests).toHaveLength(2)
    player.script('refusing')
    await expect(embedder.embed('acme', ['one'], never)).rejects.toMatchObject({ code: 'model_refused' })
    expect(player.requests).toHaveLength(3)
  })

  it('becomes rare while a provider fails often', async () => {
    const { model } = open()
    // Every third fails: too few for the breaker.
    player.behave(() => (player.received() % 3 === 0 ? 'failing' : 'good'))
    for (let calls = 0; calls < 60; calls += 1) await listen(model)
    expect(model.state()).toBe('closed')
    expect(player.requests.length).toBeLessThanOrEqual(60 + 3 + 6)
    // Sixty calls, and pauses before the repeats: long on a machine that does much else, and what goes on disturbs the next test.
  }, 120_000)
})

describe('a reader who leaves', () => {
  it('before the first word ends the request within a second, with the own reason', async () => {
    player.behave('hanging')
    const { model, used } = open({ firstTokenMs: 10_000 })
    const leaving = new AbortController()
    const reason = new Error('the agent took over')
    const answer = listen(model, question(), leaving.signal)
    await eventually(async () => player.requests.length === 1)
    const left = performance.now()
    leaving.abort(reason)
    expect((await answer).error).toBe(reason)
    expect(await closedAfter(left)).toBeLessThan(1_000)
    expect(used).toMatchObject([{ inputTokens: 0, outputTokens: 0 }])
  })

  it('in the middle ends the request within a second, and pays for what was said', async () => {
    player.behave(slowly)
    const { model, used } = open()
    const leaving = new AbortController()
    const asked = model.stream(question(), leaving.signal)
    await asked.next()
    await asked.next()
    const left = performance.now()
    leaving.abort(new Error('the customer went'))
    await expect(asked.next()).rejects.toThrow('the customer went')
    expect(await closedAfter(left)).toBeLessThan(1_000)
    expect(used[0]?.inputTokens).toBeGreaterThan(10)
    expect(used[0]?.outputTokens).toBeGreaterThan(0)
  })

  it('by reading no further ends the request within a second', async () => {
    player.behave(slowly)
    const { model, used } = open()
    let left = 0
    for await (const piece of model.stream(question(), never)) {
      expect(piece).not.toBe('')
      left = performance.now()
      break
    }
    expect(await closedAfter(left)).toBeLessThan(1_000)
    expect(used).toHaveLength(1)
  })

  it('without a word is cut off with the deadline of the whole', async () => {
    player.behave(slowly)
    const { model, provider } = open()
    provider.deadlines.wholeMs = 800
    const asked = model.stream(question(), never)
    await asked.next()
    await eventually(async () => player.requests.at(-1)?.closedAt ?? null)
    await expect(
      (async () => {
        while (!(await asked.next()).done) continue
      })(),
    ).rejects.toMatchObject({ code: 'model_stalled' })
  })

  it('before it began causes no request', async () => {
    const gone = AbortSignal.abort(new Error('gone'))
    expect((await listen(open().model, question(), gone)).error?.message).toBe('gone')
    expect(player.requests).toEqual([])
  })

  it('while a repeat is waited for gets no second request', async () => {
    player.behave({ kind: 'limited', retryAfter: 1 })
    const { model } = open({ firstTokenMs: 5_000 })
    const leaving = new AbortController()
    const answer = listen(model, question(), leaving.signal)
    await eventually(async () => player.requests.length === 1)
    leaving.abort(new Error('gone'))
    expect((await answer).error?.message).toBe('gone')
    await wait(100)
    expect(player.requests).toHaveLength(1)
  })

  it('a deadline that passes reaches the provider within a second too', async () => {
    player.behave('hanging')
    const { model } = open({ firstTokenMs: 200 })
    await listen(model)
    expect(await closedAfter(performance.now())).toBeLessThan(1_000)
  })
})

describe('an answer of tens of megabytes', () => {
  it.each(['endless', 'one_line'] as const)('(%s) is not kept, and the line is closed', async (what) => {
    player.behave({ kind: 'garbage', what })
    const { model } = open({ firstTokenMs: PATIENT_MS })
    const { text, error } = await listen(model)
    expect(error).toMatchObject({ code: 'model_too_long' })
    expect(text.length).toBeLessThanOrEqual(64 * 1024)
    const [request] = player.requests
    expect(await eventually(async () => request?.closedAt ?? request?.finishedAt ?? null)).toBeGreaterThan(0)
    // What was still on its way when the line closed is a matter of socket buffers, not of ours.
    expect(request?.finishedAt).toBeNull()
  })
})

describe('a provider that is down', () => {
  // Timers run as time passes, and can be sent ahead; sockets and the provider's client keep to the real time.
  beforeEach(
    () => void jest.useFakeTimers({ advanceTimers: true, doNotFake: ['performance', 'nextTick', 'queueMicrotask'] }),
  )
  afterEach(() => void jest.useRealTimers())
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms)

  const breakIt = async (model: ReturnType<typeof open>['model'], behaviour: Behaviour = 'failing') => {
    player.behave(behaviour)
    for (let calls = 0; calls < 6 && model.state() === 'closed'; calls += 1) await listen(model)
    expect(model.state()).toBe('open')
    player.forget()
  }

  it.each<[string, Behaviour]>([
    ['fails', 'failing'],
    ['hangs', 'hanging'],
    ['stalls', 'stalling'],
    ['talks nonsense', { kind: 'garbage', what: 'html' }],
    ['never stops', { kind: 'garbage', what: 'endless' }],
    ['cuts', { kind: 'cut', when: 'middle' }],
  ])('because it %s is left alone, for chat and for embeddings', async (_how, behaviour) => {
    const { model, embedder } = open({ firstTokenMs: behaviour === 'hanging' ? 200 : PATIENT_MS })
    await breakIt(model, behaviour)
    const { error } = await listen(model)
    expect(error).toMatchObject({ kind: 'unavailable', code: 'model_open' })
    await expect(embedder.embed('acme', ['one'], never)).rejects.toMatchObject({ code: 'model_open' })
    expect(player.requests).toEqual([])
  })

  it.each<[string, Behaviour]>([
    ['bad requests of one company', 'refusing'],
    ['a revoked key', { kind: 'refusing', status: 401 }],
    ['limits', { kind: 'limited', retryAfter: 0 }],
    ['readers who leave', 'hanging'],
  ])('is not what %s mean', async (_what, behaviour) => {
    player.behave(behaviour)
    const { model } = open()
    for (let calls = 0; calls < 12; calls += 1) await listen(model, question(), AbortSignal.timeout(30))
    expect(model.state()).toBe('closed')
  })

  it('is asked by one customer when its time has come, and is back with that answer', async () => {
    const { model, embedder } = open()
    await breakIt(model)
    player.behave({ kind: 'slow', firstTokenMs: 100 })
    await pass(RESET_MS)
    expect(model.state()).toBe('half-open')
    const answers = await Promise.all(Array.from({ length: 10 }, () => listen(model)))
    expect(answers.filter(({ error }) => error === null)).toHaveLength(1)
    expect(player.requests).toHaveLength(1)
    expect(model.state()).toBe('closed')
    expect(await embedder.embed('acme', ['one'], never)).toHaveLength(1)
  })

  it('is asked once, not twice, when the probe fails too', async () => {
    const { model } = open()
    await breakIt(model)
    await pass(RESET_MS)
    expect((await listen(model)).error).toMatchObject({ code: 'model_failed' })
    expect(player.requests).toHaveLength(1)
    expect(model.state()).toBe('open')
  })

  it('is known to be back although the question that probed could not wait for its vector', async () => {
    const { model, embedder } = open()
    await breakIt(model)
    let answer = () => {}
    const left = new Promise<void>((resolve) => (answer = resolve))
    player.behave(() => left.then(() => 'good' as const))
    await pass(RESET_MS)
    await expect(embedder.embed('acme', ['one'], AbortSignal.timeout(50))).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    expect(model.state()).toBe('half-open')
    answer()
    await eventually(async () => model.state() === 'closed')
  })

  it('is known to be back when the reader of the probe left after its first words', async () => {
    const { model } = open()
    await breakIt(model)
    player.behave(slowly)
    await pass(RESET_MS)
    for await (const _piece of model.stream(question(), never)) break
    await eventually(async () => model.state() === 'closed')
  })
})

describe('limits', () => {
  it('pause the model that they are for, and no other', async () => {
    const { model, embedder } = open()
    player.script({ kind: 'limited', retryAfter: 2 })
    expect((await listen(model)).error).toMatchObject({ code: 'model_limited', retryAfterMs: 2_000 })
    player.forget()
    expect((await listen(model)).error).toMatchObject({ code: 'model_limited' })
    expect(player.requests).toEqual([])
    expect(await embedder.embed('acme', ['one'], never)).toHaveLength(1)
    await wait(2_050)
    expect((await listen(model)).error).toBeNull()
  })
})

it('nothing that goes wrong here is left unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const parts: Behaviour[] = [
    'failing',
    'limited',
    'stalling',
    'cut',
    { kind: 'cut', when: 'middle' },
    'garbage',
    slowly,
  ]
  for (const part of parts) {
    player.behave(part)
    const { model } = open({ firstTokenMs: 150 })
    await listen(model, question(), AbortSignal.timeout(80))
    const asked = model.stream(question(), AbortSignal.timeout(2_000))
    await asked.next().catch(() => {})
    await asked.return({ inputTokens: 0, outputTokens: 0, costUsd: null, requests: 1 })
  }
  await wait(200)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})
