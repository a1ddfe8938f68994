import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let channelId: string
let otherKey: string
let number = 0

type Team = { id: string; name: string; members: string[]; channels: string[] }
type Json = {
  error?: { code: string; field?: string; message: string }
  id: string
  teams: Team[]
  teamId: string | null
  conversations: { id: string; teamId: string | null }[]
  version: number
  rows: { key: string; name: string }[]
  channels: { id: string }[]
}

const ask = async (method: string, path: string, body?: unknown, as = key) => {
  const { status, json } = await call(installation.address, method, `/api/v1${path}`, { key: as, body })
  return { status, json: json as unknown as Json }
}
const refusal = async (...asked: Parameters<typeof ask>) => {
  const { status, json } = await ask(...asked)
  return [status, json.error?.code, json.error?.field]
}

beforeAll(async () => {
  installation = await openInstallation({ clock: { now: () => new Date('2026-03-02T11:00:00Z') } })
  channelId = (await ask('get', '/channels')).json.channels[0]?.id ?? ''
  const { json } = await call(installation.address, 'post', '/api/v1/companies', { key, body: { name: 'Other' } })
  otherKey = json.apiKey
})
afterAll(() => installation.close())

const person = async (as = key) => {
  number += 1
  const body = { email: `p${number}@example.test`, name: `Person ${number}`, role: 'agent' }
  return (await ask('post', '/people', body, as)).json.id
}
const team = async (name: string, more: object = {}) => (await ask('post', '/teams', { name, ...more })).json.id
const conversation = async () => {
  number += 1
  const arrival = {
    kind: 'message' as const,
    externalId: `m${number}`,
    contact: { externalId: `v${number}` },
    text: 'Hello',
  }
  return (await installation.receive({ companyId: installation.firstCompanyId, channelId }, arrival)).conversationId
}

const HOUR = 3_600_000
const promised = { first_response: HOUR, next_response: HOUR, resolution: 8 * HOUR }
const policy = (when: object) => ({
  name: 'For a team',
  when,
  targets: { low: promised, normal: promised, high: promised, urgent: promised },
})
const nine = [{ open: '09:00', close: '17:00' }]
const berlin = { timeZone: 'Europe/Berlin', weekly: { mon: nine } }

describe('teams', () => {
  it('have a name, people of the company and channels, and are listed by name; another company sees none of them', async () => {
    const ana = await person()
    const id = await team('Technik', { members: [ana, ana], channels: [channelId] })
    await team('abholung')
    const { json } = await ask('get', '/teams')
    expect(json.teams).toMatchObject([
      { name: 'abholung', members: [], channels: [] },
      { id, name: 'Technik', members: [ana], channels: [channelId] },
    ])
    expect((await ask('get', '/teams', undefined, otherKey)).json.teams).toEqual([])
    expect(await refusal('patch', `/teams/${id}`, { name: 'Ours' }, otherKey)).toEqual([
      404,
      'team_not_found',
      undefined,
    ])
    expect(await refusal('delete', `/teams/${id}`, undefined, otherKey)).toEqual([404, 'team_not_found', undefined])
    expect((await ask('patch', `/teams/${id}`, { name: 'Technik 2', channels: [] })).json).toMatchObject({
      name: 'Technik 2',
      members: [ana],
      channels: [],
    })
  })

  it('lose whoever leaves the company', async () => {
    const [ben, cem] = [await person(), await person()]
    const id = await team('Leavers', { members: [ben, cem] })
    await ask('delete', `/people/${ben}`)
    expect((await ask('get', '/teams')).json.teams.find((one) => one.id === id)?.members).toEqual([cem])
  })

  it('are refused by field where they name what the company does not have, or what another team has', async () => {
    const stranger = await person(otherKey)
    const dora = await person()
    const body = { name: 'Strangers', members: [dora, stranger] }
    expect(await refusal('post', '/teams', body)).toEqual([400, 'unknown_person', 'members.1'])
    const foreign = { name: 'Strangers', channels: ['chn_foreign'] }
    expect(await refusal('post', '/teams', foreign)).toEqual([400, 'unknown_channel', 'channels.0'])
    const id = await team('Taken', { channels: [channelId] })
    expect(await refusal('post', '/teams', { name: 'TAKEN' })).toEqual([409, 'team_exists', 'name'])
    expect(await refusal('post', '/teams', { name: 'Late', channels: [channelId] })).toEqual([
      409,
      'channel_taken',
      'channels',
    ])
    const another = await team('Renamed')
    expect(await refusal('patch', `/teams/${another}`, { name: 'taken' })).toEqual([409, 'team_exists', 'name'])
    expect(await refusal('patch', `/teams/${another}`, { channels: [channelId] })).toEqual([
      409,
      'channel_taken',
      'channels',
    ])
    expect((await ask('get', '/teams')).json.teams.filter(({ name }) => /strangers|late/i.test(name))).toEqual([])
    await ask('delete', `/teams/${id}`)
  })

  it('of the same name that two people make at the same moment are one', async () => {
    const made = await Promise.all([1, 2, 3].map(() => ask('post', '/teams', { name: 'Twice' })))
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409])
  })
})

describe('a conversation', () => {
  it('is given to a team and to none, and found by it; an unknown team is refused by field', async () => {
    const [mine, empty] = [await team('Mine'), await team('Empty')]
    const id = await conversation()
    expect((await ask('get', `/conversations/${id}`)).json.teamId).toBeNull()
    expect((await ask('post', `/conversations/${id}/team`, { team: mine })).json.teamId).toBe(mine)
    const listed = async (wanted: string) =>
      (await ask('get', `/conversations?team=${wanted}`)).json.conversations.map((one) => one.id)
    expect(await listed(mine)).toEqual([id])
    expect(await listed(empty)).toEqual([])
    expect(await listed('mine')).toEqual([])
    expect(await listed('none')).not.toContain(id)
    expect((await ask('get', '/conversations/counts')).json.teams).toEqual([{ teamId: mine, all: 1, waiting: 0 }])
    expect(await refusal('post', `/conversations/${id}/team`, { team: 'tea_none' })).toEqual([
      400,
      'unknown_team',
      'team',
    ])
    expect((await ask('post', `/conversations/${id}/team`, { team: null })).json.teamId).toBeNull()
    expect(await listed('none')).toContain(id)
    expect(await refusal('post', `/conversations/${id}/team`, { team: null }, otherKey)).toEqual([
      404,
      'conversation_not_found',
      undefined,
    ])
  })

  it('is nobody’s when its team is removed', async () => {
    const gone = await team('Gone')
    const id = await conversation()
    await ask('post', `/conversations/${id}/team`, { team: gone })
    expect((await ask('delete', `/teams/${gone}`)).status).toBe(204)
    expect((await ask('get', `/conversations/${id}`)).json.teamId).toBeNull()
    expect((await ask('get', '/teams')).json.teams.map((one) => one.id)).not.toContain(gone)
  })
})

describe('hours and policies', () => {
  it('of a team are saved with the company’s, and gone with the team, in a version of their own', async () => {
    const night = await team('Night')
    const wanted = { hours: berlin, teams: [{ teamId: night, hours: null }] }
    const { json } = await ask('put', '/hours', wanted)
    expect(json).toMatchObject({ hours: berlin, teams: [{ teamId: night, hours: null }] })
    const preview = await ask('post', '/hours/preview', { hours: berlin, teamId: night })
    expect(preview.json).toMatchObject({ openBeforeMs: 14 * 24 * HOUR })
    await ask('delete', `/teams/${night}`)
    expect((await ask('get', '/hours')).json).toMatchObject({ version: json.version + 1, hours: berlin, teams: [] })
  })

  it('that name a team that does not exist are refused by field, and what holds stays', async () => {
    const id = await team('Known')
    const before = (await ask('get', '/hours')).json
    const twice = [
      { teamId: id, hours: null },
      { teamId: id, hours: null },
    ]
    expect(await refusal('put', '/hours', { hours: null, teams: [{ teamId: 'tea_none', hours: null }] })).toEqual([
      400,
      'unknown_team',
      'teams.0.teamId',
    ])
    expect(await refusal('put', '/hours', { hours: null, teams: twice })).toEqual([
      400,
      'duplicate_team',
      'teams.1.teamId',
    ])
    const never = [{ teamId: id, hours: { timeZone: 'Europe/Berlin', weekly: {} } }]
    expect((await refusal('put', '/hours', { hours: null, teams: never }))[2]).toMatch(/^teams\.0\.hours/)
    expect((await ask('get', '/hours')).json).toEqual(before)
    expect(await refusal('put', '/policies', { policies: [policy({ team: [id, 'tea_none'] })] })).toEqual([
      400,
      'unknown_team',
      'policies.0.when.team.1',
    ])
    expect(await refusal('put', '/policies', { policies: [policy({ team: [] })] })).toEqual([
      400,
      'empty_condition',
      'policies.0.when.team',
    ])
  })

  it('keep a team from being removed as long as a policy asks for it, and say which', async () => {
    const id = await team('Asked for')
    await ask('put', '/policies', { policies: [policy({ team: [id] })] })
    const refused = await ask('delete', `/teams/${id}`)
    expect([refused.status, refused.json.error?.code]).toEqual([409, 'team_named'])
    expect(refused.json.error?.message).toContain('"For a team"')
    await ask('put', '/policies', { policies: [] })
    expect((await ask('delete', `/teams/${id}`)).status).toBe(204)
    expect(await refusal('put', '/policies', { policies: [policy({ team: [id] })] })).toEqual([
      400,
      'unknown_team',
      'policies.0.when.team.0',
    ])
  })

  it('are reported by team, under its name, in JSON and CSV', async () => {
    const id = await team('Reported')
    await ask('put', '/policies', { policies: [policy({})] })
    const asked = await conversation()
    await ask('post', `/conversations/${asked}/team`, { team: id })
    const later = '2026-03-03T00:00:00Z'
    const { json } = await ask('get', `/reports/service-levels?by=team&to=${later}`)
    expect(json.rows.find((row) => row.key === id)).toMatchObject({ name: 'Reported' })
    const csv = await fetch(`${installation.address}/api/v1/reports/service-levels.csv?by=team&to=${later}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const text = await csv.text()
    expect(text.split('\r\n')[0]).toMatch(/^team,name,first_response_ended,/)
    expect(text).toContain(`${id},Reported,`)
  })
})
