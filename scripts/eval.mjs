// Measures retrieval (and, with --answers, the extractive answer) through the product's own ingestion and search.
//   npm run --silent eval -- --corpus corpus.jsonl --queries queries.jsonl [--k 10] [--answers]
// Rows: {"id","title","text"} and {"id","text","gold":["corpus id", …],"answers":["…"]}. Prints one JSON line.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'

const COMPANY = 'evaluation'
const LONGEST_TITLE = 200

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string' },
    queries: { type: 'string' },
    k: { type: 'string', default: '10' },
    answers: { type: 'boolean', default: false },
  },
})

const fail = (/** @type {string} */ reason) => {
  console.error(reason)
  process.exit(2)
}

/** @param {string | undefined} file @param {string} option */
const readRows = (file, option) => {
  if (!file) return fail(`--${option} is missing: a file with one JSON object a line.`)
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    if (!line.trim()) return []
    try {
      return [JSON.parse(line)]
    } catch {
      return fail(`${file}, line ${index + 1}: not JSON.`)
    }
  })
}

const k = Number(options.k)
if (!Number.isInteger(k) || k < 1 || k > 50) fail('--k is a whole number from 1 to 50.')
const corpus = readRows(options.corpus, 'corpus')
const queries = readRows(options.queries, 'queries')
if (corpus.length === 0 || queries.length === 0) fail('Corpus and queries need at least one row each.')

await prepare({ quiet: true })
const { serve } = await import('../dist/embedded-mongo/serve.js')
const { systemClock } = await import('../dist/platform/clock.js')
const { connectMongo, ensureSchema } = await import('../dist/platform/mongo.js')
const { extract } = await import('../dist/rag/extract.js')
const { knowledgeSchema } = await import('../dist/rag/documents.mongo.js')
const { makeKnowledge } = await import('../dist/rag/knowledge.mongo.js')
const { makeSearch } = await import('../dist/rag/search.mongo.js')

const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-eval-'))
const serving = await serve({
  file: path.join(directory, 'store.db'),
  listen:
    process.platform === 'win32' ? { host: '127.0.0.1', port: 0 } : { socketPath: path.join(directory, 's.sock') },
})
const mongo = await connectMongo(serving.uri, 'evaluation')

try {
  await ensureSchema(mongo.db, knowledgeSchema)
  const rowOf = await ingest()
  const { retrieve, searchPassages } = makeSearch({ mongo })
  await searchPassages({ companyId: COMPANY, query: queries[0].text, k })

  const outcomes = []
  for (const { text, gold, answers = [] } of queries) {
    const started = performance.now()
    const found = await searchPassages({ companyId: COMPANY, query: text, k: 50 })
    const ms = performance.now() - started
    const rows = [...new Set(found.map(({ documentId }) => rowOf.get(documentId)))].slice(0, Math.max(k, 10))
    const answer = options.answers ? extract((await retrieve(COMPANY, text)).ranked) : undefined
    outcomes.push({ rows, gold: new Set(gold), answers, answer, ms })
  }
  console.log(JSON.stringify({ ...figures(outcomes), ...(options.answers ? answerFigures(outcomes) : {}) }))
} finally {
  await mongo.client.close()
  await serving.stop()
  rmSync(directory, { recursive: true, force: true })
}

/** @returns {Promise<Map<string, string>>} document id → corpus id */
async function ingest() {
  const knowledge = makeKnowledge({ mongo, clock: systemClock })
  const rowOf = new Map()
  for (const { id, title, text } of corpus) {
    const document = await knowledge.addDocument(COMPANY, { title: String(title || id).slice(0, LONGEST_TITLE), text })
    await knowledge.indexDocument(COMPANY, document.id)
    rowOf.set(document.id, id)
  }
  return rowOf
}

/** @param {{ rows: string[], gold: Set<string>, ms: number }[]} outcomes */
function figures(outcomes) {
  const mean = (/** @type {(outcome: any) => number} */ of) =>
    round(outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length)
  const hits = ({ rows, gold }, depth) => rows.slice(0, depth).filter((row) => gold.has(row)).length
  const times = outcomes.map(({ ms }) => ms).sort((a, b) => a - b)
  const percentile = (share) => round(times[Math.min(times.length - 1, Math.floor(times.length * share))])
  return {
    'hit@1': mean((outcome) => Number(hits(outcome, 1) > 0)),
    'hit@5': mean((outcome) => Number(hits(outcome, 5) > 0)),
    'hit@10': mean((outcome) => Number(hits(outcome, 10) > 0)),
    'recall@5': mean((outcome) => (outcome.gold.size ? hits(outcome, 5) / outcome.gold.size : 0)),
    'recall@10': mean((outcome) => (outcome.gold.size ? hits(outcome, 10) / outcome.gold.size : 0)),
    'mrr@10': mean(({ rows, gold }) => {
      const first = rows.slice(0, 10).findIndex((row) => gold.has(row))
      return first < 0 ? 0 : 1 / (first + 1)
    }),
    'ndcg@10': mean(({ rows, gold }) => {
      const gain = (rank) => 1 / Math.log2(rank + 2)
      const found = rows.slice(0, 10).reduce((sum, row, rank) => sum + (gold.has(row) ? gain(rank) : 0), 0)
      const best = Array.from({ length: Math.min(10, gold.size) }, (_, rank) => gain(rank)).reduce((a, b) => a + b, 0)
      return best ? found / best : 0
    }),
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    n: outcomes.length,
  }
}

/** How many questions were answered, and how many of those answers contain an expected one. */
function answerFigures(outcomes) {
  const plain = (text) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
  const answered = outcomes.filter(({ answer }) => answer.verdict.answered)
  const right = answered.filter(({ answer, answers }) =>
    answers.some((expected) => plain(answer.text).includes(plain(expected))),
  )
  return {
    answered: round(answered.length / outcomes.length),
    answerContainsGold: answered.length ? round(right.length / answered.length) : 0,
  }
}

function round(value) {
  return Math.round(value * 10_000) / 10_000
}
