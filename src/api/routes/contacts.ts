import type { Known } from '../../conversations/contacts.js'
import { contract } from '../contract.js'
import type { ContactDto, KnownContactDto } from '../contract/contacts.js'
import { endpoint, type Endpoint } from '../endpoint.js'

export type ContactsNeeds = {
  contacts: {
    get(companyId: string, id: string): Promise<Known>
    merge(companyId: string, id: string, withId: string): Promise<Known>
    separate(companyId: string, id: string): Promise<Known>
    block(
      target: { companyId: string; contactId: string; person: { id: string; name: string } },
      blocked: boolean,
    ): Promise<Known>
  }
}

const { contacts: routes } = contract

export const makeContactsRouter = ({ contacts }: ContactsNeeds): Endpoint[] => [
  endpoint(routes.get, async ({ caller, params }) => toKnown(await contacts.get(caller.companyId, params.id))),
  endpoint(routes.merge, async ({ caller, params, body }) =>
    toKnown(await contacts.merge(caller.companyId, params.id, body.with)),
  ),
  endpoint(routes.separate, async ({ caller, params }) =>
    toKnown(await contacts.separate(caller.companyId, params.id)),
  ),
  endpoint(routes.block, async ({ caller: { companyId, id, name }, params, body }) =>
    toKnown(await contacts.block({ companyId, contactId: params.id, person: { id, name } }, body.blocked)),
  ),
]

const toKnown = ({ contact, others, conversations }: Known): KnownContactDto => ({
  contact: toContact(contact),
  others: others.map(toContact),
  conversations: conversations.map(({ id, channelId, contactId, state, lastMessage: { excerpt, at } }) => ({
    id,
    channelId,
    contactId,
    state,
    excerpt,
    at: at.toISOString(),
  })),
})

/** What their channel calls them stays inside. */
const toContact = (given: Known['contact']): ContactDto => {
  const { externalId: _externalId, personId: _personId, blocked = false, ...contact } = given
  return { ...contact, blocked }
}
