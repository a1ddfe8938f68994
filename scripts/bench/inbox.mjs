// The dashboard's own figures: bytes of the first load, and how long a customer's message takes until it is on an agent's screen.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findChromium, launchChromium } from '../chromium.mjs'
import { OWNER } from '../sample-desk.mjs'
import { call, startServer } from './server.mjs'

const MESSAGES = 200
const PER_SECOND = 10

/** @param {number[]} sorted @param {number} share */
const at = (sorted, share) =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0) * 10) / 10

/**
 * Open-loop: messages leave on a schedule, and each is counted from when it should have left until the page has painted
 * it. Server, browser and sender share this machine.
 */
export const inbox = async () => {
  const executable = findChromium()
  if (!executable) return { bench: 'inbox', skipped: 'no Chromium' }
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const server = await startServer({
    dataDir,
    env: { HELPDESK_ADMIN_EMAIL: OWNER.email, HELPDESK_ADMIN_PASSWORD: OWNER.password },
  })
  const browser = await launchChromium(executable)
  try {
    const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1440, height: 900 } })
    await context.request.post('/api/auth/sign-in/email', { data: OWNER, headers: { origin: server.url } })
    // Nobody answers but people: what is measured is the way to the screen.
    await call(server.url, '/company', { method: 'PATCH', body: { assistant: { paused: true } } })
    const { channelKey } = await call(server.url, '/webchat/demo')
    const { token, conversationId } = await call(server.url, '/webchat/sessions', { body: { channelKey } })
    await call(server.url, '/webchat/messages', { token, body: { id: 'first', text: 'The first one.' } })

    const page = await context.newPage()
    /** @type {Promise<number>[]} */
    const sizes = []
    page.on('response', (response) => {
      if (!/\/assets\/.*\.(js|css)$/.test(response.url())) return
      sizes.push(
        response
          .request()
          .sizes()
          .then((size) => size.responseBodySize),
      )
    })
    await page.goto('/inbox')
    await page.locator('.conversation-row').first().waitFor()
    await page.waitForTimeout(500)
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)

    await page.goto(`/inbox/${conversationId}`)
    await page.locator('.bubble').first().waitFor()
    await page.waitForTimeout(500)
    // The page notes when a message was on screen: after the frame in which it was put there.
    await page.evaluate(`{
      window.seenAt = {}
      new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        for (const bubble of document.querySelectorAll('.group.customer .bubble')) {
          const [, number] = /^measured (\\d+)$/.exec(bubble.textContent) ?? []
          if (number && !window.seenAt[number]) window.seenAt[number] = Date.now()
        }
      }))).observe(document.querySelector('.timeline-scroll'), { childList: true, subtree: true })
    }`)
    /** @type {number[]} */
    const due = []
    /** @type {Promise<unknown>[]} */
    const sent = []
    const startedAt = Date.now() + 200
    for (let number = 0; number < MESSAGES; number += 1) {
      const leaves = startedAt + (number * 1000) / PER_SECOND
      due.push(leaves)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, leaves - Date.now())))
      const body = { id: `measured-${number}`, text: `measured ${number}` }
      sent.push(call(server.url, '/webchat/messages', { token, body }))
    }
    await Promise.all(sent)
    await page.waitForTimeout(1_000)
    const seenAt = /** @type {Record<string, number>} */ (await page.evaluate('window.seenAt'))
    const waits = due
      .flatMap((leaves, number) => (seenAt[number] ? [seenAt[number] - leaves] : []))
      .sort((a, b) => a - b)
    return {
      bench: 'inbox',
      firstLoadGzipBytes: bytes,
      messages: MESSAGES,
      perSecond: PER_SECOND,
      unseen: MESSAGES - waits.length,
      messageToScreenMs: { p50: at(waits, 0.5), p95: at(waits, 0.95), max: at(waits, 1) },
    }
  } finally {
    await browser.close()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
