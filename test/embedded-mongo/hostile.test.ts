import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { connect } from 'node:net'
import { type Document, UUID } from 'mongodb'
import { exchange, message, type OpenStore, openStore, refusal } from './store.js'

/** FUZZ_SECONDS=600 for a long search. */
const FUZZ_MS = Number(process.env.FUZZ_SECONDS ?? 3) * 1000

let store: OpenStore
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

/** Whatever came before: another client is served, and nothing went wrong inside. */
const expectUnharmed = async (): Promise<void> => {
  expect(await store.db.collection<Document>('kept').find().toArray()).toEqual([{ _id: 1, text: 'kept' }])
  expect(store.faults).toEqual([])
}
beforeAll(() => store.db.collection<Document>('kept').insertOne({ _id: 1 as never, text: 'kept' }))

const within = <T>(ms: number, work: Promise<T>): Promise<T | 'too late'> =>
  Promise.race([
    work,
    new Promise<'too late'>((resolve) => {
      setTimeout(() => resolve('too late'), ms).unref()
    }),
  ])

describe('messages that nobody should send', () => {
  const intact = [
    { hello: 1, $db: 'admin' },
    { insert: 'fuzz', documents: [{ a: 1, b: [{ c: 'x' }] }], $db: 'test' },
    {
      find: 'fuzz',
      filter: { a: { $in: [1, 2] }, b: { $elemMatch: { c: /x/ } } },
      sort: { a: 1 },
      limit: 5,
      $db: 'test',
    },
    {
      update: 'fuzz',
      updates: [{ q: { a: 1 }, u: { $push: { b: { $each: [1], $slice: -2 } } }, multi: true }],
      $db: 'test',
    },
    {
      aggregate: 'fuzz',
      pipeline: [{ $match: {} }, { $group: { _id: '$a', n: { $sum: 1 } } }],
      cursor: {},
      $db: 'test',
    },
    { findAndModify: 'fuzz', query: { a: 1 }, update: { $inc: { a: 1 } }, new: true, $db: 'test' },
    { count: 'fuzz', query: { a: /x+/i }, maxTimeMS: 50, lsid: { id: new UUID() }, txnNumber: 1n, $db: 'test' },
    { explain: { find: 'fuzz', filter: {}, sort: { a: 1 } }, verbosity: 'executionStats', $db: 'test' },
    { delete: 'fuzz', deletes: [{ q: { a: 9 }, limit: 1 }], $db: 'test' },
    { createIndexes: 'fuzz', indexes: [{ key: { a: 1 }, name: 'a_1' }], $db: 'test' },
    { getMore: 7n, collection: 'fuzz', batchSize: 1, $db: 'test' },
  ].map(message)

  it(
    'changed in a few bytes, cut or lengthened: an answer or an end, for that client only',
    async () => {
      const damaged = fc.tuple(
        fc.constantFrom(...intact),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.option(fc.nat({ max: 40 }), { freq: 3 }),
        fc.boolean(),
      )
      const until = Date.now() + FUZZ_MS
      await fc.assert(
        fc.asyncProperty(damaged, async ([bytes, changes, cut, keepsLength]) => {
          const bad = Buffer.from(cut === null ? bytes : bytes.subarray(0, Math.max(4, bytes.length - cut)))
          for (const [at, byte] of changes) bad[4 + (at % (bad.length - 4))] = byte
          if (keepsLength) bad.writeInt32LE(bad.length, 0)
          // What is not complete has no answer yet.
          await within(cut === null || keepsLength ? 2_000 : 20, exchange(store.socketPath, bad))
        }),
        { numRuns: 1_000_000, interruptAfterTimeLimit: until - Date.now(), markInterruptAsFailure: false },
      )
      await expectUnharmed()
    },
    FUZZ_MS + 30_000,
  )

  it.each(['P', 'ii', '\u0001'])(
    'a regular expression with the option %j: the end of that client only',
    async (option) => {
      const bytes = message({ find: 'fuzz', filter: { a: /x/i }, $db: 'test' })
      const at = bytes.indexOf(Buffer.from('x\0i\0')) + 2
      const bad = Buffer.concat([bytes.subarray(0, at), Buffer.from(option), bytes.subarray(at + 1)])
      for (const place of [0, 21, bytes.indexOf(Buffer.from('filter\0')) + 7])
        bad.writeInt32LE(bad.readInt32LE(place) + option.length - 1, place)
      expect(await exchange(store.socketPath, bad)).toBeNull()
      await expectUnharmed()
    },
  )

  it('nothing but noise: an answer or an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (noise) => {
        const bytes = Buffer.from(noise)
        if (bytes.length >= 4) bytes.writeInt32LE(bytes.length, 0)
        await within(bytes.length < 16 ? 5 : 2_000, exchange(store.socketPath, bytes))
      }),
      { numRuns: 200 },
    )
    await expectUnharmed()
  })

  it('nested without end: refused', async () => {
    let nested: Document = { a: 1 }
    for (let depth = 0; depth < 1000; depth++) nested = { a: nested }
    expect(await exchange(store.socketPath, message({ find: 'fuzz', filter: nested, $db: 'test' }))).toBeNull()
    await expectUnharmed()
  })
})

describe('requests that would take for ever', () => {
  it('a regular expression that backtracks is given up, wherever it stands', async () => {
    const collection = store.db.collection<Document>('texts')
    await collection.insertMany(
      Array.from({ length: 50 }, () => ({ text: `${'a'.repeat(40)}!`, list: ['a'.repeat(40) + '!'] })),
    )
    const evil = /^(a+)+$/
    const given: [where: string, operation: Promise<unknown>][] = [
      ['a query', collection.find({ text: evil }).toArray()],
      ['an $or', collection.find({ $or: [{ text: evil }, { text: 1 }] }).toArray()],
      ['a later stage', collection.aggregate([{ $limit: 9 }, { $match: { text: evil } }]).toArray()],
      ['a projection', collection.find({}, { projection: { list: { $elemMatch: { $regex: evil } } } }).toArray()],
      ['$pull', collection.updateOne({}, { $pull: { list: evil as never } })],
      ['an array filter', collection.updateOne({}, { $set: { 'list.$[x]': 1 } }, { arrayFilters: [{ x: evil }] })],
      ['a write', collection.deleteMany({ text: evil })],
    ]
    for (const [where, operation] of given) expect([where, (await refusal(operation)).code]).toEqual([where, 50])
    expect(await collection.countDocuments({ text: /^a+!$/ })).toBe(50)
    await expectUnharmed()
  }, 60_000)

  it('a million values to choose from are an answer, through an index and without', async () => {
    const collection = store.db.collection<Document>('chosen')
    await collection.insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n as never, n, m: n })))
    await collection.createIndex({ n: 1 })
    await collection.createIndex({ n: 1, m: 1 })
    const million = Array.from({ length: 1_000_000 }, (_, n) => n + 5)
    for (const field of ['_id', 'n', 'm'])
      expect(await collection.countDocuments({ [field]: { $in: million } })).toBe(5)
    await expectUnharmed()
  }, 60_000)

  it('a hundred thousand fields in one update are an answer', async () => {
    const collection = store.db.collection<Document>('wide')
    await collection.insertOne({ _id: 1 as never })
    const $set = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f${n}`, n]))
    expect(await within(20_000, collection.updateOne({}, { $set }))).toMatchObject({ modifiedCount: 1 })
    await expectUnharmed()
  }, 60_000)
})

describe('a client that does not read', () => {
  it('is not answered without end, and nobody else waits for it', async () => {
    const collection = store.db.collection<Document>('heavy')
    await collection.insertOne({ text: 'x'.repeat(1_000_000) })
    const request = message({ find: 'heavy', filter: {}, $db: 'test' })
    const before = process.memoryUsage().rss
    const socket = connect(store.socketPath)
    socket.on('error', () => {})
    socket.pause()
    // A gigabyte of answers, if they were all given at once.
    for (let i = 0; i < 1000; i++) socket.write(request)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await expectUnharmed()
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000)
    // When it reads again, it gets every answer.
    let received = 0
    const all = new Promise<void>((resolve) => {
      socket.on('data', (piece: Buffer) => {
        received += piece.length
        if (received > 1000 * 1_000_000) resolve()
      })
    })
    socket.resume()
    expect(await within(25_000, all)).toBeUndefined()
    socket.destroy()
  }, 60_000)
})
