/**
 * A real mail server on loopback, mail handed to it over LMTP as a mail server does. `null`, with a loud word, where it is not there
 * and may not be installed; with CI=true that is an error.
 */
export const openDovecot: () => Promise<Dovecot | null>

export type Dovecot = {
  imapPort: number
  lmtpPort: number
  /** Puts a raw mail into a user's mailbox. Every user exists; the password is `secret`. */
  deliver(to: string, mail: string | Buffer): Promise<void>
  doveadm(...args: string[]): string
  stop(): Promise<void>
  start(): Promise<void>
  mailDirectory(user: string): string
  close(): Promise<void>
}
