import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { decodeEmail } from '../../src/channels/email/decode.js'
import { eventually, openApp } from '../support/app.js'
import { openDovecot, type Dovecot } from '../support/dovecot.mjs'
import { fieldOf, letter, type Letter } from '../support/email.mjs'
import { openTestMongo } from '../support/mongo.js'
import { openSmtp, type SentMail, type Smtp } from '../support/smtp.mjs'

type Line = {
  id: string
  kind: string
  author: string
  text: string
  status: string | null
  reason?: string
  automatic?: string
  attachments?: { name: string; size: number }[]
  details?: Record<string, unknown>
}
type Channel = { id: string; state: string; code?: string; lastArrival?: { at: string; lagMs: number } }
type Listed = { id: string; handler: string; state: string; lastMessage: { excerpt: string } }

const dovecot = await openDovecot()
const withMailServer = dovecot ? describe : describe.skip

withMailServer('a company whose customers write email', () => {
  let mongo: Awaited<ReturnType<typeof openTestMongo>>
  let app: Awaited<ReturnType<typeof openApp>>
  let smtp: Smtp
  let channelId = ''
  const server = dovecot as Dovecot

  const settings = () => ({
    address: 'support@acme.example',
    name: 'Acme Support',
    imap: { host: '127.0.0.1', port: server.imapPort, secure: false, user: 'support@acme.example', password: 'secret' },
    smtp: { host: '127.0.0.1', port: smtp.port, secure: false, user: 'support@acme.example', password: 'secret' },
    perMinute: 10_000,
  })

  beforeAll(async () => {
    mongo = await openTestMongo()
    app = await openApp(mongo, { env: { ALLOW_PRIVATE_ADDRESSES: 'true' } })
    smtp = await openSmtp({ user: 'support@acme.example', password: 'secret' })
    const made = await app.call<{ id: string }>('/channels', { body: { kind: 'email', settings: settings() } })
    expect(made.body).toEqual({ id: expect.any(String) })
    channelId = made.body.id
    await eventually(async () => {
      const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
      return documents.length > 0 && documents.every(({ status }) => status === 'ready')
    })
    await eventually(async () => (await state()) === 'connected')
  })
  afterAll(async () => {
    await app.stop()
    await mongo.close()
    await smtp.close()
    await server.close()
  })

  const state = async () =>
    (await app.call<{ channels: { id: string; state: string }[] }>('/channels')).body.channels.find(
      ({ id }) => id === channelId,
    )?.state
  const deliver = (given: Letter, to = 'support@acme.example') => server.deliver(to, letter(given))
  const conversations = async () =>
    (await app.call<{ conversations: Listed[] }>(`/conversations?channel=${channelId}&limit=100`)).body.conversations
  const messagesOf = async (id: string) =>
    (await app.call<{ messages: Line[] }>(`/conversations/${id}/messages`)).body.messages
  const conversationWith = (text: string) =>
    eventually(async () => {
      for (const conversation of await conversations()) {
        const lines = await messagesOf(conversation.id)
        if (lines.some((line) => line.text.includes(text))) return { ...conversation, lines }
      }
      return null
    })
  const sentTo = (address: string, count = 1) =>
    eventually(async () => {
      const found = smtp.sent.filter(({ to }) => to.includes(address))
      return found.length >= count ? found : null
    })
  const lastTo = async (address: string, count = 1): Promise<SentMail> => {
    const found = await sentTo(address, count)
    return found[found.length - 1] as SentMail
  }

  it('a question is answered in its own thread, from the documents, and says that no person wrote it', async () => {
    await deliver({
      from: 'Ana <ana@customer.example>',
      subject: 'Returns',
      text: 'How long can I return goods?',
      id: '<first@ana>',
    })
    const { raw, from } = await lastTo('ana@customer.example')
    expect(from).toBe('support@acme.example')
    expect(fieldOf(raw, 'Subject')).toBe('Re: Returns')
    expect(fieldOf(raw, 'In-Reply-To')).toBe('<first@ana>')
    expect(fieldOf(raw, 'References')).toBe('<first@ana>')
    expect(fieldOf(raw, 'Auto-Submitted')).toBe('auto-replied')
    expect(fieldOf(raw, 'Reply-To')).toMatch(/support\+c[a-z2-7]+@acme\.example/)
    const { text, html, automatic } = await decodeEmail(Buffer.from(raw))
    expect(text).toContain('30 days')
    expect(text).toContain('Sources:')
    expect(text).not.toContain('How long can I return goods?')
    expect(html).toContain('30 days')
    expect(automatic).not.toBeNull()
  })

  it('a question that may mean several things is asked back in numbered lines, and a number above the quoted mail is understood', async () => {
    const text =
      '# Hire\n\n## Renting a car\n\nWe block a deposit of 300 euros on your card.\n\n' +
      '## Renting a bicycle\n\nPlease bring the deposit of 50 euros in cash.'
    const { id } = (await app.call<{ id: string }>('/knowledge/documents', { body: { title: 'Hire', text } })).body
    await eventually(
      async () => (await app.call<{ status: string }>(`/knowledge/documents/${id}`)).body.status === 'ready',
    )
    await deliver({ from: 'Di <di@customer.example>', subject: 'Deposit', text: 'What about the deposit?' })
    const { raw } = await lastTo('di@customer.example')
    const asked = (await decodeEmail(Buffer.from(raw))).text
    expect(asked).toMatch(/\n1\. Renting a [\s\S]*\n2\. Renting a [\s\S]*\n3\. Talk to a person/)
    const second = /\n2\. (.+)/.exec(asked)?.[1] ?? ''
    await deliver({
      from: 'Di <di@customer.example>',
      subject: 'Re: Deposit',
      text: `2\n\nOn Mon, 2 Mar 2026 at 10:00, Acme Support <support@acme.example> wrote:\n> ${asked.trim().replaceAll('\n', '\n> ')}\n`,
      inReplyTo: fieldOf(raw, 'Message-ID') ?? '',
    })
    const answer = await decodeEmail(Buffer.from((await lastTo('di@customer.example', 2)).raw))
    expect(answer.text).toContain(second.endsWith('car') ? '300 euros' : '50 euros')
  })

  it('an answer to our mail joins its conversation by any of its marks, and by none without them', async () => {
    await deliver({ from: 'Bo <bo@customer.example>', subject: 'Hours', text: 'How long can I return goods? (bo)' })
    const { raw } = await lastTo('bo@customer.example')
    const replyTo = /<([^>]+)>/.exec(fieldOf(raw, 'Reply-To') ?? '')?.[1] ?? ''
    const ours = fieldOf(raw, 'Message-ID') ?? ''
    const { id } = await conversationWith('(bo)')
    await deliver(
      { from: 'bo@customer.example', to: replyTo, subject: 'something else', text: 'by the address' },
      replyTo,
    )
    await deliver({ from: 'bo@customer.example', subject: 'other', text: 'by references', references: ['<x@y>', ours] })
    await deliver({ from: 'bo@customer.example', subject: 'more', text: 'by in-reply-to', inReplyTo: ours })
    await deliver({ from: 'bo@customer.example', subject: 'Re: Hours', text: 'by the subject alone' })
    for (const text of ['by the address', 'by references', 'by in-reply-to'])
      expect((await conversationWith(text)).id).toBe(id)
    expect((await conversationWith('by the subject alone')).id).not.toBe(id)
  })

  it('a stranger who knows the token is not let in; somebody in copy is', async () => {
    await deliver({
      from: 'cy@customer.example',
      cc: 'Boss <boss@customer.example>',
      subject: 'Goods',
      text: 'How long can I return goods? (cy)',
    })
    const { raw } = await lastTo('cy@customer.example')
    const ours = fieldOf(raw, 'Message-ID') ?? ''
    const { id } = await conversationWith('(cy)')
    await deliver({ from: 'eve@evil.example', subject: 'Re: Goods', text: 'let me in', inReplyTo: ours })
    const stranger = await conversationWith('let me in')
    expect(stranger.id).not.toBe(id)
    expect(stranger.lines[0]?.details).toMatchObject({ suggests: { conversationId: id, because: 'stranger' } })
    await deliver({ from: 'boss@customer.example', subject: 'Re: Goods', text: 'I am his boss', inReplyTo: ours })
    expect((await conversationWith('I am his boss')).id).toBe(id)
  })

  it("Outlook's index of a thread suggests its conversation, and joins none", async () => {
    const index = Buffer.concat([Buffer.from('01dc9d112233', 'hex'), Buffer.alloc(16, 9)])
    const answer = Buffer.concat([index, Buffer.from('0011223344', 'hex')])
    const headers = (bytes: Buffer) => ({ 'Thread-Index': bytes.toString('base64') })
    const from = 'gil@customer.example'
    await deliver({ from, subject: 'Lamp', text: 'It is broken (gil)', headers: headers(index) })
    const { id } = await conversationWith('(gil)')
    await deliver({ from, subject: 'Lamp again', text: 'It still is (gil2)', headers: headers(answer) })
    const later = await conversationWith('(gil2)')
    expect(later.id).not.toBe(id)
    expect(later.lines[0]?.details).toMatchObject({
      suggests: { conversationId: id, because: 'hint', by: 'thread_index' },
    })
  })

  it('a forged sender joins nothing, is nobody that is known, and is answered by nobody but a person', async () => {
    await deliver({ from: 'dee@customer.example', subject: 'Mine', text: 'How long can I return goods? (dee)' })
    const { raw } = await lastTo('dee@customer.example')
    const ours = fieldOf(raw, 'Message-ID') ?? ''
    const before = smtp.sent.length
    await deliver({
      from: 'dee@customer.example',
      subject: 'Re: Mine',
      text: 'send me all about dee',
      inReplyTo: ours,
      headers: { 'Authentication-Results': 'mx.acme.example; dmarc=fail header.from=customer.example' },
    })
    const forged = await conversationWith('all about dee')
    const { id } = await conversationWith('(dee)')
    expect(forged.id).not.toBe(id)
    expect(forged.lines[0]?.details).toMatchObject({ unauthenticated: true })
    await eventually(async () => (await conversationWith('all about dee')).handler === 'nobody')
    const answers = smtp.sent.slice(before).map(({ raw: each }) => each)
    expect(answers.filter((each) => each.includes('30 days'))).toEqual([])
  })

  it('machines are kept and never answered', async () => {
    const before = smtp.sent.length
    await deliver({
      from: 'ooo@customer.example',
      subject: 'Out of office',
      text: 'I am away (ooo)',
      headers: { 'Auto-Submitted': 'auto-replied' },
    })
    await deliver({
      from: 'list@lists.example',
      text: 'weekly news (list)',
      headers: { 'List-Id': '<news.lists.example>' },
    })
    await deliver({ from: 'support@acme.example', text: 'from ourselves (own)' })
    for (const text of ['(ooo)', '(list)', '(own)'])
      expect((await conversationWith(text)).lines.find((line) => line.text.includes(text))?.automatic).toBeTruthy()
    await deliver({ from: 'zed@customer.example', text: 'How long can I return goods? (zed)' })
    await lastTo('zed@customer.example')
    const answered = smtp.sent.slice(before).flatMap(({ to }) => to)
    expect(answered).toContain('zed@customer.example')
    for (const machine of ['ooo@customer.example', 'list@lists.example', 'support@acme.example'])
      expect(answered).not.toContain(machine)
  })

  it("nobody keeps somebody's mail from being seen by using its Message-ID first", async () => {
    await deliver({ from: 'eve@evil.example', text: 'I was first (eve)', id: '<guessed@victim>' })
    await deliver({ from: 'victim@customer.example', text: 'I am real (victim)', id: '<guessed@victim>' })
    const [eve, victim] = [await conversationWith('(eve)'), await conversationWith('(victim)')]
    expect(eve.id).not.toBe(victim.id)
  })

  it('a mail that did not arrive is shown as refused, with the report beside it', async () => {
    await deliver({ from: 'gone@customer.example', subject: 'Gone', text: 'How long can I return goods? (gone)' })
    const { raw } = await lastTo('gone@customer.example')
    const { id } = await conversationWith('(gone)')
    await server.deliver('support@acme.example', bounceOf(fieldOf(raw, 'Message-ID') ?? '', 'gone@customer.example'))
    const refused = await eventually(async () => (await messagesOf(id)).find(({ status }) => status === 'refused'))
    expect(refused.reason).toMatch(/^address_refused: /)
    await eventually(async () => (await messagesOf(id)).some(({ automatic }) => automatic === 'delivery_report'))

    // Whoever is about to write is told; nothing else goes there by itself; a mail from there lifts the mark.
    const reach = async () => (await app.call<{ reach: { kind: string } }>(`/conversations/${id}`)).body.reach
    expect(await reach()).toMatchObject({ kind: 'doubtful', code: 'address_bounced' })
    await app.call(`/conversations/${id}/messages`, { body: { text: 'Does this reach you?' } })
    await eventually(async () => smtp.sent.some(({ raw: each }) => each.includes('Does this reach you?')))
    await deliver({
      from: 'gone@customer.example',
      text: 'I am back (gone2)',
      inReplyTo: fieldOf(raw, 'Message-ID') ?? '',
    })
    await conversationWith('(gone2)')
    expect(await reach()).toEqual({ kind: 'open' })
  })

  it('a server that does not let us send is told of, and so is that it does again', async () => {
    await deliver({ from: 'ivo@customer.example', text: 'I want to talk to a human please (ivo)' })
    const { id } = await conversationWith('(ivo)')
    await eventually(async () => (await conversationWith('(ivo)')).handler === 'nobody')
    await sentTo('ivo@customer.example')
    const channel = async () =>
      (await app.call<{ channels: Channel[] }>('/channels')).body.channels.find((each) => each.id === channelId)
    smtp.behave({ kind: 'refuse_login' })
    smtp.hangUp()
    await app.call(`/conversations/${id}/messages`, { body: { text: 'after the login' } })
    expect(await eventually(async () => ((await state()) === 'attention' ? channel() : null))).toMatchObject({
      code: 'password_refused',
      detail: expect.stringMatching(/^Sending: /),
    })
    smtp.behave({ kind: 'take' })
    await eventually(async () => (await state()) === 'connected')
    expect(smtp.sent.filter(({ raw }) => raw.includes('after the login'))).toHaveLength(1)
    expect((await channel())?.lastArrival?.lagMs).toBeLessThan(60_000)
    expect(await (await fetch(`${app.url}/metrics`)).text()).toMatch(
      /helpdesk_channel_lag_seconds_count\{kind="email"\} [1-9]/,
    )
  })

  it("a person's answer quotes what was asked, goes to everybody in copy, and is not called automatic", async () => {
    await deliver({
      from: 'flo@customer.example',
      cc: 'mum@customer.example',
      subject: 'AW: Re: Umtausch äöü',
      text: 'I want to talk to a human please (flo)',
    })
    const { id } = await conversationWith('(flo)')
    await app.call(`/conversations/${id}/messages`, { body: { text: 'Hello Flo, I am here.' } })
    const sent = await eventually(async () => smtp.sent.find(({ raw }) => raw.includes('I am here')))
    expect(sent.to).toEqual(['flo@customer.example', 'mum@customer.example'])
    const decoded = await decodeEmail(Buffer.from(sent.raw))
    expect(decoded.subject).toBe('Re: Umtausch äöü')
    expect(decoded.autoSubmitted).toBeNull()
    expect(decoded.text).toContain('> I want to talk to a human please (flo)')
    const [first] = (await messagesOf(id)).filter(({ author }) => author === 'customer')
    expect(first?.text).toBe('AW: Re: Umtausch äöü\n\nI want to talk to a human please (flo)')
    expect(decoded.reply.trim()).toMatch(/^Hello Flo, I am here\./)
  })

  it('a test mail goes out, comes back, and shows each step', async () => {
    const carrying = setInterval(() => {
      for (const { to, raw } of smtp.sent.splice(0)) if (to[0]?.startsWith('support')) void server.deliver(to[0], raw)
    }, 50)
    const { body } = await app.call<{ steps: { name: string; ok: boolean }[] }>(`/channels/${channelId}/test`, {
      body: { to: 'admin@acme.example' },
    })
    clearInterval(carrying)
    expect(body.steps.map(({ ok }) => ok)).toEqual([true, true, true, true, true])
    const all = await Promise.all((await conversations()).map(({ id }) => messagesOf(id)))
    expect(all.flat().filter(({ text }) => text.includes('your helpdesk can send'))).toEqual([])
  })

  it('mail that a provider hands in is stored when it is signed, once, and refused when it is not', async () => {
    const secret = 'a secret between the provider and us'
    await app.call(`/channels/${channelId}`, { method: 'PATCH', body: { settings: { webhookSecret: secret } } })
    const hand = (raw: string, { seconds = Math.floor(Date.now() / 1_000), key = secret } = {}) =>
      fetch(`${app.url}/webhooks/${channelId}`, {
        method: 'POST',
        body: raw,
        headers: {
          'x-helpdesk-signature': `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${raw}`).digest('hex')}`,
        },
      })
    const raw = letter({ from: 'hal@customer.example', text: 'handed in (hal)' })
    expect((await hand(raw)).status).toBe(200)
    expect((await hand(raw)).status).toBe(200)
    expect((await hand(raw, { key: 'another secret of some length' })).status).toBe(401)
    expect((await hand(raw, { seconds: Math.floor(Date.now() / 1_000) - 3_600 })).status).toBe(401)
    expect((await fetch(`${app.url}/webhooks/${channelId}`, { method: 'POST', body: raw })).status).toBe(401)
    await conversationWith('(hal)')
    const all = await Promise.all((await conversations()).map(({ id }) => messagesOf(id)))
    expect(all.flat().filter(({ text }) => text.includes('(hal)'))).toHaveLength(1)
  })

  it('files that come with a mail are kept under names that are safe, and go out with an answer', async () => {
    await server.deliver(
      'support@acme.example',
      withFile('jo@customer.example', '../../etc/pass\twd.pdf', '%PDF-1.4 jo'),
    )
    const { lines, id } = await conversationWith('see the file (jo)')
    const [attachment] = lines.find(({ author }) => author === 'customer')?.attachments ?? []
    expect(attachment).toMatchObject({ name: expect.stringMatching(/^[^/\\\t]+\.pdf$/), size: 11 })
    const form = new FormData()
    form.set('file', new Blob(['an answer']), 'answer.txt')
    const upload = await fetch(`${app.url}/api/v1/attachments`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-key-for-the-tests-only' },
      body: form,
    })
    const { ticket } = (await upload.json()) as { ticket: string }
    await app.call(`/conversations/${id}/messages`, { body: { text: 'Here is mine.', attachments: [ticket] } })
    const sent = await eventually(async () => smtp.sent.find(({ raw }) => raw.includes('Here is mine')))
    const { attachments } = await decodeEmail(Buffer.from(sent.raw))
    expect(attachments.map(({ filename, content }) => [filename, content.toString()])).toEqual([
      ['answer.txt', 'an answer'],
    ])
  })

  it('a copy goes into Sent where the account wants one, once', async () => {
    await app.call(`/channels/${channelId}`, { method: 'PATCH', body: { settings: { sentCopy: true } } })
    await eventually(async () => (await state()) === 'connected')
    await deliver({ from: 'ida@customer.example', subject: 'Copy', text: 'How long can I return goods? (ida)' })
    const { raw } = await lastTo('ida@customer.example')
    const kept = await eventually(async () =>
      server.doveadm('fetch', '-u', 'support@acme.example', 'hdr.message-id', 'mailbox', 'Sent', 'all'),
    )
    expect(kept.match(/<[^>]+>/g)).toEqual([fieldOf(raw, 'Message-ID')])
  })

  it.each([
    ['imap.password', { imap: { password: 'wrong' } }, 'password_refused'],
    ['smtp.password', { smtp: { password: 'wrong' } }, 'password_refused'],
    ['imap.host', { imap: { host: 'nowhere.invalid' } }, 'host_not_found'],
    ['imap.port', { imap: { port: 1 } }, 'server_unreachable'],
    ['smtp.port', { smtp: { port: 1 } }, 'server_unreachable'],
    ['imap.secure', { imap: { secure: true } }, 'tls_failed'],
    ['mailbox', { mailbox: 'No such box' }, 'mailbox_not_found'],
  ])('wrong settings are refused by the name of the setting: %s', async (field, change, code) => {
    const own = settings() as Record<string, unknown>
    const wrong = Object.fromEntries(
      Object.entries({ ...own, ...change }).map(([name, value]) => [
        name,
        typeof value === 'object' ? { ...(own[name] as object), ...value } : value,
      ]),
    )
    const { status, body } = await app.call<{ error: { code: string; field: string } }>('/channels', {
      body: { kind: 'email', settings: wrong },
    })
    expect({ status, code: body.error.code, field: body.error.field }).toEqual({
      status: 400,
      code,
      field: `settings.${field}`,
    })
  })
})

const bounceOf = (messageId: string, recipient: string): string =>
  [
    'From: Mail Delivery System <MAILER-DAEMON@mx.acme.example>',
    'To: support@acme.example',
    'Subject: Undelivered Mail Returned to Sender',
    'Message-ID: <dsn-1@mx.acme.example>',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Your mail could not be delivered.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.acme.example',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    'From: support@acme.example',
    `To: ${recipient}`,
    `Message-ID: ${messageId}`,
    'Subject: Re: Gone',
    '',
    '--b--',
    '',
  ].join('\r\n')

const withFile = (from: string, name: string, content: string): string =>
  [
    `From: ${from}`,
    'To: support@acme.example',
    'Subject: A file',
    `Message-ID: <file@${from}>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    `Please see the file (${from.split('@')[0]})`,
    '--b',
    `Content-Type: application/pdf; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(content).toString('base64'),
    '--b--',
    '',
  ].join('\r\n')
