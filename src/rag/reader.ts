import { fork, type ChildProcess } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { Read, ReadPart, ReadRequest } from './reading.js'

/**
 * Reads documents in a process that can be killed, one at a time. A worker thread would not do: its limits count V8's heap only,
 * and a PDF of five megabytes that unpacks to gigabytes takes the server with it (measured: 3 GB under a limit of 384 MB).
 *
 * The process is started by the first document and ends when nothing was read for a while.
 */

export type Reader = { read: Read; stop(): Promise<void> }

type Needs = { log: Log; limits?: Partial<Limits> }

export type Limits = {
  /** Of the whole process, in megabytes. */
  memoryMb: number
  /** For an empty file, for each megabyte more, and for any, in milliseconds. */
  baseMs: number
  perMegabyteMs: number
  longestMs: number
  idleMs: number
}

const LIMITS: Limits = { memoryMb: 512, baseMs: 30_000, perMegabyteMs: 15_000, longestMs: 120_000, idleMs: 20_000 }

/** V8's heap ends before the process does, so that a parser's own waste is told apart from a crash. */
const HEAP_SHARE = 0.75

/** What the process says. */
export type FromReader =
  | { kind: 'part'; part: ReadPart }
  | { kind: 'done' }
  | { kind: 'failed'; error: { kind: AppError['kind']; code: string; message: string; field: string | undefined } }
  /** A fault that nobody expected: its place in the code, without what the document says. */
  | { kind: 'fault'; name: string; stack: string }

export type ToReader = { kind: 'read'; request: ReadRequest } | { kind: 'more' }

/** Ends the process in a way that says why; Windows knows one way only. */
export const TOO_MUCH_MEMORY = process.platform === 'win32' ? 'SIGKILL' : 'SIGUSR2'

type Ended = { kind: 'ended'; code: number | null; signal: NodeJS.Signals | null }

export const makeReader = ({ log, limits: given }: Needs): Reader => {
  const limits = { ...LIMITS, ...given }
  let running: Running | null = null
  let idle: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const read: Read = async function* (request, signal) {
    const done = await nextTurn(signal)
    try {
      clearTimeout(idle)
      running ??= start(limits)
      running.hold(true)
      yield* exchange(running, request, signal)
    } finally {
      running?.hold(false)
      if (running?.broken) running = null
      idle = setTimeout(() => void stop(), limits.idleMs).unref()
      done()
    }
  }

  /** Resolves when nobody else reads, with what ends this turn. */
  const nextTurn = async (signal: AbortSignal): Promise<() => void> => {
    const before = turn
    let done = () => {}
    turn = new Promise<void>((resolve) => (done = resolve))
    await before
    if (signal.aborted) done()
    signal.throwIfAborted()
    return done
  }

  const exchange = async function* (
    reader: Running,
    request: ReadRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ReadPart> {
    const withinMs = await timeFor(request)
    let late = false
    const timer = setTimeout(() => {
      late = true
      reader.kill()
    }, withinMs)
    signal.addEventListener('abort', reader.kill)
    let finished = false
    try {
      reader.say({ kind: 'read', request })
      for (;;) {
        const message = await reader.heard()
        switch (message.kind) {
          case 'part':
            yield message.part
            if (message.part.kind === 'passages') reader.say({ kind: 'more' })
            break
          case 'done':
            finished = true
            return
          case 'failed': {
            finished = true
            const { kind, code, message: reason, field } = message.error
            throw new AppError(kind, code, reason, { field })
          }
          case 'fault':
            finished = true
            log.error({ format: request.format, name: message.name, at: message.stack }, 'a document could not be read')
            throw unreadable()
          case 'ended':
            signal.throwIfAborted()
            throw late ? tooSlow(withinMs) : endedBy(message, limits.memoryMb)
        }
      }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', reader.kill)
      // Whoever stops in the middle leaves a process that still works on it.
      if (!finished) reader.kill()
    }
  }

  const timeFor = async ({ source }: ReadRequest): Promise<number> => {
    const bytes =
      'path' in source
        ? await stat(source.path).then(
            ({ size }) => size,
            () => 0,
          )
        : source.text.length
    return Math.min(limits.longestMs, limits.baseMs + (bytes / (1024 * 1024)) * limits.perMegabyteMs)
  }

  const stop = async (): Promise<void> => {
    clearTimeout(idle)
    const ending = running
    running = null
    await ending?.end()
  }

  return { read, stop }
}

type Running = ReturnType<typeof start>

const start = ({ memoryMb }: Limits) => {
  const child: ChildProcess = fork(new URL('./reader-process.js', import.meta.url), [String(memoryMb)], {
    env: {},
    execArgv: [`--max-old-space-size=${Math.floor(memoryMb * HEAP_SHARE)}`, '--no-warnings'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const waiting: (FromReader | Ended)[] = []
  let hear: (() => void) | undefined
  const push = (message: FromReader | Ended) => {
    waiting.push(message)
    hear?.()
  }
  const state = {
    broken: false,
    say: (message: ToReader) => void (child.connected && child.send(message, () => {})),
    heard: async (): Promise<FromReader | Ended> => {
      while (waiting.length === 0) await new Promise<void>((resolve) => (hear = resolve))
      return waiting.shift() as FromReader | Ended
    },
    /** The process that serves may end while this one idles, not while it waits for it. */
    hold: (held: boolean) => {
      child[held ? 'ref' : 'unref']()
      child.channel?.[held ? 'ref' : 'unref']()
    },
    kill: () => {
      state.broken = true
      child.kill('SIGKILL')
    },
    end: async (): Promise<void> => {
      state.broken = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
  }
  const ended = (code: number | null, signal: NodeJS.Signals | null) => {
    state.broken = true
    push({ kind: 'ended', code, signal })
  }
  child.on('message', (message: FromReader) => push(message))
  child.once('error', () => ended(null, null))
  child.once('exit', ended)
  return state
}

const tooSlow = (withinMs: number): AppError =>
  new AppError(
    'unavailable',
    'document_too_slow',
    `Reading the document took longer than ${Math.round(withinMs / 1000)} seconds. Split it, or save it in a simpler form, and upload it again.`,
  )

/** Out of V8's heap ends with an abort, out of the process's memory with our own signal. */
const endedBy = ({ code, signal }: Ended, memoryMb: number): AppError =>
  signal === TOO_MUCH_MEMORY || signal === 'SIGABRT' || code === 134
    ? new AppError(
        'invalid',
        'document_too_large',
        `Reading the document took more than ${memoryMb} MB of memory. Split it, or save it in a simpler form, and upload it again.`,
      )
    : new AppError('unavailable', 'reader_ended', 'The document could not be read, because the reading was cut off.')

const unreadable = (): AppError =>
  new AppError(
    'invalid',
    'document_unreadable',
    'The document is damaged or holds something that cannot be read. Save it again, in another format if it can be, and upload the new file.',
  )
