// The embedded store in a process of its own, asked by the official driver from this one, beside what the machine itself
// can do: the same wire with a handler that does nothing, and libsql without a server. Shares are of the same run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Binary, MongoClient } from 'mongodb'

const root = path.resolve(import.meta.dirname, '../..')
const ROUNDS = 5
const SLICE_MS = 1_500

/** @param {string} folder @param {'store' | 'empty'} kind */
const start = async (folder, kind) => {
  const options = { file: path.join(folder, 'store.db'), listen: { socketPath: path.join(folder, `${kind}.sock`) } }
  const script =
    kind === 'store'
      ? `import { startEmbeddedMongo } from ${JSON.stringify(path.join(root, 'dist/embedded-mongo/index.js'))}
         const from = performance.now()
         const { uri } = await startEmbeddedMongo(${JSON.stringify(options)})
         console.log(JSON.stringify({ uri, readyMs: performance.now() - from }))`
      : `import { serveNothing } from ${JSON.stringify(path.join(root, 'scripts/bench/store-empty.mjs'))}
         console.log(JSON.stringify({ uri: await serveNothing(${JSON.stringify(options.listen.socketPath)}), readyMs: 0 }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  /** @type {{ uri: string, readyMs: number }} */
  const { uri, readyMs } = JSON.parse(line)
  const client = await new MongoClient(uri, { maxPoolSize: 32 }).connect()
  const stop = async () => {
    await client.close()
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return { client, db: client.db('bench'), readyMs, stop, rssMb: () => memoryOf(child.pid ?? 0) }
}

/** @param {number} pid */
const memoryOf = (pid) =>
  Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
/** @param {number} value */
const rounded = (value) => (value < 100 ? Math.round(value * 100) / 100 : Math.round(value))

/** Operations a second with so many at once. @param {number} atOnce @param {() => Promise<unknown>} operation */
const rate = async (atOnce, operation) => {
  let done = 0
  const from = performance.now()
  const until = from + SLICE_MS
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < until) {
        await operation()
        done++
      }
    }),
  )
  return (done / (performance.now() - from)) * 1000
}

/** Median and 95th percentile in milliseconds. @param {number} times @param {(n: number) => Promise<unknown>} operation */
const latency = async (times, operation) => {
  await operation(0)
  const taken = []
  for (let n = 0; n < times; n++) {
    const from = performance.now()
    await operation(n)
    taken.push(performance.now() - from)
  }
  taken.sort((a, b) => a - b)
  return { p50Ms: rounded(median(taken)), p95Ms: rounded(taken[Math.floor(times * 0.95)] ?? NaN) }
}

// --- operations ------------------------------------------------------------------------------------------------------

const KNOWN = 1_000

/** @param {import('mongodb').Db} db */
const operationsOn = (db) => {
  const collection = /** @type {import('mongodb').Collection<any>} */ (db.collection('ops'))
  const any = () => Math.floor(Math.random() * KNOWN)
  return {
    insertOne: () => collection.insertOne({ companyId: 'c1', text: 'a message of usual length', at: new Date() }),
    findOne: () => collection.findOne({ _id: any() }),
    findOneAndUpdate: () => collection.findOneAndUpdate({ _id: any() }, { $inc: { n: 1 } }),
  }
}

const operations = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const store = await start(folder, 'store')
  const empty = await start(folder, 'empty')
  await store.db
    .collection('ops')
    .insertMany(Array.from({ length: KNOWN }, (_, _id) => ({ _id: /** @type {any} */ (_id), n: 0, text: 'known' })))
  const ours = operationsOn(store.db)
  const floors = operationsOn(empty.db)
  /** @type {Record<string, object>} */
  const result = {}
  for (const name of /** @type {(keyof typeof ours)[]} */ (Object.keys(ours))) {
    for (const atOnce of [1, 32]) {
      const [measured, floor, shares] = [[0], [0], [0]].map(() => /** @type {number[]} */ ([]))
      for (let round = 0; round <= ROUNDS; round++) {
        const share = [await rate(atOnce, ours[name]), await rate(atOnce, floors[name])]
        if (round === 0) continue // everything is compiled in the first
        measured?.push(share[0] ?? 0)
        floor?.push(share[1] ?? 0)
        shares?.push(((share[0] ?? 0) / (share[1] ?? 1)) * 100)
      }
      result[`${name} c=${atOnce}`] = {
        perSecond: rounded(median(measured ?? [])),
        emptyWire: rounded(median(floor ?? [])),
        sharePercent: rounded(median(shares ?? [])),
      }
    }
  }
  await store.stop()
  await empty.stop()
  const libsql = { commitsPerSecond: rounded(commitsAlone(folder, 1)), ofGroupsOf32: rounded(commitsAlone(folder, 32)) }
  rmSync(folder, { recursive: true, force: true })
  return { ...result, libsqlAlone: libsql }
}

/** Documents a second that libsql itself makes durable, so many in one commit. @param {string} folder @param {number} group */
const commitsAlone = (folder, group) => {
  const Database = createRequire(import.meta.url)('libsql')
  const database = new Database(path.join(folder, `alone${group}.db`))
  for (const pragma of ['locking_mode=EXCLUSIVE', 'journal_mode=WAL', 'synchronous=FULL'])
    database.prepare(`PRAGMA ${pragma}`).all()
  database.exec('CREATE TABLE t (seq INTEGER PRIMARY KEY, raw BLOB)')
  const put = database.prepare('INSERT INTO t VALUES (?, ?)')
  const raw = Buffer.alloc(100)
  let seq = 0
  const from = performance.now()
  while (performance.now() < from + SLICE_MS) {
    database.exec('BEGIN IMMEDIATE')
    for (let i = 0; i < group; i++) put.run(++seq, raw)
    database.exec('COMMIT')
  }
  const perSecond = (seq / (performance.now() - from)) * 1000
  database.close()
  return perSecond
}

// --- reading ---------------------------------------------------------------------------------------------------------

/** @param {import('mongodb').Collection<any>} collection @param {number} count @param {(n: number) => object} make */
const fill = async (collection, count, make) => {
  for (let at = 0; at < count; at += 1_000)
    await collection.insertMany(Array.from({ length: Math.min(1_000, count - at) }, (_, n) => make(at + n)))
}

const newest = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const store = await start(folder, 'store')
  const collection = store.db.collection('messages')
  await collection.createIndex({ companyId: 1, at: -1 })
  await fill(collection, 100_000, (n) => ({ companyId: n % 10, at: new Date(n), text: 'a message of usual length' }))
  const result = await latency(500, (n) =>
    collection
      .find({ companyId: n % 10 })
      .sort({ at: -1 })
      .limit(20)
      .toArray(),
  )
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
  return result
}

const VECTORS = 50_000
const DIMENSIONS = 384

const randomVector = () => {
  const vector = new Float32Array(DIMENSIONS)
  for (let i = 0; i < DIMENSIONS; i++) vector[i] = Math.random() - 0.5
  return vector
}

const vectors = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const store = await start(folder, 'store')
  const collection = store.db.collection('vectors')
  await fill(collection, VECTORS, (n) => ({ companyId: n % 10, vector: Binary.fromFloat32Array(randomVector()) }))
  const fields = [
    { type: 'vector', path: 'vector', numDimensions: DIMENSIONS, similarity: 'cosine' },
    { type: 'filter', path: 'companyId' },
  ]
  await collection.createSearchIndex({ name: 'v', type: 'vectorSearch', definition: { fields } })
  /** @param {object} filter */
  const search = (filter) => {
    const queryVector = [...randomVector()]
    const spec = { index: 'v', path: 'vector', queryVector, limit: 20, exact: true, ...filter }
    return collection.aggregate([{ $vectorSearch: spec }, { $project: { _id: 1 } }]).toArray()
  }
  const from = performance.now()
  await search({})
  const firstMs = rounded(performance.now() - from)
  const result = {
    firstMs,
    filtered: await latency(100, (n) => search({ filter: { companyId: n % 10 } })),
    unfiltered: await latency(50, () => search({})),
    rssMb: store.rssMb(),
  }
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
  return result
}

const WORDS = 20_000
/** A word as often as words of a language are: the second half as often as the first. */
const word = () => `w${Math.floor(WORDS ** Math.random())}`
/** @param {number} count */
const words = (count) => Array.from({ length: count }, word).join(' ')

const search = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const store = await start(folder, 'store')
  const collection = store.db.collection('passages')
  await fill(collection, 50_000, (n) => ({ companyId: `c${n % 10}`, terms: words(60), text: 'x'.repeat(400) }))
  await collection.createSearchIndex({
    name: 's',
    definition: {
      analyzer: 'lucene.whitespace',
      mappings: { dynamic: false, fields: { companyId: { type: 'token' }, terms: { type: 'string' } } },
    },
  })
  /** @param {object[]} filter */
  const ask = (filter) => {
    const must = [{ text: { path: 'terms', query: words(5) } }]
    return collection
      .aggregate([{ $search: { index: 's', compound: { must, filter } } }, { $limit: 20 }, { $project: { _id: 1 } }])
      .toArray()
  }
  const from = performance.now()
  await ask([])
  const firstMs = rounded(performance.now() - from)
  const result = {
    firstMs,
    filtered: await latency(200, (n) => ask([{ equals: { path: 'companyId', value: `c${n % 10}` } }])),
    unfiltered: await latency(200, () => ask([])),
    addOne: await latency(100, () => collection.insertOne({ companyId: 'c1', terms: words(60) })),
    rssMb: store.rssMb(),
  }
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
  return result
}

const size = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const store = await start(folder, 'store')
  const collection = store.db.collection('documents')
  await collection.createIndex({ companyId: 1, at: -1 })
  await fill(collection, 200_000, (n) => ({
    companyId: `c${n % 10}`,
    at: new Date(n),
    contact: { name: `Contact ${n}`, email: `contact${n}@example.com` },
    labels: ['one', 'two'],
    text: words(150).slice(0, 820),
  }))
  const filledMb = store.rssMb()
  await store.stop()
  const runs = []
  for (let round = 0; round < 3; round++) {
    const again = await start(folder, 'store')
    runs.push({ readyMs: again.readyMs, rssMb: again.rssMb() })
    await again.stop()
  }
  rmSync(folder, { recursive: true, force: true })
  return {
    filledMb,
    reopenedMb: median(runs.map(({ rssMb }) => rssMb)),
    reopenMs: rounded(median(runs.map(({ readyMs }) => readyMs))),
  }
}

const PARTS = { operations, newest, vectors, search, size }

/** @param {(keyof typeof PARTS)[]} [wanted] */
export const store = async (wanted = /** @type {any} */ (Object.keys(PARTS))) => {
  /** @type {Record<string, unknown>} */
  const result = { bench: 'store' }
  for (const name of wanted) result[name] = await PARTS[name]()
  return result
}
