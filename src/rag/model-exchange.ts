import { AppError } from '../platform/errors.js'
import type { Outcome, Pass } from '../platform/resilience.js'

/** One request at the provider: what stops it, what it showed, and what its fault is called. */

export type FaultCode =
  | 'model_open'
  | 'model_late'
  | 'model_stalled'
  | 'model_failed'
  | 'model_limited'
  | 'model_refused'
  | 'model_garbled'
  | 'model_too_long'

/** A fault as the caller sees it. `repeatable`: another request might fare better; after `retryAfterMs` where the provider said so. */
export type Fault = {
  error: unknown
  repeatable: boolean
  retryAfterMs: number | null
  status: number | null
  param: unknown
}

type Options = {
  pass: Pass
  /** `null`: nobody's leaving ends it. */
  signal: AbortSignal | null
  /** Milliseconds to the first piece, and to the end of all. */
  firstMs: number
  wholeMs: number
  limits: Limits
  /** Called once, with the first piece. */
  onBegin: () => void
}
/** What is read of one answer: bytes of a line, bytes of all. */
export type Limits = { lineBytes?: number; bytes?: number }

export type Exchange = ReturnType<typeof openExchange>

export const openExchange = ({ pass, signal, firstMs, wholeMs, limits, onBegin }: Options) => {
  const stop = new AbortController()
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error), { once: true })
  })
  stopped.catch(() => {})
  let begun = false
  let status: number | null = null
  let retryAfterMs: number | null = null
  let broken = false

  /** Ends it as the provider's failure. The outcome is settled at once: a reader that never comes back holds nothing up. */
  const failed = (code: FaultCode): AppError => {
    const error = fault(code)
    pass.end('failed')
    stop.abort(error)
    return error
  }
  const left = () => {
    pass.end(begun ? 'answered' : 'unknown')
    stop.abort(signal?.reason)
  }
  signal?.addEventListener('abort', left, { once: true })
  const first = setTimeout(() => failed('model_late'), firstMs)
  const whole = setTimeout(() => failed(begun ? 'model_stalled' : 'model_late'), wholeMs)

  return {
    signal: stop.signal,
    begun: () => begun,

    /** Text came: the provider answers. */
    began: () => {
      if (begun) return
      begun = true
      clearTimeout(first)
      onBegin()
    },

    orStopped: <T>(work: Promise<T>): Promise<T> => Promise.race([work, stopped]),

    /** The next one, or `late` when it takes longer than `ms`; before the first piece its own deadline holds alone. */
    next: async <T>(from: AsyncIterator<T>, ms: number): Promise<IteratorResult<T> | 'late'> => {
      if (!begun) return Promise.race([from.next(), stopped])
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), ms)
      })
      return Promise.race([from.next(), stopped, late]).finally(() => clearTimeout(timer))
    },

    failed,

    /** Ends it as a fault that is no failure of the provider. */
    answered: (code: FaultCode): AppError => {
      pass.end('answered')
      return fault(code)
    },

    /** The provider's client calls the network through this: it notes what came and reads no more than the limits. */
    fetch: async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const response = await fetch(input, init)
      status = response.status
      retryAfterMs = waitOf(response.headers.get('retry-after'))
      if (!response.body) return response
      const body = bounded(response.body, response.ok ? limits : ERROR_LIMITS, {
        exceeded: () => failed('model_too_long'),
        broken: () => (broken = true),
      })
      return new Response(body, { status: response.status, headers: response.headers })
    },

    /** What the thrown thing means; settles the outcome. */
    faultOf: (thrown: unknown): Fault => {
      const known = { retryAfterMs, status, param: fieldOf(thrown, 'param') }
      if (stop.signal.aborted) return { ...known, error: stop.signal.reason, repeatable: false }
      if (thrown instanceof AppError) return { ...known, error: thrown, repeatable: false }
      const { code, outcome, repeatable } = meaningOf(status, thrown, broken)
      pass.end(outcome)
      return { ...known, error: fault(code, { cause: cleaned(thrown, status), retryAfterMs }), repeatable }
    },

    /** Whatever happened, nothing goes on after this. */
    close: (outcome: 'worked' | 'left'): void => {
      clearTimeout(first)
      clearTimeout(whole)
      signal?.removeEventListener('abort', left)
      pass.end(outcome === 'worked' ? 'worked' : begun ? 'answered' : 'unknown')
      stop.abort(CLOSED)
    },
  }
}

const CLOSED = new Error('closed')

type Meaning = { code: FaultCode; outcome: Outcome; repeatable: boolean }

/** By the status, because LangChain and the client wrap errors in several classes of their own. */
const meaningOf = (status: number | null, thrown: unknown, broken: boolean): Meaning => {
  if (status === 429) return { code: 'model_limited', outcome: 'answered', repeatable: true }
  if (status === 408 || (status !== null && status >= 500)) {
    return { code: 'model_failed', outcome: 'failed', repeatable: true }
  }
  if (status !== null && status >= 400) return { code: 'model_refused', outcome: 'answered', repeatable: false }
  if (fieldOf(thrown, 'name') === 'SyntaxError') return { code: 'model_garbled', outcome: 'failed', repeatable: false }
  if (status === null || broken) return { code: 'model_failed', outcome: 'failed', repeatable: true }
  // The answer came whole and could not be read, or an error stands in it where text should be.
  const said = fieldOf(thrown, 'error') !== undefined
  return { code: said ? 'model_failed' : 'model_garbled', outcome: 'failed', repeatable: false }
}

const MESSAGES: Record<FaultCode, string> = {
  model_open: 'The language model failed several times and is left alone for some seconds.',
  model_late: 'The language model did not begin to answer in time.',
  model_stalled: 'The language model stopped in the middle of its answer.',
  model_failed: 'The language model cannot be reached or failed.',
  model_limited: 'The language model takes no more requests for now.',
  model_refused: 'The language model refused the request.',
  model_garbled: 'The answer of the language model cannot be read.',
  model_too_long: 'The answer of the language model is too long.',
}

export const fault = (code: FaultCode, details: { cause?: unknown; retryAfterMs?: number | null } = {}): AppError =>
  new AppError('unavailable', code, MESSAGES[code], {
    cause: details.cause,
    retryAfterMs: details.retryAfterMs ?? undefined,
  })

/** A provider's error may quote the prompt or the key in any of its fields: only its name, status and code are kept. */
const cleaned = (thrown: unknown, status: number | null): Error => {
  const [name, code, causeCode] = [
    fieldOf(thrown, 'name'),
    fieldOf(thrown, 'code'),
    fieldOf(fieldOf(fieldOf(thrown, 'cause'), 'cause') ?? fieldOf(thrown, 'cause'), 'code'),
  ].map((word) => (typeof word === 'string' && /^[\w.-]{1,60}$/.test(word) ? word : undefined))
  const error = new Error(
    [name, status, code ?? causeCode].filter((part) => part !== undefined && part !== null).join(' '),
  )
  error.name = name ?? 'Error'
  return Object.assign(error, { code: code ?? causeCode ?? status ?? undefined })
}

const fieldOf = (thing: unknown, field: string): unknown =>
  typeof thing === 'object' && thing !== null && field in thing ? (thing as Record<string, unknown>)[field] : undefined

/** Seconds, which is what providers send (RFC 9110, section 10.2.3, allows a date too: then the wait is left to us). */
const waitOf = (retryAfter: string | null): number | null => {
  const seconds = retryAfter === null || retryAfter.trim() === '' ? NaN : Number(retryAfter)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null
}

const ERROR_LIMITS: Limits = { bytes: 256 * 1024 }
const NEWLINE = 10

/** Hands the bytes on as they are read; past a limit nothing more is read, so that an endless answer is never kept. */
const bounded = (
  body: ReadableStream<Uint8Array>,
  { lineBytes = Infinity, bytes = Infinity }: Limits,
  on: { exceeded: () => AppError; broken: () => void },
): ReadableStream<Uint8Array> => {
  const reader = body.getReader()
  let all = 0
  let line = 0
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read()
        if (done) return controller.close()
        all += value.byteLength
        const newline = value.lastIndexOf(NEWLINE)
        line = newline === -1 ? line + value.byteLength : value.byteLength - newline - 1
        if (all > bytes || line > lineBytes) throw on.exceeded()
        controller.enqueue(value)
      } catch (error) {
        on.broken()
        controller.error(error)
        await reader.cancel().catch(() => {})
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
