import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Files } from '../platform/files.js'
import { inTransaction, type Mongo } from '../platform/mongo.js'
import { labelsOf } from './drafts.js'
import type { DocumentStatus, StoredDocument, StoredPassage } from './documents.mongo.js'
import { algorithmOf, NO_LANGUAGE, unpack, type Packed, type Read, type ReadPart } from './reading.js'
import { FORMATS } from './sources/formats.js'
import { languagesIn, summarise, type StoredSummary } from './summary.mongo.js'

/** How long one try may go on without a sign of life before another process takes over, and how tries are spaced. */
const LEASE_MS = 30_000
const RENEW_EVERY_MS = 10_000
const RETRY_MS = 5_000
const MAX_ATTEMPTS = 5
/** What was too slow once may have met a busy machine; twice is enough to know. */
const MAX_SLOW_ATTEMPTS = 2
/** Progress is written in steps, not with every page. */
const PROGRESS_STEP = 0.05
/** Documents that are indexed again because the product reads better now, at a time: what people upload goes before. */
const OUTDATED_AT_ONCE = 10

type Needs = {
  mongo: Mongo
  clock: Clock
  read: Read
  files: () => Files
  changed: (companyId: string, documentId: string, status: DocumentStatus) => void
}

/** A document as it was read; its passages stay packed until they are stored. */
type Reading = Extract<ReadPart, { kind: 'document' }> & { batches: Packed[] }

/** From a stored document to its passages: the lease, the reading, the publishing in one go, and what happens when it fails. */
export const makeIndexing = ({ mongo, clock, read, files, changed }: Needs) => {
  const documents = mongo.db.collection<StoredDocument>('documents')
  const passages = mongo.db.collection<StoredPassage>('passages')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')

  /** What the sweep should index now, of all companies: queued, tried before, or left in the middle by a crash. */
  const dueDocuments = async (now: Date, limit = 100): Promise<{ companyId: string; documentId: string }[]> => {
    const due = await documents
      .find({ dueAt: { $lte: now } }, { projection: { companyId: 1 } })
      .sort({ dueAt: 1 })
      .limit(limit)
      .toArray()
    return due.map(({ _id, companyId }) => ({ companyId, documentId: _id }))
  }

  /**
   * The job: a text or a file → passages. Safe to run twice and at once: one run has the lease, and only the version that it read
   * becomes ready. A fault is thrown after the next try is noted; what cannot be read fails with its reason.
   */
  const indexDocument = async (companyId: string, documentId: string, stop?: AbortSignal): Promise<void> => {
    const now = clock.now()
    const document = await documents.findOneAndUpdate(
      { _id: documentId, companyId, status: { $in: ['queued', 'indexing'] }, dueAt: { $lte: now } },
      { $set: { status: 'indexing', progress: 0, dueAt: leaseFrom(now) }, $inc: { attempts: 1 } },
      { returnDocument: 'after' },
    )
    if (!document) return
    changed(companyId, documentId, 'indexing')
    const lost = new AbortController()
    const renewing = setInterval(() => {
      renew(document).then(
        (own) => own || lost.abort(),
        // A store that is away for a moment: the next renewal tells.
        () => {},
      )
    }, RENEW_EVERY_MS)
    const signal = stop ? AbortSignal.any([stop, lost.signal]) : lost.signal
    try {
      await publish(document, await readWhole(document, signal))
    } catch (error) {
      // Deleted or replaced meanwhile: nothing is left to do, and that change has queued its own run.
      if (lost.signal.aborted) return
      if (stop?.aborted) await putBack(document)
      else await giveUpOrRetry(document, error)
    } finally {
      clearInterval(renewing)
    }
  }

  /** This version, while nobody has settled or changed it. */
  const own = ({ _id, companyId, version }: StoredDocument) => ({
    _id,
    companyId,
    version,
    status: 'indexing' as const,
  })

  const renew = async (document: StoredDocument): Promise<boolean> => {
    const { matchedCount } = await documents.updateOne(own(document), { $set: { dueAt: leaseFrom(clock.now()) } })
    return matchedCount === 1
  }

  /** The process ends: the next one begins at once, and this try does not count. */
  const putBack = async (document: StoredDocument): Promise<void> => {
    await documents.updateOne(own(document), {
      $set: { status: 'queued', progress: 0, dueAt: clock.now() },
      $inc: { attempts: -1 },
    })
  }

  const readWhole = async (document: StoredDocument, signal: AbortSignal): Promise<Reading> => {
    const { companyId, _id: documentId, text, file, format, givenTitle, title, givenLanguage } = document
    const summary = await summaries.findOne({ _id: companyId })
    const request = {
      format,
      documentId,
      // Written before there were files: its title was given.
      title: givenTitle === undefined ? title : givenTitle,
      fallbackTitle: title,
      language: givenLanguage,
      likelyLanguages: summary ? languagesIn(summary) : [],
    }
    if (!file) return collect(document, read({ ...request, source: { text: text ?? '' } }, signal))
    return files().withPath(companyId, file.id, (path) =>
      collect(document, read({ ...request, source: { path } }, signal)),
    )
  }

  const collect = async (document: StoredDocument, parts: AsyncIterable<ReadPart>): Promise<Reading> => {
    let reading: Reading | undefined
    let told = 0
    for await (const part of parts) {
      if (part.kind === 'document') reading = { ...part, batches: [] }
      else if (part.kind === 'passages') reading?.batches.push(part.passages)
      else if (part.progress - told >= PROGRESS_STEP) {
        told = part.progress
        const { matchedCount } = await documents.updateOne(own(document), {
          $set: { progress: Math.round(told * 100) / 100 },
        })
        if (matchedCount === 1) changed(document.companyId, document._id, 'indexing')
      }
    }
    if (!reading) throw new AppError('internal', 'nothing_read', 'The reader said nothing.')
    return reading
  }

  /** New passages in, old ones out, the document ready: all at once or not at all. */
  const publish = async (document: StoredDocument, reading: Reading): Promise<void> => {
    const { _id: documentId, companyId, format } = document
    const { title, language, pages, note, attempts, batches } = reading
    const count = batches.reduce((sum, batch) => sum + batch.count, 0)
    const ready = await inTransaction(mongo.client, async (session) => {
      const before = await documents.findOneAndUpdate(
        own(document),
        {
          $set: {
            ...settled('ready', clock.now()),
            title,
            language,
            pages,
            note,
            progress: 1,
            passages: count,
            algorithm: algorithmOf(format),
            embedding: null,
            suspicions: [...new Set([...(document.suspicions ?? []), ...attempts])],
          },
        },
        { session, projection: { language: 1, passages: 1 } },
      )
      if (!before) return false
      await passages.deleteMany({ companyId, documentId }, { session })
      for (const batch of batches) {
        await passages.insertMany(storedPassages(document, reading, batch), { session, ordered: false })
      }
      await summarise(summaries, companyId, { before, after: { language, passages: count } }, session)
      return true
    })
    if (ready) changed(companyId, documentId, 'ready')
  }

  const giveUpOrRetry = async (document: StoredDocument, error: unknown): Promise<void> => {
    const { _id, companyId, attempts } = document
    const known = error instanceof AppError ? error : null
    const hopeless = known !== null && HOPELESS.has(known.kind)
    const most = known?.code === 'document_too_slow' ? MAX_SLOW_ATTEMPTS : MAX_ATTEMPTS
    if (hopeless || attempts >= most) {
      const lasting = hopeless || most === MAX_SLOW_ATTEMPTS
      await fail(document, (lasting && known?.message) || `The document could not be indexed in ${MAX_ATTEMPTS} tries.`)
    } else {
      const now = clock.now()
      const dueAt = new Date(now.getTime() + RETRY_MS * 2 ** attempts)
      await documents.updateOne(own(document), { $set: { status: 'queued', progress: 0, updatedAt: now, dueAt } })
      changed(companyId, _id, 'queued')
    }
    if (!hopeless) throw error
  }

  /** What cannot be read is not quoted either: passages of an older version or another algorithm go. */
  const fail = async (document: StoredDocument, reason: string): Promise<void> => {
    const { _id: documentId, companyId, format } = document
    const failed = await inTransaction(mongo.client, async (session) => {
      const before = await documents.findOneAndUpdate(
        own(document),
        {
          $set: {
            ...settled('failed', clock.now()),
            reason,
            progress: 0,
            passages: 0,
            algorithm: algorithmOf(format),
            embedding: null,
          },
        },
        { session, projection: { language: 1, passages: 1 } },
      )
      if (!before) return false
      if (before.passages > 0) {
        await passages.deleteMany({ companyId, documentId }, { session })
        await summarise(summaries, companyId, { before, after: null }, session)
      }
      return true
    })
    if (failed) changed(companyId, documentId, 'failed')
  }

  /**
   * Queues a few documents that an older version of the product has indexed; their passages answer until new ones are there.
   * Returns how many; at none all are up to date.
   */
  const queueOutdated = async (now: Date): Promise<number> => {
    const outdated = {
      status: { $in: ['ready' as const, 'failed' as const] },
      algorithm: { $nin: CURRENT_ALGORITHMS },
    }
    const found = await documents
      .find(outdated, { projection: { _id: 1 } })
      .limit(OUTDATED_AT_ONCE)
      .toArray()
    if (found.length === 0) return 0
    const { modifiedCount } = await documents.updateMany(
      { ...outdated, _id: { $in: found.map(({ _id }) => _id) } },
      { $set: queued(now) },
    )
    return modifiedCount
  }

  return { dueDocuments, indexDocument, queueOutdated }
}

const CURRENT_ALGORITHMS = (Object.keys(FORMATS) as (keyof typeof FORMATS)[]).map(algorithmOf)

/** Trying again changes nothing about these. */
const HOPELESS: ReadonlySet<AppError['kind']> = new Set(['invalid', 'unsupported', 'too_large', 'not_found'])

const leaseFrom = (now: Date): Date => new Date(now.getTime() + LEASE_MS)

export const queued = (now: Date) => ({
  status: 'queued' as const,
  reason: null,
  note: null,
  progress: 0,
  attempts: 0,
  dueAt: now,
  updatedAt: now,
})

const settled = (status: 'ready' | 'failed', now: Date) => ({ status, reason: null, dueAt: null, updatedAt: now })

const storedPassages = (document: StoredDocument, { title, language }: Reading, batch: Packed): StoredPassage[] => {
  const { _id: documentId, companyId, version, audience, metadata } = document
  const labels = labelsOf(metadata)
  return unpack(batch).map(({ id, ...passage }) => ({
    _id: id,
    companyId,
    documentId,
    version,
    title,
    language: language ?? NO_LANGUAGE,
    audience,
    metadata,
    labels,
    ...passage,
  }))
}
