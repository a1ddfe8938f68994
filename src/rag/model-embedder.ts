import type { Exchange } from './model-exchange.js'
import { estimatedTokens, type Provider } from './model-provider.js'
import type { Embedder } from './model.js'

/** A batch of texts may take this long; a question that cannot wait brings its own signal. */
const WITHIN_MS = 10_000
/** A vector of 3,072 numbers in base64 is 16 KB, the same numbers as text up to 64 KB. */
const BYTES_PER_TEXT = 80 * 1024

type Needs = { provider: Provider; name: string }

export const makeEmbedder = ({ provider, name }: Needs): Embedder => {
  const pause = provider.pauseOf(name)

  async function* vectorsOf(texts: readonly string[], exchange: Exchange): AsyncGenerator<Float32Array[], void> {
    const given = await exchange.orStopped(provider.vectors({ name, texts, exchange }))
    const vectors = read(given, texts.length)
    if (!vectors) throw exchange.failed('model_garbled')
    exchange.began()
    yield vectors
  }

  return {
    model: name,
    embed: async (companyId, texts, signal) => {
      if (texts.length === 0) return []
      const characters = texts.reduce((sum, text) => sum + text.length, 0)
      const asked = provider.call({
        companyId,
        purpose: 'embedding',
        signal,
        pause,
        deadlines: { firstMs: WITHIN_MS, wholeMs: WITHIN_MS },
        limits: { bytes: texts.length * BYTES_PER_TEXT + 64 * 1024 },
        probeOutlivesReader: true,
        run: (exchange) => vectorsOf(texts, exchange),
        // LangChain drops the provider's count.
        usage: (requests) => ({ inputTokens: estimatedTokens(characters), outputTokens: 0, costUsd: null, requests }),
      })
      return orAborted(only(asked), signal)
    },
  }
}

/** The one thing that it yields, and its end. */
const only = async <T>(from: AsyncGenerator<T, unknown>): Promise<T> => {
  const { value } = await from.next()
  await from.next()
  return value as T
}

/** A probe outlives its reader; the reader leaves at once all the same. */
const orAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  let leave = () => {}
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason as Error)
  })
  signal.addEventListener('abort', leave, { once: true })
  return Promise.race([work, left]).finally(() => signal.removeEventListener('abort', leave))
}

/** As many vectors as texts, all of one length, made of numbers, brought to unit length; else `null`. */
const read = (given: unknown, count: number): Float32Array[] | null => {
  if (!Array.isArray(given) || given.length !== count) return null
  const vectors = given.map((one) => unit(numbersOf(one)))
  const length = vectors[0]?.length
  return vectors.every((vector): vector is Float32Array => vector !== null && vector.length === length) ? vectors : null
}

/** Base64 of little-endian floats is asked for; servers that do not know it send numbers. */
const numbersOf = (one: unknown): Float32Array => {
  if (Array.isArray(one)) return Float32Array.from(one, Number)
  const bytes = Buffer.from(typeof one === 'string' ? one : '', 'base64')
  const whole = bytes.length % 4 === 0
  return Float32Array.from({ length: whole ? bytes.length / 4 : 0 }, (_, at) => bytes.readFloatLE(at * 4))
}

const unit = (vector: Float32Array): Float32Array | null => {
  const length = Math.hypot(...vector)
  if (!Number.isFinite(length) || length === 0) return null
  return vector.map((number) => number / length)
}
