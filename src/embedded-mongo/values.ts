import type { MaxKey } from 'mongodb'
import { type Binary, BSONRegExp, type Code, Decimal128, Double, MinKey, Timestamp } from 'mongodb'
import { Binary as BinaryClass, Code as CodeClass } from 'mongodb'

/**
 * The twelve bytes of an ObjectId as a latin1 string: half the memory of the driver's class, and its order is the
 * order of the strings.
 */
export class ObjectId {
  constructor(readonly bytes: string) {}
}

/**
 * A BSON value in memory. Stored values are never mutated. The BSON type of a number survives:
 * a JavaScript number is an int32 when it is one (and not -0), else a double; a double that looks like an int32 is a
 * `Double`; a bigint is an int64. `undefined` is a missing value and never stored.
 */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Doc
  | Value[]
  | ObjectId
  | Date
  | Double
  | Decimal128
  | Binary
  | Timestamp
  | BSONRegExp
  | Code
  | MinKey
  | MaxKey

/**
 * A document. Fields whose name is all digits are kept under NUL + name (a name in BSON never holds a NUL), because
 * JavaScript would move them to the front and the order of fields is part of a document's value.
 */
export type Doc = { [key: string]: Value }

// No prototype: a field called `constructor` or `__proto__` is a field like any other.
const Shape = function () {} as unknown as new () => Doc
Shape.prototype = Object.create(null) as object

export const newDoc = (): Doc => new Shape()
export const isDoc = (value: unknown): value is Doc => value instanceof Shape
export const docOf = (fields: { [key: string]: Value }): Doc => Object.assign(newDoc(), fields)

const ALL_DIGITS = /^\d+$/

export const keyOf = (name: string): string => {
  const first = name.charCodeAt(0)
  return first >= 48 && first <= 57 && ALL_DIGITS.test(name) ? `\0${name}` : name
}
export const nameOf = (key: string): string => (key.charCodeAt(0) === 0 ? key.slice(1) : key)

export const isInt32 = (value: number): boolean => (value | 0) === value && !Object.is(value, -0)

export const isNumeric = (value: Value): value is number | bigint | Double | Decimal128 =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Decimal128

/** The double with this value, whatever it looks like. */
export const doubleOf = (value: number): number | Double => (isInt32(value) ? new Double(value) : value)

/** A numeric value as a JavaScript number; exact for everything but large int64 and most Decimal128. */
export const toNumber = (value: number | bigint | Double | Decimal128): number =>
  typeof value === 'number'
    ? value
    : value instanceof Double
      ? value.value
      : Number(typeof value === 'bigint' ? value : value.toString())

/** Whole number of a command option such as `limit`, or undefined when it is not one. */
export const wholeNumber = (value: Value): number | undefined => {
  if (!isNumeric(value)) return undefined
  const number = toNumber(value)
  return Number.isSafeInteger(number) ? number : undefined
}

/** MongoDB's truth in expressions and projections: false, 0, null and missing are false. */
export const isTruthy = (value: Value): boolean =>
  isNumeric(value) ? toNumber(value) !== 0 : value !== undefined && value !== null && value !== false

export const TYPE_NAMES = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const

export type TypeName = keyof typeof TYPE_NAMES | 'missing'

export const typeName = (value: Value): TypeName => {
  switch (typeof value) {
    case 'undefined':
      return 'missing'
    case 'number':
      return isInt32(value) ? 'int' : 'double'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'long'
    default:
  }
  if (value === null) return 'null'
  if (isDoc(value)) return 'object'
  if (Array.isArray(value)) return 'array'
  if (value instanceof ObjectId) return 'objectId'
  if (value instanceof Date) return 'date'
  if (value instanceof Double) return 'double'
  if (value instanceof Decimal128) return 'decimal'
  if (value instanceof BinaryClass) return 'binData'
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof BSONRegExp) return 'regex'
  if (value instanceof CodeClass) return 'javascript'
  return value instanceof MinKey ? 'minKey' : 'maxKey'
}

/** A value in a message that names it: a string as it stands, anything else as `show` has it. */
export const displayed = (value: Value): string => (typeof value === 'string' ? value : show(value))

/** How a value is shown in an error message, close to the shell's notation that MongoDB uses. */
export const show = (value: Value): string => {
  if (value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return String(value)
  if (value instanceof Double) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value)
  if (value instanceof ObjectId) return `ObjectId('${Buffer.from(value.bytes, 'latin1').toString('hex')}')`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (Array.isArray(value)) return value.length ? `[ ${value.map(show).join(', ')} ]` : '[]'
  if (isDoc(value)) {
    const fields = Object.keys(value).map((key) => `${nameOf(key)}: ${show(value[key])}`)
    return fields.length ? `{ ${fields.join(', ')} }` : '{}'
  }
  if (value instanceof Decimal128) return value.toString()
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`
  if (value instanceof BinaryClass) return `BinData(${value.sub_type}, ${value.toString('hex')})`
  if (value instanceof Timestamp) return `Timestamp(${value.high >>> 0}, ${value.low >>> 0})`
  return typeName(value)
}
