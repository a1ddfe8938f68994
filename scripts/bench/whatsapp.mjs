// WhatsApp over a played Graph API: signed webhooks accepted, redeliveries in any order, statuses in any order, and from a webhook to
// the answer at the Graph API. The server, Meta's webhooks and the Graph API are processes apart from each other.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { openGraph } from '../../test/support/graph.mjs'
import { percentile } from './answer.mjs'
import { addDocuments } from './chat.mjs'
import { makeCorpus } from './corpus.mjs'
import { call, startServer } from './server.mjs'
import { messageWebhook, signatureOf, statusWebhook, textContent } from './whatsapp-webhooks.mjs'

const CONNECTIONS = 20
const ROUNDS = 5
const SECONDS = 5
const MESSAGES = 4_000
const EACH = 5
const PEOPLE = 200
/** Whose conversations exist already, as many as in the bench of the chat. */
const REGULARS = 50
const OUTBOUND = 300
const STATUSES = 100_000
const PER_WEBHOOK = 50
const PASSAGES = 2_000
const QUESTIONS = 120

/** @param {object} job @returns {Promise<any>} */
const load = async (job) => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'whatsapp-load.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(job))
  return JSON.parse(await text(child.stdout))
}

/** @template T @param {T[]} items @returns {T[]} */
const shuffled = (items) => {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[items[at], items[other]] = [/** @type {T} */ (items[other]), /** @type {T} */ (items[at])]
  }
  return items
}

/** @param {string} url @returns {Promise<any[]>} */
const allConversations = async (url) => {
  const found = []
  for (let cursor = ''; ; ) {
    const page = await call(url, `/conversations?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
    found.push(...page.conversations)
    if (!page.nextCursor) return found
    cursor = page.nextCursor
  }
}

export const whatsapp = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const graph = await openGraph()
  const server = await startServer({ dataDir, env: { ALLOW_PRIVATE_ADDRESSES: 'true' } })
  const settings = {
    phoneNumberId: graph.phoneNumberId,
    accessToken: graph.token,
    appSecret: graph.secret,
    verifyToken: 'a word for the bench',
    graphUrl: graph.url,
    personButton: false,
    ratingButtons: false,
  }
  const { id } = await call(server.url, '/channels', { body: { kind: 'whatsapp-cloud', settings } })
  const meta = { url: `${server.url}/webhooks/${id}`, secret: graph.secret, phoneNumberId: graph.phoneNumberId }
  const pause = (/** @type {boolean} */ paused) =>
    call(server.url, '/company', { method: 'PATCH', body: { assistant: { paused } } })

  const answers = await webhookToAnswer(server.url, meta, graph)
  await pause(true)
  const accepted = await acceptance(meta)
  const redelivered = await redeliveries(server.url, meta)
  const statuses = await statusesInAnyOrder(server.url, meta, graph)

  await server.stop()
  await graph.close()
  rmSync(dataDir, { recursive: true, force: true })
  return { bench: 'whatsapp', accepted, redelivered, statuses, answers }
}

/** @typedef {{ url: string, secret: string, phoneNumberId: string }} Meta */

/** @param {Meta} meta */
const acceptance = async (meta) => {
  await load({ ...meta, connections: CONNECTIONS, seconds: 3, people: REGULARS, prefix: 'warm' })
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push(
      await load({ ...meta, connections: CONNECTIONS, seconds: SECONDS, people: REGULARS, prefix: `r${round}` }),
    )
  const rates = rounds.map(({ perSecond }) => perSecond).sort((a, b) => a - b)
  const median = rates[Math.floor(rates.length / 2)]
  const rate = Math.round(median / 2)
  const steady = await load({ ...meta, connections: CONNECTIONS, seconds: 8, rate, people: REGULARS, prefix: 'steady' })
  // Everybody writes for the first time: each message makes a contact and a conversation.
  const newcomers = await load({ ...meta, connections: CONNECTIONS, seconds: SECONDS, people: 1e7, prefix: 'new' })
  return {
    connections: CONNECTIONS,
    perSecondMedian: median,
    perSecondWorst: rates[0],
    p99MsMedian: percentile(
      rounds.map(({ p99Ms }) => p99Ms),
      0.5,
    ),
    p99MsWorst: Math.max(...rounds.map(({ p99Ms }) => p99Ms)),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0) + steady.failed,
    openLoop: { ratePerSecond: rate, ...steady },
    newcomers,
  }
}

/** @param {string} url @param {Meta} meta */
const redeliveries = async (url, meta) => {
  const told = Array.from({ length: MESSAGES }, (_, at) =>
    messageWebhook(meta.phoneNumberId, {
      waId: `4916${String(at % PEOPLE).padStart(8, '0')}`,
      name: 'Ben',
      id: `wamid.once-${at}`,
      content: textContent(`Message number ${at}`),
    }),
  )
  const bodies = shuffled(Array.from({ length: EACH }, () => told).flat())
  const run = await load({ ...meta, connections: CONNECTIONS, bodies })
  /** @type {Map<string, number>} */
  const seen = new Map()
  let conversations = 0
  for (const conversation of await allConversations(url)) {
    if (conversation.contact.name !== 'Ben') continue
    conversations += 1
    const { messages } = await call(url, `/conversations/${conversation.id}/messages`)
    for (const message of messages)
      if (message.author === 'customer') seen.set(message.text, (seen.get(message.text) ?? 0) + 1)
  }
  return {
    deliveries: bodies.length,
    messages: MESSAGES,
    perSecond: run.perSecond,
    refused: run.failed,
    lost: told.length - seen.size,
    doubled: [...seen.values()].filter((count) => count > 1).length,
    people: PEOPLE,
    conversations,
  }
}

const RANK = ['sent', 'delivered', 'read']

/** @param {string} url @param {Meta} meta @param {import('../../test/support/graph.d.mts').GraphPlayer} graph */
const statusesInAnyOrder = async (url, meta, graph) => {
  /** @type {Map<string, string>} */
  const wamids = new Map()
  graph.onMessage((message, id) => wamids.set(String(message.biz_opaque_callback_data).replace('message:', ''), id))
  const conversations = (await allConversations(url)).filter(({ contact }) => contact.name === 'Ben')
  for (let at = 0; at < OUTBOUND; at += 1) {
    const { id } = conversations[at % conversations.length]
    await call(url, `/conversations/${id}/messages`, { body: { text: `Answer ${at}` } })
  }
  const patience = performance.now() + 60_000
  while (wamids.size < OUTBOUND && performance.now() < patience)
    await new Promise((resolve) => setTimeout(resolve, 100))

  /** @type {Map<string, string>} */
  const expected = new Map()
  const updates = [...wamids].flatMap(([messageId, id], at) => {
    const count = Math.ceil(STATUSES / wamids.size)
    // One in ten never arrives; of the others each comes as far as it comes.
    if (at % 10 === 0) {
      expected.set(messageId, 'refused')
      return Array.from({ length: count }, (_, index) => ({ id, status: index % 2 === 0 ? 'sent' : 'failed' }))
    }
    const furthest = at % 3
    expected.set(messageId, RANK[furthest] ?? '')
    return Array.from({ length: count }, (_, index) => ({ id, status: RANK[index % (furthest + 1)] ?? 'sent' }))
  })
  shuffled(updates)
  const bodies = []
  for (let at = 0; at < updates.length; at += PER_WEBHOOK)
    bodies.push(statusWebhook(meta.phoneNumberId, updates.slice(at, at + PER_WEBHOOK)))
  const run = await load({ ...meta, connections: CONNECTIONS, bodies })
  let wrong = 0
  for (const { id } of conversations) {
    const { messages } = await call(url, `/conversations/${id}/messages`)
    for (const message of messages)
      if (expected.has(message.id) && expected.get(message.id) !== message.status) wrong += 1
  }
  return {
    updates: updates.length,
    messages: wamids.size,
    updatesPerSecond: run.perSecond * PER_WEBHOOK,
    refused: run.failed,
    wrong,
  }
}

/** @param {string} url @param {Meta} meta @param {import('../../test/support/graph.d.mts').GraphPlayer} graph */
const webhookToAnswer = async (url, meta, graph) => {
  const { documents, questions } = makeCorpus(PASSAGES)
  await addDocuments(url, documents)
  /** @type {Map<string, (said: { text: string, at: number }) => void>} */
  const waiting = new Map()
  graph.onMessage((message) => {
    const said = { text: message.text?.body ?? message.interactive?.body?.text ?? '', at: performance.now() }
    waiting.get(message.to)?.(said)
  })
  const latencies = []
  let right = 0
  for (let at = 0; at < QUESTIONS + 10; at += 1) {
    const { text: question, answer } = /** @type {{ text: string, answer: string }} */ (
      questions[(at * 61) % questions.length]
    )
    const waId = `4917${String(at).padStart(8, '0')}`
    const answered = new Promise((resolve) => waiting.set(waId, resolve))
    const body = JSON.stringify(
      messageWebhook(meta.phoneNumberId, {
        waId,
        name: 'Chloé',
        id: `wamid.ask-${at}`,
        content: textContent(question),
      }),
    )
    const startedAt = performance.now()
    await fetch(meta.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body, meta.secret) },
      body,
    })
    const late = new Promise((resolve) => setTimeout(() => resolve(null), 20_000).unref())
    const said = /** @type {{ text: string, at: number } | null} */ (await Promise.race([answered, late]))
    // The first ones warm up.
    if (at < 10) continue
    latencies.push(said ? said.at - startedAt : 20_000)
    if (said?.text.includes(answer)) right += 1
  }
  return {
    passages: PASSAGES,
    questions: QUESTIONS,
    answeredRight: right,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
  }
}
