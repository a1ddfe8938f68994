import { createTransport, type Transporter } from 'nodemailer'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js'
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import type { Receipt } from '../../conversations/message.js'
import type { Outside } from '../../platform/addresses.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { ComposedMail } from './compose.js'
import { mailFaultOf } from './faults.js'
import type { AccessTokens } from './oauth.js'
import { makePace } from './pace.js'
import type { EmailSettings } from './settings.js'

const CONNECT_MS = 5_000
/** The core gives an attempt 10 seconds. */
const ANSWER_MS = 9_000
const CONNECTIONS = 2
const MAILS_PER_CONNECTION = 100

type Needs = { settings: EmailSettings; tokens: AccessTokens | null; lookup: Outside['lookup'] }

/** How the server is reached: the address that was looked up and allowed, under the name that its certificate must bear. */
export const smtpOptions = async ({ settings, tokens, lookup }: Needs): Promise<SMTPTransport.Options> => {
  const { smtp, imap } = settings
  const user = smtp.user ?? imap?.user
  const pass = smtp.password ?? (smtp.user ? undefined : imap?.password)
  const auth =
    pass !== undefined && user
      ? { user, pass }
      : tokens && user
        ? ({ type: 'OAuth2', user, accessToken: await tokens.get() } as const)
        : undefined
  return {
    host: await lookup(smtp.host),
    port: smtp.port,
    secure: smtp.secure,
    requireTLS: !smtp.secure && auth !== undefined && !isLoopback(smtp.host),
    ignoreTLS: !smtp.secure && isLoopback(smtp.host),
    ...(auth ? { auth } : {}),
    ...(isIP(smtp.host) ? {} : { tls: { servername: smtp.host } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: ANSWER_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  }
}

/** Without TLS a password goes only over this machine's own wire. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host.startsWith('127.') || host === '::1'

/** `raw`: the mail as it went, where it did. */
export type Sent = { receipt: Receipt; raw: Buffer | null }

/**
 * Hands mail to the company's server, over a few connections that are kept, no faster than it allows. Each mail is written once
 * and has one Message-ID. nodemailer may not try again by itself: only the core knows what a second copy would mean.
 */
export const makeSmtp = ({ clock, ...needs }: Needs & { clock: Clock }) => {
  const { settings } = needs
  const turnOf = makePace({ perMinute: settings.perMinute, clock })
  let kept: { transport: Transporter<SMTPPool.SentMessageInfo>; key: string } | null = null

  const transport = async () => {
    const options = await smtpOptions(needs)
    // A new address or a new token is a new pool.
    const key = JSON.stringify([options.host, options.auth])
    if (kept?.key === key) return kept.transport
    kept?.transport.close()
    const pool: SMTPPool.Options & { maxRequeues: number } = {
      ...options,
      pool: true,
      maxConnections: CONNECTIONS,
      maxMessages: MAILS_PER_CONNECTION,
      maxRequeues: 0,
      ...(settings.dkim
        ? {
            dkim: {
              domainName: settings.dkim.domain,
              keySelector: settings.dkim.selector,
              privateKey: settings.dkim.privateKey,
            },
          }
        : {}),
    }
    kept = { transport: createTransport(pool), key }
    return kept.transport
  }

  return {
    send: async (mail: ComposedMail, given: AbortSignal): Promise<Sent> => {
      const waitMs = turnOf(mail.messageId)
      if (waitMs > 0) {
        const reason = 'paced: more mail than is allowed in a minute waits'
        return { receipt: { kind: 'later', afterMs: waitMs, reason }, raw: null }
      }
      // Given up by ourselves a moment before the core does: what was not handed over by then is not sent later either.
      const signal = AbortSignal.any([given, AbortSignal.timeout(ANSWER_MS)])
      const raw = await writeMime(mail)
      const out = await transport().catch((cause: unknown) => {
        throw unavailable(cause)
      })
      // Read to its end, the mail is with the server: whether it took it is then known only from its answer.
      let handedOver = false
      const source = Readable.from([raw])
      source.once('end', () => (handedOver = true))
      const to = [...mail.to, ...mail.cc].map(({ address }) => address)
      try {
        signal.throwIfAborted()
        const info = await out.sendMail({ raw: source, envelope: { from: mail.envelopeFrom, to }, signal })
        const [first] = mail.to
        const refusedFirst = info.rejectedErrors?.find(({ recipient }) => recipient === first?.address)
        if (refusedFirst) return { receipt: refusal(refusedFirst), raw }
        return { receipt: { kind: 'sent', externalId: mail.messageId }, raw }
      } catch (error) {
        const { responseCode = 0, code } = error as { responseCode?: number; code?: string }
        if (code === 'EAUTH') needs.tokens?.forget()
        else if (responseCode >= 400 && responseCode < 500) return { receipt: deferral(error), raw }
        else if (responseCode >= 500) return { receipt: refusal(error), raw }
        else if (handedOver && responseCode === 0) throw new MailUnknown(error)
        throw unavailable(error)
      }
    },
    close: (): void => {
      kept?.transport.close()
      kept = null
    },
  }
}

/** The connection broke after the whole mail was handed over: whether the server took it, nobody knows. */
class MailUnknown extends Error {
  readonly code = 'mail_unknown'
  constructor(cause: unknown) {
    super('The connection broke after the mail was handed over.', { cause })
    this.name = 'MailUnknown'
  }
}

const unavailable = (cause: unknown): AppError => {
  const fault = mailFaultOf(cause)
  return new AppError('unavailable', fault.code, fault.sentence, { cause })
}

const LONGEST_REASON = 300

/** The server's own words: they say best what to do. They may name addresses, so that no error carries them: errors are logged. */
const refusal = (error: unknown): Receipt => ({
  kind: 'refused',
  reason: `server_refused: ${wordsOf(error)}`,
})

const deferral = (error: unknown): Receipt => ({
  kind: 'deferred',
  reason: `server_defers: ${wordsOf(error)}`,
})

const wordsOf = (error: unknown): string => {
  const { response = '' } = error as { response?: string }
  const words = response.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return words.slice(0, LONGEST_REASON) || 'no reason given'
}

export const writeMime = async (mail: ComposedMail): Promise<Buffer> =>
  new MailComposer({
    messageId: mail.messageId,
    from: mail.from,
    to: mail.to,
    cc: mail.cc,
    ...(mail.replyTo ? { replyTo: mail.replyTo } : {}),
    subject: mail.subject,
    ...(mail.inReplyTo ? { inReplyTo: mail.inReplyTo } : {}),
    ...(mail.references.length > 0 ? { references: mail.references } : {}),
    headers: mail.headers,
    text: mail.text,
    html: mail.html,
    attachments: mail.attachments,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
