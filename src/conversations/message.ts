import { sha256 } from '../platform/secrets.js'
import type { ClockKind } from '../sla/policy.js'
import type { Conversation, Priority, State } from './conversation.js'
import type { SmallTalk } from './talk.js'

/** What a channel hands in, what it is asked to send, and what a conversation keeps. */

export type AuthorKind = 'customer' | 'assistant' | 'agent' | 'system'

/** `name` is what readers see: an agent's name, or "API · name" for what a key wrote. */
export type Author = { kind: AuthorKind; id?: string; name?: string }

/** The passage that a sentence rests on. `quote` stands verbatim in the passage's text. */
export type Citation = {
  documentId: string
  passageId: string
  title: string
  quote: string
  /** Where in the document: the headings above it, and its page where there are pages. */
  headings?: string[]
  page?: number | null
}

/** An outbound message's way to its reader; it only moves forward. `uncertain`: sent or not, a crash left it unknowable. */
export type DeliveryStatus = 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'refused' | 'uncertain'

/** `event` is a line of the timeline that people see and customers do not (a handoff, a change of state). */
export type MessageKind = 'message' | 'note' | 'event'

/** What an `event` line says, for programs; its `text` says the same in English. */
export type TimelineEvent =
  | { name: 'handoff'; reason: string }
  | { name: 'resumed' }
  | { name: 'blocked' }
  | { name: 'unblocked' }
  /** The customer wants no mail about this conversation. */
  | { name: 'mail_stopped' }
  | { name: 'state'; from: State; to: State; reason?: string }
  | { name: 'assigned'; to: string | null }
  | { name: 'team'; to: { id: string; name: string } | null }
  /** What a customer wrote tries to instruct the assistant: somebody may want to look. It changes nothing else. */
  | { name: 'attempt'; kinds: string[] }
  /** The customer wants no more automatic messages, or wants them again. */
  | { name: 'consent'; wants: Consent['wants'] }
  | { name: 'priority'; from: Priority; to: Priority }
  /** What time did to a promise. `withdrawn`: an answer that was written in time and left late had kept it after all. */
  | { name: 'service_level'; clock: ClockKind; change: 'warning' | 'breach' | 'withdrawn'; dueAt: string }

/** What a machine heard in a recording, or saw in a picture. The file stays what it is; this may be wrong. */
export type FileText = { kind: 'transcript' | 'description'; text: string; model: string; at: Date }

/**
 * What a customer may choose from where the assistant asks back what is meant: a heading or title of the company's documents, word
 * for word, or a person. Channels show the label; a press is told as `chosen`, and its number and its words are understood too.
 */
export type Choice =
  | { kind: 'place'; label: string; title: string; documentId: string; headings: string[] }
  | { kind: 'person'; label: string }

/** The choice of a message that its button belonged to, from 0. Whoever pressed it may be late, or have made it up. */
export type Chosen = { messageId: string; at: number }

/** A file that belongs to a message: `id` is its content's hash, `name` only what its sender called it. */
export type Attachment = {
  id: string
  name: string
  type: string
  size: number
  text?: FileText
  /** Why a machine made nothing of it, where it was asked. */
  unread?: string
}

export type Message = {
  id: string
  companyId: string
  conversationId: string
  channelId: string
  contactId: string
  /** Position in the conversation, from 1 without gaps. Everybody displays by it. */
  seq: number
  kind: MessageKind
  author: Author
  text: string
  citations: Citation[]
  attachments?: Attachment[]
  event?: TimelineEvent
  /** How the assistant came to it; absent for people. */
  mode?: 'model' | 'extractive'
  decisionId?: string
  /** The assistant's word that a person will come: it answers nothing. */
  handover?: true
  /** Said by the product about when somebody is there: it answers nothing. */
  notice?: true
  /** The assistant asks back which of these is meant: it answers nothing. */
  choices?: Choice[]
  /** The button that its customer pressed. */
  chosen?: Chosen
  /** The choice that this deals with, and of which message. */
  about?: { messageId: string; label: string }
  /** Why the assistant said this without asking the documents: the customer's message was small talk of this kind. */
  talk?: SmallTalk
  /** Given by the client of the person who wrote it: saying it again, however often, is one message. */
  clientId?: string
  /** The provider's name for a message that came in. */
  externalId?: string
  /** Why nobody wrote it: an automatic reply, a list, a bounce. It is kept; nothing answers it and no clock starts. */
  automatic?: string
  /** Why the assistant cannot deal with it: what it says is in a picture or a voice, or its sender is doubtful. */
  needsPerson?: string
  /** Nothing was written: its text only stands for the files that came. */
  wordless?: true
  /** A file of it is still on its way. */
  awaitsFile?: true
  /** A model has yet to hear or see its files. */
  isBeingRead?: true
  /** What the channel alone knows of it (a subject, the ids of a thread); the core only keeps it. */
  details?: Record<string, unknown>
  /** A text that the provider had approved before, and what was put into it. */
  template?: SentTemplate
  /** What it answers, by the provider's name. */
  replyTo?: string
  /** When it was written, as the provider says; the product counts by `at`. */
  sentAt?: Date
  /** How it read before its customer changed it, oldest first; `revoked` where they took it back. */
  edits?: { text: string; at: Date }[]
  revoked?: true
  /** What its reader put under it. */
  reaction?: string
  /** Whether it helped, as its customer says. */
  feedback?: { rating: 'up' | 'down'; at: Date }
  status: DeliveryStatus | null
  /** Why it was refused or is uncertain: `code: words`, the code for programs, the words in English or a server's own. */
  reason?: string
  /** It was tried, or stands behind one that was: when its turn comes again. Only while it waits. */
  nextTryAt?: Date
  /** Where its reader may have left before it came: what becomes of mailing it to them. */
  letter?: Letter
  at: Date
}

/**
 * What a person wrote to a customer who may have left. It is mailed unless the customer comes and reads it first. Several go as
 * one mail, which is named by the first of them.
 */
export type Letter = {
  /** `unsent`: it was not tried. `uncertain`: sent or not, a crash left it unknowable. */
  state: 'waiting' | 'sending' | 'sent' | 'seen' | 'unsent' | 'refused' | 'uncertain'
  attempts: number
  /** When it is tried; while it is being sent, when its sender counts as dead. Absent once it has ended. */
  notBefore?: Date
  /** The message by which the mail is named, where it is not this one. */
  with?: string
  to?: string
  /** The Message-ID under which it left. */
  mailId?: string
  reason?: Unmailed | 'not_taken' | 'came_back' | 'unreachable' | 'unknown'
  /** The mail server's own words. */
  detail?: string
  endedAt?: Date
}

/** Why what a person writes does not follow a customer who has left. */
export type Unmailed = 'no_address' | 'no_mail' | 'stopped' | 'blocked'

/** What a letter is composed from. */
export type LetterGiven = {
  conversation: KnownConversation
  /** What is mailed, oldest first. */
  messages: Message[]
  /** What was said until now, oldest first. */
  history: Message[]
  company: string
  /** An answer to the mail comes back into the conversation. */
  answerable: boolean
  stopUrl: string
}

/** A mail that continues a conversation for somebody who has left it. Every text in it may hold what people typed. */
export type ComposedLetter = {
  /** Who writes, as readers see them. */
  from: string
  subject: string
  text: string
  html: string
  files: { filename: string; contentType: string; content: Buffer }[]
}

export type OutboundLetter = ComposedLetter & {
  /** Of the first message in it: the mail's name is made of it. */
  id: string
  conversationId: string
  to: string
  /** Message-IDs of the mails that went before it in the conversation, oldest first. */
  references: string[]
  /** Whoever opens it, or calls it by POST (RFC 8058), gets no more of them. */
  stopUrl: string
}

export type SentTemplate = { name: string; language: string; parameters: string[] }

/** The longest message that any channel accepts, in characters (UTF-16 code units). */
export const MAX_MESSAGE_LENGTH = 10_000

/** A message as it came, with its quotes and its signature; `html` is sanitised. Kept beside the message, and read alone. */
export type Original = { text: string; html?: string }

/** Something that happened at a provider. Decoders turn everything they meet into one of these. */
export type Arrival = MessageArrival | StatusArrival | EditArrival | ReactionArrival | RatingArrival | IdentityArrival

export type MessageArrival = {
  kind: 'message'
  /** The provider's id: the same one any number of times is one message. */
  externalId: string
  /** The person as the channel knows them; `reference` is what the company's own site calls them, and proven where `verified`. */
  contact: {
    externalId: string
    name?: string
    email?: string
    phone?: string
    reference?: string
    verified?: true
  }
  /** The conversation that the channel knows this belongs to; it is made with its first message. Else the contact's open one. */
  conversationId?: string
  /** It begins that conversation even where the contact has an open one: the channel knows that it belongs to none. */
  startsConversation?: true
  text: string
  attachments?: Attachment[]
  /** All of what was sent, where `text` is only what is new in it. */
  original?: Original
  /** It says nothing but that. */
  consent?: Consent
  /** Written by the company's own people elsewhere, such as on the linked phone: a person has it now. */
  from?: 'agent'
} & Pick<Message, 'automatic' | 'needsPerson' | 'wordless' | 'awaitsFile' | 'chosen' | 'details' | 'replyTo' | 'sentAt'>

/** Whether somebody wants automatic messages; `language`: of the word with which they said so, where it is of one alone. */
export type Consent = { wants: 'out' | 'in'; language?: string }

/** What became of a message of ours. Any number of times, in any order: it only moves forward. */
export type StatusArrival = {
  kind: 'status'
  externalId: string
  /** Our own name for it, where the provider tells that too: it may not have been told the other one. */
  messageId?: string
  status: 'sent' | 'delivered' | 'read' | 'refused'
  reason?: string
}

/**
 * A customer changed what they wrote (`null`: took it back), or what belongs to it came later, such as a picture. `attachments`, be
 * they none, are all that will come.
 */
export type EditArrival = {
  kind: 'edit'
  externalId: string
  text?: string | null
  attachments?: Attachment[]
} & Pick<Message, 'details'>

/** `null` takes it back. */
export type ReactionArrival = { kind: 'reaction'; externalId: string; emoji: string | null }

/** Whether an answer of ours helped the contact whom the channel knows so; the latest word of theirs counts, whenever it comes. */
export type RatingArrival = { kind: 'rating'; from: string; messageId: string; rating: 'up' | 'down'; at: Date }

/** The channel knows the contact by another id from now on; it is the same person with the same conversations. */
export type IdentityArrival = { kind: 'identity'; from: string; to: string; phone?: string }

/** Where an arrival came in. */
export type Origin = { companyId: string; channelId: string }

/** The contact whom a channel knows by `externalId`: the same one in every process, without asking the store. */
export const contactIdOf = ({ companyId, channelId }: Origin, externalId: string): string =>
  `cnt_${sha256([companyId, channelId, externalId].join('\0')).slice(0, 32)}`

export type Received = { messageId: string; conversationId: string; duplicate: boolean }

/** What a channel may know of a conversation and of a contact. */
export type KnownConversation = Pick<
  Conversation,
  'id' | 'channelId' | 'contactId' | 'state' | 'handler' | 'language' | 'lastMessage'
>
export type KnownContact = {
  id: string
  externalId: string
  name?: string
  email?: string
  phone?: string
  /** They want no automatic messages. */
  optedOut?: true
}

/**
 * How often the assistant may write by itself: in one conversation in all, to one person within a day; and how often of that it
 * may say when people are there.
 */
export type AutomaticLimits = { perConversation?: number; perContactAndDay?: number; noticesPerContactAndDay?: number }

export type OutboundMessage = Pick<
  Message,
  | 'id'
  | 'conversationId'
  | 'contactId'
  | 'seq'
  | 'author'
  | 'text'
  | 'citations'
  | 'attachments'
  | 'choices'
  | 'replyTo'
  | 'details'
  | 'template'
  | 'at'
> & {
  /** Whom it is for. */
  contact: KnownContact
}

/** What is said, with its choices as lines to be answered by number, for readers without buttons. */
export const withChoices = ({ text, choices = [] }: Pick<Message, 'text' | 'choices'>): string =>
  choices.length === 0 ? text : [`${text}\n`, ...choices.map(({ label }, at) => `${at + 1}. ${label}`)].join('\n')

/** How long a provider that puts messages off is asked again, and after how long people hear of it; both in milliseconds. */
export type Patience = { tellAfterMs: number; giveUpAfterMs: number }

/**
 * What the provider said. A broken network is no receipt: it throws `unavailable` and is tried again. `later`: it was not tried,
 * because the channel is away or others go first; that costs the message none of its attempts. `deferred`: the provider does not
 * take it now, in its own words, and may later. A `reason` is `code: words`.
 */
export type Receipt =
  | { kind: 'sent'; externalId?: string }
  | { kind: 'refused'; reason: string }
  | { kind: 'deferred'; reason: string }
  | { kind: 'later'; afterMs: number; reason: string }
