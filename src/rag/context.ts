import type { Ranked } from './ranking.js'

/** What a model reads: few passages that differ, neighbours in reading order, within a budget. Pure. */

export type Readable = {
  passageId: string
  documentId: string
  title: string
  headings: string[]
  text: string
  /** Position in the document. */
  ordinal: number
  terms: string
}

/** `id` numbers the passages for the model, from 1. */
export type ContextPassage<Passage> = { id: number; passage: Passage }

const DEFAULT_TOKENS = 3_000
/** Of the ranked passages no more than these are looked at. */
const CONSIDERED = 24

/**
 * The λ of maximal marginal relevance (Carbonell and Goldstein 1998): what a passage is worth by its rank against what it repeats
 * of those that are in already. Below 0.5 it would rather be different than right.
 */
const RELEVANCE = 0.7

/** What titles, numbers and quotes around a passage cost. */
const OVERHEAD_TOKENS = 12

/**
 * Chooses by maximal marginal relevance until the budget is spent; what does not fit is passed over, a smaller one may follow. The
 * best passage is always in. Documents come in the order of their best passage, the passages of one in reading order.
 */
export const contextOf = <Passage extends Readable>(
  ranked: readonly Pick<Ranked<Passage>, 'candidate'>[],
  { tokens = DEFAULT_TOKENS }: { tokens?: number } = {},
): ContextPassage<Passage>[] => {
  const chosen = diversified(
    ranked.slice(0, CONSIDERED).map(({ candidate }) => candidate),
    tokens,
  )
  const documents = [...new Set(chosen.map(({ documentId }) => documentId))]
  const inOrder = documents.flatMap((documentId) =>
    chosen.filter((passage) => passage.documentId === documentId).sort((a, b) => a.ordinal - b.ordinal),
  )
  return inOrder.map((passage, at) => ({ id: at + 1, passage }))
}

const diversified = <Passage extends Readable>(candidates: readonly Passage[], tokens: number): Passage[] => {
  const left = candidates.map((passage, at) => ({
    passage,
    relevance: 1 - at / candidates.length,
    words: new Set(passage.terms.split(' ')),
    /** The most that it has in common with one that is in. */
    repeats: 0,
  }))
  const chosen: Passage[] = []
  let room = tokens
  while (left.length > 0) {
    const worth = left.map(({ relevance, repeats }) => RELEVANCE * relevance - (1 - RELEVANCE) * repeats)
    const [next] = left.splice(worth.indexOf(Math.max(...worth)), 1)
    if (!next) break
    const cost = costOf(next.passage)
    if (cost > room && chosen.length > 0) continue
    room -= cost
    chosen.push(next.passage)
    for (const other of left) other.repeats = Math.max(other.repeats, overlap(other.words, next.words))
  }
  return chosen
}

const costOf = ({ title, headings, text }: Readable): number =>
  OVERHEAD_TOKENS + tokensOf([title, ...headings, text].join('\n'))

/** Jaccard: the share of all words of both that both have. */
const overlap = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let both = 0
  for (const word of a) if (b.has(word)) both += 1
  return both === 0 ? 0 : both / (a.size + b.size - both)
}

/** Characters of a token in English prose are about four; other alphabets and digits come in shorter pieces. */
const ALPHABETIC = 3.5
const OTHER_ALPHABETS = 2

/** Estimates, rather too many than too few: scripts that write whole words in a character cost a token for each. */
export const tokensOf = (text: string): number => {
  const whole = text.match(WHOLE)?.length ?? 0
  const other = text.match(OTHER)?.length ?? 0
  return Math.ceil(whole + other / OTHER_ALPHABETS + (text.length - whole - other) / ALPHABETIC)
}
const WHOLE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}]/gu
const OTHER =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{Script=Devanagari}\p{N}]/gu
