import { z } from 'zod'
import { AppError } from '../platform/errors.js'
import { ANSWER_SCHEMA, makeSentenceReader, type WrittenSentence } from './claims.js'
import type { ContextPassage } from './context.js'
import type { Model, ModelUsage } from './model.js'
import { answerPrompt, ENTAILMENT_SCHEMA, entailmentPrompt, type PromptTurn } from './prompt.js'
import { makeRelevance } from './relevance.js'
import type { Retrieved } from './search.mongo.js'
import { plain, rule, type JudgedSentence, type ProvedSentence, type Quote } from './verdicts.js'

/**
 * `answered`: at least one sentence is proved. `silent`: the model found no answer in the passages. `unproved`: it wrote
 * sentences, none of which may be said. `failed`: it was late, stalled, down or garbled, `reason` says which; nothing of what it
 * wrote counts.
 */
export type Spoken = {
  outcome: 'answered' | 'silent' | 'unproved' | 'failed'
  reason: string | null
  said: ProvedSentence[]
  judged: JudgedSentence[]
  usage: ModelUsage | null
}

type Asked = {
  companyId: string
  question: string
  /** The question as it stands alone, in its own language: what a sentence must be about. */
  about: { text: string; language: string }
  history: readonly PromptTurn[]
  language: string
  passages: readonly ContextPassage<Retrieved>[]
}

type Needs = {
  model: Model
  /** Asked for its agreement to each sentence that the rules find proved, where one is configured. */
  judge: Model | null
  /** Told of each proved sentence at once, in order. */
  onSentence: (sentence: ProvedSentence) => void
}

/** A customer looks at nothing for this long at most; then the quotes are better than waiting for sentences. */
const FIRST_SENTENCE_MS = 3_500
/** After the last sentence the provider says what it cost: worth a moment, not a wait. */
const COUNTING_MS = 250
const MOST_SENTENCES = 8
const MOST_JUDGED = 24
const NOTHING_USED: ModelUsage = { inputTokens: 0, outputTokens: 0, costUsd: null, requests: 0 }
const MAX_OUTPUT_TOKENS = 1_200
/** Tokens of the conversation's last turns are cheap; long ones say little more. */
const TURNS = 6
const LONGEST_TURN = 1_000

/** Lets the model write and says what is proved of it. Throws only what `signal` was aborted with. */
export const speak = async (asked: Asked, needs: Needs, signal: AbortSignal): Promise<Spoken> => {
  const said: ProvedSentence[] = []
  const judged: JudgedSentence[] = []
  const reader = makeSentenceReader()
  const limit = limited(signal)
  /** What follows is not waited for: eight sentences are an answer, and who writes so many false ones has none. */
  const isEnough = () => said.length >= MOST_SENTENCES || judged.length >= MOST_JUDGED
  const about = makeRelevance(asked)
  const say = ({ text, quotes }: ProvedSentence) => {
    const sentence = { text, quotes }
    said.push(sentence)
    needs.onSentence(sentence)
  }
  let usage: ModelUsage | null = null
  let pieces: ReturnType<Model['stream']> | undefined
  try {
    const { companyId, passages, question, language } = asked
    const messages = answerPrompt({
      passages: passages.map(({ id, passage }) => ({ id, title: headingOf(passage), text: passage.text })),
      conversation: asked.history
        .slice(-TURNS)
        .map(({ author, text }) => ({ author, text: text.slice(0, LONGEST_TURN) })),
      question,
      language,
    })
    const request = {
      companyId,
      purpose: 'answer' as const,
      messages,
      schema: ANSWER_SCHEMA,
      maxOutputTokens: MAX_OUTPUT_TOKENS,
    }
    pieces = needs.model.stream(request, limit.signal)
    for (;;) {
      const next = await pieces.next()
      if (next.done) {
        usage = next.value
        break
      }
      for (const written of reader.push(next.value)) {
        if (isEnough()) break
        if (judged.some(({ text }) => text === plain(written.text))) continue
        const { judgement, quotes } = await judge(written, judged.at(-1), asked, needs.judge, limit.signal)
        judged.push(judgement)
        if (judgement.verdict !== 'proved') continue
        limit.keepGoing()
        for (const sentence of about.next({ text: judgement.text, quotes, judgement })) say(sentence)
      }
      if (isEnough()) break
      if (reader.done()) limit.endSoon()
    }
    if (!isEnough()) reader.end()
    for (const sentence of about.end()) say(sentence)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    // What is complete stays, whatever happens to the last words of the provider, which only say what it cost.
    if (!reader.done()) return { outcome: 'failed', reason: error.code, said: [], judged, usage }
    for (const sentence of about.end()) say(sentence)
  } finally {
    limit.end()
    // Whoever stops reading says so: the request at the provider ends, and is counted.
    if (usage === null) pieces?.return(NOTHING_USED).catch(() => {})
  }
  const outcome = said.length > 0 ? 'answered' : judged.length > 0 ? 'unproved' : 'silent'
  return { outcome, reason: null, said, judged, usage }
}

const headingOf = ({ title, headings }: { title: string; headings: readonly string[] }): string =>
  [title, ...headings.filter((heading) => heading !== title)].join(' › ')

const judge = async (
  written: WrittenSentence,
  before: JudgedSentence | undefined,
  { companyId, passages, language }: Asked,
  agrees: Model | null,
  signal: AbortSignal,
): Promise<{ judgement: JudgedSentence; quotes: Quote[] }> => {
  const text = plain(written.text)
  const cited = written.citations.map(({ passage, quote }) => ({
    passage: passages.find(({ id }) => id === passage)?.passage,
    quote,
  }))
  const citations = cited.map(({ passage, quote }) => ({ passageId: passage?.passageId ?? null, quote }))
  const { verdict, detail, quotes, needsAgreement } = rule(text, cited, language, before?.verdict)
  const isPossible = verdict === 'proved' || (needsAgreement && agrees !== null)
  if (!isPossible) return { judgement: { text, citations, verdict, detail }, quotes: [] }
  const shown = cited.map(({ quote }) => quote)
  if (agrees && !(await entailed(companyId, text, shown, agrees, signal)))
    return { judgement: { text, citations, verdict: 'not_entailed', detail: null }, quotes: [] }
  return { judgement: { text, citations, verdict: 'proved', detail: null }, quotes }
}

const verdicts = z.object({ verdicts: z.array(z.object({ sentence: z.int(), supported: z.boolean() })) })

const entailed = async (
  companyId: string,
  text: string,
  quotes: readonly string[],
  model: Model,
  signal: AbortSignal,
): Promise<boolean> => {
  const messages = entailmentPrompt([{ text, quotes }])
  const request = {
    companyId,
    purpose: 'entailment' as const,
    messages,
    schema: ENTAILMENT_SCHEMA,
    maxOutputTokens: 100,
  }
  const answer = await model.complete(request, signal)
  const parsed = verdicts.safeParse(jsonOf(answer.text))
  if (!parsed.success)
    throw new AppError('unavailable', 'model_garbled', 'The check of a sentence is not in the form asked for.')
  return parsed.data.verdicts.some(({ sentence, supported }) => sentence === 1 && supported)
}

/** What is no JSON fails the schema that it is read with. */
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Aborts when `signal` does, or when no sentence was proved in time; after the first one the model's own limits do. */
const limited = (signal: AbortSignal) => {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const late = new AppError('unavailable', 'model_late', 'No sentence was proved in time.')
  let timer = setTimeout(() => controller.abort(late), FIRST_SENTENCE_MS)
  return {
    signal: controller.signal,
    keepGoing: () => clearTimeout(timer),
    endSoon: () => {
      clearTimeout(timer)
      timer = setTimeout(() => controller.abort(late), COUNTING_MS)
    },
    end: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      // Whoever stopped reading early has no use for the rest.
      controller.abort()
    },
  }
}
