import { Timestamp } from 'mongodb'
import { badValue, CommandError, failedToParse, notImplemented, typeMismatch } from './errors.js'
import type { Variables } from './expressions.js'
import { compileFilter, elementTest, type Condition, type Filter } from './match.js'
import { add, multiply } from './numbers.js'
import { compare, isEqual } from './ordering.js'
import { parsePath, type Path, type Step } from './paths.js'
import {
  compileAddFields,
  compileProjection,
  compileReplaceRoot,
  compileUnset,
  scopeOf,
  type Reshape,
} from './project.js'
import {
  type Doc,
  isDoc,
  isNumeric,
  isTruthy,
  nameOf,
  newDoc,
  show,
  typeName,
  wholeNumber,
  type Value,
} from './values.js'

/** Updates (manual: "Update Operators", "Updates with Aggregation Pipeline"); the given document is never changed. */
export type Update = {
  kind: 'operators' | 'replacement' | 'pipeline'
  apply: (doc: Doc, inserting: boolean) => Doc
}

type UpdateContext = { filter: Filter; arrayFilters: Value; variables: Variables }

export const compileUpdate = (update: Value, context: UpdateContext): Update => {
  if (Array.isArray(update)) {
    if (context.arrayFilters !== undefined)
      throw failedToParse('arrayFilters may not be specified for pipeline-style updates')
    const stages = update.map((stage) => compileReshape(stage, context.variables))
    return {
      kind: 'pipeline',
      apply: (doc) =>
        keepId(
          doc,
          stages.reduce((result, stage) => stage(result, scopeOf(result)), doc),
        ),
    }
  }
  if (!isDoc(update)) throw failedToParse('Update argument must be either an object or an array')
  const operators = Object.keys(update)
  if (!operators[0]?.startsWith('$')) {
    if (context.arrayFilters !== undefined)
      throw failedToParse('arrayFilters may not be specified for replacement-style updates')
    const dollar = operators.find((name) => name.startsWith('$'))
    if (dollar)
      throw new CommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      )
    return { kind: 'replacement', apply: (doc) => keepId(doc, update) }
  }
  const filters = arrayFilterTests(context.arrayFilters, context.variables)
  const changes = operators.flatMap((operator) => changesOf(operator, update[operator], context.variables))
  refuseConflicts(changes)
  changes.sort((a, b) => comparePaths(a.path, b.path))
  const used = new Set(changes.flatMap(({ path }) => path.split('.')).map((part) => /^\$\[(.+)\]$/.exec(part)?.[1]))
  for (const name of filters.keys()) {
    if (!used.has(name)) throw failedToParse(`The array filter for identifier '${name}' was not used in the update`)
  }
  for (const name of used) {
    if (name !== undefined && !filters.has(name)) throw badValue(`No array filter found for identifier '${name}'`)
  }
  return {
    kind: 'operators',
    apply: (doc, inserting) => {
      const draft = new Draft(doc)
      for (const change of changes) {
        if (change.onlyOnInsert && !inserting) continue
        for (const path of concretePaths(doc, change.steps, context.filter, filters)) change.make(draft, path)
      }
      if (!inserting && doc._id !== undefined && !(draft.root._id !== undefined && isEqual(doc._id, draft.root._id)))
        throw immutableId()
      return draft.root
    },
  }
}

const immutableId = (): CommandError =>
  new CommandError('ImmutableField', "Performing an update on the path '_id' would modify the immutable field '_id'")

/** A replacement keeps the `_id` and has it first. */
const keepId = (before: Doc, after: Doc): Doc => {
  if (before._id === undefined) return after
  if (after._id !== undefined && !isEqual(before._id, after._id)) throw immutableId()
  const result = newDoc()
  result._id = before._id
  for (const key in after) if (key !== '_id') result[key] = after[key]
  return result
}

const compileReshape = (stage: Value, variables: Variables): Reshape => {
  const [name, ...more] = isDoc(stage) ? Object.keys(stage) : []
  if (!isDoc(stage) || name === undefined || more.length > 0) {
    throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  }
  const spec = stage[name]
  switch (name) {
    case '$set':
    case '$addFields':
      return compileAddFields(spec, variables)
    case '$unset':
      return compileUnset(spec)
    case '$project':
      if (!isDoc(spec)) throw failedToParse('$project specification must be an object')
      return compileProjection(spec, variables, 'stage')
    case '$replaceRoot':
      return compileReplaceRoot(isDoc(spec) ? spec.newRoot : undefined, variables)
    case '$replaceWith':
      return compileReplaceRoot(spec, variables)
    default:
      throw new CommandError('InvalidOptions', `${name} is not allowed to be used within an update`)
  }
}

// --- a document under change -----------------------------------------------------------------------------------------

type Concrete = readonly Step[]

/** Copies what it changes, shares the rest with the document it came from. */
class Draft {
  readonly root: Doc
  private readonly own = new Set<object>()
  constructor(doc: Doc) {
    this.root = Object.assign(newDoc(), doc)
    this.own.add(this.root)
  }

  get(path: Concrete): Value {
    let value: Value = this.root
    for (const { key, index } of path) {
      if (isDoc(value)) value = value[key]
      else if (Array.isArray(value) && index >= 0) value = value[index]
      else return undefined
    }
    return value
  }

  set(path: Concrete, value: Value): void {
    let container: Doc | Value[] = this.root
    for (let depth = 0; depth < path.length - 1; depth++) {
      const step = path[depth]!
      const inner: Value = isDoc(container) ? container[step.key] : container[step.index]
      if (inner !== undefined && !isDoc(inner) && !Array.isArray(inner)) {
        throw notViable(path[depth + 1]!, step, inner)
      }
      const next: Doc | Value[] = inner === undefined ? newDoc() : this.owned(inner)
      this.put(container, step, next)
      container = next
    }
    this.put(container, path.at(-1)!, value)
  }

  remove(path: Concrete): void {
    const parent = this.get(path.slice(0, -1))
    const last = path.at(-1)!
    if (isDoc(parent) ? parent[last.key] === undefined : !Array.isArray(parent) || !(last.index in parent)) return
    // An element of an array cannot be taken out by $unset; it becomes null.
    if (Array.isArray(parent)) return this.set(path, null)
    if (path.length === 1) {
      delete this.root[last.key]
      return
    }
    const copy = this.owned(parent)
    delete (copy as Doc)[last.key]
    this.set(path.slice(0, -1), copy)
  }

  private owned(value: Value): Doc | Value[] {
    if (this.own.has(value as object)) return value as Doc | Value[]
    const copy = isDoc(value) ? Object.assign(newDoc(), value) : [...(value as Value[])]
    this.own.add(copy)
    return copy
  }

  private put(container: Doc | Value[], step: Step, value: Value): void {
    if (isDoc(container)) {
      container[step.key] = value
      return
    }
    if (step.index < 0) {
      throw new CommandError('PathNotViable', `Cannot create field '${nameOf(step.key)}' in element ${show(container)}`)
    }
    if (step.index > container.length + 1_500_000) throw badValue('an array cannot be filled up with so many nulls')
    while (container.length < step.index) container.push(null)
    container[step.index] = value
  }
}

const notViable = (child: Step, parent: Step, value: Value): CommandError =>
  new CommandError(
    'PathNotViable',
    `Cannot create field '${nameOf(child.key)}' in element {${nameOf(parent.key)}: ${show(value)}}`,
  )

// --- paths -----------------------------------------------------------------------------------------------------------

type Change = {
  path: string
  steps: Path
  onlyOnInsert: boolean
  make: (draft: Draft, path: Concrete) => void
}

/** New fields appear in this order, whatever the order in the update (manual: "Update Operators", Behavior). */
const comparePaths = (left: string, right: string): number => {
  const a = left.split('.')
  const b = right.split('.')
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] === b[i]) continue
    const numeric = /^\d+$/.test(a[i]!) && /^\d+$/.test(b[i]!)
    return numeric ? Number(a[i]) - Number(b[i]) : a[i]! < b[i]! ? -1 : 1
  }
  return a.length - b.length
}

const refuseConflicts = (changes: readonly Change[]): void => {
  const paths = new Set<string>()
  for (const { path } of changes) {
    const clash = [...paths].find(
      (other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`),
    )
    if (clash !== undefined) {
      const at = clash.length < path.length ? clash : path
      throw new CommandError(
        'ConflictingUpdateOperators',
        `Updating the path '${path}' would create a conflict at '${at}'`,
      )
    }
    paths.add(path)
  }
}

const arrayFilterTests = (filters: Value, variables: Variables): Map<string, (value: Value) => boolean> => {
  const tests = new Map<string, (value: Value) => boolean>()
  if (filters === undefined) return tests
  if (!Array.isArray(filters)) throw typeMismatch('arrayFilters must be an array')
  for (const filter of filters) {
    if (!isDoc(filter)) throw typeMismatch('an array filter must be an object')
    const keys = Object.keys(filter)
    const names = new Set(keys.map((key) => nameOf(key).split('.')[0]!))
    const [name] = names
    if (names.size !== 1 || !name || name.startsWith('$'))
      throw notImplemented('an array filter that does not use exactly one identifier directly')
    if (tests.has(name)) throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`)
    const { test } = compileFilter(filter, variables)
    tests.set(name, (value) => test(Object.assign(newDoc(), { [name]: value })))
  }
  return tests
}

/** The places that `$`, `$[]` and `$[name]` stand for in this document. */
const concretePaths = (
  doc: Doc,
  steps: Path,
  filter: Filter,
  filters: Map<string, (value: Value) => boolean>,
): Concrete[] => {
  if (!steps.some(({ key }) => key.startsWith('$'))) return [steps]
  let found: { path: Step[]; value: Value }[] = [{ path: [], value: doc }]
  for (const [depth, step] of steps.entries()) {
    const text = steps
      .slice(0, depth)
      .map(({ key }) => nameOf(key))
      .join('.')
    if (!step.key.startsWith('$')) {
      found = found.map(({ path, value }) => ({
        path: [...path, step],
        value: isDoc(value) ? value[step.key] : Array.isArray(value) ? value[step.index] : undefined,
      }))
      continue
    }
    if (step.key === '$') {
      const index = matchedPosition(doc, text, filter)
      found = found.map(({ path, value }) => ({
        path: [...path, position(index)],
        value: Array.isArray(value) ? value[index] : undefined,
      }))
      continue
    }
    const name = /^\$\[(.*)\]$/.exec(step.key)?.[1]
    if (name === undefined)
      throw new CommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${step.key}' is not valid for storage.`,
      )
    found = found.flatMap(({ path, value }) => {
      if (!Array.isArray(value)) {
        throw badValue(
          value === undefined
            ? `The path '${text}' must exist in the document in order to apply array updates.`
            : `Cannot apply array updates to non-array element ${text}: ${show(value)}`,
        )
      }
      const wanted = name === '' ? () => true : filters.get(name)!
      return value.flatMap((element, index) =>
        wanted(element) ? [{ path: [...path, position(index)], value: element }] : [],
      )
    })
  }
  return found.map(({ path }) => path)
}

const position = (index: number): Step => ({ key: `\0${index}`, index })

const matchedPosition = (doc: Doc, array: string, filter: Filter): number => {
  const touching = filter.conditions.filter(
    ({ path, operator }) => operator !== '$expr-eq' && (path === array || path.startsWith(`${array}.`)),
  )
  if (touching.length > 1)
    throw notImplemented('the positional operator $ with two conditions on one array (use $elemMatch)')
  const [condition] = touching as [Condition?]
  const value = new Draft(doc).get(parsePath(array))
  if (!condition?.element || !Array.isArray(value)) {
    throw badValue('The positional operator did not find the match needed from the query.')
  }
  const rest = condition.path === array ? null : parsePath(condition.path.slice(array.length + 1))
  const index = rest
    ? value.findIndex((element) => isDoc(element) && testBelow(condition, element, array))
    : condition.element(value)
  if (index < 0) throw badValue('The positional operator did not find the match needed from the query.')
  return index
}

/** Whether one element of the array alone satisfies a condition on a field of its elements. */
const testBelow = (condition: Condition, element: Doc, array: string): boolean => {
  let inner: Value = element
  for (const { key } of [...parsePath(array)].reverse()) {
    const outer = newDoc()
    outer[key] = inner
    inner = outer
  }
  return condition.test(inner)
}

// --- operators -------------------------------------------------------------------------------------------------------

const changesOf = (operator: string, operand: Value, variables: Variables): Change[] => {
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

const checkPath = (path: string): void => {
  const parts = path.split('.')
  if (parts.includes(''))
    throw new CommandError('BadValue', `The update path '${path}' contains an empty field name, which is not allowed.`)
  const dollar = parts.find((part) => part.startsWith('$') && part !== '$' && !/^\$\[[a-z]?[A-Za-z0-9]*\]$/.test(part))
  if (dollar)
    throw new CommandError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${dollar}' in '${path}' is not allowed in the context of an update. Consider using an aggregation pipeline with $setField.`,
    )
  if (parts[0]!.startsWith('$'))
    throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`)
}

type Make = (draft: Draft, path: Concrete) => void

/** Replaces the value at the path by what `next` makes of it. */
const change =
  (next: (current: Value, draft: Draft) => Value): Make =>
  (draft, path) => {
    const current = draft.get(path)
    const value = next(current, draft)
    if (value !== current) draft.set(path, value)
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
        for (const steps of [from, to]) {
          for (let depth = 1; depth < steps.length; depth++) {
            if (Array.isArray(draft.get(steps.slice(0, depth))))
              throw badValue(`The field of $rename cannot be an array element`)
          }
        }
        const value = draft.get(from)
        if (value === undefined) return
        draft.remove(from)
        draft.set(to, value)
      },
    },
  ]
}

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

/** Keeps the elements that `goes` does not name; a missing field stays missing. */
const without = (operator: string, path: string, goes: (value: Value) => boolean): Make =>
  change((current) => {
    if (current === undefined) return current
    const kept = arrayAt(operator, path, current).filter((value) => !goes(value))
    return kept.length === (current as Value[]).length ? current : kept
  })

const pull = (path: string, operand: Value, variables: Variables): Make => {
  if (!isDoc(operand)) {
    const { test } = compileFilter(Object.assign(newDoc(), { value: operand }), variables)
    return without('$pull', path, (value) =>
      Array.isArray(value) && !Array.isArray(operand) ? false : test(Object.assign(newDoc(), { value })),
    )
  }
  const matches = elementTest(operand, variables)
  return without('$pull', path, (value) => matches(value))
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

const set =
  (_path: string, operand: Value): Make =>
  (draft, path) => {
    const current = draft.get(path)
    // Equal in order is not enough: 1 and 1.0 differ in type.
    if (current === undefined || current !== operand) draft.set(path, operand)
  }

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
    return change((current) => {
      if (current === undefined) return current
      if (!Array.isArray(current))
        throw typeMismatch(`Path '${path}' contains an element of non-array type '${typeName(current)}'`)
      return end === 1 ? current.slice(0, -1) : current.slice(1)
    })
  },
}

/** The document that an upsert starts from: the equalities of its query. */
export const upsertSeed = (filter: Filter): Doc => {
  const draft = new Draft(newDoc())
  const seen = new Set<string>()
  for (const { path, operator, operand } of filter.conditions) {
    const single = operator === '$in' && Array.isArray(operand) && operand.length === 1
    if (operator !== '$eq' && !single) continue
    if (seen.has(path))
      throw new CommandError('NotSingleValueField', `cannot infer query fields to set, path '${path}' is matched twice`)
    seen.add(path)
    draft.set(parsePath(path), single ? operand[0] : operand)
  }
  return draft.root
}
