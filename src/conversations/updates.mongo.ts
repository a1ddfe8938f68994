import type { Collection, CollectionSchema, Db } from '../platform/mongo.js'
import { sha256 } from '../platform/secrets.js'
import type { MessageDocument } from './documents.mongo.js'
import { canRead, type Reads } from './heard-and-seen.js'
import type { DeliveryStatus, EditArrival, Origin, ReactionArrival, StatusArrival } from './message.js'

/**
 * What a provider tells of messages that exist, and of people. None of it changes the conversation's version: nothing that
 * anybody decides on depends on it.
 */

/** A provider may be faster than our own note that it took the message. */
type EarlyStatus = { _id: string; status: StatusArrival['status']; reason?: string; at: Date }
/** What was told of a message before the message itself: providers keep no order. */
type EarlyUpdate = { _id: string; edit?: Edited; reaction?: string | null; at: Date }
type Edited = Pick<EditArrival, 'text' | 'attachments' | 'details'>

/** One contact under another id of their channel's. */
type Alias = { _id: string; companyId: string; contactId: string }

const EARLY_KEPT_SECONDS = 24 * 60 * 60
const MOST_EDITS = 20

export const updateSchemas: CollectionSchema[] = [
  {
    collection: 'early_statuses',
    indexes: [{ key: { at: 1 }, name: 'kept_for_a_day', expireAfterSeconds: EARLY_KEPT_SECONDS }],
  },
  {
    collection: 'early_updates',
    indexes: [{ key: { at: 1 }, name: 'kept_for_a_day', expireAfterSeconds: EARLY_KEPT_SECONDS }],
  },
  { collection: 'contact_aliases', indexes: [{ key: { companyId: 1, contactId: 1 }, name: 'of_contact' }] },
]

/** From what each may come: a message that was read was never merely delivered, whatever arrives late. */
const BEFORE: Record<StatusArrival['status'], DeliveryStatus[]> = {
  sent: ['sending', 'uncertain'],
  delivered: ['sending', 'sent', 'uncertain'],
  read: ['sending', 'sent', 'delivered', 'uncertain'],
  refused: ['sending', 'sent', 'uncertain'],
}

type Needs = { db: Db; messages: Collection<MessageDocument> }

export const makeUpdates = ({ db, messages }: Needs) => {
  const early = db.collection<EarlyStatus>('early_statuses')
  const earlyUpdates = db.collection<EarlyUpdate>('early_updates')
  const aliases = db.collection<Alias>('contact_aliases')
  const earlyId = ({ companyId, channelId }: Origin, externalId: string) =>
    sha256([companyId, channelId, externalId].join('\0'))

  const move = async (
    { companyId, channelId }: Origin,
    { externalId, messageId, status, reason }: Omit<StatusArrival, 'kind'>,
  ): Promise<MessageDocument | null> => {
    const change = { $set: { status, ...(reason ? { reason } : {}) }, $unset: { delivery: '' as const } }
    const may = { companyId, channelId, status: { $in: BEFORE[status] } }
    const moved = await messages.findOneAndUpdate({ ...may, externalId }, change, { returnDocument: 'after' })
    if (moved || !messageId) return moved
    // Its sending ended before the provider's name for it was known.
    return messages.findOneAndUpdate(
      { ...may, _id: messageId, status: 'uncertain' },
      { ...change, $set: { ...change.$set, externalId } },
      { returnDocument: 'after' },
    )
  }

  const isOurs = async ({ companyId, channelId }: Origin, externalId: string): Promise<boolean> =>
    (await messages.countDocuments({ companyId, channelId, externalId }, { limit: 1 })) > 0

  const changeText = async (
    { companyId, channelId }: Origin,
    { externalId, text, attachments, details }: EditArrival,
    at: Date,
    reads: Reads,
  ): Promise<MessageDocument | null> => {
    const found = await messages.findOne({ companyId, channelId, externalId, 'author.kind': 'customer' })
    if (!found || found.revoked) return null
    const { edits = [], _id } = found
    const isChanged = text !== undefined && text !== found.text
    const before = isChanged ? { edits: [...edits, { text: found.text, at }].slice(-MOST_EDITS) } : {}
    const now = text === null ? { revoked: true as const, text: '' } : isChanged ? { text } : {}
    const isRead = attachments?.some((file) => canRead(file, reads)) && !found.automatic
    const more = {
      ...(attachments ? { attachments } : {}),
      ...(isRead ? { reading: { notBefore: at, attempts: 0 } } : {}),
      ...(details ? { details: { ...found.details, ...details } } : {}),
    }
    const change = { ...before, ...now, ...more }
    if (Object.keys(change).length === 0) return null
    return messages.findOneAndUpdate(
      { _id, text: found.text },
      { $set: change, ...(attachments || text === null ? { $unset: { awaitsFile: '' } } : {}) },
      { returnDocument: 'after' },
    )
  }

  const changeReaction = (
    { companyId, channelId }: Origin,
    { externalId, emoji }: ReactionArrival,
  ): Promise<MessageDocument | null> =>
    messages.findOneAndUpdate(
      { companyId, channelId, externalId },
      emoji ? { $set: { reaction: emoji } } : { $unset: { reaction: '' } },
      { returnDocument: 'after' },
    )

  return {
    /** The message where it moved; `null` where that is known already, or its sending is not noted yet. */
    applyStatus: async (origin: Origin, arrival: StatusArrival, at: Date): Promise<MessageDocument | null> => {
      const moved = await move(origin, arrival)
      if (moved || (await isOurs(origin, arrival.externalId))) return moved
      const { externalId, status, reason } = arrival
      const _id = earlyId(origin, externalId)
      await early.updateOne(
        { _id, status: { $in: BEFORE[status].filter((before) => before !== status) as EarlyStatus['status'][] } },
        { $set: { status, at, ...(reason ? { reason } : {}) } },
      )
      await early.updateOne({ _id }, { $setOnInsert: { status, at, ...(reason ? { reason } : {}) } }, { upsert: true })
      // Noted in between: then whoever noted it may have looked before this was kept.
      return (await isOurs(origin, externalId)) ? move(origin, arrival) : null
    },

    /** Call it once the provider's name of a message is stored: what came before that is applied. */
    applyEarlyStatus: async (origin: Origin, externalId: string): Promise<void> => {
      const _id = earlyId(origin, externalId)
      const [found, update] = await Promise.all([early.findOne({ _id }), earlyUpdates.findOne({ _id })])
      if (update?.reaction !== undefined)
        await changeReaction(origin, { kind: 'reaction', externalId, emoji: update.reaction })
      if (!found) return
      await move(origin, { externalId, status: found.status, ...(found.reason ? { reason: found.reason } : {}) })
    },

    edit: changeText,

    react: changeReaction,

    /** Kept for a day, for a message that has not come yet. False where it has come meanwhile. */
    keepEarly: async (
      origin: Origin,
      { externalId, ...update }: { externalId: string } & Pick<EarlyUpdate, 'edit' | 'reaction'>,
      at: Date,
    ): Promise<boolean> => {
      if (await isOurs(origin, externalId)) return false
      const _id = earlyId(origin, externalId)
      // What was taken back stays taken back.
      const kept = update.edit && (await earlyUpdates.findOne({ _id }))?.edit?.text === null
      if (!kept) await earlyUpdates.updateOne({ _id }, { $set: { ...update, at } }, { upsert: true })
      return !(await isOurs(origin, externalId))
    },

    /** Call it once a message is stored: what was told of it before is done. `null`: nothing was. */
    applyEarlyUpdate: async (origin: Origin, externalId: string, now: Date, reads: Reads) => {
      const found = await earlyUpdates.findOne({ _id: earlyId(origin, externalId) })
      if (!found) return null
      const { edit, reaction } = found
      const edited = edit ? await changeText(origin, { kind: 'edit', externalId, ...edit }, now, reads) : null
      if (reaction === undefined) return edited
      return (await changeReaction(origin, { kind: 'reaction', externalId, emoji: reaction })) ?? edited
    },

    /** From now on who writes under `aliasId` is `contactId`. */
    alias: async (companyId: string, aliasId: string, contactId: string): Promise<void> => {
      // Whoever led to them before leads on with them.
      await aliases.updateMany({ companyId, contactId: aliasId }, { $set: { contactId } })
      await aliases.updateOne({ _id: aliasId }, { $set: { companyId, contactId } }, { upsert: true })
    },

    /** Who is meant by an id that a channel's name for a person gives. */
    contactBehind: async (companyId: string, contactId: string): Promise<string> =>
      (await aliases.findOne({ _id: contactId, companyId }))?.contactId ?? contactId,
  }
}

export type Updates = ReturnType<typeof makeUpdates>
