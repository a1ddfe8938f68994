import { EMPTY_ARRAY, indexedValues } from './paths.js'
import { allFilters, compileFilter } from './match.js'
import { select } from './select.js'
import type { Store } from './store.js'
import { Blocked } from './transaction.js'
import { docOf } from './values.js'

/**
 * Deletes the documents whose TTL index says that their time is over (manual: "TTL Indexes"): of several dates in an
 * array the earliest counts; a value that is no date never expires.
 */
export const sweepExpired = (store: Store, now: number): void => {
  for (const collection of store.collections.values()) {
    for (const index of collection.indexes) {
      if (index.expireAfterSeconds === null) continue
      const { path, steps } = index.fields[0]!
      const limit = now - index.expireAfterSeconds * 1000
      const over = compileFilter(docOf({ [path]: docOf({ $lte: new Date(limit) }) }))
      const both = index.partial ? allFilters([index.partial, over]) : over
      for (const { slot, doc } of select(store, collection, both, {
        sort: null,
        skip: 0,
        limit: Infinity,
        transaction: null,
      })) {
        const isDate = indexedValues(doc, steps).values.some((value) => value !== EMPTY_ARRAY && value instanceof Date)
        if (!isDate) continue
        try {
          store.write(collection, slot, null, null, 'delete', null)
        } catch (error) {
          // A transaction is writing it: the next sweep looks again.
          if (!(error instanceof Blocked)) throw error
        }
      }
    }
  }
}
