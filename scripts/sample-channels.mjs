// Channels of every kind on a sample desk, with Meta and a phone played on this machine, and promises to those who write.
import { openGraph } from '../test/support/graph.mjs'
import { openSimulatedPhone } from '../test/support/simulated-phone.mjs'
import { openSmtp } from '../test/support/smtp.mjs'
import { call } from './bench/server.mjs'
import { messageWebhook, signatureOf, textContent } from './bench/whatsapp-webhooks.mjs'

const ADDRESS = 'support@shop.example'
const DAY_S = 86_400
const HOUR_MS = 3_600_000
const OFFICE_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri']
const TEMPLATE = {
  id: '1',
  name: 'order_update',
  language: 'en_US',
  status: 'APPROVED',
  category: 'UTILITY',
  components: [{ type: 'BODY', text: 'Hello {{1}}, there is news about your order {{2}}. May we tell you?' }],
}

/** Opening hours and promises count for what begins after them. @param {string} url */
export const seedPromises = async (url) => {
  const period = [{ open: '09:00', close: '18:00' }]
  await call(url, '/hours', {
    method: 'PUT',
    body: {
      hours: {
        timeZone: 'Europe/Berlin',
        weekly: {
          ...Object.fromEntries(OFFICE_DAYS.map((day) => [day, period])),
          sat: [{ open: '10:00', close: '14:00' }],
        },
        exceptions: [{ date: '12-25', periods: [], name: 'Christmas' }],
      },
    },
  })
  /** @param {number} hours */
  const targets = (hours) => ({
    first_response: hours * HOUR_MS,
    next_response: hours * HOUR_MS,
    resolution: 24 * hours * HOUR_MS,
  })
  /** @param {number} hours */
  const each = (hours) => ({
    low: targets(4 * hours),
    normal: targets(2 * hours),
    high: targets(hours),
    urgent: targets(hours / 2),
  })
  await call(url, '/policies', {
    method: 'PUT',
    body: {
      policies: [
        { name: 'Gold customers', when: { tier: ['gold'] }, targets: each(1), time: 'calendar', setsPriority: 'high' },
        { name: 'Everybody', targets: each(4) },
      ],
    },
  })
}

/** @param {string} url */
export const seedChannels = async (url) => {
  const graph = await openGraph()
  graph.offer([TEMPLATE])
  const phone = await openSimulatedPhone()
  const smtp = await openSmtp({ user: ADDRESS, password: 'secret' })
  const { id: whatsapp } = await call(url, '/channels', {
    body: {
      kind: 'whatsapp-cloud',
      name: 'WhatsApp',
      settings: {
        phoneNumberId: graph.phoneNumberId,
        accessToken: graph.token,
        appSecret: graph.secret,
        verifyToken: 'a word for pictures',
        graphUrl: graph.url,
      },
    },
  })
  await call(url, '/channels', {
    body: { kind: 'whatsapp-baileys', name: 'Shop phone', settings: { simulatorUrl: phone.url } },
  })
  await call(url, '/channels', {
    body: {
      kind: 'email',
      name: 'Support mail',
      settings: {
        address: ADDRESS,
        name: 'Acme Support',
        webhookSecret: 'a secret of the mail provider',
        smtp: { host: '127.0.0.1', port: smtp.port, secure: false, user: ADDRESS, password: 'secret' },
      },
    },
  })

  /** @param {string} id @param {number} secondsAgo @param {string} text */
  const write = async (id, secondsAgo, text) => {
    const timestamp = String(Math.floor(Date.now() / 1000) - secondsAgo)
    const content = { ...textContent(text), timestamp }
    const message = { waId: '4915155550007', name: 'Chloé Martin', id: `wamid.${id}`, content }
    const body = JSON.stringify(messageWebhook(graph.phoneNumberId, message))
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body, graph.secret) }
    const response = await fetch(`${url}/webhooks/${whatsapp}`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`the webhook was refused: ${response.status}`)
  }
  await write('late', 2 * DAY_S, 'Is the blue coat still to be had in size M? I would like to talk to a person.')

  let late
  for (let tries = 0; !late && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { conversations } = await call(url, `/conversations?channel=${whatsapp}`)
    late = conversations[0]?.id
  }
  return { late, close: () => Promise.all([graph.close(), phone.close(), smtp.close()]) }
}
