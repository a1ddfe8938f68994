import { bounded } from './bounded.js'
import { badValue, CommandError, failedToParse, notSupported } from './errors.js'
import { compileExpression, type Expression, type Variables, LOCAL } from './expressions.js'
import { averageOf, distinctValues, extreme } from './expression-operators.js'
import { allFilters, compileFilter, type Filter } from './match.js'
import { add } from './numbers.js'
import { orderKey } from './ordering.js'
import { someAt, parsePath, indexedValues, EMPTY_ARRAY } from './paths.js'
import {
  compileAddFields,
  compileProjection,
  compileReplaceRoot,
  compileUnset,
  isScore,
  scopeOf,
  type Reshape,
} from './project.js'
import { runSearch } from './search.js'
import { runVectorSearch } from './vector-search.js'
import { compileSort, select, sortDocs, type Sort } from './select.js'
import type { Store } from './store.js'
import type { Transaction } from './transaction.js'
import { type Doc, docOf, isDoc, isNumeric, nameOf, newDoc, wholeNumber, type Value } from './values.js'

/** Pipelines (manual: "Aggregation Stages"): each stage turns a list of rows into the next. */
export type Row = { doc: Doc; score?: number }
type Stage = (rows: Row[]) => Row[]

export type PipelineContext = {
  store: Store
  database: string
  transaction: Transaction | null
  variables: Variables
}

type Parsed = { name: string; spec: Value }

const parseStages = (pipeline: Value): Parsed[] => {
  if (!Array.isArray(pipeline))
    throw new CommandError('TypeMismatch', "'pipeline' option must be specified as an array")
  return pipeline.map((stage) => {
    const names = isDoc(stage) ? Object.keys(stage) : []
    if (names.length !== 1)
      throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
    return { name: names[0]!, spec: (stage as Doc)[names[0]!] }
  })
}

/**
 * Compiles all of a pipeline before anything runs; the result runs it over a collection. The first `$match`, `$sort`
 * and `$limit` become one selection that can use an index.
 */
export const compilePipeline = (pipeline: Value, context: PipelineContext): ((namespace: string) => Row[]) => {
  const stages = parseStages(pipeline)
  const source = stages[0] ? SCORED_SOURCES[stages[0].name] : undefined
  const otherScore = stages
    .slice(source ? 1 : 0)
    .find(({ name, spec }) => name !== '$match' && asksForScore(spec, source?.score))
  if (otherScore)
    throw new CommandError(
      'Location40218',
      `${otherScore.name} asks for a score, but this pipeline has ${source ? `no other than ${source.score}` : 'none'}`,
    )
  if (source) {
    const { name, spec } = stages[0]!
    if (context.transaction)
      throw new CommandError('OperationNotSupportedInTransaction', `${name} cannot be used within a transaction`)
    const search = source.run(spec, context.store, limitBehind(stages))
    const rest = stages.slice(1).map((stage) => compileStage(stage, context))
    return (namespace) => rest.reduce((rows, stage) => stage(rows), search(namespace))
  }
  if (stages[0]?.name === '$listSearchIndexes') {
    const list = listSearchIndexes(stages[0].spec, context.store)
    const rest = stages.slice(1).map((stage) => compileStage(stage, context))
    return (namespace) => rest.reduce((rows, stage) => stage(rows), list(namespace))
  }
  const head = selection(stages, context.variables)
  const rest = stages.slice(head.stages).map((stage) => compileStage(stage, context))
  return (namespace) => {
    const { store, transaction } = context
    const collection = store.collection(namespace, transaction)
    const rows: Row[] = collection
      ? select(store, collection, head.filter, { sort: head.sort, skip: 0, limit: head.limit, transaction })
      : []
    return rest.reduce((rows, stage) => stage(rows), rows)
  }
}

/** Stages that begin a pipeline with scored rows. */
const SCORED_SOURCES: Partial<
  Record<string, { run: (spec: Value, store: Store, limit: number) => (namespace: string) => Row[]; score: string }>
> = {
  $search: { run: runSearch, score: 'searchScore' },
  $vectorSearch: { run: runVectorSearch, score: 'vectorSearchScore' },
}

/** How many rows the stage behind the first one lets through. */
const limitBehind = ([, second]: readonly Parsed[]): number =>
  second?.name === '$limit' ? limitSpec(second.spec) : Infinity

/** True where a stage asks for a score that its pipeline does not have. */
const asksForScore = (spec: Value, there: string | undefined): boolean => {
  if (Array.isArray(spec)) return spec.some((item) => asksForScore(item, there))
  if (!isDoc(spec)) return false
  return Object.keys(spec).some((key) =>
    key === '$meta' ? isScore(spec[key]) && spec[key] !== there : key !== '$literal' && asksForScore(spec[key], there),
  )
}

const listSearchIndexes = (spec: Value, store: Store): ((namespace: string) => Row[]) => {
  if (!isDoc(spec)) throw badValue('$listSearchIndexes must be an object')
  const unknown = Object.keys(spec).find((key) => key !== 'name' && key !== 'id')
  if (unknown !== undefined) throw failedToParse(`unknown argument to $listSearchIndexes: ${unknown}`)
  return (namespace) =>
    (store.collections.get(namespace)?.searchIndexes ?? [])
      .filter(({ stored }) => (spec.name ?? stored.name) === stored.name && (spec.id ?? stored.id) === stored.id)
      .map(({ stored }) => ({ doc: docOf({ ...stored, status: 'READY', queryable: true, latestVersion: 0 }) }))
}

const selection = (
  stages: readonly Parsed[],
  variables: Variables,
): { filter: Filter; sort: Sort | null; limit: number; stages: number } => {
  let used = 0
  const matches: Value[] = []
  while (stages[used]?.name === '$match') matches.push(matchSpec(stages[used++]!.spec))
  const filter = compileFilter(
    matches.length === 0 ? newDoc() : matches.length === 1 ? (matches[0] as Doc) : docOf({ $and: matches }),
    variables,
  )
  const sort = stages[used]?.name === '$sort' ? sortSpec(stages[used++]!.spec) : null
  const limit = stages[used]?.name === '$limit' ? limitSpec(stages[used++]!.spec) : Infinity
  return { filter, sort, limit, stages: used }
}

const matchSpec = (spec: Value): Doc => {
  if (!isDoc(spec)) throw new CommandError('Location15959', 'the match filter must be an expression in an object')
  return spec
}

const sortSpec = (spec: Value): Sort => {
  const sort = compileSort(spec)
  if (sort.natural || sort.fields.length === 0)
    throw new CommandError('Location15976', '$sort stage must have at least one sort key')
  return sort
}

const limitSpec = (spec: Value): number => {
  const limit = wholeNumber(spec)
  if (limit === undefined || limit < 1) throw new CommandError('Location15958', 'the limit must be positive')
  return limit
}

const reshaping =
  (reshape: Reshape): Stage =>
  (rows) =>
    rows.map(({ doc, score }) => {
      const result = reshape(doc, scopeOf(doc, score))
      return score === undefined ? { doc: result } : { doc: result, score }
    })

export const compileStage = ({ name, spec }: Parsed, context: PipelineContext): Stage => {
  const { variables } = context
  switch (name) {
    case '$match': {
      const { test, slow } = compileFilter(matchSpec(spec), variables)
      const matching: Stage = (rows) => rows.filter(({ doc }) => test(doc))
      return slow ? (rows) => bounded(() => matching(rows)) : matching
    }
    case '$project':
      if (!isDoc(spec)) throw new CommandError('Location15969', '$project specification must be an object')
      return reshaping(compileProjection(spec, variables, 'stage'))
    case '$addFields':
    case '$set':
      return reshaping(compileAddFields(spec, variables))
    case '$unset':
      return reshaping(compileUnset(spec))
    case '$replaceRoot':
      return reshaping(compileReplaceRoot(isDoc(spec) ? spec.newRoot : undefined, variables))
    case '$replaceWith':
      return reshaping(compileReplaceRoot(spec, variables))
    case '$sort': {
      const sort = sortSpec(spec)
      return (rows) => sortDocs(rows, sort)
    }
    case '$limit': {
      const limit = limitSpec(spec)
      return (rows) => rows.slice(0, limit)
    }
    case '$skip': {
      const skip = wholeNumber(spec)
      if (skip === undefined || skip < 0)
        throw new CommandError('Location15956', 'Argument to $skip cannot be negative')
      return (rows) => rows.slice(skip)
    }
    case '$count': {
      if (typeof spec !== 'string' || spec === '' || spec.startsWith('$') || spec.includes('.'))
        throw new CommandError('Location40156', 'the count field must be a non-empty string')
      return (rows) => (rows.length > 0 ? [{ doc: docOf({ [spec]: rows.length }) }] : [])
    }
    case '$unwind':
      return unwind(spec)
    case '$group':
      return group(spec, variables)
    case '$sortByCount': {
      const grouped = group(docOf({ _id: spec, count: docOf({ $sum: 1 }) }), variables)
      const sort = compileSort(docOf({ count: -1 }))
      return (rows) => sortDocs(grouped(rows), sort)
    }
    case '$lookup':
      return lookup(spec, context)
    case '$facet': {
      if (!isDoc(spec)) throw badValue('the $facet specification must be a non-empty object')
      const facets = Object.keys(spec).map((key) => {
        const stages = parseStages(spec[key])
        const forbidden = stages.find((stage) =>
          ['$facet', '$search', '$vectorSearch', '$changeStream', '$out', '$merge'].includes(stage.name),
        )
        if (forbidden)
          throw new CommandError('Location40600', `${forbidden.name} is not allowed to be used within a $facet stage`)
        return [key, stages.map((stage) => compileStage(stage, context))] as const
      })
      return (rows) => [
        {
          doc: docOf(
            Object.fromEntries(
              facets.map(([key, stages]) => [
                key,
                stages.reduce((some, stage) => stage(some), rows).map(({ doc }) => doc),
              ]),
            ),
          ),
        },
      ]
    }
    case '$search':
    case '$vectorSearch':
      throw new CommandError('Location40602', `${name} is only valid as the first stage in a pipeline`)
    default:
      throw KNOWN_STAGES.has(name)
        ? notSupported(`the stage ${name}`)
        : new CommandError('Location40324', `Unrecognized pipeline stage name: '${name}'`)
  }
}

const KNOWN_STAGES = new Set(
  '$bucket $bucketAuto $collStats $currentOp $densify $documents $fill $geoNear $graphLookup $indexStats $listLocalSessions $listSampledQueries $listSearchIndexes $listSessions $merge $out $planCacheStats $querySettings $redact $sample $searchMeta $setWindowFields $shardedDataDistribution $unionWith $changeStreamSplitLargeEvent $changeStream $rankFusion $scoreFusion'.split(
    ' ',
  ),
)

// --- $unwind ---------------------------------------------------------------------------------------------------------

const unwind = (spec: Value): Stage => {
  const { path, includeArrayIndex, preserveNullAndEmptyArrays, ...others } = isDoc(spec) ? spec : { path: spec }
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new CommandError('Location28811', `unrecognized option to $unwind stage: ${unknown}`)
  if (typeof path !== 'string' || !path.startsWith('$') || path.length < 2)
    throw new CommandError('Location28818', "path option to $unwind stage should be prefixed with a '$'")
  if (
    includeArrayIndex !== undefined &&
    (typeof includeArrayIndex !== 'string' || includeArrayIndex === '' || includeArrayIndex.startsWith('$'))
  )
    throw new CommandError(
      'Location28810',
      'expected a non-empty string for the includeArrayIndex option to $unwind stage',
    )
  const keep = preserveNullAndEmptyArrays === true
  const steps = parsePath(path.slice(1))
  const position = typeof includeArrayIndex === 'string' ? parsePath(includeArrayIndex) : null
  const set = (doc: Doc, at: typeof steps, value: Value, depth = 0): Doc => {
    const copy = Object.assign(newDoc(), doc)
    const { key } = at[depth]!
    if (depth === at.length - 1) {
      if (value === undefined) delete copy[key]
      else copy[key] = value
    } else {
      const inner = copy[key]
      copy[key] = set(isDoc(inner) ? inner : newDoc(), at, value, depth + 1)
    }
    return copy
  }
  const indexed = (doc: Doc, index: bigint | null): Doc => (position ? set(doc, position, index) : doc)
  return (rows) =>
    rows.flatMap((row): Row[] => {
      let value: Value = row.doc
      for (const { key } of steps) value = isDoc(value) ? value[key] : undefined
      if (Array.isArray(value)) {
        if (value.length > 0)
          return value.map((item, i) => ({ ...row, doc: indexed(set(row.doc, steps, item), BigInt(i)) }))
        return keep ? [{ ...row, doc: indexed(set(row.doc, steps, undefined), null) }] : []
      }
      if (value === undefined || value === null) return keep ? [{ ...row, doc: indexed(row.doc, null) }] : []
      return [{ ...row, doc: indexed(row.doc, null) }]
    })
}

// --- $group ----------------------------------------------------------------------------------------------------------

type Accumulator = { add: (value: Value) => void; result: () => Value }

const collecting = (finish: (values: Value[]) => Value) => (): Accumulator => {
  const values: Value[] = []
  return { add: (value) => values.push(value), result: () => finish(values) }
}

const ACCUMULATORS: Partial<Record<string, () => Accumulator>> = {
  $sum: () => {
    let sum: Value = 0
    return {
      add: (value) => {
        if (isNumeric(value)) sum = add(sum as number, value).value
      },
      result: () => sum,
    }
  },
  $avg: collecting(averageOf),
  $min: collecting((values) => extreme(values, -1)),
  $max: collecting((values) => extreme(values, 1)),
  $first: collecting((values) => values[0] ?? null),
  $last: collecting((values) => values.at(-1) ?? null),
  $push: collecting((values) => values.filter((value) => value !== undefined)),
  $addToSet: collecting((values) => distinctValues(values.filter((value) => value !== undefined))),
  $mergeObjects: collecting((values) => {
    const merged = newDoc()
    for (const value of values) {
      if (value === null || value === undefined) continue
      if (!isDoc(value)) throw badValue('$mergeObjects requires object inputs')
      Object.assign(merged, value)
    }
    return merged
  }),
}

const group = (spec: Value, variables: Variables): Stage => {
  if (!isDoc(spec)) throw new CommandError('Location15947', "a group's fields must be specified in an object")
  if (!('_id' in spec)) throw new CommandError('Location15955', 'a group specification must include an _id')
  const id = compileExpression(spec._id, variables)
  const fields = Object.keys(spec)
    .filter((key) => key !== '_id')
    .map((key): { key: string; make: () => Accumulator; value: Expression } => {
      const definition = spec[key]
      const [operator, ...more] = isDoc(definition) ? Object.keys(definition) : []
      if (nameOf(key).includes('.'))
        throw new CommandError('Location40235', `The field name '${key}' cannot contain '.'`)
      if (!isDoc(definition) || operator === undefined || more.length > 0)
        throw new CommandError('Location40234', `The field '${key}' must be an accumulator object`)
      if (operator === '$count') return { key, make: ACCUMULATORS.$sum!, value: () => 1 }
      const make = ACCUMULATORS[operator]
      if (!make)
        throw operator.startsWith('$')
          ? new CommandError('NotImplemented', `the accumulator ${operator} is not implemented by the embedded store`)
          : new CommandError('Location40234', `The field '${key}' must be an accumulator object`)
      return { key, make, value: compileExpression(definition[operator], variables) }
    })
  return (rows) => {
    const groups = new Map<string, { id: Value; accumulators: Accumulator[] }>()
    for (const { doc, score } of rows) {
      const scope = scopeOf(doc, score)
      const value = id(doc, scope) ?? null
      const key = orderKey(value)
      let entry = groups.get(key)
      if (!entry) groups.set(key, (entry = { id: value, accumulators: fields.map(({ make }) => make()) }))
      for (const [i, field] of fields.entries()) entry.accumulators[i]!.add(field.value(doc, scope))
    }
    return [...groups.values()].map(({ id: value, accumulators }) => {
      const doc = docOf({ _id: value })
      for (const [i, { key }] of fields.entries()) doc[key] = accumulators[i]!.result()
      return { doc }
    })
  }
}

// --- $lookup ---------------------------------------------------------------------------------------------------------

const lookup = (spec: Value, context: PipelineContext): Stage => {
  if (!isDoc(spec)) throw failedToParse('the $lookup specification must be an Object')
  const { from, as, localField, foreignField, let: bindings, pipeline, ...others } = spec
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw failedToParse(`unknown argument to $lookup: ${unknown}`)
  if (isDoc(from)) throw notSupported('$lookup from another database')
  if (typeof from !== 'string' || typeof as !== 'string') throw failedToParse('$lookup needs from and as')
  if ((localField === undefined) !== (foreignField === undefined))
    throw failedToParse('$lookup requires both or neither of localField and foreignField to be specified')
  if (localField === undefined && pipeline === undefined)
    throw failedToParse('$lookup requires either pipeline or both localField and foreignField to be specified')
  if (localField !== undefined && (typeof localField !== 'string' || typeof foreignField !== 'string'))
    throw failedToParse('localField and foreignField must be strings')
  if (bindings !== undefined && !isDoc(bindings)) throw failedToParse('$lookup argument let must be an object')
  const vars = Object.keys(bindings ?? {}).map(
    (name) => [name, compileExpression((bindings as Doc)[name], context.variables)] as const,
  )
  const namespace = `${context.database}.${from}`
  const target = compileAddFields(docOf({ [as]: '$$joined' }), { joined: LOCAL })
  const stages = pipeline === undefined ? [] : parseStages(pipeline)
  const refused = stages.find(({ name }) => ['$search', '$vectorSearch', '$out', '$merge'].includes(name))
  if (refused) throw notSupported(`${refused.name} inside $lookup`)
  // Everything unknown is found now, not at the first document.
  const compile = (variables: Variables): ((join: Doc | null) => Doc[]) => {
    const head = selection(stages, variables)
    const rest = stages.slice(head.stages).map((stage) => compileStage(stage, { ...context, variables }))
    return (join) => {
      const { store, transaction } = context
      const collection = store.collection(namespace, transaction)
      if (!collection) return []
      const filter = join ? allFilters([compileFilter(join), head.filter]) : head.filter
      const rows: Row[] = select(store, collection, filter, {
        sort: head.sort,
        skip: 0,
        limit: head.limit,
        transaction,
      })
      return rest.reduce((some, stage) => stage(some), rows).map(({ doc }) => doc)
    }
  }
  compile({ ...context.variables, ...Object.fromEntries(vars.map(([name]) => [name, LOCAL])) })
  const fixed = vars.length === 0 ? compile(context.variables) : null
  return (rows) =>
    rows.map((row) => {
      const scope = scopeOf(row.doc, row.score)
      const run =
        fixed ??
        compile({
          ...context.variables,
          ...Object.fromEntries(vars.map(([name, value]) => [name, value(row.doc, scope)])),
        })
      const joined = run(
        typeof localField === 'string' ? joinFilter(row.doc, localField, foreignField as string) : null,
      )
      return { ...row, doc: target(row.doc, { ...scope, joined }) }
    })
}

/** Equality as $lookup means it: an array matches by its elements, a missing field like null. */
const joinFilter = (doc: Doc, localField: string, foreignField: string): Doc => {
  const path = parsePath(localField)
  const { values, multi } = indexedValues(doc, path)
  if (!multi) return docOf({ [foreignField]: docOf({ $eq: values[0] ?? null }) })
  const found: Value[] = []
  someAt(doc, path, 0, (value) => {
    found.push(value ?? null)
    return false
  })
  const elements = values.filter((value) => value !== EMPTY_ARRAY).map((value) => value ?? null)
  return docOf({ [foreignField]: docOf({ $in: [...elements, ...found.filter((value) => !Array.isArray(value))] }) })
}
