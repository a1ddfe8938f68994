import { describe, expect, it } from '@jest/globals'
import { makeAccessTokens } from '../../src/channels/email/oauth.js'
import { makeSecrets } from '../../src/platform/secrets.js'

const OAUTH = { tokenUrl: 'https://tokens.example/token', clientId: 'id', clientSecret: 'cs', refreshToken: 'first' }

const provider = () => {
  const asked: URLSearchParams[] = []
  const answer: { status: number; body: unknown } = { status: 200, body: null }
  let issued = 0
  const fetch = async (_url: unknown, init?: { body?: unknown }) => {
    asked.push(init?.body as URLSearchParams)
    issued += 1
    const body = answer.body ?? {
      access_token: `access-${issued}`,
      expires_in: 3_600,
      refresh_token: `refresh-${issued}`,
    }
    return Response.json(body, { status: answer.status })
  }
  return { asked, answer, fetch: fetch as never }
}

const opened = ({ fetch }: ReturnType<typeof provider>, kept: Map<string, unknown>, oauth = OAUTH) => {
  const time = { now: new Date('2026-03-02T10:00:00Z') }
  const tokens = makeAccessTokens({
    oauth,
    fetch,
    kept: {
      memory: {
        get: async <T>(key: string) => (kept.get(key) ?? null) as T | null,
        set: async (key, value) => void kept.set(key, value),
      },
      secrets: makeSecrets('a secret of the tests, longer than thirty-two characters'),
    },
    clock: { now: () => time.now },
  })
  return { tokens, pass: (minutes: number) => (time.now = new Date(time.now.getTime() + minutes * 60_000)) }
}

describe('access to a mailbox without a password', () => {
  it('a token is asked for once and again before it expires, by many at the same time too', async () => {
    const server = provider()
    const { tokens, pass } = opened(server, new Map())
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['access-1', 'access-1'])
    pass(50)
    expect(await tokens.get()).toBe('access-1')
    pass(9)
    expect(await tokens.get()).toBe('access-2')
  })

  it('a new refresh token outlives the process, sealed, and one that is entered anew counts more', async () => {
    const server = provider()
    const kept = new Map<string, unknown>()
    await opened(server, kept).tokens.get()
    expect(JSON.stringify([...kept])).not.toMatch(/refresh-1|first/)
    await opened(server, kept).tokens.get()
    expect(server.asked[1]?.get('refresh_token')).toBe('refresh-1')
    await opened(server, kept, { ...OAUTH, refreshToken: 'entered anew' }).tokens.get()
    expect(server.asked[2]?.get('refresh_token')).toBe('entered anew')
  })

  it.each([
    [400, { error: 'invalid_grant' }, 'token_refused'],
    [200, 'nonsense', 'token_refused'],
    [503, {}, 'token_unreachable'],
    [429, {}, 'token_unreachable'],
  ])('an answer %s %j is %s', async (status, body, code) => {
    const server = provider()
    Object.assign(server.answer, { status, body })
    await expect(opened(server, new Map()).tokens.get()).rejects.toMatchObject({ code })
  })
})
