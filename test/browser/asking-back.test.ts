import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { HIRE } from '../support/hire.js'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

describeInBrowser('a visitor who is asked back what they mean', () => {
  let desk: TestDesk

  beforeAll(async () => {
    desk = await openDesk()
    const { body } = await desk.app.call<{ id: string }>('/knowledge/documents', {
      body: { title: 'Hire', text: HIRE },
    })
    await eventually(
      async () => (await desk.app.call<{ status: string }>(`/knowledge/documents/${body.id}`)).body.status === 'ready',
    )
  }, 60_000)
  afterAll(() => desk.close())

  const choices = (page: Page) => page.locator('helpdesk-chat .choices button')

  it('presses a choice and is answered; agents see what was offered, what was chosen, and why', async () => {
    const chat = await (await desk.context()).newPage()
    await chat.goto('/demo')
    await chat.locator('helpdesk-chat .launcher').click()
    const input = chat.locator('helpdesk-chat textarea')
    await input.fill('What about the deposit?')
    await input.press('Enter')
    await choices(chat).getByText('Renting a bicycle').click()
    await chat.locator('helpdesk-chat .said.assistant').getByText('deposit of 50 euros').waitFor()
    await eventually(async () => (await choices(chat).first().getAttribute('aria-disabled')) === 'true')
    expect(await chat.locator('helpdesk-chat .said.assistant').count()).toBe(2)

    const { body } = await desk.app.call<{ conversations: { id: string }[] }>('/conversations')
    for (const look of [{}, { theme: 'dark', language: 'ar', width: 390 }] as const) {
      const page = await desk.signedIn(undefined, look)
      await page.goto(`/inbox/${body.conversations[0]?.id}`)
      const offered = page.locator('.offered li')
      await offered.first().waitFor()
      expect((await offered.locator('bdi').allInnerTexts()).slice(0, 2).sort()).toEqual([
        'Renting a bicycle',
        'Renting a car',
      ])
      expect(await page.locator('.offered .taken bdi').allInnerTexts()).toEqual(['Renting a bicycle'])
      await page.locator('.under', { hasText: 'Renting a bicycle' }).waitFor()
      expect((await new AxeBuilder({ page }).include('.timeline').analyze()).violations).toEqual([])
      await page.locator('.under button').first().click()
      await page.locator('.decision').getByText('Renting a car').waitFor()
      await page.context().close()
    }
    await chat.context().close()
  })
})
