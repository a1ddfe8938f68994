import { Readable } from 'node:stream'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { shownName, type Files } from '../platform/files.js'
import { newId } from '../platform/ids.js'
import { inTransaction, isDuplicateKey, type CollectionSchema, type Filter, type Mongo } from '../platform/mongo.js'
import type { AttemptKind } from './attempt-patterns.js'
import {
  contentOf,
  MAX_FILE_BYTES,
  type Content,
  type DocumentDraft,
  type DocumentSource,
  type Metadata,
  type StoredFile,
  type Upload,
  type UploadDraft,
} from './drafts.js'
import { makeIndexing, queued } from './indexing.mongo.js'
import type { PassageBlock } from './passages.js'
import { readDocument, type Read } from './reading.js'
import { formatOf, FORMATS, type DocumentFormat } from './sources/formats.js'
import { summarise, type StoredSummary } from './summary.mongo.js'

export { MAX_TEXT_LENGTH, type DocumentDraft, type Upload, type UploadDraft } from './drafts.js'
export { languagesIn, type StoredSummary } from './summary.mongo.js'

export type DocumentStatus = 'queued' | 'indexing' | 'ready' | 'failed'

export type KnowledgeDocument = {
  id: string
  companyId: string
  title: string
  source: DocumentSource
  format: DocumentFormat
  /** The original, where the document came as a file. */
  file: StoredFile | null
  /** ISO 639-1; `null` until it is given or detected, or when it cannot be told. */
  language: string | null
  audience: string
  metadata: Metadata
  /** Hash of everything that indexing depends on. */
  hash: string
  status: DocumentStatus
  /** How far indexing is, from 0 to 1. */
  progress: number
  /** Why it failed, for people. */
  reason: string | null
  /** What was left out although it is ready, for people: damaged pages, pictures. */
  note: string | null
  /** How its text, its title or the name of its file tries to instruct the assistant. A mark for people: it is never quoted. */
  suspicions: AttemptKind[]
  /** Grows with every replacement; only passages of this version may be quoted. */
  version: number
  passages: number
  /** In formats that have pages, once it was read. */
  pages: number | null
  createdAt: Date
  updatedAt: Date
}

/**
 * `dueAt`: when the sweep should (again) index it. Queued: at once; indexing: the lease's end, so that a crash in the middle
 * is repaired; after a fault: the next try; `null` when there is nothing to do.
 */
export type StoredDocument = Omit<KnowledgeDocument, 'id'> & {
  _id: string
  /** The whole of a document that did not come as a file. */
  text: string | null
  givenTitle: string | null
  givenLanguage: string | null
  /** The hash of an uploaded file with its settings; absent in all other documents. */
  uploadKey?: string
  /** What made the passages that there are; absent before the first. */
  algorithm?: string
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
  /** Where it begins, from 1, in documents that have pages. */
  page: number | null
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
  /** Tells passages that say the same thing (fingerprint.ts). */
  fingerprint: string
}

export const PASSAGE_SEARCH_INDEX = 'passages'

const searchable = { type: 'string', analyzer: 'lucene.whitespace', searchAnalyzer: 'lucene.whitespace' } as const

export const knowledgeSchema: CollectionSchema[] = [
  {
    collection: 'documents',
    indexes: [
      { key: { companyId: 1, createdAt: -1, _id: 1 }, name: 'by_company' },
      { key: { companyId: 1, 'source.path': 1 }, name: 'by_path' },
      { key: { dueAt: 1 }, name: 'due' },
      { key: { companyId: 1, 'file.id': 1 }, name: 'by_file' },
      // The same upload is one document, also when it arrives twice at once.
      {
        key: { companyId: 1, uploadKey: 1 },
        name: 'upload_once',
        unique: true,
        partialFilterExpression: { uploadKey: { $exists: true } },
      },
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

/** A file that no document refers to stays this long: it may be on its way into one. */
const ORPHAN_AFTER_MS = 60 * 60 * 1000

type Needs = {
  mongo: Mongo
  clock: Clock
  /** Where originals are kept; without it only texts are taken. */
  files?: Files
  /** Reads documents; in this process where nothing else is given. */
  read?: Read
  /** Wakes somebody who calls `indexDocument` soon; a lost call costs one round of the sweep. */
  enqueue?: (companyId: string, documentId: string) => void
  /** Told after every change of a document's state, and of its progress. */
  changed?: (companyId: string, documentId: string, status: DocumentStatus | 'deleted') => void
}

export type Knowledge = ReturnType<typeof makeKnowledge>

export const makeKnowledge = ({ mongo, clock, files, read = readDocument, enqueue, changed = () => {} }: Needs) => {
  const documents = mongo.db.collection<StoredDocument>('documents')
  const passages = mongo.db.collection<StoredPassage>('passages')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')
  const oneAtATime = makeTurns()

  const needFiles = (): Files => {
    if (files) return files
    throw new AppError('unsupported', 'files_not_kept', 'Files are not kept here: send the text.', { field: 'file' })
  }
  const indexing = makeIndexing({ mongo, clock, read, files: needFiles, changed })

  /**
   * Takes a file in and tells what it is; it becomes a document by `addDocument` or `replaceDocument`, else `discard` it. Throws
   * `too_large`, `unsupported` or `invalid`, with what to do instead.
   */
  const receiveFile = async (given: {
    bytes: AsyncIterable<Uint8Array>
    name: string
    declaredType?: string | undefined
  }): Promise<Upload> => {
    const received = await needFiles().receive(given.bytes, MAX_FILE_BYTES)
    const name = shownName(given.name)
    try {
      return { received, name, format: await formatOf({ ...received, name, declaredType: given.declaredType }) }
    } catch (error) {
      await received.discard()
      throw error
    }
  }

  /**
   * Stores the document as queued. Throws `invalid` or `too_large`, naming the field. The same file with the same settings is the
   * same document: whoever uploads it again gets that one, and if it had failed it is tried again.
   */
  const addDocument = async (companyId: string, draft: DocumentDraft | UploadDraft): Promise<KnowledgeDocument> => {
    if (!('upload' in draft)) return insert(companyId, contentOf(draft))
    const { received } = draft.upload
    try {
      const content = contentOf(draft)
      return await oneAtATime(companyId, async () => {
        const uploadKey = keyOf(content)
        const known = uploadKey && (await documents.findOne({ companyId, uploadKey }, { projection: { text: 0 } }))
        if (known) return again(known)
        await needFiles().keep(companyId, received)
        return insert(companyId, content)
      })
    } finally {
      await received.discard()
    }
  }

  const insert = async (companyId: string, content: Content): Promise<KnowledgeDocument> => {
    const now = clock.now()
    const uploadKey = keyOf(content)
    const document: StoredDocument = {
      _id: newId('doc'),
      companyId,
      ...content,
      ...(uploadKey ? { uploadKey } : {}),
      ...queued(now),
      version: 1,
      passages: 0,
      pages: null,
      createdAt: now,
    }
    try {
      await documents.insertOne(document)
    } catch (error) {
      // Another process took the same file in between.
      const known = uploadKey && isDuplicateKey(error) && (await documents.findOne({ companyId, uploadKey }))
      if (known) return again(known)
      throw error
    }
    announce(document)
    return visible(document)
  }

  /** What is there already is as good as new, unless it failed. */
  const again = async (known: StoredDocument): Promise<KnowledgeDocument> => {
    if (known.status !== 'failed') return visible(known)
    const { _id, companyId } = known
    const retried = await documents.findOneAndUpdate(
      { _id, companyId, status: 'failed' },
      { $set: queued(clock.now()) },
      { returnDocument: 'after', projection: { text: 0 } },
    )
    if (!retried) return getDocument(companyId, _id)
    announce(retried)
    return visible(retried)
  }

  /**
   * A new version of a document, queued. From this moment the old version is quoted no more. Unchanged content changes
   * nothing. Throws `not_found`, or `conflict` where another document is this very file.
   */
  const replaceDocument = async (
    companyId: string,
    documentId: string,
    draft: DocumentDraft | UploadDraft,
  ): Promise<KnowledgeDocument> => {
    const received = 'upload' in draft ? draft.upload.received : undefined
    try {
      const content = contentOf(draft)
      const current = await getDocument(companyId, documentId)
      if (current.hash === content.hash && current.status !== 'failed') return current
      const replaced = await oneAtATime(companyId, async () => {
        if (received) await needFiles().keep(companyId, received)
        return replace(companyId, documentId, content)
      })
      if (current.file && current.file.id !== content.file?.id) await dropFile(companyId, current.file.id)
      announce(replaced)
      return visible(replaced)
    } finally {
      await received?.discard()
    }
  }

  const replace = async (companyId: string, documentId: string, content: Content): Promise<StoredDocument> => {
    const uploadKey = keyOf(content)
    const change = { ...content, ...(uploadKey ? { uploadKey } : {}), ...queued(clock.now()), pages: null }
    try {
      const replaced = await documents.findOneAndUpdate(
        { _id: documentId, companyId },
        { $set: change, ...(uploadKey ? {} : { $unset: { uploadKey: 1 } }), $inc: { version: 1 } },
        { returnDocument: 'after' },
      )
      if (replaced) return replaced
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
      throw new AppError('conflict', 'same_file', 'Another document is this very file with the same settings.', {
        field: 'file',
        cause: error,
      })
    }
    throw notFound(documentId)
  }

  /** The document, its passages and its original are gone from the next answer on. Throws `not_found`. */
  const deleteDocument = async (companyId: string, documentId: string): Promise<void> => {
    const deleted = await inTransaction(mongo.client, async (session) => {
      const before = await documents.findOneAndDelete(
        { _id: documentId, companyId },
        { session, projection: { text: 0 } },
      )
      if (!before) throw notFound(documentId)
      await passages.deleteMany({ companyId, documentId }, { session })
      await summarise(summaries, companyId, { before, after: null }, session)
      return before
    })
    changed(companyId, documentId, 'deleted')
    if (deleted.file) await dropFile(companyId, deleted.file.id)
  }

  /**
   * Removes an original to which no document refers any more. In turn with whoever keeps one, so that none is removed between
   * its keeping and its document; another process may still do that, and the document then fails with its reason.
   */
  const dropFile = (companyId: string, fileId: string): Promise<void> =>
    oneAtATime(companyId, async () => {
      const used = await documents.findOne({ companyId, 'file.id': fileId }, { projection: { _id: 1 } })
      if (!used) await needFiles().remove(companyId, fileId)
    })

  /** Removes what crashes left: originals without a document, and files that never arrived whole. */
  const sweepFiles = async (now: Date): Promise<void> => {
    const before = new Date(now.getTime() - ORPHAN_AFTER_MS)
    await needFiles().clean(before)
    for await (const { companyId, id } of needFiles().keptBefore(before)) await dropFile(companyId, id)
  }

  const getDocument = async (companyId: string, documentId: string): Promise<KnowledgeDocument> => {
    const found = await documents.findOne({ _id: documentId, companyId }, { projection: { text: 0 } })
    if (!found) throw notFound(documentId)
    return visible(found)
  }

  /** The file as it was uploaded, or the text as it was sent. The type is what the product found, never what was declared. */
  const openOriginal = async (companyId: string, documentId: string): Promise<Original> => {
    const found = await documents.findOne({ _id: documentId, companyId })
    if (!found) throw notFound(documentId)
    const { file, text, title, format } = found
    const { extension, type } = FORMATS[format]
    if (file) return { name: file.name, type, size: file.size, stream: await needFiles().open(companyId, file.id) }
    const bytes = Buffer.from(text ?? '', 'utf8')
    const name = `${shownName(title)}${extension}`
    return { name, type, size: bytes.length, stream: Readable.from([bytes], { objectMode: false }) }
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

  /** Tells whoever shows documents, and wakes whoever indexes them. */
  const announce = ({ companyId, _id, status }: StoredDocument) => {
    changed(companyId, _id, status)
    enqueue?.(companyId, _id)
  }

  /** Of a passage that may be quoted from now; `null` when its document was replaced or deleted since. */
  const passageText = async (companyId: string, passageId: string): Promise<string | null> => {
    const found = await passages.findOne({ _id: passageId, companyId }, { projection: { text: 1 } })
    return found?.text ?? null
  }

  return {
    receiveFile,
    addDocument,
    replaceDocument,
    deleteDocument,
    getDocument,
    openOriginal,
    listDocuments,
    passageText,
    sweepFiles,
    ...indexing,
  }
}

export type Original = { name: string; type: string; size: number; stream: Readable }

type ListOptions = {
  status?: DocumentStatus
  source?: DocumentSource['kind']
  limit?: number
  before?: { createdAt: Date; id: string }
}

const notFound = (documentId: string) =>
  new AppError('not_found', 'document_not_found', `There is no document ${documentId}.`)

/** Only uploads are told apart by what they are; a folder's file is told by its path, a text that is sent is a new one. */
const keyOf = ({ file, source, hash }: Content): string | undefined =>
  file && source.kind === 'api' ? hash : undefined

/** Fields that documents of an older version lack are there for whoever reads them. */
const visible = ({
  _id,
  text: _text,
  givenTitle: _title,
  givenLanguage: _given,
  uploadKey: _key,
  algorithm: _algorithm,
  attempts: _attempts,
  dueAt: _due,
  embedding: _embedding,
  ...document
}: Omit<StoredDocument, 'text'> & { text?: string | null }): KnowledgeDocument => ({
  ...OLD_DOCUMENT,
  id: _id,
  ...document,
  ...(document.status === 'ready' ? { progress: 1 } : {}),
})

const OLD_DOCUMENT = { file: null, note: null, pages: null, progress: 0, suspicions: [] }

/** What concerns the originals of one company happens one after the other. */
const makeTurns = () => {
  const turns = new Map<string, Promise<unknown>>()
  return <T>(companyId: string, work: () => Promise<T>): Promise<T> => {
    const result = (turns.get(companyId) ?? Promise.resolve()).then(work, work)
    const ended = result.then(
      () => {},
      () => {},
    )
    turns.set(companyId, ended)
    void ended.then(() => turns.get(companyId) === ended && turns.delete(companyId))
    return result
  }
}
