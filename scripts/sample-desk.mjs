// A desk with something on it: people, documents and conversations in every state, for pictures and browser tests.
import { crc32, deflateSync } from 'node:zlib'
import { call } from './bench/server.mjs'

export const OWNER = { email: 'ada@example.com', password: 'correct horse battery' }

const DOCUMENTS = [
  {
    title: 'Returns and refunds',
    text: '# Returns and refunds\n\nYou can return anything within 30 days of delivery. The goods must be unused and in their original packaging.\n\nRefunds are paid to the original payment method within 5 working days after the parcel has arrived at our warehouse.\n\n## Shipping labels\n\nA return label is in every parcel. If it is lost, print a new one from your account under Orders.',
  },
  {
    title: 'Delivery times',
    text: '# Delivery\n\nStandard delivery takes 2 to 4 working days within the country. Express delivery arrives the next working day if you order before 14:00.\n\nDelivery to the islands takes up to 8 working days.',
  },
  {
    title: 'Opening hours',
    text: '# Opening hours\n\nOur support team answers from Monday to Friday, 9:00 to 18:00. On public holidays we are closed.',
  },
]

/** @param {() => Promise<any>} look @returns {Promise<any>} */
const eventually = async (look) => {
  for (let tries = 0; tries < 400; tries += 1) {
    const seen = await look()
    if (seen) return seen
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the sample desk did not come about within twenty seconds')
}

/** A quiet photograph of nothing: a picture has to come from somewhere. */
const picture = () => {
  const [width, height] = [480, 320]
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3
      const fold = Math.sin((x + y * 0.6) / 37) * 18
      rows.set([96 + fold + y / 6, 124 + fold + x / 9, 140 + fold].map(Math.round), at)
    }
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ body) => {
    const named = Buffer.concat([Buffer.from(type), body])
    const whole = Buffer.alloc(named.length + 8)
    whole.writeUInt32BE(body.length)
    named.copy(whole, 4)
    whole.writeUInt32BE(crc32(named), named.length + 4)
    return whole
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** @param {string} url */
export const seedDesk = async (url) => {
  for (const document of DOCUMENTS) await call(url, '/knowledge/documents', { body: document })
  await eventually(async () =>
    (await call(url, '/knowledge/documents')).documents.every((/** @type {any} */ one) => one.status === 'ready'),
  )
  const { channelKey } = await call(url, '/webchat/demo')
  let count = 0
  /** @param {string} name @param {string[]} texts */
  const talk = async (name, texts) => {
    const email = `${name
      .split(' ')[0]
      ?.toLowerCase()
      .normalize('NFD')
      .replaceAll(/[^a-z]/g, '')}@example.org`
    const { token, conversationId } = await call(url, '/webchat/sessions', {
      body: { channelKey, visitor: { name, email } },
    })
    for (const [index, text] of texts.entries()) {
      await call(url, '/webchat/messages', { token, body: { id: `m-${(count += 1)}`, text } })
      await eventually(async () => {
        const { messages } = await call(url, `/webchat/messages`, { token })
        if (messages.filter((/** @type {any} */ one) => one.author !== 'customer').length > index) return true
        // Once people have it, nobody answers by itself any more.
        return index > 0 && (await call(url, `/conversations/${conversationId}`)).handler === 'nobody'
      })
    }
    return { id: conversationId, token }
  }
  /** @param {string} token @param {string} name @param {Buffer} content */
  const sendUp = async (token, name, content) => {
    const form = new FormData()
    form.append('file', new Blob([new Uint8Array(content)]), name)
    const headers = { authorization: `Bearer ${token}` }
    return (await (await fetch(`${url}/api/v1/webchat/files`, { method: 'POST', headers, body: form })).json()).ticket
  }
  /** @param {string} id @param {string} what @param {object} body */
  const act = (id, what, body) => call(url, `/conversations/${id}/${what}`, { body })

  const people = (await call(url, '/people')).people
  const [owner] = people
  await call(url, '/people', { body: { email: 'grace@example.com', name: 'Grace Hopper', role: 'supervisor' } })
  const invited = await call(url, '/people', {
    body: { email: 'linus@example.com', name: 'Linus Berg', role: 'agent' },
  })
  await call(url, '/keys', { body: { name: 'Order system', role: 'agent' } })

  const { id: resolved } = await talk('Tomás Rivera', ['When does your support team answer?'])
  await act(resolved, 'state', { state: 'resolved' })
  const { id: answered, token: reader } = await talk('Mei Tanaka', [
    'Within how many days can I return unused goods?',
    'When are refunds paid to the original payment method?',
  ])
  const { messages } = await call(url, '/webchat/messages', { token: reader })
  const answer = messages.find((/** @type {any} */ one) => one.citations.length > 0)
  await call(url, '/webchat/feedback', { token: reader, body: { messageId: answer.id, rating: 'up' } })
  const { id: mine } = await talk('Noah Williams', [
    'My parcel was delivered to the wrong house and the driver does not answer.',
  ])
  await act(mine, 'assign', { assignee: owner.id })
  await act(mine, 'messages', {
    text: 'Hello Noah, I am sorry about that. I have opened a trace with the carrier and will write to you as soon as I know where it is.',
  })
  await act(mine, 'notes', { text: 'Carrier reference 4471-22. They call back before noon.' })
  await act(mine, 'tags', { tags: ['delivery', 'carrier'] })
  await act(mine, 'priority', { priority: 'high' })
  const { id: longer } = await talk('Amina Haddad', ['Do you ship to Lebanon and what does customs cost there?'])
  await act(longer, 'tags', { tags: ['shipping abroad'] })
  await talk('Sofia Almeida', ['When does express delivery arrive?'])
  const { id: waiting, token: writer } = await talk('Jonas Keller', [
    'How long does standard delivery take within the country?',
    'The zip of my jacket broke on the second day. Can you replace it, or do I have to send it in?',
  ])
  const attachments = [
    await sendUp(writer, 'broken zip.png', picture()),
    await sendUp(writer, 'receipt 4471.pdf', Buffer.from('%PDF-1.7 receipt')),
  ]
  await call(url, '/webchat/messages', {
    token: writer,
    body: { id: 'files', text: 'This is how it looks.', attachments },
  })
  return { resolved, answered, mine, waiting, setupToken: new URL(invited.setupUrl).hash.slice(1) }
}
