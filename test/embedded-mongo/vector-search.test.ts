import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Binary, type Collection, type Document, ObjectId } from 'mongodb'
import { type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
let passages: Collection<Document>
beforeAll(async () => {
  store = await openStore()
  passages = store.db.collection('passages')
  await passages.insertMany([
    { _id: 1 as never, companyId: 'a', audience: 'public', labels: ['x', 'y'], order: 1, v: [1, 0, 0] },
    { _id: 2 as never, companyId: 'a', audience: 'staff', order: 2, v: [0, 2, 0] },
    { _id: 3 as never, companyId: 'b', audience: 'public', order: 3, v: [1, 0, 0] },
    { _id: 4 as never, companyId: 'a', audience: 'public', order: 4, v: [-1, 0, 0] },
    { _id: 5 as never, companyId: 'a', audience: 'public', order: 5, v: float32(3, 3, 0) },
    { _id: 6 as never, companyId: 'a', audience: 'public', v: [1, 0] },
    { _id: 7 as never, companyId: 'a', audience: 'public', v: [0, 0, 0] },
    { _id: 8 as never, companyId: 'a', audience: 'public', v: [1, 'x', 0] },
    { _id: 9 as never, companyId: 'a', audience: 'public' },
  ])
  for (const similarity of ['cosine', 'dotProduct', 'euclidean'])
    await passages.createSearchIndex({ name: similarity, type: 'vectorSearch', definition: definition(similarity) })
})
afterAll(() => store.close())

const FILTERS = ['companyId', 'audience', 'labels', 'order', 'at', 'owner', 'sure']
const definition = (similarity: string, numDimensions = 3) => ({
  fields: [
    { type: 'vector', path: 'v', numDimensions, similarity },
    ...FILTERS.map((path) => ({ type: 'filter', path })),
  ],
})
const float32 = (...numbers: number[]) => Binary.fromFloat32Array(Float32Array.from(numbers))

const search = (options: Document, from = passages): Promise<Document[]> =>
  from
    .aggregate([
      { $vectorSearch: { index: 'cosine', path: 'v', queryVector: [1, 0, 0], exact: true, limit: 10, ...options } },
      { $project: { score: { $meta: 'vectorSearchScore' } } },
    ])
    .toArray()
const ids = async (options: Document): Promise<unknown[]> => (await search(options)).map(({ _id }) => _id as unknown)

describe('A vector search', () => {
  const near = (value: number): unknown => expect.closeTo(value, 6)

  it('scores by cosine as the manual says, equal ones in order of insertion', async () => {
    expect(await search({})).toEqual([
      { _id: 1, score: near(1) },
      { _id: 3, score: near(1) },
      { _id: 5, score: near((1 + Math.SQRT1_2) / 2) },
      { _id: 2, score: near(0.5) },
      { _id: 4, score: near(0) },
    ])
  })

  it('scores by dot product and by distance as the manual says', async () => {
    expect(await search({ index: 'dotProduct', queryVector: [0, 1, 0], limit: 2 })).toEqual([
      { _id: 5, score: near((1 + 3) / 2) },
      { _id: 2, score: near((1 + 2) / 2) },
    ])
    expect(await search({ index: 'euclidean', queryVector: [1, 4, 0], limit: 3 })).toEqual([
      { _id: 2, score: near(1 / (1 + Math.sqrt(5))) },
      { _id: 5, score: near(1 / (1 + Math.sqrt(5))) },
      { _id: 1, score: near(1 / (1 + 4)) },
    ])
  })

  it('takes the query as numbers or as a float32 vector', async () => {
    const numbers = await search({ queryVector: [0.5, 0.25, 0] })
    expect(await search({ queryVector: float32(0.5, 0.25, 0) })).toEqual(numbers)
  })

  it('finds the same when told that an approximate answer would do', async () => {
    expect(await search({ exact: undefined, numCandidates: 100, limit: 3 })).toEqual(await search({ limit: 3 }))
  })

  it('can be sorted and reshaped by its score', async () => {
    const found = await passages
      .aggregate([
        { $vectorSearch: { index: 'cosine', path: 'v', queryVector: [1, 0, 0], exact: true, limit: 5 } },
        { $set: { score: { $meta: 'vectorSearchScore' } } },
        { $match: { score: { $lt: 0.9 } } },
        { $sort: { score: 1 } },
        { $project: { _id: 1 } },
      ])
      .toArray()
    expect(found).toEqual([{ _id: 4 }, { _id: 2 }, { _id: 5 }])
  })

  const filters: [what: string, filter: Document, expected: number[]][] = [
    ['a value', { companyId: 'a' }, [1, 5, 2, 4]],
    ['$eq', { companyId: { $eq: 'b' } }, [3]],
    ['two values', { companyId: 'a', audience: 'public' }, [1, 5, 4]],
    ['a value nobody has', { companyId: 'c' }, []],
    ['$ne', { companyId: { $ne: 'a' } }, [3]],
    ['$in', { companyId: 'a', audience: { $in: ['staff', 'partner'] } }, [2]],
    ['$nin', { audience: { $nin: ['public'] } }, [2]],
    ['a range', { order: { $gt: 1, $lte: 4 } }, [3, 2, 4]],
    ['$gte and $lt', { order: { $gte: 2, $lt: 4 } }, [3, 2]],
    ['an element of an array', { labels: 'y' }, [1]],
    ['$exists', { labels: { $exists: true } }, [1]],
    ['$exists false', { labels: { $exists: false } }, [3, 5, 2, 4]],
    ['$not', { order: { $not: { $lt: 4 } } }, [5, 4]],
    ['$and', { $and: [{ companyId: 'a' }, { order: { $gt: 1 } }] }, [5, 2, 4]],
    ['$or', { $or: [{ companyId: 'b' }, { order: 2 }] }, [3, 2]],
    ['$nor', { $nor: [{ companyId: 'b' }, { order: 2 }] }, [1, 5, 4]],
  ]
  it.each(filters)('filters by %s before it ranks', async (_what, filter, expected) => {
    expect(await ids({ filter })).toEqual(expected)
    // The limit counts what passes the filter, not what was looked at.
    expect(await ids({ filter, limit: 1 })).toEqual(expected.slice(0, 1))
  })

  it('filters by dates, ids and booleans', async () => {
    const [at, owner] = [new Date('2026-03-01'), new ObjectId()]
    await passages.insertOne({ _id: 20 as never, at, owner, sure: true, v: [0, 0, 1] })
    for (const filter of [{ at }, { owner }, { sure: true }, { at: { $gte: at } }])
      expect(await ids({ filter })).toEqual([20])
    await passages.deleteOne({ _id: 20 as never })
  })

  it('is there again after a restart', async () => {
    const before = await search({})
    await store.restart()
    passages = store.db.collection('passages')
    expect(await search({})).toEqual(before)
    expect(await passages.listSearchIndexes('cosine').toArray()).toMatchObject([
      {
        name: 'cosine',
        type: 'vectorSearch',
        status: 'READY',
        queryable: true,
        latestDefinition: definition('cosine'),
      },
    ])
  })

  it('finds nothing where there is no index of that name', async () => {
    expect(await search({ index: 'other' })).toEqual([])
    expect(await search({}, store.db.collection('nowhere'))).toEqual([])
  })

  it('finds what a scan finds, whatever was inserted, changed and deleted before', async () => {
    const number = fc.integer({ min: -4, max: 4 })
    const change = fc.record({
      id: fc.integer({ min: 1, max: 12 }),
      kind: fc.constantFrom('put', 'put', 'put', 'delete', 'abort'),
      company: fc.constantFrom('a', 'b'),
      vector: fc.array(number, { minLength: 4, maxLength: 4 }),
      binary: fc.boolean(),
    })
    let round = 0
    const property = fc.asyncProperty(
      fc.array(change, { maxLength: 25 }),
      fc.array(number, { minLength: 4, maxLength: 4 }),
      async (changes, query) => {
        const some = store.db.collection<{ _id: number }>(`some${++round}`)
        await some.insertOne({ _id: 0, companyId: 'a', v: [1, 1, 1, 1] } as never)
        await some.createSearchIndex({ name: 'v', type: 'vectorSearch', definition: definition('euclidean', 4) })
        const find = (filter: Document) =>
          some
            .aggregate<{
              _id: number
              score: number
            }>([
              { $vectorSearch: { index: 'v', path: 'v', queryVector: query, exact: true, limit: 5, filter } },
              { $project: { score: { $meta: 'vectorSearchScore' } } },
            ])
            .toArray()
        await find({})
        for (const { id, kind, company, vector, binary } of changes) {
          const doc = { companyId: company, v: binary ? float32(...vector) : vector }
          if (kind === 'delete') await some.deleteOne({ _id: id })
          else if (kind === 'put') await some.replaceOne({ _id: id }, doc, { upsert: true })
          else
            await store.client.withSession(async (session) => {
              session.startTransaction()
              await some.replaceOne({ _id: id }, doc, { upsert: true, session })
              await session.abortTransaction()
            })
        }
        for (const filter of [{}, { companyId: 'a' }, { companyId: { $ne: 'a' } }]) {
          const all = (await some.find(filter).toArray()) as unknown as { _id: number; v: Binary | number[] }[]
          const scores = all
            .map(({ v }) => (v instanceof Binary ? [...v.toFloat32Array()] : v))
            .map((v) => 1 / (1 + Math.hypot(...v.map((each, i) => each - query[i]!))))
            .sort((a, b) => b - a)
          expect((await find(filter)).map(({ score }) => score)).toEqual(scores.slice(0, 5).map(near))
        }
      },
    )
    await fc.assert(property, { numRuns: 25 })
  })

  it('sees a write with its commit, and not what was rolled back', async () => {
    const query = { queryVector: [0, 0, 1], limit: 1 }
    await store.client.withSession(async (session) => {
      session.startTransaction()
      await passages.insertOne({ _id: 30 as never, companyId: 'a', v: [0, 0, 1] }, { session })
      expect(await ids(query)).not.toEqual([30])
      await session.commitTransaction()
    })
    expect(await ids(query)).toEqual([30])
    await passages.updateOne({ _id: 30 as never }, { $set: { v: [0, 0, -1] } })
    expect(await ids(query)).not.toEqual([30])
    await passages.deleteOne({ _id: 30 as never })
    expect(await ids({ queryVector: [0, 0, -1], limit: 1 })).not.toEqual([30])
  })
})

describe('A vector search refuses', () => {
  const stages: [what: string, options: Document, code: number][] = [
    ['an option that is not served', { returnStoredSource: true }, 115],
    ['no candidates for an approximate search', { exact: false }, 2],
    ['candidates for an exact one', { numCandidates: 100 }, 2],
    ['fewer candidates than results', { exact: false, numCandidates: 5 }, 2],
    ['too many candidates', { exact: false, numCandidates: 10_001 }, 2],
    ['a limit of nothing', { limit: 0 }, 2],
    ['a query of another size', { queryVector: [1, 0] }, 2],
    ['a float32 query of another size', { queryVector: float32(1, 0) }, 2],
    ['a query that is not finite', { queryVector: [1, NaN, 0] }, 2],
    ['a query without direction', { queryVector: [0, 0, 0] }, 2],
    ['a query of words', { queryVector: ['a', 'b', 'c'] }, 2],
    ['int8 vectors', { queryVector: Binary.fromInt8Array(Int8Array.from([1, 2, 3])) }, 2],
    ['a path without vectors', { path: 'companyId' }, 2],
    ['a filter by what is not indexed', { filter: { secret: 1 } }, 2],
    [
      'a filter by what is not indexed, deep inside',
      { filter: { $or: [{ companyId: 'a' }, { $and: [{ secret: 1 }] }] } },
      2,
    ],
    ['an operator that filters do not have', { filter: { companyId: { $regex: '^a' } } }, 238],
    ['an expression in a filter', { filter: { $expr: true } }, 238],
    ['a filter by null', { filter: { companyId: null } }, 238],
    ['a filter by a document', { filter: { companyId: { $eq: { a: 1 } } } }, 238],
  ]
  it.each(stages)('%s, by name', async (_what, options, code) => {
    expect((await refusal(search(options))).code).toBe(code)
  })

  const pipelines: [what: string, pipeline: (stage: Document) => Document[], code: number][] = [
    ['a later place', (stage) => [{ $match: {} }, stage], 40_602],
    ['a place inside $facet', (stage) => [{ $facet: { a: [stage] } }], 40_600],
    ['a place inside $lookup', (stage) => [{ $lookup: { from: 'passages', pipeline: [stage], as: 'a' } }], 115],
    ['the score of the other search', (stage) => [stage, { $project: { score: { $meta: 'searchScore' } } }], 40_218],
    ['its score where nothing was searched', () => [{ $set: { score: { $meta: 'vectorSearchScore' } } }], 40_218],
  ]
  it.each(pipelines)('%s, by name', async (_what, pipeline, code) => {
    const stage = { $vectorSearch: { index: 'cosine', path: 'v', queryVector: [1, 0, 0], exact: true, limit: 1 } }
    expect((await refusal(passages.aggregate(pipeline(stage)).toArray())).code).toBe(code)
  })

  const vector = { type: 'vector', path: 'v', numDimensions: 3, similarity: 'cosine' }
  const definitions: [what: string, fields: Document[], code: number][] = [
    ['no vector', [{ type: 'filter', path: 'a' }], 2],
    ['no dimensions', [{ ...vector, numDimensions: 0 }], 2],
    ['too many dimensions', [{ ...vector, numDimensions: 8_193 }], 2],
    ['another similarity', [{ ...vector, similarity: 'manhattan' }], 2],
    ['quantization', [{ ...vector, quantization: 'scalar' }], 115],
    ['options of a graph', [{ ...vector, hnswOptions: {} }], 115],
    ['a type of the text index', [vector, { type: 'token', path: 'a' }], 115],
    ['a path twice', [vector, { type: 'filter', path: 'v' }], 2],
  ]
  it.each(definitions)('an index with %s, by name', async (_what, fields, code) => {
    const index = passages.createSearchIndex({ name: 'other', type: 'vectorSearch', definition: { fields } })
    expect((await refusal(index)).code).toBe(code)
  })

  it('an index over text, and the text search one over vectors', async () => {
    const mappings = { dynamic: false, fields: { companyId: { type: 'token' } } }
    await passages.createSearchIndex({ name: 'text', definition: { mappings } })
    expect((await refusal(search({ index: 'text' }))).code).toBe(2)
    const text = passages.aggregate([{ $search: { index: 'cosine', exists: { path: 'companyId' } } }]).toArray()
    expect((await refusal(text)).code).toBe(2)
  })

  it('an index that is there with another definition, and takes the same again', async () => {
    const again = { name: 'cosine', type: 'vectorSearch', definition: definition('cosine') }
    expect(await passages.createSearchIndex(again)).toBe('cosine')
    const other = passages.createSearchIndex({ ...again, definition: definition('cosine', 4) })
    expect((await refusal(other)).code).toBe(68)
  })

  it('to search inside a transaction', async () => {
    await store.client.withSession(async (session) => {
      session.startTransaction()
      const stage = { $vectorSearch: { index: 'cosine', path: 'v', queryVector: [1, 0, 0], exact: true, limit: 1 } }
      expect((await refusal(passages.aggregate([stage], { session }).toArray())).code).toBe(263)
      await session.abortTransaction()
    })
  })
})
