import type { z } from 'zod'
import type {
  Arrival,
  Attachment,
  AutomaticLimits,
  Citation,
  ComposedLetter,
  KnownContact,
  KnownConversation,
  LetterGiven,
  Message,
  MessageArrival,
  Original,
  OutboundLetter,
  OutboundMessage,
  Patience,
  Receipt,
  Received,
} from '../conversations/message.js'
import type { Outside } from '../platform/addresses.js'
import type { Clock } from '../platform/clock.js'
import type { IncomingFile, OfferedFile, OpenedFile } from './attachments.js'
import type { Log } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'
import type { Memory } from './memory.mongo.js'

/** The door that every channel stands behind. What is not here, a channel keeps to itself. */
export type Channel = {
  start(receive: Receive): Promise<void>
  stop(): Promise<void>
  /**
   * A broken network throws `unavailable` and is tried again, after `retryAfterMs` where the provider asks for that; a
   * provider's no is `refused`; `later` is what was not tried at all.
   */
  send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt>
  /** Whatever a provider calls /webhooks/:channelId with, GET or POST, its body as it came. */
  webhook?(request: Request): Promise<Response>
  /** Sends something to `to` and says how far it came, for whoever sets the channel up. */
  test?(to: string, signal: AbortSignal): Promise<TestStep[]>
  /** Whether free text may be sent to this conversation's customer now; absent: always. */
  reachable?(conversationId: string): Promise<Reachable>
  /** The customer is shown that an answer is being written. Nothing waits for it. */
  typing?(conversationId: string): void
  /** Its customers leave: puts what people wrote to one who has left into a mail. */
  letter?(given: LetterGiven): Promise<ComposedLetter>
  /** Mails for a channel whose customers leave; the receipt names the mail. What is answered comes back as an arrival. */
  carry?(letter: OutboundLetter, signal: AbortSignal): Promise<Receipt>
  /** What may be sent where free text may not, as the provider knows it now. */
  templates?(signal: AbortSignal): Promise<Template[]>
}

/** `doubtful`: it may be sent, and whoever writes should know why it may not arrive. */
export type Reachable =
  | { kind: 'open'; until?: Date }
  | { kind: 'doubtful'; code: string; message: string }
  | { kind: 'closed'; code: string; message: string }

/** One hop of a test message; `ms` from the one before. */
export type TestStep = { name: string; ok: boolean; ms: number; detail?: string }

/** A text that the provider has approved; `{{1}}` and so on are its parameters. */
export type Template = { name: string; language: string; text: string; parameters: number }

/** `null`: it was no message. */
export type Receive = (arrival: Arrival) => Promise<Received | null>

/**
 * How a channel is, for people: `attention` works and will not for long (a token that expires), `limited` is slowed down by
 * its provider, `refused` needs somebody to change a setting. `detail` is a sentence without secrets and addresses.
 */
export type Health = {
  state: 'connecting' | 'connected' | 'limited' | 'attention' | 'disconnected' | 'refused'
  code?: string
  detail?: string
  pairing?: Pairing
}

/** What somebody has to show to a phone or type into it, good for moments. It is never kept. */
export type Pairing = {
  /** A picture, as a data URL. */
  qr?: string
  code?: string
  expiresAt: Date
}

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

/** What an opened channel may ask of the house. */
export type ChannelKit = Outside & {
  record: ChannelRecord
  clock: Clock
  log: Log
  secrets: Secrets
  /** Without a slash at its end. */
  publicUrl: string
  memory: Memory
  /** `work` runs in exactly one process at a time; see `Leases`. */
  lease(name: string, work: (signal: AbortSignal) => Promise<void>): { stop(): Promise<void> }
  /** Told to people as it changes; the same again is free. */
  report(health: Health): void
  /** The last `most` messages of a conversation of this company's, oldest first. */
  history(conversationId: string, most: number): Promise<Message[]>
  /** A message of this company's as it came, where it shows only a part of that. */
  original(messageId: string): Promise<Original | null>
  /** Messages of this channel by the provider's names for them, in or out. */
  messagesByExternalIds(externalIds: readonly string[]): Promise<Message[]>
  /** A conversation of this channel. */
  conversation(id: string): Promise<KnownConversation | null>
  contact(id: string): Promise<KnownContact | null>
  /** Of the company's other channels, what this one carried for them. */
  carried: Carried
  /** By the channel's own name for them, or one that they had before. */
  contactOf(externalId: string): Promise<KnownContact | null>
  /** Keeps any file before the message that names it is received. It is shown as a picture only if it is one. */
  keepFile(file: KeptFile): Promise<Attachment>
  openFile(attachment: Attachment): Promise<OpenedFile>
}

export type Carried = {
  /** Whose conversation it is, where its customers are written to when they have left. */
  contactOf(conversationId: string): Promise<KnownContact | null>
  /** The conversation of a letter, by the message that named it. */
  conversationOf(messageId: string): Promise<string | null>
  /** Takes in what was answered, as a message of that conversation. */
  receive(arrival: MessageArrival & { conversationId: string }): Promise<Received | null>
  /** The letter was not delivered; `false`: there is none that this message named. */
  cameBack(messageId: string, detail: string): Promise<boolean>
}

/** Beyond `mostBytes` it is refused as too large. */
export type KeptFile = { bytes: AsyncIterable<Uint8Array>; name: string; mostBytes: number }

/** What the public API of a kind may ask of the house. It sees one visitor at a time, never a list of anything. */
export type PublicKit = {
  channelByKey(key: string): ChannelRecord | null
  channelById(id: string): ChannelRecord | null
  /** The first company's channel of this kind, for `npm run ask` and the demo. */
  demoChannel(): ChannelRecord | null
  receive(channel: ChannelRecord, arrival: MessageArrival): Promise<Received>
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
  openLink(link: string): Promise<OfferedFile>
  /** Calls back for all that this contact may see, as it happens: they are there. Returns the end of it. */
  follow(channel: ChannelRecord, contactExternalId: string, follower: Follower): (how: 'left' | 'lost') => void
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
    ...['mp3', 'm4a', 'ogg', 'wav', 'mp4', 'webm'],
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
    /** `lost`: the line went dead, and some time passed before that was known. */
    close(how: 'left' | 'lost'): void
  }>
}

export type ChannelDefinition<Settings extends z.ZodType = z.ZodType> = {
  label: string
  icon: string
  settings: Settings
  /** What somebody has to know before they open one; each is a sentence for people under a name for programs. */
  cautions?: Readonly<Record<string, string>>
  /** Which of the settings are secrets: kept encrypted, opened for the channel, never returned. `imap.password` is one inside another. */
  secrets?: readonly string[]
  /** Sending the same message twice does no harm: a crash in between is repaired by sending again. */
  idempotent: boolean
  /** Whose provider may put a message off for days. */
  patience?: Patience
  /** How often the assistant may answer by itself, so that two machines cannot talk for ever. */
  automaticLimits?: AutomaticLimits
  /** The longest body of a webhook, in bytes. */
  webhookBytes?: number
  /** Asks the provider whether these settings work, before they are kept. Throws `invalid` with the field that is wrong. */
  check?(settings: z.infer<Settings>, outside: Outside, signal: AbortSignal): Promise<void>
  open(settings: z.infer<Settings>, kit: ChannelKit): Channel
  publicApi?(kit: PublicKit): { routes: ChannelRoute[]; namespace: ChannelNamespace }
}

export const defineChannel = <Settings extends z.ZodType>(definition: ChannelDefinition<Settings>): ChannelDefinition =>
  definition
