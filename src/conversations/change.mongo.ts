import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { inTransaction, isOutage, withId, type Collection, type Mongo, type Session } from '../platform/mongo.js'
import type { Choices, ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import { collect, knownWith, nothingMoves, type ClockLedger, type Moving } from './clocks.mongo.js'
import {
  begin,
  factsOf,
  follow,
  isLate,
  isOpenToChoice,
  isReply,
  readAgain,
  type Announcement,
  type Followed,
  type Ledgers,
  type RunningClocks,
} from './clocks.js'
import type { Conversation } from './conversation.js'
import type { Message, Original } from './message.js'
import type { ContactDocument, Promised } from './store.mongo.js'
import { eventLine } from './timeline.js'

/**
 * The one way in which an existing conversation changes. Three invariants hold here and nowhere else: every change grows
 * the conversation's `version`; a message exists exactly when `seq` counted it; and the service-level clocks stand where the
 * timeline puts them, because all of it is written in one transaction. Where a timeline is read from its beginning, its
 * lines never go back in time.
 *
 * Changes of different conversations that wait at the same time share a transaction, as a database's group commit does:
 * a busy installation pays for the round trips and the disk once per group. A group in which one change is refused is
 * taken apart, so that no change suffers for another.
 */

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

export type MessageDocument = Omit<Message, 'id'> & {
  _id: string
  delivery?: Delivery
  original?: Original
  mail?: LineMail
}

/** A message to be appended: it gets its number and its place here. */
export type Draft = Pick<Message, 'kind' | 'author' | 'text'> &
  Partial<
    Pick<
      Message,
      | 'attachments'
      | 'automatic'
      | 'citations'
      | 'clientId'
      | 'decisionId'
      | 'details'
      | 'event'
      | 'handover'
      | 'mode'
      | 'needsPerson'
      | 'notice'
      | 'replyTo'
      | 'sentAt'
      | 'talk'
      | 'template'
    >
  > & {
    externalId?: string
    original?: Original
    deliver?: boolean
    /** It left another way: its channel has it already. */
    isSent?: boolean
    /** People are to be mailed about it. */
    mail?: boolean
  }

export type ConversationChange = Partial<
  Pick<
    ConversationDocument,
    | 'state'
    | 'handler'
    | 'assignee'
    | 'priority'
    | 'tags'
    | 'language'
    | 'answerDue'
    | 'blocked'
    | 'handoff'
    | 'resolvedAt'
    | 'told'
  >
>

export type Appended = { conversation: Conversation; messages: Message[] }

/**
 * Decides on the conversation as it is inside the transaction; `null` leaves it as it is. Pure: it may be asked more
 * than once. What it throws refuses this change alone.
 */
export type Plan = (conversation: Conversation) => { change: ConversationChange; drafts: readonly Draft[] } | null

type Target = {
  companyId: string
  conversationId: string
  at: Date
  requestId: string
  /** What a promise is chosen by may change: it is chosen again. */
  choosesAgain?: true
}
/** The channel took a message: no change of the conversation, but of its clocks. */
type Sent = { messageId: string; externalId: string | undefined }
type Wanted = Target & { plan: Plan | null; sent?: Sent }
type Waiting = Wanted & { resolve(appended: Appended | null): void; reject(error: unknown): void }
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

type Needs = {
  client: Mongo['client']
  conversations: Collection<ConversationDocument>
  messages: Collection<MessageDocument>
  ledger: ClockLedger
  /** What a conversation's clocks run under; asked for only where clocks run. */
  termsOf(companyId: string, ref: TermsRef): Promise<ServiceTerms>
  /** From what a promise may be chosen: the versions under which one was made, or those that hold now. */
  choicesFor(companyId: string, ref: TermsRef | null, channelId: string): Promise<Choices>
  contacts: Collection<ContactDocument>
  /** Whether this installation mails its people about warnings and breaches. */
  mails: boolean
}

export const makeChanges = ({
  client,
  conversations,
  messages,
  contacts,
  ledger,
  termsOf,
  choicesFor,
  mails,
}: Needs) => {
  const waiting: Waiting[] = []
  /** Conversations in a group under way: their next change waits, so changes of one conversation never collide here. */
  const busy = new Set<string>()
  let groups = 0

  const write = (group: readonly Wanted[]): Promise<Outcome[]> =>
    inTransaction(client, async (session) => {
      const current = await read(group, session)
      const sending = await readSending(group, current, session)
      await readChoices(group, current, session)
      const folded = group.map((target) => fold(current, target, sending))
      const changed = [...current.values()].filter(({ added, change }) => added > 0 || change.clocks)
      if (changed.length > 0) await update(changed, session)
      const documents = folded.flatMap((one) => ('documents' in one ? one.documents : []))
      if (documents.length > 0) await messages.insertMany(documents, { session })
      const sent = folded.flatMap((one) => ('sent' in one && one.sent ? [one.sent] : []))
      if (sent.length > 0) await messages.bulkWrite(sent.map(toAccepted), { session })
      const moved = [...current.values()].flatMap(({ document, terms, moving }) =>
        terms && moving ? [{ of: document, terms, moving }] : [],
      )
      if (moved.length > 0) await ledger.write(session, moved)
      return folded.map(toOutcome)
    })

  const read = async (group: readonly Wanted[], session: Session): Promise<Map<string, Current>> => {
    const ids = [...new Set(group.map(({ conversationId }) => conversationId))]
    const found = await conversations.find({ _id: { $in: ids } }, { session }).toArray()
    const current = new Map<string, Current>()
    for (const document of found) {
      const terms = document.clocks ? await termsOf(document.companyId, document.clocks.ref) : null
      current.set(document._id, { document, before: document.version, change: {}, numbers: 0, added: 0, terms, mails })
    }
    return current
  }

  /** The messages that were accepted, and the timelines that have gone on since they were written. */
  const readSending = async (
    group: readonly Wanted[],
    current: Map<string, Current>,
    session: Session,
  ): Promise<Map<string, MessageDocument>> => {
    const ids = group.flatMap(({ sent }) => (sent ? [sent.messageId] : []))
    if (ids.length === 0) return new Map()
    const found = await messages.find({ _id: { $in: ids }, status: 'sending' }, { session }).toArray()
    const late = new Set(
      found.flatMap((message) => {
        const { clocks } = current.get(message.conversationId)?.document ?? {}
        const others = group.filter(({ conversationId }) => conversationId === message.conversationId)
        return clocks && (others.length > 1 || isLate(clocks, message)) ? [message.conversationId] : []
      }),
    )
    if (late.size > 0) await readWhole([...late], current, session)
    return new Map(found.map((message) => [message._id, message]))
  }

  const readWhole = async (ids: readonly string[], current: Map<string, Current>, session: Session): Promise<void> => {
    const known = await ledger.known(session, ids)
    const lines = await messages
      .find(
        { conversationId: { $in: [...ids] } },
        { session, sort: { conversationId: 1, seq: 1 }, projection: { text: 0, citations: 0 } },
      )
      .toArray()
    for (const id of ids) {
      const state = current.get(id)
      if (!state) continue
      state.whole = {
        lines: lines.filter(({ conversationId }) => conversationId === id),
        known: known.get(id) ?? new Map(),
      }
    }
  }

  /** From what a promise can be chosen again where that is asked for, and could make a difference. */
  const readChoices = async (
    group: readonly Wanted[],
    current: Map<string, Current>,
    session: Session,
  ): Promise<void> => {
    for (const { conversationId, companyId, choosesAgain } of group) {
      const state = current.get(conversationId)
      if (!choosesAgain || !state || state.document.companyId !== companyId || state.choices) continue
      const { channelId, contactId, clocks } = state.document
      const { changes, choose } = await choicesFor(companyId, clocks?.ref ?? null, channelId)
      if (!changes) continue
      const contact = await contacts.findOne({ _id: contactId, companyId }, { session })
      state.choices = { choose, contact }
      if (!state.whole) await readWhole([conversationId], current, session)
    }
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
      const outcomes = await write(group)
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

  const want = (wanted: Wanted): Promise<Appended | null> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MOST_WAITING) throw tooMuch()
      waiting.push({ ...wanted, resolve, reject })
      if (groups < GROUPS) setImmediate(pump)
    })

  return {
    /** `null`: there is no such conversation in this company, or the plan left it as it is. Resolves when it is durable. */
    change: (target: Target, plan: Plan): Promise<Appended | null> => want({ ...target, plan }),

    /**
     * A message that clocks wait for was taken by its channel. The conversation's version stays: nothing that anybody decides
     * on has changed. `null`: it was no longer being sent.
     */
    accept: (message: MessageDocument, at: Date, externalId?: string): Promise<Appended | null> => {
      const { _id: messageId, companyId, conversationId, delivery } = message
      const requestId = delivery?.requestId ?? messageId
      return want({ companyId, conversationId, at, requestId, plan: null, sent: { messageId, externalId } })
    },
  }
}

/** A conversation inside a transaction: as it is after the changes so far, and what they amount to. */
type Current = {
  document: ConversationDocument
  before: number
  change: Partial<ConversationDocument>
  numbers: number
  added: number
  /** What its clocks run under; `null` where none do. */
  terms: ServiceTerms | null
  mails: boolean
  moving?: Moving
  /** Read where a line may have come late, or a promise may be chosen again. */
  whole?: Whole
  choices?: { choose: Choices['choose']; contact: ContactDocument | null }
}

/** A whole timeline and what its ledgers hold. */
type Whole = { lines: Omit<MessageDocument, 'text' | 'citations'>[]; known: Ledgers }

type Folded =
  | { refused: unknown }
  | { conversation: Conversation; documents: MessageDocument[]; sent?: Sent }
  | { nothing: true }

/** Applies one change to what the changes before it left. */
const fold = (current: Map<string, Current>, wanted: Wanted, sending: Map<string, MessageDocument>): Folded => {
  const { companyId, conversationId, plan, sent } = wanted
  const state = current.get(conversationId)
  if (!state || state.document.companyId !== companyId) return { nothing: true }
  if (sent) {
    const message = sending.get(sent.messageId)
    return message ? acceptIn(state, message, sent) : { nothing: true }
  }
  return plan ? applyTo(state, plan, wanted) : { nothing: true }
}

const applyTo = (state: Current, plan: Plan, { at: asked, requestId, choosesAgain }: Target): Folded => {
  // Processes and their queues disagree by moments; a timeline must not.
  const at = asked < state.document.updatedAt ? state.document.updatedAt : asked
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
  const documents = append(state, change, drafts, at, requestId)
  const { clocks } = state.document
  const chosen = choosesAgain ? chooseAgain(state) : null
  if (chosen) {
    documents.push(...promiseAgain(state, chosen, at, requestId))
  } else if (clocks && state.terms) {
    const followed = follow(clocks, state.terms, documents.map(withId), at)
    documents.push(...moveClocks(state, followed, null, at, requestId))
  }
  return { conversation: withId(state.document), documents }
}

/** Another promise than the one that was made; `null`: it stays. What was kept or broken is never judged again. */
const chooseAgain = ({ document, choices, whole, moving }: Current): Promised | null => {
  if (!choices || !whole || !isOpenToChoice(knownWith(whole.known, moving))) return null
  const chosen = choices.choose(factsOf(document, choices.contact ?? {}))
  return chosen && chosen.ref.policyId !== document.clocks?.ref.policyId ? chosen : null
}

/** The promise counts from the customer's first message, as if it had been made then. */
const promiseAgain = (state: Current, chosen: Promised, at: Date, requestId: string): MessageDocument[] => {
  const { clocks } = state.document
  const { lines = [], known = new Map() } = state.whole ?? {}
  state.terms = chosen.terms
  if (clocks) {
    const again = readAgain(
      { ...clocks, ref: chosen.ref },
      chosen.terms,
      lines.map(withId),
      at,
      knownWith(known, state.moving),
    )
    return moveClocks(state, again, again.gone, at, requestId)
  }
  const first = lines.find(({ event }) => event?.name === 'priority')?.event
  const began = first?.name === 'priority' ? first.from : state.document.priority
  return moveClocks(state, begin(chosen, began, lines.map(withId), at), null, at, requestId)
}

/** Moves the clocks of the conversation to where an accepted answer puts them. */
const acceptIn = (state: Current, message: MessageDocument, sent: Sent): Folded => {
  const { clocks } = state.document
  const line = withId({ ...message, status: 'sent' as const })
  if (!clocks || !state.terms || !isReply(line)) return { conversation: withId(state.document), documents: [], sent }
  const { requestId } = message.delivery ?? { requestId: message._id }
  const now = state.document.updatedAt
  const { whole } = state
  if (whole) whole.lines = whole.lines.map((one) => (one._id === message._id ? { ...one, status: 'sent' } : one))
  const documents =
    whole && isLate(clocks, line)
      ? readAgainIn(state, whole, clocks, state.terms, line.at, requestId)
      : moveClocks(state, follow(clocks, state.terms, [line], line.at), null, now, requestId)
  return { conversation: withId(state.document), documents, sent }
}

const readAgainIn = (
  state: Current,
  { lines, known }: Whole,
  clocks: RunningClocks,
  terms: ServiceTerms,
  at: Date,
  requestId: string,
): MessageDocument[] => {
  const { upTo } = clocks.watch
  const until = upTo && upTo > at ? upTo : at
  const again = readAgain(clocks, terms, lines.map(withId), until, knownWith(known, state.moving))
  return moveClocks(state, again, again.gone, state.document.updatedAt, requestId)
}

/** Adds `drafts` to the conversation, and takes its next numbers for them. */
const append = (
  state: Current,
  change: Partial<ConversationDocument>,
  drafts: readonly Draft[],
  at: Date,
  requestId: string,
): MessageDocument[] => {
  state.change = { ...state.change, ...change }
  state.numbers += drafts.length
  state.added += 1
  state.document = {
    ...state.document,
    ...change,
    seq: state.document.seq + drafts.length,
    version: state.document.version + 1,
  }
  const documents = numbered(drafts, state.document, at, requestId)
  state.whole?.lines.push(...documents)
  return documents
}

/** Takes over what the clocks became; the lines that announce what passed are returned. */
const moveClocks = (
  state: Current,
  followed: Followed,
  gone: readonly string[] | null,
  at: Date,
  requestId: string,
): MessageDocument[] => {
  const { clocks } = followed
  state.change = { ...state.change, clocks }
  state.document = { ...state.document, clocks }
  state.moving ??= nothingMoves()
  collect(state.moving, followed, gone)
  const lines = followed.announced.map((one) => announcementLine(one, state.mails))
  return lines.length > 0 ? append(state, { updatedAt: at }, lines, at, requestId) : []
}

const announcementLine = ({ clock, change, dueAt }: Announcement, mails: boolean): Draft => ({
  ...eventLine({ name: 'service_level', clock, change, dueAt: dueAt.toISOString() }),
  mail: mails && change !== 'withdrawn',
})

const toAccepted = ({ messageId, externalId }: Sent) => ({
  updateOne: {
    filter: { _id: messageId, status: 'sending' as const },
    update: {
      $set: { status: 'sent' as const, ...(externalId ? { externalId } : {}) },
      $unset: { delivery: '' as const },
    },
  },
})

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
  drafts.map(({ deliver, isSent, mail, ...draft }, index) => ({
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
  delivery: _delivery,
  mail: _mail,
  original: _original,
  ...message
}: MessageDocument): Message => ({
  id: _id,
  ...message,
})
