import { z } from 'zod'
import { ATTACHMENT_LIMITS } from '../../channels/channel.js'
import { HANDLERS, PRIORITIES, STATES } from '../../conversations/conversation.js'
import { MAX_MESSAGE_LENGTH } from '../../conversations/message.js'
import { CLOCK_KINDS } from '../../sla/policy.js'
import { SMALL_TALK } from '../../conversations/talk.js'
import { explainedServiceLevels } from './explained-service-levels.js'
import { citation } from './knowledge.js'
import { byId, defineRoute, id, time } from './route.js'

const tag = 'Conversations'

const assignee = z.strictObject({ id, name: z.string() })

const contact = z.strictObject({
  id,
  name: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional().describe('E.164'),
  reference: z.string().optional().describe("The company's own name for the customer"),
  verified: z.boolean().optional().describe("The company's site has proven that this is who writes"),
  tier: z.string().optional().describe('How important the company calls them'),
  blocked: z.boolean().optional().describe('What they write bothers nobody'),
})

const due = z
  .strictObject({
    clock: z.enum(CLOCK_KINDS),
    at: time,
    state: z.enum(['running', 'warned', 'breached']).describe('`warned`: it is near; `breached`: it has passed'),
  })
  .describe('What was promised to the customer and is due first')

const recap = z
  .strictObject({
    asked: z.array(z.string()),
    lastWords: z.string().optional().describe('Where they were no question'),
    answered: z
      .strictObject({ text: z.string(), by: z.string().optional(), from: z.string().optional() })
      .optional()
      .describe('`by`: who said it; `from`: the documents that it was said from'),
  })
  .describe('The summary in parts, for whoever reads another language')

const unmailed = z.enum(['no_address', 'no_mail', 'stopped', 'blocked'])

const conversation = z.strictObject({
  id,
  channelId: id,
  contactId: id,
  contact,
  previousId: id.nullable(),
  state: z.enum(STATES),
  handler: z.enum(HANDLERS),
  assignee: assignee.nullable(),
  teamId: id.nullable().describe('Whose queue it is in'),
  priority: z.enum(PRIORITIES),
  tags: z.array(z.string()),
  seq: z.number(),
  version: z.number(),
  handoff: z.strictObject({ reason: z.string(), summary: z.string(), recap: recap.optional(), at: time }).nullable(),
  lastMessage: z.strictObject({ author: z.string(), excerpt: z.string(), at: time }),
  due: due.optional(),
  reach: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('open'),
        until: time.optional(),
        whenGone: z
          .discriminatedUnion('kind', [
            z.strictObject({ kind: z.literal('mailed'), to: z.string() }),
            z.strictObject({ kind: z.literal('unread'), reason: unmailed }),
          ])
          .optional()
          .describe('What becomes of a reply that the customer is not there to read; only where they may leave'),
      }),
      z.strictObject({ kind: z.literal('doubtful'), code: z.string(), message: z.string() }),
      z.strictObject({ kind: z.literal('closed'), code: z.string(), message: z.string() }),
    ])
    .optional()
    .describe('Whether free text may be sent now, and may not arrive; only where one conversation is read'),
  createdAt: time,
  updatedAt: time,
  resolvedAt: time.nullable(),
})
export type ConversationDto = z.input<typeof conversation>

/** What a line of the timeline says, for programs; its text says the same in English. */
const event = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('handoff'), reason: z.string() }),
  z.strictObject({ name: z.literal('resumed') }),
  z.strictObject({ name: z.literal('blocked') }),
  z.strictObject({ name: z.literal('unblocked') }),
  z.strictObject({ name: z.literal('mail_stopped') }),
  z.strictObject({ name: z.literal('state'), from: z.string(), to: z.string(), reason: z.string().optional() }),
  z.strictObject({ name: z.literal('assigned'), to: z.string().nullable() }),
  z.strictObject({ name: z.literal('team'), to: z.strictObject({ id, name: z.string() }).nullable() }),
  z.strictObject({ name: z.literal('attempt'), kinds: z.array(z.string()) }),
  z.strictObject({ name: z.literal('consent'), wants: z.enum(['out', 'in']) }),
  z.strictObject({ name: z.literal('priority'), from: z.enum(PRIORITIES), to: z.enum(PRIORITIES) }),
  z.strictObject({
    name: z.literal('service_level'),
    clock: z.enum(CLOCK_KINDS),
    change: z.enum(['warning', 'breach', 'withdrawn']).describe('`withdrawn`: it was kept after all'),
    dueAt: time,
  }),
])

const keptFile = z.strictObject({ id: z.string(), name: z.string(), type: z.string(), size: z.number() })

const attachment = keptFile.extend({
  text: z
    .strictObject({
      kind: z.enum(['transcript', 'description']),
      text: z.string(),
      model: z.string(),
      at: time,
    })
    .optional()
    .describe('What a machine heard in a recording or saw in a picture; it may be wrong'),
  unread: z.string().optional().describe('Why a machine made nothing of it'),
})

const template = z.strictObject({
  name: z.string().min(1).max(512),
  language: z.string().min(2).max(15),
  parameters: z.array(z.string().max(1024)).max(20),
})

const letter = z
  .strictObject({
    state: z.enum(['waiting', 'sending', 'sent', 'seen', 'unsent', 'refused', 'uncertain']),
    to: z.string().optional(),
    reason: z.enum([...unmailed.options, 'not_taken', 'came_back', 'unreachable', 'unknown']).optional(),
    detail: z.string().optional().describe("The mail server's own words"),
    at: time.optional().describe('When it ended'),
  })
  .describe('What became of mailing it to a customer who may have left before it came')

const message = z.strictObject({
  id,
  seq: z.number(),
  kind: z.enum(['message', 'note', 'event']),
  author: z.enum(['customer', 'assistant', 'agent', 'system']),
  authorName: z.string().optional(),
  text: z.string(),
  citations: z.array(citation),
  attachments: z.array(attachment).optional().describe('Files that came with it'),
  mode: z.enum(['model', 'extractive']).optional(),
  decisionId: id.optional(),
  choices: z.array(z.string()).optional().describe('The assistant asked back which of these is meant'),
  about: z
    .strictObject({ messageId: id, label: z.string() })
    .optional()
    .describe(
      'The choice that the customer made, and of which message: it deals with what they asked before, of that alone',
    ),
  talk: z.enum(SMALL_TALK).optional().describe('Small talk of this kind was answered; no document was asked'),
  feedback: z
    .strictObject({ rating: z.enum(['up', 'down']), at: time })
    .optional()
    .describe('Whether it helped, as its customer says'),
  automatic: z.string().optional().describe('Why no person wrote it'),
  needsPerson: z.string().optional().describe('Why the assistant left it to people'),
  isBeingRead: z.literal(true).optional().describe('A model has yet to hear or see its files'),
  details: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What its channel alone knows of it, such as a subject'),
  template: template.optional(),
  edits: z
    .array(z.strictObject({ text: z.string(), at: time }))
    .optional()
    .describe('How it read before its customer changed it'),
  revoked: z.literal(true).optional().describe('Its customer took it back'),
  reaction: z.string().optional().describe('What its reader put under it'),
  event: event.optional(),
  clientId: z.string().optional(),
  status: z.enum(['queued', 'sending', 'sent', 'delivered', 'read', 'refused', 'uncertain']).nullable(),
  reason: z.string().optional(),
  nextTryAt: time.optional().describe('While it waits: when its turn comes again'),
  letter: letter.optional(),
  at: time,
})
export type MessageDto = z.input<typeof message>

const wordsToSay = z.strictObject({
  text: z.string().max(MAX_MESSAGE_LENGTH),
  attachments: z
    .array(z.string().max(2000))
    .max(ATTACHMENT_LIMITS.most)
    .optional()
    .describe('Tickets of files that were sent up before; with them the text may be empty'),
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{8,64}$/, 'must be 8 to 64 letters, digits, _ or -')
    .optional()
    .describe("The client's own id: sending it again, however often, is one message"),
})

const saysSomething = ({ text, attachments = [] }: z.output<typeof wordsToSay>) =>
  text.trim() !== '' || attachments.length > 0

const said = wordsToSay.refine(saysSomething, { message: 'is empty', path: ['text'] })

const spoken = wordsToSay
  .extend({
    text: wordsToSay.shape.text.default(''),
    template: template.optional().describe("One of the channel's, instead of words, where free text may not be sent"),
  })
  .refine((body) => saysSomething(body) !== (body.template !== undefined), {
    message: 'is empty; give either text or a template',
    path: ['text'],
  })
const reason = z.string().trim().min(1).max(500)

/** Every change of a conversation answers with what it became. */
const change = <const Path extends string, Body extends z.ZodType>(path: Path, summary: string, body: Body) =>
  defineRoute({
    method: 'post',
    path: `/api/v1/conversations/:id/${path}`,
    tag,
    summary,
    permission: 'conversations:write',
    params: byId,
    body,
    status: 200,
    response: conversation,
    errors: ['not_found', 'conflict'],
  })

export const conversationRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/conversations',
    tag,
    summary: 'The inbox, last changed first, or what is due first',
    permission: 'conversations:read',
    query: z.strictObject({
      state: z
        .enum([...STATES, 'unresolved'])
        .optional()
        .describe('`unresolved` is all but resolved and closed'),
      handler: z.enum(HANDLERS).optional(),
      assignee: id.optional().describe('A person, "me", or "nobody"'),
      channel: id.optional(),
      team: id.optional().describe('A team, "mine" for those of the caller, or "none"'),
      q: z.string().trim().min(1).max(200).optional(),
      order: z.enum(['changed', 'due']).default('changed').describe('`due`: what breaches first comes first'),
      cursor: z.string().min(1).max(500).optional(),
      limit: z.coerce.number().int().min(1).max(100).default(50),
    }),
    status: 200,
    response: z.strictObject({ conversations: z.array(conversation), nextCursor: z.string().nullable() }),
  }),
  counts: defineRoute({
    method: 'get',
    path: '/api/v1/conversations/counts',
    tag,
    summary: 'How many are not resolved: in all, assigned to the caller, waiting for a person, and by team',
    permission: 'conversations:read',
    status: 200,
    response: z.strictObject({
      all: z.number(),
      mine: z.number(),
      waiting: z.number(),
      teams: z.array(z.strictObject({ teamId: id, all: z.number(), waiting: z.number() })),
    }),
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/v1/conversations/:id',
    tag,
    summary: 'One conversation',
    permission: 'conversations:read',
    params: byId,
    status: 200,
    response: conversation,
    errors: ['not_found'],
  }),
  messages: defineRoute({
    method: 'get',
    path: '/api/v1/conversations/:id/messages',
    tag,
    summary: 'Its messages, notes and events in their order',
    permission: 'conversations:read',
    params: byId,
    query: z.strictObject({ after: z.coerce.number().int().min(0).optional().describe('Only what has a higher seq') }),
    status: 200,
    response: z.strictObject({ messages: z.array(message) }),
    errors: ['not_found'],
  }),
  original: defineRoute({
    method: 'get',
    path: '/api/v1/messages/:id/original',
    tag,
    summary: 'A message as it came, with its quotes and signature, where it shows only what is new in it',
    permission: 'conversations:read',
    params: byId,
    status: 200,
    response: z.strictObject({ text: z.string(), html: z.string().optional().describe('Sanitised') }),
    errors: ['not_found'],
  }),
  cancel: defineRoute({
    method: 'post',
    path: '/api/v1/messages/:id/cancel',
    tag,
    summary: 'Cancel a message that is still queued: it never leaves, and is `refused` with the reason `cancelled: …`',
    permission: 'conversations:write',
    params: byId,
    body: z.strictObject({}),
    status: 200,
    response: message,
    errors: ['not_found', 'conflict'],
  }),
  attachment: defineRoute({
    method: 'get',
    path: '/api/v1/attachments/:id',
    tag,
    summary: 'A file that came with a message, or a part of it (`Range`)',
    permission: 'conversations:read',
    params: byId,
    query: z.strictObject({
      company: id.optional().describe('Which company is meant, for players, which can send no `x-company-id`'),
    }),
    status: 200,
    download: true,
    errors: ['not_found'],
  }),
  addAttachment: defineRoute({
    method: 'post',
    path: '/api/v1/attachments',
    tag,
    summary: 'Send a file up, to put it into a message or a note',
    permission: 'conversations:write',
    body: z.strictObject({}),
    form: {
      fields: z.strictObject({}),
      about: `At most ${ATTACHMENT_LIMITS.mostBytes / 1024 / 1024} MB: ${ATTACHMENT_LIMITS.extensions.join(', ')}`,
    },
    status: 201,
    response: keptFile.extend({
      ticket: z.string().describe("Puts the file into a message: one of its 'attachments'"),
    }),
  }),
  serviceLevels: defineRoute({
    method: 'get',
    path: '/api/v1/conversations/:id/service-levels',
    tag,
    summary: 'Every promise to its customer, with each change and the steps to its deadline',
    permission: 'conversations:read',
    params: byId,
    status: 200,
    response: explainedServiceLevels,
    errors: ['not_found'],
  }),
  speak: defineRoute({
    method: 'post',
    path: '/api/v1/conversations/:id/messages',
    tag,
    summary: 'Write to the customer; whoever speaks takes over from the assistant',
    permission: 'conversations:write',
    params: byId,
    body: spoken,
    status: 201,
    response: message,
    errors: ['not_found', 'conflict'],
  }),
  note: defineRoute({
    method: 'post',
    path: '/api/v1/conversations/:id/notes',
    tag,
    summary: 'Leave a note that the customer never sees',
    permission: 'conversations:write',
    params: byId,
    body: said,
    status: 201,
    response: message,
    errors: ['not_found'],
  }),
  assign: change(
    'assign',
    'Give it to a person, or back to the queue with null',
    z.strictObject({ assignee: id.nullable().describe('A person, "me", or null') }),
  ),
  assignTeam: change(
    'team',
    'Give it to a team, or to none; whoever had it in hand and is not of the team lets go of it',
    z.strictObject({ team: id.nullable() }),
  ),
  setState: change(
    'state',
    'Move it to another state',
    z.strictObject({ state: z.enum(STATES), reason: reason.optional() }),
  ),
  handoff: change('handoff', 'Take it from the assistant and put it into the human queue', z.strictObject({ reason })),
  resume: change('resume', 'Hand it back to the assistant', z.strictObject({})),
  setTags: change(
    'tags',
    'Replace its tags',
    z.strictObject({ tags: z.array(z.string().trim().min(1).max(60)).max(30) }),
  ),
  setTier: change(
    'tier',
    'Set the tier of its customer, which policies may ask for; null takes it away',
    z.strictObject({ tier: z.string().trim().min(1).max(60).nullable() }),
  ),
  setPriority: change('priority', 'Set its priority', z.strictObject({ priority: z.enum(PRIORITIES) })),
}
