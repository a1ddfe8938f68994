import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { fieldOf, letter, type Letter } from '../support/email.mjs'
import { openSmtp, type Smtp } from '../support/smtp.mjs'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

const SECRET = 'a secret between the provider and us'
const ADDRESS = 'support@acme.example'

describeInBrowser('mail in the inbox', () => {
  let desk: TestDesk
  let smtp: Smtp
  let page: Page
  let channelId: string

  beforeAll(async () => {
    desk = await openDesk({ ALLOW_PRIVATE_ADDRESSES: 'true' })
    smtp = await openSmtp()
    const made = await desk.app.call<{ id: string }>('/channels', {
      body: {
        kind: 'email',
        settings: {
          address: ADDRESS,
          webhookSecret: SECRET,
          smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
          perMinute: 10_000,
        },
      },
    })
    channelId = made.body.id
    page = await desk.signedIn()
  }, 60_000)
  afterAll(async () => {
    await desk.close()
    await smtp.close()
  })

  const handIn = async (raw: string) => {
    const seconds = Math.floor(Date.now() / 1_000)
    const mac = createHmac('sha256', SECRET).update(`${seconds}.${raw}`).digest('hex')
    const headers = { 'x-helpdesk-signature': `t=${seconds},v1=${mac}` }
    const sent = await fetch(`${desk.app.url}/webhooks/${channelId}`, { method: 'POST', body: raw, headers })
    expect(sent.status).toBe(200)
  }
  const write = (given: Letter) => handIn(letter(given))
  const conversationWith = (text: string) =>
    eventually(async () => {
      const { conversations } = (
        await desk.app.call<{ conversations: { id: string; lastMessage: { excerpt: string } }[] }>(
          `/conversations?channel=${channelId}`,
        )
      ).body
      for (const { id } of conversations) {
        const { messages } = (await desk.app.call<{ messages: { text: string }[] }>(`/conversations/${id}/messages`))
          .body
        if (messages.some((message) => message.text.includes(text))) return id
      }
      return null
    })
  const open = async (id: string, on = page) => {
    await on.goto(`/inbox/${id}`)
    await on.locator('.composer textarea').waitFor()
  }

  it('says to which conversation a stranger’s answer may belong, and leads there', async () => {
    await write({ from: 'ana@customer.example', subject: 'Goods', text: 'How long can I return goods? (ana)' })
    const sent = await eventually(async () => smtp.sent.find(({ to }) => to.includes('ana@customer.example')))
    const inReplyTo = fieldOf(sent.raw, 'Message-ID') ?? ''
    await write({ from: 'ana@home.example', subject: 'Re: Goods', text: 'Writing from home (home)', inReplyTo })
    const first = await conversationWith('(ana)')
    await open(await conversationWith('(home)'))
    await page.getByText('somebody who took no part there wrote it').waitFor()
    await page.getByRole('link', { name: 'May belong to another conversation' }).click()
    await page.waitForURL(`**/inbox/${first}*`)
  })

  it('marks a forged sender, and shows the whole mail without running or fetching any of it', async () => {
    const body =
      '<p>Hello <b>there</b> (forged)</p><script>parent.document.title="run"</script><img src="https://evil.example/pixel.png" width="80">'
    const raw = letter({
      from: 'bo@customer.example',
      subject: 'Look',
      text: body,
      headers: { 'Authentication-Results': 'mx.acme.example; dmarc=fail' },
    }).replace('Content-Type: text/plain', 'Content-Type: text/html')
    await handIn(raw)
    await open(await conversationWith('(forged)'))
    await page.getByText('Perhaps not from this sender').waitFor()
    const asked: string[] = []
    page.on('request', (request) => void asked.push(request.url()))
    await page.getByRole('button', { name: 'Whole mail' }).click()
    const frame = page.frameLocator('iframe[title="The mail as it came"]')
    await frame.locator('b', { hasText: 'there' }).waitFor()
    expect(asked.filter((url) => url.includes('evil.example'))).toEqual([])
    expect(await page.title()).not.toBe('run')
    await page.keyboard.press('Escape')
  })

  it('says that a mail waits for its server, and lets a person cancel it before it ever leaves', async () => {
    await write({ from: 'dora@customer.example', subject: 'Price', text: 'How long can I return goods? (dora)' })
    const id = await conversationWith('(dora)')
    await eventually(async () => smtp.sent.find(({ to }) => to.includes('dora@customer.example')))
    smtp.behave({ kind: 'defer', at: 'rcpt' })
    await open(id)
    await page.locator('.composer textarea').fill('It costs nothing at all.')
    await page.keyboard.press('Control+Enter')
    const mine = page.locator('.group.agent', { hasText: 'It costs nothing at all.' })
    await mine.getByText(/Waits · next try/).waitFor()
    await mine.getByRole('button', { name: 'Do not send' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Do not send' }).click()
    await mine.getByText(/Cancelled by .+, never sent/).waitFor()
    smtp.behave({ kind: 'take' })
    const after = 'It costs ten euros.'
    await page.locator('.composer textarea').fill(after)
    await page.keyboard.press('Control+Enter')
    await eventually(async () => smtp.sent.find(({ raw }) => raw.includes(after)))
    expect(smtp.sent.some(({ raw }) => raw.includes('It costs nothing at all.') && !raw.includes(after))).toBe(false)
    expect(await mine.getByRole('button', { name: 'Do not send' }).count()).toBe(0)
  })

  it('says before one writes that mail to this address came back, and no more when it works again', async () => {
    await write({ from: 'cy@customer.example', subject: 'Lamp', text: 'How long can I return goods? (cy)' })
    const sent = await eventually(async () => smtp.sent.find(({ to }) => to.includes('cy@customer.example')))
    const ours = fieldOf(sent.raw, 'Message-ID') ?? ''
    await handIn(
      [
        'Return-Path: <>',
        'From: Mailer-Daemon@customer.example',
        `To: ${ADDRESS}`,
        'Subject: Mail delivery failed',
        'Message-ID: <bounce@customer.example>',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; customer.example',
        '',
        'Final-Recipient: rfc822; cy@customer.example',
        'Action: failed',
        'Status: 5.1.1',
        '',
        '--b',
        'Content-Type: text/rfc822-headers',
        '',
        `Message-ID: ${ours}`,
        '',
        '--b--',
        '',
      ].join('\r\n'),
    )
    const id = await conversationWith('(cy)')
    await open(id)
    await page.getByText('Mail to this address came back.').waitFor()
    await write({ from: 'cy@customer.example', text: 'I am back (cy2)', inReplyTo: ours })
    await conversationWith('(cy2)')
    await open(id)
    await page.locator('.bubble', { hasText: 'I am back (cy2)' }).waitFor()
    expect(await page.getByText('Mail to this address came back.').count()).toBe(0)
  })

  it.each([
    ['ar', 390, 'dark'],
    ['pt-BR', 390, 'light'],
    ['es', 1440, 'dark'],
  ] as const)('reads the same in %s, %d pixels wide, %s', async (language, width, theme) => {
    const other = await desk.signedIn(undefined, { language, width, theme })
    await open(await conversationWith('(home)'), other)
    await other.locator('.under a[href^="/inbox/"]').waitFor()
    const overflow = await other.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBe(0)
    await other.context().close()
  })
})
