import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { inTransaction, isOutage, withId, type Collection, type Mongo, type Session } from '../platform/mongo.js'
import type { Conversation } from './conversation.js'
import type { Message } from './message.js'

/**
 * The one way in which an existing conversation changes. Two invariants hold here and nowhere else: every change grows
 * the conversation's `version`, and a message exists exactly when `seq` counted it, because both are written in one
 * transaction.
 *
 * Changes of different conversations that wait at the same time share a transaction, as a database's group commit does:
 * a busy installation pays for the round trips and the disk once per group. A group in which one change is refused is
 * taken apart, so that no change suffers for another.
 */

export type ConversationDocument = Omit<Conversation, 'id'> & { _id: string }

/** When an outbound message may be tried next, how often it was, and until when its sender holds it. */
type Delivery = { notBefore: Date; attempts: number; heldUntil: Date | null; requestId: string }

export type MessageDocument = Omit<Message, 'id'> & { _id: string; delivery?: Delivery }

/** A message to be appended: it gets its number and its place here. */
export type Draft = Pick<Message, 'kind' | 'author' | 'text'> &
  Partial<
    Pick<Message, 'attachments' | 'citations' | 'mode' | 'decisionId' | 'event' | 'handover' | 'talk' | 'clientId'>
  > & {
    externalId?: string
    deliver?: boolean
  }

export type ConversationChange = Partial<
  Pick<
    ConversationDocument,
    'state' | 'handler' | 'assignee' | 'priority' | 'tags' | 'language' | 'answerDue' | 'handoff' | 'resolvedAt'
  >
>

export type Appended = { conversation: Conversation; messages: Message[] }

/**
 * Decides on the conversation as it is inside the transaction; `null` leaves it as it is. Pure: it may be asked more
 * than once. What it throws refuses this change alone.
 */
export type Plan = (conversation: Conversation) => { change: ConversationChange; drafts: readonly Draft[] } | null

type Target = { companyId: string; conversationId: string; at: Date; requestId: string }
type Waiting = Target & { plan: Plan; resolve(appended: Appended | null): void; reject(error: unknown): void }
type Outcome = { appended: Appended | null } | { refused: unknown }

/** Groups that are written at once: while one waits for the disk, the next is prepared. */
const GROUPS = 2
const GROUP_SIZE = 64
/** Beyond this the store cannot keep up: who comes now is asked to come again, instead of waiting without an end. */
const MOST_WAITING = 5_000
const EXCERPT_LENGTH = 140

const unavailable = (cause: unknown) =>
  new AppError('unavailable', 'store_unavailable', 'The store does not answer at this moment. Try again.', {
    retryAfterMs: 2_000,
    cause,
  })

const tooMuch = () =>
  new AppError('unavailable', 'overloaded', 'Too much is being written at this moment. Try again.', {
    retryAfterMs: 1_000,
  })

type Collections = { conversations: Collection<ConversationDocument>; messages: Collection<MessageDocument> }

export const makeChanges = ({ client }: Mongo, { conversations, messages }: Collections) => {
  const waiting: Waiting[] = []
  /** Conversations in a group under way: their next change waits, so changes of one conversation never collide here. */
  const busy = new Set<string>()
  let groups = 0

  const write = (group: readonly Target[], plans: readonly Plan[]): Promise<Outcome[]> =>
    inTransaction(client, async (session) => {
      const current = await read(group, session)
      const folded = group.map((target, index) => fold(current, target, plans[index] as Plan))
      const changed = [...current.values()].filter(({ added }) => added > 0)
      if (changed.length === 0) return folded.map(toOutcome)
      await update(changed, session)
      const documents = folded.flatMap((one) => ('documents' in one ? one.documents : []))
      if (documents.length > 0) await messages.insertMany(documents, { session })
      return folded.map(toOutcome)
    })

  const read = async (group: readonly Target[], session: Session): Promise<Map<string, Current>> => {
    const ids = [...new Set(group.map(({ conversationId }) => conversationId))]
    const found = await conversations.find({ _id: { $in: ids } }, { session }).toArray()
    return new Map(
      found.map((document) => [document._id, { document, before: document.version, change: {}, numbers: 0, added: 0 }]),
    )
  }

  const update = async (changed: readonly Current[], session: Session): Promise<void> => {
    const { matchedCount } = await conversations.bulkWrite(
      changed.map(({ document, before, change, numbers, added }) => ({
        updateOne: {
          filter: { _id: document._id, companyId: document.companyId, version: before },
          update: { $inc: { seq: numbers, version: added }, $set: change },
        },
      })),
      { session },
    )
    if (matchedCount === changed.length) return
    throw new AppError('unavailable', 'changed_meanwhile', 'A conversation changed while it was being changed.')
  }

  const settle = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const outcomes = await write(
        group,
        group.map(({ plan }) => plan),
      )
      for (const [index, outcome] of outcomes.entries()) {
        if ('refused' in outcome) group[index]?.reject(outcome.refused)
        else group[index]?.resolve(outcome.appended)
      }
    } catch (error) {
      // Only what one change can cause is worth finding out alone. A store that is away, or a commit whose fate is
      // unknown, concerns all of them: trying again here could write twice what has no id of its own.
      if (group.length > 1 && !isOutage(error)) {
        for (const alone of group) await settle([alone])
        return
      }
      const refusal = isOutage(error) ? unavailable(error) : error
      for (const one of group) one.reject(refusal)
    }
  }

  const pump = (): void => {
    while (groups < GROUPS && waiting.length > 0) {
      const group = takeGroup(waiting, busy)
      if (group.length === 0) return
      groups += 1
      void settle(group).finally(() => {
        groups -= 1
        for (const { conversationId } of group) busy.delete(conversationId)
        pump()
      })
    }
  }

  /** `null`: there is no such conversation in this company, or the plan left it as it is. Resolves when it is durable. */
  return (target: Target, plan: Plan): Promise<Appended | null> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MOST_WAITING) throw tooMuch()
      waiting.push({ ...target, plan, resolve, reject })
      if (groups < GROUPS) setImmediate(pump)
    })
}

/** A conversation inside a transaction: as it is after the changes so far, and what they amount to. */
type Current = {
  document: ConversationDocument
  before: number
  change: Partial<ConversationDocument>
  numbers: number
  added: number
}

type Folded = { refused: unknown } | { conversation: Conversation; documents: MessageDocument[] } | { nothing: true }

/** Applies one plan to what the plans before it left. */
const fold = (
  current: Map<string, Current>,
  { companyId, conversationId, at, requestId }: Target,
  plan: Plan,
): Folded => {
  const state = current.get(conversationId)
  if (!state || state.document.companyId !== companyId) return { nothing: true }
  let planned: ReturnType<Plan>
  try {
    planned = plan(withId(state.document))
  } catch (refused) {
    return { refused }
  }
  if (!planned) return { nothing: true }
  const { drafts } = planned
  const said = drafts.findLast((draft) => draft.kind === 'message')
  const change = { ...planned.change, updatedAt: at, ...(said ? { lastMessage: excerptOf(said, at) } : {}) }
  state.change = { ...state.change, ...change }
  state.numbers += drafts.length
  state.added += 1
  state.document = {
    ...state.document,
    ...change,
    seq: state.document.seq + drafts.length,
    version: state.document.version + 1,
  }
  return { conversation: withId(state.document), documents: numbered(drafts, state.document, at, requestId) }
}

const toOutcome = (folded: Folded): Outcome => {
  if ('refused' in folded) return folded
  if ('nothing' in folded) return { appended: null }
  return { appended: { conversation: folded.conversation, messages: folded.documents.map(toMessage) } }
}

/** Takes what may go together, in order: what waits for a busy conversation stays, and all behind it of the same one. */
const takeGroup = (waiting: Waiting[], busy: Set<string>): Waiting[] => {
  const group: Waiting[] = []
  const left: Waiting[] = []
  const taken = new Set<string>()
  for (const one of waiting) {
    const free = group.length < GROUP_SIZE && (taken.has(one.conversationId) || !busy.has(one.conversationId))
    if (free) {
      group.push(one)
      taken.add(one.conversationId)
      busy.add(one.conversationId)
    } else {
      left.push(one)
    }
  }
  waiting.splice(0, waiting.length, ...left)
  return group
}

/** The messages of `drafts` with the last numbers that `of` has given out. */
export const numbered = (
  drafts: readonly Draft[],
  of: ConversationDocument,
  at: Date,
  requestId: string,
): MessageDocument[] =>
  drafts.map(({ deliver, ...draft }, index) => ({
    ...draft,
    _id: newId('msg'),
    companyId: of.companyId,
    conversationId: of._id,
    channelId: of.channelId,
    contactId: of.contactId,
    seq: of.seq - drafts.length + 1 + index,
    citations: draft.citations ?? [],
    ...(deliver ? { delivery: { notBefore: at, attempts: 0, heldUntil: null, requestId } } : {}),
    status: deliver ? 'queued' : null,
    at,
  }))

export const excerptOf = (draft: Draft, at: Date): Conversation['lastMessage'] => ({
  author: draft.author.kind,
  excerpt: draft.text.length > EXCERPT_LENGTH ? `${draft.text.slice(0, EXCERPT_LENGTH - 1)}…` : draft.text,
  at,
})

export const toMessage = ({ _id, delivery: _delivery, ...message }: MessageDocument): Message => ({
  id: _id,
  ...message,
})
