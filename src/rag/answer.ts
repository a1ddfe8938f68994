import type { Clock } from '../platform/clock.js'
import { ANALYSIS_VERSION } from './analysis.js'
import type { Decisions } from './decisions.mongo.js'
import { extract, type Extraction } from './extract.js'
import { PUBLIC_AUDIENCE } from './drafts.js'
import { detectLanguage } from './languages.js'
import type { Retrieval, Search } from './search.mongo.js'
import { sentences } from './sentences.js'

/** A part of a passage's text, word for word, that a sentence of the answer rests on. */
export type Citation = { documentId: string; passageId: string; title: string; quote: string }

/** `unknown` carries no citation. `language` is the question's, as detected or given. */
export type Answer = {
  kind: 'grounded' | 'unknown'
  text: string
  citations: Citation[]
  mode: 'model' | 'extractive'
  decisionId: string
  language: string
}

export type Question = {
  companyId: string
  text: string
  /** What was said before, oldest first. */
  history: { author: 'customer' | 'assistant' | 'agent'; text: string }[]
  language?: string
  conversationId?: string
  /** Who asks: sees what is public and what is for this audience. */
  audience?: string
}

export type AnswerQuestion = (question: Question, signal: AbortSignal) => Promise<Answer>

type Needs = {
  search: Pick<Search, 'retrieve' | 'languagesOf'>
  decisions: Pick<Decisions, 'recordDecision'>
  clock: Clock
}

/** Grows with every change that could make the same inputs give another answer. */
const ALGORITHM = `extractive-2/analysis-${ANALYSIS_VERSION}`

const UNKNOWN: Record<string, string> = {
  en: "I don't know that.",
  pt: 'Não sei isso.',
  es: 'Eso no lo sé.',
  de: 'Das weiß ich nicht.',
  fr: 'Je ne sais pas.',
  it: 'Non lo so.',
}

/**
 * Answers from the company's own documents or says that it does not know; every answer leaves a decision record. Aborts between
 * its steps when `signal` says so.
 */
export const makeAnswerQuestion =
  ({ search, decisions, clock }: Needs): AnswerQuestion =>
  async (question, signal) => {
    const started = clock.now()
    const { companyId, text, conversationId, audience = PUBLIC_AUDIENCE } = question
    const known = await search.languagesOf(companyId)
    const language =
      question.language ?? (await detectLanguage(text, known)) ?? known.find((code) => code in UNKNOWN) ?? 'en'
    signal.throwIfAborted()

    let asked = text
    let retrieval = await search.retrieve(companyId, text, { audience }, { language })
    let extraction = extract(retrieval.ranked)
    const core = questionsIn(text)
    if (!extraction.verdict.answered && core) {
      const second = await search.retrieve(companyId, core, { audience }, { language })
      const closer = extract(second.ranked)
      if (closer.verdict.confidence > extraction.verdict.confidence) {
        asked = core
        retrieval = second
        extraction = closer
      }
    }
    const searched = clock.now()
    signal.throwIfAborted()

    const kind = extraction.verdict.answered ? 'grounded' : 'unknown'
    const said = kind === 'grounded' ? extraction.text : (UNKNOWN[language] ?? UNKNOWN['en'] ?? '')
    const decisionId = await decisions.recordDecision({
      companyId,
      ...(conversationId ? { conversationId } : {}),
      question: text,
      asked,
      language,
      audience,
      ...explained(retrieval),
      verdict: extraction.verdict,
      sentences: extraction.sentences,
      answer: { kind, text: said },
      mode: 'extractive',
      times: { searchMs: searched.getTime() - started.getTime(), totalMs: clock.now().getTime() - started.getTime() },
      algorithm: ALGORITHM,
      at: started,
    })
    return { kind, text: said, citations: citationsOf(extraction, retrieval), mode: 'extractive', decisionId, language }
  }

/** In a long message the questions alone, where there are some and something else too: "I bought … yesterday. How do I …?" */
const questionsIn = (text: string): string | undefined => {
  const spans = sentences(text)
  const questions = spans.filter(({ start, end }) => /[?？؟]["”»)]?$/u.test(text.slice(start, end)))
  if (questions.length === 0 || questions.length === spans.length) return undefined
  return questions.map(({ start, end }) => text.slice(start, end)).join(' ')
}

const explained = ({ ranked, statistics }: Retrieval) => ({
  analysed: [...new Set(ranked.map(({ query }) => query))].map(
    ({ language, words, weights, unseen, terms, termWeights }) => ({
      language,
      words: words.map((word, at) => ({ ...word, weight: weights[at] ?? 0, unseen: unseen[at] ?? false })),
      terms: terms.map((term) => ({ term, weight: termWeights.get(term) ?? 0 })),
    }),
  ),
  statistics: {
    passages: statistics.passages,
    averageTerms: statistics.averageTerms,
    averageHeadingTerms: statistics.averageHeadingTerms,
  },
  candidates: ranked
    .slice(0, RECORDED)
    .map(({ candidate: { passageId, documentId, version, language }, score, features }) => ({
      passageId,
      documentId,
      version,
      language,
      score,
      features,
    })),
})

/** Candidates that a decision keeps: all that extraction reads, and a few that nearly made it. */
const RECORDED = 12

const citationsOf = ({ sentences: quoted }: Extraction, { ranked }: Retrieval): Citation[] =>
  quoted.flatMap(({ passageId, quote }) => {
    const passage = ranked.find(({ candidate }) => candidate.passageId === passageId)?.candidate
    return passage ? [{ documentId: passage.documentId, passageId, title: passage.title, quote }] : []
  })
