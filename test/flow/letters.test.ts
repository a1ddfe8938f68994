import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { simpleParser, type ParsedMail } from 'mailparser'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { openSmtp, type Smtp } from '../support/smtp.mjs'

type Letter = { state: string; to?: string; reason?: string; detail?: string }
type Line = { author: string; text: string; letter?: Letter; event?: { name: string } }
type Visit = { token: string; conversationId: string }

const SITE = 'https://shop.example'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let smtp: Smtp
let app: Awaited<ReturnType<typeof openApp>>
let channelKey = ''

beforeAll(async () => {
  mongo = await openTestMongo()
  smtp = await openSmtp()
  app = await openApp(mongo, {
    env: { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'Helpdesk <desk@helpdesk.example>' },
  })
  const { body } = await app.call<{ channels: { id: string; key: string }[] }>('/channels')
  const { id = '', key = '' } = body.channels[0] ?? {}
  channelKey = key
  await app.call(`/channels/${id}`, { method: 'PATCH', body: { settings: { origins: [SITE] } } })
  await app.call('/company', { method: 'PATCH', body: { name: 'My company', assistant: { paused: true } } })
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
  await smtp.close()
})
beforeEach(() => {
  smtp.sent.length = 0
  smtp.behave({ kind: 'take' })
})

const open = async (body: object = {}) =>
  (await app.call<Visit>('/webchat/sessions', { body: { channelKey, ...body } })).body
const write = (token: string, more: object = {}) =>
  app.call('/webchat/messages', { token, body: { id: 'm1', text: 'Where is my parcel?', ...more } })
const answer = (id: string, text: string) => app.call(`/conversations/${id}/messages`, { body: { text } })
/** The two minutes are over. */
const pass = () =>
  mongo.db
    .collection('messages')
    .updateMany({ 'letter.state': 'waiting' }, { $set: { 'letter.notBefore': new Date(0) } })
const letters = async (id: string) =>
  (await app.call<{ messages: Line[] }>(`/conversations/${id}/messages`)).body.messages.flatMap(
    ({ letter }) => letter ?? [],
  )
const ended = (id: string) =>
  eventually(async () => (await letters(id)).find(({ state }) => state !== 'waiting' && state !== 'sending'))

/** Somebody wrote, left their address and went; then they are answered. */
const leave = async ({ email = 'jonas@example.org', ...more }: { email?: string } & Record<string, unknown> = {}) => {
  const visit = await open()
  await write(visit.token, more)
  expect((await app.call('/webchat/contact', { token: visit.token, body: { email } })).status).toBe(200)
  return visit
}
const mailAfter = async (id: string, text: string): Promise<{ mail: ParsedMail; raw: string; to: string[] }> => {
  await answer(id, text)
  await pass()
  await ended(id)
  const [last] = smtp.sent.slice(-1)
  if (!last) throw new Error('nothing was mailed')
  return { mail: await simpleParser(last.raw), raw: last.raw, to: last.to }
}
const headersOf = (raw: string) =>
  raw
    .slice(0, raw.indexOf('\r\n\r\n'))
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')

describe('a visitor who left before a person answered', () => {
  it('gets the answer by mail: who wrote it, and the way back to the page', async () => {
    const { conversationId } = await leave({ page: `${SITE}/parcels?token=secret#top`, language: 'en' })
    const { mail, raw, to } = await mailAfter(
      conversationId,
      'It is on its way.\n\nSee https://shop.example/track & wait.',
    )
    expect(to).toEqual(['jonas@example.org'])
    expect(mail.subject).toBe('Answer from My company')
    expect(mail.from?.value).toEqual([{ name: 'API · Environment · My company', address: 'desk@helpdesk.example' }])
    expect(mail.text).toContain('API · Environment:\nIt is on its way.')
    expect(mail.text).toContain(`Back to the chat: ${SITE}/parcels\n`)
    expect(mail.html).toContain('<a href="https://shop.example/track" rel="noopener">')
    expect(raw).not.toContain('secret')
    expect(mail.text).toContain('Answers to this email are not read.')
    const names = headersOf(raw).map((line) => line.split(':')[0]?.toLowerCase())
    expect(names).toEqual(expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post', 'message-id']))
    expect(names).not.toContain('auto-submitted')
    expect(names).not.toContain('reply-to')
    expect(await letters(conversationId)).toEqual([
      expect.objectContaining({ state: 'sent', to: 'jonas@example.org', at: expect.any(String) }),
    ])
  })

  it('is not told what they wrote themselves: anybody can leave anybody’s address', async () => {
    const { conversationId } = await leave({
      text: 'Win a million at https://evil.example',
      email: 'victim@example.org',
    })
    const { raw } = await mailAfter(conversationId, 'We sell parcels.')
    expect(raw).not.toMatch(/million|evil/)
  })

  it.each([
    ['a site that the company did not name', 'https://evil.example/login'],
    ['something that is no page', 'javascript:alert(1)'],
    ['nothing that can be read', 'http://['],
  ])('is led to no page when the chat was on %s', async (_what, page) => {
    const { conversationId } = await leave({ page })
    const { mail } = await mailAfter(conversationId, 'It is on its way.')
    expect(mail.text).not.toMatch(/evil|javascript|Back to the chat/)
    expect(mail.text).toContain('on the website where you wrote')
  })

  it.each([
    ['pt', 'Resposta de My company', 'ltr'],
    ['es', 'Respuesta de My company', 'ltr'],
    ['ar', 'رد من My company', 'rtl'],
    ['tlh', 'Answer from My company', 'ltr'],
  ])('reads it in the language of their chat: %s', async (language, subject, direction) => {
    const { conversationId } = await leave({ language })
    const { mail } = await mailAfter(conversationId, 'شكرًا')
    expect(mail.subject).toBe(subject)
    expect(mail.html).toContain(`dir="${direction}"`)
    expect(mail.html).toContain('<p dir="auto"')
  })

  it('who gave the address with their identity is mailed there', async () => {
    const { token, conversationId } = await open({ visitor: { name: 'Jonas', email: 'known@example.org' } })
    await write(token)
    const { to } = await mailAfter(conversationId, 'It is on its way.')
    expect(to).toEqual(['known@example.org'])
  })

  it('gets files along with the words', async () => {
    const form = new FormData()
    form.append('file', new Blob(['number 17'], { type: 'text/plain' }), 'label\r\nX-Evil: 1.txt')
    const up = await fetch(`${app.url}/api/v1/attachments`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-key-for-the-tests-only' },
      body: form,
    })
    const { ticket } = (await up.json()) as { ticket: string }
    const { conversationId } = await leave()
    await app.call(`/conversations/${conversationId}/messages`, { body: { text: 'The label.', attachments: [ticket] } })
    await pass()
    await ended(conversationId)
    const raw = smtp.sent.at(-1)?.raw ?? ''
    const { attachments } = await simpleParser(raw)
    expect(attachments.map(({ content }) => content.toString())).toEqual(['number 17'])
    expect(headersOf(raw).join('\n')).not.toMatch(/^X-Evil/m)
  })

  it('is mailed by nobody whose name makes headers', async () => {
    const name = 'Ada"\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>, Eve <eve@example.org>'
    const { conversationId } = await leave()
    await answer(conversationId, '<img src=x onerror=alert(1)> & <b>bold</b>')
    await mongo.db.collection('messages').updateMany(
      { conversationId, 'letter.state': 'waiting' },
      {
        $set: { 'author.name': name, 'letter.notBefore': new Date(0) },
      },
    )
    await ended(conversationId)
    const { raw = '', to = [] } = smtp.sent.at(-1) ?? {}
    const mail = await simpleParser(raw)
    expect(to).toEqual(['jonas@example.org'])
    expect(mail.bcc).toBeUndefined()
    expect(mail.from?.value).toHaveLength(1)
    expect(mail.from?.value[0]?.address).toBe('desk@helpdesk.example')
    expect(headersOf(raw).filter((line) => /^(bcc|cc):/i.test(line))).toEqual([])
    expect(mail.html).not.toMatch(/<script|<img|<b>bold/)
    expect(mail.html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;bold')
  })

  it('is not mailed what they came back to read', async () => {
    const { token, conversationId } = await leave()
    await answer(conversationId, 'It is on its way.')
    await app.call('/webchat/messages', { token })
    await eventually(async () => (await letters(conversationId)).find(({ state }) => state === 'seen'))
    await pass()
    expect(smtp.sent).toEqual([])
  })

  it('ends the mails by their link: looking changes nothing, the mail program’s one call and the button do', async () => {
    const { conversationId } = await leave({ language: 'es' })
    const { raw } = await mailAfter(conversationId, 'It is on its way.')
    const line = headersOf(raw).find((one) => /^list-unsubscribe:/i.test(one)) ?? ''
    const link = /<([^>]+)>/.exec(line)?.[1] ?? ''
    expect(link.startsWith(`${app.url}/mail/stop?t=`)).toBe(true)
    const looked = await fetch(link)
    expect(looked.status).toBe(200)
    expect(await looked.text()).toContain('<form method="post">')
    expect(await outlook(conversationId)).toEqual({ kind: 'mailed', to: 'jonas@example.org' })

    const called = await fetch(link, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    })
    expect(called.status).toBe(200)
    expect(await outlook(conversationId)).toEqual({ kind: 'unread', reason: 'stopped' })
    await answer(conversationId, 'One more thing.')
    await pass()
    await eventually(async () => (await letters(conversationId)).find(({ reason }) => reason === 'stopped'))
    expect(smtp.sent).toHaveLength(1)
    const { messages } = (await app.call<{ messages: Line[] }>(`/conversations/${conversationId}/messages`)).body
    expect(messages.filter(({ event }) => event?.name === 'mail_stopped')).toHaveLength(1)
    expect((await fetch(`${app.url}/mail/stop?t=forged.token`)).status).toBe(404)
    expect((await fetch(`${app.url}/mail/stop?t=forged.token`, { method: 'POST' })).status).toBe(404)
  })

  it('is mailed once when the server takes the mail and never says so; the agent sees that nobody knows', async () => {
    const { conversationId } = await leave()
    smtp.behave({ kind: 'drop' }, 1)
    await answer(conversationId, 'It is on its way.')
    await pass()
    expect(await ended(conversationId)).toMatchObject({ state: 'uncertain' })
    await pass()
    expect(smtp.sent).toHaveLength(1)
  })

  it('whose address no server knows is not mailed, and the agent reads why', async () => {
    const { conversationId } = await leave({ email: 'typo@example.org' })
    smtp.behave({ kind: 'refuse', at: 'rcpt' })
    await answer(conversationId, 'It is on its way.')
    await pass()
    expect(await ended(conversationId)).toMatchObject({
      state: 'refused',
      reason: 'not_taken',
      detail: '550 no such user here',
    })
  })
})

const outlook = async (id: string) =>
  (await app.call<{ reach: { whenGone?: object } }>(`/conversations/${id}`)).body.reach.whenGone

it('says to the agent beforehand that a visitor without an address will not be reached', async () => {
  const { token, conversationId } = await open()
  await write(token)
  expect(await outlook(conversationId)).toEqual({ kind: 'unread', reason: 'no_address' })
  await app.call('/webchat/contact', { token, body: { email: 'jonas@example.org' } })
  expect(await outlook(conversationId)).toEqual({ kind: 'mailed', to: 'jonas@example.org' })
})
