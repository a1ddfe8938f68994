import type { Promised } from '../companies/service-levels.mongo.js'
import { AppError } from '../platform/errors.js'
import { inTransaction, withId, type Collection, type Mongo, type Session } from '../platform/mongo.js'
import { begin } from './clocks.js'
import { collect, nothingMoves, type ClockLedger } from './clocks.mongo.js'
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
import type { Appended } from './fold.js'
import { makeGroupCommit, type Outcome } from './group-commit.js'

/** A conversation that begins: with its first message, the clocks that this starts and, if they are new, its contact. */
export type Beginning = {
  conversation: Omit<Conversation, 'lastMessage'>
  drafts: readonly [Draft, ...Draft[]]
  contact: ContactDocument
  requestId: string
  promised: Promised | null
}

type Wanted = Beginning & { conversationId: string }

/** Another message of the same person has begun it already, here or in another process: look again. */
export class AlreadyBegun extends AppError {
  constructor() {
    super('conflict', 'already_begun', 'This conversation has begun already.')
  }
}

type Needs = {
  client: Mongo['client']
  conversations: Collection<ConversationDocument>
  messages: Collection<MessageDocument>
  contacts: Collection<ContactDocument>
  ledger: ClockLedger
}

export const makeCreation = ({ client, conversations, messages, contacts, ledger }: Needs) => {
  const write = (group: readonly Wanted[]): Promise<Outcome<Appended>[]> =>
    inTransaction(client, async (session) => {
      const begun = await known(group, session)
      const made = group.map((wanted) => (begun.has(wanted.conversationId) ? null : madeOf(wanted)))
      const added = made.filter((one) => one !== null)
      if (added.length > 0) {
        await contacts.bulkWrite(
          added.map(({ contact: { _id, ...person } }) => ({
            updateOne: { filter: { _id }, update: { $setOnInsert: person }, upsert: true },
          })),
          { session },
        )
        await conversations.insertMany(
          added.map(({ document }) => document),
          { session },
        )
        await messages.insertMany(
          added.flatMap(({ messages: first }) => first),
          { session },
        )
        await ledger.write(
          session,
          added.flatMap(({ moved }) => (moved ? [moved] : [])),
        )
      }
      return made.map((one) => (one ? { done: one.appended } : { refused: new AlreadyBegun() }))
    })

  const known = async (group: readonly Wanted[], session: Session): Promise<Set<string>> => {
    const ids = group.map(({ conversationId }) => conversationId)
    const found = await conversations.find({ _id: { $in: ids } }, { session, projection: { _id: 1 } }).toArray()
    return new Set(found.map(({ _id }) => _id))
  }

  const want = makeGroupCommit({ write, sharesGroup: false })

  /** Resolves when it is durable; throws AlreadyBegun where there is such a conversation. */
  return (beginning: Beginning): Promise<Appended> => want({ ...beginning, conversationId: beginning.conversation.id })
}

const madeOf = ({ conversation, drafts, contact, requestId, promised }: Beginning) => {
  const { id, ...rest } = conversation
  const { createdAt } = conversation
  const unpromised = { _id: id, ...rest, seq: drafts.length, lastMessage: excerptOf(drafts[0], createdAt) }
  const first = numbered(drafts, unpromised, createdAt, requestId)
  const begun = promised && begin(promised, rest.priority, first.map(withId), createdAt)
  const document: ConversationDocument = begun ? { ...unpromised, clocks: begun.clocks } : unpromised
  const moving = nothingMoves()
  if (begun) collect(moving, begun, null)
  return {
    document,
    contact,
    messages: first,
    moved: promised && begun ? { of: document, terms: promised.terms, moving } : null,
    appended: { conversation: withId(document), messages: first.map(toMessage) },
  }
}
