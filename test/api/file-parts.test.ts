import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { hum } from '../support/recordings.mjs'

const WHOLE = hum(4)
const SIZE = WHOLE.length
const KEY = 'a-key-for-the-tests-only'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>
let own: string
let link: string
let companyId: string
let rivals: { id: string; apiKey: string }

beforeAll(async () => {
  mongo = await openTestMongo()
  app = await openApp(mongo, { env: { RATE_LIMIT_FACTOR: '1000000' } })
  const { channelKey } = (await app.call<{ channelKey: string }>('/webchat/demo')).body
  const { token, conversationId } = (
    await app.call<{ token: string; conversationId: string }>('/webchat/sessions', { body: { channelKey } })
  ).body
  await app.call('/webchat/messages', { token, body: { id: 'm-1', text: 'hello' } })
  const form = new FormData()
  form.append('file', new Blob([WHOLE]), 'hum.wav')
  const headers = { authorization: `Bearer ${KEY}` }
  const sent = await fetch(`${app.url}/api/v1/attachments`, { method: 'POST', headers, body: form })
  const { ticket } = (await sent.json()) as { ticket: string }
  const said = await app.call<{ attachments: { id: string }[] }>(`/conversations/${conversationId}/messages`, {
    body: { text: '', attachments: [ticket] },
  })
  own = `/api/v1/attachments/${said.body.attachments[0]?.id}`
  const read = await app.call<{ messages: { attachments?: { path: string }[] }[] }>('/webchat/messages', { token })
  link = read.body.messages.findLast(({ attachments }) => attachments)?.attachments?.[0]?.path ?? ''
  companyId = (await app.call<{ companyId: string }>('/me')).body.companyId
  rivals = (await app.call<{ id: string; apiKey: string }>('/companies', { body: { name: 'Rivals' } })).body
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
})

const fetchPart = async (path: string, headers: Record<string, string> = {}, key: string | null = KEY) => {
  const response = await fetch(app.url + path, {
    headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
  })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** The desk asks with its session, a chat with the link that it was given. */
const doors = [
  ['the desk', (headers: Record<string, string>) => fetchPart(own, headers)],
  ['a chat', (headers: Record<string, string>) => fetchPart(link, headers, null)],
] as const

describe.each(doors)('a recording that %s plays', (_who, ask) => {
  it('comes whole, and says that parts may be asked for', async () => {
    const { status, headers, bytes } = await ask({})
    expect(status).toBe(200)
    expect(headers.get('accept-ranges')).toBe('bytes')
    expect(headers.get('content-type')).toBe('audio/wav')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-disposition')).toMatch(/^attachment/)
    expect(bytes.equals(WHOLE)).toBe(true)
  })

  it.each([
    ['bytes=0-', 0, SIZE - 1],
    ['bytes=0-0', 0, 0],
    ['bytes=16000-', 16_000, SIZE - 1],
    ['bytes=100-199', 100, 199],
    ['bytes=-500', SIZE - 500, SIZE - 1],
    [`bytes=-${SIZE * 2}`, 0, SIZE - 1],
    [`bytes=10-${SIZE * 2}`, 10, SIZE - 1],
  ])('begins and ends where the player asks: %s', async (range, first, last) => {
    const { status, headers, bytes } = await ask({ range })
    expect(status).toBe(206)
    expect(headers.get('content-range')).toBe(`bytes ${first}-${last}/${SIZE}`)
    expect(headers.get('content-length')).toBe(String(last - first + 1))
    expect(bytes.equals(WHOLE.subarray(first, last + 1))).toBe(true)
  })

  it.each([`bytes=${SIZE}-`, 'bytes=999999999999999-', 'bytes=-0'])('has nothing beyond its end: %s', async (range) => {
    const { status, headers, bytes } = await ask({ range })
    expect(status).toBe(416)
    expect(headers.get('content-range')).toBe(`bytes */${SIZE}`)
    expect(bytes).toHaveLength(0)
  })

  it.each([
    'bytes=5-2',
    'bytes=0-1,5-9',
    'bytes=-',
    'bytes=a-b',
    'lines=0-5',
    'bytes=0-1e3',
    `bytes=${'9'.repeat(400)}-`,
  ])('comes whole where nobody can say which part is meant: %s', async (range) => {
    const { status, headers, bytes } = await ask({ range })
    expect(status).toBe(200)
    expect(headers.has('content-range')).toBe(false)
    expect(bytes).toHaveLength(SIZE)
  })

  it('comes whole where a part is wanted only of a version that we do not name', async () => {
    expect((await ask({ range: 'bytes=0-9', 'if-range': '"v1"' })).status).toBe(200)
  })
})

describe('which company is meant', () => {
  it('may stand in the address, because a player sends no header', async () => {
    expect((await fetchPart(`${own}?company=${companyId}`)).status).toBe(200)
    expect((await fetchPart(`${own}?company=${rivals.id}`)).status).toBe(403)
    expect((await fetchPart(`${own}?company=${rivals.id}`, {}, rivals.apiKey)).status).toBe(404)
    expect((await fetchPart(own, {}, rivals.apiKey)).status).toBe(404)
    expect((await fetchPart(`${own}?company=${companyId}`, {}, null)).status).toBe(401)
  })

  it('stands in the address of nothing else', async () => {
    const { body, status } = await app.call<{ error: { code: string } }>(`/conversations/counts?company=${companyId}`)
    expect([status, body.error.code]).toEqual([400, 'unknown_field'])
  })
})
