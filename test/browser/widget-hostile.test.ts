import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { describeInBrowser, openBrowser } from './browser.js'
import { FIRED, NAUGHTY } from './payloads.js'
import { openSite, openStage, type Stage } from './stage.js'

describeInBrowser('the chat among people who mean harm', () => {
  let browser: Browser
  let context: BrowserContext
  let stage: Stage
  let site: Awaited<ReturnType<typeof openSite>> | undefined

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    stage = await openStage()
    context = await browser.newContext({ reducedMotion: 'reduce' })
    context.setDefaultTimeout(30_000)
  })
  afterEach(async () => {
    await context.close()
    await site?.close()
    await stage.close()
  })

  const openOn = async (head: string): Promise<Page> => {
    site = await openSite(
      () =>
        `<!doctype html><html lang="en"><head><title>Shop</title>${head}</head><body><p id="own">Shop</p><script src="${stage.url}/widget.js" data-channel="${stage.key}" async></script></body></html>`,
    )
    const page = await context.newPage()
    await page.goto(site.url)
    await page.locator('helpdesk-chat .launcher').click()
    await page.locator('helpdesk-chat textarea').waitFor()
    return page
  }
  const write = async (page: Page, text: string) => {
    await page.locator('helpdesk-chat textarea').fill(text)
    await page.locator('helpdesk-chat textarea').press('Enter')
  }
  const until = async (holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('it did not happen in half a minute')
  }

  it(`runs nothing and asks nobody for ${NAUGHTY.length} strings as text, name, file name, title, heading and quote`, async () => {
    const page = await openOn(`<script>window.fired = 0; window.${FIRED} = () => { fired += 1 }</script>`)
    const strangers: string[] = []
    const ours = [stage.url, site?.url ?? '']
    page.on('request', (request) => {
      const url = request.url().replace(/^ws/, 'http')
      if (!ours.some((origin) => url.startsWith(origin))) strangers.push(url)
    })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    for (const text of NAUGHTY) {
      const citation = { documentId: 'd', passageId: 'p', title: text, quote: text, headings: [text], page: 1 }
      const attachments = [{ id: 'f', name: `${text}.txt`, type: 'application/octet-stream', size: 1 }]
      stage.say({ author: { kind: 'agent', name: text }, text, citations: [citation], attachments })
      stage.say({ author: { kind: 'customer' }, text })
    }
    stage.say({ text: 'The end.' })
    await page.getByText('The end.').waitFor()
    for (const index of [0, 40, 120, 250]) {
      await page.locator('helpdesk-chat .sources button').nth(index).click()
      await page.locator('helpdesk-chat mark').waitFor()
      await page.keyboard.press('Escape')
    }
    const shown = await page.locator('helpdesk-chat .said.agent .bubble').allInnerTexts()
    expect(shown).toHaveLength(NAUGHTY.length)
    expect(shown.filter((text) => text.includes(FIRED)).length).toBeGreaterThan(100)
    expect(await page.evaluate(() => (window as unknown as { fired: number }).fired)).toBe(0)
    expect(await page.locator('helpdesk-chat :is(script, iframe, object, link, style, img, base, meta)').count()).toBe(
      0,
    )
    const links = await page
      .locator('helpdesk-chat a')
      .evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).protocol))
    expect(links.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([])
    expect(strangers).toEqual([])
    expect(dialogs).toEqual([])
    expect(page.url().replace(/\/$/, '')).toBe(site?.url)
  })

  it('lives on a page that breaks what others rely on, and leaves the page as it was', async () => {
    const page = await openOn(`
<style>body * { all: unset !important; display: none !important; font-size: 3px !important; color: red !important; visibility: hidden !important }
helpdesk-chat { transform: scale(0.1) !important; opacity: 0 !important; pointer-events: none !important; width: 300px !important }</style>
<script>
  Array.prototype.remove = function () {}
  Array.prototype.toJSON = function () { return 'broken' }
  Object.prototype.extend = function () {}
  Object.prototype.legacy = 'x'
  window.Promise = function () { throw new Error('a broken polyfill') }
  window.define = Object.assign(() => {}, { amd: true }); window.module = { exports: {} }; window.process = {}
  window.Helpdesk = undefined
  window.globalsBefore = Object.keys(window)
</script>`)
    const place = await page.locator('helpdesk-chat .panel').boundingBox()
    expect(place?.width).toBe(400)
    expect(await page.locator('helpdesk-chat textarea').evaluate((area) => getComputedStyle(area).fontSize)).toBe(
      '16px',
    )
    await write(page, 'hello')
    await until(() => stage.listening() > 0)
    stage.say({ text: 'Hello back.', citations: [{ documentId: 'd', passageId: 'p', title: 'T', quote: 'Q' }] })
    await page.locator('helpdesk-chat .bubble', { hasText: 'Hello back.' }).waitFor()
    expect(stage.received()).toEqual(['hello'])
    const left = await page.evaluate(() => {
      const before = (window as unknown as { globalsBefore: string[] }).globalsBefore
      return {
        globals: Object.keys(window).filter((name) => !before.includes(name) && name !== 'globalsBefore'),
        head: document.head.children.length,
        sheets: document.adoptedStyleSheets.length,
        body: [...document.body.children].map(({ localName }) => localName),
        attributes: document.documentElement.getAttributeNames().concat(document.body.getAttributeNames()),
      }
    })
    expect(left).toEqual({
      globals: [],
      head: 3,
      sheets: 0,
      body: ['p', 'script', 'helpdesk-chat'],
      attributes: ['lang'],
    })
  })
})
