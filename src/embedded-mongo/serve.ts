import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import path from 'node:path'
import { ChangeStreams } from './change-streams.js'
import { CommandError } from './errors.js'
import { Journal, StartFailure } from './journal.js'
import { openSearchIndex } from './search-indexes.js'
import { Server, type Peer } from './server.js'
import { Status } from './status.js'
import { Store } from './store.js'
import { sweepExpired } from './ttl.js'
import { MalformedMessage, MessageReader, readRequest, type Request } from './wire.js'

/** A socket's path ends with `.sock`. */
export type Listen = { socketPath: string } | { host: string; port: number }
export type ServeOptions = {
  file: string
  listen: Listen
  /** Time between two searches for documents whose TTL index says that they are over. */
  ttlSweepMs?: number
  /** Told of faults that clients see only as an error code. */
  onFault?: (error: unknown) => void
  /** Told in plain words of what an operator should know: how full it is, which query has no index. */
  onWarning?: (message: string) => void
}
export type Serving = { uri: string; stop: () => Promise<void> }

const TIDY_MS = 1_000
const TTL_SWEEP_MS = 60_000

/** Opens the file and listens, in this thread. Rejects with a StartFailure. */
export const serve = async ({
  file,
  listen,
  ttlSweepMs = TTL_SWEEP_MS,
  onFault = () => {},
  onWarning = () => {},
}: ServeOptions): Promise<Serving> => {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const journal = await Journal.open(file)
  try {
    const store = new Store(journal, new ChangeStreams(), openSearchIndex)
    await store.load()
    const status = new Status(store, onWarning)
    store.onScan = (namespace, filter, documents) => status.scanned(namespace, filter, documents, Date.now())
    const server = new Server(store, journal, status, onFault)
    await server.sessions.load(Date.now())
    const sockets = new Set<Socket>()
    const net = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      connect(server, socket, addressOf(net), onFault)
    })
    await listening(net, listen)
    const sweep = async (): Promise<void> => {
      sweepExpired(store, Date.now())
      server.commitSoon()
      await server.sessions.forget(Date.now())
    }
    const guarded = (work: () => void | Promise<void>) => async (): Promise<void> => {
      try {
        await work()
      } catch (error) {
        onFault(error)
      }
    }
    const [tidyNow, sweepNow] = [guarded(() => server.tidy(Date.now())), guarded(sweep)]
    void sweepNow()
    const timers = [setInterval(() => void tidyNow(), TIDY_MS), setInterval(() => void sweepNow(), ttlSweepMs)]
    const stop = async (): Promise<void> => {
      timers.forEach(clearInterval)
      const closed = new Promise<void>((resolve) => net.close(() => resolve()))
      await server.stop()
      for (const socket of sockets) socket.destroy()
      await closed
      await journal.close()
    }
    return { uri: uriOf(listen, net), stop }
  } catch (error) {
    await journal.close()
    throw error
  }
}

const addressOf = (net: NetServer): string => {
  const address = net.address()
  return typeof address === 'string' ? address : `${address!.address}:${address!.port}`
}

const uriOf = (listen: Listen, net: NetServer): string => {
  const host = 'socketPath' in listen ? encodeURIComponent(listen.socketPath) : addressOf(net)
  return `mongodb://${host}/?directConnection=true`
}

const listening = async (net: NetServer, listen: Listen): Promise<void> => {
  if ('socketPath' in listen) {
    // The driver takes a host for a path by these letters alone.
    if (!listen.socketPath.endsWith('.sock'))
      throw new StartFailure('unavailable', 'The path of a socket must end with .sock.')
    mkdirSync(path.dirname(listen.socketPath), { recursive: true, mode: 0o700 })
    // Left by a process that was killed: nobody can be behind it, because the lock of the file is ours.
    if (existsSync(listen.socketPath)) unlinkSync(listen.socketPath)
  }
  try {
    await new Promise<void>((resolve, reject) => {
      net.once('error', reject)
      net.listen('socketPath' in listen ? { path: listen.socketPath } : listen, resolve)
    })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'EADDRINUSE' : 'unavailable'
    throw new StartFailure(code, `The embedded store cannot listen: ${(cause as Error).message}`, { cause })
  }
  if ('socketPath' in listen) chmodSync(listen.socketPath, 0o600)
}

let connections = 0

/** A client that does not read gets nothing more until it has read so much that less than this is left. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024

/** One request of a connection at a time, as MongoDB has it: what a client sends and does not read fills its own pipe. */
const connect = (server: Server, socket: Socket, address: string, onFault: (error: unknown) => void): void => {
  const reader = new MessageReader()
  let waiting: Buffer[] = []
  let busy = false
  const next = (): void => {
    if (!busy && waiting.length > 0 && socket.writableLength < MOST_UNREAD_BYTES) {
      busy = true
      answer(waiting.shift()!)
    }
    if (waiting.length > 0) socket.pause()
    else socket.resume()
  }
  const peer: Peer = {
    id: ++connections,
    address,
    send: (message) => void socket.write(message),
    done: () => {
      busy = false
      next()
    },
  }
  const answer = (message: Buffer): void => {
    try {
      const request = read(message, server, peer)
      if (request) server.handle(peer, request)
    } catch (error) {
      end(error)
    }
  }
  // Not the protocol, or a fault of ours over what this client sent: this connection ends, the others go on.
  const end = (error: unknown): void => {
    if (!(error instanceof MalformedMessage)) onFault(error)
    socket.destroy()
  }
  socket.on('error', () => socket.destroy())
  socket.on('close', () => (waiting = []))
  socket.on('drain', next)
  socket.on('data', (piece) => {
    try {
      waiting.push(...reader.push(piece))
    } catch (error) {
      return end(error)
    }
    next()
  })
}

/** A request, or null when its BSON holds something that is refused by name; that is answered here. */
const read = (message: Buffer, server: Server, peer: Peer): Request | null => {
  try {
    return readRequest(message)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    server.refuse(peer, message.readInt32LE(4), error)
    return null
  }
}
