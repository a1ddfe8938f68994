/**
 * A fault that has a name. Expected outcomes are values (`Answer`, `Receipt`, `Decision`); this is for the rest.
 * `kind` decides the HTTP status (api/errors.ts) and whether a message is sent again (conversations/deliver.ts).
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'unsupported'
  | 'rate_limited'
  | 'unavailable'
  | 'internal'

type Details = { field?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown }

export class AppError extends Error {
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined

  /** `code` is stable and for programs (`window_closed`), `message` is for people and names the field or the limit. */
  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    details: Details = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'AppError'
    this.field = details.field
    this.retryAfterMs = details.retryAfterMs
  }
}
