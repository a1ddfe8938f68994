// The data directory of an installation, from outside: its store's file, and the socket while the server runs.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { prepare } from './prepare.mjs'

/** The longest path that every Unix takes for a socket; as in src/production.ts. */
const LONGEST_SOCKET_PATH = 100

const built = path.resolve(import.meta.dirname, '../dist/embedded-mongo/serve.js')

/** What the last start built wrote the store, and reads it: it is built here only where there was no start. */
export const ready = async () => {
  if (!existsSync(built)) await prepare({ quiet: true })
}

/** @param {string} directory */
export const storeIn = (directory) => path.join(path.resolve(directory), 'helpdesk.db')

/** The address of the running server's store, or null when nobody answers. @param {string} directory */
export const runningStore = async (directory) => {
  const whole = path.resolve(directory)
  const near = path.join(whole, 'mongo.sock')
  const socket =
    near.length <= LONGEST_SOCKET_PATH
      ? near
      : path.join(tmpdir(), `helpdesk-${createHash('sha256').update(whole).digest('hex').slice(0, 16)}.sock`)
  const answers = await new Promise((resolve) => {
    const attempt = connect(socket, () => resolve(true))
    attempt.once('connect', () => attempt.destroy())
    attempt.once('error', () => resolve(false))
  })
  return answers ? `mongodb://${encodeURIComponent(socket)}/?directConnection=true` : null
}

/**
 * Opens a store's file in this process as long as `use` runs, every checksum compared. Rejects with `code` `data_in_use` while
 * a server runs on it, `data_damaged` or `data_newer`. Documents whose time is over stay meanwhile.
 * @template T @param {string} file @param {(uri: string) => Promise<T>} use
 */
export const withStore = async (file, use) => {
  const { serve } = await import('../dist/embedded-mongo/serve.js')
  const folder = mkdtempSync(path.join(tmpdir(), 'helpdesk-store-'))
  try {
    const serving = await serve({ file, listen: { socketPath: path.join(folder, 's.sock') }, ttlSweepMs: 2 ** 31 - 1 })
    try {
      return await use(serving.uri)
    } finally {
      await serving.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
