import { FIRST_BATCH } from '../cursors.js'
import { encode, Raw } from '../bson.js'
import { CommandError } from '../errors.js'
import { Index, indexDefinition } from '../indexes.js'
import { compileFilter } from '../match.js'
import { orderKey } from '../ordering.js'
import type { Collection } from '../collection.js'
import { type Doc, docOf, isDoc, isTruthy, wholeNumber, type Value, displayed } from '../values.js'
import { Binary } from 'mongodb'
import {
  type Call,
  type Command,
  collectionForWriting,
  documentField,
  flag,
  items,
  namespaceOf,
  type Reply,
  sameKey,
} from './call.js'

/** Commands about collections and indexes. */

const listed = (call: Call, namespace: string, docs: readonly Doc[]): Reply => {
  const { cursor } = call.body
  const size = (isDoc(cursor) ? wholeNumber(cursor.batchSize) : undefined) ?? Math.max(FIRST_BATCH, docs.length)
  const batch = docs.slice(0, size).map((doc) => new Raw(encode(doc)))
  if (batch.length === docs.length) return { cursor: { id: 0n, ns: namespace, firstBatch: batch } }
  const results = { count: docs.length, at: (i: number) => docs[i]! }
  const { id } = call.cursors.add(namespace, { kind: 'results', results, position: batch.length }, null)
  return { cursor: { id, ns: namespace, firstBatch: batch } }
}

export const existing = (call: Call, namespace: string): Collection => {
  const collection = call.store.collections.get(namespace)
  if (!collection) throw new CommandError('NamespaceNotFound', `ns does not exist: ${namespace}`)
  return collection
}

const create: Command = {
  fields: [],
  refused: [
    'capped',
    'size',
    'max',
    'validator',
    'validationLevel',
    'validationAction',
    'viewOn',
    'pipeline',
    'timeseries',
    'expireAfterSeconds',
    'clusteredIndex',
    'changeStreamPreAndPostImages',
    'encryptedFields',
    'storageEngine',
    'indexOptionDefaults',
    'autoIndexId',
    'idIndex',
  ],
  transactional: true,
  run: (call) => {
    const namespace = namespaceOf(call)
    if (call.store.collection(namespace, call.transaction))
      throw new CommandError('NamespaceExists', `Collection ${namespace} already exists.`)
    collectionForWriting(call, namespace)
    return {}
  },
}

const drop: Command = {
  fields: [],
  run: (call) => {
    const namespace = namespaceOf(call)
    const collection = call.store.collections.get(namespace)
    if (!collection) return {}
    call.store.drop(collection)
    return { nIndexesWas: collection.indexes.length, ns: namespace }
  },
}

const ofDatabase = (call: Call): Collection[] =>
  [...call.store.collections.values()].filter(({ database }) => database === call.database)

const dropDatabase: Command = {
  fields: [],
  run: (call) => {
    call.store.dropDatabase(call.database)
    return { dropped: call.database }
  },
}

const uuidOf = (collection: Collection): Value => new Binary(Buffer.from(collection.uuid.replaceAll('-', ''), 'hex'), 4)

const listCollections: Command = {
  fields: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  run: (call) => {
    const filter = compileFilter(documentField(call, 'filter'))
    const nameOnly = flag(call.body, 'nameOnly', false)
    const docs = ofDatabase(call)
      .map((collection) =>
        docOf({
          name: collection.name,
          type: 'collection',
          options: collection.options,
          info: docOf({ readOnly: false, uuid: uuidOf(collection) }),
          idIndex: collection.indexes[0]!.definition,
        }),
      )
      .filter((doc) => filter.test(doc))
      .map((doc) => (nameOnly ? docOf({ name: doc.name, type: doc.type }) : doc))
    return listed(call, `${call.database}.$cmd.listCollections`, docs)
  },
}

const listDatabases: Command = {
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  run: (call) => {
    if (call.database !== 'admin')
      throw new CommandError('Unauthorized', 'listDatabases may only be run against the admin database.')
    const filter = compileFilter(documentField(call, 'filter'))
    const sizes = new Map<string, number>()
    for (const { database, slots } of call.store.collections.values()) {
      let size = sizes.get(database) ?? 0
      for (const { raw } of slots.values()) size += raw.length
      sizes.set(database, size)
    }
    const databases = [...sizes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, size]) => docOf({ name, sizeOnDisk: BigInt(size), empty: size === 0 }))
      .filter((doc) => filter.test(doc))
    if (isTruthy(call.body.nameOnly)) return { databases: databases.map(({ name }) => docOf({ name })) }
    const totalSize = databases.reduce((sum, { sizeOnDisk }) => sum + (sizeOnDisk as bigint), 0n)
    return { databases, totalSize, totalSizeMb: totalSize >> 20n }
  },
}

const listIndexes: Command = {
  fields: ['cursor'],
  run: (call) => {
    const namespace = namespaceOf(call)
    return listed(
      call,
      namespace,
      existing(call, namespace).indexes.map(({ definition }) => definition),
    )
  },
}

const createIndexes: Command = {
  fields: ['indexes', 'commitQuorum', 'ignoreUnknownIndexOptions'],
  run: (call) => {
    const { store } = call
    const namespace = namespaceOf(call)
    const definitions = items(call, 'indexes').map(({ doc }) => indexDefinition(doc))
    if (definitions.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create')
    const createdCollectionAutomatically = !store.collections.has(namespace)
    const collection = collectionForWriting(call, namespace)
    const numIndexesBefore = collection.indexes.length
    for (const definition of definitions) {
      if (isNew(collection, definition)) store.addIndex(collection, new Index(definition))
    }
    const numIndexesAfter = collection.indexes.length
    return {
      numIndexesBefore,
      numIndexesAfter,
      createdCollectionAutomatically,
      ...(numIndexesAfter === numIndexesBefore ? { note: 'all indexes already exist' } : {}),
    }
  },
}

/** False when the very same index is there; throws when another one stands in its way. */
const isNew = (collection: Collection, definition: Doc): boolean => {
  const key = definition.key as Doc
  if (sameKey(key, docOf({ _id: 1 }))) return false
  const signature = ({ key: fields, unique, sparse, partialFilterExpression }: Doc): string =>
    orderKey([fields, unique === true, sparse === true, partialFilterExpression ?? null])
  for (const { name, definition: other } of collection.indexes) {
    const same = signature(other) === signature(definition)
    if (name === definition.name) {
      if (same && other.expireAfterSeconds === definition.expireAfterSeconds) return false
      if (same)
        throw new CommandError(
          'IndexOptionsConflict',
          `An equivalent index already exists with the same name but different options. Requested index: ${describeIndex(definition)}, existing index: ${describeIndex(other)}`,
        )
      throw new CommandError(
        'IndexKeySpecsConflict',
        `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${describeIndex(definition)}, existing index: ${describeIndex(other)}`,
      )
    }
    if (same) throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${name}`)
  }
  return true
}

const describeIndex = (definition: Doc): string =>
  JSON.stringify({ ...definition, key: { ...(definition.key as Doc) } })

const dropIndexes: Command = {
  fields: ['index'],
  run: (call) => {
    const collection = existing(call, namespaceOf(call))
    const nIndexesWas = collection.indexes.length
    const which = call.body.index
    const found =
      which === '*'
        ? collection.indexes.slice(1)
        : (Array.isArray(which) ? which : [which]).map((wanted) => {
            const index = collection.indexes.find(({ name, definition }) =>
              isDoc(wanted) ? sameKey(definition.key as Doc, wanted) : name === wanted,
            )
            if (!index)
              throw new CommandError(
                'IndexNotFound',
                isDoc(wanted)
                  ? `can't find index with key: ${JSON.stringify({ ...wanted })}`
                  : `index not found with name [${displayed(wanted)}]`,
              )
            if (index.name === '_id_') throw new CommandError('InvalidOptions', 'cannot drop _id index')
            return index
          })
    for (const index of found) call.store.removeIndex(collection, index)
    return { nIndexesWas, ...(which === '*' ? { msg: 'non-_id indexes dropped for collection' } : {}) }
  },
}

export const CATALOG: Record<string, Command> = {
  create,
  drop,
  dropDatabase,
  listCollections,
  listDatabases,
  listIndexes,
  createIndexes,
  dropIndexes,
}
