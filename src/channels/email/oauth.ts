import { z } from 'zod'
import type { Outside } from '../../platform/addresses.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Secrets } from '../../platform/secrets.js'
import type { ChannelKit } from '../channel.js'
import type { OauthSettings } from './settings.js'

/** RFC 6749 section 5.1. */
const issued = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().default(3_600),
  refresh_token: z.string().min(1).optional(),
})

const REFRESH_EARLIER_MS = 2 * 60_000
const ASK_WITHIN_MS = 10_000
const KEPT = 'refresh-token'
const PURPOSE = 'email-refresh-token'

type Needs = {
  oauth: OauthSettings
  fetch: Outside['fetch']
  /** Where a newer refresh token is kept; `null` while settings are only tried. */
  kept: { memory: Pick<ChannelKit['memory'], 'get' | 'set'>; secrets: Pick<Secrets, 'seal' | 'unseal'> } | null
  clock: Clock
}

/** What was kept: under which settings, because a new refresh token in the settings counts more than an old one here. */
type Kept = { given: string; sealed: string }

/**
 * Access tokens for XOAUTH2, fetched anew shortly before they expire (RFC 6749 section 6). Microsoft hands out a new refresh
 * token each time and forgets the old one: it is kept, sealed, before the access token is used.
 */
export const makeAccessTokens = ({ oauth, fetch, kept, clock }: Needs) => {
  let current: { token: string; until: number } | null = null
  let asking: Promise<string> | null = null

  const refreshToken = async (): Promise<string> => {
    const newer = await kept?.memory.get<Kept>(KEPT)
    if (!kept || !newer) return oauth.refreshToken
    const { unseal } = kept.secrets
    return unseal(PURPOSE, newer.given) === oauth.refreshToken ? unseal(PURPOSE, newer.sealed) : oauth.refreshToken
  }

  const ask = async (): Promise<string> => {
    const { tokenUrl, clientId, clientSecret, scope } = oauth
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: await refreshToken(),
      ...(clientSecret ? { client_secret: clientSecret } : {}),
      ...(scope ? { scope } : {}),
    })
    const response = await fetch(tokenUrl, { method: 'POST', body, signal: AbortSignal.timeout(ASK_WITHIN_MS) }).catch(
      (cause: unknown) => {
        throw new AppError('unavailable', 'token_unreachable', 'The token server does not answer.', { cause })
      },
    )
    if (response.status >= 500 || response.status === 429)
      throw new AppError('unavailable', 'token_unreachable', `The token server answers with ${response.status}.`)
    const parsed = issued.safeParse(await response.json().catch(() => null))
    if (!response.ok || !parsed.success)
      throw new AppError('unavailable', 'token_refused', 'The token server refuses the refresh token. Connect again.')
    const { access_token: token, expires_in: seconds, refresh_token: next } = parsed.data
    if (next && kept) {
      const { seal } = kept.secrets
      const newer: Kept = { given: seal(PURPOSE, oauth.refreshToken), sealed: seal(PURPOSE, next) }
      await kept.memory.set(KEPT, newer)
    }
    current = { token, until: clock.now().getTime() + seconds * 1_000 - REFRESH_EARLIER_MS }
    return token
  }

  return {
    get: async (): Promise<string> => {
      if (current && current.until > clock.now().getTime()) return current.token
      asking ??= ask().finally(() => (asking = null))
      return asking
    },
    /** The server refused it although it should be good: the next one is asked for. */
    forget: (): void => void (current = null),
  }
}

export type AccessTokens = ReturnType<typeof makeAccessTokens>
