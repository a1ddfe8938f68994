import { sentences, type Span } from '../sentences.js'
import { sameFigure } from './figures.js'
import { judge, type Context } from './judge.js'
import { unfolded } from './ellipsis.js'
import type { FaultReason, Judgement } from './lay.js'
import { findQuote } from './quote.js'
import { doubtIn } from './reports.js'
import { asciiDigits } from './pieces.js'
import { MOST_TOKENS, scan, type Token } from './scan.js'
import { vocabularyOf, type Vocabulary } from './vocabulary.js'

/**
 * Decides whether a sentence that a model wrote says what the passage that it quotes says. Pure and without a model: names, numbers,
 * dates, units, negations, conditions and the order of things must agree, and no word may name what the passage does not.
 * It errs towards silence: what it cannot follow is not proved.
 */
export type Claim = {
  /** One sentence as the model wrote it; where it holds several, each must be proved. */
  text: string
  citations: { quote: string; passage: { text: string; title: string; headings: string[]; language: string } }[]
  /** ISO 639-1, of the answer. */
  language: string
}

export type ProofVerdict =
  /** Spans in the passages' own text, in whole words; each says by itself what it is quoted for. */
  | { proved: true; quotes: { citation: number; start: number; end: number }[] }
  /** `detail` names the word or number that is not proved. */
  | { proved: false; reason: ProofFault; detail: string }

/**
 * `no_claim`: a question, a greeting, nothing at all. `language`: the passage is in another language than the sentence, and numbers,
 * identifiers and names agree; whether the rest does only a model can tell.
 */
export type ProofFault =
  | FaultReason
  | 'no_citation'
  | 'no_claim'
  | 'quote_not_found'
  | 'quote_too_short'
  | 'markup'
  | 'language'
  | 'too_long'

/** Bump it with every change that could turn a verdict: decisions name it. */
export const PROOF_VERSION = 'proof-3'

const LONGEST_CLAIM = 2_000
const LONGEST_QUOTE = 6_000
const MOST_CITATIONS = 8
/** How far from a quote its sentence may begin and end. */
const AROUND = 600
/** Sentences of the passages that a claim is laid beside. */
const MOST_EVIDENCE = 24

type Evidence = { citation: number; quote: Span; span: Span; tokens: Token[]; context: () => Context }

const refuse = (reason: ProofFault, detail: string): ProofVerdict & { proved: false } => ({
  proved: false,
  reason,
  detail: detail.slice(0, 120),
})

export const prove = ({ text, citations, language }: Claim): ProofVerdict => {
  if (text.length > LONGEST_CLAIM) return refuse('too_long', `${text.length} characters`)
  const markup = markupIn(text)
  if (markup) return refuse('markup', markup)
  if (citations.length === 0) return refuse('no_citation', '')
  if (citations.length > MOST_CITATIONS) return refuse('too_long', `${citations.length} citations`)

  const places: { citation: number; place: Span }[] = []
  for (const [citation, { quote, passage }] of citations.entries()) {
    if (quote.length > LONGEST_QUOTE) return refuse('too_long', `${quote.length} characters`)
    const found = findQuote(quote, passage.text)
    if (found.length === 0) return refuse('quote_not_found', quote)
    for (const place of found) places.push({ citation, place })
  }

  const quotes: { citation: number; start: number; end: number }[] = []
  let nothing: ProofVerdict & { proved: false } = refuse('no_claim', text)
  for (const { start, end } of sentences(text)) {
    const sentence = text.slice(start, end)
    if (isQuestion(sentence)) return refuse('no_claim', sentence)
    const verdict = proveSentence(sentence, language, citations, places)
    if (verdict.proved) quotes.push(...verdict.quotes)
    else if (verdict.reason === 'no_claim') nothing = verdict
    else return verdict
  }
  return quotes.length > 0 ? { proved: true, quotes: merged(quotes) } : nothing
}

const MARKUP: readonly RegExp[] = [
  // Markdown's images and links, by text, by reference and in angles.
  /!\[[^\]\n]{0,500}\]\s?[([]/u,
  /\[[^\]\n]{0,500}\]\s?(?:\([^)\n]{0,2000}\)?|\[)/u,
  /^\s{0,3}\[[^\]\n]{1,200}\]:/mu,
  /<(?:[a-z][a-z0-9+.-]{1,20}:|[^\s<>@]{1,64}@)[^<>\n]*>?/iu,
  // HTML's own elements, whatever has an attribute, comments and entities that hide a bracket.
  /<\/?(?:a|abbr|address|area|article|aside|audio|b|base|bdi|bdo|big|blockquote|body|br|button|canvas|caption|center|code|col|dd|details|dialog|div|dl|dt|em|embed|fieldset|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|image|input|ins|kbd|label|li|link|main|map|marquee|math|menu|meta|nav|noscript|object|ol|option|p|param|picture|pre|q|s|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|track|tt|u|ul|var|video|wbr)(?![\p{L}\p{N}_-])/iu,
  /<[a-z][\p{L}\p{N}-]{0,40}[\s/][^<>\n]{0,500}=/iu,
  /<!|<\?/u,
  /&(?:lt|gt|quot|amp|#\d{1,7}|#x[0-9a-f]{1,6});/iu,
  // What turns the direction of a text around, controls and tags that nobody sees.
  /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/u,
]

const markupIn = (text: string): string | undefined => {
  for (const pattern of MARKUP) {
    const found = pattern.exec(text)
    if (found) return found[0]
  }
  return undefined
}

const isQuestion = (sentence: string): boolean => /[?？؟]["”»)]*\s*$/u.test(sentence) && !/["”»’']\s*$/u.test(sentence)

/** A language's own code; `und` for what is none. */
const UNKNOWN = 'und'
const base = (language: string): string => /^[a-z]{2,3}(?=$|[-_])/u.exec(language.toLowerCase())?.[0] ?? UNKNOWN

const proveSentence = (
  sentence: string,
  language: string,
  citations: Claim['citations'],
  places: readonly { citation: number; place: Span }[],
): ProofVerdict => {
  const spoken = base(language)
  const read = new Map<string, Token[]>()
  const claimIn = (code: string) => {
    const known = read.get(code) ?? scan(sentence, code, 'claim')
    read.set(code, known)
    return known
  }
  const own = claimIn(spoken === UNKNOWN ? base(citations[0]?.passage.language ?? '') : spoken)
  if (own.length >= MOST_TOKENS) return refuse('too_long', `${own.length} words`)
  if (!own.some(({ kind }) => kind === 'word' || kind === 'figure')) return refuse('no_claim', sentence)

  const byLanguage = new Map<string, Evidence[]>()
  const seen = new Set<string>()
  let tooShort: string | undefined
  let count = 0
  for (const { citation, place } of places) {
    const cited = citations[citation]
    if (!cited) continue
    const code = base(cited.passage.language)
    for (const evidence of evidenceOf(citation, place, cited.passage, code)) {
      if (count >= MOST_EVIDENCE) break
      // The same sentence twice is one: its parts may not be put in another order.
      const { start, end } = evidence.span
      const written = `${evidence.citation}:${evidence.quote.end - evidence.quote.start}:${cited.passage.text.slice(start, end)}`
      if (seen.has(written)) continue
      seen.add(written)
      if (isTooShort(evidence)) {
        tooShort = cited.quote
        continue
      }
      count += 1
      byLanguage.set(code, [...(byLanguage.get(code) ?? []), evidence])
    }
  }
  if (count === 0)
    return tooShort === undefined ? refuse('coverage', 'states nothing') : refuse('quote_too_short', tooShort)

  let refused: (ProofVerdict & { proved: false }) | undefined
  for (const [code, evidence] of byLanguage) {
    const verbatim = evidence.some(({ citation }) => citations[citation]?.passage.text.includes(sentence))
    const verdict =
      code === spoken || spoken === UNKNOWN || verbatim
        ? proveWith(claimIn(code), evidence, vocabularyOf(code))
        : compareAcross(own, evidence, spoken)
    if (verdict.proved) return verdict
    if (!refused || refused.reason === 'language') refused = verdict
  }
  return refused ?? refuse('no_citation', '')
}

/** The sentences that a quote touches: a quote that leaves out the "not" before it proves nothing. */
const evidenceOf = (
  citation: number,
  quote: Span,
  passage: Claim['citations'][number]['passage'],
  language: string,
): Evidence[] => {
  const from = Math.max(0, quote.start - AROUND)
  const around = passage.text.slice(from, Math.min(passage.text.length, quote.end + AROUND))
  const spans = sentences(around).map(({ start, end }) => ({ start: start + from, end: end + from }))
  const topicOf = () =>
    new Set([passage.title, ...passage.headings].flatMap((each) => topicKeys(each.replaceAll('_', ' '), language)))
  return spans.flatMap((span, at): Evidence[] => {
    if (span.end <= quote.start || span.start >= quote.end) return []
    const last = spans[at - 1]
    const tokens = scan(passage.text.slice(span.start, span.end), language, 'passage')
    const before = last ? passage.text.slice(last.start, last.end) : ''
    // A question states nothing, nor does what follows "The following is false:".
    if (isQuestion(passage.text.slice(span.start, span.end))) return []
    if (before.endsWith(':') && doubtIn(scan(before, language, 'passage')) !== undefined) return []
    return [
      {
        citation,
        quote,
        span,
        tokens,
        context: once(() => ({
          topic: topicOf(),
          before: new Set(last ? subjectKeys(before, language) : []),
        })),
      },
    ]
  })
}

/** Title and headings are read only where a sentence has a word that its passage does not. */
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => (made ??= make())
}

const topicKeys = (text: string, language: string): string[] =>
  scan(text, language, 'passage').flatMap(({ kind, text: word, keys }) =>
    kind === 'figure' ? [`figure:${word}`] : kind === 'word' ? keys.filter((key) => key.startsWith('word:')) : [],
  )

/** Names among the first words of a sentence: what a pronoun in the next one stands for. */
const subjectKeys = (text: string, language: string): string[] => {
  const solids = scan(text, language, 'passage').filter(({ kind }) => kind !== 'filler' && kind !== 'break')
  return solids.slice(0, 4).flatMap(({ kind, capital, keys }) => (kind === 'word' && capital ? keys : []))
}

const isSaying = ({ kind }: Token): boolean => kind === 'word' || kind === 'figure' || kind === 'code'

/** A quote must say something by itself, if its sentence does: two words of content, or all of it. */
const isTooShort = ({ tokens, span, quote }: Evidence): boolean => {
  const saying = tokens.filter(isSaying)
  const quoted = saying.filter(({ start, end }) => span.start + start >= quote.start && span.start + end <= quote.end)
  return quoted.length < Math.min(2, saying.length)
}

const proveWith = (claim: readonly Token[], evidence: readonly Evidence[], vocabulary: Vocabulary): ProofVerdict => {
  let outside = false
  let closest: (Judgement & { holds: false }) | undefined
  for (const each of evidence) {
    const plain = judge(claim, each.tokens, vocabulary, each.context)
    if (!plain.holds) {
      for (const tokens of unfolded(each.tokens, vocabulary)) {
        const whole = { ...each, tokens }
        const full = judge(claim, tokens, vocabulary, each.context)
        if (full.holds && isQuoted(whole, full)) return { proved: true, quotes: [quoteOf(whole, full)] }
      }
    }
    const judgement = plain
    if (judgement.holds) {
      if (isQuoted(each, judgement)) return { proved: true, quotes: [quoteOf(each, judgement)] }
      outside = true
    } else if (!closest || judgement.matched > closest.matched) closest = judgement
  }
  if (evidence.length > 1) {
    const together = proveInParts(claim, evidence, vocabulary)
    if (together) return { proved: true, quotes: together }
  }
  if (outside) return refuse('coverage', 'outside of the quote')
  return closest ? refuse(closest.fault.reason, closest.fault.detail) : refuse('coverage', '')
}

/** What is shown: the quote, and as much more of its sentence as the claim rests on. */
const quoteOf = ({ citation, quote, span, tokens }: Evidence, { rests }: Judgement & { holds: true }) => {
  const kept = rests.flatMap((at) => tokens[at] ?? [])
  return {
    citation,
    start: Math.min(Math.max(quote.start, span.start), ...kept.map(({ start }) => span.start + start)),
    end: Math.max(Math.min(quote.end, span.end), ...kept.map(({ end }) => span.start + end)),
  }
}

/** Half of what the claim rests on must be in the quote itself: the rest of its sentence only completes it. */
const isQuoted = ({ quote, span, tokens }: Evidence, { rests }: Judgement & { holds: true }): boolean => {
  const quoted = rests.filter((at) => {
    const start = span.start + (tokens[at]?.start ?? 0)
    return start >= quote.start && start < quote.end
  })
  return quoted.length * 2 >= rests.length
}

const MOST_PARTS = 40
/** Judgements that a sentence of several may cost. */
const MOST_TRIES = 60

/**
 * A sentence made of several: it is cut where clauses begin, and each part must be proved by one sentence of the passages. A part
 * that names no subject of its own goes on about the one before, so the passage's sentence must be about that one too.
 */
const proveInParts = (
  claim: readonly Token[],
  evidence: readonly Evidence[],
  vocabulary: Vocabulary,
): { citation: number; start: number; end: number }[] | undefined => {
  const parts: Token[][] = [[]]
  for (const token of claim) {
    const last = parts.at(-1)
    if (token.joint && last?.some(isSaying)) parts.push([token])
    else last?.push(token)
  }
  if (parts.length < 2 || parts.length > MOST_PARTS) return undefined
  // A word that the passage's sentence has in no form at all: no need to lay them side by side.
  const reach = evidence.map(({ tokens, context: contextOf }) => {
    const context = contextOf()
    const keys = new Set([...context.topic, ...context.before, ...tokens.flatMap((token) => token.keys)])
    const roots = new Set(tokens.map(({ text }) => text.slice(0, 4)))
    return parts.map((part) =>
      part.every(
        (token) =>
          (token.kind !== 'word' && !token.figure) ||
          (token.figure !== undefined && tokens.some((other) => isFigure(token.figure, other))) ||
          token.addable === true ||
          roots.has(token.text.slice(0, 4)) ||
          token.keys.some((key) => keys.has(key)),
      ),
    )
  })
  let tries = 0
  /** The proof of the parts from `from` on, the longest stretches first; each sentence of the passages is used once. */
  const solve = (from: number, used: readonly Evidence[]): ReturnType<typeof quoteOf>[] | undefined => {
    if (from >= parts.length) return []
    const earlier = parts.slice(0, from).flat()
    for (let to = parts.length; to > from; to -= 1) {
      for (const [at, each] of evidence.entries()) {
        if (tries >= MOST_TRIES || used.includes(each) || reach[at]?.slice(from, to).includes(false)) continue
        tries += 1
        const judgement = judge(parts.slice(from, to).flat(), each.tokens, vocabulary, each.context)
        if (!judgement.holds || judgement.matched < 2) continue
        if (!isQuoted(each, judgement) || !isAbout(each, judgement.rests[0] ?? 0, earlier)) continue
        const rest = solve(to, [...used, each])
        if (rest) return [quoteOf(each, judgement), ...rest]
      }
    }
    return undefined
  }
  return solve(0, [])
}

const isFigure = (said: Token['figure'], { figure, perhaps }: Token): boolean =>
  said !== undefined &&
  ((figure !== undefined && sameFigure(said, figure)) || (perhaps !== undefined && sameFigure(said, perhaps)))

const isAbout = ({ tokens }: Evidence, first: number, earlier: readonly Token[]): boolean => {
  if (earlier.length === 0) return true
  return tokens
    .slice(0, first)
    .filter(isSaying)
    .every(({ keys }) => earlier.some((token) => token.keys.some((key) => keys.includes(key))))
}

/** Between two languages: values, identifiers and names can be compared, words cannot. */
const compareAcross = (claim: readonly Token[], evidence: readonly Evidence[], language: string): ProofVerdict => {
  const written = evidence.flatMap(({ tokens }) => tokens)
  const used = new Set<Token>()
  for (const token of claim) {
    if (token.figure) {
      const said = token.figure
      const found = written.find((other) => !used.has(other) && other.figure && sameFigure(said, other.figure))
      const perhaps = found ?? written.find((other) => other.perhaps && sameFigure(said, other.perhaps))
      if (!perhaps) return refuse(said.kind === 'number' ? 'number' : 'date', token.text)
      used.add(perhaps)
    } else if (token.kind === 'code') {
      if (!written.some((other) => other.kind === 'code' && other.text === token.text))
        return refuse('link', token.text)
    } else if (token.kind === 'word' && token.capital && token.start > 0 && language !== 'de') {
      const name = asciiDigits(token.text)
      if (!written.some((other) => other.text === name)) return refuse('name', token.text)
    }
  }
  return refuse('language', language)
}

const merged = (quotes: readonly { citation: number; start: number; end: number }[]) => {
  const found: { citation: number; start: number; end: number }[] = []
  for (const quote of quotes) {
    const known = found.find(
      ({ citation, start, end }) => citation === quote.citation && start <= quote.end && quote.start <= end,
    )
    if (known) {
      known.start = Math.min(known.start, quote.start)
      known.end = Math.max(known.end, quote.end)
    } else found.push({ ...quote })
  }
  return found
}
