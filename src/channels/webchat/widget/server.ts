import type { ChatMessage, Standing } from '../frames.js'
import type { ChatConfig } from '../settings.js'

/** The calls of the chat's public API. What comes back is an outcome, never an exception. */

export type Answer<Body> =
  | { ok: true; body: Body }
  /** The server did not answer, or asks to come again: nothing is known about what was sent. */
  | { ok: false; kind: 'away'; retryAfterMs: number }
  /** The token is no longer good. */
  | { ok: false; kind: 'signed_out'; code: string }
  /** A no that will stay one. */
  | { ok: false; kind: 'refused'; code: string; message: string }

export type Identity = { id?: string; name?: string; email?: string; hash?: string }
export type Read = { messages: ChatMessage[]; standing: Standing; token?: string }

const TIMEOUT_MS = 15_000
/** Ten megabytes over a slow line. */
const UPLOAD_TIMEOUT_MS = 5 * 60_000

export const makeServer = (base: string, channel: string, language: string) => {
  const call = async <Body>(
    path: string,
    { token, body, waitMs = TIMEOUT_MS }: { token?: string; body?: object; waitMs?: number } = {},
  ): Promise<Answer<Body>> => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), waitMs)
    try {
      const response = await fetch(`${base}/api/v1/webchat/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {
          ...(body && !(body instanceof FormData) ? { 'content-type': 'application/json' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        ...(body ? { body: body instanceof FormData ? body : JSON.stringify(body) } : {}),
        credentials: 'omit',
        signal: late.signal,
      })
      const answer: unknown = await response.json()
      if (response.ok) return { ok: true, body: answer as Body }
      const { code, message } = (answer as { error: { code: string; message: string } }).error
      if (response.status === 401) return { ok: false, kind: 'signed_out', code }
      if (response.status === 429 || response.status >= 500)
        return { ok: false, kind: 'away', retryAfterMs: Number(response.headers.get('retry-after')) * 1000 }
      return { ok: false, kind: 'refused', code, message }
    } catch {
      return { ok: false, kind: 'away', retryAfterMs: 0 }
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    config: () => call<ChatConfig>(`config?key=${encodeURIComponent(channel)}`),
    open: (visitor: Identity | null) =>
      call<{ token: string; conversationId: string }>('sessions', {
        body: { channelKey: channel, ...(visitor ? { visitor } : {}) },
      }),
    read: (token: string, after?: string) =>
      call<Read>(`messages${after ? `?after=${encodeURIComponent(after)}` : ''}`, { token }),
    upload: (token: string, file: File) => {
      const body = new FormData()
      body.append('file', file, file.name)
      return call<{ ticket: string }>('files', { token, body, waitMs: UPLOAD_TIMEOUT_MS })
    },
    write: (token: string, message: { id: string; text: string; attachments?: string[] }) =>
      call<{ messageId: string }>('messages', {
        token,
        // For the way back from a mail; what a page's address holds beyond its path is nobody else's business.
        body: { ...message, page: location.origin + location.pathname, language },
      }),
    rate: (token: string, messageId: string, rating: 'up' | 'down' | null) =>
      call<object>('feedback', { token, body: { messageId, rating } }),
    leaveEmail: (token: string, email: string) => call<object>('contact', { token, body: { email } }),
    source: (token: string, messageId: string, citation: number) =>
      call<{ before: string; quote: string; after: string }>(
        `source?message=${encodeURIComponent(messageId)}&citation=${citation}`,
        { token },
      ),
  }
}

export type Server = ReturnType<typeof makeServer>
