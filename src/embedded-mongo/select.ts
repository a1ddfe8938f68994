import { BSONRegExp, MaxKey, MinKey } from 'mongodb'
import { bounded } from './bounded.js'
import { badValue, CommandError, notImplemented } from './errors.js'
import type { Index } from './indexes.js'
import type { Condition, Filter } from './match.js'
import {
  compareKeys,
  descendingKey,
  EMPTY_ARRAY_KEY,
  isNaNValue,
  NUMBERS_FROM,
  orderKey,
  rankBounds,
  sortKey,
} from './ordering.js'
import { EMPTY_ARRAY, indexedValues, parsePath, type Path } from './paths.js'
import { isScore } from './project.js'
import type { Collection, Slot } from './collection.js'
import type { Store } from './store.js'
import { type Transaction, visibleTo } from './transaction.js'
import { type Doc, isDoc, isNumeric, nameOf, toNumber, type Value } from './values.js'

/** Finding documents: choosing an index, walking it, testing, sorting. */

export type SortField = { path: string; steps: Path; direction: 1 | -1; score: boolean }
export type Sort = { fields: readonly SortField[]; natural: 1 | -1 | null }

export const compileSort = (spec: Value): Sort => {
  if (!isDoc(spec)) throw badValue('the sort must be an object')
  let natural: Sort['natural'] = null
  const fields: SortField[] = []
  for (const key of Object.keys(spec)) {
    const value = spec[key]
    const path = nameOf(key)
    if (isDoc(value) && isScore(value.$meta)) fields.push({ path, steps: [], direction: -1, score: true })
    else if (isDoc(value)) throw notImplemented(`sorting by ${Object.keys(value)[0] ?? '{}'}`)
    else if (!isNumeric(value) || Math.abs(toNumber(value)) !== 1)
      throw new CommandError('Location15975', '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    else if (path === '$natural') natural = toNumber(value) as 1 | -1
    else if (path === '' || path.split('.').some((part) => part === '' || part.startsWith('$')))
      throw badValue(`FieldPath '${path}' cannot be sorted by`)
    else fields.push({ path, steps: parsePath(path), direction: toNumber(value) as 1 | -1, score: false })
  }
  if (natural && fields.length > 0)
    throw badValue('$natural sort cannot be set to a value other than -1 or 1, nor combined')
  return { fields, natural }
}

/** The key a document sorts by: of an array the least element ascending, the greatest descending. */
const sortKeyOf = (doc: Doc, { steps, direction }: SortField): string => {
  const { values, multi } = indexedValues(doc, steps)
  if (!multi) return sortKey(values[0])
  const keys = values.map((value) => (value === EMPTY_ARRAY ? EMPTY_ARRAY_KEY : sortKey(value)))
  return keys.reduce((best, key) => ((direction === 1 ? key < best : key > best) ? key : best))
}

export type Sortable = { doc: Doc; score?: number }

/** Stable; with `limit` it keeps no more than that many along the way. */
export const sortDocs = <T extends Sortable>(items: readonly T[], sort: Sort, limit = Infinity): T[] => {
  const directions = sort.fields.map(({ direction, score }) => (score ? 1 : direction))
  const keyed = items.map((item) => ({
    item,
    keys: sort.fields.map((field) => (field.score ? orderKey(-(item.score ?? 0)) : sortKeyOf(item.doc, field))),
  }))
  const compare = compareKeys(directions)
  if (limit >= items.length / 8)
    return keyed
      .sort(compare)
      .slice(0, limit)
      .map(({ item }) => item)
  const best: typeof keyed = []
  for (const entry of keyed) {
    if (best.length === limit && compare(entry, best[limit - 1]!) >= 0) continue
    let low = 0
    let high = best.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(entry, best[middle]!) < 0) high = middle
      else low = middle + 1
    }
    best.splice(low, 0, entry)
    if (best.length > limit) best.pop()
  }
  return best.map(({ item }) => item)
}

// --- choosing --------------------------------------------------------------------------------------------------------

type KeyRange = { from: string; to: string }
export type Plan =
  | { kind: 'ids'; ids: readonly string[] }
  | { kind: 'index'; index: Index; ranges: readonly KeyRange[]; reverse: boolean; sorted: boolean }
  | { kind: 'scan' }

const AFTER = '\uffff'
const MOST_POINTS = 2000

const usable = (operand: Value): boolean =>
  !Array.isArray(operand) &&
  !(operand instanceof BSONRegExp) &&
  !(operand instanceof MinKey) &&
  !(operand instanceof MaxKey)

const known = new WeakMap<Condition, string[] | null>()

/** The keys of the only values that satisfy a condition, or null when it is not about single values. */
const pointsOf = (condition: Condition): string[] | null => {
  let points = known.get(condition)
  if (points === undefined) known.set(condition, (points = computePoints(condition)))
  return points
}

const computePoints = ({ operator, operand }: Condition): string[] | null => {
  if (operator === '$eq' || operator === '$expr-eq') return usable(operand) ? [sortKey(operand)] : null
  if (operator !== '$in') return null
  const values = operand as Value[]
  return values.every(usable) ? [...new Set(values.map(sortKey))] : null
}

type Interval = { low: string; lowIn: boolean; high: string; highIn: boolean }

const intervalOf = ({ operator, operand }: Condition): Interval | null => {
  if (!usable(operand) || operand === null || operand === undefined || isNaNValue(operand)) return null
  const { from, to } = rankBounds(operand)
  const key = orderKey(operand)
  const low = isNumeric(operand) ? NUMBERS_FROM : from
  switch (operator) {
    case '$gt':
      return { low: key, lowIn: false, high: to, highIn: false }
    case '$gte':
      return { low: key, lowIn: true, high: to, highIn: false }
    case '$lt':
      return { low, lowIn: true, high: key, highIn: false }
    case '$lte':
      return { low, lowIn: true, high: key, highIn: true }
    default:
      return null
  }
}

const narrow = (a: Interval, b: Interval): Interval => ({
  ...(a.low > b.low || (a.low === b.low && !a.lowIn) ? { low: a.low, lowIn: a.lowIn } : { low: b.low, lowIn: b.lowIn }),
  ...(a.high < b.high || (a.high === b.high && !a.highIn)
    ? { high: a.high, highIn: a.highIn }
    : { high: b.high, highIn: b.highIn }),
})

const rangeOf = ({ low, lowIn, high, highIn }: Interval, direction: 1 | -1): KeyRange =>
  direction === 1
    ? { from: lowIn ? low : low + AFTER, to: highIn ? high + AFTER : high }
    : {
        from: highIn ? descendingKey(high) : descendingKey(high) + AFTER,
        to: lowIn ? descendingKey(low) + AFTER : descendingKey(low),
      }

const planWith = (
  index: Index,
  conditions: readonly Condition[],
  sort: Sort | null,
): { plan: Plan; worth: number } | null => {
  if (index.partial && !implies(conditions, index.partial)) return null
  let prefixes = ['']
  let depth = 0
  let worth = 0
  let single = true
  for (; depth < index.fields.length; depth++) {
    const { path, direction } = index.fields[depth]!
    const condition = conditions.find((each) => each.path === path && pointsOf(each) !== null)
    const points = condition && pointsOf(condition)
    if (!points || prefixes.length * points.length > MOST_POINTS) break
    if (
      index.sparse &&
      (condition.operand === null || (condition.operator === '$in' && (condition.operand as Value[]).includes(null)))
    )
      return null
    prefixes = prefixes.flatMap((prefix) => points.map((key) => prefix + (direction === 1 ? key : descendingKey(key))))
    single &&= points.length === 1
    worth += 10
    // Two conditions on one array may be met by different elements, which different entries stand for.
    if (index.multikey) {
      depth++
      break
    }
  }
  let ranges: KeyRange[] = prefixes.map((prefix) => ({ from: prefix, to: prefix === '' ? AFTER : prefix + AFTER }))
  if (depth < index.fields.length && !(index.multikey && depth > 0)) {
    const { path, direction } = index.fields[depth]!
    const intervals = conditions.filter((each) => each.path === path).flatMap((each) => intervalOf(each) ?? [])
    if (intervals.length > 0) {
      const interval = index.multikey ? intervals[0]! : intervals.reduce(narrow)
      const { from, to } = rangeOf(interval, direction)
      ranges = prefixes.map((prefix) => ({ from: prefix + from, to: prefix + to }))
      worth += 5
    }
  }
  const exists = (path: string): boolean => conditions.some((each) => each.path === path && each.operator === '$exists')
  if (index.sparse && worth === 0 && !exists(index.fields[0]!.path)) return null
  const order = sort && single && !index.multikey ? sortedBy(index, depth, conditions, sort) : null
  if (order !== null) worth += 3
  return worth === 0
    ? null
    : { plan: { kind: 'index', index, ranges, reverse: order === -1, sorted: order !== null }, worth }
}

/** 1 or -1 when walking the index in that direction gives the wanted order behind the fixed fields. */
const sortedBy = (index: Index, fixed: number, conditions: readonly Condition[], sort: Sort): 1 | -1 | null => {
  if (sort.fields.length === 0) return null
  const isFixed = (path: string): boolean => index.fields.slice(0, fixed).some((field) => field.path === path)
  const wanted = sort.fields.filter(({ path }) => !isFixed(path))
  let direction: 1 | -1 | null = null
  for (const [i, field] of wanted.entries()) {
    const entry = index.fields[fixed + i]
    if (field.score || entry?.path !== field.path) return null
    const here = entry.direction === field.direction ? 1 : -1
    if (direction !== null && direction !== here) return null
    direction = here
  }
  return direction ?? 1
}

/** True when every document that meets the conditions is in a partial index with this filter. */
const implies = (conditions: readonly Condition[], partial: Filter): boolean =>
  partial.complete &&
  partial.conditions.length > 0 &&
  partial.conditions.every((needed) =>
    conditions.some(
      (given) =>
        given.path === needed.path &&
        needed.operator !== 'other' &&
        ((given.operator === needed.operator && sameOperand(given.operand, needed.operand)) ||
          (given.operator === '$eq' && usable(given.operand) && given.operand !== null && needed.leaf(given.operand))),
    ),
  )

const sameOperand = (a: Value, b: Value): boolean => orderKey(a) === orderKey(b)

const choosePlan = (collection: Collection, conditions: readonly Condition[], sort: Sort | null): Plan => {
  for (const condition of conditions) {
    if (condition.path === '_id' && condition.operator !== '$expr-eq') {
      const ids = pointsOf(condition)
      if (ids) return { kind: 'ids', ids }
    }
  }
  let best: { plan: Plan; worth: number } | null = null
  for (const index of collection.indexes) {
    const candidate = planWith(index, conditions, sort)
    if (candidate && candidate.worth > (best?.worth ?? 0)) best = candidate
  }
  return best?.plan ?? { kind: 'scan' }
}

// --- walking ---------------------------------------------------------------------------------------------------------

const walk = (collection: Collection, plan: Plan, visit: (slot: Slot) => boolean): void => {
  switch (plan.kind) {
    case 'ids':
      for (const id of plan.ids) {
        const slot = collection.slots.get(id)
        if (slot && !visit(slot)) return
      }
      return
    case 'index': {
      const { index, ranges, reverse } = plan
      const seen = index.multikey ? new Set<Slot>() : null
      const once = seen ? (slot: Slot) => seen.has(slot) || (seen.add(slot), visit(slot)) : visit
      for (const { from, to } of ranges) if (!index.entries.scan(from, to, reverse, once)) return
      return
    }
    case 'scan':
      for (const slot of collection.slots.values()) if (!visit(slot)) return
  }
}

export type Found = { slot: Slot; doc: Doc; score?: number }
export type Selection = { sort: Sort | null; skip: number; limit: number; transaction: Transaction | null }

/** The documents that a filter selects, sorted, skipped and limited as asked. */
export const select = (store: Store, collection: Collection, filter: Filter, selection: Selection): Found[] => {
  const { found, plan, looked } = execute(collection, filter, selection)
  if (plan.kind === 'scan') store.onScan(collection.namespace, filter, looked)
  return found
}

const execute = (
  collection: Collection,
  filter: Filter,
  { sort, skip, limit, transaction }: Selection,
): { found: Found[]; plan: Plan; sortedByIndex: boolean; looked: number } => {
  const found: Found[] = []
  const wantsOrder = sort !== null && sort.fields.length > 0
  const plan = choosePlan(collection, filter.conditions, sort)
  const disturbed = transaction ? disturbedSlots(collection, transaction, plan) : null
  const sortedByIndex = plan.kind === 'index' && plan.sorted && !disturbed
  const backwards = sort?.natural === -1
  const enough = (wantsOrder && !sortedByIndex) || backwards ? Infinity : skip + limit
  const seen = disturbed ? new Set<Slot>() : null
  let looked = 0
  const visit = (slot: Slot): boolean => {
    looked++
    const doc = transaction ? visibleTo(transaction, slot) : slot.doc
    seen?.add(slot)
    if (doc && filter.test(doc)) found.push({ slot, doc })
    return found.length < enough
  }
  const visitAll = (): void => {
    walk(collection, plan, visit)
    if (disturbed) for (const slot of disturbed) if (!seen!.has(slot) && found.length < enough) visit(slot)
  }
  if (enough > 0) {
    if (filter.slow) bounded(visitAll)
    else visitAll()
  }
  if (backwards) found.reverse()
  const ordered = wantsOrder && !sortedByIndex ? sortDocs(found, sort, skip + limit) : found
  const part = skip > 0 || ordered.length > limit ? ordered.slice(skip, skip + limit) : ordered
  return { found: part, plan, sortedByIndex, looked }
}

/** In the words of MongoDB's `explain`; `looked` is how many documents were looked at. */
export type Explained = { winningPlan: Record<string, unknown>; found: number; looked: number }

export const explainSelection = (collection: Collection, filter: Filter, selection: Selection): Explained => {
  const { found, plan, sortedByIndex, looked } = execute(collection, filter, selection)
  const { sort } = selection
  const source = stageOf(plan)
  const needsSort = sort !== null && sort.fields.length > 0 && !sortedByIndex
  const pattern = Object.fromEntries((sort?.fields ?? []).map(({ path, direction }) => [path, direction]))
  const winningPlan = needsSort ? { stage: 'SORT', sortPattern: pattern, inputStage: source } : source
  return { winningPlan, found: found.length, looked }
}

const stageOf = (plan: Plan): Record<string, unknown> => {
  switch (plan.kind) {
    case 'ids':
      return { stage: plan.ids.length === 1 ? 'EXPRESS_IXSCAN' : 'FETCH', keyPattern: '{ _id: 1 }', indexName: '_id_' }
    case 'index': {
      const { index, reverse } = plan
      const scan = {
        stage: 'IXSCAN',
        keyPattern: index.definition.key,
        indexName: index.name,
        isMultiKey: index.multikey,
        isUnique: index.unique,
        isSparse: index.sparse,
        isPartial: index.partial !== null,
        direction: reverse ? 'backward' : 'forward',
      }
      return { stage: 'FETCH', inputStage: scan }
    }
    case 'scan':
      return { stage: 'COLLSCAN', direction: 'forward' }
  }
}

/** Slots that an index may show wrongly to a transaction: written by it, or by others since its snapshot. */
const disturbedSlots = (collection: Collection, transaction: Transaction, plan: Plan): Iterable<Slot> | null => {
  const own = transaction.touched.get(collection)
  const { history } = collection
  if (!own && history.every(({ version }) => version <= transaction.snapshot)) return null
  const slots = new Set(own)
  for (const { slot, version } of history) if (version > transaction.snapshot) slots.add(slot)
  if (plan.kind !== 'ids') return slots
  const ids = new Set(plan.ids)
  for (const slot of slots) if (!ids.has(slot.id)) slots.delete(slot)
  return slots.size > 0 ? slots : null
}
