import { decodeUpdates } from '../../src/channels/whatsapp/decode.js'
import { keepsTheChannelContract } from '../contracts/channel.js'
import type { Door, Provider } from '../contracts/provider.js'
import { openGraph, type SentMessage } from '../support/graph.mjs'
import { from, oddMessages, said, signatureOf, statusOf, textMessage, webhookOf } from '../support/whatsapp.js'

const NUMBERS: Record<string, string> = { acme: '106540352242922', globex: '106540352242923' }

/** Meta, for one number of one company. */
const openMeta = async (name: string): Promise<Provider> => {
  const phoneNumberId = NUMBERS[name] ?? ''
  const secret = name === 'acme' ? '0123456789abcdef0123456789abcdef' : 'fedcba9876543210fedcba9876543210'
  const token = `EAA-the-token-of-${name}-0123456789`
  const verifyToken = `the word of ${name}`
  const graph = await openGraph({ phoneNumberId, secret, token })
  const taken: SentMessage[] = []
  graph.onMessage((message) => void taken.push(message))

  const post = async ({ url, channelId }: Door, body: unknown): Promise<number> => {
    const raw = JSON.stringify(body)
    const response = await fetch(`${url}/webhooks/${channelId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(raw, secret) },
      body: raw,
    })
    if (response.status >= 500) throw new Error(`the webhook failed with status ${response.status}`)
    return response.status
  }
  const ours = { metadata: { display_phone_number: '15550100', phone_number_id: phoneNumberId } }
  const wordsOf = ({ text, interactive }: SentMessage) => text?.body ?? interactive?.body.text ?? ''

  return {
    settings: { phoneNumberId, accessToken: token, appSecret: secret, verifyToken, graphUrl: graph.url },
    secrets: [token, secret, verifyToken],
    deliver: async (door, ...all) => {
      // What came together comes in one webhook.
      const values = all.map(({ from: waId, name: who, id, text }) => ({
        ...ours,
        ...from(waId, who),
        messages: [textMessage(waId, id, text)],
      }))
      const status = await post(door, webhookOf(...values))
      if (status !== 200) throw new Error(`the webhook did not take it: ${status}`)
    },
    hand: async (door, raw) => void (await post(door, withNumber(raw, phoneNumberId))),
    got: async (_door, address) => taken.filter(({ to }) => to === address).map(wordsOf),
    sending: {
      refuseNext: () => graph.script({ kind: 'error', code: 131026 }),
      away: () => graph.behave({ kind: 'error', code: 130429, status: 429 }),
      back: () => graph.behave({ kind: 'good' }),
      loseNext: () => graph.script({ kind: 'cut' }),
      denyNext: () => graph.script({ kind: 'error', code: 190, status: 401 }),
    },
    tell: async (door, { status, externalId, to }) => {
      const failed = status === 'refused'
      const more = { recipient_id: to, ...(failed ? { errors: [{ code: 131026 }] } : {}) }
      await post(door, withNumber(statusOf(externalId, failed ? 'failed' : status, more), phoneNumberId))
    },
    close: graph.close,
  }
}

/** The same webhook for another number: what is for somebody else's is left alone. */
const withNumber = (raw: unknown, phoneNumberId: string): unknown =>
  JSON.parse(JSON.stringify(raw).replaceAll(NUMBERS.acme ?? '', phoneNumberId))

const SENDER = '5511998877665'

keepsTheChannelContract({
  kind: 'whatsapp-cloud',
  open: openMeta,
  address: (n) => `491510777${String(n).padStart(4, '0')}`,
  samples: {
    ...Object.fromEntries(
      Object.entries(oddMessages).map(([name, { message, contacts }]) => [
        name,
        webhookOf({ contacts: contacts ?? from(SENDER).contacts, messages: [message] }),
      ]),
    ),
    'words of a person with a name': said(SENDER, 'wamid.name', 'Hello', {}),
    'a message that was delivered': statusOf('wamid.out', 'delivered'),
    'a message that failed': statusOf('wamid.out', 'failed', { errors: [{ code: 131026, title: 'Undeliverable' }] }),
    'a fault of the provider’s own': webhookOf({ errors: [{ code: 131000, title: 'Something went wrong' }] }),
    'something of another product': { object: 'page', entry: [] },
  },
  decode: (raw) =>
    decodeUpdates(raw).map((update) => (update.kind === 'ignored' ? `ignored:${update.name}` : update.kind)),
  names: ['message', 'echo', 'edit', 'revoke', 'reaction', 'status', 'number_changed', 'fault'],
  optOut: 'STOP',
})
