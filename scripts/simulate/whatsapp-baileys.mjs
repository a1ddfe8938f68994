// `npm run simulate -- whatsapp-baileys [--url http://127.0.0.1:3000] [--key KEY] [--rate 1] [--seconds 60] [--port 8092]`: WhatsApp and
// a phone on this machine, a channel on a running server that links it, and customers who write, read what they get, and lose their
// connection now and then. The server needs ALLOW_PRIVATE_ADDRESSES=true. Afterwards it stays, so that an agent can answer.
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    key: { type: 'string', default: process.env.HELPDESK_API_KEY ?? '' },
    rate: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    port: { type: 'string', default: '8092' },
  },
})

const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
/** Two with a number, one with a hidden id, one whose number shows later. */
const PEOPLE = [
  { name: 'Ana Souza', key: { remoteJid: '5511987650001@s.whatsapp.net' } },
  { name: 'Ben Okoro', key: { remoteJid: '2348030000002@s.whatsapp.net' } },
  { name: 'Chloé Martin', key: { remoteJid: '77001122334@lid' } },
  { name: 'Dmitri Orlov', key: { remoteJid: '77005566778@lid', remoteJidAlt: '4915112345678@s.whatsapp.net' } },
]
const MESSAGES = [
  { conversation: 'How long can I return goods?' },
  { extendedTextMessage: { text: 'When are you open?' } },
  { conversation: 'Olá! Qual é o prazo de devolução?' },
  { imageMessage: { mediaKey: 'AQ==', mimetype: 'image/png', caption: 'It arrived like *this*' } },
  { locationMessage: { degreesLatitude: -23.5614, degreesLongitude: -46.6559, name: 'Museum' } },
  { conversation: 'Can I talk to a person please' },
  { hologramMessage: { depth: 3 } },
]
const PAIRED_AFTER_MS = 8_000
const OUTAGE_EVERY = 15

/** @type {import('node:http').ServerResponse | null} */
let linked = null
let isLinked = false
let said = 0
/** @type {object[]} */
const waiting = []

const tell = (/** @type {object} */ event) =>
  linked ? linked.write(`${JSON.stringify(event)}\n`) : waiting.push(event)

const lose = (/** @type {number} */ code) => {
  const before = linked
  linked = null
  before?.end(`${JSON.stringify({ kind: 'closed', code })}\n`)
}

/** @param {import('node:http').ServerResponse} response @param {string | null} phone */
const connect = (response, phone) => {
  linked?.end()
  linked = response
  response.on('close', () => linked === response && (linked = null))
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  if (phone === 'linked' || isLinked) {
    isLinked = true
    tell({ kind: 'open' })
    for (const event of waiting.splice(0)) tell(event)
    return
  }
  tell({ kind: 'qr', qr: '2@a-picture,of-a,simulated-phone' })
  console.log(`The channel shows a picture now; the phone scans it in ${PAIRED_AFTER_MS / 1000} s.`)
  setTimeout(() => {
    isLinked = true
    tell({ kind: 'paired' })
    setTimeout(() => lose(515), 300)
  }, PAIRED_AFTER_MS)
}

const readReceipts = (
  /** @type {{ to: string, id: string, content: { text?: string, name?: string } }} */ { to, id, content },
) => {
  console.log(`→ ${to.replace(/\d(?=\d{3})/g, '·')}: ${content.text ?? `[${content.name}]`}`)
  for (const [status, ms] of [
    [3, 400],
    [4, 1_500],
  ])
    setTimeout(
      () => tell({ kind: 'update', raw: { key: { remoteJid: to, id, fromMe: true }, update: { status } } }),
      ms,
    )
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator')
  if (pathname === '/events') return connect(response, searchParams.get('phone'))
  let body = ''
  request.on('data', (part) => (body += part))
  request.on('end', () => {
    const given = body ? JSON.parse(body) : {}
    const answer = (/** @type {object} */ value) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    switch (pathname) {
      case '/send':
        readReceipts(given)
        return answer({ outcome: 'taken' })
      case '/pair':
        return answer({ code: 'SIMU1234' })
      case '/download':
        return answer({ bytes: PICTURE })
      default:
        return answer({})
    }
  })
})
await new Promise((resolve) => server.listen(Number(values.port), '127.0.0.1', () => resolve(null)))
const keepAlive = setInterval(() => linked?.write('\n'), 10_000)

const added = await fetch(`${values.url}/api/v1/channels`, {
  method: 'POST',
  headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    kind: 'whatsapp-baileys',
    name: 'Simulated phone',
    settings: { simulatorUrl: `http://127.0.0.1:${values.port}` },
  }),
})
const { id, error } = await added.json()
if (!added.ok) {
  console.error(`The server refused the channel: ${error?.message ?? added.status}. Is the key right?`)
  process.exit(1)
}
console.log(`Channel ${id} is added. If it stays disconnected: the server needs ALLOW_PRIVATE_ADDRESSES=true.`)

while (!linked || !isLinked) await new Promise((resolve) => setTimeout(resolve, 250))
const until = Date.now() + Number(values.seconds) * 1000
while (Date.now() < until) {
  const person = PEOPLE[said % PEOPLE.length]
  const message = MESSAGES[said % MESSAGES.length]
  said += 1
  const key = { ...person?.key, id: `SIM${Date.now().toString(36).toUpperCase()}${said}`, fromMe: false }
  tell({
    kind: 'message',
    raw: { key, message, pushName: person?.name, messageTimestamp: Math.floor(Date.now() / 1000) },
  })
  if (said % OUTAGE_EVERY === 0) {
    console.log('The connection is lost; what is written now comes after it.')
    lose(428)
  }
  await new Promise((resolve) => setTimeout(resolve, 1000 / Number(values.rate)))
}
console.log(`${said} messages were written. Answer them in the dashboard; Ctrl+C ends the simulation.`)
process.on('SIGINT', () => {
  clearInterval(keepAlive)
  process.exit(0)
})
