import { z } from 'zod'
import { REPORTED_BY } from '../../conversations/service-level-report.js'
import { CLOCK_KINDS } from '../../sla/policy.js'
import { defineRoute, id, time } from './route.js'

const tag = 'Reports'

const query = z.strictObject({
  from: time.optional().describe('When the clocks started; 30 days before `to` where absent'),
  to: time.optional().describe('Now, where absent'),
  by: z
    .enum(REPORTED_BY)
    .default('company')
    .describe('An agent is whoever ended the clock, a team whose it was then or is now'),
  time: z.enum(['business', 'calendar']).default('business'),
})

const measure = z.strictObject({
  ended: z.number(),
  medianMs: z.number().nullable(),
  p90Ms: z.number().nullable(),
  met: z.number(),
  breached: z.number(),
  share: z.number().nullable().describe('met / (met + breached)'),
})
const row = z.strictObject({
  key: z.string(),
  name: z.string(),
  measures: z.strictObject({
    first_response: measure,
    next_response: measure,
    resolution: measure,
    assistant_first_reply: measure,
    handoff_to_human_reply: measure,
  }),
})

const broken = z.strictObject({
  conversationId: id,
  contact: z.string().nullable(),
  excerpt: z.string(),
  clock: z.enum(CLOCK_KINDS),
  dueAt: time,
  lateMs: z.number().describe('By the calendar; up to now where it still waits'),
  ended: z.boolean(),
})

export const reportRoutes = {
  serviceLevels: defineRoute({
    method: 'get',
    path: '/api/v1/reports/service-levels',
    tag,
    summary: 'How long customers waited, and which promises were kept',
    permission: 'reports:read',
    query,
    status: 200,
    response: z.strictObject({
      from: time,
      to: time,
      timeZone: z.string().describe('In which days begin'),
      rows: z.array(row),
      total: row,
      worst: z.array(broken).describe('The promises that were broken by most'),
    }),
  }),
  serviceLevelsTable: defineRoute({
    method: 'get',
    path: '/api/v1/reports/service-levels.csv',
    tag,
    summary: 'The same as CSV',
    permission: 'reports:read',
    query,
    status: 200,
    download: true,
  }),
}
