import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { z } from 'zod'
import type { Caller } from '../companies/companies.js'
import { AppError } from '../platform/errors.js'
import type { ByteRange } from '../platform/files.js'
import { DEFAULT_BODY_LIMIT, type Route } from './contract/route.js'
import { refusal } from './errors.js'
import { isForm, makeReadForm, type ReadForm } from './form.js'

/** A route of the contract with the function that answers it. Routers are lists of these and know nothing of Express. */
export type Endpoint = { route: Route; handle: (input: AnyInput) => Promise<unknown> }

type AnyInput = {
  params: unknown
  query: unknown
  body: unknown
  /** Set where the body is a form; `body` is not, then. */
  form: ReadForm<unknown> | undefined
  caller: unknown
  /** The client's address; X-Forwarded-For counts only from trusted proxies. */
  address: string
  headers: IncomingHttpHeaders
  setCookies(cookies: readonly string[]): void
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type BodyOf<R extends Route> =
  R['form'] extends NonNullable<Route['form']>
    ? { form: ReadForm<z.output<R['form']['fields']>>; body: undefined } | { form: undefined; body: Parsed<R['body']> }
    : { body: Parsed<R['body']> }
type Input<R extends Route> = Omit<AnyInput, 'params' | 'query' | 'body' | 'form' | 'caller'> &
  BodyOf<R> & {
    params: Parsed<R['params']>
    query: Parsed<R['query']>
    caller: R['permission'] extends 'public' ? null : Caller
  }
type Output<R extends Route> = R['download'] extends true
  ? Download
  : R['response'] extends z.ZodType
    ? z.input<R['response']>
    : void

/** A file to be saved, or to be played. `name` may be what anybody called it. */
export type Download = { name: string; type: string; size: number; open(part?: ByteRange): Promise<Readable> }

export const endpoint = <const R extends Route>(
  route: R,
  handle: (input: Input<R>) => Promise<Output<R>> | Output<R>,
): Endpoint => ({ route, handle: async (input) => handle(input as Input<R>) })

type Needs = {
  /** Who calls, allowed to do what the route asks for; throws `unauthenticated` or `forbidden`. */
  admit: (req: Request, permission: Exclude<Route['permission'], 'public'>) => Promise<Caller>
  /** Refuses an unsafe call that another site made a browser send. */
  refuseForeignSites: (req: Request) => void
}

export const mount = (router: Router, { route, handle }: Endpoint, { admit, refuseForeignSites }: Needs): void => {
  const answer = async (req: Request, res: Response) => {
    const input: AnyInput = {
      caller: null,
      params: undefined,
      query: undefined,
      body: undefined,
      form: undefined,
      address: req.ip ?? '',
      headers: req.headers,
      setCookies: (cookies) => void res.setHeader('Set-Cookie', [...cookies]),
    }
    input.caller = res.locals.caller ?? null
    if (route.params) input.params = parse(route.params, req.params, 'params')
    input.query = parseQuery(route.query, req)
    const { form } = route
    if (form && isForm(req)) input.form = makeReadForm(req, (given) => parse(form.fields, given, 'body'))
    else if (route.body) input.body = parse(route.body, req.body, 'body')
    const body = await handle(input)
    res.status(route.status)
    if (route.download) return sendFile(req, res, body as Download)
    if (route.status === 204) res.end()
    else res.json(body)
  }
  const { permission } = route
  const admission: RequestHandler = async (req, res, next) => {
    res.locals.route = route.path
    refuseForeignSites(req)
    if (permission !== 'public') res.locals.caller = await admit(req, permission)
    next()
  }
  // Who may not call is told so before a body is read: a stranger cannot make the process parse megabytes.
  router[route.method](
    route.path,
    admission,
    ...(route.body ? jsonBody(route.bodyLimit, route.form !== undefined) : []),
    answer,
  )
}

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/** Refuses everything but JSON by name, then reads it up to `limit` bytes. A form, where one may come, is left to its reader. */
export const jsonBody = (limit = DEFAULT_BODY_LIMIT, orForm = false): RequestHandler[] => [
  (req, _res, next) => {
    if (JSON_TYPE.test(req.headers['content-type'] ?? '') || (orForm && isForm(req))) return next()
    const types = orForm ? 'application/json, or a file as multipart/form-data with a boundary' : 'application/json'
    throw new AppError('unsupported', 'unsupported_content_type', `Send the body as Content-Type: ${types}.`, {
      field: 'content-type',
    })
  },
  express.json({ limit, type: (req) => !(orForm && isForm(req as Request)) }),
]

/**
 * Saved, never shown: what a stranger wrote must not run as a page of ours. Whoever plays it may ask for a part, and so begin
 * anywhere (RFC 9110, section 14).
 */
export const sendFile = async (req: Request, res: Response, { name, type, size, open }: Download): Promise<void> => {
  const part = partOf(req.headers, size)
  if (part === 'none') return void res.status(416).setHeader('Content-Range', `bytes */${size}`).end()
  const stream = await open(part)
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_')
  const exact = encodeURIComponent(name).replace(/['()*]/gu, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', part ? part.last - part.first + 1 : size)
  res.setHeader('Accept-Ranges', 'bytes')
  if (part) res.status(206).setHeader('Content-Range', `bytes ${part.first}-${part.last}/${size}`)
  res.setHeader('Content-Disposition', `attachment; filename="${plain}"; filename*=UTF-8''${exact}`)
  res.setHeader('Content-Security-Policy', "sandbox; default-src 'none'")
  res.setHeader('Cache-Control', 'private, no-store')
  // A reader who leaves, or a file that breaks off in the middle, ends the connection; there is nothing left to say.
  await pipeline(stream, res).catch(() => res.destroy())
}

/**
 * The part of a file that is asked for; `undefined`: all of it. Several parts at once, other units and what is no range are
 * answered with the whole, as the standard lets us; `none`: no byte of the file lies within.
 */
const partOf = ({ range, 'if-range': ifRange }: IncomingHttpHeaders, size: number): ByteRange | undefined | 'none' => {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/u.exec(range ?? '') ?? []
  // We name no version of a file by which a condition could be kept.
  if ((from === '' && to === '') || ifRange !== undefined) return undefined
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'none' : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= size ? 'none' : { first, last }
}

export const parse = <Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  where: 'body' | 'query' | 'params',
): z.output<Schema> => {
  const parsed = schema.safeParse(given, { reportInput: true })
  if (!parsed.success) throw refusal(parsed.error, where)
  return parsed.data
}

/** A route without a query takes none: a misspelt filter that is ignored would answer with too much. */
export const parseQuery = (schema: z.ZodType | undefined, req: Request): unknown => {
  const given = req.query
  if (schema) return parse(schema, given, 'query')
  const [unknown] = Object.keys(given)
  if (unknown === undefined) return undefined
  throw new AppError('invalid', 'unknown_field', `There is no query parameter "${unknown.slice(0, 100)}" here.`, {
    field: unknown.slice(0, 100),
  })
}
