import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { inTransaction, type CollectionSchema, type Filter, type Mongo } from '../platform/mongo.js'
import { terms } from './analysis.js'
import { contentOf, labelsOf, type DocumentDraft, type DocumentSource, type Metadata } from './drafts.js'
import { detectLanguage } from './languages.js'
import { makePassages, type PassageBlock } from './passages.js'
import { parseSource, type Format } from './sources/parse.js'

export { MAX_TEXT_LENGTH, type DocumentDraft } from './drafts.js'

type DocumentStatus = 'queued' | 'indexing' | 'ready' | 'failed'

export type KnowledgeDocument = {
  id: string
  companyId: string
  title: string
  source: DocumentSource
  format: Format
  /** ISO 639-1; `null` until it is given or detected, or when it cannot be told. */
  language: string | null
  audience: string
  metadata: Metadata
  /** Hash of everything that indexing depends on. */
  hash: string
  status: DocumentStatus
  /** Why it failed, for people. */
  reason: string | null
  /** Grows with every replacement; only passages of this version may be quoted. */
  version: number
  passages: number
  createdAt: Date
  updatedAt: Date
}

/**
 * `dueAt`: when the sweep should (again) index it. Queued: at once; indexing: the lease's end, so that a crash in the middle
 * is repaired; after a fault: the next try; `null` when there is nothing to do.
 */
type StoredDocument = Omit<KnowledgeDocument, 'id'> & {
  _id: string
  text: string
  givenLanguage: string | null
  attempts: number
  dueAt: Date | null
  /** How far its passages are embedded (vectors.mongo.ts); null again whenever they change. */
  embedding?: object | null
}

export type StoredPassage = {
  _id: string
  companyId: string
  documentId: string
  version: number
  ordinal: number
  title: string
  headings: string[]
  text: string
  blocks: PassageBlock[]
  language: string
  audience: string
  metadata: Metadata
  /** The metadata as `key=value`, to filter by inside the search. */
  labels: string[]
  /** The analysed text and headings, joined by blanks: what is searched. */
  terms: string
  headingTerms: string
}

/** One per company, written in the transaction that changes its passages: what there is to ask, and since when. */
export type StoredSummary = { _id: string; revision: number; passages: number; languages: Record<string, number> }

/** Languages of a company's passages, the most frequent first. */
export const languagesIn = ({ languages }: StoredSummary): string[] =>
  Object.entries(languages)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([language]) => language)

export const PASSAGE_SEARCH_INDEX = 'passages'
/** Passages of a text whose language cannot be told: segmentation and folding alone. */
const NO_LANGUAGE = 'und'

const searchable = { type: 'string', analyzer: 'lucene.whitespace', searchAnalyzer: 'lucene.whitespace' } as const

export const knowledgeSchema: CollectionSchema[] = [
  {
    collection: 'documents',
    indexes: [
      { key: { companyId: 1, createdAt: -1, _id: 1 }, name: 'by_company' },
      { key: { companyId: 1, 'source.path': 1 }, name: 'by_path' },
      { key: { dueAt: 1 }, name: 'due' },
    ],
  },
  {
    collection: 'passages',
    indexes: [
      { key: { companyId: 1, documentId: 1, ordinal: 1 }, name: 'by_document' },
      { key: { companyId: 1, _id: 1 }, name: 'by_company' },
    ],
    searchIndexes: [
      {
        name: PASSAGE_SEARCH_INDEX,
        definition: {
          mappings: {
            dynamic: false,
            fields: {
              terms: searchable,
              headingTerms: searchable,
              companyId: { type: 'token' },
              documentId: { type: 'token' },
              audience: { type: 'token' },
              language: { type: 'token' },
              labels: { type: 'token' },
            },
          },
        },
      },
    ],
  },
  { collection: 'knowledge' },
]

/** How long one try may take before another process takes over, and how tries are spaced, in milliseconds. */
const LEASE_MS = 60_000
const RETRY_MS = 5_000
const MAX_ATTEMPTS = 5
const BATCH = 500

type Needs = {
  mongo: Mongo
  clock: Clock
  /** Wakes somebody who calls `indexDocument` soon; a lost call costs one round of the sweep. */
  enqueue?: (companyId: string, documentId: string) => void
  /** Told after every change of a document's state. */
  changed?: (companyId: string, documentId: string, status: DocumentStatus | 'deleted') => void
}

export type Knowledge = ReturnType<typeof makeKnowledge>

export const makeKnowledge = ({ mongo, clock, enqueue, changed }: Needs) => {
  const documents = mongo.db.collection<StoredDocument>('documents')
  const passages = mongo.db.collection<StoredPassage>('passages')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')

  /** Stores the document as queued. Throws `invalid` or `too_large`, naming the field. */
  const addDocument = async (companyId: string, draft: DocumentDraft): Promise<KnowledgeDocument> => {
    const now = clock.now()
    const document: StoredDocument = {
      _id: newId('doc'),
      companyId,
      ...contentOf(draft),
      ...queued(now),
      version: 1,
      passages: 0,
      createdAt: now,
    }
    await documents.insertOne(document)
    announce(document)
    enqueue?.(companyId, document._id)
    return visible(document)
  }

  /**
   * A new version of a document, queued. From this moment the old version is quoted no more. Unchanged content changes
   * nothing. Throws `not_found`.
   */
  const replaceDocument = async (
    companyId: string,
    documentId: string,
    draft: DocumentDraft,
  ): Promise<KnowledgeDocument> => {
    const content = contentOf(draft)
    const current = await getDocument(companyId, documentId)
    if (current.hash === content.hash && current.status !== 'failed') return current
    const replaced = await documents.findOneAndUpdate(
      { _id: documentId, companyId },
      { $set: { ...content, ...queued(clock.now()) }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    )
    if (!replaced) throw notFound(documentId)
    announce(replaced)
    enqueue?.(companyId, documentId)
    return visible(replaced)
  }

  /** The document and its passages are gone from the next answer on. Throws `not_found`. */
  const deleteDocument = async (companyId: string, documentId: string): Promise<void> => {
    await inTransaction(mongo.client, async (session) => {
      const deleted = await documents.findOneAndDelete({ _id: documentId, companyId }, { session })
      if (!deleted) throw notFound(documentId)
      await passages.deleteMany({ companyId, documentId }, { session })
      await summarise(companyId, session, { language: deleted.language, passages: deleted.passages }, null)
    })
    changed?.(companyId, documentId, 'deleted')
  }

  const getDocument = async (companyId: string, documentId: string): Promise<KnowledgeDocument> => {
    const found = await documents.findOne({ _id: documentId, companyId }, { projection: { text: 0 } })
    if (!found) throw notFound(documentId)
    return visible(found)
  }

  /** Newest first. `before` is the last document of the page before. */
  const listDocuments = async (
    companyId: string,
    { status, source, limit = 100, before }: ListOptions = {},
  ): Promise<KnowledgeDocument[]> => {
    const filter: Filter<StoredDocument> = {
      companyId,
      ...(status ? { status } : {}),
      ...(source ? { 'source.kind': source } : {}),
      ...(before
        ? { $or: [{ createdAt: { $lt: before.createdAt } }, { createdAt: before.createdAt, _id: { $gt: before.id } }] }
        : {}),
    }
    const found = await documents
      .find(filter, { projection: { text: 0 } })
      .sort({ createdAt: -1, _id: 1 })
      .limit(limit)
      .toArray()
    return found.map(visible)
  }

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
   * The job: text → passages. Safe to run twice and at once: one run has the lease, and only the version that it read becomes
   * ready. A fault of the store is thrown after the next try is noted; what cannot work (an empty text) fails with its reason.
   */
  const indexDocument = async (companyId: string, documentId: string): Promise<void> => {
    const now = clock.now()
    const document = await documents.findOneAndUpdate(
      { _id: documentId, companyId, status: { $in: ['queued', 'indexing'] }, dueAt: { $lte: now } },
      { $set: { status: 'indexing', dueAt: new Date(now.getTime() + LEASE_MS) }, $inc: { attempts: 1 } },
      { returnDocument: 'after' },
    )
    if (!document) return
    announce(document)
    try {
      const language = document.givenLanguage ?? (await languageOf(document))
      await publish(document, language, await passagesOf(document, language))
    } catch (error) {
      await giveUpOrRetry(document, error)
    }
  }

  /** A text that does not tell (a table of names, a heading) is taken for what the company mostly writes. */
  const languageOf = async ({ companyId, title, text }: StoredDocument): Promise<string | null> => {
    const summary = await summaries.findOne({ _id: companyId })
    const known = summary ? languagesIn(summary) : []
    return (await detectLanguage(`${title}\n${text}`, known)) ?? known[0] ?? null
  }

  /** New passages in, old ones out, the document ready: all at once or not at all. */
  const publish = async (document: StoredDocument, language: string | null, fresh: StoredPassage[]) => {
    const { _id: documentId, companyId, version } = document
    const ready = await inTransaction(mongo.client, async (session) => {
      const before = await documents.findOneAndUpdate(
        { _id: documentId, companyId, version, status: 'indexing' },
        { $set: { ...settled('ready', clock.now()), language, passages: fresh.length, embedding: null } },
        { session, projection: { language: 1, passages: 1 } },
      )
      if (!before) return false
      await passages.deleteMany({ companyId, documentId }, { session })
      for (let from = 0; from < fresh.length; from += BATCH) {
        await passages.insertMany(fresh.slice(from, from + BATCH), { session, ordered: false })
      }
      await summarise(companyId, session, before, { language, passages: fresh.length })
      return true
    })
    // Replaced or deleted meanwhile: that change has queued its own run.
    if (ready) changed?.(companyId, documentId, 'ready')
  }

  const giveUpOrRetry = async (document: StoredDocument, error: unknown): Promise<void> => {
    const { _id, companyId, version, attempts } = document
    const hopeless = error instanceof AppError && (error.kind === 'invalid' || error.kind === 'unsupported')
    const now = clock.now()
    const next =
      hopeless || attempts >= MAX_ATTEMPTS
        ? {
            ...settled('failed', now),
            reason: hopeless ? error.message : `The document could not be indexed in ${MAX_ATTEMPTS} tries.`,
          }
        : { status: 'queued' as const, updatedAt: now, dueAt: new Date(now.getTime() + RETRY_MS * 2 ** attempts) }
    await documents.updateOne({ _id, companyId, version, status: 'indexing' }, { $set: next })
    changed?.(companyId, _id, next.status)
    if (!hopeless) throw error
  }

  const summarise = async (
    companyId: string,
    session: Parameters<Parameters<typeof inTransaction>[1]>[0],
    before: { language: string | null; passages: number } | null,
    after: { language: string | null; passages: number } | null,
  ): Promise<void> => {
    const languages = new Map<string, number>()
    const count = (side: typeof before, sign: number) => {
      if (side && side.passages > 0) {
        const language = side.language ?? NO_LANGUAGE
        languages.set(language, (languages.get(language) ?? 0) + sign * side.passages)
      }
    }
    count(before, -1)
    count(after, 1)
    const $inc: Record<string, number> = { revision: 1, passages: (after?.passages ?? 0) - (before?.passages ?? 0) }
    for (const [language, difference] of languages) $inc[`languages.${language}`] = difference
    await summaries.updateOne({ _id: companyId }, { $inc }, { upsert: true, session })
  }

  const announce = ({ companyId, _id, status }: StoredDocument) => changed?.(companyId, _id, status)

  return {
    addDocument,
    replaceDocument,
    deleteDocument,
    getDocument,
    listDocuments,
    dueDocuments,
    indexDocument,
  }
}

type ListOptions = {
  status?: DocumentStatus
  source?: DocumentSource['kind']
  limit?: number
  before?: { createdAt: Date; id: string }
}

const notFound = (documentId: string) =>
  new AppError('not_found', 'document_not_found', `There is no document ${documentId}.`)

const queued = (now: Date) => ({ status: 'queued' as const, reason: null, attempts: 0, dueAt: now, updatedAt: now })
const settled = (status: 'ready' | 'failed', now: Date) => ({ status, reason: null, dueAt: null, updatedAt: now })

const visible = ({
  _id,
  text: _text,
  givenLanguage: _given,
  attempts: _attempts,
  dueAt: _due,
  embedding: _embedding,
  ...document
}: Omit<StoredDocument, 'text'> & { text?: string }): KnowledgeDocument => ({ id: _id, ...document })

/** Lets the process serve others every so many passages: the analysis of a large document takes seconds. */
const BREATH = 50

const passagesOf = async (document: StoredDocument, language: string | null): Promise<StoredPassage[]> => {
  const { _id: documentId, companyId, version, title, audience, metadata } = document
  const analysed = language ?? NO_LANGUAGE
  const labels = labelsOf(metadata)
  const headingTerms = new Map<string, string>()
  const termsOfHeading = (heading: string) => {
    const known = headingTerms.get(heading)
    if (known !== undefined) return known
    const found = terms(heading, analysed).join(' ')
    headingTerms.set(heading, found)
    return found
  }
  const stored: StoredPassage[] = []
  for (const { id, ordinal, headings, text, blocks } of makePassages(
    documentId,
    parseSource(document.text, document.format),
  )) {
    // A first heading that only repeats the title would count it twice.
    const topics = [title, ...headings.filter((heading) => heading !== title)]
    stored.push({
      _id: id,
      companyId,
      documentId,
      version,
      ordinal,
      title,
      headings,
      text,
      blocks,
      language: analysed,
      audience,
      metadata,
      labels,
      terms: terms(text, analysed).join(' '),
      headingTerms: topics.map(termsOfHeading).filter(Boolean).join(' '),
    })
    if (stored.length % BREATH === 0) await setImmediate()
  }
  return stored
}
