import { withChoices, type Message, type OutboundMessage } from '../../conversations/message.js'
import { factsIn, type EmailFacts } from './facts.js'
import type { Marks } from './marks.js'
import { phrasesIn } from './phrases.js'
import type { EmailSettings } from './settings.js'
import { answeringIndex } from './thread-index.js'

type Person = { name: string; address: string }
/** `cid`: a picture that is shown within the HTML, by its Content-ID (RFC 2392). */
type File = { filename: string; content: Buffer; contentType: string; cid?: string }

/** What goes out, before it is written as MIME. Every text in it is one line where a header is made of it. */
export type ComposedMail = {
  messageId: string
  from: Person
  to: Person[]
  cc: Person[]
  replyTo: Person | null
  envelopeFrom: string
  subject: string
  inReplyTo: string | null
  references: string[]
  headers: Record<string, string>
  text: string
  html: string
  attachments: File[]
}

type Needs = { settings: EmailSettings; marks: Marks }

type Given = {
  message: OutboundMessage
  /** Of the same conversation, oldest first. */
  history: Message[]
  /** All of what is answered, with the quotes in it; absent where the message shows all. */
  original?: string | undefined
  language: string | null
  attachments: File[]
}

const MOST_REFERENCES = 20
const MOST_COPIES = 20
const LONGEST_QUOTE = 20_000
const LONGEST_SUBJECT = 200
/** Larger pictures are files to be opened, not to be scrolled past. */
const LARGEST_SHOWN = 2 * 1024 * 1024
const MOST_SHOWN = 10

/**
 * A mail that continues its thread in every reader: In-Reply-To and References name what came before (RFC 5322 section 3.6.4), the
 * subject stays what it was. What no person wrote says so (RFC 3834), goes to nobody but whoever wrote, and repeats nothing of
 * theirs: a forged sender must not get our server to send somebody a text.
 */
export const makeCompose =
  ({ settings, marks }: Needs) =>
  ({ message, history, original, language, attachments }: Given): ComposedMail => {
    const isAutomatic = message.author.kind !== 'agent'
    const answered = answeredBy(message, history)
    const facts = answered && factsIn(answered)
    const words = phrasesIn(language)
    const { to, cc } = recipients(message, facts, isAutomatic, marks)
    const marked = settings.replyMark === 'address' ? marks.conversationAddress(message.conversationId) : null
    const reference = settings.replyMark === 'subject' ? marks.subjectReference(message.conversationId) : null
    const bounceAddress = settings.returnPath === 'marked' ? marks.bounceAddress(message.id) : null
    const files = withContentIds(attachments, message.id, settings.address)
    const threadIndex = answeringIndex(facts?.threadIndex ?? null, message.at, message.id)
    const subject = subjectOf(history, reference, isAutomatic)
    const parts = {
      said: withChoices(message),
      pictures: files.filter((file): file is Picture => file.cid !== undefined),
      sources: sourcesOf(message),
      below: [signatureOf(message, settings), isAutomatic ? words.automatic : ''].filter(Boolean).join('\n\n'),
      quote: !isAutomatic && answered && facts ? quoteOf(answered, facts, words, original) : null,
    }
    return {
      messageId: marks.messageIdOf(message.id),
      from: { name: oneLine(settings.name), address: settings.address },
      to,
      cc,
      replyTo: marked ? { name: oneLine(settings.name), address: marked } : null,
      envelopeFrom: bounceAddress ?? settings.address,
      subject,
      inReplyTo: facts?.messageId ?? null,
      references: referencesOf(history, facts),
      headers: {
        'X-Helpdesk-Loop': settings.address,
        ...(isAutomatic ? { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All' } : {}),
        ...(threadIndex ? { 'Thread-Index': threadIndex, 'Thread-Topic': subject.replace(/^Re: /, '') } : {}),
      },
      text: plainOf(parts, words.sources),
      html: htmlOf(parts, words.sources, settings),
      attachments: files,
    }
  }

type Picture = File & { cid: string }

/** Pictures are shown where they are read; what they are was found out by their content when they were kept. */
const withContentIds = (files: File[], messageId: string, address: string): File[] => {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  let shown = 0
  return files.map((file) => {
    const isShown = SHOWN_TYPES.has(file.contentType) && file.content.length <= LARGEST_SHOWN && shown < MOST_SHOWN
    if (!isShown) return file
    shown += 1
    return { ...file, cid: `picture-${shown}.${messageId}@${domain}` }
  })
}

const SHOWN_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

/** The customer's last message before this one. */
export const answeredBy = ({ seq }: Pick<OutboundMessage, 'seq'>, history: Message[]): Message | null =>
  history
    .filter(
      ({ author, kind, automatic, seq: at }) =>
        kind === 'message' && author.kind === 'customer' && !automatic && at < seq,
    )
    .at(-1) ?? null

const recipients = (
  { contact }: OutboundMessage,
  facts: EmailFacts | null,
  isAutomatic: boolean,
  marks: Marks,
): { to: Person[]; cc: Person[] } => {
  const contactPerson = contact.email ? { name: oneLine(contact.name ?? ''), address: contact.email } : null
  const wrote = facts ? (facts.replyTo[0] ?? facts.from) : null
  const first = wrote ?? contactPerson
  if (!first) return { to: [], cc: [] }
  // Whoever forged a sender also wrote the name beside it.
  const shown = (name: string) => (isAutomatic ? '' : oneLine(name))
  // Whoever wrote last gets the answer, and so does the one whose conversation it is.
  const copies = [
    ...(contactPerson && facts?.from?.address.toLowerCase() !== contactPerson.address.toLowerCase()
      ? [contactPerson]
      : []),
  ]
  if (!isAutomatic && facts) copies.push(...facts.to, ...facts.cc)
  const seen = new Set([first.address.toLowerCase()])
  const cc = copies.filter(({ address }) => {
    const lower = address.toLowerCase()
    if (seen.has(lower) || marks.isOwn(lower)) return false
    seen.add(lower)
    return true
  })
  return {
    to: [{ name: shown(first.name), address: first.address }],
    cc: cc.slice(0, MOST_COPIES).map(({ name, address }) => ({ name: shown(name), address })),
  }
}

/** What mail programs put before a subject when they answer or forward, in the languages that customers write. */
const ANSWERS =
  /^\s*(?:(?:re|aw|antw|sv|vs|r|rif|ref|res|odp|ynt|atb|回复|回覆|答复|答覆|转发|fw|fwd|wg|tr|rv|enc|i|doorst)\s*(?:\[\d+\])?\s*[:：]\s*)+/iu

/** The subject is what readers thread by, so that it stays; but a machine of ours sends nobody a link that somebody else chose. */
const WEB_ADDRESS = /\b(?:https?:\/\/|www\.)\S+/giu

const subjectOf = (history: Message[], reference: string | null, isAutomatic: boolean): string => {
  const first = history
    .map((message) => factsIn(message)?.subject)
    .find((subject) => subject !== undefined && subject.trim() !== '')
  const plain = oneLine(first ?? '')
    .replace(ANSWERS, '')
    .replace(WEB_ADDRESS, (address) => (isAutomatic ? '…' : address))
    .slice(0, LONGEST_SUBJECT)
    .trim()
  const marked = reference && !plain.includes(reference) ? ` ${reference}` : ''
  return `Re: ${plain || '(no subject)'}${marked}`
}

const referencesOf = (history: Message[], facts: EmailFacts | null): string[] => {
  const chain = facts ? [...facts.references, ...(facts.messageId ? [facts.messageId] : [])] : []
  const first = history.map((message) => factsIn(message)?.messageId).find(Boolean)
  const all = [...new Set([...(first && !chain.includes(first) ? [first] : []), ...chain])].filter((id) =>
    /^<[^<>\s]{1,900}>$/.test(id),
  )
  // The first is what readers hang the thread on; the last is what is answered.
  return all.length <= MOST_REFERENCES ? all : [...all.slice(0, 1), ...all.slice(1 - MOST_REFERENCES)]
}

const signatureOf = ({ author }: OutboundMessage, { signature, name }: EmailSettings): string =>
  [author.kind === 'agent' ? (author.name ?? '') : '', signature.trim() || name].filter(Boolean).join('\n')

type Sources = { title: string }[]

const sourcesOf = ({ citations }: OutboundMessage): Sources => citations.map(({ title }) => ({ title: oneLine(title) }))

type Quote = { intro: string; text: string }

const quoteOf = (
  { sentAt, at, text }: Message,
  { from }: EmailFacts,
  { wrote, locale }: ReturnType<typeof phrasesIn>,
  original = text,
): Quote | null => {
  if (!from || !original.trim()) return null
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  const intro = wrote(oneLine(from.name || from.address), `${date.format(sentAt ?? at)} UTC`)
  return { intro, text: original.slice(0, LONGEST_QUOTE) }
}

type Parts = { said: string; pictures: Picture[]; sources: Sources; below: string; quote: Quote | null }

const plainOf = ({ said, sources, below, quote }: Parts, title: string): string =>
  [
    said.trim(),
    sources.length > 0
      ? `${title}:\n${sources.map((source, index) => `[${index + 1}] ${source.title}`).join('\n')}`
      : '',
    // RFC 3676 section 4.3: readers fold away what stands below.
    below ? `-- \n${below}` : '',
    quote
      ? `${quote.intro}\n${quote.text
          .trimEnd()
          .split('\n')
          .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`))
          .join('\n')}`
      : '',
  ]
    .filter(Boolean)
    .join('\n\n') + '\n'

/** Our own few tags around escaped text: nothing that anybody wrote becomes markup. */
const htmlOf = (
  { said, pictures, sources, below, quote }: Parts,
  title: string,
  { color, logo, name }: EmailSettings,
): string =>
  [
    '<!doctype html><html><head><meta charset="utf-8"></head>',
    '<body style="font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;font-size:15px;line-height:1.5;color:#1c1c1c">',
    logo ? `<p><img src="${escaped(logo)}" alt="${escaped(name)}" style="max-height:40px"></p>` : '',
    paragraphs(said),
    ...pictures.map(
      ({ cid, filename }) =>
        `<p><img src="cid:${escaped(cid)}" alt="${escaped(filename)}" style="max-width:100%;height:auto"></p>`,
    ),
    sources.length > 0
      ? `<p style="font-size:13px;color:#555;border-left:3px solid ${color};padding-left:10px">${escaped(title)}:<br>${sources.map((source, index) => `[${index + 1}] ${escaped(source.title)}`).join('<br>')}</p>`
      : '',
    below
      ? `<div style="font-size:13px;color:#555;border-top:2px solid ${color};margin-top:20px;padding-top:8px">${paragraphs(below)}</div>`
      : '',
    quote
      ? `<div class="gmail_quote"><p style="color:#555">${escaped(quote.intro)}</p><blockquote style="margin:0 0 0 6px;border-left:2px solid #ccc;padding-left:10px;color:#555">${paragraphs(quote.text)}</blockquote></div>`
      : '',
    '</body></html>',
  ].join('')

const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${linked(escaped(paragraph)).replaceAll('\n', '<br>')}</p>`)
    .join('')

const linked = (html: string): string =>
  html.replace(
    /\bhttps?:\/\/[^\s<>"']{1,2000}[^\s<>"'.,;:!?)\]}]/g,
    (url) => `<a href="${url}" rel="noopener">${url}</a>`,
  )

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/** RFC 5322 section 2.2: a line break in a header begins the next one. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
