import type { Choices, Promised, ServiceTerms } from '../companies/service-levels.mongo.js'
import { withId } from '../platform/mongo.js'
import { collect, knownWith, nothingMoves, type Moving } from './clocks.mongo.js'
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
import type { ContactDocument } from './contacts.mongo.js'
import type { Conversation } from './conversation.js'
import {
  excerptOf,
  numbered,
  toMessage,
  type ConversationDocument,
  type Draft,
  type MessageDocument,
} from './documents.mongo.js'
import type { Outcome } from './group-commit.js'
import type { Message } from './message.js'
import { eventLine } from './timeline.js'

/**
 * What changes amount to, one after the other, on a conversation as a transaction sees it (change.mongo.ts reads it and
 * writes the result). Nothing here touches the store.
 */

export type ConversationChange = Partial<
  Pick<
    ConversationDocument,
    | 'state'
    | 'handler'
    | 'assignee'
    | 'teamId'
    | 'priority'
    | 'tags'
    | 'language'
    | 'answerDue'
    | 'blocked'
    | 'handoff'
    | 'mailStopped'
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

export type Target = {
  companyId: string
  conversationId: string
  at: Date
  requestId: string
  /** What a promise is chosen by may change: it is chosen again. */
  choosesAgain?: true
}
/** The channel took a message: no change of the conversation, but of its clocks. */
export type Sent = { messageId: string; externalId: string | undefined }
export type Wanted = Target & { plan: Plan | null; sent?: Sent }
/** A conversation inside a transaction: as it is after the changes so far, and what they amount to. */
export type Current = {
  document: ConversationDocument
  before: number
  change: Partial<ConversationDocument>
  numbers: number
  added: number
  /** What its clocks run under; `null` where none do. */
  terms: ServiceTerms | null
  mails: boolean
  /** Whose it becomes when it is handed over to people, while it is no team's. */
  teamOnHandover: { id: string; name: string } | null
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
export const fold = (current: Map<string, Current>, wanted: Wanted, sending: Map<string, MessageDocument>): Folded => {
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
  const { drafts, teamId } = withTeam(state, planned.drafts)
  const said = drafts.findLast((draft) => draft.kind === 'message')
  const change = { ...planned.change, ...teamId, updatedAt: at, ...(said ? { lastMessage: excerptOf(said, at) } : {}) }
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

/** What is handed over to people becomes their team's in the same breath, however it came to be handed over. */
const withTeam = ({ document, teamOnHandover: team }: Current, drafts: readonly Draft[]) => {
  const isHandedOver = drafts.some(({ event }) => event?.name === 'handoff')
  if (!team || !isHandedOver || document.teamId) return { drafts, teamId: {} }
  return {
    drafts: [...drafts, eventLine({ name: 'team', to: { id: team.id, name: team.name } })],
    teamId: { teamId: team.id },
  }
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

/** What the caller learns of it. */
export const outcomeOf = (folded: Folded): Outcome<Appended | null> => {
  if ('refused' in folded) return folded
  if ('nothing' in folded) return { done: null }
  return { done: { conversation: folded.conversation, messages: folded.documents.map(toMessage) } }
}
