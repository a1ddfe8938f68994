import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { StartFailure } from './journal.js'
import type { Listen } from './serve.js'
import type { WorkerMessage } from './worker.js'

export type EmbeddedMongo = {
  /** For `new MongoClient(uri)`. */
  uri: string
  stop(): Promise<void>
  /** Resolves with the reason when the store dies although nobody stopped it; never rejects. */
  failed: Promise<Error>
}

export type EmbeddedMongoOptions = {
  /** The database file; `-wal` lies beside it. */
  file: string
  listen: Listen
  /** Told of faults inside the store that clients only see as an error code. */
  onFault?: (message: string) => void
  /** Told in plain words of what an operator should know: how full it is, which query has no index. */
  onWarning?: (message: string) => void
}

/**
 * Starts the embedded store in a worker thread, so that a long scan never holds up the thread that serves customers.
 * Resolves when it listens. Rejects with a `StartFailure`; its `code` is `data_in_use`, `data_damaged`, `data_newer`,
 * `EADDRINUSE` or `unavailable`.
 */
export const startEmbeddedMongo = async ({
  file,
  listen,
  onFault = () => {},
  onWarning = () => {},
}: EmbeddedMongoOptions): Promise<EmbeddedMongo> => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { file, listen }, execArgv: [] })
  let stopping = false
  const failed = new Promise<Error>((resolve) => {
    worker.once('error', resolve)
    worker.once('exit', (code) => {
      if (!stopping) resolve(new Error(`The embedded store ended with code ${code}.`))
    })
  })
  const uri = await Promise.race([
    new Promise<string>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        switch (message.kind) {
          case 'listening':
            return resolve(message.uri)
          case 'refused':
            stopping = true
            return reject(new StartFailure(message.code, message.message))
          case 'fault':
            return onFault(message.message)
          case 'warning':
            return onWarning(message.message)
          case 'stopped':
            return
        }
      })
    }),
    failed.then((error) => {
      throw error
    }),
  ])
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    const exited = once(worker, 'exit')
    worker.postMessage('stop')
    await exited
  }
  return { uri, stop, failed }
}
