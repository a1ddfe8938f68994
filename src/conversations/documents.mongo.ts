import { newId } from '../platform/ids.js'
import { isReply } from './clocks.js'
import type { Conversation } from './conversation.js'
import type { Message, Original } from './message.js'

/** Conversations and their messages as they lie in the store. */

export type ConversationDocument = Omit<Conversation, 'id'> & { _id: string }

/** When an outbound message may be tried next, how often it was, and until when its sender holds it. */
type Delivery = {
  notBefore: Date
  attempts: number
  heldUntil: Date | null
  requestId: string
  /** Clocks wait for this answer: its end is told to the conversation (`accept`). */
  clocked?: true
}

/** A line that people are mailed about: when to try, who has it already; at the end, when and how many were told. */
export type LineMail = { notBefore?: Date; attempts: number; done?: string[]; endedAt?: Date; people?: number }

export type MessageDocument = Omit<Message, 'id' | 'isBeingRead' | 'nextTryAt'> & {
  _id: string
  /** When its files may be read next, and how often it was tried. */
  reading?: { notBefore: Date; attempts: number }
  delivery?: Delivery
  original?: Original
  mail?: LineMail
}

/** A message to be appended: it gets its number and its place here. */
export type Draft = Pick<Message, 'kind' | 'author' | 'text'> &
  Partial<
    Pick<
      Message,
      | 'about'
      | 'attachments'
      | 'automatic'
      | 'awaitsFile'
      | 'choices'
      | 'chosen'
      | 'citations'
      | 'clientId'
      | 'decisionId'
      | 'details'
      | 'event'
      | 'handover'
      | 'letter'
      | 'mode'
      | 'needsPerson'
      | 'notice'
      | 'replyTo'
      | 'sentAt'
      | 'talk'
      | 'template'
      | 'wordless'
    >
  > & {
    externalId?: string
    original?: Original
    deliver?: boolean
    /** It left another way: its channel has it already. */
    isSent?: boolean
    /** People are to be mailed about it. */
    mail?: boolean
    /** A model is to hear or see its files. */
    reads?: boolean
  }

const EXCERPT_LENGTH = 140

/** The messages of `drafts` with the last numbers that `of` has given out. */
export const numbered = (
  drafts: readonly Draft[],
  of: ConversationDocument,
  at: Date,
  requestId: string,
): MessageDocument[] =>
  drafts.map(({ deliver, isSent, mail, reads, ...draft }, index) => ({
    ...draft,
    _id: newId('msg'),
    companyId: of.companyId,
    conversationId: of._id,
    channelId: of.channelId,
    contactId: of.contactId,
    seq: of.seq - drafts.length + 1 + index,
    citations: draft.citations ?? [],
    ...(deliver
      ? {
          delivery: {
            notBefore: at,
            attempts: 0,
            heldUntil: null,
            requestId,
            ...(of.clocks && isReply(draft) ? { clocked: true as const } : {}),
          },
        }
      : {}),
    ...(mail ? { mail: { notBefore: at, attempts: 0 } } : {}),
    ...(reads ? { reading: { notBefore: at, attempts: 0 } } : {}),
    status: deliver ? 'queued' : isSent ? 'sent' : null,
    at,
  }))

export const excerptOf = (draft: Draft, at: Date): Conversation['lastMessage'] => ({
  author: draft.author.kind,
  excerpt: draft.text.length > EXCERPT_LENGTH ? `${draft.text.slice(0, EXCERPT_LENGTH - 1)}…` : draft.text,
  at,
})

export const toMessage = ({
  _id,
  delivery,
  mail: _mail,
  original: _original,
  reading,
  ...message
}: MessageDocument): Message => ({
  id: _id,
  ...message,
  ...(reading ? { isBeingRead: true } : {}),
  ...(delivery && message.status === 'queued' && delivery.notBefore > message.at
    ? { nextTryAt: delivery.notBefore }
    : {}),
})
