import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { openGraph } from '../support/graph.mjs'
import { openPlayer } from '../support/openai.mjs'
import { voiceNote } from '../support/recordings.mjs'
import { from, PHONE_NUMBER_ID, said, signatureOf, webhookOf } from '../support/whatsapp.js'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

describeInBrowser('a customer on WhatsApp, seen from the desk', () => {
  let desk: TestDesk
  let page: Page
  let graph: Awaited<ReturnType<typeof openGraph>>
  let player: Awaited<ReturnType<typeof openPlayer>>
  let channelId: string

  beforeAll(async () => {
    graph = await openGraph({ phoneNumberId: PHONE_NUMBER_ID })
    player = await openPlayer()
    desk = await openDesk({
      ALLOW_PRIVATE_ADDRESSES: 'true',
      OPENAI_BASE_URL: player.baseUrl,
      OPENAI_API_KEY: 'key-of-the-player',
      OPENAI_TRANSCRIPTION_MODEL: 'player-ear',
    })
    graph.offer([
      {
        name: 'order_update',
        language: 'en_US',
        status: 'APPROVED',
        category: 'UTILITY',
        components: [{ type: 'BODY', text: 'Your order {{1}} is on its way.' }],
      },
    ])
    const settings = graph.settings
    const added = await desk.app.call<{ id: string }>('/channels', { body: { kind: 'whatsapp-cloud', settings } })
    channelId = added.body.id
    page = await desk.signedIn()
  }, 90_000)
  afterAll(async () => {
    await desk.close()
    await graph.close()
    await player.close()
  })

  const post = async (body: object) => {
    const raw = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(raw, graph.secret) }
    const { status } = await fetch(`${desk.app.url}/webhooks/${channelId}`, { method: 'POST', headers, body: raw })
    expect(status).toBe(200)
  }
  type Sent = { to: string; text?: { body: string }; interactive?: { body: { text: string } }; template?: object }
  const sentTo = (waId: string) => (graph.sent() as Sent[]).filter(({ to }) => to === waId)
  const conversationOf = (waId: string) =>
    eventually(async () => {
      const { body } = await desk.app.call<{ conversations: { id: string; contact: { phone?: string } }[] }>(
        '/conversations?limit=100',
      )
      return body.conversations.find(({ contact }) => contact.phone === `+${waId}`)?.id
    })

  it('asks by voice, is answered with sources, and then by an agent who reads what was said', async () => {
    const customer = '4915123400001'
    graph.keep('770001', { bytes: voiceNote('How long can I return goods?'), type: 'audio/ogg' })
    const voice = { id: '770001', mime_type: 'audio/ogg; codecs=opus', voice: true }
    const now = String(Math.floor(new Date().getTime() / 1000))
    const message = { from: customer, id: 'wamid.browser-1', timestamp: now, type: 'audio', audio: voice }
    await post(webhookOf({ ...from(customer), messages: [message] }))
    const [answer] = await eventually(async () => sentTo(customer).length > 0 && sentTo(customer))
    expect(answer?.interactive?.body.text).toMatch(/30 days[\s\S]*Sources/)

    await page.goto(`/inbox/${await conversationOf(customer)}`)
    const figure = page.locator('figure.told')
    await figure.getByText('How long can I return goods?').waitFor()
    expect(await figure.innerText()).toContain('Heard by a machine')
    await page.locator('.assistant').getByText('30 days').first().waitFor()

    await page.getByLabel('Write to the customer').fill('Ada here: I have extended it for you.')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await eventually(async () => sentTo(customer).some(({ text }) => text?.body.startsWith('Ada here')))
    await page.locator('.group.out.agent').getByText('Ada here').waitFor()
  })

  it('who wrote more than a day ago gets an approved text, and nothing else', async () => {
    const customer = '4915123400002'
    const before = String(Math.floor(new Date().getTime() / 1000) - 26 * 3600)
    await post(said(customer, 'wamid.browser-2', 'I want to talk to a person', { timestamp: before }))
    await page.goto(`/inbox/${await conversationOf(customer)}`)
    await page.getByText('Too late for a free message').waitFor()
    await page.getByLabel('Approved text').selectOption({ label: 'order update (en_US)' })
    await page.getByLabel('Value 1').fill('4711')
    await page.locator('.unreachable').getByRole('button', { name: 'Send' }).click()
    await eventually(async () => sentTo(customer).some(({ template }) => template))
    await page.getByText('Your order 4711 is on its way.').first().waitFor()
  })

  it('who ended automatic messages is seen to have done so', async () => {
    const customer = '4915123400003'
    await post(said(customer, 'wamid.browser-3', 'STOP'))
    await page.goto(`/inbox/${await conversationOf(customer)}`)
    await page.getByText('The customer wants no more automatic messages').waitFor()
    await page.getByText('They want no automatic messages.').waitFor()
  })
})
