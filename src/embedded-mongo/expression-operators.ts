import { Double } from 'mongodb'
import { badValue, CommandError, notImplemented, typeMismatch } from './errors.js'
import { add, fitsInt64, integerOf, mapNumber, modulo, multiply, subtract } from './numbers.js'
import { compare, isEqual, orderKey } from './ordering.js'
import {
  type Doc,
  docOf,
  doubleOf,
  isDoc,
  isNumeric,
  isTruthy,
  nameOf,
  keyOf,
  newDoc,
  ObjectId,
  toNumber,
  typeName,
  wholeNumber,
  type Value,
} from './values.js'

type Operator = { operands: readonly [least: number, most: number]; apply: (values: Value[]) => Value }

const isNullish = (value: Value): value is null | undefined => value === null || value === undefined
const MANY = 1000

const unary = (apply: (value: Value) => Value): Operator => ({ operands: [1, 1], apply: ([value]) => apply(value) })
const binary = (apply: (a: Value, b: Value) => Value): Operator => ({
  operands: [2, 2],
  apply: ([a, b]) => apply(a, b),
})
/** Null or missing in, null out. */
const nullable =
  (apply: (value: Exclude<Value, null | undefined>) => Value) =>
  (value: Value): Value =>
    isNullish(value) ? null : apply(value)

const number = (operator: string, value: Value): Parameters<typeof add>[0] => {
  if (!isNumeric(value)) throw typeMismatch(`${operator} only supports numeric types, not ${typeName(value)}`)
  return value
}
const text = (operator: string, value: Value): string => {
  if (typeof value !== 'string') throw badValue(`${operator} requires a string, found: ${typeName(value)}`)
  return value
}
const array = (operator: string, value: Value): Value[] => {
  if (!Array.isArray(value)) throw badValue(`${operator} requires an array, found: ${typeName(value)}`)
  return value
}
const whole = (operator: string, value: Value): number => {
  const result = wholeNumber(value)
  if (result === undefined) throw badValue(`${operator} requires an integral number`)
  return result
}

const addAll = (values: Value[]): Value => {
  let date: Date | null = null
  let sum: Value = 0
  for (const value of values) {
    if (isNullish(value)) return null
    if (value instanceof Date) {
      if (date) throw typeMismatch('only one date allowed in an $add expression')
      date = value
    } else sum = add(number('$add', sum), number('$add', value)).value
  }
  return date ? new Date(date.getTime() + Math.round(toNumber(sum as number))) : sum
}

const difference = (a: Value, b: Value): Value => {
  if (isNullish(a) || isNullish(b)) return null
  if (a instanceof Date) {
    return b instanceof Date
      ? BigInt(a.getTime() - b.getTime())
      : new Date(a.getTime() - Math.round(toNumber(number('$subtract', b))))
  }
  return subtract(number('$subtract', a), number('$subtract', b)).value
}

const quotient = (a: Value, b: Value): Value => {
  if (isNullish(a) || isNullish(b)) return null
  const divisor = toNumber(number('$divide', b))
  if (typeName(a) === 'decimal' || typeName(b) === 'decimal') throw notImplemented('arithmetic with Decimal128')
  if (divisor === 0) throw badValue("can't $divide by zero")
  return doubleOf(toNumber(number('$divide', a)) / divisor)
}

/** Sum of the numbers; everything else is ignored. */
const sumOf = (values: readonly Value[]): Value => {
  let sum: Value = 0
  for (const value of values) if (isNumeric(value)) sum = add(sum as number, value).value
  return sum
}
export const averageOf = (values: readonly Value[]): Value => {
  const numbers = values.filter(isNumeric)
  if (numbers.length === 0) return null
  if (numbers.some((value) => typeName(value) === 'decimal')) throw notImplemented('arithmetic with Decimal128')
  return doubleOf(numbers.reduce<number>((sum, value) => sum + toNumber(value), 0) / numbers.length)
}
export const extreme = (values: readonly Value[], direction: 1 | -1): Value => {
  let best: Value = null
  for (const value of values) {
    if (!isNullish(value) && (best === null || compare(value, best) * direction > 0)) best = value
  }
  return best
}

/** With one array operand these work on its elements, else on the operands. */
const overValues = (apply: (values: readonly Value[]) => Value): Operator => ({
  operands: [0, MANY],
  apply: (values) => apply(values.length === 1 && Array.isArray(values[0]) ? values[0] : values),
})

const elementAt = (value: Value, index: Value): Value => {
  if (isNullish(value) || isNullish(index)) return null
  const items = array('$arrayElemAt', value)
  return items.at(whole('$arrayElemAt', index))
}

const slice = (operands: Value[]): Value => {
  if (operands.some(isNullish)) return null
  const items = array('$slice', operands[0])
  const first = whole('$slice', operands[1])
  if (operands.length === 2) return first < 0 ? items.slice(first) : items.slice(0, first)
  const count = whole('$slice', operands[2])
  if (count <= 0) throw badValue('Third argument to $slice must be positive')
  const start = first < 0 ? Math.max(0, items.length + first) : first
  return items.slice(start, start + count)
}

const distinct = (values: readonly Value[]): Value[] => {
  const seen = new Set<string>()
  return values.filter((value) => {
    const key = orderKey(value)
    return !seen.has(key) && seen.add(key)
  })
}
export { distinct as distinctValues }

const conversionFailure = (message: string): CommandError => new CommandError('ConversionFailure', message)

const toText = (value: Exclude<Value, null | undefined>): Value => {
  if (typeof value === 'string') return value
  if (value instanceof ObjectId) return Buffer.from(value.bytes, 'latin1').toString('hex')
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' || value instanceof Double) {
    const plain = value instanceof Double ? value.value : value
    if (!Number.isInteger(plain) || Math.abs(plain) < 1e15) return Object.is(plain, -0) ? '-0' : String(plain)
  }
  throw notImplemented(`$toString of a ${typeName(value)} such as this`)
}

const toInteger = (operator: string, value: Exclude<Value, null | undefined>): bigint => {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (value instanceof Date && operator === '$toLong') return BigInt(value.getTime())
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value)) throw conversionFailure(`Failed to parse number '${value}' in ${operator}`)
    return BigInt(value)
  }
  if (!isNumeric(value)) throw conversionFailure(`Unsupported conversion from ${typeName(value)} in ${operator}`)
  if (typeof value === 'bigint') return value
  const plain = toNumber(value)
  if (!Number.isFinite(plain)) throw conversionFailure(`Attempt to convert ${plain} to an integer`)
  return BigInt(Math.trunc(plain))
}

const inRange = (value: bigint, fits: boolean): bigint => {
  if (!fits) throw conversionFailure('Conversion would overflow target type')
  return value
}

const toDouble = (value: Exclude<Value, null | undefined>): Value => {
  if (typeof value === 'boolean') return doubleOf(value ? 1 : 0)
  if (value instanceof Date) return doubleOf(value.getTime())
  if (typeof value === 'string') {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value))
      throw conversionFailure(`Failed to parse number '${value}' in $toDouble`)
    return doubleOf(Number(value))
  }
  if (!isNumeric(value)) throw conversionFailure(`Unsupported conversion from ${typeName(value)} to double`)
  return doubleOf(toNumber(value))
}

const toDate = (value: Exclude<Value, null | undefined>): Value => {
  if (value instanceof Date) return value
  if (value instanceof ObjectId) return new Date(Buffer.from(value.bytes, 'latin1').readUInt32BE(0) * 1000)
  if (typeof value === 'string') {
    if (
      !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:?\d\d)$/.test(value) ||
      Number.isNaN(Date.parse(value))
    ) {
      throw notImplemented(`$toDate of '${value}' (only ISO 8601 with a zone)`)
    }
    return new Date(value)
  }
  if (isNumeric(value) && typeName(value) !== 'int') return new Date(Math.trunc(toNumber(value)))
  throw conversionFailure(`Unsupported conversion from ${typeName(value)} to date`)
}

const toObjectId = (value: Exclude<Value, null | undefined>): Value => {
  if (value instanceof ObjectId) return value
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{24}$/.test(value)) {
    throw conversionFailure(`Failed to parse objectId in $toObjectId with no onError value`)
  }
  return new ObjectId(Buffer.from(value, 'hex').toString('latin1'))
}

const dateParts = (operator: string, operand: Value): { date: Date; zone: string } | null => {
  const date = isDoc(operand) ? operand.date : operand
  const zone = isDoc(operand) ? (operand.timezone ?? 'UTC') : 'UTC'
  if (isNullish(date)) return null
  const at = date instanceof ObjectId ? (toDate(date) as Date) : date
  if (!(at instanceof Date)) throw badValue(`${operator} requires a date, found: ${typeName(date)}`)
  return { date: at, zone: text(operator, zone) }
}

const formats = new Map<string, Intl.DateTimeFormat>()
/** Wall-clock fields of an instant in an IANA zone or at an offset such as +02:00. */
const localFields = (
  date: Date,
  zone: string,
): Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number> => {
  let format = formats.get(zone)
  if (!format) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone === 'GMT' ? 'UTC' : zone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      })
    } catch (cause) {
      throw new CommandError('BadValue', `unrecognized time zone identifier: "${zone}"`, { cause: String(cause) })
    }
    formats.set(zone, format)
  }
  const fields: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(date)) fields[type] = Number(value)
  return fields
}

const datePart = (operator: string, pick: (fields: ReturnType<typeof localFields>, date: Date) => number): Operator =>
  unary((operand) => {
    const parts = dateParts(operator, operand)
    return parts && pick(localFields(parts.date, parts.zone), parts.date)
  })

const pad = (value: number, width: number): string => String(value).padStart(width, '0')
const weekday = (fields: ReturnType<typeof localFields>): number =>
  new Date(Date.UTC(fields.year, fields.month - 1, fields.day)).getUTCDay()
const dayOfYear = (fields: ReturnType<typeof localFields>): number =>
  Math.round((Date.UTC(fields.year, fields.month - 1, fields.day) - Date.UTC(fields.year, 0, 0)) / 86_400_000)

const dateToString = (operand: Value): Value => {
  if (!isDoc(operand)) throw badValue('$dateToString only supports an object as its argument')
  const parts = dateParts('$dateToString', operand)
  if (!parts) return operand.onNull ?? null
  const fields = localFields(parts.date, parts.zone)
  const format = operand.format === undefined ? '%Y-%m-%dT%H:%M:%S.%LZ' : text('$dateToString', operand.format)
  if (operand.format === undefined && parts.zone !== 'UTC')
    throw notImplemented('$dateToString with a timezone and no format')
  return format.replace(/%(.)/g, (_match, specifier: string) => {
    switch (specifier) {
      case 'Y':
        return pad(fields.year, 4)
      case 'm':
        return pad(fields.month, 2)
      case 'd':
        return pad(fields.day, 2)
      case 'H':
        return pad(fields.hour, 2)
      case 'M':
        return pad(fields.minute, 2)
      case 'S':
        return pad(fields.second, 2)
      case 'L':
        return pad(((parts.date.getTime() % 1000) + 1000) % 1000, 3)
      case 'j':
        return pad(dayOfYear(fields), 3)
      case 'w':
        return String(weekday(fields) + 1)
      case 'u':
        return String(weekday(fields) || 7)
      case '%':
        return '%'
      default:
        throw notImplemented(`$dateToString with %${specifier}`)
    }
  })
}

const merge = (values: Value[]): Value => {
  const result = newDoc()
  for (const value of values.length === 1 && Array.isArray(values[0]) ? values[0] : values) {
    if (isNullish(value)) continue
    if (!isDoc(value)) throw badValue(`$mergeObjects requires object inputs, but input ${typeName(value)}`)
    Object.assign(result, value)
  }
  return result
}

const objectToArray = (value: Exclude<Value, null | undefined>): Value => {
  if (!isDoc(value)) throw badValue('$objectToArray requires a document input')
  return Object.keys(value).map((key) => docOf({ k: nameOf(key), v: value[key] }))
}

const arrayToObject = (value: Exclude<Value, null | undefined>): Value => {
  const result: Doc = newDoc()
  for (const entry of array('$arrayToObject', value)) {
    const [key, inner] = Array.isArray(entry) ? entry : isDoc(entry) ? [entry.k, entry.v] : []
    result[keyOf(text('$arrayToObject', key))] = inner ?? null
  }
  return result
}

// Only letters of ASCII change: MongoDB's $toLower is defined for those alone.
const lower = (value: string): string => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const upper = (value: string): string => value.replace(/[a-z]/g, (letter) => letter.toUpperCase())

const rounded = (operator: string, round: (value: number) => number): Operator =>
  unary(nullable((value) => mapNumber(number(operator, value), round)))

export const OPERATORS: Partial<Record<string, Operator>> = {
  $eq: binary((a, b) => compare(a, b) === 0),
  $ne: binary((a, b) => compare(a, b) !== 0),
  $gt: binary((a, b) => compare(a, b) > 0),
  $gte: binary((a, b) => compare(a, b) >= 0),
  $lt: binary((a, b) => compare(a, b) < 0),
  $lte: binary((a, b) => compare(a, b) <= 0),
  $cmp: binary((a, b) => Math.sign(compare(a, b))),
  $not: unary((value) => !isTruthy(value)),

  $add: { operands: [0, MANY], apply: addAll },
  $subtract: binary(difference),
  $multiply: {
    operands: [0, MANY],
    apply: (values) => {
      let product: Value = 1
      for (const value of values) {
        if (isNullish(value)) return null
        product = multiply(product as number, number('$multiply', value)).value
      }
      return product
    },
  },
  $divide: binary(quotient),
  $mod: binary((a, b) => {
    if (isNullish(a) || isNullish(b)) return null
    if (toNumber(number('$mod', b)) === 0) throw badValue("can't $mod by zero")
    return modulo(number('$mod', a), number('$mod', b))
  }),
  $abs: rounded('$abs', Math.abs),
  $floor: rounded('$floor', Math.floor),
  $ceil: rounded('$ceil', Math.ceil),
  $trunc: rounded('$trunc', Math.trunc),
  $sum: overValues(sumOf),
  $avg: overValues(averageOf),
  $min: overValues((values) => extreme(values, -1)),
  $max: overValues((values) => extreme(values, 1)),

  $concat: {
    operands: [0, MANY],
    apply: (values) => (values.some(isNullish) ? null : values.map((value) => text('$concat', value)).join('')),
  },
  $toLower: unary((value) => (isNullish(value) ? '' : lower(toText(value) as string))),
  $toUpper: unary((value) => (isNullish(value) ? '' : upper(toText(value) as string))),
  $strLenCP: unary((value) => [...text('$strLenCP', value)].length),
  $strLenBytes: unary((value) => Buffer.byteLength(text('$strLenBytes', value))),
  $split: binary((value, separator) =>
    isNullish(value) || isNullish(separator) ? null : text('$split', value).split(text('$split', separator)),
  ),
  $substrCP: {
    operands: [3, 3],
    apply: ([value, from, count]) => {
      if (isNullish(value)) return ''
      const start = whole('$substrCP', from)
      return [...text('$substrCP', value)].slice(start, start + whole('$substrCP', count)).join('')
    },
  },

  $toString: unary(nullable(toText)),
  $toInt: unary(
    nullable((value) => {
      const result = toInteger('$toInt', value)
      return Number(inRange(result, typeof integerOf(result) === 'number'))
    }),
  ),
  $toLong: unary(
    nullable((value) => {
      const result = toInteger('$toLong', value)
      return inRange(result, fitsInt64(result))
    }),
  ),
  $toDouble: unary(nullable(toDouble)),
  $toDate: unary(nullable(toDate)),
  $toObjectId: unary(nullable(toObjectId)),
  $toBool: unary(nullable(isTruthy)),
  $type: unary(typeName),
  $isNumber: unary(isNumeric),

  $size: unary((value) => array('$size', value).length),
  $isArray: unary((value) => Array.isArray(value)),
  $arrayElemAt: binary(elementAt),
  $first: unary((value) => (isNullish(value) ? null : array('$first', value)[0])),
  $last: unary((value) => (isNullish(value) ? null : array('$last', value).at(-1))),
  $slice: { operands: [2, 3], apply: slice },
  $concatArrays: {
    operands: [0, MANY],
    apply: (values) => (values.some(isNullish) ? null : values.flatMap((value) => array('$concatArrays', value))),
  },
  $reverseArray: unary(nullable((value) => [...array('$reverseArray', value)].reverse())),
  $setUnion: {
    operands: [0, MANY],
    apply: (values) => (values.some(isNullish) ? null : distinct(values.flatMap((value) => array('$setUnion', value)))),
  },
  $setIntersection: {
    operands: [1, MANY],
    apply: (values) => {
      if (values.some(isNullish)) return null
      const [first, ...others] = values.map((value) => array('$setIntersection', value)) as [Value[], ...Value[][]]
      return distinct(first.filter((value) => others.every((other) => other.some((item) => isEqual(item, value)))))
    },
  },
  $setDifference: binary((a, b) => {
    if (isNullish(a) || isNullish(b)) return null
    const without = array('$setDifference', b)
    return distinct(array('$setDifference', a).filter((value) => !without.some((item) => isEqual(item, value))))
  }),
  $setIsSubset: binary((a, b) => {
    const whole = array('$setIsSubset', b)
    return array('$setIsSubset', a).every((value) => whole.some((item) => isEqual(item, value)))
  }),
  $mergeObjects: { operands: [0, MANY], apply: merge },
  $objectToArray: unary(nullable(objectToArray)),
  $arrayToObject: unary(nullable(arrayToObject)),

  $dateToString: unary(dateToString),
  $year: datePart('$year', ({ year }) => year),
  $month: datePart('$month', ({ month }) => month),
  $dayOfMonth: datePart('$dayOfMonth', ({ day }) => day),
  $hour: datePart('$hour', ({ hour }) => hour),
  $minute: datePart('$minute', ({ minute }) => minute),
  $second: datePart('$second', ({ second }) => second),
  $dayOfWeek: datePart('$dayOfWeek', (fields) => weekday(fields) + 1),
  $isoDayOfWeek: datePart('$isoDayOfWeek', (fields) => weekday(fields) || 7),
  $dayOfYear: datePart('$dayOfYear', dayOfYear),
}
