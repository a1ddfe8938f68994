import type { ChangeKind } from './change-streams.js'
import { type Index, idIndex } from './indexes.js'
import type { AnySearchIndex } from './search-indexes.js'
import type { Transaction } from './transaction.js'
import { type Doc, docOf } from './values.js'

/** Where a document lives. The document itself is replaced, never changed; `doc` is null before insertion and after deletion. */
export type Slot = {
  readonly id: string
  seq: number
  /** The sequence number as a string of fixed width: breaks ties in indexes by insertion. */
  order: string
  doc: Doc | null
  raw: Buffer
  /** The store's version when `doc` was last replaced. */
  version: number
  /** Earlier documents that an open transaction may still see, oldest first. */
  past: { doc: Doc | null; until: number }[] | null
  lock: Transaction | null
}

export type Write = {
  collection: Collection
  slot: Slot
  after: Doc | null
  raw: Buffer
  kind: ChangeKind
  keys: readonly (KeyChange | null)[]
}
type KeyChange = { removed: string[]; added: string[] }

export class Collection {
  readonly slots = new Map<string, Slot>()
  readonly indexes: Index[] = [idIndex()]
  readonly searchIndexes: AnySearchIndex[] = []
  /** Of its documents as they are stored. */
  bytes = 0
  /** What changed while transactions were open: they look here for what they must not see yet. */
  history: { slot: Slot; version: number; before: Doc | null }[] = []
  readonly writers = new Set<Transaction>()
  readonly database: string
  readonly name: string
  constructor(
    readonly id: number,
    readonly namespace: string,
    readonly uuid: string,
    readonly options: Doc,
  ) {
    const dot = namespace.indexOf('.')
    this.database = namespace.slice(0, dot)
    this.name = namespace.slice(dot + 1)
  }

  definition(): Doc {
    return docOf({
      uuid: this.uuid,
      options: this.options,
      indexes: this.indexes.slice(1).map(({ definition }) => definition),
      searchIndexes: this.searchIndexes.map(({ stored }) => stored),
    })
  }

  /** What a write of `after` changes in each index; null where it changes nothing. */
  keyChanges(slot: Slot, after: Doc | null): (KeyChange | null)[] {
    return this.indexes.map((index) => keyChange(index, slot.doc, after))
  }

  removeKeys({ slot, keys }: Write, which: keyof KeyChange): void {
    for (const [i, change] of keys.entries()) {
      const index = this.indexes[i]!
      if (change) for (const key of change[which]) index.entries.delete(index.entryKey(key, slot))
    }
  }

  addKeys({ slot, keys }: Write, which: keyof KeyChange): void {
    for (const [i, change] of keys.entries()) {
      const index = this.indexes[i]!
      if (change) for (const key of change[which]) index.entries.set(index.entryKey(key, slot), slot)
    }
  }

  /** A deletion is undone: the document returns to its place in the natural order. */
  putBack(slot: Slot): void {
    const slots = [...this.slots.values(), slot].sort((a, b) => a.seq - b.seq)
    this.slots.clear()
    for (const each of slots) this.slots.set(each.id, each)
  }
}

/** A sequence number as a string of six characters that orders as the numbers do. */
export const orderOf = (seq: number): string => {
  const high = Math.floor(seq / 2 ** 24)
  return String.fromCharCode(
    (high >>> 16) & 255,
    (high >>> 8) & 255,
    high & 255,
    (seq >>> 16) & 255,
    (seq >>> 8) & 255,
    seq & 255,
  )
}

export const newSlot = (id: string): Slot => ({
  id,
  seq: 0,
  order: '',
  doc: null,
  raw: NOTHING,
  version: 0,
  past: null,
  lock: null,
})
const NOTHING = Buffer.alloc(0)

const keyChange = (index: Index, before: Doc | null, after: Doc | null): KeyChange | null => {
  if (before && after && !index.touches(before, after)) return null
  const old = before ? index.keysOf(before) : []
  const next = after ? index.keysOf(after) : []
  if (old.length === 0) return { removed: old, added: next }
  if (next.length === 0) return { removed: old, added: next }
  const change = { removed: old.filter((key) => !next.includes(key)), added: next.filter((key) => !old.includes(key)) }
  return change.removed.length > 0 || change.added.length > 0 ? change : null
}
