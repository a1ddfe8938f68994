import { SearchIndex } from './search-index.js'
import type { Doc } from './values.js'
import { VectorIndex } from './vector-index.js'

/** What `createSearchIndexes` makes: an index over text, or one over vectors. Throws when its definition is refused. */
export type AnySearchIndex = SearchIndex | VectorIndex

export const openSearchIndex = (stored: Doc): AnySearchIndex =>
  stored.type === 'vectorSearch' ? new VectorIndex(stored) : new SearchIndex(stored)
