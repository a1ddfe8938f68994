// Search through the product (embedded store over its socket, ranking included), by words and by words and vectors, beside
// minisearch in the same process, over the same passages with the same questions, turn by turn.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import MiniSearch from 'minisearch'
import { embeddingOf } from '../../test/support/openai-embedding.mjs'
import { percentile } from './answer.mjs'
import { makeCorpus } from './corpus.mjs'

const PASSAGES = 10_000
const DIMENSIONS = 384
const QUERIES = 300
const WARM_UP = 20

export const search = async () => {
  const { startEmbeddedMongo } = await import('../../dist/embedded-mongo/index.js')
  const { systemClock } = await import('../../dist/platform/clock.js')
  const { connectMongo, ensureSchema } = await import('../../dist/platform/mongo.js')
  const { knowledgeSchema } = await import('../../dist/rag/documents.mongo.js')
  const { makeKnowledge } = await import('../../dist/rag/knowledge.mongo.js')
  const { makeSearch } = await import('../../dist/rag/search.mongo.js')
  const { makeVectors, vectorsSchema } = await import('../../dist/rag/vectors.mongo.js')

  const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const store = await startEmbeddedMongo({
    file: path.join(directory, 'bench.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  const mongo = await connectMongo(store.uri, 'bench')
  await ensureSchema(mongo.db, [...knowledgeSchema, ...vectorsSchema])
  const knowledge = makeKnowledge({ mongo, clock: systemClock })
  const { documents, questions } = makeCorpus(PASSAGES)
  for (const document of documents) {
    const { id } = await knowledge.addDocument('bench', document)
    await knowledge.indexDocument('bench', id)
  }

  const embedder = {
    model: 'trigrams',
    /** @param {string} _companyId @param {readonly string[]} texts */
    embed: async (_companyId, texts) => texts.map((text) => Float32Array.from(embeddingOf(text, DIMENSIONS))),
  }
  const vectors = makeVectors({ mongo, clock: systemClock, embedder })
  const never = new AbortController().signal
  const before = process.memoryUsage.rss()
  const embedding = performance.now()
  for (;;) {
    const due = await vectors.dueForEmbedding(systemClock.now())
    if (due.length === 0) break
    for (const { companyId, documentId } of due) await vectors.embedDocument(companyId, documentId, never)
  }
  const embeddedIn = performance.now() - embedding
  const building = performance.now()
  await vectors.responds()
  const builtIn = performance.now() - building
  const vectorsTake = process.memoryUsage.rss() - before

  const passages = await mongo.db
    .collection('passages')
    .find({}, { projection: { text: 1, headings: 1 } })
    .toArray()
  const peer = new MiniSearch({ fields: ['text', 'headings'], idField: 'id' })
  peer.addAll(passages.map(({ _id, text, headings }) => ({ id: _id, text, headings: headings.join(' ') })))

  /** @param {string} text */
  const byPeer = async (text) => peer.search(text).slice(0, 10)
  /** @param {Parameters<typeof makeSearch>[0]} needs */
  const byProduct = (needs) => {
    const { searchPassages } = makeSearch(needs)
    return (/** @type {string} */ query) => searchPassages({ companyId: 'bench', query, k: 10 })
  }
  const measured = [
    { name: 'lexical', run: byProduct({ mongo }), ms: /** @type {number[]} */ ([]), right: 0 },
    { name: 'hybrid', run: byProduct({ mongo, vectors }), ms: /** @type {number[]} */ ([]), right: 0 },
    { name: 'minisearch', run: byPeer, ms: /** @type {number[]} */ ([]), right: 0 },
  ]
  for (let at = 0; at < QUERIES + WARM_UP; at += 1) {
    const { text, answer } = /** @type {{ text: string, answer: string }} */ (questions[(at * 37) % questions.length])
    for (const each of measured) {
      const started = performance.now()
      const [first] = await each.run(text)
      if (at < WARM_UP) continue
      each.ms.push(performance.now() - started)
      if (first && 'text' in first && String(first.text).includes(answer)) each.right += 1
    }
  }
  await mongo.client.close()
  await store.stop()
  rmSync(directory, { recursive: true, force: true })
  const figures = measured.map(({ name, ms, right }) => ({
    [name]: {
      p50Ms: percentile(ms, 0.5),
      p95Ms: percentile(ms, 0.95),
      p99Ms: percentile(ms, 0.99),
      ...(name === 'minisearch' ? {} : { firstIsRight: right }),
    },
  }))
  return {
    bench: 'search',
    passages: passages.length,
    dimensions: DIMENSIONS,
    queries: QUERIES,
    ...Object.assign({}, ...figures),
    embeddedInMs: Math.round(embeddedIn),
    vectorIndexBuiltInMs: Math.round(builtIn),
    vectorsTakeMB: Math.round(vectorsTake / 1e6),
  }
}
