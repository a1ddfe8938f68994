import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { isDuplicateKey, withId, type CollectionSchema, type Db } from '../platform/mongo.js'

/** People who share a queue. What is handed over on one of `channels` becomes theirs. */
export type Team = {
  id: string
  name: string
  /** People of the company, by their ids. */
  members: string[]
  channels: string[]
  createdAt: Date
}

/** What of a team its author decides; what is absent in a change stays as it is. */
type TeamDraft = Pick<Team, 'name' | 'members' | 'channels'>
type TeamChange = { [Field in keyof TeamDraft]?: TeamDraft[Field] | undefined }

type TeamDocument = Omit<Team, 'id'> & { _id: string; companyId: string; nameKey: string }

const NAME_INDEX = 'one_of_a_name'
const CHANNEL_INDEX = 'one_of_a_channel'

export const teamSchemas: CollectionSchema[] = [
  {
    collection: 'teams',
    indexes: [
      { key: { companyId: 1, nameKey: 1 }, name: NAME_INDEX, unique: true },
      // Channels' ids are never shared by companies, so this says: a channel hands over to one team.
      {
        key: { channels: 1 },
        name: CHANNEL_INDEX,
        unique: true,
        partialFilterExpression: { 'channels.0': { $exists: true } },
      },
    ],
  },
]

const MOST_TEAMS = 100
/** How long another process may still see the teams as they were, in milliseconds: every handover asks for them. */
const CACHED_MS = 3_000

type Needs = {
  db: Db
  clock: Clock
  personIds(companyId: string): Promise<string[]>
  channelIds(companyId: string): Promise<string[]>
}

export const makeTeamStore = ({ db, clock, personIds, channelIds }: Needs) => {
  const teams = db.collection<TeamDocument>('teams')
  const cache = new Map<string, { teams: Team[]; until: number }>()

  const list = async (companyId: string): Promise<Team[]> => {
    const found = (await teams.find({ companyId }, { sort: { nameKey: 1 } }).toArray()).map(toTeam)
    cache.set(companyId, { teams: found, until: clock.now().getTime() + CACHED_MS })
    return found
  }

  const remembered = async (companyId: string): Promise<Team[]> => {
    const cached = cache.get(companyId)
    return cached && cached.until > clock.now().getTime() ? cached.teams : list(companyId)
  }

  const assertKnown = async (companyId: string, { members = [], channels = [] }: TeamChange): Promise<void> => {
    const [people, open] = await Promise.all([personIds(companyId), channelIds(companyId)])
    const stranger = members.findIndex((id) => !people.includes(id))
    if (stranger !== -1) {
      throw refused('unknown_person', 'is not a person of this company', `members.${stranger}`)
    }
    const unknown = channels.findIndex((id) => !open.includes(id))
    if (unknown !== -1) throw refused('unknown_channel', 'is not a channel of this company', `channels.${unknown}`)
  }

  return {
    list,

    get: async (companyId: string, id: string): Promise<Team> => {
      const found = await teams.findOne({ _id: id, companyId })
      if (!found) throw noTeam()
      return toTeam(found)
    },

    /** Whose is what is handed over on the channel; `null`: everybody's. From memory on the hot path. */
    ofChannel: async (companyId: string, channelId: string): Promise<Team | null> =>
      (await remembered(companyId)).find(({ channels }) => channels.includes(channelId)) ?? null,

    add: async (companyId: string, draft: TeamDraft): Promise<Team> => {
      await assertKnown(companyId, draft)
      if ((await teams.countDocuments({ companyId })) >= MOST_TEAMS) {
        throw new AppError('conflict', 'too_many_teams', `A company has at most ${MOST_TEAMS} teams.`)
      }
      const document = { _id: newId('tea'), companyId, ...toSet(draft), createdAt: clock.now() } as TeamDocument
      await teams.insertOne(document).catch(translated)
      cache.delete(companyId)
      return toTeam(document)
    },

    update: async (companyId: string, id: string, change: TeamChange): Promise<Team> => {
      await assertKnown(companyId, change)
      const updated = await teams
        .findOneAndUpdate({ _id: id, companyId }, { $set: toSet(change) }, { returnDocument: 'after' })
        .catch(translated)
      cache.delete(companyId)
      if (!updated) throw noTeam()
      return toTeam(updated)
    },

    remove: async (companyId: string, id: string): Promise<void> => {
      await teams.deleteOne({ _id: id, companyId })
      cache.delete(companyId)
    },

    /** Somebody left the company. */
    forgetPerson: async (companyId: string, personId: string): Promise<void> => {
      await teams.updateMany({ companyId, members: personId }, { $pull: { members: personId } })
      cache.delete(companyId)
    },
  }
}

const toTeam = ({ companyId: _companyId, nameKey: _nameKey, ...document }: TeamDocument): Team => withId(document)

const toSet = ({ name, members, channels }: TeamChange): Partial<TeamDocument> => ({
  ...(name === undefined ? {} : { name, nameKey: name.normalize('NFKC').toLowerCase() }),
  ...(members === undefined ? {} : { members: [...new Set(members)] }),
  ...(channels === undefined ? {} : { channels: [...new Set(channels)] }),
})

const translated = (error: unknown): never => {
  if (isDuplicateKey(error, NAME_INDEX)) {
    throw new AppError('conflict', 'team_exists', 'There is a team of this name already.', { field: 'name' })
  }
  if (isDuplicateKey(error, CHANNEL_INDEX)) {
    throw new AppError('conflict', 'channel_taken', 'Another team has one of these channels already.', {
      field: 'channels',
    })
  }
  throw error
}

const refused = (code: string, why: string, field: string) =>
  new AppError('invalid', code, `${field}: ${why}`, { field })

const noTeam = () => new AppError('not_found', 'team_not_found', 'There is no such team.')
