import express, { type Request as ExpressRequest, type RequestHandler, type Response as ExpressResponse } from 'express'
import { AppError } from '../platform/errors.js'

/** Where providers call: GET and POST /webhooks/:channelId, handed to the channel as they came. */

export type WebhooksNeeds = {
  webhookOf(channelId: string): { mostBytes: number; handle(request: Request): Promise<Response> } | null
}

/** A provider that is slower than this to send what it has to say is cut off, in milliseconds. */
const ARRIVES_WITHIN_MS = 30_000

export const makeWebhooks = ({ webhookOf, publicUrl }: WebhooksNeeds & { publicUrl: string }): RequestHandler => {
  const router = express.Router()
  const handle = async (req: ExpressRequest, res: ExpressResponse): Promise<void> => {
    res.locals.route = '/webhooks/:channelId'
    res.setHeader('Cache-Control', 'no-store')
    const webhook = webhookOf(String(req.params.channelId))
    if (!webhook) throw new AppError('not_found', 'channel_not_found', 'There is no such channel.')
    const response = await webhook.handle(await toRequest(req, webhook.mostBytes, publicUrl))
    res.status(response.status)
    response.headers.forEach((value, name) => res.setHeader(name, value))
    res.end(Buffer.from(await response.arrayBuffer()))
  }
  router.get('/:channelId', handle)
  router.post('/:channelId', handle)
  return router
}

const toRequest = async (req: ExpressRequest, mostBytes: number, publicUrl: string): Promise<Request> => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one)
  const body = req.method === 'GET' ? null : await read(req, mostBytes)
  return new Request(new URL(req.originalUrl, publicUrl), { method: req.method, headers, body })
}

const read = async (req: ExpressRequest, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> => {
  const tooLarge = () => new AppError('too_large', 'body_too_large', `The body is limited to ${mostBytes} bytes.`)
  if (Number(req.headers['content-length'] ?? 0) > mostBytes) throw tooLarge()
  const late = setTimeout(() => req.destroy(), ARRIVES_WITHIN_MS)
  try {
    const parts: Buffer[] = []
    let size = 0
    for await (const part of req as AsyncIterable<Buffer>) {
      size += part.length
      if (size > mostBytes) throw tooLarge()
      parts.push(part)
    }
    return new Uint8Array(Buffer.concat(parts))
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid', 'body_cut_off', 'The body ended before it was whole.', { cause: error })
  } finally {
    clearTimeout(late)
  }
}
