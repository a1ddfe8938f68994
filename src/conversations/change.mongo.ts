import type { Choices, ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import { AppError } from '../platform/errors.js'
import { inTransaction, type Collection, type Mongo, type Session } from '../platform/mongo.js'
import type { ClockLedger } from './clocks.mongo.js'
import { isLate } from './clocks.js'
import type { ContactDocument } from './contacts.mongo.js'
import type { ConversationDocument, MessageDocument } from './documents.mongo.js'
import { fold, outcomeOf, type Appended, type Current, type Plan, type Sent, type Target, type Wanted } from './fold.js'
import { makeGroupCommit, type Outcome } from './group-commit.js'

/**
 * The one way in which an existing conversation changes. Three invariants hold here and nowhere else: every change grows
 * the conversation's `version`; a message exists exactly when `seq` counted it; and the service-level clocks stand where the
 * timeline puts them, because all of it is written in one transaction. Where a timeline is read from its beginning, its
 * lines never go back in time.
 */

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
  /** Whose is what is handed over on a channel; `null`: everybody's. */
  teamOfChannel(companyId: string, channelId: string): Promise<{ id: string; name: string } | null>
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
  teamOfChannel,
  mails,
}: Needs) => {
  const write = (group: readonly Wanted[]): Promise<Outcome<Appended | null>[]> =>
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
      return folded.map(outcomeOf)
    })

  const read = async (group: readonly Wanted[], session: Session): Promise<Map<string, Current>> => {
    const ids = [...new Set(group.map(({ conversationId }) => conversationId))]
    const found = await conversations.find({ _id: { $in: ids } }, { session }).toArray()
    const current = new Map<string, Current>()
    for (const document of found) {
      const { companyId, channelId, clocks, teamId } = document
      const terms = clocks ? await termsOf(companyId, clocks.ref) : null
      const teamOnHandover = teamId ? null : await teamOfChannel(companyId, channelId)
      const nothing = { change: {}, numbers: 0, added: 0 }
      current.set(document._id, { document, before: document.version, ...nothing, terms, mails, teamOnHandover })
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

  const want = makeGroupCommit({ write, sharesGroup: true })

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

const toAccepted = ({ messageId, externalId }: Sent) => ({
  updateOne: {
    filter: { _id: messageId, status: 'sending' as const },
    update: {
      $set: { status: 'sent' as const, ...(externalId ? { externalId } : {}) },
      $unset: { delivery: '' as const, reason: '' as const },
    },
  },
})
