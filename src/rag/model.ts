/**
 * The only door to a model: LangChain and the provider's client are imported here and nowhere else.
 */

export type ModelMessage = { role: 'system' | 'user' | 'assistant'; text: string }

export type ModelRequest = {
  companyId: string
  /** What for: metrics and usage are counted by it. */
  purpose: 'answer' | 'rewrite' | 'entailment'
  messages: readonly ModelMessage[]
  /** The JSON schema that the provider is asked to keep to; the answer is still checked by who asked. */
  schema?: { name: string; definition: Record<string, unknown> }
  maxOutputTokens: number
}

/** What one request cost; `costUsd` is null while no price is configured. */
export type ModelUsage = { inputTokens: number; outputTokens: number; costUsd: number | null; requests: number }

export type BreakerState = 'closed' | 'open' | 'half-open'

/**
 * Every fault is an `AppError` of kind `unavailable` whose code says why: `model_open` (the breaker is open), `model_late` (no
 * first token in time), `model_stalled`, `model_failed` (5xx, broken connection), `model_limited` (429), `model_refused` (another
 * 4xx), `model_garbled`, `model_too_long`, `model_budget` (the company's budget is spent). An abort throws its own reason.
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
