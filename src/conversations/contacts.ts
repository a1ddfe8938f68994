import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { currentRequestId } from '../platform/log.js'
import type { Person } from './actions.js'
import type { Conversation } from './conversation.js'
import type { Contact } from './contacts.mongo.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine } from './timeline.js'

/** A contact, whoever else of the contacts is the same person, and what all of them wrote, newest first. */
export type Known = { contact: Contact; others: Contact[]; conversations: Conversation[] }

type Needs = { store: ConversationStore; bus: Bus; clock: Clock }
type Target = { companyId: string; contactId: string; person: Person }

/** A person is known by few names; more of them are a mistake, or somebody playing. */
const MOST_OF_ONE_PERSON = 20
const MOST_CONVERSATIONS = 50

/**
 * What people know and decide of who writes. A contact is one channel's name for somebody; that two of them are one person, a
 * person says. Nothing moves then: each conversation stays on its channel, and is found from the others.
 */
export const makeContacts = ({ store, bus, clock }: Needs) => {
  const found = async (companyId: string, contactId: string): Promise<Contact> => {
    const contact = await store.contact(companyId, contactId)
    if (!contact) throw new AppError('not_found', 'contact_not_found', 'There is no such contact.')
    return contact
  }

  const get = async (companyId: string, contactId: string): Promise<Known> => {
    const contact = await found(companyId, contactId)
    const all = await store.contactsOfPerson(companyId, personOf(contact))
    const ids = [...new Set([contactId, ...all.map(({ id }) => id)])]
    const conversations = await store.list(
      { companyId, contactId: { $in: ids } },
      { updatedAt: -1, _id: 1 },
      MOST_CONVERSATIONS,
    )
    return { contact, others: all.filter(({ id }) => id !== contactId), conversations }
  }

  return {
    get,

    /** From now on both are one person, with all that either was merged with before. */
    merge: async (companyId: string, contactId: string, withId: string): Promise<Known> => {
      const [one, other] = await Promise.all([found(companyId, contactId), found(companyId, withId)])
      const ours = await store.contactsOfPerson(companyId, personOf(one))
      const theirs = await store.contactsOfPerson(companyId, personOf(other))
      if (new Set([...ours, ...theirs, one, other].map(({ id }) => id)).size > MOST_OF_ONE_PERSON) {
        throw new AppError('conflict', 'too_many_contacts', `One person has at most ${MOST_OF_ONE_PERSON} contacts.`)
      }
      await store.makeOnePerson(companyId, [personOf(one), personOf(other)], personOf(other))
      return get(companyId, contactId)
    },

    /** It is a person of its own again. */
    separate: async (companyId: string, contactId: string): Promise<Known> => {
      await found(companyId, contactId)
      await store.setContactPerson(companyId, contactId, newId('prs'))
      return get(companyId, contactId)
    },

    /** What a blocked contact writes is kept, and nobody is bothered with it: no answer, no queue, no promise. */
    block: async ({ companyId, contactId, person }: Target, blocked: boolean): Promise<Known> => {
      await found(companyId, contactId)
      await store.setContactBlocked(companyId, contactId, blocked)
      const author = { kind: 'agent' as const, ...person }
      const unfinished = await store.list(
        { companyId, contactId, state: { $ne: 'closed' } },
        { updatedAt: -1 },
        MOST_CONVERSATIONS,
      )
      for (const { id: conversationId } of unfinished) {
        const target = { companyId, conversationId, at: clock.now(), requestId: currentRequestId() ?? newId('req') }
        const appended = await store.change(target, (conversation) =>
          (conversation.blocked ?? false) === blocked
            ? null
            : {
                change: { blocked, ...(blocked ? { answerDue: null } : {}) },
                drafts: [eventLine({ name: blocked ? 'blocked' : 'unblocked' }, author)],
              },
        )
        if (appended) announce(bus, appended)
      }
      return get(companyId, contactId)
    },
  }
}

/** Whoever was never merged is a person of their own. */
export const personOf = ({ id, personId = id }: Contact): string => personId
