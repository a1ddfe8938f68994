import type { Span } from '../sentences.js'
import { INVISIBLE } from './scan.js'

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

const plainOf = (text: string): Plain => {
  let plain = ''
  const offsets: number[] = []
  for (const { 0: cluster, index } of text.matchAll(/[\s\S][\p{M}]{0,8}/gu)) {
    let shown = cluster.replace(INVISIBLE, '').normalize('NFC')
    if (/^\s+$/u.test(shown)) {
      if (plain.endsWith(' ') || plain === '') continue
      shown = ' '
    }
    for (const letter of SHAPES[shown] ?? shown) {
      plain += letter
      for (let unit = 0; unit < letter.length; unit += 1) offsets.push(index)
    }
  }
  return { text: plain, offsets }
}

/** The places that are tried when a quote stands in its passage more than once. */
const MOST_PLACES = 4

/** Spans of the passage's own text, widened to whole words; empty when the quote does not stand there. */
export const findQuote = (quote: string, passage: string): Span[] => {
  const wanted = plainOf(quote)
    .text.trim()
    .replace(/^["'(]+(?=[^"']*$)|["']+$/gu, '')
    .replace(/^\.\.\.\s*|\s*\.\.\.$/gu, '')
    .replace(/[.]$/u, '')
    .trim()
  if (!wanted) return []
  const { text, offsets } = plainOf(passage)
  const found: Span[] = []
  const first = wanted[0] ?? ''
  const other = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()
  for (const needle of other === first || other.length !== 1 ? [wanted] : [wanted, other + wanted.slice(1)]) {
    for (let at = text.indexOf(needle); at >= 0 && found.length < MOST_PLACES; at = text.indexOf(needle, at + 1)) {
      const start = offsets[at] ?? 0
      const lastUnit = offsets[at + needle.length - 1] ?? start
      const next = offsets.slice(at + needle.length).find((offset) => offset > lastUnit)
      found.push(
        wholeWords(
          passage,
          start,
          text[at + needle.length] === undefined
            ? passage.trimEnd().length
            : Math.min(next ?? passage.length, passage.length),
        ),
      )
    }
    if (found.length > 0) break
  }
  return found
}

const IN_WORD = /[\p{L}\p{N}\p{M}_\u00ad]/u

const wholeWords = (text: string, start: number, end: number): Span => {
  let [from, to] = [start, end]
  while (to > from && /\s/u.test(text[to - 1] ?? '')) to -= 1
  while (from > 0 && IN_WORD.test(text[from] ?? '') && IN_WORD.test(text[from - 1] ?? '')) from -= 1
  while (to < text.length && IN_WORD.test(text[to - 1] ?? '') && IN_WORD.test(text[to] ?? '')) to += 1
  return { start: from, end: to }
}
