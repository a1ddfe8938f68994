import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { type Document, MongoClient } from 'mongodb'
import { exchange, message, type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

describe('bad bytes on the wire', () => {
  const intact = message({ insert: 'c', documents: [{ a: 1 }], $db: 'test' })
  const patched = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(intact)
    change(bytes)
    return bytes
  }
  const cases: [what: string, bytes: Buffer][] = [
    ['random bytes', Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), randomBytes(100)])],
    ['a message of 2 GB', patched((bytes) => bytes.writeInt32LE(0x7fffffff, 0))],
    ['a message shorter than its header', patched((bytes) => bytes.writeInt32LE(3, 0))],
    ['an unknown operation', patched((bytes) => bytes.writeInt32LE(4711, 12))],
    ['flags that must be understood', patched((bytes) => bytes.writeUInt32LE(0x8000, 16))],
    ['a document longer than its message', patched((bytes) => bytes.writeInt32LE(1_000_000, 21))],
    ['a document without its end', patched((bytes) => bytes.writeUInt8(7, bytes.length - 1))],
    ['an unknown type', patched((bytes) => bytes.writeUInt8(0x66, 25))],
    ['a string longer than its document', patched((bytes) => bytes.writeInt32LE(5000, 33))],
  ]
  it.each(cases)('%s: closes that connection and no other', async (_what, bytes) => {
    expect(await exchange(store.socketPath, bytes)).toBeNull()
    expect(await store.db.command({ ping: 1 })).toMatchObject({ ok: 1 })
  })

  it('every single wrong byte gives an answer or an end, never a crash', async () => {
    for (let at = 4; at < intact.length; at++) {
      await Promise.race([
        exchange(
          store.socketPath,
          patched((bytes) => bytes.writeUInt8(bytes[at]! ^ 0x55, at)),
        ),
        new Promise((resolve) => setTimeout(resolve, 100).unref()),
      ])
    }
    expect(await store.db.command({ ping: 1 })).toMatchObject({ ok: 1 })
    expect(store.faults).toEqual([])
  })
})

describe('what is not served', () => {
  const cases: [what: string, command: Document, code: number][] = [
    ['an unknown command', { frobnicate: 1 }, 59],
    ['mapReduce', { mapReduce: 'c' }, 59],
    ['explain of a search', { explain: { aggregate: 'c', pipeline: [{ $search: {} }] } }, 115],
    ['an unknown field', { find: 'c', frob: 1 }, 40415],
    ['a time limit that is no number', { find: 'c', maxTimeMS: null }, 2],
    ['a time limit below zero', { find: 'c', maxTimeMS: -1 }, 2],
    ['a tailable cursor', { find: 'c', tailable: true }, 115],
    ['a collation', { find: 'c', collation: { locale: 'de' } }, 115],
    ['a capped collection', { create: 'c', capped: true, size: 1 }, 115],
    ['a validator', { create: 'c', validator: {} }, 59],
    ['a view', { create: 'c', viewOn: 'd' }, 115],
    [
      'a kind of search index that there is not',
      { createSearchIndexes: 'c', indexes: [{ name: 'v', type: 'graph', definition: {} }] },
      115,
    ],
  ]
  it.each(cases)('%s is refused by name', async (what, command, code) => {
    await store.db.collection('c').insertOne({})
    if (what === 'a validator') command = { create: 'other', validator: { a: 1 } }
    const expected = what === 'a validator' ? 115 : code
    expect((await refusal(store.db.command(command))).code).toBe(expected)
  })
})

describe('the server', () => {
  it('keeps its socket to its owner', () => {
    expect(statSync(store.socketPath).mode & 0o777).toBe(0o600)
  })

  it('answers a document of nearly 16 MB, and refuses a larger one', async () => {
    const collection = store.db.collection<Document>('large')
    await collection.insertMany([{ text: 'x'.repeat(15_000_000) }, { text: 'y'.repeat(15_000_000) }])
    expect((await collection.find().toArray()).map(({ text }) => (text as string).length)).toEqual([
      15_000_000, 15_000_000,
    ])
    expect((await refusal(collection.updateOne({}, { $set: { more: 'z'.repeat(2_000_000) } }))).code).toBe(10334)
  })

  it('hands a long answer out in batches', async () => {
    const collection = store.db.collection<Document>('many')
    await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })))
    const seen = []
    for await (const { n } of collection.find().sort({ n: 1 }).batchSize(7)) seen.push(n as number)
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  it('is monitored by the driver without a failure', async () => {
    const client = new MongoClient(store.uri, { heartbeatFrequencyMS: 500, minHeartbeatFrequencyMS: 50 })
    const failures: unknown[] = []
    client.on('serverHeartbeatFailed', (event) => failures.push(event))
    await client.connect()
    await new Promise((resolve) => setTimeout(resolve, 1200))
    await client.close()
    expect(failures).toEqual([])
  })
})
