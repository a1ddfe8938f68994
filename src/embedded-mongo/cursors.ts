import { CommandError } from './errors.js'
import { encode, Raw } from './bson.js'
import type { Transaction } from './transaction.js'
import type { Doc } from './values.js'

/** Answers that a client fetches in batches. */

export const FIRST_BATCH = 101
const MAX_BATCH_BYTES = 16 * 1024 * 1024 - 16 * 1024
const IDLE_MS = 10 * 60_000

/** A source of results: stored documents as they lie, or documents still to be encoded. */
export type Results = { count: number; at: (index: number) => Doc | Buffer }

export type Stream = {
  /** The events since the last call; `closed` when nothing can follow. */
  next: (most: number) => { events: Doc[]; closed: boolean }
  token: () => Doc
  onceReady: (listener: () => void) => () => void
}

export type Cursor = {
  id: bigint
  namespace: string
  transaction: Transaction | null
  usedAt: number
  source: { kind: 'results'; results: Results; position: number } | { kind: 'stream'; stream: Stream }
}

export class Cursors {
  private readonly open = new Map<bigint, Cursor>()
  private lastId = BigInt(Math.floor(Math.random() * 2 ** 40)) << 16n

  add(namespace: string, source: Cursor['source'], transaction: Transaction | null): Cursor {
    const cursor: Cursor = { id: ++this.lastId, namespace, source, transaction, usedAt: Date.now() }
    this.open.set(cursor.id, cursor)
    return cursor
  }

  get(id: bigint, namespace: string): Cursor {
    const cursor = this.open.get(id)
    if (!cursor || cursor.namespace !== namespace) throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
    cursor.usedAt = Date.now()
    return cursor
  }

  close(id: bigint): boolean {
    return this.open.delete(id)
  }

  expire(now: number): void {
    for (const [id, { usedAt, transaction }] of this.open) {
      if (usedAt < now - IDLE_MS || (transaction && transaction.state !== 'open')) this.open.delete(id)
    }
  }
}

/** As many results from `position` on as a batch may hold. */
export const takeBatch = (results: Results, position: number, size: number): Raw[] => {
  const batch: Raw[] = []
  let bytes = 0
  for (let i = position; i < results.count && batch.length < size; i++) {
    const item = results.at(i)
    const raw = Buffer.isBuffer(item) ? item : encode(item)
    bytes += raw.length
    if (bytes > MAX_BATCH_BYTES && batch.length > 0) break
    batch.push(new Raw(raw))
  }
  return batch
}
