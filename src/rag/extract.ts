import { tokens } from './analysis.js'
import { attemptsIn } from './attempts.js'
import type { PassageBlock } from './passages.js'
import { pairs, presence, type Rankable, type Ranked, type WeightedQuery } from './ranking.js'
import { sentences, type Span } from './sentences.js'

/**
 * The answer without a model: complete sentences, list items, table rows or listings of the best passages, word for word.
 * It says nothing of its own, and nothing at all when the passages do not cover the question.
 */
export type Quotable = Rankable & {
  passageId: string
  version: number
  title: string
  headings: string[]
  text: string
  blocks: PassageBlock[]
}

export type ExtractedSentence = { passageId: string; start: number; end: number; quote: string; score: number }

export type Verdict = {
  answered: boolean
  confidence: number
  threshold: number
  signals: Signals
  /** Content words of the question, those that the best passage lacks, and whether a sentence proves what is asked. */
  words: { asked: number; missing: string[]; proven: boolean }
  /** The same in English. */
  reason: string
}

/**
 * What speaks for an answer, each from 0 to 1, of the best passage: `coverage` of the question, `sentence` the same within its best
 * sentence and its headings, `pairs` of neighbouring words that stand together, `match` its BM25 against the most that it could
 * be, `absent` the share of the question that stands nowhere, `lead` over the second passage.
 */
type Signals = { coverage: number; sentence: number; pairs: number; match: number; absent: number; lead: number }

export type Extraction = { text: string; sentences: ExtractedSentence[]; verdict: Verdict }

/** Passages that are read closely. */
const READ_PASSAGES = 8
const MOST_QUOTES = 3

type Unit = Span & {
  kind: 'sentence' | 'item' | 'row' | 'listing'
  /** The sentence before it on which it leans: "To start it:", or what "It" refers to. */
  leadIn: Span | undefined
}

/**
 * Of each word of the question how much stands in the unit itself (`own`), in its headings or as its first word (`topic`), and
 * anywhere in the unit, its headings and what it leans on (`covered`); `share` is the last in all, by weight.
 */
type Scored = {
  unit: Unit
  ranked: Ranked<Quotable>
  /** The unit's own, in their order. */
  terms: string[]
  score: number
  own: number[]
  topic: number[]
  covered: number[]
  share: number
}

/** Closer together than this, a second passage's sentence is worth reading beside the first's. */
const CLOSE = 0.8
/** A sentence that adds this share of the question to what is covered is worth reading even when it scores lower. */
const ADDS = 0.2
/** A sentence with this share of the question, counting what it leans on, holds the whole of it. */
const WHOLE = 0.95
/** Characters of a list, table or listing that is quoted whole. */
const LONGEST_LISTING = 900

/** What a word is worth that stands not in the sentence but in its headings, before it, or elsewhere in its passage. */
const BY_PLACE = { topic: 0.9, heading: 0.6, leadIn: 0.5, passage: 0.3 }
/** Headings with this share of the question name its topic: what stands under them speaks of it without repeating it. */
const TOPIC = 0.8
/** What it adds to come first in a passage. */
const FIRST = 0.02

/**
 * `asked`: of a question that was put together with the name of a place, its own part. What it asks for has to be held like a whole
 * question, or the place's own words would answer anything.
 */
export const extract = (ranked: readonly Ranked<Quotable>[], asked?: string): Extraction => {
  // What the vectors think of a passage proves nothing: it is read by its words.
  const read = [...ranked].sort((a, b) => b.score - a.score).slice(0, READ_PASSAGES)
  const best = read[0]
  if (!best) return unknown('No passage contains a word of the question.', noSignals)
  const scored = read.flatMap((entry) => scoreUnits(entry, best.score)).sort((a, b) => b.score - a.score)
  const proofs = scored.filter((one) => proves(one) && (asked === undefined || holdsAsked(one, asked)))
  const proof = proofs.find((one) => one.share >= WHOLE && isQuotable(one)) ?? proofs.find(isQuotable)
  const verdict = judge(read, scored, proof !== undefined)
  if (!proof || !verdict.answered) return { text: '', sentences: [], verdict }
  const chosen = choose(proof, scored)
  return { text: joined(chosen), sentences: chosen.map(quoted), verdict }
}

const unknown = (reason: string, signals: Signals): Extraction => ({
  text: '',
  sentences: [],
  verdict: {
    answered: false,
    confidence: 0,
    threshold: THRESHOLD,
    signals,
    words: { asked: 0, missing: [], proven: false },
    reason,
  },
})

/** The stretches of a passage that may be quoted, in reading order; those of a list also on their own. */
export const unitsOf = ({ text, blocks }: Pick<Quotable, 'text' | 'blocks'>): Unit[] => {
  const units: Unit[] = []
  let before: Span | undefined
  for (const [index, { kind, start, end }] of blocks.entries()) {
    const inside = (spans: Span[]) => spans.map((span) => ({ start: start + span.start, end: start + span.end }))
    if (kind === 'prose') {
      for (const span of inside(sentences(text.slice(start, end)))) {
        units.push({ ...span, kind: 'sentence', leadIn: before })
        before = span
      }
      continue
    }
    const introduced = before && /[:：]$/u.test(text.slice(before.start, before.end))
    const leadIn = introduced || kind === 'code' ? before : undefined
    // What ends with a colon says nothing without what follows.
    if (introduced) units.pop()
    const from = leadIn?.start ?? start
    if (end - from <= LONGEST_LISTING) units.push({ start: from, end, kind: 'listing', leadIn: undefined })
    if (kind !== 'code' || end - from > LONGEST_LISTING) {
      const lines = inside(kind === 'list' ? itemsOf(text.slice(start, end)) : linesOf(text.slice(start, end)))
      // A table's first row names its columns: it answers nothing alone, and the others lean on it and on the paragraph above.
      const [columns] = kind === 'table' ? lines.splice(0, 1) : []
      const paragraph = blocks[index - 1]?.kind === 'prose' ? blocks[index - 1] : undefined
      const above = columns ? { start: paragraph?.start ?? start, end: columns.end } : leadIn
      units.push(
        ...lines.map((span) => ({
          ...span,
          kind: kind === 'list' ? ('item' as const) : ('row' as const),
          leadIn: above,
        })),
      )
    }
    before = undefined
  }
  return units
}

const linesOf = (text: string): Span[] =>
  [...text.matchAll(/\S.*/gu)].map((line) => ({ start: line.index, end: line.index + line[0].trimEnd().length }))

/** An item goes on as long as lines are indented. */
const itemsOf = (text: string): Span[] =>
  [...text.matchAll(/^\S.*(?:\n\s.*)*/gmu)].map((item) => ({
    start: item.index,
    end: item.index + item[0].trimEnd().length,
  }))

const scoreUnits = (entry: Ranked<Quotable>, top: number): Scored[] => {
  const { candidate, query } = entry
  const passage = new Set(candidate.terms.split(' '))
  const headings = new Set(candidate.headingTerms.split(' '))
  const analysed = tokens(candidate.text, candidate.language)
  const termsIn = ({ start, end }: Span) =>
    analysed.filter((token) => token.start >= start && token.end <= end).map(({ term }) => term)
  const named = query.words.map((word) => presence(word, headings))
  const byHeading = weighted(query, named) >= TOPIC ? BY_PLACE.topic : BY_PLACE.heading
  const units = unitsOf(candidate)
  const inside = (span: Span | undefined) => {
    const found = new Set(span ? termsIn(span) : [])
    return query.words.map((word) => presence(word, found))
  }
  /** A listing holds no more than its best line and what introduces it: all lines together have many words by chance. */
  const held = (unit: Unit): number[] => {
    const lines =
      unit.kind === 'listing'
        ? units.filter((line) => (line.kind === 'item' || line.kind === 'row') && within(line, unit))
        : []
    const [first] = lines
    if (!first) return inside(unit)
    const intro = inside({ start: unit.start, end: first.start })
    const best = lines.map(inside).sort((a, b) => weighted(query, b) - weighted(query, a))[0] ?? []
    return intro.map((share, at) => Math.max(share, best[at] ?? 0))
  }
  return units.map((unit) => {
    const own = held(unit)
    const leadIn = inside(unit.leadIn)
    const covered = own.map((share, at) => Math.max(share, named[at] ?? 0, leadIn[at] ?? 0))
    const credits = query.words.map((word, at) =>
      Math.max(
        own[at] ?? 0,
        byHeading * (named[at] ?? 0),
        BY_PLACE.leadIn * (leadIn[at] ?? 0),
        BY_PLACE.passage * presence(word, passage),
      ),
    )
    const words = termsIn(unit)
    const [opening = ''] = words
    const together = TOGETHER * ratio(pairs(query, words), mostPairs(query))
    const first = unit.start === units[0]?.start ? FIRST : 0
    return {
      unit,
      ranked: entry,
      terms: words,
      own,
      topic: query.words.map((word, at) => Math.max(named[at] ?? 0, word.terms.includes(opening) ? 1 : 0)),
      covered,
      share: weighted(query, covered),
      score: weighted(query, credits) * (0.5 + 0.5 * (entry.score / top)) + first + together - tooLong(unit),
    }
  })
}

/** The share of the question, by weight, of what is given for each of its words. */
const weighted = ({ weights }: WeightedQuery, shares: readonly number[]): number =>
  ratio(sum(shares.map((share, at) => share * (weights[at] ?? 0))), sum(weights))

/** Long stretches cover much by chance: every doubling beyond a long sentence must be earned. */
const tooLong = (span: Span): number => LENGTH_COST * Math.max(0, Math.log2(length(span) / LONG_SENTENCE))
const LONG_SENTENCE = 200
/** What it adds that the question's neighbours are neighbours in the sentence. */
const TOGETHER = 0.1
const LENGTH_COST = 0.05

const length = ({ start, end }: Span): number => end - start
const within = (a: Span, b: Span): boolean => a.start >= b.start && a.end <= b.end
const overlaps = (a: Span, b: Span): boolean => a.start < b.end && b.start < a.end

/** The best, and up to two more of its passage that are close to it or add to it; or one of another passage that proves too. */
const choose = (best: Scored, scored: readonly Scored[]): Scored[] => {
  const { query } = best.ranked
  const chosen = [best]
  const gain = (next: Scored) =>
    weighted(
      query,
      next.own.map((share, at) => Math.max(0, share - Math.max(...chosen.map(({ own }) => own[at] ?? 0)))),
    )
  for (const next of scored) {
    if (chosen.length >= MOST_QUOTES || chosen.some(({ ranked }) => ranked !== best.ranked)) break
    const taken = chosen.some((other) => other.ranked === next.ranked && overlaps(other.unit, next.unit))
    if (taken || next.ranked.query !== query) continue
    const close = next.score >= CLOSE * best.score || (gain(next) >= ADDS && next.score >= 0.5 * best.score)
    if (close && isQuotable(next) && (next.ranked === best.ranked || (chosen.length === 1 && proves(next))))
      chosen.push(next)
  }
  const order = [...new Set(chosen.map(({ ranked }) => ranked))]
  return chosen.sort((a, b) => order.indexOf(a.ranked) - order.indexOf(b.ranked) || a.unit.start - b.unit.start)
}

/** What a document says to the assistant is not said to customers. Looked at last, because looking is dear. */
const isQuotable = (scored: Scored): boolean => attemptsIn(textOf(scored)).length === 0

const textOf = ({ unit, ranked }: Scored): string => ranked.candidate.text.slice(unit.start, unit.end)

const quoted = (scored: Scored): ExtractedSentence => ({
  passageId: scored.ranked.candidate.passageId,
  start: scored.unit.start,
  end: scored.unit.end,
  quote: textOf(scored),
  score: scored.score,
})

const joined = (chosen: readonly Scored[]): string =>
  chosen.reduce((text, next, index) => {
    const last = chosen[index - 1]
    if (!last) return textOf(next)
    const running = last.unit.kind === 'sentence' && next.unit.kind === 'sentence'
    return text + (last.ranked !== next.ranked ? '\n\n' : running ? ' ' : '\n') + textOf(next)
  }, '')

const noSignals: Signals = { coverage: 0, sentence: 0, pairs: 0, match: 0, absent: 1, lead: 0 }

/**
 * Logistic regression over 3,670 questions that their documents answer and 3,870 asked of documents about something else
 * (English, Spanish, German prose; product documentation), every pair of sets weighing the same. Confidence is its probability
 * that the documents answer the question.
 */
const WEIGHTS: Signals = { coverage: 4.4, sentence: 10.6, pairs: 5.7, match: 4.6, absent: -3.7, lead: 2.8 }
const BIAS = -5.4
/**
 * Where it speaks, if a sentence also proves it (see `proves`). Of the questions of those sets it then answers 85 to 97 %, and up
 * to 2 % of those asked in the documents' language about something else. A wrong quote costs more trust than a person's time.
 */
const THRESHOLD = 0.85

const judge = (read: readonly Ranked<Quotable>[], scored: readonly Scored[], proven: boolean): Verdict => {
  const [best, second] = read
  if (!best) return unknown('', noSignals).verdict
  const { query, candidate, features } = best
  const signals = signalsOf(best, second?.score ?? 0, Math.max(0, ...scored.map(({ share }) => share)))
  const names = Object.keys(WEIGHTS) as (keyof Signals)[]
  const evidence = names.reduce((sum, name) => sum + WEIGHTS[name] * signals[name], BIAS)
  const confidence = 1 / (1 + Math.exp(-evidence))
  const answered = features.coverage > 0 && confidence >= THRESHOLD && proven
  const present = presentIn(candidate)
  const missing = query.words.filter((word) => presence(word, present) === 0).map(({ surface }) => surface)
  const reason =
    `The best passage has ${query.words.length - missing.length} of ${query.words.length} content words` +
    `${missing.length > 0 ? ` (missing: ${missing.slice(0, 8).join(', ')})` : ''}; confidence ${confidence.toFixed(2)}, ` +
    `${confidence >= THRESHOLD ? 'at least' : 'needs'} ${THRESHOLD}.${proven ? '' : ' No sentence holds what is asked.'}`
  const words = { asked: query.words.length, missing, proven }
  return { answered, confidence, threshold: THRESHOLD, signals, words, reason }
}

/** Content words of a question so short that each of them counts. */
const SHORT = 3
/** A word is covered by itself or by its kin, not by a part of a name. */
const MOSTLY = 0.5
/** A long listing has many words by chance. */
const LONGEST_PROOF = 500

/**
 * What the figures cannot tell of a short question: whether one sentence, with what it leans on, holds what is asked. Of one or
 * two words it must hold both, near each other, of three the rarest and one more; a name such as DATA_DIR is proof alone. A common
 * word that is all that is asked must be the topic (in a heading, or the first word) or stand with a light word that it was asked
 * with. Light words alone ask nothing, and what only repeats the question answers nothing.
 */
const proves = ({ ranked: { query }, unit, terms, own, topic, covered }: Scored): boolean => {
  if (terms.every((term) => query.terms.includes(term))) return false
  const solid = query.words.flatMap(({ light, surface }, at) =>
    light ? [] : [{ at, surface, weight: query.weights[at] ?? 0 }],
  )
  const [first] = solid
  if (!first) return false
  if (solid.length > SHORT) return true
  if (length(unit) > LONGEST_PROOF) return false
  // A list answers by the sentence before it; a sentence of its own has to hold something of the question itself.
  const holds = ({ at }: { at: number }) => Math.max(own[at] ?? 0, topic[at] ?? 0) > 0
  if (solid.length === 2 && unit.kind === 'sentence' && !solid.some(holds)) return false
  if (solid.some(({ at, surface }) => IDENTIFIER.test(surface) && covered[at] === 1)) return true
  const missing = solid.filter(({ at }) => (covered[at] ?? 0) < MOSTLY)
  if (solid.length === 1 && missing.length === 0) {
    const asked = query.words.some(
      ({ light }, at) => light && (own[at] ?? 0) >= MOSTLY && apart(query, terms, [first, { at }]) <= NEAR,
    )
    return asked || PROPER_NAME.test(first.surface) || (topic[first.at] ?? 0) >= MOSTLY
  }
  const inside = solid.filter(({ at }) => (own[at] ?? 0) >= MOSTLY)
  if (solid.length === 2 && inside.length === 2 && apart(query, terms, inside) > NEAR) return false
  const rarest = Math.max(...solid.map(({ weight }) => weight))
  return (
    missing.length <= Math.max(0, solid.length - 2) &&
    solid.some((word) => word.weight === rarest && !missing.includes(word))
  )
}

/** The rarest of its words and all but one of three, as in `proves`, however many words the place adds. */
const holdsAsked = ({ ranked: { query }, covered }: Scored, asked: string): boolean => {
  const own = query.words.flatMap(({ light, surface }, at) =>
    light || !asked.includes(surface) ? [] : [{ weight: query.weights[at] ?? 0, isHeld: (covered[at] ?? 0) >= MOSTLY }],
  )
  const rarest = Math.max(...own.map(({ weight }) => weight))
  const missing = own.filter(({ isHeld }) => !isHeld)
  return missing.length <= Math.max(0, own.length - 2) && own.some(({ weight, isHeld }) => isHeld && weight === rarest)
}

/** Two words that are asked together belong together where so few others are between them. */
const NEAR = 4

/** Content words from one of the two words to the other, where they come closest; 0 where one is only a part of a word. */
const apart = ({ words }: WeightedQuery, terms: readonly string[], pair: readonly { at: number }[]): number => {
  const [first = [], second = []] = pair.map(({ at }) => {
    const word = words[at]
    const forms = [...(word?.terms ?? []), ...(word?.parts ?? [])]
    return terms.flatMap((term, place) => (forms.includes(term) ? [place] : []))
  })
  const distances = first.flatMap((a) => second.map((b) => Math.abs(a - b)))
  return distances.length > 0 ? Math.min(...distances) : 0
}

const IDENTIFIER = /\p{L}[_/.]\p{L}/u
/** Capitals beyond the first letter, or digits: WhatsApp, TLS, v2. */
const PROPER_NAME = /\p{N}|\p{L}\p{Lu}/u

/** Whether a word is a thing's own name. */
export const isName = (surface: string): boolean => IDENTIFIER.test(surface) || PROPER_NAME.test(surface)

const presentIn = ({ terms, headingTerms }: Quotable): ReadonlySet<string> =>
  new Set([...terms.split(' '), ...headingTerms.split(' ')])

const signalsOf = (
  { query, candidate, features, score }: Ranked<Quotable>,
  second: number,
  sentence: number,
): Signals => {
  const present = presentIn(candidate)
  const weights = [...query.termWeights.values()]
  const total = sum(query.weights)
  const absent = sum(
    query.words.map((word, at) => (query.unseen[at] ? (query.weights[at] ?? 0) * (1 - presence(word, present)) : 0)),
  )
  return {
    coverage: features.coverage,
    sentence,
    pairs: ratio(features.pairs, mostPairs(query)),
    match: ratio(features.bm25, MOST_BM25 * sum(weights)),
    absent: ratio(absent, total),
    lead: Math.min(MOST_LEAD, 1 - second / score),
  }
}

/** What BM25 gives at most for a term, in units of its weight (k1 + 1). */
const MOST_BM25 = 2.2

/** What `pairs` gives for a text that repeats the question. */
const mostPairs = ({ termWeights }: WeightedQuery): number => {
  const weights = [...termWeights.values()]
  return sum(weights.slice(1).map((weight, at) => Math.min(weight, weights[at] ?? 0)))
}

/** Being the only one that matches is no proof. */
const MOST_LEAD = 0.5

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
const ratio = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0)
