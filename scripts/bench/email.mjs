// Mail in and out of a real mailbox: how long a question takes to be stored and answered, and what is left of 2,000 mails when the
// server is killed again and again while they come. Needs Dovecot (test/support/dovecot.mjs installs it where it may).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDovecot } from '../../test/support/dovecot.mjs'
import { fieldOf, letter } from '../../test/support/email.mjs'
import { openSmtp } from '../../test/support/smtp.mjs'
import { call, startServer } from './server.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const ADDRESS = 'support@acme.example'
const WARM_UP = 5
const ANSWER_WITHIN_MS = 15_000
const SETTLE_WITHIN_MS = 10 * 60_000

/** @param {{ mails?: number, kills?: number, timed?: number }} [options] */
export const email = async ({ mails = 2_000, kills = 10, timed = 60 } = {}) => {
  const dovecot = await openDovecot()
  if (!dovecot) return { bench: 'email', skipped: 'there is no Dovecot here' }
  const smtp = await openSmtp({ user: ADDRESS, password: 'secret' })
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-email-'))
  const env = {
    KNOWLEDGE_DIR: path.join(root, 'test', 'fixtures', 'knowledge'),
    ALLOW_PRIVATE_ADDRESSES: 'true',
  }
  let server = await startServer({ dataDir, env })
  const settings = {
    address: ADDRESS,
    imap: { host: '127.0.0.1', port: dovecot.imapPort, secure: false, user: ADDRESS, password: 'secret' },
    smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
    perMinute: 10_000,
  }
  const { id } = await call(server.url, '/channels', { body: { kind: 'email', settings } })
  await until(async () => (await stateOf(server.url, id)) === 'connected', 10_000)

  const speed = await measureSpeed({ url: server.url, dovecot, smtp, timed })

  let delivered = 0
  const delivering = (async () => {
    for (let at = 0; at < mails; at += 1) {
      await dovecot.deliver(ADDRESS, question(`load-${at}`))
      delivered += 1
    }
  })()
  const killing = (async () => {
    for (let round = 1; round <= kills; round += 1) {
      // Spread over the deliveries; the moment itself is random.
      await until(async () => delivered >= (mails / (kills + 1)) * round, SETTLE_WITHIN_MS)
      await pause(Math.random() * 1_500)
      await server.kill()
      server = await startServer({ dataDir, env })
    }
  })()
  const startedAt = performance.now()
  await Promise.all([delivering, killing])
  const settled = await until(async () => (await unfinished(server.url, id)) === 0 && quiet(smtp), SETTLE_WITHIN_MS)
  const seconds = (performance.now() - startedAt) / 1_000
  const kept = await readAll(server.url, id)

  /** @type {Map<string, number>} */
  const stored = new Map()
  const statuses = { sent: 0, uncertain: 0, refused: 0, other: 0 }
  for (const line of kept) {
    const mark = /\((load-\d+)\)/.exec(line.text)?.[1]
    if (line.author === 'customer' && mark) stored.set(mark, (stored.get(mark) ?? 0) + 1)
    if (line.author === 'assistant')
      statuses[line.status in statuses ? /** @type {keyof typeof statuses} */ (line.status) : 'other'] += 1
  }
  /** @type {Map<string, number>} */
  const answers = new Map()
  for (const { raw } of smtp.sent) {
    const to = fieldOf(raw, 'In-Reply-To') ?? ''
    if (to.startsWith('<load-')) answers.set(to, (answers.get(to) ?? 0) + 1)
  }
  await server.stop()
  await smtp.close()
  await dovecot.close()
  rmSync(dataDir, { recursive: true, force: true })
  return {
    bench: 'email',
    ...speed,
    mails,
    kills,
    lost: mails - stored.size,
    doubled: [...stored.values()].filter((count) => count > 1).length,
    answered: answers.size,
    answeredTwice: [...answers.values()].filter((count) => count > 1).length,
    uncertain: statuses.uncertain,
    refused: statuses.refused,
    settled,
    mailsPerSecond: Math.round(mails / seconds),
  }
}

/** @param {string} mark */
const question = (mark) =>
  letter({
    from: `${mark}@customer.example`,
    to: ADDRESS,
    subject: 'Returns',
    text: `How long can I return goods? (${mark})`,
    id: `<${mark}@customer.example>`,
  })

/**
 * One mail at a time. `stored` is when the API shows it, `answered` when the SMTP server has the whole answer, both from the moment
 * at which Dovecot accepted the mail.
 * @param {{ url: string, dovecot: any, smtp: any, timed: number }} options
 */
const measureSpeed = async ({ url, dovecot, smtp, timed }) => {
  /** @type {number[]} */
  const storedMs = []
  /** @type {number[]} */
  const answeredMs = []
  for (let at = 0; at < timed + WARM_UP; at += 1) {
    const mark = `timed-${at}`
    await dovecot.deliver(ADDRESS, question(mark))
    const deliveredAt = performance.now()
    await until(async () => (await newest(url)).includes(mark), ANSWER_WITHIN_MS)
    const stored = performance.now() - deliveredAt
    /** @type {{ at: number } | undefined} */
    let answer
    await until(async () => {
      answer = smtp.sent.find((/** @type {any} */ { to }) => to.includes(`${mark}@customer.example`))
      return answer !== undefined
    }, ANSWER_WITHIN_MS)
    if (at < WARM_UP) continue
    storedMs.push(stored)
    answeredMs.push(answer ? answer.at - deliveredAt : Infinity)
    await pause(100 + Math.random() * 200)
  }
  return {
    timed,
    storedP50Ms: percentile(storedMs, 0.5),
    storedP95Ms: percentile(storedMs, 0.95),
    answeredP50Ms: percentile(answeredMs, 0.5),
    answeredP95Ms: percentile(answeredMs, 0.95),
  }
}

/** @param {string} url */
const newest = async (url) => {
  const { conversations } = await call(url, '/conversations?limit=3')
  const texts = await Promise.all(
    conversations.map(async (/** @type {any} */ { id }) => {
      const { messages } = await call(url, `/conversations/${id}/messages`)
      return messages.map((/** @type {any} */ { text }) => text).join('\n')
    }),
  )
  return texts.join('\n')
}

/** @param {string} url @param {string} channelId @returns {Promise<any[]>} */
const conversationsOf = async (url, channelId) => {
  const all = []
  let cursor = ''
  do {
    const page = await call(url, `/conversations?channel=${channelId}&limit=100${cursor}`)
    all.push(...page.conversations)
    cursor = page.nextCursor ? `&cursor=${encodeURIComponent(page.nextCursor)}` : ''
  } while (cursor)
  return all
}

/** How many conversations the assistant has yet to answer. @param {string} url @param {string} channelId */
const unfinished = async (url, channelId) => {
  const all = await conversationsOf(url, channelId)
  return all.filter(({ handler, lastMessage }) => handler === 'assistant' && lastMessage.author === 'customer').length
}

/** @param {string} url @param {string} channelId */
const readAll = async (url, channelId) => {
  const lines = []
  for (const { id } of await conversationsOf(url, channelId))
    lines.push(...(await call(url, `/conversations/${id}/messages`)).messages)
  return lines
}

let seen = { count: -1, since: 0 }
/** Nothing has come to the SMTP server for a while. @param {{ sent: unknown[] }} smtp */
const quiet = ({ sent }) => {
  if (seen.count !== sent.length) seen = { count: sent.length, since: performance.now() }
  return performance.now() - seen.since > 8_000
}

/** @param {string} url @param {string} id */
const stateOf = async (url, id) => {
  const { channels } = await call(url, '/channels')
  return channels.find((/** @type {any} */ channel) => channel.id === id)?.state
}

/** @param {() => Promise<boolean>} look @param {number} withinMs */
const until = async (look, withinMs) => {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    if (await look().catch(() => false)) return true
    await pause(10)
  }
  return false
}

/** @param {number[]} values @param {number} share */
const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN)
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
