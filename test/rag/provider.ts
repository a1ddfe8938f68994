import { systemClock } from '../../src/platform/clock.js'
import { makeLog, type Log } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import type { Meter } from '../../src/rag/model-provider.js'
import { makeEmbedder, makeModel, makeProvider, type Model, type ModelRequest } from '../../src/rag/model.js'

type Used = Parameters<Meter['record']>[0]
type Options = { baseUrl: string; firstTokenMs?: number; meter?: Partial<Meter>; log?: Log; apiKey?: string }

export const KEY = 'sk-of-the-tests'

/** A provider at this address, with a model and an embedder; what was used is noted in `used`. */
export const openProvider = ({
  baseUrl,
  firstTokenMs = 1_200,
  meter,
  log = makeLog('silent'),
  apiKey = KEY,
}: Options) => {
  const used: Used[] = []
  const metrics = makeMetrics()
  const provider = makeProvider({
    baseUrl,
    apiKey,
    firstTokenMs,
    meter: { assertWithinBudget: async () => {}, record: (one) => void used.push(one), ...meter },
    clock: systemClock,
    log,
    metrics,
  })
  const model = makeModel({ provider, name: 'player-1', price: { input: 1, output: 4 } })
  return { provider, model, embedder: makeEmbedder({ provider, name: 'player-e' }), used, metrics }
}

export const never = new AbortController().signal

export const question = (change: Partial<ModelRequest> = {}): ModelRequest => ({
  companyId: 'acme',
  purpose: 'answer',
  messages: [
    { role: 'system', text: 'Answer from the passages.' },
    {
      role: 'user',
      text: JSON.stringify({
        passages: [
          { id: 1, title: 'Returns', text: 'Goods can be returned within 30 days. Shipping is free.' },
          { id: 2, title: 'Opening hours', text: 'The shop opens at 9:00.' },
        ],
        conversation: [],
        question: 'Within how many days can goods be returned?',
      }),
    },
  ],
  schema: { name: 'answer', definition: { type: 'object', properties: {}, required: [], additionalProperties: false } },
  maxOutputTokens: 500,
  ...change,
})

/** All pieces of one answer, and how it ended: with what it cost, or with what it threw. */
export const listen = async (model: Model, request = question(), signal = never) => {
  const pieces: string[] = []
  const asked = model.stream(request, signal)
  try {
    for (;;) {
      const next = await asked.next()
      if (next.done) return { text: pieces.join(''), pieces, usage: next.value, error: null }
      pieces.push(next.value)
    }
  } catch (error) {
    return { text: pieces.join(''), pieces, usage: null, error: error as Error & { code?: string; cause?: Error } }
  }
}
