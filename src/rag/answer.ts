import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { ANALYSIS_VERSION } from './analysis.js'
import { attemptsIn } from './attempts.js'
import { citationOf, makeNumbering, type Citation } from './citations.js'
import { clarify, standsIn, type Choice, type Clarification } from './clarify.js'
import { contextOf } from './context.js'
import type { DecisionRecord, Decisions } from './decisions.mongo.js'
import { PUBLIC_AUDIENCE } from './drafts.js'
import { extract, type Extraction } from './extract.js'
import { detectLanguage } from './languages.js'
import type { Model, ModelUsage } from './model.js'
import { PROMPT_VERSION, type PromptTurn } from './prompt.js'
import { PROOF_VERSION } from './proof/index.js'
import { understand, type Understood } from './question.js'
import type { Retrieval, Retrieved, Search } from './search.mongo.js'
import { speak, type Spoken } from './speak.js'

/**
 * `unknown` carries no citation. In `text` a mark `[n]` refers to the n-th citation. `language` is the question's, as detected or
 * given. `choices`: nothing could be proved, but one of these may be meant; only for who can be asked back.
 */
export type Answer = {
  kind: 'grounded' | 'unknown'
  text: string
  citations: Citation[]
  mode: 'model' | 'extractive'
  decisionId: string
  language: string
  choices?: Choice[]
}

export type Question = {
  companyId: string
  text: string
  /** Said by voice: `text` is what a machine heard. */
  from?: 'transcript'
  /** What was said before, oldest first; and what pictures that came with the question show, as a machine says. */
  history: PromptTurn[]
  language?: string
  conversationId?: string
  /** Who asks: sees what is public and what is for this audience. */
  audience?: string
  /** The language of the conversation so far: a short message alone does not tell. */
  spoken?: string | null
  /** Whoever asks can be asked back which of several things is meant. */
  asksBack?: true
  /** What they chose then: `text` is meant of what stands there. */
  within?: Choice
}

/** Where proved sentences are shown as they come; what was shown can be taken back as a whole. */
export type AnswerDraft = {
  /** `citations` are all so far: a mark `[n]` in `text` is the n-th of them. */
  say(sentence: { text: string; citations: Citation[] }): void
  withdraw(): void
}

export type AnswerQuestion = (question: Question, signal: AbortSignal, draft?: AnswerDraft) => Promise<Answer>

type Needs = {
  search: Pick<Search, 'retrieve' | 'areCurrent' | 'languagesOf'>
  decisions: Pick<Decisions, 'recordDecision'>
  /** Without one, or when it fails, the answer is the best quoted sentences themselves. */
  model: Model | null
  /** Must agree to each sentence of `model`, where one is configured. */
  judge: Model | null
  clock: Clock
}

/** Grows with every change that could make the same inputs give another answer. */
const ALGORITHM = `extractive-4/analysis-${ANALYSIS_VERSION}/${PROOF_VERSION}`

/** What the model reads, in tokens. */
const CONTEXT_TOKENS = 3_000

const UNKNOWN: Record<string, string> = {
  en: "I don't know that.",
  pt: 'Não sei isso.',
  es: 'Eso no lo sé.',
  de: 'Das weiß ich nicht.',
  fr: 'Je ne sais pas.',
  it: 'Non lo so.',
  ar: 'لا أعرف ذلك.',
}

/**
 * Answers from the company's own documents or says that it does not know; every answer leaves a decision record. The extractive
 * answer is worked out first: it is there at once when the model is late, down or writes what cannot be proved. Aborts between
 * its steps when `signal` says so.
 */
export const makeAnswerQuestion =
  ({ search, decisions, model, judge, clock }: Needs): AnswerQuestion =>
  async (question, signal, draft) => {
    const started = clock.now()
    const { companyId, history, conversationId, within, audience = PUBLIC_AUDIENCE } = question
    const written = bounded(question.text)
    const text = within ? `${written}\n${within.label}` : written
    const pictures = history.filter(({ author }) => author === 'picture').map((picture) => picture.text)
    const known = await search.languagesOf(companyId)
    const language = question.language ?? (await languageOf(written, question.spoken, known))
    signal.throwIfAborted()

    /** Nothing is offered that was replaced or deleted meanwhile. */
    const askedBack = async ({ ranked }: Retrieval): Promise<Clarification> => {
      const clarification = clarify(ranked)
      const offered = clarification.meant.filter((passage) =>
        clarification.choices.some((choice) => standsIn(choice, passage)),
      )
      return (await search.areCurrent(companyId, offered)) ? clarification : clarify([])
    }
    const read = async (...asked: [string, ...string[]]): Promise<Reading> => {
      const filter = { audience, documentId: within?.documentId }
      const found = await search.retrieve(companyId, asked, filter, { language, signal })
      const ranked = within ? found.ranked.filter(({ candidate }) => standsIn(within, candidate)) : found.ranked
      return { asked: asked[0], retrieval: { ...found, ranked }, extraction: extract(ranked, within && written) }
    }
    const [asWritten, understood] = await Promise.all([
      read(text),
      understand({ companyId, text, history, language }, model, signal),
    ])
    const understoodAt = clock.now()
    const { standalone, core } = understood
    const say = draft?.say ?? (() => {})
    let reading = standalone ? await read(standalone, text) : asWritten
    if (standalone) reading = closer(reading, asWritten)
    if (core) reading = closer(reading, reading.extraction.verdict.answered ? reading : await read(core))
    const { retrieval } = reading
    const extraction = understood.by === 'rules' ? withoutRepeats(reading.extraction, history) : reading.extraction
    const searched = clock.now()
    signal.throwIfAborted()

    const passages = contextOf(retrieval.ranked, { tokens: CONTEXT_TOKENS })
    const speaking = languageToSpeak(language, passages, judge)
    const numbered = makeNumbering(passages.map(({ passage }) => passage))
    const spoken =
      model && passages.length > 0
        ? await speak(
            {
              companyId,
              question: understoodAs(understood, text),
              history,
              language: speaking,
              about: { text: standalone ?? text, language },
              passages,
            },
            { model, judge, onSentence: (sentence) => say(numbered.add(sentence)) },
            signal,
          )
        : null
    const spokenAt = clock.now()

    const answer =
      spoken && counts(spoken) ? saidBy(spoken, numbered.whole, language) : quoted(extraction, retrieval, language)
    if (answer.mode === 'extractive') draft?.withdraw()
    if (spoken && !(await search.areCurrent(companyId, quotedOf(answer, retrieval)))) {
      draft?.withdraw()
      throw new AppError('unavailable', 'documents_changed', 'The documents changed while they were quoted. Ask again.')
    }
    const clarification = question.asksBack && answer.kind === 'unknown' ? await askedBack(retrieval) : null
    const usage = [understood.usage, spoken?.usage].reduce<ModelUsage>(added, NO_USAGE)
    const record: DecisionRecord = {
      companyId,
      ...(conversationId ? { conversationId } : {}),
      question: question.text,
      ...(question.from ? { from: question.from } : {}),
      ...(pictures.length > 0 ? { pictures } : {}),
      understood: { standalone, core, by: understood.by, failed: understood.failed },
      asked: reading.asked,
      attempts: attemptsIn([text, ...pictures].join('\n')),
      language,
      audience,
      ...explained(retrieval),
      verdict: extraction.verdict,
      sentences: extraction.sentences,
      model:
        model && spoken
          ? {
              name: model.name,
              judge: judge?.name ?? null,
              prompt: PROMPT_VERSION,
              passages: passages.map(({ id, passage: { passageId, documentId, version } }) => ({
                id,
                passageId,
                documentId,
                version,
              })),
              language: speaking,
              outcome: spoken.outcome,
              reason: spoken.reason,
              sentences: spoken.judged,
            }
          : null,
      answer: { kind: answer.kind, text: answer.text },
      ...(within ? { within } : {}),
      ...(clarification ? { clarification } : {}),
      mode: answer.mode,
      usage,
      times: {
        understandMs: understoodAt.getTime() - started.getTime(),
        searchMs: searched.getTime() - started.getTime(),
        modelMs: spokenAt.getTime() - searched.getTime(),
        totalMs: clock.now().getTime() - started.getTime(),
      },
      algorithm: ALGORITHM,
      at: started,
    }
    signal.throwIfAborted()
    const { choices = [] } = clarification ?? {}
    const decisionId = await decisions.recordDecision(record)
    return { ...answer, decisionId, language, ...(choices.length > 0 ? { choices } : {}) }
  }

/** Characters of a question that are thought about. */
const LONGEST_QUESTION = 4_000

/** One sign may become eighteen when a text is normalised; what would outgrow its bounds then is normalised here, and cut. */
const bounded = (text: string): string => {
  const short = text.slice(0, LONGEST_QUESTION)
  const plain = short.normalize('NFKC')
  return plain.length > LONGEST_QUESTION ? plain.slice(0, LONGEST_QUESTION) : short
}

/** Letters below which a message says less about its language than the conversation does. */
const TELLING_LETTERS = 25

const languageOf = async (
  text: string,
  spoken: string | null | undefined,
  known: readonly string[],
): Promise<string> => {
  // Other scripts tell by themselves, in however few letters.
  const telling = !/\p{Script=Latin}/u.test(text) || (text.match(/\p{L}/gu)?.length ?? 0) >= TELLING_LETTERS
  if (spoken && !telling) return spoken
  const detected = await detectLanguage(text, spoken ? [spoken, ...known] : known)
  // Two words that look like a rare language are rather a slip in one that the company or the product speaks.
  const trusted = telling || (detected !== undefined && (detected in UNKNOWN || known.includes(detected)))
  return (trusted ? detected : undefined) ?? spoken ?? known.find((code) => code in UNKNOWN) ?? detected ?? 'en'
}

type Said = Pick<Answer, 'kind' | 'text' | 'citations' | 'mode'>
type Reading = { asked: string; retrieval: Retrieval; extraction: Extraction }

/** The first as long as it answers: the second is another way to ask. */
const closer = (first: Reading, second: Reading): Reading =>
  first.extraction.verdict.answered || second.extraction.verdict.confidence <= first.extraction.verdict.confidence
    ? first
    : second

/**
 * What rules make of a follow-up asks the question before it again: what the assistant has said to that is not said twice, if there
 * is something else to say.
 */
const withoutRepeats = (extraction: Extraction, history: Question['history']): Extraction => {
  const last = history.findLast(({ author }) => author === 'assistant')?.text ?? ''
  const fresh = extraction.sentences.filter(({ quote }) => !last.includes(quote))
  const isNews = fresh.length > 0 && fresh.length < extraction.sentences.length
  return isNews ? { ...extraction, sentences: fresh, text: fresh.map(({ quote }) => quote).join('\n') } : extraction
}

/** What the rules put together is good to search with, not to read; the model sees the conversation itself. */
const understoodAs = ({ standalone, by }: Understood, text: string): string =>
  by === 'model' && standalone ? standalone : text

/**
 * A model that found nothing is believed; one that failed, or wrote only what cannot be proved, is not: then the quotes speak,
 * which have their own threshold.
 */
const counts = ({ outcome }: Spoken): boolean => outcome === 'answered' || outcome === 'silent'

/** Rules can prove a sentence only in its passage's language; another language needs somebody who agrees. */
const languageToSpeak = (
  language: string,
  passages: readonly { passage: Retrieved }[],
  judge: Model | null,
): string => {
  const [best] = passages
  if (judge || !best || passages.some(({ passage }) => passage.language === language)) return language
  return best.passage.language
}

const quotedOf = ({ citations }: Said, { ranked }: Retrieval): Retrieved[] =>
  ranked.flatMap(({ candidate }) =>
    citations.some(({ passageId }) => passageId === candidate.passageId) ? [candidate] : [],
  )

const dontKnow = (language: string, mode: Said['mode']): Said => ({
  kind: 'unknown',
  text: UNKNOWN[language] ?? UNKNOWN['en'] ?? '',
  citations: [],
  mode,
})

const quoted = (extraction: Extraction, { ranked }: Retrieval, language: string): Said => {
  if (!extraction.verdict.answered) return dontKnow(language, 'extractive')
  const citations = extraction.sentences.flatMap(({ passageId, start, end }) => {
    const passage = ranked.find(({ candidate }) => candidate.passageId === passageId)?.candidate
    return passage ? [citationOf(passage, start, end)] : []
  })
  return { kind: 'grounded', text: extraction.text, citations, mode: 'extractive' }
}

const saidBy = ({ outcome }: Spoken, whole: () => Pick<Said, 'text' | 'citations'>, language: string): Said =>
  outcome === 'answered' ? { kind: 'grounded', ...whole(), mode: 'model' } : dontKnow(language, 'model')

const NO_USAGE: ModelUsage = { inputTokens: 0, outputTokens: 0, costUsd: null, requests: 0 }

const added = (sum: ModelUsage, more: ModelUsage | null | undefined): ModelUsage =>
  more
    ? {
        inputTokens: sum.inputTokens + more.inputTokens,
        outputTokens: sum.outputTokens + more.outputTokens,
        costUsd: more.costUsd === null ? sum.costUsd : (sum.costUsd ?? 0) + more.costUsd,
        requests: sum.requests + more.requests,
      }
    : sum

const explained = ({ ranked, statistics, vectors }: Retrieval) => ({
  vectors,
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
