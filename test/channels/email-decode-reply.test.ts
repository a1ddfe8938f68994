import { describe, expect, it } from '@jest/globals'
import { decodeEmail } from '../../src/channels/email/decode.js'

const decode = (body: string, subject = 'Re: Your order', type = 'text/plain') =>
  decodeEmail(
    Buffer.from(
      `From: Ana <ana@example.org>\r\nTo: help@example.com\r\nSubject: ${subject}\r\nMessage-ID: <1@example.org>\r\n` +
        `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body.replace(/\n/gu, '\r\n')}`,
    ),
  )

const replyOf = async (body: string, subject?: string) => (await decode(body, subject)).reply
const htmlReplyOf = async (body: string, subject?: string) => (await decode(body, subject, 'text/html')).reply

/** Client and language → how it introduces what it quotes. */
const INTRODUCTIONS: Record<string, string> = {
  'Gmail, English': 'On Tue, Mar 5, 2024 at 10:00 AM Help Desk <help@example.com> wrote:',
  'Gmail, English, broken by its own width':
    'On Tue, Mar 5, 2024 at 10:00 AM Help Desk of the Example Company\n<help@example.com> wrote:',
  'Gmail, Portuguese': 'Em ter., 5 de mar. de 2024 às 10:00, Help Desk <help@example.com>\nescreveu:',
  'Gmail, Spanish': 'El mar, 5 mar 2024 a las 10:00, Help Desk (<help@example.com>) escribió:',
  'Gmail, French': 'Le mar. 5 mars 2024 à 10:00, Help Desk <help@example.com> a écrit :',
  'Gmail, German': 'Am Di., 5. März 2024 um 10:00 Uhr schrieb Help Desk <\nhelp@example.com>:',
  'Gmail, Italian': 'Il giorno mar 5 mar 2024 alle ore 10:00 Help Desk <help@example.com>\nha scritto:',
  'Gmail, Dutch': 'Op di 5 mrt 2024 om 10:00 schreef Help Desk <help@example.com>:',
  'Gmail, Polish': 'wt., 5 mar 2024 o 10:00 Help Desk <help@example.com> napisał(a):',
  'Gmail, Russian': 'вт, 5 мар. 2024 г. в 10:00, Help Desk <help@example.com>:',
  'Gmail, Japanese': '2024年3月5日(火) 10:00 Help Desk <help@example.com>:',
  'Gmail, Chinese': 'Help Desk <help@example.com> 于2024年3月5日周二 10:00写道：',
  'Apple Mail, English': 'On 5 Mar 2024, at 10:00, Help Desk <help@example.com> wrote:',
  'Apple Mail, German': 'Am 05.03.2024 um 10:00 schrieb Help Desk <help@example.com>:',
  'Apple Mail, French': 'Le 5 mars 2024 à 10:00, Help Desk <help@example.com> a écrit :',
  'Apple Mail, Spanish': 'El 5 mar 2024, a las 10:00, Help Desk <help@example.com> escribió:',
  'Apple Mail, Portuguese': 'No dia 5 de mar. de 2024, às 10:00, Help Desk <help@example.com> escreveu:',
  'Apple Mail, Italian': 'Il giorno 5 mar 2024, alle ore 10:00, Help Desk <help@example.com> ha scritto:',
  'Apple Mail, Japanese': '2024/03/05 10:00、Help Desk <help@example.com>のメール:',
  'Apple Mail, Chinese': '在 2024年3月5日，10:00，Help Desk <help@example.com> 写道：',
  'Thunderbird, English': 'On 05/03/2024 10:00, Help Desk wrote:',
  'Thunderbird, German': 'Am 05.03.2024 um 10:00 schrieb Help Desk:',
  'Thunderbird, Dutch': 'Op 05-03-2024 om 10:00 schreef Help Desk:',
  'Thunderbird, Polish': 'W dniu 5.03.2024 o 10:00, Help Desk pisze:',
  'Thunderbird, Russian': '05.03.2024 10:00, Help Desk пишет:',
  'Yahoo, English': ' On Tuesday, March 5, 2024 at 10:00:00 AM GMT+1, Help Desk <help@example.com> wrote:  ',
  'Yandex, Russian': '05.03.2024, 10:00, "Help Desk" <help@example.com>:',
  'Mail.ru': 'Вторник, 5 марта 2024, 10:00 +03:00 от Help Desk <help@example.com>:',
  'NetEase 163, Chinese': '在 2024-03-05 10:00:00，"Help Desk" <help@example.com> 写道：',
  'Thunderbird, French': 'Le 05/03/2024 à 10:00, Help Desk a écrit :',
  'Thunderbird, Italian': 'Il 05/03/2024 10:00, Help Desk ha scritto:',
  'Thunderbird, Spanish': 'El 05/03/2024 a las 10:00, Help Desk escribió:',
  'Thunderbird, Portuguese': 'Em 05/03/2024 10:00, Help Desk escreveu:',
  'Thunderbird, Japanese': 'On 2024/03/05 10:00, Help Desk wrote:',
  'Apple Mail, Polish': 'Wiadomość napisana przez Help Desk <help@example.com> w dniu 5 mar 2024, o godz. 10:00:',
  'Apple Mail, Russian': '5 марта 2024 г., в 10:00, Help Desk <help@example.com> написал(а):',
  'Apple Mail, Dutch': 'Op 5 mrt 2024, om 10:00 heeft Help Desk <help@example.com> het volgende geschreven:',
  'Yahoo, Spanish': 'El martes, 5 de marzo de 2024, 10:00:00 CET, Help Desk <help@example.com> escribió:',
  'Yahoo, German': 'Am Dienstag, 5. März 2024 um 10:00:00 MEZ hat Help Desk <help@example.com> Folgendes geschrieben:',
  'Yahoo, French': 'Le mardi 5 mars 2024 à 10:00:00 UTC+1, Help Desk <help@example.com> a écrit :',
  'Gmail, Chinese of Taiwan': 'Help Desk <help@example.com> 於 2024年3月5日 週二 上午10:00寫道：',
  'Gmail, Korean': '2024년 3월 5일 (화) 오전 10:00, Help Desk <help@example.com>님이 작성:',
  'Gmail, Turkish': 'Help Desk <help@example.com>, 5 Mar 2024 Sal, 10:00 tarihinde şunu yazdı:',
  'Gmail, Swedish': 'Den tis 5 mars 2024 kl 10:00 skrev Help Desk <help@example.com>:',
  'Roundcube, German': 'Am 2024-03-05 10:00, schrieb Help Desk:',
  Horde: 'Quoting Help Desk <help@example.com>:',
  'Horde, German': 'Zitat von Help Desk <help@example.com>:',
  Evolution: 'On Tue, 2024-03-05 at 10:00 +0100, Help Desk wrote:',
  'K-9 Mail, German': 'Am 5. März 2024 10:00:00 MEZ schrieb Help Desk <help@example.com>:',
  Fastmail: 'On Tue, 5 Mar 2024, at 10:00 AM, Help Desk wrote:',
  Front: 'On March 5, 2024 at 10:00 AM GMT+1 help@example.com wrote:',
  mutt: '* Help Desk <help@example.com> [2024-03-05 10:00]:',
  'Outlook on a Mac': 'On 05/03/2024, 10:00, "Help Desk" <help@example.com> wrote:',
  'a name first, German': 'Help Desk schrieb am 05.03.24 um 10:00:',
  'ProtonMail, English': 'On Tuesday, March 5th, 2024 at 10:00, Help Desk <help@example.com> wrote:',
}

/** Clients that put the old header above an unmarked original. */
const HEADERS: Record<string, string> = {
  'Outlook, English':
    'From: Help Desk <help@example.com>\nSent: Tuesday, March 5, 2024 10:00\nTo: Ana\nSubject: Your order',
  'Outlook, English, under a rule':
    '________________________________\nFrom: Help Desk <help@example.com>\nSent: Tuesday, March 5, 2024 10:00\nTo: Ana\nCc: Bob\nSubject: Your order',
  'Outlook, German':
    'Von: Help Desk <help@example.com>\nGesendet: Dienstag, 5. März 2024 10:00\nAn: Ana\nBetreff: Ihre Bestellung',
  'Outlook, French':
    'De : Help Desk <help@example.com>\nEnvoyé : mardi 5 mars 2024 10:00\nÀ : Ana\nObjet : Votre commande',
  'Outlook, Spanish':
    'De: Help Desk <help@example.com>\nEnviado el: martes, 5 de marzo de 2024 10:00\nPara: Ana\nAsunto: Su pedido',
  'Outlook, Portuguese':
    'De: Help Desk <help@example.com>\nEnviada em: terça-feira, 5 de março de 2024 10:00\nPara: Ana\nAssunto: Seu pedido',
  'Outlook, Italian':
    'Da: Help Desk <help@example.com>\nInviato: martedì 5 marzo 2024 10:00\nA: Ana\nOggetto: Il suo ordine',
  'Outlook, Dutch':
    'Van: Help Desk <help@example.com>\nVerzonden: dinsdag 5 maart 2024 10:00\nAan: Ana\nOnderwerp: Uw bestelling',
  'Outlook, Polish':
    'Od: Help Desk <help@example.com>\nWysłano: wtorek, 5 marca 2024 10:00\nDo: Ana\nTemat: Zamówienie',
  'Outlook, Russian': 'От: Help Desk <help@example.com>\nОтправлено: 5 марта 2024 г. 10:00\nКому: Ana\nТема: Ваш заказ',
  'Outlook, Japanese': '差出人: Help Desk <help@example.com>\n送信日時: 2024年3月5日 10:00\n宛先: Ana\n件名: ご注文',
  'Outlook, Chinese': '发件人: Help Desk <help@example.com>\n发送时间: 2024年3月5日 10:00\n收件人: Ana\n主题: 您的订单',
  'Outlook in bold':
    '*From:* Help Desk <help@example.com>\n*Sent:* Tuesday, March 5, 2024 10:00\n*To:* Ana\n*Subject:* Your order',
  'Outlook 2003':
    '-----Original Message-----\nFrom: Help Desk\nSent: Tuesday, March 5, 2024 10:00\nTo: Ana\nSubject: Your order',
  'Outlook 2003, German':
    '-----Ursprüngliche Nachricht-----\nVon: Help Desk\nGesendet: Dienstag, 5. März 2024 10:00\nAn: Ana\nBetreff: Ihre Bestellung',
  Samsung:
    '-------- Original message --------\nFrom: Help Desk <help@example.com>\nDate: 05/03/2024 10:00 (GMT+01:00)\nTo: Ana\nSubject: Your order',
  'Samsung, Spanish':
    '-------- Mensaje original --------\nDe: Help Desk <help@example.com>\nFecha: 5/3/24 10:00 (GMT+01:00)\nA: Ana\nAsunto: Su pedido',
  QQ: '------------------ 原始邮件 ------------------\n发件人: "Help Desk" <help@example.com>;\n发送时间: 2024年3月5日(星期二) 上午10:00\n收件人: "Ana"<ana@example.org>;\n主题: 您的订单',
  'QQ, English':
    '------------------ Original ------------------\nFrom: "Help Desk" <help@example.com>;\nDate: Tue, Mar 5, 2024 10:00 AM\nTo: "Ana"<ana@example.org>;\nSubject: Your order',
  GMX: 'Gesendet: Dienstag, 05. März 2024 um 10:00 Uhr\nVon: Help Desk <help@example.com>\nAn: Ana <ana@example.org>\nBetreff: Ihre Bestellung',
  'T-Online':
    '-----Original-Nachricht-----\nBetreff: Ihre Bestellung\nDatum: 2024-03-05T10:00:00+0100\nVon: Help Desk <help@example.com>\nAn: Ana',
  'Zimbra, French':
    '----- Mail original -----\nDe: "Help Desk" <help@example.com>\nÀ: "Ana" <ana@example.org>\nEnvoyé: Mardi 5 Mars 2024 10:00:00\nObjet: Votre commande',
  'NetEase, its newer way':
    '---- Replied Message ----\n| From | Help Desk<help@example.com> |\n| Date | 03/05/2024 10:00 |\n| To | Ana |\n| Subject | Your order |',
  'Outlook for iOS, German':
    '________________________________\nVon: Help Desk <help@example.com>\nGesendet: Dienstag, März 5, 2024 10:00\nAn: Ana <ana@example.org>\nBetreff: Ihre Bestellung',
  'a ticket system': '##- Please type your reply above this line -##\n\nYour request has been received.',
}

const QUOTED = '> Dear Ana,\n>\n> which colour was it?\n>\n> Help Desk'
const UNQUOTED = 'Dear Ana,\n\nwhich colour was it?\n\nHelp Desk'

describe('what a customer answered', () => {
  it.each(Object.entries(INTRODUCTIONS))('stands alone, without what %s quotes', async (_, introduction) => {
    expect(await replyOf(`The blue one.\n\n${introduction}\n\n${QUOTED}\n`)).toBe('The blue one.')
    expect(await replyOf(`The blue one.\n\n${introduction}\n\n${UNQUOTED}\n`)).toBe('The blue one.')
  })

  it.each(Object.entries(HEADERS))('stands alone, without the original below the header of %s', async (_, header) => {
    expect(await replyOf(`The blue one.\n\n${header}\n\n${UNQUOTED}\n`)).toBe('The blue one.')
  })

  it('stands alone below the quote, for those who answer there', async () => {
    expect(await replyOf(`On 05/03/2024 10:00, Help Desk wrote:\n${QUOTED}\n\nThe blue one.\n`)).toBe('The blue one.')
  })

  it('is kept between the quotes, for those who answer line by line', async () => {
    const body = 'On 05/03/2024 10:00, Help Desk wrote:\n> Which colour?\n\nBlue.\n\n> Which size?\n\nLarge.\n'
    expect(await replyOf(body)).toBe('Blue.\n\nLarge.')
  })

  it('keeps every word beside it: the whole text is there', async () => {
    const { text, reply } = await decode(`Blue.\n\nOn 05/03/2024 10:00, Help Desk wrote:\n${QUOTED}\n`)
    expect(reply).toBe('Blue.')
    expect(text).toContain('> which colour was it?')
  })

  it('is never empty where the mail is not', async () => {
    expect(await replyOf(QUOTED)).toContain('which colour')
    expect(await replyOf('-- \nAna\n')).toContain('Ana')
    expect(await replyOf('Sent from my iPhone')).toBe('Sent from my iPhone')
    expect(await replyOf(`On 05/03/2024 10:00, Help Desk wrote:\n${QUOTED}\n`)).toContain('which colour')
  })

  it('keeps an error message that the customer marks like a quote', async () => {
    const body = 'I get this:\n\n> npm ERR! code ENOENT\n> npm ERR! syscall open\n\nWhat can I do?\n'
    expect(await replyOf(body, 'Installation')).toContain('npm ERR! code ENOENT')
  })

  it.each([
    ['a route', 'From: Berlin\nTo: Paris\nDate: 5 May 2024\n\nCan you book this for me?'],
    ['a list of fields', 'Name: Ana\nOrder: 4711\nDate: 5 May\n\nPlease change it.'],
    ['a sentence that begins like an introduction', 'On Monday I wrote:\nnobody answered. On 5 May I called. Why?'],
    ['two dashes within a line', 'It works -- sometimes.\n\nWhy?'],
    ['a rule of dashes', 'First part\n----------\nSecond part, with more to say.'],
    [
      'a sentence about where it was sent',
      'It was sent from my office in Rome, and it never arrived.\nSent from my desk, where else.',
    ],
    ['a list with dashes', 'I need:\n\n- Paris\n- Rome'],
    ['a year and a colon', 'In 2024 we paid the following: 100 euros.'],
  ])('keeps %s', async (_, body) => {
    expect(await replyOf(body)).toBe(body)
  })

  it('takes no more time for the longest of quotes', async () => {
    const body = `Blue.\n\nOn 05/03/2024 10:00, Help Desk wrote:\n${'> > line\n'.repeat(50_000)}`
    expect(await replyOf(body)).toBe('Blue.')
  })
})

describe('a signature', () => {
  it.each([
    ['behind two dashes', '-- \nAna Costa\nExample Ltd'],
    ['behind two dashes whose space got lost', '--\nAna Costa'],
    ['of an iPhone', 'Sent from my iPhone'],
    ['of an iPhone, German', 'Von meinem iPhone gesendet'],
    ['of an iPhone, Spanish', 'Enviado desde mi iPhone'],
    ['of an iPhone, Portuguese', 'Enviado do meu iPhone'],
    ['of an iPhone, French', 'Envoyé de mon iPhone'],
    ['of an iPhone, Italian', 'Inviato da iPhone'],
    ['of an iPhone, Dutch', 'Verstuurd vanaf mijn iPhone'],
    ['of an iPhone, Polish', 'Wysłane z iPhone’a'],
    ['of an iPhone, Russian', 'Отправлено с iPhone'],
    ['of an iPhone, Japanese', 'iPhoneから送信'],
    ['of an iPhone, Chinese', '发自我的iPhone'],
    ['of Outlook on a phone', 'Get Outlook for iOS<https://aka.ms/o0ukef>'],
    ['of Android, German', 'Diese Nachricht wurde von meinem Android-Gerät mit GMX Mail gesendet.'],
    ['of Samsung', 'Sent from my Samsung Galaxy smartphone.'],
    ['of Yahoo', 'Sent from Yahoo Mail for iPhone'],
    ['of ProtonMail', 'Sent with Proton Mail secure email.'],
    [
      'of a mailing list',
      '_______________________________________________\nusers mailing list\nusers@lists.example.org\nhttps://lists.example.org/users',
    ],
    [
      'with a legal notice',
      'This e-mail and any attachments are confidential and intended solely for the use of the person to whom they are addressed.',
    ],
    [
      'with a legal notice, German',
      'Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind, vernichten Sie diese Mail.',
    ],
  ])('%s is no part of what was written', async (_, signature) => {
    expect(await replyOf(`The blue one.\n\n${signature}\n`)).toBe('The blue one.')
    expect(await replyOf(`The blue one.\n\n${signature}\n\nOn 05/03/2024 10:00, Help Desk wrote:\n${QUOTED}\n`)).toBe(
      'The blue one.',
    )
  })

  it('does not take with it what is written about confidential mail', async () => {
    const body =
      'Is this e-mail confidential?\n\nI ask because our lawyer wants to know it before we send you the contract and all its parts.'
    expect(await replyOf(body)).toBe(body)
  })
})

describe('a forward', () => {
  const forwarded =
    'From: Shop <shop@example.net>\nDate: Tue, 5 Mar 2024\nSubject: Invoice\nTo: Ana\n\nPlease pay 10 euros.'

  it.each([
    ['Gmail', '---------- Forwarded message ---------'],
    ['Apple Mail', 'Begin forwarded message:'],
    ['Thunderbird', '-------- Forwarded Message --------'],
    ['Thunderbird, German', '-------- Weitergeleitete Nachricht --------'],
    ['Gmail, Portuguese', '---------- Mensagem encaminhada ---------'],
    ['Gmail, French', '---------- Message transféré ---------'],
  ])('by %s is the content', async (_, marker) => {
    const reply = await replyOf(`Is this real?\n\n${marker}\n${forwarded}\n`, 'Fwd: Invoice')
    expect(reply).toContain('Is this real?')
    expect(reply).toContain('Please pay 10 euros.')
  })

  it('by Outlook, which marks it in the subject only, is the content', async () => {
    const header = 'From: Shop <shop@example.net>\nSent: Tuesday, March 5, 2024 10:00\nTo: Ana\nSubject: Invoice'
    expect(await replyOf(`Is this real?\n\n${header}\n\nPlease pay 10 euros.`, 'FW: Invoice')).toContain('Please pay')
    expect(await replyOf(`Is this real?\n\n${header}\n\nPlease pay 10 euros.`, 'RE: Invoice')).toBe('Is this real?')
  })

  it('without a word of the sender is the content', async () => {
    expect(await replyOf(`---------- Forwarded message ---------\n${forwarded}`, 'Fwd: Invoice')).toContain(
      'Please pay',
    )
  })
})

describe('a mail that has only HTML', () => {
  it.each([
    [
      'Gmail',
      '<div dir="ltr">The blue one.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Tue, Mar 5, 2024 at 10:00 AM Help &lt;<a href="mailto:help@example.com">help@example.com</a>&gt; wrote:<br></div><blockquote class="gmail_quote">Which colour?</blockquote></div>',
    ],
    [
      'Outlook on the web',
      '<div>The blue one.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Help &lt;help@example.com&gt;<br><b>Sent:</b> Tuesday, March 5, 2024 10:00<br><b>To:</b> Ana<br><b>Subject:</b> Order</div><div>Which colour?</div>',
    ],
    [
      'Outlook',
      '<p class=MsoNormal>The blue one.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class=MsoNormal><b>Von:</b> Help &lt;help@example.com&gt; <br><b>Gesendet:</b> Dienstag, 5. März 2024 10:00<br><b>An:</b> Ana<br><b>Betreff:</b> Order</p></div><p>Which colour?</p>',
    ],
    [
      'Apple Mail',
      '<html><body>The blue one.<br><div><br><blockquote type="cite"><div>On 5 Mar 2024, at 10:00, Help &lt;help@example.com&gt; wrote:</div><br><div>Which colour?</div></blockquote></div></body></html>',
    ],
    [
      'Thunderbird',
      '<p>The blue one.</p><div class="moz-cite-prefix">On 05/03/2024 10:00, Help wrote:<br></div><blockquote type="cite" cite="mid:1@example.com">Which colour?</blockquote>',
    ],
    [
      'Yahoo',
      '<div>The blue one.</div><div id="yahoo_quoted_123" class="yahoo_quoted"><div>On Tuesday, March 5, 2024, Help &lt;help@example.com&gt; wrote:</div><div>Which colour?</div></div>',
    ],
    [
      'ProtonMail',
      '<div>The blue one.</div><div class="protonmail_signature_block"><div>Sent with <a href="https://proton.me">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">On Tuesday, March 5th, 2024 at 10:00, Help wrote:<br><blockquote type="cite">Which colour?</blockquote></div>',
    ],
    [
      'Outlook on a phone',
      '<div>The blue one.</div><div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/o">Outlook for iOS</a></div><hr><div id="divRplyFwdMsg"><b>From:</b> Help &lt;help@example.com&gt;<br><b>Sent:</b> Tuesday, March 5, 2024<br><b>To:</b> Ana<br><b>Subject:</b> Order</div>Which colour?',
    ],
    [
      'Gmail with a signature',
      '<div>The blue one.</div><div class="gmail_signature"><b>Ana Costa</b><br>Example Ltd</div><br><div class="gmail_quote">On Tue, Mar 5, 2024 at 10:00 AM Help &lt;help@example.com&gt; wrote:<br><blockquote class="gmail_quote">Which colour?</blockquote></div>',
    ],
    [
      'QQ',
      '<div>The blue one.</div><div><br></div><div>------------------ Original ------------------</div><div><b>From:</b> "Help" &lt;help@example.com&gt;;</div><div><b>Date:</b> Tue, Mar 5, 2024</div><div><b>Subject:</b> Order</div><div>Which colour?</div>',
    ],
  ])('of %s is answered without its quote', async (_, html) => {
    expect(await htmlReplyOf(html)).toBe('The blue one.')
  })

  it('keeps answers between quotes', async () => {
    const html =
      '<div class="gmail_quote">On Tue, Mar 5, 2024 at 10:00 AM Help &lt;help@example.com&gt; wrote:<br><blockquote class="gmail_quote">Which colour?</blockquote><div>Blue.</div><blockquote class="gmail_quote">Which size?</blockquote><div>Large.</div></div>'
    expect(await htmlReplyOf(html)).toBe('Blue.\n\nLarge.')
  })

  it('is read with its lines and lists, without what is hidden from its reader', async () => {
    const html =
      '<style>p{}</style><p>Hello,</p><p>I need<br>two things:</p><ul><li>one</li><li>two</li></ul><div style="display:none">preheader</div><script>alert(1)</script>'
    expect(await htmlReplyOf(html)).toBe('Hello,\n\nI need\ntwo things:\n\n- one\n- two')
  })
})
