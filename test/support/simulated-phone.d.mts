/** A person as WhatsApp names them: by number, by hidden id, or by both. */
export type SimulatedPerson = { name?: string; key: { remoteJid: string; remoteJidAlt?: string } }

/** Words, or a message as WhatsApp's protobuf has it. */
export type Said = string | Record<string, unknown>

/** What left through the channel. */
export type SentByUs = { to: string; id: string; content: { kind: string; text?: string; name?: string } }

export type SimulatedPhone = {
  url: string
  sent: SentByUs[]
  readonly connections: number
  readonly isConnected: boolean
  readonly isOpen: boolean
  /** `own`: the company's own people write on the phone itself. The same `id` is the same message, told again. */
  says(person: SimulatedPerson, said: Said, how?: { own?: boolean; id?: string }): void
  tell(event: object): void
  /** Somebody scans the picture, or types the code in. */
  scan(): void
  lose(code?: number): void
  /** Nobody gets in, and nothing is taken, until it is back. */
  away(): void
  back(): void
  /** What becomes of the messages that are sent from now on, or of so many of them. */
  takes(fate: 'taken' | 'refused' | 'unknown', times?: number): void
  close(): Promise<void>
}

export declare const openSimulatedPhone: (options?: {
  port?: number
  onSent?: (message: SentByUs) => void
  onShown?: (what: { kind: 'picture' } | { kind: 'code'; phoneNumber: string }) => void
}) => Promise<SimulatedPhone>
