import { parentPort, workerData } from 'node:worker_threads'
import { StartFailure } from './journal.js'
import { serve, type ServeOptions } from './serve.js'

/** What the worker thread says to the thread that started it. */
export type WorkerMessage =
  | { kind: 'listening'; uri: string }
  | { kind: 'refused'; code: StartFailure['code']; message: string }
  | { kind: 'fault'; message: string }
  | { kind: 'warning'; message: string }
  | { kind: 'stopped' }

const say = (message: WorkerMessage): void => parentPort!.postMessage(message)

try {
  const serving = await serve({
    ...(workerData as ServeOptions),
    onFault: (error) =>
      say({ kind: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    onWarning: (message) => say({ kind: 'warning', message }),
  })
  parentPort!.once('message', () => {
    void serving.stop().then(() => {
      say({ kind: 'stopped' })
      parentPort!.close()
    })
  })
  say({ kind: 'listening', uri: serving.uri })
} catch (error) {
  if (!(error instanceof StartFailure)) throw error
  say({ kind: 'refused', code: error.code, message: error.message })
}
