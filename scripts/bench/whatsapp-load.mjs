// Meta's side of the measurements, a process of its own: one JSON job on standard input, one JSON result on standard output.
// `kind: messages` sends new messages by `people` people, in a closed loop, or at `rate` a second with latencies from when each should
// have left; `deliveries` sends each of `bodies` once, as fast as the connections take them.
import { Agent, request } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { messageWebhook, signatureOf, textContent } from './whatsapp-webhooks.mjs'

/** @type {{ url: string, secret: string, phoneNumberId: string, connections: number, seconds?: number, rate?: number, people?: number, prefix?: string, bodies?: object[] }} */
const job = JSON.parse(await text(process.stdin))
const agent = new Agent({ keepAlive: true, maxSockets: job.connections })
const lag = monitorEventLoopDelay({ resolution: 5 })
lag.enable()
/** @type {number[]} */
const latencies = []
let failed = 0
let numbered = 0

/** @param {object} webhook @param {number} due */
const post = (webhook, due) =>
  new Promise((resolve) => {
    const body = JSON.stringify(webhook)
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-hub-signature-256': signatureOf(body, job.secret),
    }
    const sent = request(job.url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode === 200) latencies.push(performance.now() - due)
        else failed += 1
        resolve(undefined)
      })
    })
    sent.on('error', () => {
      failed += 1
      resolve(undefined)
    })
    sent.end(body)
  })

const next = () => {
  numbered += 1
  const waId = `4915${String(numbered % (job.people ?? 1)).padStart(8, '0')}`
  const id = `wamid.${job.prefix}-${numbered}`
  return messageWebhook(job.phoneNumberId, {
    waId,
    name: 'Ana',
    id,
    content: textContent(`Where is parcel ${numbered}?`),
  })
}

const startedAt = performance.now()
if (job.bodies) {
  const waiting = [...job.bodies]
  const worker = async () => {
    for (let body = waiting.pop(); body; body = waiting.pop()) await post(body, performance.now())
  }
  await Promise.all(Array.from({ length: job.connections }, worker))
} else if (job.rate) {
  const endsAt = startedAt + (job.seconds ?? 1) * 1000
  const all = []
  for (let due = startedAt; due < endsAt; due += 1000 / job.rate) {
    const wait = due - performance.now()
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
    all.push(post(next(), due))
  }
  await Promise.all(all)
} else {
  const endsAt = startedAt + (job.seconds ?? 1) * 1000
  const worker = async () => {
    while (performance.now() < endsAt) await post(next(), performance.now())
  }
  await Promise.all(Array.from({ length: job.connections }, worker))
}

const seconds = (performance.now() - startedAt) / 1000
latencies.sort((a, b) => a - b)
const at = (/** @type {number} */ share) =>
  Number((latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(1))
console.log(
  JSON.stringify({
    sent: latencies.length + failed,
    perSecond: Math.round(latencies.length / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    failed,
    generatorLagP99Ms: Number((lag.percentile(99) / 1e6).toFixed(1)),
  }),
)
process.exit(0)
