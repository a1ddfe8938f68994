import type { Collection } from '../platform/mongo.js'

/** Somebody who writes, as their channel and the company's own site know them. */
export type Contact = {
  id: string
  channelId: string
  /** As their channel knows them. */
  externalId: string
  name?: string
  email?: string
  phone?: string
  reference?: string
  /** The company's own site has proven that `reference` is who writes. */
  verified?: true
  /** What the company calls its more important customers; policies may ask for it. */
  tier?: string
  /** Shared by contacts who are one person, as somebody said; absent: a person of their own. */
  personId?: string
  blocked?: boolean
  /** They want no automatic messages on their channel. People may still answer them; the assistant may not. */
  optedOut?: true
}

export type ContactDocument = Omit<Contact, 'id' | 'optedOut'> & {
  _id: string
  companyId: string
  /** Since when they want no automatic messages. */
  optedOutAt?: Date
  createdAt: Date
}

export const makeContactStore = (contacts: Collection<ContactDocument>) => ({
  contacts: async (companyId: string, ids: readonly string[]): Promise<Contact[]> =>
    (await contacts.find({ companyId, _id: { $in: [...new Set(ids)] } }).toArray()).map(toContact),

  contact: async (companyId: string, id: string): Promise<Contact | null> => {
    const found = await contacts.findOne({ _id: id, companyId })
    return found && toContact(found)
  },

  contactsOfPerson: async (companyId: string, personId: string): Promise<Contact[]> =>
    (await contacts.find({ companyId, $or: [{ personId }, { _id: personId }] }, { sort: { createdAt: 1 } }).toArray())
      .map(toContact)
      .filter(({ id, personId: own = id }) => own === personId),

  /** Everybody who is one of the persons `from` is `to` now. */
  makeOnePerson: async (companyId: string, from: readonly string[], to: string): Promise<void> => {
    await contacts.updateMany(
      {
        companyId,
        $or: [{ personId: { $in: [...from] } }, { _id: { $in: [...from] }, personId: { $exists: false } }],
      },
      { $set: { personId: to } },
    )
  },

  setContactPerson: async (companyId: string, id: string, personId: string): Promise<void> => {
    await contacts.updateOne({ _id: id, companyId }, { $set: { personId } })
  },

  setContactBlocked: async (companyId: string, id: string, blocked: boolean): Promise<void> => {
    await contacts.updateOne({ _id: id, companyId }, { $set: { blocked } })
  },

  /** True where that is news. */
  setContactOptedOut: async (companyId: string, id: string, at: Date | null): Promise<boolean> => {
    const { modifiedCount } = at
      ? await contacts.updateOne({ _id: id, companyId, optedOutAt: { $exists: false } }, { $set: { optedOutAt: at } })
      : await contacts.updateOne({ _id: id, companyId }, { $unset: { optedOutAt: '' } })
    return modifiedCount === 1
  },

  /** Where a contact is reached from now on. */
  setContactExternalId: async (companyId: string, id: string, externalId: string, phone?: string): Promise<void> => {
    await contacts.updateOne({ _id: id, companyId }, { $set: { externalId, ...(phone ? { phone } : {}) } })
  },

  /** Whose name or address contains `text`, case-insensitive. */
  contactIdsLike: async (companyId: string, text: string, limit: number): Promise<string[]> => {
    const like = { $regex: text, $options: 'i' }
    const filter = { companyId, $or: [{ name: like }, { email: like }, { reference: like }] }
    return (await contacts.find(filter, { limit, projection: { _id: 1 } }).toArray()).map(({ _id }) => _id)
  },

  setContactEmail: async (companyId: string, contactId: string, email: string): Promise<void> => {
    await contacts.updateOne({ _id: contactId, companyId }, { $set: { email } })
  },

  /** False where there is no such contact. */
  setContactTier: async (companyId: string, contactId: string, tier: string | null): Promise<boolean> => {
    const change = tier === null ? { $unset: { tier: '' as const } } : { $set: { tier } }
    return (await contacts.updateOne({ _id: contactId, companyId }, change)).matchedCount === 1
  },
})

const toContact = ({ _id: id, channelId, externalId, ...known }: ContactDocument): Contact => {
  const { name, email, phone, reference, verified, tier, personId, blocked, optedOutAt } = known
  return {
    id,
    channelId,
    externalId,
    ...(name ? { name } : {}),
    ...(email ? { email } : {}),
    ...(phone ? { phone } : {}),
    ...(reference ? { reference } : {}),
    ...(verified ? { verified } : {}),
    ...(tier ? { tier } : {}),
    ...(personId ? { personId } : {}),
    ...(blocked ? { blocked } : {}),
    ...(optedOutAt ? { optedOut: true } : {}),
  }
}
