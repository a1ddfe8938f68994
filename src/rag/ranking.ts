import { lightTermsOf, tokens } from './analysis.js'

/**
 * A word of a question: one term; a name with its parts (`HELPDESK_API_KEY`); in scripts without spaces with the pairs that touch
 * it. A `light` one (make, go, new) is searched, but neither asks for anything nor proves anything.
 */
export type QueryWord = { surface: string; terms: string[]; parts: string[]; light: boolean }

/** A question in one language. `terms` are all that is searched, each once. */
export type Query = { language: string; words: QueryWord[]; terms: string[] }

/** Beyond these a message is a story, and its first words name its topic. */
const MOST_TERMS = 64

/**
 * `askedIn` is the language of the question, where it is not `language`: its function words and light words are dropped too,
 * because among documents of another language they would be the rarest words of all.
 */
export const makeQuery = (text: string, language: string, askedIn = language): Query => {
  const words = new Map<number, QueryWord & { start: number; end: number }>()
  const all = new Set<string>()
  const light = lightTermsOf(language)
  const lightAsked = lightTermsOf(askedIn)
  const saysNothing = (word: string) => tokens(word, askedIn).every(({ term }) => lightAsked.has(term))
  for (const { term, start, end, position, kind } of tokens(text, language)) {
    if (all.size >= MOST_TERMS) break
    if (askedIn !== language && saysNothing(text.slice(start, end).toLowerCase())) continue
    all.add(term)
    if (kind === 'pair') {
      for (const word of words.values()) {
        if (start < word.end && word.start < end && !word.terms.includes(term)) word.parts.push(term)
      }
      continue
    }
    const surface = text.slice(start, end)
    const word = words.get(position) ?? { surface, terms: [], parts: [], light: light.has(term), start, end }
    if (kind === 'part') word.parts.push(term)
    else word.terms.push(term)
    words.set(position, word)
  }
  const distinct = new Map<string, QueryWord>()
  for (const { surface, terms, parts, light } of words.values())
    distinct.set([...terms, ...parts].join(' '), { surface, terms, parts, light })
  return { language, words: [...distinct.values()], terms: [...all] }
}

/** What is known of all passages of the company, to weigh words by how rare they are. */
export type Statistics = {
  passages: number
  averageTerms: number
  averageHeadingTerms: number
  /** In how many passages a term stands, as far as a sample tells. */
  frequency(term: string): number
}

/** BM25's weight of a term that stands in `n` of `passages` (Robertson and Zaragoza 2009; Lucene's form, never negative). */
const rarity = (n: number, passages: number): number => Math.log(1 + (Math.max(passages, n) - n + 0.5) / (n + 0.5))

/** What speaks for a passage: its words, and which list found it at which rank, from 1. */
export type Features = {
  bm25: number
  coverage: number
  pairs: number
  headings: number
  lexicalRank: number | null
  vectorRank: number | null
  /** The cosine of the question's vector and the passage's. */
  similarity: number | null
  /** The sum of its reciprocal ranks, where there was more than one list. */
  fused: number | null
}

export type Rankable = { documentId: string; terms: string; headingTerms: string; language: string }
/** `score` and `query` are about words, whichever list found the passage: extraction reads them. */
export type Ranked<T> = { candidate: T; score: number; features: Features; query: WeightedQuery }
/** `weights` and `unseen` (no passage that was found has the word) go with `words`, one each. */
export type WeightedQuery = Query & { weights: number[]; unseen: boolean[]; termWeights: Map<string, number> }

/** BM25's saturation and length normalisation: the values that Lucene and SQLite ship. */
const K1 = 1.2
const B = 0.75
/** What a match in the headings adds, as a share of its own BM25: they name the topic and are as telling as the text. */
const HEADINGS = 1
/** Words that stand together in the question and in the text. */
const PAIRS = 0.3
/** A passage with all words beats one that repeats a few: up to half as much again. */
const COVERAGE = 0.5

/** A light word's share in what a passage covers. */
const LIGHT = 0.2

/**
 * By words, best first. The figures of a passage are kept, so that a decision can say why it came first. `others` were found in
 * another way: they are scored beside the candidates, but neither weigh the words nor have a rank among them.
 */
export const rank = <T extends Rankable>(
  queries: readonly Query[],
  candidates: readonly T[],
  statistics: Statistics,
  others: readonly T[] = [],
): Ranked<T>[] => {
  const prepared = candidates.map(prepare)
  const weighted = queries.map((query) => weigh(query, prepared, statistics))
  const scored = ({ candidate, terms, headingTerms }: Prepared<T>): Ranked<T>[] => {
    const query = weighted.find(({ language }) => language === candidate.language) ?? weighted[0]
    if (!query) return []
    const features = featuresOf(query, terms, headingTerms, statistics)
    const score =
      features.bm25 * (1 + COVERAGE * features.coverage) + PAIRS * features.pairs + HEADINGS * features.headings
    return [{ candidate, score, features, query }]
  }
  const found = prepared.flatMap(scored).sort((a, b) => b.score - a.score)
  found.forEach(({ features }, at) => (features.lexicalRank = at + 1))
  if (others.length === 0) return found
  return [...found, ...others.map(prepare).flatMap(scored)].sort((a, b) => b.score - a.score)
}

type Prepared<T> = { candidate: T; terms: string[]; headingTerms: string[] }

const prepare = <T extends Rankable>(candidate: T): Prepared<T> => ({
  candidate,
  terms: candidate.terms ? candidate.terms.split(' ') : [],
  headingTerms: candidate.headingTerms ? candidate.headingTerms.split(' ') : [],
})

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009), with their constant: no list outweighs what two agree upon. */
const RANK_OFFSET = 60

/** In the order of several lists of passage ids, each the best first; equal ones by their words. */
export const fuse = <T extends Rankable & { passageId: string }>(
  ranked: readonly Ranked<T>[],
  lists: readonly (readonly string[])[],
): Ranked<T>[] => {
  const sums = new Map<string, number>()
  for (const list of lists) {
    list.forEach((id, at) => sums.set(id, (sums.get(id) ?? 0) + 1 / (RANK_OFFSET + at + 1)))
  }
  return ranked
    .map((entry) => ({
      ...entry,
      features: { ...entry.features, fused: sums.get(entry.candidate.passageId) ?? 0 },
    }))
    .sort((a, b) => b.features.fused - a.features.fused)
}

/**
 * The candidates are the best of all passages for these terms, so a term that is rare among them is rare; how common a
 * common one is, the sample knows.
 */
const weigh = (
  query: Query,
  candidates: readonly { terms: string[]; headingTerms: string[] }[],
  statistics: Statistics,
): WeightedQuery => {
  const seen = new Map<string, number>()
  for (const { terms, headingTerms } of candidates) {
    for (const term of new Set([...terms, ...headingTerms])) seen.set(term, (seen.get(term) ?? 0) + 1)
  }
  const frequency = (term: string) => Math.max(seen.get(term) ?? 0, statistics.frequency(term))
  const termWeights = new Map(query.terms.map((term) => [term, rarity(frequency(term), statistics.passages)]))
  const weightOf = (term: string) => termWeights.get(term) ?? 0
  const weights = query.words.map(
    ({ terms, parts, light }) => (light ? LIGHT : 1) * Math.max(...terms.map(weightOf), mean(parts.map(weightOf)), 0),
  )
  const unseen = query.words.map((word) => word.terms.every((term) => frequency(term) === 0))
  return { ...query, weights, unseen, termWeights }
}

const mean = (values: number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

const featuresOf = (
  query: WeightedQuery,
  terms: string[],
  headingTerms: string[],
  statistics: Statistics,
): Features => {
  const present = new Set([...terms, ...headingTerms])
  return {
    bm25: bm25(query, terms, statistics.averageTerms),
    headings: bm25(query, headingTerms, statistics.averageHeadingTerms),
    coverage: coverage(query, present),
    pairs: pairs(query, terms),
    lexicalRank: null,
    vectorRank: null,
    similarity: null,
    fused: null,
  }
}

const bm25 = (query: WeightedQuery, terms: readonly string[], average: number): number => {
  const counts = new Map<string, number>()
  for (const term of terms) if (query.termWeights.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1)
  const length = K1 * (1 - B + (B * terms.length) / Math.max(average, 1))
  let score = 0
  for (const [term, count] of counts)
    score += ((query.termWeights.get(term) ?? 0) * count * (K1 + 1)) / (count + length)
  return score
}

/** Share of the question's words, by weight, that stand in `present`. Of a name its parts count where it is not whole. */
const coverage = (query: WeightedQuery, present: ReadonlySet<string>): number => {
  let covered = 0
  let total = 0
  query.words.forEach((word, index) => {
    const weight = query.weights[index] ?? 0
    total += weight
    covered += weight * presence(word, present)
  })
  return total === 0 ? 0 : covered / total
}

/** How much of a word stands in `present`: 1 as itself, less as kin or in parts. */
export const presence = ({ terms, parts }: QueryWord, present: ReadonlySet<string>): number => {
  if (terms.some((term) => present.has(term))) return 1
  if (parts.length > 0) return (PARTS_ALONE * parts.filter((part) => present.has(part)).length) / parts.length
  return Math.max(0, ...terms.map((term) => kinship(term, present)))
}

const KIN = 0.8
/** Shorter words are alike by chance. */
const SHORTEST_KIN = 5
/** A name's parts all over the place are less than the name. */
const PARTS_ALONE = 0.8

/**
 * Stems that mean nearly the same: one within the other (German compounds: `anlag` in `klimaanlag`), or with most letters from
 * the front in common (`migrat`, `migrant`).
 */
const kinship = (term: string, present: ReadonlySet<string>): number => {
  if (term.length < SHORTEST_KIN) return 0
  for (const other of present) {
    if (other.length < SHORTEST_KIN) continue
    if (term.length < other.length ? other.includes(term) : term.includes(other)) return KIN
    if (sharedStart(term, other) >= Math.max(SHORTEST_KIN, 0.7 * Math.max(term.length, other.length))) return KIN
  }
  return 0
}

const sharedStart = (a: string, b: string): number => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** Neighbours in the question that are near each other in the text, in its order: by the rarer one's weight and the distance. */
export const pairs = (query: WeightedQuery, terms: readonly string[]): number => {
  const places = new Map<string, number[]>()
  terms.forEach((term, index) => {
    if (!query.termWeights.has(term)) return
    const known = places.get(term)
    if (known) known.push(index)
    else places.set(term, [index])
  })
  let score = 0
  for (let index = 1; index < query.terms.length; index++) {
    const [first = '', second = ''] = [query.terms[index - 1], query.terms[index]]
    let nearest = Infinity
    for (const from of places.get(first) ?? []) {
      for (const to of places.get(second) ?? []) if (to > from) nearest = Math.min(nearest, to - from)
    }
    if (nearest <= 3) score += Math.min(query.termWeights.get(first) ?? 0, query.termWeights.get(second) ?? 0) / nearest
  }
  return score
}
