import { randomUUID } from 'node:crypto'
import { encode } from './bson.js'
import type { ChangeKind, ChangeStreams } from './change-streams.js'
import { Collection, newSlot, orderOf, type Slot, type Write } from './collection.js'
import { CommandError, writeConflict } from './errors.js'
import { Index } from './indexes.js'
import type { Filter } from './match.js'
import { type Batch, type Journal, StartFailure } from './journal.js'
import { orderKey } from './ordering.js'
import type { AnySearchIndex } from './search-indexes.js'
import { Blocked, releaseClaims, takeClaims, Transaction, visibleTo } from './transaction.js'
import { type Doc, isDoc, newDoc, typeName } from './values.js'

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

const emptyBatch = (): Batch => ({ documents: new Map(), collections: new Map(), replies: new Map() })

/**
 * All collections in memory, and what of them is not on the disk yet. Writes are applied at once and made durable
 * together by `commit`, while which others go on; when it fails, memory goes back to what is on the disk.
 */
export class Store {
  readonly collections = new Map<string, Collection>()
  readonly transactions = new Set<Transaction>()
  version = 1
  private batch = emptyBatch()
  private readonly undo: (() => void)[] = []
  /** How many of these belong to the commit that is under way; what is on the disk is never undone. */
  private committing = 0
  private nextSeq = 1
  private nextCollection = 1
  /** Versions at which collections were dropped: an older snapshot cannot be read any more. */
  readonly dropped = new Map<string, number>()

  constructor(
    private readonly journal: Journal,
    readonly changes: ChangeStreams,
    private readonly openSearchIndex: (stored: Doc) => AnySearchIndex,
  ) {}

  /** Told of every query that had to look at all documents of a collection. */
  onScan: (namespace: string, filter: Filter, documents: number) => void = () => {}

  async load(): Promise<void> {
    const byId = new Map<number, Collection>()
    for (const { id, namespace, definition } of await this.journal.collections()) {
      const collection = new Collection(id, namespace, definition.uuid as string, definition.options as Doc)
      for (const index of definition.indexes as Doc[]) collection.indexes.push(new Index(index))
      for (const stored of definition.searchIndexes as Doc[])
        collection.searchIndexes.push(this.openSearchIndex(stored))
      byId.set(id, collection)
      this.collections.set(namespace, collection)
      this.nextCollection = Math.max(this.nextCollection, id + 1)
    }
    await this.journal.eachDocument(({ seq, collection: id, raw, doc }) => {
      const collection = byId.get(id)
      this.nextSeq = Math.max(this.nextSeq, seq + 1)
      if (!collection) throw new StartFailure('data_damaged', `Document ${seq} belongs to no collection.`)
      const slot = newSlot(orderKey(doc._id))
      Object.assign(slot, { seq, order: orderOf(seq), doc, raw, version: 1 })
      collection.slots.set(slot.id, slot)
      collection.bytes += raw.length
      for (const index of collection.indexes)
        for (const key of index.keysOf(doc)) index.entries.set(index.entryKey(key, slot), slot)
    })
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  rawOf(slot: Slot, doc: Doc, transaction: Transaction | null): Buffer {
    if (slot.doc === doc) return slot.raw
    const own = transaction?.writes.get(slot)
    return own?.after === doc ? own.raw : encode(doc)
  }

  collection(namespace: string, transaction: Transaction | null): Collection | undefined {
    const collection = this.collections.get(namespace) ?? transaction?.created.get(namespace)
    if (!collection && transaction && (this.dropped.get(namespace) ?? 0) > transaction.snapshot)
      throw snapshotUnavailable()
    return collection
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  insert(collection: Collection, doc: Doc, raw: Buffer | null, transaction: Transaction | null): void {
    const { _id } = doc
    if (Array.isArray(_id) || typeName(_id) === 'regex') {
      throw new CommandError('InvalidIdField', `The '_id' value cannot be of type ${typeName(_id)}`)
    }
    if (isDoc(_id))
      for (const key in _id)
        if (key.startsWith('$'))
          throw new CommandError(
            'DollarPrefixedFieldName',
            `_id fields may not contain '$'-prefixed fields: ${key} is not valid for storage.`,
          )
    const id = orderKey(_id)
    const taken = collection.slots.get(id) ?? transaction?.inserted.get(collection)?.get(id)
    if (taken && visibleTo(transaction, taken)) throw collection.indexes[0]!.duplicate(collection.namespace, doc, id)
    // An own deletion and a new insertion of one id is one write of one slot.
    const slot = taken ?? newSlot(id)
    this.write(collection, slot, doc, raw, 'insert', transaction)
    if (transaction && !taken) {
      const inserted = transaction.inserted.get(collection) ?? new Map<string, Slot>()
      transaction.inserted.set(collection, inserted.set(id, slot))
    }
  }

  /** Replaces (or with null deletes) the document of a slot. Checks everything first: it happens fully or not at all. */
  write(
    collection: Collection,
    slot: Slot,
    after: Doc | null,
    raw: Buffer | null,
    kind: ChangeKind,
    transaction: Transaction | null,
  ): void {
    if (slot.lock && slot.lock !== transaction) {
      if (transaction) throw writeConflict()
      throw new Blocked(slot.lock)
    }
    if (transaction && slot.version > transaction.snapshot) throw writeConflict()
    const bytes = after ? (raw ?? encode(after)) : slot.raw
    if (bytes.length > MAX_DOCUMENT_BYTES) {
      throw new CommandError(
        'BSONObjectTooLarge',
        `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`,
      )
    }
    const keys = collection.keyChanges(slot, after)
    const write: Write = { collection, slot, after, raw: bytes, kind, keys }
    if (transaction) this.writeLater(transaction, write)
    else {
      this.checkUnique(write, null)
      this.apply([write])
    }
  }

  private writeLater(transaction: Transaction, write: Write): void {
    const { collection, slot, after } = write
    const earlier = transaction.writes.get(slot)
    if (earlier) releaseClaims(transaction, earlier)
    this.checkUnique(write, transaction)
    takeClaims(transaction, write)
    if (earlier)
      write.kind =
        slot.doc === null ? 'insert' : after === null ? 'delete' : earlier.kind === 'update' ? write.kind : earlier.kind
    slot.lock = transaction
    transaction.writes.set(slot, write)
    collection.writers.add(transaction)
    const touched = transaction.touched.get(collection)
    if (touched) touched.add(slot)
    else transaction.touched.set(collection, new Set([slot]))
  }

  private checkUnique({ collection, slot, after, keys }: Write, transaction: Transaction | null): void {
    if (!after) return
    for (const [i, index] of collection.indexes.entries()) {
      if (!index.unique) continue
      for (const key of keys[i]?.added ?? []) {
        const claim = index.claims.get(key)
        if (claim && claim.slot !== slot) {
          if (claim.transaction === transaction) throw index.duplicate(collection.namespace, after, key)
          if (transaction) throw writeConflict()
          throw new Blocked(claim.transaction)
        }
        const holder = index.entries.get(key)
        if (holder && holder !== slot) {
          const own = transaction?.writes.get(holder)
          if (own?.keys[i]?.removed.includes(key)) continue
          if (transaction && holder.version > transaction.snapshot) throw writeConflict()
          throw index.duplicate(collection.namespace, after, key)
        }
        if (!transaction) continue
        // Free now, but held by a document that this snapshot still sees.
        for (const { slot: other, version, before } of collection.history) {
          if (version > transaction.snapshot && before && other !== slot && index.keysOf(before).includes(key))
            throw writeConflict()
        }
      }
    }
  }

  /** Makes a group of checked writes visible. All keys go before any comes: they may be handed from one to another. */
  private apply(writes: readonly Write[]): void {
    const version = ++this.version
    const before = writes.map(({ slot }) => ({ doc: slot.doc, raw: slot.raw, version: slot.version, past: slot.past }))
    for (const write of writes) {
      const { collection, slot } = write
      if (slot.seq === 0 || slot.doc === null) {
        slot.seq = this.nextSeq++
        slot.order = orderOf(slot.seq)
      }
      collection.removeKeys(write, 'removed')
    }
    for (const write of writes) {
      const { collection, slot, after, raw } = write
      collection.addKeys(write, 'added')
      if (this.transactions.size > 0) {
        collection.history.push({ slot, version, before: slot.doc })
        const past = (slot.past ??= [])
        past.push({ doc: slot.doc, until: version })
      }
      for (const search of collection.searchIndexes) search.replace(slot.seq, slot.doc, after)
      this.changes.record(write, slot.doc)
      collection.bytes += (after ? raw.length : 0) - (slot.doc ? slot.raw.length : 0)
      if (!after) collection.slots.delete(slot.id)
      else if (!slot.doc) collection.slots.set(slot.id, slot)
      slot.doc = after
      slot.raw = raw
      slot.version = version
      this.keep(collection, slot)
    }
    this.undo.push(() => {
      for (const write of writes) write.collection.removeKeys(write, 'added')
      for (const [i, write] of writes.entries()) {
        const { collection, slot } = write
        const old = before[i]!
        for (const search of collection.searchIndexes) search.replace(slot.seq, slot.doc, old.doc)
        collection.addKeys(write, 'removed')
        collection.bytes += (old.doc ? old.raw.length : 0) - (slot.doc ? slot.raw.length : 0)
        if (!old.doc) collection.slots.delete(slot.id)
        else if (!slot.doc) collection.putBack(slot)
        Object.assign(slot, old)
        this.keep(collection, slot)
      }
      this.changes.takeBack(writes.length)
    })
  }

  private keep(collection: Collection, slot: Slot): void {
    this.batch.documents.set(slot.seq, { collection: collection.id, raw: slot.doc ? slot.raw : null })
  }

  // --- transactions --------------------------------------------------------------------------------------------------

  begin(session: string, txnNumber: bigint, expiresAt: number): Transaction {
    const transaction = new Transaction(this.version, session, txnNumber, expiresAt)
    this.transactions.add(transaction)
    return transaction
  }

  commitTransaction(transaction: Transaction): void {
    // Somebody else has made a collection of that name meanwhile: what was written here is not in it.
    for (const namespace of transaction.created.keys()) if (this.collections.has(namespace)) throw writeConflict()
    for (const collection of transaction.created.values()) this.register(collection)
    const writes = [...transaction.writes.values()].filter(({ slot, after }) => slot.doc !== null || after !== null)
    this.end(transaction, 'committed')
    if (writes.length > 0) this.apply(writes)
  }

  end(transaction: Transaction, state: 'committed' | 'aborted'): void {
    if (transaction.state !== 'open') return
    transaction.state = state
    this.transactions.delete(transaction)
    for (const write of transaction.writes.values()) {
      releaseClaims(transaction, write)
      write.slot.lock = null
      write.collection.writers.delete(transaction)
    }
    this.forgetPast()
    for (const resume of transaction.waiting.splice(0)) resume()
  }

  /** Drops old documents that no open transaction can see any more. */
  private forgetPast(): void {
    let oldest = Infinity
    for (const { snapshot } of this.transactions) if (snapshot < oldest) oldest = snapshot
    for (const collection of this.withHistory()) {
      const keepFrom = collection.history.findIndex(({ version }) => version > oldest)
      const gone = keepFrom < 0 ? collection.history : collection.history.slice(0, keepFrom)
      for (const { slot } of gone) {
        const past: Slot['past'] = slot.past?.filter(({ until }) => until > oldest) ?? null
        slot.past = past && past.length > 0 ? past : null
      }
      collection.history = keepFrom < 0 ? [] : collection.history.slice(keepFrom)
    }
  }

  private *withHistory(): Iterable<Collection> {
    for (const collection of this.collections.values()) if (collection.history.length > 0) yield collection
  }

  // --- the catalog ---------------------------------------------------------------------------------------------------

  /** In a transaction, nobody else sees the collection before the commit. */
  create(namespace: string, transaction: Transaction | null): Collection {
    const collection = new Collection(this.nextCollection++, namespace, randomUUID(), newDoc())
    if (transaction) transaction.created.set(namespace, collection)
    else this.register(collection)
    return collection
  }

  private register(collection: Collection): void {
    const { id, namespace } = collection
    this.collections.set(namespace, collection)
    this.keepDefinition(collection)
    this.undo.push(() => {
      this.collections.delete(namespace)
      this.batch.collections.set(id, null)
    })
  }

  /** Refuses to touch the catalog under a transaction's feet. */
  awaitWriters(collection: Collection): void {
    for (const transaction of collection.writers) throw new Blocked(transaction)
  }

  drop(collection: Collection): void {
    this.awaitWriters(collection)
    this.collections.delete(collection.namespace)
    this.dropped.set(collection.namespace, ++this.version)
    for (const { seq } of collection.slots.values())
      this.batch.documents.set(seq, { collection: collection.id, raw: null })
    this.batch.collections.set(collection.id, null)
    this.changes.recordDrop(collection)
    this.undo.push(() => {
      this.collections.set(collection.namespace, collection)
      for (const slot of collection.slots.values()) this.keep(collection, slot)
      this.keepDefinition(collection)
      this.changes.takeBack(1)
    })
  }

  dropDatabase(name: string): void {
    const collections = [...this.collections.values()].filter(({ database }) => database === name)
    for (const collection of collections) this.awaitWriters(collection)
    for (const collection of collections) this.drop(collection)
    if (collections.length === 0) return
    this.changes.recordDropDatabase(name)
    this.undo.push(() => this.changes.takeBack(1))
  }

  addIndex(collection: Collection, index: Index): void {
    this.awaitWriters(collection)
    for (const slot of collection.slots.values()) {
      for (const key of index.keysOf(slot.doc!)) {
        if (index.unique && index.entries.get(key)) throw index.duplicate(collection.namespace, slot.doc!, key)
        index.entries.set(index.entryKey(key, slot), slot)
      }
    }
    this.changeCatalog(collection, collection.indexes, () => collection.indexes.push(index))
  }

  removeIndex(collection: Collection, index: Index): void {
    this.awaitWriters(collection)
    this.changeCatalog(collection, collection.indexes, () =>
      collection.indexes.splice(collection.indexes.indexOf(index), 1),
    )
  }

  changeSearchIndexes(collection: Collection, change: (list: AnySearchIndex[]) => void): void {
    this.changeCatalog(collection, collection.searchIndexes, () => change(collection.searchIndexes))
  }

  private changeCatalog<T>(collection: Collection, list: T[], change: () => void): void {
    const before = [...list]
    change()
    this.keepDefinition(collection)
    // An open transaction holds key changes by position of the index; it cannot go on over a changed list.
    this.undo.push(() => {
      list.splice(0, list.length, ...before)
      this.keepDefinition(collection)
    })
  }

  private keepDefinition(collection: Collection): void {
    this.batch.collections.set(collection.id, { namespace: collection.namespace, definition: collection.definition() })
  }

  // --- durability ----------------------------------------------------------------------------------------------------

  /** Writes what is committed to a file of its own, while everything goes on. */
  backUp(file: string): Promise<void> {
    return this.journal.backUp(file)
  }

  get file(): string {
    return this.journal.file
  }

  /** Remembers the reply to a retryable write in the same commit as the write. */
  keepReply(session: string, txnNumber: bigint, reply: Buffer, at: number): void {
    this.batch.replies.set(session, { txnNumber, reply, at })
  }

  onUndo(undo: () => void): void {
    this.undo.push(undo)
  }

  /** Whether something waits for the next commit. */
  get isDirty(): boolean {
    return this.undo.length > this.committing
  }

  /** Whether all that a command can read now is on the disk. */
  get isDurable(): boolean {
    return this.undo.length === 0
  }

  /** A place to come back to when a command fails half-way. */
  mark(): number {
    return this.undo.length
  }

  rollBackTo(mark: number): void {
    while (this.undo.length > mark) this.undo.pop()!()
  }

  /**
   * Makes everything since the last commit durable; one at a time. When it rejects, nothing of it is there any more, here
   * and on the disk, and nothing of what was executed meanwhile: it may have been built on it.
   */
  async commit(): Promise<void> {
    const { batch } = this
    const changes = this.changes.unpublished
    this.batch = emptyBatch()
    this.committing = this.undo.length
    try {
      await this.journal.commit(batch)
    } catch (error) {
      for (const transaction of [...this.transactions]) this.end(transaction, 'aborted')
      this.rollBackTo(0)
      this.batch = emptyBatch()
      this.committing = 0
      throw error
    }
    this.undo.splice(0, this.committing)
    this.committing = 0
    this.changes.publish(changes)
  }
}

const snapshotUnavailable = (): CommandError =>
  new CommandError(
    'SnapshotUnavailable',
    'Unable to read from a snapshot due to pending collection catalog changes; please retry the operation.',
    {
      errorLabels: ['TransientTransactionError'],
    },
  )
