import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { inTransaction, type CollectionSchema, type Mongo } from '../platform/mongo.js'
import { addBusinessTime, type BusinessHours } from '../sla/business-hours.js'
import { checkPolicies, matchPolicy, type Facts, type Policy } from '../sla/policy.js'
import type { CompanyStore } from './company.mongo.js'
import {
  ALWAYS_OPEN,
  assertOpeningHours,
  hoursOf,
  hoursOfTeams,
  hoursOnChannel,
  outsideOnChannel,
  type OpeningHours,
  type OutsideHours,
  type Places,
} from './opening-hours.js'

/**
 * What a company promises: its opening hours and its policies. Each is kept in versions that are never written again; the
 * company names the one that holds now. What began under a version keeps it, so no change rewrites a past result.
 */

/** Which of a company's settings is kept in versions. */
export type Versioned = 'hours' | 'policies'

type Contents = { hours: OpeningHours; policies: Policy[] }
type Person = { id: string; name: string }

/** `version` is `null` while nothing was ever saved. */
export type Saved<Content> = { version: number | null; savedAt: Date | null; savedBy: Person | null; content: Content }

type VersionDocument<Content> = {
  _id: string
  companyId: string
  version: number
  content: Content
  savedAt: Date
  savedBy: Person
}

/** Under which versions a conversation's clocks run. */
export type TermsRef = { policyId: string; policies: number; hours: number | null; channelId: string }
/** `hours` are the channel's; a team may have its own. */
export type ServiceTerms = { policy: Policy } & ServiceHours
export type ServiceHours = { hours: BusinessHours | null; teamHours?: ReadonlyMap<string, BusinessHours | null> }

/** What is promised to somebody who writes now, and under which versions. */
export type Promised = { ref: TermsRef; terms: ServiceTerms }

export type Choices = {
  /** Whether any of it asks for what may change while a conversation goes on. */
  changes: boolean
  choose(facts: Facts): Promised | null
}

/** What of a policy its author decides. */
export type PolicyDraft = Omit<Policy, 'id' | 'version'> & { id?: string | undefined }

const COLLECTIONS = { hours: 'hours_versions', policies: 'policy_versions' } as const satisfies Record<
  Versioned,
  string
>

export const serviceLevelSchemas: CollectionSchema[] = Object.values(COLLECTIONS).map((collection) => ({
  collection,
  indexes: [{ key: { companyId: 1, version: -1 }, name: 'of_company', unique: true }],
}))

/** Companies whose hours are worked out at the start, and how far ahead, in business time. */
const MOST_WARMED = 500
const WARMED_MS = 40 * 60 * 60 * 1000

/** Versions never change: what was read once is kept, up to so many. */
const VERSIONS_KEPT = 2_000

type Needs = Mongo & {
  clock: Clock
  companies: CompanyStore
  /** The channels and teams that hours and policies may name. */
  placesOf(companyId: string): Promise<Places>
  /** Whose is what is handed over on a channel; `null`: everybody's. */
  teamOfChannel(companyId: string, channelId: string): Promise<{ id: string } | null>
}

export const makeServiceLevels = ({ client, db, clock, companies, placesOf, teamOfChannel }: Needs) => {
  const open = <Name extends Versioned>(name: Name, nothing: Contents[Name]) => {
    const documents = db.collection<VersionDocument<Contents[Name]>>(COLLECTIONS[name])
    const known = new Map<string, Saved<Contents[Name]>>()

    /** The same object every time: what is worked out from hours is remembered by their identity. */
    const at = async (companyId: string, version: number): Promise<Saved<Contents[Name]>> => {
      const _id = `${companyId}:${version}`
      const kept = known.get(_id)
      if (kept) return kept
      const found = await documents.findOne<VersionDocument<Contents[Name]>>({ _id: _id })
      if (!found) throw new AppError('internal', 'version_missing', `Version ${version} of the ${name} is missing.`)
      const { content, savedAt, savedBy } = found
      const saved = { version, content, savedAt, savedBy }
      const raced = known.get(_id)
      if (raced) return raced
      if (known.size >= VERSIONS_KEPT) known.clear()
      known.set(_id, saved)
      return saved
    }

    const now = async (companyId: string): Promise<Saved<Contents[Name]>> => {
      const version = (await companies.get(companyId)).versions[name]
      return version === null ? { version, savedAt: null, savedBy: null, content: nothing } : at(companyId, version)
    }

    /** `expected` is the version that the editor began with; another one saved meanwhile is not overwritten. */
    const save = async (
      companyId: string,
      content: Contents[Name],
      by: Person,
      expected: number | null | undefined,
    ): Promise<Saved<Contents[Name]>> => {
      const before = await companies.readVersion(companyId, name)
      if (expected !== undefined && expected !== before) throw changedMeanwhile(name)
      const version = (before ?? 0) + 1
      const document = { companyId, version, content, savedAt: clock.now(), savedBy: { id: by.id, name: by.name } }
      await inTransaction(client, async (session) => {
        if (!(await companies.pointTo(session, companyId, name, before, version))) throw changedMeanwhile(name)
        await documents.insertOne({ _id: `${companyId}:${version}`, ...document }, { session })
      })
      companies.forget(companyId)
      return at(companyId, version)
    }

    /** The newest first. */
    const versions = async (companyId: string, limit: number): Promise<Saved<Contents[Name]>[]> => {
      const found = await documents
        .find<VersionDocument<Contents[Name]>>({ companyId }, { sort: { version: -1 }, limit })
        .toArray()
      return found.map(({ version, content, savedAt, savedBy }) => ({ version, content, savedAt, savedBy }))
    }

    return { at, now, save, versions }
  }

  const hours = open('hours', ALWAYS_OPEN)
  const policies = open('policies', [])

  /** The drafts with their ids and versions, or the first thing that is wrong with them, by field. */
  const checkedPolicies = async (companyId: string, drafts: readonly PolicyDraft[]): Promise<Policy[]> => {
    const before = (await policies.now(companyId)).content
    const given = drafts.map((draft) => versioned(draft, before))
    const [fault] = checkPolicies(given, await placesOf(companyId))
    if (fault) throw new AppError('invalid', fault.code, fault.message, { field: `policies.${fault.field}` })
    return given
  }

  /** From what a promise is chosen: from the versions of `ref`, or those that hold now. */
  const choicesFor = async (companyId: string, ref: TermsRef | null, channelId: string): Promise<Choices> => {
    const { version: policiesVersion, content } = ref
      ? await policies.at(companyId, ref.policies)
      : await policies.now(companyId)
    if (policiesVersion === null) return { changes: false, choose: () => null }
    const { version: hoursVersion, content: opening } = !ref
      ? await hours.now(companyId)
      : ref.hours === null
        ? { version: null, content: ALWAYS_OPEN }
        : await hours.at(companyId, ref.hours)
    return {
      changes: content.some(({ when }) => when.tag ?? when.priority ?? when.tier ?? when.language ?? when.team),
      choose: (facts) => {
        const policy = matchPolicy(content, facts)
        return (
          policy && {
            ref: { policyId: policy.id, policies: policiesVersion, hours: hoursVersion, channelId },
            terms: { policy, ...hoursIn(opening, channelId) },
          }
        )
      },
    }
  }

  return {
    hours: {
      get: hours.now,
      save: async (companyId: string, given: OpeningHours, by: Person, expected?: number | null) => {
        assertOpeningHours(given, await placesOf(companyId))
        const saved = await hours.save(companyId, given, by, expected)
        warmHours(saved.content, clock.now())
        return saved
      },
    },

    policies: {
      get: policies.now,
      versions: policies.versions,
      check: checkedPolicies,
      save: async (companyId: string, drafts: readonly PolicyDraft[], by: Person, expected?: number | null) =>
        policies.save(companyId, await checkedPolicies(companyId, drafts), by, expected),
    },

    /** Works out the coming days once, so that no customer's message waits for the first look into a time zone. */
    warm: async (now: Date): Promise<void> => {
      for (const companyId of await companies.withPolicies(MOST_WARMED)) {
        await policies.now(companyId)
        warmHours((await hours.now(companyId)).content, now)
      }
    },

    /** What is promised to a customer who writes now, and under which versions; `null`: nothing. */
    promiseFor: async (companyId: string, facts: Facts): Promise<Promised | null> =>
      (await choicesFor(companyId, null, facts.channel)).choose(facts),

    choicesFor,

    /** The terms that something began under. */
    termsOf: async (companyId: string, ref: TermsRef): Promise<ServiceTerms> => {
      const { content } = await policies.at(companyId, ref.policies)
      const policy = content.find(({ id }) => id === ref.policyId)
      if (!policy) throw new AppError('internal', 'policy_missing', 'The policy of a conversation is missing.')
      if (ref.hours === null) return { policy, hours: null }
      return { policy, ...hoursIn((await hours.at(companyId, ref.hours)).content, ref.channelId) }
    },

    /** The hours of a channel and of the teams as they hold now. */
    hoursFor: async (companyId: string, channelId: string): Promise<ServiceHours> =>
      hoursIn((await hours.now(companyId)).content, channelId),

    /**
     * When those people are there who have a conversation or would get it, as it holds now: its team, else the team to which
     * its channel hands over, else everybody. And what happens outside of these hours.
     */
    opening: async (
      companyId: string,
      channelId: string,
      teamId?: string | null,
    ): Promise<{ hours: BusinessHours | null; outside: OutsideHours }> => {
      const { content } = await hours.now(companyId)
      const whose = teamId ?? (await teamOfChannel(companyId, channelId))?.id ?? null
      return { hours: hoursOf(content, channelId, whose), outside: outsideOnChannel(content, channelId) }
    },

    /** Names of the policies that ask for a team. */
    policiesNaming: async (companyId: string, teamId: string): Promise<string[]> => {
      companies.forget(companyId)
      const { content } = await policies.now(companyId)
      return content.filter(({ when }) => when.team?.includes(teamId)).map(({ name }) => name)
    },

    /** A team that no longer exists has no hours: a new version without them, where it had any. */
    forgetTeam: async (companyId: string, teamId: string, by: Person): Promise<void> => {
      companies.forget(companyId)
      const { version, content } = await hours.now(companyId)
      const { teams = [] } = content
      if (!teams.some((team) => team.teamId === teamId)) return
      const without = { ...content, teams: teams.filter((team) => team.teamId !== teamId) }
      await hours.save(companyId, without, by, version)
    },
  }
}

const hoursIn = (opening: OpeningHours, channelId: string): ServiceHours => ({
  hours: hoursOnChannel(opening, channelId),
  teamHours: hoursOfTeams(opening),
})

const warmHours = ({ hours, channels, teams = [] }: OpeningHours, now: Date): void => {
  for (const one of [hours, ...[...channels, ...teams].map((own) => own.hours)]) {
    if (one) addBusinessTime(one, now, WARMED_MS)
  }
}

/** A policy that is as it was keeps its version. */
const versioned = ({ id, ...draft }: PolicyDraft, before: readonly Policy[]): Policy => {
  const earlier = before.find((policy) => policy.id === id)
  if (!earlier) return { ...draft, id: id ?? newId('pol'), version: 1 }
  const { version } = earlier
  const same = { ...draft, id: earlier.id, version }
  return canonical(same) === canonical(earlier) ? same : { ...same, version: version + 1 }
}

/** Whatever the order of the fields. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

const changedMeanwhile = (name: Versioned) =>
  new AppError('conflict', 'changed_meanwhile', `Somebody else saved the ${name} meanwhile. Look at them first.`, {
    field: 'version',
  })
