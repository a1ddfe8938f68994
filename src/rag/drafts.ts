import { createHash } from 'node:crypto'
import { AppError } from '../platform/errors.js'
import type { AttemptKind } from './attempt-patterns.js'
import { attemptsIn } from './attempts.js'
import type { ReceivedFile } from '../platform/files.js'
import type { DocumentFormat } from './sources/formats.js'
import { detectFormat, type Format } from './sources/parse.js'

export const MAX_TITLE_LENGTH = 200
/** Characters (UTF-16 code units) of one document. */
export const MAX_TEXT_LENGTH = 2_000_000
/** Bytes of an uploaded file. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024
const MAX_METADATA_ENTRIES = 50
const MAX_METADATA_LENGTH = 500

/** What everybody may read; any other audience is a name that a question must bring. */
export const PUBLIC_AUDIENCE = 'public'

export type DocumentSource = { kind: 'api' } | { kind: 'folder'; path: string }
export type Metadata = Record<string, string | number | boolean>

type Settings = {
  language?: string | undefined
  audience?: string | undefined
  metadata?: Metadata | undefined
  source?: DocumentSource | undefined
}

export type DocumentDraft = Settings & { title: string; text: string; format?: Format | undefined }

/** A file that has arrived and been recognised, and is not kept yet. */
export type Upload = { received: ReceivedFile; format: DocumentFormat; name: string }

/** Without a title the document's own is taken, else the file's name. */
export type UploadDraft = Settings & { title?: string | undefined; upload: Upload }

/** The original of a document: `id` is its content's hash, `name` only what its uploader called it. */
export type StoredFile = { id: string; name: string; size: number }

/** What a draft says, checked once more: a folder or a script comes here without passing the API's schemas. */
export type Content = ReturnType<typeof contentOf>

export const contentOf = (draft: DocumentDraft | UploadDraft) => {
  const givenTitle = draft.title === undefined && 'upload' in draft ? null : checkedTitle(draft.title)
  const givenLanguage = draft.language ? checkedLanguage(draft.language) : null
  const audience = checkedText('audience', draft.audience ?? PUBLIC_AUDIENCE, 100)
  const metadata = checkedMetadata(draft.metadata ?? {})
  const source = draft.source ?? { kind: 'api' as const }
  const settings = { givenTitle, givenLanguage, language: givenLanguage, audience, metadata, source }
  if ('upload' in draft) {
    const { received, format, name } = draft.upload
    const file: StoredFile = { id: received.id, name, size: received.size }
    // The file's name is no part of it: the same file under another name is the same document.
    const hash = hashOf([givenTitle, format, givenLanguage, audience, metadata, { file: received.id }])
    const suspicions = kindsIn(name, givenTitle ?? '')
    return { ...settings, title: givenTitle ?? titleFromName(name), text: null, file, format, hash, suspicions }
  }
  const text = checkedText('text', draft.text, MAX_TEXT_LENGTH)
  const format: DocumentFormat = draft.format ?? detectFormat(text, source.kind === 'folder' ? source.path : '')
  const hash = hashOf([givenTitle, format, givenLanguage, audience, metadata, text])
  return { ...settings, title: givenTitle ?? '', text, file: null, format, hash, suspicions: kindsIn(givenTitle ?? '') }
}

/** How the names that a document comes with try to instruct the assistant; its text is looked at when it is read. */
const kindsIn = (...names: string[]): AttemptKind[] => [
  ...new Set(names.flatMap((name) => attemptsIn(name).map(({ kind }) => kind))),
]

const hashOf = (parts: unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

const titleFromName = (name: string): string =>
  name
    .replace(/\.[A-Za-z0-9]{1,10}$/u, '')
    .slice(0, MAX_TITLE_LENGTH)
    .trim() || name

const checkedTitle = (title: unknown): string =>
  checkedText('title', title, MAX_TITLE_LENGTH).replace(/\s+/gu, ' ').trim()

const checkedText = (field: string, value: unknown, limit: number): string => {
  if (typeof value !== 'string') throw new AppError('invalid', 'not_text', `${field} must be text.`, { field })
  if (!value.trim()) throw new AppError('invalid', 'empty', `${field} must not be empty.`, { field })
  if (value.length > limit) {
    throw new AppError('too_large', 'too_long', `${field} is longer than ${limit} characters.`, { field })
  }
  // The driver refuses lone surrogates, and no reader sees a NUL.
  return Buffer.from(value, 'utf8').toString('utf8').replaceAll('\u0000', '')
}

const checkedLanguage = (language: string): string => {
  const code = /^([a-z]{2,3})(?:[-_].*)?$/iu.exec(language)?.[1]
  if (!code) {
    throw new AppError('invalid', 'unknown_language', 'language must be an ISO 639 code such as en.', {
      field: 'language',
    })
  }
  return code.toLowerCase()
}

const checkedMetadata = (metadata: Metadata): Metadata => {
  const entries = Object.entries(metadata)
  const fine = entries.every(
    ([key, value]) =>
      /^[A-Za-z0-9_-]{1,64}$/u.test(key) &&
      (typeof value === 'boolean' ||
        (typeof value === 'number' && Number.isFinite(value)) ||
        (typeof value === 'string' && value.length <= MAX_METADATA_LENGTH)),
  )
  if (!fine || entries.length > MAX_METADATA_ENTRIES) {
    throw new AppError(
      'invalid',
      'bad_metadata',
      `metadata holds up to ${MAX_METADATA_ENTRIES} texts, numbers and booleans; a key is letters, digits, _ and -.`,
      { field: 'metadata' },
    )
  }
  return metadata
}

/** The metadata as `key=value`, to filter by inside the search. */
export const labelsOf = (metadata: Metadata): string[] =>
  Object.entries(metadata).map(([key, value]) => `${key}=${String(value)}`)
