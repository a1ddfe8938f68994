import type { Span } from '../sentences.js'

/**
 * Where a quote stands in a passage, word for word. White space, the shapes of quotation marks and dashes, and what cannot be seen
 * are no part of the words; everything else is, but for the case of the first letter and a full stop at the end.
 */
type Plain = { text: string; offsets: number[] }

const SHAPES: Record<string, string> = {
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '«': '"',
  '»': '"',
  '″': '"',
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  ʼ: "'",
  '′': "'",
  '`': "'",
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  '…': '...',
}

const INVISIBLE_LETTER = /[\u00ad\u200b-\u200f\u2060\ufeff]/u
const ACCENT = /\p{M}/u

const plainOf = (text: string): Plain => {
  const letters: string[] = []
  const offsets: number[] = []
  let last = ''
  const put = (shown: string, offset: number) => {
    for (let at = 0; at < shown.length; at += 1) {
      last = shown[at] ?? ''
      letters.push(last)
      offsets.push(offset)
    }
  }
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (letter > '\u007f') {
      if (INVISIBLE_LETTER.test(letter)) continue
      if (ACCENT.test(letter) && letters.length > 0) {
        // A letter and its accent written apart are the letter with the accent.
        const joined = ((letters.pop() ?? '') + letter).normalize('NFC')
        put(joined, offsets.pop() ?? at)
        continue
      }
    }
    if (/\s/u.test(letter)) {
      if (last !== ' ' && letters.length > 0) put(' ', at)
    } else put(letter > '\u007f' || letter === '`' ? (SHAPES[letter] ?? letter) : letter, at)
  }
  return { text: letters.join(''), offsets }
}

/** The places that are tried when a quote stands in its passage more than once. */
const MOST_PLACES = 4

/** Spans of the passage's own text, widened to whole words; empty when the quote does not stand there. */
export const findQuote = (quote: string, passage: string): Span[] => {
  const exact = placesOf(quote.trim(), passage)
  if (exact.length > 0) return exact.map((at) => wholeWords(passage, at, at + quote.trim().length))
  const wanted = trimmed(plainOf(quote).text)
  if (!wanted) return []
  const stopped = /\.["'”’»]?$/u.test(quote.trim())
  const { text, offsets } = plainOf(passage)
  const first = wanted[0] ?? ''
  const other = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()
  for (const needle of [wanted, other + wanted.slice(1)]) {
    const found = placesOf(needle, text)
    if (found.length === 0) continue
    return found.map((at) => {
      const lastLetter = offsets[at + needle.length - 1] ?? 0
      let next = at + needle.length
      while (next < offsets.length && offsets[next] === lastLetter) next += 1
      const span = wholeWords(passage, offsets[at] ?? 0, offsets[next] ?? passage.length)
      return stopped && passage[span.end] === '.' ? { ...span, end: span.end + 1 } : span
    })
  }
  return []
}

const placesOf = (needle: string, text: string): number[] => {
  const found: number[] = []
  if (!needle) return found
  for (let at = text.indexOf(needle); at >= 0 && found.length < MOST_PLACES; at = text.indexOf(needle, at + 1))
    found.push(at)
  return found
}

/** Without the quotation marks around it, dots for what was left out before and after, and its full stop. */
const trimmed = (quote: string): string =>
  quote
    .trim()
    .replace(/^["']+(?=[^"']*["']+$)|^\.\.\.\s*/gu, '')
    .replace(/["']+$|\s*\.\.\.$/gu, '')
    .replace(/\.$/u, '')
    .trim()

const IN_WORD = /[\p{L}\p{N}\p{M}_\u00ad]/u

const wholeWords = (text: string, start: number, end: number): Span => {
  let [from, to] = [start, end]
  while (to > from && /\s/u.test(text[to - 1] ?? '')) to -= 1
  while (from > 0 && IN_WORD.test(text[from] ?? '') && IN_WORD.test(text[from - 1] ?? '')) from -= 1
  while (to < text.length && IN_WORD.test(text[to - 1] ?? '') && IN_WORD.test(text[to] ?? '')) to += 1
  return { start: from, end: to }
}
