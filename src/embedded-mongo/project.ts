import { CommandError, failedToParse, notImplemented } from './errors.js'
import { compileExpression, parseFieldPath, type Expression, type Scope, type Variables } from './expressions.js'
import { elementTest } from './match.js'
import { type Doc, isDoc, isNumeric, isTruthy, nameOf, newDoc, wholeNumber, type Value } from './values.js'

/** Projections (manual: "$project", "Project Fields to Return from Query"), and the stages that reshape one document. */
export type Reshape = (doc: Doc, scope: Scope) => Doc

type Mode = 'include' | 'exclude' | 'add'
type Leaf = 'keep' | 'drop' | { compute: Expression } | { alter: (value: Value) => Value }
type Branch = Map<string, Leaf | Branch>

const SCORE: Expression = (_doc, scope) => scope.SCORE

/** What `{$meta: …}` may name; which of the two there is in a pipeline is for aggregate.ts to check. */
export const isScore = (meta: Value): boolean => meta === 'searchScore' || meta === 'vectorSearchScore'

const isFlag = (value: Value): boolean => typeof value === 'boolean' || isNumeric(value)

const put = (tree: Branch, path: string, leaf: Leaf): void => {
  let branch = tree
  const steps = parseFieldPath(path)
  for (const [depth, { key }] of steps.entries()) {
    const known = branch.get(key)
    if (depth === steps.length - 1) {
      if (known) throw new CommandError('Location31249', `Path collision at ${path}`)
      branch.set(key, leaf)
    } else if (known instanceof Map) branch = known
    else if (known) throw new CommandError('Location31249', `Path collision at ${path}`)
    else {
      const inner: Branch = new Map()
      branch.set(key, inner)
      branch = inner
    }
  }
}

type Entry = { path: string; value: Value }

/** `{a: {b: 1}}` says the same as `{'a.b': 1}`. */
const flatten = (spec: Doc, prefix = ''): Entry[] =>
  Object.keys(spec).flatMap((key) => {
    const value = spec[key]
    const path = prefix + nameOf(key)
    if (!isDoc(value)) return [{ path, value }]
    const inner = Object.keys(value)
    if (inner.length === 0) throw failedToParse('An empty sub-projection is not a valid value.')
    return inner[0]!.startsWith('$') ? [{ path, value }] : flatten(value, `${path}.`)
  })

export type ProjectionPlace = 'find' | 'stage'

export const compileProjection = (spec: Doc, variables: Variables, place: ProjectionPlace): Reshape => {
  const entries = flatten(spec)
  if (entries.length === 0) {
    if (place === 'find') return (doc) => doc
    throw new CommandError('Location51024', 'Invalid $project :: projection specification must have at least one field')
  }
  const others = entries.filter(({ path }) => path !== '_id')
  const excluded = others.filter(({ value }) => isFlag(value) && !isTruthy(value))
  const alters = others.filter(({ value }) => place === 'find' && isAlteration(value))
  const included = others.filter((entry) => !excluded.includes(entry) && !alters.includes(entry) && isFlag(entry.value))
  const computed = others.filter((entry) => !isFlag(entry.value) && !alters.includes(entry))
  const id = entries.find(({ path }) => path === '_id')
  const idExcluded = id !== undefined && isFlag(id.value) && !isTruthy(id.value)
  const including =
    included.length > 0 ||
    computed.length > 0 ||
    (alters.length > 0 && alters.some(({ value }) => '$elemMatch' in (value as Doc)) && excluded.length === 0) ||
    (id !== undefined && !idExcluded && excluded.length === 0 && alters.length === 0)
  if (including && excluded.length > 0) {
    throw new CommandError('Location31254', `Cannot do exclusion on field ${excluded[0]!.path} in inclusion projection`)
  }
  const tree: Branch = new Map()
  if (id && !isFlag(id.value)) put(tree, '_id', { compute: compileProjected(id.value, variables) })
  else if (including && !idExcluded) put(tree, '_id', 'keep')
  else if (!including && idExcluded) put(tree, '_id', 'drop')
  for (const { path, value } of others) {
    if (place === 'find' && /(^|\.)\$(\.|$)/.test(path)) throw notImplemented(`the positional projection '${path}'`)
    if (isFlag(value)) put(tree, path, isTruthy(value) ? 'keep' : 'drop')
    else if (place === 'find' && isAlteration(value))
      put(tree, path, { alter: alteration(path, value as Doc, variables) })
    else put(tree, path, { compute: compileProjected(value, variables) })
  }
  const mode = including ? 'include' : 'exclude'
  return (doc, scope) => reshapeDoc(tree, mode, doc, doc, scope)
}

const compileProjected = (value: Value, variables: Variables): Expression => {
  if (isDoc(value) && '$meta' in value) {
    if (isScore(value.$meta)) return SCORE
    throw notImplemented(`{$meta: ${JSON.stringify(value.$meta)}}`)
  }
  return compileExpression(value, variables)
}

const isAlteration = (value: Value): boolean => isDoc(value) && ('$slice' in value || '$elemMatch' in value)

const alteration = (path: string, spec: Doc, variables: Variables): ((value: Value) => Value) => {
  if ('$elemMatch' in spec) {
    if (path.includes('.')) throw new CommandError('BadValue', 'Cannot use $elemMatch projection on a nested field.')
    const matches = elementTest(spec.$elemMatch, variables)
    return (value) => {
      const found = Array.isArray(value) ? value.find(matches) : undefined
      return found === undefined ? undefined : [found]
    }
  }
  const operands = (Array.isArray(spec.$slice) ? spec.$slice : [spec.$slice]).map(wholeNumber)
  if (operands.length < 1 || operands.length > 2 || operands.includes(undefined)) {
    throw notImplemented('$slice in a projection with other operands than whole numbers')
  }
  const [first, count] = operands as [number, number?]
  if (count !== undefined && count <= 0) throw failedToParse('$slice: the number of elements must be positive')
  return (value) => {
    if (!Array.isArray(value)) return value
    if (count === undefined) return first < 0 ? value.slice(first) : value.slice(0, first)
    const start = first < 0 ? Math.max(0, value.length + first) : first
    return value.slice(start, start + count)
  }
}

/** `$addFields`, `$set`. */
export const compileAddFields = (spec: Value, variables: Variables): Reshape => {
  if (!isDoc(spec)) throw new CommandError('Location40323', '$addFields specification stage must be an object')
  const tree: Branch = new Map()
  for (const { path, value } of flattenFields(spec)) put(tree, path, { compute: compileProjected(value, variables) })
  return (doc, scope) => reshapeDoc(tree, 'add', doc, doc, scope)
}

const flattenFields = (spec: Doc, prefix = ''): Entry[] =>
  Object.keys(spec).flatMap((key) => {
    const value = spec[key]
    const path = prefix + nameOf(key)
    const inner = isDoc(value) ? Object.keys(value) : []
    return inner.length > 0 && !inner[0]!.startsWith('$') ? flattenFields(value as Doc, `${path}.`) : [{ path, value }]
  })

export const compileUnset = (spec: Value): Reshape => {
  const tree: Branch = new Map()
  for (const path of Array.isArray(spec) ? spec : [spec]) {
    if (typeof path !== 'string' || path === '')
      throw new CommandError('Location31002', '$unset specification must be a string or an array of strings')
    put(tree, path, 'drop')
  }
  return (doc, scope) => reshapeDoc(tree, 'exclude', doc, doc, scope)
}

export const compileReplaceRoot = (expression: Value, variables: Variables): Reshape => {
  const root = compileExpression(expression, variables)
  return (doc, scope) => {
    const value = root(doc, scope)
    if (!isDoc(value)) throw new CommandError('BadValue', "'newRoot' expression must evaluate to an object")
    return value
  }
}

const reshape = (branch: Branch, mode: Mode, value: Value, root: Doc, scope: Scope): Value => {
  if (isDoc(value)) return reshapeDoc(branch, mode, value, root, scope)
  if (Array.isArray(value)) {
    const items = value.map((item) => reshape(branch, mode, item, root, scope))
    return mode === 'include' ? items.filter((item) => item !== undefined) : items
  }
  if (mode === 'exclude') return value
  return computes(branch) ? reshapeDoc(branch, mode, newDoc(), root, scope) : undefined
}

const computes = (branch: Branch): boolean => {
  for (const leaf of branch.values()) {
    if (leaf instanceof Map ? computes(leaf) : typeof leaf === 'object' && 'compute' in leaf) return true
  }
  return false
}

const reshapeDoc = (branch: Branch, mode: Mode, doc: Doc, root: Doc, scope: Scope): Doc => {
  const result = newDoc()
  for (const key in doc) {
    const leaf = branch.get(key)
    const value = doc[key]
    if (leaf === undefined) {
      if (mode !== 'include') result[key] = value
    } else if (leaf instanceof Map) {
      const inner = reshape(leaf, mode, value, root, scope)
      if (inner !== undefined) result[key] = inner
    } else if (leaf === 'keep') result[key] = value
    else if (leaf !== 'drop') {
      // A computed field keeps its place only when it is added to the document as it stands.
      const inner =
        'alter' in leaf ? leaf.alter(value) : mode === 'add' || key === '_id' ? leaf.compute(root, scope) : undefined
      if (inner !== undefined) result[key] = inner
    }
  }
  if (mode === 'exclude') return result
  for (const [key, leaf] of branch) {
    if (leaf instanceof Map) {
      if (!(key in doc) && computes(leaf)) result[key] = reshapeDoc(leaf, mode, newDoc(), root, scope)
    } else if (typeof leaf === 'object' && 'compute' in leaf && !(key in result)) {
      const value = leaf.compute(root, scope)
      if (value !== undefined) result[key] = value
    }
  }
  return result
}

export const scopeOf = (doc: Doc, score?: number): Scope =>
  score === undefined ? { ROOT: doc } : { ROOT: doc, SCORE: score }
