// What the chat costs: bytes, the way from a click to where one can type, and the host page's main thread at load.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { findChromium, launchChromium } from '../chromium.mjs'
import { call, startServer } from './server.mjs'

const PUBLIC = path.resolve(import.meta.dirname, '../../dist/public')
const ROUNDS = 15
const SETTLED_AFTER_MS = 700

export const widget = async () => {
  const bytes = await measureBytes()
  const executable = findChromium()
  if (!executable) return { bench: 'widget', ...bytes, browser: 'none' }
  const dataDir = await mkdtemp(path.join(tmpdir(), 'helpdesk-widget-'))
  const server = await startServer({ dataDir })
  const browser = await launchChromium(executable)
  const { channelKey } = await call(server.url, '/webchat/demo')
  const tag = `<script src="${server.url}/widget.js" data-channel="${channelKey}" async></script>`
  const [bare, carrying] = await Promise.all([site(''), site(tag)])
  try {
    const without = await loads(browser, bare.url, false)
    const withChat = await loads(browser, carrying.url, true)
    return {
      bench: 'widget',
      ...bytes,
      clickToUsableMs: spread(withChat.map(({ clickMs }) => clickMs)),
      warmClickToUsableMs: spread(withChat.map(({ warmMs }) => warmMs)),
      mainThreadAtLoadMs: round(
        median(withChat.map(({ taskMs }) => taskMs)) - median(without.map(({ taskMs }) => taskMs)),
      ),
      scriptAtLoadMs: round(
        median(withChat.map(({ scriptMs }) => scriptMs)) - median(without.map(({ scriptMs }) => scriptMs)),
      ),
      rounds: ROUNDS,
    }
  } finally {
    await browser.close()
    await Promise.all([bare.close(), carrying.close()])
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** `whole` is all that an English visitor downloads who opens the chat; another language adds its own words. */
const measureBytes = async () => {
  const sizeOf = async (/** @type {string} */ file) =>
    gzipSync(await readFile(path.join(PUBLIC, file)), { level: 9 }).length
  const body = (await readdir(path.join(PUBLIC, 'widget'))).find((name) => /^body-.*\.js$/.test(name)) ?? ''
  const words = (await readdir(path.join(PUBLIC, 'widget'))).filter((name) => /^(pt|es|ar)-.*\.js$/.test(name))
  const loaderBytes = await sizeOf('widget.js')
  const languages = await Promise.all(words.map((name) => sizeOf(`widget/${name}`)))
  return {
    loaderGzip: loaderBytes,
    wholeGzip: loaderBytes + (await sizeOf(`widget/${body}`)),
    anotherLanguageGzip: Math.max(...languages),
  }
}

/** A fresh visitor each time: nothing is cached, nothing is compiled. @param {import('playwright-core').Browser} browser */
const loads = async (browser, /** @type {string} */ url, /** @type {boolean} */ hasChat) => {
  const seen = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    await devtools.send('Performance.enable')
    await page.goto(url, { waitUntil: 'load' })
    // Nothing is asked of the page meanwhile: looking would be work of the page's own.
    await new Promise((resolve) => setTimeout(resolve, SETTLED_AFTER_MS))
    const { metrics } = await devtools.send('Performance.getMetrics')
    const ms = (/** @type {string} */ name) => (metrics.find((metric) => metric.name === name)?.value ?? 0) * 1000
    const [clickMs, warmMs] = hasChat ? [await click(page), await click(page)] : [0, 0]
    seen.push({ taskMs: ms('TaskDuration'), scriptMs: ms('ScriptDuration'), clickMs, warmMs })
    await context.close()
  }
  return seen
}

/** From the click to the frame after which the input has the focus; then closed again. @param {import('playwright-core').Page} page */
const click = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const root = document.querySelector('helpdesk-chat')?.shadowRoot
        const button = /** @type {HTMLButtonElement} */ (root?.querySelector('.launcher'))
        const from = performance.now()
        button.click()
        const look = () => {
          if (root?.activeElement?.localName !== 'textarea') return requestAnimationFrame(look)
          resolve(performance.now() - from)
          button.click()
        }
        look()
      }),
  )

const site = async (/** @type {string} */ tag) => {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html' })
    res.end(
      `<!doctype html><html lang="en"><title>Shop</title><body><h1>Shop</h1>${'<p>Words.</p>'.repeat(50)}${tag}</body></html>`,
    )
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(resolve)) }
}

const sorted = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)
const median = (/** @type {number[]} */ values) => sorted(values)[Math.floor(values.length / 2)] ?? 0
const round = (/** @type {number} */ value) => Math.round(value * 10) / 10
const spread = (/** @type {number[]} */ values) => ({
  median: round(median(values)),
  worst: round(sorted(values).at(-1) ?? 0),
})
