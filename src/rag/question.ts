import { z } from 'zod'
import { tokens } from './analysis.js'
import type { Model, ModelUsage } from './model.js'
import { REWRITE_SCHEMA, rewritePrompt, type PromptTurn } from './prompt.js'
import { sentences } from './sentences.js'

/**
 * A customer's words as they are to be searched. What they wrote is always searched too: `standalone` is what they mean when it
 * leans on what was said before, `core` the questions alone of a message that tells a story.
 */
export type Understood = {
  standalone: string | null
  core: string | null
  /** Who found out what it leans on. */
  by: 'model' | 'rules' | null
  /** Why the model's rewriting was not used, where it was asked for. */
  failed: string | null
  usage: ModelUsage | null
}

/** A rewriting that takes longer than this is not waited for: the customer's own words are searched anyway. */
const REWRITE_WITHIN_MS = 1_200
const LONGEST_REWRITTEN = 600

/** Turns that a model reads to understand the newest one. */
const TURNS = 6

type Asked = {
  companyId: string
  text: string
  history: readonly PromptTurn[]
  language: string
}

/** Asks the model only for a question that leans on the conversation; rules do it where there is none or it fails. */
export const understand = async (
  { companyId, text, history, language }: Asked,
  model: Model | null,
  signal: AbortSignal,
): Promise<Understood> => {
  const core = questionsIn(text) ?? null
  const before = history.findLast(({ author }) => author === 'customer' || author === 'picture')?.text
  if (!before || !leans(text, language)) return { standalone: null, core, by: null, failed: null, usage: null }
  const byRules = { standalone: `${before}\n${text}`, core, by: 'rules' as const, usage: null }
  if (!model || model.state() === 'open') return { ...byRules, failed: null }
  try {
    const { question, usage } = await rewritten({ companyId, text, history: history.slice(-TURNS) }, model, signal)
    return { standalone: question, core, by: 'model', failed: null, usage }
  } catch (error) {
    signal.throwIfAborted()
    return { ...byRules, failed: error instanceof Error && 'code' in error ? String(error.code) : 'model_garbled' }
  }
}

const rewriting = z.object({ question: z.string().trim().min(1).max(LONGEST_REWRITTEN) })

const rewritten = async (
  { companyId, text, history }: Omit<Asked, 'language'>,
  model: Model,
  signal: AbortSignal,
): Promise<{ question: string; usage: ModelUsage }> => {
  const late = new AbortController()
  const onAbort = () => late.abort(signal.reason)
  signal.addEventListener('abort', onAbort)
  const timer = setTimeout(() => late.abort(new Error('late')), REWRITE_WITHIN_MS)
  try {
    const messages = rewritePrompt(history, text)
    const answer = await model.complete(
      { companyId, purpose: 'rewrite', messages, schema: REWRITE_SCHEMA, maxOutputTokens: 300 },
      late.signal,
    )
    return { question: rewriting.parse(JSON.parse(answer.text)).question, usage: answer.usage }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** In a long message the questions alone, where there are some and something else too: "I bought … yesterday. How do I …?" */
const questionsIn = (text: string): string | undefined => {
  const spans = sentences(text)
  const questions = spans.filter(({ start, end }) => /[?？؟]["”»)]?$/u.test(text.slice(start, end)))
  if (questions.length === 0 || questions.length === spans.length) return undefined
  return questions.map(({ start, end }) => text.slice(start, end)).join(' ')
}

/** A question with fewer content words than this says too little to stand alone. */
const TELLING = 2
/** One that points back leans only while it is short: a long one brings its own topic. */
const SHORT = 6

/** Whether a message needs what was said before: it says next to nothing, begins like a continuation, or points back. */
const leans = (text: string, language: string): boolean => {
  const telling = new Set(tokens(text, language).map(({ position }) => position)).size
  if (telling < TELLING) return true
  return telling <= SHORT && (CONTINUES.test(text) || (POINTS_BACK[language]?.test(text) ?? false))
}

/** "And …", "What about …", "Or …" of the languages that the product speaks. */
const CONTINUES =
  /^\W*(?:and|or|but|what about|how about|also|then|so|y|o|pero|qué tal|que tal|entonces|también|e|ou|mas|então|também|und|oder|aber|dann|wie ist es mit|was ist mit|et|mais|alors|aussi|ed|oppure|ma|allora|anche)(?!\p{L})/iu

const words = (alternatives: string) => new RegExp(`(?<!\\p{L})(?:${alternatives})(?!\\p{L})`, 'iu')

/** Words that stand for something named before. Those that are mostly articles or impersonal (das, la, il) are left out, or count at the end only. */
const POINTS_BACK: Record<string, RegExp> = {
  en: words('it|its|they|them|their|those|these|this|that|ones?|the same'),
  es: words('es[aeo]s?|est[ao]s?|ell[ao]s?|él|lo mismo'),
  pt: words('iss?to|isso|ess[ae]s?|est[ae]s?|el[ae]s?|o mesmo|dele|dela|disso|nisso'),
  de: words('dies(?:e[rsmn]?)?|davon|dafür|damit|dazu|daran|darin|daraus|dasselbe|denen|das(?=\\W*$)'),
  fr: words('ça|cela|ceci|celui(?:-ci|-là)?|celles?|ceux|elles?|eux|la même chose'),
  it: words('ciò|quest[aeio]|quell[aeio]|ess[aeio]|lo stesso'),
}
