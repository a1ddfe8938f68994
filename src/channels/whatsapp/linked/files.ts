import { AppError } from '../../../platform/errors.js'
import type { ChannelKit } from '../../channel.js'
import { keepChecked, readWithin, type Fetched } from '../checked-file.js'
import type { Media } from '../decode.js'
import type { LinkedSocket } from './socket.js'

const FETCH_WITHIN_MS = 60_000

type Needs = { socket: () => LinkedSocket | null; keepFile: ChannelKit['keepFile'] }

/** Fetches the file of a message and keeps it where it passes (`keepChecked`). One whose key does not fit cannot be opened, and says so. */
export const makeFetchFile =
  ({ socket, keepFile }: Needs) =>
  async (raw: unknown, media: Media, stopped: AbortSignal): Promise<Fetched> => {
    const from = socket()
    if (!from) return { kind: 'later' }
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(FETCH_WITHIN_MS)])
    try {
      const bytes = await readWithin(await from.download(raw, signal), signal)
      return await keepChecked(media, bytes, keepFile)
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
