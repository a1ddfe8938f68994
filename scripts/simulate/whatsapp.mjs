// `npm run simulate -- whatsapp [--url http://127.0.0.1:3000] [--key KEY] [--rate 2] [--seconds 60] [--port 8091]`: a Graph API on this
// machine, a channel on a running server that uses it, and customers who write at `rate` messages a second, read what they get and press
// its buttons. The server needs ALLOW_PRIVATE_ADDRESSES=true. Afterwards it stays, so that an agent can answer.
import { parseArgs } from 'node:util'
import { openGraph } from '../../test/support/graph.mjs'
import { voiceNote } from '../../test/support/recordings.mjs'
import { messageWebhook, signatureOf, statusWebhook, textContent } from '../bench/whatsapp-webhooks.mjs'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    key: { type: 'string', default: process.env.HELPDESK_API_KEY ?? '' },
    rate: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '60' },
    port: { type: 'string', default: '8091' },
  },
})

const PEOPLE = ['Ana Souza', 'Ben Okoro', 'Chloé Martin', 'Dmitri Orlov', 'Ełżbieta Nowak', '田中 花子', 'Farid Haddad']
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const MESSAGES = [
  // A fresh server answers these from its own documentation.
  textContent('How long may a message on WhatsApp be?'),
  textContent('How do I add a channel?'),
  textContent('How long can I return goods?'),
  textContent('Olá! Qual é o prazo de devolução?'),
  textContent('Can I talk to a person please'),
  { type: 'audio', audio: { id: '900003', mime_type: 'audio/ogg; codecs=opus', voice: true } },
  { type: 'image', image: { id: '900001', mime_type: 'image/png', caption: 'It arrived like *this*' } },
  { type: 'location', location: { latitude: -23.5614, longitude: -46.6559, name: 'Museum' } },
  { type: 'sticker', sticker: { id: '900002', mime_type: 'image/webp', animated: false } },
  { type: 'hologram', hologram: { depth: 3 } },
  textContent('Thank you!'),
]

const graph = await openGraph({ port: Number(values.port) })
graph.keep('900001', { bytes: PICTURE, type: 'image/png' })
graph.keep('900003', { bytes: voiceNote('How do I add a channel?'), type: 'audio/ogg' })
graph.keep('900002', { bytes: PICTURE, type: 'image/webp' })

const added = await fetch(`${values.url}/api/v1/channels`, {
  method: 'POST',
  headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    kind: 'whatsapp-cloud',
    name: 'Simulated WhatsApp',
    settings: {
      phoneNumberId: graph.phoneNumberId,
      accessToken: graph.token,
      appSecret: graph.secret,
      verifyToken: 'a word for the simulator',
      graphUrl: graph.url,
    },
  }),
})
const { id: channelId, error } = await added.json()
if (!added.ok) {
  console.error(
    `The server refused the channel: ${error?.message ?? added.status}. Is ALLOW_PRIVATE_ADDRESSES=true set?`,
  )
  process.exit(1)
}
console.log(`Channel ${channelId}; the Graph API is played at ${graph.url}.`)

/** @param {object} webhook */
const post = async (webhook) => {
  const body = JSON.stringify(webhook)
  const startedAt = performance.now()
  const response = await fetch(`${values.url}/webhooks/${channelId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body, graph.secret) },
    body,
  })
  return { status: response.status, ms: Math.round(performance.now() - startedAt) }
}

let numbered = 0
/** @param {string} waId @param {object} content */
const write = async (waId, content) => {
  numbered += 1
  const name = PEOPLE[Number(waId.slice(-4)) % PEOPLE.length] ?? ''
  const id = `wamid.simulated-${process.pid}-${numbered}`
  const { status, ms } = await post(messageWebhook(graph.phoneNumberId, { waId, name, id, content }))
  console.log(`→ ${waId} ${JSON.stringify(content).slice(0, 90)} (${status}, ${ms} ms)`)
}

graph.onMessage(async (message, id) => {
  const text = message.text?.body ?? message.interactive?.body?.text ?? `[${message.type}]`
  console.log(`← ${message.to ?? message.recipient} ${text.replaceAll('\n', ' ').slice(0, 110)}`)
  const echo = message.biz_opaque_callback_data
  for (const status of ['sent', 'delivered', 'read']) {
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800))
    await post(statusWebhook(graph.phoneNumberId, [{ id, status, echo }]))
  }
  const button = message.interactive?.action?.buttons?.[0]?.reply
  if (button && Math.random() < 0.2)
    await write(message.to, {
      type: 'interactive',
      context: { id },
      interactive: { type: 'button_reply', button_reply: button },
    })
})

const gapMs = 1000 / Number(values.rate)
const endsAt = performance.now() + Number(values.seconds) * 1000
for (let at = 0; performance.now() < endsAt; at += 1) {
  // Twenty people, each of whom writes again and again.
  const waId = `49151555${String(Math.floor(Math.random() * 20)).padStart(4, '0')}`
  write(waId, MESSAGES[at % MESSAGES.length] ?? textContent('Hello')).catch((err) => console.error(String(err)))
  await new Promise((resolve) => setTimeout(resolve, gapMs))
}
console.log('No more customers. Answers of agents are still taken; Ctrl+C ends it.')
