import { z } from 'zod'
import type { Exchange } from './model-exchange.js'
import { estimatedTokens, tokenCount, type Provider } from './model-provider.js'

/** A recording, whole, under a name whose end says what it is: the provider goes by that. */
export type Recording = { bytes: Uint8Array; name: string; seconds: number | null }

export type Transcriber = {
  model: string
  /** What is said in a recording; empty where nothing is. Throws like `Model`. */
  transcribe(companyId: string, recording: Recording, signal: AbortSignal): Promise<string>
}

/** A voice note of some minutes is written down within seconds; nobody waits longer. */
const WITHIN_MS = 30_000
const MOST_ANSWER_BYTES = 256 * 1024
/** What speech is counted as where the provider does not say in tokens: as OpenAI prices it. */
const TOKENS_PER_MINUTE = 1_000

const answer = z.object({
  text: z.string(),
  usage: z
    .object({ input_tokens: z.unknown(), output_tokens: z.unknown(), seconds: z.unknown() })
    .partial()
    .optional()
    .catch(undefined),
})
type Heard = z.infer<typeof answer>

/** `pricePerMinute` in US dollars. */
type Needs = { provider: Provider; name: string; pricePerMinute?: number | undefined }

export const makeTranscriber = ({ provider, name, pricePerMinute }: Needs): Transcriber => {
  const pause = provider.pauseOf(name)

  async function* heardIn(
    recording: Recording,
    exchange: Exchange,
    note: (heard: Heard) => void,
  ): AsyncGenerator<string, void> {
    const said = answer.safeParse(await exchange.orStopped(provider.transcript({ name, recording, exchange })))
    if (!said.success) throw exchange.failed('model_garbled')
    exchange.began()
    note(said.data)
    yield said.data.text
  }

  return {
    model: name,
    transcribe: async (companyId, recording, signal) => {
      let heard: Heard | null = null
      const asked = provider.call({
        companyId,
        purpose: 'transcription',
        signal,
        pause,
        deadlines: { firstMs: WITHIN_MS, wholeMs: WITHIN_MS },
        limits: { bytes: MOST_ANSWER_BYTES },
        run: (exchange) => heardIn(recording, exchange, (said) => (heard = said)),
        usage: (requests) => ({ ...costOf(heard, recording, pricePerMinute), requests }),
      })
      const { value } = await asked.next()
      await asked.next()
      return (value as string).trim()
    },
  }
}

/** Counted only where something came: a request that failed is not paid for. */
const costOf = (heard: Heard | null, { seconds: own }: Recording, pricePerMinute: number | undefined) => {
  if (!heard) return { inputTokens: 0, outputTokens: 0, costUsd: null }
  const { text, usage = {} } = heard
  const said = usage.seconds
  const seconds = typeof said === 'number' && Number.isFinite(said) && said >= 0 ? said : (own ?? 0)
  return {
    inputTokens: tokenCount(usage.input_tokens) ?? Math.ceil((seconds * TOKENS_PER_MINUTE) / 60),
    outputTokens: tokenCount(usage.output_tokens) ?? estimatedTokens(text.length),
    costUsd: pricePerMinute === undefined ? null : (seconds / 60) * pricePerMinute,
  }
}
