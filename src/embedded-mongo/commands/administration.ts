import path from 'node:path'
import { badValue, CommandError, notSupported } from '../errors.js'
import { compileFilter } from '../match.js'
import { compileSort, explainSelection, type Explained, type Sort } from '../select.js'
import { type Doc, isDoc, newDoc, typeName, type Value } from '../values.js'
import { letVariables, checkedNamespace, type Command, documentField, type Reply } from './call.js'

/** Commands for whoever runs the store: how it is, a copy of it, and how a query is answered. */

const serverStatus: Command = {
  fields: [],
  run: ({ status }) => ({
    host: 'embedded',
    process: 'embedded',
    pid: BigInt(process.pid),
    uptime: process.uptime(),
    localTime: new Date(),
    embeddedStore: status.report(),
  }),
}

/** The store's own command. The file's name is not the client's to choose: it lies in `backups` beside the store. */
const backUpStore: Command = {
  fields: [],
  run: async ({ store }) => {
    const name = `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.db`
    const file = path.join(path.dirname(store.file), 'backups', name)
    await store.backUp(file)
    return { file }
  },
}

type Query = { filter: Doc; sort: Sort | null; skip: number; limit: number }

const docOr = (value: Value, fallback: Doc): Doc => (isDoc(value) ? value : fallback)
const NO_SORT = null

/** What a command selects documents by: the whole of it for a find, the head of a pipeline, the first statement of a write. */
const selectionOf = (name: string, body: Doc): Query => {
  const whole = { sort: NO_SORT, skip: 0, limit: Infinity }
  const sortOf = (value: Value): Sort | null =>
    isDoc(value) && Object.keys(value).length > 0 ? compileSort(value) : null
  const statement = (field: string): Doc => {
    const list = body[field]
    const [first] = Array.isArray(list) ? list : []
    if (!isDoc(first)) throw badValue(`explain needs a statement in '${field}'`)
    return first
  }
  switch (name) {
    case 'find':
      return {
        filter: docOr(body.filter, newDoc()),
        sort: sortOf(body.sort),
        skip: Number(body.skip ?? 0),
        limit: Number(body.limit ?? 0) || Infinity,
      }
    case 'count':
    case 'distinct':
      return { ...whole, filter: docOr(body.query, newDoc()) }
    case 'findAndModify':
      return { ...whole, filter: docOr(body.query, newDoc()), sort: sortOf(body.sort), limit: 1 }
    case 'update': {
      const { q, multi } = statement('updates')
      return { ...whole, filter: docOr(q, newDoc()), limit: multi === true ? Infinity : 1 }
    }
    case 'delete': {
      const { q, limit } = statement('deletes')
      return { ...whole, filter: docOr(q, newDoc()), limit: Number(limit) || Infinity }
    }
    case 'aggregate': {
      const stages = (Array.isArray(body.pipeline) ? body.pipeline : []).map((stage) => docOr(stage, newDoc()))
      const filter = docOr(stages[0]?.$match, newDoc())
      const behind = stages.slice(stages[0]?.$match === undefined ? 0 : 1)
      if (behind[0]?.$search ?? behind[0]?.$vectorSearch) throw notSupported('explain of a search')
      return { ...whole, filter, sort: sortOf(behind[0]?.$sort) }
    }
    default:
      throw notSupported(`explain of ${name}`)
  }
}

const explain: Command = {
  fields: ['verbosity'],
  run: (call): Reply => {
    const inner = documentField(call, 'explain')
    const [name = ''] = Object.keys(inner)
    const target = inner[name]
    if (typeof target !== 'string')
      throw new CommandError('InvalidNamespace', `collection name has invalid type ${typeName(target)}`)
    const namespace = checkedNamespace(call.database, target)
    const { filter, sort, skip, limit } = selectionOf(name, inner)
    const compiled = compileFilter(filter, letVariables(inner.let))
    const collection = call.store.collections.get(namespace)
    const explained: Explained = collection
      ? explainSelection(collection, compiled, { sort, skip, limit, transaction: null })
      : { winningPlan: { stage: 'EOF' }, found: 0, looked: 0 }
    return {
      explainVersion: '1',
      queryPlanner: { namespace, parsedQuery: filter, winningPlan: explained.winningPlan, rejectedPlans: [] },
      ...(call.body.verbosity === 'queryPlanner'
        ? {}
        : {
            executionStats: {
              executionSuccess: true,
              nReturned: explained.found,
              totalDocsExamined: explained.looked,
              executionStages: explained.winningPlan,
            },
          }),
      command: inner,
    }
  },
}

export const ADMINISTRATION: Record<string, Command> = { serverStatus, backUpStore, explain }
