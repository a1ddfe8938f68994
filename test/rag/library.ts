import { ensureSchema, type Mongo } from '../../src/platform/mongo.js'
import type { DocumentDraft } from '../../src/rag/drafts.js'
import { knowledgeSchema } from '../../src/rag/documents.mongo.js'
import { makeKnowledge } from '../../src/rag/knowledge.mongo.js'
import type { Embedder } from '../../src/rag/model.js'
import { makeSearch } from '../../src/rag/search.mongo.js'
import { makeVectors, vectorsSchema } from '../../src/rag/vectors.mongo.js'

export const never = new AbortController().signal

/** A hashed bag of trigrams, of unit length: texts that share pieces of words are near. */
export const trigrams = (text: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  const plain = ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')} `
  for (let at = 0; at + 3 <= plain.length; at += 1) {
    let hash = 0x811c9dc5
    for (let i = at; i < at + 3; i += 1) hash = Math.imul(hash ^ plain.charCodeAt(i), 0x01000193)
    const place = (hash >>> 1) % dimensions
    vector[place] = (vector[place] ?? 0) + (hash & 1 ? 1 : -1)
  }
  const length = Math.hypot(...vector)
  return length === 0 ? vector.fill(1) : vector.map((number) => number / length)
}

/** An embedder that notes what it was asked. `behave` replaces what it does, for as long as it is set. */
export const openEmbedder = (model = 'trigrams-64', dimensions = 64, vectorOf = trigrams) => {
  const texts: string[] = []
  const state: { behave: ((texts: readonly string[], signal: AbortSignal) => Promise<Float32Array[]>) | null } = {
    behave: null,
  }
  const good = (asked: readonly string[]) => asked.map((text) => vectorOf(text, dimensions))
  const embedder: Embedder = {
    model,
    embed: async (_companyId, asked, signal) => {
      texts.push(...asked)
      return state.behave ? state.behave(asked, signal) : good(asked)
    },
  }
  return { embedder, texts, state, good }
}

/** Documents, their vectors and the search on one store, with a clock that the test moves. */
export const openLibrary = async (
  mongo: Mongo,
  {
    embedder,
    earlier,
    queryWithinMs = 5_000,
  }: { embedder: Embedder; earlier?: (model: string) => Embedder | null; queryWithinMs?: number },
) => {
  await ensureSchema(mongo.db, [...knowledgeSchema, ...vectorsSchema])
  const time = { now: new Date('2026-03-01T10:00:00Z') }
  const clock = { now: () => time.now }
  const knowledge = makeKnowledge({ mongo, clock })
  const vectors = makeVectors({ mongo, clock, embedder, queryWithinMs, ...(earlier ? { earlier } : {}) })
  const search = makeSearch({ mongo, vectors })
  const add = async (companyId: string, draft: DocumentDraft): Promise<string> => {
    const { id } = await knowledge.addDocument(companyId, draft)
    await knowledge.indexDocument(companyId, id)
    return id
  }
  /** Like sweep and jobs, until nothing is due. */
  const embedAll = async (): Promise<void> => {
    for (let rounds = 0; rounds < 20; rounds += 1) {
      const due = await vectors.dueForEmbedding(clock.now())
      if (due.length === 0) return
      for (const { companyId, documentId } of due) await vectors.embedDocument(companyId, documentId, never)
    }
    throw new Error('it never ends')
  }
  return {
    knowledge,
    vectors,
    search,
    add,
    embedAll,
    pass: (ms: number) => {
      time.now = new Date(time.now.getTime() + ms)
    },
    clock,
  }
}
