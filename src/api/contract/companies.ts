import { z } from 'zod'
import { PERSON_LANGUAGES } from '../../companies/person-language.js'
import { PERMISSIONS, ROLES } from '../../companies/roles.js'
import { byId, changesSomething, defineRoute, email, id, name, NOTHING_TO_CHANGE, password, time } from './route.js'

const role = z.enum(ROLES)
const token = z.string().min(1).max(200)
const company = z.strictObject({ id, name: z.string() })
const settings = z.strictObject({
  id,
  name: z.string(),
  assistant: z.strictObject({ paused: z.boolean(), monthlyTokens: z.number().nullable() }),
  createdAt: time,
})
/** 0: nothing is sent to a model. */
const monthlyTokens = z.number().int().min(0).max(1_000_000_000_000)
const used = {
  calls: z.number(),
  requests: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  costUsd: z.number().nullable(),
  averageMs: z.number(),
}
const user = z.strictObject({ id, name: z.string(), email: z.string() })
const person = z.strictObject({
  id,
  name: z.string(),
  email: z.string(),
  role,
  status: z.enum(['active', 'invited']),
  since: time,
})

const notices = z.strictObject({
  promiseMail: z
    .boolean()
    .describe('When a promised time is near or passed: of own conversations; for admins, also of those in no hands'),
})

const language = z.strictObject({ language: z.enum(PERSON_LANGUAGES) })

export const setupRoutes = {
  setUp: defineRoute({
    method: 'post',
    path: '/api/v1/setup',
    tag: 'Sign-in',
    summary: 'Redeem a one-time link: the first owner, or a person who was invited',
    permission: 'public',
    body: z.strictObject({ token, name, email, password }),
    status: 201,
    response: z.strictObject({ id, companyId: id }),
    errors: ['forbidden', 'conflict', 'rate_limited'],
  }),
  look: defineRoute({
    method: 'post',
    path: '/api/v1/setup/look',
    tag: 'Sign-in',
    summary: 'What a one-time link opens; nothing is spent',
    permission: 'public',
    body: z.strictObject({ token }),
    status: 200,
    response: z.strictObject({
      company: z.string(),
      invited: z.strictObject({ email: z.string(), name: z.string() }).nullable(),
    }),
    errors: ['forbidden', 'rate_limited'],
  }),
  signIn: defineRoute({
    method: 'post',
    path: '/api/auth/sign-in/email',
    tag: 'Sign-in',
    summary: 'Sign in; the session is a cookie',
    permission: 'public',
    body: z.strictObject({ email, password: z.string().min(1).max(128), rememberMe: z.boolean().optional() }),
    status: 200,
    response: z.strictObject({ user }),
    errors: ['unauthenticated', 'rate_limited'],
  }),
  signOut: defineRoute({
    method: 'post',
    path: '/api/auth/sign-out',
    tag: 'Sign-in',
    summary: 'End the session',
    permission: 'public',
    body: z.strictObject({}),
    status: 200,
    response: z.strictObject({ success: z.boolean() }),
  }),
  getSession: defineRoute({
    method: 'get',
    path: '/api/auth/get-session',
    tag: 'Sign-in',
    summary: 'Who is signed in; null when nobody is',
    permission: 'public',
    status: 200,
    response: z.strictObject({ session: z.strictObject({ expiresAt: time }), user }).nullable(),
  }),
  changePassword: defineRoute({
    method: 'post',
    path: '/api/auth/change-password',
    tag: 'Sign-in',
    summary: 'Change the own password; all other sessions end',
    permission: 'public',
    body: z.strictObject({ currentPassword: z.string().min(1).max(128), newPassword: password }),
    status: 200,
    response: z.strictObject({ user }),
    errors: ['unauthenticated', 'rate_limited'],
  }),
}

export const companyRoutes = {
  me: defineRoute({
    method: 'get',
    path: '/api/v1/me',
    tag: 'Companies',
    summary: 'On whose behalf this call is made, and what it may do',
    permission: 'company:read',
    status: 200,
    response: z.strictObject({
      id,
      name: z.string(),
      companyId: id,
      role,
      operator: z.boolean(),
      permissions: z.array(z.enum(PERMISSIONS)),
    }),
  }),
  getNotices: defineRoute({
    method: 'get',
    path: '/api/v1/me/notices',
    tag: 'Companies',
    summary: 'What the signed-in person is mailed about',
    permission: 'company:read',
    status: 200,
    response: notices,
    errors: ['not_found'],
  }),
  setNotices: defineRoute({
    method: 'put',
    path: '/api/v1/me/notices',
    tag: 'Companies',
    summary: 'Say what to be mailed about',
    permission: 'company:read',
    body: notices,
    status: 200,
    response: notices,
    errors: ['not_found'],
  }),
  setLanguage: defineRoute({
    method: 'put',
    path: '/api/v1/me/language',
    tag: 'Companies',
    summary: "Say in which language one reads; the product's own mail is written in it",
    permission: 'company:read',
    body: language,
    status: 200,
    response: language,
    errors: ['not_found'],
  }),
  getCompany: defineRoute({
    method: 'get',
    path: '/api/v1/company',
    tag: 'Companies',
    summary: 'The company of this key or person',
    permission: 'company:read',
    status: 200,
    response: settings,
  }),
  updateCompany: defineRoute({
    method: 'patch',
    path: '/api/v1/company',
    tag: 'Companies',
    summary: 'Rename it, pause its assistant or let it go on, limit the tokens that it uses in a month',
    permission: 'company:write',
    body: z
      .strictObject({
        name: name.optional(),
        assistant: z
          .strictObject({ paused: z.boolean().optional(), monthlyTokens: monthlyTokens.nullable().optional() })
          .refine(changesSomething, NOTHING_TO_CHANGE)
          .optional(),
      })
      .refine(changesSomething, NOTHING_TO_CHANGE),
    status: 200,
    response: settings,
  }),
  getUsage: defineRoute({
    method: 'get',
    path: '/api/v1/usage',
    tag: 'Companies',
    summary: 'What the company used of language models, by month (UTC) and purpose, newest first',
    permission: 'company:read',
    status: 200,
    response: z.strictObject({
      /** The limit that holds now. */
      monthlyTokens: z.number().nullable(),
      months: z.array(
        z.strictObject({
          month: z.string(),
          tokens: z.number(),
          costUsd: z.number().nullable(),
          purposes: z.array(z.strictObject({ purpose: z.string(), ...used })),
        }),
      ),
    }),
  }),
  listCompanies: defineRoute({
    method: 'get',
    path: '/api/v1/companies',
    tag: 'Companies',
    summary: 'All companies for operators, the own ones for everybody else',
    permission: 'company:read',
    status: 200,
    response: z.strictObject({
      companies: z.array(company.extend({ member: z.boolean().describe('Whether the caller belongs to it') })),
    }),
  }),
  addCompany: defineRoute({
    method: 'post',
    path: '/api/v1/companies',
    tag: 'Companies',
    summary: 'Add a company with a web chat and a first key, which is shown once',
    permission: 'companies:write',
    body: z.strictObject({ name }),
    status: 201,
    response: z.strictObject({ id, apiKey: z.string() }),
  }),
}

export const peopleRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/people',
    tag: 'People',
    summary: 'Everybody of the company, and who is invited',
    permission: 'people:read',
    status: 200,
    response: z.strictObject({ people: z.array(person) }),
  }),
  invite: defineRoute({
    method: 'post',
    path: '/api/v1/people',
    tag: 'People',
    summary: 'Invite a person; the one-time link is valid for seven days',
    permission: 'people:write',
    body: z.strictObject({ email, name, role }),
    status: 201,
    response: z.strictObject({ id, setupUrl: z.string(), mailed: z.boolean() }),
    errors: ['conflict'],
  }),
  changeRole: defineRoute({
    method: 'patch',
    path: '/api/v1/people/:id',
    tag: 'People',
    summary: 'Give a person another role',
    permission: 'people:write',
    params: byId,
    body: z.strictObject({ role }),
    status: 200,
    response: person,
    errors: ['not_found', 'conflict'],
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/people/:id',
    tag: 'People',
    summary: 'Remove a person, or take an invitation back',
    permission: 'people:write',
    params: byId,
    status: 204,
    errors: ['not_found', 'conflict'],
  }),
}

const key = z.strictObject({
  id,
  name: z.string(),
  role,
  prefix: z.string(),
  createdAt: time,
  lastUsedAt: time.nullable(),
})

export const keyRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/keys',
    tag: 'Keys',
    summary: 'The API keys, without the keys themselves',
    permission: 'keys:read',
    status: 200,
    response: z.strictObject({ keys: z.array(key) }),
  }),
  add: defineRoute({
    method: 'post',
    path: '/api/v1/keys',
    tag: 'Keys',
    summary: 'Make an API key, which is shown once',
    permission: 'keys:write',
    body: z.strictObject({ name, role }),
    status: 201,
    response: z.strictObject({ id, key: z.string() }),
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/keys/:id',
    tag: 'Keys',
    summary: 'Revoke an API key',
    permission: 'keys:write',
    params: byId,
    status: 204,
    errors: ['not_found'],
  }),
}
