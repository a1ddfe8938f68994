import type { Request, RequestHandler, Response, Router } from 'express'
import type { ChannelRoute, ReadFile } from '../channels/channel.js'
import { z } from 'zod'
import { AppError } from '../platform/errors.js'
import { bearerOf } from './admission.js'
import { jsonBody, parse, parseQuery, sendFile, type Download } from './endpoint.js'
import { isForm, makeReadForm } from './form.js'

/** A customer's message and what is around it. */
const BODY_LIMIT = 100 * 1024

/**
 * The channels' own public APIs. They are called from customers' web sites, so any origin may read the answers, but never
 * with cookies; a channel itself checks the origins that its company allows. These are the hottest calls of the product:
 * what stands here runs for each customer's message.
 */
export const mountChannelRoute = (router: Router, route: ChannelRoute, hsts: string | null): void => {
  const path = `/api/v1${route.path}`

  const open: RequestHandler = (req, res, next) => {
    res.locals.route = path
    const { origin } = req.headers
    res.setHeader('Vary', 'Origin')
    res.setHeader('X-Content-Type-Options', 'nosniff')
    res.setHeader('Cache-Control', 'no-store')
    if (hsts) res.setHeader('Strict-Transport-Security', hsts)
    if (origin !== undefined) {
      res.setHeader('Access-Control-Allow-Origin', origin)
      res.setHeader('Access-Control-Expose-Headers', 'x-request-id, retry-after')
    }
    next()
  }

  const preflight: RequestHandler = (_req, res) => {
    res.setHeader('Access-Control-Allow-Methods', 'GET, POST')
    res.setHeader('Access-Control-Allow-Headers', 'authorization, content-type, x-request-id')
    res.setHeader('Access-Control-Max-Age', '7200')
    res.status(204).end()
  }

  const answer = async (req: Request, res: Response) => {
    const bearer = bearerOf(req)
    if (route.bearer && bearer === null) {
      throw new AppError('unauthenticated', 'unauthenticated', 'Send the session token as "Authorization: Bearer …".')
    }
    const body = await route.handle({
      query: parseQuery(route.query, req),
      body: route.body && parse(route.body, req.body, 'body'),
      bearer,
      readFile: route.file ? fileReader(req) : null,
      address: req.ip ?? '',
      origin: req.headers.origin ?? null,
    })
    if (route.cacheSeconds) res.setHeader('Cache-Control', `public, max-age=${route.cacheSeconds}`)
    res.status(route.status)
    if (route.response) return void res.json(body)
    // A picture of ours is shown on somebody else's page.
    res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
    return sendFile(req, res, body as Download)
  }

  router.options(path, open, preflight)
  router[route.method](path, open, ...(route.body ? jsonBody(BODY_LIMIT) : []), answer)
}

const fileReader = (req: Request): ReadFile => {
  if (!isForm(req)) {
    throw new AppError('unsupported', 'unsupported_content_type', 'Send the file as multipart/form-data.', {
      field: 'content-type',
    })
  }
  const readForm = makeReadForm(req, (given) => parse(NO_FIELDS, given, 'body'))
  return async (take, undo) => (await readForm(take, undo)).file
}
const NO_FIELDS = z.strictObject({})
