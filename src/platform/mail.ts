import { Readable } from 'node:stream'
import type { Clock } from './clock.js'
import { AppError } from './errors.js'
import type { Log } from './log.js'

/** The product's own mail: invitations, resets, notices. Customers' mail is a channel and goes its own way. */
export type Mail = { to: string; subject: string; text: string }

/** What a person wrote, for somebody who is not of the house. */
export type PersonalMail = {
  /** Names the mail: sent again under the same id, it has the same Message-ID. */
  id: string
  /** Who writes, as readers see them; the address stays the installation's. */
  from: string
  to: string
  subject: string
  text: string
  html: string
  references: readonly string[]
  /** Where its reader ends such mails (RFC 2369, RFC 8058). */
  stopUrl: string
  files: { filename: string; contentType: string; content: Buffer }[]
}

/** The server's no, in its own words, is `refused`. */
export type Posted = { kind: 'sent'; messageId: string } | { kind: 'refused'; words: string }

export type Mailer = {
  /** Throws `unavailable` when the server does not take it; nothing is tried again by itself. */
  send(mail: Mail): Promise<void>
  /** Throws `unavailable` where it certainly was not taken, and something else where nobody knows. */
  post(mail: PersonalMail): Promise<Posted>
}

type Needs = { smtpUrl: string; from: string; clock: Clock; log: Log }

const CONNECT_WITHIN_MS = 5_000
const SEND_WITHIN_MS = 10_000

/** Over SMTP (RFC 5321); `smtps:` is TLS from the start, `smtp:` takes STARTTLS where it is offered. */
export const makeMailer = ({ smtpUrl, from, clock, log }: Needs): Mailer => {
  const open = async () => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      url: smtpUrl,
      connectionTimeout: CONNECT_WITHIN_MS,
      greetingTimeout: CONNECT_WITHIN_MS,
      socketTimeout: SEND_WITHIN_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim()

  return {
    send: async ({ to, subject, text }) => {
      const transport = await open()
      const startedAt = clock.now().getTime()
      try {
        await transport.sendMail({
          from,
          // An object, not a line: a name with a comma in it must not become a second recipient.
          to: { name: '', address: to },
          subject: oneLine(subject),
          text,
          // RFC 3834: whoever answers automatically does not answer this.
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
        log.info({ milliseconds: clock.now().getTime() - startedAt }, 'mail sent')
      } catch (cause) {
        throw new AppError('unavailable', 'mail_not_sent', 'The mail server did not take the message.', { cause })
      } finally {
        transport.close()
      }
    },

    post: async (mail) => {
      const messageId = `<${mail.id}@${address.slice(address.lastIndexOf('@') + 1)}>`
      const raw = await written(mail, { address, messageId })
      const transport = await open()
      // Read to its end, the mail is with the server: whether it took it is then known only from its answer.
      let handedOver = false
      const source = Readable.from([raw])
      source.once('end', () => (handedOver = true))
      try {
        await transport.sendMail({ raw: source, envelope: { from: address, to: [mail.to] } })
        return { kind: 'sent', messageId }
      } catch (cause) {
        const { responseCode = 0, response = '', code } = cause as FailedMail
        if (responseCode >= 500 && code !== 'EAUTH')
          return { kind: 'refused', words: oneLine(response).slice(0, LONGEST_WORDS) }
        if (handedOver && responseCode === 0) throw new Error('mail_unknown', { cause })
        throw new AppError('unavailable', 'mail_not_sent', 'The mail server did not take the message.', { cause })
      } finally {
        transport.close()
      }
    },
  }
}

type FailedMail = { responseCode?: number; response?: string; code?: string }

const LONGEST_WORDS = 300

/**
 * Nothing in it says that a machine wrote it, because none did; but whoever answers automatically is asked not to, and nothing that
 * was typed makes a header of its own.
 */
const written = async (
  mail: PersonalMail,
  { address, messageId }: { address: string; messageId: string },
): Promise<Buffer> => {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer/index.js')
  const { references } = mail
  return new MailComposer({
    messageId,
    from: { name: oneLine(mail.from), address },
    to: { name: '', address: mail.to },
    subject: oneLine(mail.subject),
    ...(references.length > 0 ? { references: [...references], inReplyTo: references.at(-1) as string } : {}),
    headers: headersOfLetter(mail.stopUrl),
    text: mail.text,
    html: mail.html,
    attachments: mail.files,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
}

/** What a mail carries that a person wrote to somebody who may not want more of them. */
export const headersOfLetter = (stopUrl: string): Record<string, string> => ({
  'X-Auto-Response-Suppress': 'All',
  'List-Unsubscribe': `<${stopUrl}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
})

/** RFC 5322 section 2.2: a line break in a header begins the next one. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
