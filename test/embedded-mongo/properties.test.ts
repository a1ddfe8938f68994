import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BSON, type Document, Double, Long, ObjectId } from 'mongodb'
import { decode, encode } from '../../src/embedded-mongo/bson.js'
import { compare, orderKey } from '../../src/embedded-mongo/ordering.js'
import { SortedKeys } from '../../src/embedded-mongo/sorted-keys.js'
import type { Value } from '../../src/embedded-mongo/values.js'
import { type OpenStore, openStore } from './store.js'

const field = fc.constantFrom('a', 'b', '1', 'é', '__proto__x')
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.integer({ min: -3, max: 3 }).map((value) => new Double(value)),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(field, tie('any'), { maxKeys: 3 }),
  ),
})).any
const documents = fc.dictionary(field, value, { maxKeys: 4 }) as fc.Arbitrary<Document>

const stored = (document: Document): { [key: string]: Value } => decode(Buffer.from(BSON.serialize(document)))

describe('BSON', () => {
  it('is written back byte for byte', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const bytes = Buffer.from(BSON.serialize(document))
        expect(encode(decode(bytes)).equals(bytes)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('keys', () => {
  it('order and equal as values do', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        const { v: a } = stored({ v: left })
        const { v: b } = stored({ v: right })
        const [x, y] = [orderKey(a), orderKey(b)]
        expect(Math.sign(compare(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
      }),
      { numRuns: 3000 },
    )
  })

  it('stay in order in a map of chunks, whatever is put in and taken out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3000 })), { maxLength: 6000, minLength: 3000 }),
        (steps) => {
          const map = new SortedKeys<string>()
          const model = new Set<string>()
          for (const [puts, number] of steps) {
            const key = String(number).padStart(5, '0')
            if (puts || number % 3 > 0) {
              map.set(key, key)
              model.add(key)
            } else {
              map.delete(key)
              model.delete(key)
            }
          }
          const all = (reverse: boolean): string[] => {
            const keys: string[] = []
            map.scan('01000', '02000', reverse, (key) => keys.push(key) > 0)
            return keys
          }
          const expected = [...model].filter((key) => key >= '01000' && key < '02000').sort()
          expect(all(false)).toEqual(expected)
          expect(all(true)).toEqual(expected.reverse())
          expect(map.size).toBe(model.size)
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('an index', () => {
  let store: OpenStore
  beforeAll(async () => {
    store = await openStore()
  })
  afterAll(() => store.close())

  it('never changes what a query finds', async () => {
    const small = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.constant(null),
      fc.constantFrom('x', 'y'),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
      fc.record({ c: fc.integer({ min: 0, max: 2 }) }),
    )
    const document = fc.record(
      {
        a: small,
        b: small,
        list: fc.array(
          fc.record({ c: fc.integer({ min: 0, max: 2 }), d: fc.integer({ min: 0, max: 2 }) }, { requiredKeys: [] }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: [] },
    )
    const operand = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(null), fc.constantFrom('x', 'y'))
    const condition = fc.oneof(
      operand,
      fc
        .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne'), operand)
        .map(([operator, value]) => ({ [operator]: value })),
      fc.array(operand, { minLength: 1, maxLength: 3 }).map((values) => ({ $in: values })),
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
        .map(([low, high]) => ({ $gte: low, $lt: high })),
      fc.boolean().map((exists) => ({ $exists: exists })),
    )
    const query = fc.dictionary(fc.constantFrom('a', 'b', 'a.c', 'list.c', 'list.d'), condition, { maxKeys: 3 })
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 1, maxLength: 12 }),
        query,
        fc.boolean(),
        async (docs, filter, descending) => {
          const plain = store.db.collection<Document>(`plain${++run}`)
          const indexed = store.db.collection<Document>(`indexed${run}`)
          for (const key of [
            { a: 1 },
            { b: -1, a: 1 },
            { 'list.c': 1, a: -1 },
            { 'list.c': 1, 'list.d': 1 },
            { 'a.c': 1, b: 1 },
          ] as const) {
            try {
              await indexed.createIndex(key)
            } catch {
              // Parallel arrays cannot be indexed together.
            }
          }
          const kept = []
          for (const [_id, doc] of docs.entries()) {
            try {
              await indexed.insertOne({ ...doc, _id: _id as never })
              kept.push({ ...doc, _id: _id as never })
            } catch {
              // Nor can such a document be inserted.
            }
          }
          if (kept.length === 0) return
          await plain.insertMany(kept)
          const ids = async (collection: typeof plain) =>
            (
              await collection
                .find(filter)
                .sort({ a: descending ? -1 : 1, _id: 1 })
                .toArray()
            ).map(({ _id }) => _id as unknown)
          expect(await ids(indexed)).toEqual(await ids(plain))
        },
      ),
      { numRuns: 150 },
    )
  })
})
