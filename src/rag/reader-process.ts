import { setPriority } from 'node:os'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { AppError } from '../platform/errors.js'
import { TOO_MUCH_MEMORY, type FromReader, type ToReader } from './reader.js'
import { readDocument, type ReadRequest } from './reading.js'

/**
 * The process in which documents are read, started by rag/reader.ts: what a hostile file does to it, it does to nobody else. It
 * has no environment (so no secret), no connection, and a lower priority than the server.
 */

const LOOK_EVERY_MS = 20

const serve = () => {
  let more = () => {}
  process.on('message', (message: ToReader) => {
    if (message.kind === 'more') return more()
    void read(message.request)
  })
  process.on('disconnect', () => process.exit())

  /** One batch at a time: whoever stores the passages is never flooded. */
  const say = (message: FromReader, wait = false): Promise<void> =>
    new Promise((resolve) => {
      more = resolve
      process.send?.(message)
      if (!wait) resolve()
    })

  const read = async (request: ReadRequest): Promise<void> => {
    try {
      let told = 0
      for await (const part of readDocument(request, new AbortController().signal)) {
        if (part.kind === 'progress') {
          if (part.progress - told < 0.02) continue
          told = part.progress
        }
        await say({ kind: 'part', part }, part.kind === 'passages')
      }
      await say({ kind: 'done' })
    } catch (error) {
      await say(described(error))
    }
  }
}

const described = (error: unknown): FromReader => {
  if (error instanceof AppError) {
    const { kind, code, message, field } = error
    return { kind: 'failed', error: { kind, code, message, field } }
  }
  const { name, stack = '' } = error instanceof Error ? error : new Error('thrown')
  return { kind: 'fault', name, stack: stack.split('\n').slice(1, 5).join('\n') }
}

/**
 * Beside the work, in a thread of its own that no parser can hold up. V8's own limit counts only its heap, while a stream that
 * unpacks to gigabytes lies outside of it. An orphan ends too: the server that started it was killed.
 */
const watch = ({ mostBytes, parent }: { mostBytes: number; parent: number }) => {
  setInterval(() => {
    if (process.memoryUsage.rss() > mostBytes) process.kill(process.pid, TOO_MUCH_MEMORY)
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  }, LOOK_EVERY_MS)
}

if (isMainThread) {
  setPriority(10)
  const workerOptions = { mostBytes: Number(process.argv[2]) * 1024 * 1024, parent: process.ppid }
  new Worker(new URL(import.meta.url), { workerData: workerOptions, execArgv: [] }).unref()
  serve()
} else {
  watch(workerData as Parameters<typeof watch>[0])
}
