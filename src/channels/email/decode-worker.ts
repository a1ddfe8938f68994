import { parentPort } from 'node:worker_threads'
import { decodeMessage } from './decode-message.js'
import type { Content, FromThread, ToThread } from './decode-thread.js'

/** The thread that decode-thread.ts starts. It has no environment, no connection and nothing to lose. */

const say = (message: FromThread, moved: ArrayBuffer[] = []): void => parentPort!.postMessage(message, moved)

parentPort!.on('message', ({ id, raw }: ToThread) => {
  try {
    const mail = decodeMessage(Buffer.from(raw))
    const contents = mail.attachments.map(({ content }) => ownMemory(content, raw))
    const attachments = mail.attachments.map((attachment) => ({ ...attachment, content: Buffer.alloc(0) }))
    say(
      { kind: 'decoded', id, mail: { ...mail, attachments }, contents },
      contents.map(({ memory }) => memory),
    )
  } catch {
    say({ kind: 'failed', id })
  }
})

/** A file's bytes may lie within the mail's, or among others: what moves has to stand alone. */
const ownMemory = (content: Buffer, raw: ArrayBuffer): Content => {
  const memory = content.buffer
  const alone =
    memory instanceof ArrayBuffer &&
    memory !== raw &&
    content.byteOffset === 0 &&
    content.length * 2 > memory.byteLength
  return { memory: alone ? memory : new Uint8Array(content).buffer, size: content.length }
}

say({ kind: 'ready' })
