import { z } from 'zod'
import type { Permission } from '../../companies/roles.js'
import type { ErrorKind } from '../../platform/errors.js'

/**
 * A route is data. Validation, the handler's types, the OpenAPI document and the tests that walk over all routes are made
 * from it, so that what is documented is what runs.
 */
export type Route = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: `/${string}`
  tag: string
  summary: string
  /** `public` asks for nobody, every other route for a key or a signed-in person with this permission. */
  permission: Permission | 'public'
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** Bytes; DEFAULT_BODY_LIMIT where absent. */
  bodyLimit?: number
  /** The body may be a form instead (`multipart/form-data`): these fields, each as text, and a part `file`. */
  form?: { fields: z.ZodObject; about: string }
  status: 200 | 201 | 202 | 204
  /** What is answered; absent where the answer has no body (204). */
  response?: z.ZodType
  /** The answer is a file to be saved, not JSON. */
  download?: true
  errors?: readonly ErrorKind[]
}

/** Keeps the schemas' exact types, from which a handler's input is derived. */
export const defineRoute = <const R extends Route>(route: R): R => route

export const DEFAULT_BODY_LIMIT = 1024 * 1024

export const id = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'is not an id')
export const byId = z.strictObject({ id })
export const time = z.iso.datetime()
export const name = z.string().trim().min(1).max(120)
export const email = z.string().trim().toLowerCase().pipe(z.email('is not an email address').max(254))
/** Counted in characters; the upper bound keeps hashing cheap. */
export const password = z
  .string()
  .min(12)
  .max(128)
  .refine((given) => given.trim().length >= 12, 'must be at least 12 characters besides blanks')

export const changesSomething = (change: object): boolean => Object.values(change).some((value) => value !== undefined)
export const NOTHING_TO_CHANGE = 'names nothing to change'

/** Fields that the caller names. A `__proto__` among them, which zod's records leave out in silence, is refused by name. */
export const fields = <Value extends z.ZodType>(fieldName: z.ZodString, value: Value) =>
  z.preprocess(
    (given, context) => {
      if (typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__')) {
        context.addIssue({ code: 'custom', path: ['__proto__'], message: 'is not a name that a field may have' })
      }
      return given
    },
    z.record(fieldName, value),
  )
