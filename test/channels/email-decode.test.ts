import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { decodeEmail, type DecodedEmail } from '../../src/channels/email/decode.js'
import type { decodeEmail as DecodeEmail } from '../../src/channels/email/decode.js'
import type { makeDecodingThread as MakeDecodingThread } from '../../src/channels/email/decode-thread.js'
import { verdictBy } from '../../src/channels/email/authentication.js'
import { sanitiseAgain } from '../../src/channels/email/html.js'
import { decodeHeaderOnly } from '../../src/channels/email/decode-message.js'

const folder = new URL('../fixtures/email/', import.meta.url)
const fixture = (name: string): Buffer => readFileSync(new URL(`${name}.eml`, folder))
const decode = (name: string): Promise<DecodedEmail> => decodeEmail(fixture(name))

const HEAD = 'From: Ana <ana@example.org>\r\nTo: help@example.com\r\nSubject: x\r\nMessage-ID: <1@example.org>\r\n'
const mail = (rest: string, head = HEAD): Buffer => Buffer.from(head + rest, 'utf8')
const html = async (body: string) =>
  (await decodeEmail(mail(`Content-Type: text/html; charset=utf-8\r\n\r\n${body}`))).html ?? ''

describe('a customer who writes in another charset', () => {
  it.each([
    ['japanese-in-iso-2022-jp', '青いのをお願いします。', 'ご注文について'],
    ['japanese-in-shift-jis', '青いのをお願いします。', 'x'],
    ['chinese-in-gb2312-with-signs-of-gbk', '镕先生要蓝色的。', '订单'],
    ['korean-in-euc-kr', '파란색으로 주세요.', 'x'],
    ['polish-in-iso-8859-2', 'Poproszę niebieski, ten większy.', 'Zamówienie już'],
    ['utf-7', 'Die größere.', 'x'],
    ['subject-cut-within-a-sign', 'x', 'für'],
  ])('is read as written: %s', async (name, text, subject) => {
    const email = await decode(name)
    expect(email.reply).toBe(text)
    expect(email.subject).toBe(subject)
    expect(email.oddities).toEqual([])
  })

  it.each([
    ['russian-in-koi8-r-undeclared', 'когда придёт мой заказ'],
    ['says-latin1-is-utf8', 'Die blaue, größere, für 10 €.'],
    ['says-utf8-is-latin1', 'Die größere, für Jürgen.'],
    ['says-a-charset-that-is-none', 'Die größere.'],
  ])('is read as meant, where the mail is wrong about it: %s', async (name, text) => {
    const email = await decode(name)
    expect(email.reply).toContain(text)
    expect(email.oddities).toContain('charset_guessed')
  })
})

describe('a mail with parts', () => {
  it('joins flowed lines, and not those of the quote with those of the answer', async () => {
    const email = await decode('flowed-with-quotes')
    expect(email.reply).toBe('This line goes on here.')
    expect(email.text).toContain('> A long question that goes on.')
  })

  it('puts a file name together from its pieces', async () => {
    const [file] = (await decode('file-name-in-pieces')).attachments
    expect(file).toMatchObject({
      filename: '€ rechnung für ana.pdf',
      contentType: 'application/pdf',
      inline: false,
      unsafe: false,
    })
    expect(file?.content.toString()).toBe('%PDF-1.4\n')
  })

  it('finds the picture of the HTML by its Content-ID, and runs nothing of it', async () => {
    const email = await decode('picture-within-the-html')
    expect(email.attachments[0]).toMatchObject({ contentId: 'pic@1', inline: true, filename: 'crack.png' })
    expect(email.html).toBe('<p>See <img alt="the crack" data-cid="pic@1" /></p>')
    expect(email.text).toBe('See')
  })

  it.each([
    ['winmail', 'winmail'],
    ['invitation', 'calendar'],
    ['signed-with-pgp', 'signed'],
    ['encrypted-with-pgp', 'encrypted'],
    ['encrypted-with-smime', 'encrypted'],
    ['no-boundary-line-at-all', 'truncated'],
  ] as const)('says what it is: %s', async (name, oddity) => {
    expect((await decode(name)).oddities).toContain(oddity)
  })

  it('keeps signed and encrypted parts as they came', async () => {
    expect((await decode('signed-with-pgp')).attachments[0]?.filename).toBe('signature.asc')
    expect((await decode('encrypted-with-pgp')).attachments.map(({ filename }) => filename)).toContain('encrypted.asc')
    expect((await decode('encrypted-with-smime')).attachments[0]?.content).toEqual(Buffer.from('MIIB', 'base64'))
  })

  it('reads a forwarded message that was encoded as a whole', async () => {
    const email = await decode('forward-as-encoded-message')
    expect(email.text).toContain('Is this yours?')
    expect(email.text).toContain('Please pay 10 euros.')
  })

  it('loses no text where the boundary got lost', async () => {
    expect((await decode('no-boundary-line-at-all')).reply).toBe('My order never arrived.')
    const bare = mail('Content-Type: multipart/mixed\r\n\r\n--part\r\n\r\nHello\r\n--part\r\n\r\nAna\r\n--part--\r\n')
    expect((await decodeEmail(bare)).reply).toBe('Hello\nAna')
  })

  it('loses no sentence that stands among the fields, and takes none of their pieces for one', async () => {
    const odd = mail(
      'The lamp is broken again\r\nX-Next: field\r\nboundary="a b c"\r\nq=abc; d=e f g\r\n\r\nSecond line',
    )
    expect((await decodeEmail(odd)).text).toBe('The lamp is broken again\n\nSecond line')
    const encoded = mail('The lamp is broken\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n')
    expect((await decodeEmail(encoded)).text).toBe('Hello')
  })

  it('reads the HTML that stands alone beside a plain footer', async () => {
    const raw = mail(
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Where is my order?</p>\r\n--b\r\n\r\nScanned.\r\n--b--\r\n',
    )
    expect((await decodeEmail(raw)).text).toBe('Where is my order?\nScanned.')
  })

  it('reads the plain part where the HTML says the same, and the HTML where it says nothing', async () => {
    const both = (plain: string) =>
      mail(
        `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n${plain}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>in HTML</p>\r\n--b--\r\n`,
      )
    expect((await decodeEmail(both('in plain words'))).text).toBe('in plain words')
    expect((await decodeEmail(both(' '))).reply).toBe('in HTML')
  })

  it('reads all line ends', async () => {
    const lines = [
      'From: ana@example.org',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'Hello',
      '--b--',
      '',
    ]
    for (const end of ['\r\n', '\n', '\r'])
      expect((await decodeEmail(Buffer.from(lines.join(end)))).reply).toBe('Hello')
  })
})

describe('a header', () => {
  it('tells of whom, to whom, when and in which thread', async () => {
    const email = await decodeEmail(
      mail(
        [
          'From: "Costa, Ana" <Ana.Costa@Example.ORG>',
          'To: =?utf-8?Q?H=C3=A9lp=2C_Desk?= <help@example.com>, Group: a@example.com, b@example.com;',
          'Cc: bob@example.net (Bob)',
          'Reply-To: other@example.org',
          'Date: Tue, 5 Mar 2024 10:00:00 +0100 (CET)',
          'Subject: Re: [#4711] x',
          'Message-ID: <new@example.org>',
          'In-Reply-To: <b@example.com>',
          'References: <a@example.com>',
          ' <b@example.com> <a@example.com>',
          'Delivered-To: Help+C-1@example.com',
          'X-Original-To: help+c-1@example.com',
          'Return-Path: <ana.costa@example.org>',
          'Thread-Index: AdpvAAAAAAAAAAAAAAAAAAAAAAAAAA==',
          'X-Loop: help@example.com',
          '',
          'Hello',
        ].join('\r\n'),
        '',
      ),
    )
    expect(email).toMatchObject({
      messageId: '<new@example.org>',
      inReplyTo: '<b@example.com>',
      references: ['<a@example.com>', '<b@example.com>'],
      from: { name: 'Costa, Ana', address: 'Ana.Costa@example.org' },
      to: [
        { name: 'Hélp, Desk', address: 'help@example.com' },
        { address: 'a@example.com' },
        { address: 'b@example.com' },
      ],
      cc: [{ name: 'Bob', address: 'bob@example.net' }],
      replyTo: [{ address: 'other@example.org' }],
      deliveredTo: ['help+c-1@example.com'],
      date: new Date('2024-03-05T09:00:00Z'),
      returnPath: 'ana.costa@example.org',
      loopMarks: ['help@example.com'],
      threadIndex: 'AdpvAAAAAAAAAAAAAAAAAAAAAAAAAA==',
      automatic: null,
      bounce: null,
    })
  })

  it('cannot be extended by what a subject or a name hides', async () => {
    const { subject } = await decode('second-subject-in-a-subject')
    expect(subject).toBe('Hello Bcc: victim@example.net Body')
    const { from } = await decode('line-end-in-a-name')
    expect(from).toEqual({ name: 'Ana To: all@example.com', address: 'ana@example.org' })
  })

  it('that names two senders, or none, is said to', async () => {
    const two = await decode('two-senders')
    expect(two.from?.address).toBe('ana@example.org')
    expect(two.oddities).toContain('several_senders')
    const none = await decode('no-sender')
    expect(none.from).toBeNull()
    expect(none.oddities).toContain('no_sender')
    expect(none.reply).toBe('Where is my order?')
  })

  it.each([
    ['dmarc=pass header.from=example.org', 'pass'],
    ['dmarc=fail (p=reject) header.from=example.org; spf=pass smtp.mailfrom=evil.net', 'fail'],
    ['dkim=pass header.d=example.org', 'pass'],
    ['dkim=pass header.d=evil.net; spf=pass smtp.mailfrom=evil.net', 'none'],
    ['spf=fail smtp.mailfrom=ana@example.org; dkim=none', 'fail'],
    ['spf=pass smtp.mailfrom=bounce@mail.example.org', 'pass'],
    ['dkim=pass (dmarc=pass) header.d=evil.net', 'none'],
    ['spf=neutral smtp.mailfrom=example.org', 'none'],
  ] as const)('of authentication "%s" means %s', async (results, verdict) => {
    const { authentication } = await decodeEmail(
      mail(
        `\r\nHello`,
        `Authentication-Results: mx.example.com; ${results}\r\nAuthentication-Results: mx.forged.net; dmarc=pass\r\n${HEAD}`,
      ),
    )
    expect(authentication).toMatchObject({ server: 'mx.example.com', verdict })
  })

  it('of servers that write several headers, or none of their name, means what they say', async () => {
    const judged = async (...headers: string[]) =>
      (
        await decodeEmail(
          mail('\r\nHello', headers.map((each) => `Authentication-Results: ${each}\r\n`).join('') + HEAD),
        )
      ).authentication
    expect(
      await judged('mx.example.com; spf=none', 'mx.example.com; dmarc=fail header.from=example.org'),
    ).toMatchObject({
      verdict: 'fail',
    })
    // What the sender wrote under our server's name, below what it wrote itself.
    expect(await judged('mx.example.com; dmarc=fail', 'mx.example.com; dmarc=pass')).toMatchObject({ verdict: 'fail' })
    expect(
      await judged('spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=evil.net; dmarc=fail action=none'),
    ).toMatchObject({
      server: null,
      verdict: 'fail',
    })
    expect(await judged('spf=fail smtp.mailfrom=example.org')).toMatchObject({ server: null, verdict: 'fail' })
  })

  it('is the word of the server that the company named, wherever its header stands', async () => {
    const { authentication } = await decodeEmail(
      mail(
        '\r\nHello',
        `Authentication-Results: mx.forged.net; dmarc=pass\r\nAuthentication-Results: mx.example.com; dmarc=fail\r\n${HEAD}`,
      ),
    )
    expect(verdictBy(authentication, undefined)).toBe('pass')
    expect(verdictBy(authentication, 'mx.example.com')).toBe('fail')
    expect(verdictBy(authentication, 'mx.other.example')).toBe('none')
  })
})

describe('HTML', () => {
  it.each([
    ['a script', '<p>a</p><script>alert(1)</script>', '<p>a</p>'],
    ['an event handler', '<p onclick="alert(1)">a</p>', '<p>a</p>'],
    ['a form', '<form action="https://evil.example"><input name=a>a</form>', 'a'],
    ['a frame', '<iframe src="https://evil.example"></iframe>a', 'a'],
    ['a style sheet', '<style>p{position:fixed}</style><link rel=stylesheet href=x><p>a</p>', '<p>a</p>'],
    ['a style that covers the page', '<p style="position:fixed;top:0;color:red">a</p>', '<p style="color:red">a</p>'],
    ['a style that loads', '<p style="background:url(https://evil.example/x)">a</p>', '<p>a</p>'],
    [
      'a link that runs',
      '<a href="javascript:alert(1)">a</a>',
      '<a rel="noopener noreferrer nofollow" target="_blank">a</a>',
    ],
    [
      'a link to a page in the mail',
      '<a href="data:text/html,x">a</a>',
      '<a rel="noopener noreferrer nofollow" target="_blank">a</a>',
    ],
    ['a drawing with a script', '<svg><script>alert(1)</script></svg>a', 'a'],
    ['a tracking pixel', '<img src="https://evil.example/p" width="1" height="1">a', 'a'],
    ['a hidden picture', '<img src="https://evil.example/p" style="display:none">a', 'a'],
    ['a base address', '<base href="https://evil.example/">a', 'a'],
    ['a refresh', '<meta http-equiv=refresh content="0;url=https://evil.example">a', 'a'],
  ])('loses %s', async (_, given, kept) => {
    expect(await html(given)).toBe(kept)
  })

  it('loads nothing: the address of a remote picture is kept where no browser looks for it', async () => {
    const kept = await html('<img src="https://shop.example/a.png" srcset="https://shop.example/b.png 2x" alt="a">')
    expect(kept).toContain('data-remote-src="https://shop.example/a.png"')
    expect(kept).not.toMatch(/\ssrc=|srcset/u)
  })

  it('cannot name such an address itself', async () => {
    expect(await html('<img data-remote-src="javascript:alert(1)" data-cid="x" src="x">')).toBe('<img />')
  })

  it('is cleaned again when it is shown, and loses only what it should not have had', async () => {
    const once = await html(
      '<p style="color:red">a <a href="https://shop.example">b</a></p><img src="https://shop.example/a.png" alt="a"><img src="cid:one">',
    )
    expect(sanitiseAgain(once)).toBe(once)
    expect(sanitiseAgain('<script>1</script><img data-remote-src="javascript:1" src="https://evil.example/p">b')).toBe(
      '<img />b',
    )
  })

  it('keeps links, and says nothing of us to where they lead', async () => {
    expect(await html('<a href="https://shop.example/4711">order</a>')).toBe(
      '<a href="https://shop.example/4711" rel="noopener noreferrer nofollow" target="_blank">order</a>',
    )
  })
})

describe('a file', () => {
  it('that may run something is kept and marked, whatever its name hides', async () => {
    const { attachments, oddities } = await decode('program-behind-a-harmless-name')
    expect(attachments.map(({ filename, unsafe }) => [filename, unsafe])).toEqual([
      ['invoice.pdf.exe', true],
      ['invoice.pdf.scr.', true],
      ['invoice fdp.exe', true],
      ['photo.png', false],
    ])
    expect(oddities).toContain('unsafe_attachment')
  })

  it('that says base64 and is none is kept as it came', async () => {
    const raw = mail(
      'Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%%% not base64! $$$ "§&" %%%',
    )
    const { attachments, oddities } = await decodeEmail(raw)
    expect(attachments[0]?.content.toString()).toContain('not base64!')
    expect(oddities).toContain('base64_damaged')
  })

  it('is never unpacked', async () => {
    const raw = mail(
      'Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBBQAAAA=',
    )
    expect((await decodeEmail(raw)).attachments[0]).toMatchObject({ filename: 'a.zip', size: 8 })
  })
})

describe('a mail that a machine wrote', () => {
  it.each([
    ['Auto-Submitted: auto-replied', 'auto_replied'],
    ['Auto-Submitted: auto-generated', 'auto_generated'],
    ['Auto-Submitted: auto-notified; owner-email="a@example.org"', 'auto_generated'],
    ['Auto-Submitted: no', null],
    ['Precedence: bulk', 'bulk'],
    ['Precedence: list', 'mailing_list'],
    ['Precedence: auto_reply', 'auto_replied'],
    ['List-Id: Users <users.lists.example.org>', 'mailing_list'],
    ['List-Unsubscribe: <mailto:off@example.org>', 'bulk'],
    ['X-Auto-Response-Suppress: DR, OOF, AutoReply', 'auto_generated'],
    ['X-Autoreply: yes', 'auto_replied'],
    ['X-Autoreply: no', null],
    ['X-OTRS-Loop: a@example.org', 'ticket_system'],
    ['X-Zendesk-From-Account-Id: 1', 'ticket_system'],
    ['X-JIRA-FingerPrint: 1', 'ticket_system'],
    ['Return-Path: <>', 'null_sender'],
    ['Return-Path: <ana@example.org>', null],
    ['X-Mailer: Apple Mail', null],
  ] as const)('is known by "%s" (%s)', async (header, reason) => {
    expect((await decodeEmail(mail('\r\nHello', `${header}\r\n${HEAD}`))).automatic).toBe(reason)
  })

  it.each([
    ['no-reply@example.org', 'no_reply'],
    ['donotreply@example.org', 'no_reply'],
    ['orders+noreply@example.org', 'no_reply'],
    ['postmaster@example.org', 'mail_system'],
    ['noreen@example.org', null],
    ['reply@example.org', null],
  ] as const)('is known by its address: %s (%s)', async (address, reason) => {
    expect((await decodeEmail(mail('\r\nHello', `From: ${address}\r\nSubject: x\r\n`))).automatic).toBe(reason)
  })

  it.each([
    'Automatic reply: Your order',
    'Out of Office: back on Monday',
    'Automatische Antwort: Ihre Bestellung',
    'Abwesenheitsnotiz: Ihre Bestellung',
    'Réponse automatique : Votre commande',
    'Respuesta automática: Su pedido',
    'Resposta automática: Seu pedido',
    'Risposta automatica: Il suo ordine',
    'Automatisch antwoord: Uw bestelling',
    'Automatyczna odpowiedź: Zamówienie',
    'Автоответ: Ваш заказ',
    '自動返信: ご注文',
    '自动回复: 您的订单',
  ])('is a vacation note by its subject: %s', async (subject) => {
    expect((await decodeEmail(mail('\r\nHello', `From: a@example.org\r\nSubject: ${subject}\r\n`))).automatic).toBe(
      'vacation',
    )
  })

  it.each([
    'Your out of office hours',
    'Question about the automatic reply',
    'Bestellung Auto: Reifen',
    'My vacation booking',
  ])('is not one that a customer wrote about it: %s', async (subject) => {
    expect(
      (await decodeEmail(mail('\r\nHello', `From: a@example.org\r\nSubject: ${subject}\r\n`))).automatic,
    ).toBeNull()
  })
})

describe('a mail of ours that came back', () => {
  it.each([
    ['bounce-report', 'ana@example.org', 'hard', 'unknown_user', '5.1.1', '<ours-1@example.com>'],
    ['bounce-mailbox-full', 'ana@example.org', 'soft', 'mailbox_full', '5.2.2', '<ours-2@example.com>'],
    ['bounce-late', 'ana@example.org', 'soft', 'delayed', '4.4.1', '<ours-3@example.com>'],
    ['spam-complaint', 'ana@example.org', 'soft', 'complaint', null, '<ours-4@example.com>'],
  ])('says to whom, why and which: %s', async (name, recipient, kind, reason, status, ours) => {
    const { bounce, automatic } = await decode(name)
    expect(bounce).toMatchObject({ recipient, kind, reason, status })
    expect(bounce?.originalMessageIds[0]).toBe(ours)
    expect(automatic).toBe(reason === 'complaint' ? 'complaint' : 'delivery_report')
  })

  it('did not, where the report says that it arrived', async () => {
    expect(await decode('arrival-report')).toMatchObject({ bounce: null, automatic: 'delivery_report' })
  })

  it.each([
    ['550 5.1.1 No such user here', 'hard', 'unknown_user'],
    ['550 Mailbox not found', 'hard', 'unknown_user'],
    ['550 5.1.2 Host or domain name not found', 'hard', 'unknown_host'],
    ['556 5.1.10 Domain does not accept mail (Null MX)', 'hard', 'no_mail_accepted'],
    ['551 5.1.6 User has moved', 'hard', 'moved'],
    ['452 4.2.2 Mailbox full', 'soft', 'mailbox_full'],
    ['450 4.1.1 User unknown, try again later', 'soft', 'unknown_user'],
    ['554 5.7.1 Message rejected as spam', 'soft', 'spam'],
    ['550 5.7.26 This mail is unauthenticated: DMARC', 'soft', 'authentication'],
    ['552 5.3.4 Message too large', 'soft', 'message_too_large'],
    ['550 5.7.1 Client host blocked using a blacklist', 'soft', 'policy'],
    ['550 5.2.1 The account is disabled', 'soft', 'mailbox_disabled'],
    ['in reply to end of DATA command: 550 user unknown', 'soft', 'unknown_user'],
  ])('with "%s" is %s: %s', async (said, kind, reason) => {
    const raw = mail(
      `\r\nThe following address failed:\r\n\r\n  bob@example.net\r\n    ${said}\r\n`,
      'Return-Path: <>\r\nFrom: Mailer-Daemon@example.com\r\nTo: help@example.com\r\nSubject: Mail delivery failed\r\n',
    )
    expect((await decodeEmail(raw)).bounce).toMatchObject({ recipient: 'bob@example.net', kind, reason })
  })

  it('is told as JSON by a provider, whose lines are broken on the way', async () => {
    const told =
      '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"bob@example.net",' +
      '"action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"headers":[{"name":"!\r\n X"}]}}'
    const { bounce, automatic } = await decodeEmail(mail(`\r\n${told}\r\n`))
    expect(bounce).toMatchObject({
      recipient: 'bob@example.net',
      kind: 'hard',
      reason: 'unknown_user',
      status: '5.1.1',
    })
    expect(automatic).toBe('delivery_report')
    expect((await decodeEmail(mail(`\r\nOur log says:\r\n${told}\r\n`))).bounce).toBeNull()
  })

  it('by a list that met it before, is told under the name of the list', async () => {
    const told = '\r\nDuplicated Message-ID in <list@example.net>.\r\n'
    const head =
      'From: admin@example.net\r\nTo: admin@example.net\r\nSubject: Loop Alert: Duplicated Message-ID (list)\r\n'
    expect((await decodeEmail(mail(told, `${head}X-MLServer: fml [fml 4.0.3]\r\n`))).bounce).toMatchObject({
      recipient: 'list@example.net',
      kind: 'soft',
    })
    expect((await decodeEmail(mail(told, head))).bounce).toBeNull()
  })

  it('is not a customer who writes about a delivery that failed', async () => {
    const raw = mail('\r\nMy parcel could not be delivered: 550 user unknown. Write to bob@example.net.')
    expect((await decodeEmail(raw)).bounce).toBeNull()
  })

  it('is not a vacation note with an empty return path', async () => {
    const raw = mail('\r\nI could not be reached. Write to bob@example.net.', `Return-Path: <>\r\n${HEAD}`)
    expect((await decodeEmail(raw)).bounce).toBeNull()
  })
})

describe('a hostile mail', () => {
  const parts = (count: number) => Array.from({ length: count }, (_, at) => `--b\r\n\r\npart ${at}\r\n`).join('')
  const nested = (depth: number) => {
    let body = 'Content-Type: text/plain\r\n\r\ndeep'
    for (let at = 0; at < depth; at += 1)
      body = `Content-Type: multipart/mixed; boundary=b${at}x\r\n\r\n--b${at}x\r\n${body}\r\n--b${at}x--\r\n`
    return mail(body)
  }

  it.each([
    [
      '10,000 parts',
      () => mail(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts(10_000)}--b--`),
      'too_many_parts',
    ],
    ['500 parts within parts', () => nested(500), 'nested_too_deep'],
    ['a header of a megabyte', () => mail(`X-Long: ${'a b '.repeat(300_000)}\r\n\r\nHello`), 'header_too_long'],
    ['nothing but null bytes', () => Buffer.alloc(100_000), 'no_sender'],
    ['nothing', () => Buffer.alloc(0), 'empty'],
    [
      'a page of tags that never end',
      () => mail(`Content-Type: text/html\r\n\r\n${'<b>'.repeat(300_000)}`),
      'html_too_long',
    ],
    ['a line of 10 MB', () => mail(`\r\n${'a'.repeat(10 * 1024 * 1024)}`), 'text_too_long'],
  ] as const)('with %s is decoded, and named', async (_, make, oddity) => {
    expect((await decodeEmail(make())).oddities).toContain(oddity)
  })

  it('that could not be decoded is known by its header and its first words', () => {
    const email = decodeHeaderOnly(mail('Auto-Submitted: auto-replied\r\n\r\nWhere is my order?'), 'too_slow')
    expect(email).toMatchObject({
      from: { address: 'ana@example.org' },
      reply: 'Where is my order?',
      automatic: 'auto_replied',
    })
    expect(email.oddities).toEqual(['header_only', 'too_slow'])
  })

  it('keeps what it can of 10,000 parts', async () => {
    const { text } = await decodeEmail(mail(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts(10_000)}--b--`))
    expect(text).toMatch(/^part 0\npart 1\n/u)
  })

  it('of any bytes at all is decoded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        sound(await decodeEmail(Buffer.from(bytes)))
      }),
      { numRuns: 500 },
    )
  })

  it('made of a real one, with pieces cut, doubled and moved, is decoded', async () => {
    const originals = readdirSync(folder)
      .filter((name) => name.endsWith('.eml'))
      .map((name) => readFileSync(new URL(name, folder)))
    const random = sequence(4711)
    for (let run = 0; run < 3_000; run += 1) {
      const original = originals[run % originals.length] as Buffer
      sound(await decodeEmail(mutated(original, originals[Math.floor(random() * originals.length)] as Buffer, random)))
    }
  })
})

/** What must be true of every mail. */
const sound = (email: DecodedEmail) => {
  const header = [
    email.subject,
    email.from?.name,
    email.from?.address,
    email.messageId,
    ...email.references,
    ...email.attachments.map(({ filename }) => filename),
  ]

  for (const value of header) expect(value ?? '').not.toMatch(/[\u0000-\u001f\u007f\u2028\u2029]/u)
  expect(email.text).not.toContain('\u0000')
  expect(email.reply === '').toBe(email.text.trim() === '')
  expect(email.html ?? '').not.toMatch(/<(?:script|style|iframe|form|input|object)|\son\w+=|javascript:|\ssrc=/iu)
  expect(email.oddities).not.toContain('header_only')
}

/** The same every time, so that what fails fails again. */
const sequence = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
  return seed / 0x7fffffff
}

const mutated = (original: Buffer, other: Buffer, random: () => number): Buffer => {
  let bytes = Buffer.from(original)
  const place = () => Math.floor(random() * (bytes.length + 1))
  for (let times = Math.ceil(random() * 4); times > 0; times -= 1) {
    const [from = 0, to = 0] = [place(), place()].sort((a, b) => a - b)
    const kind = Math.floor(random() * 5)
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, from), other.subarray(0, to), bytes.subarray(from)])
    else if (kind === 3 && bytes.length > 0) bytes[from % bytes.length] = Math.floor(random() * 256)
    else bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from('\r\n'), bytes.subarray(from)])
  }
  return bytes
}

describe('decoding beside the server, as it was built', () => {
  const load = async (): Promise<typeof DecodeEmail> => {
    const built = '../../dist/channels/email/decode.js'
    return ((await import(built)) as { decodeEmail: typeof DecodeEmail }).decodeEmail
  }
  const large = (sign: string) =>
    mail(
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello ${sign}\r\n--b\r\nContent-Type: application/pdf; name=${sign}.pdf\r\n` +
        `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.alloc(3_000_000, sign)
          .toString('base64')
          .replace(/(.{76})/gu, '$1\r\n')}\r\n--b\r\n` +
        `Content-Type: application/octet-stream; name=${sign}.bin\r\n\r\nplain ${sign}\r\n--b--\r\n`,
    )

  it('brings every file back whole, of mails that arrive together', async () => {
    const decodeBuilt = await load()
    const emails = await Promise.all(['a', 'b', 'c', 'd'].map((sign) => decodeBuilt(large(sign))))
    for (const [at, sign] of ['a', 'b', 'c', 'd'].entries()) {
      const { text, attachments, oddities } = emails[at] as DecodedEmail
      expect(oddities).toEqual([])
      expect(text.trim()).toBe(`Hello ${sign}`)
      expect(attachments.map(({ filename }) => filename)).toEqual([`${sign}.pdf`, `${sign}.bin`])
      expect(attachments[0]?.content.equals(Buffer.alloc(3_000_000, sign))).toBe(true)
      expect(attachments[1]?.content.toString()).toBe(`plain ${sign}`)
    }
  })

  it('gives up a mail that takes too long, and decodes the next', async () => {
    const built = '../../dist/channels/email/decode-thread.js'
    const { makeDecodingThread } = (await import(built)) as { makeDecodingThread: typeof MakeDecodingThread }
    const impatient = makeDecodingThread(1)
    expect(await impatient.decode(large('f'))).toBe('too_slow')
    expect(await impatient.decode(large('g'))).toBe('too_slow')
    const patient = makeDecodingThread(20_000)
    expect(await patient.decode(large('h'))).toMatchObject({ oddities: [] })
  })

  it('leaves the mail itself untouched', async () => {
    const raw = large('e')
    const before = Buffer.from(raw)
    await (
      await load()
    )(raw)
    expect(raw.equals(before)).toBe(true)
  })
})
