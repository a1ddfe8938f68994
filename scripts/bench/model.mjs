// What the model's door adds to a call, beside a bare fetch of the same answer from the same player, and how its breaker behaves.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '../..')
const WARM = 50
const CALLS = 400

/** The player is a process of its own: what it costs is not counted. */
const startPlayer = async () => {
  const child = spawn(process.execPath, [path.join(root, 'test', 'support', 'openai.mjs'), '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise((resolve) =>
    createInterface({ input: child.stdout }).once('line', (line) => resolve(/http\S+(?=\/v1)/.exec(line)?.[0])),
  )
  return {
    url: String(url),
    behave: (/** @type {object} */ part) => fetch(`${url}/player`, { method: 'PUT', body: JSON.stringify(part) }),
    received: async () => Number((await (await fetch(`${url}/player`)).json()).received),
    stop: () => child.kill(),
  }
}

const messages = [
  { role: 'system', text: 'Answer from the passages.' },
  {
    role: 'user',
    text: JSON.stringify({
      passages: Array.from({ length: 8 }, (_, at) => ({
        id: at + 1,
        title: `Passage ${at + 1}`,
        text: `Goods of kind ${at} can be returned within ${30 + at} days. `.repeat(12),
      })),
      conversation: [],
      question: 'Within how many days can goods of kind 3 be returned?',
    }),
  },
]
const schema = { name: 'answer', definition: { type: 'object', additionalProperties: false } }

/** @param {string} url */
const bareCall = async (url) => {
  const begun = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    body: JSON.stringify({
      model: 'player',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 500,
      temperature: 0,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: schema.definition, strict: true },
      },
      messages: messages.map(({ role, text }) => ({ role, content: text })),
    }),
  })
  let first = 0
  for await (const chunk of response.body ?? []) {
    if (first === 0 && Buffer.from(chunk).includes('"content":"{')) first = performance.now() - begun
  }
  return { first, whole: performance.now() - begun }
}

const silent = { warn() {}, info() {}, error() {} }

export const model = async () => {
  const { makeModel, makeProvider } = await import('../../dist/rag/model.js')
  const { makeMetrics } = await import('../../dist/platform/metrics.js')
  const { RESET_MS } = await import('../../dist/platform/resilience.js')
  const player = await startPlayer()
  const provider = makeProvider({
    baseUrl: `${player.url}/v1`,
    apiKey: 'key',
    firstTokenMs: 1_800,
    meter: { assertWithinBudget: async () => {}, record: () => {} },
    clock: { now: () => new Date() },
    log: silent,
    metrics: makeMetrics(),
  })
  const door = makeModel({ provider, name: 'player' })
  const signal = new AbortController().signal
  const request = { companyId: 'bench', purpose: 'answer', messages, schema, maxOutputTokens: 500 }

  const doorCall = async () => {
    const begun = performance.now()
    let first = 0
    for await (const _piece of door.stream(request, signal)) if (first === 0) first = performance.now() - begun
    return { first, whole: performance.now() - begun }
  }
  const loadedAt = performance.now()
  await provider.warm()
  const loadMs = performance.now() - loadedAt

  // By turns, so that both meet the same noise.
  /** @type {Record<'bare' | 'door', { first: number, whole: number }[]>} */
  const times = { bare: [], door: [] }
  for (let call = 0; call < WARM + CALLS; call += 1) {
    const [bare, through] = [await bareCall(player.url), await doorCall()]
    if (call < WARM) continue
    times.bare.push(bare)
    times.door.push(through)
  }

  // Down: failures until it opens, then asked every 20 ms for three reset periods.
  await player.behave({ kind: 'failing' })
  while (door.state() === 'closed') await door.complete(request, signal).catch(() => {})
  const before = await player.received()
  const openedAt = performance.now()
  /** @type {number[]} */
  const refusals = []
  while (performance.now() - openedAt < 3 * RESET_MS + 500) {
    const begun = performance.now()
    const refused = await door.complete(request, signal).then(
      () => false,
      (error) => error.code === 'model_open',
    )
    if (refused) refusals.push((performance.now() - begun) * 1_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const whileOpen = (await player.received()) - before

  // Well again: asked every 20 ms until an answer comes.
  await player.behave({ kind: 'good' })
  const wellAt = performance.now()
  while (door.state() !== 'closed') {
    await door.complete(request, signal).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const backMs = performance.now() - wellAt
  player.stop()

  return {
    bench: 'model',
    loadMs: Math.round(loadMs),
    bareFirstMs: percentiles(times.bare.map(({ first }) => first)),
    doorFirstMs: percentiles(times.door.map(({ first }) => first)),
    bareWholeMs: percentiles(times.bare.map(({ whole }) => whole)),
    doorWholeMs: percentiles(times.door.map(({ whole }) => whole)),
    refusedUs: percentiles(refusals),
    resetMs: RESET_MS,
    requestsInThreeResetPeriods: whileOpen,
    backAfterMs: Math.round(backMs),
  }
}

/** @param {number[]} values */
const percentiles = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (/** @type {number} */ share) =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(2))
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
