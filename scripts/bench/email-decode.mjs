// How long decoding mail takes, and how long it stops everybody else meanwhile. Prints JSON lines. Build first.
// node scripts/bench/email-decode.mjs
import { randomBytes } from 'node:crypto'
import { decodeEmail } from '../../dist/channels/email/decode.js'

const MB = 1024 * 1024
const head = 'From: Ana <ana@example.org>\r\nTo: help@example.com\r\nSubject: Files\r\nMessage-ID: <a@example.org>\r\n'
const base64 = (bytes) =>
  randomBytes(bytes)
    .toString('base64')
    .replace(/(.{76})/gu, '$1\r\n')
const mail = (rest) => Buffer.from(`${head}${rest}`, 'latin1')
const mixed = (...parts) =>
  mail(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`,
  )
const text = (body) => `Content-Type: text/plain; charset=utf-8\r\n\r\n${body}`
const file = (bytes) =>
  `Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n${base64(bytes)}`
const repeated = (piece, bytes) => piece.repeat(Math.ceil(bytes / piece.length)).slice(0, bytes)
const nested = (depth) => {
  let body = text('deep')
  for (let at = 0; at < depth; at += 1)
    body = `Content-Type: multipart/mixed; boundary=b${at}x\r\n\r\n--b${at}x\r\n${body}\r\n--b${at}x--\r\n`
  return mail(body)
}

const html = (piece, bytes) => mail(`Content-Type: text/html\r\n\r\n${repeated(piece, bytes)}`)
const plain = (piece, bytes) => mail(`Content-Type: text/plain\r\n\r\n${repeated(piece, bytes)}`)
const small = 3.8 * 1024
const large = 1024 * 1024

const cases = {
  'a question of 2 KB': () => mail(`Content-Type: text/plain\r\n\r\n${repeated('Where is my order 4711? ', 2_000)}`),
  '25 MB with one file': () => mixed(text('See the file.'), file(18 * MB)),
  '25 MB with twenty files': () => mixed(text('See the files.'), ...Array.from({ length: 20 }, () => file(0.9 * MB))),
  '25 MB of text': () => plain('All work and no play makes a dull ticket. \r\n', 25 * MB),
  '25 MB of HTML': () => html('<p>All <b>work</b> and no play</p>', 25 * MB),
  '25 MB quoted-printable': () =>
    mail(
      `Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${repeated('=C3=A4 und =C3=B6=\r\n', 25 * MB)}`,
    ),
  '10,000 parts': () => mixed(...Array.from({ length: 10_000 }, (_, at) => text(`part ${at}`))),
  '500 deep': () => nested(500),
  'a header of 1 MB': () => mail(`X-Long: ${repeated('a b ', MB)}\r\n\r\nHello`),
  '25 MB of boundaries': () =>
    mail(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${repeated('--b\r\n\r\nx\r\n', 25 * MB)}`),
  'large: tags': () => html('<b>', large),
  'large: opened quotes': () => html('<blockquote>x', large),
  'large: entities': () => html('&amp;&#x41;', large),
  'large: rows': () => html('<table><tr><td>x', large),
  'large: quotes': () => plain('> > > x\r\n', large),
  'large: introductions': () => plain('On 1 May 2024 a@b.cc\r\n', large),
  'large: labels': () => plain('From: a@b.cc\r\n', large),
  'large: rules': () => plain('_____\r\n\r\n', large),
  'large: one line': () => plain('schrieb 12:00 a@b.c: ', large),
  'large: base64 without end': () =>
    mail(`Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${repeated('QQ==', 25 * MB)}`),
  'large: bounce': () =>
    Buffer.from(
      `From: mailer-daemon@x.org\r\nSubject: failure notice\r\n\r\n${repeated('user account address a@b.cc: 550 ', large)}`,
    ),
  'small: tags': () => html('<b>', small),
  'small: opened quotes': () => html('<blockquote>x', small),
  'small: attributes': () => html('<a href="x" style="color:red;width:0" onclick=y>', small),
  'small: entities': () => html('&amp;&#x41;', small),
  'small: rows': () => html('<table><tr><td>x', small),
  'small: quotes': () => plain('> > > x\r\n', small),
  'small: introductions': () => plain('On 1 May 2024 a@b.cc\r\n', small),
  'small: labels': () => plain('From: a@b.cc\r\n', small),
  'small: spaces': () => plain(' ', small),
  'small: dashes': () => plain('-', small),
  'small: rules': () => plain('_____\r\n\r\n', small),
  'small: one word': () => plain('a', small),
  'small: colons': () => plain('schrieb 12:00 a@b.c: ', small),
  'small: addresses': () => mail(`Cc: ${repeated('a@b.cc, ', small)}\r\n\r\nx`),
  'small: words': () => mail(`X: y\r\nSubject: ${repeated('=?utf-8?q?=C3?= ', small)}\r\n\r\nx`),
  'small: ids': () => mail(`References: ${repeated('<a@b> ', small)}\r\n\r\nx`),
  'small: bounce': () =>
    Buffer.from(
      `From: mailer-daemon@x.org\r\nSubject: failure notice\r\n\r\n${repeated('user account address a@b.cc: 550 ', small)}`,
    ),
  'small: bounce, one line': () =>
    Buffer.from(`From: mailer-daemon@x.org\r\nSubject: failure notice\r\n\r\n${repeated('recipient user ', small)}`),
  'small: bounce, domains': () =>
    Buffer.from(`From: mailer-daemon@x.org\r\nSubject: failure notice\r\n\r\n${repeated('host domain.', small)}`),
  'small: boundaries': () =>
    mail(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${repeated('--b\r\n\r\nx\r\n', small)}`),
}

/** The longest that the event loop stood still while `work` ran. */
const stall = async (work) => {
  let longest = 0
  let last = performance.now()
  let over = false
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!over) setImmediate(tick)
  }
  setImmediate(tick)
  const startedAt = performance.now()
  const result = await work()
  const ms = performance.now() - startedAt
  tick()
  over = true
  return { result, ms, longest }
}

const rounded = (value) => Math.round(value * 10) / 10

const report = (name, runs, more) => {
  const median = (of) => rounded(runs.map(of).sort((a, b) => a - b)[2])
  console.log(
    JSON.stringify({
      bench: 'email-decode',
      case: name,
      ms: median(({ ms }) => ms),
      stallMs: median(({ longest }) => longest),
      worstStallMs: rounded(Math.max(...runs.map(({ longest }) => longest))),
      ...more,
    }),
  )
}

const fiveTimes = async (work) => {
  const runs = []
  for (let run = 0; run < 5; run += 1) runs.push(await stall(work))
  return runs
}

// How much of it is the machine's own.
report('nothing, for 200 ms', await fiveTimes(() => new Promise((resolve) => setTimeout(resolve, 200))), {})

const only = process.argv[2]
for (const [name, make] of Object.entries(cases)) {
  if (only && !name.includes(only)) continue
  const raw = make()
  await decodeEmail(raw)
  global.gc?.()
  const runs = await fiveTimes(() => decodeEmail(raw))
  report(name, runs, {
    bytes: raw.length,
    rssMb: Math.round(process.memoryUsage().rss / MB),
    oddities: runs[0].result.oddities.join(' '),
  })
}
