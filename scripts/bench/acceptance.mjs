// Durable acceptance of chat messages, as a share of what bare Express takes in the same run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { call, startServer } from './server.mjs'

const CONVERSATIONS = 50
const ROUNDS = 5
const SECONDS = 5

/** @param {object} job @returns {Promise<any>} */
const load = async (job) => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'load.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(job))
  return JSON.parse(await text(child.stdout))
}

const startFloor = async () => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-express.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { url: String(line).replace('ready ', ''), child }
}

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

export const acceptance = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const floor = await startFloor()
  const server = await startServer({ dataDir })
  await call(server.url, '/company', { method: 'PATCH', body: { assistant: { paused: true } } })
  const { channelKey } = await call(server.url, '/webchat/demo')
  const sessions = await Promise.all(
    Array.from({ length: CONVERSATIONS }, () => call(server.url, '/webchat/sessions', { body: { channelKey } })),
  )
  const tokens = sessions.map(({ token }) => token)
  const product = (/** @type {object} */ job) =>
    load({ url: server.url, path: '/api/v1/webchat/messages', tokens, ...job })
  const bare = (/** @type {object} */ job) =>
    load({ url: floor.url, path: '/messages', tokens: tokens.map(() => ''), ...job })

  await bare({ seconds: 2, prefix: 'warm' })
  await product({ seconds: 3, prefix: 'warm' })
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const floored = await bare({ seconds: SECONDS, prefix: `r${round}` })
    const accepted = await product({ seconds: SECONDS, prefix: `r${round}` })
    rounds.push({ share: accepted.perSecond / floored.perSecond, floored, accepted })
  }
  const rate = Math.round(median(rounds.map(({ accepted }) => accepted.perSecond)) / 2)
  const steady = await product({ seconds: 10, prefix: 'steady', rate })

  await server.stop()
  floor.child.kill()
  rmSync(dataDir, { recursive: true, force: true })
  const shares = rounds.map(({ share }) => share)
  return {
    bench: 'acceptance',
    conversations: CONVERSATIONS,
    rounds: ROUNDS,
    shareMedian: Number(median(shares).toFixed(3)),
    shareWorst: Number(Math.min(...shares).toFixed(3)),
    acceptedPerSecond: median(rounds.map(({ accepted }) => accepted.perSecond)),
    acceptedP99Ms: median(rounds.map(({ accepted }) => accepted.p99Ms)),
    bareExpressPerSecond: median(rounds.map(({ floored }) => floored.perSecond)),
    failed: rounds.reduce((sum, { accepted }) => sum + accepted.failed, 0) + steady.failed,
    openLoop: { ratePerSecond: rate, ...steady },
  }
}
