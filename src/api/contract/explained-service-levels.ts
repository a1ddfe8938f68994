import { z } from 'zod'
import { PRIORITIES, STATES } from '../../conversations/conversation.js'
import { CLOCK_KINDS } from '../../sla/policy.js'
import { id, time } from './route.js'

/** The promises to one customer, each with the way to its deadline. */

const span = z
  .strictObject({ fromId: id, toId: id.nullable(), elapsedMs: z.number() })
  .nullable()
  .describe('From one message to another, which is null while it is still to come')

const CAUSES = [
  'customer_message',
  'human_reply',
  'assistant_reply',
  'handoff',
  'state',
  'priority',
  'team',
  'time',
] as const

/** What a step says, for programs that have words of their own; its text says the same in English. */
const step = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['start', 'retarget', 'transfer', 'pause', 'resume', 'breach', 'meet', 'stop', 'cancel', 'waive']),
    at: time,
    cause: z.strictObject({
      kind: z.enum(CAUSES),
      author: z.enum(['customer', 'assistant', 'agent', 'system']).optional(),
      name: z.string().optional().describe('Of the person whose word or deed it was'),
      state: z.enum(STATES).optional(),
      priority: z.enum(PRIORITIES).optional(),
      team: z.string().nullable().optional().describe('The name of the team that has it; null: no team'),
    }),
    targetMs: z.number().nullable().describe('Promised from then on'),
    hoursOf: z.string().nullable().describe("The team by whose own hours it counts from then on; null: the channel's"),
    text: z.string(),
  }),
  z.strictObject({ kind: z.literal('closed'), at: time, until: time, text: z.string() }),
  z.strictObject({
    kind: z.literal('counted'),
    at: time,
    until: time,
    openings: z.number(),
    milliseconds: z.number(),
    elapsedMs: z.number().describe('In all so far'),
    text: z.string(),
  }),
  z.strictObject({ kind: z.literal('due'), at: time, text: z.string() }),
])

const serviceLevel = z.strictObject({
  id: z.string(),
  clock: z.enum(CLOCK_KINDS),
  state: z.enum(['running', 'paused', 'met', 'breached', 'cancelled', 'not_applicable']),
  reason: z.enum(['assistant_alone', 'no_target']).optional().describe('Why it is not applicable'),
  priority: z.enum(PRIORITIES),
  time: z.enum(['business', 'calendar']).describe('Which time counts'),
  startedAt: time,
  countsFrom: time.describe('The next opening, where it started outside of hours'),
  elapsedMs: z.number().describe("In the policy's time"),
  targetMs: z.number().nullable(),
  deadline: time.nullable(),
  warnsAt: time.nullable(),
  remainingMs: z.number().nullable().describe('While it stands still'),
  endedAt: time.nullable(),
  ledger: z.array(
    z.strictObject({
      at: time,
      change: z.string(),
      cause: z.string(),
      messageId: id.nullable().describe('The line of the timeline that did it; null: time passed'),
      targetMs: z.number().nullable(),
      deadline: time.nullable(),
    }),
  ),
  steps: z.array(step).describe('Why it is due when it is due'),
})

export const explainedServiceLevels = z.strictObject({
  policy: z
    .strictObject({ id, version: z.number(), name: z.string() })
    .nullable()
    .describe('null: nothing is promised'),
  timeZone: z.string().nullable().describe('Of the hours that count; null: always'),
  clocks: z.array(serviceLevel),
  assistantFirstReply: span,
  handoffToHumanReply: span,
})
export type ServiceLevelsDto = z.input<typeof explainedServiceLevels>
