import { Worker } from 'node:worker_threads'
import type { EmailAttachment } from './decode-files.js'
import { decodeMessage, type DecodedEmail } from './decode-message.js'

/**
 * A thread beside the server in which one mail after the other is decoded. It starts with the first mail, ends after a while
 * without one, and is ended and replaced when a mail keeps it too long. A thread suffices, unlike for documents: nothing is
 * unpacked, so a mail takes a few times its own size, and not more.
 */
export type DecodingThread = {
  decode(raw: Buffer): Promise<DecodedEmail | Failed>
}

export type Failed = 'too_slow' | 'decoder_fault'

/** What crosses: files as plain memory, which moves instead of being copied. */
export type ToThread = { id: number; raw: ArrayBuffer }
export type Content = { memory: ArrayBuffer; size: number }
export type FromThread =
  | { kind: 'ready' }
  | { kind: 'decoded'; id: number; mail: DecodedEmail; contents: Content[] }
  | { kind: 'failed'; id: number }

/** With what is around it, two seconds. */
const LONGEST_MS = 1_400
/** A machine that is busy starts threads slowly, which is not the mail's fault. */
const START_MS = 15_000
const IDLE_MS = 30_000
const TRY_AGAIN_MS = 60_000
const HEAP_MB = 96
const YOUNG_MB = 16

/** Copied piece by piece, so that a large mail stops nobody meanwhile. */
const PIECE_BYTES = 1024 * 1024

export const makeDecodingThread = (longestMs = LONGEST_MS): DecodingThread => {
  let running: Promise<Running | null> | null = null
  let turn: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let jobs = 0
  let unavailable = false

  const decode = async (raw: Buffer): Promise<DecodedEmail | Failed> => {
    clearTimeout(idle)
    if ((await running)?.ended()) running = null
    const thread = unavailable ? null : await (running ??= start(longestMs))
    // No thread to be had, as in a process at its limits: the mail is decoded here rather than not at all.
    if (!thread) {
      if (!unavailable) setTimeout(() => (unavailable = false), TRY_AGAIN_MS).unref()
      unavailable = true
      running = null
      return decodeMessage(raw)
    }
    const copy = await copied(raw)
    jobs += 1
    const mail = await thread.decode(jobs, copy)
    if (thread.ended()) running = null
    else idle = setTimeout(() => void end(thread), IDLE_MS).unref()
    return mail
  }

  const end = async (thread: Running): Promise<void> => {
    running = null
    await thread.end()
  }

  return {
    decode: (raw) => {
      const result = turn.then(() => decode(raw)).catch((): Failed => 'decoder_fault')
      turn = result
      return result
    },
  }
}

type Running = {
  decode(id: number, raw: ArrayBuffer): Promise<DecodedEmail | Failed>
  ended(): boolean
  end(): Promise<void>
}

/** Null where it does not start. */
const start = async (longestMs: number): Promise<Running | null> => {
  const worker = new Worker(new URL('./decode-worker.js', import.meta.url), {
    execArgv: ['--no-warnings'],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
  })
  let ended = false
  let hear: (message: FromThread | null) => void = () => {}
  worker.on('message', (message: FromThread) => hear(message))
  worker.on('error', () => hear(null))
  worker.on('exit', () => {
    ended = true
    hear(null)
  })

  const next = (withinMs: number): Promise<FromThread | null> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), withinMs)
      hear = (message) => {
        clearTimeout(timer)
        resolve(message)
      }
    })

  const end = async (): Promise<void> => {
    ended = true
    await worker.terminate()
  }

  const ready = await next(START_MS)
  if (!ready) {
    await end()
    return null
  }
  worker.unref()
  return {
    decode: async (id, raw) => {
      worker.ref()
      const answer = next(longestMs)
      worker.postMessage({ id, raw } satisfies ToThread, [raw])
      const message = await answer
      worker.unref()
      if (message?.kind === 'decoded' && message.id === id) return withContents(message)
      if (message?.kind === 'failed' && message.id === id) return 'decoder_fault'
      await end()
      return 'too_slow'
    },
    ended: () => ended,
    end,
  }
}

const withContents = ({ mail, contents }: Extract<FromThread, { kind: 'decoded' }>): DecodedEmail => ({
  ...mail,
  attachments: mail.attachments.map((attachment, at): EmailAttachment => {
    const { memory, size } = contents[at] ?? { memory: new ArrayBuffer(0), size: 0 }
    return { ...attachment, content: Buffer.from(memory, 0, size) }
  }),
})

const copied = async (raw: Buffer): Promise<ArrayBuffer> => {
  const copy = new ArrayBuffer(raw.length)
  const bytes = new Uint8Array(copy)
  for (let at = 0; at < raw.length; at += PIECE_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    bytes.set(raw.subarray(at, at + PIECE_BYTES), at)
  }
  return copy
}
