// Kills the embedded store with writers at work, again and again, and compares what it acknowledged with what it has afterwards.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { MongoClient } from 'mongodb'

const root = path.resolve(import.meta.dirname, '../..')
const ACCOUNTS = 64
const FIRST_BALANCE = 1_000
const ACKNOWLEDGED_PER_ROUND = 40
const LOAD_WITHIN_MS = 20_000

/**
 * Half of the writers insert, half move money between two accounts and note it in a ledger, in one transaction. After every
 * kill: each acknowledged document is there, each acknowledged transfer is in the ledger, and every balance is what the ledger
 * says: a transaction is there as a whole or not at all.
 * @param {{ rounds: number, writers?: number }} options
 */
export const killStoreRounds = async ({ rounds, writers = 16 }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'helpdesk-store-kill-'))
  const inserted = /** @type {Set<string>} */ (new Set())
  const transferred = /** @type {Set<string>} */ (new Set())
  const result = { rounds, writers, inserted: 0, transferred: 0, refused: 0, lost: 0, torn: 0 }
  for (let round = 0; round <= rounds; round++) {
    const store = await startStore(folder)
    const client = await new MongoClient(store.uri, { maxPoolSize: writers, serverSelectionTimeoutMS: 300 }).connect()
    const db = client.db('kill')
    /** @type {import('mongodb').Collection<any>[]} */
    const [documents, accounts, ledger] = ['documents', 'accounts', 'ledger'].map((name) => db.collection(name))
    if (!documents || !accounts || !ledger) throw new Error('no collections')
    if (round === 0) {
      await accounts.insertMany(Array.from({ length: ACCOUNTS }, (_, _id) => ({ _id, balance: FIRST_BALANCE })))
      await ledger.createIndex({ key: 1 }, { unique: true })
    }
    const found = await compare({ documents, accounts, ledger }, inserted, transferred)
    result.lost += found.lost
    result.torn += found.torn
    if (round === rounds) {
      await client.close(true)
      await store.kill()
      break
    }

    let running = true
    let acknowledged = 0
    const any = () => Math.floor(Math.random() * ACCOUNTS)
    const insert = async (/** @type {string} */ key) => {
      await documents.insertOne({ _id: key, text: 'x'.repeat(200) })
      inserted.add(key)
    }
    const transfer = async (/** @type {string} */ key) => {
      const [from, to, amount] = [any(), any(), 1 + any()]
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await accounts.updateOne({ _id: from }, { $inc: { balance: -amount } }, { session })
          await accounts.updateOne({ _id: to }, { $inc: { balance: amount } }, { session })
          await ledger.insertOne({ key, from, to, amount }, { session })
        }),
      )
      transferred.add(key)
    }
    const work = Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; running; n++) {
        try {
          await (writer % 2 === 0 ? insert : transfer)(`${round}-${writer}-${n}`)
          acknowledged++
        } catch {
          result.refused++
        }
      }
    })
    const until = Date.now() + LOAD_WITHIN_MS
    while (acknowledged < ACKNOWLEDGED_PER_ROUND && Date.now() < until) await pause(5)
    await pause(Math.random() * 100)
    await store.kill()
    running = false
    // First what was under way, then the client: closed while a transaction is being retried, the driver may never come back.
    await Promise.all(work)
    await client.close(true)
  }
  rmSync(folder, { recursive: true, force: true })
  return { ...result, inserted: inserted.size, transferred: transferred.size }
}

/**
 * @param {Record<'documents' | 'accounts' | 'ledger', import('mongodb').Collection<any>>} collections
 * @param {Set<string>} inserted @param {Set<string>} transferred
 */
const compare = async ({ documents, accounts, ledger }, inserted, transferred) => {
  const there = new Set((await documents.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id))
  const entries = await ledger.find().toArray()
  const keys = new Set(entries.map(({ key }) => key))
  const lost =
    [...inserted].filter((key) => !there.has(key)).length + [...transferred].filter((key) => !keys.has(key)).length
  const expected = Array.from({ length: ACCOUNTS }, () => FIRST_BALANCE)
  for (const { from, to, amount } of entries) {
    expected[from] = (expected[from] ?? 0) - amount
    expected[to] = (expected[to] ?? 0) + amount
  }
  const torn = (await accounts.find().toArray()).filter(({ _id, balance }) => balance !== expected[_id]).length
  return { lost, torn: torn + (keys.size === entries.length ? 0 : 1) }
}

/** The store as the product runs it, in a process of its own. @param {string} folder */
const startStore = async (folder) => {
  const options = { file: path.join(folder, 'store.db'), listen: { socketPath: path.join(folder, 's.sock') } }
  const script = `import { startEmbeddedMongo } from ${JSON.stringify(path.join(root, 'dist/embedded-mongo/index.js'))}
    console.log((await startEmbeddedMongo(${JSON.stringify(options)})).uri)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [uri] = await once(createInterface({ input: child.stdout }), 'line')
  const kill = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return { uri: String(uri), kill }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
