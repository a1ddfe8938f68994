import { notSupported } from './errors.js'
import type { Row } from './aggregate.js'
import type { Store } from './store.js'
import type { Value } from './values.js'
export const runSearch = (_spec: Value, _store: Store): ((namespace: string) => Row[]) => {
  throw notSupported('the stage $search')
}
