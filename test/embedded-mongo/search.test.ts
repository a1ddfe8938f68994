import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Collection, Document } from 'mongodb'
import { type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
let passages: Collection<Document>
const definition = {
  analyzer: 'lucene.whitespace',
  searchAnalyzer: 'lucene.whitespace',
  mappings: {
    dynamic: false,
    fields: {
      terms: { type: 'string', analyzer: 'lucene.whitespace' },
      headingTerms: { type: 'string' },
      companyId: { type: 'token' },
      audience: { type: 'token' },
    },
  },
}
beforeAll(async () => {
  store = await openStore()
  passages = store.db.collection('passages')
  await passages.insertMany([
    { _id: 1 as never, companyId: 'a', terms: 'refund after return', headingTerms: 'refund' },
    { _id: 2 as never, companyId: 'a', terms: 'return label by post post', headingTerms: 'return' },
    { _id: 3 as never, companyId: 'b', terms: 'refund refund refund', audience: 'staff' },
    { _id: 4 as never, companyId: 'a' },
  ])
  await passages.createSearchIndex({ name: 'passages', definition })
})
afterAll(() => store.close())

const search = async (operator: Document): Promise<Document[]> =>
  store.db
    .collection('passages')
    .aggregate([{ $search: { index: 'passages', ...operator } }, { $project: { score: { $meta: 'searchScore' } } }])
    .toArray()
const ids = async (operator: Document): Promise<unknown[]> => (await search(operator)).map(({ _id }) => _id as unknown)
const company = (value: string) => ({ equals: { path: 'companyId', value } })

describe('$search (Atlas Search: Operators)', () => {
  const cases: [rule: string, operator: Document, ids: number[]][] = [
    ['text finds any of the terms, best first', { text: { query: 'refund return', path: 'terms' } }, [1, 3, 2]],
    ['text over two paths adds up', { text: { query: 'return', path: ['terms', 'headingTerms'] } }, [2, 1]],
    [
      'text with matchCriteria all needs every term',
      { text: { query: 'refund return', path: 'terms', matchCriteria: 'all' } },
      [1],
    ],
    ['phrase needs the order', { phrase: { query: 'after return', path: 'terms' } }, [1]],
    ['phrase does not find the terms apart', { phrase: { query: 'refund return', path: 'terms' } }, []],
    ['equals', { equals: { path: 'audience', value: 'staff' } }, [3]],
    ['in', { in: { path: 'companyId', value: ['b', 'c'] } }, [3]],
    ['exists', { exists: { path: 'headingTerms' } }, [1, 2]],
    [
      'compound filters without scoring',
      { compound: { must: [{ text: { query: 'refund', path: 'terms' } }], filter: [company('a')] } },
      [1],
    ],
    [
      'compound mustNot',
      { compound: { filter: [company('a')], mustNot: [{ text: { query: 'refund', path: 'terms' } }] } },
      [2, 4],
    ],
    [
      'compound should is optional beside a filter',
      { compound: { filter: [company('a')], should: [{ text: { query: 'post', path: 'terms' } }] } },
      [2, 1, 4],
    ],
    [
      'compound minimumShouldMatch',
      {
        compound: {
          filter: [company('a')],
          should: [{ text: { query: 'post', path: 'terms' } }],
          minimumShouldMatch: 1,
        },
      },
      [2],
    ],
    [
      'a boost changes the order',
      {
        compound: {
          should: [
            { text: { query: 'return', path: 'terms' } },
            { text: { query: 'refund', path: 'headingTerms', score: { boost: { value: 50 } } } },
          ],
        },
      },
      [1, 2],
    ],
  ]
  it.each(cases)('%s', async (_rule, operator, expected) => {
    expect(await ids(operator)).toEqual(expected)
  })

  it('scores with BM25 over the whole index, whatever is filtered', async () => {
    // N = 3 documents with terms, n = 2 with "refund", average length 11 / 3.
    const idf = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    const weight = (frequency: number, length: number) =>
      frequency / (frequency + 1.2 * (0.25 + (0.75 * length) / (11 / 3)))
    const [best, next] = await search({ text: { query: 'refund', path: 'terms' } })
    expect(best).toMatchObject({ _id: 3, score: expect.closeTo(idf * weight(3, 3), 10) as unknown })
    expect(next).toMatchObject({ _id: 1, score: expect.closeTo(idf * weight(1, 3), 10) as unknown })
    const [filtered] = await search({
      compound: { must: [{ text: { query: 'refund', path: 'terms' } }], filter: [company('a')] },
    })
    expect(filtered!.score).toBe(next!.score)
  })

  it('gives the first few of what it gives without a limit', async () => {
    const many = store.db.collection('many')
    const words = ['refund', 'return', 'post', 'label']
    await many.insertMany(
      Array.from({ length: 300 }, (_, at) => ({
        _id: at as never,
        companyId: at % 3 === 0 ? 'a' : 'b',
        terms: words.filter((_word, bit) => (at >> bit) & 1).join(' '),
      })),
    )
    await many.createSearchIndex({ name: 'passages', definition })
    const text = { text: { query: 'refund return post', path: 'terms' } }
    const operators = [text, { compound: { should: [text], filter: [company('a')], minimumShouldMatch: 1 } }]
    for (const operator of operators) {
      const found = (limit: number) =>
        many
          .aggregate([
            { $search: { index: 'passages', ...operator } },
            { $limit: limit },
            { $project: { companyId: 1, score: { $meta: 'searchScore' } } },
          ])
          .toArray()
      const all = await found(2_000)
      expect(all.length).toBeGreaterThan(80)
      expect(all.map(({ score }) => score as number)).toEqual(
        all.map(({ score }) => score as number).sort((a, b) => b - a),
      )
      for (const limit of [1, 7, 50, 299]) expect(await found(limit)).toEqual(all.slice(0, limit))
    }
  })

  it('follows every write, and is there again after a restart', async () => {
    await passages.insertOne({ _id: 9 as never, companyId: 'z', terms: 'unicorn' })
    expect(await ids({ text: { query: 'unicorn', path: 'terms' } })).toEqual([9])
    await passages.updateOne({ _id: 9 as never }, { $set: { terms: 'dragon dragon' } })
    expect(await ids({ text: { query: 'unicorn', path: 'terms' } })).toEqual([])
    const [before] = await search({ text: { query: 'dragon return', path: 'terms' } })
    await store.restart()
    passages = store.db.collection('passages')
    expect((await search({ text: { query: 'dragon return', path: 'terms' } }))[0]).toEqual(before)
    await passages.deleteOne({ _id: 9 as never })
    expect(await ids({ text: { query: 'dragon', path: 'terms' } })).toEqual([])
    expect(await passages.listSearchIndexes('passages').toArray()).toMatchObject([
      { name: 'passages', status: 'READY', queryable: true, latestDefinition: definition },
    ])
  })

  const refused: [what: string, operator: Document, code: number][] = [
    ['an operator that is not served', { autocomplete: { query: 'x', path: 'terms' } }, 238],
    ['fuzzy', { text: { query: 'x', path: 'terms', fuzzy: {} } }, 115],
    ['slop', { phrase: { query: 'x y', path: 'terms', slop: 2 } }, 238],
    ['highlight', { text: { query: 'x', path: 'terms' }, highlight: { path: 'terms' } }, 115],
    ['a path that is not indexed', { text: { query: 'x', path: 'nowhere' } }, 2],
    ['a token where text is needed', { text: { query: 'x', path: 'companyId' } }, 2],
  ]
  it.each(refused)('refuses %s by name', async (_what, operator, code) => {
    expect((await refusal(search(operator))).code).toBe(code)
  })

  it('refuses an analyser that it does not have', async () => {
    const other = { name: 'other', definition: { mappings: { dynamic: false, fields: { terms: { type: 'string' } } } } }
    expect((await refusal(passages.createSearchIndex(other))).code).toBe(115)
  })

  it('is refused inside a transaction', async () => {
    await store.client.withSession(async (session) => {
      session.startTransaction()
      const inside = passages
        .aggregate([{ $search: { index: 'passages', exists: { path: 'terms' } } }], { session })
        .toArray()
      expect((await refusal(inside)).code).toBe(263)
      await session.abortTransaction()
    })
  })
})
