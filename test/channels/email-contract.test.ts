import { afterAll, describe, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { decodeEmail } from '../../src/channels/email/decode.js'
import { keepsTheChannelContract } from '../contracts/channel.js'
import type { Provider, Said } from '../contracts/provider.js'
import { openDovecot, type Dovecot } from '../support/dovecot.mjs'
import { letter } from '../support/email.mjs'
import { openSmtp } from '../support/smtp.mjs'

const dovecot = await openDovecot()

/** A company's mailbox on a real server, and the server by which its mail leaves. */
const openMail =
  (server: Dovecot) =>
  async (name: string): Promise<Provider> => {
    const address = `support@${name}.example`
    const secret = `the password of ${name}`
    const smtp = await openSmtp({ user: address, password: secret })
    /** As written the first time: whatever is handed over again is the same to the byte. */
    const written = new Map<string, string>()
    const threads = new Map<string, string>()

    const mailOf = ({ from, name: who, id, text }: Said): string => {
      const messageId = `<${id}@customer.example>`
      const first = threads.get(from)
      if (!first) threads.set(from, messageId)
      // People answer in the thread that they began.
      const references = first && first !== messageId ? { references: [first] } : {}
      const coded = who ? `=?utf-8?b?${Buffer.from(who).toString('base64')}?= <${from}>` : from
      const mail = written.get(id) ?? letter({ from: coded, to: address, text, id: messageId, ...references })
      written.set(id, mail)
      return mail
    }

    return {
      settings: {
        address,
        imap: { host: '127.0.0.1', port: server.imapPort, secure: false, user: address, password: 'secret' },
        smtp: { host: '127.0.0.1', port: smtp.port, secure: false, user: address, password: secret },
        webhookSecret: `a webhook secret of ${name} alone`,
        perMinute: 10_000,
      },
      // The mailbox's own is a word that stands elsewhere too.
      secrets: [secret, `a webhook secret of ${name} alone`],
      deliver: async (_door, ...all) => {
        for (const said of all) await server.deliver(address, mailOf(said))
      },
      // What the mail server itself turns away does not come to us.
      hand: async (_door, raw) => server.deliver(address, raw as Buffer).catch(() => {}),
      got: async (_door, to) => {
        const mails = smtp.sent.filter(({ to: all }) => all.includes(to))
        return Promise.all(mails.map(async ({ raw }) => (await decodeEmail(Buffer.from(raw))).text))
      },
      connections: () => smtp.open() + sessionsOf(server, address),
      sending: {
        refuseNext: () => smtp.behave({ kind: 'refuse', at: 'rcpt', words: '5.1.1 no such user' }, 1),
        away: () => smtp.behave({ kind: 'defer', at: 'mail', words: '4.3.2 come again' }),
        back: () => smtp.behave({ kind: 'take' }),
        loseNext: () => smtp.behave({ kind: 'drop' }, 1),
        denyNext: () => {
          smtp.behave({ kind: 'refuse_login' }, 1)
          smtp.hangUp()
        },
      },
      close: smtp.close,
    }
  }

/** Programs that are signed in to a mailbox at this moment. */
const sessionsOf = ({ doveadm }: Dovecot, user: string): number =>
  doveadm('who', '-1', user)
    .split('\n')
    .filter((line) => line.startsWith(user)).length

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/email')
const recorded = Object.fromEntries(
  readdirSync(FIXTURES).map((name) => [name.replace('.eml', ''), readFileSync(path.join(FIXTURES, name))]),
)

if (dovecot) {
  afterAll(() => dovecot.close())
  keepsTheChannelContract({
    kind: 'email',
    without: ['receipts'],
    open: openMail(dovecot),
    address: (n) => `canary${n}@customer.example`,
    samples: recorded,
    decode: async (raw) => {
      const { bounce, automatic, oddities } = await decodeEmail(raw as Buffer)
      if (oddities.includes('decoder_fault')) return ['decoder_fault']
      return [bounce ? 'bounce' : automatic ? 'automatic' : 'message']
    },
    names: ['message', 'bounce', 'automatic'],
  })
} else describe.skip('email, as every channel', () => it('has no mail server here', () => {}))
