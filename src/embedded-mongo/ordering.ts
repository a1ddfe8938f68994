import { Binary, BSONRegExp, Code, Decimal128, Double, MinKey, Timestamp } from 'mongodb'
import { notImplemented } from './errors.js'
import { type Doc, isDoc, isNumeric, nameOf, ObjectId, type Value } from './values.js'

/**
 * MongoDB's order of values across BSON types (manual: "Comparison/Sort Order"), in two forms: `compare`, and
 * `orderKey`, a string whose order and equality are the same. Strings of keys make indexes, sets and groups.
 */

// One character per class of types; its code is the class's place in the order. Code 0 ends a sequence.
const RANK = {
  missing: 2,
  null: 3,
  number: 4,
  string: 5,
  object: 6,
  array: 7,
  binary: 8,
  objectId: 9,
  bool: 10,
  date: 11,
  timestamp: 12,
  regex: 13,
  code: 14,
  minKey: 1,
  maxKey: 15,
} as const

/** Values of one rank are comparable with each other; `$gt` and its like never cross ranks ("type bracketing"). */
export const rankOf = (value: Value): number => {
  switch (typeof value) {
    case 'undefined':
      return RANK.missing
    case 'number':
    case 'bigint':
      return RANK.number
    case 'string':
      return RANK.string
    case 'boolean':
      return RANK.bool
    default:
  }
  if (value === null) return RANK.null
  if (isDoc(value)) return RANK.object
  if (value instanceof ObjectId) return RANK.objectId
  if (value instanceof Date) return RANK.date
  if (Array.isArray(value)) return RANK.array
  if (value instanceof Double || value instanceof Decimal128) return RANK.number
  if (value instanceof Binary) return RANK.binary
  if (value instanceof Timestamp) return RANK.timestamp
  if (value instanceof BSONRegExp) return RANK.regex
  if (value instanceof Code) return RANK.code
  return value instanceof MinKey ? RANK.minKey : RANK.maxKey
}

const order = <T extends string | number | bigint | boolean>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

// By code point, as MongoDB's byte order of UTF-8 is: JavaScript's own order differs where surrogates are involved.
const HIGH_UNITS = /[\ud800-\uffff]/
const byCodePoint = (text: string): string =>
  HIGH_UNITS.test(text)
    ? text.replace(/[\ud800-\uffff]/g, (unit) => {
        const code = unit.charCodeAt(0)
        return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000)
      })
    : text

const compareStrings = (a: string, b: string): number => (a === b ? 0 : order(byCodePoint(a), byCodePoint(b)))

/** value = digits × 10^exponent */
const decimalParts = (value: Decimal128): { digits: bigint; exponent: number } | number => {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(value.toString())
  if (!match) return Number(value.toString().replace('inf', 'Inf'))
  const [, sign, whole, fraction = '', exponent = '0'] = match
  const digits = BigInt(`${whole}${fraction}`)
  return { digits: sign ? -digits : digits, exponent: Number(exponent) - fraction.length }
}

/** value = digits × 10^exponent, exactly: every finite double is a decimal fraction. */
const doubleParts = (value: number): { digits: bigint; exponent: number } => {
  let exponent = 0
  while (!Number.isInteger(value)) {
    value *= 2
    exponent++
  }
  // value / 2^e = value × 5^e / 10^e
  return { digits: BigInt(value) * 5n ** BigInt(exponent), exponent: -exponent }
}

const compareExactly = (a: number | bigint | Decimal128, b: number | bigint | Decimal128): number => {
  const [x, y] = [a, b].map((value) => {
    if (typeof value === 'bigint') return { digits: value, exponent: 0 }
    if (typeof value === 'number') return Number.isFinite(value) ? doubleParts(value) : value
    return decimalParts(value)
  }) as [ReturnType<typeof decimalParts>, ReturnType<typeof decimalParts>]
  if (typeof x === 'number' || typeof y === 'number') {
    const sign = (side: typeof x): number => (typeof side === 'number' ? side : 0)
    return compareDoubles(sign(x), sign(y))
  }
  const least = Math.min(x.exponent, y.exponent)
  const scaled = (side: { digits: bigint; exponent: number }): bigint =>
    side.digits * 10n ** BigInt(side.exponent - least)
  return order(scaled(x), scaled(y))
}

// NaN is less than every other number and equal to itself.
const compareDoubles = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : 1

export type Numeric = number | bigint | Double | Decimal128

const compareNumbers = (left: Numeric, right: Numeric): number => {
  const a = left instanceof Double ? left.value : left
  const b = right instanceof Double ? right.value : right
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b)
  if (a instanceof Decimal128 || b instanceof Decimal128) return compareExactly(a, b)
  // JavaScript compares bigint and number by their exact values.
  if (typeof a === 'number' && Number.isNaN(a)) return -1
  if (typeof b === 'number' && Number.isNaN(b)) return 1
  return a < b ? -1 : a > b ? 1 : 0
}

const compareDocs = (a: Doc, b: Doc): number => {
  const left = Object.keys(a)
  const right = Object.keys(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = a[left[i]!]
    const y = b[right[i]!]
    const result = order(rankOf(x), rankOf(y)) || compareStrings(nameOf(left[i]!), nameOf(right[i]!)) || compare(x, y)
    if (result !== 0) return result
  }
  return left.length - right.length
}

const compareArrays = (a: readonly Value[], b: readonly Value[]): number => {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const result = compare(a[i], b[i])
    if (result !== 0) return result
  }
  return a.length - b.length
}

export const compare = (a: Value, b: Value): number => {
  if (a === b) return 0
  const rank = rankOf(a)
  const other = rankOf(b)
  if (rank !== other) return rank - other
  switch (rank) {
    case RANK.number:
      return compareNumbers(a as Numeric, b as Numeric)
    case RANK.string:
      return compareStrings(a as string, b as string)
    case RANK.object:
      return compareDocs(a as Doc, b as Doc)
    case RANK.array:
      return compareArrays(a as Value[], b as Value[])
    case RANK.objectId:
      return order((a as ObjectId).bytes, (b as ObjectId).bytes)
    case RANK.bool:
      return order(a as boolean, b as boolean)
    case RANK.date:
      return order((a as Date).getTime(), (b as Date).getTime())
    case RANK.missing:
    case RANK.null:
    case RANK.minKey:
    case RANK.maxKey:
      return 0
    default:
      return order(orderKey(a), orderKey(b))
  }
}

export const isEqual = (a: Value, b: Value): boolean => compare(a, b) === 0

// --- keys ------------------------------------------------------------------------------------------------------------

const CHARS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
const END = '\0\0'

const scratch = new DataView(new ArrayBuffer(8))

/** Eight bytes that order as the doubles do: sign bit flipped for positive, all bits for negative numbers. */
const doubleKey = (value: number): string => {
  if (Number.isNaN(value)) return '\0\0\0\0\0\0\0\0'
  scratch.setFloat64(0, value === 0 ? 0 : value)
  let high = scratch.getUint32(0)
  let low = scratch.getUint32(4)
  if (high & 0x80000000) {
    high = ~high
    low = ~low
  } else high ^= 0x80000000
  return (
    CHARS[(high >>> 24) & 255]! +
    CHARS[(high >>> 16) & 255]! +
    CHARS[(high >>> 8) & 255]! +
    CHARS[high & 255]! +
    CHARS[(low >>> 24) & 255]! +
    CHARS[(low >>> 16) & 255]! +
    CHARS[(low >>> 8) & 255]! +
    CHARS[low & 255]!
  )
}

const nextBelow = (value: number): number => {
  scratch.setFloat64(0, value)
  const bits = scratch.getBigInt64(0)
  scratch.setBigInt64(0, value > 0 ? bits - 1n : bits + 1n)
  return scratch.getFloat64(0)
}

// Eight bytes for the double at or below, two for the rest of an int64 that lies between two doubles.
const numberKey = (value: Numeric): string => {
  if (typeof value === 'number') return `${doubleKey(value)}\0\0`
  if (value instanceof Double) return `${doubleKey(value.value)}\0\0`
  if (typeof value === 'bigint') {
    let floor = Number(value)
    if (BigInt(floor) > value) floor = nextBelow(floor)
    const rest = Number(value - BigInt(floor))
    return doubleKey(floor) + CHARS[rest >> 8]! + CHARS[rest & 255]!
  }
  const parts = decimalParts(value)
  if (typeof parts === 'number') return `${doubleKey(parts)}\0\0`
  const asDouble = Number(value.toString())
  if (compareExactly(asDouble, value) === 0) return `${doubleKey(asDouble)}\0\0`
  throw notImplemented(`an index, set or group over the Decimal128 ${value.toString()}, which is not exactly a double`)
}

// A NUL inside is followed by 1, so that the end (NUL NUL) comes first.
const textKey = (text: string): string =>
  byCodePoint(text.includes('\0') ? text.replaceAll('\0', '\0\x01') : text) + END

const bytesKey = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const uint32Key = (value: number): string =>
  CHARS[(value >>> 24) & 255]! + CHARS[(value >>> 16) & 255]! + CHARS[(value >>> 8) & 255]! + CHARS[value & 255]!

/**
 * A string with the order and the equality of `compare`. No key is the beginning of another one, so that keys can be
 * joined: the order of the joined keys is the order of the lists of values.
 */
export const orderKey = (value: Value): string => {
  const rank = rankOf(value)
  const head = CHARS[rank]!
  switch (rank) {
    case RANK.string:
      return head + textKey(value as string)
    case RANK.number:
      return head + numberKey(value as Numeric)
    case RANK.objectId:
      return head + (value as ObjectId).bytes
    case RANK.date:
      return head + doubleKey((value as Date).getTime())
    case RANK.bool:
      return head + (value ? '\x01' : '\0')
    case RANK.object: {
      let key = head
      for (const field of Object.keys(value as Doc)) {
        const inner = (value as Doc)[field]
        key += CHARS[rankOf(inner)]! + textKey(nameOf(field)) + orderKey(inner)
      }
      return `${key}\0`
    }
    case RANK.array: {
      let key = head
      for (const inner of value as Value[]) key += orderKey(inner)
      return `${key}\0`
    }
    case RANK.binary: {
      const content = (value as Binary).value()
      return head + uint32Key(content.length) + CHARS[(value as Binary).sub_type]! + bytesKey(content)
    }
    case RANK.timestamp:
      return head + uint32Key((value as Timestamp).high) + uint32Key((value as Timestamp).low)
    case RANK.regex:
      return head + textKey((value as BSONRegExp).pattern) + textKey((value as BSONRegExp).options)
    case RANK.code:
      return head + textKey((value as Code).code)
    default:
      return head
  }
}

/** The same key for a descending field: its order is reversed. */
export const descendingKey = (key: string): string => {
  let reversed = ''
  for (let i = 0; i < key.length; i++) reversed += String.fromCharCode(0xffff - key.charCodeAt(i))
  return reversed
}

/** First key of a rank and first key after it, for scans over one class of types. */
export const rankBounds = (value: Value): { from: string; to: string } => {
  const rank = rankOf(value)
  return { from: CHARS[rank]!, to: CHARS[rank + 1]! }
}

/** Key of an empty array in a sort or an index, below null as MongoDB has it. */
export const EMPTY_ARRAY_KEY = CHARS[RANK.missing]!
const NULL_KEY = CHARS[RANK.null]!
/** NaN's key begins the numbers; a range over numbers starts behind it. */
export const NUMBERS_FROM = CHARS[RANK.number]! + doubleKey(-Infinity)

/** A value as sort and index see it: missing is null. */
export const sortKey = (value: Value): string => (value === undefined ? NULL_KEY : orderKey(value))

export const isNaNValue = (value: Value): boolean =>
  isNumeric(value) &&
  typeof value !== 'bigint' &&
  (value instanceof Decimal128
    ? value.toString() === 'NaN'
    : Number.isNaN(value instanceof Double ? value.value : value))

/** Orders documents by the keys that were computed once for each. */
export const compareKeys =
  (directions: readonly number[]) =>
  (a: { keys: readonly string[] }, b: { keys: readonly string[] }): number => {
    for (let i = 0; i < directions.length; i++) {
      const x = a.keys[i]!
      const y = b.keys[i]!
      if (x !== y) return x < y ? -directions[i]! : directions[i]!
    }
    return 0
  }
