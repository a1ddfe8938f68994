import { z } from 'zod'
import { byId, changesSomething, defineRoute, fields, id, name, NOTHING_TO_CHANGE, time } from './route.js'

const tag = 'Channels'

const kind = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a kind of channel')
/** Each kind validates its own settings; here they only have to be an object. */
const settings = fields(z.string().max(60), z.unknown())

const channel = z.strictObject({
  id,
  kind,
  name: z.string(),
  state: z
    .enum(['open', 'closed', 'connecting', 'connected', 'limited', 'attention', 'disconnected', 'refused'])
    .describe('How its connection is; open where it needs none'),
  code: z.string().optional().describe('Why it is in this state, for programs'),
  detail: z.string().optional().describe('The same in a sentence'),
  at: time.optional().describe('Since when'),
  lastArrival: z
    .strictObject({ at: time, lagMs: z.number() })
    .optional()
    .describe('When a customer last wrote, by the clock of the provider, and how long it took to be stored'),
  webhookPath: z.string().optional().describe('What its provider calls, below the address of this server'),
  key: z.string().optional().describe('The public key that a web page carries'),
})
export type ChannelDto = z.input<typeof channel>

const channelWithSettings = channel.extend({
  settings: z.record(z.string(), z.unknown()).describe('Without its secrets'),
  secretsSet: z.array(z.string()).describe('The secrets that are set, by name'),
  pairing: z
    .strictObject({
      qr: z.string().optional().describe('A picture for the phone to scan, as a data URL'),
      code: z.string().optional().describe('What to type into the phone instead'),
      expiresAt: time,
      secondsLeft: z.number().describe('Until then, by the clock of the server'),
    })
    .optional()
    .describe('While a phone is being linked, for whoever may change channels'),
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
          cautions: z
            .array(z.strictObject({ code: z.string(), text: z.string() }))
            .describe('What to know before opening one'),
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
  test: defineRoute({
    method: 'post',
    path: '/api/v1/channels/:id/test',
    tag,
    summary: 'Send a test message through the channel, and see how far it comes',
    permission: 'channels:write',
    params: byId,
    body: z.strictObject({ to: z.string().min(1).max(320).describe('An address or number of yours') }),
    status: 200,
    response: z.strictObject({
      steps: z.array(
        z.strictObject({ name: z.string(), ok: z.boolean(), ms: z.number(), detail: z.string().optional() }),
      ),
    }),
    errors: ['not_found'],
  }),
  templates: defineRoute({
    method: 'get',
    path: '/api/v1/channels/:id/templates',
    tag,
    summary: 'What may be sent where free text may not, as the provider knows it now',
    permission: 'conversations:read',
    params: byId,
    status: 200,
    response: z.strictObject({
      templates: z.array(
        z.strictObject({
          name: z.string(),
          language: z.string(),
          text: z.string(),
          parameters: z.number().describe('How many values it needs'),
        }),
      ),
    }),
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
