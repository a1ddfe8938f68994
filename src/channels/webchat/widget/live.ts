/**
 * A live connection over WebSocket: as much of Engine.IO 4 and Socket.IO 5 as listening needs, in place of a client library
 * that would be half of the widget. What is written goes by HTTP; where WebSockets do not pass, the chat asks from time to
 * time instead. Protocols: github.com/socketio/engine.io-protocol and github.com/socketio/socket.io-protocol.
 */

type Listener = {
  /** Connected: whatever happened before is to be fetched. */
  up(): void
  /** The line is cut; it comes back by itself. */
  down(): void
  /** The server let go of this token and says why; this does not come back by itself. */
  refused(code: string): void
  event(name: string, payload: unknown): void
}

export type Live = { stop(): void; /** Tries at once instead of at the end of its pause. */ hurry(): void }

const NAMESPACE = '/webchat'
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 20_000
/** What a server may be late with its heartbeat before the line counts as cut. */
const GRACE_MS = 5_000

export const connectLive = (base: string, token: string, listener: Listener): Live => {
  let socket: WebSocket | null = null
  let failures = 0
  let pause: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let isUp = false
  let stopped = false

  const open = (): void => {
    clearTimeout(pause)
    if (stopped || socket) return
    try {
      socket = new WebSocket(`${base.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`)
    } catch {
      return again()
    }
    const mine = socket
    let heartbeatMs = 45_000
    const wait = () => {
      clearTimeout(silence)
      silence = setTimeout(() => lose(mine), heartbeatMs + GRACE_MS)
    }
    wait()
    mine.onmessage = ({ data }: MessageEvent<string>) => {
      if (mine !== socket) return
      wait()
      const packet = decode(data)
      switch (packet.kind) {
        case 'handshake':
          heartbeatMs = packet.heartbeatMs
          return mine.send(`40${NAMESPACE},${JSON.stringify({ token })}`)
        case 'ping':
          return mine.send('3')
        case 'connected':
          failures = 0
          isUp = true
          return listener.up()
        case 'event':
          return listener.event(packet.name, packet.payload)
        case 'refused':
          // Too many at once is no refusal for good.
          if (packet.code === 'rate_limited' || packet.code === 'too_many_connections') return lose(mine)
          stop()
          return listener.refused(packet.code)
        case 'ended':
          return lose(mine)
        case 'other':
      }
    }
    mine.onclose = mine.onerror = () => lose(mine)
  }

  const lose = (which: WebSocket): void => {
    if (which !== socket) return
    socket = null
    clearTimeout(silence)
    which.close()
    if (isUp) listener.down()
    isUp = false
    again()
  }

  /** A random part, so that a thousand visitors do not come back in the same moment. */
  const again = (): void => {
    if (stopped) return
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
    failures += 1
    pause = setTimeout(open, longest * (0.5 + Math.random() / 2))
  }

  const stop = (): void => {
    stopped = true
    clearTimeout(pause)
    clearTimeout(silence)
    socket?.close()
    socket = null
  }

  open()
  return { stop, hurry: open }
}

type Packet =
  | { kind: 'handshake'; heartbeatMs: number }
  | { kind: 'ping' | 'connected' | 'ended' | 'other' }
  | { kind: 'refused'; code: string }
  | { kind: 'event'; name: string; payload: unknown }

/** Total: what cannot be understood is `other`. */
const decode = (data: unknown): Packet => {
  if (typeof data !== 'string') return { kind: 'other' }
  try {
    if (data[0] === '0') {
      const { pingInterval, pingTimeout } = JSON.parse(data.slice(1)) as { pingInterval: number; pingTimeout: number }
      return { kind: 'handshake', heartbeatMs: pingInterval + pingTimeout }
    }
    if (data === '2') return { kind: 'ping' }
    if (data === '1') return { kind: 'ended' }
    const [, type, json = ''] = /^4(\d)\/webchat,?(.*)$/s.exec(data) ?? []
    if (type === '0') return { kind: 'connected' }
    if (type === '1') return { kind: 'ended' }
    if (type === '4')
      return { kind: 'refused', code: (JSON.parse(json) as { data?: { code?: string } }).data?.code ?? '' }
    if (type === '2') {
      const [name, payload] = JSON.parse(json) as [string, unknown]
      return { kind: 'event', name, payload }
    }
  } catch {
    // Not JSON: not from our server.
  }
  return { kind: 'other' }
}
