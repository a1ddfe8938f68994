import type { Log } from '../platform/log.js'
import type { Contact } from './contacts.mongo.js'
import { personOf } from './contacts.js'
import type { Conversation } from './conversation.js'
import { contactIdOf, type IdentityArrival, type Origin } from './message.js'
import type { ConversationStore } from './store.mongo.js'

type Needs = { store: ConversationStore; log: Log }

/**
 * A channel says that two of its names are one person. From then on both lead to one contact. Where both have written already,
 * nothing moves: each conversation stays what it is, the two contacts are one person (which people may undo), and what comes next
 * goes where the person wrote last.
 */
export const makeIdentify = ({ store, log }: Needs) => {
  const latestOf = ({ companyId, channelId }: Origin, { id }: Contact): Promise<Conversation | null> =>
    store.latestOfContact(companyId, channelId, id)

  /** Who is blocked does not get through under another name. */
  const staysOf = async (origin: Origin, one: Contact, other: Contact): Promise<Contact> => {
    if (Boolean(one.blocked) !== Boolean(other.blocked)) return one.blocked ? one : other
    const [mine, theirs] = await Promise.all([latestOf(origin, one), latestOf(origin, other)])
    return (theirs?.updatedAt.getTime() ?? 0) > (mine?.updatedAt.getTime() ?? 0) ? other : one
  }

  return async (origin: Origin, { from, to, phone }: IdentityArrival): Promise<void> => {
    const { companyId, channelId } = origin
    const nameId = contactIdOf(origin, to)
    const [one, other] = await Promise.all(
      [contactIdOf(origin, from), nameId].map(async (id) =>
        store.contact(companyId, await store.contactBehind(companyId, id)),
      ),
    )
    // Who has not written yet is known by the second name from the beginning.
    if (!one) return
    const both = other && other.id !== one.id ? other : null
    const stays = both ? await staysOf(origin, one, both) : one
    if (both) {
      const people = [personOf(one), personOf(both)]
      await store.makeOnePerson(companyId, people, personOf(stays))
      await store.alias(companyId, stays.id === one.id ? both.id : one.id, stays.id)
    }
    await store.setContactExternalId(companyId, stays.id, to, phone)
    // Back to their first one: that has no alias.
    if (nameId !== stays.id) await store.alias(companyId, nameId, stays.id)
    log.info({ channelId, contactId: stays.id, both: both !== null }, 'contact has another id')
  }
}
