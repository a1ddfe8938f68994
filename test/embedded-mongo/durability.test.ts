import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type Document, MongoClient } from 'mongodb'
import { Journal } from '../../src/embedded-mongo/journal.js'
import { serve } from '../../src/embedded-mongo/serve.js'
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
const startProcess = async (name: string): Promise<{ process: ChildProcess; said: string }> => {
  const options = { file: path.join(folder, `${name}.db`), listen: { socketPath: path.join(folder, `${name}.sock`) } }
  const script = `
    import { startEmbeddedMongo } from ${JSON.stringify(built)}
    try { console.log((await startEmbeddedMongo(${JSON.stringify(options)})).uri) } catch (error) { console.log('refused ' + error.code) }`
  const process = spawn('node', ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
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
  it('loses nothing that was acknowledged and keeps no half of a transaction', async () => {
    const acknowledged = new Set<string>()
    for (let round = 0; round < 6; round++) {
      const { process, said } = await startProcess('killed')
      const client = new MongoClient(said, {
        serverSelectionTimeoutMS: 500,
        retryWrites: false,
        writeConcern: { w: 'majority', journal: true },
      })
      const [left, right] = [client.db('d').collection<Document>('left'), client.db('d').collection<Document>('right')]
      const rights = new Set((await right.find().toArray()).map(({ key }) => key as string))
      const lefts = new Set((await left.find().toArray()).map(({ key }) => key as string))
      expect(lefts).toEqual(rights)
      expect([...acknowledged].filter((key) => !lefts.has(key))).toEqual([])
      if (round === 0) await left.createIndex({ key: 1 }, { unique: true })
      let stop = false
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; !stop; i++) {
          const key = `${round}-${writer}-${i}`
          try {
            await client.withSession((session) =>
              session.withTransaction(async () => {
                await left.insertOne({ key }, { session })
                await right.insertOne({ key }, { session })
              }),
            )
            acknowledged.add(key)
          } catch {
            return
          }
        }
      })
      await new Promise((resolve) => setTimeout(resolve, 100 + round * 60))
      await kill(process)
      stop = true
      await client.close(true)
      await Promise.all(writers)
    }
    expect(acknowledged.size).toBeGreaterThan(20)
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

  it('is refused when a newer version wrote it', async () => {
    const file = path.join(folder, 'newer.db')
    await (await open(file)).stop()
    const Database = createRequire(import.meta.url)('libsql') as new (file: string) => {
      exec(sql: string): void
      close(): void
    }
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
    const full = jest.spyOn(Journal.prototype, 'commit').mockImplementation(() => {
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    })
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
