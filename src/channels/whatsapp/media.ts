import { createHash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'
import type { Attachment } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import type { ChannelKit } from '../channel.js'
import type { Media } from './decode.js'
import { GraphError, type Graph } from './graph.js'

/** What became of a file that a customer sent. `later`: it may be there when it is asked for again. */
export type Fetched =
  | { kind: 'kept'; attachment: Attachment; lies: boolean }
  | { kind: 'refused'; reason: 'too_large' | 'expired' | 'damaged' | 'program' | 'unreadable' }
  | { kind: 'later' }

type Needs = { graph: Graph; keepFile: ChannelKit['keepFile'] }

/** WhatsApp takes documents of up to 100 MB; pictures, voices and videos are at most 16 MB. */
const MOST_BYTES = 32 * 1024 * 1024

/**
 * Fetches a file from where WhatsApp keeps it for some minutes, and keeps it here: no larger than the limit, whatever its
 * sender says of its size; whole, by its hash; and under a name that ends as its bytes are, not as its sender says.
 */
export const makeFetchMedia =
  ({ graph, keepFile }: Needs) =>
  async (media: Media, signal: AbortSignal): Promise<Fetched> => {
    try {
      const bytes = await download(graph, media, signal)
      if (media.sha256 && createHash('sha256').update(bytes).digest('base64') !== media.sha256)
        return refused('damaged')
      const found = await fileTypeFromBuffer(bytes).catch(() => undefined)
      if (found && RUNS.test(found.mime)) return refused('program')
      const name = nameOf(media, found?.ext)
      const attachment = await keepFile({ bytes: once(bytes), name, mostBytes: MOST_BYTES })
      return { kind: 'kept', attachment, lies: found !== undefined && !agree(media.type, found.mime) }
    } catch (error) {
      if (error instanceof GraphError) {
        if (error.verdict.kind !== 'refused' || error.code === 'token_refused') return { kind: 'later' }
        return refused('expired')
      }
      if (error instanceof AppError) {
        if (error.kind === 'too_large') return refused('too_large')
        if (error.kind !== 'unavailable') return refused('unreadable')
      }
      return { kind: 'later' }
    }
  }

export type FetchMedia = ReturnType<typeof makeFetchMedia>

const refused = (reason: Extract<Fetched, { kind: 'refused' }>['reason']): Fetched => ({ kind: 'refused', reason })

/** The address that came with the message may be minutes old: then a fresh one is asked for, once. */
const download = async (graph: Graph, media: Media, signal: AbortSignal): Promise<Buffer> => {
  const given = media.url ? await graph.download(media.url, signal).catch(() => null) : null
  if (given?.ok) return read(given)
  const { url, file_size: size } = await graph.call(encodeURIComponent(media.id), { signal })
  if (typeof size === 'number' && size > MOST_BYTES) throw tooLarge()
  if (typeof url !== 'string')
    throw new AppError('invalid', 'media_unreadable', 'WhatsApp gave no address for the file.')
  const response = await graph.download(url, signal)
  if (response.ok) return read(response)
  if (response.status >= 500 || response.status === 429 || response.status === 401)
    throw new AppError('unavailable', 'media_later', 'WhatsApp does not hand out the file at this moment.')
  throw new AppError('not_found', 'media_gone', 'WhatsApp does not keep the file any more.')
}

const read = async (response: {
  headers: { get(name: string): string | null }
  body: AsyncIterable<Uint8Array> | null
}) => {
  const body = response.body ?? []
  if (Number(response.headers.get('content-length') ?? 0) > MOST_BYTES) {
    await (response.body as { cancel?(): Promise<void> } | null)?.cancel?.()
    throw tooLarge()
  }
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > MOST_BYTES) throw tooLarge()
    parts.push(part)
  }
  if (size === 0) throw new AppError('invalid', 'media_empty', 'The file is empty.')
  return Buffer.concat(parts)
}

const tooLarge = () => new AppError('too_large', 'file_too_large', `A file is limited to ${MOST_BYTES} bytes.`)

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes
}

/** Programs under another name. */
const RUNS = /msdownload|executable|x-elf|x-mach|x-sh|java-archive|x-msi|vnd\.android/u

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
}

const nameOf = ({ kind, name, type }: Media, found: string | undefined): string => {
  if (name && !found) return name
  const extension = found ?? EXTENSIONS[type]
  const stem = (name ?? kind).replace(/\.[a-z0-9]{1,5}$/iu, '')
  // A Word document is a zip by its bytes: its own name says more.
  if (name && (found === 'zip' || found === 'cfb')) return name
  return extension ? `${stem}.${extension}` : stem
}

/** `audio/ogg` is `audio/opus` to some: the kind is what is compared. */
const agree = (said: string, found: string): boolean =>
  !said || said === found || said.split('/')[0] === found.split('/')[0] || said.startsWith('application/')
