import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { request } from 'node:http'
import { allRoutes, call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'
import { pathTo, routeName, sampleBody } from './samples.js'

let installation: Installation
let address: string

beforeAll(async () => {
  installation = await openInstallation({ rateLimitFactor: 100 })
  address = installation.address
})
afterAll(() => installation.close())

const DOCUMENTS = '/api/v1/knowledge/documents'
const documents = async () => (await call(address, 'get', DOCUMENTS, { key })).json.documents

describe('a document that cannot be taken', () => {
  const text = 'We open at nine.'
  it.each([
    ['malformed JSON', { raw: '{"title": "Hours", ' }, 400, 'malformed_json', 'body'],
    ['no body', { headers: { 'content-type': 'application/json' } }, 400, 'invalid', 'title'],
    ['a list instead of an object', { body: [] }, 400, 'invalid', 'body'],
    ['no title', { body: { text } }, 400, 'invalid', 'title'],
    ['an empty title', { body: { title: '   ', text } }, 400, 'invalid', 'title'],
    ['an empty text', { body: { title: 'Hours', text: '' } }, 400, 'invalid', 'text'],
    ['an unknown field', { body: { title: 'Hours', text, colour: 'red' } }, 400, 'unknown_field', 'colour'],
    ['an address instead of a text', { body: { title: 'Hours', url: 'http://a' } }, 400, 'invalid', 'text'],
    ['an address beside a text', { body: { title: 'Hours', text, url: 'http://a' } }, 400, 'unknown_field', 'url'],
    ['an operator object as title', { body: { title: { $gt: '' }, text } }, 400, 'invalid', 'title'],
    [
      'an operator in the metadata',
      { body: { title: 'Hours', text, metadata: { $where: '1' } } },
      400,
      'invalid',
      'metadata.$where',
    ],
    [
      'an object in the metadata',
      { body: { title: 'Hours', text, metadata: { a: { b: 1 } } } },
      400,
      'invalid',
      'metadata.a',
    ],
    [
      'a prototype as metadata',
      { raw: '{"title":"Hours","text":"x","metadata":{"__proto__":{"admin":true}}}' },
      400,
      'invalid',
      'metadata.__proto__',
    ],
    [
      'a prototype',
      { raw: '{"title":"Hours","text":"x","__proto__":{"admin":true}}' },
      400,
      'unknown_field',
      '__proto__',
    ],
    [
      'a constructor',
      { raw: '{"title":"Hours","text":"x","constructor":{"prototype":{}}}' },
      400,
      'unknown_field',
      'constructor',
    ],
    ['an unknown format', { body: { title: 'Hours', text, format: 'exe' } }, 400, 'invalid', 'format'],
    ['a language that is none', { body: { title: 'Hours', text, language: '../en' } }, 400, 'invalid', 'language'],
    [
      'a form',
      { raw: 'title=Hours', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_content_type',
      'content-type',
    ],
    [
      'a form without a boundary',
      { raw: '--x--', headers: { 'content-type': 'multipart/form-data' } },
      415,
      'unsupported_content_type',
      'content-type',
    ],
    [
      'a form without a file',
      { raw: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      400,
      'invalid',
      'file',
    ],
    [
      'JSON in an unknown charset',
      { raw: '{}', headers: { 'content-type': 'application/json; charset=klingon' } },
      415,
      'unsupported_encoding',
      'body',
    ],
    [
      'JSON in an unknown packing',
      { raw: '{}', headers: { 'content-encoding': 'zip' } },
      415,
      'unsupported_encoding',
      'body',
    ],
  ])('%s is refused by name', async (_name, given, status, code, field) => {
    const answer = await call(address, 'post', DOCUMENTS, { key, ...given })
    expect([answer.status, answer.json.error]).toEqual([
      status,
      { code, field, message: expect.any(String), requestId: answer.headers.get('x-request-id') },
    ])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('of fifty megabytes ends with the limit by name, and the process keeps serving', async () => {
    const raw = JSON.stringify({ title: 'Large', text: 'x'.repeat(50 * 1024 * 1024) })
    const { status, json } = await call(address, 'post', DOCUMENTS, { key, raw })
    expect(status).toBe(413)
    expect(json.error).toMatchObject({ code: 'body_too_large', message: expect.stringContaining('3145728 bytes') })
    expect((await call(address, 'get', '/health/live')).status).toBe(200)
  })

  it('of a stranger is not even read', async () => {
    const status = await new Promise((resolve, reject) => {
      const req = request(`${address}${DOCUMENTS}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 3_000_000 },
      })
      // Only the head is sent: an answer shows that nobody waited for the body.
      req.flushHeaders()
      req.on('response', (res) => {
        resolve(res.statusCode)
        req.destroy()
      })
      req.on('error', reject)
    })
    expect(status).toBe(401)
  })

  it('leaves nothing behind', async () => {
    expect(await documents()).toEqual([])
  })
})

describe('strange but harmless input', () => {
  it('is kept as the text that it is', async () => {
    const title = '../../etc/passwd\\..%2f<script>alert(1)</script>'
    const made = await call(address, 'post', DOCUMENTS, {
      key,
      body: { title, text: '<script>alert(1)</script> Hello.' },
    })
    expect(made.status).toBe(202)
    const { json } = await call(address, 'get', `${DOCUMENTS}/${made.json.id}`, { key })
    expect(json.title).toBe(title)
    expect((await call(address, 'delete', `${DOCUMENTS}/${made.json.id}`, { key })).status).toBe(204)
  })

  it('lets customers write about code', async () => {
    const { status } = await call(address, 'post', '/api/v1/knowledge/ask', {
      key,
      body: { question: 'What does {"__proto__": {"$gt": ""}} do?' },
    })
    expect(status).toBe(200)
  })
})

describe('every route', () => {
  const withBody = allRoutes.filter(({ body }) => body)

  it.each(withBody.map((route) => [routeName(route), route] as const))(
    '%s refuses a field that it does not know',
    async (_name, route) => {
      const body = route.permission === 'public' ? {} : (sampleBody(route).body as object)
      const answer = await call(address, route.method, pathTo(route, 'some_id'), {
        key,
        body: { ...body, surprise: 1 },
      })
      expect(answer.status).toBe(400)
      expect(answer.json.error.requestId).toBe(answer.headers.get('x-request-id'))
    },
  )

  it.each(withBody.map((route) => [routeName(route), route] as const))(
    '%s refuses what is not JSON',
    async (_name, route) => {
      const answer = await call(address, route.method, pathTo(route, 'some_id'), {
        key,
        raw: 'hello',
        headers: { 'content-type': 'text/plain' },
      })
      expect(answer.status).toBe(415)
    },
  )

  it.each(allRoutes.map((route) => [routeName(route), route] as const))(
    '%s refuses a query that it does not know',
    async (_name, route) => {
      const answer = await call(address, route.method, `${pathTo(route, 'some_id')}?id[$ne]=1`, {
        key,
        ...(route.permission === 'public' && route.body ? { body: {} } : sampleBody(route)),
      })
      expect([answer.status, answer.json.error.code]).toEqual([400, 'unknown_field'])
    },
  )
})

describe('addresses and queries', () => {
  it.each([
    ['/api/v1/conversations?state=lost', 'state'],
    ['/api/v1/conversations?state=open&state=closed', 'state'],
    ['/api/v1/conversations?limit=1000', 'limit'],
    ['/api/v1/conversations?limit=ten', 'limit'],
    ['/api/v1/conversations?cursor=nonsense', 'cursor'],
    ['/api/v1/knowledge/documents?cursor=nonsense', 'cursor'],
    ['/api/v1/conversations/..%2f..%2fetc', 'id'],
    ['/api/v1/conversations/%00', 'id'],
    ['/api/v1/conversations/x/messages?after=-1', 'after'],
  ])('%s is refused, naming %s', async (path, field) => {
    const { status, json } = await call(address, 'get', path, { key })
    expect([status, json.error.field]).toEqual([400, field])
  })

  it('that cannot be read are refused', async () => {
    expect((await call(address, 'get', '/api/v1/conversations/%E0%A4%A', { key })).status).toBe(400)
  })

  it.each(['/nowhere', '/api/v1/nowhere', '/api/v1/conversations/a/b/c'])('%s is nowhere, in JSON', async (path) => {
    const answer = await call(address, 'get', path, { key })
    expect(answer.status).toBe(404)
    expect(answer.json).toEqual({
      error: { code: 'not_found', message: expect.any(String), requestId: answer.headers.get('x-request-id') },
    })
  })
})

describe('a request id', () => {
  it('is taken from the caller if it is sane, and made anew if not', async () => {
    const sane = await call(address, 'get', '/health/live', { headers: { 'x-request-id': 'trace_0123456789' } })
    expect(sane.headers.get('x-request-id')).toBe('trace_0123456789')
    const strange = await call(address, 'get', '/health/live', { headers: { 'x-request-id': 'a b<script>' } })
    expect(strange.headers.get('x-request-id')).toMatch(/^req_[A-Za-z0-9_-]{20}$/)
  })
})
