import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { isDuplicateKey, type CollectionSchema, type Db } from '../platform/mongo.js'
import { randomToken, sha256 } from '../platform/secrets.js'
import type { Role } from './roles.js'

/**
 * API keys of a company. Only a hash is kept: a key has full entropy, so a fast hash is enough (NIST SP 800-63B §5.1.2).
 * They are ours and not better-auth's plugin's, which limits each key to ten requests a day unless told otherwise.
 */
export type ApiKey = {
  id: string
  companyId: string
  name: string
  role: Role
  /** The first characters, by which people tell their keys apart. */
  prefix: string
  createdAt: Date
  /** Exact to a minute. */
  lastUsedAt: Date | null
}

type KeyDocument = Omit<ApiKey, 'id'> & {
  _id: string
  hash: string
  /** The key that HELPDESK_API_KEY gives; it follows the variable. */
  fromEnvironment?: true
}

export const keySchemas: CollectionSchema[] = [
  {
    collection: 'apiKeys',
    indexes: [
      { key: { hash: 1 }, name: 'hash', unique: true },
      { key: { companyId: 1, createdAt: 1 }, name: 'of_company' },
    ],
  },
]

const CACHED_MS = 5_000
const LAST_USED_EVERY_MS = 60_000
const PREFIX_LENGTH = 6

type Needs = { db: Db; clock: Clock }

export const makeKeyStore = ({ db, clock }: Needs) => {
  const keys = db.collection<KeyDocument>('apiKeys')
  /** Verified keys by hash; emptied by every removal, so that a revoked key ends at once in this process. */
  const verified = new Map<string, { key: ApiKey; until: number }>()

  const insert = async (secret: string, of: Pick<KeyDocument, 'companyId' | 'name' | 'role' | 'fromEnvironment'>) => {
    const document: KeyDocument = {
      _id: newId('key'),
      ...of,
      hash: sha256(secret),
      prefix: secret.slice(0, PREFIX_LENGTH),
      createdAt: clock.now(),
      lastUsedAt: null,
    }
    await keys.insertOne(document)
    return document._id
  }

  return {
    /** The secret is returned once and never again. */
    add: async (companyId: string, name: string, role: Role): Promise<{ id: string; key: string }> => {
      const key = `hd_${randomToken()}`
      return { id: await insert(key, { companyId, name, role }), key }
    },

    list: async (companyId: string): Promise<ApiKey[]> =>
      (await keys.find({ companyId }, { sort: { createdAt: 1 } }).toArray()).map(toKey),

    get: async (companyId: string, id: string): Promise<ApiKey> => {
      const found = await keys.findOne({ _id: id, companyId })
      if (!found) throw new AppError('not_found', 'key_not_found', 'There is no such key.')
      return toKey(found)
    },

    remove: async (companyId: string, id: string): Promise<void> => {
      await keys.deleteOne({ _id: id, companyId })
      verified.clear()
    },

    /** The key that `secret` is; `null` when there is none. */
    verify: async (secret: string): Promise<ApiKey | null> => {
      const hash = sha256(secret)
      const now = clock.now()
      const cached = verified.get(hash)
      if (cached && cached.until > now.getTime()) return cached.key
      verified.delete(hash)
      const found = await keys.findOne({ hash })
      if (!found) return null
      if (now.getTime() - (found.lastUsedAt?.getTime() ?? 0) > LAST_USED_EVERY_MS) {
        await keys.updateOne({ _id: found._id }, { $set: { lastUsedAt: now } })
      }
      verified.set(hash, { key: toKey(found), until: now.getTime() + CACHED_MS })
      return toKey(found)
    },

    /** Makes the environment's key the only one of its kind; without a secret there is none. */
    followEnvironment: async (companyId: string, secret: string | undefined): Promise<void> => {
      const hash = secret === undefined ? '' : sha256(secret)
      await keys.deleteMany({ companyId, fromEnvironment: true, hash: { $ne: hash } })
      if (secret === undefined || (await keys.findOne({ hash }))) return
      try {
        await insert(secret, { companyId, name: 'Environment', role: 'owner', fromEnvironment: true })
      } catch (error) {
        // Another process that starts at the same moment made it.
        if (!isDuplicateKey(error)) throw error
      }
    },
  }
}

const toKey = ({ _id, companyId, name, role, prefix, createdAt, lastUsedAt }: KeyDocument): ApiKey => ({
  id: _id,
  companyId,
  name,
  role,
  prefix,
  createdAt,
  lastUsedAt,
})
