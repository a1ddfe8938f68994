import { createHash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'
import type { Attachment } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import type { ChannelKit } from '../channel.js'
import type { Media } from './decode.js'

/** What became of a file that a customer sent. `later`: it may be there when it is asked for again. */
export type Fetched =
  | { kind: 'kept'; attachment: Attachment; lies: boolean }
  | { kind: 'refused'; reason: 'too_large' | 'expired' | 'damaged' | 'program' | 'unreadable' }
  | { kind: 'later' }

/** WhatsApp takes documents of up to 100 MB; pictures, voices and videos are at most 16 MB. */
export const MOST_BYTES = 32 * 1024 * 1024

/** No more of it than the limit, whatever its sender says of its size. */
export const readWithin = async (
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    signal?.throwIfAborted()
    size += part.length
    if (size > MOST_BYTES) throw tooLarge()
    parts.push(part)
  }
  if (size === 0) throw new AppError('invalid', 'media_empty', 'The file is empty.')
  return Buffer.concat(parts)
}

export const tooLarge = () => new AppError('too_large', 'file_too_large', `A file is limited to ${MOST_BYTES} bytes.`)

/** Keeps a file that is whole by its hash and no program, under a name that ends as its bytes are, not as its sender says. */
export const keepChecked = async (
  media: Media,
  bytes: Buffer,
  keepFile: ChannelKit['keepFile'],
): Promise<Exclude<Fetched, { kind: 'later' }>> => {
  if (media.sha256 && createHash('sha256').update(bytes).digest('base64') !== media.sha256)
    return { kind: 'refused', reason: 'damaged' }
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined)
  if (found && RUNS.test(found.mime)) return { kind: 'refused', reason: 'program' }
  const name = nameOf(media, found?.ext)
  const attachment = await keepFile({ bytes: once(bytes), name, mostBytes: MOST_BYTES })
  return { kind: 'kept', attachment, lies: found !== undefined && !agree(media.type, found.mime) }
}

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
  // A Word document is a zip by its bytes: its own name says more.
  if (name && (!found || found === 'zip' || found === 'cfb')) return name
  const extension = found ?? EXTENSIONS[type]
  const stem = (name ?? kind).replace(/\.[a-z0-9]{1,5}$/iu, '')
  return extension ? `${stem}.${extension}` : stem
}

/** `audio/ogg` is `audio/opus` to some: the kind is what is compared. */
const agree = (said: string, found: string): boolean =>
  !said || said === found || said.split('/')[0] === found.split('/')[0] || said.startsWith('application/')
