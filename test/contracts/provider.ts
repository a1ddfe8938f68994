/** Where a company's channel is served at this moment. */
export type Door = { url: string; channelId: string; key: string }

/** One message on its way in. The same `id` from the same address is the same message. */
export type Said = { from: string; name?: string; id: string; text: string }

/** What became of a message of ours. */
type Told = { status: 'sent' | 'delivered' | 'read' | 'refused'; externalId: string; to: string }

/** The world behind one company's channel: its real counterpart, or one that is played. */
export type Provider = {
  /** With which the company opens its channel. */
  settings: Record<string, unknown>
  /** Words that nobody may see again: passwords, tokens, keys. */
  secrets: readonly string[]
  /** What is done beside saving the settings, such as scanning a picture; `isShown`: there is something to scan. */
  link?(isShown: () => Promise<boolean>): Promise<void>
  /** Hands messages over in this order, at once where it does so. Throws where they were not acknowledged. */
  deliver(door: Door, ...said: Said[]): Promise<void>
  /** Hands over something as it is. Throws where the product failed instead of taking it or refusing it by name. */
  hand(door: Door, raw: unknown): Promise<void>
  /** The texts that it took for this address, oldest first. */
  got(door: Door, address: string): Promise<string[]>
  /** From our side, open at this moment; absent where none are kept. */
  connections?(): number
  /** Absent where a message needs nobody to leave. */
  sending?: {
    /** The next message meets a no that is meant. */
    refuseNext(): void
    /** Nothing is taken until `back`, and that is sure: a later try doubles nothing. */
    away(): void
    back(): void
    /** Nobody learns what became of the next message. */
    loseNext(): void
    /** The account is refused, at the latest when the next message leaves. */
    denyNext(): void
  }
  /** Absent where readers tell nothing. */
  tell?(door: Door, told: Told): Promise<void>
  close(): Promise<void>
}

export type ChannelKind = {
  kind: string
  /** What there is none of, so that nothing is said about it: see `Provider`. */
  without?: readonly ('sending' | 'receipts')[]
  /** For a company of this name. */
  open(name: string): Promise<Provider>
  /** Where the n-th person writes from: the same one at every company. */
  address(n: number): string
  /** As recorded, by what is odd about them: bytes, or what was read from JSON. */
  samples: Record<string, unknown>
  /** What the channel takes it for: some of `names`, or `ignored:…` and `refused:…` with the reason. */
  decode(raw: unknown): string[] | Promise<string[]>
  names: readonly string[]
  /** A word that ends automatic messages, where the channel knows some. */
  optOut?: string
}
