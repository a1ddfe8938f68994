import type { IncomingMessage, ServerResponse } from 'node:http'
import { newId } from '../platform/ids.js'

/** What everybody hears while the server starts or stops: in the shape of every other refusal, without the rooms behind it. */
export const answerUnavailable = (_request: IncomingMessage, response: ServerResponse): void => {
  const requestId = newId('req')
  const error = { code: 'unavailable', message: 'The server is starting or stopping. Try again.', requestId }
  response
    .writeHead(503, { 'content-type': 'application/json', 'retry-after': '1', 'x-request-id': requestId })
    .end(JSON.stringify({ error }))
}
