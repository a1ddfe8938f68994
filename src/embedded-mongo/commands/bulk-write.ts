import { encode } from '../bson.js'
import type { Collection } from '../collection.js'
import { badValue, failedToParse, notSupported } from '../errors.js'
import type { Variables } from '../expressions.js'
import { displayed, type Doc, isDoc, isTruthy, wholeNumber } from '../values.js'
import {
  type Call,
  checkedNamespace,
  collectionForWriting,
  type Command,
  flag,
  items,
  letVariables,
  type Reply,
} from './call.js'
import {
  applyDelete,
  applyUpdate,
  checkStatement,
  type DeleteStatement,
  filterOf,
  insertOne,
  prepared,
  runStatements,
  statementsOf,
  updateStatement,
} from './writes.js'

type Operation = {
  kind: 'insert' | 'update' | 'delete'
  namespace: string
  run: (collection: Collection) => Reply
  creates: boolean
}

/** MongoDB 8's `bulkWrite`: statements over several collections, with a cursor of their results. */
export const bulkWrite: Command = {
  fields: ['ops', 'nsInfo', 'ordered', 'errorsOnly', 'cursor', 'let', 'bypassDocumentValidation'],
  transactional: true,
  run: (call) => {
    const { body, store } = call
    const variables = letVariables(body.let)
    const namespaces = items(call, 'nsInfo').map(({ doc }) => {
      checkStatement(doc, ['ns'], 'bulkWrite.nsInfo')
      const ns = displayed(doc.ns)
      const dot = ns.indexOf('.')
      return checkedNamespace(ns.slice(0, Math.max(0, dot)), ns.slice(dot + 1))
    })
    const totals = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 }
    const operations = statementsOf(call, 'ops').map(({ doc }) =>
      prepared(() => bulkOperation(call, doc, namespaces, variables, totals)),
    )
    const results: Reply[] = []
    const errorsOnly = flag(body, 'errorsOnly', false)
    const errors = runStatements(call, operations, flag(body, 'ordered', true), (operation, idx) => {
      const collection = operation.creates
        ? collectionForWriting(call, operation.namespace)
        : store.collection(operation.namespace, call.transaction)
      const result = {
        ok: 1,
        idx,
        n: 0,
        ...(operation.kind === 'update' ? { nModified: 0 } : {}),
        ...(collection ? operation.run(collection) : {}),
      }
      if (!errorsOnly) results.push(result)
    })
    for (const { index, ...error } of errors) results.push({ ok: 0, idx: index, n: 0, ...error })
    results.sort((a, b) => (a.idx as number) - (b.idx as number))
    totals.nErrors = errors.length
    return { cursor: { id: 0n, firstBatch: results, ns: 'admin.$cmd.bulkWrite' }, ...totals }
  },
}

const bulkOperation = (
  call: Call,
  doc: Doc,
  namespaces: readonly string[],
  variables: Variables,
  totals: Record<'nInserted' | 'nMatched' | 'nModified' | 'nUpserted' | 'nDeleted', number>,
): Operation => {
  const kind = Object.keys(doc)[0]
  if (kind !== 'insert' && kind !== 'update' && kind !== 'delete')
    throw notSupported(`the operation '${kind}' of bulkWrite`)
  const namespace = namespaces[wholeNumber(doc[kind]) ?? -1]
  if (namespace === undefined) throw badValue('BulkWrite ops entry has an invalid nsInfo index')
  if (kind === 'insert') {
    checkStatement(doc, ['insert', 'document'], 'bulkWrite.ops')
    const { document } = doc
    if (!isDoc(document)) throw failedToParse('insert needs a document')
    const run = (collection: Collection): Reply => {
      insertOne(call, collection, { doc: document, raw: encode(document) })
      totals.nInserted++
      return { n: 1 }
    }
    return { kind, namespace, creates: true, run }
  }
  if (kind === 'delete') {
    checkStatement(doc, ['delete', 'filter', 'multi', 'hint'], 'bulkWrite.ops')
    const statement: DeleteStatement = {
      filter: filterOf(doc.filter, variables),
      many: isTruthy(doc.multi),
      hint: doc.hint,
    }
    const run = (collection: Collection): Reply => {
      const n = applyDelete(call, collection, statement)
      totals.nDeleted += n
      return { n }
    }
    return { kind, namespace, creates: false, run }
  }
  checkStatement(
    doc,
    ['update', 'filter', 'updateMods', 'multi', 'upsert', 'arrayFilters', 'hint', 'sort', 'constants'],
    'bulkWrite.ops',
  )
  const { filter: q, updateMods: u, multi, upsert, arrayFilters, hint, sort, constants: c } = doc
  const statement = updateStatement({ q, u, c, multi, upsert, arrayFilters, hint, sort }, variables)
  const run = (collection: Collection): Reply => {
    const outcome = applyUpdate(call, collection, statement)
    const isUpsert = outcome.upserted !== undefined
    totals.nMatched += isUpsert ? 0 : outcome.n
    totals.nModified += outcome.modified
    totals.nUpserted += isUpsert ? 1 : 0
    return { n: outcome.n, nModified: outcome.modified, ...(isUpsert ? { upserted: { _id: outcome.upserted } } : {}) }
  }
  return { kind, namespace, creates: statement.upsert, run }
}
