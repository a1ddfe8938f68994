import { randomBytes } from 'node:crypto'
import { Raw, encode } from '../bson.js'
import { CommandError, failedToParse } from '../errors.js'
import { compileFilter, type Filter } from '../match.js'
import { compileProjection, scopeOf, type Reshape } from '../project.js'
import { compileSort, select, type Found, type Sort } from '../select.js'
import type { Collection } from '../collection.js'
import { compileUpdate, upsertSeed, type Update } from '../update.js'
import { type Doc, isDoc, isTruthy, newDoc, ObjectId, wholeNumber, type Value } from '../values.js'
import {
  type Call,
  checkCollation,
  checkHint,
  collectionForWriting,
  type Command,
  documentField,
  flag,
  items,
  letVariables,
  namespaceOf,
  type Reply,
} from './call.js'
import type { RawDocument } from '../wire.js'
import type { Variables } from '../expressions.js'

const MOST_STATEMENTS = 100_000

// ObjectIds as drivers make them: seconds, a random value per process, a counter.
const processPart = randomBytes(5).toString('latin1')
let counter = randomBytes(3).readUIntBE(0, 3)
const newObjectId = (): ObjectId => {
  counter = (counter + 1) & 0xffffff
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(Math.floor(Date.now() / 1000))
  bytes.write(processPart, 4, 'latin1')
  bytes.writeUIntBE(counter, 9, 3)
  return new ObjectId(bytes.toString('latin1'))
}

/** The document with its `_id` first, and its bytes when they can be kept as they came. */
export const withIdFirst = (doc: Doc, raw: Buffer | null): { doc: Doc; raw: Buffer | null } => {
  for (const key in doc) {
    if (key === '_id') return { doc, raw }
    break
  }
  const first = newDoc()
  first._id = doc._id === undefined ? newObjectId() : doc._id
  for (const key in doc) if (key !== '_id') first[key] = doc[key]
  return { doc: first, raw: null }
}

// --- statements ------------------------------------------------------------------------------------------------------

type WriteError = { index: number; code: number; errmsg: string } & Record<string, unknown>

const writeError = (index: number, error: CommandError): WriteError => ({
  index,
  code: error.code,
  errmsg: error.message,
  ...error.detail,
})

const REFUSALS = new Set(['CommandNotFound', 'CommandNotSupported', 'NotImplemented'])

/** Compiles a statement. What is refused fails the whole command before anything is written; a mistake is the statement's own. */
export const prepared = <T>(compile: () => T): T | CommandError => {
  try {
    return compile()
  } catch (error) {
    if (error instanceof CommandError && !REFUSALS.has(error.codeName)) return error
    throw error
  }
}

/** Runs statements one by one; an error ends them, or is noted when they are unordered. In a transaction it ends that. */
export const runStatements = <T>(
  call: Call,
  statements: readonly (T | CommandError)[],
  ordered: boolean,
  run: (statement: T, index: number) => void,
): WriteError[] => {
  const errors: WriteError[] = []
  for (const [index, statement] of statements.entries()) {
    const mark = call.store.mark()
    try {
      if (statement instanceof CommandError) throw statement
      run(statement, index)
    } catch (error) {
      if (!(error instanceof CommandError) || call.transaction) throw error
      call.store.rollBackTo(mark)
      errors.push(writeError(index, error))
      if (ordered) break
    }
  }
  return errors
}

const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  transactional: true,
  run: (call) => {
    const namespace = namespaceOf(call)
    const documents = statementsOf(call, 'documents')
    const collection = collectionForWriting(call, namespace)
    let n = 0
    const errors = runStatements(call, documents, flag(call.body, 'ordered', true), (statement) => {
      insertOne(call, collection, statement)
      n++
    })
    return { n, ...(errors.length > 0 ? { writeErrors: errors } : {}) }
  },
}

export const insertOne = (call: Call, collection: Collection, statement: RawDocument): Value => {
  const { doc, raw } = withIdFirst(statement.doc, statement.raw)
  call.store.insert(collection, doc, raw, call.transaction)
  return doc._id
}

export const statementsOf = (call: Call, field: string): RawDocument[] => {
  const statements = items(call, field)
  if (statements.length < 1 || statements.length > MOST_STATEMENTS) {
    throw new CommandError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MOST_STATEMENTS}. Got ${statements.length} operations.`,
    )
  }
  return statements
}

export const checkStatement = (statement: Doc, fields: readonly string[], where: string): void => {
  for (const key in statement) {
    if (key === 'collation') checkCollation(statement[key])
    else if (!fields.includes(key))
      throw new CommandError('IDLUnknownField', `BSON field '${where}.${key}' is an unknown field.`)
  }
}

export type UpdateStatement = {
  filter: Filter
  update: Update
  multi: boolean
  upsert: boolean
  sort: Sort | null
  hint: Value
}

export const filterOf = (value: Value, variables: Variables): Filter => {
  if (!isDoc(value)) throw new CommandError('TypeMismatch', 'the query of a write must be an object')
  return compileFilter(value, variables)
}

export const updateStatement = (
  spec: { q: Value; u: Value; multi: Value; upsert: Value; arrayFilters: Value; sort: Value; hint: Value; c: Value },
  variables: Variables,
): UpdateStatement => {
  const constants = spec.c === undefined ? variables : { ...variables, ...letVariables(spec.c) }
  const filter = filterOf(spec.q, constants)
  const update = compileUpdate(spec.u, { filter, arrayFilters: spec.arrayFilters, variables: constants })
  const multi = isTruthy(spec.multi)
  if (multi && update.kind === 'replacement')
    throw failedToParse('multi update is not supported for replacement-style update')
  if (multi && spec.sort !== undefined) throw failedToParse('Cannot specify sort with multi=true')
  return {
    filter,
    update,
    multi,
    upsert: isTruthy(spec.upsert),
    sort: spec.sort === undefined ? null : compileSort(spec.sort),
    hint: spec.hint,
  }
}

/** What an update did; `upserted` is the new `_id`. */
export type Updated = { n: number; modified: number; upserted: Value; before: Doc | null; after: Doc | null }

export const applyUpdate = (
  call: Call,
  collection: Collection,
  { filter, update, multi, upsert, sort, hint }: UpdateStatement,
): Updated => {
  const { store, transaction } = call
  checkHint(collection, hint)
  const found = select(store, collection, filter, { sort, skip: 0, limit: multi ? Infinity : 1, transaction })
  const outcome: Updated = { n: found.length, modified: 0, upserted: undefined, before: null, after: null }
  if (found.length === 0) return upsert ? insertUpserted(call, collection, filter, update) : outcome
  for (const { slot, doc } of found) {
    const after = withIdFirst(update.apply(doc, false), null).doc
    const raw = encode(after)
    outcome.before = doc
    outcome.after = doc
    if (raw.equals(store.rawOf(slot, doc, transaction))) continue
    store.write(collection, slot, after, raw, update.kind === 'replacement' ? 'replace' : 'update', transaction)
    outcome.after = after
    outcome.modified++
  }
  return outcome
}

const insertUpserted = (call: Call, collection: Collection, filter: Filter, update: Update): Updated => {
  const seed = upsertSeed(filter)
  let after =
    update.kind === 'replacement'
      ? update.apply(seed._id === undefined ? newDoc() : Object.assign(newDoc(), { _id: seed._id }), true)
      : update.apply(seed, true)
  after = withIdFirst(after, null).doc
  call.store.insert(collection, after, null, call.transaction)
  return { n: 1, modified: 0, upserted: after._id, before: null, after }
}

const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation', 'let'],
  transactional: true,
  run: (call) => {
    const namespace = namespaceOf(call)
    const variables = letVariables(call.body.let)
    const statements = statementsOf(call, 'updates').map(({ doc }) =>
      prepared(() => {
        checkStatement(doc, ['q', 'u', 'c', 'multi', 'upsert', 'arrayFilters', 'hint', 'sort'], 'update.updates')
        const { q, u, c, multi, upsert, arrayFilters, hint, sort } = doc
        return updateStatement({ q, u, c, multi, upsert, arrayFilters, hint, sort }, variables)
      }),
    )
    const creates = statements.some((statement) => !(statement instanceof CommandError) && statement.upsert)
    const collection = creates
      ? collectionForWriting(call, namespace)
      : call.store.collection(namespace, call.transaction)
    const reply: Reply & { n: number; nModified: number } = { n: 0, nModified: 0 }
    const upserted: { index: number; _id: Value }[] = []
    const errors = runStatements(call, statements, flag(call.body, 'ordered', true), (statement, index) => {
      if (!collection) return
      const outcome = applyUpdate(call, collection, statement)
      reply.n += outcome.n
      reply.nModified += outcome.modified
      if (outcome.upserted !== undefined) upserted.push({ index, _id: outcome.upserted })
    })
    if (upserted.length > 0) reply.upserted = upserted
    if (errors.length > 0) reply.writeErrors = errors
    return reply
  },
}

export type DeleteStatement = { filter: Filter; many: boolean; hint: Value }

export const applyDelete = (call: Call, collection: Collection, { filter, many, hint }: DeleteStatement): number => {
  const { store, transaction } = call
  checkHint(collection, hint)
  const found = select(store, collection, filter, { sort: null, skip: 0, limit: many ? Infinity : 1, transaction })
  for (const { slot } of found) store.write(collection, slot, null, null, 'delete', transaction)
  return found.length
}

const remove: Command = {
  fields: ['deletes', 'ordered', 'let'],
  transactional: true,
  run: (call) => {
    const namespace = namespaceOf(call)
    const variables = letVariables(call.body.let)
    const statements = statementsOf(call, 'deletes').map(({ doc }) =>
      prepared((): DeleteStatement => {
        checkStatement(doc, ['q', 'limit', 'hint'], 'delete.deletes')
        const limit = wholeNumber(doc.limit)
        if (limit !== 0 && limit !== 1)
          throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${String(limit)}`)
        return { filter: filterOf(doc.q, variables), many: limit === 0, hint: doc.hint }
      }),
    )
    const collection = call.store.collection(namespace, call.transaction)
    let n = 0
    const errors = runStatements(call, statements, flag(call.body, 'ordered', true), (statement) => {
      if (collection) n += applyDelete(call, collection, statement)
    })
    return { n, ...(errors.length > 0 ? { writeErrors: errors } : {}) }
  },
}

// --- findAndModify ---------------------------------------------------------------------------------------------------

const findAndModify: Command = {
  fields: [
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'hint',
    'arrayFilters',
    'let',
    'bypassDocumentValidation',
  ],
  transactional: true,
  run: (call) => {
    const { body, store, transaction } = call
    const namespace = namespaceOf(call)
    const variables = letVariables(body.let)
    const filter = compileFilter(documentField(call, 'query'), variables)
    const sort = isDoc(body.sort) && Object.keys(body.sort).length > 0 ? compileSort(body.sort) : null
    const fields = documentField(call, 'fields')
    const reshape = Object.keys(fields).length > 0 ? compileProjection(fields, variables, 'find') : null
    const removing = isTruthy(body.remove)
    if (removing && body.update !== undefined) throw failedToParse('Cannot specify both an update and remove=true')
    if (removing && isTruthy(body.new))
      throw failedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
    if (removing && isTruthy(body.upsert)) throw failedToParse('Cannot specify both upsert=true and remove=true')
    if (!removing && body.update === undefined) throw failedToParse('Either an update or remove=true must be specified')
    if (removing) {
      const collection = store.collection(namespace, transaction)
      checkHint(collection, body.hint)
      const [found] = collection ? select(store, collection, filter, { sort, skip: 0, limit: 1, transaction }) : []
      if (!found) return { lastErrorObject: { n: 0 }, value: null }
      const value = shown(call, found, reshape)
      store.write(collection!, found.slot, null, null, 'delete', transaction)
      return { lastErrorObject: { n: 1 }, value }
    }
    const statement: UpdateStatement = {
      filter,
      update: compileUpdate(body.update, { filter, arrayFilters: body.arrayFilters, variables }),
      multi: false,
      upsert: isTruthy(body.upsert),
      sort,
      hint: body.hint,
    }
    const collection = statement.upsert
      ? collectionForWriting(call, namespace)
      : store.collection(namespace, transaction)
    const outcome = collection ? applyUpdate(call, collection, statement) : null
    const doc = isTruthy(body.new) ? outcome?.after : outcome?.before
    return {
      lastErrorObject: {
        n: outcome?.n ?? 0,
        updatedExisting: outcome !== null && outcome.n > 0 && outcome.upserted === undefined,
        ...(outcome?.upserted === undefined ? {} : { upserted: outcome.upserted }),
      },
      value: doc ? (reshape ? reshape(doc, scopeOf(doc)) : doc) : null,
    }
  },
}

const shown = ({ store, transaction }: Call, { slot, doc }: Found, reshape: Reshape | null): Doc | Raw =>
  reshape ? reshape(doc, scopeOf(doc)) : new Raw(store.rawOf(slot, doc, transaction))

export const WRITES: Record<string, Command> = { insert, update, delete: remove, findAndModify }
