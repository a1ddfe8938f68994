import { describe, expect, it } from '@jest/globals'
import { AppError } from '../../src/platform/errors.js'
import type { Model, ModelRequest } from '../../src/rag/model.js'
import { understand } from '../../src/rag/question.js'

const usage = { inputTokens: 10, outputTokens: 5, costUsd: null, requests: 1 }
const never = new AbortController().signal

/** A model that answers a rewriting with what the test says. */
const modelThat = (complete: (request: ModelRequest, signal: AbortSignal) => Promise<string>) => {
  const requests: ModelRequest[] = []
  const model: Model = {
    name: 'test',
    async *stream() {
      yield ''
      return usage
    },
    complete: async (request, signal) => {
      requests.push(request)
      return { text: await complete(request, signal), usage }
    },
    state: () => 'closed',
  }
  return { model, requests }
}

const shipping = [
  { author: 'customer' as const, text: 'How long does shipping to France take?' },
  { author: 'assistant' as const, text: 'Shipping to France takes three days.' },
]
const ask = (text: string, language: string, model: Model | null = null, history = shipping, signal = never) =>
  understand({ companyId: 'acme', text, history, language }, model, signal)

describe('a question in its conversation', () => {
  it.each([
    ['en', 'And to Spain?'],
    ['en', 'How much does it cost?'],
    ['en', 'why?'],
    ['en', 'What about Italy?'],
    ['es', '¿Y a Italia?'],
    ['es', '¿Cuánto cuesta eso?'],
    ['pt', 'E para a Itália?'],
    ['pt', 'Quanto custa isso?'],
    ['de', 'Und nach Spanien?'],
    ['de', 'Was kostet das?'],
    ['fr', 'Et pour l’Espagne ?'],
    ['fr', 'Combien ça coûte ?'],
    ['it', 'E in Spagna?'],
  ])('leans on what was said before (%s): %s', async (language, text) => {
    expect(await ask(text, language)).toMatchObject({
      standalone: `How long does shipping to France take?\n${text}`,
      by: 'rules',
    })
  })

  it.each([
    ['en', 'How do I change the delivery address of my order?'],
    ['en', 'Which payment methods do you accept in the shop?'],
    ['es', '¿Cómo cambio la dirección de entrega de mi pedido?'],
    ['pt', 'Como altero o endereço de entrega do meu pedido?'],
    ['de', 'Wie ändere ich die Lieferadresse meiner Bestellung?'],
    ['fr', 'Comment modifier l’adresse de livraison de ma commande ?'],
    ['it', 'Come posso cambiare l’indirizzo di consegna del mio ordine?'],
  ])('is left alone when it says what it is about (%s): %s', async (language, text) => {
    expect(await ask(text, language)).toMatchObject({ standalone: null, by: null })
  })

  it('is left alone when nothing was said before', async () => {
    expect(await ask('And to Spain?', 'en', null, [])).toMatchObject({ standalone: null })
  })

  it('is rewritten by the model where there is one, which sees the last turns only', async () => {
    const { model, requests } = modelThat(async () => '{"question":"How long does shipping to Spain take?"}')
    const long = Array.from({ length: 30 }, (_, at) => ({ author: 'customer' as const, text: `Turn ${at}` }))
    expect(await ask('And to Spain?', 'en', model, [...long, ...shipping])).toMatchObject({
      standalone: 'How long does shipping to Spain take?',
      by: 'model',
      usage,
    })
    expect(requests).toHaveLength(1)
    expect(requests[0]?.messages[1]?.text).toContain('Turn 29')
    expect(requests[0]?.messages[1]?.text).not.toContain('Turn 20')
  })

  it('costs no request when it stands alone', async () => {
    const { model, requests } = modelThat(async () => '{"question":"x"}')
    await ask('How do I change the delivery address of my order?', 'en', model)
    expect(requests).toEqual([])
  })

  it.each([
    ['garbage', async () => 'I cannot do that'],
    ['another form', async () => '{"answer":"x"}'],
    ['an essay', async () => JSON.stringify({ question: 'x'.repeat(5_000) })],
    ['a fault', async () => Promise.reject(new AppError('unavailable', 'model_failed', 'down'))],
    [
      'nothing in time',
      (_request: ModelRequest, signal: AbortSignal) =>
        new Promise<string>((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    ],
  ])('is understood by the rules when the model gives %s', async (_what, complete) => {
    const understood = await ask('And to Spain?', 'en', modelThat(complete).model)
    expect(understood).toMatchObject({ by: 'rules', standalone: expect.stringContaining('France') })
    expect(understood.failed).toBeTruthy()
  })

  it('is given up when the whole run is', async () => {
    const stop = new AbortController()
    const { model } = modelThat(async () => {
      stop.abort(new Error('stopping'))
      throw new Error('aborted')
    })
    await expect(ask('And to Spain?', 'en', model, shipping, stop.signal)).rejects.toThrow('stopping')
  })

  it('inside a story is searched alone too', async () => {
    const text = 'I bought a lamp yesterday and it arrived broken. How do I return it?'
    expect(await ask(text, 'en', null, [])).toMatchObject({ core: 'How do I return it?' })
  })
})
