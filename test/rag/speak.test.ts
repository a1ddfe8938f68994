import { describe, expect, it } from '@jest/globals'
import { AppError } from '../../src/platform/errors.js'
import type { Model, ModelRequest } from '../../src/rag/model.js'
import type { Retrieved } from '../../src/rag/search.mongo.js'
import { speak } from '../../src/rag/speak.js'
import type { ProvedSentence } from '../../src/rag/verdicts.js'

const usage = { inputTokens: 100, outputTokens: 20, costUsd: null, requests: 1 }
const never = new AbortController().signal

const REFUNDS =
  'Refunds are paid within 14 days. The money goes back to the card that was used. Shipping costs are not refunded.'

const passage = (passageId: string, text: string): Retrieved =>
  ({
    passageId,
    documentId: `doc_${passageId}`,
    title: 'Refunds',
    headings: [],
    text,
    language: 'en',
  }) as unknown as Retrieved

/** A model that writes these pieces, then does `last`. */
const modelThat = (
  pieces: readonly string[],
  last: (signal: AbortSignal) => Promise<unknown> = async () => {},
): Model => ({
  name: 'test',
  async *stream(_request, signal) {
    yield* pieces
    await last(signal)
    return usage
  },
  complete: () => Promise.reject(new Error('not asked')),
  state: () => 'closed',
})

/** A model that is only asked whether sentences follow. */
const judgeThat = (answer: (sentence: string) => string) => {
  const asked: ModelRequest[] = []
  const judge: Model = {
    ...modelThat([]),
    complete: async (request) => {
      asked.push(request)
      return { text: answer(request.messages[1]?.text ?? ''), usage }
    },
  }
  return { judge, asked }
}
const agrees = '{"verdicts":[{"sentence":1,"supported":true}]}'
const disagrees = '{"verdicts":[{"sentence":1,"supported":false}]}'

const sentence = (text: string, quote = text, number = 1) => ({ text, citations: [{ passage: number, quote }] })
const written = (...sentences: object[]) => JSON.stringify({ sentences })
const hang = (signal: AbortSignal) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })

const run = async (
  model: Model,
  { judge = null as Model | null, language = 'en', signal = never, question = 'How long do refunds take?' } = {},
) => {
  const shown: ProvedSentence[] = []
  const passages = [
    passage('p1', REFUNDS),
    passage('p2', 'Returns are free within 30 days.'),
    { ...passage('p3', 'Opening hours are nine to five. Parking costs 2 euros.'), title: 'Visiting' },
  ].map((one, at) => ({
    id: at + 1,
    passage: one,
  }))
  const spoken = await speak(
    { companyId: 'acme', question, about: { text: question, language: 'en' }, history: [], language, passages },
    { model, judge, onSentence: (one) => shown.push(one) },
    signal,
  )
  return { ...spoken, shown, verdicts: spoken.judged.map(({ verdict }) => verdict) }
}

const TRUE = sentence('Refunds are paid within 14 days.')

describe('what a model writes', () => {
  it('is said where it is proved, with the place of each quote', async () => {
    const { outcome, said, shown } = await run(modelThat([written(TRUE)]))
    expect(outcome).toBe('answered')
    expect(said).toEqual([{ text: TRUE.text, quotes: [{ passageId: 'p1', start: 0, end: expect.any(Number) }] }])
    expect(REFUNDS.slice(0, said[0]?.quotes[0]?.end)).toMatch(/^Refunds are paid within 14 days\.?$/)
    expect(shown).toEqual(said)
  })

  it('is shown before the next sentence is written', async () => {
    let shownBefore = 0
    const shown: unknown[] = []
    const model: Model = {
      ...modelThat([]),
      async *stream() {
        yield `{"sentences":[${JSON.stringify(TRUE)}`
        shownBefore = shown.length
        yield ']}'
        return usage
      },
    }
    await speak(
      {
        companyId: 'acme',
        question: '?',
        about: { text: '?', language: 'en' },
        history: [],
        language: 'en',
        passages: [{ id: 1, passage: passage('p1', REFUNDS) }],
      },
      { model, judge: null, onSentence: (one) => shown.push(one) },
      never,
    )
    expect(shownBefore).toBe(1)
  })

  it('nothing is no failure: the passages do not answer', async () => {
    expect(await run(modelThat(['{"sentences":[]}']))).toMatchObject({ outcome: 'silent', said: [], usage })
  })

  it('is cut where it is not proved, and the rest is said', async () => {
    const { outcome, said, verdicts } = await run(
      modelThat([written(sentence('Refunds are paid within 7 days.', TRUE.text), TRUE)]),
    )
    expect(outcome).toBe('answered')
    expect(said.map(({ text }) => text)).toEqual([TRUE.text])
    expect(verdicts[0]).not.toBe('proved')
    expect(verdicts[1]).toBe('proved')
  })

  it('is cut too where it goes on from a sentence that was cut', async () => {
    const { verdicts } = await run(
      modelThat([
        written(
          sentence('Refunds are paid at once.', TRUE.text),
          sentence('However, shipping costs are not refunded.', 'Shipping costs are not refunded.'),
        ),
      ]),
    )
    expect(verdicts[1]).toBe('leans_on_cut')
  })

  it.each([
    ['an invented quote', sentence('Refunds are paid within 14 days.', 'Refunds are always paid within 14 days.')],
    ['a passage that was not given', sentence(TRUE.text, TRUE.text, 7)],
    ['no citation', { text: TRUE.text, citations: [] }],
    [
      'a link that the passage does not have',
      sentence('Refunds are paid within 14 days, see https://evil.example/x.', TRUE.text),
    ],
    ['an image', sentence('Refunds are paid within 14 days. ![x](https://evil.example/x.png)', TRUE.text)],
    ['the quote of one passage under the number of another', sentence(TRUE.text, TRUE.text, 2)],
  ])('is not said with %s', async (_what, one) => {
    expect(await run(modelThat([written(one)]))).toMatchObject({ outcome: 'unproved', said: [], shown: [] })
  })

  it('carries no invisible signs to the customer', async () => {
    const { said } = await run(
      modelThat([written(sentence('Refunds\u200b are paid\u202e within\u00ad 14 days.', TRUE.text))]),
    )
    for (const { text } of said) expect(text).not.toMatch(/[\u200b\u202e\u00ad]/u)
  })
})

describe('a model that does not stop', () => {
  const figures = Array.from({ length: 40 }, (_, at) => at + 100)

  it('has said enough after eight sentences, and its request ends there', async () => {
    const lines = Array.from({ length: 12 }, (_, at) => `Rule ${at + 1} says that parcels of kind ${at + 1} are free.`)
    const passages = [{ id: 1, passage: passage('p1', lines.join(' ')) }]
    let ended = false
    const model: Model = {
      ...modelThat([]),
      async *stream() {
        try {
          yield `{"sentences":[${lines.map((line) => JSON.stringify(sentence(line))).join(',')}`
          await new Promise(() => {})
          return usage
        } finally {
          ended = true
        }
      },
    }
    const spoken = await speak(
      { companyId: 'acme', question: '?', about: { text: '?', language: 'en' }, history: [], language: 'en', passages },
      { model, judge: null, onSentence: () => {} },
      never,
    )
    expect(spoken).toMatchObject({ outcome: 'answered', said: { length: 8 } })
    expect(ended).toBe(true)
  })

  it('is not judged for ever when nothing of it is true', async () => {
    const endless = modelThat(
      [
        written(...figures.map((figure) => sentence(`Refunds are paid within ${figure} days.`, TRUE.text))).slice(
          0,
          -2,
        ),
      ],
      () => new Promise(() => {}),
    )
    const { outcome, judged } = await run(endless)
    expect(outcome).toBe('unproved')
    expect(judged.length).toBeLessThan(figures.length)
  })

  it('says the same sentence once', async () => {
    expect((await run(modelThat([written(TRUE, TRUE, TRUE)]))).said).toHaveLength(1)
  })
})

describe('a model that fails in the middle', () => {
  const half = written(TRUE).slice(0, -2)

  it('has said nothing, even what was proved before', async () => {
    const stalls = modelThat([half], () => Promise.reject(new AppError('unavailable', 'model_stalled', 'stalled')))
    expect(await run(stalls)).toMatchObject({ outcome: 'failed', reason: 'model_stalled', said: [] })
  })

  it('has said nothing when it ends without the end of its list', async () => {
    expect(await run(modelThat([half]))).toMatchObject({ outcome: 'failed', reason: 'model_garbled', said: [] })
  })

  it('has said everything when only the count of its tokens is missing', async () => {
    expect(await run(modelThat([written(TRUE)], hang))).toMatchObject({ outcome: 'answered', usage: null })
    const breaks = modelThat([written(TRUE)], () => Promise.reject(new AppError('unavailable', 'model_failed', 'cut')))
    expect(await run(breaks)).toMatchObject({ outcome: 'answered' })
  })

  it('is left when no sentence is proved in time, and its request ends', async () => {
    let ended: unknown
    const dribbles = modelThat(['{"sentences":['], async (signal) => {
      await hang(signal).catch((error: unknown) => (ended = error))
      throw ended
    })
    expect(await run(dribbles)).toMatchObject({ outcome: 'failed', reason: 'model_late' })
    expect(ended).toMatchObject({ code: 'model_late' })
  })

  it('is left at once when the run ends, and that is no outcome of the model', async () => {
    const stop = new AbortController()
    const model = modelThat(['{"sentences":['], (signal) => {
      stop.abort(new AppError('conflict', 'changed_meanwhile', 'somebody stepped in'))
      return hang(signal)
    })
    await expect(run(model, { signal: stop.signal })).rejects.toMatchObject({ code: 'changed_meanwhile' })
  })
})

describe('where a second model must agree', () => {
  it('a sentence is said only if it does', async () => {
    const { judge, asked } = judgeThat(() => agrees)
    expect(await run(modelThat([written(TRUE)]), { judge })).toMatchObject({ outcome: 'answered' })
    expect(asked[0]?.messages[1]?.text).toContain('Refunds are paid within 14 days.')
    expect(await run(modelThat([written(TRUE)]), { judge: judgeThat(() => disagrees).judge })).toMatchObject({
      outcome: 'unproved',
      verdicts: ['not_entailed'],
    })
  })

  it('it is not asked about what the rules refuse already', async () => {
    const { judge, asked } = judgeThat(() => agrees)
    await run(modelThat([written(sentence('Refunds are paid within 7 days.', TRUE.text))]), { judge })
    expect(asked).toEqual([])
  })

  it('a sentence in another language than its passage can be said', async () => {
    const german = sentence('Rückzahlungen erfolgen innerhalb von 14 Tagen.', TRUE.text)
    expect(await run(modelThat([written(german)]), { language: 'de' })).toMatchObject({ verdicts: ['language'] })
    const { judge } = judgeThat(() => agrees)
    expect(await run(modelThat([written(german)]), { language: 'de', judge })).toMatchObject({
      outcome: 'answered',
      said: [{ quotes: [{ passageId: 'p1', start: 0 }] }],
    })
  })

  it.each([
    ['garbage', 'yes'],
    ['a verdict on another sentence only', '{"verdicts":[{"sentence":2,"supported":true}]}'],
  ])('nothing is said on %s', async (_what, answer) => {
    const { judge } = judgeThat(() => answer)
    expect((await run(modelThat([written(TRUE)]), { judge })).said).toEqual([])
  })
})

describe('a true sentence about something else than the question', () => {
  const ABOUT = 'Refunds are paid within 14 days.'
  const BESIDE = sentence('Opening hours are nine to five.', 'Opening hours are nine to five.', 3)
  const MORE = sentence('Parking costs 2 euros.', 'Parking costs 2 euros.', 3)

  it('is dropped where another sentence is about the question, before it or after it', async () => {
    for (const order of [
      [BESIDE, TRUE],
      [TRUE, BESIDE],
    ]) {
      const { said, shown, judged } = await run(modelThat([written(...order)]))
      expect(said.map(({ text }) => text)).toEqual([ABOUT])
      expect(shown).toEqual(said)
      expect(judged.find(({ text }) => text === BESIDE.text)).toMatchObject({ verdict: 'beside_question' })
    }
  })

  it('is said where it is the only answer', async () => {
    const { outcome, said } = await run(modelThat([written(BESIDE)]))
    expect(outcome).toBe('answered')
    expect(said.map(({ text }) => text)).toEqual([BESIDE.text])
  })

  it('is no reason to drop anything where the question is put in other words than the documents', async () => {
    const { said } = await run(modelThat([written(BESIDE, MORE, TRUE)]))
    expect(said).toHaveLength(3)
  })

  it('may go on about the passage that answers', async () => {
    const { said } = await run(modelThat([written(TRUE, sentence('The money goes back to the card that was used.'))]))
    expect(said).toHaveLength(2)
  })
})
