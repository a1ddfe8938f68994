import { decodeHeaderOnly, decodeMessage, type DecodedEmail } from './decode-message.js'
import { makeDecodingThread } from './decode-thread.js'

export type { DecodedEmail, Oddity } from './decode-message.js'
export type { Bounce } from './bounce.js'

/** What is no longer than this is decoded in a few milliseconds, whatever is in it (scripts/bench/email-decode.mjs). */
const HERE_BYTES = 4 * 1024

const thread = makeDecodingThread()

/**
 * Total: strange mail becomes a `DecodedEmail` with oddities, never an error. All but the shortest is decoded beside the server, in a thread
 * that is ended where it takes too long: then the header and the beginning of the text are what is known, and the oddity
 * `header_only` says so. The raw mail is the caller's to keep.
 */
export const decodeEmail = async (raw: Buffer): Promise<DecodedEmail> => {
  if (!isShort(raw)) {
    const decoded = await thread.decode(raw)
    return typeof decoded === 'string' ? decodeHeaderOnly(raw, decoded) : decoded
  }
  try {
    return decodeMessage(raw)
  } catch {
    return decodeHeaderOnly(raw, 'decoder_fault')
  }
}

/** HTML can take more time than its length says. */
const isShort = (raw: Buffer): boolean => raw.length <= HERE_BYTES && !/html/iu.test(raw.toString('latin1'))
