import { createHmac, randomBytes } from 'node:crypto'
import { sendMessage } from '../../src/channels/webchat/frames.js'
import { keepsTheChannelContract } from '../contracts/channel.js'
import type { Door, Provider } from '../contracts/provider.js'

/** Browsers on a company's own site, which proves who its visitors are: one visitor is the same one on every device. */
const openSite = async (): Promise<Provider> => {
  const secret = randomBytes(24).toString('hex')

  const call = async (door: Door, route: string, { token, body }: { token?: string; body?: unknown }) => {
    const response = await fetch(`${door.url}/api/v1/webchat/${route}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) ?? '' }),
    })
    if (response.status >= 500) throw new Error(`the chat failed with status ${response.status}`)
    return { status: response.status, body: await response.json() }
  }
  const visit = async (door: Door, id: string, name?: string): Promise<string> => {
    const hash = createHmac('sha256', secret).update(id).digest('hex')
    const visitor = { id, hash, ...(name ? { name } : {}) }
    const { body } = await call(door, 'sessions', { body: { channelKey: door.key, visitor } })
    return (body as { token: string }).token
  }

  return {
    settings: { identitySecret: secret },
    secrets: [secret],
    deliver: async (door, ...said) => {
      for (const { from, name, id, text } of said) {
        const { status } = await call(door, 'messages', { token: await visit(door, from, name), body: { id, text } })
        if (status !== 202) throw new Error(`the chat did not take it: ${status}`)
      }
    },
    hand: async (door, raw) => {
      await call(door, 'messages', { token: await visit(door, 'canary-stranger'), body: raw })
    },
    got: async (door, address) => {
      const { body } = await call(door, 'messages', { token: await visit(door, address) })
      const { messages } = body as { messages: { author: string; text: string }[] }
      return messages.filter(({ author }) => author !== 'customer').map(({ text }) => text)
    },
    close: async () => {},
  }
}

keepsTheChannelContract({
  kind: 'webchat',
  // The visitor reads the conversation itself: nobody stands between.
  without: ['sending', 'receipts'],
  open: openSite,
  address: (n) => `canary-visitor-${n}`,
  samples: {
    'plain words': { id: 'm-1', text: 'Where is my parcel?' },
    'words from a page, in a language': {
      id: 'm:2',
      text: 'Olá',
      page: 'https://shop.example/cart',
      language: 'pt-BR',
    },
    'files alone': { id: 'm-3', text: '', attachments: ['a ticket that is none', 'and another'] },
    'nothing at all': { id: 'm-4', text: '   ' },
    'a name that is no name': { id: '../m 5', text: 'Hello' },
  },
  decode: (raw) => {
    const { success, error } = sendMessage.safeParse(raw)
    return success ? ['message'] : [`refused:${error.issues[0]?.path.join('.') || 'body'}`]
  },
  names: ['message'],
})
