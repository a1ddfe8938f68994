import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { inTransaction, isDuplicateKey, type CollectionSchema, type Mongo, type Session } from '../platform/mongo.js'
import { randomToken, sha256 } from '../platform/secrets.js'
import type { CompanyStore } from './company.mongo.js'
import type { PersonLanguage } from './person-language.js'
import type { Role } from './roles.js'
import type { AccountDocument, MemberDocument, SignIn, UserDocument } from './sign-in.mongo.js'

/**
 * The people of a company, and the one-time links by which they come in. A person's id is their membership: the same human
 * in two companies is two people, so that no id connects them.
 */
export type Person = {
  id: string
  name: string
  email: string
  role: Role
  status: 'active' | 'invited'
  since: Date
}

export type Membership = { id: string; companyId: string; role: Role }

/** A link is worth a role; only the hash of its token is kept, and redeeming deletes it. */
type LinkDocument = {
  _id: string
  companyId: string
  /** Id of the person that redeeming makes. */
  personId: string
  role: Role
  /** Who is invited; the first owner names themselves. */
  invited: { email: string; name: string } | null
  createdAt: Date
  expiresAt: Date
}

export const peopleSchemas: CollectionSchema[] = [
  {
    collection: 'oneTimeLinks',
    indexes: [
      { key: { companyId: 1, personId: 1 }, name: 'of_person', unique: true },
      { key: { expiresAt: 1 }, name: 'expired', expireAfterSeconds: 0 },
    ],
  },
]

const FIRST_OWNER_LINK_MS = 24 * 60 * 60 * 1000
const INVITATION_MS = 7 * 24 * 60 * 60 * 1000

type Needs = Mongo & {
  clock: Clock
  serialise: CompanyStore['serialisePeople']
  passwords: Pick<SignIn, 'hashPassword' | 'verifyPassword'>
}

type Newcomer = { name: string; email: string; password: string }

export const makePeopleStore = ({ client, db, clock, serialise, passwords }: Needs) => {
  const users = db.collection<UserDocument>('users')
  const accounts = db.collection<AccountDocument>('accounts')
  const sessions = db.collection<{ _id: string; userId: string }>('sessions')
  const members = db.collection<MemberDocument>('members')
  const links = db.collection<LinkDocument>('oneTimeLinks')

  const issue = async (link: Pick<LinkDocument, 'companyId' | 'personId' | 'role' | 'invited'>, validMs: number) => {
    const token = randomToken()
    const createdAt = clock.now()
    await links.insertOne({
      _id: sha256(token),
      ...link,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + validMs),
    })
    return token
  }

  const member = async (companyId: string, id: string): Promise<MemberDocument> => {
    const found = await members.findOne({ _id: id, organizationId: companyId })
    if (!found) throw noPerson()
    return found
  }

  const person = async (found: MemberDocument): Promise<Person> => {
    const user = await users.findOne({ _id: found.userId })
    return toPerson(found, user)
  }

  /** Runs `change` alone among the company's changes of people, and refuses it if it leaves no owner. */
  const keepingAnOwner = (companyId: string, change: (session: Session) => Promise<void>) =>
    inTransaction(client, async (session) => {
      await serialise(session, companyId)
      await change(session)
      if (!(await members.findOne({ organizationId: companyId, role: 'owner' }, { session }))) {
        throw new AppError('conflict', 'last_owner', 'A company keeps at least one owner: make another one first.')
      }
    })

  /** The user behind `email`: the existing one if the password is theirs, else a new one. */
  const userFor = async ({ name, email, password }: Newcomer) => {
    const existing = await users.findOne({ email })
    if (existing) {
      const account = await accounts.findOne({ userId: existing._id, providerId: 'credential' })
      if (!account || !(await passwords.verifyPassword(password, account.password))) {
        throw new AppError(
          'unauthenticated',
          'invalid_credentials',
          'This address has an account: give its password.',
          {
            field: 'password',
          },
        )
      }
      return { id: existing._id, insert: async () => {} }
    }
    const hash = await passwords.hashPassword(password)
    const id = newId('use')
    return {
      id,
      insert: async (session: Session) => {
        const now = clock.now()
        const times = { createdAt: now, updatedAt: now }
        await users.insertOne({ _id: id, name, email, emailVerified: true, ...times }, { session })
        await accounts.insertOne(
          { _id: newId('acc'), accountId: id, providerId: 'credential', userId: id, password: hash, ...times },
          { session },
        )
      },
    }
  }

  const join = async (
    newcomer: Newcomer,
    membership: Membership,
    alsoInside: (session: Session) => Promise<void>,
  ): Promise<void> => {
    const user = await userFor(newcomer)
    try {
      await inTransaction(client, async (session) => {
        await alsoInside(session)
        await user.insert(session)
        await members.insertOne(
          {
            _id: membership.id,
            organizationId: membership.companyId,
            userId: user.id,
            role: membership.role,
            createdAt: clock.now(),
          },
          { session },
        )
      })
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
      throw new AppError('conflict', 'already_a_member', 'This address already belongs to the company.', {
        field: 'email',
      })
    }
  }

  const hasOwner = async (companyId: string, session?: Session): Promise<boolean> =>
    (await members.findOne({ organizationId: companyId, role: 'owner' }, session ? { session } : {})) !== null

  return {
    hasOwner,

    list: async (companyId: string): Promise<Person[]> => {
      const found = await members.find({ organizationId: companyId }, { sort: { createdAt: 1 } }).toArray()
      const known = await users.find({ _id: { $in: found.map(({ userId }) => userId) } }).toArray()
      const byId = new Map(known.map((user) => [user._id, user]))
      const invited = await links
        .find({ companyId, expiresAt: { $gt: clock.now() } }, { sort: { createdAt: 1 } })
        .toArray()
      return [...found.map((one) => toPerson(one, byId.get(one.userId) ?? null)), ...invited.flatMap(toInvited)]
    },

    /** Of everybody, also of who is invited. */
    ids: async (companyId: string): Promise<string[]> => {
      const found = await members.find({ organizationId: companyId }, { projection: { _id: 1 } }).toArray()
      const invited = await links.find({ companyId, expiresAt: { $gt: clock.now() } }).toArray()
      return [...found.map(({ _id }) => _id), ...invited.filter((link) => link.invited).map((link) => link.personId)]
    },

    get: async (companyId: string, id: string): Promise<Person> => person(await member(companyId, id)),

    /** Also an invited one. */
    find: async (companyId: string, id: string): Promise<Person> => {
      const link = await links.findOne({ companyId, personId: id, expiresAt: { $gt: clock.now() } })
      const [invited] = link ? toInvited(link) : []
      return invited ?? person(await member(companyId, id))
    },

    /** An invited address learns nothing here about other companies: the answer is the same for a known one. */
    invite: async (companyId: string, { email, name, role }: { email: string; name: string; role: Role }) => {
      const known = await users.findOne({ email })
      if (known && (await members.findOne({ organizationId: companyId, userId: known._id }))) {
        throw new AppError('conflict', 'already_a_member', 'This address already belongs to the company.', {
          field: 'email',
        })
      }
      // A second invitation takes the place of the first, whose link then opens nothing.
      await links.deleteMany({ companyId, 'invited.email': email })
      const personId = newId('per')
      return {
        id: personId,
        token: await issue({ companyId, personId, role, invited: { email, name } }, INVITATION_MS),
      }
    },

    wantsPromiseMail: async (companyId: string, id: string): Promise<boolean> =>
      (await member(companyId, id)).noPromiseMail !== true,

    setPromiseMail: async (companyId: string, id: string, wanted: boolean): Promise<void> => {
      const { _id } = await member(companyId, id)
      const change = wanted ? { $unset: { noPromiseMail: '' as const } } : { $set: { noPromiseMail: true as const } }
      await members.updateOne({ _id, organizationId: companyId }, change)
    },

    /** Who is mailed about a promised time: whose conversation it is; of what is nobody's, the admins who want it. */
    promiseMailTo: async (companyId: string, assigneeId: string | null): Promise<{ id: string; email: string }[]> => {
      const own = assigneeId === null ? null : await members.findOne({ _id: assigneeId, organizationId: companyId })
      const admins = { organizationId: companyId, role: { $in: ['owner', 'admin'] } }
      const found = own ? [own] : await members.find(admins, { sort: { createdAt: 1 } }).toArray()
      const wanting = found.filter(({ noPromiseMail }) => !noPromiseMail)
      const known = await users.find({ _id: { $in: wanting.map(({ userId }) => userId) } }).toArray()
      return wanting.flatMap(({ _id: id, userId }) => {
        const email = known.find((user) => user._id === userId)?.email
        return email ? [{ id, email }] : []
      })
    },

    /** In which language the product's own mail is written to them. */
    setLanguage: async (companyId: string, id: string, language: PersonLanguage): Promise<void> => {
      const { _id } = await member(companyId, id)
      await members.updateOne({ _id, organizationId: companyId }, { $set: { language } })
    },

    /** Who can put right what no agent can; `language` is `null` where they chose none. */
    adminsToTell: async (companyId: string) => {
      const admins = { organizationId: companyId, role: { $in: ['owner', 'admin'] } }
      const found = await members.find(admins, { sort: { createdAt: 1 } }).toArray()
      const known = await users.find({ _id: { $in: found.map(({ userId }) => userId) } }).toArray()
      return found.flatMap(({ _id: id, userId, language = null }) => {
        const email = known.find((user) => user._id === userId)?.email
        return email ? [{ id, email, language }] : []
      })
    },

    changeRole: async (companyId: string, id: string, role: Role): Promise<void> => {
      const { matchedCount } = await links.updateOne({ companyId, personId: id }, { $set: { role } })
      if (matchedCount === 1) return
      await keepingAnOwner(companyId, async (session) => {
        await members.updateOne({ _id: id, organizationId: companyId }, { $set: { role } }, { session })
      })
    },

    /** Somebody who belongs to no company any more leaves nothing behind that signs in. */
    remove: async (companyId: string, id: string): Promise<void> => {
      const { deletedCount } = await links.deleteOne({ companyId, personId: id })
      if (deletedCount === 1) return
      const { userId } = await member(companyId, id)
      await keepingAnOwner(companyId, async (session) => {
        await members.deleteOne({ _id: id, organizationId: companyId }, { session })
        if (await members.findOne({ userId }, { session })) return
        await sessions.deleteMany({ userId }, { session })
        await accounts.deleteMany({ userId }, { session })
        await users.deleteOne({ _id: userId }, { session })
      })
    },

    membershipsOf: async (userId: string): Promise<Membership[]> =>
      (await members.find({ userId }, { sort: { createdAt: 1 } }).toArray()).map(toMembership),

    /** A member that is made by one who is signed in already. */
    addMember: async (companyId: string, userId: string, role: Role): Promise<void> => {
      await members.insertOne({ _id: newId('per'), organizationId: companyId, userId, role, createdAt: clock.now() })
    },

    userOf: async (companyId: string, id: string): Promise<string> => (await member(companyId, id)).userId,

    /** Ends what earlier starts printed: only the newest link opens. */
    issueFirstOwnerLink: async (companyId: string): Promise<string> => {
      await links.deleteMany({ companyId, invited: null })
      return issue({ companyId, personId: newId('per'), role: 'owner', invited: null }, FIRST_OWNER_LINK_MS)
    },

    makeOwner: async (companyId: string, owner: Newcomer): Promise<void> =>
      join(owner, { id: newId('per'), companyId, role: 'owner' }, async () => {}),

    link: async (token: string): Promise<Pick<LinkDocument, 'companyId' | 'invited'>> => {
      const link = await links.findOne({ _id: sha256(token), expiresAt: { $gt: clock.now() } })
      if (!link) throw linkSpent()
      return link
    },

    /** Nothing is spent when it fails: the link stays good until somebody came in by it. */
    redeem: async (token: string, newcomer: Newcomer): Promise<Membership> => {
      const link = await links.findOne({ _id: sha256(token), expiresAt: { $gt: clock.now() } })
      if (!link) throw linkSpent()
      if (link.invited && link.invited.email !== newcomer.email) {
        throw new AppError('invalid', 'invalid', 'email: is not the address that was invited', { field: 'email' })
      }
      const membership = { id: link.personId, companyId: link.companyId, role: link.role }
      await join(newcomer, membership, async (session) => {
        const spent = await links.findOneAndDelete({ _id: link._id }, { session })
        if (!spent) throw linkSpent()
        if (!link.invited && (await hasOwner(link.companyId, session))) throw linkSpent()
      })
      return membership
    },
  }
}

/** What better-auth stores as a role is what this file wrote there. */
const toMembership = ({ _id, organizationId, role }: MemberDocument): Membership => ({
  id: _id,
  companyId: organizationId,
  role: role as Role,
})

const toPerson = (member: MemberDocument, user: UserDocument | null): Person => ({
  id: member._id,
  name: user?.name ?? '',
  email: user?.email ?? '',
  role: member.role as Role,
  status: 'active',
  since: member.createdAt,
})

const toInvited = ({ personId, role, invited, createdAt }: LinkDocument): Person[] =>
  invited ? [{ id: personId, ...invited, role, status: 'invited', since: createdAt }] : []

const noPerson = () => new AppError('not_found', 'person_not_found', 'There is no such person.')

const linkSpent = () =>
  new AppError('forbidden', 'link_invalid', 'This link was used or has expired. Ask for a new one.', { field: 'token' })
