import { BSONRegExp } from 'mongodb'
import { Draft } from './draft.js'
import { CommandError, failedToParse } from './errors.js'
import type { Variables } from './expressions.js'
import type { Filter } from './match.js'
import { isEqual } from './ordering.js'
import { parsePath } from './paths.js'
import {
  compileAddFields,
  compileProjection,
  compileReplaceRoot,
  compileUnset,
  scopeOf,
  type Reshape,
} from './project.js'
import { changesOf } from './update-operators.js'
import { arrayFilterTests, comparePaths, concretePaths, prefixesOf, refuseConflicts } from './update-paths.js'
import { type Doc, isDoc, newDoc, type Value } from './values.js'

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
  const changes = operators.flatMap((operator) => changesOf(operator, update[operator], context.variables))
  const paths = changes.map(({ path }) => path)
  refuseConflicts(paths)
  const tests = arrayFilterTests(context.arrayFilters, context.variables, paths)
  changes.sort((a, b) => comparePaths(a.path, b.path))
  return {
    kind: 'operators',
    apply: (doc, inserting) => {
      const draft = new Draft(doc)
      for (const change of changes) {
        if (change.onlyOnInsert && !inserting) continue
        for (const path of concretePaths(doc, change.steps, context.filter, tests)) change.make(draft, path)
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

/** The document that an upsert starts from: the equalities of its query. */
export const upsertSeed = (filter: Filter): Doc => {
  const equalities = new Map<string, Value>()
  for (const { path, operator, operand } of filter.conditions) {
    const single =
      operator === '$in' && Array.isArray(operand) && operand.length === 1 && !(operand[0] instanceof BSONRegExp)
    if (operator !== '$eq' && !single) continue
    const known = [...prefixesOf(path), path].find((each) => equalities.has(each))
    if (known !== undefined)
      throw new CommandError(
        'NotSingleValueField',
        `cannot infer query fields to set, ${known === path ? `path '${path}' is matched twice` : `both paths '${path}' and '${known}' are matched`}`,
      )
    equalities.set(path, single ? operand[0] : operand)
  }
  const draft = new Draft(newDoc())
  const inOrder = [...equalities].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [path, value] of inOrder) draft.set(parsePath(path), value)
  return draft.root
}
