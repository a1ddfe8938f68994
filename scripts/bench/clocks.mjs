// The sweep of promised times over 10,000 running clocks on the embedded store: with nothing to tell, with one in a hundred
// due, with all due at once; and how late a warning comes while the sweep runs as in the product.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const CLOCKS = 10_000
const APART_MS = 20
const AT_ONCE = 64
const HOUR = 3_600_000
const IDLE_SWEEPS = 30
const FOLLOWED_MS = 10_000
const PAUSE_MS = 400

/** @param {readonly number[]} values @param {number} share */
const quantile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2))
}

export const clocks = async () => {
  const { startEmbeddedMongo } = await import('../../dist/embedded-mongo/index.js')
  const { makeReceive } = await import('../../dist/conversations/receive.js')
  const { conversationSchemas, makeConversationStore } = await import('../../dist/conversations/store.mongo.js')
  const { makeSweep } = await import('../../dist/conversations/sweep.js')
  const { makeBus } = await import('../../dist/platform/bus.js')
  const { makeLog } = await import('../../dist/platform/log.js')
  const { makeMetrics } = await import('../../dist/platform/metrics.js')
  const { connectMongo, ensureSchema } = await import('../../dist/platform/mongo.js')
  const { POLICY_DEFAULTS } = await import('../../dist/sla/policy.js')

  const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const store = await startEmbeddedMongo({
    file: path.join(directory, 'bench.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  const mongo = await connectMongo(store.uri, 'bench')
  await ensureSchema(mongo.db, conversationSchemas)

  const target = { first_response: HOUR, next_response: HOUR, resolution: null }
  const targets = { low: target, normal: target, high: target, urgent: target }
  const day = [{ open: '00:00', close: '24:00' }]
  const hours = {
    timeZone: 'Europe/Berlin',
    weekly: { mon: day, tue: day, wed: day, thu: day, fri: day, sat: day, sun: day },
  }
  const terms = { policy: { ...POLICY_DEFAULTS, id: 'bench', version: 1, name: 'Bench', when: {}, targets }, hours }
  const promised = { ref: { policyId: 'bench', policies: 1, hours: 1, channelId: 'chn' }, terms }

  const base = Date.UTC(2026, 2, 2, 12)
  let now = () => new Date(base)
  const bus = makeBus()
  const needs = {
    store: makeConversationStore({
      ...mongo,
      termsOf: async () => terms,
      choicesFor: async () => ({ changes: false, choose: () => null }),
      teamOfChannel: async () => null,
    }),
    promiseFor: async () => promised,
    assistantPaused: async () => false,
    openingOf: async () => ({ hours, outside: /** @type {const} */ ('as_usual') }),
    teamOfChannel: async () => null,
    reads: { transcript: false, description: false },
    wakeAnswer: () => {},
    wakeRead: () => {},
    wakeDeliver: () => {},
    bus,
    clock: { now: () => now() },
    log: makeLog('silent'),
    metrics: makeMetrics(),
  }
  const receive = makeReceive(needs)
  const { tellTime } = makeSweep(needs)

  const begun = performance.now()
  for (let first = 0; first < CLOCKS; first += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, CLOCKS - first) }, (_, index) => {
        const number = first + index
        now = () => new Date(base + number * APART_MS)
        const contact = { externalId: `visitor-${number}` }
        return receive(
          { companyId: 'bench', channelId: 'chn' },
          { kind: 'message', externalId: `m${number}`, contact, conversationId: `cnv_${number}`, text: 'Hello?' },
        )
      }),
    )
  }
  const startedPerSecond = Math.round((CLOCKS * 1_000) / (performance.now() - begun))

  const sweep = async (/** @type {number} */ at) => {
    now = () => new Date(at)
    const start = performance.now()
    await tellTime()
    return performance.now() - start
  }
  const firstWarning = base + 0.75 * HOUR
  const idle = []
  for (let round = 0; round < IDLE_SWEEPS; round += 1) idle.push(await sweep(firstWarning - 1))
  const hundredth = await sweep(firstWarning + (CLOCKS / 100) * APART_MS)

  // From here the product's time runs as fast as the world's.
  const late = /** @type {number[]} */ ([])
  const shift = firstWarning + (CLOCKS / 100) * APART_MS - Date.now()
  now = () => new Date(Date.now() + shift)
  bus.subscribe((event) => {
    if (event.type !== 'service_level') return
    late.push(now().getTime() - (Date.parse(event.dueAt) - 0.25 * HOUR))
  })
  const until = Date.now() + FOLLOWED_MS
  while (Date.now() < until) {
    await tellTime()
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  const told = late.length
  const lateP50Ms = quantile(late, 0.5)
  const lateMaxMs = quantile(late, 1)

  const all = await sweep(base + 3 * HOUR)
  await mongo.client.close()
  await store.stop()
  rmSync(directory, { recursive: true, force: true })
  return {
    bench: 'clocks',
    clocks: CLOCKS,
    startedPerSecond,
    idleSweepP50Ms: quantile(idle, 0.5),
    idleSweepMaxMs: quantile(idle, 1),
    sweepOfAHundredthMs: Number(hundredth.toFixed(1)),
    told,
    lateP50Ms,
    lateMaxMs,
    sweepOfAllAtOnceMs: Math.round(all),
  }
}
