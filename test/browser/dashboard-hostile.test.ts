import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'
import { FIRED, NAUGHTY, PAYLOADS } from './payloads.js'

/** Half a character has no bytes. */
const asSent = (text: string): string => Buffer.from(text).toString()

describeInBrowser('text that wants to be more than text', () => {
  let desk: TestDesk
  let page: Page
  const fired: string[] = []
  const left: string[] = []

  beforeAll(async () => {
    desk = await openDesk()
    page = await desk.signedIn()
    await page.exposeFunction(FIRED, () => fired.push(page.url()))
    page.on('dialog', (dialog) => {
      fired.push(dialog.message())
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== desk.app.url && /^https?:/.test(request.url())) left.push(request.url())
    })
    await page.context().route(/elsewhere\.invalid|example\.com/, (route) => route.abort())
  }, 60_000)
  afterAll(() => desk.close())

  const nothingHappened = () => {
    expect(fired).toEqual([])
    expect(left).toEqual([])
  }
  const inBatches = async <T>(all: readonly T[], size: number, work: (one: T) => Promise<unknown>) => {
    for (let at = 0; at < all.length; at += size) await Promise.all(all.slice(at, at + size).map(work))
  }

  it('is at least 400 attacks and some oddities', () => {
    expect(new Set(PAYLOADS).size).toBeGreaterThanOrEqual(400)
    expect(new Set(NAUGHTY).size).toBeGreaterThanOrEqual(500)
  })

  it('stays text in messages', async () => {
    const visitor = await desk.visitor('Mallory')
    const texts = NAUGHTY.filter((text) => text.trim() !== '')
    await desk.app.call('/company', { method: 'PATCH', body: { assistant: { paused: true } } })
    for (const text of texts) await visitor.write(text)
    await page.goto(`/inbox/${visitor.conversationId}`)
    await page.waitForFunction((count) => document.querySelectorAll('.bubble').length >= count, texts.length)
    const shown = await page.locator('.group.customer .bubble').allTextContents()
    // What is on screen is what was written, to the letter.
    expect(shown).toEqual(texts.map(asSent))
    for (const link of await page.locator('.bubble a').all())
      expect(await link.getAttribute('href')).toMatch(/^https?:\/\//)
    await page.locator('.timeline-scroll').evaluate(async (element) => {
      for (let at = 0; at < element.scrollHeight; at += 600) {
        element.scrollTop = at
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    nothingHappened()
  }, 90_000)

  it('stays text in the names of visitors and in the last words of the list', async () => {
    const names = NAUGHTY.filter((name) => name.trim() !== '' && name.trim().length <= 100)
    await inBatches(names, 8, async (name) => (await desk.visitor(name)).write(name))
    await page.goto('/inbox')
    await page.locator('.conversation-row').first().waitFor()
    await page.locator('.list-scroll').evaluate(async (element) => {
      for (let step = 0; step < 120; step += 1) {
        element.scrollTop += 500
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
    nothingHappened()
  }, 90_000)

  it('stays text in tags, notes, reasons, people, keys, the company’s name, documents and searches', async () => {
    const visitor = await desk.visitor(PAYLOADS[0])
    await visitor.write(PAYLOADS[1] ?? '')
    const id = visitor.conversationId
    const some = PAYLOADS.filter((_payload, index) => index % 6 === 0)
    await desk.app.call(`/conversations/${id}/tags`, {
      body: { tags: some.filter(({ length }) => length <= 60).slice(0, 30) },
    })
    for (const text of some) await desk.app.call(`/conversations/${id}/notes`, { body: { text } })
    await desk.app.call(`/conversations/${id}/handoff`, { body: { reason: PAYLOADS[2] ?? '' } })
    await desk.app.call(`/conversations/${id}/state`, { body: { state: 'pending', reason: PAYLOADS[3] ?? '' } })
    await inBatches(some.slice(0, 20), 4, (name) =>
      desk.app.call('/keys', { body: { name: name.slice(0, 120), role: 'viewer' } }),
    )
    for (const [index, name] of some.slice(0, 20).entries())
      await desk.app.call('/people', {
        body: { email: `m${index}@example.com`, name: name.slice(0, 120), role: 'agent' },
      })
    for (const title of some.slice(0, 25))
      await desk.app.call('/knowledge/documents', {
        body: { title: title.slice(0, 200), text: `${title}\n\nSome text about ${title}` },
      })
    await desk.app.call('/company', { method: 'PATCH', body: { name: PAYLOADS[4] } })
    for (const path of [
      `/inbox/${id}`,
      '/knowledge',
      '/settings/people',
      '/settings/keys',
      '/settings/company',
      '/settings/channels',
      `/inbox?q=${encodeURIComponent(PAYLOADS[5] ?? '')}`,
      `/inbox/${encodeURIComponent(PAYLOADS[0] ?? '')}`,
      `/setup#${encodeURIComponent(PAYLOADS[0] ?? '')}`,
    ]) {
      await page.goto(path)
      await page.locator('h1:visible, h2:visible').first().waitFor()
      await page.waitForTimeout(300)
    }
    nothingHappened()
  }, 90_000)

  it('stays text in the names of files that are brought in', async () => {
    await page.goto('/knowledge')
    await page.locator('input[type=file]').setInputFiles(
      PAYLOADS.slice(0, 12).map((payload) => ({
        name: `${payload.replaceAll('/', '')}.md`,
        mimeType: 'text/markdown',
        buffer: Buffer.from(`# ${payload}\n\n${payload}\n`),
      })),
    )
    await page.locator('.uploads').waitFor()
    await page.locator('.uploads').waitFor({ state: 'detached' })
    await page.locator('.rows li').first().waitFor()
    nothingHappened()
  }, 60_000)

  it('stays text in the names of files that come with messages', async () => {
    const visitor = await desk.visitor('Files')
    for (let at = 0; at < NAUGHTY.length; at += 5) {
      const tickets = []
      for (const name of NAUGHTY.slice(at, at + 5))
        tickets.push(await visitor.sendUp(`${name} x.txt`, Buffer.from('x')))
      await visitor.write('', tickets)
    }
    await page.goto(`/inbox/${visitor.conversationId}`)
    await page.waitForFunction((count) => document.querySelectorAll('.files li').length >= count, NAUGHTY.length)
    nothingHappened()
  }, 90_000)

  it('stays text in the titles of documents', async () => {
    const titles = NAUGHTY.map((title) => title.trim().slice(0, 200)).filter((title) => title !== '')
    await inBatches(titles, 8, (title) =>
      desk.app.call('/knowledge/documents', { body: { title, text: 'Nothing to see here.' } }),
    )
    await page.goto('/knowledge')
    await page.locator('.rows li').first().waitFor()
    const more = page.getByRole('button', { name: 'Show more' })
    while (await more.isVisible()) {
      const before = await page.locator('.rows li').count()
      await more.click()
      await page.waitForFunction((count) => document.querySelectorAll('.rows li').length > count, before)
    }
    expect(await page.locator('.rows li').count()).toBeGreaterThanOrEqual(titles.length)
    nothingHappened()
  }, 120_000)
})
