import type { Filter } from './match.js'
import type { Store } from './store.js'
import { type Doc, docOf } from './values.js'

/** What the store says about itself: how full it is, and which queries have no index to help them. */

/**
 * What it is made for. Everything is in memory, about three times its size on the disk: beyond this a MongoDB of its own is
 * the better home. Nothing is refused at the edge; it only becomes slow to start and large.
 */
const MOST_DOCUMENTS = 400_000
const MOST_BYTES = 400 * 1024 * 1024

const WARN_FROM_PERCENT = 70
const WARN_AGAIN_AFTER_PERCENT = 10

/** A query that looks at more documents than this without an index is worth a line in the log. */
const LONG_SCAN = 10_000
const SAME_SCAN_AGAIN_MS = 60_000

export class Status {
  private longScans = 0
  private readonly toldOf = new Map<string, number>()
  private warnedAt = 0

  constructor(
    private readonly store: Store,
    private readonly warn: (message: string) => void,
  ) {}

  /** Called after a query that looked at every document of a collection. */
  scanned(namespace: string, { conditions }: Filter, documents: number, now: number): void {
    if (documents <= LONG_SCAN) return
    this.longScans++
    const paths = [...new Set(conditions.map(({ path }) => path))].slice(0, 8).join(', ')
    const what = `${namespace} by {${paths}}`
    if (now - (this.toldOf.get(what) ?? -Infinity) < SAME_SCAN_AGAIN_MS) return
    if (this.toldOf.size > 1000) this.toldOf.clear()
    this.toldOf.set(what, now)
    this.warn(`a query looked at all ${documents} documents of ${what}: it has no index to use`)
  }

  /** Called now and then. */
  checkCapacity(): void {
    const { documents, bytes, fullPercent } = this.capacity()
    if (fullPercent < WARN_FROM_PERCENT) this.warnedAt = 0
    else if (this.warnedAt === 0 || fullPercent >= this.warnedAt + WARN_AGAIN_AFTER_PERCENT) {
      this.warnedAt = fullPercent
      this.warn(
        `the embedded store is ${fullPercent} % full (${documents} documents, ${Math.round(bytes / 1024 / 1024)} MB). ` +
          'Move it to MongoDB: stop the server, then npm run migrate-store -- --to URI',
      )
    }
  }

  private capacity(): { documents: number; bytes: number; fullPercent: number } {
    let documents = 0
    let bytes = 0
    for (const collection of this.store.collections.values()) {
      documents += collection.slots.size
      bytes += collection.bytes
    }
    return { documents, bytes, fullPercent: Math.floor(Math.max(documents / MOST_DOCUMENTS, bytes / MOST_BYTES) * 100) }
  }

  report(): Doc {
    const { documents, bytes, fullPercent } = this.capacity()
    return docOf({
      documents,
      bytes,
      fullPercent,
      mostDocuments: MOST_DOCUMENTS,
      mostBytes: MOST_BYTES,
      longScans: this.longScans,
    })
  }
}
