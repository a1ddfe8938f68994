import addressparser from 'nodemailer/lib/addressparser'
import { decodeText } from './decode-charset.js'

/**
 * The header of a message or part: RFC 5322 fields, RFC 2047 words, RFC 2231 parameters. What comes out is one line each: no
 * decoded line end survives, so that nobody can write a second field into what is built from it.
 */

export type Mailbox = { name: string; address: string }

export type Headers = {
  /** As sent, unfolded, without the name; the topmost. */
  first(name: string): string | undefined
  all(name: string): string[]
  names(): string[]
  /** Lines that are no field. */
  malformed: boolean
  /** Those of them that read like a sentence. */
  stray: string[]
  /** How many fields were well-formed. */
  count: number
}

/** A header longer than this is cut: nothing of use follows. */
const MOST_BYTES = 1024 * 1024
const MOST_FIELDS = 2_000
const LONGEST_VALUE = 64 * 1024
const MOST_ADDRESSES = 500

const FIELD = /^([!-9;-~]{1,200})[ \t]*:/u
/** At least three words, and nothing that parameters are made of. */
const SENTENCE = /^[^:;=]*[^\s:;=]+ +[^\s:;=]+ +[^:;=]*$/u
const MOST_STRAY = 50

export const parseHeaders = (bytes: Buffer): Headers => {
  const fields = new Map<string, string[]>()
  const stray: string[] = []
  let malformed = false
  let count = 0
  const text = bytes.subarray(0, MOST_BYTES).toString('latin1')
  const unfolded: string[] = []
  for (const line of text.split(/\r\n|\n|\r/u)) {
    if (line === '') continue
    if (/^[ \t]/u.test(line)) {
      // A space-only or indented line continues the field before, whatever it was.
      if (unfolded.length > 0) unfolded[unfolded.length - 1] += `\n${line}`
      continue
    }
    if (unfolded.length >= MOST_FIELDS) break
    unfolded.push(line)
  }
  for (const folded of unfolded) {
    const name = FIELD.exec(folded)?.[1]?.toLowerCase()
    if (!name) {
      const isOdd = !/^(?:>?From |--)/u.test(folded)
      malformed ||= isOdd
      if (isOdd && stray.length < MOST_STRAY && SENTENCE.test(folded.slice(0, 1_000))) stray.push(folded)
      continue
    }
    count += 1
    const value = folded
      .slice(folded.indexOf(':') + 1, LONGEST_VALUE)
      .replace(/\n[ \t]*/gu, ' ')
      .trim()
    const known = fields.get(name)
    if (known) known.push(value)
    else fields.set(name, [value])
  }
  return {
    first: (name) => fields.get(name)?.[0],
    all: (name) => fields.get(name) ?? [],
    names: () => [...fields.keys()],
    malformed,
    stray,
    count,
  }
}

/** Signs that no subject and no name may carry: line ends, controls, and what turns the direction of writing. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]+/gu

export const oneLine = (text: string, longest = 1_000): string =>
  Buffer.from(
    text
      .slice(0, longest * 4)
      .replace(UNSHOWN, ' ')
      .replace(/\s+/gu, ' ')
      .trim()
      .slice(0, longest),
    'utf8',
  ).toString('utf8')

const WORD = /=\?([^?\s]{1,60})\?([bq])\?([^?]*)\?=/giu
/** Text between two words that is no text (RFC 2047, section 6.2). */
const BETWEEN_WORDS = /(\?=)[ \t]+(?==\?[^?\s]{1,60}\?[bq]\?)/giu

/** A header's value as text: encoded words, and eight-bit signs where somebody sent them bare. */
export const decodeWords = (value: string): string => {
  const joined = value.replace(BETWEEN_WORDS, '$1')
  let text = ''
  let from = 0
  let open: { charset: string; bytes: Buffer[] } | null = null
  const close = () => {
    if (open) text += decodeText(Buffer.concat(open.bytes), open.charset).text
    open = null
  }
  for (const word of joined.matchAll(WORD)) {
    const [whole, label = '', encoding = '', coded = ''] = word
    if (word.index > from) {
      close()
      text += bare(joined.slice(from, word.index))
    }
    from = word.index + whole.length
    const charset = label.replace(/\*.*$/u, '').toLowerCase()
    const bytes =
      encoding.toLowerCase() === 'b'
        ? Buffer.from(coded, 'base64')
        : Buffer.from(
            coded
              .replace(/_/gu, ' ')
              .replace(/=([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
            'latin1',
          )
    // Some writers cut a sign of several bytes in two words: they are joined before they are read.
    if (open && (open as { charset: string }).charset === charset) (open as { bytes: Buffer[] }).bytes.push(bytes)
    else {
      close()
      open = { charset, bytes: [bytes] }
    }
  }
  close()
  return text + bare(joined.slice(from))
}

const bare = (latin1: string): string =>
  /[^\x00-\x7f]/u.test(latin1) ? decodeText(Buffer.from(latin1, 'latin1'), undefined).text : latin1

export type Parameters = { value: string; parameters: Record<string, string> }

const LONGEST_TYPE = 200
const PARAMETER = /;\s*([^\s=;]{1,80})\s*=\s*(?:"((?:[^"\\]|\\[^])*)"?|([^;]*))/gu

/** `text/plain; charset=utf-8; name*0*=utf-8''a; name*1=b`: RFC 2045 and RFC 2231. Values are decoded, on one line. */
export const parseParameters = (field: string): Parameters => {
  const [value = ''] = field.split(';', 1)
  const plain: Record<string, string> = Object.create(null) as Record<string, string>
  const pieces = new Map<string, { index: number; text: string; coded: boolean }[]>()
  for (const match of field.slice(value.length).matchAll(PARAMETER)) {
    const name = (match[1] ?? '').toLowerCase()
    const given = match[2] !== undefined ? match[2].replace(/\\([^])/gu, '$1') : (match[3] ?? '').trim()
    const extended = /^([^*]+)(?:\*(\d{1,3}))?(\*)?$/u.exec(name)
    if (!extended || (!extended[2] && !extended[3])) {
      plain[name] ??= oneLine(decodeWords(given))
      continue
    }
    const list = pieces.get(extended[1] as string) ?? []
    list.push({ index: Number(extended[2] ?? 0), text: given, coded: extended[3] === '*' })
    pieces.set(extended[1] as string, list)
  }
  for (const [name, list] of pieces) plain[name] = oneLine(joinPieces(list))
  return {
    value: value
      .slice(0, LONGEST_TYPE)
      .replace(/\(.*\)/u, '')
      .trim()
      .toLowerCase(),
    parameters: plain,
  }
}

const joinPieces = (pieces: { index: number; text: string; coded: boolean }[]): string => {
  pieces.sort((a, b) => a.index - b.index)
  const [first] = pieces
  const charset = first?.coded ? /^([^']*)'[^']*'/u.exec(first.text) : null
  const bytes = pieces.map(({ text, coded }, at) => {
    const value = at === 0 && charset ? text.slice(charset[0].length) : text
    const raw = coded
      ? value.replace(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
      : value
    return Buffer.from(raw, 'latin1')
  })
  return decodeText(Buffer.concat(bytes), charset?.[1]).text
}

const ADDRESS = /^[^\s\p{C}@<>()[\]",;:\\]{1,128}@[^\s\p{C}@<>()",;:\\]{1,253}$/u
const QUOTED_ADDRESS = /^"[^"\\\p{C}]{1,100}"@[^\s\p{C}@<>()",;:\\]{1,253}$/u

export const isAddress = (text: string): boolean => ADDRESS.test(text) || QUOTED_ADDRESS.test(text)

/** The mailboxes of an address field, groups opened; what is no address is left out. */
export const parseMailboxes = (values: readonly string[]): Mailbox[] => {
  const mailboxes: Mailbox[] = []
  for (const value of values) {
    // An encoded word may hold what divides addresses, though it should not: it is looked into afterwards.
    const words: string[] = []
    const opaque = value.slice(0, LONGEST_VALUE).replace(WORD, (word) => `\ue000${words.push(word) - 1}\ue001`)
    const restored = (text: string) => text.replace(/\ue000(\d+)\ue001/gu, (_, at: string) => words[Number(at)] ?? '')
    for (const { name, address } of addressparser(opaque, { flatten: true })) {
      if (mailboxes.length >= MOST_ADDRESSES) return mailboxes
      const shown = normalAddress(bare(restored(address)))
      if (shown)
        mailboxes.push({
          name: oneLine(decodeWords(restored(name)), 200).replace(/^["']+|["']+$/gu, ''),
          address: shown,
        })
    }
  }
  return mailboxes
}

/** Lower case as far as hosts go; the part before the @ stays as it was written. */
const normalAddress = (address: string): string | null => {
  const trimmed = decodeWords(address).trim().replace(/^<|>$/gu, '')
  if (!isAddress(trimmed)) return null
  const at = trimmed.lastIndexOf('@')
  return trimmed.slice(0, at + 1) + trimmed.slice(at + 1).toLowerCase()
}

const MESSAGE_ID = /<[^<>\s\p{Cc}]{1,900}>/gu
const MOST_REFERENCES = 200

/** Message ids with their brackets, in the field's order, each once. */
export const parseMessageIds = (values: readonly string[]): string[] => {
  const ids = values.flatMap((value) => value.match(MESSAGE_ID) ?? [])
  return [...new Set(ids)].slice(-MOST_REFERENCES)
}

/** A Message-ID that somebody wrote without brackets is one all the same. */
export const parseMessageId = (value: string | undefined): string | null => {
  const [id] = parseMessageIds([value ?? ''])
  if (id) return id
  const bareId = (value ?? '').trim()
  return /^[^<>\s\p{Cc}]{3,900}$/u.test(bareId) && bareId.includes('@') ? `<${bareId}>` : null
}

export const parseDate = (value: string | undefined): Date | null => {
  const text = (value ?? '')
    .slice(0, 200)
    .replace(/\([^)]*\)/gu, '')
    .trim()
  const at = text ? new Date(text) : null
  return at && !Number.isNaN(at.getTime()) && at.getUTCFullYear() >= 1970 && at.getUTCFullYear() < 2200 ? at : null
}
