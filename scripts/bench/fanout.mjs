// Live fan-out with storage on: 1,000 connected visitors in rooms of two, 100 messages a second in all. Each message is counted
// from when it should have left (open loop) until the other one in its room has it. The floor is a bare Socket.IO server in the
// same run, under the same load, which stores nothing. Server, floor and load are processes of their own on one machine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { call, startServer } from './server.mjs'

const VISITORS = 1_000
const ROOMS = VISITORS / 2
const PER_SECOND = 100
const SECONDS = 20
/** What has not arrived by then is lost. */
const PATIENCE_MS = 10_000
const CONNECT_AT_ONCE = 50

export const fanout = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const floor = startRole('floor')
  const [line] = await once(createInterface({ input: floor.stdout }), 'line')
  const server = await startServer({ dataDir })
  try {
    // Nobody answers but people: what is measured is the way from one to the other.
    await call(server.url, '/company', { method: 'PATCH', body: { assistant: { paused: true } } })
    const { channelKey } = await call(server.url, '/webchat/demo')
    const tokens = []
    for (let room = 0; room < ROOMS; room += 1) {
      const { token } = await call(server.url, '/webchat/sessions', { body: { channelKey } })
      await call(server.url, '/webchat/messages', { token, body: { id: 'first', text: 'Good morning.' } })
      tokens.push(token)
    }
    const bare = await load({ url: `${String(line)}/`, tokens })
    const product = await load({ url: `${server.url}/webchat`, tokens })
    return { bench: 'fanout', visitors: VISITORS, perSecond: PER_SECOND, seconds: SECONDS, product, bareSocketIo: bare }
  } finally {
    await server.stop()
    floor.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** @param {string} role */
const startRole = (role) =>
  spawn(process.execPath, [import.meta.filename, role], { stdio: ['pipe', 'pipe', 'inherit'] })

/** @param {{ url: string, tokens: string[] }} job @returns {Promise<object>} */
const load = async (job) => {
  const child = startRole('load')
  child.stdin.end(JSON.stringify(job))
  return JSON.parse(await text(child.stdout))
}

/** Says what it is told to the others of the room, as barely as can be. */
const serveFloor = () => {
  const server = createServer()
  const sockets = new Server(server, { serveClient: false })
  sockets.on('connection', (socket) => {
    const { token } = /** @type {{ token: string }} */ (socket.handshake.auth)
    void socket.join(token)
    socket.on('message', (payload, acknowledge) => {
      sockets.to(token).emit('message', { ...payload, clientId: payload.id })
      acknowledge({ ok: true })
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    console.log(`http://127.0.0.1:${port}`)
  })
}

const generate = async () => {
  /** @type {{ url: string, tokens: string[] }} */
  const { url, tokens } = JSON.parse(await text(process.stdin))
  /** When a message should have left, by its id. */
  const due = new Map()
  /** @type {number[]} */
  const delivered = []
  /** @type {number[]} */
  const acknowledged = []
  let twice = 0
  let refused = 0

  /** @param {string} token */
  const connect = async (token) => {
    const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false })
    await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(null))
      socket.once('connect_error', reject)
    })
    return socket
  }
  /** @type {Awaited<ReturnType<typeof connect>>[]} */
  const speakers = []
  const seats = tokens.flatMap((token, room) => [
    async () => void (speakers[room] = await connect(token)),
    async () => {
      const heard = new Set()
      const socket = await connect(token)
      socket.on('message', ({ clientId }) => {
        const left = due.get(clientId)
        if (left === undefined) return
        if (heard.has(clientId)) twice += 1
        else delivered.push(performance.now() - left)
        heard.add(clientId)
      })
    },
  ])
  for (let at = 0; at < seats.length; at += CONNECT_AT_ONCE)
    await Promise.all(seats.slice(at, at + CONNECT_AT_ONCE).map((sit) => sit()))

  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  const start = performance.now() + 500
  const all = PER_SECOND * SECONDS
  for (let sent = 0; sent < all; ) {
    for (; sent < all && start + (sent * 1000) / PER_SECOND <= performance.now(); sent += 1) {
      const id = `f-${process.pid}-${sent}`
      const at = start + (sent * 1000) / PER_SECOND
      due.set(id, at)
      // Rooms take turns, in no order that a cache could like.
      const speaker = speakers[(sent * 211) % speakers.length]
      const said = { id, text: `Where is my parcel number ${sent}? It should have come on Monday.` }
      speaker?.emit('message', said, (/** @type {{ ok: boolean }} */ { ok }) => {
        if (ok) acknowledged.push(performance.now() - at)
        else refused += 1
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const patience = performance.now() + PATIENCE_MS
  while ((delivered.length < all || acknowledged.length < all) && performance.now() < patience)
    await new Promise((resolve) => setTimeout(resolve, 10))
  console.log(
    JSON.stringify({
      deliveredP50Ms: share(delivered, 0.5),
      deliveredP99Ms: share(delivered, 0.99),
      deliveredMaxMs: share(delivered, 1),
      acknowledgedP99Ms: share(acknowledged, 0.99),
      lost: all - delivered.length,
      twice,
      refused,
      generatorLagP99Ms: Number((lag.percentile(99) / 1e6).toFixed(1)),
    }),
  )
  process.exit(0)
}

/** @param {number[]} values @param {number} part */
const share = (values, part) => {
  const sorted = [...values].sort((a, b) => a - b)
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1))
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === 'floor') serveFloor()
  if (process.argv[2] === 'load') await generate()
}
