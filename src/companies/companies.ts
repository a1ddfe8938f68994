import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import type { CollectionSchema, Mongo } from '../platform/mongo.js'
import { companySchemas, makeCompanyStore, type Company, type CompanyChange } from './company.mongo.js'
import { keySchemas, makeKeyStore } from './keys.mongo.js'
import { makePeopleStore, peopleSchemas } from './people.mongo.js'
import { mayGrant, type Role } from './roles.js'
import { makeServiceLevels, serviceLevelSchemas } from './service-levels.mongo.js'
import { makeSignIn, signInSchemas } from './sign-in.mongo.js'
import { makeTeamStore, teamSchemas } from './teams.mongo.js'

export type { Company } from './company.mongo.js'
export type { ApiKey } from './keys.mongo.js'
export type { Person } from './people.mongo.js'
export type { Team } from './teams.mongo.js'

/** On whose behalf something is done. `id` and `name` stand as the author under what they write. */
export type Caller = {
  via: 'key' | 'session'
  id: string
  name: string
  companyId: string
  role: Role
  /** Owners of the first company run the installation. */
  operator: boolean
}

export const companiesSchemas: CollectionSchema[] = [
  ...signInSchemas,
  ...companySchemas,
  ...peopleSchemas,
  ...keySchemas,
  ...serviceLevelSchemas,
  ...teamSchemas,
]

export type Invitation = { to: string; name: string; by: string; company: string; setupUrl: string }

type Needs = Mongo & {
  clock: Clock
  secretKey: string
  /** The address that people reach the server under; https makes the session's cookie secure. */
  publicUrl: string
  origins: readonly string[]
  /** Brings an invitation to whom it is for; `null` where the installation sends no mail. */
  sendInvitation: ((invitation: Invitation) => Promise<void>) | null
  /** The channel that every company begins with. */
  createFirstChannel: (companyId: string) => Promise<unknown>
  /** The channels that a company has: hours and policies may name them. */
  channelIds: (companyId: string) => Promise<string[]>
  /** Puts back what somebody had in hand, before they leave. */
  releaseWork: (caller: Caller, personId: string) => Promise<void>
  /** Puts what a team has into nobody's queue, before the team is gone. */
  releaseTeam: (caller: Caller, teamId: string) => Promise<void>
}

/** The product's own support desk: its knowledge is the product's documentation. */
const FIRST_COMPANY = 'Support'

export const makeCompanies = ({
  client,
  db,
  clock,
  secretKey,
  publicUrl,
  origins,
  sendInvitation,
  createFirstChannel,
  channelIds,
  releaseWork,
  releaseTeam,
}: Needs) => {
  const signIn = makeSignIn({ db, secretKey, publicUrl, origins })
  const store = makeCompanyStore({ client, db, clock })
  const keys = makeKeyStore({ db, clock })
  const people = makePeopleStore({ client, db, clock, serialise: store.serialisePeople, passwords: signIn })
  const teams = makeTeamStore({ db, clock, personIds: people.ids, channelIds })
  const serviceLevels = makeServiceLevels({
    client,
    db,
    clock,
    companies: store,
    placesOf: async (companyId) => ({
      channels: await channelIds(companyId),
      teams: (await teams.list(companyId)).map(({ id }) => id),
    }),
    teamOfChannel: teams.ofChannel,
  })

  const isOperator = async (companyId: string, role: Role): Promise<boolean> =>
    role === 'owner' && companyId === (await store.firstId())

  /** The channel comes first: a company that exists can be written to. A crash in between leaves a channel that nobody sees. */
  const establish = async (name: string, first: boolean): Promise<string> => {
    const id = newId('co')
    await createFirstChannel(id)
    if (await store.insert(id, name, { first })) return id
    return firstId()
  }

  const firstId = async (): Promise<string> => (await store.firstId()) ?? establish(FIRST_COMPANY, true)

  const assertMayGrant = (caller: Pick<Caller, 'role'>, role: Role) => {
    if (mayGrant(caller.role, role)) return
    throw new AppError('forbidden', 'role_above_own', `The role ${caller.role} cannot decide over the role ${role}.`, {
      field: 'role',
    })
  }

  return {
    /**
     * What must be there before the first request: the first company, its owner or a way to become it, the environment's key.
     * Safe to repeat and to race. `setupPath` is the one-time link while there is no owner.
     */
    start: async (wanted: {
      adminEmail?: string | undefined
      adminPassword?: string | undefined
      apiKey?: string | undefined
    }): Promise<{ firstCompanyId: string; setupPath: string | null }> => {
      const firstCompanyId = await firstId()
      await keys.followEnvironment(firstCompanyId, wanted.apiKey)
      if (await people.hasOwner(firstCompanyId)) return { firstCompanyId, setupPath: null }
      if (!wanted.adminEmail || !wanted.adminPassword) {
        return { firstCompanyId, setupPath: setupPath(await people.issueFirstOwnerLink(firstCompanyId)) }
      }
      const email = wanted.adminEmail.toLowerCase()
      try {
        await people.makeOwner(firstCompanyId, {
          email,
          name: email.split('@')[0] ?? email,
          password: wanted.adminPassword,
        })
      } catch (error) {
        if (!(await people.hasOwner(firstCompanyId))) throw error
      }
      return { firstCompanyId, setupPath: null }
    },

    /** Name and settings, from memory on the hot path: a change is seen here at once, by other processes within seconds. */
    settings: (companyId: string): Promise<Company> => store.get(companyId),

    update: (companyId: string, change: CompanyChange): Promise<Company> => store.update(companyId, change),

    /** All for operators; else the caller's own. `member`: the caller belongs to it, and may look into it. */
    list: async (caller: Caller): Promise<(Company & { member: boolean })[]> => {
      const own =
        caller.via === 'key'
          ? [caller.companyId]
          : (await people.membershipsOf(await people.userOf(caller.companyId, caller.id))).map(
              ({ companyId }) => companyId,
            )
      const all = await (caller.operator ? store.all() : store.all(own))
      return all.map((company) => ({ ...company, member: own.includes(company.id) }))
    },

    /** A person who adds a company owns it; its first key is returned once. */
    add: async (caller: Caller, name: string): Promise<{ id: string; apiKey: string }> => {
      const id = await establish(name, false)
      if (caller.via === 'session') {
        await people.addMember(id, await people.userOf(caller.companyId, caller.id), 'owner')
      }
      const { key } = await keys.add(id, 'First key', 'owner')
      return { id, apiKey: key }
    },

    callerByKey: async (secret: string): Promise<Caller | null> => {
      const key = await keys.verify(secret)
      if (!key) return null
      const { id, name, companyId, role } = key
      return { via: 'key', id, name: `API · ${name}`, companyId, role, operator: await isOperator(companyId, role) }
    },

    /** The signed-in person in `companyId`, or in the first company that they joined. */
    callerBySession: async (cookie: string, companyId: string | undefined): Promise<Caller | null> => {
      const session = await signIn.session(cookie, { refresh: false })
      if (!session) return null
      const memberships = await people.membershipsOf(session.user.id)
      const membership =
        companyId === undefined ? memberships[0] : memberships.find((one) => one.companyId === companyId)
      if (!membership) {
        throw new AppError('forbidden', 'not_a_member', 'You do not belong to that company.', { field: 'x-company-id' })
      }
      const operates = await Promise.all(memberships.map((one) => isOperator(one.companyId, one.role)))
      return {
        via: 'session',
        id: membership.id,
        name: session.user.name,
        companyId: membership.companyId,
        role: membership.role,
        operator: operates.includes(true),
      }
    },

    signIn,

    serviceLevels,

    people: {
      list: people.list,
      get: people.get,
      wantsPromiseMail: people.wantsPromiseMail,
      setPromiseMail: people.setPromiseMail,
      promiseMailTo: people.promiseMailTo,
      setLanguage: people.setLanguage,
      adminsToTell: people.adminsToTell,
      /** `mailed` false: nobody but the caller can bring the link to whom it is for. */
      invite: async (caller: Caller, invited: { email: string; name: string; role: Role }) => {
        assertMayGrant(caller, invited.role)
        const { id, token } = await people.invite(caller.companyId, invited)
        const setupUrl = new URL(setupPath(token), publicUrl).href
        const { name: company } = await store.get(caller.companyId)
        const mailed = await sendInvitation?.({
          to: invited.email,
          name: invited.name,
          by: caller.name,
          company,
          setupUrl,
        }).then(
          () => true,
          () => false,
        )
        return { id, setupUrl, mailed: mailed ?? false }
      },
      /** What a one-time link opens, for whoever holds it; throws `link_invalid`. */
      lookAtLink: async (token: string) => {
        const { companyId, invited } = await people.link(token)
        return { company: (await store.get(companyId)).name, invited }
      },
      changeRole: async (caller: Caller, id: string, role: Role) => {
        assertMayGrant(caller, (await people.find(caller.companyId, id)).role)
        assertMayGrant(caller, role)
        await people.changeRole(caller.companyId, id, role)
        return people.find(caller.companyId, id)
      },
      remove: async (caller: Caller, id: string) => {
        assertMayGrant(caller, (await people.find(caller.companyId, id)).role)
        await releaseWork(caller, id)
        await people.remove(caller.companyId, id)
        await teams.forgetPerson(caller.companyId, id)
      },
      redeem: people.redeem,
    },

    teams: {
      list: teams.list,
      get: teams.get,
      ofChannel: teams.ofChannel,
      add: teams.add,
      update: teams.update,
      /** What the team has is nobody's then, and its hours go with it. Refused while a policy asks for it. */
      remove: async (caller: Caller, id: string): Promise<void> => {
        const { companyId } = caller
        const { name } = await teams.get(companyId, id)
        const [policy] = await serviceLevels.policiesNaming(companyId, id)
        if (policy !== undefined) {
          throw new AppError(
            'conflict',
            'team_named',
            `The policy "${policy}" asks for the team ${name}: change it first.`,
          )
        }
        await releaseTeam(caller, id)
        await serviceLevels.forgetTeam(companyId, id, caller)
        await teams.remove(companyId, id)
        // What came to it in between.
        await releaseTeam(caller, id)
      },
    },

    keys: {
      list: keys.list,
      add: async (caller: Caller, name: string, role: Role) => {
        assertMayGrant(caller, role)
        return keys.add(caller.companyId, name, role)
      },
      remove: async (caller: Caller, id: string) => {
        assertMayGrant(caller, (await keys.get(caller.companyId, id)).role)
        await keys.remove(caller.companyId, id)
      },
    },
  }
}

export type Companies = ReturnType<typeof makeCompanies>

/** Behind the #, where no server, proxy or Referer sees it. */
const setupPath = (token: string): string => `/setup#${token}`
