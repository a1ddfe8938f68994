import type { InfiniteData, Query, QueryKey } from '@tanstack/react-query'
import { call, type Answer } from '../server/client.js'
import { onFrame, type Frames } from '../server/live.js'
import { queryClient, type Conversation, type Message } from '../server/queries.js'

/** How live frames become what is on screen. One direction only: the cache is what the server said last. */

type Page = Answer<'conversations', 'list'>
export type View = 'all' | 'mine' | 'waiting' | 'resolved'
type List = InfiniteData<Page, string | undefined>

/** A search, and what one team has, is asked again instead: only the server knows what matches. */
export const listKey = (view: View, q: string, team = '') => ['conversations', view, q, team] as const

const isUnresolved = ({ state }: Conversation) => state !== 'resolved' && state !== 'closed'

const belongs: Record<View, (conversation: Conversation, meId: string) => boolean> = {
  all: isUnresolved,
  mine: (one, meId) => isUnresolved(one) && one.assignee?.id === meId,
  waiting: (one) => isUnresolved(one) && one.handler === 'nobody',
  resolved: ({ state }) => state === 'resolved',
}

/** As the server orders those who wait: what breaches first, then who waits longest. */
const byDue = (a: Conversation, b: Conversation): number =>
  timeOf(a.due?.at) - timeOf(b.due?.at) || timeOf(a.createdAt) - timeOf(b.createdAt)
const timeOf = (at: string | undefined): number => (at === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(at))

const isComing = ({ state }: Query): boolean => state.fetchStatus === 'fetching'

/** An answer that was on its way when a frame came may be older than the frame: it is placed once more on top of that. */
const placeOn = (keys: readonly QueryKey[], place: () => void): void => {
  place()
  const coming = keys.flatMap((queryKey) => queryClient.getQueryCache().findAll({ queryKey, predicate: isComing }))
  if (coming.length === 0) return
  void Promise.allSettled(coming.map(async ({ promise }) => promise)).then(() => placeOn(keys, place))
}

export const placeConversation = (conversation: Conversation, meId: string): void =>
  placeOn([['conversations'], ['conversation', conversation.id]], () => putConversation(conversation, meId))

/** Puts a message in its place, or a newer state of it. */
export const placeMessage = (conversationId: string, message: Message): void =>
  placeOn([['messages', conversationId]], () => putMessage(conversationId, message))

const putConversation = (conversation: Conversation, meId: string): void => {
  const { id } = conversation
  queryClient.setQueryData<Conversation>(['conversation', id], (before) =>
    // Whether free text reaches the customer is only told when one conversation is read.
    before && before.version > conversation.version
      ? before
      : { ...(before?.reach ? { reach: before.reach } : {}), ...conversation },
  )
  for (const view of Object.keys(belongs) as View[]) {
    queryClient.setQueryData<List>(listKey(view, ''), (list) => {
      const [first, ...rest] = list?.pages ?? []
      if (!list || !first) return list
      const newer = list.pages.some(({ conversations }) =>
        conversations.some((one) => one.id === id && one.version > conversation.version),
      )
      if (newer) return list
      const without = (page: Page): Page => ({
        ...page,
        conversations: page.conversations.filter((one) => one.id !== id),
      })
      const top = without(first)
      const conversations = belongs[view](conversation, meId) ? [conversation, ...top.conversations] : top.conversations
      if (view === 'waiting') conversations.sort(byDue)
      return { ...list, pages: [{ ...top, conversations }, ...rest.map(without)] }
    })
  }
}

/** A gap before it is fetched. */
const putMessage = (conversationId: string, message: Message): void => {
  const before = queryClient.getQueryData<Message[]>(['messages', conversationId])
  if (!before) return
  const last = before.at(-1)?.seq ?? 0
  if (message.seq > last + 1) return void catchUp(conversationId).catch(() => {})
  const others = before.filter(({ seq }) => seq !== message.seq)
  const messages = [...others, message].sort((one, other) => one.seq - other.seq)
  queryClient.setQueryData(['messages', conversationId], messages)
}

/** On its way, so it may stand otherwise by now. */
const isUnsettled = ({ status }: Message) => status === 'queued' || status === 'sending' || status === 'sent'

/** Fetches what came after the last message that is known, and how those stand that were still on their way. */
const catchUp = async (conversationId: string): Promise<void> => {
  const before = queryClient.getQueryData<Message[]>(['messages', conversationId])
  if (!before) return
  const unsettled = before.find(isUnsettled)
  const after = unsettled ? unsettled.seq - 1 : (before.at(-1)?.seq ?? 0)
  const { messages } = await call('conversations', 'messages', { params: { id: conversationId }, query: { after } })
  queryClient.setQueryData<Message[]>(['messages', conversationId], (current = []) => {
    const bySeq = new Map([...current, ...messages].map((one) => [one.seq, one]))
    return [...bySeq.values()].sort((one, other) => one.seq - other.seq)
  })
}

export const fetchMessages = async (conversationId: string, signal: AbortSignal): Promise<Message[]> =>
  (await call('conversations', 'messages', { params: { id: conversationId }, signal })).messages

/** What is on its way for the first time may have been read before the line was open, too. */
const askAgain = async (query: Query): Promise<void> => {
  if (isComing(query) && query.state.data === undefined) await query.promise
  const [name, id] = query.queryKey
  if (name !== 'messages') await queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true })
  else if (query.isActive()) await catchUp(String(id))
}

/** A customer's message opens the way to them again. */
const askWhetherReachable = (conversationId: string): void => {
  const known = queryClient.getQueryData<Conversation>(['conversation', conversationId])
  // Or left an address, or was mailed for the last time: what becomes of the next reply may be another thing now.
  if (known?.reach?.kind === 'closed' || (known?.reach?.kind === 'open' && known.reach.whenGone))
    void queryClient.invalidateQueries({ queryKey: ['conversation', conversationId] })
}

let countsTimer: ReturnType<typeof setTimeout> | undefined

/** Counts and searches are the server's to make; many frames at once ask once. */
const askSoon = (): void => {
  clearTimeout(countsTimer)
  countsTimer = setTimeout(() => {
    void queryClient.invalidateQueries({ queryKey: ['counts'] })
    void queryClient.invalidateQueries({
      predicate: ({ queryKey: [name, , q, team] }) => name === 'conversations' && (q !== '' || team !== ''),
    })
  }, 250)
}

let documentsTimer: ReturnType<typeof setTimeout> | undefined

/** Hundreds may be read one after the other: asked at most so often, and never in the place of what somebody asks for. */
const askForDocumentsSoon = (): void => {
  documentsTimer ??= setTimeout(() => {
    documentsTimer = undefined
    void queryClient.invalidateQueries({ queryKey: ['documents'] }, { cancelRefetch: false })
  }, 400)
}

/** Both times are the server's; a handover and its change are written within moments. */
const JUST_NOW_MS = 5_000

/** A conversation that reached the human queue in this very change. */
const arrivesInQueue = (before: Conversation | undefined, { handler, handoff, updatedAt }: Conversation): boolean => {
  if (handler !== 'nobody') return false
  if (before) return before.handler !== 'nobody'
  return handoff !== null && new Date(updatedAt).getTime() - new Date(handoff.at).getTime() < JUST_NOW_MS
}

type Reactions = {
  waiting: (conversation: Conversation) => void
  message: (frame: Frames['message']) => void
}

export const followInbox = (meId: string, { waiting, message }: Reactions): (() => void) => {
  const seen = new Map<string, Conversation>()
  const ends = [
    onFrame('conversation', ({ conversation }) => {
      const before =
        seen.get(conversation.id) ?? queryClient.getQueryData<Conversation>(['conversation', conversation.id])
      if (arrivesInQueue(before, conversation)) waiting(conversation)
      seen.set(conversation.id, conversation)
      placeConversation(conversation, meId)
      if (before && before.contact.email !== conversation.contact.email) askWhetherReachable(conversation.id)
      askSoon()
    }),
    onFrame('message', (frame) => {
      placeMessage(frame.conversationId, frame.message)
      const { author, event } = frame.message
      if (author === 'customer' || event?.name === 'mail_stopped') askWhetherReachable(frame.conversationId)
      message(frame)
    }),
    onFrame('document', askForDocumentsSoon),
    onFrame('channel', () => void queryClient.invalidateQueries({ queryKey: ['channels'] })),
    onFrame('rights', () => void queryClient.invalidateQueries({ queryKey: ['me'] })),
    onFrame('signed_out', () => void queryClient.invalidateQueries({ queryKey: ['me'] })),
    onFrame('open', () => {
      for (const query of queryClient.getQueryCache().getAll()) void askAgain(query).catch(() => {})
    }),
  ]
  return () => ends.forEach((end) => end())
}
