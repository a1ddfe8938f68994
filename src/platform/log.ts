import { AsyncLocalStorage } from 'node:async_hooks'
import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger

const context = new AsyncLocalStorage<{ requestId: string }>()

/** Runs `work` so that every log line inside it carries `requestId`: from the door to the last job of a message. */
export const withRequestId = <T>(requestId: string, work: () => T): T => context.run({ requestId }, work)

export const currentRequestId = (): string | undefined => context.getStore()?.requestId

/**
 * Structured lines on standard error (standard output is for people: the ready line).
 * Rule for callers: ids, counts, durations and codes only; never a message's text, an address, a token or a key.
 * An error is written as name, code and stack; its message is left out unless it is ours, because a library's message
 * may quote what it choked on.
 */
export const makeLog = (level: string, destination: DestinationStream = standardError()): Log =>
  pino(
    {
      level,
      base: null,
      mixin: () => context.getStore() ?? {},
      serializers: { err: describeError },
    },
    destination,
  )

const standardError = () => pino.destination({ dest: 2, sync: false, minLength: 0 })

export const describeError = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error)) return { name: typeof error }
  const { name, stack, cause } = error
  const code: unknown = 'code' in error ? error.code : undefined
  return {
    name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(name === 'AppError' ? { message: error.message } : {}),
    // The first line of a stack repeats the message.
    stack: stack
      ?.split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 8),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  }
}
