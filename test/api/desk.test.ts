import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { AddressInfo } from 'node:net'
import { io, type Socket } from 'socket.io-client'
import { SMTPServer } from 'smtp-server'
import { invitationMail } from '../../src/companies/invitation.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMailer } from '../../src/platform/mail.js'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

const PASSWORD = 'correct horse battery'

let installation: Installation
let address: string
let channelKey: string
const sockets: Socket[] = []

beforeAll(async () => {
  installation = await openInstallation({
    adminEmail: 'ada@example.com',
    adminPassword: PASSWORD,
    rateLimitFactor: 1000,
  })
  address = installation.address
  channelKey = (await call(address, 'get', '/api/v1/channels', { key })).json.channels[0]?.key ?? ''
})
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()))
afterAll(() => installation.close())

const cookieOf = async (email: string) => {
  const answer = await call(address, 'post', '/api/auth/sign-in/email', { body: { email, password: PASSWORD } })
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

const colleague = async (name: string, role: string) => {
  const email = `${name}@example.com`
  const { json } = await call(address, 'post', '/api/v1/people', { key, body: { email, name, role } })
  const token = new URL((json as unknown as { setupUrl: string }).setupUrl).hash.slice(1)
  await call(address, 'post', '/api/v1/setup', { body: { token, name, email, password: PASSWORD } })
  return { id: json.id, cookie: await cookieOf(email) }
}

const watch = async (headers: Record<string, string>, auth: object = {}) => {
  const socket = io(`${address}/dashboard`, {
    auth,
    extraHeaders: headers,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  })
  sockets.push(socket)
  const heard: { event: string; payload: Frame }[] = []
  socket.onAny((event: string, payload: Frame) => heard.push({ event, payload }))
  const refused = await new Promise<string | null>((resolve) => {
    socket.on('connect', () => resolve(null))
    socket.on('connect_error', (error: Error & { data?: { code: string } }) => resolve(error.data?.code ?? 'unknown'))
  })
  const hears = async (event: string): Promise<Frame> => {
    for (let tries = 0; tries < 1_500; tries += 1) {
      const found = heard.find((one) => one.event === event)
      if (found) return found.payload
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${event} was not heard in half a minute`)
  }
  return { socket, refused, heard, hears }
}
type Frame = { conversation?: { id: string; contact: { name: string } }; message?: { text: string } }

const write = async (text: string, name = 'Mei') => {
  const opened = await call(address, 'post', '/api/v1/webchat/sessions', { body: { channelKey, visitor: { name } } })
  const { token, conversationId } = opened.json as unknown as { token: string; conversationId: string }
  await fetch(`${address}/api/v1/webchat/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'm1', text }),
  })
  return conversationId
}

describe('the live line of the dashboard', () => {
  it('is for signed-in people, from our own pages, in a company of theirs', async () => {
    const cookie = await cookieOf('ada@example.com')
    expect((await watch({})).refused).toBe('unauthenticated')
    expect((await watch({ cookie: 'helpdesk.session=made-up' })).refused).toBe('unauthenticated')
    expect((await watch({ authorization: `Bearer ${key}` })).refused).toBe('unauthenticated')
    expect((await watch({ cookie, origin: 'https://evil.example' })).refused).toBe('foreign_origin')
    expect((await watch({ cookie }, { company: 'co_other' })).refused).toBe('not_a_member')
    expect((await watch({ cookie }, { company: { $gt: '' } })).refused).toBeNull()
    expect((await watch({ cookie, origin: address })).refused).toBeNull()
  })

  it('tells what happened whole, so that nobody has to ask back', async () => {
    const ada = await watch({ cookie: await cookieOf('ada@example.com') })
    const id = await write('Where is my parcel?', 'Noah')
    expect(await ada.hears('message')).toMatchObject({ conversationId: id, message: { text: 'Where is my parcel?' } })
    expect(await ada.hears('conversation')).toMatchObject({ conversation: { id, contact: { name: 'Noah' } } })
  })

  it('tells nobody of another company', async () => {
    const other = (await call(address, 'post', '/api/v1/companies', { key, body: { name: 'Other' } })).json
    const { json } = await call(address, 'post', '/api/v1/people', {
      key: other.apiKey,
      body: { email: 'eve@example.com', name: 'Eve', role: 'owner' },
    })
    const token = new URL((json as unknown as { setupUrl: string }).setupUrl).hash.slice(1)
    await call(address, 'post', '/api/v1/setup', {
      body: { token, name: 'Eve', email: 'eve@example.com', password: PASSWORD },
    })
    const eve = await watch({ cookie: await cookieOf('eve@example.com') })
    const ada = await watch({ cookie: await cookieOf('ada@example.com') })
    expect(eve.refused).toBeNull()
    await write('canary of the first company')
    await ada.hears('message')
    expect(eve.heard).toEqual([])
  })

  it('says that rights have changed, and hangs up on who was removed or signed out', async () => {
    const linus = await colleague('linus', 'supervisor')
    const line = await watch({ cookie: linus.cookie })
    await call(address, 'patch', `/api/v1/people/${linus.id}`, { key, body: { role: 'viewer' } })
    await line.hears('rights')
    await call(address, 'delete', `/api/v1/people/${linus.id}`, { key })
    await line.hears('signed_out')
    expect(line.socket.connected).toBe(false)

    const grace = await colleague('grace', 'agent')
    const second = await watch({ cookie: grace.cookie })
    await call(address, 'post', '/api/auth/sign-out', { body: {}, headers: { cookie: grace.cookie, origin: address } })
    await second.hears('signed_out')
  })
})

describe('what an inbox asks for', () => {
  it('is how much there is to do, and who wrote', async () => {
    const id = await write('Is there a discount?', 'Sofia Almeida')
    const counts = (await call(address, 'get', '/api/v1/conversations/counts', { key })).json as unknown as {
      all: number
      mine: number
    }
    expect(counts.all).toBeGreaterThan(0)
    expect(counts.mine).toBe(0)
    for (const q of ['sofia', 'ALMEIDA', 'discount']) {
      const found = await call(address, 'get', `/api/v1/conversations?state=unresolved&q=${q}`, { key })
      expect(
        (found.json as unknown as { conversations: { id: string }[] }).conversations.map((one) => one.id),
      ).toContain(id)
    }
  })

  it('takes a reply or a note that is sent again as the one that it is', async () => {
    const id = await write('Hello?')
    for (const kind of ['messages', 'notes']) {
      const path = `/api/v1/conversations/${id}/${kind}`
      const body = { text: `Once by ${kind}.`, id: `client-id-${kind}` }
      const answers = await Promise.all(Array.from({ length: 5 }, () => call(address, 'post', path, { key, body })))
      expect(new Set(answers.map(({ status, json }) => `${status} ${json.id}`)).size).toBe(1)
      const other = await call(address, 'post', path, { key, body: { ...body, text: 'Something else.' } })
      expect(other).toMatchObject({ status: 409, json: { error: { code: 'id_reused', field: 'id' } } })
      const { json } = await call(address, 'get', `/api/v1/conversations/${id}/messages`, { key })
      const { messages } = json as unknown as { messages: { text: string }[] }
      expect(messages.filter(({ text }) => text === body.text)).toHaveLength(1)
      expect(messages.filter(({ text }) => text === 'Something else.')).toHaveLength(0)
    }
  })
})

describe('an invitation', () => {
  it('can be looked at by whoever holds its link, without spending it', async () => {
    const { json } = await call(address, 'post', '/api/v1/people', {
      key,
      body: { email: 'barbara@example.com', name: 'Barbara', role: 'agent' },
    })
    expect(json).toMatchObject({ mailed: false })
    const token = new URL((json as unknown as { setupUrl: string }).setupUrl).hash.slice(1)
    for (let times = 0; times < 2; times += 1) {
      expect((await call(address, 'post', '/api/v1/setup/look', { body: { token } })).json).toEqual({
        company: 'Support',
        invited: { email: 'barbara@example.com', name: 'Barbara' },
      })
    }
    expect((await call(address, 'post', '/api/v1/setup/look', { body: { token: 'made-up' } })).status).toBe(403)
  })

  it('goes out by mail to one person, whatever their names hold', async () => {
    const received: { recipients: string[]; mail: string }[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        let mail = ''
        stream.on('data', (chunk: Buffer) => (mail += chunk.toString()))
        stream.on('end', () => {
          received.push({ recipients: session.envelope.rcptTo.map((one) => one.address), mail })
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.server.address() as AddressInfo
    const mailer = makeMailer({
      smtpUrl: `smtp://127.0.0.1:${port}`,
      from: 'Support <support@example.com>',
      clock: systemClock,
      log: makeLog('silent'),
    })
    await mailer.send(
      invitationMail({
        to: 'barbara@example.com',
        name: 'Barbara\r\nBcc: all@example.com, http://evil.example/ ' + 'x'.repeat(500),
        by: 'Ada\r\nX-Injected: yes',
        company: 'Acme, "Ltd" <a@b.c>',
        setupUrl: 'https://support.example.com/setup#secret',
      }),
    )
    const [mail] = received
    expect(received).toHaveLength(1)
    expect(mail?.recipients).toEqual(['barbara@example.com'])
    expect(mail?.mail).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(mail?.mail).not.toMatch(/^(Bcc|X-Injected):/m)
    expect(mail?.mail.replaceAll('=\r\n', '')).toContain('https://support.example.com/setup#secret')
    expect(mail?.mail).not.toContain('http://evil')
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await expect(mailer.send({ to: 'b@example.com', subject: 's', text: 't' })).rejects.toMatchObject({
      code: 'mail_not_sent',
    })
  })
})
