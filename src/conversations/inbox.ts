import { AppError } from '../platform/errors.js'
import type { Conversation, Handler, State } from './conversation.js'
import type { Attachment, Message, Origin } from './message.js'
import type { Contact } from './contacts.mongo.js'
import { MESSAGES_PER_READ, type ConversationFilter, type ConversationStore } from './store.mongo.js'

export type InboxFilter = {
  /** `unresolved` is every state in which there is still something to do. */
  state?: State | 'unresolved' | undefined
  handler?: Handler | undefined
  /** A person's id; `null` for conversations that nobody is assigned to. */
  assignee?: string | null | undefined
  channel?: string | undefined
  /** Teams by their ids; `null` for conversations that no team has. */
  team?: readonly string[] | null | undefined
  /** Part of the last message or of the customer's name or address, case-insensitive. */
  q?: string | undefined
  /** `due`: what is promised first comes first, then what was promised nothing, longest waiting first. */
  order: 'changed' | 'due'
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
    return conversations.map((one) => ({
      ...one,
      contact: byId.get(one.contactId) ?? { id: one.contactId, channelId: one.channelId, externalId: '' },
    }))
  }

  const see = async (companyId: string, conversation: Conversation): Promise<Seen> =>
    (await seen(companyId, [conversation]))[0] as Seen

  const matching = async (companyId: string, q: string) => {
    const text = escaped(q)
    const ids = await store.contactIdsLike(companyId, text, MOST_NAMESAKES)
    return { $or: [{ 'lastMessage.excerpt': { $regex: text, $options: 'i' } }, { contactId: { $in: ids } }] }
  }

  return {
    /** `nextCursor` is null on the last page. */
    list: async (companyId: string, { q, order, cursor, limit, ...filter }: InboxFilter) => {
      const after = cursor ? readCursor(cursor) : null
      const wanted = { ...only(filter), ...(q ? await matching(companyId, q) : {}) }
      const orders = order === 'due' ? [DUE, NOTHING_DUE] : [CHANGED]
      const from = after ? orders.findIndex(({ name }) => name === after.order) : 0
      if (from < 0) throw foreignCursor()
      const page: Conversation[] = []
      let last = cursor ?? null
      let more = false
      for (const one of orders.slice(from)) {
        const behind = after?.order === one.name ? [one.after(after.at, after.id)] : []
        const narrower = [wanted, one.only, ...behind]
        const found = await store.list({ companyId, $and: narrower }, one.sort, limit - page.length + 1)
        const taken = found.slice(0, limit - page.length)
        more = found.length > taken.length
        page.push(...taken)
        const end = taken.at(-1)
        if (end) last = `${one.name}~${one.at(end).getTime()}~${end.id}`
        if (more) break
      }
      return { conversations: await seen(companyId, page), nextCursor: more ? last : null }
    },

    /** How much there is to do: in all, in one person's hands, for whom nobody cares yet, and by team. */
    counts: async (companyId: string, personId: string) => {
      const unresolved = { companyId, state: { $in: UNRESOLVED } }
      const [all, mine, waiting, teams] = await Promise.all([
        store.count(unresolved),
        store.count({ ...unresolved, 'assignee.id': personId }),
        store.count({ ...unresolved, handler: 'nobody' }),
        store.countByTeam(unresolved),
      ])
      return { all, mine, waiting, teams }
    },

    get: async (companyId: string, id: string): Promise<Seen> =>
      see(companyId, await store.conversation(companyId, id)),

    see,

    message: store.message,

    original: store.original,

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

const only = ({ state, handler, assignee, channel, team }: Omit<InboxFilter, 'q' | 'order' | 'cursor' | 'limit'>) => ({
  ...(state ? { state: state === 'unresolved' ? { $in: UNRESOLVED } : state } : {}),
  ...(handler ? { handler } : {}),
  ...(assignee === undefined ? {} : assignee === null ? { assignee: null } : { 'assignee.id': assignee }),
  ...(channel ? { channelId: channel } : {}),
  ...(team === undefined ? {} : { teamId: team === null ? null : { $in: [...team] } }),
})

/** One way through the inbox: which conversations it has, by what they are sorted, and what comes behind one of them. */
type Order = {
  name: string
  only: ConversationFilter
  sort: Record<string, 1 | -1>
  at(conversation: Conversation): Date
  after(at: Date, id: string): ConversationFilter
}

const CHANGED: Order = {
  name: 'changed',
  only: {},
  sort: { updatedAt: -1, _id: -1 },
  at: ({ updatedAt }) => updatedAt,
  after: (at, id) => ({ $or: [{ updatedAt: { $lt: at } }, { updatedAt: at, _id: { $lt: id } }] }),
}

const DUE: Order = {
  name: 'due',
  only: { 'clocks.due.at': { $exists: true } },
  sort: { 'clocks.due.at': 1, _id: 1 },
  at: ({ clocks, createdAt }) => clocks?.due?.at ?? createdAt,
  after: (at, id) => ({ $or: [{ 'clocks.due.at': { $gt: at } }, { 'clocks.due.at': at, _id: { $gt: id } }] }),
}

const NOTHING_DUE: Order = {
  name: 'waiting',
  only: { 'clocks.due.at': { $exists: false } },
  sort: { createdAt: 1, _id: 1 },
  at: ({ createdAt }) => createdAt,
  after: (at, id) => ({ $or: [{ createdAt: { $gt: at } }, { createdAt: at, _id: { $gt: id } }] }),
}

const readCursor = (cursor: string): { order: string; at: Date; id: string } => {
  const [order, time, id, ...rest] = cursor.split('~')
  const at = new Date(Number(time))
  if (!order || !id || rest.length > 0 || Number.isNaN(at.getTime())) throw foreignCursor()
  return { order, at, id }
}

const foreignCursor = () =>
  new AppError('invalid', 'invalid_cursor', 'The cursor is not one that this list gave.', { field: 'cursor' })

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
