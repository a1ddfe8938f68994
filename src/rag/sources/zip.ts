import { open, type Entry, type ZipFile } from 'yauzl'
import { AppError } from '../../platform/errors.js'

const MOST_ENTRIES = 10_000

/** Names of what a zip holds, read from its directory alone; nothing is unpacked. Ends early where `enough` says so. */
export const namesInZip = async (path: string, enough: (name: string) => boolean): Promise<string[]> => {
  const names: string[] = []
  for await (const { fileName } of entriesOf(await openZip(path))) {
    names.push(fileName)
    if (enough(fileName) || names.length > MOST_ENTRIES) break
  }
  return names
}

/**
 * Unpacks everything once and keeps nothing, to see how large it really is: what a zip says of its sizes may be a lie. Throws
 * `invalid` with a reason for people.
 */
export const checkZip = async (path: string, mostBytes: number): Promise<void> => {
  let bytes = 0
  let entries = 0
  const zip = await openZip(path)
  for await (const entry of entriesOf(zip)) {
    entries += 1
    if (entries > MOST_ENTRIES) throw bad('zip_too_many', `The file packs more than ${MOST_ENTRIES} parts.`)
    if (entry.isEncrypted()) throw bad('zip_locked', 'The file is protected by a password. Remove it')
    try {
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        bytes += (chunk as Buffer).length
        if (bytes > mostBytes) {
          throw bad('zip_too_large', `The file unpacks to more than ${mostBytes / (1024 * 1024)} MB. Make it smaller`)
        }
      }
    } catch (error) {
      throw error instanceof AppError ? error : damaged(error)
    }
  }
}

const openZip = async (path: string): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(damaged(error)) : resolve(zip)))
  })

const entriesOf = async function* (zip: ZipFile): AsyncGenerator<Entry> {
  try {
    for await (const entry of zip.eachEntry()) yield entry
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error)
  } finally {
    zip.close()
  }
}

const bad = (code: string, reason: string): AppError =>
  new AppError('invalid', code, reason.endsWith('.') ? reason : `${reason} and upload it again.`, { field: 'file' })

const damaged = (cause: unknown): AppError =>
  new AppError(
    'invalid',
    'file_damaged',
    'The file is damaged and cannot be unpacked. Save it again and upload the new file.',
    { field: 'file', cause },
  )
