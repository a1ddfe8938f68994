import { CommandError, notImplemented, notSupported } from './errors.js'
import { compileFilter, type Filter } from './match.js'
import { descendingKey, EMPTY_ARRAY_KEY, sortKey } from './ordering.js'
import { EMPTY_ARRAY, indexedValues, parsePath, type Path } from './paths.js'
import { SortedKeys } from './sorted-keys.js'
import type { Slot } from './collection.js'
import type { Transaction } from './transaction.js'
import { type Doc, docOf, isDoc, isNumeric, nameOf, newDoc, show, toNumber, type Value } from './values.js'

export type IndexField = { path: string; steps: Path; direction: 1 | -1 }

/** An index: its definition as the client gave it, and its entries in order. */
export class Index {
  readonly fields: readonly IndexField[]
  readonly name: string
  readonly unique: boolean
  readonly sparse: boolean
  readonly partial: Filter | null
  readonly expireAfterSeconds: number | null
  readonly entries = new SortedKeys<Slot>()
  /** True once a document had an array at one of the paths; entries of one document may then repeat. */
  multikey = false
  /** Keys that open transactions have taken in a unique index, and are not yet in `entries`. */
  readonly claims = new Map<string, { transaction: Transaction; slot: Slot }>()

  constructor(readonly definition: Doc) {
    const key = definition.key as Doc
    this.name = definition.name as string
    this.fields = Object.keys(key).map((field) => ({
      path: nameOf(field),
      steps: parsePath(nameOf(field)),
      direction: toNumber(key[field] as number) < 0 ? -1 : 1,
    }))
    this.unique = definition.unique === true || this.name === '_id_'
    this.sparse = definition.sparse === true
    this.partial = isDoc(definition.partialFilterExpression) ? compileFilter(definition.partialFilterExpression) : null
    this.expireAfterSeconds = isNumeric(definition.expireAfterSeconds) ? toNumber(definition.expireAfterSeconds) : null
  }

  /** False when the values at all paths are the very same objects, so that no key can have changed. */
  touches(before: Doc, after: Doc): boolean {
    if (this.partial) return true
    for (const { steps } of this.fields) if (before[steps[0]!.key] !== after[steps[0]!.key]) return true
    return false
  }

  keysOf(doc: Doc): string[] {
    if (this.partial && !this.partial.test(doc)) return NO_KEYS
    if (this.fields.length === 1) {
      const { steps, direction } = this.fields[0]!
      const { values, multi } = indexedValues(doc, steps)
      if (!multi) {
        if (this.sparse && values[0] === undefined) return NO_KEYS
        return [directed(sortKey(values[0]), direction)]
      }
    }
    return this.combinations(doc).map(({ key }) => key)
  }

  /** Every key with the values it stands for; one per element of an array. */
  private combinations(doc: Doc): { key: string; values: Value[] }[] {
    let combined: { key: string; values: Value[] }[] = [{ key: '', values: [] }]
    let present = false
    let arrayRoot: string | null = null
    for (const { steps, direction } of this.fields) {
      const { values, multi } = indexedValues(doc, steps)
      if (multi) {
        this.multikey = true
        const root = steps[0]!.key
        if (arrayRoot !== null && arrayRoot !== root) {
          throw new CommandError(
            'CannotIndexParallelArrays',
            `cannot index parallel arrays [${nameOf(root)}] [${nameOf(arrayRoot)}]`,
          )
        }
        if (arrayRoot === root && this.unique)
          throw notImplemented('a unique index over two fields of the elements of one array')
        arrayRoot = root
      }
      present ||= values.some((value) => value !== undefined)
      const [first] = values
      combined =
        values.length === 1
          ? combined.map(({ key, values: before }) => ({
              key: key + fieldKey(first, direction),
              values: [...before, first],
            }))
          : combined.flatMap(({ key, values: before }) =>
              values.map((value) => ({ key: key + fieldKey(value, direction), values: [...before, value] })),
            )
    }
    if (this.sparse && !present) return []
    if (arrayRoot === null) return combined
    return [...new Map(combined.map((entry) => [entry.key, entry])).values()]
  }

  entryKey(key: string, slot: Slot): string {
    return this.unique ? key : key + slot.order
  }

  duplicate(namespace: string, doc: Doc, key: string): CommandError {
    const values = this.combinations(doc).find((entry) => entry.key === key)?.values ?? []
    const keyValue = newDoc()
    for (const [i, { path }] of this.fields.entries()) keyValue[path] = values[i] ?? null
    return new CommandError(
      'DuplicateKey',
      `E11000 duplicate key error collection: ${namespace} index: ${this.name} dup key: ${show(keyValue)}`,
      { keyPattern: this.definition.key, keyValue },
    )
  }
}

const NO_KEYS: string[] = []

const directed = (key: string, direction: 1 | -1): string => (direction === 1 ? key : descendingKey(key))
const fieldKey = (value: Value, direction: 1 | -1): string =>
  directed(value === EMPTY_ARRAY ? EMPTY_ARRAY_KEY : sortKey(value), direction)

export const idIndex = (): Index => new Index(docOf({ v: 2, key: docOf({ _id: 1 }), name: '_id_' }))

// --- definitions -----------------------------------------------------------------------------------------------------

const SERVED = new Set([
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
])
const PARTIAL_OPERATORS = new Set(['$eq', '$exists', '$gt', '$gte', '$lt', '$lte', '$type', '$and', '$or', '$in'])

/** Checks an index definition of `createIndexes` and brings it into the form that is stored and listed. */
export const indexDefinition = (spec: Value): Doc => {
  if (!isDoc(spec)) throw new CommandError('TypeMismatch', 'an index specification must be an object')
  for (const option of Object.keys(spec)) {
    if (SERVED.has(option)) continue
    if (option === 'hidden' && spec.hidden === false) continue
    if (option === 'collation' && isDoc(spec.collation) && spec.collation.locale === 'simple') continue
    throw notSupported(`the index option '${option}'`)
  }
  const { key, name } = spec
  if (!isDoc(key) || Object.keys(key).length === 0)
    throw new CommandError('CannotCreateIndex', 'Index keys cannot be empty.')
  for (const field of Object.keys(key)) {
    const direction = key[field]
    if (typeof direction === 'string') throw notSupported(`an index of type '${direction}'`)
    if (!isNumeric(direction) || toNumber(direction) === 0)
      throw new CommandError(
        'CannotCreateIndex',
        `Values in v:2 index key pattern must be numbers > 0 or < 0: ${show(key)}`,
      )
    if (
      field.startsWith('$') ||
      nameOf(field)
        .split('.')
        .some((part) => part === '' || part === '$**')
    ) {
      throw field.includes('$**')
        ? notSupported('a wildcard index')
        : new CommandError('CannotCreateIndex', `Index key contains an illegal field name: ${field}`)
    }
  }
  if (typeof name !== 'string' || name === '')
    throw new CommandError('FailedToParse', "The 'name' field is a required property of an index specification")
  if (spec.partialFilterExpression !== undefined) checkPartialFilter(spec.partialFilterExpression)
  const expire = spec.expireAfterSeconds
  if (expire !== undefined && (!isNumeric(expire) || !(toNumber(expire) >= 0) || toNumber(expire) > 2147483647)) {
    throw new CommandError(
      'CannotCreateIndex',
      "TTL index 'expireAfterSeconds' option must be within an acceptable range",
    )
  }
  if (expire !== undefined && Object.keys(key).length > 1)
    throw new CommandError(
      'CannotCreateIndex',
      'TTL indexes are single-field indexes, compound indexes do not support TTL.',
    )
  const definition = newDoc()
  definition.v = 2
  definition.key = key
  definition.name = name
  if (spec.unique === true) definition.unique = true
  if (spec.sparse === true) definition.sparse = true
  if (spec.partialFilterExpression !== undefined) definition.partialFilterExpression = spec.partialFilterExpression
  if (expire !== undefined) definition.expireAfterSeconds = toNumber(expire)
  return definition
}

const checkPartialFilter = (filter: Value): void => {
  if (!isDoc(filter))
    throw new CommandError('CannotCreateIndex', "'partialFilterExpression' for an index has to be a document")
  compileFilter(filter)
  const check = (value: Value): void => {
    if (Array.isArray(value)) return value.forEach(check)
    if (!isDoc(value)) return
    for (const key of Object.keys(value)) {
      if (key.startsWith('$') && !PARTIAL_OPERATORS.has(key))
        throw new CommandError('CannotCreateIndex', `Expression not supported in partial index: ${key}`)
      check(value[key])
    }
  }
  check(filter)
}
