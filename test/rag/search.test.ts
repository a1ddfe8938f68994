import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Binary } from 'mongodb'
import { AppError } from '../../src/platform/errors.js'
import { hashOf, RECIPE } from '../../src/rag/embedding.js'
import type { DocumentDraft } from '../../src/rag/drafts.js'
import { makeSearch, type SearchFilter } from '../../src/rag/search.mongo.js'
import { openTestMongo } from '../support/mongo.js'
import { openPlayer } from '../support/openai.mjs'
import { openEmbedder, openLibrary } from './library.js'
import { openProvider } from './provider.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
beforeEach(async () => {
  mongo = await openTestMongo()
})
afterEach(() => mongo.close())

/** Whatever it is asked, everything is as near as can be: only a filter keeps things apart. */
const everythingIsNear = () =>
  openEmbedder('all-the-same', 8, (_text, dimensions) => new Float32Array(dimensions).fill(1))

/** Knows that some words mean the same: each group has a dimension of its own. */
const GROUPS = [
  /refund|money back|reimburse/iu,
  /parcel|package|shipment/iu,
  /password|log ?in|sign ?in/iu,
  /invoice|bill/iu,
]
const meanings = () =>
  openEmbedder('meanings', GROUPS.length + 1, (text) => {
    const vector = Float32Array.from(GROUPS, (group) => (group.test(text) ? 1 : 0))
    const whole = Float32Array.of(...vector, 0.1)
    const length = Math.hypot(...whole)
    return whole.map((number) => number / length)
  })

const vectorsOf = (model: string, dimensions: number) =>
  mongo.db.collection(`vectors_${hashOf(model, dimensions, RECIPE)}`)

const REFUNDS = { title: 'Refunds', text: 'The refund arrives seven days after the parcel is back.' }
const INVOICES = { title: 'Invoices', text: 'Invoices are sent on the first of each month.' }
const SIGN_IN = { title: 'Passwords', text: 'A password has twelve characters.' }

describe('One company never finds what another one has', () => {
  const CANARY = 'The safe word of COMPANY is xylophone-COMPANY.'
  const canary = (company: string): DocumentDraft => ({ title: 'Secrets', text: CANARY.replaceAll('COMPANY', company) })
  const questions: [by: string, query: string][] = [
    ['words', 'What is the safe word?'],
    ['the other company’s own secret', 'xylophone-beta'],
    ['vectors, with no word in common', 'Quelque chose de tout à fait différent'],
  ]

  it.each(questions)('by %s', async (_by, query) => {
    const { add, embedAll, search, vectors } = await openLibrary(mongo, everythingIsNear())
    const documents = new Map<string, string[]>()
    for (const company of ['alpha', 'beta', 'gamma']) {
      documents.set(company, [await add(company, canary(company)), await add(company, REFUNDS)])
    }
    await embedAll()
    for (const [company, own] of documents) {
      const retrieval = await search.retrieve(company, [query, 'safe word'])
      expect(retrieval.vectors).toBe('used')
      expect(retrieval.ranked.map(({ candidate }) => candidate.documentId).sort()).toEqual([...own].sort())
      const others = ['alpha', 'beta', 'gamma'].filter((other) => other !== company)
      for (const other of others)
        expect(JSON.stringify(retrieval.ranked.map(({ candidate }) => candidate))).not.toContain(`xylophone-${other}`)
      const near = await vectors.nearest(company, query, {}, 50, new AbortController().signal)
      expect(near.kind === 'found' && near.hits.map(({ documentId }) => documentId).sort()).toEqual([...own].sort())
    }
    expect((await search.retrieve('nobody', query)).ranked).toEqual([])
  })

  it('and another one’s passages, however many and however near, leave room for its own', async () => {
    const { add, embedAll, search } = await openLibrary(mongo, everythingIsNear())
    const sections = Array.from(
      { length: 120 },
      (_, at) => `## Refund ${at}\n\nRefund refund refund number ${at}: refund it.`,
    )
    await add('beta', { title: 'Refund', format: 'markdown', text: sections.join('\n\n') })
    const own = await add('alpha', {
      title: 'Mail',
      text: 'Somewhere in a long text about parcels there is a refund, once.',
    })
    const other = await add('alpha', INVOICES)
    await embedAll()
    expect(
      (await makeSearch({ mongo }).retrieve('alpha', 'refund')).ranked.map(({ candidate }) => candidate.documentId),
    ).toEqual([own])
    const { ranked } = await search.retrieve('alpha', 'refund')
    expect(ranked.map(({ candidate }) => candidate.documentId).sort()).toEqual([own, other].sort())
  })

  /** Each holds when the ones before it fail. */
  const forged: [what: string, forge: (secret: { _id: never; own: string }) => Promise<unknown>][] = [
    ['a vector', ({ _id }) => vectorsOf('all-the-same', 8).updateOne({ _id }, { $set: { companyId: 'alpha' } })],
    [
      'a vector and its passage’s document',
      async ({ _id, own }) => {
        await vectorsOf('all-the-same', 8).updateOne({ _id }, { $set: { companyId: 'alpha', documentId: own } })
        await mongo.db.collection('passages').updateOne({ _id }, { $set: { documentId: own } })
      },
    ],
    [
      'a vector and its passage',
      async ({ _id }) => {
        await vectorsOf('all-the-same', 8).updateOne({ _id }, { $set: { companyId: 'alpha' } })
        await mongo.db.collection('passages').updateOne({ _id }, { $set: { companyId: 'alpha' } })
      },
    ],
  ]
  it.each(forged)('even when %s says that it may', async (_what, forge) => {
    const { add, embedAll, search } = await openLibrary(mongo, everythingIsNear())
    const secret = await add('beta', canary('beta'))
    const own = await add('alpha', REFUNDS)
    await embedAll()
    const passage = await mongo.db.collection('passages').findOne({ documentId: secret })
    await forge({ _id: passage!._id as never, own })
    for (const query of ['refund', 'safe word xylophone']) {
      const { ranked } = await search.retrieve('alpha', query)
      expect(ranked.map(({ candidate }) => candidate.text)).toEqual([REFUNDS.text])
    }
  })
})

describe('A filter holds for words and vectors', () => {
  const filters: [what: string, filter: SearchFilter, titles: string[]][] = [
    ['audience', { audience: 'partner' }, ['All', 'Partner']],
    ['another audience', { audience: 'public' }, ['All']],
    ['language', { language: 'de' }, ['German']],
    ['metadata', { metadata: { product: 'kettle' } }, ['Kettle']],
    ['two of metadata', { metadata: { product: 'kettle', year: 2025 } }, []],
  ]
  it.each(filters)('by %s', async (_what, filter, titles) => {
    const { add, embedAll, search } = await openLibrary(mongo, everythingIsNear())
    await add('acme', { title: 'All', text: 'The lever of the machine is red.', language: 'en' })
    await add('acme', {
      title: 'Partner',
      text: 'Partners pull the lever of any machine.',
      language: 'en',
      audience: 'partner',
    })
    await add('acme', {
      title: 'German',
      text: 'Lever heißt an der Machine der Hebel.',
      language: 'de',
      audience: 'staff',
    })
    await add('acme', {
      title: 'Kettle',
      text: 'A kettle has no lever and is no machine.',
      language: 'en',
      audience: 'staff',
      metadata: { product: 'kettle', year: 2024 },
    })
    await embedAll()
    for (const query of ['lever machine', 'zzz']) {
      const { ranked } = await search.retrieve('acme', query, filter)
      expect(ranked.map(({ candidate }) => candidate.title).sort()).toEqual(titles)
    }
  })

  it('by document', async () => {
    const { add, embedAll, search } = await openLibrary(mongo, everythingIsNear())
    await add('acme', REFUNDS)
    const documentId = await add('acme', INVOICES)
    await embedAll()
    const { ranked } = await search.retrieve('acme', 'refund', { documentId })
    expect(ranked.map(({ candidate }) => candidate.documentId)).toEqual([documentId])
  })

  it('also when a vector was made before the document was closed to others', async () => {
    const { embedder } = everythingIsNear()
    const { add, embedAll, knowledge, search } = await openLibrary(mongo, { embedder })
    const documentId = await add('acme', REFUNDS)
    await embedAll()
    await knowledge.replaceDocument('acme', documentId, { ...REFUNDS, audience: 'staff' })
    await knowledge.indexDocument('acme', documentId)
    expect((await search.retrieve('acme', 'anything', { audience: 'public' })).ranked).toEqual([])
    expect((await search.retrieve('acme', 'anything', { audience: 'staff' })).ranked).toHaveLength(1)
  })
})

describe('What says the same in several documents', () => {
  it('is found once, and the other one is there when the first is deleted', async () => {
    const { add, embedAll, knowledge, search } = await openLibrary(mongo, everythingIsNear())
    const ids = [await add('acme', REFUNDS), await add('acme', { ...REFUNDS, title: 'Refunds, copied' })]
    await embedAll()
    const found = async () =>
      (await search.retrieve('acme', 'refund')).ranked.map(({ candidate }) => candidate.documentId)
    const [first, ...others] = await found()
    expect(others).toEqual([])
    await knowledge.deleteDocument('acme', first!)
    expect(await found()).toEqual(ids.filter((id) => id !== first))
  })
})

describe('A question in other words', () => {
  it('is found by its meaning, and the record says which list found what', async () => {
    const { add, embedAll, search } = await openLibrary(mongo, meanings())
    await add('acme', INVOICES)
    const refunds = await add('acme', REFUNDS)
    await add('acme', SIGN_IN)
    await embedAll()
    const { ranked, vectors } = await search.retrieve('acme', 'When do I get reimbursed for my shipment?')
    expect(vectors).toBe('used')
    expect(ranked[0]).toMatchObject({
      candidate: { documentId: refunds, ordinal: 0 },
      features: { lexicalRank: null, vectorRank: 1, similarity: expect.closeTo(1, 2) as unknown },
    })
  })

  it('found by both lists comes before what one of them found', async () => {
    const { add, embedAll, search } = await openLibrary(mongo, meanings())
    const refunds = await add('acme', REFUNDS)
    await add('acme', {
      title: 'Word',
      text: 'Refund refund refund, says the parrot of the bill office when it must log in.',
    })
    await embedAll()
    const { ranked } = await search.retrieve('acme', 'refund of a parcel')
    expect(ranked[0]).toMatchObject({
      candidate: { documentId: refunds },
      features: { lexicalRank: 1, vectorRank: 1, fused: expect.closeTo(2 / 61, 10) as unknown },
    })
  })

  it('and as it was written searches for both and is judged by the first', async () => {
    const { add, search } = await openLibrary(mongo, meanings())
    const plain = makeSearch({ mongo })
    const refunds = await add('acme', REFUNDS)
    const invoices = await add('acme', INVOICES)
    const { ranked } = await plain.retrieve('acme', ['When does the refund arrive?', 'And the invoices?'])
    expect(ranked.map(({ candidate }) => candidate.documentId).sort()).toEqual([refunds, invoices].sort())
    expect(new Set(ranked.map(({ query }) => query)).size).toBe(1)
    const [first, second] = [refunds, invoices].map(
      (id) => ranked.find(({ candidate }) => candidate.documentId === id)!,
    )
    expect(first!.query.words.map(({ surface }) => surface)).toEqual(['refund', 'arrive'])
    expect(first!.features.lexicalRank).toBe(1)
    expect(second).toMatchObject({
      score: 0,
      features: { lexicalRank: null, fused: expect.closeTo(1 / 61, 10) as unknown },
    })
    expect((await search.retrieve('acme', ['the of', 'refund'])).ranked).toHaveLength(1)
    expect((await search.retrieve('acme', ['the of'])).ranked).toEqual([])
  })

  it('is embedded once, however often it is asked', async () => {
    const { embedder, texts } = meanings()
    const { add, embedAll, search } = await openLibrary(mongo, { embedder })
    await add('acme', REFUNDS)
    await embedAll()
    texts.length = 0
    for (let at = 0; at < 3; at += 1) await search.retrieve('acme', 'money back')
    expect(texts).toEqual(['money back'])
  })
})

describe('A search goes on by words when the embedder', () => {
  const faults: [what: string, behave: () => Promise<Float32Array[]>, vectors: string][] = [
    ['hangs', () => new Promise(() => {}), 'late'],
    ['fails', () => Promise.reject(new AppError('unavailable', 'model_open', 'no')), 'failed'],
    ['gives a vector of another size', async () => [new Float32Array(9).fill(1)], 'mismatched'],
    ['gives no numbers', async () => [new Float32Array(GROUPS.length + 1).fill(NaN)], 'mismatched'],
    ['gives nothing', async () => [], 'mismatched'],
  ]
  it.each(faults)('%s', async (_what, behave, vectors) => {
    const { embedder, state } = meanings()
    const { add, embedAll, search } = await openLibrary(mongo, { embedder, queryWithinMs: 50 })
    const documentId = await add('acme', REFUNDS)
    await embedAll()
    state.behave = behave
    const retrieval = await search.retrieve('acme', 'refund')
    expect(retrieval).toMatchObject({
      vectors,
      ranked: [
        { candidate: { documentId }, features: { lexicalRank: 1, vectorRank: null, similarity: null, fused: null } },
      ],
    })
    expect(retrieval).toEqual({
      ...(await makeSearch({ mongo }).retrieve('acme', 'refund')),
      vectors,
      statistics: expect.anything() as unknown,
    })
    state.behave = null
    expect((await search.retrieve('acme', 'refund')).vectors).toBe('used')
  })
})

describe('Whoever leaves', () => {
  it('stops the search, and the embedder is told', async () => {
    const { embedder, state } = meanings()
    const { add, embedAll, search } = await openLibrary(mongo, { embedder })
    await add('acme', REFUNDS)
    await embedAll()
    const leaving = new AbortController()
    const told = new Promise<unknown>((resolve) => {
      state.behave = (_texts, signal) => {
        signal.addEventListener('abort', () => resolve(signal.reason))
        leaving.abort(new Error('left'))
        return new Promise(() => {})
      }
    })
    await expect(search.retrieve('acme', 'refund', {}, { signal: leaving.signal })).rejects.toThrow('left')
    expect(await told).toMatchObject({ message: 'left' })
  })
})

describe('What is deleted or replaced', () => {
  it('is not found from that moment on, whoever searches meanwhile', async () => {
    const { add, embedAll, knowledge, vectors, search } = await openLibrary(mongo, everythingIsNear())
    await add('acme', INVOICES)
    await embedAll()
    const stale = new Set<string>()
    let searching = true
    const searches = Promise.all(
      [1, 2, 3].map(async () => {
        while (searching) {
          const forbidden = new Set(stale)
          const { ranked } = await search.retrieve('acme', ['refund parcel', 'something else'])
          for (const { candidate } of ranked) expect(forbidden.has(candidate.text)).toBe(false)
          expect(ranked.length).toBeGreaterThan(0)
        }
      }),
    )
    for (let round = 0; round < 12; round += 1) {
      const text = `The refund of round ${round} arrives with the parcel.`
      const documentId = await add('acme', { title: `Round ${round}`, text })
      await embedAll()
      if (round % 2 === 0) {
        await knowledge.deleteDocument('acme', documentId)
        stale.add(text)
        await vectors.forget('acme', documentId)
      } else {
        await knowledge.replaceDocument('acme', documentId, { title: `Round ${round}`, text: `${text} Again.` })
        stale.add(text)
        await knowledge.indexDocument('acme', documentId)
      }
    }
    searching = false
    await searches
  })

  it('is not found by a vector that was left behind', async () => {
    const { add, embedAll, knowledge, search } = await openLibrary(mongo, everythingIsNear())
    const documentId = await add('acme', REFUNDS)
    const kept = await add('acme', INVOICES)
    await embedAll()
    await mongo.db.collection('documents').deleteOne({ _id: documentId as never })
    expect((await search.retrieve('acme', 'refund')).ranked.map(({ candidate }) => candidate.documentId)).toEqual([
      kept,
    ])
    await knowledge.replaceDocument('acme', kept, { ...INVOICES, text: 'Invoices are sent every week.' })
    expect((await search.retrieve('acme', 'invoices')).ranked).toEqual([])
  })
})

describe('With a provider behind it', () => {
  it('a search is by its vectors, and by words when it hangs or fails', async () => {
    const player = await openPlayer({ dimensions: 384 })
    try {
      const { embedder, used } = openProvider({ baseUrl: player.baseUrl })
      const { add, embedAll, search, vectors } = await openLibrary(mongo, { embedder, queryWithinMs: 300 })
      const refunds = await add('acme', REFUNDS)
      await add('acme', INVOICES)
      await embedAll()
      expect(await vectors.coverage('acme')).toMatchObject({ model: 'player-e', embedded: 2, complete: true })
      const found = await search.retrieve('acme', 'When does the refund arrive?')
      expect(found).toMatchObject({
        vectors: 'used',
        ranked: [{ candidate: { documentId: refunds }, features: { vectorRank: 1 } }, {}],
      })
      expect(new Set(used.map(({ companyId, purpose }) => `${companyId} ${purpose}`))).toEqual(
        new Set(['acme embedding']),
      )
      player.behave('hanging')
      expect((await search.retrieve('acme', 'refund arrives')).vectors).toBe('late')
      player.behave({ kind: 'failing', status: 500 })
      const asked = await search.retrieve('acme', 'refunds arriving')
      expect(asked).toMatchObject({ vectors: 'failed', ranked: [{ candidate: { documentId: refunds } }] })
    } finally {
      await player.close()
    }
  })
})

describe('Vectors of a company', () => {
  it('are stored as float32, a quarter of what numbers take', async () => {
    const { add, embedAll } = await openLibrary(mongo, meanings())
    await add('acme', REFUNDS)
    await embedAll()
    const [stored] = await vectorsOf('meanings', GROUPS.length + 1)
      .find({})
      .toArray()
    expect((stored!.vector as Binary).toFloat32Array()).toHaveLength(GROUPS.length + 1)
    expect(stored).toMatchObject({ companyId: 'acme', audience: 'public', language: 'en', labels: [], version: 1 })
  })
})
