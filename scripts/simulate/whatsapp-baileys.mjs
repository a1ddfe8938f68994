// `npm run simulate -- whatsapp-baileys [--url http://127.0.0.1:3000] [--key KEY] [--rate 1] [--seconds 60] [--port 8092]`: WhatsApp and
// a phone on this machine, a channel on a running server that links it, and customers who write, read what they get, and lose their
// connection now and then. The server needs ALLOW_PRIVATE_ADDRESSES=true. Afterwards it stays, so that an agent can answer, and does what
// is typed in: `ana: Hello` (she writes), `me ana: Hi` (written on the phone itself), `lose`, `unlink`, `scan`.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { openSimulatedPhone } from '../../test/support/simulated-phone.mjs'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    key: { type: 'string', default: process.env.HELPDESK_API_KEY ?? '' },
    rate: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    port: { type: 'string', default: '8092' },
  },
})

/** Two with a number, one with a hidden id, one whose number shows with the second message. */
const PEOPLE = [
  { name: 'Ana Souza', key: { remoteJid: '5511987650001@s.whatsapp.net' } },
  { name: 'Ben Okoro', key: { remoteJid: '2348030000002@s.whatsapp.net' } },
  { name: 'Chloé Martin', key: { remoteJid: '77001122334@lid' } },
  { name: 'Dmitri Orlov', key: { remoteJid: '77005566778@lid' } },
]
const LATER = { remoteJid: '77005566778@lid', remoteJidAlt: '4915112345678@s.whatsapp.net' }
const MESSAGES = [
  'How long can I return goods?',
  { extendedTextMessage: { text: 'When are you open?' } },
  'Olá! Qual é o prazo de devolução?',
  { imageMessage: { mediaKey: 'AQ==', mimetype: 'image/png', caption: 'It arrived like *this*' } },
  { locationMessage: { degreesLatitude: -23.5614, degreesLongitude: -46.6559, name: 'Museum' } },
  'Can I talk to a person please',
  { hologramMessage: { depth: 3 } },
]
const SCANNED_AFTER_MS = 8_000
const OUTAGE_EVERY = 15

/** @type {NodeJS.Timeout | undefined} */
let scanning
const phone = await openSimulatedPhone({
  port: Number(values.port),
  onShown: (what) => {
    const where = what.kind === 'code' ? `a code for ${what.phoneNumber}` : 'a picture'
    console.log(`The channel shows ${where} now; the phone takes it in ${SCANNED_AFTER_MS / 1000} s.`)
    clearTimeout(scanning)
    scanning = setTimeout(() => phone.scan(), SCANNED_AFTER_MS)
  },
  onSent: ({ to, content }) =>
    console.log(`→ ${to.replace(/\d(?=\d{3})/g, '·')}: ${content.text ?? `[${content.name}]`}`),
})

const added = await fetch(`${values.url}/api/v1/channels`, {
  method: 'POST',
  headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'whatsapp-baileys', name: 'Simulated phone', settings: { simulatorUrl: phone.url } }),
}).catch(() => null)
const { id, error } = (await added?.json()) ?? {}
if (!added?.ok) {
  const why = added ? `refused the channel: ${error?.message ?? added.status}. Is the key right?` : 'does not answer.'
  console.error(`The server at ${values.url} ${why}`)
  process.exit(1)
}
console.log(`Channel ${id} is added. If it stays disconnected: the server needs ALLOW_PRIVATE_ADDRESSES=true.`)

while (!phone.isOpen) await new Promise((resolve) => setTimeout(resolve, 250))
console.log('The phone is linked.')
let said = 0
const until = Date.now() + Number(values.seconds) * 1000
while (Date.now() < until) {
  const [person, message] = [PEOPLE[said % PEOPLE.length], MESSAGES[said % MESSAGES.length]]
  if (person && message) phone.says(person, message)
  said += 1
  if (said === PEOPLE.length) Object.assign(PEOPLE[PEOPLE.length - 1] ?? {}, { key: LATER })
  if (said % OUTAGE_EVERY === 0) {
    console.log('The connection is lost; what is written now comes after it.')
    phone.lose()
  }
  await new Promise((resolve) => setTimeout(resolve, 1000 / Number(values.rate)))
}
console.log(`${said} messages were written. Answer them in the dashboard, or type; Ctrl+C ends the simulation.`)

const personCalled = (/** @type {string} */ name) =>
  PEOPLE.find((person) => person.name.toLowerCase().startsWith(name.trim().toLowerCase()))
createInterface({ input: process.stdin }).on('line', (line) => {
  const [, own, name = '', words = ''] = /^(me\s+)?([^:]{2,}):\s*(.+)$/iu.exec(line) ?? []
  const person = name ? personCalled(name) : undefined
  if (person) phone.says(person, words, { own: Boolean(own) })
  else if (line.trim() === 'lose') phone.lose()
  else if (line.trim() === 'unlink') phone.lose(401)
  else if (line.trim() === 'scan') phone.scan()
  else console.log('ana: Hello | me ana: Hi | lose | unlink | scan')
})
process.on('SIGINT', () => process.exit(0))
