// From a customer's message to the answer readable at the customer, over 10,000 passages on an idle server.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { io } from 'socket.io-client'
import { makeCorpus } from './corpus.mjs'
import { call, startServer } from './server.mjs'

const PASSAGES = 10_000
const QUESTIONS = 150

/** @param {number[]} values @param {number} share */
export const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1))
}

export const answer = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const server = await startServer({ dataDir })
  const { documents, questions } = makeCorpus(PASSAGES)
  const startedAt = performance.now()
  for (const document of documents) await call(server.url, '/knowledge/documents', { body: document })
  for (let ready = false; !ready; ) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const open = await call(server.url, '/knowledge/documents?limit=100')
    ready = open.documents.every((/** @type {any} */ one) => one.status === 'ready')
  }
  const indexedMs = Math.round(performance.now() - startedAt)

  const { channelKey } = await call(server.url, '/webchat/demo')
  const latencies = []
  let right = 0
  for (let at = 0; at < QUESTIONS + 10; at += 1) {
    const { text, answer: fact } = /** @type {{ text: string, answer: string }} */ (
      questions[(at * 61) % questions.length]
    )
    const { token } = await call(server.url, '/webchat/sessions', { body: { channelKey } })
    const socket = io(`${server.url}/webchat`, { auth: { token }, transports: ['websocket'] })
    await new Promise((resolve) => socket.once('connect', () => resolve(null)))
    const answered = new Promise((resolve) =>
      socket.on('message', (message) => message.author === 'assistant' && resolve(message)),
    )
    const sentAt = performance.now()
    socket.emit('message', { id: randomUUID(), text })
    const reply = /** @type {any} */ (await answered)
    // The first ones warm up.
    if (at >= 10) {
      latencies.push(performance.now() - sentAt)
      if (reply.text.includes(fact)) right += 1
    }
    socket.close()
  }
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
  return {
    bench: 'message-to-answer',
    passages: PASSAGES,
    indexedMs,
    questions: QUESTIONS,
    answeredRight: right,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
  }
}
