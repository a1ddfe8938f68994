import { z } from 'zod'
import { byId, changesSomething, defineRoute, fields, id, name, NOTHING_TO_CHANGE } from './route.js'

const tag = 'Channels'

const kind = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a kind of channel')
/** Each kind validates its own settings; here they only have to be an object. */
const settings = fields(z.string().max(60), z.unknown())

const channel = z.strictObject({
  id,
  kind,
  name: z.string(),
  state: z.string(),
  key: z.string().optional().describe('The public key that a web page carries'),
})
export type ChannelDto = z.input<typeof channel>

const channelWithSettings = channel.extend({
  settings: z.record(z.string(), z.unknown()).describe('Without its secrets'),
  secretsSet: z.array(z.string()).describe('The secrets that are set, by name'),
})

export const channelRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/channels',
    tag,
    summary: 'The channels of the company; secrets are never returned',
    permission: 'channels:read',
    status: 200,
    response: z.strictObject({ channels: z.array(channel) }),
  }),
  kinds: defineRoute({
    method: 'get',
    path: '/api/v1/channels/kinds',
    tag,
    summary: 'Which kinds of channel there are',
    permission: 'channels:read',
    status: 200,
    response: z.strictObject({
      kinds: z.array(
        z.strictObject({
          kind,
          label: z.string(),
          icon: z.string(),
          settings: z.record(z.string(), z.unknown()).describe('A JSON Schema of its settings'),
          secrets: z.array(z.string()).describe('Settings that are never returned'),
        }),
      ),
    }),
  }),
  add: defineRoute({
    method: 'post',
    path: '/api/v1/channels',
    tag,
    summary: 'Open a channel',
    permission: 'channels:write',
    body: z.strictObject({ kind, name: name.optional(), settings: settings.default({}) }),
    status: 201,
    response: z.strictObject({ id }),
    errors: ['conflict'],
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/v1/channels/:id',
    tag,
    summary: 'One channel with its settings; of secrets only which are set',
    permission: 'channels:read',
    params: byId,
    status: 200,
    response: channelWithSettings,
    errors: ['not_found'],
  }),
  update: defineRoute({
    method: 'patch',
    path: '/api/v1/channels/:id',
    tag,
    summary: 'Rename a channel or change its settings',
    permission: 'channels:write',
    params: byId,
    body: z
      .strictObject({ name: name.optional(), settings: settings.optional() })
      .refine(changesSomething, NOTHING_TO_CHANGE),
    status: 200,
    response: channel,
    errors: ['not_found'],
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/channels/:id',
    tag,
    summary: 'Close a channel; its conversations stay',
    permission: 'channels:write',
    params: byId,
    status: 204,
    errors: ['not_found'],
  }),
}
