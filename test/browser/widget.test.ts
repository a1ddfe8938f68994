import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { describeInBrowser, openBrowser } from './browser.js'
import { hum } from '../support/recordings.mjs'
import { openSite, openStage, type Stage } from './stage.js'

const CITATION = { documentId: 'doc_1', passageId: 'psg_1', title: 'Parcels', quote: 'Three days to Norway.' }
const ANSWER = { text: 'A parcel takes three days. [1]', citations: [{ ...CITATION, headings: ['Norway'], page: 4 }] }
/** What a careful site allows: nothing but its own files and the chat's server. */
const strictPolicy = (server: string) =>
  `default-src 'none'; script-src ${server}; connect-src ${server} ${server.replace('http', 'ws')}; require-trusted-types-for 'script'`

/** One pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** What the loader leaves on a page. */
type WithChat = { Helpdesk(...command: unknown[]): void }

type Look = { width?: number; dark?: boolean; language?: string; path?: string; init?: () => void }

describeInBrowser('the chat on somebody’s site', () => {
  let browser: Browser
  let stage: Stage
  let site: Awaited<ReturnType<typeof openSite>>
  let contexts: BrowserContext[]
  let faults: string[]

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    contexts = []
    faults = []
    stage = await openStage()
    site = await openSite(
      (path) =>
        `<!doctype html><html lang="${new URL(path, 'http://x').searchParams.get('lang') ?? 'en'}"><title>Shop</title>
<body><h1>Shop</h1><a href="/other">Other page</a><script src="${stage.url}/widget.js" data-channel="${path.includes('unknown') ? 'no-such-key' : stage.key}" async></script></body></html>`,
      { 'content-security-policy': strictPolicy(stage.url) },
    )
  })
  afterEach(async () => {
    for (const context of contexts) await context.close()
    await site.close()
    await stage.close()
  })

  const contextOf = async ({ width = 1280, dark = false, language = 'en', init }: Look = {}) => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      locale: language,
    })
    context.setDefaultTimeout(30_000)
    if (init) await context.addInitScript(init)
    contexts.push(context)
    return context
  }
  const visit = async (look: Look = {}, context?: BrowserContext): Promise<Page> => {
    const page = await (context ?? (await contextOf(look))).newPage()
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (line) => {
      if (/Content Security Policy|Trusted/i.test(line.text())) faults.push(line.text())
    })
    await page.goto(`${site.url}${look.path ?? `/?lang=${look.language ?? 'en'}`}`)
    return page
  }
  const launcher = (page: Page) => page.locator('helpdesk-chat .launcher')
  const input = (page: Page) => page.locator('helpdesk-chat textarea')
  const open = async (look: Look = {}, context?: BrowserContext): Promise<Page> => {
    const page = await visit(look, context)
    await launcher(page).click()
    await input(page).waitFor()
    return page
  }
  const write = async (page: Page, text: string) => {
    await input(page).fill(text)
    await input(page).press('Enter')
  }
  const until = async (holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('it did not happen in half a minute')
  }
  const bubbles = (page: Page, whose: string) => page.locator(`helpdesk-chat .said.${whose} .bubble`).allInnerTexts()
  const focused = (page: Page) =>
    page.evaluate(() => {
      const active = document.activeElement?.shadowRoot?.activeElement
      return active?.tagName === 'TEXTAREA' ? 'input' : active?.className.split(' ')[0]
    })

  it('asks, sees who answers, and reads the passage that the answer rests on', async () => {
    const page = await open()
    await write(page, 'How long does a parcel take?')
    await until(() => stage.received().length === 1 && stage.listening() > 0)
    stage.say(ANSWER)
    await page.getByText('A parcel takes three days.').waitFor()
    expect(await page.locator('helpdesk-chat header h2').innerText()).toBe('Assistant')
    await page.getByRole('button', { name: 'Source 1: Parcels' }).click()
    await page.getByText('Before it.').waitFor()
    expect(await page.locator('helpdesk-chat mark').innerText()).toBe('Three days to Norway.')
    expect(await page.locator('helpdesk-chat .place').innerText()).toBe('Norway › page 4')
    await page.keyboard.press('Escape')
    await until(async () => (await focused(page)) === 'mark')
    await page.keyboard.press('Escape')
    expect(await page.locator('helpdesk-chat .panel').count()).toBe(0)
    expect(await focused(page)).toBe('launcher')
    expect(faults).toEqual([])
  })

  const offer = (...labels: string[]) =>
    stage.say({
      text: 'Which of these do you mean?',
      choices: [
        ...labels.map((label) => ({ kind: 'place' as const, label, title: 'Hire', documentId: 'doc_1', headings: [] })),
        { kind: 'person', label: 'Talk to a person' },
      ],
    })
  const offered = (page: Page) => page.locator('helpdesk-chat .choices button')
  const areOpen = async (page: Page) =>
    offered(page).evaluateAll((all) => all.map((one) => one.getAttribute('aria-disabled') !== 'true'))

  it('is asked which of several things is meant, chooses one by the keyboard, once, and is answered', async () => {
    const page = await open()
    await write(page, 'What about the deposit?')
    await until(() => stage.received().length === 1 && stage.listening() > 0)
    offer('Renting a car', 'Renting a bicycle')
    await offered(page).first().waitFor()
    expect(await offered(page).allInnerTexts()).toEqual(['Renting a car', 'Renting a bicycle', 'Talk to a person'])
    expect(await areOpen(page)).toEqual([true, true, true])
    expect((await new AxeBuilder({ page }).include('helpdesk-chat').analyze()).violations).toEqual([])
    await offered(page).nth(1).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await until(() => stage.received().length === 2)
    expect(stage.received()[1]).toBe('Renting a bicycle')
    await until(async () => (await areOpen(page)).every((isOpen) => !isOpen))
    // Whoever chose by the keyboard is still where they were.
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent)).toBe(
      'Renting a bicycle',
    )
    stage.say(ANSWER)
    await page.getByText('A parcel takes three days.').waitFor()
    await offered(page).first().click({ force: true })
    await write(page, 'Thank you')
    await until(() => stage.received().length === 3)
    expect(stage.received()[2]).toBe('Thank you')
    expect(faults).toEqual([])
  })

  it('can no longer choose what was overtaken, by words or by a person', async () => {
    const page = await open()
    await write(page, 'What about the deposit?')
    await until(() => stage.received().length === 1 && stage.listening() > 0)
    offer('Renting a car', 'Renting a bicycle')
    await offered(page).first().waitFor()
    await write(page, 'How do I pay?')
    await until(() => stage.received().length === 2)
    await until(async () => (await areOpen(page)).every((isOpen) => !isOpen))
    stage.change({ handler: 'assistant', working: false })
    offer('Cards', 'Cash')
    await until(async () => (await offered(page).count()) === 6)
    expect(await areOpen(page)).toEqual([false, false, false, true, true, true])
    stage.change({ handler: 'agent', agent: 'Ana' })
    await until(async () => (await areOpen(page)).every((isOpen) => !isOpen))
  })

  it('chooses in Arabic, from right to left, a name in other letters', async () => {
    const page = await open({ language: 'ar', width: 390 })
    await write(page, 'ماذا عن العربون؟')
    await until(() => stage.received().length === 1 && stage.listening() > 0)
    offer('استئجار سيارة', 'Bicycle (city)', 'A name that is so long that it does not stand in one line of a telephone')
    await offered(page).first().waitFor()
    const [panel, ...boxes] = await Promise.all([
      page.locator('helpdesk-chat .panel').boundingBox(),
      ...[0, 1, 2].map((at) => offered(page).nth(at).boundingBox()),
    ])
    for (const box of boxes) {
      expect(box!.x).toBeGreaterThanOrEqual(panel!.x)
      expect(box!.x + box!.width).toBeLessThanOrEqual(panel!.x + panel!.width)
      expect(box!.height).toBeGreaterThanOrEqual(24)
    }
    // The first stands at the right.
    expect(boxes[0]!.x).toBeGreaterThan(panel!.x + panel!.width / 2)
    await offered(page).nth(1).click()
    await until(() => stage.received().length === 2)
    expect(stage.received()[1]).toBe('Bicycle (city)')
  })

  it('shows proved sentences as they come, takes them back, and has a screen reader read the answer once', async () => {
    const page = await open()
    await write(page, 'How long?')
    await until(() => stage.received().length === 1 && stage.listening() > 0)
    await page.evaluate(() => {
      const log = document.querySelector('helpdesk-chat')?.shadowRoot?.querySelector('[role=log]')
      const heard: string[] = []
      Object.assign(window, { heard })
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
          for (const node of addedNodes) if (node.textContent) heard.push(node.textContent)
      }).observe(log as Element, { childList: true, subtree: true })
    })
    stage.sentence(0, 'A wrong start.')
    await page.getByText('A wrong start.').waitFor()
    stage.withdraw()
    await page.getByText('A wrong start.').waitFor({ state: 'detached' })
    stage.sentence(0, 'It takes three days. [1]', [CITATION])
    stage.sentence(1, 'Customs may add one. [1]', [CITATION])
    await page.getByText('Customs may add one.').waitFor()
    expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([])
    stage.say({ text: 'It takes three days. [1] Customs may add one. [1]', citations: [CITATION] })
    await page.locator('helpdesk-chat .sources').waitFor()
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard)
    expect(heard.filter((text) => text.includes('three days'))).toHaveLength(1)
    expect(await page.getByText('It takes three days.').count()).toBe(1)
  })

  it('always says who has the conversation', async () => {
    const page = await open()
    const head = page.locator('helpdesk-chat header')
    await page.getByRole('button', { name: 'Talk to a person' }).click()
    await until(() => stage.listening() > 0)
    expect(stage.received()).toEqual(['I would like to talk to a person.'])
    stage.change({ handler: 'nobody', askEmail: true, opensAt: new Date('2026-03-02T09:00:00Z') })
    await page.getByText('Our team is back on Monday').waitFor()
    await head.getByText('Waiting for a person').waitFor()
    await page.getByLabel('Email address').fill('not an address')
    await page.getByRole('button', { name: 'Leave address' }).click()
    await page.getByText('This is not an email address.').waitFor()
    await page.getByLabel('Email address').fill('jane@example.com')
    await page.getByRole('button', { name: 'Leave address' }).click()
    await page.getByLabel('Email address').waitFor({ state: 'detached' })
    stage.change({ handler: 'agent', agent: 'Ana' })
    stage.say({ author: { kind: 'agent', name: 'Ana' }, text: 'Hello, I am here.' })
    await head.getByText('Ana').waitFor()
    expect(await page.getByRole('button', { name: 'Talk to a person' }).count()).toBe(0)
  })

  it('believes what it hears live over an answer that was on its way', async () => {
    const page = await open()
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let isHeld = false
    await page.route('**/webchat/messages*', async (route) => {
      if (route.request().method() !== 'GET') return route.continue()
      const response = await route.fetch()
      isHeld = true
      await held
      await route.fulfill({ response })
    })
    await write(page, 'hello')
    await until(() => isHeld && stage.listening() > 0)
    stage.change({ handler: 'agent', agent: 'Ana' })
    await page.locator('helpdesk-chat header').getByText('Ana').waitFor()
    const read = page.waitForResponse('**/webchat/messages*')
    release()
    await read
    await page.waitForTimeout(200)
    expect(await page.locator('helpdesk-chat header h2').innerText()).toBe('Ana')
  })

  it('keeps what was written while the server is gone, over a reload, and sends it once and in order', async () => {
    const page = await open()
    await write(page, 'one')
    await until(() => stage.listening() > 0)
    await stage.goAway()
    for (const text of ['two', 'three']) await write(page, text)
    await input(page).fill('half a sentence')
    await page.getByText('No connection.').waitFor()
    await until(async () => (await page.getByText('Kept; sent when the connection is back').count()) === 2)
    await stage.comeBack()
    await page.reload()
    await until(() => stage.received().length === 3)
    // It was open before: it is again, and takes no focus.
    expect(await focused(page)).toBeUndefined()
    expect(stage.received()).toEqual(['one', 'two', 'three'])
    expect(await input(page).inputValue()).toBe('half a sentence')
    await until(async () => (await bubbles(page, 'own')).join() === 'one,two,three')
    await until(async () => (await page.locator('helpdesk-chat .waiting').count()) === 0)
  })

  it('catches up with what it missed although the server is too busy to say it at once', async () => {
    const page = await open()
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    await stage.goAway()
    stage.say({ text: 'Said meanwhile.' })
    let busy = 0
    await page.route('**/webchat/messages*', async (route) => {
      if (busy >= 2) return route.continue()
      // Before the line is back nothing is counted: what is asked then is asked again anyway.
      if (stage.listening() > 0) busy += 1
      await route.fulfill({ status: 503, json: { error: { code: 'busy', message: 'Not now.' } } })
    })
    await stage.comeBack()
    await page.getByText('Said meanwhile.').waitFor()
    await page.getByText('No connection.').waitFor({ state: 'detached' })
    stage.say({ text: 'Said live.' })
    await page.getByText('Said live.').waitFor()
  })

  it('sends one copy, however often the word that it arrived is lost', async () => {
    const page = await open()
    let lost = 0
    await page.route('**/webchat/messages', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      lost += 1
      await route.fetch()
      await route.abort()
    })
    await write(page, 'only once')
    await until(async () => lost > 0 && (await page.locator('helpdesk-chat .waiting').count()) === 0)
    expect(stage.received()).toEqual(['only once'])
    expect(await bubbles(page, 'own')).toEqual(['only once'])
  })

  it.each([
    ['later than itself', true],
    ['at once', false],
  ])('shows a message once when its acknowledgement comes %s', async (_when, isLate) => {
    const page = await open()
    await write(page, 'first')
    await until(() => stage.listening() > 0)
    let isAcknowledged = false
    await page.route('**/webchat/messages', async (route) => {
      const response = await route.fetch()
      // The live line has said it before.
      if (isLate) await until(async () => (await page.locator('helpdesk-chat .waiting').count()) === 0)
      await route.fulfill({ response })
      isAcknowledged = true
    })
    const counts: number[] = []
    await write(page, 'second')
    for (let looksAfter = 0; looksAfter < 8; looksAfter += Number(isAcknowledged)) {
      counts.push((await bubbles(page, 'own')).filter((text) => text === 'second').length)
      await page.waitForTimeout(40)
    }
    expect(Math.max(...counts)).toBe(1)
    expect(stage.received()).toEqual(['first', 'second'])
  })

  it('is the same conversation in every tab', async () => {
    const context = await contextOf()
    const one = await open({}, context)
    await write(one, 'from the first tab')
    await until(() => stage.listening() === 1)
    const two = await open({ path: '/other' }, context)
    await two.getByText('from the first tab').waitFor()
    await write(two, 'from the second tab')
    await one.getByText('from the second tab').waitFor()
    stage.say({ text: 'To both.' })
    await one.getByText('To both.').waitFor()
    await two.getByText('To both.').waitFor()
    expect(await bubbles(one, 'own')).toEqual(['from the first tab', 'from the second tab'])
  })

  it('counts what was said while the chat was closed, also on the next page', async () => {
    const page = await open()
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    stage.say({ text: 'Seen at once.' })
    await page.getByText('Seen at once.').waitFor()
    await page.keyboard.press('Escape')
    stage.say({ text: 'One.' })
    stage.say({ text: 'Two.' })
    await page.locator('helpdesk-chat .badge', { hasText: '2' }).waitFor()
    await page.goto(`${site.url}/other`)
    await page.locator('helpdesk-chat .badge', { hasText: '2' }).waitFor()
    expect(await launcher(page).getAttribute('aria-label')).toBe('Open the chat: 2 new')
    await launcher(page).click()
    await page.getByText('Two.').waitFor()
    expect(await page.locator('helpdesk-chat .badge').count()).toBe(0)
  })

  it('begins anew, and says so, when the session is not known any more', async () => {
    const page = await open()
    await write(page, 'before')
    await until(() => stage.listening() > 0)
    await page.evaluate(
      (key) => localStorage.setItem(`helpdesk:${key}`, '{"token":"of.yesterday","identity":null}'),
      stage.key,
    )
    await stage.goAway()
    await stage.comeBack()
    await page.getByText('Your earlier conversation has ended.').waitFor()
    await write(page, 'after')
    await until(() => stage.received().includes('after'))
    expect(await page.getByText('Your earlier conversation has ended.').count()).toBe(0)
  })

  it('says that there is no chat under an unknown key, and keeps what was typed', async () => {
    const page = await open({ path: '/unknown' })
    await write(page, 'anybody?')
    await page.getByText('This chat is not open at this moment.').waitFor()
    await page.getByText('Kept; sent when the connection is back').waitFor()
  })

  it('says that the chat was closed, and goes on by itself when it is open again', async () => {
    const page = await open()
    await write(page, 'one')
    await until(() => stage.listening() > 0)
    stage.closeChannel()
    await write(page, 'two')
    await page.getByText('This chat is not open at this moment.').waitFor()
    stage.openChannel()
    await page.keyboard.press('Escape')
    await launcher(page).click()
    await until(() => stage.received().length === 2)
    await page.getByText('This chat is not open at this moment.').waitFor({ state: 'detached' })
  })

  it('says in the visitor’s language that the server cannot be reached before the chat is even loaded', async () => {
    const page = await visit({ language: 'es' })
    await launcher(page).waitFor()
    await page.route('**/widget/*', (route) => route.abort())
    await launcher(page).click()
    await page.getByText('No se puede acceder al chat').waitFor()
    await page.unroute('**/widget/*')
    await launcher(page).click()
    await input(page).waitFor()
  })

  it('works where storage is blocked', async () => {
    const page = await open({
      init: () => {
        for (const name of ['localStorage', 'sessionStorage'])
          Object.defineProperty(window, name, {
            get: () => {
              throw new DOMException('blocked', 'SecurityError')
            },
          })
      },
    })
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    stage.say({ text: 'Hello back.' })
    await page.getByText('Hello back.').waitFor()
    expect(faults).toEqual([])
  })

  it('works for visitors whose clock is wrong by a year', async () => {
    const context = await contextOf()
    const page = await context.newPage()
    await page.clock.setSystemTime(new Date('2027-12-24T12:00:00Z'))
    await page.goto(site.url)
    await launcher(page).click()
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    stage.say({ text: 'Hello back.' })
    await page.getByText('Hello back.').waitFor()
  })

  it('takes a paste of 200,000 characters without losing it or sending it', async () => {
    const page = await open()
    await input(page).fill('x'.repeat(200_000))
    await page.getByText(/200,000 of 10,000 characters/).waitFor()
    await input(page).press('Enter')
    expect((await input(page).inputValue()).length).toBe(200_000)
    await write(page, 'short')
    await until(() => stage.received().length === 1)
    expect(stage.received()).toEqual(['short'])
  })

  it('sends once on a double click', async () => {
    const page = await open()
    await input(page).fill('hello')
    await page.getByRole('button', { name: 'Send' }).dblclick()
    await until(() => stage.received().length > 0)
    // What is written goes out in its order: a second copy would stand before this one.
    await write(page, 'and more')
    await until(() => stage.received().includes('and more'))
    expect(stage.received()).toEqual(['hello', 'and more'])
  })

  it('keeps whether an answer helped', async () => {
    const page = await open()
    await write(page, 'How long?')
    await until(() => stage.listening() > 0)
    const answer = stage.say(ANSWER)
    await page.getByRole('button', { name: 'Helpful', exact: true }).click()
    await until(() => answer.feedback?.rating === 'up')
    await page.reload()
    await page.getByRole('button', { name: 'Helpful', exact: true, pressed: true }).waitFor()
  })

  it('sends pictures and files, picked, pasted or dropped, and refuses too large ones before anything leaves', async () => {
    const page = await open()
    const picker = page.locator('helpdesk-chat input[type=file]')
    let sentUp = 0
    page.on('request', (request) => (sentUp += Number(request.url().endsWith('/webchat/files'))))
    await picker.setInputFiles({ name: 'huge.png', mimeType: 'image/png', buffer: Buffer.alloc(20 * 1024 * 1024) })
    await page.getByText('huge.png is too large. Up to 5 files of 10 MB each').waitFor()
    await picker.setInputFiles({ name: 'run.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ') })
    await page.getByText('run.exe: this kind of file cannot be sent.').waitFor()
    expect(sentUp).toBe(0)

    await picker.setInputFiles([
      { name: 'shot.png', mimeType: 'image/png', buffer: PNG },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
      { name: 'not-really.png', mimeType: 'image/png', buffer: Buffer.from('<script>alert(1)</script>') },
    ])
    await page.getByText('not-really.png: this kind of file cannot be sent. Send one of').waitFor()
    await page.getByRole('button', { name: 'Remove not-really.png' }).click()
    await input(page).evaluate((area) => {
      const data = new DataTransfer()
      data.items.add(new File(['pasted'], 'pasted.txt'))
      area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
    })
    await page.locator('helpdesk-chat .panel').evaluate((panel) => {
      const data = new DataTransfer()
      data.items.add(new File(['dropped'], 'dropped.csv'))
      panel.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
    })
    await until(async () => (await page.locator('helpdesk-chat .pending [aria-busy=false]').count()) === 4)
    await page.getByRole('button', { name: 'Send' }).click()
    await until(() => stage.received().length === 1)
    expect(stage.received()).toEqual(['shot.png, notes.txt, pasted.txt, dropped.csv'])
    const links = page.locator('helpdesk-chat .own .files a')
    await until(async () => (await links.count()) === 4)
    expect(await page.locator('helpdesk-chat .pending').count()).toBe(0)

    const saved = await fetch((await links.nth(1).getAttribute('href')) ?? '')
    expect(await saved.text()).toBe('hello')
    expect(saved.headers.get('content-disposition')).toContain('attachment; filename="notes.txt"')
    expect(saved.headers.get('x-content-type-options')).toBe('nosniff')
    expect(saved.headers.get('content-type')).toBe('application/octet-stream')
    await page.reload()
    await until(async () => (await links.count()) === 4)
  })

  it('plays a recording where the site allows that, and lets it be saved where it does not', async () => {
    const player = (page: Page) => page.locator('helpdesk-chat audio')
    const send = async (page: Page) => {
      await page
        .locator('helpdesk-chat input[type=file]')
        .setInputFiles({ name: 'voice.wav', mimeType: 'audio/wav', buffer: hum(30) })
      await until(async () => (await page.locator('helpdesk-chat .pending [aria-busy=false]').count()) === 1)
      await page.getByRole('button', { name: 'Send' }).click()
      await page.locator('helpdesk-chat .own .files a[download="voice.wav"]').waitFor()
    }
    const strict = await open()
    await send(strict)
    await player(strict).waitFor({ state: 'detached' })

    const policy = `${strictPolicy(stage.url)}; media-src ${stage.url}`
    const willing = await openSite(
      () => `<!doctype html><html lang="en"><title>Shop</title><body>
<script src="${stage.url}/widget.js" data-channel="${stage.key}" async></script></body></html>`,
      { 'content-security-policy': policy },
    )
    try {
      const page = await (await contextOf()).newPage()
      const parts = new Set<number>()
      page.on('response', (response) => response.url().includes('/files?link=') && parts.add(response.status()))
      await page.goto(willing.url)
      await launcher(page).click()
      await input(page).waitFor()
      await send(page)
      await player(page).waitFor()
      expect([...parts]).toEqual([])
      await player(page).focus()
      await page.keyboard.press('Space')
      await until(() => player(page).evaluate((audio: HTMLAudioElement) => !audio.paused && audio.currentTime > 0))
      await player(page).evaluate((audio: HTMLAudioElement) => void (audio.currentTime = 25))
      await until(() => player(page).evaluate((audio: HTMLAudioElement) => !audio.seeking && audio.currentTime >= 25))
      expect([...parts]).toEqual([206])
    } finally {
      await willing.close()
    }
  })

  it('knows a visitor whom the site has proven on every device, and nobody else by that name', async () => {
    const secret = 'a-secret-that-only-the-site-knows-01'
    stage.record.settings.identitySecret = secret
    const hash = createHmac('sha256', secret).update('user-7').digest('hex')
    const as = async (page: Page, who: object) =>
      page.evaluate((given) => (window as unknown as WithChat).Helpdesk('identify', given), who)
    const mine = await visit()
    await launcher(mine).waitFor()
    await as(mine, { id: 'user-7', name: 'Jane', hash })
    await launcher(mine).click()
    await write(mine, 'my secret question')
    await until(() => stage.listening() > 0)

    const otherDevice = await visit()
    await launcher(otherDevice).waitFor()
    await as(otherDevice, { id: 'user-7', hash })
    await launcher(otherDevice).click()
    await otherDevice.getByText('my secret question').waitFor()

    for (const who of [{ id: 'user-7' }, { id: 'user-7', hash: '0'.repeat(64) }]) {
      const stranger = await visit()
      await launcher(stranger).waitFor()
      await as(stranger, who)
      await launcher(stranger).click()
      await write(stranger, 'let me see')
      await until(() => stage.received().filter((text) => text === 'let me see').length > 0)
      expect(await stranger.getByText('my secret question').count()).toBe(0)
      await stranger.close()
    }
    expect(await mine.getByText('let me see').count()).toBe(0)

    await mine.evaluate(() => (window as unknown as WithChat).Helpdesk('shutdown'))
    expect(await mine.evaluate(() => Object.keys(localStorage).length)).toBe(0)
    expect(await launcher(mine).count()).toBe(0)
  })

  it('can be used by keyboard alone, and keeps the focus inside only where it covers the page', async () => {
    const page = await visit()
    await launcher(page).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('launcher')
    await page.keyboard.press('Enter')
    await input(page).waitFor()
    await until(async () => (await focused(page)) === 'input')
    const reached: (string | undefined)[] = []
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(() => document.activeElement?.tagName))
    }
    expect(reached.some((name) => name !== 'HELPDESK-CHAT')).toBe(true)
    expect(await page.locator('helpdesk-chat .panel').getAttribute('aria-modal')).toBe('false')

    const phone = await open({ width: 390 })
    expect(await phone.locator('helpdesk-chat .panel').getAttribute('aria-modal')).toBe('true')
    for (let step = 0; step < 12; step += 1) {
      await phone.keyboard.press('Tab')
      expect(await phone.evaluate(() => document.activeElement?.tagName)).toBe('HELPDESK-CHAT')
    }
  })

  it('fits a screen of 320 pixels', async () => {
    const page = await open({ width: 320 })
    await write(page, `${'long'.repeat(100)} https://example.com/${'a'.repeat(300)}`)
    await until(() => stage.listening() > 0)
    stage.say({ ...ANSWER, text: `\`\`\`\n${'code '.repeat(60)}\n\`\`\` [1]\n\n| a | ${'cell '.repeat(40)} |` })
    await page.locator('helpdesk-chat .sources').waitFor()
    const overflow = await page.evaluate(() => {
      const root = document.querySelector('helpdesk-chat')?.shadowRoot
      const scroll = root?.querySelector('.scroll')
      return [
        document.documentElement.scrollWidth - innerWidth,
        (scroll?.scrollWidth ?? 0) - (scroll?.clientWidth ?? 0),
      ]
    })
    expect(overflow).toEqual([0, 0])
  })

  it.each([
    { dark: false, language: 'en' },
    { dark: true, language: 'en' },
    { dark: false, language: 'ar' },
    { dark: true, language: 'ar' },
  ])('has no fault that axe finds: %p', async (look) => {
    const page = await visit(look)
    // The page itself is not ours to judge, and its policy would keep axe out.
    const check = async () => {
      const { violations } = await new AxeBuilder({ page }).include('helpdesk-chat').analyze()
      expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
    }
    await check()
    await launcher(page).click()
    await input(page).waitFor()
    expect(await page.locator('helpdesk-chat .chat').getAttribute('dir')).toBe(look.language === 'ar' ? 'rtl' : 'ltr')
    await check()
    await write(page, 'How long?')
    await until(() => stage.listening() > 0)
    stage.say(ANSWER)
    stage.say({ author: { kind: 'agent', name: 'Ana' }, text: 'Read https://example.com/a first.' })
    stage.change({ handler: 'nobody', askEmail: true })
    await page.locator('helpdesk-chat form.card').waitFor()
    await input(page).fill('x'.repeat(10_001))
    await check()
    await page.locator('helpdesk-chat .sources button').first().click()
    await page.locator('helpdesk-chat mark').waitFor()
    await check()
  })
})
