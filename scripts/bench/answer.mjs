// From a customer's message to the answer readable at the customer, over 10,000 passages on an idle server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { addDocuments, openChat } from './chat.mjs'
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
  await addDocuments(server.url, documents)
  const indexedMs = Math.round(performance.now() - startedAt)

  const { channelKey } = await call(server.url, '/webchat/demo')
  const latencies = []
  let right = 0
  for (let at = 0; at < QUESTIONS + 10; at += 1) {
    const { text, answer: fact } = /** @type {{ text: string, answer: string }} */ (
      questions[(at * 61) % questions.length]
    )
    const chat = await openChat(server.url, channelKey)
    const { reply, ms } = await chat.ask(text)
    // The first ones warm up.
    if (at >= 10) {
      latencies.push(ms)
      if (reply?.text.includes(fact)) right += 1
    }
    chat.close()
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
