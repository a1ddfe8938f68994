// The wire of the embedded store with nothing behind it: every command gets the same small answer. What a server could
// reach at most on this machine with this driver.
import { createServer } from 'node:net'
import { addressReply, encodeReply, MessageReader, readRequest } from '../../dist/embedded-mongo/wire.js'

/** @param {string} socketPath */
export const serveNothing = async (socketPath) => {
  const net = createServer({ noDelay: true }, (socket) => {
    const reader = new MessageReader()
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece) => {
      for (const message of reader.push(piece)) {
        const request = readRequest(message)
        const name = Object.keys(request.body)[0] ?? ''
        socket.write(addressReply(encodeReply(ANSWERS[name] ?? HELLO), request))
      }
    })
  })
  await new Promise((resolve) => net.listen(socketPath, () => resolve(null)))
  return `mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`
}

const HELLO = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  setName: 'empty',
  hosts: ['empty'],
  me: 'empty',
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 25,
}

/** @type {Record<string, object>} */
const ANSWERS = {
  insert: { n: 1, ok: 1 },
  find: { cursor: { firstBatch: [{ _id: 1, n: 0, text: 'known' }], id: 0n, ns: 'bench.ops' }, ok: 1 },
  findAndModify: { lastErrorObject: { n: 1, updatedExisting: true }, value: { _id: 1, n: 0, text: 'known' }, ok: 1 },
}
