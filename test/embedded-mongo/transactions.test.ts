import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  Binary,
  type ChangeStream,
  type ChangeStreamDocument,
  type ClientSession,
  type Document,
  Long,
  UUID,
} from 'mongodb'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '../support/app.js'
import { exchange, message, type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
beforeAll(async () => {
  store = await openStore({ ttlSweepMs: 100 })
})
afterAll(() => store.close())

const fresh = async (docs: Document[] = []) => {
  const collection = store.db.collection<Document>(`c${Math.random().toString(36).slice(2)}`)
  if (docs.length > 0) await collection.insertMany(docs)
  else await store.db.createCollection(collection.collectionName)
  return collection
}
const begin = (): ClientSession => {
  const session = store.client.startSession()
  session.startTransaction({ readConcern: { level: 'snapshot' } })
  return session
}
const one = 1 as never

describe('a transaction (manual: Transactions)', () => {
  it('reads its own writes, through an index and sorted, and nobody else does', async () => {
    const collection = await fresh([
      { _id: 1, n: 1 },
      { _id: 2, n: 5 },
    ])
    await collection.createIndex({ n: 1 })
    const session = begin()
    await collection.insertOne({ _id: 3 as never, n: 3 }, { session })
    await collection.updateOne({ _id: one }, { $set: { n: 9 } }, { session })
    await collection.deleteOne({ _id: 2 as never }, { session })
    const inside = await collection
      .find({ n: { $gt: 0 } }, { session })
      .sort({ n: 1 })
      .toArray()
    expect(inside.map(({ _id, n }) => [_id as unknown, n as number])).toEqual([
      [3, 3],
      [1, 9],
    ])
    expect(
      (
        await collection
          .find({ n: { $gt: 0 } })
          .sort({ n: 1 })
          .toArray()
      ).map(({ n }) => n as number),
    ).toEqual([1, 5])
    await session.commitTransaction()
    expect((await collection.find().sort({ n: 1 }).toArray()).map(({ n }) => n as number)).toEqual([3, 9])
  })

  it('makes collections that nobody sees before its commit, and that are not there after an abort', async () => {
    const named = (name: string) => store.db.listCollections({ name }).toArray()
    for (const make of [
      (name: string, session: ClientSession) => store.db.collection(name).insertOne({ _id: one }, { session }),
      (name: string, session: ClientSession) => store.db.createCollection(name, { session }),
    ]) {
      const [kept, given] = [`kept${Math.random()}`.replace('.', ''), `given${Math.random()}`.replace('.', '')]
      const session = begin()
      await make(kept, session)
      expect(await named(kept)).toEqual([])
      await session.commitTransaction()
      expect(await named(kept)).toHaveLength(1)
      session.startTransaction()
      await make(given, session)
      await session.abortTransaction()
      expect(await named(given)).toEqual([])
      await session.endSession()
    }
  })

  it('does not commit into a collection that somebody else has made meanwhile', async () => {
    const collection = store.db.collection<Document>(`made${Math.random()}`.replace('.', ''))
    const session = begin()
    await collection.insertOne({ _id: one, by: 'first' }, { session })
    await collection.insertOne({ _id: one, by: 'second' })
    expect(await refusal(session.commitTransaction())).toMatchObject({
      code: 112,
      labels: ['TransientTransactionError'],
    })
    expect(await collection.find().toArray()).toEqual([{ _id: 1, by: 'second' }])
  })

  it('is the only place for a snapshot: elsewhere it is refused, not read without one', async () => {
    const collection = await fresh([{ _id: 1 }])
    await store.client.withSession({ snapshot: true }, async (session) => {
      expect(await refusal(collection.findOne({}, { session }))).toMatchObject({ code: 115 })
      expect(await refusal(collection.insertOne({}, { session }))).toMatchObject({ code: 72 })
    })
  })

  it('sees the snapshot it began with', async () => {
    const collection = await fresh([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ])
    const session = begin()
    await collection.findOne({}, { session })
    await collection.updateOne({ _id: one }, { $set: { n: 10 } })
    await collection.updateOne({ _id: one }, { $set: { n: 11 } })
    await collection.deleteOne({ _id: 2 as never })
    await collection.insertOne({ _id: 3 as never, n: 3 })
    await collection.updateOne({ _id: 3 as never }, { $set: { n: 4 } })
    expect((await collection.find({}, { session }).sort({ _id: 1 }).toArray()).map(({ n }) => n as number)).toEqual([
      1, 2,
    ])
    expect(await collection.findOne({ _id: 2 as never }, { session })).not.toBeNull()
    expect(await collection.findOne({ _id: 3 as never }, { session })).toBeNull()
    await session.abortTransaction()
  })

  it('loses against whoever wrote first', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const [a, b] = [begin(), begin()]
    await collection.updateOne({ _id: one }, { $inc: { n: 1 } }, { session: a })
    const lost = await refusal(collection.updateOne({ _id: one }, { $inc: { n: 1 } }, { session: b }))
    expect(lost).toMatchObject({ code: 112, labels: ['TransientTransactionError'] })
    await a.commitTransaction()
    expect((await refusal(collection.findOne({}, { session: b }))).code).toBe(251)
    await b.abortTransaction()
    expect((await collection.findOne({}))!.n).toBe(2)
  })

  it('loses against what was committed after its snapshot', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const session = begin()
    await collection.findOne({}, { session })
    await collection.updateOne({ _id: one }, { $inc: { n: 1 } })
    expect((await refusal(collection.updateOne({ _id: one }, { $inc: { n: 1 } }, { session }))).code).toBe(112)
    await session.abortTransaction()
  })

  it('makes a plain write of the same document wait and then happen', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const session = begin()
    await collection.updateOne({ _id: one }, { $inc: { n: 10 } }, { session })
    const plain = collection.updateOne({ _id: one }, { $inc: { n: 1 } })
    await pause(50)
    await session.commitTransaction()
    expect((await plain).modifiedCount).toBe(1)
    expect((await collection.findOne({}))!.n).toBe(12)
  })

  it('ends the wait of a plain write at its time limit', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const session = begin()
    await collection.updateOne({ _id: one }, { $inc: { n: 10 } }, { session })
    expect((await refusal(collection.findOneAndUpdate({ _id: one }, { $inc: { n: 1 } }, { maxTimeMS: 60 }))).code).toBe(
      50,
    )
    await session.abortTransaction()
    expect((await collection.findOne({}))!.n).toBe(1)
  })

  it('holds a unique key against others until it ends', async () => {
    const collection = await fresh()
    await collection.createIndex({ k: 1 }, { unique: true })
    const [a, b] = [begin(), begin()]
    await collection.insertOne({ k: 1 }, { session: a })
    expect((await refusal(collection.insertOne({ k: 1 }, { session: b }))).code).toBe(112)
    const plain = collection.insertOne({ k: 1 })
    await a.commitTransaction()
    expect((await refusal(plain)).code).toBe(11000)
    await b.abortTransaction()
    const c = begin()
    await collection.deleteOne({ k: 1 }, { session: c })
    await collection.insertOne({ k: 1, again: true }, { session: c })
    await c.commitTransaction()
    expect(await collection.countDocuments({ k: 1 })).toBe(1)
  })

  it('leaves nothing behind when it is aborted', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const session = begin()
    await collection.insertOne({ n: 2 }, { session })
    await collection.updateOne({ _id: one }, { $set: { n: 3 } }, { session })
    await session.abortTransaction()
    expect(await collection.find().toArray()).toEqual([{ _id: 1, n: 1 }])
    expect((await collection.updateOne({ _id: one }, { $set: { n: 4 } })).modifiedCount).toBe(1)
  })

  it('commits once, however often it is told to', async () => {
    const collection = await fresh([{ _id: 1, n: 1 }])
    const session = begin()
    await collection.updateOne({ _id: one }, { $inc: { n: 1 } }, { session })
    await session.commitTransaction()
    await session.commitTransaction()
    expect((await collection.findOne({}))!.n).toBe(2)
  })

  it('counts every increment of many at once', async () => {
    const collection = await fresh([{ _id: 1, n: 0 }])
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.client.withSession((session) =>
          session.withTransaction(() => collection.updateOne({ _id: one }, { $inc: { n: 1 } }, { session })),
        ),
      ),
    )
    expect((await collection.findOne({}))!.n).toBe(20)
  })
})

describe('a retried write (manual: Retryable Writes)', () => {
  it('has the reply of the first one and happens once, across a restart too', async () => {
    const collection = await fresh([{ _id: 1, n: 0 }])
    const lsid = { id: new Binary(new UUID().buffer, 4) }
    const updates = [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }]
    const command = { update: collection.collectionName, updates, lsid, txnNumber: Long.fromNumber(7), $db: 'test' }
    const send = () => exchange(store.socketPath, message(command))
    const first = await send()
    expect(first).toMatchObject({ n: 1, nModified: 1, ok: 1 })
    expect(await send()).toEqual(first)
    await store.restart()
    expect(await send()).toEqual(first)
    expect(await exchange(store.socketPath, message({ ...command, txnNumber: Long.fromNumber(6) }))).toMatchObject({
      code: 225,
    })
    expect((await store.db.collection(collection.collectionName).findOne({}))!.n).toBe(1)
  })
})

describe('a change stream (manual: Change Streams)', () => {
  const collect = async (work: () => Promise<void>, count: number, watch: () => ChangeStream) => {
    const stream = watch()
    const isOpen = once(stream, 'resumeTokenChanged')
    const seen: ChangeStreamDocument[] = []
    const reading = (async () => {
      for await (const change of stream) if (seen.push(change) === count) break
    })()
    await isOpen
    await work()
    await reading
    await stream.close()
    return seen
  }

  it('tells of inserts, updates, replacements and deletions, after their commit', async () => {
    const collection = await fresh()
    const seen = await collect(
      async () => {
        const session = begin()
        await collection.insertOne({ _id: one, a: { b: 1, c: 1 } }, { session })
        await session.commitTransaction()
        await collection.updateOne({ _id: one }, { $set: { 'a.b': 2 }, $unset: { 'a.c': '' } })
        await collection.replaceOne({ _id: one }, { z: 1 })
        await collection.deleteOne({ _id: one })
      },
      4,
      () => collection.watch([], { fullDocument: 'updateLookup' }),
    )
    expect(seen.map((change) => change.operationType)).toEqual(['insert', 'update', 'replace', 'delete'])
    expect(seen[0]).toMatchObject({
      fullDocument: { _id: 1, a: { b: 1, c: 1 } },
      ns: { db: 'test', coll: collection.collectionName },
      documentKey: { _id: 1 },
    })
    expect(seen[1]).toMatchObject({ updateDescription: { updatedFields: { 'a.b': 2 }, removedFields: ['a.c'] } })
  })

  it('tells nothing of a statement that failed half-way', async () => {
    const collection = await fresh()
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertMany([{ _id: one }, { n: 1 }, { n: 2 }])
    const work = async () => {
      expect((await refusal(collection.updateMany({}, { $set: { n: 7 } }))).code).toBe(11000)
      await collection.insertOne({ _id: 4 as never, n: 4 })
    }
    const [first] = await collect(work, 1, () => collection.watch())
    expect(first).toMatchObject({ operationType: 'insert', documentKey: { _id: 4 } })
  })

  it('stays quiet while other collections change', async () => {
    const [watched, other] = [await fresh(), await fresh()]
    const work = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await other.insertOne({ i })
      await watched.insertOne({ mine: true })
    }
    const [change] = await collect(work, 1, () => watched.watch())
    expect(change).toMatchObject({ operationType: 'insert', fullDocument: { mine: true } })
  })

  it('resumes behind a token, and says when the history is lost', async () => {
    const collection = await fresh()
    const [first] = await collect(
      async () => void (await collection.insertMany([{ n: 1 }, { n: 2 }])),
      1,
      () => collection.watch(),
    )
    const resumed = collection.watch([], { resumeAfter: first!._id })
    expect(((await resumed.next()) as { fullDocument: Document }).fullDocument.n).toBe(2)
    await resumed.close()
    await store.restart()
    const lost = store.db.collection(collection.collectionName).watch([], { resumeAfter: first!._id })
    expect((await refusal(lost.next())).code).toBe(286)
    await lost.close()
  })
})

describe('a TTL index (manual: TTL Indexes)', () => {
  it('takes out what is over, and nothing else', async () => {
    const collection = await fresh([
      { _id: 1, at: new Date(Date.now() - 60_000) },
      { _id: 2, at: new Date(Date.now() + 60_000) },
      { _id: 3, at: 5 },
      { _id: 4 },
    ])
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 30 })
    await eventually(async () => (await collection.countDocuments({ _id: one })) === 0)
    expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id as unknown)).toEqual([2, 3, 4])
  })
})

describe('an index (manual: Indexes)', () => {
  it('names the key that is there already', async () => {
    const collection = await fresh()
    await collection.createIndex({ a: 1, b: -1 }, { unique: true, name: 'pair' })
    await collection.insertOne({ a: 1, b: 'x' })
    const { code, message } = await refusal(collection.insertOne({ a: 1, b: 'x' }))
    expect(code).toBe(11000)
    expect(message).toContain(
      `E11000 duplicate key error collection: test.${collection.collectionName} index: pair dup key: { a: 1, b: "x" }`,
    )
  })

  it('is unique only within its partial filter, and used only when the query implies it', async () => {
    const collection = await fresh()
    await collection.createIndex({ a: 1 }, { unique: true, partialFilterExpression: { open: true } })
    await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 1, open: true }])
    expect((await refusal(collection.insertOne({ a: 1, open: true }))).code).toBe(11000)
    expect(await collection.countDocuments({ a: 1 })).toBe(3)
    expect(await collection.countDocuments({ a: 1, open: true })).toBe(1)
  })

  it('is not used when its filter says more than the query does, in an $or', async () => {
    const collection = await fresh()
    await collection.createIndex({ a: 1 }, { partialFilterExpression: { a: { $gte: 1 }, $or: [{ b: 1 }, { c: 1 }] } })
    await collection.insertMany([{ a: 2 }, { a: 2, b: 1 }])
    expect(await collection.countDocuments({ a: 2 })).toBe(2)
  })

  it('leaves out documents without the field when it is sparse, without hiding them from queries', async () => {
    const collection = await fresh()
    await collection.createIndex({ a: 1 }, { unique: true, sparse: true })
    await collection.insertMany([{}, {}, { a: 1 }])
    expect(await collection.countDocuments({ a: null })).toBe(2)
    expect((await collection.find().sort({ a: 1 }).toArray()).length).toBe(3)
  })

  const conflicts: [what: string, keys: Document, options: Document, code: number | null][] = [
    ['the same again is fine', { a: 1 }, { name: 'a' }, null],
    ['another key of that name', { b: 1 }, { name: 'a' }, 86],
    ['the same key by another name', { a: 1 }, { name: 'other' }, 85],
    ['another kind by that name', { a: 1 }, { name: 'a', unique: true }, 86],
    ['a text index', { t: 'text' }, {}, 115],
    ['a collation', { t: 1 }, { collation: { locale: 'en' } }, 115],
  ]
  it.each(conflicts)('created twice: %s', async (_what, keys, options, code) => {
    const collection = await fresh()
    await collection.createIndex({ a: 1 }, { name: 'a' })
    const created = collection.createIndex(keys, options)
    if (code === null) await created
    else expect((await refusal(created)).code).toBe(code)
  })

  it('is not created over what breaks it', async () => {
    const collection = await fresh([{ a: 1 }, { a: 1 }])
    expect((await refusal(collection.createIndex({ a: 1 }, { unique: true }))).code).toBe(11000)
    expect((await collection.indexes()).length).toBe(1)
  })
})
