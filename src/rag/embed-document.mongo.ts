import { Binary } from 'mongodb'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import type { Filter, Mongo } from '../platform/mongo.js'
import type { EmbeddedDocument, Embedding, EmbeddingVersions, StoredVersion } from './embedding-versions.mongo.js'
import { batchesOf, embed, embeddedText, hashOf } from './embedding.js'
import type { StoredPassage } from './documents.mongo.js'
import type { Embedder } from './model.js'

/**
 * Embeds the passages of ready documents, one document at a time. Any number of runs may go on at once, and each may be killed at
 * any instant: a lease on the document keeps them apart, and what is stored already is not embedded again. Nothing waits for
 * it: until its vectors are there a document is found by its words.
 */

/** A run that is silent for so long has died and another one takes over; longer than one request may take. */
const LEASE_MS = 90_000
const REQUEST_WITHIN_MS = 60_000
/** Pauses while the embedder is away: doubled from the shortest to the longest. */
const SHORTEST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** A company whose budget is spent is asked again so much later. */
const BUDGET_PAUSE_MS = 60 * 60_000
const DUE_AT_ONCE = 100

type Needs = { mongo: Mongo; clock: Clock; embedder: Embedder; versions: EmbeddingVersions }
type Work = { companyId: string; documentId: string }
type Run = Work & { lease: string; version: StoredVersion; signal: AbortSignal }

export const makeEmbedDocument = ({ mongo, clock, embedder, versions }: Needs) => {
  const documents = mongo.db.collection<EmbeddedDocument>('documents')
  const passages = mongo.db.collection<StoredPassage>('passages')

  /** Until when the embedder (under '') or a company is left alone, and after how many failures in a row. */
  const pauses = new Map<string, { until: Date; failures: number }>()
  const pausedAt = (now: Date): string[] => [...pauses].filter(([, { until }]) => until > now).map(([key]) => key)

  /**
   * What the sweep should embed now, of all companies. Never asks the embedder: before the first run of this process it gives
   * one document, whose run does. Gives nothing while another process, started later, builds another model.
   */
  const dueForEmbedding = async (now: Date): Promise<Work[]> => {
    const paused = pausedAt(now)
    if (paused.includes('')) return []
    const version = versions.chosen()
    const [newest] = await versions.all()
    if (version && newest && newest._id !== version._id) return []
    const found = await documents
      .find(
        {
          ...(version ? due(now, await versions.otherMarks(version)) : { status: 'ready' }),
          companyId: { $nin: paused },
        },
        {
          projection: { companyId: 1 },
        },
      )
      .limit(version ? DUE_AT_ONCE : 1)
      .toArray()
    if (version && found.length === 0) await versions.serveTheRest(version)
    return found.map(({ _id, companyId }) => ({ companyId, documentId: _id }))
  }

  /** The job. Throws what the embedder or the store threw, after the next try is noted; an abort only ends it. */
  const embedDocument = async (companyId: string, documentId: string, signal: AbortSignal): Promise<void> => {
    const paused = pausedAt(clock.now())
    if (signal.aborted || paused.includes('') || paused.includes(companyId)) return
    const lease = newId('lse')
    try {
      const version = await versions.choose(companyId, signal)
      await embedAs({ companyId, documentId, lease, version, signal })
      pauses.delete('')
      pauses.delete(companyId)
      await versions.serveIfComplete(version, companyId)
    } catch (error) {
      const until = signal.aborted ? clock.now() : pause(companyId, error)
      await documents.updateOne(
        { _id: documentId, companyId, 'embedding.lease': lease },
        { $set: { 'embedding.lease': null, 'embedding.dueAt': until } },
      )
      if (!signal.aborted) throw error
    }
  }

  const pause = (companyId: string, error: unknown): Date => {
    const now = clock.now().getTime()
    const budget = error instanceof AppError && error.code === 'model_budget'
    const key = budget ? companyId : ''
    const failures = (pauses.get(key)?.failures ?? 0) + 1
    const backoff = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (failures - 1))
    const asked = error instanceof AppError ? (error.retryAfterMs ?? 0) : 0
    const until = new Date(now + (budget ? BUDGET_PAUSE_MS : Math.max(backoff, asked)))
    pauses.set(key, { until, failures })
    return until
  }

  const embedAs = async (run: Run): Promise<void> => {
    const document = await claim(run)
    if (!document) return
    const { companyId, documentId, version } = run
    const target = versions.vectors(version._id)
    const present = await passages
      .find({ companyId, documentId, version: document.version })
      .sort({ ordinal: 1 })
      .toArray()
    const stored = await target.find({ companyId, documentId }, { projection: { hash: 1 } }).toArray()
    const wanted = present.map((passage) => ({
      passage,
      text: embeddedText(passage),
      hash: hashOf(embeddedText(passage)),
    }))

    const hashes = new Map(stored.map(({ _id, hash }) => [_id, hash]))
    const missing = wanted.filter(({ passage, hash }) => hashes.get(passage._id) !== hash)
    await tidy(run)
    const [first] = present
    if (first && missing.length < wanted.length) {
      await target.updateMany({ companyId, documentId }, { $set: pointerOf(first) })
    }

    let refused = 0
    for (const batch of batchesOf(missing)) {
      if (!(await renew(run))) return tidy(run)
      const vectors = await embedWhatGoes(
        run,
        batch.map(({ text }) => text),
      )
      refused += vectors.filter((vector) => vector === null).length
      const writes = batch.flatMap(({ passage: { _id, ...passage }, hash }, at) => {
        const vector = vectors[at]
        if (!vector) return []
        const replacement = {
          ...pointerOf(passage),
          companyId,
          documentId,
          hash,
          vector: Binary.fromFloat32Array(vector),
        }
        return [{ replaceOne: { filter: { _id, companyId }, replacement, upsert: true } }]
      })
      if (writes.length > 0) await target.bulkWrite(writes, { ordered: false })
    }
    await finish(run, refused)
  }

  /** One run has the document; whoever comes second, or for what is done, gets nothing. */
  const claim = async ({ companyId, documentId, lease, version }: Run): Promise<EmbeddedDocument | null> => {
    const now = clock.now()
    const embedding: Embedding = { version: null, lease, dueAt: new Date(now.getTime() + LEASE_MS), refused: 0 }
    return documents.findOneAndUpdate(
      { ...due(now, await versions.otherMarks(version)), _id: documentId, companyId },
      { $set: { embedding } },
      { returnDocument: 'after', projection: { companyId: 1, status: 1, version: 1 } },
    )
  }

  /** False when the document was replaced, deleted or taken over meanwhile: that has its own run. */
  const renew = async ({ companyId, documentId, lease, signal }: Run): Promise<boolean> => {
    signal.throwIfAborted()
    const dueAt = new Date(clock.now().getTime() + LEASE_MS)
    const held = { _id: documentId, companyId, status: 'ready', 'embedding.lease': lease }
    const { matchedCount } = await documents.updateOne(held, { $set: { 'embedding.dueAt': dueAt } })
    return matchedCount === 1
  }

  const finish = async (run: Run, refused: number): Promise<void> => {
    const { companyId, documentId, lease, version } = run
    const embedding: Embedding = { version: version._id, lease: null, dueAt: null, refused }
    const held = { _id: documentId, companyId, 'embedding.lease': lease }
    const { matchedCount } = await documents.updateOne(held, { $set: { embedding } })
    if (matchedCount === 0) await tidy(run)
  }

  /**
   * Vectors of passages that are no more: of a document that was replaced, or was replaced or deleted while it was embedded and
   * got some written after that.
   */
  const tidy = async ({ companyId, documentId, version }: Run): Promise<void> => {
    const living = await passages.distinct('_id', { companyId, documentId })
    await versions.vectors(version._id).deleteMany({ companyId, documentId, _id: { $nin: living } })
  }

  /**
   * A 4xx (`model_refused`) may mean one text of many, or a wrong key. Texts are then tried one by one: a refused one is null; if
   * none at all goes, it is the embedder's fault and its error is thrown.
   */
  const embedWhatGoes = async (run: Run, texts: readonly string[]): Promise<(Float32Array | null)[]> => {
    const { companyId, version, signal } = run
    const options = { dimensions: version.dimensions, withinMs: REQUEST_WITHIN_MS, signal }
    const ask = (some: readonly string[]) => embed(embedder, companyId, some, options)
    try {
      return await ask(texts)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // Something harmless goes: it is not the embedder that refuses everything.
      await ask(['hello'])
      const vectors: (Float32Array | null)[] = []
      for (const text of texts) {
        vectors.push(
          await ask([text]).then(
            ([vector]) => vector ?? null,
            (refusal: unknown) => {
              if (!isRefusal(refusal)) throw refusal
              return null
            },
          ),
        )
      }
      return vectors
    }
  }

  return { dueForEmbedding, embedDocument }
}

const isRefusal = (error: unknown): boolean => error instanceof AppError && error.code === 'model_refused'

const due = (now: Date, marks: (string | null)[]): Filter<EmbeddedDocument> => ({
  status: 'ready',
  'embedding.version': { $in: marks },
  $or: [{ 'embedding.dueAt': null }, { 'embedding.dueAt': { $lte: now } }],
})

/** What the vector search filters by. */
const pointerOf = ({
  version,
  audience,
  language,
  labels,
}: Pick<StoredPassage, 'version' | 'audience' | 'language' | 'labels'>) => ({
  version,
  audience,
  language,
  labels,
})
