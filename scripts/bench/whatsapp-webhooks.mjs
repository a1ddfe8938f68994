// Webhooks as Meta's Cloud API sends them, for the simulator and the measurements.
import { createHmac } from 'node:crypto'

/** @param {string} phoneNumberId @param {object} value */
const webhookOf = (phoneNumberId, value) => ({
  object: 'whatsapp_business_account',
  entry: [
    {
      id: '102290129340398',
      changes: [
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata: { display_phone_number: '15550100', phone_number_id: phoneNumberId },
            ...value,
          },
        },
      ],
    },
  ],
})

const seconds = () => String(Math.floor(Date.now() / 1000))

/** @param {string} phoneNumberId @param {{ waId: string, name: string, id: string, content: object }} message */
export const messageWebhook = (phoneNumberId, { waId, name, id, content }) =>
  webhookOf(phoneNumberId, {
    contacts: [{ profile: { name }, wa_id: waId, user_id: `US.${waId}` }],
    messages: [{ from: waId, from_user_id: `US.${waId}`, id, timestamp: seconds(), ...content }],
  })

/** @param {string} body */
export const textContent = (body) => ({ type: 'text', text: { body } })

/** @param {string} phoneNumberId @param {{ id: string, status: string, echo?: string }[]} statuses */
export const statusWebhook = (phoneNumberId, statuses) =>
  webhookOf(phoneNumberId, {
    statuses: statuses.map(({ id, status, echo }) => ({
      id,
      status,
      timestamp: seconds(),
      recipient_id: '15550101',
      ...(status === 'failed' ? { errors: [{ code: 131026, title: 'Message undeliverable' }] } : {}),
      ...(echo ? { biz_opaque_callback_data: echo } : {}),
    })),
  })

/** @param {string} body @param {string} secret */
export const signatureOf = (body, secret) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
