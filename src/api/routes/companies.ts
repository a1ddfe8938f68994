import type { ApiKey, Companies, Company, Person } from '../../companies/companies.js'
import { permissionsOf } from '../../companies/roles.js'
import type { UsageStore } from '../../rag/usage.mongo.js'
import { contract } from '../contract.js'
import { endpoint, type Endpoint } from '../endpoint.js'
import type { Limits } from '../limits.js'

export type CompaniesNeeds = {
  companies: Pick<Companies, 'settings' | 'update' | 'list' | 'add' | 'people'>
  usage: Pick<UsageStore, 'months'>
}

export const makeCompaniesRouter = ({ companies, usage }: CompaniesNeeds): Endpoint[] => [
  endpoint(contract.companies.me, ({ caller }) => ({
    id: caller.id,
    name: caller.name,
    companyId: caller.companyId,
    role: caller.role,
    operator: caller.operator,
    permissions: [...permissionsOf(caller)],
  })),
  endpoint(contract.companies.getNotices, async ({ caller: { companyId, id } }) => ({
    promiseMail: await companies.people.wantsPromiseMail(companyId, id),
  })),
  endpoint(contract.companies.setNotices, async ({ caller: { companyId, id }, body }) => {
    await companies.people.setPromiseMail(companyId, id, body.promiseMail)
    return body
  }),
  endpoint(contract.companies.setLanguage, async ({ caller: { companyId, id }, body }) => {
    await companies.people.setLanguage(companyId, id, body.language)
    return body
  }),
  endpoint(contract.companies.getCompany, async ({ caller }) => toCompany(await companies.settings(caller.companyId))),
  endpoint(contract.companies.updateCompany, async ({ caller, body }) =>
    toCompany(await companies.update(caller.companyId, { name: body.name, ...body.assistant })),
  ),
  endpoint(contract.companies.getUsage, async ({ caller: { companyId } }) => ({
    monthlyTokens: (await companies.settings(companyId)).assistant.monthlyTokens,
    months: await usage.months(companyId),
  })),
  endpoint(contract.companies.listCompanies, async ({ caller }) => ({
    companies: (await companies.list(caller)).map(({ id, name, member }) => ({ id, name, member })),
  })),
  endpoint(contract.companies.addCompany, ({ caller, body }) => companies.add(caller, body.name)),
]

export const makePeopleRouter = ({ people }: Pick<Companies, 'people'>): Endpoint[] => [
  endpoint(contract.people.list, async ({ caller }) => ({
    people: (await people.list(caller.companyId)).map(toPerson),
  })),
  endpoint(contract.people.invite, ({ caller, body }) => people.invite(caller, body)),
  endpoint(contract.people.changeRole, async ({ caller, params, body }) =>
    toPerson(await people.changeRole(caller, params.id, body.role)),
  ),
  endpoint(contract.people.remove, ({ caller, params }) => people.remove(caller, params.id)),
]

export const makeKeysRouter = ({ keys }: Pick<Companies, 'keys'>): Endpoint[] => [
  endpoint(contract.keys.list, async ({ caller }) => ({ keys: (await keys.list(caller.companyId)).map(toKey) })),
  endpoint(contract.keys.add, ({ caller, body }) => keys.add(caller, body.name, body.role)),
  endpoint(contract.keys.remove, ({ caller, params }) => keys.remove(caller, params.id)),
]

type SignInNeeds = { companies: Pick<Companies, 'people' | 'signIn'>; limit: Limits }

/** The paths are those of better-auth's own clients; nothing else of it is reachable. */
export const makeSignInRouter = ({ companies: { people, signIn }, limit }: SignInNeeds): Endpoint[] => [
  endpoint(contract.setup.setUp, async ({ body: { token, ...newcomer }, address }) => {
    await limit('setups_per_address', address)
    await limit('sign_ins_per_account', newcomer.email)
    const { id, companyId } = await people.redeem(token, newcomer)
    return { id, companyId }
  }),
  endpoint(contract.setup.look, async ({ body: { token }, address }) => {
    await limit('setups_per_address', address)
    return people.lookAtLink(token)
  }),
  endpoint(contract.setup.signIn, async ({ body: { email, password, rememberMe = true }, address, setCookies }) => {
    await limit('sign_ins_per_address', address)
    await limit('sign_ins_per_account', email)
    const { user, cookies } = await signIn.signIn({ email, password, rememberMe })
    setCookies(cookies)
    return { user }
  }),
  endpoint(contract.setup.signOut, async ({ headers, setCookies }) => {
    setCookies(await signIn.signOut(headers.cookie ?? ''))
    return { success: true }
  }),
  endpoint(contract.setup.getSession, async ({ headers, setCookies }) => {
    const session = await signIn.session(headers.cookie ?? '', { refresh: true })
    if (!session) return null
    setCookies(session.cookies)
    return { session: { expiresAt: session.expiresAt.toISOString() }, user: session.user }
  }),
  endpoint(contract.setup.changePassword, async ({ body, headers, address, setCookies }) => {
    await limit('sign_ins_per_address', address)
    const { user, cookies } = await signIn.changePassword(headers.cookie ?? '', body)
    setCookies(cookies)
    return { user }
  }),
]

const toCompany = ({ id, name, assistant, createdAt }: Company) => ({
  id,
  name,
  assistant,
  createdAt: createdAt.toISOString(),
})

const toPerson = (person: Person) => ({ ...person, since: person.since.toISOString() })

const toKey = ({ id, name, role, prefix, createdAt, lastUsedAt }: ApiKey) => ({
  id,
  name,
  role,
  prefix,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
})
