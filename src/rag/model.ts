import type { UsageMetadata } from '@langchain/core/messages'
import type { BreakerState } from '../platform/resilience.js'
import type { Exchange } from './model-exchange.js'
import { estimatedTokens, tokenCount, type Provider } from './model-provider.js'

/**
 * The only door to a model: LangChain and the provider's client are imported in `model*.ts` and nowhere else.
 */

export { makeEmbedder } from './model-embedder.js'
export { makeProvider } from './model-provider.js'
export { makeTranscriber, type Transcriber } from './model-transcriber.js'
export type { BreakerState } from '../platform/resilience.js'

export type ModelMessage = {
  role: 'system' | 'user' | 'assistant'
  text: string
  /** Goes with a user's text, to a model that sees. */
  picture?: { type: string; base64: string }
}

export type ModelRequest = {
  companyId: string
  /** What for: metrics and usage are counted by it. */
  purpose: 'answer' | 'rewrite' | 'entailment' | 'description'
  messages: readonly ModelMessage[]
  /** The JSON schema that the provider is asked to keep to; the answer is still checked by who asked. */
  schema?: { name: string; definition: Record<string, unknown> }
  maxOutputTokens: number
}

/** What one request cost; `costUsd` is null while no price is configured. */
export type ModelUsage = { inputTokens: number; outputTokens: number; costUsd: number | null; requests: number }

/**
 * Every fault is an `AppError` of kind `unavailable` whose code says why: `model_open` (the breaker is open), `model_late` (no
 * first token in time), `model_stalled` (no further token in time, or not done in time), `model_failed` (5xx, broken connection),
 * `model_limited` (429), `model_refused` (another 4xx, or its content filter), `model_garbled`, `model_too_long` (more than is
 * read, or cut at `maxOutputTokens`), `model_budget` (the company's budget is spent). An abort throws its own reason.
 */
export type Model = {
  /** As configured: `gpt-4.1-mini`. */
  name: string
  /** Pieces of the text as they arrive; returns what it cost. Stopping to read, or `signal`, ends the request at the provider. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, ModelUsage>
  /** The whole text of a short request. */
  complete(request: ModelRequest, signal: AbortSignal): Promise<{ text: string; usage: ModelUsage }>
  state(): BreakerState
}

export type Embedder = {
  model: string
  /** One unit-length vector per text, in order. Throws like `Model`. */
  embed(companyId: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>
}

/** US dollars per million tokens. */
export type Price = { input: number; output: number }

/** More text than this is no answer: the rest is not read. */
const MOST_CHARACTERS = 64 * 1024
/** One line of the stream carries a few characters of text; a longer one is not the protocol. */
const LONGEST_LINE_BYTES = 256 * 1024
/** Between two tokens, in milliseconds. */
const NEXT_TOKEN_MS = 1_500
/** After the last token only the count of tokens may follow: it is waited for no longer than this. */
const COUNT_MS = 300

/** About what a picture costs a model to look at, in tokens, where the provider does not say. */
const TOKENS_PER_PICTURE = 1_000

/** `firstMs`: what it may take to begin, where that differs from a writer of answers. */
type Needs = { provider: Provider; name: string; price?: Price | undefined; firstMs?: number }

export const makeModel = ({ provider, name, price, firstMs }: Needs): Model => {
  const { deadlines } = provider
  const within = firstMs ? { firstMs, wholeMs: firstMs + deadlines.wholeMs } : deadlines
  const pause = provider.pauseOf(name)
  /** Models that think before they speak refuse a temperature: the first refusal is remembered. */
  let temperature: number | undefined = 0

  async function* textOf(request: ModelRequest, exchange: Exchange, seen: Seen): AsyncGenerator<string, void> {
    const chunks = await exchange.orStopped(provider.chat({ ...request, name, temperature, exchange }))
    let finish: unknown
    for (;;) {
      const next = await exchange.next(chunks, finish === undefined ? NEXT_TOKEN_MS : COUNT_MS)
      if (next === 'late' && finish === undefined) throw exchange.failed('model_stalled')
      if (next === 'late' || next.done) break
      const { content, response_metadata: about, usage_metadata: count } = next.value
      seen.count = count ?? seen.count
      finish ??= about['finish_reason']
      if (typeof content !== 'string' || content === '') continue
      seen.characters += content.length
      if (seen.characters > MOST_CHARACTERS) throw exchange.failed('model_too_long')
      exchange.began()
      yield content
    }
    // An empty answer, or one that ends without saying so, as behind a proxy that gave up: half of it must not pass for the whole.
    if (finish === undefined && seen.characters > 0) throw exchange.failed('model_failed')
    if (finish === 'content_filter') throw exchange.answered('model_refused')
    if (seen.characters === 0) throw exchange.failed('model_garbled')
    if (finish === 'length') throw exchange.answered('model_too_long')
  }

  const stream = (request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, ModelUsage> => {
    const { companyId, purpose, messages } = request
    const seen: Seen = { characters: 0, count: undefined }
    return provider.call({
      companyId,
      purpose,
      signal,
      pause,
      deadlines: within,
      limits: { lineBytes: LONGEST_LINE_BYTES },
      run: (exchange) => textOf(request, exchange, seen),
      adapt: ({ status, param }) => {
        if (status !== 400 || param !== 'temperature' || temperature === undefined) return false
        temperature = undefined
        return true
      },
      usage: (requests) => {
        const inputTokens = tokenCount(seen.count?.input_tokens) ?? (seen.characters > 0 ? estimated(messages) : 0)
        const outputTokens = tokenCount(seen.count?.output_tokens) ?? estimatedTokens(seen.characters)
        const costUsd = price ? (inputTokens * price.input + outputTokens * price.output) / 1_000_000 : null
        return { inputTokens, outputTokens, costUsd, requests }
      },
    })
  }

  return {
    name,
    stream,
    complete: async (request, signal) => {
      const pieces = stream(request, signal)
      let text = ''
      for (;;) {
        const next = await pieces.next()
        if (next.done) return { text, usage: next.value }
        text += next.value
      }
    },
    state: provider.state,
  }
}

/** What has come so far: the provider's own count of tokens is its last word, and does not come when it is cut off. */
type Seen = { characters: number; count: UsageMetadata | undefined }

const estimated = (messages: readonly ModelMessage[]): number =>
  messages.reduce(
    (sum, { text, picture }) => sum + estimatedTokens(text.length) + (picture ? TOKENS_PER_PICTURE : 0),
    0,
  )
