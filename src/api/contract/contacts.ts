import { z } from 'zod'
import { STATES } from '../../conversations/conversation.js'
import { byId, defineRoute, id, time } from './route.js'

const tag = 'Contacts'

const contact = z.strictObject({
  id,
  channelId: id,
  name: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
  reference: z.string().optional(),
  verified: z.boolean().optional(),
  tier: z.string().optional(),
  blocked: z.boolean(),
  optedOut: z.boolean().optional().describe('They want no automatic messages on their channel'),
})
export type ContactDto = z.input<typeof contact>

const known = z.strictObject({
  contact,
  others: z.array(contact).describe('The same person on other channels, as your people said'),
  conversations: z
    .array(z.strictObject({ id, channelId: id, contactId: id, state: z.enum(STATES), excerpt: z.string(), at: time }))
    .describe('Of all of them, the latest first'),
})
export type KnownContactDto = z.input<typeof known>

export const contactRoutes = {
  get: defineRoute({
    method: 'get',
    path: '/api/v1/contacts/:id',
    tag,
    summary: 'A contact, who else is the same person, and what they wrote',
    permission: 'conversations:read',
    params: byId,
    status: 200,
    response: known,
    errors: ['not_found'],
  }),
  merge: defineRoute({
    method: 'post',
    path: '/api/v1/contacts/:id/merge',
    tag,
    summary: 'Say that another contact is the same person; their conversations stay where they are',
    permission: 'conversations:write',
    params: byId,
    body: z.strictObject({ with: id }),
    status: 200,
    response: known,
    errors: ['not_found', 'conflict'],
  }),
  separate: defineRoute({
    method: 'post',
    path: '/api/v1/contacts/:id/separate',
    tag,
    summary: 'Say that it is a person of its own',
    permission: 'conversations:write',
    params: byId,
    status: 200,
    response: known,
    errors: ['not_found'],
  }),
  block: defineRoute({
    method: 'post',
    path: '/api/v1/contacts/:id/block',
    tag,
    summary: 'Keep what they write from everybody, or let them through again',
    permission: 'conversations:write',
    params: byId,
    body: z.strictObject({ blocked: z.boolean() }),
    status: 200,
    response: known,
    errors: ['not_found'],
  }),
}
