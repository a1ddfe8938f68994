import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { AppError } from './errors.js'

/** On this machine, whole and on disk, but not yet kept: nobody may refer to it. */
export type ReceivedFile = {
  /** SHA-256 of the bytes, in hexadecimal: the same bytes are the same file. */
  id: string
  size: number
  /** The first bytes, by which a format is told. */
  head: Uint8Array
  path: string
  /** Removes it. Harmless after `keep`, and twice. */
  discard(): Promise<void>
}

/** From the first byte to the last, both counted from 0 and both within the file. */
export type ByteRange = { first: number; last: number }

/**
 * Files of companies under names that the server makes: a file is named by its content, and only within its company. What a
 * client called it is never a part of a path.
 */
export type Files = {
  /** Throws `too_large` once more than `mostBytes` arrived; what was written is gone then. Never holds the whole in memory. */
  receive(bytes: AsyncIterable<Uint8Array>, mostBytes: number): Promise<ReceivedFile>
  /** Durable when it resolves: from now on it may be referred to. */
  keep(companyId: string, received: ReceivedFile): Promise<void>
  /** All of it, or one part. Throws `not_found`. */
  open(companyId: string, id: string, part?: ByteRange): Promise<Readable>
  /** Hands out a path on this machine that is there as long as `use` runs, for reading only. Throws `not_found`. */
  withPath<T>(companyId: string, id: string, use: (path: string) => Promise<T>): Promise<T>
  /** Of one that is not there: nothing. */
  remove(companyId: string, id: string): Promise<void>
  /** What was last kept before that time, to be compared with what is still referred to. */
  keptBefore(time: Date): AsyncIterable<{ companyId: string; id: string }>
  /** Removes what was being received before that time and never kept: a crash left it. */
  clean(time: Date): Promise<void>
}

/** Bytes that are in memory already, opened as a file is. */
export const openBytes =
  (bytes: Buffer) =>
  async ({ first, last }: ByteRange = { first: 0, last: bytes.length - 1 }): Promise<Readable> =>
    Readable.from([bytes.subarray(first, last + 1)], { objectMode: false })

const HEAD_BYTES = 8_192
const SAFE_NAME = /^[A-Za-z0-9_-]{1,100}$/u
const FILE_ID = /^[0-9a-f]{64}$/u

/** In a directory of this machine: one folder per company, one file per content. `incoming` holds what is not kept yet. */
export const makeDiskFiles = (directory: string): Files => {
  const incoming = makeIncoming(directory)
  const pathOf = (companyId: string, id: string) => path.join(directory, 'kept', safe(companyId), fileId(id))

  return {
    receive: incoming.receive,
    clean: incoming.clean,

    keep: async (companyId, { id, path: from }) => {
      const to = pathOf(companyId, id)
      await mkdir(path.dirname(to), { recursive: true, mode: 0o700 })
      // The same content under the same name: replacing it changes nothing but its time.
      await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPERM' && error.code !== 'EEXIST') throw error
        // Windows does not replace a file that somebody reads.
        await unlink(from)
      })
      await syncDirectory(path.dirname(to))
      await syncDirectory(path.dirname(path.dirname(to)))
      await syncDirectory(directory)
    },

    open: async (companyId, id, part) => {
      const stream = createReadStream(pathOf(companyId, id), part && { start: part.first, end: part.last })
      await new Promise<void>((resolve, reject) => {
        stream.once('open', () => resolve())
        stream.once('error', (cause) => reject(missing(cause)))
      })
      return stream
    },

    withPath: async (companyId, id, use) => {
      const file = pathOf(companyId, id)
      await stat(file).catch((cause: unknown) => {
        throw missing(cause)
      })
      return use(file)
    },

    remove: async (companyId, id) => removeFile(pathOf(companyId, id)),

    keptBefore: async function* (time) {
      for (const companyId of await namesIn(path.join(directory, 'kept'))) {
        for (const id of await namesIn(path.join(directory, 'kept', companyId))) {
          if (!FILE_ID.test(id)) continue
          const found = await stat(path.join(directory, 'kept', companyId, id)).catch(() => null)
          if (found && found.mtime < time) yield { companyId, id }
        }
      }
    },
  }
}

/** The part that all stores share: bytes arrive in a file of this machine, counted and hashed on the way. */
export const makeIncoming = (directory: string) => {
  const incoming = path.join(directory, 'incoming')

  const receive: Files['receive'] = async (bytes, mostBytes) => {
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    const file = path.join(incoming, randomUUID())
    const handle = await open(file, 'wx', 0o600)
    const discard = () => removeFile(file)
    try {
      return { ...(await write(handle, bytes, mostBytes)), path: file, discard }
    } catch (error) {
      await handle.close()
      await discard()
      throw storageFault(error)
    }
  }

  const clean: Files['clean'] = async (time) => {
    for (const name of await namesIn(incoming)) {
      const file = path.join(incoming, name)
      const found = await stat(file).catch(() => null)
      if (found && found.mtime < time) await removeFile(file)
    }
  }

  /** A path for something that is fetched from elsewhere; whoever asks removes it. */
  const place = async (): Promise<string> => {
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    return path.join(incoming, randomUUID())
  }

  return { receive, clean, place }
}

const write = async (handle: FileHandle, bytes: AsyncIterable<Uint8Array>, mostBytes: number) => {
  const hash = createHash('sha256')
  const heads: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    if (size < HEAD_BYTES) heads.push(chunk.subarray(0, HEAD_BYTES - size))
    size += chunk.length
    if (size > mostBytes) throw tooLarge(mostBytes)
    hash.update(chunk)
    await handle.writeFile(chunk)
  }
  await handle.sync()
  await handle.close()
  return { id: hash.digest('hex'), size, head: Buffer.concat(heads) }
}

export const removeFile = (file: string): Promise<void> =>
  unlink(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })

/** A name is in its directory for good only when the directory is on disk. Windows cannot say so and does not need to. */
const syncDirectory = async (directory: string): Promise<void> => {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}

const LONGEST_NAME = 200

/** A client's name for a file as text to show: no path, no control signs, nothing that turns the direction of writing. */
export const shownName = (name: string): string => {
  const last = name.normalize('NFC').split(/[/\\]/u).at(-1) ?? ''
  const shown = Buffer.from(last, 'utf8')
    .toString('utf8')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/\s+/gu, ' ')
    .trim()
  // The extension stays when the middle is cut.
  const cut = shown.length > LONGEST_NAME ? shown.slice(0, LONGEST_NAME - 20) + shown.slice(-20) : shown
  return Buffer.from(cut, 'utf8').toString('utf8').replace(/^\.+/u, '') || 'document'
}

const namesIn = (directory: string): Promise<string[]> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })

/** What becomes part of a path or a query is checked where it does: nothing that a client wrote gets this far. */
export const safe = (companyId: string): string => {
  if (SAFE_NAME.test(companyId)) return companyId
  throw new AppError('invalid', 'invalid_id', 'This is not the id of a company.')
}

export const fileId = (id: string): string => {
  if (FILE_ID.test(id)) return id
  throw new AppError('invalid', 'invalid_id', 'This is not the id of a file.')
}

export const missing = (cause?: unknown): AppError =>
  new AppError('not_found', 'file_not_found', 'The file is not there.', { cause })

const tooLarge = (mostBytes: number): AppError =>
  new AppError('too_large', 'file_too_large', `The file is larger than the limit of ${inWords(mostBytes)}.`, {
    field: 'file',
  })

const inWords = (bytes: number): string =>
  bytes % (1024 * 1024) === 0 ? `${bytes / (1024 * 1024)} MB` : `${bytes} bytes`

const storageFault = (error: unknown): unknown => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new AppError('unavailable', 'storage_full', 'There is no space left to keep the file. Tell the operator.', {
    cause: error,
  })
}
