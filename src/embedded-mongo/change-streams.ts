import { randomBytes } from 'node:crypto'
import { Timestamp } from 'mongodb'
import { CommandError } from './errors.js'
import { isEqual } from './ordering.js'
import type { Collection, Write } from './collection.js'
import { type Doc, docOf, isDoc, nameOf, newDoc, type Value } from './values.js'

export type ChangeKind = 'insert' | 'update' | 'replace' | 'delete'

type Change = {
  seq: number
  kind: ChangeKind | 'drop' | 'dropDatabase'
  database: string
  collection: string | null
  documentKey: Doc | null
  before: Doc | null
  after: Doc | null
  at: number
}

/** How many changes can be resumed from; a stream that falls further behind has lost its history. */
const RING = 10_000

/**
 * The latest changes, in memory only: a token from before a restart is refused with ChangeStreamHistoryLost, and whoever
 * watches reads the collection again. Changes become visible with the commit that makes them durable.
 */
export class ChangeStreams {
  private readonly epoch = randomBytes(8).toString('hex').toUpperCase()
  private readonly ring: Change[] = []
  private readonly pending: Change[] = []
  private nextSeq = 1
  private readonly listeners = new Set<() => void>()

  record({ collection, slot, after, kind }: Write, before: Doc | null): void {
    const key = docOf({ _id: (after ?? before ?? slot.doc)?._id })
    this.add(kind, collection.database, collection.name, key, before, after)
  }

  recordDrop({ database, name }: Collection): void {
    this.add('drop', database, name, null, null, null)
  }

  recordDropDatabase(database: string): void {
    this.add('dropDatabase', database, null, null, null, null)
  }

  private add(
    kind: Change['kind'],
    database: string,
    collection: string | null,
    documentKey: Doc | null,
    before: Doc | null,
    after: Doc | null,
  ): void {
    this.pending.push({ seq: 0, kind, database, collection, documentKey, before, after, at: Date.now() })
  }

  /** The latest of what was recorded did not happen after all. */
  takeBack(count: number): void {
    this.pending.length -= count
  }

  get unpublished(): number {
    return this.pending.length
  }

  /** The first of what was recorded is on the disk: who watches may see it. */
  publish(count: number): void {
    if (count === 0) return
    for (const change of this.pending.splice(0, count)) {
      change.seq = this.nextSeq++
      this.ring.push(change)
    }
    // Cut in large pieces: shifting one by one would cost at every write.
    if (this.ring.length > RING * 1.2) this.ring.splice(0, this.ring.length - RING)
    // A copy: who finds nothing for itself listens again at once.
    for (const listener of [...this.listeners]) listener()
  }

  /** Calls once when something was published; the result takes the call back. */
  onceChanged(listener: () => void): () => void {
    const once = (): void => {
      this.listeners.delete(once)
      listener()
    }
    this.listeners.add(once)
    return () => this.listeners.delete(once)
  }

  get latest(): number {
    return this.nextSeq - 1
  }

  token(seq: number): Doc {
    return docOf({ _data: this.epoch + seq.toString(16).toUpperCase().padStart(14, '0') })
  }

  /** The position behind a token that a client gives back. */
  positionOf(token: Value): number {
    const data = isDoc(token) ? token._data : undefined
    if (typeof data !== 'string' || !/^[0-9A-F]{30}$/.test(data)) {
      throw new CommandError('BadValue', 'Invalid resume token')
    }
    const seq = parseInt(data.slice(16), 16)
    if (!data.startsWith(this.epoch)) throw historyLost()
    return seq
  }

  /** Changes after `position` that a watch of this scope sees. Throws when some of them are gone already. */
  after(position: number, database: string | null, collection: string | null): Change[] {
    const first = this.ring[0]?.seq ?? this.nextSeq
    if (position + 1 < first) throw historyLost()
    return this.ring
      .slice(position + 1 - first)
      .filter(
        (change) =>
          (database === null || change.database === database) &&
          (collection === null || change.collection === collection),
      )
  }

  event(change: Change, lookUp: (change: Change) => Doc | null): Doc {
    const { seq, kind, database, collection, documentKey, before, after, at } = change
    const event = docOf({
      _id: this.token(seq),
      operationType: kind,
      clusterTime: new Timestamp({ t: Math.floor(at / 1000), i: seq >>> 0 }),
      wallTime: new Date(at),
    })
    if (kind === 'insert' || kind === 'replace') event.fullDocument = after
    if (kind === 'update') {
      const looked = lookUp(change)
      if (looked !== NOT_ASKED) event.fullDocument = looked
    }
    event.ns = collection === null ? docOf({ db: database }) : docOf({ db: database, coll: collection })
    if (documentKey) event.documentKey = documentKey
    if (kind === 'update') event.updateDescription = describe(before!, after!)
    return event
  }
}

/** Returned by a look-up when the stream did not ask for the whole document of an update. */
export const NOT_ASKED = newDoc()

export type { Change }

const historyLost = (): CommandError =>
  new CommandError(
    'ChangeStreamHistoryLost',
    'Resume of change stream was not possible, as the resume point may no longer be in the history.',
    {
      errorLabels: ['NonResumableChangeStreamError'],
    },
  )

const describe = (before: Doc, after: Doc): Doc => {
  const updatedFields = newDoc()
  const removedFields: Value[] = []
  const difference = (old: Doc, next: Doc, prefix: string): void => {
    for (const key in next) {
      const [was, is] = [old[key], next[key]]
      if (was === is) continue
      const path = prefix + nameOf(key)
      if (isDoc(was) && isDoc(is)) difference(was, is, `${path}.`)
      else if (was === undefined || !isEqual(was, is) || typeof was !== typeof is) updatedFields[path] = is
    }
    for (const key in old) if (next[key] === undefined) removedFields.push(prefix + nameOf(key))
  }
  difference(before, after, '')
  return docOf({ updatedFields, removedFields, truncatedArrays: [] })
}
