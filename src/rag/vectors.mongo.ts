import { Binary } from 'mongodb'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { CollectionSchema, Mongo } from '../platform/mongo.js'
import { makeEmbedDocument } from './embed-document.mongo.js'
import {
  makeEmbeddingVersions,
  VECTOR_INDEX,
  type EmbeddedDocument,
  type StoredVersion,
} from './embedding-versions.mongo.js'
import { embed, makeRecentQuestions } from './embedding.js'
import type { StoredSummary } from './summary.mongo.js'
import type { Embedder } from './model.js'

/**
 * Embeddings of passages. Each **embedding version** (a model, its dimensions, what is embedded) has a collection of its own, so
 * that vectors of two models never meet. A version is made in the background; a company's searches use it once nothing of the
 * company is left to embed, and the version before until then. A vector is only a pointer: what is quoted is the passage as the
 * documents have it now.
 */

export const vectorsSchema: CollectionSchema[] = [
  {
    collection: 'documents',
    indexes: [{ key: { status: 1, 'embedding.version': 1, companyId: 1 }, name: 'by_embedding' }],
  },
  { collection: 'embedding_versions' },
  { collection: 'embedding_companies', indexes: [{ key: { serving: 1 }, name: 'by_serving' }] },
]

/** What the search filters by, inside the store. Without `audiences` everything is seen. */
export type VectorFilter = {
  documentId?: string | undefined
  audiences?: readonly string[] | undefined
  language?: string | undefined
  labels?: readonly string[] | undefined
}

/** `similarity` is the cosine, from -1 to 1. */
export type VectorHit = { passageId: string; documentId: string; similarity: number }

/**
 * Why there are no hits: no version is complete for the company yet (`incomplete`), its model cannot be asked any more
 * (`model_gone`), the embedder was too slow (`late`), away (`failed`) or gave what is no vector of this version (`mismatched`).
 */
export type Nearest =
  | { kind: 'found'; hits: VectorHit[] }
  | { kind: 'none'; why: 'incomplete' | 'model_gone' | 'late' | 'failed' | 'mismatched' }

/** `embedded` counts what is stored, not what was tried. `serving`: the model that answers searches now. */
export type Coverage = {
  model: string
  embedded: number
  passages: number
  complete: boolean
  serving: string | null
}

type Needs = {
  mongo: Mongo
  clock: Clock
  embedder: Embedder
  /** Opens a model that was configured before, for questions while the new one is being built; null when it cannot. */
  earlier?: (model: string) => Embedder | null
  /** After this a search goes on without vectors. */
  queryWithinMs?: number
}

const QUERY_WITHIN_MS = 300
/** What an approximate search looks at on Atlas, per result. */
const CANDIDATES_PER_HIT = 20
const MOST_CANDIDATES = 10_000

export type Vectors = ReturnType<typeof makeVectors>

export const makeVectors = ({ mongo, clock, embedder, earlier, queryWithinMs = QUERY_WITHIN_MS }: Needs) => {
  const documents = mongo.db.collection<EmbeddedDocument>('documents')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')
  const versions = makeEmbeddingVersions({ mongo, clock, embedder })
  const recent = makeRecentQuestions()

  /** The `limit` passages of the company that are nearest to the text, the nearest first. Throws the reason of `signal`. */
  const nearest = async (
    companyId: string,
    text: string,
    filter: VectorFilter,
    limit: number,
    signal: AbortSignal,
  ): Promise<Nearest> => {
    const version = await versions.serving(companyId)
    if (!version) return { kind: 'none', why: 'incomplete' }
    const asked = await vectorOf(version, companyId, text, signal)
    if ('why' in asked) return { kind: 'none', why: asked.why }
    const found = await versions
      .vectors(version._id)
      .aggregate<{ _id: string; documentId: string; score: number }>([
        {
          $vectorSearch: {
            index: VECTOR_INDEX,
            path: 'vector',
            queryVector: Binary.fromFloat32Array(asked.vector),
            numCandidates: Math.min(MOST_CANDIDATES, limit * CANDIDATES_PER_HIT),
            limit,
            filter: inside(companyId, filter),
          },
        },
        { $project: { documentId: 1, score: { $meta: 'vectorSearchScore' } } },
      ])
      .toArray()
    const hits = found.map(({ _id, documentId, score }) => ({ passageId: _id, documentId, similarity: 2 * score - 1 }))
    return { kind: 'found', hits }
  }

  const vectorOf = async (
    version: StoredVersion,
    companyId: string,
    text: string,
    signal: AbortSignal,
  ): Promise<{ vector: Float32Array } | { why: 'model_gone' | 'late' | 'failed' | 'mismatched' }> => {
    const known = recent.get(version._id, text)
    if (known) return { vector: known }
    const asked = version.model === embedder.model ? embedder : earlier?.(version.model)
    if (!asked) return { why: 'model_gone' }
    try {
      const { dimensions } = version
      const [vector] = await embed(asked, companyId, [text], { dimensions, withinMs: queryWithinMs, signal })
      if (!vector) return { why: 'mismatched' }
      recent.set(version._id, text, vector)
      return { vector }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AppError)) throw error
      if (error.code === 'embedding_late') return { why: 'late' }
      return { why: error.code === 'embedding_garbled' ? 'mismatched' : 'failed' }
    }
  }

  /** A deleted document's vectors go, of all versions. One that was replaced is tidied by its own embedding. */
  const forget = async (companyId: string, documentId: string): Promise<void> => {
    for (const { _id } of await versions.all()) await versions.vectors(_id).deleteMany({ companyId, documentId })
  }

  /**
   * What a crash between a deletion and `forget` left behind, and what belongs to documents that can be read no more; searches drop
   * it anyway. Once at start is enough.
   */
  const forgetOrphans = async (): Promise<void> => {
    const companies = await summaries.find({}, { projection: { _id: 1 } }).toArray()
    for (const { _id } of await versions.all()) {
      for (const { _id: companyId } of companies) {
        const held = await versions.vectors(_id).distinct('documentId', { companyId })
        const there = await documents
          .find({ _id: { $in: held }, companyId, passages: { $gt: 0 } }, { projection: { _id: 1 } })
          .toArray()
        const living = new Set(there.map((document) => document._id))
        const gone = held.filter((documentId) => !living.has(documentId))
        if (gone.length > 0) await versions.vectors(_id).deleteMany({ companyId, documentId: { $in: gone } })
      }
    }
  }

  const coverage = async (companyId: string): Promise<Coverage> => {
    const [newest] = await versions.all()
    const serving = await versions.serving(companyId)
    const summary = await summaries.findOne({ _id: companyId })
    const passages = summary?.passages ?? 0
    const embedded = newest ? await versions.vectors(newest._id).countDocuments({ companyId }) : 0
    return {
      model: newest?.model ?? embedder.model,
      embedded,
      passages,
      complete: newest !== undefined && serving?._id === newest._id && embedded >= passages,
      serving: serving?.model ?? null,
    }
  }

  /** For health, and to build at start what the first search would wait for. Throws what the store says when it cannot search. */
  const responds = async (): Promise<true> => {
    for (const { _id, dimensions } of await versions.all()) {
      const queryVector = Binary.fromFloat32Array(new Float32Array(dimensions).fill(1))
      const search = { index: VECTOR_INDEX, path: 'vector', queryVector, numCandidates: 1, limit: 1 }
      const nobody = { filter: { companyId: 'nobody' } }
      await versions
        .vectors(_id)
        .aggregate([{ $vectorSearch: { ...search, ...nobody } }])
        .toArray()
    }
    return true
  }

  return {
    nearest,
    forget,
    forgetOrphans,
    coverage,
    responds,
    ...makeEmbedDocument({ mongo, clock, embedder, versions }),
  }
}

/** The company stands inside the search: another one's vector is never even compared. */
const inside = (companyId: string, { documentId, audiences, language, labels = [] }: VectorFilter) => ({
  companyId,
  ...(documentId ? { documentId } : {}),
  ...(audiences ? { audience: { $in: audiences } } : {}),
  ...(language ? { language } : {}),
  ...(labels.length > 0 ? { $and: labels.map((label) => ({ labels: label })) } : {}),
})
