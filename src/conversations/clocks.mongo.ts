import type { ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import type { Collection, CollectionSchema, Db, Session } from '../platform/mongo.js'
import type { LedgerEntry } from '../sla/clocks.js'
import type { ClockRecord, Followed, Ledgers, RunningClocks } from './clocks.js'

/**
 * The ledger: one document for every clock that ever ran, with each of its changes, their cause and their message. It is
 * written in the transaction of the change that moved the clock (change.mongo.ts) and read by reports.
 */

export type ClockDocument = ClockRecord & {
  _id: string
  companyId: string
  conversationId: string
  channelId: string
  ref: TermsRef
  policyVersion: number
  ledger: LedgerEntry[]
}

/** What moved in one conversation, in one or more changes that are written together. */
export type Moving = {
  records: Map<string, { record: ClockRecord; entries: LedgerEntry[]; whole: boolean }>
  gone: Set<string>
}

export const nothingMoves = (): Moving => ({ records: new Map(), gone: new Set() })

/** `whole`: the ledgers are complete and replace what was written. */
export const collect = (moving: Moving, { moved }: Followed, gone: readonly string[] | null): void => {
  for (const { record, entries } of moved) {
    const before = moving.records.get(record.clockId)
    const whole = gone !== null
    moving.records.set(record.clockId, {
      record,
      entries: whole ? [...entries] : [...(before?.entries ?? []), ...entries],
      whole: whole || (before?.whole ?? false),
    })
    moving.gone.delete(record.clockId)
  }
  for (const clockId of gone ?? []) {
    moving.records.delete(clockId)
    moving.gone.add(clockId)
  }
}

/** What the ledgers hold once all this is written. */
export const knownWith = (known: Ledgers, moving: Moving | undefined): Ledgers => {
  if (!moving) return known
  const all = new Map(known)
  for (const clockId of moving.gone) all.delete(clockId)
  for (const [clockId, { record, entries, whole }] of moving.records) {
    const before = whole ? [] : (known.get(clockId)?.changes ?? [])
    const { kind, deadline } = record
    all.set(clockId, { kind, deadline, changes: [...before, ...entries.map(({ change }) => change)] })
  }
  return all
}

export const clockSchemas: CollectionSchema[] = [
  {
    collection: 'clocks',
    indexes: [
      { key: { conversationId: 1 }, name: 'of_conversation' },
      { key: { companyId: 1, startedAt: 1 }, name: 'report' },
    ],
  },
]

type OfConversation = { _id: string; companyId: string; channelId: string; clocks?: RunningClocks }

export const makeClockLedger = ({ db }: { db: Db }) => {
  const clocks: Collection<ClockDocument> = db.collection<ClockDocument>('clocks')

  return {
    write: async (
      session: Session,
      changed: readonly { of: OfConversation; terms: ServiceTerms; moving: Moving }[],
    ): Promise<void> => {
      const operations = changed.flatMap(({ of, terms, moving }) => [
        ...[...moving.records.values()].map(({ record, entries, whole }) => {
          const place = {
            companyId: of.companyId,
            conversationId: of._id,
            channelId: of.channelId,
            ...(of.clocks ? { ref: of.clocks.ref } : {}),
            policyVersion: terms.policy.version,
          }
          return {
            updateOne: {
              filter: { _id: idOf(of._id, record.clockId) },
              update: {
                $set: { ...place, ...record, ...(whole ? { ledger: entries } : {}) },
                ...(whole ? {} : { $push: { ledger: { $each: entries } } }),
              },
              upsert: true,
            },
          }
        }),
        ...[...moving.gone].map((clockId) => ({ deleteOne: { filter: { _id: idOf(of._id, clockId) } } })),
      ])
      if (operations.length > 0) await clocks.bulkWrite(operations, { session })
    },

    /** What the ledgers of these conversations hold. */
    known: async (session: Session, conversationIds: readonly string[]): Promise<Map<string, Ledgers>> => {
      const found = await clocks.find({ conversationId: { $in: [...conversationIds] } }, { session }).toArray()
      const knownOf = (id: string): Ledgers =>
        new Map(
          found
            .filter(({ conversationId }) => conversationId === id)
            .map(({ clockId, kind, deadline, ledger }) => [
              clockId,
              { kind, deadline, changes: ledger.map(({ change }) => change) },
            ]),
        )
      return new Map(conversationIds.map((id) => [id, knownOf(id)]))
    },

    of: (companyId: string, conversationId: string): Promise<ClockDocument[]> =>
      clocks.find({ companyId, conversationId }, { sort: { startedAt: 1, _id: 1 } }).toArray(),

    /** Those that started in [from, to), oldest first. */
    started: (companyId: string, from: Date, to: Date): AsyncIterable<ClockDocument> =>
      clocks.find({ companyId, startedAt: { $gte: from, $lt: to } }, { sort: { startedAt: 1 } }),
  }
}

export type ClockLedger = ReturnType<typeof makeClockLedger>

const idOf = (conversationId: string, clockId: string): string => `${conversationId}:${clockId}`
