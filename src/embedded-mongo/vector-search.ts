import { Binary } from 'mongodb'
import type { Row } from './aggregate.js'
import { badValue, notImplemented, notSupported } from './errors.js'
import { compileFilter, type Filter } from './match.js'
import type { Store } from './store.js'
import { VectorIndex } from './vector-index.js'
import { type Doc, displayed, isDoc, nameOf, newDoc, typeName, type Value, wholeNumber } from './values.js'

/**
 * `$vectorSearch` (Atlas Vector Search: "Run Vector Search Queries"). Always exact, also where an approximate search would do:
 * `numCandidates` is checked and then means nothing.
 */

const MAX_CANDIDATES = 10_000
const OPTIONS = ['index', 'path', 'queryVector', 'numCandidates', 'limit', 'exact', 'filter']

export const runVectorSearch = (spec: Value, store: Store): ((namespace: string) => Row[]) => {
  if (!isDoc(spec)) throw badValue('$vectorSearch must be an object')
  const option = Object.keys(spec).find((key) => !OPTIONS.includes(key))
  if (option !== undefined) throw notSupported(`the option '${nameOf(option)}' of $vectorSearch`)
  const missing = ['index', 'path', 'queryVector', 'limit'].find((key) => !(key in spec))
  if (missing !== undefined) throw badValue(`"${missing}" is required`)
  const { index: name, path, queryVector, exact = false, filter = newDoc() } = spec
  if (typeof name !== 'string') throw badValue('"index" must be a string')
  if (typeof path !== 'string') throw badValue('"path" must be a string')
  if (typeof exact !== 'boolean') throw badValue('"exact" must be a boolean')
  if (!isDoc(filter)) throw badValue('"filter" must be a document')
  const limit = wholeNumber(spec.limit)
  if (limit === undefined || limit < 1) throw badValue('"limit" must be a positive whole number')
  checkCandidates(spec.numCandidates, exact, limit)
  const paths = new Set<string>()
  checkFilter(filter, paths)
  const compiled: Filter = compileFilter(filter)
  return (namespace) => {
    const collection = store.collections.get(namespace)
    // Like Atlas: an index that is not there finds nothing.
    const index = collection?.searchIndexes.find((each) => each.name === name)
    if (!collection || !index) return []
    if (!(index instanceof VectorIndex))
      throw badValue(`$vectorSearch needs an index of type vectorSearch, and '${name}' is of type search`)
    const query = index.queryFor(path, queryVector)
    for (const each of paths) index.checkFilterPath(each)
    return index
      .ready(collection)
      .nearest(path, query, limit, compiled)
      .map(({ doc, score }) => ({ doc, score }))
  }
}

const checkCandidates = (value: Value, exact: boolean, limit: number): void => {
  if (exact) {
    if (value !== undefined) throw badValue('"numCandidates" must be omitted for an exact search')
    return
  }
  const candidates = wholeNumber(value)
  if (value === undefined) throw badValue('"numCandidates" is required for an approximate search')
  if (candidates === undefined || candidates < 1 || candidates > MAX_CANDIDATES)
    throw badValue(`"numCandidates" must be a whole number from 1 to ${MAX_CANDIDATES}`)
  if (candidates < limit) throw badValue('"numCandidates" must be greater than or equal to "limit"')
}

// --- the filter ------------------------------------------------------------------------------------------------------

const COMPARISONS = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])
const LISTS = new Set(['$in', '$nin'])
const JUNCTIONS = new Set(['$and', '$or', '$nor'])

/** What the manual allows in a filter and no more; what it means is what it means in a query. Collects the paths. */
const checkFilter = (filter: Doc, paths: Set<string>): void => {
  for (const key of Object.keys(filter)) {
    const operand = filter[key]
    if (!key.startsWith('$')) {
      paths.add(nameOf(key))
      checkCondition(nameOf(key), operand)
    } else if (!JUNCTIONS.has(key)) throw notImplemented(`${key} in the filter of $vectorSearch`)
    else if (Array.isArray(operand)) for (const clause of operand) if (isDoc(clause)) checkFilter(clause, paths)
  }
}

const checkCondition = (path: string, operand: Value): void => {
  const operators = isDoc(operand) ? Object.keys(operand) : []
  if (!operators[0]?.startsWith('$')) return checkOperand(path, operand)
  for (const operator of operators) {
    const value = (operand as Doc)[operator]
    if (COMPARISONS.has(operator)) checkOperand(path, value)
    else if (LISTS.has(operator)) for (const item of Array.isArray(value) ? value : []) checkOperand(path, item)
    else if (operator === '$not') checkCondition(path, value)
    else if (operator !== '$exists') throw notImplemented(`${operator} in the filter of $vectorSearch`)
  }
}

const checkOperand = (path: string, value: Value): void => {
  const isUuid = value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID
  if (!isUuid && !FILTERED.has(typeName(value)))
    throw notImplemented(`comparing '${path}' with ${displayed(value)} in the filter of $vectorSearch`)
}
const FILTERED = new Set(['bool', 'date', 'objectId', 'string', 'int', 'long', 'double'])
