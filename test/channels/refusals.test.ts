import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Health } from '../../src/channels/channel.js'
import { makeMailRefusals } from '../../src/channels/refusal-mail.js'
import { refusalLetter } from '../../src/channels/refusal-words.js'
import { makeRefusals, refusalSchemas } from '../../src/channels/refusals.mongo.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMailer, type Mail } from '../../src/platform/mail.js'
import { ensureSchema } from '../../src/platform/mongo.js'
import { openTestMongo } from '../support/mongo.js'
import { openSmtp } from '../support/smtp.mjs'

const mongo = await openTestMongo()
const smtp = await openSmtp()
await ensureSchema(mongo.db, refusalSchemas)
afterAll(async () => {
  await smtp.close()
  await mongo.close()
})

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ADA = { id: 'per_ada', email: 'ada@example.com', language: null as string | null }
const REFUSED: Health = { state: 'refused', code: 'password_refused', detail: 'The server refuses ada@example.com.' }
const WELL: Health = { state: 'connected' }

let now: Date
let sent: Mail[]
let away: Set<string>
let admins: (typeof ADA)[]
let name: string
let number = 0
let origin: { companyId: string; channelId: string }

beforeEach(() => {
  number += 1
  origin = { companyId: `company_${number}`, channelId: `chn_${number}` }
  now = new Date('2026-03-02T10:00:00Z')
  sent = []
  away = new Set()
  admins = [ADA]
  name = 'Support'
})

const clock = { now: () => now }
const pass = (ms: number) => (now = new Date(now.getTime() + ms))

/** Another process, or the same one after a restart. */
const open = (
  send = async (mail: Mail) => {
    if (away.has(mail.to)) throw new Error('the mail server is away')
    sent.push(mail)
  },
) => {
  const refusals = makeRefusals(mongo)
  const tell = makeMailRefusals({
    refusals,
    channel: async (companyId) =>
      companyId === origin.companyId ? { name, kind: 'Email', company: 'The Acme company' } : null,
    recipients: async (companyId) => (companyId === origin.companyId ? admins : []),
    send,
    publicUrl: 'https://desk.example.com',
    clock,
    log: makeLog('silent'),
  })
  return { becomes: (health: Health) => refusals.note(origin, health, now), tell, refusals }
}

describe('a channel that is refused', () => {
  it('is told to owners and admins by mail, with what to do about it and nothing that is secret', async () => {
    const { port } = smtp
    const mailer = makeMailer({
      smtpUrl: `smtp://127.0.0.1:${port}`,
      from: 'Helpdesk <desk@example.com>',
      clock,
      log: makeLog('silent'),
    })
    const process = open(mailer.send)
    await process.becomes(REFUSED)
    await process.tell()
    expect(smtp.sent.map(({ to }) => to)).toEqual([[ADA.email]])
    const [mail] = smtp.sent
    expect(mail?.raw).toContain('Subject: Support is refused: customers are not served there')
    expect(mail?.raw).toContain('The server refuses the user name or the password.')
    expect(mail?.raw).toContain('https://desk.example.com/settings/channels')
    expect(mail?.raw.slice(mail.raw.indexOf('\r\n\r\n'))).not.toContain(ADA.email)
  })

  it('is told once, however often it is tried, whichever process says so, and after a restart', async () => {
    const first = open()
    await first.becomes(REFUSED)
    await Promise.all([first.tell(), open().tell(), open().tell()])
    for (let tries = 0; tries < 5; tries += 1) {
      pass(15 * MINUTE)
      const again = open()
      await again.becomes({ state: 'connecting' })
      await again.becomes(REFUSED)
      await again.tell()
    }
    expect(sent.map(({ to }) => to)).toEqual([ADA.email])
  })

  it('that comes and goes is told once; when it had worked for an hour, it is told anew', async () => {
    const process = open()
    for (let round = 0; round < 4; round += 1) {
      await process.becomes(REFUSED)
      await process.tell()
      pass(10 * MINUTE)
      await process.becomes(WELL)
      pass(20 * MINUTE)
    }
    expect(sent).toHaveLength(1)
    pass(HOUR)
    await process.becomes(REFUSED)
    await process.tell()
    expect(sent).toHaveLength(2)
  })

  it('is not told where it works again before anybody was, and is told when it comes back', async () => {
    const process = open()
    await process.becomes(REFUSED)
    await process.becomes(WELL)
    await process.tell()
    expect(sent).toEqual([])
    pass(MINUTE)
    await process.becomes(REFUSED)
    await process.tell()
    expect(sent).toHaveLength(1)
  })

  it('is told again while the mail server is away, and only to those who have heard nothing', async () => {
    admins = [ADA, { id: 'per_ben', email: 'ben@example.com', language: null }]
    away.add('ben@example.com')
    const process = open()
    await process.becomes(REFUSED)
    await process.tell()
    expect(sent.map(({ to }) => to)).toEqual([ADA.email])
    away.clear()
    await process.tell()
    expect(sent).toHaveLength(1)
    pass(2 * MINUTE)
    await open().tell()
    expect(sent.map(({ to }) => to)).toEqual([ADA.email, 'ben@example.com'])
    pass(HOUR)
    await open().tell()
    expect(sent).toHaveLength(2)
  })

  it('is told to everybody in their own language', async () => {
    admins = ['en', 'pt-BR', 'es', 'ar', 'xx'].map((language) => {
      return { id: `per_${language}`, email: `${language}@example.com`, language }
    })
    const process = open()
    await process.becomes({ state: 'refused', code: 'logged_out' })
    await process.tell()
    const subjects = sent.map(({ subject }) => subject)
    expect(subjects[1]).toMatch(/^Support foi recusado/)
    expect(subjects[2]).toMatch(/^Support ha sido rechazado/)
    expect(subjects[3]).toContain('رُفضت القناة Support')
    expect(subjects[4]).toBe(subjects[0])
    for (const { text } of sent) expect(text).not.toMatch(/[{}]|undefined/)
  })

  it('says where to look where there are no words for the cause', () => {
    const facts = { channel: 'Support', kind: 'Email', company: 'Acme', url: 'https://desk.example.com' }
    expect(refusalLetter('en', { ...facts, code: 'constructor' }).text).toContain('The page of the channel says why.')
  })

  it('makes no letter of what somebody called it', async () => {
    name = 'Win\r\nBcc: all@example.com <https://evil.example> {url}'
    const process = open()
    await process.becomes(REFUSED)
    await process.tell()
    expect(sent[0]?.subject).toMatch(/^Win Bcc all@example\.com httpsevil\.example url is refused/)
  })

  it('is nobody’s concern once it was removed, or a day later', async () => {
    const process = open()
    await process.becomes(REFUSED)
    await process.refusals.forget('rivals', origin.channelId)
    await process.refusals.forget(origin.companyId, origin.channelId)
    await process.tell()
    expect(sent).toEqual([])
    await process.becomes(REFUSED)
    pass(25 * HOUR)
    await process.tell()
    expect(sent).toEqual([])
  })
})
