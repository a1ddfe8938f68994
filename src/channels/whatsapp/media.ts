import { AppError } from '../../platform/errors.js'
import type { ChannelKit } from '../channel.js'
import { keepChecked, MOST_BYTES, readWithin, tooLarge, type Fetched } from './checked-file.js'
import type { Media } from './decode.js'
import { GraphError, type Graph } from './graph.js'

type Needs = { graph: Graph; keepFile: ChannelKit['keepFile'] }

/** Fetches a file from where WhatsApp keeps it for some minutes, and keeps it here where it passes (`keepChecked`). */
export const makeFetchMedia =
  ({ graph, keepFile }: Needs) =>
  async (media: Media, signal: AbortSignal): Promise<Fetched> => {
    try {
      const bytes = await download(graph, media, signal)
      return await keepChecked(media, bytes, keepFile)
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
  return readWithin(body)
}
