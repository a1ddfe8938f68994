// Decodes folders of recorded mail and says what came out, beside what was expected where the folder says so.
// node scripts/email-corpus.mjs FOLDER, where FOLDER holds any of email/, email-replies/ and email-bounces/. Build first.
// --replies=FILE names a JSON object: a file in email-replies/ → what its writer wrote, without quotes and signature.
// Prints JSON lines; with --verbose, a line per difference.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { decodeEmail } from '../dist/channels/email/decode.js'

const [folder, ...flags] = process.argv.slice(2)
const verbose = flags.includes('--verbose')
const expectedReplies = flags.find((flag) => flag.startsWith('--replies='))?.slice('--replies='.length)
if (!folder) {
  console.error('Say where the mails are: node scripts/email-corpus.mjs FOLDER [--verbose]')
  process.exit(1)
}

const say = (figures) => console.log(JSON.stringify(figures))
const tell = (...words) => verbose && console.error(...words)
const within = (...names) => path.join(folder, ...names)
const files = (directory) => {
  const found = []
  const walk = (at) => {
    for (const name of readdirSync(at).sort()) {
      const file = path.join(at, name)
      if (statSync(file).isDirectory()) walk(file)
      else found.push(file)
    }
  }
  try {
    walk(directory)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return found
}
const plainly = (text) =>
  text
    .normalize('NFC')
    .replace(/[\s\u00a0]+/gu, ' ')
    .trim()

const totals = { mails: 0, thrown: 0, slow: 0, slowestMs: 0, mostMb: 0 }
const decode = async (raw) => {
  totals.mails += 1
  const startedAt = performance.now()
  try {
    return await decodeEmail(raw)
  } catch (error) {
    totals.thrown += 1
    tell('threw', error)
    return null
  } finally {
    const ms = performance.now() - startedAt
    totals.slowestMs = Math.max(totals.slowestMs, Math.round(ms))
    if (ms > 2_000) totals.slow += 1
    totals.mostMb = Math.max(totals.mostMb, Math.round(process.memoryUsage().rss / 1048576))
  }
}

// Every part that the other parser found is one of ours: as text, as HTML, or byte for byte as a file.
const mime = async () => {
  const all = files(within('email'))
  let equal = 0
  const messages = all.filter((file) => file.endsWith('.msg'))
  for (const file of messages) {
    const stem = file.slice(0, -4)
    // Older runs of that parser left files behind that its listing does not name.
    const listing = all.includes(`${stem}_decoded.xml`) ? readFileSync(`${stem}_decoded.xml`, 'utf8') : null
    const isListed = (part) => listing === null || listing.includes(`"${path.basename(part)}"`)
    const parts = all.filter((each) => each.startsWith(`${stem}_decoded_`) && isListed(each))
    const mail = await decode(readFileSync(file))
    const texts = [mail.text, ...mail.attachments.map(({ content }) => content.toString('latin1'))].map(plainly)
    const htmlOf = plainly((mail.html ?? '').replace(/<[^>]*>|&\w+;/gu, ' '))
    const missing = parts.filter((part) => {
      const bytes = readFileSync(part)
      if (bytes.length === 0 || mail.attachments.some(({ content }) => content.equals(bytes))) return false
      const said = ['utf-8', 'windows-1252', 'iso-8859-15', 'koi8-r'].map((name) =>
        plainly(new TextDecoder(name).decode(bytes)),
      )
      if (said.some((text) => texts.some((ours) => ours.includes(text)))) return false
      const words = plainly(
        bytes
          .toString('latin1')
          .replace(/<!--[^]*?-->|<(?:style|title|script)[^]*?<\/(?:style|title|script)>|<[^>]*>|&\w+;/giu, ' '),
      )
      return !(bytes.toString('latin1').includes('<') && htmlOf !== '' && plainly(htmlOf).includes(words.slice(0, 60)))
    })
    if (missing.length === 0) equal += 1
    else tell('mime', path.basename(stem), missing.map((part) => path.basename(part)).join(' '))
  }
  for (const file of all.filter((each) => each.endsWith('.eml') || path.basename(each).startsWith('mbox.')))
    await decode(readFileSync(file))
  if (messages.length > 0) say({ corpus: 'email', messages: messages.length, equal, share: equal / messages.length })
}

// What each reply is without quotes and signature, as far as the folder's own file names and format say it.
const replies = async () => {
  if (!expectedReplies) return
  const known = JSON.parse(readFileSync(expectedReplies, 'utf8'))
  let exact = 0
  let count = 0
  for (const file of files(within('email-replies'))) {
    const name = path.relative(within('email-replies'), file)
    const expected = known[name]
    if (expected === undefined) continue
    const bytes = readFileSync(file)
    const head = file.endsWith('.html') ? 'html' : 'plain'
    const raw = file.endsWith('.eml')
      ? bytes
      : Buffer.concat([
          Buffer.from(`From: a@example.org\r\nSubject: Re: Test\r\nContent-Type: text/${head}; charset=utf-8\r\n\r\n`),
          bytes,
        ])
    const mail = await decode(raw)
    count += 1
    if (plainly(mail.reply) === plainly(expected)) exact += 1
    else tell('reply', name, JSON.stringify(mail.reply.slice(0, 1_000)))
  }
  if (count > 0) say({ corpus: 'email-replies', count, exact, share: exact / count })
}

const bounces = async () => {
  const expectations = files(within('email-bounces')).find((file) => file.endsWith('expected.json'))
  if (!expectations) return
  const expected = JSON.parse(readFileSync(expectations, 'utf8'))
  const figures = { recipients: 0, found: 0, kinds: 0, right: 0, notBounces: 0, takenForBounces: 0 }
  for (const [name, rows] of Object.entries(expected)) {
    const raw = readFileSync(within('email-bounces', 'messages', name))
    const mail = await decode(raw)
    const real = rows.filter(({ reason }) => !['vacation', 'delivered', 'feedback'].includes(reason))
    if (real.length === 0) {
      figures.notBounces += 1
      if (mail.bounce && mail.bounce.reason !== 'complaint') figures.takenForBounces += 1
      tell('other', name, rows[0].reason, mail.automatic, mail.bounce?.recipient)
      continue
    }
    const ours = mail.bounce ? [mail.bounce, ...mail.bounce.others] : []
    for (const [index, row] of real.entries()) {
      figures.recipients += 1
      figures.kinds += 1
      const bounce = ours[index]
      const found = bounce?.recipient && raw.toString('latin1').toLowerCase().includes(bounce.recipient.toLowerCase())
      if (found) figures.found += 1
      const right = bounce && (bounce.kind === 'hard') === row.hard
      if (right) figures.right += 1
      if (!found || !right)
        tell(
          'bounce',
          name,
          found ? '' : 'NO RECIPIENT',
          right ? '' : `${bounce?.kind} ${bounce?.reason}, expected ${row.reason}`,
          row.dsn,
          '|',
          bounce?.recipient,
          '|',
          bounce?.status,
          bounce?.diagnostic?.slice(0, 300),
        )
    }
  }
  say({
    corpus: 'email-bounces',
    ...figures,
    recipientShare: figures.found / figures.recipients,
    kindShare: figures.right / figures.kinds,
  })
}

await mime()
await replies()
await bounces()
say({ corpus: 'all', ...totals })
