import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Decimal128, type Document, Double, Int32, Long } from 'mongodb'
import { type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

const fresh = () => store.db.collection<Document>(`c${Math.random().toString(36).slice(2)}`)

describe('an update (manual: Update Operators)', () => {
  const cases: [
    rule: string,
    before: Document,
    update: Document | Document[],
    after: Document,
    options?: Document,
    filter?: Document,
  ][] = [
    ['$set creates the documents on the way', {}, { $set: { 'a.b': 1 } }, { a: { b: 1 } }],
    [
      '$set adds new fields in the order of their names',
      { z: 0 },
      { $set: { c: 1, b: 2 }, $inc: { a: 3 } },
      { z: 0, a: 3, b: 2, c: 1 },
    ],
    ['$set fills an array up with null', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
    ['$unset takes a field out', { a: { b: 1, c: 2 } }, { $unset: { 'a.b': '' } }, { a: { c: 2 } }],
    ['$unset of an element leaves null', { a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { a: [1, null, 3] }],
    ['$inc starts at the operand', {}, { $inc: { n: 5 } }, { n: 5 }],
    [
      '$mul of an integer by a double is a double, also where it is -0',
      { n: 0 },
      { $mul: { n: new Double(-0) } },
      { n: -0 },
    ],
    ['$mul of a missing field gives 0', {}, { $mul: { n: 5 } }, { n: 0 }],
    [
      '$min and $max set what is missing',
      { a: 5, b: 5 },
      { $min: { a: 3, c: 1 }, $max: { b: 3, d: 2 } },
      { a: 3, b: 5, c: 1, d: 2 },
    ],
    ['$rename moves a value', { a: { b: 1 }, d: 9 }, { $rename: { 'a.b': 'c' } }, { a: {}, d: 9, c: 1 }],
    ['$setOnInsert does nothing on an update', { a: 1 }, { $setOnInsert: { b: 1 }, $set: { a: 2 } }, { a: 2 }],
    ['$push makes an array', {}, { $push: { a: 1 } }, { a: [1] }],
    [
      '$push with $each, $position, $sort and $slice',
      { a: [{ n: 3 }, { n: 1 }] },
      { $push: { a: { $each: [{ n: 2 }], $sort: { n: -1 }, $slice: 2 } } },
      { a: [{ n: 3 }, { n: 2 }] },
    ],
    ['$push at a position', { a: [1, 2] }, { $push: { a: { $each: [9, 8], $position: 1 } } }, { a: [1, 9, 8, 2] }],
    [
      '$push keeps the last with a negative $slice',
      { a: [1, 2] },
      { $push: { a: { $each: [3], $slice: -2 } } },
      { a: [2, 3] },
    ],
    [
      '$addToSet adds once',
      { a: [1, { x: 1 }] },
      { $addToSet: { a: { $each: [1, { x: 1 }, 2, 2] } } },
      { a: [1, { x: 1 }, 2] },
    ],
    ['$addToSet on a missing field has no duplicates', {}, { $addToSet: { a: { $each: [1, 1] } } }, { a: [1] }],
    ['$pull by condition on plain values', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
    [
      '$pull by fields of documents',
      {
        a: [
          { k: 1, v: 1 },
          { k: 2, v: 1 },
        ],
      },
      { $pull: { a: { k: 1 } } },
      { a: [{ k: 2, v: 1 }] },
    ],
    ['$pullAll', { a: [1, 2, 1, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    ['$pop at the front', { a: [1, 2] }, { $pop: { a: -1 } }, { a: [2] }],
    [
      'the positional operator changes the matched element',
      { a: [{ k: 1 }, { k: 2 }] },
      { $set: { 'a.$.v': 9 } },
      { a: [{ k: 1 }, { k: 2, v: 9 }] },
      {},
      { 'a.k': 2 },
    ],
    [
      'the positional operator with $elemMatch',
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 5 },
        ],
      },
      { $inc: { 'a.$.n': 1 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 6 },
        ],
      },
      {},
      { a: { $elemMatch: { k: 1, n: { $gt: 2 } } } },
    ],
    ['$[] changes every element', { a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
    [
      '$[name] changes the filtered elements',
      {
        a: [
          { g: 1, s: 5 },
          { g: 2, s: 9 },
        ],
      },
      { $set: { 'a.$[high].g': 0 } },
      {
        a: [
          { g: 1, s: 5 },
          { g: 0, s: 9 },
        ],
      },
      { arrayFilters: [{ 'high.s': { $gt: 6 } }] },
    ],
    [
      'a pipeline computes from the document',
      { a: 1, b: 2 },
      [{ $set: { c: { $add: ['$a', '$b'] } } }, { $unset: 'a' }],
      { b: 2, c: 3 },
    ],
  ]
  it.each(cases)('%s', async (_rule, before, update, after, options = {}, filter = {}) => {
    const collection = fresh()
    await collection.insertOne({ _id: 1 as never, ...before })
    await collection.updateOne({ _id: 1 as never, ...filter }, update, options)
    const stored = await collection.findOne({})
    expect(stored).toEqual({ _id: 1, ...after })
    expect(Object.keys(stored!)).toEqual(['_id', ...Object.keys(after)])
  })

  const types: [rule: string, value: unknown, operand: unknown, sum: unknown][] = [
    ['int32 + int32 grows into int64', new Int32(2147483647), new Int32(1), Long.fromNumber(2147483648)],
    ['int64 + int32 stays int64', Long.fromNumber(1), new Int32(1), Long.fromNumber(2)],
    ['int32 + double is a double', new Int32(1), new Double(1), new Double(2)],
  ]
  it.each(types)('$inc: %s', async (_rule, value, operand, sum) => {
    const collection = fresh()
    await collection.insertOne({ n: value })
    await collection.updateOne({}, { $inc: { n: operand as number } })
    expect((await collection.findOne({}, { promoteValues: false }))!.n).toEqual(sum)
  })

  const refused: [what: string, before: Document, update: Document | Document[], code: number][] = [
    ['$inc of a string', { a: 'x' }, { $inc: { a: 1 } }, 14],
    ['$inc by a string', { a: 1 }, { $inc: { a: 'x' } }, 14],
    ['$inc beyond int64', { a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
    ['$push onto a scalar', { a: 1 }, { $push: { a: 1 } }, 2],
    ['$set through a scalar', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
    ['a field of an array', { a: [1] }, { $set: { 'a.b': 1 } }, 28],
    ['two changes of one path', { a: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['a change below another', { a: {} }, { $set: { 'a.b': 1, a: 2 } }, 40],
    ['another _id', { a: 1 }, { $set: { _id: 2 } }, 66],
    ['an unknown operator', { a: 1 }, { $foo: { a: 1 } }, 9],
    ['$bit', { a: 1 }, { $bit: { a: { and: 1 } } }, 238],
    ['arithmetic with Decimal128', { a: Decimal128.fromString('1') }, { $inc: { a: 1 } }, 238],
    ['the positional operator without an array in the query', { a: [1] }, { $set: { 'a.$': 1 } }, 2],
    ['a stage that is not for updates', { a: 1 }, [{ $match: {} }], 72],
  ]
  it.each(refused)('refuses %s and changes nothing', async (_what, before, update, code) => {
    const collection = fresh()
    await collection.insertOne({ _id: 1 as never, ...before })
    expect((await refusal(collection.updateOne({ _id: 1 as never }, update))).code).toBe(code)
    expect(await collection.findOne({}, { promoteLongs: false })).toEqual({ _id: 1, ...before })
  })

  it('an upsert starts from the equalities of its query, with the _id first', async () => {
    const collection = fresh()
    const result = await collection.updateOne(
      { 'a.b': 1, c: { $gt: 1 }, $and: [{ d: { $eq: 4 } }] },
      { $set: { x: 1 }, $setOnInsert: { y: 2 } },
      { upsert: true },
    )
    const stored = await collection.findOne({})
    expect(stored).toEqual({ _id: result.upsertedId, a: { b: 1 }, d: 4, x: 1, y: 2 })
    expect(Object.keys(stored!)[0]).toBe('_id')
  })

  it('findOneAndUpdate gives the document before or after, projected and sorted', async () => {
    const collection = fresh()
    await collection.insertMany([
      { n: 2, s: 'b' },
      { n: 1, s: 'a' },
    ])
    const options = { sort: { n: 1 }, projection: { _id: 0, n: 1 } } as const
    expect(await collection.findOneAndUpdate({}, { $inc: { n: 10 } }, { ...options, returnDocument: 'after' })).toEqual(
      { n: 11 },
    )
    expect(await collection.findOneAndUpdate({}, { $inc: { n: 10 } }, options)).toEqual({ n: 2 })
    expect(await collection.findOneAndDelete({ n: 99 })).toBeNull()
  })

  it('a refused operator in the second statement leaves the first one undone', async () => {
    const collection = fresh()
    await collection.insertOne({ _id: 1 as never })
    const bulk = [
      { updateOne: { filter: {}, update: { $set: { a: 1 } } } },
      { updateOne: { filter: {}, update: { $bit: { a: { or: 1 } } } } },
    ]
    expect((await refusal(collection.bulkWrite(bulk))).code).toBe(238)
    expect(await collection.findOne({})).toEqual({ _id: 1 })
  })
})

describe('an aggregation (manual: Aggregation Stages)', () => {
  const people = [
    { _id: 1, name: 'Ann', team: 'a', age: 30, tags: ['x', 'y'], at: new Date('2026-03-29T00:30:00Z') },
    { _id: 2, name: 'Bob', team: 'b', age: 40, tags: [] },
    { _id: 3, name: 'Cyd', team: 'a', tags: ['y'], boss: 1 },
  ]
  const cases: [rule: string, pipeline: Document[], result: Document[]][] = [
    [
      '$group with accumulators',
      [
        {
          $group: {
            _id: '$team',
            n: { $sum: 1 },
            ages: { $push: '$age' },
            mean: { $avg: '$age' },
            last: { $last: '$name' },
          },
        },
        { $sort: { _id: 1 } },
      ],
      [
        { _id: 'a', n: 2, ages: [30], mean: 30, last: 'Cyd' },
        { _id: 'b', n: 1, ages: [40], mean: 40, last: 'Bob' },
      ],
    ],
    ['$count of nothing is no document', [{ $match: { _id: 99 } }, { $count: 'n' }], []],
    [
      '$unwind keeps what is empty if asked',
      [{ $unwind: { path: '$tags', preserveNullAndEmptyArrays: true } }, { $project: { tags: 1 } }],
      [{ _id: 1, tags: 'x' }, { _id: 1, tags: 'y' }, { _id: 2 }, { _id: 3, tags: 'y' }],
    ],
    [
      '$project computes, includes and excludes _id',
      [{ $match: { _id: 1 } }, { $project: { _id: 0, name: 1, older: { $add: ['$age', 1] }, none: '$missing' } }],
      [{ name: 'Ann', older: 31 }],
    ],
    [
      '$addFields removes with $$REMOVE',
      [{ $match: { _id: 3 } }, { $addFields: { tags: '$$REMOVE', boss: { $ifNull: ['$nobody', 'none'] } } }],
      [{ _id: 3, name: 'Cyd', team: 'a', boss: 'none' }],
    ],
    [
      '$lookup by fields',
      [
        { $match: { _id: 3 } },
        { $lookup: { from: 'people', localField: 'boss', foreignField: '_id', as: 'boss' } },
        { $project: { 'boss.name': 1 } },
      ],
      [{ _id: 3, boss: [{ name: 'Ann' }] }],
    ],
    [
      '$lookup with let and pipeline',
      [
        { $match: { _id: 1 } },
        {
          $lookup: {
            from: 'people',
            let: { me: '$_id' },
            pipeline: [{ $match: { $expr: { $eq: ['$boss', '$$me'] } } }, { $project: { name: 1 } }],
            as: 'staff',
          },
        },
        { $project: { staff: 1 } },
      ],
      [{ _id: 1, staff: [{ _id: 3, name: 'Cyd' }] }],
    ],
    [
      '$facet',
      [{ $facet: { n: [{ $count: 'n' }], first: [{ $limit: 1 }, { $project: { name: 1 } }] } }],
      [{ n: [{ n: 3 }], first: [{ _id: 1, name: 'Ann' }] }],
    ],
    [
      '$cond, $switch and comparison',
      [
        { $match: { _id: { $lt: 3 } } },
        {
          $project: {
            k: { $cond: [{ $gt: ['$age', 35] }, 'old', 'young'] },
            s: { $switch: { branches: [{ case: { $eq: ['$team', 'a'] }, then: 1 }], default: 2 } },
          },
        },
      ],
      [
        { _id: 1, k: 'young', s: 1 },
        { _id: 2, k: 'old', s: 2 },
      ],
    ],
    [
      '$map, $filter and $reduce',
      [
        { $match: { _id: 1 } },
        {
          $project: {
            m: { $map: { input: '$tags', as: 't', in: { $concat: ['$$t', '!'] } } },
            f: { $filter: { input: '$tags', cond: { $eq: ['$$this', 'x'] } } },
            r: { $reduce: { input: [1, 2, 3], initialValue: 0, in: { $add: ['$$value', '$$this'] } } },
          },
        },
      ],
      [{ _id: 1, m: ['x!', 'y!'], f: ['x'], r: 6 }],
    ],
    [
      '$dateToString in a zone with summer time',
      [
        { $match: { _id: 1 } },
        { $project: { d: { $dateToString: { date: '$at', format: '%Y-%m-%d %H:%M', timezone: 'Europe/Berlin' } } } },
      ],
      [{ _id: 1, d: '2026-03-29 01:30' }],
    ],
    ['$replaceRoot', [{ $match: { _id: 1 } }, { $replaceRoot: { newRoot: { who: '$name' } } }], [{ who: 'Ann' }]],
    [
      '$sortByCount',
      [{ $sortByCount: '$team' }],
      [
        { _id: 'a', count: 2 },
        { _id: 'b', count: 1 },
      ],
    ],
  ]
  it.each(cases)('%s', async (_rule, pipeline, result) => {
    const collection = store.db.collection<Document>('people')
    await collection.deleteMany({})
    await collection.insertMany(people as Document[])
    expect(await collection.aggregate(pipeline).toArray()).toEqual(result)
  })

  const refused: [stage: string, pipeline: Document[], code: number][] = [
    ['$merge', [{ $merge: 'x' }], 115],
    ['an unknown stage', [{ $nonsense: {} }], 40324],
    ['an unknown expression', [{ $project: { a: { $sampleRate: 1 } } }], 238],
    ['an unknown accumulator', [{ $group: { _id: 1, a: { $stdDevPop: '$x' } } }], 238],
    ['a late $search', [{ $match: {} }, { $search: {} }], 40602],
    ['a mix of inclusion and exclusion', [{ $project: { a: 1, b: 0 } }], 31254],
  ]
  it.each(refused)('refuses %s', async (_stage, pipeline, code) => {
    expect((await refusal(store.db.collection('people').aggregate(pipeline).toArray())).code).toBe(code)
  })
})
