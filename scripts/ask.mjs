// `npm run ask -- "question"`: a chat with the running server, as a visitor of a web page would have it.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'

await prepare({ quiet: true })
const { io } = await import('socket.io-client')

if (existsSync('.env')) process.loadEnvFile('.env')
const USAGE = 'usage: npm run ask -- "question" [--url http://127.0.0.1:3000] [--key CHANNEL_KEY] [--wait SECONDS]'

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { url: { type: 'string' }, key: { type: 'string' }, wait: { type: 'string' } },
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    return process.exit(2)
  }
}
const { values: flags, positionals } = readArguments()
const url = flags.url || process.env.HELPDESK_URL || `http://127.0.0.1:${process.env.PORT || 3000}`
const question = positionals.join(' ').trim()
if (!question || !URL.canParse(url) || Number.isNaN(Number(flags.wait ?? 0))) {
  console.error(USAGE)
  process.exit(2)
}

const ANSWER_WITHIN_MS = 35_000
const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !flags.wait
const bold = (/** @type {string} */ text) => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text)
const faint = (/** @type {string} */ text) => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[0m` : text)

/** @param {string} route @param {object} [body] @returns {Promise<any>} */
const call = async (route, body) => {
  const response = await fetch(new URL(`/api/v1/webchat/${route}`, url), {
    signal: AbortSignal.timeout(10_000),
    ...(body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  }).catch(() =>
    fail(`No helpdesk answers at ${url}. Start it with npm start; if it runs elsewhere, set PORT or pass --url.`),
  )
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) fail(answer.error?.message ?? `The server answered ${response.status}.`)
  return answer
}

/** @param {string} reason @returns {never} */
const fail = (reason) => {
  console.error(reason)
  process.exit(1)
}

/** What comes from outside must not steer the terminal: control characters but line ends and tabs are left out. @param {string} text */
const plain = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')

/** The text with a number behind each quoted sentence (a model's has its numbers), then what they stand for. @param {any} message */
const print = (message) => {
  const who = message.author === 'agent' ? `${plain(message.name ?? 'A person')} (person)` : 'Assistant'
  let text = plain(message.text)
  const sources = []
  for (const citation of message.citations) {
    const [quote, title] = [plain(citation.quote), plain(citation.title)]
    const number = sources.length + 1
    const at = message.mode === 'model' ? -1 : text.indexOf(quote)
    if (at >= 0) text = `${text.slice(0, at + quote.length)} [${number}]${text.slice(at + quote.length)}`
    const headings = (citation.headings ?? []).filter((/** @type {string} */ heading) => heading !== citation.title)
    const place = [title, ...headings.map(plain), ...(citation.page ? [`page ${citation.page}`] : [])].join(' › ')
    sources.push(`  [${number}] ${place}\n      ${faint(`“${quote.replace(/\s+/g, ' ')}”`)}`)
  }
  console.log(
    `\n${bold(who)}${message.mode === 'extractive' && sources.length > 0 ? faint(' · quoted, without a model') : ''}`,
  )
  console.log(text)
  if (sources.length > 0) console.log(`\n${bold('Sources')}\n${sources.join('\n')}`)
}

const channelKey = flags.key ?? (await call('demo')).channelKey
const { token } = await call('sessions', { channelKey })
const socket = io(new URL('/webchat', url).href, { auth: { token }, transports: ['websocket'] })
let opened = false
socket.on('connect_error', (error) => {
  if (!opened || error.message === 'refused') fail(`The chat could not be opened: ${error.message}`)
})
socket.on('disconnect', () => console.log(faint('\nThe server went away; trying again …')))

/** @type {Set<string>} */
const shown = new Set()
let heard = () => {}
/** A person has the conversation: the assistant stays silent in it. */
let withPerson = false
const show = (/** @type {any} */ message) => {
  if (message.author === 'customer' || shown.has(message.id)) return
  shown.add(message.id)
  print(message)
  withPerson = message.author === 'agent' || message.handover === true
  heard()
}
socket.on('message', show)
// Frames are hints: what was missed while the line was down is fetched.
socket.on('connect', () => {
  opened = true
  socket.emit('history', {}, (/** @type {any} */ reply) => reply.messages?.forEach(show))
})

/** @param {string} text */
const say = async (text) => {
  const answered = new Promise((resolve) => {
    heard = () => resolve(true)
    setTimeout(() => resolve(false), ANSWER_WITHIN_MS).unref()
  })
  const reply = await socket
    .timeout(10_000)
    .emitWithAck('message', { id: randomUUID(), text })
    .catch(() => null)
  if (!reply?.ok) fail(reply?.error?.message ?? 'The server did not take the message.')
  if (withPerson) return console.log(faint('A person has this conversation and will see your message.'))
  if (!(await answered)) console.log('\nNo answer yet. The message is stored; a person will see it.')
}

console.log(`${bold('You')}\n${question}`)
await say(question)

if (interactive) {
  console.log(faint('\nThe chat stays open: write on, or wait for a person. Ctrl-C leaves.'))
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  lines.prompt()
  for await (const line of lines) {
    if (line.trim()) await say(line.trim())
    lines.prompt()
  }
} else if (flags.wait) {
  await new Promise((resolve) => setTimeout(resolve, Number(flags.wait) * 1000))
}
socket.close()
