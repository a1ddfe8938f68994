// `npm run simulate -- email [--url http://127.0.0.1:3000] [--key KEY] [--threads 20]`: a mail server on this machine, customers who write to
// it and answer what they get, and a channel on a running server that reads it. The server needs ALLOW_PRIVATE_ADDRESSES=true.
import { parseArgs } from 'node:util'
import { openDovecot } from '../../test/support/dovecot.mjs'
import { fieldOf, letter } from '../../test/support/email.mjs'
import { openSmtp } from '../../test/support/smtp.mjs'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    key: { type: 'string', default: process.env.HELPDESK_API_KEY ?? '' },
    threads: { type: 'string', default: '20' },
  },
})
const ADDRESS = 'support@shop.example'
const STAY_MS = 10 * 60_000

const PEOPLE = ['Ana Souza', 'Ben Okoro', 'Chloé Martin', 'Dmitri Orlov', 'Ełżbieta Nowak', '田中 花子', 'Farid Haddad']
const QUESTIONS = [
  ['Returning a jacket', 'Hello,\n\nhow long can I return goods?\n\nBest,'],
  ['Opening hours', 'Hi! When are you open on Saturdays?'],
  ['Re: Re: my order', 'Where is my order? It should have been here last week.'],
  ['', 'Can I talk to a person please'],
  ['Devolução', 'Olá, quero devolver um produto. Qual é o prazo?'],
  ['Umtausch', 'Guten Tag, wie lange kann ich Ware zurückgeben?'],
]
const AFTERWARDS = ['Thanks, and who pays for the parcel?', 'Does that hold for sale items too?', 'Thank you!']

const dovecot = await openDovecot()
if (!dovecot) process.exit(1)
const smtp = await openSmtp({ user: ADDRESS, password: 'secret' })

/** @param {string} route @param {object} body */
const post = async (route, body) => {
  const response = await fetch(`${values.url}/api/v1${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${values.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answer)}`)
  return answer
}

const { id } = await post('/channels', {
  kind: 'email',
  name: 'Simulated mailbox',
  settings: {
    address: ADDRESS,
    name: 'The Shop',
    imap: { host: '127.0.0.1', port: dovecot.imapPort, secure: false, user: ADDRESS, password: 'secret' },
    smtp: { host: '127.0.0.1', port: smtp.port, secure: false },
    perMinute: 600,
  },
})
console.log(`Channel ${id} reads ${ADDRESS}.`)

for (let at = 0; at < Number(values.threads); at += 1) {
  const name = PEOPLE[at % PEOPLE.length] ?? ''
  const [subject = '', text = ''] = QUESTIONS[at % QUESTIONS.length] ?? []
  const from = `"=?utf-8?B?${Buffer.from(name).toString('base64')}?=" <customer${at}@mail.example>`
  await dovecot.deliver(ADDRESS, letter({ from, to: ADDRESS, subject, text: `${text}\n${name}` }))
  await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800))
}
await dovecot.deliver(
  ADDRESS,
  letter({
    from: 'out@mail.example',
    to: ADDRESS,
    subject: 'Out of office',
    text: 'I am away.',
    headers: { 'Auto-Submitted': 'auto-replied' },
  }),
)
console.log(`${values.threads} customers have written, and one machine.`)

/** Every answer is answered, twice at most. @type {Map<string, number>} */
const turns = new Map()
let read = 0
const until = Date.now() + STAY_MS
while (Date.now() < until) {
  for (; read < smtp.sent.length; read += 1) {
    const { to, raw } = smtp.sent[read] ?? { to: [], raw: '' }
    const [customer = ''] = to
    const turn = turns.get(customer) ?? 0
    console.log(`→ ${customer}: ${fieldOf(raw, 'Subject') ?? ''}`)
    if (turn >= 2) continue
    turns.set(customer, turn + 1)
    const replyTo = /<([^>]+)>\s*$/.exec(fieldOf(raw, 'Reply-To') ?? '')?.[1] ?? ADDRESS
    await dovecot.deliver(
      replyTo,
      letter({
        from: customer,
        to: replyTo,
        subject: fieldOf(raw, 'Subject') ?? '',
        text: AFTERWARDS[(read + turn) % AFTERWARDS.length] ?? '',
        inReplyTo: fieldOf(raw, 'Message-ID') ?? '',
      }),
    )
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
}
await smtp.close()
await dovecot.close()
process.exit(0)
