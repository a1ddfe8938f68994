// `npm run restore -- --from BACKUP_DIR --data DIR`: puts a backup in the place of what is there, which is kept aside. The server
// must not run. Nothing is touched before the backup has proved whole.
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ready, storeIn, withStore } from './store-folder.mjs'

const { values } = parseArgs({
  options: { data: { type: 'string', default: process.env.DATA_DIR ?? './data' }, from: { type: 'string' } },
})
const { data, from } = values
/** @param {string} reason @param {number} code @returns {never} */
const fail = (reason, code) => {
  console.error(reason)
  process.exit(code)
}
if (!from) fail('usage: npm run restore -- --from BACKUP_DIR [--data DIR]', 2)
if (!existsSync(storeIn(from))) fail(`There is no backup in ${path.resolve(from)}.`, 1)
await ready()

const nothing = async () => {}
mkdirSync(data, { recursive: true, mode: 0o700 })
const arriving = path.join(data, `restoring-${Date.now()}.db`)
cpSync(storeIn(from), arriving)
try {
  await withStore(arriving, nothing)
} catch (error) {
  fail(`The backup cannot be used: ${error instanceof Error ? error.message : String(error)}`, 1)
}
if (existsSync(storeIn(data))) {
  try {
    await withStore(storeIn(data), nothing)
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error)
    // A damaged store is what a backup is for.
    if (code !== 'data_damaged' && code !== 'data_newer') fail('A server runs on this directory: stop it first.', 1)
  }
}
const aside = path.join(data, `before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`)
mkdirSync(aside, { mode: 0o700 })
for (const name of ['helpdesk.db', 'helpdesk.db-wal', 'helpdesk.db-shm', 'secret.key', 'files']) {
  if (existsSync(path.join(data, name))) renameSync(path.join(data, name), path.join(aside, name))
}
renameSync(arriving, storeIn(data))
for (const name of ['secret.key', 'files']) {
  if (existsSync(path.join(from, name)))
    cpSync(path.join(from, name), path.join(data, name), { recursive: true, preserveTimestamps: true })
}
console.log(`Restored. What was there before is in ${aside}.`)
process.exit(0)
