import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import {
  inTransaction,
  isDuplicateKey,
  withId,
  type CollectionSchema,
  type Mongo,
  type Session,
} from '../platform/mongo.js'
import type { Versioned } from './service-levels.mongo.js'
import type { OrganizationDocument } from './sign-in.mongo.js'

/** A company's own settings, keyed by its organisation. */
export type Company = {
  id: string
  name: string
  assistant: AssistantSettings
  /** Which versions of its opening hours and policies hold now (service-levels.mongo.ts); `null`: none was ever saved. */
  versions: Record<Versioned, number | null>
  createdAt: Date
}

export type AssistantSettings = {
  paused: boolean
  /** Tokens that the company's calls of a model may use in a month; `null` for no limit. */
  monthlyTokens: number | null
}

/** What is absent stays as it is. */
export type CompanyChange = {
  name?: string | undefined
  paused?: boolean | undefined
  monthlyTokens?: number | null | undefined
}

type CompanyDocument = Omit<Company, 'id' | 'assistant' | 'versions'> & {
  _id: string
  /** What is absent was never set. */
  assistant: { paused: boolean; monthlyTokens?: number | null }
  versions?: Partial<Record<Versioned, number>>
  /** Only on the company that the installation began with. */
  first?: true
  /** Grows with each change of its people, so that two changes at once cannot both leave the last owner behind. */
  peopleVersion: number
}

const FIRST_INDEX = 'only_one_first'

export const companySchemas: CollectionSchema[] = [
  {
    collection: 'companies',
    indexes: [{ key: { first: 1 }, name: FIRST_INDEX, unique: true, partialFilterExpression: { first: true } }],
  },
]

/** How long another process may still see old settings, in milliseconds. */
const CACHED_MS = 3_000

type Needs = Mongo & { clock: Clock }

export const makeCompanyStore = ({ client, db, clock }: Needs) => {
  const companies = db.collection<CompanyDocument>('companies')
  const organizations = db.collection<OrganizationDocument>('organizations')
  /** Each customer's message asks whether the assistant is paused. */
  const cache = new Map<string, { company: Company; until: number }>()
  let firstId: string | null = null

  const read = async (id: string): Promise<Company> => {
    const found = await companies.findOne({ _id: id })
    if (!found) throw noCompany()
    const company = toCompany(found)
    cache.set(id, { company, until: clock.now().getTime() + CACHED_MS })
    return company
  }

  return {
    get: async (id: string): Promise<Company> => {
      const cached = cache.get(id)
      return cached && cached.until > clock.now().getTime() ? cached.company : read(id)
    },

    /** The company that the installation began with; `null` before the first start. */
    firstId: async (): Promise<string | null> =>
      (firstId ??= (await companies.findOne({ first: true }, { projection: { _id: 1 } }))?._id ?? null),

    all: async (ids?: readonly string[]): Promise<Company[]> =>
      (await companies.find(ids ? { _id: { $in: [...ids] } } : {}, { sort: { createdAt: 1 } }).toArray()).map(
        toCompany,
      ),

    /** Writes the organisation and its settings together. False when another start made the first company meanwhile. */
    insert: async (id: string, name: string, { first }: { first: boolean }): Promise<boolean> => {
      const createdAt = clock.now()
      try {
        await inTransaction(client, async (session) => {
          await companies.insertOne(
            { _id: id, name, assistant: { paused: false }, createdAt, ...(first ? { first } : {}), peopleVersion: 0 },
            { session },
          )
          await organizations.insertOne({ _id: id, name, slug: id, createdAt }, { session })
        })
        return true
      } catch (error) {
        if (first && isDuplicateKey(error, FIRST_INDEX)) return false
        throw error
      }
    },

    /** At least one of them is given. */
    update: async (id: string, change: CompanyChange): Promise<Company> => {
      const { name, paused, monthlyTokens } = change
      await inTransaction(client, async (session) => {
        const { matchedCount } = await companies.updateOne(
          { _id: id },
          {
            $set: {
              ...(name === undefined ? {} : { name }),
              ...(paused === undefined ? {} : { 'assistant.paused': paused }),
              ...(monthlyTokens === undefined ? {} : { 'assistant.monthlyTokens': monthlyTokens }),
            },
          },
          { session },
        )
        if (matchedCount === 0) throw noCompany()
        if (name !== undefined) await organizations.updateOne({ _id: id }, { $set: { name } }, { session })
      })
      return read(id)
    },

    /** Past the cache: whoever saves must know what they replace. */
    readVersion: async (id: string, name: Versioned): Promise<number | null> => (await read(id)).versions[name],

    /** False when another version than `from` holds now. */
    pointTo: async (
      session: Session,
      id: string,
      name: Versioned,
      from: number | null,
      to: number,
    ): Promise<boolean> => {
      const field = `versions.${name}`
      const { matchedCount } = await companies.updateOne(
        { _id: id, [field]: from },
        { $set: { [field]: to } },
        { session },
      )
      return matchedCount === 1
    },

    forget: (id: string): void => void cache.delete(id),

    /** Companies that promise something. */
    withPolicies: async (limit: number): Promise<string[]> => {
      const found = companies.find({ 'versions.policies': { $exists: true } }, { projection: { _id: 1 }, limit })
      return (await found.toArray()).map(({ _id }) => _id)
    },

    /** Makes concurrent changes of a company's people conflict, so that one of them is repeated and sees the other. */
    serialisePeople: async (session: Session, id: string): Promise<void> => {
      await companies.updateOne({ _id: id }, { $inc: { peopleVersion: 1 } }, { session })
    },
  }
}

export type CompanyStore = ReturnType<typeof makeCompanyStore>

const toCompany = ({ _id, name, assistant, versions = {}, createdAt }: CompanyDocument): Company => {
  const { paused, monthlyTokens = null } = assistant
  const { hours = null, policies = null } = versions
  return withId({ _id, name, assistant: { paused, monthlyTokens }, versions: { hours, policies }, createdAt })
}

const noCompany = () => new AppError('not_found', 'company_not_found', 'There is no such company.')
