// Kills the server under load, again and again, and compares what it acknowledged with what it has afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { call, startServer } from './server.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const SETTLE_WITHIN_MS = 60_000
const ACKNOWLEDGED_PER_ROUND = 20
const LOAD_WITHIN_MS = 20_000

/** Promises that break while the server is killed. */
const target = { first_response: 2_000, next_response: 1_000, resolution: 5_000 }
const HASTY = {
  name: 'Hasty',
  targets: { low: target, normal: target, high: target, urgent: target },
  countAssistantReplies: true,
}

/**
 * `visitors` write without pause; a message whose acknowledgement did not come is sent again with the same id, as a chat
 * page does. After `rounds` kills the ledger of acknowledgements, kept outside the server, is compared with the chats, and
 * what the server kept of its service-level clocks with what the timelines tell.
 * @param {{ rounds: number, visitors?: number }} options
 */
export const killRounds = async ({ rounds, visitors = 12 }) => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-kill-'))
  const env = { KNOWLEDGE_DIR: path.join(root, 'test', 'fixtures', 'knowledge') }
  let server = await startServer({ dataDir, env })
  /** @type {{ token: string, acknowledged: Set<string>, sent: number }[]} */
  const writers = []
  await call(server.url, '/policies', { method: 'PUT', body: { policies: [HASTY] } })
  const { channelKey } = await call(server.url, '/webchat/demo')
  for (let index = 0; index < visitors; index += 1) {
    const { token } = await call(server.url, '/webchat/sessions', { body: { channelKey } })
    writers.push({ token, acknowledged: new Set(), sent: 0 })
  }

  let running = true
  let retries = 0
  const write = async (/** @type {typeof writers[number]} */ writer) => {
    while (running) {
      const id = `m${writer.sent}`
      writer.sent += 1
      const body = { id, text: `How long can I return goods? (${id})` }
      while (running) {
        try {
          await call(server.url, '/webchat/messages', { body, token: writer.token })
          writer.acknowledged.add(id)
          break
        } catch {
          retries += 1
          await pause(50)
        }
      }
      await pause(20 + Math.random() * 60)
    }
  }
  const writing = writers.map(write)

  for (let round = 0; round < rounds; round += 1) {
    // Under load means so many acknowledgements, not so many seconds: machines differ. The moment itself is random.
    const before = acknowledgedBy(writers)
    const until = Date.now() + LOAD_WITHIN_MS
    while (acknowledgedBy(writers) < before + ACKNOWLEDGED_PER_ROUND && Date.now() < until) await pause(20)
    await pause(Math.random() * 800)
    await server.kill()
    server = await startServer({ dataDir, env })
  }
  await pause(500)
  running = false
  await Promise.all(writing)

  const until = Date.now() + SETTLE_WITHIN_MS
  let unanswered = visitors
  while (unanswered > 0 && Date.now() < until) {
    await pause(250)
    unanswered = (await Promise.all(writers.map((writer) => isWaiting(server.url, writer.token)))).filter(
      Boolean,
    ).length
  }

  let acknowledged = 0
  let lost = 0
  let doubled = 0
  let outOfOrder = 0
  for (const writer of writers) {
    const { messages } = await call(server.url, '/webchat/messages', { token: writer.token })
    const own = messages.filter((/** @type {any} */ message) => message.author === 'customer')
    /** @type {Map<string, number>} */
    const times = new Map()
    for (const { text } of own) {
      const id = /\((m\d+)\)$/.exec(text)?.[1] ?? ''
      times.set(id, (times.get(id) ?? 0) + 1)
    }
    acknowledged += writer.acknowledged.size
    for (const id of writer.acknowledged) if (!times.has(id)) lost += 1
    for (const count of times.values()) if (count > 1) doubled += count - 1
    const sequence = messages.map((/** @type {any} */ message) => message.seq)
    if (sequence.some((/** @type {number} */ seq, /** @type {number} */ at) => at > 0 && seq <= sequence[at - 1]))
      outOfOrder += 1
  }
  await pause(HASTY.targets.normal.resolution + 1_000)
  // A slow machine tells of a breach late; what is untrue stays so.
  let untrue = await untrueClocks(server.url)
  for (const toldBy = Date.now() + SETTLE_WITHIN_MS; untrue > 0 && Date.now() < toldBy; ) {
    await pause(500)
    untrue = await untrueClocks(server.url)
  }
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
  return { rounds, visitors, acknowledged, retries, lost, doubled, outOfOrder, unanswered, untrue }
}

/**
 * Conversations whose clocks, due time or announcements are not what their timeline tells. Asked when every deadline has
 * passed: nothing changes while it is looked at.
 * @param {string} url
 */
const untrueClocks = async (url) => {
  const { conversations } = await call(url, '/conversations?limit=100')
  let untrue = 0
  for (const { id, due } of conversations) {
    const { clocks } = await call(url, `/conversations/${id}/service-levels`)
    const { messages } = await call(url, `/conversations/${id}/messages`)
    const told = (/** @type {string} */ change) =>
      messages.filter((/** @type {any} */ { event }) => event?.name === 'service_level' && event.change === change)
        .length
    const broken = clocks.flatMap((/** @type {any} */ { ledger }) =>
      ledger.filter((/** @type {any} */ { change }) => change === 'breach'),
    ).length
    const deadlines = clocks
      .filter((/** @type {any} */ { deadline, endedAt }) => deadline && !endedAt)
      .map((/** @type {any} */ { deadline }) => deadline)
      .sort()
    if (clocks.length === 0 || told('breach') - told('withdrawn') !== broken || due?.at !== deadlines[0]) untrue += 1
  }
  return conversations.length === 0 ? Infinity : untrue
}

/** @param {{ acknowledged: Set<string> }[]} writers */
const acknowledgedBy = (writers) => writers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)

/** Nobody has answered the last message, and the conversation is not with people either. @param {string} url @param {string} token */
const isWaiting = async (url, token) => {
  const { messages } = await call(url, '/webchat/messages', { token })
  const last = messages.at(-1)
  if (!last || last.author !== 'customer') return false
  const { handler } = await call(url, `/conversations/${last.conversationId}`)
  return handler === 'assistant'
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
