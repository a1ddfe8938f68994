import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Document } from 'mongodb'
import { Status } from '../../src/embedded-mongo/status.js'
import type { Store } from '../../src/embedded-mongo/store.js'
import { type OpenStore, openStore } from './store.js'

let store: OpenStore
const warnings: string[] = []
beforeAll(async () => {
  store = await openStore({ onWarning: (warning) => warnings.push(warning) })
})
afterAll(() => store.close())

describe('explain (manual: "Explain Results")', () => {
  beforeAll(async () => {
    const collection = store.db.collection<Document>('messages')
    await collection.createIndex({ companyId: 1, at: -1 }, { name: 'newest' })
    const docs = Array.from({ length: 300 }, (_, n) => ({
      _id: n as never,
      companyId: n % 3,
      at: n,
      text: `text ${n}`,
    }))
    await collection.insertMany(docs)
  })

  const index = { stage: 'FETCH', inputStage: { stage: 'IXSCAN', indexName: 'newest' } }
  const cases: [what: string, command: Document, plan: Document, looked: number][] = [
    ['an equality', { find: 'messages', filter: { companyId: 1 } }, index, 100],
    [
      'an equality, sorted behind it',
      { find: 'messages', filter: { companyId: 1 }, sort: { at: -1 }, limit: 20 },
      index,
      20,
    ],
    ['the other way round', { find: 'messages', filter: { companyId: 1 }, sort: { at: 1 }, limit: 20 }, index, 20],
    ['a range behind an equality', { find: 'messages', filter: { companyId: 1, at: { $gt: 290 } } }, index, 3],
    ['ids', { find: 'messages', filter: { _id: 7 } }, { stage: 'EXPRESS_IXSCAN' }, 1],
    ['nothing that helps', { find: 'messages', filter: { text: 'text 7' } }, { stage: 'COLLSCAN' }, 300],
    ['a sort that no index gives', { find: 'messages', sort: { text: 1 }, limit: 1 }, { stage: 'SORT' }, 300],
    ['a count', { count: 'messages', query: { companyId: 1 } }, index, 100],
    ['a pipeline', { aggregate: 'messages', pipeline: [{ $match: { companyId: 2 } }], cursor: {} }, index, 100],
    ['an update', { update: 'messages', updates: [{ q: { companyId: 2 }, u: { $set: { a: 1 } } }] }, index, 1],
    ['a deletion', { delete: 'messages', deletes: [{ q: { companyId: 2 }, limit: 0 }] }, index, 100],
    ['a collection that is not there', { find: 'nothing' }, { stage: 'EOF' }, 0],
  ]
  it.each(cases)('says what %s is answered with, and changes nothing', async (_what, command, plan, looked) => {
    const explained = await store.db.command({ explain: command, verbosity: 'executionStats' })
    expect(explained.queryPlanner).toMatchObject({ winningPlan: plan })
    expect(explained.executionStats).toMatchObject({ totalDocsExamined: looked })
    expect(await store.db.collection('messages').countDocuments({ a: 1 })).toBe(0)
    expect(await store.db.collection('messages').countDocuments()).toBe(300)
  })
})

describe('a query without an index', () => {
  it('over more than ten thousand documents is counted, and named once a minute by its fields alone', async () => {
    const collection = store.db.collection<Document>('large')
    await collection.insertMany(Array.from({ length: 10_001 }, (_, n) => ({ n, secret: `customer ${n}` })))
    for (let i = 0; i < 3; i++) await collection.findOne({ secret: 'nobody', n: -1 })
    await collection.findOne({ n: 5 })
    const { embeddedStore } = await store.db.admin().command({ serverStatus: 1 })
    expect(embeddedStore).toMatchObject({ longScans: 3 })
    expect(warnings).toEqual([
      'a query looked at all 10001 documents of test.large by {secret, n}: it has no index to use',
    ])
  })
})

describe('the edge of what it is made for', () => {
  const holding = (documents: number, bytes: number): Store =>
    ({ collections: new Map([['c', { slots: { size: documents }, bytes }]]) }) as unknown as Store

  it('is told of from 70 % on, again at every tenth, and again after it was left', () => {
    const told: string[] = []
    const size = { size: 0 }
    const growing = { collections: new Map([['c', { slots: size, bytes: 0 }]]) } as unknown as Store
    const status = new Status(growing, (warning) => told.push(warning))
    for (const percent of [10, 69, 70, 71, 75, 80, 81, 95, 60, 72]) {
      size.size = percent * 4000
      status.checkCapacity()
    }
    expect(told.map((warning) => /is (\d+) % full/.exec(warning)?.[1])).toEqual(['70', '80', '95', '72'])
    expect(told[0]).toContain('npm run migrate-store -- --to URI')
  })

  it('is reached by many documents or by large ones', () => {
    const percentOf = (documents: number, bytes: number) =>
      new Status(holding(documents, bytes), () => {}).report().fullPercent
    expect([percentOf(200_000, 0), percentOf(0, 100 * 1024 * 1024), percentOf(400_000, 1)]).toEqual([50, 25, 100])
  })

  it('follows insertions, changes and deletions, also those that are taken back', async () => {
    const collection = store.db.collection<Document>('followed')
    const read = async () => (await store.db.admin().command({ serverStatus: 1 })).embeddedStore as Document
    const before = await read()
    await collection.insertMany([
      { _id: 1 as never, u: 1 },
      { _id: 2 as never, u: 2 },
    ])
    await collection.createIndex({ u: 1 }, { unique: true })
    const full = await read()
    expect((full.documents as number) - (before.documents as number)).toBe(2)
    await expect(collection.updateMany({}, { $set: { u: 3, more: 'x'.repeat(100) } })).rejects.toThrow('E11000')
    expect(await read()).toEqual(full)
    await collection.deleteMany({})
    expect(await read()).toEqual(before)
    await collection.insertOne({ text: 'x' })
    await collection.drop()
    expect(await read()).toEqual(before)
  })
})
