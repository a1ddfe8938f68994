import { createHash } from 'node:crypto'
import { AppError } from '../platform/errors.js'
import { tokensOf } from './context.js'
import type { Embedder } from './model.js'

/** Asking the embedder: what is embedded, in which portions, and what of its answers is believed. */

/** What stands in the embedded text; part of the embedding version. Change it with every change of `embeddedText`. */
export const RECIPE = 'title, headings, text; 8000 characters'
const LONGEST_TEXT = 8_000

export const embeddedText = ({ title, headings, text }: { title: string; headings: string[]; text: string }): string =>
  `${[title, ...headings.filter((heading) => heading !== title)].join(' > ')}\n${text}`.slice(0, LONGEST_TEXT)

export const hashOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)

/** One request: providers take more, local servers often do not. */
const BATCH_TEXTS = 64
const BATCH_TOKENS = 8_000

/** In order; a text that is longer than a batch is one of its own. */
export const batchesOf = <Item extends { text: string }>(items: readonly Item[]): Item[][] => {
  const batches: Item[][] = []
  let batch: Item[] = []
  let tokens = 0
  for (const item of items) {
    const cost = tokensOf(item.text)
    if (batch.length === BATCH_TEXTS || (batch.length > 0 && tokens + cost > BATCH_TOKENS)) {
      batches.push(batch)
      batch = []
      tokens = 0
    }
    batch.push(item)
    tokens += cost
  }
  return batch.length > 0 ? [...batches, batch] : batches
}

/**
 * One vector per text, of `dimensions` where they are known. An embedder that hangs is left after `withinMs`, whether it minds its
 * signal or not; one that gives too few, of differing sizes, or no numbers throws `embedding_garbled`. Throws what it threw
 * otherwise, and the reason of `signal`.
 */
export const embed = async (
  embedder: Embedder,
  companyId: string,
  texts: readonly string[],
  { dimensions, withinMs, signal }: { dimensions?: number; withinMs: number; signal: AbortSignal },
): Promise<Float32Array[]> => {
  signal.throwIfAborted()
  const ending = new AbortController()
  const late = new AppError('unavailable', 'embedding_late', `The embedder did not answer within ${withinMs} ms.`)
  const timer = setTimeout(() => ending.abort(late), withinMs).unref()
  const stop = () => ending.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason as Error), { once: true })
  })
  try {
    const vectors = await Promise.race([embedder.embed(companyId, texts, ending.signal), ended])
    checkVectors(vectors, texts.length, dimensions)
    return vectors
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

const checkVectors = (vectors: readonly Float32Array[], count: number, dimensions = vectors[0]?.length ?? 0): void => {
  const garbled = (what: string) => new AppError('unavailable', 'embedding_garbled', `The embedder gave ${what}.`)
  if (vectors.length !== count) throw garbled(`${vectors.length} vectors for ${count} texts`)
  const other = vectors.find(({ length }) => length !== dimensions || length === 0)
  if (other) throw garbled(`a vector of ${other.length} dimensions instead of ${dimensions}`)
  const pointless = vectors.some((vector) => !vector.every(Number.isFinite) || vector.every((number) => number === 0))
  if (pointless) throw garbled('a vector without a direction')
}

const QUESTIONS_KEPT = 500

/** Vectors of questions that were asked lately, by embedding version and text: the least recently used goes first. */
export const makeRecentQuestions = () => {
  const kept = new Map<string, Float32Array>()
  return {
    get: (versionId: string, text: string): Float32Array | undefined => {
      const key = hashOf(versionId, text)
      const vector = kept.get(key)
      if (vector) {
        kept.delete(key)
        kept.set(key, vector)
      }
      return vector
    },
    set: (versionId: string, text: string, vector: Float32Array): void => {
      kept.set(hashOf(versionId, text), vector)
      const [oldest] = kept.keys()
      if (kept.size > QUESTIONS_KEPT && oldest !== undefined) kept.delete(oldest)
    },
  }
}
