import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually, openApp } from '../support/app.js'
import { openGraph } from '../support/graph.mjs'
import { openTestMongo } from '../support/mongo.js'
import { from, PHONE_NUMBER_ID, said, signatureOf, statusOf, textMessage, webhookOf } from '../support/whatsapp.js'

/** The whole product with one WhatsApp number; Meta is the player. */
type App = Awaited<ReturnType<typeof openApp>>
type Seen = {
  id: string
  author: string
  kind: string
  text: string
  status: string | null
  reason?: string
  needsPerson?: string
  automatic?: string
  reaction?: string
  feedback?: { rating: string }
  revoked?: true
  edits?: unknown[]
  attachments?: { id: string; name: string; type: string; size: number }[]
}
type Conversation = {
  id: string
  contactId: string
  handler: string
  contact: { name?: string; phone?: string }
  reach?: { kind: string; code?: string }
  handoff: { reason: string } | null
}

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let graph: Awaited<ReturnType<typeof openGraph>>
let app: App
let channelId: string
let number = 0

/** Somebody whom nobody has heard of yet. */
const somebody = (): string => `49151000${String((number += 1)).padStart(5, '0')}`
const messageId = (): string => `wamid.test-${(number += 1)}`

const env = { ALLOW_PRIVATE_ADDRESSES: 'true' }
const settings = () => graph.settings

beforeAll(async () => {
  mongo = await openTestMongo()
  graph = await openGraph({ phoneNumberId: PHONE_NUMBER_ID })
  app = await openApp(mongo, { env })
  const added = await app.call<{ id: string }>('/channels', { body: { kind: 'whatsapp-cloud', settings: settings() } })
  channelId = added.body.id
})
afterEach(() => graph.behave({ kind: 'good' }))
afterAll(async () => {
  await app.stop()
  await graph.close()
  await mongo.close()
})

const post = async (
  body: object | string | Uint8Array,
  { secret = graph.secret, headers = {}, to = app.url, signed = true } = {},
) => {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return fetch(`${to}/webhooks/${channelId}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signed ? { 'x-hub-signature-256': signatureOf(raw, secret) } : {}),
      ...headers,
    },
    body: raw as string,
  })
}

const conversationsOf = async (waId: string): Promise<Conversation[]> => {
  const { body } = await app.call<{ conversations: Conversation[] }>('/conversations?limit=100')
  return body.conversations.filter(({ contact }) => contact.phone === `+${waId}`)
}

const conversationOf = (waId: string) =>
  eventually(async () => {
    const [found] = await conversationsOf(waId)
    return found
  })

const messagesOf = async ({ id }: Conversation): Promise<Seen[]> =>
  (await app.call<{ messages: Seen[] }>(`/conversations/${id}/messages`)).body.messages.filter(
    ({ kind }) => kind === 'message',
  )

const sentTo = (waId: string) => graph.sent().filter(({ to }) => to === waId)

const outboundOf = async (waId: string, match: (message: Seen) => boolean): Promise<Seen> =>
  eventually(async () =>
    (await messagesOf(await conversationOf(waId))).find((message) => message.author !== 'customer' && match(message)),
  )

const speak = async (waId: string, body: object) => {
  const { id } = await conversationOf(waId)
  return app.call<Seen & { error?: { code: string; field?: string } }>(`/conversations/${id}/messages`, { body })
}

/** With the assistant's part over: a person has it. */
const withPerson = async (waId: string): Promise<void> => {
  await post(said(waId, messageId(), 'I want to talk to a person'))
  await outboundOf(waId, ({ status }) => status === 'sent')
}

describe('a customer on WhatsApp', () => {
  it('is answered from the documents, with the source and a way to a person, and then by an agent', async () => {
    const customer = somebody()
    const id = messageId()
    expect((await post(said(customer, id, 'How long can I return goods?'))).status).toBe(200)
    const answer = await outboundOf(customer, ({ status }) => status === 'sent')
    expect(answer.text).toContain('30 days')
    const [sent] = sentTo(customer)
    expect(sent).toMatchObject({ type: 'interactive', biz_opaque_callback_data: `message:${answer.id}` })
    expect(sent?.interactive.body.text).toMatch(/30 days[\s\S]*_Sources_\n\[1\]/)
    const [button] = sent?.interactive.action.buttons ?? []

    // They press the button: a person is asked, and answers.
    const press = { type: 'interactive', interactive: { type: 'button_reply', button_reply: button?.reply } }
    await post(
      webhookOf({
        ...from(customer),
        messages: [{ from: customer, id: messageId(), timestamp: '1762000000', ...press }],
      }),
    )
    const waiting = await eventually(async () =>
      (await conversationsOf(customer)).find(({ handler }) => handler === 'nobody'),
    )
    expect(waiting.handoff?.reason).toBe('asked_for_person')
    expect((await speak(customer, { text: 'Hello, **Lena** here.' })).status).toBe(201)
    await outboundOf(customer, ({ author, status }) => author === 'agent' && status === 'sent')
    expect(sentTo(customer).at(-1)).toMatchObject({ type: 'text', text: { body: 'Hello, *Lena* here.' } })
    expect(waiting.contact.name).toBe('Ana Souza')
    // What was answered is marked as read.
    await eventually(async () => graph.marked().some(({ message_id }) => message_id === id))
  })

  it('says by a button whether an answer helped, of their own answers only, and the last word counts', async () => {
    const customer = somebody()
    const stranger = somebody()
    for (const one of [customer, stranger]) await post(said(one, messageId(), 'How long can I return goods?'))
    const answer = await outboundOf(customer, ({ status }) => status === 'sent')
    await outboundOf(stranger, ({ status }) => status === 'sent')
    const press = (who: string, thumb: '👍' | '👎', timestamp: string) => {
      const buttons = sentTo(customer)[0]?.interactive.action.buttons ?? []
      const { reply } = buttons.find((button) => button.reply.title === thumb) ?? {}
      const interactive = { type: 'button_reply', button_reply: reply }
      const message = { from: who, id: messageId(), timestamp, type: 'interactive', interactive }
      return post(webhookOf({ ...from(who), messages: [message] }))
    }
    const ratingOf = async () =>
      (await messagesOf(await conversationOf(customer))).find(({ id }) => id === answer.id)?.feedback?.rating

    expect((await press(stranger, '👎', '1762000009')).status).toBe(200)
    expect(await ratingOf()).toBeUndefined()
    expect((await press(customer, '👍', '1762000002')).status).toBe(200)
    await press(customer, '👎', '1762000001')
    expect(await ratingOf()).toBe('up')
    // It is no message: nobody answers it.
    expect((await messagesOf(await conversationOf(customer))).map(({ author }) => author)).toEqual([
      'customer',
      'assistant',
    ])
  })

  it('who writes to two processes at once is still one', async () => {
    const other = await openApp(mongo, { env })
    try {
      const customer = somebody()
      const messages = Array.from({ length: 6 }, (_, index) =>
        said(customer, messageId(), `Line ${index}: I want to talk to a person`),
      )
      const both = messages.flatMap((body) => [post(body), post(body, { to: other.url })])
      for (const { status } of await Promise.all(both)) expect(status).toBe(200)
      const conversations = await conversationsOf(customer)
      expect(conversations).toHaveLength(1)
      const customers = (await messagesOf(conversations[0]!)).filter(({ author }) => author === 'customer')
      expect(new Set(customers.map(({ text }) => text)).size).toBe(6)
      expect(customers).toHaveLength(6)
    } finally {
      await other.stop()
    }
  })

  it('may change, take back and react to what was written', async () => {
    const customer = somebody()
    const id = messageId()
    await post(said(customer, id, 'I want to talk to a person about order 41'))
    await outboundOf(customer, ({ status }) => status === 'sent')
    const by = (type: string, content: object) =>
      webhookOf({
        ...from(customer),
        messages: [{ from: customer, id: messageId(), timestamp: '1762000000', type, [type]: content }],
      })
    await post(by('edit', { original_message_id: id, message: { type: 'text', text: { body: 'about order 42' } } }))
    await post(by('reaction', { message_id: id, emoji: '🙏' }))
    // Told again as it was, it is not another message.
    expect((await post(said(customer, id, 'I want to talk to a person about order 41'))).status).toBe(200)
    const [changed] = await messagesOf(await conversationOf(customer))
    expect(changed).toMatchObject({ text: 'about order 42', reaction: '🙏', edits: [{}] })
    await post(by('revoke', { original_message_id: id }))
    expect((await messagesOf(await conversationOf(customer)))[0]).toMatchObject({ text: '', revoked: true })
  })

  it('keeps the conversation under a new number, and where the number is hidden', async () => {
    const customer = somebody()
    const moved = somebody()
    await withPerson(customer)
    const system = {
      from: customer,
      id: messageId(),
      timestamp: '1762000000',
      type: 'system',
      system: { type: 'user_changed_number', wa_id: moved, body: 'x' },
    }
    await post(webhookOf({ messages: [system] }))
    await post(said(moved, messageId(), 'It is still me'))
    const hidden = textMessage('', messageId(), 'And again', { from_user_id: `US.${moved}0001` })
    await post(
      webhookOf({
        contacts: [{ profile: { name: 'Ana' }, user_id: `US.${moved}0001` }],
        messages: [{ ...hidden, from: undefined }],
      }),
    )
    const texts = (await messagesOf(await conversationOf(customer)))
      .filter(({ author }) => author === 'customer')
      .map(({ text }) => text)
    expect(texts).toEqual(['I want to talk to a person', 'It is still me', 'And again'])
    await speak(customer, { text: 'Welcome back' })
    await eventually(async () => sentTo(moved).length > 0)
  })

  it('who hides the number from the start is answered by their id, and known when they show it', async () => {
    const customer = somebody()
    const userId = `US.${customer}0001`
    const first = { ...textMessage(customer, messageId(), 'I want to talk to a person'), from: undefined }
    await post(webhookOf({ contacts: [{ profile: { name: 'Hidden' }, user_id: userId }], messages: [first] }))
    const answered = await eventually(async () => graph.sent().find(({ recipient }) => recipient === userId))
    expect(answered.to).toBeUndefined()
    await post(said(customer, messageId(), 'Here is my number'))
    const { body } = await app.call<{ conversations: Conversation[] }>('/conversations?limit=100')
    const theirs = body.conversations.filter(({ contact }) => contact.name === 'Hidden')
    expect(theirs).toHaveLength(1)
    expect((await messagesOf(theirs[0]!)).filter(({ author }) => author === 'customer')).toHaveLength(2)
  })
})

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

describe('a customer who wants no automatic messages', () => {
  it('is told so once, is left alone by the assistant, and gets a person when they write', async () => {
    const customer = somebody()
    await post(said(customer, messageId(), 'When are you open?'))
    await outboundOf(customer, ({ status }) => status === 'sent')
    const before = sentTo(customer).length
    const word = said(customer, messageId(), 'SAIR!')
    expect((await post(word)).status).toBe(200)
    await outboundOf(customer, ({ text, status }) => text.includes('You will get no more') && status === 'sent')
    await post(word)
    await post(said(customer, messageId(), 'stop'))
    await post(said(customer, messageId(), 'How long can I return goods?'))
    const waiting = await eventually(async () =>
      (await conversationsOf(customer)).find(({ handler }) => handler === 'nobody'),
    )
    expect(waiting.handoff?.reason).toBe('opted_out')
    expect(sentTo(customer)).toHaveLength(before + 1)
    const { body } = await app.call<{ contact: { optedOut?: boolean } }>(`/contacts/${waiting.contactId}`)
    expect(body.contact.optedOut).toBe(true)
    await speak(customer, { text: 'A person answers' })
    await outboundOf(customer, ({ author, status }) => author === 'agent' && status === 'sent')
  })

  it('has the assistant back with another word, whatever is told again of the first', async () => {
    const customer = somebody()
    const out = said(customer, messageId(), 'stop')
    await post(out)
    await post(said(customer, messageId(), 'How long can I return goods?'))
    await eventually(async () => (await conversationsOf(customer)).find(({ handler }) => handler === 'nobody'))
    await post(said(customer, messageId(), 'Start'))
    await post(out)
    await post(said(customer, messageId(), 'When are you open?'))
    const answer = await outboundOf(customer, ({ text }) => /9:00|30 days/.test(text))
    expect(answer.author).toBe('assistant')
  })

  it('gets no template either once the window is closed, and the agent is told why', async () => {
    const customer = somebody()
    const yesterday = { timestamp: String(Math.floor(new Date().getTime() / 1000) - 25 * 3600) }
    await post(said(customer, messageId(), 'Sair', yesterday))
    await outboundOf(customer, ({ text }) => text.includes('Você não receberá mais'))
    const { id } = await conversationOf(customer)
    const { body: seen } = await app.call<Conversation>(`/conversations/${id}`)
    expect(seen.reach).toMatchObject({ kind: 'closed', code: 'opted_out' })
    const template = { name: 'hello', language: 'en_US', parameters: [] }
    const refused = await speak(customer, { template })
    expect(refused.status).toBe(409)
    expect(refused.body.error?.code).toBe('opted_out')
  })

  it('who writes such a word without having ended anything is answered like anybody', async () => {
    const customer = somebody()
    await post(said(customer, messageId(), 'start'))
    const found = await conversationOf(customer)
    expect((await messagesOf(found))[0]?.automatic).toBeUndefined()
  })
})

describe('a file from a customer', () => {
  const sendMedia = async (customer: string, type: string, media: object, id = messageId()) => {
    const message = { from: customer, id, timestamp: '1762000000', type, [type]: media }
    return post(webhookOf({ ...from(customer), messages: [message] }))
  }
  const received = async (customer: string, match: (message: Seen) => boolean = () => true) =>
    eventually(async () =>
      (await messagesOf(await conversationOf(customer))).find(
        (message) => message.author === 'customer' && match(message),
      ),
    )

  it('is fetched at once and kept with its message, and a person is asked', async () => {
    const customer = somebody()
    const sha256 = graph.keep('900001', { bytes: PNG, type: 'image/png' })
    expect(
      (await sendMedia(customer, 'image', { id: '900001', mime_type: 'image/png', sha256, caption: 'It is *broken*' }))
        .status,
    ).toBe(200)
    const message = await received(customer)
    expect(message).toMatchObject({
      text: 'It is **broken**',
      needsPerson: 'image',
      attachments: [{ name: 'image.png', type: 'image/png', size: PNG.length }],
    })
    const waiting = await eventually(async () =>
      (await conversationsOf(customer)).find(({ handler }) => handler === 'nobody'),
    )
    expect(waiting.handoff?.reason).toBe('needs_person')
  })

  it('that is slow to come does not hold up the acknowledgement, and is put onto its message', async () => {
    const customer = somebody()
    let handOut = () => {}
    const until = new Promise<void>((resolve) => (handOut = resolve))
    graph.keep('900002', { bytes: PNG, type: 'image/png', until })
    const startedAt = performance.now()
    expect((await sendMedia(customer, 'image', { id: '900002', mime_type: 'image/png' })).status).toBe(200)
    // The channel waits for half a second; the provider for five at least.
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect((await received(customer)).attachments).toBeUndefined()
    handOut()
    expect(await received(customer, ({ attachments }) => attachments !== undefined)).toMatchObject({
      text: '[Photo]',
      attachments: [{ type: 'image/png' }],
    })
  })

  it.each([
    ['is gone', 'expired', { bytes: PNG, type: 'image/png', gone: true }],
    ['is said to have 2 GB', 'too_large', { bytes: PNG, type: 'image/png', size: 2 * 1024 ** 3 }],
    ['announces 2 GB when it is fetched', 'too_large', { bytes: PNG, type: 'image/png', claims: 2 * 1024 ** 3 }],
    ['is kept elsewhere than at Meta', 'unreadable', { bytes: PNG, type: 'image/png', url: 'https://files.example/x' }],
    [
      'is a program by its bytes',
      'program',
      { bytes: Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(64)]), type: 'image/png' },
    ],
  ])('that %s leaves its message and a word on why', async (_what, missing, kept) => {
    const customer = somebody()
    const id = `91${(number += 1)}`
    graph.keep(id, kept)
    expect((await sendMedia(customer, 'image', { id, mime_type: 'image/png', caption: 'Look' })).status).toBe(200)
    const message = await received(customer)
    expect(message.text).toMatch(/^Look\n\[image: /)
    expect(message).toMatchObject({ details: { missing } })
    expect(message.attachments).toBeUndefined()
  })

  it('that is not what was sent is not kept', async () => {
    const customer = somebody()
    graph.keep('900003', { bytes: PNG, type: 'image/png' })
    await sendMedia(customer, 'image', { id: '900003', mime_type: 'image/png', sha256: 'bm90IHRoZSBoYXNo' })
    expect(await received(customer)).toMatchObject({ details: { missing: 'damaged' } })
  })

  it('of a lying type is kept as what it is', async () => {
    const customer = somebody()
    graph.keep('900004', {
      bytes: Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF'),
      type: 'image/jpeg',
    })
    await sendMedia(customer, 'image', { id: '900004', mime_type: 'image/jpeg' })
    expect(await received(customer)).toMatchObject({
      attachments: [{ name: 'image.pdf', type: 'application/octet-stream' }],
      details: { typeWasWrong: true },
    })
  })
})

describe('an agent on WhatsApp', () => {
  it('sends a long answer in parts, of which none goes twice when one must be tried again', async () => {
    const customer = somebody()
    await withPerson(customer)
    const before = sentTo(customer).length
    graph.script({ kind: 'good' }, { kind: 'error', code: 131000, status: 500 })
    const numbered = Array.from({ length: 250 }, (_, index) => `Sentence ${index} has some words in it.`).join(' ')
    await speak(customer, { text: numbered })
    await outboundOf(customer, ({ author, status }) => author === 'agent' && status === 'sent')
    const sent = sentTo(customer)
      .slice(before)
      .map(({ text }) => text.body)
    // The second was refused once, and asked for again.
    expect(sent).toHaveLength(4)
    expect(sent[1]).toBe(sent[2])
    expect(new Set(sent).size).toBe(3)
  })

  it('is told at once when 24 hours have passed, and may send a template', async () => {
    const customer = somebody()
    await withPerson(customer)
    const { id } = await conversationOf(customer)
    const day = 24 * 60 * 60 * 1000
    await mongo.db
      .collection('messages')
      .updateMany({ conversationId: id }, [{ $set: { at: { $subtract: ['$at', day] } } }] as never)
      .catch(async () => {
        for (const message of await mongo.db
          .collection<{ _id: string; at: Date }>('messages')
          .find({ conversationId: id })
          .toArray())
          await mongo.db
            .collection<{ _id: string }>('messages')
            .updateOne({ _id: message._id }, { $set: { at: new Date(message.at.getTime() - day) } })
      })
    const requests = graph.requests.length
    const refused = await speak(customer, { text: 'Are you still there?' })
    expect([refused.status, refused.body.error?.code]).toEqual([409, 'window_closed'])
    expect(graph.requests.length).toBe(requests)
    expect((await app.call<Conversation>(`/conversations/${id}`)).body.reach).toMatchObject({
      kind: 'closed',
      code: 'window_closed',
    })

    graph.offer([
      {
        name: 'still_there',
        language: 'en',
        status: 'APPROVED',
        components: [{ type: 'BODY', text: 'Hello {{1}}, about {{2}}?' }],
      },
      {
        name: 'with_picture',
        language: 'en',
        status: 'APPROVED',
        components: [
          { type: 'HEADER', format: 'IMAGE' },
          { type: 'BODY', text: 'x' },
        ],
      },
      { name: 'paused', language: 'en', status: 'PAUSED', components: [{ type: 'BODY', text: 'x' }] },
    ])
    const { body } = await app.call<{ templates: object[] }>(`/channels/${channelId}/templates`)
    expect(body.templates).toEqual([
      { name: 'still_there', language: 'en', text: 'Hello {{1}}, about {{2}}?', parameters: 2 },
    ])
    const template = { name: 'still_there', language: 'en', parameters: ['Ana', 'order 42'] }
    expect((await speak(customer, { template })).body).toMatchObject({ text: 'Hello Ana, about order 42?' })
    await eventually(async () => sentTo(customer).some(({ type }) => type === 'template'))
  })

  it('sends a file with its words', async () => {
    const customer = somebody()
    await withPerson(customer)
    const form = new FormData()
    form.set('file', new File([PNG], 'plan.png', { type: 'image/png' }))
    const up = await fetch(`${app.url}/api/v1/attachments`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-key-for-the-tests-only' },
      body: form,
    })
    const { ticket } = (await up.json()) as { ticket: string }
    expect((await speak(customer, { text: 'The plan', attachments: [ticket] })).status).toBe(201)
    await outboundOf(customer, ({ author, status }) => author === 'agent' && status === 'sent')
    expect(sentTo(customer).at(-1)).toMatchObject({ type: 'image', image: { caption: 'The plan' } })
    expect(graph.requests.some(({ path, body }) => path.endsWith('/media') && String(body).includes('plan.png'))).toBe(
      true,
    )
  })

  it.each([
    ['nobody can be reached there', { kind: 'error', code: 131026 } as const, 'refused', /^not_reachable: /],
    ['a gateway breaks in the middle', { kind: 'html', status: 502 } as const, 'uncertain', /failed while sending/],
    ['the line is cut in the middle', { kind: 'cut' } as const, 'uncertain', /failed while sending/],
  ])('sees what became of a message when %s', async (_what, part, status, reason) => {
    const customer = somebody()
    await withPerson(customer)
    graph.script(part)
    await speak(customer, { text: 'Hello' })
    const message = await outboundOf(
      customer,
      ({ author, status }) => author === 'agent' && ['refused', 'uncertain'].includes(status ?? ''),
    )
    expect(message.status).toBe(status)
    expect(message.reason).toMatch(reason)
    // Meta may have taken it all the same, and then says so under our own name for it.
    await post(statusOf(messageId(), 'delivered', { biz_opaque_callback_data: `message:${message.id}` }))
    const after = await outboundOf(customer, ({ id }) => id === message.id)
    expect(after.status).toBe(status === 'uncertain' ? 'delivered' : 'refused')
  })

  it('has a message sent later, once, when WhatsApp asks to slow down', async () => {
    const customer = somebody()
    await withPerson(customer)
    const before = sentTo(customer).length
    graph.script({ kind: 'error', code: 130429, status: 429 })
    await speak(customer, { text: 'In a moment' })
    await eventually(async () => {
      const { body } = await app.call<{ state: string }>(`/channels/${channelId}`)
      return body.state === 'limited'
    })
    await outboundOf(customer, ({ author, status }) => author === 'agent' && status === 'sent')
    expect(sentTo(customer).slice(before)).toHaveLength(2)
  })
})

describe('what is not Meta’s is not taken in', () => {
  const counted = async () => await mongo.db.collection('messages').countDocuments({})

  it.each([
    ['without a signature', 401, () => post(said(somebody(), messageId(), 'x'), { signed: false })],
    [
      'signed with another app’s secret',
      401,
      () => post(said(somebody(), messageId(), 'x'), { secret: 'f'.repeat(32) }),
    ],
    [
      'signed, but changed on the way',
      401,
      () =>
        post(said(somebody(), messageId(), 'x'), {
          headers: { 'x-hub-signature-256': signatureOf('{}', graph.secret) },
        }),
    ],
    ['that is not UTF-8', 400, () => post(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]))],
    ['that is not JSON', 400, () => post('{"object":')],
    ['that is a list', 400, () => post('[]')],
    ['that is beyond the limit', 413, () => post(JSON.stringify(said(somebody(), messageId(), 'x'.repeat(3_200_000))))],
  ])('a body %s', async (_what, status, send) => {
    const before = await counted()
    expect((await send()).status).toBe(status)
    expect(await counted()).toBe(before)
  })

  it.each([
    [
      'for a number that is not the channel’s',
      () => ({
        ...webhookOf({
          metadata: { phone_number_id: '1' },
          ...from('15550101'),
          messages: [textMessage('15550101', messageId(), 'x')],
        }),
      }),
    ],
    [
      'nested beyond all measure',
      () => '{"object":"whatsapp_business_account","entry":'.concat('['.repeat(100_000), ']'.repeat(100_000), '}'),
    ],
    ['of another product', () => ({ object: 'page', entry: [{}] })],
    [
      'from a number that is not one',
      () =>
        webhookOf({ contacts: [], messages: [{ ...textMessage('nobody', messageId(), 'x'), from_user_id: '\u202e' }] }),
    ],
  ])('but what is truly Meta’s is acknowledged and left: %s', async (_what, body) => {
    const before = await counted()
    expect((await post(body())).status).toBe(200)
    expect(await counted()).toBe(before)
  })

  it('a channel that is not there, and a wrong word when it is set up', async () => {
    expect((await fetch(`${app.url}/webhooks/chn_nobody`, { method: 'POST', body: '{}' })).status).toBe(404)
    const set = (word: string) =>
      fetch(
        `${app.url}/webhooks/${channelId}?hub.mode=subscribe&hub.challenge=42&hub.verify_token=${encodeURIComponent(word)}`,
      )
    expect((await set('a guess')).status).toBe(403)
    const answer = await set(graph.settings.verifyToken)
    expect([answer.status, await answer.text()]).toEqual([200, '42'])
  })
})

describe('who sets the channel up', () => {
  const save = (change: object) =>
    app.call<{ error?: { code: string; field?: string }; id?: string }>('/channels', {
      body: { kind: 'whatsapp-cloud', settings: { ...settings(), ...change } },
    })

  it.each([
    ['token', { accessToken: 'EAA-of-somebody-else-0123456789' }, 'settings.accessToken', 'token_refused'],
    ['secret', { appSecret: 'f'.repeat(32) }, 'settings.appSecret', 'secret_wrong'],
    ['number', { phoneNumberId: '999999999' }, 'settings.phoneNumberId', 'number_unknown'],
    ['address', { graphUrl: 'http://127.0.0.1:9' }, 'settings.graphUrl', 'graph_unreachable'],
    ['number’s form', { phoneNumberId: '+55 11 99887' }, 'settings.phoneNumberId', 'invalid_settings'],
  ])('is told which field is wrong: the %s', async (_what, change, field, code) => {
    const { status, body } = await save(change)
    expect([status, body.error?.field, body.error?.code]).toEqual([400, field, code])
  })

  it('sends a test message and sees each step', async () => {
    const { body } = await app.call<{ steps: { name: string; ok: boolean }[] }>(`/channels/${channelId}/test`, {
      body: { to: '+49 151 555-0000' },
    })
    expect(body.steps).toMatchObject([
      { name: 'number', ok: true },
      { name: 'webhook', ok: true },
      { name: 'message', ok: true },
    ])
    expect(sentTo('491515550000')).toMatchObject([{ type: 'template', template: { name: 'hello_world' } }])
  })
})
