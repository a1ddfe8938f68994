import type { z } from 'zod'
import type {
  Arrival,
  Attachment,
  Citation,
  Message,
  OutboundMessage,
  Receipt,
  Received,
} from '../conversations/message.js'
import type { Clock } from '../platform/clock.js'
import type { IncomingFile, OpenedFile } from './attachments.js'
import type { Log } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'

/** The door that every channel stands behind. What is not here, a channel keeps to itself. */
export type Channel = {
  start(receive: Receive): Promise<void>
  stop(): Promise<void>
  /** A broken network throws `unavailable` and is tried again; a provider's no is `refused`. */
  send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt>
}

export type Receive = (arrival: Arrival) => Promise<Received>

/** One configured channel of one company. Secrets inside `settings` are opened only for the channel itself. */
export type ChannelRecord = {
  id: string
  companyId: string
  kind: string
  name: string
  /** The public key that a web page carries; kinds without a public API have none. */
  key: string | null
  settings: Record<string, unknown>
}

export type ChannelKit = { record: ChannelRecord; clock: Clock; log: Log }

/** What the public API of a kind may ask of the house. It sees one visitor at a time, never a list of anything. */
export type PublicKit = {
  channelByKey(key: string): ChannelRecord | null
  channelById(id: string): ChannelRecord | null
  /** The first company's channel of this kind, for `npm run ask` and the demo. */
  demoChannel(): ChannelRecord | null
  receive(channel: ChannelRecord, arrival: Arrival): Promise<Received>
  /** What the contact may see of their conversations on this channel, oldest first, after `after` (a message id). */
  history(channel: ChannelRecord, contactExternalId: string, after?: string): Promise<Message[]>
  /** Who has the contact's conversation, as far as they may know. */
  standing(channel: ChannelRecord, contactExternalId: string): Promise<Standing>
  /** Whether an answer helped; `null` takes it back. */
  rate(
    channel: ChannelRecord,
    contactExternalId: string,
    messageId: string,
    rating: 'up' | 'down' | null,
  ): Promise<void>
  leaveEmail(channel: ChannelRecord, contactExternalId: string, email: string): Promise<void>
  /** The n-th source of a message of theirs, from 0, with the passage as it stands now, where it still does. */
  source(channel: ChannelRecord, contactExternalId: string, messageId: string, index: number): Promise<Source>
  /** Keeps a file of the contact's and hands out a ticket, with which they may put it into a message. */
  acceptFile(channel: ChannelRecord, contactExternalId: string, file: IncomingFile): Promise<AcceptedFile>
  /** What tickets stand for; throws where one is not this contact's. */
  redeemFiles(channel: ChannelRecord, contactExternalId: string, tickets: readonly string[]): Attachment[]
  /** Opens one file for a day, to whoever was given the link. */
  linkToFile(companyId: string, attachment: Attachment): string
  openLink(link: string): Promise<OpenedFile>
  /** Calls back for all that this contact may see, as it happens. Returns the end of it. */
  follow(channel: ChannelRecord, contactExternalId: string, follower: Follower): () => void
  /** Throws `rate_limited` when `key` spent its allowance of the named limit. */
  limit(name: LimitName, key: string): Promise<void>
  clock: Clock
  secrets: Secrets
  /** The addresses of our own pages: they may show any chat. */
  ownOrigins: readonly string[]
}

export type Standing = {
  handler: 'assistant' | 'agent' | 'nobody'
  /** The name of the person who has it. */
  agent: string | null
  /** The assistant has yet to deal with what was written. */
  working: boolean
  /** A person is wanted, none has it, and there is no address to reach the contact at. */
  askEmail: boolean
  /** When people are back, where it is known that none is here now. */
  opensAt?: Date
}

/** What customers may send. */
export const ATTACHMENT_LIMITS = {
  mostBytes: 10 * 1024 * 1024,
  /** With one message. */
  most: 5,
  extensions: [
    ...['png', 'jpg', 'jpeg', 'gif', 'webp', 'pdf', 'txt', 'log', 'csv', 'json', 'md'],
    ...['docx', 'xlsx', 'pptx', 'odt', 'ods', 'zip'],
  ],
}

export type AcceptedFile = { ticket: string; attachment: Attachment }

/** A quote where it stands. */
export type Source = { before: string; quote: string; after: string }

export type Follower = {
  /** A message was appended or rated; an appended one replaces what was shown of a draft before. */
  message(message: Message): void
  standing(standing: Standing): void
  /** The assistant has proved one more sentence of an answer that is not a message yet. */
  sentence(sentence: DraftSentence): void
  /** The draft will not become a message. */
  withdrawn(draft: { conversationId: string; draftId: string }): void
}

export type DraftSentence = {
  conversationId: string
  draftId: string
  /** From 0, without gaps; 0 again after a withdrawal. */
  index: number
  /** With its marks: `[n]` is the n-th of `citations`. */
  text: string
  /** All of the draft so far. */
  citations: Citation[]
}

/** The limits themselves are numbers in api/limits.ts. */
export type LimitName =
  | 'sessions_per_address'
  | 'connects_per_address'
  | 'messages_per_address'
  | 'messages_per_visitor'
  | 'reads_per_visitor'
  | 'files_per_visitor'

/** One call of a kind's public API, validated and described by its schemas. Mounted by `api` under /api/v1. */
export type ChannelRoute = {
  method: 'get' | 'post'
  path: `/${string}`
  summary: string
  bearer: boolean
  body?: z.ZodType
  query?: z.ZodType
  /** Seconds for which anybody may keep the answer; it may then depend on nothing but the address. */
  cacheSeconds?: number
  /** The body is a form (`multipart/form-data`) with one part `file`, which this describes. */
  file?: string
  status: 200 | 201 | 202
  /** Absent where the answer is a file to be saved. */
  response?: z.ZodType
  handle(input: RouteInput): Promise<object>
}

/** Reads the form's file while it arrives; `undo` takes back what was made of it where the rest of the form is wrong. */
export type ReadFile = <T>(take: (file: IncomingFile) => Promise<T>, undo: (taken: T) => Promise<void>) => Promise<T>

export type RouteInput = {
  body: unknown
  query: unknown
  bearer: string | null
  /** Only where the route takes a file. */
  readFile: ReadFile | null
  address: string
  origin: string | null
}

/** A live connection's side of a kind's public API, free of the transport. */
export type ChannelNamespace = {
  path: `/${string}`
  /** Throws to refuse the connection. `emit` reaches this connection alone. */
  connect(input: {
    token: string
    origin: string | null
    address: string
    emit: (event: string, payload: object) => void
  }): Promise<{
    on: Record<string, (payload: unknown) => Promise<object>>
    close(): void
  }>
}

export type ChannelDefinition<Settings extends z.ZodType = z.ZodType> = {
  label: string
  icon: string
  settings: Settings
  /** Which of the settings are secrets: kept encrypted, opened for the channel, never returned. */
  secrets?: readonly string[]
  /** Sending the same message twice does no harm: a crash in between is repaired by sending again. */
  idempotent: boolean
  open(settings: z.infer<Settings>, kit: ChannelKit): Channel
  publicApi?(kit: PublicKit): { routes: ChannelRoute[]; namespace: ChannelNamespace }
}

export const defineChannel = <Settings extends z.ZodType>(definition: ChannelDefinition<Settings>): ChannelDefinition =>
  definition
