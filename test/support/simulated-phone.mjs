// WhatsApp and a phone on this machine, behind the door that src/channels/whatsapp/linked/simulated.ts knocks at: events go out as
// lines of JSON, what is done comes in as requests. The simulator and the browser's tests play with it.
import { createServer } from 'node:http'

/** @typedef {import('./simulated-phone.d.mts').Said} Said */
/** @typedef {import('./simulated-phone.d.mts').SimulatedPerson} SimulatedPerson */
/** @typedef {import('node:http').ServerResponse} Response */

const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
/** So many of the last events are handed over once more to whoever connects again. */
const UNSURE = 50
/** As WhatsApp's own server has it: the first picture for a minute, each further one for 20 s, and six of them in all. */
const FIRST_PICTURE_MS = 60_000
const NEXT_PICTURE_MS = 20_000
const MOST_PICTURES = 6
const RECEIPTS_MS = /** @type {const} */ ([
  [3, 300],
  [4, 900],
])

/** @type {import('./simulated-phone.d.mts').openSimulatedPhone} */
export const openSimulatedPhone = async ({ port = 0, onSent = () => {}, onShown = () => {} } = {}) => {
  /** @type {Response | null} */
  let connected = null
  let isLinked = false
  let isAway = false
  /** @type {{ fate: 'taken' | 'refused' | 'unknown', times: number }} */
  let manner = { fate: 'taken', times: Infinity }
  let connections = 0
  let ids = 0
  /** @type {NodeJS.Timeout | undefined} */
  let nextPicture
  /** @type {object[]} */
  const waiting = []
  /** What was told while somebody was connected: whether it was taken in, WhatsApp is not sure of. @type {object[]} */
  let unsure = []
  /** @type {import('./simulated-phone.d.mts').SentByUs[]} */
  const sent = []

  const write = (/** @type {object} */ event) => connected?.write(`${JSON.stringify(event)}\n`)
  /** What is said while nobody is connected comes once somebody is. */
  const tell = (/** @type {object} */ event) => {
    if (!connected || !isLinked) return void waiting.push(event)
    unsure = [...unsure, event].slice(-UNSURE)
    write(event)
  }

  /** What becomes of the message that is sent now. */
  const fateOf = () => {
    if (manner.times <= 0) return 'taken'
    manner.times -= 1
    return manner.fate
  }

  const lose = (code = 428) => {
    clearTimeout(nextPicture)
    const before = connected
    connected = null
    before?.end(`${JSON.stringify({ kind: 'closed', code })}\n`)
  }

  const showPicture = (number = 1) => {
    if (number > MOST_PICTURES) return lose(408)
    write({ kind: 'qr', qr: `2@picture-${connections}-${number},of-a,simulated-phone` })
    onShown({ kind: 'picture' })
    nextPicture = setTimeout(() => showPicture(number + 1), number === 1 ? FIRST_PICTURE_MS : NEXT_PICTURE_MS)
  }

  /** @param {Response} response @param {string | null} phone */
  const connect = (response, phone) => {
    clearTimeout(nextPicture)
    connected?.end()
    connected = response
    connections += 1
    response.on('close', () => {
      if (connected !== response) return
      connected = null
      clearTimeout(nextPicture)
    })
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    isLinked = phone === 'linked'
    if (!isLinked) return showPicture()
    write({ kind: 'open' })
    const before = unsure
    unsure = []
    for (const event of [...before, ...waiting.splice(0)]) tell(event)
  }

  const take = (/** @type {import('./simulated-phone.d.mts').SentByUs} */ message) => {
    sent.push(message)
    onSent(message)
    for (const [status, ms] of RECEIPTS_MS)
      setTimeout(
        () =>
          tell({
            kind: 'update',
            raw: { key: { remoteJid: message.to, id: message.id, fromMe: true }, update: { status } },
          }),
        ms,
      ).unref()
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator')
    if (isAway) return void response.writeHead(503).end()
    if (pathname === '/events') return connect(response, searchParams.get('phone'))
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      const given = body ? JSON.parse(body) : {}
      const answer = (/** @type {object} */ value) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      switch (pathname) {
        case '/send':
          switch (fateOf()) {
            case 'unknown':
              return answer({ outcome: 'unknown' })
            case 'refused':
              return answer({ outcome: 'refused', code: 'whatsapp_463' })
            default:
              take(given)
              return answer({ outcome: 'taken' })
          }
        case '/pair':
          onShown({ kind: 'code', phoneNumber: given.phoneNumber })
          return answer({ code: 'SIMU1234' })
        case '/download':
          return answer({ bytes: PICTURE })
        default:
          return answer({})
      }
    })
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(null)))
  const keepAlive = setInterval(() => connected?.write('\n'), 10_000)
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())

  return {
    url: `http://127.0.0.1:${address.port}`,
    sent,
    get connections() {
      return connections
    },
    get isConnected() {
      return connected !== null
    },
    get isOpen() {
      return connected !== null && isLinked
    },
    says: (
      { name, key },
      said,
      { own = false, id = `SIM${Date.now().toString(36).toUpperCase()}${(ids += 1)}` } = {},
    ) => {
      const message = typeof said === 'string' ? { conversation: said } : said
      const messageTimestamp = Math.floor(Date.now() / 1000)
      const raw = { key: { ...key, id, fromMe: own }, message, ...(own ? {} : { pushName: name }), messageTimestamp }
      tell({ kind: 'message', raw })
    },
    tell,
    scan: () => {
      clearTimeout(nextPicture)
      write({ kind: 'paired' })
      setTimeout(() => lose(515), 300)
    },
    lose,
    away: () => {
      isAway = true
      lose(503)
    },
    back: () => void (isAway = false),
    takes: (fate, times = Infinity) => void (manner = { fate, times }),
    close: async () => {
      clearInterval(keepAlive)
      clearTimeout(nextPicture)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
