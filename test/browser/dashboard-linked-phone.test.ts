import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Locator, Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { openSimulatedPhone, type SimulatedPhone } from '../support/simulated-phone.mjs'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

const ANA = { name: 'Ana Souza', key: { remoteJid: '5511987650001@s.whatsapp.net' } }
const BEN = { name: 'Ben Okoro', key: { remoteJid: '2348030000002@s.whatsapp.net' } }
/** WhatsApp hides who they are, and they have no name. */
const HIDDEN = { key: { remoteJid: '77001122334455@lid' } }

type Listed = { id: string; handler: string; contact: { name?: string }; lastMessage: { excerpt: string } }

describeInBrowser('a company’s phone', () => {
  let desk: TestDesk
  let phone: SimulatedPhone
  let page: Page
  let card: Locator

  beforeAll(async () => {
    desk = await openDesk({ ALLOW_PRIVATE_ADDRESSES: 'true' })
    phone = await openSimulatedPhone()
    page = await desk.signedIn()
    card = page.getByRole('article', { name: 'Shop phone' })
  }, 60_000)
  afterAll(async () => {
    await desk.close()
    await phone.close()
  })

  const conversations = async () =>
    (await desk.app.call<{ conversations: Listed[] }>('/conversations')).body.conversations
  const conversationOf = (words: string) =>
    eventually(async () => (await conversations()).find(({ lastMessage }) => lastMessage.excerpt.includes(words)))
  const statusOf = async (id: string, text: string) =>
    (
      await desk.app.call<{ messages: { text: string; status: string }[] }>(`/conversations/${id}/messages`)
    ).body.messages.find((message) => message.text === text)?.status
  const says = async (words: string) => {
    await page.locator('.composer textarea').fill(words)
    await page.locator('.composer textarea').press('Control+Enter')
  }
  const words = () => phone.sent.map(({ content }) => content.text)

  it('is linked by an admin who was told the risk: by a picture, the next one, or a code for its number', async () => {
    await page.goto('/settings/channels')
    await page.getByRole('button', { name: 'Add a channel' }).click()
    await page.getByRole('menuitem', { name: 'WhatsApp (linked phone, unofficial)' }).click()
    const form = page.getByRole('article', { name: /^New channel: WhatsApp \(linked/ })
    await form.getByText('its terms do not allow unofficial clients').waitFor()
    await form.getByText('libsignal is under the GPL-3.0').waitFor()
    await form.getByLabel('Name').fill('Shop phone')
    await form.getByLabel('Address of the simulator').fill(phone.url)
    await form.getByRole('button', { name: 'Open the channel' }).click()

    const picture = card.getByRole('img', { name: 'Picture for the phone to scan' })
    await picture.waitFor()
    await card
      .getByRole('timer')
      .getByText(/Good for \d+ more seconds/)
      .waitFor()
    const drawn = () => picture.locator('path').getAttribute('d')
    const first = await drawn()
    expect(first!.length).toBeGreaterThan(500)
    await card.getByRole('button', { name: 'Show a new picture' }).click()
    await eventually(async () => (await drawn().catch(() => first)) !== first)

    await card.getByText('Nothing to scan with?').click()
    await card.getByRole('textbox', { name: 'The phone’s number' }).first().fill('911 222')
    await card.getByRole('button', { name: 'Show a code' }).click()
    await card.getByRole('alert').getByText('country code').waitFor()
    await card.getByRole('textbox', { name: 'The phone’s number' }).first().fill('+351 911 222 333')
    await card.getByRole('button', { name: 'Show a code' }).click()
    await card.locator('.pairing-code', { hasText: 'SIMU' }).waitFor()
    expect(await card.locator('.pairing-code').innerText()).toContain('1234')

    phone.scan()
    await card.getByText('Connected', { exact: true }).waitFor()
    expect(await card.locator('.pairing').count()).toBe(0)
  })

  it('brings what customers write, and takes the assistant’s answer and then the agent’s back to them', async () => {
    phone.says(ANA, 'How long can I return goods?')
    await eventually(async () => words().some((text) => text?.includes('30 days')))
    expect(phone.sent[0]!.to).toBe('5511987650001@s.whatsapp.net')
    const { id } = await conversationOf('30 days')
    await page.goto(`/inbox/${id}`)
    await page.locator('.bubble', { hasText: 'How long can I return goods?' }).waitFor()
    await page.getByRole('button', { name: 'Take over' }).click()
    await says('Hello Ana, this is Ada.')
    await eventually(async () => words().at(-1) === 'Hello Ana, this is Ada.')
    await eventually(async () => (await statusOf(id, 'Hello Ana, this is Ada.')) === 'read')
  })

  it('keeps the assistant quiet once somebody answers on the phone itself', async () => {
    phone.says(BEN, 'How long can I return goods?')
    await eventually(async () => phone.sent.some(({ to }) => to === BEN.key.remoteJid))
    const { id } = await conversationOf('30 days')
    phone.says(BEN, 'I look into it, Ben.', { own: true })
    await eventually(async () => (await desk.app.call<Listed>(`/conversations/${id}`)).body.handler === 'agent')
    const before = phone.sent.length
    phone.says(BEN, 'When are you open?')
    await page.goto(`/inbox/${id}`)
    await page.locator('.bubble', { hasText: 'I look into it, Ben.' }).waitFor()
    await page.locator('.talk-head .chip', { hasText: 'Agent' }).waitFor()
    await page.locator('.bubble', { hasText: 'When are you open?' }).waitFor()
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(phone.sent).toHaveLength(before)
  })

  it('shows nobody a hidden id, as a number or at all', async () => {
    phone.says(HIDDEN, 'Who am I to you?')
    const { id } = await conversationOf('Who am I to you?')
    await page.goto(`/inbox/${id}`)
    await page.locator('.bubble', { hasText: 'Who am I to you?' }).waitFor()
    await page.locator('section.person').waitFor()
    expect(await page.content()).not.toContain('77001122334455')
    const { contactId } = (await desk.app.call<{ contactId: string }>(`/conversations/${id}`)).body
    for (const route of ['', `/${id}`, `/${id}/messages`]) {
      const { body } = await desk.app.call(`/conversations${route}`)
      expect(JSON.stringify(body)).not.toContain('77001122334455')
    }
    const known = (await desk.app.call<{ contact: object }>(`/contacts/${contactId}`)).body
    expect(JSON.stringify(known)).not.toContain('77001122334455')
    expect(known.contact).not.toHaveProperty('phone')
    expect((await conversations()).length).toBeGreaterThan(0)
    const found = await desk.app.call<{ conversations: Listed[] }>('/conversations?q=77001122334455')
    expect(found.body.conversations).toEqual([])
  })

  it('says of a message whose fate nobody knows that it is uncertain, and does not repeat it', async () => {
    const { id } = await conversationOf('When are you open?')
    await page.goto(`/inbox/${id}`)
    phone.takes('unknown')
    await says('We open at nine.')
    const bubble = page.locator('.bubble', { hasText: 'We open at nine.' })
    await bubble.waitFor()
    await page.getByText('Perhaps not delivered').waitFor()
    phone.takes('taken')
    phone.lose()
    await says('Until later!')
    await eventually(async () => words().at(-1) === 'Until later!')
    expect(words()).not.toContain('We open at nine.')
    expect(await statusOf(id, 'We open at nine.')).toBe('uncertain')
  }, 30_000)

  it('that WhatsApp refuses is tried again when somebody says so', async () => {
    await page.goto('/inbox')
    await page.getByRole('heading', { name: 'All' }).waitFor()
    phone.lose(403)
    await page.getByText('A channel needs you').click()
    await card.getByText('The provider refuses this number.').waitFor()
    await card.getByRole('button', { name: 'Connect again' }).click()
    await card.getByText('Connected', { exact: true }).waitFor()
  })

  it('that was unlinked says so at once, and offers to link it again', async () => {
    await page.goto('/settings/channels')
    await card.getByText('Connected', { exact: true }).waitFor()
    phone.lose(401)
    await card.getByText('Refused', { exact: true }).waitFor()
    await card.getByText('The phone was unlinked').waitFor()
    await card.getByRole('button', { name: 'Show a new code' }).click()
    await card.locator('.pairing-code').waitFor()
    await card.getByRole('button', { name: 'Scan a picture instead' }).click()
    await card.getByRole('img', { name: 'Picture for the phone to scan' }).waitFor()
    phone.scan()
    await card.getByText('Connected', { exact: true }).waitFor()
  })
})
