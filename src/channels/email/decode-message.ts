import { automaticReason, type AutomaticReason } from './automatic.js'
import { findBounce, type Bounce } from './bounce.js'
import { decodeText } from './decode-charset.js'
import { describeFile, givenName, type EmailAttachment } from './decode-files.js'
import {
  decodeWords,
  oneLine,
  parseDate,
  parseHeaders,
  parseMailboxes,
  parseMessageId,
  parseMessageIds,
  type Headers,
  type Mailbox,
} from './decode-headers.js'
import { decodeTransfer, parseMime, type MimeOddity, type Part } from './decode-mime.js'
import { authenticationOf, type Authentication } from './authentication.js'
import { LONGEST_HTML, sanitiseHtml } from './html.js'
import { readHtml, type HtmlText } from './reply-html.js'
import { extractReply } from './reply.js'

/** A mail as the product sees it. Strange mail has oddities, not errors. */
export type DecodedEmail = {
  /** With its brackets, as in the header; so are all ids here. */
  messageId: string | null
  inReplyTo: string | null
  /** Oldest first, each once. */
  references: string[]
  from: Mailbox | null
  /** Whoever sent it for the author, where that is somebody else. */
  sender: Mailbox | null
  to: Mailbox[]
  cc: Mailbox[]
  replyTo: Mailbox[]
  /** The addresses it was delivered to, as the servers on the way noted them: our plus-addresses stand here. Lower case. */
  deliveredTo: string[]
  subject: string
  date: Date | null
  /** The whole, quotes and signatures too. */
  text: string
  /** What was written now: without quotes and signature. Never empty where `text` is not. */
  reply: string
  /** Cleaned: it runs, loads and submits nothing. */
  html: string | null
  attachments: EmailAttachment[]
  automatic: AutomaticReason | null
  bounce: Bounce | null
  /** Auto-Submitted as sent, in lower case. */
  autoSubmitted: string | null
  /** The envelope's sender: '' where answers are refused, null where no server noted it. */
  returnPath: string | null
  authentication: Authentication
  listId: string | null
  /** X-Loop and what else names machines that it passed, to tell our own. */
  loopMarks: string[]
  /** Outlook's own idea of a thread: base64 of 22 bytes for its first message and 5 for each answer. */
  threadIndex: string | null
  threadTopic: string | null
  oddities: Oddity[]
}

export type Oddity =
  | MimeOddity
  | 'charset_guessed'
  | 'no_sender'
  | 'several_senders'
  | 'no_message_id'
  | 'several_message_ids'
  | 'text_too_long'
  | 'html_too_long'
  | 'too_many_attachments'
  | 'attachment_too_large'
  | 'unsafe_attachment'
  | 'winmail'
  | 'calendar'
  | 'encrypted'
  | 'signed'
  | 'external_body'
  | 'partial'
  | 'remote_images'
  | 'tracking_pixel'
  | 'empty'
  /** Only the header was decoded, and the beginning of the text, for one of the two reasons below. */
  | 'header_only'
  /** It took too long, or too much memory. */
  | 'too_slow'
  /** A fault of ours: worth a look at the raw mail. */
  | 'decoder_fault'

const LONGEST_TEXT = 1024 * 1024
/** Of a part that is text: what may hold that much of it. */
const LONGEST_ENCODED = 3 * 1024 * 1024
const MOST_ATTACHMENTS = 200
const LARGEST_ATTACHMENT = 50 * 1024 * 1024

/** Pure and synchronous. Bounded by the message's length; decode.ts sees to the time of very large ones. */
export const decodeMessage = (raw: Buffer): DecodedEmail => {
  const { root, oddities: mimeOddities } = parseMime(withoutMboxLine(raw))
  const oddities = new Set<Oddity>(mimeOddities)
  const content = collect(root, mimeOddities, oddities)
  for (const oddity of mimeOddities) oddities.add(oddity)

  const header = decodeHeader(root.headers, oddities)
  const markup = content.htmls.join('\n')
  if (markup.length > LONGEST_HTML) oddities.add('html_too_long')
  const clean = markup ? sanitiseHtml(markup) : null
  if (clean && clean.remoteImages > 0) oddities.add('remote_images')
  if (clean && clean.trackingPixels > 0) oddities.add('tracking_pixel')

  const text = joined(content.texts.map((read) => read.text))
  const unsigned = joined(content.texts.map((read) => read.unsigned))
  const reply = extractReply(unsigned.trim() ? unsigned : text, header.subject)
  if (!text.trim() && content.attachments.length === 0) oddities.add('empty')

  const reportType = root.type === 'multipart/report' ? (root.parameters['report-type'] ?? '').toLowerCase() : ''
  const automatic = automaticReason({
    ...header,
    headers: root.headers,
    types: content.types,
    reportType,
    calendarMethod: content.calendarMethod,
  })
  const bounce = findBounce({
    root,
    from: header.from,
    to: header.to,
    text,
    returnPath: header.returnPath,
    reads: (part) => partText(part, mimeOddities, oddities),
  })
  return {
    ...header,
    text,
    reply,
    html: clean?.html || null,
    attachments: content.attachments,
    automatic: ofBounce(bounce) ?? automatic,
    bounce,
    oddities: [...oddities],
  }
}

/** Of a mail that could not be decoded in time: its header, and the beginning of what follows. Linear, and short. */
export const decodeHeaderOnly = (raw: Buffer, reason: 'too_slow' | 'decoder_fault'): DecodedEmail => {
  const oddities = new Set<Oddity>(['header_only', reason])
  const head = raw.subarray(0, HEADER_ONLY_BYTES)
  const end = /\r?\n\r?\n/u.exec(head.toString('latin1'))
  const headers = parseHeaders(head.subarray(0, end?.index ?? head.length))
  const header = decodeHeader(headers, oddities)
  const beginning = head.subarray(end ? end.index + end[0].length : head.length)
  const text = decodeText(beginning, undefined)
    .text.replace(/\r\n|\r/gu, '\n')
    .replace(UNPRINTED, '')
  const automatic = automaticReason({ ...header, headers, types: new Set(), reportType: '', calendarMethod: '' })
  return {
    ...header,
    text,
    reply: text.trim(),
    html: null,
    attachments: [],
    automatic,
    bounce: null,
    oddities: [...oddities],
  }
}

const HEADER_ONLY_BYTES = 32 * 1024

/** A bounce is automatic, however weakly its header says so. */
const ofBounce = (bounce: Bounce | null): AutomaticReason | null =>
  bounce ? (bounce.reason === 'complaint' ? 'complaint' : 'delivery_report') : null

/** All that the header alone tells: also when nothing else could be read. */
const decodeHeader = (headers: Headers, oddities: Set<Oddity>) => {
  const senders = parseMailboxes(headers.all('from'))
  const from = senders[0] ?? null
  const sender = parseMailboxes(headers.all('sender'))[0] ?? null
  if (!from) oddities.add('no_sender')
  if (new Set(senders.map(({ address }) => address.toLowerCase())).size > 1) oddities.add('several_senders')
  const messageId = parseMessageId(headers.first('message-id'))
  if (!messageId) oddities.add('no_message_id')
  if (headers.all('message-id').length > 1) oddities.add('several_message_ids')
  const returnPaths = headers.all('return-path')
  return {
    messageId,
    inReplyTo: parseMessageId(headers.first('in-reply-to')),
    references: parseMessageIds(headers.all('references')),
    from,
    sender: sender && sender.address !== from?.address ? sender : null,
    to: parseMailboxes(headers.all('to')),
    cc: parseMailboxes(headers.all('cc')),
    replyTo: parseMailboxes(headers.all('reply-to')),
    deliveredTo: [
      ...new Set(
        DELIVERED_TO.flatMap((name) => parseMailboxes(headers.all(name))).map(({ address }) => address.toLowerCase()),
      ),
    ],
    subject: oneLine(decodeWords(headers.first('subject') ?? '')),
    date: parseDate(headers.first('date')),
    autoSubmitted: headers.first('auto-submitted')?.toLowerCase() ?? null,
    returnPath: returnPaths.length > 0 ? (parseMailboxes(returnPaths)[0]?.address ?? '') : null,
    authentication: authenticationOf(headers, from),
    listId:
      /<([^<>\s]{1,300})>/u.exec(headers.first('list-id') ?? '')?.[1]?.toLowerCase() ??
      (headers.first('list-id') ? oneLine(headers.first('list-id') ?? '', 300).toLowerCase() : null),
    loopMarks: LOOP_MARKS.flatMap((name) => headers.all(name)).map((value) => oneLine(value, 300)),
    threadIndex: oneLine(headers.first('thread-index') ?? '', 2_000).replace(/\s/gu, '') || null,
    threadTopic: oneLine(decodeWords(headers.first('thread-topic') ?? '')) || null,
  }
}

const DELIVERED_TO = [
  'delivered-to',
  'x-original-to',
  'envelope-to',
  'x-envelope-to',
  'x-delivered-to',
  'x-rcpt-to',
  'x-forwarded-to',
  'apparently-to',
]
const LOOP_MARKS = [
  'x-loop',
  'x-helpdesk-loop',
  'x-beenthere',
  'x-otrs-loop',
  'x-rt-loop-prevention',
  'x-osticket-loop',
]

/** "From x@y Thu Jan 1 …", which belongs to the mailbox file and not to the mail. */
const withoutMboxLine = (raw: Buffer): Buffer => {
  let at = 0
  while (at < raw.length && (raw[at] === 0x0a || raw[at] === 0x0d)) at += 1
  const head = raw.toString('latin1', at, at + 6)
  if (!head.startsWith('From ') && !head.startsWith('>From '))
    return at < raw.length && at > 0 && at < 10 && /^[!-9;-~]+:/u.test(raw.toString('latin1', at, at + 80))
      ? raw.subarray(at)
      : raw
  const end = raw.indexOf(0x0a, at)
  return end < 0 || end > at + 1_000 ? raw : raw.subarray(end + 1)
}

// ---- what is in it

const joined = (texts: string[]): string => texts.join('\n').slice(0, LONGEST_TEXT)

type Content = {
  texts: HtmlText[]
  htmls: string[]
  attachments: EmailAttachment[]
  types: Set<string>
  calendarMethod: string
}

const collect = (root: Part, mime: Set<MimeOddity>, oddities: Set<Oddity>): Content => {
  const content: Content = { texts: [], htmls: [], attachments: [], types: new Set(), calendarMethod: '' }
  /** Of an alternative that has no plain text so far. */
  let unread: string[] = []
  const visit = (part: Part, within: { report: boolean; alternative: boolean }): void => {
    const { report } = within
    content.types.add(part.type)
    noteKind(part, oddities)
    if (part.children.length > 0) {
      // What a report returns to us is not what it says; findBounce reads it.
      if (report && part.type.startsWith('message/')) return
      const outermost = part.type === 'multipart/alternative' && !within.alternative
      const inside = {
        report: report || part.type === 'multipart/report',
        alternative: within.alternative || part.type === 'multipart/alternative',
      }
      const before = content.texts.length
      for (const child of part.children) visit(child, inside)
      // The HTML says the same again, unless the plain part says nothing.
      if (outermost && content.texts.slice(before).every(({ text }) => text.trim() === ''))
        content.texts.push(...unread.map(readHtml))
      if (outermost) unread = []
      return
    }
    if (part.type.startsWith('multipart/')) return leftover(part)
    if (report && part.type !== 'text/plain' && part.type !== 'text/html') return
    if (part.type === 'text/calendar') content.calendarMethod ||= (part.parameters.method ?? '').toLowerCase()
    const asText = isText(part, content)
    if (asText && part.type === 'text/plain') {
      const text = partText(part, mime, oddities)
      if (text.length > LONGEST_TEXT) oddities.add('text_too_long')
      content.texts.push({ text, unsigned: text })
    } else if (asText) {
      const markup = partText(part, mime, oddities)
      content.htmls.push(markup)
      if (within.alternative) unread.push(markup)
      else content.texts.push(readHtml(markup))
    } else attach(part)
  }

  /** A multipart without a single part, or one whose parts lie too deep: what it holds is kept as a file. */
  const leftover = (part: Part): void => {
    if (part.body.length === 0 || !oddities.has('nested_too_deep')) return
    attach(part)
  }

  const attach = (part: Part): void => {
    if (content.attachments.length >= MOST_ATTACHMENTS) return void oddities.add('too_many_attachments')
    const bytes = decodeTransfer(part, mime)
    if (bytes.length > LARGEST_ATTACHMENT) return void oddities.add('attachment_too_large')
    if (bytes.length === 0 && !givenName(part)) return
    const attachment = describeFile(part, bytes, content.attachments.length)
    if (attachment.unsafe) oddities.add('unsafe_attachment')
    content.attachments.push(attachment)
  }

  visit(root, { report: false, alternative: false })
  return content
}

/** Text that is to be read, not a text file. */
const isText = (part: Part, { texts, htmls }: Content): boolean => {
  if (part.disposition === 'attachment') return false
  if (part.type !== 'text/plain' && part.type !== 'text/html') return false
  // Apple Mail shows text files between what was written, by `inline` and a name.
  const named = part.disposition === 'inline' && Boolean(part.dispositionParameters.filename)
  return !named || (texts.length === 0 && htmls.length === 0)
}

const noteKind = (part: Part, oddities: Set<Oddity>): void => {
  const { type } = part
  if (type === 'application/ms-tnef' || type === 'application/vnd.ms-tnef' || /^winmail\.dat$/iu.test(givenName(part)))
    oddities.add('winmail')
  if (type === 'text/calendar' || type === 'application/ics') oddities.add('calendar')
  if (type === 'multipart/encrypted' || type === 'application/pgp-encrypted') oddities.add('encrypted')
  if (type === 'multipart/signed' || type === 'application/pgp-signature') oddities.add('signed')
  if (/^application\/(?:x-)?pkcs7-mime$/u.test(type))
    oddities.add(/signed/iu.test(part.parameters['smime-type'] ?? '') ? 'signed' : 'encrypted')
  if (type === 'message/external-body') oddities.add('external_body')
  if (type === 'message/partial') oddities.add('partial')
}

/** A part's text in any charset, flowed lines joined, with line ends as ours and without signs that no text has. */
const partText = (part: Part, mime: Set<MimeOddity>, oddities: Set<Oddity>): string => {
  const beginning =
    part.body.length > LONGEST_ENCODED ? { ...part, body: part.body.subarray(0, LONGEST_ENCODED) } : part
  const bytes = decodeTransfer(beginning, mime)
  const label = part.parameters.charset ?? (part.type === 'text/html' ? metaCharset(bytes) : undefined)
  const { text, guessed } = decodeText(bytes, label)
  if (guessed) oddities.add('charset_guessed')
  const lines = text.replace(/^\ufeff/u, '').replace(/\r\n|\r/gu, '\n')
  const flowed =
    part.type === 'text/plain' && part.parameters.format?.toLowerCase() === 'flowed'
      ? unflow(lines, part.parameters.delsp?.toLowerCase() === 'yes')
      : lines
  return flowed.replace(UNPRINTED, '')
}

const UNPRINTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/gu

const metaCharset = (bytes: Buffer): string | undefined =>
  /<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})/iu.exec(bytes.toString('latin1', 0, 4_096))?.[1]

/** RFC 3676. A line that ends in a space goes on in the next, of the same depth of quoting. */
const unflow = (text: string, deleteSpace: boolean): string => {
  const lines: string[] = []
  let goesOn = false
  let depthBefore = -1
  for (const line of text.split('\n')) {
    const quotes = /^>*/u.exec(line)?.[0] ?? ''
    const body = line.slice(quotes.length).replace(/^ /u, '')
    const isSignature = body === '-- '
    const flows = body.endsWith(' ') && !isSignature
    const words = flows && deleteSpace ? body.slice(0, -1) : body
    if (goesOn && quotes.length === depthBefore && !isSignature) lines[lines.length - 1] += words
    else lines.push(quotes ? `${quotes} ${words}` : words)
    goesOn = flows
    depthBefore = quotes.length
  }
  return lines.join('\n')
}
