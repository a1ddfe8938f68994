import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import type { Outside } from '../../platform/addresses.js'
import { systemClock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { mailFaultOf, type MailFault } from './faults.js'
import { imapOptions } from './imap.js'
import { makeAccessTokens, type AccessTokens } from './oauth.js'
import type { EmailSettings } from './settings.js'
import { smtpOptions } from './smtp.js'

/** Which setting is wrong, by what the server said. */
const IMAP_FIELDS: Record<MailFault['code'], string> = {
  host_not_found: 'imap.host',
  server_unreachable: 'imap.port',
  tls_failed: 'imap.secure',
  password_refused: 'imap.password',
  token_refused: 'imap.oauth.refreshToken',
  mailbox_not_found: 'mailbox',
  server_refused: 'imap.host',
  connection_lost: 'imap.port',
}
const SMTP_FIELDS: Record<MailFault['code'], string> = {
  host_not_found: 'smtp.host',
  server_unreachable: 'smtp.port',
  tls_failed: 'smtp.secure',
  password_refused: 'smtp.password',
  token_refused: 'imap.oauth.refreshToken',
  mailbox_not_found: 'smtp.host',
  server_refused: 'smtp.host',
  connection_lost: 'smtp.port',
}

/** Logs in to both servers before the settings are kept, and says precisely what is wrong with them. Sends nothing. */
export const checkSettings = async (settings: EmailSettings, outside: Outside, signal: AbortSignal): Promise<void> => {
  const { imap } = settings
  const tokens = imap?.oauth ? settingsTokens(imap.oauth, outside) : null
  if (imap) {
    await named('receiving', IMAP_FIELDS, signal, () => tryImap(settings, tokens, outside.lookup, signal))
  }
  await named('sending', SMTP_FIELDS, signal, () => trySmtp(settings, tokens, outside.lookup, signal))
}

/** Nothing is remembered of tokens that are only tried; a rotated one is asked for again by the old one, once. */
const settingsTokens = (oauth: NonNullable<NonNullable<EmailSettings['imap']>['oauth']>, outside: Outside) =>
  makeAccessTokens({ oauth, fetch: outside.fetch, kept: null, clock: systemClock })

export const tryImap = async (
  { imap, mailbox }: EmailSettings,
  tokens: AccessTokens | null,
  lookup: Outside['lookup'],
  signal: AbortSignal,
): Promise<void> => {
  if (!imap) return
  const client = new ImapFlow(await imapOptions({ imap, tokens, lookup }))
  client.on('error', () => {})
  const leave = () => client.close()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await client.connect()
    await client.mailboxOpen(mailbox, { readOnly: true }).catch((cause: unknown) => {
      throw Object.assign(new Error('mailbox', { cause }), { mailboxMissing: true })
    })
    await client.logout()
  } finally {
    signal.removeEventListener('abort', leave)
    client.close()
  }
}

export const trySmtp = async (
  settings: EmailSettings,
  tokens: AccessTokens | null,
  lookup: Outside['lookup'],
  signal: AbortSignal,
): Promise<void> => {
  const transport = createTransport(await smtpOptions({ settings, tokens, lookup }))
  const leave = () => transport.close()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await transport.verify()
  } finally {
    signal.removeEventListener('abort', leave)
    transport.close()
  }
}

const named = async (
  what: 'receiving' | 'sending',
  fields: Record<MailFault['code'], string>,
  signal: AbortSignal,
  attempt: () => Promise<void>,
): Promise<void> => {
  try {
    await attempt()
  } catch (cause) {
    const { code, sentence } = signal.aborted
      ? ({ code: 'server_unreachable', sentence: 'The server does not answer in time.' } as const)
      : mailFaultOf(cause)
    throw new AppError('invalid', code, `The server for ${what} mail: ${sentence}`, {
      field: `settings.${fields[code]}`,
      cause,
    })
  }
}
