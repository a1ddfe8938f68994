// Starts the built server as a process of its own, for measurements and for faults.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '../..')
const API_KEY = 'key-of-the-measuring-script'
const READY_WITHIN_MS = 30_000

/**
 * Resolves when the ready line is printed. `url` is where it listens; `kill` is a kill -9, `stop` a SIGTERM; both wait.
 * @param {{ dataDir: string, env?: Record<string, string> }} options
 */
export const startServer = async ({ dataDir, env = {} }) => {
  const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js')], {
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      DATA_DIR: dataDir,
      HELPDESK_API_KEY: API_KEY,
      KNOWLEDGE_DIR: '',
      RATE_LIMIT_FACTOR: '1000000',
      ...env,
    },
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)))
  const exited = once(child, 'exit')

  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /^Helpdesk ready at (http\S+)/.exec(line)?.[1]
      if (url) resolve(url)
    })
  })
  const late = new Promise((_resolve, reject) =>
    setTimeout(() => reject(new Error(`not ready in time\n${errors}`)), READY_WITHIN_MS).unref(),
  )
  const died = exited.then(([code]) => Promise.reject(new Error(`the server ended with ${code}\n${errors}`)))
  died.catch(() => {})
  const url = /** @type {string} */ (await Promise.race([ready, late, died]))

  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    child.kill(signal)
    await exited
  }
  return { url, pid: child.pid ?? 0, kill: () => end('SIGKILL'), stop: () => end('SIGTERM'), errors: () => errors }
}

/**
 * One call of the API with the owner's key, or with a visitor's token.
 * @param {string} url @param {string} route @param {{ method?: string, body?: object, token?: string, key?: string }} [options]
 * @returns {Promise<any>}
 */
export const call = async (url, route, { method, body, token, key = API_KEY } = {}) => {
  const response = await fetch(`${url}/api/v1${route}`, {
    method: method ?? (body ? 'POST' : 'GET'),
    headers: { authorization: `Bearer ${token ?? key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method ?? ''} ${route}: ${response.status} ${text}`)
  return text ? JSON.parse(text) : null
}
