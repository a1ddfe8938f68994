// `npm run backup -- --data DIR --to NEW_DIR`: a copy of everything that an installation keeps in its data directory, while the
// server runs or not. The store first, then the originals: what the store refers to is there.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import { ready, runningStore, storeIn, withStore } from './store-folder.mjs'

const { values } = parseArgs({
  options: { data: { type: 'string', default: process.env.DATA_DIR ?? './data' }, to: { type: 'string' } },
})
const { data, to } = values
/** @param {string} reason @param {number} code @returns {never} */
const fail = (reason, code) => {
  console.error(reason)
  process.exit(code)
}
if (!to) fail('usage: npm run backup -- --to NEW_DIR [--data DIR]', 2)
if (existsSync(to)) fail(`${to} is there already. A backup gets a directory of its own.`, 1)
if (!existsSync(storeIn(data))) fail(`There is no store in ${path.resolve(data)}.`, 1)
await ready()

/** @param {string} uri @returns {Promise<string>} */
const copyOf = async (uri) => {
  const client = await new MongoClient(uri).connect()
  const { file } = await client.db('admin').command({ backUpStore: 1 })
  await client.close()
  return file
}
try {
  const running = await runningStore(data)
  const copy = running ? await copyOf(running) : await withStore(storeIn(data), copyOf)
  mkdirSync(to, { recursive: true, mode: 0o700 })
  // Another file system is no reason to fail.
  cpSync(copy, storeIn(to))
  rmSync(copy)
  for (const name of ['secret.key', 'files']) {
    const from = path.join(data, name)
    if (existsSync(from)) cpSync(from, path.join(to, name), { recursive: true, preserveTimestamps: true })
  }
  const documents = await withStore(storeIn(to), async (uri) => {
    const client = await new MongoClient(uri).connect()
    const { embeddedStore } = await client.db('admin').command({ serverStatus: 1 })
    await client.close()
    return embeddedStore.documents
  })
  console.log(`Backed up ${documents} documents to ${path.resolve(to)}; every checksum is right.`)
} catch (error) {
  renameIfThere(to)
  fail(`The backup failed: ${error instanceof Error ? error.message : String(error)}`, 1)
}
process.exit(0)

/** What is not whole must not look like a backup. @param {string} directory */
function renameIfThere(directory) {
  if (existsSync(directory)) renameSync(directory, `${directory}.incomplete-${Date.now()}`)
}
