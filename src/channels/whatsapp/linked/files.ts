import { createHash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'
import { AppError } from '../../../platform/errors.js'
import type { ChannelKit } from '../../channel.js'
import type { Media } from '../decode.js'
import type { Fetched } from '../media.js'
import type { LinkedSocket } from './socket.js'

/** As much as the Cloud API's door takes. */
const MOST_BYTES = 32 * 1024 * 1024
const FETCH_WITHIN_MS = 60_000

/** Programs under another name. */
const RUNS = /msdownload|executable|x-elf|x-mach|x-sh|java-archive|x-msi|vnd\.android/u

type Needs = { socket: () => LinkedSocket | null; keepFile: ChannelKit['keepFile'] }

/**
 * Fetches the file of a message and keeps it: no larger than the limit, whole by its hash, and named as its bytes are. A file
 * whose key does not fit cannot be opened, and says so.
 */
export const makeFetchFile =
  ({ socket, keepFile }: Needs) =>
  async (raw: unknown, media: Media, stopped: AbortSignal): Promise<Fetched> => {
    const from = socket()
    if (!from) return { kind: 'later' }
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(FETCH_WITHIN_MS)])
    try {
      const bytes = await readWithin(await from.download(raw, signal), signal)
      if (media.sha256 && createHash('sha256').update(bytes).digest('base64') !== media.sha256)
        return { kind: 'refused', reason: 'damaged' }
      const found = await fileTypeFromBuffer(bytes).catch(() => undefined)
      if (found && RUNS.test(found.mime)) return { kind: 'refused', reason: 'program' }
      const name = namedAs(media, found?.ext)
      const attachment = await keepFile({ bytes: once(bytes), name, mostBytes: MOST_BYTES })
      return { kind: 'kept', attachment, lies: found !== undefined && !agree(media.type, found.mime) }
    } catch (error) {
      if (signal.aborted) return stopped.aborted ? { kind: 'later' } : { kind: 'refused', reason: 'expired' }
      if (!(error instanceof AppError))
        return doesNotFit(error) ? { kind: 'refused', reason: 'damaged' } : { kind: 'later' }
      switch (error.kind) {
        case 'too_large':
          return { kind: 'refused', reason: 'too_large' }
        case 'not_found':
          return { kind: 'refused', reason: 'expired' }
        case 'unavailable':
          return { kind: 'later' }
        default:
          return { kind: 'refused', reason: 'damaged' }
      }
    }
  }

/** What OpenSSL says of a key, or of what it opens, that is not the right one. */
const doesNotFit = (error: unknown): boolean =>
  error instanceof Error && /bad decrypt|wrong final block|OSSL|hmac|\bmac\b/iu.test(`${error.message}`)

const readWithin = async (stream: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    signal.throwIfAborted()
    size += part.length
    if (size > MOST_BYTES)
      throw new AppError('too_large', 'file_too_large', `A file is limited to ${MOST_BYTES} bytes.`)
    parts.push(part)
  }
  if (size === 0) throw new AppError('invalid', 'media_empty', 'The file is empty.')
  return Buffer.concat(parts)
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes
}

const namedAs = ({ kind, name }: Media, found: string | undefined): string => {
  // A Word document is a zip by its bytes: its own name says more.
  if (name && (!found || found === 'zip' || found === 'cfb')) return name
  const stem = (name ?? kind).replace(/\.[a-z0-9]{1,5}$/iu, '')
  return found ? `${stem}.${found}` : stem
}

const agree = (said: string, found: string): boolean =>
  !said || said === found || said.split('/')[0] === found.split('/')[0] || said.startsWith('application/')
