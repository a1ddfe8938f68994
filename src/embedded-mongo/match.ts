import { BSONRegExp, MaxKey, MinKey } from 'mongodb'
import { bounded } from './bounded.js'
import { badValue, failedToParse, notImplemented } from './errors.js'
import { compileExpression, type Variables } from './expressions.js'
import { compare, isEqual, isNaNValue, orderKey, rankOf } from './ordering.js'
import { parsePath, someAt, type Path } from './paths.js'
import {
  type Doc,
  docOf,
  isDoc,
  isNumeric,
  isTruthy,
  nameOf,
  toNumber,
  TYPE_NAMES,
  typeName,
  wholeNumber,
  type Value,
} from './values.js'

type Test = (leaf: Value) => boolean
type Comparison = '$eq' | '$gt' | '$gte' | '$lt' | '$lte'

/**
 * One condition on one path, all of which must hold. `operand` tells the planner what an index can do with it;
 * `element` says which elements of an array satisfy it, for the positional operator `$`.
 */
export type Condition = {
  path: string
  operator: Comparison | '$in' | '$exists' | '$expr-eq' | 'other'
  operand: Value
  test: (doc: Doc) => boolean
  /** The condition on one value, its arrays not unfolded: what `$elemMatch` asks of an element. */
  leaf: Test
  element: ((array: readonly Value[]) => number) | null
}

export type Filter = {
  test: (doc: Doc) => boolean
  /** The conditions joined by the outermost `and`. */
  conditions: readonly Condition[]
  /** Whether the conditions say all that the filter says; an `$or` is in none of them. */
  complete: boolean
  /** Whether a regular expression in it may take long: whoever tests many documents watches all of it at once. */
  slow: boolean
}

/** Compiles a query (manual: "Query Predicates"). Whatever is unknown is refused here, before anything is read. */
export const compileFilter = (query: Doc, variables: Variables = {}): Filter => {
  const slowOutside = slowRegexMet
  slowRegexMet = false
  const filter = allFilters(
    Object.keys(query).map((key) => {
      const operand = query[key]
      if (key.startsWith('$')) return compileLogical(key, operand, variables)
      const conditions = fieldConditions(nameOf(key), operand, variables)
      return filterOf(all(conditions.map(({ test }) => test)), conditions, true)
    }),
  )
  const slow = slowRegexMet
  slowRegexMet ||= slowOutside
  return { ...filter, slow }
}

/** Whether the filter that is being compiled has met a regular expression that may take long. */
let slowRegexMet = false

const filterOf = (test: Filter['test'], conditions: readonly Condition[], complete: boolean): Filter => ({
  test,
  conditions,
  complete,
  slow: false,
})

export const allFilters = (filters: readonly Filter[]): Filter => ({
  test: all(filters.map(({ test }) => test)),
  conditions: filters.flatMap(({ conditions }) => conditions),
  complete: filters.every(({ complete }) => complete),
  slow: filters.some(({ slow }) => slow),
})

const all = <T>(tests: readonly ((value: T) => boolean)[]): ((value: T) => boolean) => {
  if (tests.length === 0) return () => true
  if (tests.length === 1) return tests[0]!
  return (value) => {
    for (const test of tests) if (!test(value)) return false
    return true
  }
}

const clauses = (operator: string, operand: Value, variables: Variables): Filter[] => {
  if (!Array.isArray(operand)) throw badValue(`${operator} argument must be an array`)
  if (operand.length === 0) throw badValue(`${operator} argument must be a non-empty array`)
  return operand.map((clause) => {
    if (!isDoc(clause)) throw badValue(`${operator} argument's entries must be objects`)
    return compileFilter(clause, variables)
  })
}

const compileLogical = (operator: string, operand: Value, variables: Variables): Filter => {
  switch (operator) {
    case '$and':
      return allFilters(clauses(operator, operand, variables))
    case '$or': {
      const filters = clauses(operator, operand, variables)
      if (filters.length === 1) return filters[0]!
      return filterOf((doc) => filters.some(({ test }) => test(doc)), [], false)
    }
    case '$nor': {
      const filters = clauses(operator, operand, variables)
      return filterOf((doc) => !filters.some(({ test }) => test(doc)), [], false)
    }
    case '$expr': {
      const expression = compileExpression(operand, variables)
      const test = (doc: Doc): boolean => isTruthy(expression(doc, { ROOT: doc }))
      return filterOf(test, indexableExpression(operand, variables, test), false)
    }
    case '$comment':
      return filterOf(() => true, [], true)
    default:
      throw KNOWN_ELSEWHERE.has(operator)
        ? notImplemented(operator)
        : badValue(`unknown top level operator: ${operator}`)
  }
}

/** `{$expr: {$eq: ['$field', constant]}}`, the usual join of a $lookup, can use an index to find candidates. */
const indexableExpression = (operand: Value, variables: Variables, test: (doc: Doc) => boolean): Condition[] => {
  const sides = isDoc(operand) && Object.keys(operand).length === 1 ? operand.$eq : undefined
  if (!Array.isArray(sides) || sides.length !== 2) return []
  const field = sides.find((side) => typeof side === 'string' && /^\$[^$]/.test(side))
  const other = sides[0] === field ? sides[1] : sides[0]
  if (typeof field !== 'string' || isDoc(other) || Array.isArray(other)) return []
  let constant: Value | symbol = other
  if (typeof other === 'string' && other.startsWith('$')) constant = variables[other.slice(2)]
  if (
    typeof constant === 'symbol' ||
    isDoc(constant) ||
    Array.isArray(constant) ||
    constant === null ||
    constant === undefined
  )
    return []
  return [{ path: field.slice(1), operator: '$expr-eq', operand: constant, test, leaf: () => false, element: null }]
}

const KNOWN_ELSEWHERE = new Set(
  '$where $text $jsonSchema $alwaysTrue $alwaysFalse $sampleRate $geoWithin $geoIntersects $near $nearSphere $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear $within $geoNear $uniqueDocs $maxDistance $minDistance $box $center $polygon'.split(
    ' ',
  ),
)

const isOperatorDoc = (value: Value): value is Doc => isDoc(value) && (Object.keys(value)[0]?.startsWith('$') ?? false)

/** A document of operators on a value, as opposed to a query on a document's fields. */
export const isFieldOperator = (value: Value): boolean =>
  isOperatorDoc(value) && !['$and', '$or', '$nor', '$expr', '$where'].includes(Object.keys(value)[0]!)

const fieldConditions = (field: string, operand: Value, variables: Variables): Condition[] => {
  const path = parsePath(field)
  if (operand instanceof BSONRegExp) return [leafCondition(field, path, 'other', operand, regexTest(operand))]
  if (!isOperatorDoc(operand)) return [leafCondition(field, path, '$eq', operand, equals(operand))]
  if ('$ref' in operand || '$id' in operand) throw notImplemented('a DBRef in a query')
  return Object.keys(operand)
    .filter((operator) => operator !== '$options' && operator !== '$comment')
    .flatMap((operator) =>
      operator === '$all'
        ? allOf(field, path, operand[operator], variables)
        : operatorCondition(field, path, operator, operand[operator], operand, variables),
    )
    .concat('$options' in operand && !('$regex' in operand) ? failNow('$options needs a $regex') : [])
}

const failNow = (message: string): never => {
  throw badValue(message)
}

/** A condition that holds when one value at the path passes: elements of a final array count, and the array itself. */
const leafCondition = (
  field: string,
  path: Path,
  operator: Condition['operator'],
  operand: Value,
  leaf: Test,
): Condition => {
  const unfolded: Test = (value) => {
    if (Array.isArray(value)) for (const element of value) if (leaf(element)) return true
    return leaf(value)
  }
  const first = path[0]!.key
  return {
    path: field,
    operator,
    operand,
    // A position in the path has unfolded its array already.
    test: path.length === 1 ? (doc) => unfolded(doc[first]) : (doc) => someAt(doc, path, 0, unfolded, leaf),
    leaf,
    element: (array) => array.findIndex(leaf),
  }
}

/** A condition on the value at the path as it stands, arrays not unfolded at the end. */
const wholeCondition = (
  field: string,
  path: Path,
  operator: Condition['operator'],
  operand: Value,
  test: Test,
): Condition => ({
  path: field,
  operator,
  operand,
  test: (doc) => someAt(doc, path, 0, test),
  leaf: test,
  element: null,
})

const not = (condition: Condition): Condition => ({
  path: condition.path,
  operator: 'other',
  operand: null,
  test: (doc) => !condition.test(doc),
  leaf: (value) => !condition.leaf(value),
  element: null,
})

const operatorCondition = (
  field: string,
  path: Path,
  operator: string,
  operand: Value,
  siblings: Doc,
  variables: Variables,
): Condition => {
  switch (operator) {
    case '$eq':
      return leafCondition(field, path, '$eq', operand, equals(operand))
    case '$ne':
      if (operand instanceof BSONRegExp) throw badValue("Can't have regex as arg to $ne.")
      return not(leafCondition(field, path, '$eq', operand, equals(operand)))
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (operand instanceof BSONRegExp) throw badValue(`Can't have RegEx as arg to predicate over field '${field}'.`)
      return leafCondition(field, path, operator, operand, comparison(operator, operand))
    case '$in':
      return leafCondition(field, path, '$in', operand, isIn(operator, operand))
    case '$nin':
      return not(leafCondition(field, path, '$in', operand, isIn(operator, operand)))
    case '$exists': {
      const wanted = isTruthy(operand)
      const exists = wholeCondition(field, path, '$exists', true, (value) => value !== undefined)
      return wanted ? exists : not(exists)
    }
    case '$type':
      return leafCondition(field, path, 'other', operand, hasType(operand))
    case '$mod':
      return leafCondition(field, path, 'other', operand, remainder(operand))
    case '$regex':
      return leafCondition(field, path, 'other', operand, regexTest(regexOf(operand, siblings.$options)))
    case '$size': {
      const size = wholeNumber(operand)
      if (size === undefined || size < 0) throw failedToParse(`Failed to parse $size. Expected a non-negative integer`)
      return wholeCondition(field, path, 'other', operand, (value) => Array.isArray(value) && value.length === size)
    }
    case '$elemMatch': {
      const matches = elementTest(operand, variables)
      return {
        ...wholeCondition(field, path, 'other', operand, (value) => Array.isArray(value) && value.some(matches)),
        element: (array) => array.findIndex(matches),
      }
    }
    case '$not': {
      if (operand instanceof BSONRegExp) return not(leafCondition(field, path, 'other', operand, regexTest(operand)))
      if (!isDoc(operand)) throw badValue('$not needs a regex or a document')
      if (!isOperatorDoc(operand))
        throw badValue(Object.keys(operand).length ? '$not needs operators' : '$not cannot be empty')
      const inner = fieldConditions(field, operand, variables)
      const [test, leaf] = [all(inner.map((one) => one.test)), all(inner.map((one) => one.leaf))]
      return not({ path: field, operator: 'other', operand: null, test, leaf, element: null })
    }
    default:
      throw KNOWN_ELSEWHERE.has(operator) ? notImplemented(operator) : badValue(`unknown operator: ${operator}`)
  }
}

const equals = (operand: Value): Test => {
  if (operand === null) return (value) => value === undefined || value === null
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand
  if (operand instanceof MinKey || operand instanceof MaxKey) {
    const rank = rankOf(operand)
    return (value) => value !== undefined && rankOf(value) === rank
  }
  return (value) => value !== undefined && isEqual(value, operand)
}

const comparison = (operator: Exclude<Comparison, '$eq'>, operand: Value): Test => {
  const orEqual = operator === '$gte' || operator === '$lte'
  if (operand === null) return orEqual ? equals(null) : () => false
  // Everything compares with the two ends of the order.
  if (operand instanceof MinKey || operand instanceof MaxKey)
    throw notImplemented(`${operator} with ${typeName(operand)}`)
  if (isNaNValue(operand)) return orEqual ? isNaNValue : () => false
  const rank = rankOf(operand)
  const passes = {
    $gt: (result: number) => result > 0,
    $gte: (result: number) => result >= 0,
    $lt: (result: number) => result < 0,
    $lte: (result: number) => result <= 0,
  }[operator]
  return (value) =>
    value !== undefined && rankOf(value) === rank && passes(compare(value, operand)) && !isNaNValue(value)
}

const isIn = (operator: string, operand: Value): Test => {
  if (!Array.isArray(operand)) throw badValue(`${operator} needs an array`)
  const regexes = operand.filter((value) => value instanceof BSONRegExp).map(regexTest)
  if (operand.some(isOperatorDoc)) throw badValue(`cannot nest $ under ${operator}`)
  const keys = new Set(operand.map(orderKey))
  const withNull = operand.includes(null)
  return (value) => {
    if (value === undefined) return withNull
    return keys.has(orderKey(value)) || regexes.some((test) => test(value))
  }
}

const hasType = (operand: Value): Test => {
  const wanted = new Set<string>()
  for (const alias of Array.isArray(operand) ? operand : [operand]) {
    if (alias === 'number') for (const name of ['double', 'int', 'long', 'decimal']) wanted.add(name)
    else if (typeof alias === 'string' && alias in TYPE_NAMES) wanted.add(alias)
    else {
      const code = wholeNumber(alias)
      const name = Object.entries(TYPE_NAMES).find(([, value]) => value === code)?.[0]
      if (!name) throw badValue(`Unknown type name alias or code in $type`)
      wanted.add(name)
    }
  }
  if (wanted.size === 0) throw failedToParse('$type must match at least one type')
  return (value) => wanted.has(typeName(value))
}

const remainder = (operand: Value): Test => {
  if (!Array.isArray(operand) || operand.length !== 2)
    throw badValue('malformed mod, needs to be an array of two numbers')
  const [divisor, rest] = operand.map((value) => {
    if (!isNumeric(value) || !Number.isFinite(toNumber(value))) throw badValue('malformed mod, not a number')
    return typeof value === 'bigint' ? value : BigInt(Math.trunc(toNumber(value)))
  }) as [bigint, bigint]
  if (divisor === 0n) throw badValue('divisor cannot be 0')
  return (value) => {
    if (!isNumeric(value)) return false
    if (typeof value === 'bigint') return value % divisor === rest
    const number = toNumber(value)
    return Number.isFinite(number) && BigInt(Math.trunc(number)) % divisor === rest
  }
}

const regexOf = (operand: Value, options: Value): BSONRegExp => {
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string')
  if (operand instanceof BSONRegExp) {
    if (operand.options && options !== undefined) throw badValue('options set in both $regex and $options')
    return options === undefined ? operand : new BSONRegExp(operand.pattern, options)
  }
  if (typeof operand !== 'string') throw badValue('$regex has to be a string')
  return new BSONRegExp(operand, options ?? '')
}

// Perl's notations that JavaScript does not know, or reads in another way, are refused.
const ONLY_PERL = /\\[AzZGQEKRXhHNCpP]|\(\?[#>|R&'PimsxUJ^+-]|\(\?<[^=!]|\(\*|\[\[:|\[\^?\]|[*+?}]\+|\\x\{/

/** MongoDB's regular expressions are Perl's; what both languages read alike is served. */
const compileRegex = ({ pattern, options }: BSONRegExp): RegExp => {
  if (ONLY_PERL.test(pattern.replaceAll('\\\\', ''))) throw notImplemented(`the regular expression /${pattern}/`)
  let flags = ''
  for (const option of options) {
    if (option === 'i' || option === 'm' || option === 's') flags += flags.includes(option) ? '' : option
    else if (option !== 'u') throw notImplemented(`the regular expression option '${option}'`)
  }
  // In Perl `$` also matches before a final newline.
  const source = flags.includes('m')
    ? pattern
    : pattern.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\$/g, (part) =>
        part === '$' ? '(?=\\n?(?![\\s\\S]))' : part,
      )
  try {
    // Code points as in MongoDB; without `u` JavaScript allows needless escapes, as Perl does.
    return new RegExp(source, `${flags}u`)
  } catch {
    try {
      return new RegExp(source, flags)
    } catch (cause) {
      throw badValue(`Regular expression is invalid: ${(cause as Error).message}`)
    }
  }
}

/** Without a quantifier or a reference back there is nothing to try twice. */
const BACKTRACKS = /[*+?{]|\\[1-9k]/

const regexTest = (regex: BSONRegExp): Test => {
  const compiled = compileRegex(regex)
  const key = orderKey(regex)
  const slow = BACKTRACKS.test(regex.pattern)
  slowRegexMet ||= slow
  const test = slow ? (text: string) => bounded(() => compiled.test(text)) : (text: string) => compiled.test(text)
  return (value) => (typeof value === 'string' ? test(value) : value instanceof BSONRegExp && orderKey(value) === key)
}

/** `$elemMatch`: a query on documents, or operators on plain values. */
export const elementTest = (operand: Value, variables: Variables): Test => {
  if (!isDoc(operand)) throw badValue('$elemMatch needs an Object')
  if (!isFieldOperator(operand)) {
    if ('$expr' in operand) throw notImplemented('$expr inside $elemMatch')
    const { test } = compileFilter(operand, variables)
    // A nested array counts as a document whose fields are its positions.
    return (value) => (isDoc(value) ? test(value) : Array.isArray(value) && test(positionsOf(value)))
  }
  return all(fieldConditions('element', operand, variables).map(({ leaf }) => leaf))
}

const positionsOf = (array: readonly Value[]): Doc =>
  docOf(Object.fromEntries(array.map((value, index) => [`\0${index}`, value])))

/** `$all: [x, y]` is one condition for each (manual: "$all", Behavior). */
const allOf = (field: string, path: Path, operand: Value, variables: Variables): Condition[] => {
  if (!Array.isArray(operand)) throw badValue('$all needs an array')
  if (operand.length === 0) return [wholeCondition(field, path, 'other', operand, () => false)]
  return operand.map((value) => {
    if (isOperatorDoc(value)) {
      if (Object.keys(value)[0] !== '$elemMatch') throw badValue('no $ expressions in $all')
      return operatorCondition(field, path, '$elemMatch', value.$elemMatch, value, variables)
    }
    return value instanceof BSONRegExp
      ? leafCondition(field, path, 'other', value, regexTest(value))
      : leafCondition(field, path, '$eq', value, equals(value))
  })
}
