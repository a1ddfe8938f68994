import type { Binary, Collection } from 'mongodb'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { ensureSchema, type CollectionSchema, type Mongo } from '../platform/mongo.js'
import { embed, hashOf, RECIPE } from './embedding.js'
import type { StoredPassage } from './documents.mongo.js'
import type { Embedder } from './model.js'

/** Which embedding versions there are, which of them is being built, and which answers whose questions. */

/** `chosenAt`: when a process last started with this model. The newest is the one that is built. */
export type StoredVersion = { _id: string; model: string; dimensions: number; recipe: string; chosenAt: Date }

type StoredServing = { _id: string; serving: string }

export type StoredVector = Pick<
  StoredPassage,
  '_id' | 'companyId' | 'documentId' | 'version' | 'audience' | 'language' | 'labels'
> & {
  /** Of the text that was embedded: what is unchanged is not embedded again. */
  hash: string
  vector: Binary
}

/**
 * On the document, `null` again whenever its passages change (knowledge.mongo.ts). `version` is the embedding version that has all
 * of its passages, but for `refused` ones that the model does not take. `dueAt` is the end of a run's lease or of a pause.
 */
export type Embedding = { version: string | null; lease: string | null; dueAt: Date | null; refused: number }

export type EmbeddedDocument = {
  _id: string
  companyId: string
  status: string
  version: number
  passages: number
  embedding?: Embedding | null
}

export const VECTOR_INDEX = 'vectors'

const schemaOf = ({ _id, dimensions }: StoredVersion): CollectionSchema => ({
  collection: `vectors_${_id}`,
  indexes: [{ key: { companyId: 1, documentId: 1 }, name: 'by_document' }],
  searchIndexes: [
    {
      name: VECTOR_INDEX,
      type: 'vectorSearch',
      definition: {
        fields: [
          { type: 'vector', path: 'vector', numDimensions: dimensions, similarity: 'cosine' },
          ...['companyId', 'documentId', 'audience', 'language', 'labels'].map((path) => ({ type: 'filter', path })),
        ],
      },
    },
  ],
})

/** The text that tells the dimensions of a model's vectors. */
const PROBE = 'How many dimensions has this?'
const PROBE_WITHIN_MS = 10_000

type Needs = { mongo: Mongo; clock: Clock; embedder: Embedder }

export type EmbeddingVersions = ReturnType<typeof makeEmbeddingVersions>

export const makeEmbeddingVersions = ({ mongo, clock, embedder }: Needs) => {
  const versions = mongo.db.collection<StoredVersion>('embedding_versions')
  const companies = mongo.db.collection<StoredServing>('embedding_companies')
  const documents = mongo.db.collection<EmbeddedDocument>('documents')
  const vectors = (versionId: string): Collection<StoredVector> => mongo.db.collection(`vectors_${versionId}`)

  /** The newest first. */
  const all = (): Promise<StoredVersion[]> => versions.find({}).sort({ chosenAt: -1, _id: 1 }).toArray()

  let choosing: Promise<StoredVersion> | null = null
  let chosen: StoredVersion | null = null

  /**
   * The version of this process's model, ready to be written to. The first call asks the embedder, in the company's name, how long
   * its vectors are: two models under one name are two versions. Throws what the embedder throws, and `embedding_index_differs`.
   */
  const choose = (companyId: string, signal: AbortSignal): Promise<StoredVersion> => {
    choosing ??= prepare(companyId, signal).catch((error: unknown) => {
      choosing = null
      throw error
    })
    return choosing
  }

  const prepare = async (companyId: string, signal: AbortSignal): Promise<StoredVersion> => {
    const [vector] = await embed(embedder, companyId, [PROBE], { withinMs: PROBE_WITHIN_MS, signal })
    const dimensions = vector?.length ?? 0
    const { model } = embedder
    const _id = hashOf(model, dimensions, RECIPE)
    const version: StoredVersion = { _id, model, dimensions, recipe: RECIPE, chosenAt: clock.now() }
    await ensureSchema(mongo.db, [schemaOf(version)])
    await checkIndex(version)
    await versions.replaceOne({ _id }, version, { upsert: true })
    chosen = version
    return version
  }

  /** A collection that was made for other vectors would find nothing, silently. */
  const checkIndex = async ({ _id, model, dimensions }: StoredVersion): Promise<void> => {
    const [index] = (await vectors(_id).listSearchIndexes(VECTOR_INDEX).toArray()) as {
      latestDefinition?: { fields?: { numDimensions?: unknown }[] }
    }[]
    const made = index?.latestDefinition?.fields?.find(
      ({ numDimensions }) => numDimensions !== undefined,
    )?.numDimensions
    if (Number(made) !== dimensions) {
      throw new AppError(
        'internal',
        'embedding_index_differs',
        `The vector index of ${model} is made for ${String(made)} dimensions, and the model gives ${dimensions}. Drop the collection vectors_${_id}.`,
      )
    }
  }

  /** A version never changes but in when it was chosen. */
  const known = new Map<string, StoredVersion>()

  /** The version that answers the company's questions. */
  const serving = async (companyId: string): Promise<StoredVersion | null> => {
    const company = await companies.findOne({ _id: companyId })
    if (!company) return null
    const version = known.get(company.serving) ?? (await versions.findOne({ _id: company.serving }))
    if (version) known.set(version._id, version)
    return version
  }

  /** Marks of documents that `version` has still to embed. */
  const otherMarks = async ({ _id }: StoredVersion): Promise<(string | null)[]> => [
    null,
    ...(await all()).map((version) => version._id).filter((id) => id !== _id),
  ]

  /** From here on `version` answers the company's questions, if nothing of the company is left to embed. */
  const serveIfComplete = async (version: StoredVersion, companyId: string): Promise<void> => {
    const left = await documents.findOne(
      { companyId, status: 'ready', 'embedding.version': { $in: await otherMarks(version) } },
      { projection: { _id: 1 } },
    )
    if (left) return
    await companies.updateOne({ _id: companyId }, { $set: { serving: version._id } }, { upsert: true })
  }

  /**
   * When nothing is due: companies whose last unfinished document was deleted go on to `version`, and a version that is needed no
   * more goes.
   */
  const serveTheRest = async (version: StoredVersion): Promise<void> => {
    const behind = await companies.find({ serving: { $ne: version._id } }).toArray()
    for (const { _id } of behind) await serveIfComplete(version, _id)
    await dropUnneeded(version)
  }

  /** A version goes with its vectors when nobody asks it and no document counts as embedded by it. */
  const dropUnneeded = async (keep: StoredVersion): Promise<void> => {
    for (const { _id } of await all()) {
      if (_id === keep._id) continue
      if (await companies.findOne({ serving: _id })) continue
      if (await documents.findOne({ status: 'ready', 'embedding.version': _id }, { projection: { _id: 1 } })) continue
      await mongo.db.dropCollection(`vectors_${_id}`)
      await versions.deleteOne({ _id })
    }
  }

  return {
    all,
    vectors,
    choose,
    /** What `choose` gave, once it did. */
    chosen: () => chosen,
    serving,
    otherMarks,
    serveIfComplete,
    serveTheRest,
  }
}
