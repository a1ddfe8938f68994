import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type Document, MongoClient } from 'mongodb'
import { Journal } from '../../src/embedded-mongo/journal.js'
import { Store } from '../../src/embedded-mongo/store.js'
import { serve } from '../../src/embedded-mongo/serve.js'
import { killStoreRounds } from '../../scripts/bench/store-kill.mjs'
import { openStore, refusal, temporaryFolder } from './store.js'

const root = path.resolve(import.meta.dirname, '../..')
const built = path.join(root, 'dist/embedded-mongo/index.js')

beforeAll(() => {
  if (!existsSync(built)) spawnSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root })
}, 120_000)

let folder: string
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The store as the product starts it: compiled, in a worker thread of a process of its own. */
const startProcess = async (
  name: string,
  wrapper: readonly string[] = [],
): Promise<{ process: ChildProcess; said: string }> => {
  const options = { file: path.join(folder, `${name}.db`), listen: { socketPath: path.join(folder, `${name}.sock`) } }
  const script = `
    import { startEmbeddedMongo } from ${JSON.stringify(built)}
    try { console.log((await startEmbeddedMongo(${JSON.stringify(options)})).uri) } catch (error) { console.log('refused ' + error.code) }`
  const [command = '', ...args] = [...wrapper, 'node', '--input-type=module', '-e', script]
  const process = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: process.stdout })
  const [said] = (await once(lines, 'line')) as [string]
  return { process, said }
}

const kill = async (process: ChildProcess): Promise<void> => {
  const exited = once(process, 'exit')
  process.kill('SIGKILL')
  await exited
}

describe('kill -9', () => {
  it('loses nothing that sixteen writers had acknowledged, and keeps no half of a transfer', async () => {
    const { inserted, transferred, lost, torn } = await killStoreRounds({ rounds: 5 })
    expect({ lost, torn }).toEqual({ lost: 0, torn: 0 })
    expect(inserted).toBeGreaterThan(20)
    expect(transferred).toBeGreaterThan(5)
  }, 120_000)
})

describe('an engine that cannot write', () => {
  /** What was acknowledged, refused and then found by a store whose disk gave out, and by the next one on the same file. */
  const writeUntilRefused = async (name: string, wrapper: readonly string[]) => {
    const { process, said } = await startProcess(name, wrapper)
    const client = new MongoClient(said, { retryWrites: false })
    const collection = client.db('d').collection<Document>('c')
    const acknowledged: number[] = []
    let refused = 0
    for (let n = 0; n < 400 && refused < 3; n++) {
      try {
        await collection.insertOne({ _id: n as never, text: 'x'.repeat(20_000) })
        acknowledged.push(n)
      } catch {
        refused++
      }
    }
    const ids = async (from: typeof collection) =>
      (await from.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id as unknown as number)
    const inMemory = await ids(collection)
    await client.close()
    await kill(process)
    const again = await startProcess(name)
    const next = new MongoClient(again.said)
    const onDisk = await ids(next.db('d').collection('c'))
    await next.close()
    await kill(again.process)
    return { acknowledged, refused, inMemory, onDisk }
  }

  it('because a file may not grow: refuses, and has what it acknowledged, in memory and on the disk', async () => {
    const limited = ['sh', '-c', `trap '' XFSZ; ulimit -f 4000; exec "$@"`, 'sh']
    const { acknowledged, refused, inMemory, onDisk } = await writeUntilRefused('limited', limited)
    expect(refused).toBe(3)
    expect(acknowledged.length).toBeGreaterThan(20)
    expect(inMemory).toEqual(acknowledged)
    expect(onDisk).toEqual(acknowledged)
  }, 60_000)
})

describe('the file', () => {
  it('is held by one process, and free again when that one is killed', async () => {
    const first = await startProcess('shared')
    const second = await startProcess('shared')
    expect(second.said).toBe('refused data_in_use')
    const client = new MongoClient(first.said)
    expect(await client.db('d').command({ ping: 1 })).toMatchObject({ ok: 1 })
    await client.close()
    await kill(first.process)
    const third = await startProcess('shared')
    expect(third.said).toMatch(/^mongodb:/)
    await kill(third.process)
  })

  const open = (file: string) => serve({ file, listen: { socketPath: path.join(folder, 'open.sock') } })

  it('is refused when it is no store at all', async () => {
    const file = path.join(folder, 'garbage.db')
    writeFileSync(file, 'not a database '.repeat(1000))
    expect((await refusal(open(file))).code).toBe('data_damaged')
  })

  it('is refused when bytes of a document were changed', async () => {
    const file = path.join(folder, 'changed.db')
    const serving = await open(file)
    const client = new MongoClient(serving.uri)
    await client.db('d').collection('c').insertOne({ text: 'untouched original text' })
    await client.close()
    await serving.stop()
    const at = readFileSync(file).indexOf('original')
    expect(at).toBeGreaterThan(0)
    const handle = openSync(file, 'r+')
    writeSync(handle, 'tampered', at)
    closeSync(handle)
    expect((await refusal(open(file))).code).toBe('data_damaged')
  })

  it('with any of its bytes changed, or cut off anywhere: is refused or is what it was', async () => {
    const file = path.join(folder, 'flipped.db')
    const first = await open(file)
    const client = new MongoClient(first.uri)
    const collection = client.db('d').collection<Document>('c')
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertMany(
      Array.from({ length: 60 }, (_, n) => ({ _id: n as never, n, text: 'x'.repeat(n * 40) })),
    )
    const before = await collection.find().toArray()
    const indexes = await collection.indexes()
    await client.close()
    await first.stop()
    const intact = readFileSync(file)
    const found: Record<string, number> = {}
    const damaged = path.join(folder, 'damaged.db')
    const tryWith = async (bytes: Buffer): Promise<void> => {
      for (const end of ['', '-wal', '-shm']) rmSync(damaged + end, { force: true })
      writeFileSync(damaged, bytes)
      const outcome = await open(damaged).catch((error: { code: string }) => error.code)
      if (typeof outcome !== 'string') {
        const reader = new MongoClient(outcome.uri)
        expect(await reader.db('d').collection('c').find().toArray()).toEqual(before)
        expect(await reader.db('d').collection('c').indexes()).toEqual(indexes)
        await reader.close()
        await outcome.stop()
      } else expect(['data_damaged', 'data_newer']).toContain(outcome)
      const name = typeof outcome === 'string' ? outcome : 'unharmed'
      found[name] = (found[name] ?? 0) + 1
    }
    const withBitFlipped = (at: number, bit: number): Buffer => {
      const bytes = Buffer.from(intact)
      bytes[at] = bytes[at]! ^ (1 << bit)
      return bytes
    }
    for (let i = 0; i < 120; i++) await tryWith(withBitFlipped(randomInt(intact.length), randomInt(8)))
    // What says what is in the file: the names of tables and fields, an index and whether it is unique.
    for (const word of ['CREATE TABLE documents', 'namespace BLOB', 'd.c', 'unique', 'searchIndexes']) {
      const at = intact.indexOf(word)
      expect(at).toBeGreaterThan(0)
      for (const bit of [0, 5, 7]) await tryWith(withBitFlipped(at + word.length - 1, bit))
    }
    for (let i = 0; i < 20; i++) await tryWith(intact.subarray(0, 1 + randomInt(intact.length - 1)))
    expect(found.data_damaged).toBeGreaterThan(50)
  }, 60_000)

  const Database = createRequire(import.meta.url)('libsql') as new (file: string) => {
    exec(sql: string): void
    close(): void
  }

  it('of the first format is brought up to date, once', async () => {
    const file = path.join(folder, 'older.db')
    const first = await open(file)
    const client = new MongoClient(first.uri)
    const collection = client.db('d').collection<Document>('c')
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertOne({ _id: 1 as never, n: 1 })
    await client.close()
    await first.stop()
    const older = new Database(file)
    older.exec(`
      CREATE TABLE c AS SELECT id, CAST(namespace AS TEXT) AS namespace, definition FROM collections;
      CREATE TABLE r AS SELECT session, txn_number, reply, at FROM replies;
      DROP TABLE collections; DROP TABLE replies;
      CREATE TABLE collections (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, definition BLOB NOT NULL);
      CREATE TABLE replies (session BLOB PRIMARY KEY, txn_number INTEGER NOT NULL, reply BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
      INSERT INTO collections SELECT * FROM c; INSERT INTO replies SELECT * FROM r;
      DROP TABLE c; DROP TABLE r; PRAGMA user_version=1;`)
    older.close()
    for (const round of [1, 2]) {
      const serving = await open(file)
      const reader = new MongoClient(serving.uri)
      const read = reader.db('d').collection<Document>('c')
      expect(await read.find().toArray()).toEqual([{ _id: 1, n: 1 }])
      await expect(read.insertOne({ _id: (1 + round) as never, n: 1 })).rejects.toMatchObject({ code: 11000 })
      await reader.close()
      await serving.stop()
    }
  })

  it('is refused when a newer version wrote it', async () => {
    const file = path.join(folder, 'newer.db')
    await (await open(file)).stop()
    const database = new Database(file)
    database.exec('PRAGMA user_version=99')
    database.close()
    expect((await refusal(open(file))).code).toBe('data_newer')
  })

  it('is not opened for a port that is taken', async () => {
    const taken = await serve({ file: path.join(folder, 'one.db'), listen: { host: '127.0.0.1', port: 0 } })
    const port = Number(/:(\d+)\//.exec(taken.uri)![1])
    expect(
      (await refusal(serve({ file: path.join(folder, 'two.db'), listen: { host: '127.0.0.1', port } }))).code,
    ).toBe('EADDRINUSE')
    await taken.stop()
  })
})

describe('a commit that fails', () => {
  it('fails every write of its turn, leaves memory as it was, and the next one goes on', async () => {
    const store = await openStore()
    const collection = store.db.collection<Document>('c')
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertMany([
      { _id: 1 as never, n: 1 },
      { _id: 2 as never, n: 2 },
      { _id: 3 as never, n: 3 },
    ])
    await collection.createSearchIndex({
      name: 's',
      definition: { analyzer: 'lucene.whitespace', mappings: { dynamic: false, fields: { t: { type: 'string' } } } },
    })
    const before = await collection.find().toArray()
    const full = jest
      .spyOn(Journal.prototype, 'commit')
      .mockImplementation(() =>
        Promise.reject(Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })),
      )
    const refused = await Promise.all([
      refusal(collection.insertOne({ n: 4, t: 'new' })),
      refusal(collection.updateOne({ n: 1 }, { $set: { n: 10 } })),
      refusal(collection.deleteOne({ n: 2 })),
      refusal(
        store.client.withSession((session) =>
          session.withTransaction(() => collection.insertOne({ n: 5 }, { session })),
        ),
      ),
      refusal(collection.drop()),
    ])
    full.mockRestore()
    expect(refused.map(({ code }) => code)).toEqual([14031, 14031, 14031, 14031, 14031])
    expect(store.faults.length).toBeGreaterThan(0)
    expect(await collection.find().toArray()).toEqual(before)
    expect(
      await collection
        .find({ n: { $gte: 0 } })
        .sort({ n: 1 })
        .toArray(),
    ).toEqual(before)
    expect(
      await collection.aggregate([{ $search: { index: 's', text: { query: 'new', path: 't' } } }]).toArray(),
    ).toEqual([])
    await collection.updateOne({ n: 1 }, { $set: { n: 4 } })
    const after = await collection.find().toArray()
    await store.restart()
    expect(await store.db.collection('c').find().toArray()).toEqual(after)
    await store.close()
  })
})

describe('while a commit is under way', () => {
  /** Holds the next commit back until it is told how to end. */
  const heldCommit = () => {
    const original = Journal.prototype.commit
    let begun = (): void => {}
    let end = (_how: 'stored' | 'full'): void => {}
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const ending = new Promise<'stored' | 'full'>((resolve) => (end = resolve))
    const held = jest.spyOn(Journal.prototype, 'commit').mockImplementationOnce(async function (this: Journal, batch) {
      begun()
      if ((await ending) === 'full') throw Object.assign(new Error('disk is full'), { code: 'SQLITE_FULL' })
      await original.call(this, batch)
    })
    const finish = (how: 'stored' | 'full'): void => {
      held.mockRestore()
      end(how)
    }
    return { hasBegun, finish }
  }

  /** Resolves when so many writes have been executed in memory. */
  const executed = async (writes: jest.SpiedFunction<Store['write']>, count: number): Promise<void> => {
    while (writes.mock.calls.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  const threeDocuments = async () => {
    const store = await openStore()
    const collection = store.db.collection<Document>('c')
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertMany([1, 2, 3].map((n) => ({ _id: n as never, n })))
    return { store, collection }
  }

  it('other commands go on, nobody is told of anything before it is on the disk, and then everybody is', async () => {
    const { store, collection } = await threeDocuments()
    const writes = jest.spyOn(Store.prototype, 'write')
    const { hasBegun, finish } = heldCommit()
    const told: string[] = []
    const tell = (what: string, operation: Promise<unknown>): Promise<void> =>
      operation.then(() => void told.push(what))
    const first = tell('first', collection.updateOne({ _id: 1 as never }, { $set: { n: 10 } }))
    await hasBegun
    const later = [
      tell('later', collection.updateOne({ _id: 1 as never }, { $inc: { n: 1 } })),
      tell('reader', collection.findOne({ n: 10 })),
    ]
    await executed(writes, 2)
    expect(told).toEqual([])
    finish('stored')
    await Promise.all([first, ...later])
    expect(told[0]).toBe('first')
    writes.mockRestore()
    await store.restart()
    expect(await store.db.collection('c').findOne({ _id: 1 as never })).toMatchObject({ n: 11 })
    await store.close()
  })

  it('and it fails, all that was executed meanwhile fails with it, and memory is again what the disk has', async () => {
    const { store, collection } = await threeDocuments()
    const before = await collection.find().toArray()
    const seen: unknown[] = []
    const stream = collection.watch()
    const isOpen = once(stream, 'resumeTokenChanged')
    stream.on('change', (change) => seen.push(change))
    await isOpen
    const writes = jest.spyOn(Store.prototype, 'write')
    const { hasBegun, finish } = heldCommit()
    const first = refusal(collection.updateOne({ _id: 1 as never }, { $set: { n: 10 } }))
    await hasBegun
    const later = [
      // The number that the first has given up, the document that it has changed, and what it has nothing to do with.
      refusal(collection.insertOne({ _id: 4 as never, n: 1 })),
      refusal(collection.updateOne({ _id: 1 as never }, { $inc: { n: 1 } })),
      refusal(collection.deleteOne({ _id: 2 as never })),
      refusal(
        store.client.withSession((session) =>
          session.withTransaction(() => collection.insertOne({ _id: 5 as never, n: 5 }, { session })),
        ),
      ),
    ]
    await executed(writes, 5)
    finish('full')
    expect((await Promise.all([first, ...later])).map(({ code }) => code)).toEqual([14031, 14031, 14031, 14031, 14031])
    writes.mockRestore()
    expect(await collection.find().toArray()).toEqual(before)
    expect(await collection.find({ n: 1 }).toArray()).toEqual([{ _id: 1, n: 1 }])
    expect(await collection.countDocuments({ n: { $gte: 4 } })).toBe(0)
    await collection.insertMany([4, 5].map((n) => ({ _id: n as never, n })))
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(seen).toMatchObject([{ documentKey: { _id: 4 } }, { documentKey: { _id: 5 } }])
    await stream.close()
    await store.restart()
    expect(await store.db.collection('c').find().toArray()).toEqual([...before, { _id: 4, n: 4 }, { _id: 5, n: 5 }])
    await store.close()
  })

  it('a stop of the store waits for it', async () => {
    const { store, collection } = await threeDocuments()
    const { hasBegun, finish } = heldCommit()
    const writing = collection.updateOne({ _id: 1 as never }, { $set: { n: 10 } }).catch(() => {})
    await hasBegun
    setTimeout(() => finish('stored'), 100)
    await Promise.all([store.restart(), writing])
    expect(await store.db.collection('c').findOne({ _id: 1 as never })).toMatchObject({ n: 10 })
    await store.close()
  })
})
