import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

type Message = {
  id: string
  author: string
  text: string
  feedback?: unknown
  attachments?: { id: string; path: string; name: string; type: string }[]
}
type Failed = { error: { code: string; field?: string } }
type Kept = Failed & { ticket: string; id: string; name: string; type: string; size: number }

const PNG = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
)

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>
let key: string

beforeAll(async () => {
  mongo = await openTestMongo()
  app = await openApp(mongo, { env: { RATE_LIMIT_FACTOR: '1000000' } })
  key = (await app.call<{ channelKey: string }>('/webchat/demo')).body.channelKey
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
})

const visit = async () => {
  const { body } = await app.call<{ token: string; conversationId: string }>('/webchat/sessions', {
    body: { channelKey: key },
  })
  await app.call('/webchat/messages', { token: body.token, body: { id: 'm-1', text: 'hello' } })
  return {
    id: body.conversationId,
    reads: async () =>
      (await app.call<{ messages: Message[] }>('/webchat/messages', { token: body.token })).body.messages,
  }
}
const sendUp = async (name: string, content: string | Uint8Array<ArrayBuffer>, bearer = 'a-key-for-the-tests-only') => {
  const form = new FormData()
  form.append('file', new Blob([content]), name)
  const headers = { authorization: `Bearer ${bearer}` }
  const response = await fetch(`${app.url}/api/v1/attachments`, { method: 'POST', headers, body: form })
  return { status: response.status, body: (await response.json()) as Kept }
}
const say = (conversationId: string, body: object, token?: string) =>
  app.call<Message & Failed>(`/conversations/${conversationId}/messages`, { body, ...(token ? { token } : {}) })

describe('a file that an agent sends', () => {
  it('goes with the reply, and the visitor can open it', async () => {
    const visitor = await visit()
    const { status, body } = await sendUp('../label’s\u202e copy.png', PNG)
    expect([status, body.name, body.type]).toEqual([201, 'label’s copy.png', 'image/png'])
    const said = await say(visitor.id, { text: 'Print this label.', attachments: [body.ticket] })
    expect(said.body).toMatchObject({ text: 'Print this label.', attachments: [{ id: body.id }] })

    const last = (await visitor.reads()).at(-1)
    expect(last).toMatchObject({ author: 'agent', attachments: [{ name: 'label’s copy.png', type: 'image/png' }] })
    const saved = await fetch(app.url + (last?.attachments?.[0]?.path ?? ''))
    expect(new Uint8Array(await saved.arrayBuffer())).toEqual(PNG)
  })

  it('needs no words beside it; nothing at all is refused', async () => {
    const visitor = await visit()
    const { body } = await sendUp('terms.pdf', '%PDF-1.7 x')
    const said = await say(visitor.id, { text: ' ', attachments: [body.ticket] })
    expect([said.status, said.body.text]).toEqual([201, 'terms.pdf'])
    expect((await say(visitor.id, { text: ' ', attachments: [] })).body.error.field).toBe('text')
  })

  it('goes once, however often its message is sent again, and never under the name of another message', async () => {
    const visitor = await visit()
    const [one, other] = [await sendUp('one.txt', 'one'), await sendUp('other.txt', 'other')]
    const message = { text: 'Here.', id: 'same-id-1', attachments: [one.body.ticket] }
    expect((await say(visitor.id, message)).body.id).toBe((await say(visitor.id, message)).body.id)
    const changed = await say(visitor.id, { ...message, attachments: [other.body.ticket] })
    expect(changed.body.error.code).toBe('id_reused')
    expect((await visitor.reads()).filter(({ author }) => author === 'agent')).toHaveLength(1)
  })

  it('stays with colleagues when it is put into a note', async () => {
    const visitor = await visit()
    const { body } = await sendUp('invoice.pdf', '%PDF-1.7 secret')
    const note = await app.call<Message>(`/conversations/${visitor.id}/notes`, {
      body: { text: 'His invoice', attachments: [body.ticket] },
    })
    expect(note.body.attachments).toHaveLength(1)
    expect(JSON.stringify(await visitor.reads())).not.toContain('invoice')
  })

  it('cannot be put into a message by another company, by a customer, or by nobody', async () => {
    const visitor = await visit()
    const { body: other } = await app.call<{ apiKey: string }>('/companies', { body: { name: 'Other' } })
    const foreign = await sendUp('x.txt', 'theirs', other.apiKey)
    const answer = await say(visitor.id, { text: 'x', attachments: [foreign.body.ticket] })
    expect(answer.body.error).toMatchObject({ code: 'attachment_unknown', field: 'attachments.0' })
    const { body: opened } = await app.call<{ token: string }>('/webchat/sessions', { body: { channelKey: key } })
    const { body: own } = await sendUp('y.txt', 'ours')
    const stolen = await app.call<Failed>('/webchat/messages', {
      token: opened.token,
      body: { id: 'm-2', text: 'x', attachments: [own.ticket] },
    })
    expect(stolen.body.error.code).toBe('attachment_unknown')
    expect((await sendUp('z.txt', 'z', 'nobody')).status).toBe(401)
    expect((await sendUp('z.html', '<script>')).body.error.code).toBe('file_type_not_allowed')
    expect((await sendUp('big.txt', 'x'.repeat(10 * 1024 * 1024 + 1))).body.error.code).toBe('file_too_large')
    expect((await app.call<Failed>('/attachments', { body: {} })).body.error.field).toBe('file')
  })
})
