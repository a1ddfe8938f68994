import { z } from 'zod'
import { OUTSIDE_HOURS } from '../../companies/opening-hours.js'
import { WEEKDAYS } from '../../sla/business-hours.js'
import { PAUSABLE_STATES, POLICY_DEFAULTS, PRIORITIES } from '../../sla/policy.js'
import { defineRoute, id, name, time } from './route.js'

const tag = 'Service levels'

// ── Opening hours ───────────────────────────────────────────────────────────────────────────────────────────────────

const clockTime = z.string().max(10).describe('`HH:MM`; `24:00` is midnight at the end of the day')
const periods = z
  .array(z.strictObject({ open: clockTime, close: clockTime }))
  .max(12)
  .describe('A period that closes before it opens closes on the next day')
const day = Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, periods.optional()])) as Record<
  (typeof WEEKDAYS)[number],
  z.ZodOptional<typeof periods>
>
const hours = z.strictObject({
  timeZone: z.string().min(1).max(60).describe('IANA, such as Europe/Berlin'),
  weekly: z.strictObject(day),
  exceptions: z
    .array(
      z.strictObject({
        date: z.string().max(10).describe('`YYYY-MM-DD` once, `MM-DD` every year'),
        periods: periods.describe('None: closed'),
        name: z.string().trim().max(120).optional(),
      }),
    )
    .max(400)
    .optional(),
})
const outside = z
  .enum(OUTSIDE_HOURS)
  .describe('What a customer meets while nobody is there: an answer, an answer and when a person is back, or only that')

const openingHours = z.strictObject({
  hours: hours.nullable().describe('null: always open'),
  outside: outside.default('as_usual'),
  channels: z
    .array(z.strictObject({ channelId: id, hours: hours.nullable().optional(), outside: outside.optional() }))
    .max(200)
    .default([])
    .describe('Channels with hours or a behaviour of their own'),
  teams: z
    .array(z.strictObject({ teamId: id, hours: hours.nullable() }))
    .max(100)
    .default([])
    .describe('Teams with hours of their own: they count for what the team has, whatever the channel'),
})
const version = z.number().int().min(1).nullable().describe('null: nothing was ever saved')
const expected = version
  .optional()
  .describe('The version that the change was made from; another one saved since refuses it')
const savedBy = z.strictObject({ id: z.string(), name: z.string() }).nullable()
const savedHours = z.strictObject({ version, savedAt: time.nullable(), savedBy, ...openingHours.shape })

const preview = z.strictObject({
  from: time,
  until: time,
  timeZone: z.string().nullable(),
  isOpen: z.boolean(),
  nextOpening: time.nullable().describe('null while open'),
  periods: z.array(z.strictObject({ open: time, close: time })),
  openMs: z.number(),
  openBeforeMs: z.number().describe('The same with the hours that hold now'),
})

// ── Policies ────────────────────────────────────────────────────────────────────────────────────────────────────────

const values = z.array(z.string().max(120)).max(50)
const target = z.number().nullable().describe('Milliseconds; null promises nothing')
const targets = z.strictObject({ first_response: target, next_response: target, resolution: target })
const byPriority = Object.fromEntries(PRIORITIES.map((priority) => [priority, targets])) as Record<
  (typeof PRIORITIES)[number],
  typeof targets
>
const policy = z.strictObject({
  name,
  when: z
    .strictObject({
      tier: values.optional(),
      channel: values.optional().describe('Ids of channels'),
      team: values.optional().describe('Ids of teams'),
      priority: z.array(z.enum(PRIORITIES)).max(PRIORITIES.length).optional(),
      tag: values.optional(),
      language: values.optional().describe('`de` also means `de-AT`'),
      attributes: z
        .array(z.strictObject({ name: z.string().max(120), values }))
        .max(20)
        .optional(),
    })
    .default({})
    .describe('All that are given must hold; of a list, one. Empty: everybody'),
  targets: z.strictObject(byPriority),
  time: z.enum(['business', 'calendar']).default(POLICY_DEFAULTS.time),
  pausedIn: z.array(z.enum(PAUSABLE_STATES)).max(PAUSABLE_STATES.length).default(POLICY_DEFAULTS.pausedIn),
  warningShare: z.number().default(POLICY_DEFAULTS.warningShare),
  countAssistantReplies: z.boolean().default(POLICY_DEFAULTS.countAssistantReplies),
  setsPriority: z
    .enum(PRIORITIES)
    .optional()
    .describe('What a conversation that begins under it begins with; absent: normal'),
})
const savedPolicies = z.strictObject({
  version,
  savedAt: time.nullable(),
  savedBy,
  policies: z.array(policy.extend({ id, version: z.number() })),
})
const MOST_VERSIONS = 50

const kept = z.strictObject({ met: z.number(), breached: z.number() })
const compared = z.strictObject({ before: kept, after: kept })

export const hoursRoutes = {
  get: defineRoute({
    method: 'get',
    path: '/api/v1/hours',
    tag,
    summary: 'When people are there',
    permission: 'service_levels:read',
    status: 200,
    response: savedHours,
  }),
  save: defineRoute({
    method: 'put',
    path: '/api/v1/hours',
    tag,
    summary: 'Save opening hours as a new version; clocks that run keep the version that they began under',
    permission: 'service_levels:write',
    body: openingHours.extend({ version: expected }),
    status: 200,
    response: savedHours,
    errors: ['conflict'],
  }),
  preview: defineRoute({
    method: 'post',
    path: '/api/v1/hours/preview',
    tag,
    summary: 'The coming two weeks with these hours; nothing is saved',
    permission: 'service_levels:read',
    body: z.strictObject({
      hours: hours.nullable(),
      channelId: id.optional().describe('Compared with its hours'),
      teamId: id.optional().describe('Compared with its hours'),
    }),
    status: 200,
    response: preview,
  }),
  readHolidays: defineRoute({
    method: 'post',
    path: '/api/v1/hours/holidays',
    tag,
    summary: 'Read the holidays of an iCalendar file (whole days, once or every year); nothing is saved',
    permission: 'service_levels:read',
    body: z.strictObject({ ics: z.string().min(1).max(600_000) }),
    status: 200,
    response: z.strictObject({ holidays: z.array(z.strictObject({ date: z.string(), name: z.string() })) }),
  }),
}

export const policyRoutes = {
  get: defineRoute({
    method: 'get',
    path: '/api/v1/policies',
    tag,
    summary: 'What is promised: the first policy whose conditions hold counts',
    permission: 'service_levels:read',
    status: 200,
    response: savedPolicies,
  }),
  versions: defineRoute({
    method: 'get',
    path: '/api/v1/policies/versions',
    tag,
    summary: 'What was promised before: each list of policies that was ever saved, the newest first',
    permission: 'service_levels:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(MOST_VERSIONS).default(20) }),
    status: 200,
    response: z.strictObject({ versions: z.array(savedPolicies) }),
  }),
  save: defineRoute({
    method: 'put',
    path: '/api/v1/policies',
    tag,
    summary: 'Save the list of policies as a new version; clocks that run keep the version that they began under',
    permission: 'service_levels:write',
    body: z.strictObject({ policies: z.array(policy.extend({ id: id.optional() })).max(50), version: expected }),
    status: 200,
    response: savedPolicies,
    errors: ['conflict'],
  }),
  preview: defineRoute({
    method: 'post',
    path: '/api/v1/policies/preview',
    tag,
    summary: 'How the last 30 days would have looked under these policies; nothing is saved',
    permission: 'service_levels:write',
    body: z.strictObject({ policies: z.array(policy.extend({ id: id.optional() })).max(50) }),
    status: 200,
    response: z.strictObject({
      since: time,
      conversations: z.number(),
      cut: z.boolean().describe('There were more: only the newest were looked at'),
      unpromised: z.number().describe('Conversations to which none of the policies would have applied'),
      clocks: z.strictObject({ first_response: compared, next_response: compared, resolution: compared }),
    }),
  }),
}
