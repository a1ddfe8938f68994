/** What the player does with a message that is sent. */
export type GraphPart =
  | { kind: 'good' }
  /** An error of the Graph API. */
  | { kind: 'error'; code: number; status?: number }
  /** A gateway's page. */
  | { kind: 'html'; status?: number }
  /** Takes the request and never answers. */
  | { kind: 'hanging' }
  /** Takes the request and hangs up. */
  | { kind: 'cut' }
  /** Hangs up on everything, not on messages alone. */
  | { kind: 'offline' }

export type GraphRequest = {
  method: string
  path: string
  authorization: string | null
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever was sent
  body: any
  at: number
}

/** A message or a mark, as far as the tests look at it. */
export type SentMessage = {
  to?: string
  recipient?: string
  type: string
  message_id?: string
  biz_opaque_callback_data?: string
  text: { body: string }
  interactive: { body: { text: string }; action: { buttons: { reply: { id: string; title: string } }[] } }
  image?: { id: string; caption?: string }
  template?: { name: string }
}

export type KeptMedia = {
  bytes: Buffer
  type: string
  /** What Meta says of its size, and what the download says. */
  size?: number
  claims?: number
  /** Its address is good no more; `gone`: neither is its id. */
  expired?: boolean
  gone?: boolean
  url?: string
  waitMs?: number
  /** It is handed out when this is over. */
  until?: Promise<void>
}

export type GraphPlayer = {
  url: string
  /** Of a channel that it plays Meta for. */
  settings: Record<'phoneNumberId' | 'accessToken' | 'appSecret' | 'verifyToken' | 'graphUrl', string>
  token: string
  secret: string
  phoneNumberId: string
  accountId: string
  requests: GraphRequest[]
  /** The messages that were sent, and what was marked as read, in their order. */
  sent(): SentMessage[]
  marked(): SentMessage[]
  behave(part: GraphPart): void
  /** The next messages, one each. */
  script(...parts: GraphPart[]): void
  /** Returns the hash by which the webhook names it. */
  keep(id: string, media: KeptMedia): string
  offer(templates: object[]): void
  /** Seconds since 1970; 0: never. */
  endToken(at: number): void
  onMessage(listener: (message: SentMessage, id: string) => void): void
  close(): Promise<void>
}

export const openGraph: (options?: {
  port?: number
  token?: string
  secret?: string
  phoneNumberId?: string
  accountId?: string
}) => Promise<GraphPlayer>
