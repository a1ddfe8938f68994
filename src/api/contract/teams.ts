import { z } from 'zod'
import { byId, changesSomething, defineRoute, id, name, NOTHING_TO_CHANGE, time } from './route.js'

const tag = 'Teams'

const members = z.array(id).max(500).describe('People of the company')
const channels = z.array(id).max(200).describe("What is handed over to people on these becomes the team's")
const team = z.strictObject({ id, name: z.string(), members, channels, createdAt: time })
export type TeamDto = z.input<typeof team>

export const teamRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/teams',
    tag,
    summary: 'The teams of the company, by name',
    permission: 'people:read',
    status: 200,
    response: z.strictObject({ teams: z.array(team) }),
  }),
  add: defineRoute({
    method: 'post',
    path: '/api/v1/teams',
    tag,
    summary: 'Make a team; its opening hours are set with those of the company',
    permission: 'people:write',
    body: z.strictObject({ name, members: members.default([]), channels: channels.default([]) }),
    status: 201,
    response: team,
    errors: ['conflict'],
  }),
  update: defineRoute({
    method: 'patch',
    path: '/api/v1/teams/:id',
    tag,
    summary: 'Rename a team, or say who belongs to it and what comes to it',
    permission: 'people:write',
    params: byId,
    body: z
      .strictObject({ name: name.optional(), members: members.optional(), channels: channels.optional() })
      .refine(changesSomething, NOTHING_TO_CHANGE),
    status: 200,
    response: team,
    errors: ['not_found', 'conflict'],
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/teams/:id',
    tag,
    summary: "Remove a team: what it has is nobody's then; refused while a policy asks for it",
    permission: 'people:write',
    params: byId,
    status: 204,
    errors: ['not_found', 'conflict'],
  }),
}
