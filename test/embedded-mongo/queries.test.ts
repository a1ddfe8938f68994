import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  Binary,
  Decimal128,
  type Collection,
  type Document,
  Double,
  type Filter,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

const collectionWith = async (docs: Document[]) => {
  const collection = store.db.collection<Document>(`c${Math.random().toString(36).slice(2)}`)
  await collection.insertMany(docs)
  return collection
}

const id = new ObjectId('65a000000000000000000001')

describe('a query (manual: Query Predicates)', () => {
  const docs: Document[] = [
    {
      _id: 1,
      a: 1,
      tags: ['x', 'y'],
      items: [
        { sku: 'p', n: 1 },
        { sku: 'q', n: 5 },
      ],
    },
    { _id: 2, a: new Double(2.5), tags: [], nested: { b: 1, c: 2 } },
    { _id: 3, a: null, tags: 'x', nested: { c: 2, b: 1 } },
    { _id: 4, tags: [['x']], items: [] },
    { _id: 5, a: 'text', when: new Date(1000), owner: id },
    { _id: 6, a: [1, 7, null], items: [{ n: [3, 4] }] },
    { _id: 7, a: Long.fromString('9007199254740993') },
    { _id: 8, a: true, s: 'Héllo\nworld' },
    { _id: 9, a: Number.NaN },
  ]
  const cases: [rule: string, filter: Filter<Document>, ids: number[]][] = [
    ['Equality crosses numeric types and enters arrays', { a: 1 }, [1, 6]],
    ['$eq with null finds null, missing and a null element', { a: null }, [3, 4, 6]],
    ['$ne is the opposite of $eq', { a: { $ne: null } }, [1, 2, 5, 7, 8, 9]],
    ['$gt stays within the type', { a: { $gt: 1 } }, [2, 6, 7]],
    ['$lt leaves NaN out', { a: { $lt: 2 } }, [1, 6]],
    ['$lte with NaN finds NaN alone', { a: { $lte: Number.NaN } }, [9]],
    ['$lte with null finds null and missing', { a: { $lte: null } }, [3, 4, 6]],
    ['an int64 beyond 2^53 is compared exactly', { a: Long.fromString('9007199254740993') }, [7]],
    ['a neighbour of that int64 is another number', { a: 9007199254740992 }, []],
    ['$in finds null like equality does', { a: { $in: [null, 'text'] } }, [3, 4, 5, 6]],
    ['$in takes regular expressions', { a: { $in: [/^te/, true] } }, [5, 8]],
    ['$nin leaves out what $in finds', { a: { $nin: [null, 1] } }, [2, 5, 7, 8, 9]],
    ['$exists true finds null', { a: { $exists: true } }, [1, 2, 3, 5, 6, 7, 8, 9]],
    ['$exists false finds what lacks the field', { a: { $exists: false } }, [4]],
    ['$type knows aliases and enters arrays', { a: { $type: 'int' } }, [1, 6]],
    ['$type number covers all numbers', { a: { $type: 'number' } }, [1, 2, 6, 7, 9]],
    ['$type objectId', { owner: { $type: 'objectId' } }, [5]],
    ['$type array asks for the array itself', { tags: { $type: 'array' } }, [1, 2, 4]],
    ['equality with an ObjectId', { owner: id }, [5]],
    ['equality with a date', { when: new Date(1000) }, [5]],
    ['a date and a number are different types', { when: { $gte: 0 } }, []],
    ['equality with a document is about the order of fields too', { nested: { b: 1, c: 2 } }, [2]],
    ['equality with an array finds the whole array', { tags: ['x', 'y'] }, [1]],
    ['equality with an array finds it as an element', { tags: ['x'] }, [4]],
    ['$all needs every value', { tags: { $all: ['x', 'y'] } }, [1]],
    ['$all with one value also finds a scalar', { tags: { $all: ['x'] } }, [1, 3]],
    ['$size', { tags: { $size: 0 } }, [2]],
    ['$elemMatch needs one element for all conditions', { items: { $elemMatch: { sku: 'p', n: { $gt: 3 } } } }, []],
    [
      'dotted conditions may be met by different elements',
      { 'items.sku': 'p', 'items.n': { $gt: 3 } },
      [1, 6].slice(0, 1),
    ],
    ['$elemMatch on plain values', { a: { $elemMatch: { $gt: 5, $lt: 8 } } }, [6]],
    ['a position in a path', { 'items.1.n': 5 }, [1]],
    ['an empty array on the way has nothing missing', { 'items.n': null }, [2, 3, 5, 7, 8, 9]],
    ['$mod', { a: { $mod: [2, 1] } }, [1, 6, 7]],
    ['$not takes in documents without the field', { a: { $not: { $gte: 1 } } }, [3, 4, 5, 8, 9]],
    [
      '$and, $or and $nor',
      { $or: [{ a: 1 }, { $and: [{ a: 'text' }, { owner: id }] }], $nor: [{ _id: 6 as never }] },
      [1, 5],
    ],
    ['$regex with the option i', { s: { $regex: '^hÉLLO', $options: 'i' } }, [8]],
    ['$regex with the option m', { s: { $regex: '^world$', $options: 'm' } }, [8]],
    ['$regex: a dot does not match a line end', { s: /llo.world/ }, []],
    ['$regex with the option s', { s: { $regex: 'llo.world', $options: 's' } }, [8]],
    ['$expr compares fields', { $expr: { $gt: ['$_id', 8] } }, [9]],
    ['$expr: missing is less than null', { $expr: { $lt: ['$a', null] } }, [4]],
    ['a field called like a method of objects is just missing', { constructor: { $exists: true } }, []],
  ]
  it.each(cases)('%s', async (_rule, filter, ids) => {
    const collection = await collectionWith(docs)
    expect((await collection.find(filter).sort({ _id: 1 }).toArray()).map((doc) => doc._id)).toEqual(ids)
    // The same through every index that could serve it.
    for (const key of ['a', 'tags', 'items.n', 'items.sku', 'nested', 'when', 'owner', 's'])
      await collection.createIndex({ [key]: 1 })
    await collection.createIndex({ a: -1, _id: 1 })
    expect((await collection.find(filter).sort({ _id: 1 }).toArray()).map((doc) => doc._id)).toEqual(ids)
  })

  const refused: [what: string, filter: Document, code: number][] = [
    ['an unknown operator', { a: { $foo: 1 } }, 2],
    ['an unknown operator deep inside', { $or: [{ a: 1 }, { b: { $not: { $elemMatch: { $bar: 1 } } } }] }, 2],
    ['$where', { $where: '1' }, 238],
    ['$text', { $text: { $search: 'x' } }, 238],
    ['$near', { a: { $near: [0, 0] } }, 238],
    ['a Perl notation that JavaScript reads otherwise', { a: /x/, b: { $regex: '\\Ax\\z' } }, 238],
    ['an expression that is not served', { $expr: { $function: {} } }, 238],
    ['$in without an array', { a: { $in: 1 } }, 2],
  ]
  it.each(refused)('refuses %s by name', async (_what, filter, code) => {
    expect((await refusal(store.db.collection('none').find(filter).toArray())).code).toBe(code)
  })
})

describe('sorting (manual: Comparison/Sort Order)', () => {
  it('orders values of all types', async () => {
    const ordered = [
      new MinKey(),
      [],
      null,
      -Infinity,
      new Int32(-1),
      0.5,
      Long.fromNumber(1),
      Decimal128.fromString('1.5'),
      2,
      Infinity,
      '',
      'B',
      'a',
      '\uffee',
      '😀',
      {},
      { a: 1 },
      { a: 1, b: 0 },
      { b: 0 },
      { a: 'x' },
      new Binary(Buffer.from('z')),
      new Binary(Buffer.from('aa')),
      id,
      false,
      true,
      new Date(-5),
      new Date(5),
      new Timestamp({ t: 1, i: 1 }),
      /a/,
      new MaxKey(),
    ]
    const collection = await collectionWith(ordered.map((v, i) => ({ _id: i, v })).reverse())
    const order = async (direction: 1 | -1) =>
      (await collection.find().sort({ v: direction }).toArray()).map((doc) => doc._id as unknown)
    const expected = ordered.map((_value, i) => i)
    expect(await order(1)).toEqual(expected)
    expect(await order(-1)).toEqual([...expected].reverse())
    await collection.createIndex({ v: 1 })
    expect(await order(1)).toEqual(expected)
    expect(await order(-1)).toEqual([...expected].reverse())
  })

  it('sorts an array by its least element ascending and its greatest descending', async () => {
    const collection = await collectionWith([
      { _id: 1, v: [5, 9] },
      { _id: 2, v: 6 },
      { _id: 3, v: [1, 7] },
    ])
    const ids = async (direction: 1 | -1) =>
      (await collection.find().sort({ v: direction }).toArray()).map((doc) => doc._id as unknown)
    expect(await ids(1)).toEqual([3, 1, 2])
    expect(await ids(-1)).toEqual([1, 3, 2])
  })

  it('gives the same page with and without an index, in both directions', async () => {
    const collection = await collectionWith(
      Array.from({ length: 300 }, (_, i) => ({ _id: i, company: i % 3, at: (i * 37) % 101, seq: i })),
    )
    const page = () => collection.find({ company: 1 }).sort({ at: -1, seq: 1 }).skip(5).limit(20).toArray()
    const before = await page()
    await collection.createIndex({ company: 1, at: -1, seq: 1 })
    expect(await page()).toEqual(before)
    const reverse = await collection.find({ company: 1 }).sort({ at: 1, seq: -1 }).toArray()
    expect(reverse.slice(-25, -5).reverse()).toEqual(before)
  })
})

describe('what is stored', () => {
  it('comes back with the same BSON types and the fields in the same order', async () => {
    const doc = {
      _id: 1,
      i: new Int32(3),
      d: new Double(3),
      l: Long.fromNumber(3),
      dec: Decimal128.fromString('3.10'),
      z: -0,
      '2': 'two',
      '1': 'one',
      bin: new Binary(Buffer.from([1, 2])),
      __proto: 1,
    }
    const collection = await collectionWith([doc])
    await collection.updateOne({ _id: 1 as never }, { $set: { added: 1 } })
    await store.restart()
    const back = await store.db.collection(collection.collectionName).findOne({}, { promoteValues: false })
    expect(back).toMatchObject({ i: new Int32(3), d: new Double(3), l: Long.fromNumber(3), added: new Int32(1) })
    expect(Object.is((back!.z as unknown as Double).valueOf(), -0)).toBe(true)
    expect(String(back!.dec)).toBe('3.10')
    const raw = await store.db.collection(collection.collectionName).findOne({}, { raw: true })
    const text = Buffer.from(raw as unknown as Uint8Array).toString('latin1')
    expect(text.indexOf('bin')).toBeGreaterThan(text.indexOf('one'))
  })
})

describe('$out (manual: "$out")', () => {
  it('puts what a pipeline gives in the place of a collection, all of it or nothing', async () => {
    const [from, into] = ['from', 'into'].map((name) => store.db.collection<Document>(`out_${name}`)) as [
      Collection,
      Collection,
    ]
    await from.insertMany([1, 2, 3].map((n) => ({ _id: n as never, n })))
    await into.createIndex({ n: 1 }, { unique: true })
    await into.insertOne({ _id: 9 as never, n: 9 })
    const out = { $out: into.collectionName }
    expect(await from.aggregate([{ $match: { n: { $gt: 1 } } }, out]).toArray()).toEqual([])
    expect(await into.find().toArray()).toEqual([
      { _id: 2, n: 2 },
      { _id: 3, n: 3 },
    ])
    await expect(from.aggregate([{ $set: { n: 0 } }, out]).toArray()).rejects.toMatchObject({ code: 11000 })
    expect(await into.countDocuments({ n: { $in: [2, 3] } })).toBe(2)
    expect(await into.indexes()).toHaveLength(2)
  })
})

describe('a position in a path (manual: "Query an Array for an Element by Position")', () => {
  const cases: [query: Document, ids: number[]][] = [
    [{ 'a.0': 1 }, [1]],
    [{ 'a.0': [1, 2] }, [2]],
    [{ 'a.0.0': 1 }, [2]],
    [{ 'a.0.b': 1 }, [3]],
    [{ 'a.0': { $gt: 0 } }, [1]],
  ]
  it.each(cases)('%j: an array that it leads to is not opened', async (query, ids) => {
    const collection = store.db.collection<Document>(`position${Math.random()}`)
    await collection.insertMany([
      { _id: 1 as never, a: [1, 5] },
      { _id: 2 as never, a: [[1, 2], 5] },
      { _id: 3 as never, a: [{ b: [1] }] },
    ])
    const found = await collection.find(query).sort({ _id: 1 }).toArray()
    expect(found.map(({ _id }) => _id as unknown)).toEqual(ids)
  })
})
