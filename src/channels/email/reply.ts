import {
  DISCLAIMERS,
  FORWARD_LINE,
  FORWARD_SUBJECT,
  HEADER_LABELS,
  MOBILE_SIGNATURES,
  ORIGINAL_LINE,
  QUOTING,
  REPLY_ABOVE,
  WROTE_AT_END,
  WROTE_INSIDE,
  WROTE_STARTS,
} from './reply-words.js'

/**
 * What somebody wrote now, out of a mail that carries everything that was written before. Quotes go, wherever they stand, and
 * answers between them stay; a signature goes; of a forward, the forwarded mail is the content. When in doubt it stays: the whole
 * text is kept beside it, and a reply is never empty where the text is not.
 */
export const extractReply = (text: string, subject: string): string => {
  const whole = text.trim()
  const lines = whole.split('\n').slice(0, MOST_LINES)
  const { own, forward } = separate(lines, FORWARD_SUBJECT.test(subject))
  const reply = own
    .map((block) => withoutSignature(block, own.length === 1))
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .concat(forward.length > 0 ? [trimLines(forward).join('\n')] : [])
    .join('\n\n')
    .trim()
  return reply || whole
}

/** Nobody writes more; what quotes a whole year of a conversation does. */
const MOST_LINES = 5_000
const LONGEST_LINE = 500

type Separated = { own: string[][]; forward: string[] }

/** The blocks between quotes, and the forward that ends the mail, if it does. */
const separate = (lines: string[], forwards: boolean): Separated => {
  const own: string[][] = []
  let block: string[] = []
  const close = () => {
    const trimmed = trimLines(block)
    if (trimmed.length > 0) own.push(trimmed)
    block = []
  }
  const isReply = lines.some((line, at) => isQuoted(line) && introduces(lines, at)) || hasAttribution(lines)
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] as string
    if (isQuoted(line)) {
      const end = endOfQuote(lines, at)
      // Without a word of whom it quotes, and with more after it, it is a citation of something else, such as an error message.
      if (isReply || isBlank(lines.slice(end))) close()
      else block.push(...lines.slice(at, end))
      at = end
      continue
    }
    const start = startOfOriginal(lines, at)
    switch (start.kind) {
      case 'none':
        block.push(line)
        at += 1
        break
      case 'forward':
        close()
        return { own, forward: lines.slice(at) }
      case 'header':
        dropRule(block)
        if (forwards) return { own: closed(own, block), forward: lines.slice(at) }
        close()
        return { own, forward: [] }
      case 'original':
        close()
        return { own, forward: forwards ? lines.slice(at) : [] }
      case 'attribution':
        close()
        at = start.end
        if (!isQuoted(nextWritten(lines, at) ?? '')) return { own, forward: [] }
        break
    }
  }
  close()
  return { own, forward: [] }
}

const closed = (own: string[][], block: string[]): string[][] => {
  const trimmed = trimLines(block)
  return trimmed.length > 0 ? [...own, trimmed] : own
}

const isQuoted = (line: string): boolean => /^\s{0,3}(?:>|&gt;|\|\s?>)/u.test(line) && !/^\s*>{80,}\s*$/u.test(line)

const isBlank = (lines: string[]): boolean => lines.every((line) => line.trim() === '')

const trimLines = (lines: string[]): string[] => {
  let from = 0
  let to = lines.length
  while (from < to && lines[from]?.trim() === '') from += 1
  while (to > from && lines[to - 1]?.trim() === '') to -= 1
  return lines.slice(from, to)
}

const nextWritten = (lines: string[], from: number): string | undefined => {
  for (let at = from; at < lines.length; at += 1) if (lines[at]?.trim()) return lines[at]
  return undefined
}

/** Empty lines within a quote belong to it. */
const endOfQuote = (lines: string[], from: number): number => {
  let end = from
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] as string
    if (isQuoted(line)) end = at + 1
    else if (line.trim() !== '') break
  }
  return end
}

/** A quote that begins with its own header or introduction, as some clients quote those too. */
const introduces = (lines: string[], at: number): boolean => {
  if (at > 0 && isQuoted(lines[at - 1] as string)) return false
  const quoted = lines.slice(at, at + 8).map((line) => line.replace(/^\s*(?:>|&gt;)\s?/u, ''))
  return startOfOriginal(quoted, 0).kind !== 'none'
}

const hasAttribution = (lines: string[]): boolean => {
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string
    if (!isQuoted(line) && attributionEnd(lines, at) > 0) return true
  }
  return false
}

type Start =
  | { kind: 'none' }
  | { kind: 'forward' }
  | { kind: 'original' }
  | { kind: 'header' }
  | { kind: 'attribution'; end: number }

const startOfOriginal = (lines: string[], at: number): Start => {
  const line = (lines[at] as string).slice(0, LONGEST_LINE)
  if (line.trim() === '') return { kind: 'none' }
  if (FORWARD_LINE.test(line)) return { kind: 'forward' }
  if (ORIGINAL_LINE.test(line) || REPLY_ABOVE.test(line)) return { kind: 'original' }
  if (isQuotedHeader(lines, at)) return { kind: 'header' }
  const end = attributionEnd(lines, at)
  return end > 0 ? { kind: 'attribution', end } : { kind: 'none' }
}

const LABELS = Object.entries(HEADER_LABELS).map(
  ([kind, words]) => [kind, new RegExp(`^\\s*[*_]{0,2}(?:${words})[*_]{0,2}\\s*[:：]`, 'iu')] as const,
)

const labelOf = (line: string): string | null =>
  LABELS.find(([, pattern]) => pattern.test(line.slice(0, LONGEST_LINE)))?.[0] ?? null

/** "From: … Sent: … To: … Subject: …" in any language and order. A list of two of them is somebody's travel plan. */
const isQuotedHeader = (lines: string[], at: number): boolean => {
  const first = labelOf(lines[at] as string)
  if (!first || first === 'copy' || first === 'to') return false
  const seen = new Set<string>()
  let others = 0
  let text = ''
  for (let next = at; next < Math.min(lines.length, at + 16); next += 1) {
    const line = lines[next] as string
    const kind = labelOf(line)
    if (kind) {
      seen.add(kind)
      others = 0
      text += line.slice(0, LONGEST_LINE)
      continue
    }
    others += 1
    if (others > 2) break
  }
  const dated = seen.has('sent') || seen.has('date')
  if (!seen.has('from') || !(dated || seen.has('to'))) return false
  return seen.has('subject') || (seen.has('to') && (seen.has('sent') || (dated && text.includes('@'))))
}

const LONGEST_ATTRIBUTION = 4
const ADDRESS = /[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+/u
const DATE_OR_TIME = /\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}月/u

/** Where the lines that introduce a quote end, or 0. */
const attributionEnd = (lines: string[], at: number): number => {
  const first = (lines[at] as string).trim()
  if (first === '' || first.length > LONGEST_LINE) return 0
  const most = WROTE_STARTS.test(first) ? LONGEST_ATTRIBUTION : ADDRESS.test(first) ? 2 : 1
  let joined = ''
  for (let next = at; next < Math.min(lines.length, at + most); next += 1) {
    const line = (lines[next] as string).trim()
    if (line === '' || (next > at && isQuoted(lines[next] as string))) return 0
    joined = joined ? `${joined} ${line}` : line
    if (joined.length > LONGEST_LINE) return 0
    if (isAttribution(joined)) return next + 1
  }
  return 0
}

const isAttribution = (line: string): boolean => {
  if (line.length < 8 || !/[:：]\s*[*_]*$/u.test(line)) return false
  const dated = DATE_OR_TIME.test(line)
  const addressed = ADDRESS.test(line)
  if (WROTE_AT_END.test(line)) return dated || addressed || /^(?:On|Am|Em|El|Le|Il|Op)\s/u.test(line)
  if (WROTE_INSIDE.test(line) || QUOTING.test(line)) return dated || addressed
  // "вт, 5 мар. 2024 г. в 10:00, X <x@example.org>:" – a date, an address and a colon, without a verb.
  return dated && addressed && /[>)\]"”]\s*[:：]\s*$/u.test(line)
}

/** A line that only separates, above a quoted header. */
const dropRule = (block: string[]): void => {
  while (block.length > 0 && /^(?:[-_=*─]{3,})?$/u.test((block.at(-1) as string).trim())) block.pop()
}

// ---- signatures

/** Of a block of the writer's own: its lines before the signature. One that is nothing else goes whole, if it is not the only one. */
const withoutSignature = (block: string[], only: boolean): string[] => {
  let lines = block
  const marker = lines.findIndex((line) => /^\s{0,2}(?:--|—)[\s\u00a0]*$/u.test(line))
  if (marker > 0 || (marker === 0 && !only)) lines = trimLines(lines.slice(0, marker))
  for (let more = true, left = MOST_CLOSINGS; more && left > 0; left -= 1) {
    const shorter = trimLines(withoutLast(lines, only))
    more = shorter.length < lines.length
    lines = shorter
  }
  return lines
}

/** "Sent from …", a notice and a list's footer may follow each other. */
const MOST_CLOSINGS = 6

const withoutLast = (lines: string[], only: boolean): string[] => {
  const line = lines.at(-1)?.trim() ?? ''
  if (line.length <= 120 && MOBILE_SIGNATURES.some((pattern) => pattern.test(line.replace(/[*_<(].*$/u, '').trim())))
    return lines.slice(0, -1)
  const footer = lines.findLastIndex((each) => /^\s*_{5,}\s*$/u.test(each))
  if (footer >= (only ? 1 : 0) && isFooter(lines.slice(footer + 1))) return lines.slice(0, footer)
  // "-Jane Doe", as people sign by hand.
  if (
    lines.length > 2 &&
    lines.at(-2)?.trim() === '' &&
    /^-\s?\p{Lu}[\p{L}.'-]*(?: \p{Lu}[\p{L}.'-]*){0,3}$/u.test(line) &&
    !lines.slice(0, -1).some((each) => /^\s*-\s?\S/u.test(each))
  )
    return lines.slice(0, -1)
  const paragraph = lines.findLastIndex((each) => each.trim() === '') + 1
  for (
    let from = paragraph, left = 3;
    from > 0 && left > 0;
    from = lines.slice(0, from - 1).findLastIndex((each) => each.trim() === '') + 1, left -= 1
  ) {
    const notice = lines.slice(from).join(' ').slice(0, 4_000)
    if (notice.length > 60 && DISCLAIMERS.test(notice)) return lines.slice(0, from)
  }
  return lines
}

/** A mailing list's or a company's lines below a rule: few, with an address. */
const isFooter = (lines: string[]): boolean => {
  const written = lines.filter((line) => line.trim() !== '')
  return written.length === 0 || (written.length <= 8 && /https?:\/\/|www\.|@|mailing list/iu.test(written.join(' ')))
}
