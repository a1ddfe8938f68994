import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { compose } from '../../src/compose.js'
import { readConfig } from '../../src/config.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { makeLog, type Log } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'

const API_KEY = 'a-key-for-the-tests-only'

type Options = { env?: Record<string, string>; log?: Log; directory?: string }

/** The whole product in this process, composed as in production, on a free port and the test's own database. */
export const openApp = async (mongo: Mongo, { env = {}, log = makeLog('silent'), directory: own }: Options = {}) => {
  // As in production: a test that is slow between two requests finds its connection as it left it.
  const server = createServer({ keepAliveTimeout: 65_000 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const config = readConfig({
    HELPDESK_API_KEY: API_KEY,
    KNOWLEDGE_DIR: path.resolve(import.meta.dirname, '../fixtures/knowledge'),
    ...env,
  })
  // A server that is started again finds the files of the one before.
  const directory = own ?? (await mkdtemp(path.join(tmpdir(), 'helpdesk-app-')))
  const app = compose({
    config,
    mongo,
    files: makeDiskFiles(path.join(directory, 'knowledge')),
    attachmentFiles: makeDiskFiles(path.join(directory, 'attachments')),
    secretKey: 'a secret of the tests, longer than thirty-two characters',
    port,
    clock: systemClock,
    log,
    report: () => {},
  })
  await app.start(server)
  const url = `http://127.0.0.1:${port}`

  return {
    url,
    call: <Body = unknown>(route: string, options: CallOptions = {}) => call<Body>(url, route, options),
    stop: async () => {
      await app.stop(server)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      if (!own) await rm(directory, { recursive: true })
    },
  }
}

type CallOptions = { method?: string; body?: unknown; token?: string; headers?: Record<string, string> }

/** `body` is what the test expects to be there: nothing checks it but the test. */
type Answer<Body> = { status: number; body: Body; headers: Headers }

const call = async <Body>(
  url: string,
  route: string,
  { method, body, token = API_KEY, headers }: CallOptions,
): Promise<Answer<Body>> => {
  const response = await fetch(`${url}/api/v1${route}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text ? JSON.parse(text) : null) as Body, headers: response.headers }
}

/** Asks again until the answer is there. How long that may take says nothing: machines are slow at times. */
export const eventually = async <T>(look: () => Promise<T | null | undefined | false>): Promise<T> => {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const seen = await look()
    if (seen) return seen
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('it did not happen in half a minute')
}
