import { createHash } from 'node:crypto'
import type { Block, BlockKind, Section } from './sources/section.js'
import { sentences, type Span } from './sentences.js'

/** Where a block stands in `passage.text`. */
export type PassageBlock = { kind: BlockKind; start: number; end: number }

/** What is searched and quoted: a few sentences or a list under one heading path. Quotes are verbatim parts of `text`. */
export type Passage = {
  id: string
  /** Position in the document, from 0. */
  ordinal: number
  headings: string[]
  /** Where it begins, from 1, in documents that have pages. */
  page: number | null
  text: string
  blocks: PassageBlock[]
}

/** Bump it when the same sections give other passages: what was indexed under another number is indexed again. */
export const PASSAGES_VERSION = 1

/**
 * Words of a passage: long enough to hold an answer with its context, short enough to be about one thing. A section up to
 * the longest stays whole; a longer one is cut into equal parts.
 */
const LONGEST_WORDS = 180
/** Code and tables are cut later than prose: half a listing explains nothing. */
const LONGEST_LISTING_WORDS = 300

/** Characters of the longest piece, whatever it is. */
const LONGEST_PIECE = 3_000

type Piece = {
  kind: BlockKind
  text: string
  page: number | undefined
  words: number
  joiner: string
  leadsIn: boolean
}

/**
 * The same document id and the same content give the same passage ids, so that a citation outlives a re-indexing of an
 * unchanged passage.
 */
export const makePassages = (documentId: string, sections: readonly Section[]): Passage[] => {
  const seen = new Map<string, number>()
  return sections
    .flatMap(({ headings, blocks }) =>
      pack(blocks.flatMap(piecesOf)).map((pieces) => ({ headings, page: pieces[0]?.page ?? null, ...join(pieces) })),
    )
    .map((passage, ordinal) => {
      const content = [documentId, ...passage.headings, passage.text].join('\u0000')
      const equals = seen.get(content) ?? 0
      seen.set(content, equals + 1)
      const hash = createHash('sha256').update(`${content}\u0000${equals}`).digest('base64url')
      return { id: `pas_${hash.slice(0, 20)}`, ordinal, ...passage }
    })
}

/** Words; for scripts without spaces two characters are one, and a blob without blanks is worth its length. */
const countWords = (text: string): number =>
  Math.max(
    (text.match(/[\p{L}\p{N}\p{M}]+/gu)?.length ?? 0) +
      (text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu)?.length ?? 0) / 2,
    text.length / LONG_WORD,
  )
const LONG_WORD = 15

/** A block as the smallest pieces that may be torn apart: sentences, list items with what is nested in them, rows, lines. */
const piecesOf = ({ kind, text, page }: Block): Piece[] => {
  const words = countWords(text)
  const longest = kind === 'code' || kind === 'table' ? LONGEST_LISTING_WORDS : LONGEST_WORDS
  const leadsIn = kind === 'prose' && /[:：]$/u.test(text)
  if (words <= longest && kind !== 'prose') return [{ kind, text, page, words, joiner: '\n\n', leadsIn: false }]
  return spansOf(kind, text)
    .flatMap((span) => cutLong(text, span))
    .map(({ start, end }, index, spans) => {
      const gap = text.slice(spans[index - 1]?.end ?? 0, start)
      const part = text.slice(start, end)
      return {
        kind,
        text: part,
        page,
        words: countWords(part),
        joiner: index === 0 ? '\n\n' : gap.includes('\n') ? '\n' : gap && ' ',
        leadsIn: leadsIn && index === spans.length - 1,
      }
    })
}

const spansOf = (kind: BlockKind, text: string): Span[] => {
  if (kind === 'prose') return sentences(text)
  // An item begins at a line that is not indented; any other line stands for itself.
  const begin = kind === 'list' ? /^(?=\S)/gmu : /^(?=.)/gmu
  const starts = [...text.matchAll(begin)].map(({ index }) => index)
  return starts.map((start, index) => ({ start, end: text.slice(start, starts[index + 1]).trimEnd().length + start }))
}

/** A text without sentences or lines (a log, a blob) is cut at white space, or anywhere when there is none. */
const cutLong = (text: string, { start, end }: Span): Span[] => {
  const spans: Span[] = []
  let from = start
  while (end - from > LONGEST_PIECE) {
    const blank = text.lastIndexOf(' ', from + LONGEST_PIECE)
    const to = blank > from ? blank : from + LONGEST_PIECE - Number(isHalf(text.charCodeAt(from + LONGEST_PIECE - 1)))
    spans.push({ start: from, end: to })
    from = blank > from ? to + 1 : to
  }
  return [...spans, { start: from, end }]
}

/** The first half of a sign beyond 16 bits: nothing may be cut behind it. */
const isHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** Equal parts of at most the longest; a sentence that leads in (`To start it:`) stays with what follows it. */
const pack = (pieces: readonly Piece[]): Piece[][] => {
  const total = pieces.reduce((sum, piece) => sum + piece.words, 0)
  const target = total / Math.ceil(total / LONGEST_WORDS)
  const packs: Piece[][] = []
  let current: Piece[] = []
  let words = 0
  for (const piece of pieces) {
    // A piece goes where its middle falls, so that parts come out equal and none is a stub.
    if (current.length > 0 && words + piece.words / 2 > target) {
      const leadIn = current.length > 1 && current.at(-1)?.leadsIn ? current.splice(-1) : []
      packs.push(current)
      current = leadIn
      words = leadIn[0]?.words ?? 0
    }
    current.push(piece)
    words += piece.words
  }
  return current.length > 0 ? [...packs, current] : packs
}

const join = (pieces: readonly Piece[]): { text: string; blocks: PassageBlock[] } => {
  let text = ''
  const blocks: PassageBlock[] = []
  for (const piece of pieces) {
    const joiner = text === '' ? '' : piece.joiner
    const last = blocks.at(-1)
    if (last && joiner !== '\n\n') last.end += joiner.length + piece.text.length
    else
      blocks.push({
        kind: piece.kind,
        start: text.length + joiner.length,
        end: text.length + joiner.length + piece.text.length,
      })
    text += joiner + piece.text
  }
  return { text, blocks }
}
