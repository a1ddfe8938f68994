import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { describeInBrowser, gate } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'

type Hours = {
  version: number
  hours: { weekly: Record<string, { open: string; close: string }[]>; exceptions: { date: string; name?: string }[] }
  channels: { channelId: string; outside?: string }[]
}
type Policies = {
  version: number
  policies: {
    name: string
    when: object
    targets: Record<string, Record<string, number | null>>
    setsPriority?: string
  }[]
}

const targets = (ms: number) => {
  const each = { first_response: ms, next_response: ms, resolution: null }
  return { low: each, normal: each, high: each, urgent: each }
}
const OFFICE = {
  timeZone: 'Europe/Berlin',
  weekly: { mon: [{ open: '09:00', close: '12:30' }], fri: [{ open: '22:00', close: '06:00' }] },
  exceptions: [
    { date: '12-25', periods: [], name: 'Christmas' },
    { date: '2027-03-01', periods: [{ open: '10:00', close: '12:00' }] },
  ],
}

describeInBrowser('promised times in the dashboard', () => {
  let desk: TestDesk
  let broken = ''

  const put = (path: string, body: object) => desk.app.call(path, { method: 'PUT', body })
  const hoursNow = async () => (await desk.app.call<Hours>('/hours')).body
  const policiesNow = async () => (await desk.app.call<Policies>('/policies')).body
  const at = async (path: string, look?: Parameters<TestDesk['signedIn']>[1]): Promise<Page> => {
    const page = await desk.signedIn(undefined, look)
    await page.goto(path)
    await page.locator('.promise-card, .tiles, .blank').first().waitFor()
    return page
  }
  const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true }).click()

  beforeAll(async () => {
    desk = await openDesk()
    await put('/policies', { policies: [{ name: 'At once', targets: targets(1), time: 'calendar' }] })
    const late = await desk.visitor('Jonas Keller')
    await late.write('Is my neighbour allowed to sign with a feather?')
    broken = late.conversationId
    await eventually(async () => (await late.reads()).length > 1)
    await desk.app.call(`/conversations/${broken}/messages`, { body: { text: 'Yes.' } })
    await eventually(async () => {
      const { clocks } = (
        await desk.app.call<{ clocks: { state: string }[] }>(`/conversations/${broken}/service-levels`)
      ).body
      return clocks.some(({ state }) => state === 'breached')
    })
  }, 60_000)
  afterAll(() => desk.close())

  it.each([
    ['light', 'en', 1440],
    ['dark', 'pt-BR', 1440],
    ['light', 'ar', 1440],
    ['dark', 'ar', 390],
    ['light', 'es', 390],
  ] as const)(
    'has nothing that axe objects to, and nothing beside the page: %s, %s, %d pixels',
    async (theme, language, width) => {
      const { channels } = (await desk.app.call<{ channels: { id: string }[] }>('/channels')).body
      await put('/hours', { hours: OFFICE, channels: [{ channelId: channels[0]?.id, hours: OFFICE }] })
      const page = await desk.signedIn(undefined, { theme, language, width })
      const found: Record<string, string[]> = {}
      for (const path of ['/settings/hours', '/settings/policies', '/reports']) {
        await page.goto(path)
        await page.locator('.promise-card, .tiles').first().waitFor()
        await page.waitForFunction(() => !document.querySelector('.ghost-lines'))
        await page.evaluate(() => {
          for (const closed of document.querySelectorAll('main details:not([open])')) closed.setAttribute('open', '')
        })
        await page.waitForFunction(() => !document.querySelector('.ghost-lines'))
        const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze()
        if (violations.length > 0) {
          found[path] = violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`,
          )
        }
        const beside = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.querySelector('main.page') ?? document.documentElement
          return scrollWidth - clientWidth
        })
        if (beside > 0) found[`${path}, sideways`] = [`${beside} px`]
      }
      expect(found).toEqual({})
      await page.context().close()
    },
    120_000,
  )

  it('takes hours past midnight, says what changes before saving, and keeps them', async () => {
    await put('/hours', { hours: { timeZone: 'Europe/Berlin', weekly: OFFICE.weekly } })
    const page = await at('/settings/hours')
    const thursday = page.getByRole('group', { name: 'Thursday' })
    await thursday.getByRole('button', { name: 'Add a period: Thursday' }).click()
    await thursday.getByLabel('Thursday: from').fill('20:00')
    await thursday.getByLabel('Thursday: to').fill('02:00')
    await thursday.getByText('next day').waitFor()
    // Two Thursdays of six hours lie ahead, whenever this runs, but for a part of a running night.
    await page.getByText(/more than now/).waitFor()
    await page.locator('.hours-preview li.changed').first().waitFor()
    await save(page)
    await page.getByText('Saved.').waitFor()
    expect((await hoursNow()).hours.weekly['thu']).toEqual([{ open: '20:00', close: '02:00' }])
    await page.reload()
    expect(await page.getByLabel('Thursday: to').inputValue()).toBe('02:00')
    await page.context().close()
  })

  it('keeps what is typed while something is being saved', async () => {
    await put('/hours', { hours: { timeZone: 'Europe/Berlin', weekly: OFFICE.weekly } })
    const page = await at('/settings/hours')
    const asked = gate()
    const late = gate()
    await page.route('**/api/v1/hours', async (route) => {
      if (route.request().method() !== 'PUT') return route.continue()
      asked.open()
      await late.opened
      await route.continue()
    })
    const thursday = page.getByRole('group', { name: 'Thursday' })
    await thursday.getByRole('button', { name: 'Add a period: Thursday' }).click()
    await thursday.getByLabel('Thursday: from').fill('20:00')
    await thursday.getByLabel('Thursday: to').fill('22:00')
    await save(page)
    await asked.opened
    await thursday.getByLabel('Thursday: to').fill('23:00')
    late.open()
    await page.getByText('Saved.').waitFor()
    expect((await hoursNow()).hours.weekly['thu']).toEqual([{ open: '20:00', close: '22:00' }])
    await page.locator('.draft-bar[data-shown=true]').waitFor()
    expect(await thursday.getByLabel('Thursday: to').inputValue()).toBe('23:00')
    await save(page)
    await eventually(async () => (await hoursNow()).hours.weekly['thu']?.[0]?.close === '23:00')
    await page.context().close()
  })

  it('says at the very day that two periods overlap, and the hours that hold stay', async () => {
    await put('/hours', { hours: { timeZone: 'Europe/Berlin', weekly: OFFICE.weekly } })
    const before = (await hoursNow()).version
    const page = await at('/settings/hours')
    const monday = page.getByRole('group', { name: 'Monday' })
    await monday.getByRole('button', { name: 'Add a period: Monday' }).click()
    await monday.getByLabel('Monday: from').nth(1).fill('11:00')
    await monday
      .getByRole('alert')
      .getByText(/begins before/)
      .waitFor()
    await save(page)
    await page
      .locator('.draft-bar')
      .getByText(/begins before/)
      .waitFor()
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Monday: from')
    expect((await hoursNow()).version).toBe(before)
    await page.context().close()
  })

  it('brings in the holidays of a calendar file once, and refuses a file that is none by its line', async () => {
    await put('/hours', { hours: OFFICE })
    const page = await at('/settings/hours')
    const choose = async (text: string) => {
      await page
        .locator('input[type=file]')
        .first()
        .setInputFiles({ name: 'holidays.ics', mimeType: 'text/calendar', buffer: Buffer.from(text) })
    }
    await choose('no calendar at all')
    await page.getByText(/^Line 1:/).waitFor()
    const event = (day: string, name: string) =>
      `BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:${day}\r\nSUMMARY:${name}\r\nEND:VEVENT\r\n`
    const file = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${event('20270501', 'Labour Day')}${event('20271003', 'Unity')}END:VCALENDAR\r\n`
    await choose(file)
    await page.getByText('Holidays found: 2').waitFor()
    await choose(file)
    await save(page)
    await page.getByText('Saved.').waitFor()
    expect((await hoursNow()).hours.exceptions.map(({ date }) => date)).toEqual([
      '12-25',
      '2027-03-01',
      '2027-05-01',
      '2027-10-03',
    ])
    await page.context().close()
  })

  it('lets a channel have a behaviour of its own, and gives it back to the company', async () => {
    await put('/hours', { hours: null })
    const page = await at('/settings/hours')
    const own = page.locator('.channel-hours').first().getByLabel('What customers meet then')
    await own.selectOption('message_only')
    await save(page)
    await page.getByText('Saved.').waitFor()
    expect((await hoursNow()).channels).toMatchObject([{ outside: 'message_only' }])
    await own.selectOption('')
    await save(page)
    await eventually(async () => (await hoursNow()).channels.length === 0)
    await page.context().close()
  })

  it('tells the second of two admins before their save overwrites the first, and keeps what they typed', async () => {
    await put('/policies', { policies: [{ name: 'Everybody', targets: targets(3_600_000) }] })
    const page = await at('/settings/policies')
    await page.getByLabel('Name of the policy').fill('Mine')
    await put('/policies', { policies: [{ name: 'Theirs', targets: targets(60_000) }] })
    await save(page)
    await page.getByText(/saved another version meanwhile/).waitFor()
    expect(await page.getByLabel('Name of the policy').inputValue()).toBe('Mine')
    expect((await policiesNow()).policies.map(({ name }) => name)).toEqual(['Theirs'])
    await page.getByRole('button', { name: 'Keep mine, replace theirs' }).click()
    await save(page)
    await page.getByText('Saved.').waitFor()
    expect((await policiesNow()).policies.map(({ name }) => name)).toEqual(['Mine'])
    await page.context().close()
  })

  it('asks before a page with unsaved changes is left, by mouse and by key', async () => {
    await put('/policies', { policies: [{ name: 'Everybody', targets: targets(3_600_000) }] })
    const page = await at('/settings/policies')
    await page.getByLabel('Name of the policy').fill('Half typed')
    await page.getByRole('link', { name: 'Knowledge' }).first().click()
    await page.getByRole('dialog').getByText('Leave without saving?').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.getByLabel('Name of the policy').inputValue()).toBe('Half typed')
    await page.keyboard.press('Control+s')
    await page.getByText('Saved.').waitFor()
    expect((await policiesNow()).policies[0]?.name).toBe('Half typed')
    await page.getByRole('link', { name: 'Knowledge' }).first().click()
    await page.waitForURL('**/knowledge')
    await page.context().close()
  })

  it('takes targets as people write them, and says which one it cannot read', async () => {
    await put('/policies', { policies: [{ name: 'Everybody', targets: targets(3_600_000) }] })
    const page = await at('/settings/policies')
    const urgent = page.getByLabel('Urgent: First response')
    await urgent.fill('soon')
    await save(page)
    await page.locator('.draft-bar').getByText('Write 30m').waitFor()
    expect(await urgent.getAttribute('aria-invalid')).toBe('true')
    await urgent.fill('1h 30m')
    await page.getByLabel('Low: First response').fill('')
    await page.getByLabel('Begins with priority').selectOption('high')
    await page.locator('.conditions summary').click()
    await page.getByLabel('Tags').fill('vip, gold , vip')
    await save(page)
    await page.getByText('Saved.').waitFor()
    const [policy] = (await policiesNow()).policies
    expect(policy).toMatchObject({ when: { tag: ['vip', 'gold'] }, setsPriority: 'high' })
    expect(policy?.targets['urgent']?.['first_response']).toBe(5_400_000)
    expect(policy?.targets['low']?.['first_response']).toBeNull()
    await page.context().close()
  })

  it('shows the last 30 days under other policies, and puts an earlier version back into the form', async () => {
    await put('/policies', { policies: [{ name: 'Strict', targets: targets(1), time: 'calendar' }] })
    await put('/policies', { policies: [{ name: 'Easy', targets: targets(86_400_000), time: 'calendar' }] })
    const page = await at('/settings/policies')
    await page.getByRole('button', { name: 'How would the last 30 days have looked?' }).click()
    const row = page.locator('.figures tr', { hasText: 'First response' })
    await row.getByText('100% kept').waitFor()
    expect(await row.locator('td').first().textContent()).toContain('0% kept')
    await page.getByText('Earlier versions').click()
    await page.getByRole('listitem').filter({ hasText: 'Strict' }).getByRole('button').first().click()
    expect(await page.getByLabel('Name of the policy').inputValue()).toBe('Strict')
    await save(page)
    await page.getByText('Saved.').waitFor()
    expect((await policiesNow()).policies.map(({ name }) => name)).toEqual(['Strict'])
    await page.context().close()
  })

  it('reports what was broken, down to the conversation and the steps of its deadline', async () => {
    const page = await at('/reports')
    await page
      .locator('.tile', { hasText: 'First response' })
      .getByText(/Kept 0, broken 1/)
      .waitFor()
    await page.getByLabel('Row by row').selectOption('agent')
    await page.locator('.figures tbody tr').first().waitFor()
    await page.locator('.worst').getByRole('link', { name: 'Jonas Keller' }).first().click()
    await page.waitForURL(`**/inbox/${broken}`)
    await page.getByText('Why then?').first().click()
    const steps = page.locator('.promises ol').first()
    await steps.getByText(/Begins · Jonas Keller wrote · .* · Policy: /).waitFor()
    expect(await steps.innerText()).not.toMatch(/msg_|pol_/)
    await page.context().close()
  })

  it('is read by an agent, and changed by none', async () => {
    const grace = await desk.colleague('Grace', 'agent')
    const page = await desk.signedIn(grace)
    await page.goto('/settings/hours')
    await page.locator('.promise-card').first().waitFor()
    expect(await page.getByLabel('People are there').first().isDisabled()).toBe(true)
    await page.goto('/reports')
    await page.getByText('This is not open to you any more').waitFor()
    await page.context().close()
  })
})
