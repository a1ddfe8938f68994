import type { Collection, Slot, Write } from './collection.js'
import type { Doc } from './values.js'

/** What a transaction has read from and written so far; nothing of it is in the collections before its commit. */
export class Transaction {
  readonly writes = new Map<Slot, Write>()
  /** Slots of documents inserted here, by collection and id. */
  readonly inserted = new Map<Collection, Map<string, Slot>>()
  /** Collections that this transaction makes, by namespace. */
  readonly created = new Map<string, Collection>()
  readonly touched = new Map<Collection, Set<Slot>>()
  state: 'open' | 'committed' | 'aborted' = 'open'
  /** Commands that wait for this transaction to end. */
  readonly waiting: (() => void)[] = []
  constructor(
    readonly snapshot: number,
    readonly session: string,
    readonly txnNumber: bigint,
    readonly expiresAt: number,
  ) {}
}

/** Thrown when a write outside transactions meets one inside: the command is tried again after that transaction. */
export class Blocked extends Error {
  constructor(readonly by: Transaction) {
    super('waits for a transaction')
  }
}

/** The document that a transaction, or nobody in particular, sees in a slot. */
export const visibleTo = (transaction: Transaction | null, slot: Slot): Doc | null => {
  if (!transaction) return slot.doc
  const own = transaction.writes.get(slot)
  if (own) return own.after
  if (slot.version <= transaction.snapshot) return slot.doc
  return slot.past?.find(({ until }) => until > transaction.snapshot)?.doc ?? null
}

/** A write takes its new unique keys before it is committed, so that nobody else can. */
export const takeClaims = (transaction: Transaction, { collection, slot, keys }: Write): void => {
  for (const [i, index] of collection.indexes.entries()) {
    if (index.unique) for (const key of keys[i]?.added ?? []) index.claims.set(key, { transaction, slot })
  }
}

export const releaseClaims = (transaction: Transaction, { collection, slot, keys }: Write): void => {
  for (const [i, index] of collection.indexes.entries()) {
    if (!index.unique) continue
    for (const key of keys[i]?.added ?? []) {
      const claim = index.claims.get(key)
      if (claim?.transaction === transaction && claim.slot === slot) index.claims.delete(key)
    }
  }
}
