import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { describeInBrowser } from './browser.js'
import { openDesk, OWNER, type TestDesk } from './desk.js'

describeInBrowser('the dashboard', () => {
  let desk: TestDesk
  let page: Page

  beforeAll(async () => {
    desk = await openDesk()
    page = await desk.signedIn()
  }, 60_000)
  afterAll(() => desk.close())

  const bubble = (on: Page, text: string) => on.locator('.bubble', { hasText: text })
  const row = (on: Page, name: string) => on.locator('.conversation-row', { hasText: name })
  const open = async (on: Page, conversationId: string) => {
    await on.goto(`/inbox/${conversationId}`)
    await on.locator('.composer textarea').waitFor()
  }
  const handler = async (id: string) => (await desk.app.call<{ handler: string }>(`/conversations/${id}`)).body.handler
  const said = async (id: string, text: string) =>
    (await desk.app.call<{ messages: { text: string }[] }>(`/conversations/${id}/messages`)).body.messages.filter(
      (message) => message.text === text,
    ).length

  it('lets in who signs in, says what is wrong with a password, and keeps the address that was asked for', async () => {
    const stranger = await (await desk.context()).newPage()
    await stranger.goto('/settings/profile')
    await stranger.getByLabel('Email').fill(OWNER.email)
    await stranger.getByLabel('Password', { exact: true }).fill('a wrong password')
    await stranger.getByRole('button', { name: 'Sign in' }).click()
    await stranger.getByText('The email or the password is wrong.').waitFor()
    await stranger.getByLabel('Password', { exact: true }).fill(OWNER.password)
    await stranger.getByRole('button', { name: 'Sign in' }).click()
    await stranger.getByRole('heading', { name: 'Profile' }).waitFor()
    await stranger.locator('.self').click()
    await stranger.getByRole('menuitem', { name: 'Sign out' }).click()
    await stranger.getByRole('heading', { name: 'Sign in' }).waitFor()
    await stranger.context().close()
  })

  it('takes an invited person in by a link that works once, and hides its token', async () => {
    const { body } = await desk.app.call<{ setupUrl: string }>('/people', {
      body: { email: 'grace@example.com', name: 'Grace', role: 'agent' },
    })
    const invited = await (await desk.context()).newPage()
    await invited.goto(body.setupUrl)
    await invited.getByRole('heading', { name: 'Welcome to Support' }).waitFor()
    expect(new URL(invited.url()).hash).toBe('')
    expect(await invited.getByLabel('Email').inputValue()).toBe('grace@example.com')
    await invited.getByLabel('Password', { exact: true }).fill('short')
    await invited.getByText('7 more characters.').waitFor()
    await invited.getByLabel('Password', { exact: true }).fill(OWNER.password)
    await invited.getByRole('button', { name: 'Create account' }).click()
    await invited.getByRole('heading', { name: 'All' }).waitFor()
    // An agent is not offered what an agent may not do.
    expect(await invited.getByRole('link', { name: 'API keys' }).count()).toBe(0)
    await invited.goto(body.setupUrl)
    await invited.getByText('This link does not open anything').waitFor()
    await invited.context().close()
  })

  it('shows a conversation as it happens: the question, the answer with its sources, the reason of a handover', async () => {
    await page.goto('/inbox')
    await page.getByRole('heading', { name: 'All' }).waitFor()
    const visitor = await desk.visitor('Mei Tanaka')
    await visitor.write('How long can I return goods?')
    await row(page, 'Mei Tanaka').click()
    await bubble(page, 'How long can I return goods?').waitFor()
    await page.locator('.sources button').first().click()
    await page.locator('.sources blockquote').waitFor()
    await page.getByRole('button', { name: 'Why this answer?' }).first().click()
    await page.getByRole('heading', { name: 'Why this answer' }).waitFor()
    await page.getByText(/passages? considered/).waitFor()

    await visitor.write('Is my neighbour allowed to collect the parcel with a photo of my passport?')
    await page.locator('.event.handoff').getByText('Handed over to people').waitFor()
    await page.locator('.event.handoff blockquote').getByText('photo of my passport').waitFor()
    await page.locator('.side').getByText('Waiting for a person').click()
    await row(page, 'Mei Tanaka').waitFor()
  })

  it('lets an agent take over, answer, leave a note, resolve and hand back', async () => {
    const visitor = await desk.visitor('Noah Williams')
    await visitor.write('How long can I return goods?')
    const id = visitor.conversationId
    await eventually(async () => (await visitor.reads()).length > 1)
    await open(page, id)
    await page.getByRole('button', { name: 'Take over' }).click()
    await page.locator('.talk-head .chip', { hasText: 'You' }).waitFor()
    await page.keyboard.press('r')
    await page.keyboard.type('Hello Noah, this is Ada.')
    await page.keyboard.press('Control+Enter')
    await bubble(page, 'Hello Noah, this is Ada.').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('n')
    await page.keyboard.type('He called before.')
    await page.keyboard.press('Control+Enter')
    // What is written goes out in its order: when the note has arrived, so has what was said before it.
    await page.locator('.group.note:not(.unsent) .bubble', { hasText: 'He called before.' }).waitFor()
    expect((await visitor.reads()).map(({ text }) => text)).toContain('Hello Noah, this is Ada.')
    expect((await visitor.reads()).map(({ text }) => text)).not.toContain('He called before.')

    await page.keyboard.press('Escape')
    await page.keyboard.press('e')
    await page.locator('.talk-head .chip', { hasText: 'Resolved' }).waitFor()
    await page.keyboard.press('e')
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Hand back to the assistant' }).click()
    await eventually(async () => (await handler(id)) === 'assistant')
  })

  it('shows two agents each other’s doings', async () => {
    const other = await desk.signedIn(await desk.colleague('Linus', 'agent'))
    const visitor = await desk.visitor('Sofia Almeida')
    await visitor.write('Is there a discount for choirs?')
    await eventually(async () => (await handler(visitor.conversationId)) === 'nobody')
    await open(page, visitor.conversationId)
    await open(other, visitor.conversationId)
    await other.getByRole('button', { name: 'Assign to me' }).click()
    await page.locator('.talk-head .chip', { hasText: 'Linus' }).waitFor()
    await page.getByText('In the hands of Linus').waitFor()
    await other.locator('.composer textarea').fill('Yes, ten per cent.')
    await other.locator('.composer textarea').press('Control+Enter')
    await bubble(page, 'Yes, ten per cent.').waitFor()
    expect(await bubble(other, 'Yes, ten per cent.').count()).toBe(1)
    await other.context().close()
  })

  it('keeps what is written through a lost line, and sends it once when the line is back', async () => {
    const visitor = await desk.visitor('Jonas Keller')
    await visitor.write('Do you repair zips?')
    await eventually(async () => (await handler(visitor.conversationId)) === 'nobody')
    const away = await desk.signedIn()
    await open(away, visitor.conversationId)
    await away.context().setOffline(true)
    await away.locator('.composer textarea').fill('We do, free of charge.')
    await away.locator('.composer textarea').press('Control+Enter')
    await away.locator('.unsent .bubble').waitFor()
    await away.getByText('The connection is lost.').waitFor({ timeout: 40_000 })
    await visitor.write('And buttons?')
    await away.context().setOffline(false)
    await bubble(away, 'And buttons?').waitFor()
    await away.locator('.unsent').waitFor({ state: 'detached' })
    expect(await bubble(away, 'We do, free of charge.').count()).toBe(1)
    expect(await said(visitor.conversationId, 'We do, free of charge.')).toBe(1)
    await away.context().close()
  }, 90_000)

  it('sends once what is sent while the answer of the server is lost, through a reload in the middle', async () => {
    const visitor = await desk.visitor('Amina Haddad')
    await visitor.write('Can a gift be wrapped in blue?')
    await eventually(async () => (await handler(visitor.conversationId)) === 'nobody')
    const unlucky = await desk.signedIn()
    await open(unlucky, visitor.conversationId)
    let lost = 0
    await unlucky.route('**/messages', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      await route.fetch()
      lost += 1
      await route.abort('connectionreset')
    })
    await unlucky.locator('.composer textarea').fill('In blue, gladly.')
    await unlucky.locator('.composer textarea').press('Control+Enter')
    await eventually(async () => lost >= 2)
    await unlucky.unroute('**/messages')
    await unlucky.reload()
    await bubble(unlucky, 'In blue, gladly.').waitFor()
    await unlucky.locator('.unsent').waitFor({ state: 'detached' })
    expect(await bubble(unlucky, 'In blue, gladly.').count()).toBe(1)
    expect(await said(visitor.conversationId, 'In blue, gladly.')).toBe(1)
    await unlucky.context().close()
  }, 60_000)

  it('keeps a draft per conversation through a reload, and says when it is too long', async () => {
    const visitor = await desk.visitor('Tomás Rivera')
    await visitor.write('How long can I return goods?')
    await open(page, visitor.conversationId)
    await page.locator('.composer textarea').fill('Dear Tomás, ')
    await page.reload()
    expect(await page.locator('.composer textarea').inputValue()).toBe('Dear Tomás, ')
    await page.locator('.composer textarea').fill('x'.repeat(200_000))
    await page.getByText('190000 characters too many.').waitFor()
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true)
    await page.locator('.composer textarea').fill('')
  })

  it('tells a person whose right was taken away while the page was open, and one who was removed', async () => {
    const colleague = await desk.colleague('Edsger', 'supervisor')
    const theirs = await desk.signedIn(colleague)
    await theirs.goto('/settings/channels')
    await theirs.getByRole('heading', { name: 'Channels' }).waitFor()
    await desk.app.call(`/people/${colleague.id}`, { method: 'PATCH', body: { role: 'viewer' } })
    await theirs.getByText('This is not open to you any more').waitFor()
    await theirs.goto('/inbox')
    await row(theirs, 'Tomás Rivera').click()
    await theirs.getByText('Your role reads along; it does not write.').waitFor()
    await desk.app.call(`/people/${colleague.id}`, { method: 'DELETE' })
    await theirs.getByRole('heading', { name: 'Sign in' }).waitFor()
    await theirs.context().close()
  })

  it('brings documents in, says how far they are and why one cannot be read, answers from them, and lets go of them', async () => {
    await page.goto('/knowledge')
    await page.getByRole('heading', { name: 'Knowledge' }).waitFor()
    await page.locator('input[type=file]').setInputFiles([
      {
        name: 'gift-cards.md',
        mimeType: 'text/markdown',
        buffer: Buffer.from(
          '# Gift cards\n\nA gift card from our shop is valid for five years from the day of purchase.\n',
        ),
      },
      { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\nnothing of the kind') },
    ])
    await page.locator('.rows li', { hasText: 'Gift cards' }).getByText('passage').waitFor()
    await page.locator('.bad-text').first().waitFor()
    await page.getByLabel('Question', { exact: true }).fill('For how many years is a gift card valid?')
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await page.locator('.try .bubble', { hasText: 'five years' }).waitFor()
    await page.getByRole('button', { name: 'Remove Gift cards' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.locator('.rows li', { hasText: 'Gift cards' }).waitFor({ state: 'detached' })
  })

  it('invites, makes a key that is shown once, pauses the assistant, changes the language and the theme', async () => {
    await page.goto('/settings/people')
    await page.getByRole('button', { name: 'Invite somebody' }).click()
    // Its styles come with it: a dialog that one can see through passes every other test.
    const surface = await page
      .locator('.mantine-Modal-content')
      .evaluate((element) => getComputedStyle(element).backgroundColor)
    expect(surface).toBe('rgb(255, 255, 255)')
    await page.getByLabel('Name', { exact: true }).fill('Barbara')
    await page.getByLabel('Email').fill('barbara@example.com')
    await page.getByRole('button', { name: 'Invite', exact: true }).dblclick()
    expect(await page.locator('.copyable code').textContent()).toMatch(/\/setup#.{20,}/)
    const { people } = (await desk.app.call<{ people: { email: string }[] }>('/people')).body
    expect(people.filter(({ email }) => email === 'barbara@example.com')).toHaveLength(1)
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    await page.locator('.rows li', { hasText: 'Barbara' }).getByText('Invited').waitFor()

    await page.goto('/settings/keys')
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.getByLabel('What it is for').fill('Order system')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByText('Copy the key now').waitFor()

    await page.goto('/settings/company')
    await page.getByRole('switch', { name: 'The assistant answers customers' }).click()
    await page.getByText('The assistant is paused.').waitFor()
    await page.getByRole('switch', { name: 'The assistant answers customers' }).click()
    await page.getByText('The assistant answers again.').waitFor()

    await page.goto('/settings/profile')
    await page.getByLabel('Language').selectOption('ar')
    await page.waitForFunction(() => document.documentElement.dir === 'rtl')
    await page.reload()
    await page.waitForFunction(() => document.documentElement.dir === 'rtl')
    await page.locator('select').first().selectOption('en')
    await page.getByLabel('Theme').selectOption('dark')
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark')
    await page.getByLabel('Theme').selectOption('light')
  })

  it('works by keyboard alone: skip link, list, palette; single keys can be switched off', async () => {
    await page.goto('/inbox')
    await page.locator('.conversation-row').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('skip')
    await page.keyboard.press('Enter')
    await page.keyboard.press('j')
    await page.waitForURL(/\/inbox\/cnv/)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Commands' }).fill('api ke')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'API keys' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog').getByText('Send').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.evaluate(() => localStorage.setItem('helpdesk.singleKeys', 'off'))
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.evaluate(() => localStorage.removeItem('helpdesk.singleKeys'))
  })

  it('breaks no rule of its content security policy, and throws nothing', async () => {
    const watched = await desk.signedIn()
    const faults: string[] = []
    watched.on('console', (line) => line.type() === 'error' && faults.push(line.text()))
    watched.on('pageerror', (error) => faults.push(error.message))
    for (const path of [
      '/inbox',
      '/knowledge',
      '/settings/people',
      '/settings/keys',
      '/settings/company',
      '/settings/profile',
    ]) {
      await watched.goto(path)
      await watched.getByRole('heading').first().waitFor()
      await watched.keyboard.press('Control+k')
      await watched.getByRole('dialog').waitFor()
    }
    expect(faults).toEqual([])
    await watched.context().close()
  })
})
