import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { eventually, openApp } from '../support/app.js'
import { fieldOf, letter, type Letter } from '../support/email.mjs'
import { openTestMongo } from '../support/mongo.js'
import { openSmtp, type Smtp } from '../support/smtp.mjs'

type Line = {
  kind: string
  author: string
  text: string
  automatic?: string
  needsPerson?: string
  letter?: { state: string; reason?: string; detail?: string }
}
type Listed = { id: string; channelId: string; handler: string; lastMessage: { excerpt: string } }

const SECRET = 'a secret for the webhook only'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let smtp: Smtp
let app: Awaited<ReturnType<typeof openApp>>
let channelKey = ''
let emailId = ''
let number = 0

beforeAll(async () => {
  mongo = await openTestMongo()
  smtp = await openSmtp()
  app = await openApp(mongo, { env: { ALLOW_PRIVATE_ADDRESSES: 'true' } })
  channelKey = (await app.call<{ channelKey: string }>('/webchat/demo')).body.channelKey
  await app.call('/company', { method: 'PATCH', body: { assistant: { paused: true } } })
  const settings = {
    address: 'support@acme.example',
    name: 'Acme Support',
    webhookSecret: SECRET,
    smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
    returnPath: 'marked',
  }
  const made = await app.call<{ id: string }>('/channels', { body: { kind: 'email', settings } })
  expect(made.status).toBe(201)
  emailId = made.body.id
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
  await smtp.close()
})

const linesOf = async (id: string) =>
  (await app.call<{ messages: Line[] }>(`/conversations/${id}/messages`)).body.messages
const listed = async () => (await app.call<{ conversations: Listed[] }>('/conversations')).body.conversations
const pass = () =>
  mongo.db
    .collection('messages')
    .updateMany({ 'letter.state': 'waiting' }, { $set: { 'letter.notBefore': new Date(0) } })

const handIn = (mail: string) => {
  const seconds = Math.floor(Date.now() / 1000)
  const mac = createHmac('sha256', SECRET).update(`${seconds}.`).update(mail).digest('hex')
  return fetch(`${app.url}/webhooks/${emailId}`, {
    method: 'POST',
    headers: { 'x-helpdesk-signature': `t=${seconds},v1=${mac}`, 'content-type': 'message/rfc822' },
    body: mail,
  })
}

/** A visitor who left `email`, and whom a person answered: the mail that they got. */
const mailed = async (email = `jonas${(number += 1)}@example.org`) => {
  const { token, conversationId } = (
    await app.call<{ token: string; conversationId: string }>('/webchat/sessions', { body: { channelKey } })
  ).body
  await app.call('/webchat/messages', { token, body: { id: 'm1', text: 'Where is my parcel?' } })
  await app.call('/webchat/contact', { token, body: { email } })
  const raw = await answered(conversationId, email, 'It is on its way.')
  return { token, conversationId, email, raw, replyTo: addressIn(fieldOf(raw, 'Reply-To')) }
}
/** The desk mails others as well: what was just taken in is confirmed to whoever wrote it. */
const answered = async (conversationId: string, email: string, text: string): Promise<string> => {
  const before = smtp.sent.length
  await app.call(`/conversations/${conversationId}/messages`, { body: { text } })
  await pass()
  return eventually(async () => smtp.sent.slice(before).find(({ to }) => to.includes(email))?.raw)
}
const addressIn = (field: string | null): string => /<([^>]+)>/.exec(field ?? '')?.[1] ?? ''
const reply = (more: Partial<Letter> & Pick<Letter, 'from' | 'text'>) =>
  handIn(letter({ to: 'support@acme.example', subject: 'Re: Answer', id: `<r${(number += 1)}@example.org>`, ...more }))

describe('a visitor who was mailed by the company’s own mail', () => {
  it('answers the mail, and it is in the same chat: for them, for the agent, once', async () => {
    const { token, conversationId, email, raw, replyTo } = await mailed()
    expect(fieldOf(raw, 'From')).toContain('support@acme.example')
    expect(raw).toContain('You can answer this email')
    expect(fieldOf(raw, 'Auto-Submitted')).toBeNull()
    const before = (await listed()).length
    const mail = letter({ from: email, to: replyTo, id: '<one@example.org>', text: 'Thank you. Which day?' })
    expect((await handIn(mail)).status).toBe(200)
    expect((await handIn(mail)).status).toBe(200)
    // Whether the assistant was in time to say that a person comes is another story.
    const spoken = (await linesOf(conversationId)).filter(
      ({ kind, author }) => kind === 'message' && author !== 'assistant',
    )
    expect(spoken.map(({ author, text }) => [author, text])).toEqual([
      ['customer', 'Where is my parcel?'],
      ['agent', 'It is on its way.'],
      ['customer', 'Thank you. Which day?'],
    ])
    expect(await listed()).toHaveLength(before)
    const { messages } = (await app.call<{ messages: Line[] }>('/webchat/messages', { token })).body
    expect(messages.map(({ text }) => text)).toContain('Thank you. Which day?')

    // And on it goes, as one thread in their mail program.
    const next = await answered(conversationId, email, 'On Friday.')
    expect(fieldOf(next, 'In-Reply-To')).toBe('<one@example.org>')
    expect(fieldOf(next, 'References')).toContain(fieldOf(raw, 'Message-ID') ?? '?')
    expect(fieldOf(next, 'Subject')).toMatch(/^Re: /)
  })

  it('whose program drops the marked address is known by the mail that they answer', async () => {
    const { conversationId, email, raw } = await mailed()
    await reply({ from: email, inReplyTo: fieldOf(raw, 'Message-ID') ?? '', text: 'Which day?' })
    expect((await linesOf(conversationId)).map(({ text }) => text)).toContain('Which day?')
  })

  it('is not spoken for by somebody else who knows the address of the conversation', async () => {
    const { conversationId, replyTo } = await mailed()
    await reply({ from: 'mallory@example.net', to: replyTo, text: 'Send it to my house.' })
    expect((await linesOf(conversationId)).map(({ text }) => text)).not.toContain('Send it to my house.')
    const [own] = (await listed()).filter(({ lastMessage }) => lastMessage.excerpt.includes('my house'))
    expect(own?.channelId).toBe(emailId)
  })

  it('who changed the address is no longer answered for from the old one', async () => {
    const { token, conversationId, email, replyTo } = await mailed()
    await app.call('/webchat/contact', { token, body: { email: 'moved@example.org' } })
    await reply({ from: email, to: replyTo, text: 'Still me?' })
    expect((await linesOf(conversationId)).map(({ text }) => text)).not.toContain('Still me?')
  })

  it('is answered by a person, not by the assistant into an empty chat', async () => {
    const { conversationId, email, replyTo } = await mailed()
    await app.call('/company', { method: 'PATCH', body: { assistant: { paused: false } } })
    await app.call(`/conversations/${conversationId}/resume`, { body: {} })
    await reply({ from: email, to: replyTo, text: 'How long can I return goods?' })
    await eventually(async () =>
      (await listed()).find(({ id, handler }) => id === conversationId && handler === 'nobody'),
    )
    expect((await linesOf(conversationId)).find(({ text }) => text.includes('return'))?.needsPerson).toBe('by_mail')
    await app.call('/company', { method: 'PATCH', body: { assistant: { paused: true } } })
  })

  it('whose machine answers that they are away wakes nobody', async () => {
    const { conversationId, email, replyTo } = await mailed()
    const headers = { 'Auto-Submitted': 'auto-replied' }
    await reply({ from: email, to: replyTo, text: 'I am on holiday.', headers })
    const line = (await linesOf(conversationId)).find(({ text }) => text.includes('holiday'))
    expect(line?.automatic).toBeTruthy()
  })

  it('whose address bounces is shown as not reached, under what was mailed', async () => {
    const { conversationId, email, raw } = await mailed()
    const id = fieldOf(raw, 'Message-ID') ?? ''
    expect((await handIn(bounceOf(id, email))).status).toBe(200)
    const line = (await linesOf(conversationId)).find((one) => one.letter)
    expect(line?.letter).toMatchObject({ state: 'refused', reason: 'came_back' })
  })

  it('of one company is nothing to the mail of another', async () => {
    const { conversationId, email, raw } = await mailed()
    const added = await app.call<{ id: string; apiKey: string }>('/companies', { body: { name: 'Other' } })
    const settings = {
      address: 'support@acme.example',
      webhookSecret: SECRET,
      smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
    }
    const other = await app.call<{ id: string }>('/channels', {
      token: added.body.apiKey,
      body: { kind: 'email', settings },
    })
    const own = emailId
    emailId = other.body.id
    await reply({
      from: email,
      to: addressIn(fieldOf(raw, 'Reply-To')),
      inReplyTo: fieldOf(raw, 'Message-ID') ?? '',
      text: 'Hello?',
    })
    emailId = own
    expect((await linesOf(conversationId)).map(({ text }) => text)).not.toContain('Hello?')
  })
})

const bounceOf = (messageId: string, to: string): string =>
  [
    'From: MAILER-DAEMON@mx.example.org',
    'To: support@acme.example',
    'Subject: Undelivered Mail Returned to Sender',
    `Message-ID: <b${(number += 1)}@mx.example.org>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="x"',
    '',
    '--x',
    'Content-Type: text/plain',
    '',
    'The address does not exist.',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.org',
    '',
    `Final-Recipient: rfc822; ${to}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
    '--x',
    'Content-Type: message/rfc822',
    '',
    `Message-ID: ${messageId}`,
    `To: ${to}`,
    'Subject: Answer',
    '',
    'It is on its way.',
    '--x--',
    '',
  ].join('\r\n')
