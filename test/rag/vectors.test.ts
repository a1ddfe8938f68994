import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { AppError } from '../../src/platform/errors.js'
import { ensureSchema } from '../../src/platform/mongo.js'
import { hashOf, RECIPE } from '../../src/rag/embedding.js'
import { openTestMongo } from '../support/mongo.js'
import { never, openEmbedder, openLibrary, trigrams } from './library.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
beforeEach(async () => {
  mongo = await openTestMongo()
})
afterEach(() => mongo.close())

const REFUNDS = { title: 'Refunds', text: 'The refund arrives seven days after the parcel is back.' }
const manual = (sections: number, note = '') => ({
  title: 'Manual',
  format: 'markdown' as const,
  text:
    Array.from({ length: sections }, (_, at) => `## Part ${at}\n\nPart ${at} explains the lever number ${at}.`).join(
      '\n\n',
    ) + note,
})

const PARTS = ['lever', 'wheel', 'valve', 'spring', 'handle', 'piston']

const stored = async (): Promise<
  { model: string; vectors: { _id: unknown; companyId: unknown; documentId: unknown }[] }[]
> => {
  const versions = await mongo.db.collection('embedding_versions').find({}).sort({ chosenAt: 1 }).toArray()
  return Promise.all(
    versions.map(async ({ _id, model }) => ({
      model: model as string,
      vectors: (await mongo.db
        .collection(`vectors_${String(_id)}`)
        .find({}, { projection: { companyId: 1, documentId: 1 } })
        .toArray()) as never,
    })),
  )
}
const storedVectors = async () => (await stored()).flatMap(({ vectors }) => vectors)

const outage = (code: string, details = {}) => new AppError('unavailable', code, 'The model is away.', details)
const bad: [what: string, behave: (texts: readonly string[]) => Promise<Float32Array[]>][] = [
  ['fails', () => Promise.reject(outage('model_failed'))],
  ['gives too few vectors', async (texts) => texts.slice(1).map((text) => trigrams(text, 64))],
  ['gives vectors of another size', async (texts) => texts.map((text, at) => trigrams(text, at === 0 ? 64 : 32))],
  ['gives no numbers', async (texts) => texts.map(() => new Float32Array(64).fill(NaN))],
  ['gives vectors without a direction', async (texts) => texts.map(() => new Float32Array(64))],
]

describe('A document that is ready', () => {
  it('is embedded in the background, and the company is served by its vectors when all of it is', async () => {
    const { embedder } = openEmbedder()
    const { add, vectors, embedAll, search } = await openLibrary(mongo, { embedder })
    const documentId = await add('acme', REFUNDS)
    await add('acme', manual(3))
    expect((await search.retrieve('acme', 'refund')).vectors).toBe('incomplete')
    expect(await vectors.coverage('acme')).toEqual({
      model: 'trigrams-64',
      embedded: 0,
      passages: 4,
      complete: false,
      serving: null,
    })
    await vectors.embedDocument('acme', documentId, never)
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 1, passages: 4, complete: false, serving: null })
    expect((await search.retrieve('acme', 'refund')).vectors).toBe('incomplete')
    await embedAll()
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 4, complete: true, serving: 'trigrams-64' })
    expect((await search.retrieve('acme', 'refund')).vectors).toBe('used')
    expect(await vectors.dueForEmbedding(new Date('2030-01-01'))).toEqual([])
  })

  it('is embedded once, however many runs there are at once', async () => {
    const { embedder, texts } = openEmbedder()
    const { add, vectors } = await openLibrary(mongo, { embedder })
    const documentId = await add('acme', manual(150))
    await vectors.embedDocument('acme', await add('acme', REFUNDS), never)
    texts.length = 0
    await Promise.all([1, 2, 3].map(() => vectors.embedDocument('acme', documentId, never)))
    await vectors.embedDocument('acme', documentId, never)
    expect(texts).toHaveLength(150)
    expect(new Set(texts).size).toBe(150)
    expect(await storedVectors()).toHaveLength(151)
  })

  it('is asked for in requests of at most 64 texts and a bounded length', async () => {
    const { embedder, state, good } = openEmbedder()
    const sizes: number[] = []
    state.behave = async (asked) => {
      sizes.push(asked.length)
      expect(asked.join('').length).toBeLessThan(40_000)
      return good(asked)
    }
    const { add, embedAll } = await openLibrary(mongo, { embedder })
    await add('acme', manual(150))
    await add('acme', {
      title: 'Long',
      text: 'A sentence about the lever and its many uses in the field. '.repeat(2_000),
    })
    await embedAll()
    expect(Math.max(...sizes)).toBe(64)
  })

  it('is embedded again where its text changed, and nowhere else', async () => {
    const { embedder, texts } = openEmbedder()
    const { add, knowledge, embedAll, vectors } = await openLibrary(mongo, { embedder })
    const documentId = await add('acme', manual(20))
    await embedAll()
    texts.length = 0
    await knowledge.replaceDocument('acme', documentId, manual(20, '\n\nThe last lever is red.'))
    await knowledge.indexDocument('acme', documentId)
    await embedAll()
    expect(texts).toEqual(['Manual > Part 19\nPart 19 explains the lever number 19.\n\nThe last lever is red.'])
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 20, passages: 20, complete: true })
  })

  it('keeps its vectors from those whom it is not for any more, without being embedded again', async () => {
    const { embedder, texts } = openEmbedder()
    const { add, knowledge, embedAll, vectors } = await openLibrary(mongo, { embedder })
    const documentId = await add('acme', REFUNDS)
    await embedAll()
    texts.length = 0
    await knowledge.replaceDocument('acme', documentId, { ...REFUNDS, audience: 'staff' })
    await knowledge.indexDocument('acme', documentId)
    await embedAll()
    expect(texts).toEqual([])
    const near = (audiences: string[]) => vectors.nearest('acme', 'refund', { audiences }, 5, never)
    expect(await near(['public'])).toEqual({ kind: 'found', hits: [] })
    expect(await near(['public', 'staff'])).toMatchObject({ hits: [{ documentId }] })
  })

  it('leaves no vector behind when it is deleted, also in the middle', async () => {
    const { embedder, state, good } = openEmbedder()
    const { add, knowledge, vectors } = await openLibrary(mongo, { embedder })
    const kept = await add('acme', REFUNDS)
    await vectors.embedDocument('acme', kept, never)
    const documentId = await add('acme', manual(150))
    state.behave = async (asked) => {
      state.behave = null
      await knowledge.deleteDocument('acme', documentId)
      await vectors.forget('acme', documentId)
      return good(asked)
    }
    await vectors.embedDocument('acme', documentId, never)
    expect(await storedVectors()).toMatchObject([{ documentId: kept }])
    await knowledge.deleteDocument('acme', kept)
    await vectors.forget('acme', kept)
    expect(await storedVectors()).toEqual([])
  })

  it('that was deleted by a process which died at once is tidied up at the next start', async () => {
    const { embedder } = openEmbedder()
    const { add, knowledge, embedAll, vectors } = await openLibrary(mongo, { embedder })
    const gone = await add('acme', REFUNDS)
    const kept = await add('acme', manual(2))
    await embedAll()
    await knowledge.deleteDocument('acme', gone)
    expect(await storedVectors()).toHaveLength(3)
    await vectors.forgetOrphans()
    expect((await storedVectors()).map(({ documentId }) => documentId)).toEqual([kept, kept])
  })
})

describe('While the embedder', () => {
  it.each(bad)(
    '%s, nothing is stored, documents are found by their words, and it is tried again later',
    async (_what, behave) => {
      const { embedder, state } = openEmbedder()
      const { add, vectors, search, knowledge, pass, embedAll, clock } = await openLibrary(mongo, { embedder })
      await vectors.embedDocument('acme', await add('acme', REFUNDS), never)
      const documentId = await add('acme', manual(3))
      state.behave = behave
      await expect(vectors.embedDocument('acme', documentId, never)).rejects.toMatchObject({ kind: 'unavailable' })
      expect(await knowledge.getDocument('acme', documentId)).toMatchObject({ status: 'ready' })
      expect(await vectors.coverage('acme')).toMatchObject({ embedded: 1, passages: 4, complete: false })
      expect((await search.searchPassages({ companyId: 'acme', query: 'lever number 2', k: 1 }))[0]?.documentId).toBe(
        documentId,
      )
      expect(await vectors.dueForEmbedding(clock.now())).toEqual([])
      pass(5_000)
      expect(await vectors.dueForEmbedding(clock.now())).toEqual([{ companyId: 'acme', documentId }])
      state.behave = null
      await embedAll()
      expect(await vectors.coverage('acme')).toMatchObject({ embedded: 4, complete: true })
    },
  )

  it('is away for long, it is asked less and less often', async () => {
    const { embedder, state, texts } = openEmbedder()
    state.behave = () => Promise.reject(outage('model_open'))
    const { add, vectors, pass, clock } = await openLibrary(mongo, { embedder })
    await add('acme', manual(3))
    const waits: number[] = []
    for (let tries = 0; tries < 9; tries += 1) {
      const [due] = await vectors.dueForEmbedding(clock.now())
      await vectors.embedDocument('acme', due!.documentId, never).catch(() => {})
      let seconds = 0
      for (; (await vectors.dueForEmbedding(clock.now())).length === 0; seconds += 5) pass(5_000)
      waits.push(seconds)
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300])
    expect(texts).toHaveLength(9)
  })

  it('hangs, a stop ends the run, and the document is due at once', async () => {
    const { embedder, state } = openEmbedder()
    const { add, vectors, clock } = await openLibrary(mongo, { embedder })
    await vectors.embedDocument('acme', await add('acme', REFUNDS), never)
    const documentId = await add('acme', manual(3))
    const stop = new AbortController()
    state.behave = () => {
      setTimeout(() => stop.abort(), 5)
      return new Promise(() => {})
    }
    await vectors.embedDocument('acme', documentId, stop.signal)
    expect(await vectors.dueForEmbedding(clock.now())).toEqual([{ companyId: 'acme', documentId }])
  })

  it('refuses one text, the others are embedded and the count says so', async () => {
    const { embedder, state, good } = openEmbedder()
    const { add, vectors, embedAll, search } = await openLibrary(mongo, { embedder })
    state.behave = async (asked) => {
      if (asked.some((text) => text.includes('number 2.'))) throw outage('model_refused')
      return good(asked)
    }
    await add('acme', manual(5))
    await embedAll()
    expect(await vectors.coverage('acme')).toMatchObject({
      embedded: 4,
      passages: 5,
      complete: false,
      serving: 'trigrams-64',
    })
    expect(
      (await search.searchPassages({ companyId: 'acme', query: 'lever number 2', k: 5 })).map(({ text }) => text),
    ).toContain('Part 2 explains the lever number 2.')
  })

  it('refuses everything, as with a wrong key, no document is given up', async () => {
    const { embedder, state } = openEmbedder()
    const { add, vectors, pass, embedAll } = await openLibrary(mongo, { embedder })
    await vectors.embedDocument('acme', await add('acme', REFUNDS), never)
    const documentId = await add('acme', manual(5))
    state.behave = () => Promise.reject(outage('model_refused'))
    await expect(vectors.embedDocument('acme', documentId, never)).rejects.toMatchObject({ code: 'model_refused' })
    state.behave = null
    pass(10_000)
    await embedAll()
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 6, passages: 6, complete: true })
  })

  it('is paid for by companies apart: the spent budget of one stops no other', async () => {
    const { embedder, good } = openEmbedder()
    const frugal = {
      ...embedder,
      embed: async (companyId: string, texts: readonly string[]) => {
        if (companyId === 'spent') throw outage('model_budget')
        return good(texts)
      },
    }
    const { add, vectors, clock } = await openLibrary(mongo, { embedder: frugal })
    for (let at = 0; at < 3; at += 1) await add('spent', { ...REFUNDS, title: `Refunds ${at}` })
    await add('acme', REFUNDS)
    for (let rounds = 0; rounds < 5; rounds += 1) {
      for (const { companyId, documentId } of await vectors.dueForEmbedding(clock.now()))
        await vectors.embedDocument(companyId, documentId, never).catch(() => {})
    }
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 1, complete: true })
    expect(await vectors.coverage('spent')).toMatchObject({ embedded: 0, complete: false, serving: null })
  })
})

describe('A process that is killed while it embeds', () => {
  it('has its work taken over after its lease, and what it stored is not embedded again', async () => {
    const { embedder, state, texts, good } = openEmbedder()
    const { add, vectors, pass, clock, embedAll } = await openLibrary(mongo, { embedder })
    await vectors.embedDocument('acme', await add('acme', REFUNDS), never)
    const documentId = await add('acme', manual(150))
    let requests = 0
    const died = new Promise<void>((resolve) => {
      state.behave = async (asked) => {
        if (++requests < 3) return good(asked)
        resolve()
        return new Promise(() => {})
      }
    })
    // Never ends: as far as the others can see, its process is gone.
    void vectors.embedDocument('acme', documentId, never).catch(() => {})
    await died
    state.behave = null
    expect(await vectors.dueForEmbedding(clock.now())).toEqual([])
    await vectors.embedDocument('acme', documentId, never)
    expect(await storedVectors()).toHaveLength(129)
    texts.length = 0
    pass(90_000)
    await embedAll()
    expect(texts).toHaveLength(22)
    expect(await vectors.coverage('acme')).toMatchObject({ embedded: 151, passages: 151, complete: true })
  })
})

describe('A change of the model', () => {
  it('goes on in the background, through a kill, while searches use the vectors that are complete and never both', async () => {
    const small = openEmbedder('small', 384)
    const before = await openLibrary(mongo, { embedder: small.embedder })
    for (let at = 0; at < 6; at += 1) {
      const { text, ...rest } = manual(40)
      const named = text.replaceAll('the lever', `the ${PARTS[at]}`)
      await before.add('acme', { ...rest, text: named, title: `Manual ${at}` })
    }
    await before.embedAll()

    const large = openEmbedder('large', 768)
    const after = await openLibrary(mongo, {
      embedder: large.embedder,
      earlier: (model) => (model === 'small' ? small.embedder : null),
    })
    const seen: string[] = []
    let searching = true
    const traffic = (async () => {
      for (let at = 0; searching; at += 1) {
        const asked = `${PARTS[at % PARTS.length]} number ${at % 40} of part ${at % 40}`
        small.texts.length = large.texts.length = 0
        const { ranked, vectors } = await after.search.retrieve('acme', asked)
        const bySmall = small.texts.includes(asked)
        const byLarge = large.texts.includes(asked)
        expect(bySmall && byLarge).toBe(false)
        expect(vectors).toBe('used')
        expect(ranked.length).toBeGreaterThan(0)
        expect(ranked.some(({ features }) => features.vectorRank === 1)).toBe(true)
        if (bySmall || byLarge) seen.push(bySmall ? 'small' : 'large')
      }
    })()

    await killedWhileEmbedding(mongo.db.databaseName, 3)
    const halfway = await stored()
    expect(halfway.map(({ model }) => model)).toEqual(['small', 'large'])
    expect(halfway[1]!.vectors.length).toBeGreaterThan(0)
    expect(halfway[1]!.vectors.length).toBeLessThan(240)
    expect(await after.vectors.coverage('acme')).toMatchObject({ model: 'large', complete: false, serving: 'small' })
    expect(await mongo.db.collection('embedding_companies').findOne({ _id: 'acme' as never })).toMatchObject({
      serving: hashOf('small', 384, RECIPE),
    })

    // The killed process ran by the real clock.
    after.pass(Date.now() + 100_000 - after.clock.now().getTime())
    await after.embedAll()
    await after.search.retrieve('acme', 'the last question, of the new model')
    searching = false
    await traffic
    expect(seen).toContain('small')
    expect(await after.vectors.coverage('acme')).toEqual({
      model: 'large',
      embedded: 240,
      passages: 240,
      complete: true,
      serving: 'large',
    })
    expect((await stored()).map(({ model }) => model)).toEqual(['large'])
    const left = await mongo.db.listCollections({}, { nameOnly: true }).toArray()
    expect(left.map(({ name }) => name).filter((name) => name.startsWith('vectors_'))).toEqual([
      `vectors_${hashOf('large', 768, RECIPE)}`,
    ])
    large.texts.length = 0
    expect((await after.search.retrieve('acme', 'which lever is the last')).vectors).toBe('used')
    expect(large.texts).toEqual(['which lever is the last'])
  })

  it('leaves the vectors of other companies alone until they are ready too', async () => {
    const small = openEmbedder('small', 32)
    const before = await openLibrary(mongo, { embedder: small.embedder })
    await before.add('acme', REFUNDS)
    const slow = await before.add('slow', REFUNDS)
    await before.embedAll()
    const large = openEmbedder('large', 48)
    const after = await openLibrary(mongo, { embedder: large.embedder, earlier: () => small.embedder })
    after.pass(1_000)
    const [acme] = (await mongo.db.collection('documents').find({ companyId: 'acme' }).toArray()) as unknown as {
      _id: string
    }[]
    await after.vectors.embedDocument('acme', acme!._id, never)
    expect(await after.vectors.coverage('acme')).toMatchObject({ serving: 'large', complete: true })
    expect(await after.vectors.coverage('slow')).toMatchObject({ serving: 'small', complete: false })
    expect((await after.search.retrieve('slow', 'refund')).vectors).toBe('used')
    // The last document that was left of the old model goes: nobody needs it any more.
    await after.knowledge.deleteDocument('slow', slow)
    await after.embedAll()
    expect((await stored()).map(({ model }) => model)).toEqual(['large'])
  })

  it('whose old model cannot be asked any more searches by words until it is done', async () => {
    const before = await openLibrary(mongo, { embedder: openEmbedder('small', 32).embedder })
    await before.add('acme', REFUNDS)
    await before.embedAll()
    const after = await openLibrary(mongo, { embedder: openEmbedder('large', 48).embedder })
    const { ranked, vectors } = await after.search.retrieve('acme', 'refund')
    expect({ vectors, found: ranked.length }).toEqual({ vectors: 'model_gone', found: 1 })
  })

  it('back to the one before embeds nothing twice', async () => {
    const small = openEmbedder('small', 32)
    const first = await openLibrary(mongo, { embedder: small.embedder })
    await first.add('acme', manual(10))
    await first.embedAll()
    const large = await openLibrary(mongo, { embedder: openEmbedder('large', 48).embedder })
    large.pass(1_000)
    const [due] = await large.vectors.dueForEmbedding(large.clock.now())
    const running = large.vectors.embedDocument('acme', due!.documentId, never)
    await running
    // It was taken back before the sweep dropped the old vectors.
    const again = await openLibrary(mongo, { embedder: small.embedder })
    again.pass(2_000)
    small.texts.length = 0
    await again.embedAll()
    expect(small.texts.filter((text) => text.startsWith('Manual'))).toEqual([])
    expect(await again.vectors.coverage('acme')).toMatchObject({
      model: 'small',
      embedded: 10,
      complete: true,
      serving: 'small',
    })
  })

  it('is left to the process that started last', async () => {
    const old = await openLibrary(mongo, { embedder: openEmbedder('small', 32).embedder })
    await old.add('acme', REFUNDS)
    await old.embedAll()
    const fresh = await openLibrary(mongo, { embedder: openEmbedder('large', 48).embedder })
    fresh.pass(1_000)
    const [due] = await fresh.vectors.dueForEmbedding(fresh.clock.now())
    await fresh.vectors.embedDocument('acme', due!.documentId, never)
    await old.add('acme', manual(2))
    expect(await old.vectors.dueForEmbedding(old.clock.now())).toEqual([])
    await fresh.embedAll()
    expect(await fresh.vectors.coverage('acme')).toMatchObject({ model: 'large', embedded: 3, complete: true })
  })

  it('to another size under the same name makes new vectors', async () => {
    const before = await openLibrary(mongo, { embedder: openEmbedder('local', 32).embedder })
    await before.add('acme', REFUNDS)
    await before.embedAll()
    const after = await openLibrary(mongo, { embedder: openEmbedder('local', 48).embedder })
    after.pass(1_000)
    expect((await after.search.retrieve('acme', 'refund')).vectors).toBe('mismatched')
    await after.embedAll()
    expect((await after.search.retrieve('acme', 'refund')).vectors).toBe('used')
    expect((await stored()).map(({ vectors }) => vectors.length)).toEqual([1])
  })

  it('meets an index made for other vectors: refused by name, and searches go on by words', async () => {
    const definition = { fields: [{ type: 'vector', path: 'vector', numDimensions: 7, similarity: 'cosine' }] }
    const collection = `vectors_${hashOf('trigrams-64', 64, RECIPE)}`
    await ensureSchema(mongo.db, [
      {
        collection,
        indexes: [{ key: { companyId: 1 } }],
        searchIndexes: [{ name: 'vectors', type: 'vectorSearch', definition }],
      },
    ])
    const { add, vectors, search } = await openLibrary(mongo, { embedder: openEmbedder().embedder })
    const documentId = await add('acme', REFUNDS)
    await expect(vectors.embedDocument('acme', documentId, never)).rejects.toMatchObject({
      code: 'embedding_index_differs',
      message: expect.stringMatching(/7 dimensions.*64/u) as unknown,
    })
    expect((await search.searchPassages({ companyId: 'acme', query: 'refund', k: 1 })).length).toBe(1)
  })
})

/** Another process that embeds by the new model, and is killed with its third request in the air. */
const killedWhileEmbedding = async (database: string, request: number): Promise<void> => {
  const dist = path.resolve(import.meta.dirname, '../../dist')
  const script = `
    const { connectMongo } = await import('${dist}/platform/mongo.js')
    const { makeVectors } = await import('${dist}/rag/vectors.mongo.js')
    const mongo = await connectMongo(process.env.TEST_MONGODB_URI, '${database}')
    let requests = 0
    const embed = async (_companyId, texts) => {
      if (++requests > ${request}) { console.log('now'); await new Promise(() => {}) }
      return texts.map((text, at) => Float32Array.from({ length: 768 }, (_, i) => Math.sin(i + at + text.length)))
    }
    const vectors = makeVectors({ mongo, clock: { now: () => new Date() }, embedder: { model: 'large', embed } })
    for (;;) {
      for (const { companyId, documentId } of await vectors.dueForEmbedding(new Date()))
        await vectors.embedDocument(companyId, documentId, new AbortController().signal)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}
