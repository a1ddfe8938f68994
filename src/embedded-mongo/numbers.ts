import { Decimal128, Double } from 'mongodb'
import { notImplemented } from './errors.js'
import type { Numeric } from './ordering.js'
import { doubleOf, isInt32, toNumber, type Value } from './values.js'

/**
 * Arithmetic with MongoDB's types: int32 grows into int64, a double makes the result a double.
 * Decimal128 is stored and compared, but not calculated with.
 */

const INT64_MAX = 2n ** 63n - 1n
export const fitsInt64 = (value: bigint): boolean => value <= INT64_MAX && value >= -INT64_MAX - 1n

const isDouble = (value: Numeric): boolean => value instanceof Double || (typeof value === 'number' && !isInt32(value))

/** The int32 or int64 with this value. */
export const integerOf = (value: bigint): number | bigint =>
  value >= -2147483648n && value <= 2147483647n ? Number(value) : value

const calculate = (
  a: Numeric,
  b: Numeric,
  onDoubles: (x: number, y: number) => number,
  onIntegers: (x: bigint, y: bigint) => bigint,
): { value: Value; overflow: boolean } => {
  if (a instanceof Decimal128 || b instanceof Decimal128) throw notImplemented('arithmetic with Decimal128')
  if (isDouble(a) || isDouble(b)) return { value: doubleOf(onDoubles(toNumber(a), toNumber(b))), overflow: false }
  const exact = onIntegers(BigInt(a as number | bigint), BigInt(b as number | bigint))
  const wide = typeof a === 'bigint' || typeof b === 'bigint'
  if (!fitsInt64(exact)) return { value: doubleOf(onDoubles(toNumber(a), toNumber(b))), overflow: true }
  return { value: wide ? exact : integerOf(exact), overflow: false }
}

/** `overflow` says that the result no longer is an int64 and was made a double. */
export const add = (a: Numeric, b: Numeric): { value: Value; overflow: boolean } => {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    // Both int32 and the sum too: the usual counter.
    if (isInt32(a) && isInt32(b) && (sum | 0) === sum) return { value: sum, overflow: false }
  }
  return calculate(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  )
}

export const subtract = (a: Numeric, b: Numeric): { value: Value; overflow: boolean } =>
  calculate(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
  )

export const multiply = (a: Numeric, b: Numeric): { value: Value; overflow: boolean } =>
  calculate(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
  )

/** `onIntegers` and `onDoubles` by the type of the operand; an integer stays of its type. */
export const mapNumber = (value: Numeric, onDoubles: (x: number) => number): Value => {
  if (value instanceof Decimal128) throw notImplemented('arithmetic with Decimal128')
  if (isDouble(value)) return doubleOf(onDoubles(toNumber(value)))
  return typeof value === 'bigint' ? BigInt(Math.trunc(onDoubles(Number(value)))) : onDoubles(toNumber(value))
}

export const modulo = (a: Numeric, b: Numeric): Value =>
  calculate(
    a,
    b,
    (x, y) => x % y,
    (x, y) => x % y,
  ).value
