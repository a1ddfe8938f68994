import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { may, ROLES, type Role } from '../../src/companies/roles.js'
import { makeApi, type ApiNeeds } from '../../src/api/server.js'
import { call, openInstallation, OWNER_KEY, protectedRoutes, type Installation } from './installation.js'
import { pathTo, routeName, sampleBody } from './samples.js'

const EMAIL = 'owner@example.test'
const PASSWORD = 'correct horse battery'

let installation: Installation
let address: string
const keys = {} as Record<Role, string>

beforeAll(async () => {
  installation = await openInstallation({ adminEmail: EMAIL, adminPassword: PASSWORD, rateLimitFactor: 100 })
  address = installation.address
  for (const role of ROLES) {
    const made = await call(address, 'post', '/api/v1/keys', { key: OWNER_KEY, body: { name: role, role } })
    keys[role] = made.json.key
  }
})

afterAll(() => installation.close())

const signIn = async (email = EMAIL, password = PASSWORD) => {
  const answer = await call(address, 'post', '/api/auth/sign-in/email', { body: { email, password } })
  const cookies = answer.headers.getSetCookie()
  return { answer, cookies, cookie: cookies.map((cookie) => cookie.split(';')[0]).join('; ') }
}

describe('every route', () => {
  it.each(protectedRoutes.map((route) => [routeName(route), route] as const))(
    '%s refuses strangers and lets in exactly the roles that hold its permission',
    async (_name, route) => {
      const path = pathTo(route, 'nothing_here')
      expect((await call(address, route.method, path, sampleBody(route))).status).toBe(401)
      expect((await call(address, route.method, path, { ...sampleBody(route), key: 'wrong-key' })).status).toBe(401)
      for (const role of ROLES) {
        const { status, json } = await call(address, route.method, path, { ...sampleBody(route), key: keys[role] })
        // Let in, and then asked for the file that is missing here.
        const lacksItsFile = status === 400 && route.form !== undefined && json.error.field === 'file'
        const allowed = route.permission !== 'public' && may({ role, operator: role === 'owner' }, route.permission)
        // 409: let in, and refused because the one before made a thing of the same name.
        if (allowed && !lacksItsFile) expect([200, 201, 202, 204, 404, 409]).toContain(status)
        if (!allowed) expect(status).toBe(403)
      }
    },
  )
})

describe('a second company', () => {
  let second: string
  let ids: string[]

  beforeAll(async () => {
    const made = await call(address, 'post', '/api/v1/companies', { key: OWNER_KEY, body: { name: 'Second' } })
    second = made.json.apiKey
    const { channels } = (await call(address, 'get', '/api/v1/channels', { key: OWNER_KEY })).json
    const channelId = channels[0]?.id ?? ''
    const { conversationId } = await installation.receive(
      { companyId: installation.firstCompanyId, channelId },
      { kind: 'message', externalId: 'one', contact: { externalId: 'visitor' }, text: 'Where is my order?' },
    )
    const document = await call(address, 'post', '/api/v1/knowledge/documents', {
      key: OWNER_KEY,
      body: { title: 'Ours', text: 'Nobody else may read this.' },
    })
    const person = await call(address, 'post', '/api/v1/people', {
      key: OWNER_KEY,
      body: { email: 'colleague@example.test', name: 'Colleague', role: 'agent' },
    })
    const key = await call(address, 'post', '/api/v1/keys', { key: OWNER_KEY, body: { name: 'Spare', role: 'agent' } })
    const decision = await installation.decisions.recordDecision({
      companyId: installation.firstCompanyId,
      question: 'Where?',
    } as Parameters<typeof installation.decisions.recordDecision>[0])
    ids = [conversationId, document.json.id, person.json.id, key.json.id, channelId, decision]
    expect(ids.every((id) => /^[a-z]{3}_/.test(id))).toBe(true)
  })

  const byId = protectedRoutes.filter(({ path }) => path.includes(':id'))

  it.each(byId.map((route) => [routeName(route), route] as const))(
    '%s answers 404 for everything that belongs to the first',
    async (_name, route) => {
      for (const id of ids) {
        const answer = await call(address, route.method, pathTo(route, id), { ...sampleBody(route), key: second })
        expect(answer.status).toBe(404)
      }
    },
  )

  it('sees none of it in a list, and nothing of it changed', async () => {
    for (const route of protectedRoutes.filter(({ method, path }) => method === 'get' && !path.includes(':id'))) {
      const { status, json } = await call(address, 'get', route.path, { key: second })
      // A key is no person, whom mail would reach.
      expect(status).toBe(route.path === '/api/v1/me/notices' ? 404 : 200)
      for (const id of ids) expect(JSON.stringify(json)).not.toContain(id)
    }
    const [conversationId] = ids
    const mine = await call(address, 'get', `/api/v1/conversations/${conversationId}`, { key: OWNER_KEY })
    expect(mine.json).toMatchObject({ seq: 1, assignee: null, tags: [] })
  })

  it('cannot be acted for by naming it in a header', async () => {
    const companies = (await call(address, 'get', '/api/v1/companies', { key: OWNER_KEY })).json.companies
    const other = companies.find(({ name }) => name === 'Second')?.id ?? ''
    const answer = await call(address, 'get', '/api/v1/company', { key: OWNER_KEY, headers: { 'x-company-id': other } })
    expect(answer.status).toBe(403)
    expect(answer.json.error).toMatchObject({ code: 'not_a_member', field: 'x-company-id' })
  })

  it('has an owner-level key that does not run the installation, and sees itself alone', async () => {
    const me = await call(address, 'get', '/api/v1/me', { key: second })
    expect(me.json).toMatchObject({ name: 'API · First key', role: 'owner', operator: false })
    expect((await call(address, 'get', '/api/v1/companies', { key: second })).json.companies).toHaveLength(1)
    const channels = (await call(address, 'get', '/api/v1/channels', { key: second })).json.channels
    expect(channels).toEqual([expect.objectContaining({ kind: 'webchat', key: expect.any(String) })])
  })
})

describe('signing in', () => {
  it('gives a cookie that pages cannot read, and acts for the person', async () => {
    const { answer, cookies, cookie } = await signIn()
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ user: { id: expect.any(String), name: 'owner', email: EMAIL } })
    expect(cookies.join()).toMatch(/helpdesk\.session=.*HttpOnly.*SameSite=Lax/i)
    expect(cookies.join()).not.toMatch(/secure/i)
    const me = await call(address, 'get', '/api/v1/me', { headers: { cookie } })
    expect(me.json).toMatchObject({ name: 'owner', role: 'owner', operator: true })
    const session = await call(address, 'get', '/api/auth/get-session', { headers: { cookie } })
    expect(session.json.user.email).toBe(EMAIL)
  })

  it('says the same for a wrong password and an unknown address', async () => {
    const wrong = (await signIn(EMAIL, 'not the password')).answer
    const unknown = (await signIn('nobody@example.test', PASSWORD)).answer
    expect(wrong.status).toBe(401)
    expect(unknown.status).toBe(401)
    expect({ ...unknown.json.error, requestId: '' }).toEqual({ ...wrong.json.error, requestId: '' })
  })

  it('ends with signing out', async () => {
    const { cookie } = await signIn()
    const out = await call(address, 'post', '/api/auth/sign-out', { body: {}, headers: { cookie, origin: address } })
    expect(out.status).toBe(200)
    expect((await call(address, 'get', '/api/v1/me', { headers: { cookie } })).status).toBe(401)
    expect((await call(address, 'get', '/api/auth/get-session', { headers: { cookie } })).json).toBeNull()
  })

  it('changes the password and ends every other session', async () => {
    const before = await signIn()
    const own = await signIn()
    const change = (currentPassword: string, newPassword: string, cookie = own.cookie) =>
      call(address, 'post', '/api/auth/change-password', {
        body: { currentPassword, newPassword },
        headers: { cookie, origin: address },
      })
    expect((await change('not the password', 'another long password')).json.error.field).toBe('currentPassword')
    expect((await change(PASSWORD, 'short')).json.error).toMatchObject({ code: 'invalid', field: 'newPassword' })
    expect((await change(PASSWORD, 'another long password', 'helpdesk.session=forged')).status).toBe(401)
    expect((await change(PASSWORD, 'another long password')).status).toBe(200)
    expect((await call(address, 'get', '/api/v1/me', { headers: { cookie: before.cookie } })).status).toBe(401)
    const again = await signIn(EMAIL, 'another long password')
    expect(
      (
        await call(address, 'post', '/api/auth/change-password', {
          body: { currentPassword: 'another long password', newPassword: PASSWORD },
          headers: { cookie: again.cookie, origin: address },
        })
      ).status,
    ).toBe(200)
  })

  it.each([
    ['post', '/api/auth/sign-up/email'],
    ['post', '/api/auth/organization/create'],
    ['get', '/api/auth/list-sessions'],
    ['post', '/api/auth/update-user'],
    ['get', '/api/auth/ok'],
  ])('%s %s, which the library would offer, does not exist', async (method, path) => {
    const { status, json } = await call(address, method, path, method === 'post' ? { body: {} } : {})
    expect(status).toBe(404)
    expect(json.error.code).toBe('not_found')
  })
})

describe('a call that another site makes a browser send', () => {
  it.each([
    ['from a foreign origin', { origin: 'https://evil.example' }, 403],
    ['from an origin that only looks like ours', { origin: 'http://127.0.0.1.evil.example' }, 403],
    ['from a sandboxed frame', { origin: 'null' }, 403],
    ['without any origin', {}, 403],
    ['from a sibling site', { 'sec-fetch-site': 'same-site' }, 403],
    ['from our own page', { 'sec-fetch-site': 'same-origin' }, 200],
  ])('%s ends with %s → %i', async (_name, headers, status) => {
    const { cookie } = await signIn()
    const answer = await call(address, 'patch', '/api/v1/company', {
      body: { assistant: { paused: false } },
      headers: { cookie, ...(headers as Record<string, string>) },
    })
    expect(answer.status).toBe(status)
  })

  it('is let in from both names of this machine, and only as JSON', async () => {
    const { cookie } = await signIn()
    for (const origin of [address, address.replace('127.0.0.1', 'localhost')]) {
      const headers = { cookie, origin }
      const body = { assistant: { paused: false } }
      expect((await call(address, 'patch', '/api/v1/company', { body, headers })).status).toBe(200)
      const form = { ...headers, 'content-type': 'text/plain' }
      expect((await call(address, 'patch', '/api/v1/company', { body, headers: form })).status).toBe(415)
    }
  })

  it('cannot sign a visitor in as somebody else', async () => {
    const answer = await call(address, 'post', '/api/auth/sign-in/email', {
      body: { email: EMAIL, password: PASSWORD },
      headers: { origin: 'https://evil.example' },
    })
    expect(answer.status).toBe(403)
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  it('needs no origin with a key, and is not let in by a cookie beside a wrong key', async () => {
    const { cookie } = await signIn()
    const body = { assistant: { paused: false } }
    expect((await call(address, 'patch', '/api/v1/company', { body, key: OWNER_KEY })).status).toBe(200)
    expect((await call(address, 'patch', '/api/v1/company', { body, key: 'wrong', headers: { cookie } })).status).toBe(
      401,
    )
  })
})

describe('limits at the door', () => {
  /** A fifth of what is allowed: six attempts for each address, two for each account. */
  const strict = { rateLimitFactor: 0.2 }

  const guess = (at: Installation, attempt: number, email: string) =>
    call(at.address, 'post', '/api/auth/sign-in/email', {
      body: { email, password: `guess ${attempt}` },
      headers: { 'x-forwarded-for': `198.51.100.${attempt}` },
    })

  const guessAt = async (options: Parameters<typeof openInstallation>[0], email: (attempt: number) => string) => {
    const at = await openInstallation(options)
    const answers = []
    for (let attempt = 0; attempt < 8; attempt += 1) answers.push(await guess(at, attempt, email(attempt)))
    await at.close()
    return answers
  }

  it('cannot be lifted by a forged X-Forwarded-For', async () => {
    const answers = await guessAt(strict, (attempt) => `somebody${attempt}@example.test`)
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 429, 429])
    expect(answers.at(-1)?.json.error.code).toBe('rate_limited')
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('count the addresses that a trusted proxy names', async () => {
    const answers = await guessAt({ ...strict, trustProxy: 'loopback' }, (attempt) => `somebody${attempt}@example.test`)
    expect(answers.every(({ status }) => status === 401)).toBe(true)
  })

  it('stop guessing at one account from many addresses, however it is written', async () => {
    const answers = await guessAt({ ...strict, trustProxy: 'loopback' }, (attempt) =>
      attempt % 2 ? 'victim@example.test' : ' Victim@Example.test',
    )
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 429, 429, 429, 429, 429, 429])
  })

  it('are not set up with a proxy that is no address', () => {
    const needs = { publicUrl: 'http://127.0.0.1', trustProxy: '10.0.0.0/8, everybody' } as unknown as ApiNeeds
    expect(() => makeApi(needs)).toThrow('TRUST_PROXY')
  })
})

describe('under https', () => {
  it('the session cookie is bound to the host and to encryption', async () => {
    const secure = await openInstallation({
      publicUrl: 'https://support.example.test',
      adminEmail: EMAIL,
      adminPassword: PASSWORD,
    })
    const answer = await call(secure.address, 'post', '/api/auth/sign-in/email', {
      body: { email: EMAIL, password: PASSWORD },
      headers: { origin: 'https://support.example.test' },
    })
    const [cookie] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-helpdesk\.session=/)
    expect(cookie).toMatch(/; Path=\/;/)
    expect(cookie).toMatch(/; Secure/)
    expect(cookie).not.toMatch(/Domain=/i)
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=')
    const me = await call(secure.address, 'get', '/api/v1/me', { headers: { cookie: cookie?.split(';')[0] ?? '' } })
    expect(me.json.role).toBe('owner')
    await secure.close()
  })
})
