import { compileStage, type Row } from '../aggregate.js'
import { NOT_ASKED } from '../change-streams.js'
import type { Stream } from '../cursors.js'
import { CommandError, failedToParse, notSupported } from '../errors.js'
import { orderKey } from '../ordering.js'
import { type Doc, docOf, isDoc } from '../values.js'
import { type Call, letVariables, type Reply } from './call.js'

const RESHAPING = new Set(['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith'])

/** `$changeStream` as the first stage: of a collection, a database (`namespace` null) or the whole deployment. */
export const openChangeStream = (call: Call, namespace: string | null, size: number): Reply => {
  const { store, database, body, transaction } = call
  const { changes } = store
  if (transaction)
    throw new CommandError('OperationNotSupportedInTransaction', '$changeStream cannot be used in a transaction')
  const [first, ...rest] = body.pipeline as Doc[]
  const options = first!.$changeStream
  if (!isDoc(options)) throw failedToParse('the $changeStream stage must be an object')
  for (const key of Object.keys(options)) {
    const value = options[key]
    if (key === 'resumeAfter' || key === 'startAfter' || (key === 'allChangesForCluster' && database === 'admin'))
      continue
    if (key === 'fullDocument' && ['default', 'updateLookup'].includes(value as string)) continue
    if (key === 'fullDocumentBeforeChange' && value === 'off') continue
    if (key === 'showExpandedEvents' && value === false) continue
    throw notSupported(`the option '${key}' of $changeStream`)
  }
  const stages = rest.map((stage) => {
    const [name = ''] = Object.keys(stage)
    if (!RESHAPING.has(name))
      throw new CommandError('InvalidOptions', `${name} is not permitted in a $changeStream pipeline`)
    return compileStage(
      { name, spec: stage[name] },
      { store, database, transaction: null, variables: letVariables(body.let) },
    )
  })
  const whole = options.allChangesForCluster === true ? null : database
  const collection = namespace === null ? null : namespace.slice(database.length + 1)
  const resume = options.resumeAfter ?? options.startAfter
  let position = resume === undefined ? changes.latest : changes.positionOf(resume)
  const lookUp =
    options.fullDocument === 'updateLookup'
      ? ({
          database: from,
          collection: name,
          documentKey,
        }: {
          database: string
          collection: string | null
          documentKey: Doc | null
        }): Doc | null => store.collections.get(`${from}.${name}`)?.slots.get(orderKey(documentKey!._id))?.doc ?? null
      : () => NOT_ASKED
  const stream: Stream = {
    next: (most) => {
      const events: Doc[] = []
      for (const change of changes.after(position, whole, collection)) {
        if (events.length >= most) return { events, closed: false }
        position = change.seq
        const rows: Row[] = [{ doc: changes.event(change, lookUp) }]
        events.push(...stages.reduce((some, stage) => stage(some), rows).map(({ doc }) => doc))
        // What was watched is gone: the stream ends with an event that says so.
        if (
          (change.kind === 'drop' && collection !== null) ||
          (change.kind === 'dropDatabase' && collection === null && whole !== null)
        ) {
          events.push(docOf({ _id: changes.token(change.seq), operationType: 'invalidate' }))
          return { events, closed: true }
        }
      }
      position = Math.max(position, changes.latest)
      return { events, closed: false }
    },
    token: () => changes.token(position),
    onceReady: (listener) => changes.onceChanged(listener),
  }
  // Throws at once when the place to resume from is gone.
  changes.after(position, whole, collection)
  const { events, closed } = resume === undefined ? { events: [], closed: false } : stream.next(size || 1)
  const name = namespace ?? `${database}.$cmd.aggregate`
  const id = closed ? 0n : call.cursors.add(name, { kind: 'stream', stream }, null).id
  return { cursor: { firstBatch: events, id, ns: name, postBatchResumeToken: stream.token() } }
}
