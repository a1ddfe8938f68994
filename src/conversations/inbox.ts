import { AppError } from '../platform/errors.js'
import type { Conversation, Handler, State } from './conversation.js'
import type { Attachment, Message, Origin } from './message.js'
import { MESSAGES_PER_READ, type Contact, type ConversationStore } from './store.mongo.js'

export type InboxFilter = {
  /** `unresolved` is every state in which there is still something to do. */
  state?: State | 'unresolved' | undefined
  handler?: Handler | undefined
  /** A person's id; `null` for conversations that nobody is assigned to. */
  assignee?: string | null | undefined
  channel?: string | undefined
  /** Part of the last message or of the customer's name or address, case-insensitive. */
  q?: string | undefined
  cursor?: string | undefined
  limit: number
}

/** A conversation with who wrote it. */
export type Seen = Conversation & { contact: Contact }

/** More customers of one name than this are told apart by more of it. */
const MOST_NAMESAKES = 200

const UNRESOLVED: State[] = ['open', 'pending', 'on_hold', 'snoozed']

/** What people read of conversations, and what a customer may read of their own. */
export const makeInbox = (store: ConversationStore) => {
  const seen = async (companyId: string, conversations: readonly Conversation[]): Promise<Seen[]> => {
    const contacts = await store.contacts(
      companyId,
      conversations.map(({ contactId }) => contactId),
    )
    const byId = new Map(contacts.map((contact) => [contact.id, contact]))
    return conversations.map((one) => ({ ...one, contact: byId.get(one.contactId) ?? { id: one.contactId } }))
  }

  const see = async (companyId: string, conversation: Conversation): Promise<Seen> =>
    (await seen(companyId, [conversation]))[0] as Seen

  const matching = async (companyId: string, q: string) => {
    const text = escaped(q)
    const ids = await store.contactIdsLike(companyId, text, MOST_NAMESAKES)
    return { $or: [{ 'lastMessage.excerpt': { $regex: text, $options: 'i' } }, { contactId: { $in: ids } }] }
  }

  return {
    /** Newest change first. `nextCursor` is null on the last page. */
    list: async (companyId: string, { state, handler, assignee, channel, q, cursor, limit }: InboxFilter) => {
      const after = cursor ? readCursor(cursor) : null
      const narrower = [
        ...(q ? [await matching(companyId, q)] : []),
        ...(after
          ? [{ $or: [{ updatedAt: { $lt: after.at } }, { updatedAt: after.at, _id: { $lt: after.id } }] }]
          : []),
      ]
      const found = await store.list(
        {
          companyId,
          ...(state ? { state: state === 'unresolved' ? { $in: UNRESOLVED } : state } : {}),
          ...(handler ? { handler } : {}),
          ...(assignee === undefined ? {} : assignee === null ? { assignee: null } : { 'assignee.id': assignee }),
          ...(channel ? { channelId: channel } : {}),
          ...(narrower.length > 0 ? { $and: narrower } : {}),
        },
        limit + 1,
      )
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const nextCursor = found.length > limit && last ? `${last.updatedAt.getTime()}~${last.id}` : null
      return { conversations: await seen(companyId, page), nextCursor }
    },

    /** How much there is to do: in all, in one person's hands, and for whom nobody cares yet. */
    counts: async (companyId: string, personId: string) => {
      const unresolved = { companyId, state: { $in: UNRESOLVED } }
      const [all, mine, waiting] = await Promise.all([
        store.count(unresolved),
        store.count({ ...unresolved, 'assignee.id': personId }),
        store.count({ ...unresolved, handler: 'nobody' }),
      ])
      return { all, mine, waiting }
    },

    get: async (companyId: string, id: string): Promise<Seen> =>
      see(companyId, await store.conversation(companyId, id)),

    see,

    message: store.message,

    messages: async (companyId: string, conversationId: string, afterSeq?: number): Promise<Message[]> => {
      await store.conversation(companyId, conversationId)
      return store.messagesOf(companyId, conversationId, afterSeq)
    },

    /** A file that came with any message of the company's. */
    attachment: async (companyId: string, fileId: string): Promise<Attachment> => {
      const found = await store.attachment(companyId, fileId)
      if (found) return found
      throw new AppError('not_found', 'file_not_found', 'There is no such file.')
    },

    /** What the customer sees on one channel: all their conversations there, in order, without notes and events. */
    historyOfContact: async ({ companyId, channelId }: Origin, contactId: string, afterMessageId?: string) => {
      const ids = await store.idsOfContact(companyId, channelId, contactId)
      const after = afterMessageId ? await store.message(companyId, afterMessageId) : null
      if (afterMessageId && (!after || !ids.includes(after.conversationId))) {
        throw new AppError('not_found', 'message_not_found', 'There is no such message in this chat.', {
          field: 'after',
        })
      }
      const from = after ? ids.indexOf(after.conversationId) : 0
      const found: Message[] = []
      for (const [index, id] of ids.slice(from).entries()) {
        const page = await store.messagesOf(companyId, id, after && index === 0 ? after.seq : 0)
        found.push(...page.filter(isForCustomer))
        // Whoever reads on after the last one gets the rest.
        if (page.length === MESSAGES_PER_READ) break
      }
      return found
    },
  }
}

const isForCustomer = (message: Message): boolean => message.kind === 'message'

const readCursor = (cursor: string): { at: Date; id: string } => {
  const [time, id, ...rest] = cursor.split('~')
  const at = new Date(Number(time))
  if (!id || rest.length > 0 || Number.isNaN(at.getTime())) {
    throw new AppError('invalid', 'invalid_cursor', 'The cursor is not one that this list gave.', { field: 'cursor' })
  }
  return { at, id }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
