import { describe, expect, it } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { makeCompose } from '../../src/channels/email/compose.js'
import { decodeEmail } from '../../src/channels/email/decode.js'
import { makeMarks } from '../../src/channels/email/marks.js'
import { settings } from '../../src/channels/email/settings.js'
import { threadRoot } from '../../src/channels/email/thread-index.js'
import { makeSmtp, writeMime } from '../../src/channels/email/smtp.js'
import type { Message, OutboundMessage } from '../../src/conversations/message.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { fieldOf } from '../support/email.mjs'
import { openSmtp } from '../support/smtp.mjs'

const secrets = makeSecrets('a secret of the tests, longer than thirty-two characters')
const marks = makeMarks({ address: 'Support@Acme.example', channelId: 'chn_1', secrets })
const CONVERSATION = `cnv_${'0123456789abcdef'.repeat(2)}`

const given = (change: object = {}) =>
  settings.parse({
    address: 'support@acme.example',
    name: 'Acme',
    imap: { host: 'imap.acme.example', user: 'support', password: 'x' },
    smtp: { host: 'smtp.acme.example' },
    ...change,
  })

const inbound = (email: object, change: Partial<Message> = {}) =>
  ({
    id: 'msg_in',
    seq: 1,
    kind: 'message',
    author: { kind: 'customer', name: 'Ana' },
    text: 'How long can I return goods?',
    at: new Date('2026-03-02T10:00:00Z'),
    details: {
      email: {
        messageId: '<first@ana>',
        references: [],
        subject: 'Returns',
        from: { name: 'Ana', address: 'ana@customer.example' },
        to: [{ name: '', address: 'support@acme.example' }],
        cc: [],
        replyTo: [],
        fingerprint: 'f',
        oddities: [],
        ...email,
      },
    },
    ...change,
  }) as unknown as Message

const outbound = (change: Partial<OutboundMessage> = {}): OutboundMessage => ({
  id: 'msg_abcdefghijklmnopqrst',
  conversationId: CONVERSATION,
  contactId: 'cnt_1',
  seq: 2,
  author: { kind: 'agent', name: 'Kim' },
  text: 'Within 30 days.',
  citations: [],
  at: new Date('2026-03-02T11:00:00Z'),
  contact: { id: 'cnt_1', externalId: 'ana@customer.example', email: 'ana@customer.example', name: 'Ana' },
  ...change,
})

const composed = (history: Message[], change: Partial<OutboundMessage> = {}, own: object = {}) =>
  makeCompose({ settings: given(own), marks })({
    message: outbound(change),
    history,
    language: null,
    attachments: [],
  })

describe('the marks in our mail', () => {
  it.each([CONVERSATION, 'cnv_AbCdEfGhIjKlMnOp-_12'])(
    'a conversation is found by its address, however its case: %s',
    (id) => {
      const address = marks.conversationAddress(id) ?? ''
      expect(address.split('@')[0]?.length).toBeLessThanOrEqual(64)
      expect(marks.conversationOf(address)).toBe(id)
      expect(marks.conversationOf(address.toUpperCase())).toBe(id)
    },
  )

  it('a mark that was made up, changed or made for another channel is none', () => {
    const address = marks.conversationAddress(CONVERSATION) ?? ''
    const changed = address.replace(/.@/, (last) => (last === 'a@' ? 'b@' : 'a@'))
    const other = makeMarks({ address: 'support@acme.example', channelId: 'chn_2', secrets })
    expect(marks.conversationOf(changed)).toBeNull()
    expect(other.conversationOf(address)).toBeNull()
    expect(marks.conversationOf('support+c@acme.example')).toBeNull()
    expect(marks.conversationOf('support@acme.example')).toBeNull()
    expect(marks.bouncedOf(address)).toBeNull()
    expect(marks.outboundOf('<msg_1.aaaaaaaaaa@acme.example>')).toBeNull()
  })

  it('a message has one Message-ID for ever, and it is recognised', () => {
    const id = marks.messageIdOf('msg_abc')
    expect(marks.messageIdOf('msg_abc')).toBe(id)
    expect(marks.outboundOf(id)).toBe('msg_abc')
  })

  it('a reference in the subject is found among other words', () => {
    const reference = marks.subjectReference(CONVERSATION) ?? ''
    expect(marks.conversationInSubject(`AW: Returns ${reference} (urgent)`)).toBe(CONVERSATION)
    expect(marks.conversationInSubject('Returns [#12345]')).toBeNull()
  })
})

describe('a mail that is sent', () => {
  it.each([
    ['Returns', 'Re: Returns'],
    ['RE: AW: Re[2]: Returns', 'Re: Returns'],
    ['回复：退货', 'Re: 退货'],
    ['', 'Re: (no subject)'],
    ['Returns\r\nBcc: eve@evil.example', 'Re: Returns Bcc: eve@evil.example'],
  ])('answers the subject %j as %j', (subject, expected) => {
    expect(composed([inbound({ subject })]).subject).toBe(expected)
  })

  it('nothing in a name or a subject becomes a header or a second recipient', async () => {
    const nasty = '"Ana\r\nBcc: eve@evil.example\r\n\r\nHello" , eve'
    const mail = composed([inbound({ subject: nasty, from: { name: nasty, address: 'ana@customer.example' } })])
    const raw = await writeMime(mail)
    const [head = ''] = raw.toString('utf8').split('\r\n\r\n')
    expect(head).not.toMatch(/^bcc:/im)
    const decoded = await decodeEmail(raw)
    expect(decoded.to.map(({ address }) => address)).toEqual(['ana@customer.example'])
  })

  it('asks back with numbered lines, in words and in HTML, which their reader answers by number', async () => {
    const choices = [
      { kind: 'place' as const, label: 'Fees & <b>more</b>', title: 'Hire', documentId: 'doc_1', headings: [] },
      { kind: 'person' as const, label: 'Talk to a person' },
    ]
    const mail = composed([inbound({})], { author: { kind: 'assistant' }, text: 'Which one?', choices })
    expect(mail.text).toContain('Which one?\n\n1. Fees & <b>more</b>\n2. Talk to a person')
    expect(mail.html).toContain('1. Fees &amp; &lt;b&gt;more&lt;/b&gt;<br>2. Talk to a person')
  })

  it('references grow with the thread but not without end, and keep its first', () => {
    const references = Array.from({ length: 60 }, (_, at) => `<id-${at}@ana>`)
    const { references: sent, inReplyTo } = composed([inbound({ messageId: '<last@ana>', references })])
    expect(sent[0]).toBe('<id-0@ana>')
    expect(sent.at(-1)).toBe('<last@ana>')
    expect(sent.length).toBeLessThanOrEqual(20)
    expect(inReplyTo).toBe('<last@ana>')
  })

  it('answers go where the writer wants them, and machines write to nobody else', () => {
    const history = [
      inbound({
        replyTo: [{ name: '', address: 'elsewhere@customer.example' }],
        cc: [{ name: 'Boss', address: 'boss@customer.example' }],
      }),
    ]
    const person = composed(history)
    expect(person.to).toEqual([{ name: '', address: 'elsewhere@customer.example' }])
    expect(person.cc).toEqual([{ name: 'Boss', address: 'boss@customer.example' }])
    const machine = composed(history, { author: { kind: 'assistant' } })
    expect(machine.cc).toEqual([])
    expect(machine.text).not.toContain('How long can I return goods?')
    expect(machine.headers['Auto-Submitted']).toBe('auto-replied')
  })

  it('a person quotes all of what they answer, quotes within it too', () => {
    const history = [inbound({})]
    const { text } = makeCompose({ settings: given(), marks })({
      message: outbound(),
      history,
      original: 'How long can I return goods?\n\n> earlier words',
      language: 'de',
      attachments: [],
    })
    expect(text).toMatch(/^Am .* schrieb Ana:\n> How long can I return goods\?\n> \n>> earlier words$/m)
  })

  it('a machine of ours sends nobody a name or a link that a forger chose', () => {
    const forged = inbound({
      subject: 'Win at https://evil.example/now today',
      from: { name: 'Visit www.evil.example', address: 'victim@customer.example' },
    })
    const machine = composed([forged], { author: { kind: 'assistant' } })
    expect(machine.to).toEqual([{ name: '', address: 'victim@customer.example' }])
    expect(machine.subject).toBe('Re: Win at … today')
    expect(machine.text + machine.html).not.toContain('evil.example')
    expect(composed([forged]).subject).toContain('https://evil.example/now')
  })

  it('pictures are shown where they are read, other files hang below', async () => {
    const picture = { filename: 'a "lamp".png', contentType: 'image/png', content: Buffer.from('picture') }
    const large = { filename: 'large.png', contentType: 'image/png', content: Buffer.alloc(3 * 1024 * 1024) }
    const disguised = { filename: 'page.png', contentType: 'application/octet-stream', content: Buffer.from('<html>') }
    const mail = makeCompose({ settings: given(), marks })({
      message: outbound(),
      history: [inbound({})],
      language: null,
      attachments: [picture, large, disguised],
    })
    const raw = await writeMime(mail)
    const { html, attachments } = await decodeEmail(raw)
    const shown = attachments.filter(({ contentId }) => contentId !== null)
    expect(shown.map(({ filename }) => filename)).toEqual([shown[0]?.filename])
    expect(shown[0]).toMatchObject({ inline: true, content: Buffer.from('picture') })
    expect(html).toContain(`data-cid="${shown[0]?.contentId}"`)
    expect(mail.html).toContain('alt="a &quot;lamp&quot;.png"')
    expect(attachments).toHaveLength(3)
    expect(raw.toString('latin1')).toMatch(/multipart\/related/)
  })

  it('stays in its thread in Outlook, which goes by an index of its own', () => {
    const first = Buffer.concat([Buffer.from('01dc9d000000', 'hex'), Buffer.alloc(16, 7)]).toString('base64')
    const { headers } = composed([inbound({ threadIndex: first })])
    const index = Buffer.from(headers['Thread-Index'] ?? '', 'base64')
    expect(index.toString('hex', 0, 22)).toBe(Buffer.from(first, 'base64').toString('hex'))
    expect(index).toHaveLength(27)
    expect(headers['Thread-Topic']).toBe('Returns')
    expect(threadRoot(headers['Thread-Index'] ?? '')).toBe(threadRoot(first))
    for (const none of [null, '', 'not base64!', 'AAAA', 'A'.repeat(4_000)]) {
      expect(threadRoot(none)).toBeNull()
      expect(composed([inbound({ threadIndex: none })]).headers['Thread-Index']).toBeUndefined()
    }
  })

  it('text never becomes markup', () => {
    const { html } = composed([inbound({}, { text: '<img src=x onerror=alert(1)>' })], {
      text: '<script>alert(1)</script> see https://acme.example/a?b=1&c="x"',
    })
    expect(html).not.toMatch(/<script|<img/)
    expect(html).toContain('&lt;script&gt;')
    expect(html).toContain('href="https://acme.example/a?b=1&amp;c=')
  })

  it('where the server knows no plus addresses, the subject names the conversation', () => {
    const mail = composed([inbound({})], {}, { replyMark: 'subject' })
    expect(mail.replyTo).toBeNull()
    expect(marks.conversationInSubject(mail.subject)).toBe(CONVERSATION)
  })

  it('bounces come to an address of the message where the company wants that', () => {
    const { envelopeFrom } = composed([inbound({})], {}, { returnPath: 'marked' })
    expect(marks.bouncedOf(envelopeFrom)).toBe('msg_abcdefghijklmnopqrst')
    expect(composed([inbound({})]).envelopeFrom).toBe('support@acme.example')
  })
})

describe('the way out', () => {
  const transport = async (own: object = {}) => {
    const sink = await openSmtp()
    const time = { now: new Date('2026-03-02T10:00:00Z') }
    const smtp = makeSmtp({
      settings: settings.parse({
        address: 'support@acme.example',
        webhookSecret: 'a secret for the webhook only',
        smtp: { host: '127.0.0.1', port: sink.port, secure: false },
        ...own,
      }),
      tokens: null,
      lookup: async (host) => host,
      clock: { now: () => time.now },
    })
    const send = (id: string) =>
      smtp.send(composed([inbound({})], { id }), new AbortController().signal).then(({ receipt }) => receipt)
    const close = async () => {
      smtp.close()
      await sink.close()
    }
    return { sink, send, time, close }
  }

  it('no more goes out in a minute than is allowed; who has to wait is told how long, and has a turn then', async () => {
    const { sink, send, time, close } = await transport({ perMinute: 2 })
    await send('msg_1')
    await send('msg_2')
    expect(await send('msg_3')).toMatchObject({ kind: 'later', afterMs: 60_000 })
    expect(await send('msg_4')).toMatchObject({ afterMs: 60_000 })
    expect(await send('msg_5')).toMatchObject({ afterMs: 120_000 })
    expect(sink.sent).toHaveLength(2)
    time.now = new Date(time.now.getTime() + 60_000)
    expect(await send('msg_3')).toMatchObject({ kind: 'sent' })
    expect(await send('msg_4')).toMatchObject({ kind: 'sent' })
    expect(await send('msg_5')).toMatchObject({ kind: 'later', afterMs: 60_000 })
    await close()
  })

  it('a connection that is kept is used again', async () => {
    const { sink, send, close } = await transport()
    for (const id of ['msg_1', 'msg_2', 'msg_3']) await send(id)
    expect(sink.connections()).toBe(1)
    await close()
  })

  it('mail is signed for the domain where the company gave its key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const { sink, send, close } = await transport({ dkim: { domain: 'acme.example', selector: 's1', privateKey } })
    await send('msg_1')
    expect(fieldOf(sink.sent[0]?.raw ?? '', 'DKIM-Signature')).toMatch(/d=acme\.example; .*s=s1;/)
    await close()
  })

  it('a server that is not there, or that defers, is tried again later; one that refuses is not', async () => {
    const { sink, send, close } = await transport()
    sink.behave({ kind: 'defer', at: 'mail', words: '4.7.1 greylisted, come again' }, 1)
    expect(await send('msg_1')).toMatchObject({ kind: 'deferred', reason: expect.stringContaining('greylisted') })
    sink.behave({ kind: 'refuse', at: 'rcpt', words: '5.1.1 no such user' }, 1)
    expect(await send('msg_2')).toMatchObject({ kind: 'refused', reason: expect.stringContaining('no such user') })
    sink.behave({ kind: 'drop' }, 1)
    await expect(send('msg_3')).rejects.toMatchObject({ code: 'mail_unknown' })
    await close()
    await expect(send('msg_4')).rejects.toMatchObject({ kind: 'unavailable', code: 'server_unreachable' })
  })
})
