// `npm run screenshots -- FOLDER [name …]`: every page of the dashboard at 1440 and 390 pixels, light, dark and right to left.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startServer } from './bench/server.mjs'
import { findChromium, launchChromium } from './chromium.mjs'
import { prepare } from './prepare.mjs'
import { seedChannels, seedPromises } from './sample-channels.mjs'
import { OWNER, seedDesk } from './sample-desk.mjs'

const [folder = 'screenshots', ...only] = process.argv.slice(2)

const LOOKS = [
  { name: 'light', theme: 'light', language: 'en' },
  { name: 'dark', theme: 'dark', language: 'en' },
  { name: 'rtl', theme: 'light', language: 'ar' },
]
const WIDTHS = [
  { name: '1440', viewport: { width: 1440, height: 900 } },
  { name: '390', viewport: { width: 390, height: 844 } },
]

if (!process.env.SKIP_PREPARE) await prepare()
const executable = findChromium()
if (!executable) process.exit(1)
mkdirSync(folder, { recursive: true })
const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-screenshots-'))
const server = await startServer({
  dataDir,
  env: {
    HELPDESK_ADMIN_EMAIL: OWNER.email,
    HELPDESK_ADMIN_PASSWORD: OWNER.password,
    // Meta and the phone are played on this machine.
    ALLOW_PRIVATE_ADDRESSES: 'true',
  },
})
const browser = await launchChromium(executable)
/** @type {Awaited<ReturnType<typeof seedChannels>> | undefined} */
let played
try {
  await seedPromises(server.url)
  const desk = await seedDesk(server.url)
  played = await seedChannels(server.url)
  const { late } = played
  /** @type {{ name: string, path: string, signedOut?: boolean, whole?: boolean, then?: (page: import('playwright-core').Page) => Promise<void> }[]} */
  const pages = [
    { name: 'sign-in', path: '/inbox', signedOut: true },
    { name: 'set-up', path: `/setup#${desk.setupToken}`, signedOut: true },
    { name: 'inbox', path: '/inbox' },
    { name: 'waiting', path: `/inbox/${desk.waiting}` },
    {
      name: 'answered',
      path: `/inbox/${desk.answered}`,
      then: (page) => page.locator('.sources button').first().click(),
    },
    {
      name: 'decision',
      path: `/inbox/${desk.answered}`,
      then: (page) => page.locator('.under button').first().click(),
    },
    { name: 'mine', path: `/inbox/${desk.mine}?view=mine` },
    { name: 'note', path: `/inbox/${desk.mine}`, then: (page) => page.keyboard.press('n') },
    { name: 'palette', path: `/inbox/${desk.mine}`, then: (page) => page.keyboard.press('Control+k') },
    { name: 'keys-help', path: `/inbox/${desk.mine}`, then: (page) => page.keyboard.press('?') },
    {
      name: 'template',
      path: `/inbox/${late}`,
      then: async (page) => {
        await page.locator('.unreachable select').first().selectOption({ index: 1 })
      },
    },
    {
      name: 'person',
      path: `/inbox/${desk.mine}`,
      then: async (page) => {
        // Where there is no room beside, the panel is opened by hand.
        await page.locator('.composer').waitFor()
        if (!(await page.locator('.beside').count())) await page.keyboard.press('i')
        await page.locator('section.person').scrollIntoViewIfNeeded()
      },
    },
    {
      name: 'promises',
      path: `/inbox/${desk.waiting}`,
      then: async (page) => {
        await page.locator('.composer').waitFor()
        if (!(await page.locator('.beside').count())) await page.keyboard.press('i')
        await page.locator('.promises summary').first().click()
        await page.locator('.promises').scrollIntoViewIfNeeded()
      },
    },
    { name: 'none-found', path: '/inbox?q=zeppelin' },
    { name: 'knowledge', path: '/knowledge' },
    {
      name: 'question',
      path: '/knowledge',
      then: async (page) => {
        const asked = page.locator('.try form input')
        await asked.fill('How long can I return goods?')
        await asked.press('Enter')
        await page.locator('.try [role=status], .try article').first().waitFor()
        await asked.scrollIntoViewIfNeeded()
      },
    },
    { name: 'reports', path: '/reports', whole: true },
    { name: 'settings', path: '/settings' },
    { name: 'channels', path: '/settings/channels', whole: true },
    ...[0, 1, 2, 3].map((kind) => ({
      name: `channel-new-${kind}`,
      path: '/settings/channels',
      then: async (/** @type {import('playwright-core').Page} */ page) => {
        await page.locator('.add-channel').click()
        await page.getByRole('menuitem').nth(kind).click()
      },
    })),
    { name: 'people', path: '/settings/people' },
    { name: 'teams', path: '/settings/teams' },
    { name: 'keys', path: '/settings/keys' },
    { name: 'hours', path: '/settings/hours', whole: true },
    { name: 'policies', path: '/settings/policies', whole: true },
    { name: 'company', path: '/settings/company' },
    { name: 'profile', path: '/settings/profile' },
    { name: 'not-found', path: '/settings/nothing' },
  ]
  for (const { name: width, viewport } of WIDTHS) {
    for (const { name: look, theme, language } of LOOKS) {
      const context = await browser.newContext({ viewport, baseURL: server.url, reducedMotion: 'reduce' })
      await context.addInitScript(
        ([scheme = '', tongue = '']) => {
          localStorage.setItem('helpdesk.theme', scheme)
          localStorage.setItem('helpdesk.language', tongue)
        },
        [theme, language],
      )
      const page = await context.newPage()
      for (const one of pages) {
        if (only.length > 0 && !only.includes(one.name)) continue
        if (one.signedOut) await context.clearCookies()
        else if ((await context.cookies()).length === 0)
          await page.request.post('/api/auth/sign-in/email', { data: OWNER, headers: { origin: server.url } })
        await page.goto('about:blank')
        await page.goto(one.path)
        await page.locator('h1:visible, h2:visible').first().waitFor()
        await page.waitForTimeout(350)
        await one
          .then?.(page)
          .catch((/** @type {Error} */ error) => console.warn(one.name, error.message.split('\n')[0]))
        await page.waitForFunction(() => !document.querySelector('.ghost-lines'))
        await page.waitForTimeout(600)
        // The page scrolls within the frame: a window as tall as its content shows it all.
        if (one.whole) {
          const tall = await page.locator('.page').evaluate((element) => element.scrollHeight)
          await page.setViewportSize({ ...viewport, height: Math.min(tall + 60, 6_000) })
          await page.waitForTimeout(200)
        }
        await page.screenshot({ path: path.join(folder, `${one.name}-${width}-${look}.png`) })
        if (one.whole) await page.setViewportSize(viewport)
      }
      await context.close()
    }
  }
  console.log(`Pictures are in ${path.resolve(folder)}`)
} finally {
  await browser.close()
  await played?.close()
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
