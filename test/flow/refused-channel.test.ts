import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { simpleParser } from 'mailparser'
import { eventually, openApp } from '../support/app.js'
import { openGraph } from '../support/graph.mjs'
import { openTestMongo } from '../support/mongo.js'
import { openSmtp, type Smtp } from '../support/smtp.mjs'
import { PHONE_NUMBER_ID, said, signatureOf } from '../support/whatsapp.js'

const OWNER = { email: 'owner@example.com', password: 'correct horse battery' }
const CUSTOMER = '4915100099001'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let graph: Awaited<ReturnType<typeof openGraph>>
let smtp: Smtp
let app: Awaited<ReturnType<typeof openApp>>

beforeAll(async () => {
  mongo = await openTestMongo()
  graph = await openGraph({ phoneNumberId: PHONE_NUMBER_ID })
  smtp = await openSmtp()
  app = await openApp(mongo, {
    env: {
      ALLOW_PRIVATE_ADDRESSES: 'true',
      HELPDESK_ADMIN_EMAIL: OWNER.email,
      HELPDESK_ADMIN_PASSWORD: OWNER.password,
      SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      MAIL_FROM: 'Helpdesk <desk@helpdesk.example>',
    },
  })
})
afterAll(async () => {
  await app.stop()
  await graph.close()
  await smtp.close()
  await mongo.close()
})

const join = async (name: string, role: string) => {
  const email = `${name}@example.com`
  const { body } = await app.call<{ setupUrl: string }>('/people', { body: { email, name, role } })
  const token = new URL(body.setupUrl).hash.slice(1)
  await app.call('/setup', { body: { token, name, email, password: OWNER.password } })
}

/** As the dashboard does when somebody reads it in that language. */
const reads = async (email: string, language: string) => {
  const headers = { 'content-type': 'application/json', origin: app.url }
  const signedIn = await fetch(`${app.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ email, password: OWNER.password }),
  })
  const cookie = signedIn.headers.getSetCookie().map((one) => one.split(';')[0])
  const told = await fetch(`${app.url}/api/v1/me/language`, {
    method: 'PUT',
    headers: { ...headers, cookie: cookie.join('; ') },
    body: JSON.stringify({ language }),
  })
  expect(told.status).toBe(200)
}

it('a token that is not accepted any more is mailed to owners and admins, each in their language, and to no agent', async () => {
  await join('admin', 'admin')
  await join('agent', 'agent')
  await reads('admin@example.com', 'es')
  smtp.sent.length = 0
  const { body } = await app.call<{ id: string }>('/channels', {
    body: {
      kind: 'whatsapp-cloud',
      name: 'Orders',
      settings: graph.settings,
    },
  })
  const raw = JSON.stringify(said(CUSTOMER, 'wamid.refused-1', 'I want to talk to a person'))
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(raw, graph.secret) }
  await fetch(`${app.url}/webhooks/${body.id}`, { method: 'POST', headers, body: raw })
  const conversationId = await eventually(async () => {
    const found = await app.call<{ conversations: { id: string; handler: string }[] }>(
      `/conversations?channel=${body.id}`,
    )
    return found.body.conversations.find(({ handler }) => handler === 'nobody')?.id
  })
  await eventually(async () => graph.sent().length > 0)
  graph.script({ kind: 'error', code: 190, status: 401 })
  await app.call(`/conversations/${conversationId}/messages`, { body: { text: 'Your secret order number is 4711.' } })

  await eventually(async () => smtp.sent.length >= 2)
  const mails = await Promise.all(smtp.sent.map(({ raw: mail }) => simpleParser(mail)))
  const bySubject = mails.map(({ subject = '' }) => subject).sort()
  expect(bySubject).toEqual([
    'Orders ha sido rechazado: ahí no se atiende a los clientes',
    'Orders is refused: customers are not served there',
  ])
  expect(smtp.sent.flatMap(({ to }) => to).sort()).toEqual(['admin@example.com', OWNER.email])
  for (const { text = '' } of mails) {
    expect(text).toContain('/settings/channels')
    for (const secret of [graph.token, graph.secret, '4711', CUSTOMER]) expect(text).not.toContain(secret)
  }
}, 30_000)
