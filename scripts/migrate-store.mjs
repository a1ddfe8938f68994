// `npm run migrate-store -- --to URI [--data DIR]`: moves all that the embedded store holds into a MongoDB, with the originals of
// documents. The server must not run. It may be interrupted and started again: it goes on where it was. Every collection is
// compared by count and by a checksum of all its bytes before it counts as done.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Double, Int32, Long, MongoClient, ObjectId } from 'mongodb'
import { ready, storeIn, withStore } from './store-folder.mjs'

const { values } = parseArgs({
  options: { data: { type: 'string', default: process.env.DATA_DIR ?? './data' }, to: { type: 'string' } },
})
const { data, to } = values
const OURS = new Set(['admin', 'local', 'config'])
/** Where the target remembers how far it is; one document a collection. */
const PROGRESS = 'migration_of_the_store'
const BATCH_DOCUMENTS = 500
const BATCH_BYTES = 8 * 1024 * 1024

class Stop extends Error {}

/** @param {import('mongodb').MongoClient} source @param {import('mongodb').MongoClient} target */
const migrate = async (source, target) => {
  const ordered = await makeOrdered()
  const { databases } = await source.db('admin').admin().listDatabases({ nameOnly: true })
  let documents = 0
  for (const { name } of databases.filter(({ name }) => !OURS.has(name))) {
    const [from, into] = [source.db(name), target.db(name)]
    const collections = (await from.listCollections({}, { nameOnly: true }).toArray()).map((each) => each.name).sort()
    for (const collection of collections) documents += await move(from, into, collection, ordered)
  }
  return documents
}

/**
 * @param {import('mongodb').Db} from @param {import('mongodb').Db} into @param {string} name
 * @param {(raw: Buffer) => Map<string, unknown>} ordered
 */
const move = async (from, into, name, ordered) => {
  const progress = /** @type {import('mongodb').Collection<any>} */ (into.collection(PROGRESS))
  const [source, target] = [from.collection(name), into.collection(name)]
  const label = `${from.databaseName}.${name}`
  const known = await progress.findOne({ _id: name }, { promoteValues: false })
  if (known?.done === true) return Number(known.copied)
  if (!known && (await target.findOne({}, { projection: { _id: 1 } })))
    throw new Stop(`${label} is not empty in the MongoDB. Choose one that holds nothing of that name.`)
  if (!known) await progress.insertOne({ _id: name, copied: 0, done: false })
  let copied = Number(known?.copied ?? 0)
  // By the order of all values: ids may be of several types.
  const behind = known?.last === undefined ? {} : { $expr: { $gt: ['$_id', { $literal: known.last }] } }
  /** @type {Buffer[]} */
  let batch = []
  let bytes = 0
  const send = async () => {
    if (batch.length === 0) return
    const docs = batch.map(ordered)
    const reply = await into.command({ insert: name, documents: docs, ordered: false, writeConcern: { w: 'majority' } })
    // What an interrupted run had sent is there already.
    const wrong = (reply.writeErrors ?? []).find((/** @type {any} */ error) => error.code !== 11000)
    if (wrong) throw new Stop(`${label}: ${wrong.errmsg}`)
    copied += batch.length
    const last = docs.at(-1)?.get('_id')
    await progress.updateOne({ _id: name }, { $set: { last, copied } }, { writeConcern: { w: 'majority' } })
    console.log(`${label}: ${copied}`)
    batch = []
    bytes = 0
  }
  for await (const raw of source.find(behind, { raw: true, sort: { _id: 1 } })) {
    const whole = Buffer.from(/** @type {any} */ (raw))
    if (batch.length === BATCH_DOCUMENTS || bytes + whole.length > BATCH_BYTES) await send()
    batch.push(whole)
    bytes += whole.length
  }
  await send()
  // Before there are indexes: one of them may let documents expire.
  const [ours, theirs] = [await summary(source), await summary(target)]
  if (ours.count !== theirs.count || ours.checksum !== theirs.checksum)
    throw new Stop(
      `${label} is not the same: ${ours.count} documents here, ${theirs.count} there, checksums ${ours.checksum.slice(0, 12)} and ${theirs.checksum.slice(0, 12)}.`,
    )
  if (ours.count === 0) await into.createCollection(name).catch(() => {})
  const indexes = (await source.indexes()).filter((index) => index.name !== '_id_')
  if (indexes.length > 0) await target.createIndexes(indexes.map(({ v: _v, ...index }) => /** @type {any} */ (index)))
  await progress.updateOne({ _id: name }, { $set: { done: true, copied: ours.count } })
  console.log(`${label}: ${ours.count} documents, the same on both sides (${ours.checksum.slice(0, 12)})`)
  return ours.count
}

/** How many there are, and a checksum of all their bytes in the order of their ids. @param {import('mongodb').Collection} of */
const summary = async (of) => {
  const hash = createHash('sha256')
  let count = 0
  for await (const raw of of.find({}, { raw: true, sort: { _id: 1 } })) {
    hash.update(/** @type {any} */ (raw))
    count++
  }
  return { count, checksum: hash.digest('hex') }
}

/** Stored bytes as the driver writes them again byte for byte: fields in their order, numbers of their type. */
const makeOrdered = async () => {
  const { decode } = await import('../dist/embedded-mongo/bson.js')
  const { isDoc, isInt32, nameOf, ObjectId: StoredId } = await import('../dist/embedded-mongo/values.js')
  /** @param {any} value @returns {any} */
  const ordered = (value) => {
    if (Array.isArray(value)) return value.map(ordered)
    if (typeof value === 'bigint') return Long.fromBigInt(value)
    if (typeof value === 'number') return isInt32(value) ? new Int32(value) : new Double(value)
    if (value instanceof StoredId) return new ObjectId(Buffer.from(value.bytes, 'latin1'))
    if (!isDoc(value)) return value
    return new Map(Object.keys(value).map((key) => [nameOf(key), ordered(value[key])]))
  }
  return (/** @type {Buffer} */ raw) => ordered(decode(raw))
}

/** @param {import('mongodb').MongoClient} target @param {string} database */
const moveOriginals = async (target, database) => {
  const { makeDiskFiles } = await import('../dist/platform/files.js')
  const { makeGridFiles } = await import('../dist/platform/files.mongo.js')
  const directory = path.join(data, 'files', 'knowledge')
  if (!existsSync(directory)) return 0
  const disk = makeDiskFiles(directory)
  const grid = makeGridFiles({ db: target.db(database), bucket: 'originals', directory })
  let moved = 0
  for await (const { companyId, id } of disk.keptBefore(new Date())) {
    const received = await grid.receive(await disk.open(companyId, id), Number.MAX_SAFE_INTEGER)
    if (received.id !== id) throw new Stop(`originals: the file ${id} is damaged.`)
    await grid.keep(companyId, received)
    moved++
  }
  return moved
}

if (!to) {
  console.error('usage: npm run migrate-store -- --to URI [--data DIR]')
  process.exit(2)
}
if (!existsSync(storeIn(data))) {
  console.error(`There is no store in ${path.resolve(data)}.`)
  process.exit(1)
}
await ready()
const target = new MongoClient(to, { serverSelectionTimeoutMS: 10_000, retryWrites: true })
try {
  await target.connect()
  const documents = await withStore(storeIn(data), async (uri) => {
    const source = await new MongoClient(uri).connect()
    try {
      return await migrate(source, target)
    } finally {
      await source.close()
    }
  })
  const database = process.env.MONGODB_DATABASE ?? 'helpdesk'
  const originals = await moveOriginals(target, database)
  console.log(`Moved and compared: ${documents} documents; ${originals} originals.`)
  console.log('Now start the server with MONGODB_URI, and with SECRET_KEY set to what stands in secret.key.')
} catch (error) {
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error)
  console.error(code === 'data_in_use' ? 'A server runs on this directory: stop it first.' : message)
  console.error('Nothing of the store was changed. Started again, it goes on where it was.')
  process.exitCode = 1
} finally {
  await target.close()
}
process.exit()
