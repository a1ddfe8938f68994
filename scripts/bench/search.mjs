// Search through the product (embedded store over its socket, ranking included) beside minisearch in the same process,
// over the same passages with the same questions, turn by turn.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import MiniSearch from 'minisearch'
import { percentile } from './answer.mjs'
import { makeCorpus } from './corpus.mjs'

const PASSAGES = 10_000
const QUERIES = 300

export const search = async () => {
  const { startEmbeddedMongo } = await import('../../dist/embedded-mongo/index.js')
  const { systemClock } = await import('../../dist/platform/clock.js')
  const { connectMongo, ensureSchema } = await import('../../dist/platform/mongo.js')
  const { knowledgeSchema, makeKnowledge } = await import('../../dist/rag/knowledge.mongo.js')
  const { makeSearch } = await import('../../dist/rag/search.mongo.js')

  const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const store = await startEmbeddedMongo({
    file: path.join(directory, 'bench.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  const mongo = await connectMongo(store.uri, 'bench')
  await ensureSchema(mongo.db, knowledgeSchema)
  const knowledge = makeKnowledge({ mongo, clock: systemClock })
  const { searchPassages } = makeSearch({ mongo })
  const { documents, questions } = makeCorpus(PASSAGES)
  for (const document of documents) {
    const { id } = await knowledge.addDocument('bench', document)
    await knowledge.indexDocument('bench', id)
  }

  const passages = await mongo.db
    .collection('passages')
    .find({}, { projection: { text: 1, headings: 1 } })
    .toArray()
  const peer = new MiniSearch({ fields: ['text', 'headings'], idField: 'id' })
  peer.addAll(passages.map(({ _id, text, headings }) => ({ id: _id, text, headings: headings.join(' ') })))

  /** @type {number[]} */
  const own = []
  /** @type {number[]} */
  const theirs = []
  let right = 0
  for (let at = 0; at < QUERIES + 20; at += 1) {
    const { text, answer } = /** @type {{ text: string, answer: string }} */ (questions[(at * 37) % questions.length])
    const before = performance.now()
    const found = await searchPassages({ companyId: 'bench', query: text, k: 10 })
    const between = performance.now()
    peer.search(text).slice(0, 10)
    const after = performance.now()
    // The first ones warm up.
    if (at < 20) continue
    own.push(between - before)
    theirs.push(after - between)
    if (found[0]?.text.includes(answer)) right += 1
  }
  await mongo.client.close()
  await store.stop()
  rmSync(directory, { recursive: true, force: true })
  return {
    bench: 'search',
    passages: passages.length,
    queries: QUERIES,
    firstIsRight: right,
    p50Ms: percentile(own, 0.5),
    p95Ms: percentile(own, 0.95),
    minisearchP50Ms: percentile(theirs, 0.5),
    minisearchP95Ms: percentile(theirs, 0.95),
  }
}
