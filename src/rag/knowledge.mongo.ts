import type { Readable } from 'node:stream'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { openBytes, shownName, type ByteRange, type Files } from '../platform/files.js'
import { newId } from '../platform/ids.js'
import { inTransaction, isDuplicateKey, type Filter, type Mongo } from '../platform/mongo.js'
import {
  visible,
  type DocumentStatus,
  type KnowledgeDocument,
  type StoredDocument,
  type StoredPassage,
} from './documents.mongo.js'
import {
  contentOf,
  MAX_FILE_BYTES,
  type Content,
  type DocumentDraft,
  type DocumentSource,
  type Upload,
  type UploadDraft,
} from './drafts.js'
import { makeIndexing, queued } from './indexing.mongo.js'
import { readDocument, type Read } from './reading.js'
import { formatOf, FORMATS } from './sources/formats.js'
import { summarise, type StoredSummary } from './summary.mongo.js'

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
    if (file)
      return { name: file.name, type, size: file.size, open: (part) => needFiles().open(companyId, file.id, part) }
    const bytes = Buffer.from(text ?? '', 'utf8')
    const name = `${shownName(title)}${extension}`
    return { name, type, size: bytes.length, open: openBytes(bytes) }
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

export type Original = { name: string; type: string; size: number; open(part?: ByteRange): Promise<Readable> }

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
