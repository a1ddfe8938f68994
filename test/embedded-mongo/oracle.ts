import { BSON, Double, Int32, Long, ObjectId } from 'mongodb'

/**
 * What MongoDB answers, said as plainly as possible: no index, no compiled form, no thought of speed, and no line shared with
 * the store. It works on what the driver's BSON gives with `promoteValues: false`, where numbers keep their type.
 * `undefined` is a value that is not there. `Refused` stands for any error of MongoDB's.
 */
export class Refused extends Error {}

export type Doc = Record<string, unknown>

export const typed = (document: Doc): Doc => BSON.deserialize(BSON.serialize(document), { promoteValues: false })

const isObject = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
const isArray = (value: unknown): value is unknown[] => Array.isArray(value)
const isNumber = (value: unknown): value is Int32 | Double | Long =>
  value instanceof Int32 || value instanceof Double || value instanceof Long
const toNumber = (value: Int32 | Double | Long): number =>
  value instanceof Long ? Number(value.toBigInt()) : value.valueOf()

// --- order (manual: "Comparison/Sort Order") -------------------------------------------------------------------------

const rank = (value: unknown): number => {
  if (value === undefined) return 0
  if (value === null) return 1
  if (isNumber(value)) return 2
  if (typeof value === 'string') return 3
  if (isObject(value)) return 4
  if (Array.isArray(value)) return 5
  if (value instanceof ObjectId) return 7
  if (typeof value === 'boolean') return 8
  if (value instanceof Date) return 9
  throw new Error(`the oracle does not know a ${typeof value}`)
}

const sign = (a: number | bigint | string, b: number | bigint | string): number => (a < b ? -1 : a > b ? 1 : 0)

const compare = (a: unknown, b: unknown): number => {
  if (rank(a) !== rank(b)) return sign(rank(a), rank(b))
  if (isNumber(a) && isNumber(b)) {
    const [x, y] = [a, b].map((each) => (each instanceof Long ? each.toBigInt() : each.valueOf())) as [number, number]
    const [xIsNaN, yIsNaN] = [x, y].map((each) => typeof each === 'number' && Number.isNaN(each))
    if (xIsNaN || yIsNaN) return sign(xIsNaN ? 0 : 1, yIsNaN ? 0 : 1)
    return sign(x, y)
  }
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (isObject(a) && isObject(b)) {
    const [left, right] = [Object.entries(a), Object.entries(b)]
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const [[nameA, valueA], [nameB, valueB]] = [left[i]!, right[i]!]
      const result = sign(rank(valueA), rank(valueB)) || compare(nameA, nameB) || compare(valueA, valueB)
      if (result !== 0) return result
    }
    return sign(left.length, right.length)
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const result = compare(a[i], b[i])
      if (result !== 0) return result
    }
    return sign(a.length, b.length)
  }
  if (a instanceof ObjectId) return sign(a.toHexString(), (b as ObjectId).toHexString())
  if (a instanceof Date) return sign(a.getTime(), (b as Date).getTime())
  return sign(Number(a), Number(b))
}

const equal = (a: unknown, b: unknown): boolean => compare(a, b) === 0

// --- queries (manual: "Query on Embedded/Nested Documents", "Query an Array") ----------------------------------------

/**
 * The values that a path of a query leads to. On the way an array is entered by each of its objects, and by the position
 * that the path names. At the end an array stands for its elements and for itself, unless a position led to it.
 */
const reached = (value: unknown, path: readonly string[], unfold: boolean): unknown[] => {
  const [name, ...rest] = path
  if (isArray(value)) {
    if (name === undefined) return unfold ? [...value, value] : [value]
    return value.flatMap((element, position) => {
      const found = isObject(element) ? reached(element, path, unfold) : []
      if (name !== String(position)) return found
      if (rest.length === 0) return [...found, element]
      return isObject(element) || Array.isArray(element) ? [...found, ...reached(element, rest, unfold)] : found
    })
  }
  if (name === undefined) return [value]
  return isObject(value) ? reached(value[name], rest, unfold) : [undefined]
}

const isOperators = (value: unknown): value is Doc => isObject(value) && Object.keys(value)[0]?.startsWith('$') === true

const sameKind = (a: unknown, b: unknown): boolean =>
  rank(a) === rank(b) && !(isNumber(a) && Number.isNaN(toNumber(a))) && !(isNumber(b) && Number.isNaN(toNumber(b)))

/** One operator on one value, arrays not unfolded. */
const holds = (value: unknown, operator: string, operand: unknown): boolean => {
  const isNaNOperand = isNumber(operand) && Number.isNaN(toNumber(operand))
  switch (operator) {
    case '$eq':
      return operand === null ? value === null || value === undefined : value !== undefined && equal(value, operand)
    case '$gt':
      return operand !== null && sameKind(value, operand) && compare(value, operand) > 0
    case '$lt':
      return operand !== null && sameKind(value, operand) && compare(value, operand) < 0
    case '$gte':
    case '$lte':
      if (operand === null || isNaNOperand) return holds(value, '$eq', operand)
      return (
        sameKind(value, operand) && (operator === '$gte' ? compare(value, operand) >= 0 : compare(value, operand) <= 0)
      )
    case '$in':
      return (operand as unknown[]).some((each) => holds(value, '$eq', each))
    case '$type':
      return value !== undefined && typeNames(value).includes(operand as string)
    case '$mod': {
      if (!isNumber(value) || (!(value instanceof Long) && !Number.isFinite(toNumber(value)))) return false
      const whole = value instanceof Long ? value.toBigInt() : BigInt(Math.trunc(toNumber(value)))
      const [divisor, remainder] = (operand as Int32[]).map((each) => BigInt(each.valueOf()))
      return whole % divisor! === remainder
    }
    case '$regex':
      return typeof value === 'string' && new RegExp(operand as string).test(value)
    default:
      throw new Error(`the oracle does not know ${operator}`)
  }
}

const typeNames = (value: unknown): string[] => {
  if (value instanceof Int32) return ['int', 'number']
  if (value instanceof Double) return ['double', 'number']
  if (value instanceof Long) return ['long', 'number']
  return [['missing', 'null', '', 'string', 'object', 'array', '', 'objectId', 'bool', 'date'][rank(value)]!]
}

const asDocument = (value: unknown[]): Doc => Object.fromEntries(value.map((each, i) => [String(i), each]))

/** Whether one element of an array is what `$elemMatch` wants. */
const elementMatches = (element: unknown, wanted: Doc): boolean => {
  if (isOperators(wanted) && !['$and', '$or', '$nor'].includes(Object.keys(wanted)[0]!))
    return Object.entries(wanted).every(([operator, operand]) => valueMatches(element, operator, operand))
  if (Array.isArray(element)) return matches(asDocument(element), wanted)
  return isObject(element) && matches(element, wanted)
}

/** Inside `$elemMatch` an operator sees the element as it is. */
const valueMatches = (value: unknown, operator: string, operand: unknown): boolean => {
  switch (operator) {
    case '$ne':
      return !valueMatches(value, '$eq', operand)
    case '$nin':
      return !valueMatches(value, '$in', operand)
    case '$not':
      return !Object.entries(operand as Doc).every(([inner, value2]) => valueMatches(value, inner, value2))
    case '$exists':
      return (value !== undefined) === operand
    case '$size':
      return Array.isArray(value) && value.length === toNumber(operand as Int32)
    case '$elemMatch':
      return Array.isArray(value) && value.some((element) => elementMatches(element, operand as Doc))
    default:
      return holds(value, operator, operand)
  }
}

const fieldMatches = (doc: Doc, path: string, operator: string, operand: unknown): boolean => {
  const steps = path.split('.')
  const some = (unfold: boolean, test: (value: unknown) => boolean): boolean => reached(doc, steps, unfold).some(test)
  switch (operator) {
    case '$ne':
      return !fieldMatches(doc, path, '$eq', operand)
    case '$nin':
      return !fieldMatches(doc, path, '$in', operand)
    case '$not':
      return !Object.entries(operand as Doc).every(([inner, value]) => fieldMatches(doc, path, inner, value))
    case '$exists':
      return some(false, (value) => value !== undefined) === operand
    case '$size':
      return some(false, (value) => Array.isArray(value) && value.length === toNumber(operand as Int32))
    case '$elemMatch':
      return some(
        false,
        (value) => Array.isArray(value) && value.some((element) => elementMatches(element, operand as Doc)),
      )
    case '$all':
      return (
        (operand as unknown[]).length > 0 &&
        (operand as unknown[]).every((each) => fieldMatches(doc, path, '$eq', each))
      )
    default:
      return some(true, (value) => holds(value, operator, operand))
  }
}

export const matches = (doc: Doc, query: Doc): boolean =>
  Object.entries(query).every(([key, operand]) => {
    switch (key) {
      case '$and':
        return (operand as Doc[]).every((each) => matches(doc, each))
      case '$or':
        return (operand as Doc[]).some((each) => matches(doc, each))
      case '$nor':
        return !(operand as Doc[]).some((each) => matches(doc, each))
      default:
        return isOperators(operand)
          ? Object.entries(operand).every(([operator, value]) => fieldMatches(doc, key, operator, value))
          : fieldMatches(doc, key, '$eq', operand)
    }
  })

// --- sorting (manual: "Sort Consistency", "Comparison of arrays") ----------------------------------------------------

/** What a document is sorted by: of an array its least or its greatest element; an empty one comes before null. */
const sortValues = (value: unknown, path: readonly string[]): unknown[] => {
  const [name, ...rest] = path
  if (Array.isArray(value)) {
    if (name === undefined) return value.length === 0 ? [undefined] : value
    return value.length === 0 ? [null] : value.flatMap((each) => (isObject(each) ? sortValues(each, path) : [null]))
  }
  if (name === undefined) return [value ?? null]
  return isObject(value) ? sortValues(value[name], rest) : [null]
}

export const sorted = (docs: readonly Doc[], sort: Record<string, 1 | -1>): Doc[] =>
  [...docs].sort((a, b) => {
    for (const [path, direction] of Object.entries(sort)) {
      const [x, y] = [a, b].map((doc) =>
        sortValues(doc, path.split('.')).reduce((best, each) => (compare(each, best) * direction < 0 ? each : best)),
      )
      const result = compare(x, y) * direction
      if (result !== 0) return result
    }
    return 0
  })

// --- projections (manual: "Project Fields to Return from Query") -----------------------------------------------------

export const projected = (doc: Doc, projection: Record<string, 0 | 1>): Doc => {
  const paths = Object.keys(projection).filter((path) => path !== '_id')
  const including = paths.length > 0 ? projection[paths[0]!] === 1 : projection._id === 1
  const named = paths.map((path) => path.split('.'))
  if (projection._id !== 0 ? including : !including) named.push(['_id'])
  const cut = (value: unknown, depth: number, live: readonly string[][]): unknown => {
    if (Array.isArray(value)) {
      const kept = including ? value.filter((each) => isObject(each) || Array.isArray(each)) : value
      return kept.map((each) => cut(each, depth, live))
    }
    if (!isObject(value)) return value
    const result: Doc = {}
    for (const [key, inner] of Object.entries(value)) {
      const here = live.filter((path) => path[depth] === key)
      const ends = here.some((path) => path.length === depth + 1)
      if (here.length === 0) {
        if (!including) result[key] = inner
      } else if (ends) {
        if (including) result[key] = inner
      } else if (isObject(inner) || Array.isArray(inner)) result[key] = cut(inner, depth + 1, here)
      else if (!including) result[key] = inner
    }
    return result
  }
  return cut(doc, 0, named) as Doc
}

// --- updates (manual: "Update Operators") ----------------------------------------------------------------------------

const isPosition = (name: string): boolean => /^\d+$/.test(name)
const copy = <T>(value: T): T =>
  (Array.isArray(value)
    ? value.map(copy)
    : isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
      : value) as T

/** The container that the last step of a path is applied to, or null; made on the way when `create`. */
const containerOf = (doc: Doc, path: readonly string[], create: boolean): Doc | unknown[] | null => {
  let at: Doc | unknown[] = doc
  for (const [depth, name] of path.entries()) {
    if (Array.isArray(at) && !isPosition(name)) throw new Refused('a field in an array')
    if (depth === path.length - 1) return at
    const inner: unknown = get(at, name)
    if (inner === undefined) {
      if (!create) return null
      const made: Doc = {}
      put(at, name, made)
      at = made
    } else if (isObject(inner) || Array.isArray(inner)) at = inner
    else throw new Refused('through a scalar')
  }
  return at
}

const get = (container: Doc | unknown[], name: string): unknown =>
  Array.isArray(container) ? container[Number(name)] : container[name]
const put = (container: Doc | unknown[], name: string, value: unknown): void => {
  if (!Array.isArray(container)) container[name] = value
  else {
    while (container.length < Number(name)) container.push(null)
    container[Number(name)] = value
  }
}

const number = (value: unknown): Int32 | Double | Long => {
  if (!isNumber(value)) throw new Refused('not a number')
  return value
}

/** int32 grows into int64, a double makes a double, beyond int64 is an error. */
const calculate = (
  a: unknown,
  b: unknown,
  onNumbers: (x: number, y: number) => number,
  onBig: typeof addBig,
): unknown => {
  const [x, y] = [number(a), number(b)]
  if (x instanceof Double || y instanceof Double) return new Double(onNumbers(toNumber(x), toNumber(y)))
  const [i, j] = [x, y].map((each) => (each instanceof Long ? each.toBigInt() : BigInt(each.valueOf()))) as [
    bigint,
    bigint,
  ]
  const result = onBig(i, j)
  if (result !== BigInt.asIntN(64, result)) throw new Refused('beyond int64')
  if (x instanceof Long || y instanceof Long || result !== BigInt.asIntN(32, result)) return Long.fromBigInt(result)
  return new Int32(Number(result))
}
const addBig = (x: bigint, y: bigint): bigint => x + y

const list = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) throw new Refused('not an array')
  return value
}

/** The new value of a field; `undefined` leaves a missing field missing. */
const changed = (operator: string, before: unknown, operand: unknown): unknown => {
  switch (operator) {
    case '$set':
    case '$setOnInsert':
      return operand
    case '$inc':
      return before === undefined ? number(operand) : calculate(before, operand, (x, y) => x + y, addBig)
    case '$mul':
      return calculate(
        before === undefined ? new Int32(0) : before,
        operand,
        (x, y) => x * y,
        (x, y) => x * y,
      )
    case '$min':
      return before === undefined || compare(operand, before) < 0 ? operand : before
    case '$max':
      return before === undefined || compare(operand, before) > 0 ? operand : before
    case '$push':
      return pushed(before === undefined ? [] : list(before), operand)
    case '$addToSet': {
      const result = before === undefined ? [] : [...list(before)]
      const values = isObject(operand) && '$each' in operand ? (operand.$each as unknown[]) : [operand]
      for (const value of values) if (!result.some((each) => equal(each, value))) result.push(value)
      return result
    }
    case '$pull':
      return before === undefined ? undefined : list(before).filter((each) => !pulled(each, operand))
    case '$pullAll':
      return before === undefined
        ? undefined
        : list(before).filter((each) => !(operand as unknown[]).some((gone) => equal(each, gone)))
    case '$pop':
      if (before === undefined) return undefined
      return toNumber(operand as Int32) === 1 ? list(before).slice(0, -1) : list(before).slice(1)
    default:
      throw new Error(`the oracle does not know ${operator}`)
  }
}

const pulled = (element: unknown, operand: unknown): boolean => {
  if (isOperators(operand))
    return Object.entries(operand).every(([operator, value]) => fieldMatches({ it: element }, 'it', operator, value))
  if (isObject(operand)) return isObject(element) && matches(element, operand)
  return equal(element, operand)
}

const pushed = (before: readonly unknown[], operand: unknown): unknown[] => {
  if (!isObject(operand) || !('$each' in operand)) return [...before, operand]
  const result = [...before]
  const position = operand.$position === undefined ? result.length : toNumber(operand.$position as Int32)
  const at = position < 0 ? Math.max(0, result.length + position) : Math.min(position, result.length)
  result.splice(at, 0, ...(operand.$each as unknown[]))
  if (isNumber(operand.$sort)) {
    const direction = toNumber(operand.$sort)
    result.sort((a, b) => compare(a, b) * direction)
  }
  if (operand.$slice === undefined) return result
  const slice = toNumber(operand.$slice as Int32)
  return slice >= 0 ? result.slice(0, slice) : result.slice(slice)
}

const setAt = (doc: Doc, path: readonly string[], value: unknown): void =>
  put(containerOf(doc, path, true)!, path.at(-1)!, value)

const renamed = (doc: Doc, from: readonly string[], to: readonly string[]): void => {
  const source = containerOf(doc, from, false)
  const value = source && get(source, from.at(-1)!)
  if (source === null || value === undefined) return
  if (parentsOf(doc, from).some(Array.isArray)) throw new Refused('renaming out of an array')
  if (parentsOf(doc, to).some(Array.isArray)) throw new Refused('renaming into an array')
  setAt(doc, to, value)
  delete (source as Doc)[from.at(-1)!]
}

const parentsOf = (doc: Doc, path: readonly string[]): unknown[] => {
  const parents: unknown[] = []
  let at: unknown = doc
  for (const name of path.slice(0, -1)) {
    at = isObject(at) ? at[name] : Array.isArray(at) ? (at as unknown[])[Number(name)] : undefined
    parents.push(at)
  }
  return parents
}

/** The paths that `$[]` and `$[name]` stand for. */
const spread = (doc: Doc, path: readonly string[], arrayFilters: readonly Doc[]): string[][] => {
  const at = path.findIndex((name) => name.startsWith('$['))
  if (at < 0) return [[...path]]
  const container = containerOf(doc, [...path.slice(0, at), '0'], false)
  if (!Array.isArray(container)) throw new Refused('not an array')
  const name = path[at]!.slice(2, -1)
  const filter = arrayFilters.find((each) => Object.keys(each)[0]!.split('.')[0] === name)
  return container.flatMap((element: unknown, position) =>
    name !== '' && !matches({ [name]: element }, filter!)
      ? []
      : spread(doc, [...path.slice(0, at), String(position), ...path.slice(at + 1)], arrayFilters),
  )
}

/** New fields come in the order of their names, step by step (manual: "Update Operators", Behavior). */
const byPath = ({ path: a }: { path: readonly string[] }, { path: b }: { path: readonly string[] }): number => {
  const at = a.findIndex((name, i) => name !== b[i])
  if (at < 0 || b[at] === undefined) return a.length - b.length
  return isPosition(a[at]!) && isPosition(b[at]) ? Number(a[at]) - Number(b[at]) : sign(a[at]!, b[at])
}

export const updated = (doc: Doc, update: Doc, arrayFilters: readonly Doc[] = [], inserting = false): Doc => {
  if (!Object.keys(update)[0]?.startsWith('$'))
    return { ...(doc._id === undefined ? {} : { _id: doc._id }), ...copy(update) }
  checkOperands(update)
  const result = copy(doc)
  const changes = Object.entries(update).flatMap(([operator, fields]) =>
    Object.entries(fields as Doc).map(([field, operand]) => ({
      operator,
      operand,
      from: field.split('.'),
      path: (operator === '$rename' ? (operand as string) : field).split('.'),
    })),
  )
  for (const { operator, operand, from, path } of changes.sort(byPath)) {
    if (operator === '$setOnInsert' && !inserting) continue
    if (operator === '$rename') renamed(result, from, path)
    else if (operator === '$unset') for (const place of spread(result, path, arrayFilters)) unset(result, place)
    else
      for (const place of spread(result, path, arrayFilters)) {
        const found = containerOf(result, place, false)
        const before = found ? get(found, place.at(-1)!) : undefined
        const after = changed(operator, before, copy(operand))
        if (after !== undefined && after !== before) setAt(result, place, after)
      }
  }
  return result
}

/** What is wrong with an update whatever it is applied to. */
export const checkOperands = (update: Doc): void => {
  for (const operator of ['$inc', '$mul']) Object.values((update[operator] ?? {}) as Doc).forEach(number)
}

const unset = (doc: Doc, path: readonly string[]): void => {
  const parent = path.length === 1 ? doc : parentsOf(doc, path).at(-1)
  const name = path.at(-1)!
  if (isObject(parent)) delete parent[name]
  else if (Array.isArray(parent) && isPosition(name) && Number(name) < parent.length) parent[Number(name)] = null
}

/** The document that an upsert starts from: what its query says a field is equal to. */
export const seeded = (query: Doc): Doc => {
  const equalities: { path: readonly string[]; value: unknown }[] = []
  const collect = (part: Doc): void => {
    for (const [key, operand] of Object.entries(part)) {
      if (key === '$and' || (key === '$or' && (operand as Doc[]).length === 1)) (operand as Doc[]).forEach(collect)
      if (key.startsWith('$')) continue
      const path = key.split('.')
      for (const value of equalTo(operand)) {
        if (equalities.some(({ path: other }) => other.every((name, i) => path[i] === name)))
          throw new Refused('matched twice')
        equalities.push({ path, value })
      }
    }
  }
  collect(query)
  const doc: Doc = {}
  for (const { path, value } of equalities.sort((a, b) => sign(a.path.join('.'), b.path.join('.'))))
    setAt(doc, path, copy(value))
  return doc
}

/** The values that a condition says the field is equal to; a choice of one is no choice. */
const equalTo = (operand: unknown): unknown[] => {
  if (!isOperators(operand)) return [operand]
  return Object.entries(operand).flatMap(([operator, value]) => {
    if (operator === '$eq') return [value]
    if (operator === '$in' && (value as unknown[]).length === 1) return value
    return operator === '$all' ? value : []
  })
}
