import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { request } from 'node:http'
import { io } from 'socket.io-client'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let address: string
let channelKey: string

beforeAll(async () => {
  installation = await openInstallation()
  address = installation.address
  channelKey = (await call(address, 'get', '/api/v1/channels', { key })).json.channels[0]?.key ?? ''
})
afterAll(() => installation.close())

const SITE = { origin: 'https://shop.example' }

const openChat = async () => {
  const { json } = await call(address, 'post', '/api/v1/webchat/sessions', { body: { channelKey }, headers: SITE })
  return json as unknown as { token: string; conversationId: string }
}

const write = (token: string, text: string, id: string) =>
  call(address, 'post', '/api/v1/webchat/messages', { key: token, body: { id, text }, headers: SITE })

describe('people', () => {
  it('come in by the link that an owner hands them, once, and then sign in', async () => {
    const email = 'Grace@Example.test'
    const { status, json } = await call(address, 'post', '/api/v1/people', {
      key,
      body: { email, name: 'Grace', role: 'agent' },
    })
    expect(status).toBe(201)
    const link = new URL((json as unknown as { setupUrl: string }).setupUrl)
    expect(link.origin + link.pathname).toBe(`${address}/setup`)
    const body = { token: link.hash.slice(1), name: 'Grace', email, password: 'correct horse battery' }
    expect(
      (await call(address, 'post', '/api/v1/setup', { body: { ...body, password: 'too short' } })).json.error,
    ).toMatchObject({
      field: 'password',
      message: 'password: must be at least 12 characters',
    })
    expect((await call(address, 'post', '/api/v1/setup', { body })).json.id).toBe(json.id)
    const again = await call(address, 'post', '/api/v1/setup', { body })
    expect([again.status, again.json.error.code]).toEqual([403, 'link_invalid'])

    const signedIn = await call(address, 'post', '/api/auth/sign-in/email', {
      body: { email, password: body.password },
    })
    const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const me = await call(address, 'get', '/api/v1/me', { headers: { cookie } })
    expect(me.json).toMatchObject({ id: json.id, name: 'Grace', role: 'agent' })
  })
})

describe('a conversation', () => {
  it('is worked on by people and keys, under their names', async () => {
    const { token, conversationId } = await openChat()
    expect((await write(token, 'Where is my order?', 'm1')).status).toBe(202)
    const path = `/api/v1/conversations/${conversationId}`
    const act = (what: string, body: object) => call(address, 'post', `${path}/${what}`, { key, body })

    const spoken = await act('messages', { text: 'It is on its way.' })
    expect(spoken.status).toBe(201)
    expect(spoken.json).toMatchObject({ author: 'agent', authorName: 'API · Environment', status: 'queued' })
    expect((await act('notes', { text: 'Checked with the carrier.' })).json).toMatchObject({ kind: 'note' })
    expect((await act('tags', { tags: ['delivery'] })).json).toMatchObject({ tags: ['delivery'] })
    expect((await act('priority', { priority: 'high' })).json).toMatchObject({ priority: 'high' })
    expect((await act('assign', { assignee: null })).json).toMatchObject({ assignee: null, handler: 'nobody' })
    expect((await act('assign', { assignee: 'me' })).json).toMatchObject({ assignee: { name: 'API · Environment' } })
    expect((await act('handoff', { reason: 'wants a person' })).json).toMatchObject({ handler: 'nobody' })
    expect((await act('resume', {})).json).toMatchObject({ handler: 'assistant' })
    expect((await act('state', { state: 'resolved', reason: 'answered' })).json).toMatchObject({ state: 'resolved' })

    const { json } = await call(address, 'get', `${path}/messages?after=0`, { key })
    const { messages } = json as unknown as { messages: { seq: number; author: string; kind: string }[] }
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_message, index) => index + 1))
    expect(messages.slice(0, 3)).toMatchObject([
      { author: 'customer', kind: 'message' },
      { author: 'agent', kind: 'message' },
      { author: 'agent', kind: 'note' },
    ])
    expect((await call(address, 'get', '/api/v1/conversations?state=resolved&q=way', { key })).json).toMatchObject({
      conversations: [{ id: conversationId }],
      nextCursor: null,
    })
  })

  it('cannot be given to somebody who is not of the company', async () => {
    const { token, conversationId } = await openChat()
    await write(token, 'Hello?', 'm1')
    const answer = await call(address, 'post', `/api/v1/conversations/${conversationId}/assign`, {
      key,
      body: { assignee: 'per_somebody_else' },
    })
    expect([answer.status, answer.json.error.code, answer.json.error.field]).toEqual([
      400,
      'unknown_person',
      'assignee',
    ])
  })
})

describe('documents', () => {
  it('are listed page by page', async () => {
    for (const title of ['One', 'Two', 'Three']) {
      await call(address, 'post', '/api/v1/knowledge/documents', { key, body: { title, text: `This is ${title}.` } })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const pageOf = async (query: string) => {
      const { json } = await call(address, 'get', `/api/v1/knowledge/documents?limit=2${query}`, { key })
      return json as unknown as { documents: { title: string }[]; nextCursor: string | null }
    }
    const first = await pageOf('')
    const second = await pageOf(`&cursor=${first.nextCursor}`)
    expect([...first.documents, ...second.documents].map(({ title }) => title)).toEqual(['Three', 'Two', 'One'])
    expect(second.nextCursor).toBeNull()
  })
})

describe('the public calls of a channel', () => {
  it('work from any site, without cookies', async () => {
    const preflight = await fetch(`${address}/api/v1/webchat/messages`, {
      method: 'OPTIONS',
      headers: { ...SITE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(SITE.origin)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const { token } = await openChat()
    const written = await write(token, 'Hello', 'm1')
    expect(written.headers.get('access-control-allow-origin')).toBe(SITE.origin)
    expect(written.headers.get('access-control-allow-credentials')).toBeNull()
    expect(written.headers.get('vary')).toBe('Origin')
  })

  it('of our own pages only are not opened to other sites', async () => {
    const answer = await call(address, 'get', '/api/v1/company', { key, headers: SITE })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it.each<[string, Record<string, string>, object, number, string | undefined]>([
    ['no token', { authorization: '' }, { id: 'a', text: 'x' }, 401, undefined],
    ['a foreign token', { authorization: 'Bearer eyJhIjoxfQ.AAAA' }, { id: 'a', text: 'x' }, 401, undefined],
    ['an empty text', {}, { id: 'a', text: '  ' }, 400, 'text'],
    ['a text over the limit', {}, { id: 'a', text: 'x'.repeat(10_001) }, 400, 'text'],
    ['an operator for a text', {}, { id: 'a', text: { $gt: '' } }, 400, 'text'],
    ['an unknown field', {}, { id: 'a', text: 'x', admin: true }, 400, 'admin'],
    ['a body over the limit', {}, { id: 'a', text: 'x'.repeat(200_000) }, 413, 'body'],
    ['another content type', { 'content-type': 'text/plain' }, { id: 'a', text: 'x' }, 415, 'content-type'],
  ])('with %s are refused by name, readable from the site', async (_name, headers, body, status, field) => {
    const { token } = await openChat()
    const answer = await call(address, 'post', '/api/v1/webchat/messages', {
      body,
      headers: { ...SITE, authorization: `Bearer ${token}`, ...headers },
    })
    expect([answer.status, answer.json.error.field]).toEqual([status, field])
    expect(answer.headers.get('access-control-allow-origin')).toBe(SITE.origin)
  })

  it('answer sixteen visitors behind one address who write forty messages within seconds', async () => {
    const visitors = await Promise.all(Array.from({ length: 16 }, openChat))
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_none, index) =>
        write(visitors[index % 16]?.token ?? '', `Message ${index}`, `b${index}`),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 202))
  })

  it('are served live over Socket.IO', async () => {
    const { token } = await openChat()
    const client = io(`${address}/webchat`, {
      auth: { token },
      transports: ['websocket'],
      extraHeaders: SITE,
      reconnection: false,
    })
    await new Promise((resolve, reject) => client.on('connect', () => resolve(null)).on('connect_error', reject))
    expect(await client.emitWithAck('message', { id: 'x', text: '' })).toMatchObject({
      ok: false,
      error: { field: 'text' },
    })
    const shown = new Promise((resolve) => client.on('message', resolve))
    expect(await client.emitWithAck('message', { id: 'x', text: 'Hello' })).toMatchObject({ ok: true })
    expect(await shown).toMatchObject({ author: 'customer', text: 'Hello', seq: 1 })
    client.disconnect()
  })
})

describe('a request that is cut off', () => {
  it('harms nobody', async () => {
    const { token } = await openChat()
    await new Promise<void>((resolve) => {
      const req = request(`${address}/api/v1/webchat/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 500 },
      })
      req.on('error', () => resolve())
      req.write('{"id": "half", ')
      setTimeout(() => req.destroy(), 50)
    })
    expect((await call(address, 'get', '/health/live')).status).toBe(200)
    expect(installation.reported).toEqual([])
  })
})
