import { attemptsIn } from './attempts.js'
import { prove, type ProofFault } from './proof/index.js'
import { findQuote } from './proof/quote.js'
import { sentences } from './sentences.js'

/** Whether a sentence that a model wrote may be said, as far as rules can tell: the same when it is written and when it is replayed. */

/** A part of a passage, word for word, found by where it stands. */
export type Quote = { passageId: string; start: number; end: number }

/** A sentence that may be said: each of its quotes stands in a passage and carries it. */
export type ProvedSentence = { text: string; quotes: Quote[] }

export type Verdict =
  | 'proved'
  | ProofFault
  | 'no_such_passage'
  | 'attempt'
  | 'leans_on_cut'
  | 'not_entailed'
  /** True, and about something else than the question, where another sentence is about it. */
  | 'beside_question'

/** What became of each sentence that the model wrote; `proved` were said, the others cut. */
export type JudgedSentence = {
  text: string
  citations: { passageId: string | null; quote: string }[]
  verdict: Verdict
  detail: string | null
}

/** What a sentence is judged beside. `passage` is absent where the model cites one that it was not given. */
type Cited = {
  quote: string
  passage?: { passageId: string; text: string; title: string; headings: string[]; language: string } | undefined
}

export type Ruling = {
  verdict: Verdict
  detail: string | null
  quotes: Quote[]
  /** The rules cannot tell: somebody must agree to what they let pass. */
  needsAgreement: boolean
}

/** `text` is plain. `before`: the verdict of the sentence before it, if there is one. */
export const rule = (text: string, cited: readonly Cited[], language: string, before: Verdict | undefined): Ruling => {
  const ruling = (
    verdict: Verdict,
    detail: string | null = null,
    quotes: Quote[] = [],
    needsAgreement = false,
  ): Ruling => ({
    verdict,
    detail,
    quotes,
    needsAgreement,
  })
  const known = cited.flatMap(({ passage, quote }) => (passage ? [{ passage, quote }] : []))
  if (known.length < cited.length) return ruling('no_such_passage')
  if (before && before !== 'proved' && before !== 'beside_question' && LEANS.test(text)) return ruling('leans_on_cut')
  const proof = prove({ text, citations: known, language })
  if (!proof.proved && proof.reason !== 'language') return ruling(proof.reason, proof.detail)
  const quotes = proof.proved
    ? proof.quotes.flatMap(({ citation, ...place }) => {
        const passageId = known[citation]?.passage.passageId
        return passageId === undefined ? [] : [{ passageId, ...place }]
      })
    : known.flatMap(({ passage, quote }) => {
        const [place] = findQuote(quote, passage.text)
        return place ? [{ passageId: passage.passageId, ...place }] : []
      })
  const rests = quotes.map(({ passageId, ...place }) => {
    const passage = known.find((one) => one.passage.passageId === passageId)?.passage
    return passage ? sentencesAround(passage.text, place) : ''
  })
  const attempt = [text, ...rests].flatMap((words) => attemptsIn(words))[0]
  if (attempt) return ruling('attempt', attempt.kind)
  return proof.proved ? ruling('proved', null, quotes) : ruling(proof.reason, proof.detail, quotes, true)
}

/** How far a sentence is looked for before and behind a quote, in characters. */
const AROUND = 800

/** The whole sentences in which a quote stands: half of an instruction is still one. */
const sentencesAround = (text: string, { start, end }: { start: number; end: number }): string => {
  const from = Math.max(0, start - AROUND)
  const window = text.slice(from, end + AROUND)
  const touched = sentences(window).filter((span) => span.start + from < end && span.end + from > start)
  return window.slice(touched[0]?.start ?? start - from, touched.at(-1)?.end ?? end - from)
}

/** Signs that are not seen, or that turn the direction of what is seen, have no place in an answer. */
export const plain = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cs}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()

/** How a sentence begins that goes on from the one before: without that one it would say something else. */
const LEANS =
  /^(?:however|but|otherwise|instead|then|therefore|it|they|this|that|these|those|also|in that case|sin embargo|pero|entonces|además|también|esto|eso|en ese caso|no entanto|mas|então|além disso|também|isso|isto|nesse caso|aber|jedoch|sonst|dann|außerdem|auch|es|sie|das|dies|in diesem fall|cependant|mais|sinon|alors|aussi|il|elle|cela|ce|dans ce cas|tuttavia|ma|altrimenti|allora|inoltre|anche|questo|ciò|in tal caso)(?!\p{L})/iu
