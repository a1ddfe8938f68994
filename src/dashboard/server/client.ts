import type { contract } from '../../api/contract.js'
import { remembered } from './remembered.js'

/**
 * The API as typed calls. Method and path stand here once more, because the contract itself carries the server's
 * validation into the bundle; the compiler holds both to the same words.
 */
const lines = {
  setup: {
    setUp: 'post /api/v1/setup',
    look: 'post /api/v1/setup/look',
    signIn: 'post /api/auth/sign-in/email',
    signOut: 'post /api/auth/sign-out',
    changePassword: 'post /api/auth/change-password',
  },
  companies: {
    me: 'get /api/v1/me',
    getCompany: 'get /api/v1/company',
    updateCompany: 'patch /api/v1/company',
    getUsage: 'get /api/v1/usage',
    getNotices: 'get /api/v1/me/notices',
    setNotices: 'put /api/v1/me/notices',
    setLanguage: 'put /api/v1/me/language',
    listCompanies: 'get /api/v1/companies',
  },
  conversations: {
    list: 'get /api/v1/conversations',
    counts: 'get /api/v1/conversations/counts',
    get: 'get /api/v1/conversations/:id',
    messages: 'get /api/v1/conversations/:id/messages',
    original: 'get /api/v1/messages/:id/original',
    cancel: 'post /api/v1/messages/:id/cancel',
    serviceLevels: 'get /api/v1/conversations/:id/service-levels',
    speak: 'post /api/v1/conversations/:id/messages',
    note: 'post /api/v1/conversations/:id/notes',
    assign: 'post /api/v1/conversations/:id/assign',
    assignTeam: 'post /api/v1/conversations/:id/team',
    setState: 'post /api/v1/conversations/:id/state',
    handoff: 'post /api/v1/conversations/:id/handoff',
    resume: 'post /api/v1/conversations/:id/resume',
    setTags: 'post /api/v1/conversations/:id/tags',
    setTier: 'post /api/v1/conversations/:id/tier',
    setPriority: 'post /api/v1/conversations/:id/priority',
  },
  contacts: {
    get: 'get /api/v1/contacts/:id',
    merge: 'post /api/v1/contacts/:id/merge',
    separate: 'post /api/v1/contacts/:id/separate',
    block: 'post /api/v1/contacts/:id/block',
  },
  knowledge: {
    addDocument: 'post /api/v1/knowledge/documents',
    listDocuments: 'get /api/v1/knowledge/documents',
    getDocument: 'get /api/v1/knowledge/documents/:id',
    removeDocument: 'delete /api/v1/knowledge/documents/:id',
    ask: 'post /api/v1/knowledge/ask',
    getDecision: 'get /api/v1/decisions/:id',
  },
  channels: {
    list: 'get /api/v1/channels',
    kinds: 'get /api/v1/channels/kinds',
    get: 'get /api/v1/channels/:id',
    update: 'patch /api/v1/channels/:id',
    add: 'post /api/v1/channels',
    remove: 'delete /api/v1/channels/:id',
    test: 'post /api/v1/channels/:id/test',
    templates: 'get /api/v1/channels/:id/templates',
  },
  people: {
    list: 'get /api/v1/people',
    invite: 'post /api/v1/people',
    changeRole: 'patch /api/v1/people/:id',
    remove: 'delete /api/v1/people/:id',
  },
  teams: {
    list: 'get /api/v1/teams',
    add: 'post /api/v1/teams',
    update: 'patch /api/v1/teams/:id',
    remove: 'delete /api/v1/teams/:id',
  },
  keys: {
    list: 'get /api/v1/keys',
    add: 'post /api/v1/keys',
    remove: 'delete /api/v1/keys/:id',
  },
  hours: {
    get: 'get /api/v1/hours',
    save: 'put /api/v1/hours',
    preview: 'post /api/v1/hours/preview',
    readHolidays: 'post /api/v1/hours/holidays',
  },
  policies: {
    get: 'get /api/v1/policies',
    versions: 'get /api/v1/policies/versions',
    save: 'put /api/v1/policies',
    preview: 'post /api/v1/policies/preview',
  },
  reports: {
    serviceLevels: 'get /api/v1/reports/service-levels',
  },
} as const satisfies { [Noun in keyof Contract]?: { [Name in keyof Contract[Noun]]?: Line<Contract[Noun][Name]> } }

type Contract = typeof contract
type Line<R> = R extends { method: infer M extends string; path: infer P extends string } ? `${M} ${P}` : never
type Lines = typeof lines
type Noun = keyof Lines
type In<S> = S extends { _zod: { input: infer I } } ? I : never
type Out<S> = S extends { _zod: { output: infer O } } ? O : void

type Field<R, Name extends string> = R extends Record<Name, infer S> ? { [K in Name]: In<S> } : object
type Input<R> = Field<R, 'params'> & Partial<Field<R, 'query'>> & Field<R, 'body'> & { signal?: AbortSignal }
type RouteOf<N extends Noun, K extends keyof Lines[N]> = K extends keyof Contract[N] ? Contract[N][K] : never
export type Answer<N extends Noun, K extends keyof Lines[N]> =
  RouteOf<N, K> extends { response: infer S } ? Out<S> : void

/** The server said no, in the words of its error. */
export class Refused extends Error {
  override readonly name = 'Refused'
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | undefined,
    readonly retryAfterMs: number | undefined,
  ) {
    super(message)
  }
}

/** Nobody answered: the line or the server is down, and it is not known whether the call arrived. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

const COMPANY_KEY = 'helpdesk.company'

/** Whose desk this is, for people who belong to several companies. */
export const chosenCompany = {
  get: (): string | null => remembered.get(COMPANY_KEY),
  set: (id: string | null): void => remembered.set(COMPANY_KEY, id),
}

const GIVE_UP_MS = 20_000

export const call = async <N extends Noun, K extends keyof Lines[N]>(
  noun: N,
  name: K,
  input: Input<RouteOf<N, K>>,
): Promise<Answer<N, K>> => {
  const given = input as { params?: { id: string }; query?: object; body?: unknown; signal?: AbortSignal }
  const [method = '', pattern = ''] = (lines[noun][name] as string).split(' ')
  const path = pattern.replace(':id', encodeURIComponent(given.params?.id ?? ''))
  const query = new URLSearchParams(
    Object.entries(given.query ?? {}).flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [[key, String(value as string | number)]],
    ),
  ).toString()
  return (await request(method, query ? `${path}?${query}` : path, given)) as Answer<N, K>
}

const request = async (
  method: string,
  path: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
): Promise<unknown> => {
  const company = chosenCompany.get()
  const late = AbortSignal.timeout(GIVE_UP_MS)
  let response: Response
  let text: string
  try {
    response = await fetch(path, {
      method: method.toUpperCase(),
      credentials: 'same-origin',
      headers: {
        ...(company ? { 'x-company-id': company } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    text = await response.text()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new Unreachable('The server does not answer.', { cause })
  }
  if (response.ok) return text ? (JSON.parse(text) as unknown) : undefined
  throw refusalOf(response, text)
}

export const refusalOf = ({ status, headers }: { status: number; headers: Pick<Headers, 'get'> }, text: string) => {
  const retryAfter = Number(headers.get('retry-after'))
  const { code, message, field } = errorIn(text)
  return new Refused(status, code, message, field, retryAfter > 0 ? retryAfter * 1000 : undefined)
}

/** A proxy in between answers with a page of its own. */
const errorIn = (text: string): { code: string; message: string; field?: string } => {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; field?: string } }
    return error
  } catch {
    return { code: 'unreadable', message: 'The server gave an answer that cannot be read.' }
  }
}
