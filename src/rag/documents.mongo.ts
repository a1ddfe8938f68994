import type { CollectionSchema } from '../platform/mongo.js'
import type { AttemptKind } from './attempt-patterns.js'
import type { DocumentSource, Metadata, StoredFile } from './drafts.js'
import type { PassageBlock } from './passages.js'
import type { DocumentFormat } from './sources/formats.js'

/** A company's documents and their passages, as they lie in the store and as they are shown. */

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

/** Fields that documents of an older version lack are there for whoever reads them. */
export const visible = ({
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
