import { badValue, CommandError, notSupported } from '../errors.js'
import type { Cursors } from '../cursors.js'
import type { Sessions } from '../sessions.js'
import type { Collection } from '../collection.js'
import type { Status } from '../status.js'
import type { Store } from '../store.js'
import type { Transaction } from '../transaction.js'
import type { Variables } from '../expressions.js'
import type { RawDocument } from '../wire.js'
import { encode } from '../bson.js'
import { type Doc, isDoc, isTruthy, nameOf, typeName, wholeNumber, type Value } from '../values.js'

/** One command on its way through the server. */
export type Call = {
  name: string
  database: string
  body: Doc
  sequences: Map<string, RawDocument[]>
  transaction: Transaction | null
  store: Store
  cursors: Cursors
  sessions: Sessions
  status: Status
  connection: { id: number; address: string }
}

/** A reply is a plain object; `ok: 1` is added by the server. */
export type Reply = Record<string, unknown>

export type Command = {
  /** Fields that the command understands, beside those that every command may carry. */
  fields: readonly string[]
  /** Fields of MongoDB's that are refused by name unless they are false. */
  refused?: readonly string[]
  /** Whether the command may be part of a transaction. */
  transactional?: boolean
  /** Whether its reply depends on nothing that is stored, and so waits for no commit. */
  readsNothing?: boolean
  run: (call: Call) => Reply | Promise<Reply>
}

const EVERYWHERE = new Set(
  '$db lsid txnNumber autocommit startTransaction $clusterTime $readPreference readConcern writeConcern maxTimeMS comment apiVersion apiStrict apiDeprecationErrors $audit $client'.split(
    ' ',
  ),
)

/** Refuses what a command carries and this server does not serve, before anything is done. */
export const checkFields = (name: string, body: Doc, { fields, refused = [] }: Command): void => {
  for (const key in body) {
    if (key === name || EVERYWHERE.has(key) || fields.includes(key)) continue
    const value = body[key]
    if (key === 'collation') checkCollation(value)
    else if (refused.includes(key)) {
      if (isTruthy(value)) throw notSupported(`the option '${key}' of ${name}`)
    } else if (key === 'rawData') throw new CommandError('InvalidOptions', "BSON field 'rawData' is an unknown field.")
    else throw new CommandError('IDLUnknownField', `BSON field '${name}.${nameOf(key)}' is an unknown field.`)
  }
  checkConcerns(name, body)
}

export const checkCollation = (collation: Value): void => {
  if (
    collation === undefined ||
    (isDoc(collation) && (collation.locale === 'simple' || Object.keys(collation).length === 0))
  )
    return
  throw notSupported("the option 'collation'")
}

const checkConcerns = (name: string, { readConcern, writeConcern, autocommit }: Doc): void => {
  if (isDoc(readConcern)) {
    const { level } = readConcern
    if (
      level !== undefined &&
      !['local', 'majority', 'snapshot', 'available', 'linearizable'].includes(level as string)
    )
      throw badValue(`unknown read concern level`)
    if (level === 'snapshot' && autocommit !== false) {
      if (!['find', 'aggregate', 'distinct'].includes(name))
        throw new CommandError('InvalidOptions', `read concern level snapshot is not supported for ${name}`)
      throw notSupported("the read concern 'snapshot' outside a transaction")
    }
    if (readConcern.atClusterTime !== undefined) throw notSupported("'atClusterTime'")
  }
  if (isDoc(writeConcern)) {
    const { w } = writeConcern
    // One member is the majority of one.
    if (w === undefined || w === 'majority' || w === 0 || w === 1) return
    throw new CommandError('UnsatisfiableWriteConcern', 'Not enough data-bearing nodes')
  }
}

export const namespaceOf = (call: Call): string => {
  const name = call.body[call.name]
  if (typeof name !== 'string')
    throw new CommandError('InvalidNamespace', `collection name has invalid type ${typeName(name)}`)
  return checkedNamespace(call.database, name)
}

export const checkedNamespace = (database: string, name: string): string => {
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('\0') || name.includes('$')) {
    throw new CommandError('InvalidNamespace', `Invalid namespace specified '${database}.${name}'`)
  }
  if (name.startsWith('system.')) throw notSupported(`the collection '${name}'`)
  if (!/^[^/\\. "$*<>:|?\0]{1,63}$/.test(database))
    throw new CommandError('InvalidNamespace', `Invalid database name: '${database}'`)
  return `${database}.${name}`
}

/** The collection of a writing command, created when it is not there. */
export const collectionForWriting = (call: Call, namespace: string): Collection =>
  call.store.collection(namespace, call.transaction) ?? call.store.create(namespace, call.transaction)

export const documentField = (call: Call, field: string): Doc => {
  const value = call.body[field]
  if (value === undefined || value === null) return EMPTY
  if (!isDoc(value))
    throw new CommandError(
      'TypeMismatch',
      `BSON field '${call.name}.${field}' is the wrong type '${typeName(value)}', expected type 'object'`,
    )
  return value
}

const EMPTY: Doc = {}

export const countField = (call: Call, field: string): number | undefined => {
  const value = call.body[field]
  if (value === undefined || value === null) return undefined
  const number = wholeNumber(value)
  if (number === undefined)
    throw new CommandError(
      'TypeMismatch',
      `BSON field '${call.name}.${field}' is the wrong type '${typeName(value)}', expected a number`,
    )
  if (number < 0)
    throw new CommandError('Location51024', `BSON field '${field}' value must be >= 0, actual value '${number}'`)
  return number
}

export const flag = (body: Doc, field: string, otherwise: boolean): boolean => {
  const value = body[field]
  return value === undefined || value === null ? otherwise : isTruthy(value)
}

/** The statements or documents of a command, wherever the client put them. */
export const items = (call: Call, field: string): RawDocument[] => {
  const sequence = call.sequences.get(field)
  if (sequence) return sequence
  const list = call.body[field]
  if (!Array.isArray(list))
    throw new CommandError('IDLFailedToParse', `BSON field '${call.name}.${field}' is missing but a required field`)
  return list.map((doc) => {
    if (!isDoc(doc)) throw new CommandError('TypeMismatch', `BSON field '${call.name}.${field}' must hold objects`)
    return { doc, raw: encode(doc) }
  })
}

/** The command's `let`: constants for `$$name` in its expressions. */
export const letVariables = (value: Value): Variables => {
  if (value === undefined) return {}
  if (!isDoc(value)) throw badValue("'let' must be an object")
  const variables: Record<string, Value> = {}
  for (const key of Object.keys(value)) {
    if (!/^[a-z][A-Za-z0-9_]*$/.test(key))
      throw new CommandError(
        'FailedToParse',
        `'${nameOf(key)}' starts with an invalid character for a user variable name`,
      )
    variables[key] = constant(value[key])
  }
  return variables
}

const constant = (value: Value): Value => {
  if (typeof value === 'string' && value.startsWith('$')) throw notSupported("expressions in 'let'")
  if (isDoc(value)) {
    const [first] = Object.keys(value)
    if (first === '$literal') return value.$literal
    if (first?.startsWith('$')) throw notSupported("expressions in 'let'")
  }
  return value
}

/** Checks a hint: it may only choose among ways to the same result. */
export const checkHint = (collection: Collection | undefined, hint: Value): void => {
  if (hint === undefined || (isDoc(hint) && Object.keys(hint).length === 0)) return
  if (isDoc(hint) && '$natural' in hint) return
  if (!collection) return
  const index = collection.indexes.find(({ name, definition }) =>
    typeof hint === 'string' ? name === hint : isDoc(hint) && sameKey(definition.key as Doc, hint),
  )
  if (!index)
    throw badValue(
      'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
    )
  if (index.sparse || index.partial) throw notSupported('a hint of a sparse or partial index')
}

export const sameKey = (a: Doc, b: Doc): boolean => {
  const keys = Object.keys(a)
  const others = Object.keys(b)
  return keys.length === others.length && keys.every((key, i) => others[i] === key && Number(a[key]) === Number(b[key]))
}
