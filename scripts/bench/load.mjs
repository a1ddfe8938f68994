// The load generator, a process of its own. It gets one JSON job on standard input and prints one JSON result.
//   closed loop: each connection sends the next request when the last is answered: what the server can take.
//   open loop: requests leave by a schedule, and a latency counts from when its request should have left, so a server
//   that stalls cannot hide the ones that had to wait.
// Requests are written to raw sockets, so that the generator is not what is measured.
import net from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'

/** @type {{ url: string, path: string, tokens: string[], seconds: number, rate?: number, prefix: string }} */
const job = JSON.parse(await text(process.stdin))
const { hostname, port } = new URL(job.url)

const lag = monitorEventLoopDelay({ resolution: 5 })
lag.enable()
let sent = 0
let failed = 0
/** @type {number[]} */
const latencies = []

class Connection {
  /** @type {((status: number) => void) | null} */
  waiting = null
  buffered = ''

  /** @param {string} token */
  constructor(token) {
    this.token = token
    this.socket = net.connect(Number(port), hostname)
    this.socket.setNoDelay(true)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (chunk) => this.read(String(chunk)))
    this.socket.on('error', () => this.waiting?.(0))
  }

  /** @param {string} chunk */
  read(chunk) {
    this.buffered += chunk
    const end = this.buffered.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.buffered.slice(0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (this.buffered.length < end + 4 + length) return
    this.buffered = this.buffered.slice(end + 4 + length)
    const done = this.waiting
    this.waiting = null
    done?.(Number(head.slice(9, 12)))
  }

  /** @returns {Promise<number>} */
  post() {
    sent += 1
    const body = JSON.stringify({
      id: `${job.prefix}-${sent}`,
      text: `Where is my parcel number ${sent}? It should have come on Monday.`,
    })
    const authorization = this.token ? `authorization: Bearer ${this.token}\r\n` : ''
    this.socket.write(
      `POST ${job.path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${authorization}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }
}

const connections = job.tokens.map((token) => new Connection(token))
await Promise.all(connections.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))))

const startedAt = performance.now()
const endsAt = startedAt + job.seconds * 1000

/** @param {Connection} connection @param {number} due */
const once = async (connection, due) => {
  const status = await connection.post()
  if (status < 200 || status > 299) failed += 1
  else latencies.push(performance.now() - due)
}

if (job.rate) {
  const gap = 1000 / job.rate
  const idle = [...connections]
  /** @type {number[]} */
  const queue = []
  let next = startedAt
  const serve = () => {
    while (queue.length > 0 && idle.length > 0) {
      const connection = /** @type {Connection} */ (idle.pop())
      void once(connection, /** @type {number} */ (queue.shift())).then(() => {
        idle.push(connection)
        serve()
      })
    }
  }
  while (performance.now() < endsAt) {
    for (; next <= performance.now(); next += gap) queue.push(next)
    serve()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  while (queue.length > 0 || idle.length < connections.length) await new Promise((resolve) => setTimeout(resolve, 5))
} else {
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < endsAt) await once(connection, performance.now())
    }),
  )
}

const seconds = (performance.now() - startedAt) / 1000
latencies.sort((a, b) => a - b)
const at = (/** @type {number} */ share) =>
  Number((latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(2))
console.log(
  JSON.stringify({
    perSecond: Math.round(latencies.length / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    failed,
    generatorLagP99Ms: Number((lag.percentile(99) / 1e6).toFixed(1)),
  }),
)
process.exit(0)
