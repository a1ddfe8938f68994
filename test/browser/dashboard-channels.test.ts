import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

describeInBrowser('the channels of a company', () => {
  let desk: TestDesk
  let page: Page

  beforeAll(async () => {
    desk = await openDesk()
    page = await desk.signedIn()
  }, 60_000)
  afterAll(() => desk.close())

  type Kept = { id: string; name: string; settings: Record<string, unknown>; secretsSet: string[] }
  const kept = async (name: string): Promise<Kept | undefined> => {
    const { channels } = (await desk.app.call<{ channels: Kept[] }>('/channels')).body
    const id = channels.find((one) => one.name === name)?.id
    return id ? (await desk.app.call<Kept>(`/channels/${id}`)).body : undefined
  }
  const add = async (label: string) => {
    await page.getByRole('button', { name: 'Add a channel' }).click()
    await page.getByRole('menuitem', { name: label }).click()
    return page.getByRole('article', { name: `New channel: ${label}` })
  }

  it('are opened, set up and closed by an admin; a secret is never shown again, only replaced', async () => {
    await page.goto('/settings/channels')
    const form = await add('Web chat')
    await form.getByLabel('Name').fill('Shop in Spain')
    await form.getByRole('textbox', { name: 'Secret for known visitors' }).fill('a secret of thirty-two characters')
    await form.locator('summary', { hasText: 'Own words' }).click()
    await form.locator('summary', { hasText: 'Spanish' }).click()
    await form.locator('details details', { hasText: 'Spanish' }).getByLabel('Title').fill('Hola')
    await form.getByRole('button', { name: 'Open the channel' }).click()
    const card = page.getByRole('article', { name: 'Shop in Spain' })
    await card.getByText('Open', { exact: true }).waitFor()
    expect(await kept('Shop in Spain')).toMatchObject({
      settings: { texts: { es: { title: 'Hola' } } },
      secretsSet: ['identitySecret'],
    })
    expect(await page.content()).not.toContain('a secret of thirty-two')

    await card.locator('summary', { hasText: 'Own words' }).click()
    await card.locator('summary', { hasText: 'Spanish' }).click()
    await card.locator('details details', { hasText: 'Spanish' }).getByLabel('Title').fill('')
    await card.getByRole('button', { name: 'Replace: Secret for known visitors' }).click()
    await card.getByRole('textbox', { name: 'Secret for known visitors' }).fill('another secret, thirty-two characters')
    await card.getByRole('button', { name: 'Save' }).click()
    await card.getByRole('button', { name: 'Replace: Secret for known visitors' }).waitFor()
    expect((await kept('Shop in Spain'))?.settings.texts).toEqual({ es: {} })

    await card.getByRole('button', { name: 'Close the channel' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Close the channel' }).click()
    await card.waitFor({ state: 'detached' })
    expect(await kept('Shop in Spain')).toBeUndefined()
  })

  it('of any kind have their form from their settings; what a provider refuses is said, and nothing typed is lost', async () => {
    await page.goto('/settings/channels')
    const form = await add('Email')
    await form.getByLabel('Email address').fill('help@example.com')
    await form.locator('summary', { hasText: 'IMAP' }).click()
    for (const server of await form.getByLabel('Server', { exact: true }).all()) await server.fill('127.0.0.1')
    for (const port of await form.getByLabel('Port', { exact: true }).all()) await port.fill('9')
    await form.getByLabel('User name').first().fill('help')
    await form.getByRole('textbox', { name: 'Password' }).first().fill('wrong horse battery')
    await form.getByRole('button', { name: 'Open the channel' }).click()
    await form.getByRole('alert').waitFor()
    expect(await form.getByLabel('Email address').inputValue()).toBe('help@example.com')
    expect(await form.getByRole('textbox', { name: 'Password' }).first().inputValue()).toBe('wrong horse battery')
    expect(await kept('Email')).toBeUndefined()
    await form.getByRole('button', { name: 'Cancel' }).click()
    await form.waitFor({ state: 'detached' })
  })
})
