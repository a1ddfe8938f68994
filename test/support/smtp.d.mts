export type SentMail = { from: string; to: string[]; raw: string; at: number }

/** How the next mails are met. `drop`: taken whole, and then the connection breaks before a word is said about it. */
export type Manner =
  | { kind: 'take' }
  | { kind: 'defer' | 'refuse'; at: 'connect' | 'mail' | 'rcpt' | 'data'; words?: string }
  | { kind: 'drop' }
  | { kind: 'refuse_login' }
  | { kind: 'slow'; ms: number }

/** A mail server to send to, that behaves as a test wants. */
export const openSmtp: (options?: { user?: string; password?: string }) => Promise<Smtp>

export type Smtp = {
  port: number
  sent: SentMail[]
  /** That there were in all, and that are open now. */
  connections(): number
  open(): number
  /** From now on, or only so often. */
  behave(now: Manner, times?: number): void
  /** Ends the connections that are open; the next ones are welcome. */
  hangUp(): void
  close(): Promise<void>
}
