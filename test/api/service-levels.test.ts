import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let address: string
let channelId: string
let otherKey: string

beforeAll(async () => {
  // A Monday noon in Berlin.
  installation = await openInstallation({ clock: { now: () => new Date('2026-03-02T11:00:00Z') } })
  address = installation.address
  channelId = (await call(address, 'get', '/api/v1/channels', { key })).json.channels[0]?.id ?? ''
  otherKey = (await call(address, 'post', '/api/v1/companies', { key, body: { name: 'Other' } })).json.apiKey
})
afterAll(() => installation.close())

type Json = Record<string, never> & { error?: { code: string; field?: string } }
const ask = async (method: string, path: string, body?: unknown, as = key) => {
  const { status, json } = await call(address, method, `/api/v1${path}`, { key: as, body })
  return { status, json: json as unknown as Json }
}
const refusal = async (path: string, body: unknown) => {
  const { status, json } = await ask('put', path, body)
  return [status, json.error?.code, json.error?.field]
}

const nine = [{ open: '09:00', close: '17:00' }]
const berlin = { timeZone: 'Europe/Berlin', weekly: { mon: nine, tue: nine, wed: nine, thu: nine, fri: nine } }
const HOUR = 3_600_000
const target = { first_response: HOUR, next_response: HOUR, resolution: 8 * HOUR }
const nothing = { first_response: null, next_response: null, resolution: null }
const targets = { low: nothing, normal: target, high: target, urgent: target }

describe('opening hours', () => {
  it('are always, until somebody says when', async () => {
    expect(await ask('get', '/hours')).toEqual({
      status: 200,
      json: { version: null, savedAt: null, savedBy: null, hours: null, outside: 'as_usual', channels: [], teams: [] },
    })
  })

  it('are saved in versions, with holidays by name and channels of their own; another company sees nothing of it', async () => {
    const exceptions = [{ date: '12-25', periods: [], name: 'Christmas' }]
    const body = {
      hours: { ...berlin, exceptions },
      outside: 'sets_expectations',
      channels: [{ channelId, outside: 'message_only' }],
    }
    expect(await ask('put', '/hours', { ...body, version: null })).toMatchObject({
      status: 200,
      json: { version: 1, ...body, savedBy: { name: 'API · Environment' } },
    })
    expect((await ask('put', '/hours', { hours: null, version: 1 })).json).toMatchObject({ version: 2, hours: null })
    expect(await refusal('/hours', { ...body, version: 1 })).toEqual([409, 'changed_meanwhile', 'version'])
    expect((await ask('put', '/hours', body)).json).toMatchObject({ version: 3 })
    expect((await ask('get', '/hours')).json).toMatchObject({ version: 3, ...body })
    expect((await ask('get', '/hours', undefined, otherKey)).json).toMatchObject({ version: null, hours: null })
  })

  it('saved by two people at once are the ones of one of them', async () => {
    const { version } = (await ask('get', '/hours')).json
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(() => ask('put', '/hours', { hours: berlin, version: version ?? null })),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
  })

  it.each([
    ['an unknown zone', { hours: { ...berlin, timeZone: 'Europe/Bielefeld' } }, 'unknown_zone', 'hours.timeZone'],
    [
      '25:61',
      { hours: { ...berlin, weekly: { mon: [{ open: '25:61', close: '26:00' }] } } },
      'not_a_time',
      'hours.weekly.mon.0.open',
    ],
    [
      'an empty period',
      { hours: { ...berlin, weekly: { mon: [{ open: '09:00', close: '09:00' }] } } },
      'empty_period',
      'hours.weekly.mon.0',
    ],
    [
      'periods that overlap',
      { hours: { ...berlin, weekly: { mon: [...nine, { open: '16:00', close: '18:00' }] } } },
      'overlapping_periods',
      'hours.weekly.mon.1',
    ],
    [
      'a day that is none',
      { hours: { ...berlin, weekly: { mon: nine, funday: nine } } },
      'unknown_field',
      'hours.weekly.funday',
    ],
    ['never', { hours: { timeZone: 'UTC', weekly: {} } }, 'never_opens', 'hours.weekly'],
    [
      '31 February',
      { hours: { ...berlin, exceptions: [{ date: '02-31', periods: [] }] } },
      'not_a_date',
      'hours.exceptions.0.date',
    ],
    [
      'a channel that is not there',
      { hours: null, channels: [{ channelId: 'chn_none' }] },
      'unknown_channel',
      'channels.0.channelId',
    ],
    [
      'never on one channel',
      { hours: null, channels: [{ channelId: 'C', hours: { timeZone: 'UTC', weekly: {} } }] },
      'never_opens',
      'channels.0.hours.weekly',
    ],
  ])('are refused by field and stay as they were: %s', async (_what, body, code, field) => {
    const before = (await ask('get', '/hours')).json
    const text = JSON.stringify(body).replace('"C"', JSON.stringify(channelId))
    expect(await refusal('/hours', JSON.parse(text))).toEqual([400, code, field])
    expect((await ask('get', '/hours')).json).toEqual(before)
  })

  it('are shown for the coming two weeks before they are saved, beside those that hold', async () => {
    await ask('put', '/hours', { hours: berlin })
    const closedOnTuesday = { ...berlin, exceptions: [{ date: '2026-03-03', periods: [] }] }
    const { json } = await ask('post', '/hours/preview', { hours: closedOnTuesday })
    expect(json).toMatchObject({ isOpen: true, nextOpening: null, timeZone: 'Europe/Berlin' })
    expect(json.openMs).toBe((json.openBeforeMs ?? 0) - 8 * HOUR)
    expect((json.periods as unknown as object[]).slice(0, 2)).toEqual([
      { open: '2026-03-02T11:00:00.000Z', close: '2026-03-02T16:00:00.000Z' },
      { open: '2026-03-04T08:00:00.000Z', close: '2026-03-04T16:00:00.000Z' },
    ])
    expect((await ask('post', '/hours/preview', { hours: { timeZone: 'UTC', weekly: {} } })).json.error?.code).toBe(
      'never_opens',
    )
  })

  it('take their holidays from a calendar file, or refuse it by line', async () => {
    const ics = 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260501\nSUMMARY:May\nEND:VEVENT\nEND:VCALENDAR'
    expect((await ask('post', '/hours/holidays', { ics })).json).toEqual({
      holidays: [{ date: '2026-05-01', name: 'May' }],
    })
    const bomb = ics.replace('SUMMARY:May', 'RRULE:FREQ=SECONDLY')
    expect(await ask('post', '/hours/holidays', { ics: bomb })).toMatchObject({
      status: 400,
      json: { error: { code: 'recurrence_not_supported', field: 'ics', message: expect.stringContaining('Line 4') } },
    })
  })
})

describe('policies', () => {
  it('begin with none, get ids, and a change of one leaves the versions of the others', async () => {
    expect((await ask('get', '/policies')).json).toMatchObject({ version: null, policies: [] })
    const chat = { name: 'Chat', when: { channel: [channelId] }, targets }
    const everybody = { name: 'Everybody', targets }
    const { json } = await ask('put', '/policies', { policies: [chat, everybody] })
    const [first, second] = json.policies as unknown as { id: string; version: number }[]
    expect([first, second]).toMatchObject([
      { name: 'Chat', version: 1, time: 'business', pausedIn: ['pending', 'snoozed'], warningShare: 0.75 },
      { name: 'Everybody', version: 1, countAssistantReplies: false, when: {} },
    ])
    const again = await ask('put', '/policies', {
      policies: [
        { ...chat, id: first?.id },
        { ...everybody, id: second?.id, time: 'calendar' },
      ],
      version: 1,
    })
    expect(again.json).toMatchObject({
      version: 2,
      policies: [
        { id: first?.id, version: 1 },
        { id: second?.id, version: 2 },
      ],
    })
    expect((await ask('get', '/policies', undefined, otherKey)).json).toMatchObject({ policies: [] })
  })

  it.each([
    [
      'a target of nothing',
      { targets: { ...targets, high: { ...target, resolution: 0 } } },
      'target_not_positive',
      'targets.high.resolution',
    ],
    [
      'a target before now',
      { targets: { ...targets, high: { ...target, resolution: -1 } } },
      'target_not_positive',
      'targets.high.resolution',
    ],
    ['a channel that is not there', { targets, when: { channel: ['chn_gone'] } }, 'unknown_channel', 'when.channel.0'],
    ['a language that is none', { targets, when: { language: ['d'] } }, 'unknown_language', 'when.language.0'],
    ['a condition without a value', { targets, when: { tag: [] } }, 'empty_condition', 'when.tag'],
    ['a warning after the end', { targets, warningShare: 1 }, 'warning_share_out_of_range', 'warningShare'],
    [
      'no promise at all',
      { targets: { low: nothing, normal: nothing, high: nothing, urgent: nothing } },
      'nothing_promised',
      'targets',
    ],
    [
      'no word about urgent ones',
      { targets: { low: target, normal: target, high: target } },
      'invalid',
      'targets.urgent',
    ],
  ])('are refused by field and stay as they were: %s', async (_what, policy, code, field) => {
    const before = (await ask('get', '/policies')).json
    expect(await refusal('/policies', { policies: [{ name: 'P', ...policy }] })).toEqual([
      400,
      code,
      `policies.0.${field}`,
    ])
    expect((await ask('get', '/policies')).json).toEqual(before)
  })
})

describe('a conversation that was promised something', () => {
  const SITE = { origin: 'https://shop.example' }
  const write = async (text: string) => {
    const { json } = await call(address, 'get', '/api/v1/channels', { key })
    const opened = await call(address, 'post', '/api/v1/webchat/sessions', {
      body: { channelKey: json.channels[0]?.key },
      headers: SITE,
    })
    const { token, conversationId } = opened.json as unknown as { token: string; conversationId: string }
    await call(address, 'post', '/api/v1/webchat/messages', { key: token, body: { id: 'm1', text }, headers: SITE })
    return conversationId
  }

  it('shows what is due, why it is due then, and comes before what is due later and what is not due at all', async () => {
    await ask('put', '/policies', { policies: [] })
    const unpromised = await write('Does anybody care?')
    await ask('put', '/hours', { hours: berlin })
    const relaxed = { ...target, first_response: 4 * HOUR }
    const policies = [{ name: 'Everybody', targets: { ...targets, normal: relaxed } }]
    await ask('put', '/policies', { policies })
    const later = await write('Where is my order?')
    const first = await write('It burns!')
    await ask('post', `/conversations/${first}/priority`, { priority: 'urgent' })

    const { json } = await ask('get', '/conversations?order=due&limit=1')
    const seen: { id: string; due?: object }[] = []
    for (let page = json as unknown as { conversations: typeof seen; nextCursor: string | null }; ; ) {
      seen.push(...page.conversations)
      if (!page.nextCursor) break
      page = (await ask('get', `/conversations?order=due&limit=1&cursor=${page.nextCursor}`))
        .json as unknown as typeof page
    }
    expect(seen).toMatchObject([
      { id: first, due: { clock: 'first_response', at: '2026-03-02T12:00:00.000Z', state: 'running' } },
      { id: later, due: { clock: 'first_response', at: '2026-03-02T15:00:00.000Z', state: 'running' } },
      { id: unpromised },
    ])
    expect(seen[2]).not.toHaveProperty('due')

    const levels = await ask('get', `/conversations/${first}/service-levels`)
    expect(levels.json).toMatchObject({
      policy: { name: 'Everybody', version: 1 },
      timeZone: 'Europe/Berlin',
      clocks: [
        {
          clock: 'first_response',
          state: 'running',
          deadline: '2026-03-02T12:00:00.000Z',
          ledger: [
            { change: 'start', cause: 'customer_message', targetMs: 4 * HOUR },
            { change: 'retarget', cause: 'priority', targetMs: HOUR },
          ],
        },
        { clock: 'resolution', state: 'running' },
      ],
    })
    const [clock] = levels.json.clocks as unknown as { steps: object[] }[]
    expect(clock?.steps).toMatchObject([
      { kind: 'start', cause: { kind: 'customer_message', author: 'customer' }, targetMs: 4 * HOUR, hoursOf: null },
      {
        kind: 'retarget',
        cause: { kind: 'priority', author: 'agent', name: expect.stringMatching(/^API · /), priority: 'urgent' },
        targetMs: HOUR,
      },
      { kind: 'counted', until: '2026-03-02T12:00:00.000Z', openings: 1, milliseconds: HOUR, elapsedMs: HOUR },
      { kind: 'due', at: '2026-03-02T12:00:00.000Z', text: 'Due Mon 2 Mar 2026, 13:00' },
    ])
    expect((await ask('get', `/conversations/${unpromised}/service-levels`)).json).toMatchObject({
      policy: null,
      clocks: [],
    })
    expect((await ask('get', `/conversations/${first}/service-levels`, undefined, otherKey)).status).toBe(404)
  })

  it('a cursor of another order is refused by name', async () => {
    const { json } = await ask('get', '/conversations?limit=1')
    expect((await ask('get', `/conversations?order=due&cursor=${String(json.nextCursor)}`)).json.error).toMatchObject({
      code: 'invalid_cursor',
      field: 'cursor',
    })
  })
})

describe('a policy', () => {
  it('is tried on the last 30 days before it is saved, and refused by field as when it is saved', async () => {
    const chat = { name: 'Chat', when: { channel: [channelId] }, targets, time: 'calendar' }
    const { json } = await ask('post', '/policies/preview', { policies: [chat] })
    expect(json).toMatchObject({ conversations: 3, cut: false, unpromised: 0, since: '2026-01-31T11:00:00.000Z' })
    const nobody = { ...chat, when: { tag: ['none'] } }
    expect((await ask('post', '/policies/preview', { policies: [nobody] })).json).toMatchObject({ unpromised: 3 })
    expect((await ask('post', '/policies/preview', { policies: [chat] }, otherKey)).json.error?.code).toBe(
      'unknown_channel',
    )
    expect(
      (await ask('post', '/policies/preview', { policies: [{ ...chat, warningShare: 2 }] })).json.error,
    ).toMatchObject({
      code: 'warning_share_out_of_range',
      field: 'policies.0.warningShare',
    })
    expect((await ask('get', '/policies')).json).toMatchObject({ policies: [{ name: 'Everybody' }] })
  })
})

describe('reports', () => {
  it('are read by supervisors and up, as JSON and as a file, in the zone of the company', async () => {
    const { json } = await ask('get', '/reports/service-levels?by=channel')
    expect(json).toMatchObject({
      timeZone: 'Europe/Berlin',
      from: '2026-01-31T11:00:00.000Z',
      to: '2026-03-02T11:00:00.000Z',
    })
    const until = '2026-03-02T11:00:01.000Z'
    const report = await ask('get', `/reports/service-levels?by=channel&to=${until}`)
    expect(report.json.rows).toMatchObject([
      { key: channelId, name: 'Web chat', measures: { first_response: { ended: 0 } } },
    ])

    const path = `/api/v1/reports/service-levels.csv?by=priority&to=${until}`
    const file = await fetch(address + path, { headers: { authorization: `Bearer ${key}` } })
    expect(file.headers.get('content-disposition')).toContain('attachment; filename="service-levels-')
    expect(await file.text()).toMatch(/^priority,name,.*\r\nnormal,normal,0,/)
    expect((await ask('get', '/reports/service-levels?by=mood')).json.error?.field).toBe('by')

    const { key: agentKey } = (await ask('post', '/keys', { name: 'Agent', role: 'agent' })).json as unknown as {
      key: string
    }
    expect((await ask('get', '/reports/service-levels', undefined, agentKey)).status).toBe(403)
  })
})

describe('what a promise is chosen by', () => {
  it('may change: a tier of the customer promises more, and no other company can give one', async () => {
    const all = (await ask('get', '/conversations')).json.conversations as unknown as { id: string; priority: string }[]
    const { id = '' } = all.find(({ priority }) => priority === 'normal') ?? {}
    const quick = { first_response: HOUR / 4, next_response: HOUR, resolution: null }
    const gold = { low: quick, normal: quick, high: quick, urgent: quick }
    await ask('put', '/policies', {
      policies: [
        { name: 'Gold', when: { tier: ['gold'] }, targets: gold, setsPriority: 'high' },
        { name: 'Everybody', targets },
      ],
    })
    expect((await ask('post', `/conversations/${id}/tier`, { tier: 'gold' }, otherKey)).status).toBe(404)
    expect((await ask('post', `/conversations/${id}/tier`, { tier: ' ' })).json.error?.field).toBe('tier')
    expect((await ask('post', `/conversations/${id}/tier`, { tier: 'gold' })).json).toMatchObject({
      contact: { tier: 'gold' },
      priority: 'normal',
    })
    expect((await ask('get', `/conversations/${id}`)).json).toMatchObject({ contact: { tier: 'gold' } })
    const { json } = await ask('post', `/conversations/${id}/tier`, { tier: null })
    expect(json.contact).not.toHaveProperty('tier')
  })

  it('and what was promised before stays to be read, the newest first, in its own company', async () => {
    const { versions } = (await ask('get', '/policies/versions?limit=2')).json as unknown as {
      versions: { version: number; policies: { name: string }[] }[]
    }
    expect(versions).toHaveLength(2)
    expect(versions[0]?.policies.map(({ name }) => name)).toEqual(['Gold', 'Everybody'])
    expect(versions[0]?.version).toBe((versions[1]?.version ?? 0) + 1)
    expect((await ask('get', '/policies/versions', undefined, otherKey)).json).toEqual({ versions: [] })
    expect((await ask('get', '/policies/versions?limit=0')).json.error?.field).toBe('limit')
  })

  it('a key is nobody who could be mailed', async () => {
    expect((await ask('get', '/me/notices')).json.error?.code).toBe('person_not_found')
  })
})
