// What customers see while the model's provider hangs, fails, stalls and garbles by turns, and how the breaker comes back.
// The provider is the local player; customers write in the web chat of a server of its own process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openPlayer } from '../../test/support/openai.mjs'
import { percentile } from './answer.mjs'
import { addDocuments, openChat } from './chat.mjs'
import { makeCorpus } from './corpus.mjs'
import { call, startServer } from './server.mjs'

const CUSTOMERS = 120
const AT_ONCE = 6

/** By turns; each is a state of the provider that has been seen in the world. @type {import('../../test/support/openai.d.mts').Behaviour[]} */
const FAULTS = [
  'hanging',
  { kind: 'failing', status: 500 },
  { kind: 'stalling', tokens: 6 },
  { kind: 'garbage', what: 'not_json' },
  { kind: 'stalling', tokens: 60 },
  { kind: 'garbage', what: 'endless' },
  { kind: 'cut', when: 'middle', tokens: 20 },
  { kind: 'limited', retryAfter: 30 },
  { kind: 'slow', firstTokenMs: 5_000 },
  { kind: 'hanging', headers: true },
  'good',
]

/** @param {string} url */
const breakerOf = async (url) => {
  const health = await (await fetch(`${url}/health/deep`)).json()
  return health.checks.model.state
}

export const outages = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const player = await openPlayer({ behaviour: 'good' })
  const server = await startServer({
    dataDir,
    env: { OPENAI_BASE_URL: player.baseUrl, OPENAI_API_KEY: 'key-of-the-player', OPENAI_MODEL: 'player' },
  })
  const { documents, questions } = makeCorpus(500)
  await addDocuments(server.url, documents)
  const { channelKey } = await call(server.url, '/webchat/demo')

  let next = 0
  const asked = async (/** @type {number} */ at) => {
    const chat = await openChat(server.url, channelKey)
    const outcome = await chat.ask(/** @type {any} */ (questions[(at * 7) % questions.length]).text)
    chat.close()
    return outcome
  }
  await Promise.all(Array.from({ length: 5 }, (_, at) => asked(at)))

  player.behave(() => /** @type {any} */ (FAULTS[(next += 1) % FAULTS.length]))
  const outcomes = []
  for (let at = 0; at < CUSTOMERS; at += AT_ONCE) {
    outcomes.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => asked(at + more)))))
  }

  // The provider fails for good until the breaker is open, then heals.
  player.behave({ kind: 'failing', status: 500 })
  while ((await breakerOf(server.url)) !== 'open') await asked(0)
  player.forget()
  const openFrom = performance.now()
  const LOOK_MS = 32_000
  while (performance.now() - openFrom < LOOK_MS) await asked(1)
  const whileOpen = player.received()
  const openMs = performance.now() - openFrom
  player.behave('good')
  const healedAt = performance.now()
  while ((await breakerOf(server.url)) !== 'closed') await asked(2)
  const closedMs = performance.now() - healedAt

  await server.stop()
  await player.close()
  rmSync(dataDir, { recursive: true, force: true })
  const times = outcomes.map(({ ms }) => ms)
  return {
    bench: 'model-outages',
    customers: outcomes.length,
    withoutAnswerOrPerson: outcomes.filter(({ reply }) => reply === null).length,
    byModel: outcomes.filter(({ reply }) => reply?.mode === 'model').length,
    byQuotes: outcomes.filter(({ reply }) => reply?.mode === 'extractive').length,
    p50Ms: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    maxMs: percentile(times, 1),
    requestsWhileOpen: whileOpen,
    lookedForMs: Math.round(openMs),
    closedAfterHealingMs: Math.round(closedMs),
  }
}
