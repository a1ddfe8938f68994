import { AppError } from '../../platform/errors.js'

/** What went wrong with a mail server, in words of ours: a library's message may quote an address or what was written. */
export type MailFault = {
  code:
    | 'host_not_found'
    | 'server_unreachable'
    | 'tls_failed'
    | 'password_refused'
    | 'token_refused'
    | 'mailbox_not_found'
    | 'server_refused'
    | 'connection_lost'
  sentence: string
  /** Nothing but a person changes it: trying often helps nobody, and may lock the account. */
  lasting: boolean
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'CONNECT_TIMEOUT',
  'GREETING_TIMEOUT',
  'UPGRADE_TIMEOUT',
])
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ETLS|EPROTO|ERR_OSSL|HOSTNAME_MISMATCH)/

export const mailFaultOf = (error: unknown): MailFault => {
  if (error instanceof AppError) {
    switch (error.code) {
      case 'token_refused':
        return { code: 'token_refused', sentence: error.message, lasting: true }
      case 'token_unreachable':
        return { code: 'server_unreachable', sentence: error.message, lasting: false }
      case 'private_address':
        return { code: 'server_unreachable', sentence: error.message, lasting: true }
    }
  }
  const { code, responseCode, authenticationFailed, tlsFailed, mailboxMissing, serverResponseCode } = factsOf(error)
  if (authenticationFailed || code === 'EAUTH' || responseCode === 535 || serverResponseCode === 'AUTHENTICATIONFAILED')
    return { code: 'password_refused', sentence: 'The server refuses the user name or the password.', lasting: true }
  if (mailboxMissing || serverResponseCode === 'NONEXISTENT' || serverResponseCode === 'TRYCREATE')
    return { code: 'mailbox_not_found', sentence: 'The account has no mailbox of this name.', lasting: true }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EDNS' || code === 'host_not_found')
    return { code: 'host_not_found', sentence: 'There is no server of this name.', lasting: false }
  if (tlsFailed || TLS.test(code))
    return {
      code: 'tls_failed',
      sentence: 'No safe connection: the certificate is not valid for this name, or the port speaks no TLS.',
      lasting: false,
    }
  if (UNREACHABLE.has(code))
    return { code: 'server_unreachable', sentence: 'The server does not answer at this port.', lasting: false }
  if (responseCode >= 500 || serverResponseCode)
    return { code: 'server_refused', sentence: 'The server refuses the connection.', lasting: false }
  return { code: 'connection_lost', sentence: 'The connection to the server broke.', lasting: false }
}

type Facts = {
  code: string
  responseCode: number
  serverResponseCode: string
  authenticationFailed: boolean
  tlsFailed: boolean
  mailboxMissing: boolean
}

/** Both libraries put what they know beside the message; a cause may know more than what wraps it. */
const factsOf = (error: unknown): Facts => {
  const known = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const own = typeof known.code === 'string' ? known.code : ''
  const inner = known.cause ?? known._err
  const behind = inner === undefined ? null : factsOf(inner)
  return {
    // nodemailer wraps whatever the socket said into ESOCKET and keeps its words; the system's name stands in `errno`'s place.
    code: own === 'ESOCKET' || own === 'ECONNECTION' || own === '' ? (systemCodeOf(error) ?? behind?.code ?? own) : own,
    responseCode: typeof known.responseCode === 'number' ? known.responseCode : 0,
    serverResponseCode: typeof known.serverResponseCode === 'string' ? known.serverResponseCode : '',
    authenticationFailed: known.authenticationFailed === true,
    tlsFailed: known.tlsFailed === true || behind?.tlsFailed === true,
    mailboxMissing: known.mailboxMissing === true,
  }
}

const systemCodeOf = (error: unknown): string | undefined => {
  const { message } = error as { message?: unknown }
  if (typeof message !== 'string') return undefined
  const word = /\b(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPROTO)\b/.exec(message)?.[1]
  if (word) return word
  return /certificate|wrong version number|ssl routines|self.signed/i.test(message) ? 'ETLS' : undefined
}
