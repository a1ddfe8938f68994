import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { companiesSchemas, makeCompanies, type Caller } from '../../src/companies/companies.js'
import { ensureSchema } from '../../src/platform/mongo.js'
import { openTestMongo } from '../support/mongo.js'

const PASSWORD = 'correct horse battery'
const DAY_MS = 24 * 60 * 60 * 1000

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let now: Date
let createdChannels: string[]

const another = () =>
  makeCompanies({
    ...mongo,
    clock: { now: () => now },
    secretKey: 's'.repeat(40),
    publicUrl: 'http://127.0.0.1:3000',
    origins: ['http://127.0.0.1:3000'],
    sendInvitation: null,
    releaseWork: async () => {},
    releaseTeam: async () => {},
    createFirstChannel: async (companyId) => createdChannels.push(companyId),
    channelIds: async () => ['chn_1'],
  })

let companies: ReturnType<typeof makeCompanies>

beforeEach(async () => {
  now = new Date()
  createdChannels = []
  mongo = await openTestMongo()
  await ensureSchema(mongo.db, companiesSchemas)
  companies = another()
})
afterEach(() => mongo.close())

const tokenOf = (path: string | null): string => new URL(path ?? '', 'http://x').hash.slice(1)
const newcomer = (email: string, password = PASSWORD) => ({ email, name: 'Ada', password })

/** The first owner, signed in. */
const withOwner = async () => {
  const { firstCompanyId } = await companies.start({ adminEmail: 'owner@example.test', adminPassword: PASSWORD })
  const { cookies } = await companies.signIn.signIn({
    email: 'owner@example.test',
    password: PASSWORD,
    rememberMe: true,
  })
  const owner = await companies.callerBySession(cookies[0]?.split(';')[0] ?? '', undefined)
  if (!owner) throw new Error('the owner is not signed in')
  return { firstCompanyId, owner }
}

const invited = async (by: Caller, email: string, role: 'owner' | 'admin' | 'agent') => {
  const { id, setupUrl } = await companies.people.invite(by, { email, name: 'Grace', role })
  await companies.people.redeem(tokenOf(setupUrl), newcomer(email))
  return id
}

describe('the first start', () => {
  it('makes the company "Support" with a web chat, once', async () => {
    const { firstCompanyId } = await companies.start({})
    expect(await companies.settings(firstCompanyId)).toMatchObject({ name: 'Support', assistant: { paused: false } })
    expect(createdChannels).toEqual([firstCompanyId])
    expect((await another().start({})).firstCompanyId).toBe(firstCompanyId)
    expect(createdChannels).toHaveLength(1)
  })

  it('makes it once even when two processes start at the same moment', async () => {
    const starts = await Promise.all(
      [another(), another(), another()].map((one) =>
        one.start({ adminEmail: 'owner@example.test', adminPassword: PASSWORD, apiKey: 'a key of sixteen' }),
      ),
    )
    expect(new Set(starts.map(({ firstCompanyId }) => firstCompanyId)).size).toBe(1)
    expect(await mongo.db.collection('companies').countDocuments({})).toBe(1)
    const { firstCompanyId } = starts[0] ?? { firstCompanyId: '' }
    expect(await companies.people.list(firstCompanyId)).toHaveLength(1)
    expect(await companies.keys.list(firstCompanyId)).toHaveLength(1)
  })

  it('makes the owner that the configuration names, and leaves them alone afterwards', async () => {
    const { firstCompanyId, owner } = await withOwner()
    expect(owner).toMatchObject({ via: 'session', role: 'owner', operator: true, companyId: firstCompanyId })
    const { setupPath } = await another().start({ adminEmail: 'other@example.test', adminPassword: 'another password' })
    expect(setupPath).toBeNull()
    expect(await companies.people.list(firstCompanyId)).toHaveLength(1)
  })
})

describe('the link of the first owner', () => {
  it('opens once', async () => {
    const { firstCompanyId, setupPath } = await companies.start({})
    const token = tokenOf(setupPath)
    await companies.people.redeem(token, newcomer('ada@example.test'))
    expect(await companies.people.list(firstCompanyId)).toEqual([
      expect.objectContaining({ name: 'Ada', email: 'ada@example.test', role: 'owner', status: 'active' }),
    ])
    await expect(companies.people.redeem(token, newcomer('eve@example.test'))).rejects.toMatchObject({
      kind: 'forbidden',
      code: 'link_invalid',
    })
    expect((await companies.start({})).setupPath).toBeNull()
  })

  it('makes one owner when two people use it at the same moment', async () => {
    const { firstCompanyId, setupPath } = await companies.start({})
    const outcomes = await Promise.allSettled(
      ['ada@example.test', 'eve@example.test'].map((email) =>
        companies.people.redeem(tokenOf(setupPath), newcomer(email)),
      ),
    )
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await companies.people.list(firstCompanyId)).toHaveLength(1)
    expect(await mongo.db.collection('users').countDocuments({})).toBe(1)
  })

  it('is good for a day, and until the next start prints another', async () => {
    const first = tokenOf((await companies.start({})).setupPath)
    const second = tokenOf((await companies.start({})).setupPath)
    await expect(companies.people.redeem(first, newcomer('ada@example.test'))).rejects.toMatchObject({
      code: 'link_invalid',
    })
    now = new Date(now.getTime() + DAY_MS + 1)
    await expect(companies.people.redeem(second, newcomer('ada@example.test'))).rejects.toMatchObject({
      code: 'link_invalid',
    })
  })

  it('is stored only as a hash', async () => {
    const token = tokenOf((await companies.start({})).setupPath)
    expect(JSON.stringify(await mongo.db.collection('oneTimeLinks').find({}).toArray())).not.toContain(token)
  })
})

describe('people', () => {
  it('come in by an invitation, under the address that was invited', async () => {
    const { firstCompanyId, owner } = await withOwner()
    const { id, setupUrl } = await companies.people.invite(owner, { email: 'a@example.test', name: 'A', role: 'agent' })
    expect(await companies.people.list(firstCompanyId)).toContainEqual(
      expect.objectContaining({ id, status: 'invited' }),
    )
    const token = tokenOf(setupUrl)
    await expect(companies.people.redeem(token, newcomer('b@example.test'))).rejects.toMatchObject({ field: 'email' })
    await companies.people.redeem(token, newcomer('a@example.test'))
    expect(await companies.people.list(firstCompanyId)).toContainEqual(
      expect.objectContaining({ id, status: 'active', role: 'agent', name: 'Ada' }),
    )
  })

  it('who have an account elsewhere join with its password, which an invitation cannot change', async () => {
    const { owner } = await withOwner()
    const { id: otherId, apiKey } = await companies.add(owner, 'Other')
    const other = await companies.callerByKey(apiKey)
    if (!other) throw new Error('the new key does not work')
    const { setupUrl } = await companies.people.invite(other, { email: 'a@example.test', name: 'A', role: 'agent' })
    await companies.people.redeem(tokenOf(setupUrl), newcomer('a@example.test'))

    const again = await companies.people.invite(owner, { email: 'a@example.test', name: 'A', role: 'viewer' })
    const token = tokenOf(again.setupUrl)
    await expect(companies.people.redeem(token, newcomer('a@example.test', 'a guess of mine'))).rejects.toMatchObject({
      kind: 'unauthenticated',
    })
    await companies.people.redeem(token, newcomer('a@example.test'))
    const { cookies } = await companies.signIn.signIn({ email: 'a@example.test', password: PASSWORD, rememberMe: true })
    const cookie = cookies[0]?.split(';')[0] ?? ''
    expect(await companies.callerBySession(cookie, undefined)).toMatchObject({ companyId: otherId, role: 'agent' })
    expect(await companies.callerBySession(cookie, owner.companyId)).toMatchObject({ role: 'viewer', operator: false })
    await expect(companies.callerBySession(cookie, 'co_unknown')).rejects.toMatchObject({ code: 'not_a_member' })
  })

  it('are mailed about a promise when it is in their hands; in nobody’s, owners and admins are; whoever wants none gets none', async () => {
    const { firstCompanyId, owner } = await withOwner()
    const agent = await invited(owner, 'agent@example.test', 'agent')
    const admin = await invited(owner, 'admin@example.test', 'admin')
    const told = async (assignee: string | null, company = firstCompanyId) =>
      (await companies.people.promiseMailTo(company, assignee)).map(({ email }) => email).sort()
    expect(await told(agent)).toEqual(['agent@example.test'])
    expect(await told(null)).toEqual(['admin@example.test', 'owner@example.test'])
    // Whoever had it has left: then it is in nobody's hands.
    expect(await told('per_gone')).toEqual(['admin@example.test', 'owner@example.test'])

    await companies.people.setPromiseMail(firstCompanyId, admin, false)
    expect(await companies.people.wantsPromiseMail(firstCompanyId, admin)).toBe(false)
    expect(await told(null)).toEqual(['owner@example.test'])
    expect(await told(admin)).toEqual([])
    await companies.people.setPromiseMail(firstCompanyId, admin, true)
    expect(await told(null)).toEqual(['admin@example.test', 'owner@example.test'])

    const { id: other } = await companies.add(owner, 'Other')
    expect(await told(agent, other)).toEqual(['owner@example.test'])
    await expect(companies.people.setPromiseMail(other, agent, false)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('always keep an owner, also when two owners leave at the same moment', async () => {
    const { firstCompanyId, owner } = await withOwner()
    await expect(companies.people.changeRole(owner, owner.id, 'admin')).rejects.toMatchObject({ code: 'last_owner' })
    await expect(companies.people.remove(owner, owner.id)).rejects.toMatchObject({ code: 'last_owner' })
    const second = await invited(owner, 'second@example.test', 'owner')
    const outcomes = await Promise.allSettled([
      companies.people.remove(owner, owner.id),
      companies.people.changeRole(owner, second, 'agent'),
    ])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const left = await companies.people.list(firstCompanyId)
    expect(left.filter(({ role }) => role === 'owner')).toHaveLength(1)
  })

  it('who are admins neither make owners nor touch them', async () => {
    const { owner } = await withOwner()
    const id = await invited(owner, 'admin@example.test', 'admin')
    const admin: Caller = { ...owner, id, role: 'admin', operator: false }
    const refused = { kind: 'forbidden', code: 'role_above_own' }
    await expect(
      companies.people.invite(admin, { email: 'x@example.test', name: 'X', role: 'owner' }),
    ).rejects.toMatchObject(refused)
    await expect(companies.people.changeRole(admin, id, 'owner')).rejects.toMatchObject(refused)
    await expect(companies.people.remove(admin, owner.id)).rejects.toMatchObject(refused)
    await expect(companies.keys.add(admin, 'Mine', 'owner')).rejects.toMatchObject(refused)
  })

  it('who are removed cannot sign in any more, and leave nothing', async () => {
    const { owner } = await withOwner()
    const id = await invited(owner, 'gone@example.test', 'agent')
    const { cookies } = await companies.signIn.signIn({
      email: 'gone@example.test',
      password: PASSWORD,
      rememberMe: true,
    })
    await companies.people.remove(owner, id)
    expect(await companies.callerBySession(cookies[0]?.split(';')[0] ?? '', undefined)).toBeNull()
    await expect(
      companies.signIn.signIn({ email: 'gone@example.test', password: PASSWORD, rememberMe: true }),
    ).rejects.toMatchObject({ kind: 'unauthenticated' })
    expect(await mongo.db.collection('users').countDocuments({ email: 'gone@example.test' })).toBe(0)
  })
})

describe('keys', () => {
  it('are shown once, stored as a hash, and end at once when they are removed', async () => {
    const { owner } = await withOwner()
    const { id, key } = await companies.keys.add(owner, 'Robot', 'agent')
    expect(await companies.callerByKey(key)).toMatchObject({
      via: 'key',
      id,
      name: 'API · Robot',
      role: 'agent',
      operator: false,
    })
    expect(JSON.stringify(await mongo.db.collection('apiKeys').find({}).toArray())).not.toContain(key)
    expect(await companies.keys.list(owner.companyId)).toEqual([
      expect.objectContaining({ id, prefix: key.slice(0, 6), lastUsedAt: now }),
    ])
    await companies.keys.remove(owner, id)
    expect(await companies.callerByKey(key)).toBeNull()
    await expect(companies.keys.remove(owner, id)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('note their last use once a minute at most', async () => {
    const { owner } = await withOwner()
    const { key } = await companies.keys.add(owner, 'Robot', 'agent')
    const begin = now
    for (const seconds of [0, 10, 30, 59]) {
      now = new Date(begin.getTime() + seconds * 1000)
      await companies.callerByKey(key)
    }
    expect((await companies.keys.list(owner.companyId))[0]?.lastUsedAt).toEqual(begin)
    now = new Date(begin.getTime() + 90_000)
    await companies.callerByKey(key)
    expect((await companies.keys.list(owner.companyId))[0]?.lastUsedAt).toEqual(now)
  })

  it('from the environment follow it', async () => {
    const { firstCompanyId } = await companies.start({ apiKey: 'the first value of it' })
    expect(await companies.callerByKey('the first value of it')).toMatchObject({
      name: 'API · Environment',
      operator: true,
    })
    await another().start({ apiKey: 'the second value of it' })
    const restarted = another()
    expect(await restarted.callerByKey('the first value of it')).toBeNull()
    expect(await restarted.callerByKey('the second value of it')).toMatchObject({
      companyId: firstCompanyId,
      role: 'owner',
    })
    await restarted.start({})
    expect(await companies.keys.list(firstCompanyId)).toEqual([])
  })
})

describe('companies', () => {
  it('that a person adds are theirs, and come with a web chat and a key', async () => {
    const { owner } = await withOwner()
    const { id, apiKey } = await companies.add(owner, 'Second')
    expect(createdChannels).toContain(id)
    expect(await companies.callerByKey(apiKey)).toMatchObject({ companyId: id, role: 'owner', operator: false })
    expect(await companies.people.list(id)).toEqual([
      expect.objectContaining({ email: 'owner@example.test', role: 'owner' }),
    ])
    expect((await companies.list(owner)).map(({ name }) => name)).toEqual(['Support', 'Second'])
  })

  it('change their settings at once here, and within seconds elsewhere', async () => {
    const { firstCompanyId } = await companies.start({})
    const elsewhere = another()
    expect((await elsewhere.settings(firstCompanyId)).assistant.paused).toBe(false)
    await companies.update(firstCompanyId, { paused: true, name: 'Help' })
    expect(await companies.settings(firstCompanyId)).toMatchObject({ name: 'Help', assistant: { paused: true } })
    expect((await elsewhere.settings(firstCompanyId)).assistant.paused).toBe(false)
    now = new Date(now.getTime() + 5_000)
    expect((await elsewhere.settings(firstCompanyId)).assistant.paused).toBe(true)
    expect(await mongo.db.collection<{ _id: string }>('organizations').findOne({ _id: firstCompanyId })).toMatchObject({
      name: 'Help',
    })
  })

  it('that do not exist are not found', async () => {
    await expect(companies.settings('co_unknown')).rejects.toMatchObject({ kind: 'not_found' })
  })
})
