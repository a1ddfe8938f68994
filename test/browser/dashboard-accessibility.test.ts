import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { openGraph } from '../support/graph.mjs'
import { openSimulatedPhone, type SimulatedPhone } from '../support/simulated-phone.mjs'
import { openSmtp, type Smtp } from '../support/smtp.mjs'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

describeInBrowser('every page of the dashboard', () => {
  let desk: TestDesk
  let smtp: Smtp
  let graph: Awaited<ReturnType<typeof openGraph>>
  let phone: SimulatedPhone
  let waiting = ''
  let answered = ''

  beforeAll(async () => {
    desk = await openDesk({ ALLOW_PRIVATE_ADDRESSES: 'true' })
    smtp = await openSmtp()
    graph = await openGraph()
    phone = await openSimulatedPhone()
    const channels = {
      email: {
        address: 'support@acme.example',
        webhookSecret: 'a secret between the provider and us',
        smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
      },
      'whatsapp-cloud': graph.settings,
      'whatsapp-baileys': { simulatorUrl: phone.url },
    }
    for (const [kind, settings] of Object.entries(channels)) {
      expect(await desk.app.call('/channels', { body: { kind, settings } })).toMatchObject({ status: 201 })
    }
    const grace = await desk.colleague('Grace', 'agent')
    await desk.app.call('/keys', { body: { name: 'Order system', role: 'agent' } })
    const mei = await desk.visitor('Mei Tanaka')
    await mei.write('How long can I return goods?')
    await eventually(async () => (await mei.reads()).length > 1)
    answered = mei.conversationId
    const jonas = await desk.visitor('Jonas Keller')
    await jonas.write('Is my neighbour allowed to sign with a feather?')
    await eventually(async () => (await jonas.reads()).length > 1)
    waiting = jonas.conversationId
    await desk.app.call(`/conversations/${answered}/assign`, { body: { assignee: grace.id } })
    await desk.app.call(`/conversations/${answered}/messages`, { body: { text: 'Hello from Grace.' } })
    await desk.app.call(`/conversations/${answered}/notes`, { body: { text: 'A note.' } })
    await desk.app.call(`/conversations/${answered}/tags`, { body: { tags: ['returns', 'gift'] } })
  }, 60_000)
  afterAll(async () => {
    await desk.close()
    for (const played of [smtp, graph, phone]) await played.close()
  })

  type Visit = { path: () => string; then?: (page: Page) => Promise<void> }
  const VISITS: Record<string, Visit> = {
    inbox: { path: () => '/inbox' },
    'a conversation that waits': { path: () => `/inbox/${waiting}` },
    'a conversation with everything in it': {
      path: () => `/inbox/${answered}`,
      then: async (page) => {
        await page.locator('.sources button').first().click()
        await page.locator('.sources blockquote').waitFor()
      },
    },
    'the reason of an answer': {
      path: () => `/inbox/${waiting}`,
      then: async (page) => {
        await page.locator('.under button').first().click()
        await page.locator('.decision').waitFor()
      },
    },
    commands: {
      path: () => '/inbox',
      then: async (page) => {
        await page.keyboard.press('Control+k')
        await page.locator('[role=listbox]').waitFor()
        await page.waitForTimeout(200)
      },
    },
    'an empty search': { path: () => '/inbox?q=zeppelin' },
    knowledge: { path: () => '/knowledge' },
    settings: { path: () => '/settings' },
    'channels of every kind': {
      path: () => '/settings/channels',
      then: async (page) => {
        await page.locator('.channel form').first().waitFor()
        await page.locator('.pairing svg').first().waitFor()
        for (const folded of await page.locator('.channel > details > summary, .channel .pairing summary').all())
          await folded.click()
      },
    },
    people: { path: () => '/settings/people', then: (page) => page.locator('.rows li').first().waitFor() },
    teams: { path: () => '/settings/teams' },
    keys: { path: () => '/settings/keys', then: (page) => page.locator('.rows li').first().waitFor() },
    company: { path: () => '/settings/company', then: (page) => page.locator('form').first().waitFor() },
    profile: { path: () => '/settings/profile' },
    nowhere: { path: () => '/settings/nothing' },
  }

  const violations = async (page: Page): Promise<string[]> => {
    // The chat in the preview is looked at by its own tests.
    const { violations: found } = await new AxeBuilder({ page })
      .options({ resultTypes: ['violations'] })
      .exclude('iframe')
      .analyze()
    return found.map(
      ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    )
  }

  it.each([
    ['light', 'en', 1440],
    ['dark', 'en', 1440],
    ['light', 'ar', 1440],
    ['dark', 'ar', 390],
  ] as const)(
    'has nothing that axe objects to: %s, %s, %d pixels',
    async (theme, language, width) => {
      const page = await desk.signedIn(undefined, { theme, language, width })
      const found: Record<string, string[]> = {}
      for (const [name, { path, then }] of Object.entries(VISITS)) {
        await page.goto(path())
        await page.locator('h1').first().waitFor({ state: 'attached' })
        await page.waitForFunction(() => !document.querySelector('.ghost-lines'))
        await then?.(page)
        const faults = await violations(page)
        if (faults.length > 0) found[name] = faults
        const width = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        if (width > 0) found[`${name}, sideways`] = [`${width} px`]
      }
      const stranger = await (await desk.context({ theme, language, width })).newPage()
      for (const path of ['/inbox', '/setup']) {
        await stranger.goto(path)
        await stranger.locator('.gate h1').waitFor()
        const faults = await violations(stranger)
        if (faults.length > 0) found[`${path}, signed out`] = faults
      }
      expect(found).toEqual({})
      await Promise.all([page.context().close(), stranger.context().close()])
    },
    120_000,
  )
})
