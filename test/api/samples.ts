import type { Route } from '../../src/api/contract/route.js'

/** A valid body for every route that takes one, by its name. A new route without one fails the tests that walk over all. */
const BODIES: Record<string, unknown> = {
  'post /api/v1/knowledge/documents': { title: 'Opening hours', text: 'We open at nine.' },
  'put /api/v1/knowledge/documents/:id': { title: 'Opening hours', text: 'We open at ten.' },
  'post /api/v1/knowledge/search': { query: 'opening hours' },
  'post /api/v1/knowledge/ask': { question: 'When do you open?' },
  'post /api/v1/attachments': {},
  'post /api/v1/conversations/:id/messages': { text: 'We are looking into it.' },
  'post /api/v1/messages/:id/cancel': {},
  'post /api/v1/conversations/:id/notes': { text: 'Called before.' },
  'post /api/v1/conversations/:id/assign': { assignee: 'me' },
  'post /api/v1/conversations/:id/state': { state: 'pending' },
  'post /api/v1/conversations/:id/handoff': { reason: 'wants a person' },
  'post /api/v1/conversations/:id/resume': {},
  'post /api/v1/conversations/:id/tags': { tags: ['delivery'] },
  'post /api/v1/conversations/:id/priority': { priority: 'high' },
  'post /api/v1/conversations/:id/team': { team: null },
  'post /api/v1/conversations/:id/tier': { tier: 'gold' },
  'put /api/v1/me/notices': { promiseMail: false },
  'put /api/v1/me/language': { language: 'es' },
  'post /api/v1/contacts/:id/merge': { with: 'cnt_other' },
  'post /api/v1/contacts/:id/block': { blocked: true },
  'post /api/v1/companies': { name: 'Another company' },
  'patch /api/v1/company': { assistant: { paused: false } },
  'post /api/v1/people': { email: 'new@example.test', name: 'New', role: 'viewer' },
  'patch /api/v1/people/:id': { role: 'viewer' },
  'post /api/v1/keys': { name: 'Reader', role: 'viewer' },
  'post /api/v1/channels': { kind: 'webchat', settings: {} },
  'patch /api/v1/channels/:id': { name: 'Renamed' },
  'post /api/v1/channels/:id/test': { to: 'somebody@example.test' },
  'post /api/v1/teams': { name: 'Billing' },
  'patch /api/v1/teams/:id': { name: 'Payments' },
  'put /api/v1/hours': { hours: { timeZone: 'Europe/Berlin', weekly: { mon: [{ open: '09:00', close: '17:00' }] } } },
  'post /api/v1/hours/preview': { hours: null },
  'post /api/v1/hours/holidays': { ics: 'BEGIN:VCALENDAR\nEND:VCALENDAR' },
  'put /api/v1/policies': { policies: [] },
  'post /api/v1/policies/preview': { policies: [] },
}

export const routeName = ({ method, path }: Pick<Route, 'method' | 'path'>): string => `${method} ${path}`

export const sampleBody = (route: Route): { body?: unknown } => {
  if (!route.body) return {}
  const body = BODIES[routeName(route)]
  if (body === undefined) throw new Error(`test/api/samples.ts has no body for ${routeName(route)}`)
  return { body }
}

export const pathTo = (route: Route, id: string): string => route.path.replace(':id', id)
