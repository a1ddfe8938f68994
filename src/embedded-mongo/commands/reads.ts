import { compilePipeline, type Row } from '../aggregate.js'
import { FIRST_BATCH, takeBatch, type Cursor, type Results } from '../cursors.js'
import { CommandError, notSupported } from '../errors.js'
import { compileFilter } from '../match.js'
import { distinctValues } from '../expression-operators.js'
import { EMPTY_ARRAY, indexedValues, parsePath } from '../paths.js'
import { compileProjection, scopeOf } from '../project.js'
import { compileSort, select } from '../select.js'
import { isDoc, nameOf, newDoc, wholeNumber, type Value } from '../values.js'
import { openChangeStream } from './watch.js'
import { withIdFirst } from './writes.js'
import {
  type Call,
  checkedNamespace,
  checkHint,
  collectionForWriting,
  type Command,
  countField,
  documentField,
  flag,
  letVariables,
  namespaceOf,
  type Reply,
} from './call.js'

const firstBatch = (call: Call, namespace: string, results: Results, size: number, single: boolean): Reply => {
  const batch = takeBatch(results, 0, size)
  let id = 0n
  if (!single && batch.length < results.count) {
    id = call.cursors.add(namespace, { kind: 'results', results, position: batch.length }, call.transaction).id
  }
  return { cursor: { firstBatch: batch, id, ns: namespace } }
}

const find: Command = {
  fields: [
    'filter',
    'projection',
    'sort',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'hint',
    'let',
    'allowDiskUse',
    'noCursorTimeout',
    'allowPartialResults',
  ],
  refused: ['max', 'min', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay'],
  transactional: true,
  run: (call) => {
    const { store, transaction, body } = call
    const namespace = namespaceOf(call)
    const variables = letVariables(body.let)
    const filter = compileFilter(documentField(call, 'filter'), variables)
    const sort = body.sort === undefined ? null : compileSort(body.sort)
    const projection = documentField(call, 'projection')
    const reshape = Object.keys(projection).length > 0 ? compileProjection(projection, variables, 'find') : null
    const limit = countField(call, 'limit') ?? 0
    const size = countField(call, 'batchSize') ?? FIRST_BATCH
    const skip = countField(call, 'skip') ?? 0
    const collection = store.collection(namespace, transaction)
    checkHint(collection, body.hint)
    const found = collection
      ? select(store, collection, filter, { sort, skip, limit: limit || Infinity, transaction })
      : []
    const results: Results = {
      count: found.length,
      at: (i) => {
        const { slot, doc } = found[i]!
        return reshape ? reshape(doc, scopeOf(doc)) : store.rawOf(slot, doc, transaction)
      },
    }
    return firstBatch(call, namespace, results, size, flag(body, 'singleBatch', false))
  },
}

const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'hint', 'let', 'allowDiskUse', 'bypassDocumentValidation'],
  refused: ['explain', 'exchange', 'fromMongos', 'isMapReduceCommand'],
  transactional: true,
  run: (call) => {
    const { store, transaction, body, database } = call
    const onDatabase = wholeNumber(body.aggregate) === 1
    const namespace = onDatabase ? `${database}.$cmd.aggregate` : namespaceOf(call)
    const cursor = body.cursor
    if (!isDoc(cursor))
      throw new CommandError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      )
    const size = wholeNumber(cursor.batchSize) ?? FIRST_BATCH
    const { pipeline } = body
    if (Array.isArray(pipeline) && isDoc(pipeline[0]) && '$changeStream' in pipeline[0]) {
      return openChangeStream(call, onDatabase ? null : namespace, size)
    }
    const target = outOf(call, pipeline)
    const run = compilePipeline(target ? (pipeline as Value[]).slice(0, -1) : pipeline, {
      store,
      database,
      transaction,
      variables: letVariables(body.let),
    })
    if (onDatabase)
      throw new CommandError(
        'InvalidNamespace',
        `{aggregate: 1} is not valid for this pipeline; a collection is required`,
      )
    checkHint(store.collections.get(namespace), body.hint)
    const rows = run(namespace)
    if (target) {
      replaceContents(call, target, rows)
      return firstBatch(call, namespace, { count: 0, at: () => newDoc() }, size, true)
    }
    return firstBatch(call, namespace, { count: rows.length, at: (i) => rows[i]!.doc }, size, false)
  },
}

/** The namespace of a `$out` at the end of a pipeline. */
const outOf = ({ database, transaction, body }: Call, pipeline: Value): string | null => {
  const last = Array.isArray(pipeline) ? pipeline.at(-1) : undefined
  if (!isDoc(last) || !('$out' in last)) return null
  if (transaction)
    throw new CommandError('OperationNotSupportedInTransaction', '$out cannot be used within a transaction')
  if (isDoc(body.readConcern) && body.readConcern.level === 'linearizable')
    throw new CommandError('InvalidOptions', "$out cannot be used with a 'linearizable' read concern level")
  const out = last.$out
  const { db, coll, ...others } = isDoc(out) ? out : { db: database, coll: out }
  const other = Object.keys(others)[0]
  if (other !== undefined) throw notSupported(`the option '${nameOf(other)}' of $out`)
  if (typeof db !== 'string' || typeof coll !== 'string')
    throw new CommandError('FailedToParse', '$out needs the name of a collection')
  return checkedNamespace(db, coll)
}

/** All of it or nothing: an error half-way takes back what was done before it. */
const replaceContents = (call: Call, namespace: string, rows: readonly Row[]): void => {
  const { store } = call
  const collection = collectionForWriting(call, namespace)
  for (const slot of [...collection.slots.values()]) store.write(collection, slot, null, null, 'delete', null)
  for (const { doc } of rows) store.insert(collection, withIdFirst(doc, null).doc, null, null)
}

const getMore: Command = {
  fields: ['collection', 'batchSize', 'term', 'lastKnownCommittedOpTime'],
  transactional: true,
  run: (call) => {
    const { body, cursors, database } = call
    const id = body.getMore
    if (typeof body.collection !== 'string')
      throw new CommandError('TypeMismatch', "BSON field 'getMore.collection' must be a string")
    const namespace = `${database}.${body.collection}`
    const cursor = cursors.get(typeof id === 'bigint' ? id : BigInt(wholeNumber(id) ?? 0), namespace)
    if (cursor.transaction !== call.transaction)
      throw new CommandError('NoSuchTransaction', `Cannot use cursor ${cursor.id} outside of its transaction`)
    const size = countField(call, 'batchSize') || Infinity
    if (cursor.source.kind === 'stream') return nextEvents(call, cursor, size)
    const { results, position } = cursor.source
    const batch = takeBatch(results, position, size)
    cursor.source.position += batch.length
    const finished = cursor.source.position >= results.count
    if (finished) cursors.close(cursor.id)
    return { cursor: { nextBatch: batch, id: finished ? 0n : cursor.id, ns: namespace } }
  },
}

const AWAIT_MS = 1000

/** Waits for events up to `maxTimeMS`, then answers with what there is. */
const nextEvents = (call: Call, { id, namespace, source }: Cursor, size: number): Reply | Promise<Reply> => {
  if (source.kind !== 'stream') throw new Error('not a stream')
  const { stream } = source
  const take = (): Reply | null => {
    const { events, closed } = stream.next(size)
    if (closed) call.cursors.close(id)
    if (events.length === 0 && !closed) return null
    return { cursor: { nextBatch: events, id: closed ? 0n : id, ns: namespace, postBatchResumeToken: stream.token() } }
  }
  const ready = take()
  if (ready) return ready
  return new Promise((resolve, reject) => {
    const finish = (final: boolean): void => {
      try {
        const reply = take()
        if (!reply && !final) {
          stop = stream.onceReady(() => finish(false))
          return
        }
        clearTimeout(timer)
        stop()
        resolve(reply ?? { cursor: { nextBatch: [], id, ns: namespace, postBatchResumeToken: stream.token() } })
      } catch (error) {
        clearTimeout(timer)
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const timer = setTimeout(() => finish(true), wholeNumber(call.body.maxTimeMS) || AWAIT_MS)
    timer.unref()
    let stop = stream.onceReady(() => finish(false))
  })
}

const killCursors: Command = {
  fields: ['cursors'],
  transactional: true,
  run: ({ body, cursors }) => {
    const ids = Array.isArray(body.cursors)
      ? body.cursors.map((id) => (typeof id === 'bigint' ? id : BigInt(wholeNumber(id) ?? 0)))
      : []
    const killed = ids.filter((id) => cursors.close(id))
    return {
      cursorsKilled: killed,
      cursorsNotFound: ids.filter((id) => !killed.includes(id)),
      cursorsAlive: [],
      cursorsUnknown: [],
    }
  },
}

const count: Command = {
  fields: ['query', 'limit', 'skip', 'hint', 'fields'],
  run: (call) => {
    const { store, body } = call
    const namespace = namespaceOf(call)
    const query = documentField(call, 'query')
    const filter = compileFilter(query)
    const limit = Math.abs(wholeNumber(body.limit) ?? 0)
    const skip = countField(call, 'skip') ?? 0
    const collection = store.collection(namespace, null)
    checkHint(collection, body.hint)
    if (!collection) return { n: 0 }
    const all =
      Object.keys(query).length === 0
        ? collection.slots.size
        : select(store, collection, filter, {
            sort: null,
            skip: 0,
            limit: limit > 0 ? limit + skip : Infinity,
            transaction: null,
          }).length
    const left = Math.max(0, all - skip)
    return { n: limit > 0 ? Math.min(left, limit) : left }
  },
}

const distinct: Command = {
  fields: ['key', 'query', 'hint'],
  transactional: true,
  run: (call) => {
    const { store, transaction, body } = call
    const namespace = namespaceOf(call)
    if (typeof body.key !== 'string')
      throw new CommandError('TypeMismatch', "BSON field 'distinct.key' is the wrong type, expected type 'string'")
    const path = parsePath(body.key)
    const filter = compileFilter(documentField(call, 'query'))
    const collection = store.collection(namespace, transaction)
    checkHint(collection, body.hint)
    const found = collection
      ? select(store, collection, filter, { sort: null, skip: 0, limit: Infinity, transaction })
      : []
    const values = found.flatMap(({ doc }) =>
      indexedValues(doc, path).values.filter((value: Value) => value !== undefined && value !== EMPTY_ARRAY),
    )
    return { values: distinctValues(values) }
  },
}

export const READS: Record<string, Command> = { find, aggregate, getMore, killCursors, count, distinct }
