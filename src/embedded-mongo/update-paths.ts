import { Draft } from './draft.js'
import { badValue, CommandError, failedToParse, notImplemented, typeMismatch } from './errors.js'
import type { Variables } from './expressions.js'
import { compileFilter, type Condition, type Filter } from './match.js'
import { parsePath, type Path, type Step } from './paths.js'
import { type Doc, isDoc, nameOf, newDoc, show, type Value } from './values.js'

/** The paths of an update: which may stand together, in which order they apply, and what `$`, `$[]` and `$[name]` stand for. */

export type ElementTests = ReadonlyMap<string, (element: Value) => boolean>

/** New fields appear in this order, whatever the order in the update (manual: "Update Operators", Behavior). */
export const comparePaths = (left: string, right: string): number => {
  const a = left.split('.')
  const b = right.split('.')
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] === b[i]) continue
    const numeric = /^\d+$/.test(a[i]!) && /^\d+$/.test(b[i]!)
    return numeric ? Number(a[i]) - Number(b[i]) : a[i]! < b[i]! ? -1 : 1
  }
  return a.length - b.length
}

/** The proper prefixes of a path, shortest first. */
export const prefixesOf = (path: string): string[] => {
  const prefixes: string[] = []
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) prefixes.push(path.slice(0, dot))
  return prefixes
}

/** No two changes of one update may concern the same field, or a field and what is inside it. */
export const refuseConflicts = (paths: readonly string[]): void => {
  const known = new Set<string>()
  for (const path of paths) {
    if (known.has(path)) throw conflict(path, path)
    known.add(path)
  }
  for (const path of paths) {
    const outer = prefixesOf(path).find((prefix) => known.has(prefix))
    if (outer !== undefined) throw conflict(path, outer)
  }
}

const conflict = (path: string, at: string): CommandError =>
  new CommandError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`)

export const checkPath = (path: string): void => {
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

/** The tests of `arrayFilters` by name. Every one must be used by one of the paths, and the other way round. */
export const arrayFilterTests = (filters: Value, variables: Variables, paths: readonly string[]): ElementTests => {
  const tests = new Map<string, (element: Value) => boolean>()
  if (filters !== undefined && !Array.isArray(filters)) throw typeMismatch('arrayFilters must be an array')
  for (const filter of filters ?? []) {
    if (!isDoc(filter)) throw typeMismatch('an array filter must be an object')
    const names = new Set(Object.keys(filter).map((key) => nameOf(key).split('.')[0]!))
    const [name] = names
    if (names.size !== 1 || !name || name.startsWith('$'))
      throw notImplemented('an array filter that does not use exactly one identifier directly')
    if (tests.has(name)) throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`)
    const { test } = compileFilter(filter, variables)
    tests.set(name, (element) => test(Object.assign(newDoc(), { [name]: element })))
  }
  const used = new Set(paths.flatMap((path) => path.split('.')).map((part) => /^\$\[(.+)\]$/.exec(part)?.[1]))
  for (const name of tests.keys()) {
    if (!used.has(name)) throw failedToParse(`The array filter for identifier '${name}' was not used in the update`)
  }
  for (const name of used) {
    if (name !== undefined && !tests.has(name)) throw badValue(`No array filter found for identifier '${name}'`)
  }
  return tests
}

/** The places that a path stands for in this document: one, unless `$[]` or `$[name]` name elements of an array. */
export const concretePaths = (doc: Doc, steps: Path, filter: Filter, tests: ElementTests): Path[] => {
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
    const name = step.key.slice(2, -1)
    const wanted = name === '' ? () => true : tests.get(name)!
    found = found.flatMap(({ path, value }) => {
      if (!Array.isArray(value)) {
        throw badValue(
          value === undefined
            ? `The path '${text}' must exist in the document in order to apply array updates.`
            : `Cannot apply array updates to non-array element ${text}: ${show(value)}`,
        )
      }
      return value.flatMap((element, index) =>
        wanted(element) ? [{ path: [...path, position(index)], value: element }] : [],
      )
    })
  }
  return found.map(({ path }) => path)
}

const position = (index: number): Step => ({ key: `\0${index}`, index })

/** Where the element is that the query found: the positional operator `$`. */
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
  const index =
    condition.path === array
      ? condition.element(value)
      : value.findIndex((element) => isDoc(element) && testBelow(condition, element, array))
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
