import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

const SECRET = 'the-secret-that-site-and-chat-share-1'
const hashOf = (id: string) => createHmac('sha256', SECRET).update(id).digest('hex')

type Chat = {
  messages: {
    id: string
    author: string
    text: string
    citations: object[]
    feedback?: string
    clientId?: string
    attachments?: { path: string; name: string; type: string }[]
  }[]
  standing: { handler: string; working: boolean; askEmail: boolean }
}
type Failed = { error: { code: string; field?: string } }

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>
let channel: { id: string; key: string }

beforeAll(async () => {
  mongo = await openTestMongo()
  app = await openApp(mongo, { env: { RATE_LIMIT_FACTOR: '1000000' } })
  const { body } = await app.call<{ channels: (typeof channel)[] }>('/channels')
  channel = body.channels[0] as typeof channel
  await eventually(async () => {
    const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
    return documents.length > 0 && documents.every(({ status }) => status === 'ready')
  })
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
})

let ids = 0
const visit = async (visitor?: object, key = channel.key) => {
  const opened = await app.call<{ token: string; conversationId: string } & Failed>('/webchat/sessions', {
    body: { channelKey: key, ...(visitor ? { visitor } : {}) },
  })
  const { token } = opened.body
  const post = (route: string, body: object) => app.call<Failed>(`/webchat/${route}`, { token, body })
  return {
    status: opened.status,
    code: opened.status < 400 ? null : opened.body.error.code,
    conversationId: opened.body.conversationId,
    token,
    post,
    write: (text: string, more: object = {}) => post('messages', { id: `m-${(ids += 1)}`, text, ...more }),
    read: async () => (await app.call<Chat>('/webchat/messages', { token })).body,
    sendUp: async (name: string, content: string | Uint8Array<ArrayBuffer>) => {
      const form = new FormData()
      form.append('file', new Blob([content]), name)
      const response = await fetch(`${app.url}/api/v1/webchat/files`, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${token}` },
      })
      return { status: response.status, body: (await response.json()) as { ticket: string } & Failed }
    },
  }
}
const texts = (chat: Chat) => chat.messages.map(({ text }) => text)
const set = (settings: object) => app.call(`/channels/${channel.id}`, { method: 'PATCH', body: { settings } })
const question = async (visitor: Awaited<ReturnType<typeof visit>>) => {
  await visitor.write('Within how many days can I return goods?')
  const chat = await eventually(async () => {
    const seen = await visitor.read()
    return seen.messages.length > 1 && seen
  })
  return chat.messages[1] as Chat['messages'][number]
}

describe('a visitor whom the site has proven', () => {
  beforeAll(() => set({ identitySecret: SECRET }))
  afterAll(() => set({ identitySecret: null }))

  it('meets the same conversation on every device, and agents see that it is them', async () => {
    const phone = await visit({ id: 'user-1', name: 'Jane', hash: hashOf('user-1') })
    await phone.write('from the phone')
    const laptop = await visit({ id: 'user-1', hash: hashOf('user-1').toUpperCase() })
    expect(texts(await laptop.read())).toContain('from the phone')
    await laptop.write('from the laptop')
    expect(laptop.conversationId).toBe(phone.conversationId)
    const { body } = await app.call<{ contact: object }>(`/conversations/${phone.conversationId}`)
    expect(body.contact).toMatchObject({ reference: 'user-1', name: 'Jane', verified: true })
  })

  it('is one conversation also when both devices write first at the same moment', async () => {
    const who = { id: 'user-2', hash: hashOf('user-2') }
    const [one, two] = [await visit(who), await visit(who)]
    await Promise.all([one.write('a'), two.write('b')])
    const chat = await one.read()
    expect(
      texts(chat)
        .filter((text) => text.length === 1)
        .sort(),
    ).toEqual(['a', 'b'])
    const { body } = await app.call<{ conversations: { contact: { reference?: string } }[] }>('/conversations')
    expect(body.conversations.filter(({ contact }) => contact.reference === 'user-2')).toHaveLength(1)
  })

  it.each([
    ['without a hash', { id: 'user-1' }, 'identity_hash_missing'],
    ['with the hash of somebody else', { id: 'user-1', hash: hashOf('user-2') }, 'identity_hash_wrong'],
    [
      'with a hash under another secret',
      { id: 'user-1', hash: createHmac('sha256', 'x').update('user-1').digest('hex') },
      'identity_hash_wrong',
    ],
    ['with a hash that is none', { id: 'user-1', hash: 'yes' }, 'invalid'],
    ['with a hash and no id', { hash: hashOf('user-1') }, 'invalid'],
  ])('is not believed %s', async (_how, claim, code) => {
    expect((await visit(claim)).code).toBe(code)
  })

  it('is never seen by anybody anonymous, whatever they call themselves', async () => {
    const stranger = await visit({ name: 'Jane', email: 'jane@example.com' })
    await stranger.write('who am I?')
    expect(texts(await stranger.read())).not.toContain('from the phone')
  })

  it('of one channel is nobody in another', async () => {
    const { body } = await app.call<{ id: string }>('/channels', {
      body: { kind: 'webchat', settings: { identitySecret: SECRET } },
    })
    const other = (await app.call<{ key: string }>(`/channels/${body.id}`)).body.key
    const elsewhere = await visit({ id: 'user-1', hash: hashOf('user-1') }, other)
    expect((await elsewhere.read()).messages).toEqual([])
  })

  it('cannot be proven to a channel without a secret', async () => {
    await set({ identitySecret: null })
    expect((await visit({ id: 'user-1', hash: hashOf('user-1') })).code).toBe('identity_not_set_up')
    const claimed = await visit({ id: 'user-1' })
    expect((await claimed.read()).messages).toEqual([])
    await set({ identitySecret: SECRET })
  })
})

describe('a secret among a channel’s settings', () => {
  it('is never returned, stands encrypted in the store, and outlives a change of other settings', async () => {
    await set({ identitySecret: SECRET })
    await set({ color: '#123456' })
    const { body } = await app.call<{ settings: object; secretsSet: string[] }>(`/channels/${channel.id}`)
    expect(body.secretsSet).toEqual(['identitySecret'])
    expect(body.settings).toMatchObject({ color: '#123456' })
    const { body: config } = await app.call(`/webchat/config?key=${channel.key}`)
    const kept = await mongo.db.collection<{ _id: string }>('channels').findOne({ _id: channel.id })
    for (const seen of [body, config, (await app.call('/channels')).body, kept]) {
      expect(JSON.stringify(seen)).not.toContain(SECRET)
    }
    expect((await visit({ id: 'user-9', hash: hashOf('user-9') })).status).toBe(201)
    await set({ identitySecret: null })
    expect((await app.call<{ secretsSet: string[] }>(`/channels/${channel.id}`)).body.secretsSet).toEqual([])
  })

  it('is refused when it is too short to be one', async () => {
    expect((await set({ identitySecret: 'short' })).body).toMatchObject({
      error: { code: 'invalid_settings', field: 'settings.identitySecret' },
    })
  })
})

describe('a visitor', () => {
  it('says that an answer helped, takes it back, and only of their own', async () => {
    const visitor = await visit()
    const answer = await question(visitor)
    const rate = (rating: string | null) => visitor.post('feedback', { messageId: answer.id, rating })
    expect((await rate('up')).status).toBe(200)
    expect((await rate('up')).status).toBe(200)
    const seen = async () => {
      const { body } = await app.call<{ messages: { id: string; feedback?: { rating: string; at: string } }[] }>(
        `/conversations/${visitor.conversationId}/messages`,
      )
      return body.messages.find(({ id }) => id === answer.id)?.feedback
    }
    expect(await seen()).toMatchObject({ rating: 'up', at: expect.stringMatching(/^\d{4}-/) })
    expect((await visitor.read()).messages[1]?.feedback).toBe('up')
    await rate(null)
    expect(await seen()).toBeUndefined()

    const stranger = await visit()
    await stranger.write('hello')
    const foreign = await stranger.post('feedback', { messageId: answer.id, rating: 'down' })
    expect([foreign.status, foreign.body.error.code]).toEqual([404, 'message_not_found'])
    const own = (await visitor.read()).messages[0]?.id
    const nonsense = await visitor.post('feedback', { messageId: own, rating: 'up' })
    expect([nonsense.status, nonsense.body.error.code]).toEqual([400, 'not_an_answer'])
    expect((await visitor.post('feedback', { messageId: answer.id, rating: 'great' })).status).toBe(400)
  })

  it('reads the passage around a quote of their own answer, and of nobody else’s', async () => {
    const visitor = await visit()
    const answer = await question(visitor)
    expect(answer.citations.length).toBeGreaterThan(0)
    const path = `/webchat/source?message=${answer.id}&citation=0`
    const { body } = await app.call<{ before: string; quote: string; after: string }>(path, { token: visitor.token })
    expect(answer.citations[0]).toMatchObject({ quote: body.quote })
    expect(body.before + body.after).not.toBe('')
    expect((await app.call(path, { token: (await visit()).token })).status).toBe(404)
    expect((await app.call(path.replace('=0', '=42'), { token: visitor.token })).status).toBe(404)
  })

  it('is asked for an address when nobody is there, and agents see it', async () => {
    const visitor = await visit()
    expect((await visitor.post('contact', { email: 'jane@example.com' })).status).toBe(404)
    await visitor.write('I would like to talk to a person.')
    await eventually(async () => (await visitor.read()).standing.askEmail)
    expect((await visitor.post('contact', { email: 'nonsense' })).status).toBe(400)
    expect((await visitor.post('contact', { email: 'jane@example.com' })).status).toBe(200)
    expect((await visitor.read()).standing).toMatchObject({ handler: 'nobody', askEmail: false })
    const { body } = await app.call<{ contact: object }>(`/conversations/${visitor.conversationId}`)
    expect(body.contact).toMatchObject({ email: 'jane@example.com' })
  })

  it('finds the name that the page gave its message', async () => {
    const visitor = await visit()
    await visitor.write('hello', { id: 'a:b.c-1' })
    expect((await visitor.read()).messages[0]?.clientId).toBe('a:b.c-1')
  })
})

describe('a file', () => {
  const PNG = new Uint8Array(
    Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    ),
  )

  it('goes with a message, is seen by its sender and the company, and by nobody else', async () => {
    const visitor = await visit()
    const { body } = await visitor.sendUp('../../my photo’s\u202e first.png', PNG)
    expect((await visitor.write('', { attachments: [body.ticket] })).status).toBe(202)
    const [message] = (await visitor.read()).messages
    expect(message?.text).toBe('my photo’s first.png')
    const [attachment] = message?.attachments ?? []
    expect(attachment).toMatchObject({ name: 'my photo’s first.png', type: 'image/png' })
    const saved = await fetch(app.url + (attachment?.path ?? ''))
    expect(new Uint8Array(await saved.arrayBuffer())).toEqual(PNG)
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; /)
    expect(saved.headers.get('x-content-type-options')).toBe('nosniff')
    expect(saved.headers.get('content-security-policy')).toContain('sandbox')

    const seen = await app.call<{ messages: { attachments?: { id: string }[] }[] }>(
      `/conversations/${visitor.conversationId}/messages`,
    )
    const id = seen.body.messages[0]?.attachments?.[0]?.id ?? ''
    const key = { authorization: 'Bearer a-key-for-the-tests-only' }
    const byAgent = await fetch(`${app.url}/api/v1/attachments/${id}`, { headers: key })
    expect(new Uint8Array(await byAgent.arrayBuffer())).toEqual(PNG)
    expect((await fetch(`${app.url}/api/v1/attachments/${id}`)).status).toBe(401)

    const { body: other } = await app.call<{ apiKey: string }>('/companies', { body: { name: 'Other' } })
    const foreign = await fetch(`${app.url}/api/v1/attachments/${id}`, {
      headers: { authorization: `Bearer ${other.apiKey}` },
    })
    expect(foreign.status).toBe(404)
    // Not its last sign, which holds two bits that mean nothing: every sixteenth link would be the same one.
    const forged = (attachment?.path ?? '').replace(/.(?=.$)/, (sign) => (sign === 'A' ? 'B' : 'A'))
    expect(forged).not.toBe(attachment?.path)
    expect((await fetch(app.url + forged)).status).toBe(404)
  })

  it('that somebody else sent up cannot be put into one’s own message', async () => {
    const { body } = await (await visit()).sendUp('secret.txt', 'secret')
    const answer = await (await visit()).write('mine now', { attachments: [body.ticket] })
    expect([answer.status, answer.body.error.code]).toEqual([400, 'attachment_unknown'])
  })

  it.each([
    ['a program', 'setup.exe', 'MZ', 415, 'file_type_not_allowed'],
    ['a page', 'page.html', '<script>alert(1)</script>', 415, 'file_type_not_allowed'],
    ['a drawing that may hold scripts', 'x.svg', '<svg onload="alert(1)"/>', 415, 'file_type_not_allowed'],
    ['a page that is called a picture', 'x.png', '<script>alert(1)</script>', 415, 'file_type_not_allowed'],
    ['a program that is called a text', 'x.txt', '\x7fELF\x02\x01\x01\x00', 415, 'file_type_not_allowed'],
    ['nothing', 'empty.txt', '', 400, 'file_empty'],
    ['more than 10 MB', 'big.txt', 'x'.repeat(10 * 1024 * 1024 + 1), 413, 'file_too_large'],
  ])('is refused by name: %s', async (_what, name, content, status, code) => {
    const answer = await (await visit()).sendUp(name, content)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it('is taken from nobody without a session, and from nobody where the chat takes none', async () => {
    const form = new FormData()
    form.append('file', new Blob(['x']), 'x.txt')
    expect((await fetch(`${app.url}/api/v1/webchat/files`, { method: 'POST', body: form })).status).toBe(401)
    await set({ attachments: false })
    expect((await (await visit()).sendUp('x.txt', 'x')).body.error.code).toBe('files_not_allowed')
    await set({ attachments: true })
  })
})

describe('the look of a chat', () => {
  it('is public, may be kept for a while, and is refused to sites that are not on the list', async () => {
    await set({ origins: ['https://shop.example'] })
    const get = (origin: string) =>
      fetch(`${app.url}/api/v1/webchat/config?key=${channel.key}`, { headers: { origin } })
    const allowed = await get('https://shop.example')
    expect(allowed.headers.get('cache-control')).toBe('public, max-age=60')
    expect(await allowed.json()).toMatchObject({ position: 'right', colors: { onFill: '#ffffff' } })
    const refused = await get('https://evil.example')
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([403, 'no-store'])
    // Our own pages show any chat: the demo, and the preview in the dashboard.
    expect((await get(app.url)).status).toBe(200)
    await set({ origins: [] })
    expect((await app.call('/webchat/config?key=no-such-key')).status).toBe(404)
  })

  it.each([
    [{ color: 'red' }, 'settings.color'],
    [{ color: '#fff;background:url(//evil.example)' }, 'settings.color'],
    [{ logo: 'javascript:alert(1)' }, 'settings.logo'],
    [{ texts: { en: { title: 'x'.repeat(41) } } }, 'settings.texts.en.title'],
    [{ texts: { fr: {} } }, 'settings.texts'],
    [{ position: 'top' }, 'settings.position'],
  ])('takes no %p', async (settings, field) => {
    expect((await set(settings)).body).toMatchObject({ error: { code: 'invalid_settings', field } })
  })
})
