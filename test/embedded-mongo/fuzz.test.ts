import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BSON, type Collection, type Document, Double, Int32, Long, ObjectId } from 'mongodb'
import { decode, encode } from '../../src/embedded-mongo/bson.js'
import { CommandError } from '../../src/embedded-mongo/errors.js'
import { compileFilter } from '../../src/embedded-mongo/match.js'
import { compileProjection, scopeOf } from '../../src/embedded-mongo/project.js'
import { compileSort, sortDocs } from '../../src/embedded-mongo/select.js'
import { compileUpdate } from '../../src/embedded-mongo/update.js'
import type { Value } from '../../src/embedded-mongo/values.js'
import { checkOperands, type Doc, matches, projected, Refused, seeded, sorted, typed, updated } from './oracle.js'
import { type OpenStore, openStore } from './store.js'

/** FUZZ_RUNS=100000 for a long search. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000)

// --- what is generated: few names and few values, so that they meet --------------------------------------------------

const name = fc.constantFrom('a', 'b', 'c')
const position = fc.constantFrom('0', '1')
const path = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 4, arbitrary: fc.tuple(name, name).map((parts) => parts.join('.')) },
  { weight: 1, arbitrary: fc.tuple(name, position).map((parts) => parts.join('.')) },
  { weight: 1, arbitrary: fc.tuple(name, position, name).map((parts) => parts.join('.')) },
  { weight: 1, arbitrary: fc.tuple(name, name, name).map((parts) => parts.join('.')) },
)
const plainPath = fc.oneof(
  name,
  fc.tuple(name, name).map((parts) => parts.join('.')),
)
const numeric = fc.oneof(
  fc.integer({ min: -2, max: 3 }).map((value) => new Int32(value)),
  fc.constantFrom(0, -0, 1, 1.5, 2, NaN, Infinity, -Infinity, 2 ** 53).map((value) => new Double(value)),
  fc.constantFrom(0n, 1n, 2n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)).map((value) => Long.fromBigInt(value)),
  fc.constant(new Int32(2 ** 31 - 1)),
)
const scalar = fc.oneof(
  { weight: 6, arbitrary: numeric },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constantFrom('', 'x', 'xy', 'é', '\u{1f600}', '\uffff') },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constantFrom(new Date(0), new Date(-1)) },
  { weight: 1, arbitrary: fc.constantFrom('0'.repeat(24), 'f'.repeat(24)).map((hex) => new ObjectId(hex)) },
)
const { value, fields } = fc.letrec<{ value: unknown; fields: Doc }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 2, arbitrary: tie('fields') },
  ),
  fields: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}))
const documents = fc.array(fields, { minLength: 1, maxLength: 4 })

const comparison = fc.oneof(
  fc.tuple(fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'), value),
  fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(value, { maxLength: 3 })),
  fc.tuple(fc.constant('$exists'), fc.boolean()),
  fc.tuple(
    fc.constant('$size'),
    fc.constantFrom(0, 1, 2).map((size) => new Int32(size)),
  ),
  fc.tuple(
    fc.constant('$type'),
    fc.constantFrom('int', 'double', 'long', 'number', 'string', 'object', 'array', 'null', 'bool', 'date', 'objectId'),
  ),
  fc.tuple(fc.constant('$regex'), fc.constantFrom('x', '^x$', 'y', '^$')),
  fc.tuple(
    fc.constant('$mod'),
    fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(0, 1)).map((two) => two.map((n) => new Int32(n))),
  ),
)
const operators = fc
  .array(comparison, { minLength: 1, maxLength: 2 })
  .map((pairs): Doc => Object.fromEntries<unknown>(pairs))
const { query } = fc.letrec<{ condition: unknown; query: Doc }>((tie) => ({
  condition: fc.oneof(
    { weight: 3, arbitrary: value },
    { weight: 6, arbitrary: operators },
    { weight: 1, arbitrary: operators.map((inner) => ({ $not: inner })) },
    { weight: 1, arbitrary: fc.array(value, { maxLength: 2 }).map((all) => ({ $all: all })) },
    { weight: 1, arbitrary: operators.map((inner) => ({ $elemMatch: inner })) },
    {
      weight: 1,
      arbitrary: fc
        .dictionary(name, fc.oneof(scalar, operators), { minKeys: 1, maxKeys: 2, noNullPrototype: true })
        .map((inner) => ({ $elemMatch: inner })),
    },
  ),
  query: fc.oneof(
    { maxDepth: 2 },
    { weight: 5, arbitrary: fc.dictionary(path, tie('condition'), { maxKeys: 2, noNullPrototype: true }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(tie('query'), { minLength: 1, maxLength: 2 }))
        .map(([operator, clauses]) => ({ [operator]: clauses })),
    },
  ),
}))

const spreading = fc.oneof(
  { weight: 6, arbitrary: path },
  { weight: 1, arbitrary: fc.tuple(name, fc.constantFrom('$[]', '$[x]')).map((parts) => parts.join('.')) },
  { weight: 1, arbitrary: fc.tuple(name, fc.constantFrom('$[]', '$[x]'), name).map((parts) => parts.join('.')) },
)
const small = (least: number, most: number) => fc.integer({ min: least, max: most }).map((n) => new Int32(n))
const push = fc
  .record(
    {
      $each: fc.array(value, { maxLength: 3 }),
      $position: small(-2, 3),
      $slice: small(-2, 3),
      $sort: fc.constantFrom(new Int32(1), new Int32(-1)),
    },
    { requiredKeys: ['$each'] },
  )
  .map((modifiers) => modifiers as Doc)
const change = fc.oneof(
  fc.tuple(fc.constantFrom('$set', '$setOnInsert', '$min', '$max', '$push', '$addToSet'), spreading, value),
  fc.tuple(fc.constantFrom('$inc', '$mul'), spreading, fc.oneof(numeric, scalar)),
  fc.tuple(fc.constant('$unset'), spreading, fc.constant('')),
  fc.tuple(fc.constant('$push'), spreading, push),
  fc.tuple(
    fc.constant('$addToSet'),
    path,
    fc.array(value, { maxLength: 3 }).map(($each) => ({ $each })),
  ),
  fc.tuple(
    fc.constant('$pull'),
    path,
    fc.oneof(value, operators, fc.dictionary(name, fc.oneof(scalar, operators), { maxKeys: 2, noNullPrototype: true })),
  ),
  fc.tuple(fc.constant('$pullAll'), path, fc.array(value, { maxLength: 2 })),
  fc.tuple(fc.constant('$pop'), path, fc.constantFrom(new Int32(1), new Int32(-1))),
  fc.tuple(fc.constant('$rename'), path, path),
)
const onOnePath = (a: string, b: string): boolean => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`)
/** Paths of one update may not lie on each other, and one array is not addressed in two ways. */
const apart = (paths: readonly string[]): boolean =>
  paths.every((one, i) =>
    paths.every((other, j) => i === j || (!onOnePath(one, other) && one.split('.')[0] !== other.split('.')[0])),
  )
const operatorUpdate = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .filter((changes) => apart(changes.flatMap(([operator, at, to]) => (operator === '$rename' ? [at, to] : [at]))))
  .map((changes) => {
    const update: Record<string, Doc> = {}
    for (const [operator, at, operand] of changes) (update[operator] ??= {})[at] = operand
    return update
  })
const update = fc.oneof({ weight: 5, arbitrary: operatorUpdate }, { weight: 1, arbitrary: fields })
const arrayFilter = fc.oneof(
  fc.oneof(scalar, operators).map((wanted) => ({ x: wanted })),
  fc.oneof(scalar, operators).map((wanted) => ({ 'x.a': wanted })),
)
const filtersFor = (wanted: Doc, filter: Doc): Doc[] =>
  JSON.stringify(Object.values(wanted).map((each) => Object.keys(Object(each) as object))).includes('$[x]')
    ? [filter]
    : []

const sort = fc.dictionary(plainPath, fc.constantFrom<1 | -1>(1, -1), { minKeys: 1, maxKeys: 2, noNullPrototype: true })
const projection = fc
  .tuple(
    fc.array(plainPath, { minLength: 1, maxLength: 3 }),
    fc.constantFrom<0 | 1>(0, 1),
    fc.constantFrom<0 | 1 | null>(0, 1, null),
  )
  .filter(([paths]) => paths.every((one, i) => paths.every((other, j) => i === j || !onOnePath(one, other))))
  .map(([paths, flag, id]) => ({
    ...(id === null ? {} : { _id: id }),
    ...Object.fromEntries(paths.map((each) => [each, flag])),
  }))
  .filter(({ _id, ...others }) => !(_id === 1 && Object.values(others)[0] === 0))

// --- both sides ------------------------------------------------------------------------------------------------------

const bytes = (document: Document): Buffer => Buffer.from(BSON.serialize(document, { ignoreUndefined: false }))
const stored = (document: Document): { [key: string]: Value } => decode(bytes(document))
/** What is compared: the bytes, so that 1 and 1.0 differ. */
const readable = (document: Document | 'refused'): string =>
  document === 'refused' ? document : bytes(document).toString('latin1')

/** The document or that it was refused; anything else that is thrown is a fault. */
const outcome = <T>(work: () => T): T | 'refused' => {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refused || (error instanceof CommandError && error.codeName !== 'InternalError'))
      return 'refused'
    throw error
  }
}

describe('against an independent evaluator', () => {
  it('finds the same documents', () => {
    fc.assert(
      fc.property(documents, query, (docs, wanted) => {
        const expected = docs.map((doc) => matches(typed(doc), typed(wanted)))
        const filter = compileFilter(stored(wanted))
        expect(docs.map((doc) => filter.test(stored(doc)))).toEqual(expected)
      }),
      { numRuns: RUNS },
    )
  })

  it('sorts them alike', () => {
    fc.assert(
      fc.property(documents, sort, (docs, order) => {
        const numbered = docs.map((doc, _id) => ({ _id: new Int32(_id), ...doc }))
        const expected = sorted(numbered.map(typed), order).map(readable)
        const found = sortDocs(
          numbered.map((doc) => ({ doc: stored(doc) })),
          compileSort(stored(order)),
        )
        expect(found.map(({ doc }) => encode(doc).toString('latin1'))).toEqual(expected)
      }),
      { numRuns: RUNS },
    )
  })

  it('projects them alike', () => {
    fc.assert(
      fc.property(fields, projection, (doc, wanted) => {
        const whole = { _id: new Int32(1), ...doc }
        const expected = projected(typed(whole), wanted)
        const reshaped = compileProjection(stored(wanted), {}, 'find')(stored(whole), scopeOf(stored(whole)))
        expect(encode(reshaped).toString('latin1')).toBe(readable(expected))
      }),
      { numRuns: RUNS },
    )
  })

  it('updates them alike, byte for byte, or refuses alike', () => {
    fc.assert(
      fc.property(fields, update, arrayFilter, fc.boolean(), (doc, wanted, filter, inserting) => {
        const arrayFilters = filtersFor(wanted, filter)
        const expected = outcome(() => updated(typed(doc), typed(wanted), arrayFilters.map(typed), inserting))
        const found = outcome(() => {
          const context = {
            filter: compileFilter(stored({})),
            arrayFilters: arrayFilters.length > 0 ? arrayFilters.map(stored) : undefined,
            variables: {},
          }
          const after = encode(compileUpdate(stored(wanted), context).apply(stored(doc), inserting))
          // Through JavaScript's objects on both sides: they put names of digits first.
          return readable(BSON.deserialize(after, { promoteValues: false }))
        })
        expect(found).toBe(readable(expected))
      }),
      { numRuns: RUNS },
    )
  })
})

describe('through the driver, over indexes', () => {
  let store: OpenStore
  beforeAll(async () => {
    store = await openStore()
  })
  afterAll(() => store.close())

  const INDEXES: Record<string, 1 | -1>[] = [
    { a: 1 },
    { b: -1, c: 1 },
    { 'a.b': 1 },
    { 'b.c': -1, a: 1 },
    { c: 1, b: 1 },
  ]

  /** A collection that is like `docs`, and the model beside it. */
  const prepared = async (docs: readonly Doc[]): Promise<{ collection: Collection; model: Doc[] } | null> => {
    const collection = store.db.collection<Document>('fuzz')
    await collection.deleteMany({})
    const numbered = docs.map((doc, _id) => ({ _id: new Int32(_id), ...doc }))
    try {
      await collection.insertMany(numbered as Document[])
    } catch (error) {
      // Two arrays cannot be in one index.
      if ((error as { code?: number }).code === 171) return null
      throw error
    }
    return { collection, model: numbered.map(typed) }
  }

  const contents = async (collection: Collection): Promise<string[]> =>
    (await collection.find({}, { promoteValues: false }).sort({ _id: 1 }).toArray()).map((doc) => readable(doc))

  const attempt = async (work: () => Promise<unknown>): Promise<'done' | 'refused' | 'unindexable'> => {
    try {
      await work()
      return 'done'
    } catch (error) {
      const { code } = error as { code?: number }
      if (code === 171) return 'unindexable'
      if (typeof code === 'number' && code !== 1) return 'refused'
      throw error
    }
  }

  it('finds, updates, replaces, upserts and deletes what it should', async () => {
    const collection = store.db.collection<Document>('fuzz')
    for (const key of INDEXES) await collection.createIndex(key)
    await collection.createIndex({ a: -1 }, { sparse: true })
    await collection.createIndex({ b: 1 }, { partialFilterExpression: { a: { $exists: true } } })
    await collection.createIndex({ c: -1 }, { partialFilterExpression: { c: { $gte: 1 }, $or: [{ a: 1 }, { b: 1 }] } })
    await fc.assert(
      fc.asyncProperty(
        documents,
        query,
        update,
        arrayFilter,
        sort,
        fc.constantFrom('find', 'updateMany', 'updateOne', 'upsert', 'deleteMany', 'deleteOne'),
        async (docs, wanted, wantedUpdate, filter, order, kind) => {
          const both = await prepared(docs)
          if (!both) return
          const { collection, model } = both
          const byOrder = { ...order, _id: 1 as const }
          const hits = sorted(
            model.filter((doc) => matches(doc, typed(wanted))),
            byOrder,
          )
          const arrayFilters = filtersFor(wantedUpdate, filter)
          const isReplacement = !Object.keys(wantedUpdate)[0]?.startsWith('$')
          const change = (doc: Doc, inserting = false): Doc =>
            updated(doc, typed(wantedUpdate), arrayFilters.map(typed), inserting)
          const options = arrayFilters.length > 0 ? { arrayFilters } : {}
          let expected: Doc[] | 'refused' = model
          let done: Awaited<ReturnType<typeof attempt>> = 'done'
          const replaced = (goes: readonly Doc[]): Doc[] | 'refused' =>
            outcome(
              () => (checkOperands(typed(wantedUpdate)), model.map((doc) => (goes.includes(doc) ? change(doc) : doc))),
            )
          switch (kind) {
            case 'find':
              expect(
                (await collection.find(wanted, { promoteValues: false }).sort(byOrder).toArray()).map(readable),
              ).toEqual(hits.map(readable))
              return
            case 'deleteMany':
              await collection.deleteMany(wanted)
              expected = model.filter((doc) => !hits.includes(doc))
              break
            case 'deleteOne':
              await collection.findOneAndDelete(wanted, { sort: byOrder })
              expected = model.filter((doc) => doc !== hits[0])
              break
            case 'updateMany':
              if (isReplacement) return
              done = await attempt(() => collection.updateMany(wanted, wantedUpdate, options))
              expected = replaced(hits)
              break
            case 'updateOne':
              done = await attempt(() =>
                isReplacement
                  ? collection.findOneAndReplace(wanted, wantedUpdate, { sort: byOrder })
                  : collection.findOneAndUpdate(wanted, wantedUpdate, { sort: byOrder, ...options }),
              )
              expected = replaced(hits.slice(0, 1))
              break
            case 'upsert': {
              const query = { _id: new Int32(99), ...wanted }
              done = await attempt(() =>
                isReplacement
                  ? collection.replaceOne(query, wantedUpdate, { upsert: true })
                  : collection.updateOne(query, wantedUpdate, { upsert: true, ...options }),
              )
              expected = outcome(() => {
                const seed = seeded(typed(query))
                const { _id, ...others } = change(isReplacement ? { _id: seed._id } : seed, true)
                return [...model, { _id, ...others }]
              })
            }
          }
          if (done === 'unindexable') return
          expect(done).toBe(expected === 'refused' ? 'refused' : 'done')
          expect(await contents(collection)).toEqual((expected === 'refused' ? model : expected).map(readable))
        },
      ),
      { numRuns: Math.min(RUNS / 10, 20_000) },
    )
    expect(store.faults).toEqual([])
  }, 600_000)
})
