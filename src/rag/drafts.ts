import { createHash } from 'node:crypto'
import { AppError } from '../platform/errors.js'
import { detectFormat, type Format } from './sources/parse.js'

export const MAX_TITLE_LENGTH = 200
/** Characters (UTF-16 code units) of one document. */
export const MAX_TEXT_LENGTH = 2_000_000
const MAX_METADATA_ENTRIES = 50
const MAX_METADATA_LENGTH = 500

/** What everybody may read; any other audience is a name that a question must bring. */
export const PUBLIC_AUDIENCE = 'public'

export type DocumentSource = { kind: 'api' } | { kind: 'folder'; path: string }
export type Metadata = Record<string, string | number | boolean>

export type DocumentDraft = {
  title: string
  text: string
  format?: Format | undefined
  language?: string | undefined
  audience?: string | undefined
  metadata?: Metadata | undefined
  source?: DocumentSource | undefined
}

/** Guards the limits once more: a folder or a script comes here without passing the API's schemas. */
export const contentOf = (draft: DocumentDraft) => {
  const title = checkedText('title', draft.title, MAX_TITLE_LENGTH).replace(/\s+/gu, ' ').trim()
  const text = checkedText('text', draft.text, MAX_TEXT_LENGTH)
  const givenLanguage = draft.language ? checkedLanguage(draft.language) : null
  const audience = checkedText('audience', draft.audience ?? PUBLIC_AUDIENCE, 100)
  const metadata = checkedMetadata(draft.metadata ?? {})
  const source = draft.source ?? { kind: 'api' as const }
  const format = draft.format ?? detectFormat(text, source.kind === 'folder' ? source.path : '')
  const hash = createHash('sha256')
    .update(JSON.stringify([title, format, givenLanguage, audience, metadata, text]))
    .digest('base64url')
  return { title, text, format, givenLanguage, language: givenLanguage, audience, metadata, source, hash }
}

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
