import { randomBytes } from 'node:crypto'
import { encode } from '../bson.js'
import { CommandError, notSupported } from '../errors.js'
import { type AnySearchIndex, openSearchIndex } from '../search-indexes.js'
import { type Doc, docOf, isDoc, displayed } from '../values.js'
import { type Call, type Command, items, namespaceOf } from './call.js'
import { existing } from './catalog.js'

/** Commands about search indexes; `listSearchIndexes` of the drivers is the stage `$listSearchIndexes`. */

const equalDocs = (a: Doc, b: Doc): boolean => encode(a).equals(encode(b))

const definitionOf = ({ stored }: AnySearchIndex): Doc => stored.latestDefinition as Doc

const createSearchIndexes: Command = {
  fields: ['indexes'],
  run: (call) => {
    const collection = existing(call, namespaceOf(call))
    const wanted = items(call, 'indexes').map(({ doc }) => {
      const { name = 'default', type = 'search', definition, ...others } = doc
      const other = Object.keys(others)[0]
      if (other !== undefined) throw notSupported(`'${other}' of a search index`)
      if (type !== 'search' && type !== 'vectorSearch')
        throw notSupported(`a search index of type '${displayed(type)}'`)
      if (typeof name !== 'string' || !isDoc(definition))
        throw new CommandError('BadValue', 'a search index needs a name and a definition')
      return openSearchIndex(docOf({ id: randomBytes(12).toString('hex'), name, type, latestDefinition: definition }))
    })
    const created = wanted.map((index) => {
      const known = collection.searchIndexes.find(({ name }) => name === index.name)
      if (!known) {
        call.store.changeSearchIndexes(collection, (list) => list.push(index))
        return index
      }
      if (known.stored.type === index.stored.type && equalDocs(definitionOf(known), definitionOf(index))) return known
      throw new CommandError('IndexAlreadyExists', `Index ${index.name} already exists with a different definition`)
    })
    return { indexesCreated: created.map(({ name, stored }) => ({ id: stored.id, name })) }
  },
}

const named = (call: Call): { collection: ReturnType<typeof existing>; index: AnySearchIndex } => {
  const collection = existing(call, namespaceOf(call))
  const { name, id } = call.body
  const index = collection.searchIndexes.find((each) => (id === undefined ? each.name === name : each.stored.id === id))
  if (!index) throw new CommandError('IndexNotFound', `search index ${displayed(name ?? id)} not found`)
  return { collection, index }
}

const updateSearchIndex: Command = {
  fields: ['name', 'id', 'definition'],
  run: (call) => {
    const { collection, index } = named(call)
    const { definition } = call.body
    if (!isDoc(definition)) throw new CommandError('BadValue', 'a search index needs a definition')
    const changed = openSearchIndex(Object.assign(docOf({ ...index.stored }), { latestDefinition: definition }))
    call.store.changeSearchIndexes(collection, (list) => list.splice(list.indexOf(index), 1, changed))
    return {}
  },
}

const dropSearchIndex: Command = {
  fields: ['name', 'id'],
  run: (call) => {
    const { collection, index } = named(call)
    call.store.changeSearchIndexes(collection, (list) => list.splice(list.indexOf(index), 1))
    return {}
  },
}

export const SEARCH: Record<string, Command> = { createSearchIndexes, updateSearchIndex, dropSearchIndex }
