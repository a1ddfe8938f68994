import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser, gate } from './browser.js'
import { openDesk, OWNER, type TestDesk } from './desk.js'

describeInBrowser('the dashboard where things are not as they should be', () => {
  let desk: TestDesk

  beforeAll(async () => {
    desk = await openDesk()
  }, 60_000)
  afterAll(() => desk.close())

  const said = async (id: string, text: string) =>
    (await desk.app.call<{ messages: { text: string }[] }>(`/conversations/${id}/messages`)).body.messages.filter(
      (message) => message.text === text,
    ).length

  it('works where the browser keeps nothing: sign-in, a draft while the page lives, a reply', async () => {
    const context = await desk.browser.newContext({ baseURL: desk.app.url, locale: 'en-GB' })
    context.setDefaultTimeout(30_000)
    await context.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, {
          get: () => {
            throw new DOMException('blocked', 'SecurityError')
          },
        })
    })
    const visitor = await desk.visitor('Ines')
    await visitor.write('I would like to talk to a person.')
    const page = await context.newPage()
    const thrown: string[] = []
    page.on('pageerror', (error) => thrown.push(error.message))
    await page.goto('/inbox')
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.locator('.conversation-row', { hasText: 'Ines' }).click()
    await page.locator('.composer textarea').fill('Half a sen')
    await page.getByRole('link', { name: 'Knowledge' }).first().click()
    await page.getByRole('heading', { name: 'Knowledge' }).waitFor()
    await page.goBack()
    expect(await page.locator('.composer textarea').inputValue()).toBe('Half a sen')
    await page.locator('.composer textarea').fill('A whole sentence.')
    await page.keyboard.press('Control+Enter')
    await page.locator('.group.agent:not(.unsent) .bubble', { hasText: 'A whole sentence.' }).waitFor()
    await expect(said(visitor.conversationId, 'A whole sentence.')).resolves.toBe(1)
    expect(thrown).toEqual([])
    await context.close()
  })

  it('keeps 200,000 pasted characters, says how many are too many, and sends once however often one clicks', async () => {
    const visitor = await desk.visitor('Otto')
    await visitor.write('I would like to talk to a person.')
    const page = await desk.signedIn()
    await page.goto(`/inbox/${visitor.conversationId}`)
    const composer = page.locator('.composer textarea')
    await composer.fill('x'.repeat(200_000))
    await page.getByText('190000 characters too many.').waitFor()
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true)
    await page.reload()
    expect((await composer.inputValue()).length).toBe(200_000)
    await composer.fill('Just this.')
    await page.getByRole('button', { name: 'Send', exact: true }).dblclick()
    // What is written goes out in its order: a second copy would be there before this one.
    await composer.fill('And this.')
    await page.keyboard.press('Control+Enter')
    await page.locator('.group.agent:not(.unsent) .bubble', { hasText: 'And this.' }).waitFor()
    expect(await said(visitor.conversationId, 'Just this.')).toBe(1)
    await page.context().close()
  })

  it('asks who it is again where the session is of yesterday, and keeps what was typed', async () => {
    const visitor = await desk.visitor('Yara')
    await visitor.write('I would like to talk to a person.')
    const page = await desk.signedIn()
    await page.goto(`/inbox/${visitor.conversationId}`)
    await page.locator('.composer textarea').fill('Written before the night')
    await page.context().clearCookies()
    await page.keyboard.press('Control+Enter')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    // As what was typed, or as what could not be sent: whichever the page was at when it heard of it.
    await page.waitForFunction((text) => {
      const typed = document.querySelector<HTMLTextAreaElement>('.composer textarea')?.value
      return typed === text || document.querySelector('.unsent')?.textContent.includes(text)
    }, 'Written before the night')
    await page.context().close()
  })

  it('shows what was written between the page’s first look and its live line', async () => {
    const visitor = await desk.visitor('Lea')
    await visitor.write('I would like to talk to a person.')
    const page = await desk.signedIn()
    const line = gate()
    await page.routeWebSocket(/socket\.io/, async (socket) => {
      await line.opened
      socket.connectToServer()
    })
    await page.goto(`/inbox/${visitor.conversationId}`)
    await page.locator('.bubble', { hasText: 'I would like to talk to a person.' }).waitFor()
    await visitor.write('Nobody was told of this.')
    line.open()
    await page.locator('.bubble', { hasText: 'Nobody was told of this.' }).waitFor()
    await page.context().close()
  })

  it('shows what was written while an older answer was on its way', async () => {
    const visitor = await desk.visitor('Noor')
    await visitor.write('I would like to talk to a person.')
    const page = await desk.signedIn()
    const late = gate()
    const asked = gate()
    await page.route(`**/conversations/${visitor.conversationId}/messages*`, async (route) => {
      const response = await route.fetch()
      asked.open()
      await late.opened
      await route.fulfill({ response })
    })
    const told = page.waitForEvent('websocket').then((socket) => socket.waitForEvent('framereceived'))
    await page.goto('/inbox')
    await told
    const row = page.locator('.conversation-row', { hasText: 'Noor' })
    await row.click()
    await asked.opened
    await visitor.write('Overtaken by its own news.')
    await row.getByText('Overtaken by its own news.').waitFor()
    late.open()
    await page.locator('.bubble', { hasText: 'Overtaken by its own news.' }).waitFor()
    await page.context().close()
  })

  it('goes from the channels to the teams, which look at channels in another way', async () => {
    await desk.app.call('/teams', { body: { name: 'Billing', members: [], channels: [] } })
    const page = await desk.signedIn()
    await page.goto('/settings/channels')
    await page.getByRole('article').first().waitFor()
    await page.getByRole('link', { name: 'Teams' }).click()
    await page.getByText('Billing').first().waitFor()
    await page.context().close()
  })

  it('tells an agent in their language what was asked, and what becomes of a reply', async () => {
    const visitor = await desk.visitor('Zoé')
    await visitor.write('What is the meaning of life?')
    const page = await desk.signedIn(OWNER, { language: 'es' })
    await page.goto(`/inbox/${visitor.conversationId}`)
    await page.locator('.event.handoff blockquote').getByText('Preguntó:').waitFor()
    await page.getByRole('button', { name: 'Asignarme' }).or(page.locator('.take-over')).first().click()
    await page.getByText('Si se va, esto le espera aquí: no hay correo configurado').waitFor()
    expect(await page.locator('.timeline').innerText()).not.toMatch(/Asked:|Handed over/)
    await page.context().close()
  })

  it('shows the server’s order and times where the own clock is wrong by a year', async () => {
    const visitor = await desk.visitor('Uma')
    await visitor.write('I would like to talk to a person.')
    for (const days of [-365, 365]) {
      const page = await desk.signedIn()
      await page.clock.install({ time: Date.now() + days * 86_400_000 })
      await page.goto(`/inbox/${visitor.conversationId}`)
      await page.locator('.composer textarea').fill(`From ${days}`)
      await page.keyboard.press('Control+Enter')
      await page.clock.runFor(500)
      await page.locator('.group.agent:not(.unsent) .bubble', { hasText: `From ${days}` }).waitFor()
      const times = await page
        .locator('.timeline time')
        .evaluateAll((all) => all.map((one) => (one as HTMLTimeElement).dateTime))
      expect(times).toEqual([...times].sort())
      expect(times.length).toBeGreaterThan(0)
      for (const time of times) expect(Math.abs(new Date(time).getTime() - Date.now())).toBeLessThan(86_400_000)
      await page.context().close()
    }
  })

  it('tells owners, and nobody else, that the store is filling up and how it is moved; once a day', async () => {
    const full = { status: 'degraded', checks: { capacity: { ok: false, state: '72 % full; move it to MongoDB' } } }
    const opened = async (who?: { email: string; password: string }) => {
      const page = await desk.signedIn(who)
      await page.clock.install()
      await page.route('**/health/deep', (route) => route.fulfill({ json: full }))
      await page.goto('/inbox')
      await page.getByRole('heading', { name: 'All' }).waitFor()
      return page
    }
    const notice = (page: Page) => page.getByRole('complementary', { name: 'Room in the store' })

    const owners = await opened()
    await notice(owners).getByText('72% full').waitFor()
    expect(await notice(owners).locator('code').textContent()).toBe('npm run migrate-store -- --to URI')
    expect((await new AxeBuilder({ page: owners }).analyze()).violations).toEqual([])
    await owners.getByRole('button', { name: 'Remind me tomorrow' }).click()
    await notice(owners).waitFor({ state: 'detached' })
    await owners.reload()
    await owners.getByRole('heading', { name: 'All' }).waitFor()
    await owners.clock.fastForward('23:00:00')
    expect(await notice(owners).count()).toBe(0)
    await owners.clock.fastForward('01:10:00')
    await notice(owners).waitFor()

    const agents = await opened(await desk.colleague('Alan', 'agent'))
    await agents.waitForTimeout(500)
    expect(await notice(agents).count()).toBe(0)
    await Promise.all([owners.context().close(), agents.context().close()])
  })
})
