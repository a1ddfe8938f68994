import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { connect } from 'node:net'
import path from 'node:path'
import { BSON, type Db, type Document, MongoClient } from 'mongodb'
import { serve, type ServeOptions, type Serving } from '../../src/embedded-mongo/serve.js'

export type OpenStore = {
  client: MongoClient
  db: Db
  uri: string
  file: string
  faults: unknown[]
  socketPath: string
  /** Stops the server and starts it again on the same file. */
  restart: () => Promise<void>
  close: () => Promise<void>
}

export const temporaryFolder = (): string => mkdtempSync(path.join(tmpdir(), 'embedded-mongo-'))

/** The embedded store in this process, on a new file, with the official driver in front of it. */
export const openStore = async (options: Partial<ServeOptions> = {}): Promise<OpenStore> => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'store.db')
  const faults: unknown[] = []
  const start = (): Promise<Serving> =>
    serve({
      file,
      listen: { socketPath: path.join(folder, 's.sock') },
      onFault: (fault) => faults.push(fault),
      ...options,
    })
  let serving = await start()
  const connect = async (): Promise<void> => {
    store.client = new MongoClient(serving.uri, { ignoreUndefined: true })
    store.db = store.client.db('test')
    store.uri = serving.uri
    await store.client.connect()
  }
  const store = {
    file,
    faults,
    socketPath: path.join(folder, 's.sock'),
    restart: async () => {
      await store.client.close()
      await serving.stop()
      serving = await start()
      await connect()
    },
    close: async () => {
      await store.client.close()
      await serving.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  } as OpenStore
  await connect()
  return store
}

/** What a refused operation was refused with. */
export const refusal = async (
  operation: Promise<unknown>,
): Promise<{ code: unknown; message: string; labels: string[] }> => {
  try {
    await operation
  } catch (error) {
    const { code, message, errorLabels = [] } = error as { code: unknown; message: string; errorLabels?: string[] }
    return { code, message, labels: [...errorLabels] }
  }
  throw new Error('it was not refused')
}

/** An OP_MSG as a driver would never send it: without the driver. */
export const message = (body: Document): Buffer => {
  const bson = BSON.serialize(body)
  const head = Buffer.alloc(21)
  head.writeInt32LE(21 + bson.length, 0)
  head.writeInt32LE(1, 4)
  head.writeInt32LE(2013, 12)
  return Buffer.concat([head, bson])
}

/** Sends bytes and gives back the first reply, or null when the server closes the connection instead. */
export const exchange = (socketPath: string, bytes: Buffer): Promise<Document | null> =>
  new Promise((resolve) => {
    const socket = connect(socketPath, () => socket.write(bytes))
    let received = Buffer.alloc(0)
    socket.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece])
      if (received.length < 4 || received.length < received.readInt32LE(0)) return
      socket.destroy()
      resolve(BSON.deserialize(received.subarray(21, received.readInt32LE(0))))
    })
    socket.on('error', () => resolve(null))
    socket.on('close', () => resolve(null))
  })
