import type { ErrorRequestHandler } from 'express'
import { z } from 'zod'
import { AppError, type ErrorKind } from '../platform/errors.js'
import { currentRequestId, type Log } from '../platform/log.js'

const STATUS_OF = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorKind, number>

export const statusOf = (kind: ErrorKind): number => STATUS_OF[kind]

export const errorBody = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    requestId: z.string(),
  }),
})

type Needs = { log: Log; report: (error: unknown, context: { requestId: string }) => void }

/** The one place where an error becomes a response. What has no name is logged once and tells the caller nothing. */
export const makeErrorHandler =
  ({ log, report }: Needs): ErrorRequestHandler =>
  (thrown: unknown, req, res, next) => {
    if (res.headersSent) return next(thrown)
    const requestId = currentRequestId() ?? String(res.getHeader('x-request-id') ?? '')
    const error = named(thrown)
    const status = STATUS_OF[error.kind]
    if (status >= 500) {
      log.error({ err: thrown, status, code: error.code }, 'request failed')
      if (error.kind === 'internal') report(thrown, { requestId })
    }
    if (error.retryAfterMs !== undefined)
      res.setHeader('Retry-After', Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
    res.status(status).json({
      error: { code: error.code, message: error.message, ...(error.field ? { field: error.field } : {}), requestId },
    } satisfies z.input<typeof errorBody>)
  }

/** Any thrown thing as an error that may be shown: ours as it is, a library's by its meaning, the rest as `internal`. */
export const named = (thrown: unknown): AppError => {
  if (thrown instanceof AppError && thrown.kind !== 'internal') return thrown
  return (
    ofBodyParser(thrown) ?? new AppError('internal', 'internal', 'Something went wrong on our side. Try again later.')
  )
}

/** Faults of express.json and of Express itself are recognised by what http-errors puts on them. */
const ofBodyParser = (thrown: unknown): AppError | null => {
  if (!(thrown instanceof Error)) return null
  const { type, limit, status } = thrown as Error & { type?: unknown; limit?: unknown; status?: unknown }
  switch (type) {
    case 'entity.too.large':
      return new AppError(
        'too_large',
        'body_too_large',
        `The body is larger than the limit of ${Number(limit)} bytes.`,
        {
          field: 'body',
        },
      )
    case 'entity.parse.failed':
      return new AppError('invalid', 'malformed_json', 'The body is not valid JSON.', { field: 'body' })
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new AppError('unsupported', 'unsupported_encoding', 'The body must be JSON in UTF-8.', { field: 'body' })
    case 'request.aborted':
    case 'request.size.invalid':
      return new AppError('invalid', 'incomplete_body', 'The body ended before its announced length.', {
        field: 'body',
      })
    default:
      return status === 400 ? new AppError('invalid', 'malformed_request', 'The request cannot be read.') : null
  }
}

/** The first fault of a validation, by the path of its field: one clear error, not a list. */
export const refusal = (error: z.ZodError, where: 'body' | 'query' | 'params'): AppError => {
  const issue = error.issues[0]
  if (!issue) return new AppError('invalid', 'invalid', 'The request is not valid.', { field: where })
  if (issue.code === 'unrecognized_keys') {
    const unknown = [...issue.path, issue.keys[0]].join('.')
    return new AppError('invalid', 'unknown_field', `There is no field "${shown(unknown)}" here.`, {
      field: shown(unknown),
    })
  }
  const field = shown(issue.path.join('.')) || where
  return new AppError('invalid', 'invalid', `${field}: ${meaning(issue)}`, { field })
}

/** A field's name comes from the caller: cut, so that an answer never carries a megabyte back. */
const shown = (field: string): string => field.slice(0, 100)

const UNITS: Record<string, string> = { string: ' characters', array: ' entries' }

const meaning = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is required (${issue.expected})` : `must be of type ${issue.expected}`
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1
        ? 'must not be empty'
        : `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
    case 'too_big':
      return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
    default:
      return issue.message
  }
}
