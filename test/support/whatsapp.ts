import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** Webhooks as Meta sends them, written from its documentation. */

export const PHONE_NUMBER_ID = '106540352242922'
export const ACCOUNT_ID = '102290129340398'

type Json = Record<string, unknown>

/** One webhook with these changes; each is for our number unless it says otherwise. */
export const webhookOf = (...values: Json[]): Json => ({
  object: 'whatsapp_business_account',
  entry: [
    {
      id: ACCOUNT_ID,
      changes: values.map((value) => ({
        field: 'messages',
        value: {
          messaging_product: 'whatsapp',
          metadata: { display_phone_number: '15550100', phone_number_id: PHONE_NUMBER_ID },
          ...value,
        },
      })),
    },
  ],
})

export const from = (waId: string, name = 'Ana Souza') => ({
  contacts: [{ profile: { name }, wa_id: waId, user_id: `US.${waId}0001` }],
})

export const textMessage = (waId: string, id: string, body: string, more: Json = {}): Json => ({
  from: waId,
  from_user_id: `US.${waId}0001`,
  id,
  timestamp: String(Math.floor(new Date().getTime() / 1000)),
  type: 'text',
  text: { body },
  ...more,
})

/** A message of one person's, in its webhook. */
export const said = (waId: string, id: string, body: string, more: Json = {}): Json =>
  webhookOf({ ...from(waId), messages: [textMessage(waId, id, body, more)] })

export const statusOf = (id: string, status: string, more: Json = {}): Json =>
  webhookOf({
    statuses: [
      { id, status, timestamp: String(Math.floor(new Date().getTime() / 1000)), recipient_id: '15550101', ...more },
    ],
  })

export const signatureOf = (body: string | Uint8Array, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

/** Messages by what is odd about them: name → the message as it stands in a webhook. */
export const oddMessages = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../fixtures/whatsapp/messages.json'), 'utf8'),
) as Record<string, { message: Json; contacts?: Json[]; becomes: Json }>
