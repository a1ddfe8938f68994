import type { Attachment } from '../../conversations/message.js'
import type { Clock } from '../../platform/clock.js'
import type { Log } from '../../platform/log.js'
import type { ChannelKit, Receive } from '../channel.js'
import type { Media } from './decode.js'
import type { Fetched } from './checked-file.js'
import type { FetchMedia } from './media.js'

/**
 * Files that could not be fetched before the acknowledgement. They are written down before it, so a process that dies forgets
 * none; each is put onto its message once it is here, or its message says that it never came.
 */

type Wanted = { media: Media; caption: string; attempts: number; notBefore: Date }

type Needs = { fetchMedia: FetchMedia; memory: ChannelKit['memory']; clock: Clock; log: Log }

const KEY = 'media/'
/** 5 s, 10 s, 20 s … : the last attempt is made about three hours after the message. */
const FIRST_PAUSE_MS = 5_000
const MOST_ATTEMPTS = 12
/** Longer than one attempt may take: then whoever made it is dead. */
const HELD_MS = 60_000
const ATTEMPT_MS = 45_000

export const makeLateMedia = ({ fetchMedia, memory, clock, log }: Needs) => {
  const after = (ms: number) => new Date(clock.now().getTime() + ms)

  /** Nothing is lost where this fails: what is written down is tried again. */
  const settle = async (receive: Receive, externalId: string, wanted: Wanted, fetched: Fetched): Promise<void> => {
    const { media, caption, attempts } = wanted
    if (fetched.kind === 'later' && attempts < MOST_ATTEMPTS) {
      const notBefore = after(FIRST_PAUSE_MS * 2 ** (attempts - 1))
      return memory.set(KEY + externalId, { ...wanted, notBefore } satisfies Wanted)
    }
    const known = fetched.kind === 'later' ? ({ kind: 'refused', reason: 'expired' } as const) : fetched
    await receive({ kind: 'edit', externalId, ...edited(media, caption, known) })
    await memory.remove(KEY + externalId)
  }

  const attempt = async (receive: Receive, externalId: string, before: Wanted, signal: AbortSignal) => {
    const wanted: Wanted = { ...before, attempts: before.attempts + 1, notBefore: after(HELD_MS) }
    await memory.set(KEY + externalId, wanted)
    const fetched = await fetchMedia(wanted.media, AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]))
    if (!signal.aborted) await settle(receive, externalId, wanted, fetched)
  }

  return {
    /** Durable when it resolves. */
    want: (externalId: string, media: Media, caption: string): Promise<void> =>
      memory.set(KEY + externalId, { media, caption, attempts: 1, notBefore: after(HELD_MS) } satisfies Wanted),

    /** What became of an attempt that was under way when the file was written down. */
    came: async (receive: Receive, externalId: string, fetched: Fetched): Promise<void> => {
      const wanted = await memory.get<Wanted>(KEY + externalId)
      if (wanted) await settle(receive, externalId, wanted, fetched)
    },

    /** Tries again what is due. Two processes that do so at once fetch a file twice and keep it once. */
    fetchDue: async (receive: Receive, signal: AbortSignal): Promise<void> => {
      for (const { key, value } of await memory.list<Wanted>(KEY)) {
        if (signal.aborted) return
        if (value.notBefore > clock.now()) continue
        await attempt(receive, key.slice(KEY.length), value, signal).catch((err: unknown) =>
          log.warn({ err }, 'file of a message not fetched'),
        )
      }
    },
  }
}

const WHY: Record<Extract<Fetched, { kind: 'refused' }>['reason'], string> = {
  too_large: 'it is too large to be kept',
  expired: 'WhatsApp does not hand it out any more',
  damaged: 'it arrived damaged',
  program: 'it is a program, and was not kept',
  unreadable: 'it could not be fetched',
}

type Ended = Exclude<Fetched, { kind: 'later' }>

/** A message with its file, or with a word on why it has none. */
export const edited = (
  { kind }: Media,
  caption: string,
  fetched: Ended,
): { attachments?: Attachment[]; text?: string; details?: Record<string, unknown> } => {
  if (fetched.kind === 'kept')
    return {
      attachments: [fetched.attachment],
      ...(fetched.lies ? { details: { media: kind, typeWasWrong: true } } : {}),
    }
  const note = `[${kind === 'voice' ? 'Voice note' : kind}: ${WHY[fetched.reason]}]`
  return {
    attachments: [],
    text: caption ? `${caption}\n${note}` : note,
    details: { media: kind, missing: fetched.reason },
  }
}
