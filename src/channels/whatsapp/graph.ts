import { createHmac } from 'node:crypto'
import { FormData } from 'undici'
import type { Outside } from '../../platform/addresses.js'
import { AppError } from '../../platform/errors.js'
import { verdictOn, type Verdict } from './graph-errors.js'
import type { Pace } from './pace.js'
import type { CloudSettings } from './settings.js'

/** The Graph API said no, or said nothing that can be understood. */
export class GraphError extends Error {
  constructor(
    readonly status: number,
    /** Meta's own code; `null` where the answer was not the Graph API's. */
    readonly graphCode: number | null,
    readonly verdict: Verdict,
    /** It is the proof that was wrong: token and secret are not of one app. */
    readonly isProof = false,
  ) {
    super(`the Graph API answered ${status}`)
    this.name = 'GraphError'
  }

  get code(): string {
    return this.verdict.code
  }
}

type Needs = {
  settings: CloudSettings
  fetch: Outside['fetch']
  pace: Pace
}

export type Graph = ReturnType<typeof makeGraph>

/** Nothing that the Graph API says to us is longer. */
const MOST_ANSWER_BYTES = 1024 * 1024
const ANSWERS_WITHIN_MS = 8_000

/** The way to Meta's Graph API for one number. Whatever it answers is a value or one of three verdicts. */
export const makeGraph = ({ settings, fetch, pace }: Needs) => {
  const { graphUrl, apiVersion, phoneNumberId, accessToken, appSecret } = settings
  const base = `${graphUrl.replace(/\/+$/u, '')}/${apiVersion}`
  /** Shows that the token is used by who has the app's secret (Meta, "Securing Graph API requests"). */
  const proof = createHmac('sha256', appSecret).update(accessToken).digest('hex')

  const call = async (
    path: string,
    { body, signal, query = {} }: { body?: object | FormData; signal: AbortSignal; query?: Record<string, string> },
  ): Promise<Record<string, unknown>> => {
    const url = new URL(`${base}/${path}`)
    for (const [name, value] of Object.entries({ ...query, appsecret_proof: proof })) url.searchParams.set(name, value)
    const form = body instanceof FormData ? body : null
    let response
    try {
      response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${accessToken}`,
          ...(body && !form ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: form ?? JSON.stringify(body) } : {}),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]),
      })
    } catch (error) {
      throw neverSent(error) ? unreachable(error) : error
    }
    const answer = await readJson(response.body)
    if (response.ok && answer) return answer
    const code = codeOf(answer)
    const verdict: Verdict = response.ok
      ? { kind: 'unknown', code: 'provider_broken', reason: 'WhatsApp answered with something unreadable.' }
      : verdictOn(response.status, code)
    throw new GraphError(response.status, code, verdict, isAboutProof(answer))
  }

  return {
    call,

    /** The bytes behind an address that the Graph API gave out. The token goes only to where Meta keeps files. */
    download: async (url: string, signal: AbortSignal) => {
      if (!isMetas(url, graphUrl)) throw new AppError('invalid', 'media_elsewhere', 'The file is not kept by Meta.')
      return fetch(url, { headers: { authorization: `Bearer ${accessToken}` }, signal, redirect: 'follow' })
    },

    /** One message, as soon as the number and the person may have one. Returns Meta's name for it. */
    post: async (contact: string, message: object, signal: AbortSignal): Promise<string> => {
      await pace.turn(contact, signal)
      try {
        const answer = await call(`${phoneNumberId}/messages`, {
          body: { messaging_product: 'whatsapp', ...message },
          signal,
        })
        pace.went(contact)
        const id = idOf(answer)
        if (!id) {
          throw new GraphError(200, null, {
            kind: 'unknown',
            code: 'provider_broken',
            reason: 'WhatsApp took the message and gave it no name.',
          })
        }
        return id
      } catch (error) {
        if (error instanceof GraphError) pace.heed(contact, error.verdict)
        throw error
      }
    },

    /** Shows that the message was read, and that somebody writes if `typing`. */
    markRead: (messageId: string, typing: boolean, signal: AbortSignal) =>
      call(`${phoneNumberId}/messages`, {
        body: {
          messaging_product: 'whatsapp',
          status: 'read',
          message_id: messageId,
          ...(typing ? { typing_indicator: { type: 'text' } } : {}),
        },
        signal,
      }),
  }
}

const unreachable = (cause?: unknown): AppError =>
  new AppError('unavailable', 'provider_unreachable', 'WhatsApp cannot be reached at this moment.', { cause })

/** Errors of a connection that never came to be: what was to be sent did not leave. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

const neverSent = (error: unknown): boolean => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string' && NEVER_SENT.has(code)) return true
  }
  return error instanceof AppError && error.code === 'host_not_found'
}

const readJson = async (body: AsyncIterable<Uint8Array> | null): Promise<Record<string, unknown> | null> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    size += part.length
    if (size > MOST_ANSWER_BYTES) return null
    parts.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    // A gateway's page in place of an answer: the status is all that there is.
    return null
  }
}

const codeOf = (answer: Record<string, unknown> | null): number | null => {
  const error = answer?.error
  if (typeof error !== 'object' || error === null) return null
  const { code } = error as { code?: unknown }
  return typeof code === 'number' ? code : null
}

/** Meta has one code for whatever parameter is wrong; only its words say which. */
const isAboutProof = (answer: Record<string, unknown> | null): boolean =>
  /appsecret_proof/iu.test(JSON.stringify(answer?.error ?? ''))

const idOf = ({ messages }: Record<string, unknown>): string | null => {
  const first: unknown = Array.isArray(messages) ? messages[0] : undefined
  const id = typeof first === 'object' && first !== null && 'id' in first ? first.id : null
  return typeof id === 'string' && id !== '' ? id : null
}

const META_HOSTS = /(^|\.)(fbsbx\.com|fbcdn\.net|facebook\.com|whatsapp\.net)$/u

const isMetas = (url: string, graphUrl: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, origin } = new URL(url)
  return origin === new URL(graphUrl).origin || (protocol === 'https:' && META_HOSTS.test(hostname))
}
