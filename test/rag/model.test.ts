import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { makeEmbedder, makeModel, makeProvider, type ModelRequest } from '../../src/rag/model.js'
import type { Meter } from '../../src/rag/model-provider.js'
import { openPlayer, type Player } from '../support/openai.mjs'

let player: Player
beforeAll(async () => {
  player = await openPlayer()
})
afterAll(() => player.close())
beforeEach(() => {
  player.behave('good')
  player.forget()
})

const never = new AbortController().signal

type Used = Parameters<Meter['record']>[0]

const open = ({ firstTokenMs = 600, meter }: { firstTokenMs?: number; meter?: Partial<Meter> } = {}) => {
  const used: Used[] = []
  const metrics = makeMetrics()
  const provider = makeProvider({
    baseUrl: player.baseUrl,
    apiKey: 'sk-of-the-tests',
    firstTokenMs,
    meter: { assertWithinBudget: async () => {}, record: (one) => void used.push(one), ...meter },
    clock: systemClock,
    log: makeLog('silent'),
    metrics,
  })
  const model = makeModel({ provider, name: 'player-1', price: { input: 1, output: 4 } })
  return { provider, model, embedder: makeEmbedder({ provider, name: 'player-e' }), used, metrics }
}

const question = (change: Partial<ModelRequest> = {}): ModelRequest => ({
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

describe('a model that works', () => {
  it('speaks in pieces and says what it cost', async () => {
    const { model, used } = open()
    const pieces: string[] = []
    const asked = model.stream(question(), never)
    let end = await asked.next()
    for (; !end.done; end = await asked.next()) pieces.push(end.value)
    expect(JSON.parse(pieces.join(''))).toEqual({
      sentences: [
        {
          text: 'Goods can be returned within 30 days.',
          citations: [{ passage: 1, quote: 'Goods can be returned within 30 days.' }],
        },
      ],
    })
    expect(pieces.length).toBeGreaterThan(10)
    expect(end.value).toMatchObject({ requests: 1 })
    expect(used).toHaveLength(1)
  })

  it('embeds texts as unit vectors, in order', async () => {
    const { embedder } = open()
    const vectors = await embedder.embed('acme', ['Goods can be returned', 'returning goods', 'weather'], never)
    expect(vectors.map(({ length }) => length)).toEqual([384, 384, 384])
  })
})
