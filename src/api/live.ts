import type { IncomingMessage, Server as HttpServer } from 'node:http'
import { Server, type Namespace, type Socket } from 'socket.io'
import type { ChannelNamespace } from '../channels/channel.js'
import { newId } from '../platform/ids.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { named } from './errors.js'
import type { Limits } from './limits.js'

const MAX_PAYLOAD_BYTES = 100 * 1024
/** A reader who is this many frames behind is cut off; after the reconnect it fetches what it missed. */
const MAX_UNSENT_FRAMES = 500
/** Who has not taken the farewell by then is cut off. */
const FAREWELL_MS = 1_000

/** A channel's namespace is one; the dashboard's asks for more about who connects, and may end what it began. */
export type LiveNamespace = Omit<ChannelNamespace, 'connect'> & {
  connect(
    input: Parameters<ChannelNamespace['connect']>[0] & {
      cookie: string | null
      /** The company that a person with several asks for. */
      company: string | null
      /** Says why by an event, then hangs up for good: the client does not come back by itself. */
      end: (event: string) => void
    },
  ): ReturnType<ChannelNamespace['connect']>
}

type Needs = {
  namespaces: readonly LiveNamespace[]
  /** The client's address, by the same rule as for every request. */
  addressOf: (request: IncomingMessage) => string
  limit: Limits
  metrics: Pick<Metrics, 'sockets'>
  log: Log
}

type Connected = Awaited<ReturnType<LiveNamespace['connect']>>

/** The channels' live connections over Socket.IO. Every event is acknowledged with `{ok: true, …}` or `{ok: false, error}`. */
export const attachLive = (server: HttpServer, { namespaces, ...needs }: Needs) => {
  const io = new Server(server, {
    serveClient: false,
    maxHttpBufferSize: MAX_PAYLOAD_BYTES,
    // Web chats live on customers' sites and carry a token, never a cookie; the channel checks the origins it allows.
    cors: { origin: true, credentials: false },
    connectTimeout: 10_000,
  })
  const opened = namespaces.map((namespace) => openNamespace(io.of(namespace.path), namespace, needs))

  return {
    /** Tells every client, then lets go of all of them. The HTTP server stays the caller's. */
    close: async (): Promise<void> => {
      const sockets = opened.flatMap((namespace) => [...namespace.sockets.values()])
      const gone = Promise.all(sockets.map(({ conn }) => new Promise<void>((done) => conn.once('close', () => done()))))
      for (const namespace of opened) namespace.emit('closing', {})
      // The line is cut, not the session ended: clients then come back by themselves.
      for (const { conn } of sockets) conn.close()
      const late = setTimeout(() => sockets.forEach(cutOff), FAREWELL_MS)
      await gone
      clearTimeout(late)
      io.engine.close()
    },
  }
}

const openNamespace = (
  nsp: Namespace,
  namespace: LiveNamespace,
  { addressOf, limit, metrics, log }: Omit<Needs, 'namespaces'>,
) => {
  nsp.use((socket, next) => {
    const auth: Record<string, unknown> = socket.handshake.auth
    const emit = (event: string, payload: object) => {
      if (unsentFrames(socket) > MAX_UNSENT_FRAMES) cutOff(socket)
      else socket.emit(event, payload)
    }
    namespace
      .connect({
        token: typeof auth.token === 'string' ? auth.token : '',
        origin: socket.handshake.headers.origin ?? null,
        address: addressOf(socket.request),
        emit,
        cookie: socket.handshake.headers.cookie ?? null,
        company: typeof auth.company === 'string' ? auth.company : null,
        end: (event) => {
          emit(event, {})
          socket.disconnect()
        },
      })
      .then((connected) => {
        ;(socket.data as { connected: Connected }).connected = connected
        // The client may have gone while it was let in: then nobody else ends what was begun.
        if (socket.client.conn.readyState !== 'open') connected.close('left')
        next()
      })
      .catch((thrown: unknown) => {
        next(Object.assign(new Error('refused'), { data: refusalOf(thrown, log) }))
      })
  })

  nsp.on('connection', (socket: Socket) => {
    const { connected } = socket.data as { connected: Connected }
    metrics.sockets.inc({ namespace: namespace.path })
    socket.on('disconnect', (reason) => {
      metrics.sockets.dec({ namespace: namespace.path })
      connected.close(reason === 'ping timeout' ? 'lost' : 'left')
    })
    // An `error` event that nobody listens to would end the process.
    socket.on('error', () => {})
    socket.onAny((event: string, ...given: unknown[]) => {
      const last = given.at(-1)
      const acknowledge = typeof last === 'function' ? (last as (answer: object) => void) : () => {}
      const payload = typeof given[0] === 'function' ? undefined : given[0]
      void withRequestId(newId('req'), () => answer(socket, connected, event, payload)).then(acknowledge)
    })
  })

  const answer = async (socket: Socket, { on }: Connected, event: string, payload: unknown): Promise<object> => {
    try {
      await limit('events_per_socket', socket.id)
      const listener = Object.hasOwn(on, event) ? on[event] : undefined
      if (!listener) return { ok: false, error: { code: 'unknown_event', message: 'There is no such event.' } }
      return { ok: true, ...(await listener(payload)) }
    } catch (thrown) {
      return { ok: false, error: refusalOf(thrown, log) }
    }
  }

  return nsp
}

/** engine.io keeps what the transport has not taken yet; its types call that private, its documentation does not. */
const unsentFrames = (socket: Socket): number =>
  (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length

/** At once, without waiting for a reader who does not read: what is unsent is dropped, and a polite close would wait behind it. */
const cutOff = ({ conn }: Socket): void => {
  const { socket } = conn.transport as unknown as { socket?: { terminate?: () => void } }
  conn.close(true)
  socket?.terminate?.()
}

const refusalOf = (thrown: unknown, log: Log) => {
  const { kind, code, message, field } = named(thrown)
  if (kind === 'internal') log.error({ err: thrown }, 'live event failed')
  return { code, message, ...(field === undefined ? {} : { field }) }
}
