import { describe, expect, it } from '@jest/globals'
import type { ChannelRecord, PublicKit, RouteInput } from '../../src/channels/channel.js'
import webchat from '../../src/channels/webchat/index.js'
import { makeSessions } from '../../src/channels/webchat/session.js'
import { makeSecrets } from '../../src/platform/secrets.js'

const DAY_MS = 24 * 60 * 60 * 1000
const secrets = makeSecrets('a secret of the tests, longer than thirty-two characters')

const time = { now: new Date('2026-03-02T10:00:00Z') }
const clock = { now: () => time.now }
const sessions = makeSessions(secrets, clock)

describe('a session token', () => {
  it('speaks for the visitor whom it was made for', () => {
    const { token, session } = sessions.open('chn_1', { name: 'Jane' })
    expect(sessions.read(token)).toEqual(session)
  })

  it('expires after thirty days', () => {
    const { token } = sessions.open('chn_1')
    time.now = new Date(time.now.getTime() + 30 * DAY_MS - 1)
    expect(sessions.read(token)).toBeTruthy()
    time.now = new Date(time.now.getTime() + 1)
    expect(() => sessions.read(token)).toThrow(/expired/)
  })

  it('is renewed past half of its life, so that whoever keeps coming back is never shut out', () => {
    const { token, session } = sessions.open('chn_1')
    time.now = new Date(time.now.getTime() + 15 * DAY_MS)
    expect(sessions.renewed(token)).toBeNull()
    time.now = new Date(time.now.getTime() + 1)
    const renewed = sessions.renewed(token)
    time.now = new Date(time.now.getTime() + 29 * DAY_MS)
    expect(sessions.read(renewed)).toEqual(session)
    expect(() => sessions.renewed(token)).toThrow(/expired/)
  })

  it('is refused when anything in it was changed', () => {
    const { token } = sessions.open('chn_1')
    const [body = '', signature = ''] = token.split('.')
    const other = Buffer.from(
      JSON.stringify({ channelId: 'chn_2', visitorId: 'v', conversationId: 'c', expires: 9e15 }),
    )
    const turned = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (const forged of [`${other.toString('base64url')}.${signature}`, `${body}.${turned}`, body, `${token}.x`, '']) {
      expect(() => sessions.read(forged)).toThrow(/token/)
    }
  })

  it('of another installation or purpose is refused', () => {
    const elsewhere = makeSessions(makeSecrets('the secret of another installation, as long'), clock)
    expect(() => sessions.read(elsewhere.open('chn_1').token)).toThrow(/not one of ours/)
    expect(() => sessions.read(secrets.sign('something-else', { expires: 9e15 }))).toThrow(/not one of ours/)
  })
})

describe('the list of sites that may carry a chat', () => {
  const openFrom = async (origins: string[], origin: string | null) => {
    const record: ChannelRecord = {
      id: 'chn_1',
      companyId: 'acme',
      kind: 'x',
      name: 'Chat',
      key: 'k',
      settings: { origins },
    }
    const kit = {
      channelByKey: () => record,
      limit: async () => {},
      clock,
      secrets,
      ownOrigins: [],
    } as unknown as PublicKit
    const route = webchat.publicApi?.(kit).routes.find(({ path }) => path === '/webchat/sessions')
    const input: RouteInput = {
      body: { channelKey: 'k' },
      query: undefined,
      bearer: null,
      readFile: null,
      address: '::1',
      origin,
    }
    return route?.handle(input)
  }

  it.each([
    ['a site on the list', ['https://shop.example'], 'https://shop.example', true],
    ['a site that is not on it', ['https://shop.example'], 'https://evil.example', false],
    ['a site whose name only begins alike', ['https://shop.example'], 'https://shop.example.evil.example', false],
    ['any site where there is no list', [], 'https://anywhere.example', true],
    ['a program, which sends no origin', ['https://shop.example'], null, true],
  ])('%s', async (_what, origins, origin, allowed) => {
    const opening = openFrom(origins, origin)
    if (allowed) expect(await opening).toHaveProperty('token')
    else await expect(opening).rejects.toMatchObject({ kind: 'forbidden' })
  })

  it.each(['shop.example', 'javascript:alert(1)', ''])('does not take %p', (origin) => {
    expect(webchat.settings.safeParse({ origins: [origin] }).success).toBe(false)
  })

  it('keeps the origin of an address and drops the rest', () => {
    expect(webchat.settings.parse({ origins: ['https://shop.example/cart?x=1'] })).toMatchObject({
      origins: ['https://shop.example'],
    })
  })
})
