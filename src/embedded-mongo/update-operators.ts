import { BSONRegExp, Timestamp } from 'mongodb'
import { Draft } from './draft.js'
import { badValue, failedToParse, notImplemented, typeMismatch } from './errors.js'
import type { Variables } from './expressions.js'
import { compileFilter, isFieldOperator } from './match.js'
import { add, multiply } from './numbers.js'
import { compare, isEqual } from './ordering.js'
import { parsePath, type Path } from './paths.js'
import { checkPath } from './update-paths.js'
import { isDoc, isNumeric, isTruthy, docOf, nameOf, show, typeName, wholeNumber, type Value } from './values.js'

/** The operators of an update (manual: "Update Operators"), each on one path. */

export type Change = {
  path: string
  steps: Path
  onlyOnInsert: boolean
  make: Make
}
type Make = (draft: Draft, path: Path) => void

export const changesOf = (operator: string, operand: Value, variables: Variables): Change[] => {
  const make = OPERATORS[operator]
  if (!make) {
    throw operator === '$bit'
      ? notImplemented(operator)
      : failedToParse(
          `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
        )
  }
  if (!isDoc(operand))
    throw failedToParse(
      `Modifiers operate on fields but we found type ${typeName(operand)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${show(operand)}}`,
    )
  return Object.keys(operand).flatMap((key) => {
    const path = nameOf(key)
    const changes =
      operator === '$rename' ? rename(path, operand[key]) : [{ path, make: make(path, operand[key], variables) }]
    return changes.map((change) => {
      checkPath(change.path)
      return { ...change, steps: parsePath(change.path), onlyOnInsert: operator === '$setOnInsert' }
    })
  })
}

/** Replaces the value at the path by what `next` makes of it. An integer 0 is not the double -0, though `===` says so. */
const change =
  (next: (current: Value, draft: Draft) => Value): Make =>
  (draft, path) => {
    const current = draft.get(path)
    const value = next(current, draft)
    if (!Object.is(value, current)) draft.set(path, value)
  }

/** Changes what is there; where nothing is, nothing comes. */
const changeExisting =
  (next: (current: Exclude<Value, undefined>) => Value): Make =>
  (draft, path) => {
    const current = draft.get(path)
    if (current === undefined) return draft.checkViable(path)
    const value = next(current)
    if (!Object.is(value, current)) draft.set(path, value)
  }

const arithmetic =
  (operator: string, calculate: typeof add, whenMissing: (operand: Value) => Value) =>
  (path: string, operand: Value): Make => {
    if (!isNumeric(operand))
      throw typeMismatch(
        `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${show(operand)}}`,
      )
    return change((current, draft) => {
      if (current === undefined) return whenMissing(operand)
      if (!isNumeric(current)) {
        throw typeMismatch(
          `Cannot apply ${operator} to a value of non-numeric type. {_id: ${show(draft.root._id)}} has the field '${path.split('.').at(-1)}' of non-numeric type ${typeName(current)}`,
        )
      }
      const { value, overflow } = calculate(current, operand)
      if (overflow) throw badValue(`Failed to apply ${operator} operations to current value (${show(current)})`)
      return value
    })
  }

const bound =
  (direction: 1 | -1) =>
  (_path: string, operand: Value): Make =>
    change((current) => (current === undefined || compare(operand, current) * direction > 0 ? operand : current))

const rename = (path: string, target: Value): { path: string; make: Make }[] => {
  if (typeof target !== 'string')
    throw badValue(`The 'to' field for $rename must be a string: ${path}: ${show(target)}`)
  if (path === target) throw badValue(`The source and target field for $rename must differ: ${path}: "${target}"`)
  if ([path, target].some((side) => side.split('.').some((part) => part.startsWith('$'))))
    throw badValue(`The source and target field for $rename may not be dynamic: ${path}`)
  const from = parsePath(path)
  const to = parsePath(target)
  // Both ends take part in the search for conflicts; the deed is done once, at the target.
  return [
    { path, make: () => {} },
    {
      path: target,
      make: (draft) => {
        const value = draft.get(from)
        if (value === undefined) return draft.checkViable(from)
        for (const steps of [from, to]) {
          for (let depth = 1; depth < steps.length; depth++) {
            if (Array.isArray(draft.get(steps.slice(0, depth))))
              throw badValue(`The field of $rename cannot be an array element`)
          }
        }
        draft.set(to, value)
        draft.remove(from)
      },
    },
  ]
}

// --- arrays ----------------------------------------------------------------------------------------------------------

const arrayAt = (operator: string, path: string, current: Value): Value[] => {
  if (!Array.isArray(current)) {
    const message =
      operator === '$push'
        ? `The field '${path}' must be an array but is of type ${typeName(current)}`
        : `Cannot apply ${operator} to a non-array value`
    throw badValue(message)
  }
  return current
}

const push = (path: string, operand: Value): Make => {
  const modifiers = isDoc(operand) && '$each' in operand ? operand : null
  if (modifiers) {
    const unknown = Object.keys(modifiers).find((key) => !['$each', '$slice', '$position', '$sort'].includes(key))
    if (unknown) throw badValue(`Unrecognized clause in $push: ${unknown}`)
    if (!Array.isArray(modifiers.$each))
      throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(modifiers.$each)}`)
  }
  const values = modifiers ? (modifiers.$each as Value[]) : [operand]
  const [slice, at] = [modifiers?.$slice, modifiers?.$position].map((value) => {
    const number = wholeNumber(value)
    if (value !== undefined && number === undefined)
      throw badValue('The value for $slice and $position must be an integer value')
    return number
  })
  const sorted = modifiers?.$sort === undefined ? null : arraySort(modifiers.$sort)
  return change((current) => {
    const before = current === undefined ? [] : arrayAt('$push', path, current)
    const place =
      at === undefined ? before.length : at < 0 ? Math.max(0, before.length + at) : Math.min(at, before.length)
    let result = [...before.slice(0, place), ...values, ...before.slice(place)]
    if (sorted) result = sorted(result)
    if (slice !== undefined) result = slice < 0 ? result.slice(slice) : result.slice(0, slice)
    return result
  })
}

const arraySort = (spec: Value): ((values: Value[]) => Value[]) => {
  const direction = (value: Value): number => {
    const number = wholeNumber(value)
    if (number !== 1 && number !== -1) throw badValue('The $sort element value must be either 1 or -1')
    return number
  }
  if (!isDoc(spec)) {
    const sign = direction(spec)
    return (values) => [...values].sort((a, b) => compare(a, b) * sign)
  }
  const keys = Object.keys(spec).map((key) => [parsePath(nameOf(key)), direction(spec[key])] as const)
  const field = (value: Value, path: Path): Value => (isDoc(value) ? (new Draft(value).get(path) ?? null) : null)
  return (values) =>
    [...values].sort((a, b) => {
      for (const [path, sign] of keys) {
        const result = compare(field(a, path), field(b, path)) * sign
        if (result !== 0) return result
      }
      return 0
    })
}

const addToSet = (path: string, operand: Value): Make => {
  const each = isDoc(operand) && '$each' in operand
  if (each && (!Array.isArray(operand.$each) || Object.keys(operand).length > 1))
    throw badValue('The argument to $each in $addToSet must be an array')
  const values = each ? (operand.$each as Value[]) : [operand]
  return change((current) => {
    if (current !== undefined && !Array.isArray(current)) {
      throw badValue(
        `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeName(current)}`,
      )
    }
    const result = [...(current ?? [])]
    for (const value of values) if (!result.some((item) => isEqual(item, value))) result.push(value)
    return result.length === current?.length ? current : result
  })
}

/** Keeps the elements that `goes` does not name. */
const without = (operator: string, path: string, goes: (value: Value) => boolean): Make =>
  changeExisting((current) => {
    const kept = arrayAt(operator, path, current).filter((value) => !goes(value))
    return kept.length === (current as Value[]).length ? current : kept
  })

/** A document is a query on elements that are documents, operators are a condition on any element, the rest is equality. */
const pull = (path: string, operand: Value, variables: Variables): Make => {
  const isCondition = operand instanceof BSONRegExp || isFieldOperator(operand)
  if (isCondition) {
    const { test } = compileFilter(docOf({ element: operand }), variables)
    return without('$pull', path, (element) => test(docOf({ element })))
  }
  if (isDoc(operand)) {
    const { test } = compileFilter(operand, variables)
    return without('$pull', path, (element) => isDoc(element) && test(element))
  }
  return without('$pull', path, (element) => isEqual(element, operand))
}

const currentDate = (_path: string, operand: Value): Make => {
  const kind = isDoc(operand) ? operand.$type : isTruthy(operand) ? 'date' : undefined
  if (typeof operand !== 'boolean' && kind !== 'date' && kind !== 'timestamp') {
    throw badValue("$currentDate needs a boolean or {$type: 'date' | 'timestamp'}")
  }
  return change(() => {
    const now = Date.now()
    return kind === 'timestamp' ? new Timestamp({ t: Math.floor(now / 1000), i: 1 }) : new Date(now)
  })
}

const set = (_path: string, operand: Value): Make => change(() => operand)

const OPERATORS: Partial<Record<string, (path: string, operand: Value, variables: Variables) => Make>> = {
  $set: set,
  $setOnInsert: set,
  $unset: () => (draft, path) => draft.remove(path),
  $inc: arithmetic('$inc', add, (operand) => operand),
  $mul: arithmetic('$mul', multiply, (operand) => multiply(operand as number, 0).value),
  $min: bound(-1),
  $max: bound(1),
  $rename: () => () => {},
  $currentDate: currentDate,
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
  $pullAll: (path, operand) => {
    if (!Array.isArray(operand))
      throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand)}`)
    return without('$pullAll', path, (value) => operand.some((gone) => isEqual(gone, value)))
  },
  $pop: (path, operand) => {
    const end = wholeNumber(operand)
    if (end !== 1 && end !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${show(operand)}`)
    return changeExisting((current) => {
      if (!Array.isArray(current))
        throw typeMismatch(`Path '${path}' contains an element of non-array type '${typeName(current)}'`)
      return end === 1 ? current.slice(0, -1) : current.slice(1)
    })
  },
}
