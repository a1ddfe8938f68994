import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../platform/errors.js'
import { MAX_FILE_BYTES, MAX_TEXT_LENGTH, MAX_TITLE_LENGTH, type DocumentDraft, type UploadDraft } from './drafts.js'
import type { KnowledgeDocument } from './documents.mongo.js'
import type { Knowledge } from './knowledge.mongo.js'
import { decodeText } from './sources/charset.js'
import { READABLE } from './sources/formats.js'
import { detectFormat, titleOf } from './sources/parse.js'

/** A folder or a single file. `glob` (`*`, `**`, `?`) narrows a folder; paths in it are relative to the folder, with `/`. */
export type Root = { path: string; glob?: string }

/** By path: what happened to each file. `skipped` says why. */
export type SyncReport = {
  added: string[]
  replaced: string[]
  unchanged: string[]
  deleted: string[]
  skipped: { path: string; reason: string }[]
}

/** What is one text is kept as such; the others keep their original. */
const TEXT = /\.(?:md|markdown|txt|html?)$/iu
/** UTF-8 takes at most this many bytes for a character of the longest text. */
const MAX_BYTES = MAX_TEXT_LENGTH * 3

type Found = { file: string; path: string }
type Needs = {
  knowledge: Pick<Knowledge, 'addDocument' | 'replaceDocument' | 'deleteDocument' | 'listDocuments' | 'receiveFile'>
}

/**
 * Makes the company's documents from folders equal to the files that are there now: new ones are added, changed ones replaced,
 * vanished ones deleted, unchanged ones left alone. Throws `invalid` when a root is missing, before anything is deleted.
 */
export const makeSyncFolder = ({ knowledge }: Needs) => {
  /** A file is copied only when it is not the one that is known. */
  const fileDraft = async (
    file: string,
    name: string,
    before: KnowledgeDocument | undefined,
  ): Promise<UploadDraft | Skipped | 'unchanged'> => {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) return { reason: `It is larger than ${MAX_FILE_BYTES / (1024 * 1024)} MB.` }
    if (before?.file?.id === (await contentHash(file))) return 'unchanged'
    try {
      const upload = await knowledge.receiveFile({ bytes: createReadStream(file), name: path.posix.basename(name) })
      return { upload, ...fromFolder(name) }
    } catch (error) {
      return skipped(error)
    }
  }

  return async (companyId: string, roots: string | readonly Root[]): Promise<SyncReport> => {
    const report: SyncReport = { added: [], replaced: [], unchanged: [], deleted: [], skipped: [] }
    const files = new Map<string, string>()
    for (const root of typeof roots === 'string' ? [{ path: roots }] : roots) {
      for (const { file, path: name } of await filesOf(root, report.skipped))
        if (!files.has(name)) files.set(name, file)
    }
    const known = new Map(
      (await knowledge.listDocuments(companyId, { source: 'folder', limit: MOST_FILES })).flatMap((document) =>
        document.source.kind === 'folder' ? [[document.source.path, document] as const] : [],
      ),
    )
    for (const [name, file] of [...files].sort()) {
      const before = known.get(name)
      const draft = TEXT.test(name) ? await textDraft(file, name) : await fileDraft(file, name, before)
      if (draft === 'unchanged') {
        report.unchanged.push(name)
      } else if ('reason' in draft) {
        report.skipped.push({ path: name, reason: draft.reason })
        files.delete(name)
      } else if (!before) {
        await knowledge.addDocument(companyId, draft)
        report.added.push(name)
      } else {
        const after = await knowledge.replaceDocument(companyId, before.id, draft)
        ;(after.version === before.version ? report.unchanged : report.replaced).push(name)
      }
    }
    for (const [name, { id }] of known) {
      if (files.has(name)) continue
      await knowledge.deleteDocument(companyId, id)
      report.deleted.push(name)
    }
    return report
  }
}

const MOST_FILES = 10_000

/** Files of a root by their path as people see it: below the folder's own name. A link that leads out is not followed. */
const filesOf = async (root: Root, skipped: SyncReport['skipped']): Promise<Found[]> => {
  const base = path.resolve(root.path)
  const real = await realpath(base).catch((cause: unknown) => {
    throw new AppError('invalid', 'folder_missing', `There is nothing to read at ${root.path}.`, { cause })
  })
  if ((await stat(real)).isFile()) return READABLE.test(base) ? [{ file: real, path: path.basename(base) }] : []
  const matches = root.glob === undefined ? undefined : globToRegExp(root.glob)
  const found: Found[] = []
  const seen = new Set<string>()
  const walk = async (folder: string, below: string): Promise<void> => {
    const realFolder = await realpath(folder)
    if (seen.has(realFolder)) return
    seen.add(realFolder)
    for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const file = path.join(folder, entry.name)
      const relative = below ? `${below}/${entry.name}` : entry.name
      const shown = `${path.basename(base)}/${relative}`
      const target = entry.isSymbolicLink() ? await realpath(file).catch(() => null) : file
      if (target === null || (target !== file && !target.startsWith(real + path.sep))) {
        skipped.push({ path: shown, reason: 'It is a link that leads out of the folder.' })
        continue
      }
      const kind = await stat(target)
      if (kind.isDirectory()) await walk(target, relative)
      else if (kind.isFile() && READABLE.test(entry.name) && (matches?.test(relative) ?? true)) {
        if (found.length >= MOST_FILES) throw tooMany(root.path)
        found.push({ file: target, path: shown })
      }
    }
  }
  await walk(base, '')
  return found
}

const tooMany = (folder: string) =>
  new AppError('too_large', 'too_many_files', `${folder} holds more than ${MOST_FILES} documents.`)

const globToRegExp = (glob: string): RegExp => {
  const pattern = glob.replace(/\*\*\/?|[*?]|[.+^${}()|[\]\\]/gu, (sign) => {
    if (sign === '**/') return '(?:.*/)?'
    if (sign === '**') return '.*'
    if (sign === '*') return '[^/]*'
    return sign === '?' ? '[^/]' : `\\${sign}`
  })
  return new RegExp(`^${pattern}$`, 'u')
}

type Skipped = { reason: string }
const fromFolder = (name: string) => ({ source: { kind: 'folder' as const, path: name } })

const textDraft = async (file: string, name: string): Promise<DocumentDraft | Skipped> => {
  const { size } = await stat(file)
  if (size > MAX_BYTES) return { reason: `It is larger than ${MAX_BYTES} bytes.` }
  try {
    const text = decodeText(await readFile(file), { html: /html?$/iu.test(name) })
    if (text.length > MAX_TEXT_LENGTH) return { reason: `It is longer than ${MAX_TEXT_LENGTH} characters.` }
    return text.trim() ? { title: titleIn(text, name), text, ...fromFolder(name) } : { reason: 'It is empty.' }
  } catch (error) {
    return skipped(error)
  }
}

/** Why a file cannot be taken is its own affair; anything else is a fault. */
const skipped = (error: unknown): Skipped => {
  if (error instanceof AppError && error.kind !== 'unavailable') return { reason: error.message }
  throw error
}

const contentHash = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

const titleIn = (text: string, name: string): string => {
  const title = titleOf(text, detectFormat(text, name)) ?? path.posix.basename(name).replace(TEXT, '')
  return title.slice(0, MAX_TITLE_LENGTH)
}
