import type { Clock } from './clock.js'
import { AppError } from './errors.js'
import type { Log } from './log.js'

/** The product's own mail: invitations, resets, notices. Customers' mail is a channel and goes its own way. */
export type Mail = { to: string; subject: string; text: string }

export type Mailer = {
  /** Throws `unavailable` when the server does not take it; nothing is tried again by itself. */
  send(mail: Mail): Promise<void>
}

type Needs = { smtpUrl: string; from: string; clock: Clock; log: Log }

const CONNECT_WITHIN_MS = 5_000
const SEND_WITHIN_MS = 10_000

/** Over SMTP (RFC 5321); `smtps:` is TLS from the start, `smtp:` takes STARTTLS where it is offered. */
export const makeMailer = ({ smtpUrl, from, clock, log }: Needs): Mailer => ({
  send: async ({ to, subject, text }) => {
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      url: smtpUrl,
      connectionTimeout: CONNECT_WITHIN_MS,
      greetingTimeout: CONNECT_WITHIN_MS,
      socketTimeout: SEND_WITHIN_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const startedAt = clock.now().getTime()
    try {
      await transport.sendMail({
        from,
        // An object, not a line: a name with a comma in it must not become a second recipient.
        to: { name: '', address: to },
        subject: subject.replaceAll(/[\r\n]+/g, ' '),
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
})
