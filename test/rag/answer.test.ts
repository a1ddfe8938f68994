import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/app.js'
import { openAssistant } from '../support/assistant.js'
import { openTestMongo } from '../support/mongo.js'

type Behaviour = Parameters<Awaited<ReturnType<typeof openAssistant>>['player']['behave']>[0]

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let assistant: Awaited<ReturnType<typeof openAssistant>>

const REFUNDS = {
  title: 'Refunds',
  text: '# Refunds\n\nRefunds are paid within 14 days. The money goes back to the card that was used. Shipping costs of 5 euros are not refunded.',
}
const SHIPPING = {
  title: 'Shipping',
  text: '# Shipping\n\nShipping to France takes three days. Shipping to Spain takes five days and costs 9 euros.',
}

beforeAll(async () => {
  mongo = await openTestMongo()
  assistant = await openAssistant(mongo)
  await assistant.teach('acme', REFUNDS, SHIPPING)
  await assistant.teach('rival', {
    title: 'Refunds',
    text: 'Refunds are never paid. The secret word is Rumpelstiltskin.',
  })
})
afterAll(async () => {
  await assistant.close()
  await mongo.close()
})
beforeEach(() => {
  assistant.player.behave('good')
  assistant.player.forget()
})

const ask = (text: string, more = {}) => assistant.ask('acme', text, more)
const ASKED = 'How long does shipping to France take?'

describe('an answer by a model', () => {
  it('is made of sentences, each with the passage that it rests on', async () => {
    const { answer, decision } = await ask(ASKED)
    expect(answer).toMatchObject({ kind: 'grounded', mode: 'model', language: 'en' })
    expect(answer.text).toContain('Shipping to France takes three days. [1]')
    expect(answer.citations[0]).toMatchObject({ title: 'Shipping', quote: expect.stringContaining('three days') })
    expect(decision.model).toMatchObject({ name: 'player', outcome: 'answered', reason: null })
    expect(decision.model?.sentences[0]).toMatchObject({ verdict: 'proved' })
    expect(decision.usage.outputTokens).toBeGreaterThan(0)
  })

  it('is shown sentence by sentence before it is whole', async () => {
    assistant.player.behave({ kind: 'slow', betweenTokensMs: 5 })
    const { answer, shown } = await ask(ASKED)
    expect(shown.length).toBeGreaterThan(0)
    expect(shown.map((sentence) => sentence?.text).join(' ')).toBe(answer.text)
    expect(shown.at(-1)?.citations).toEqual(answer.citations)
  })

  it('is the same where nobody looks on while it is written', async () => {
    const { answer } = await ask(ASKED)
    const unseen = await assistant.answerQuestion(
      { companyId: 'acme', text: ASKED, history: [] },
      new AbortController().signal,
    )
    expect(unseen).toMatchObject({ text: answer.text, citations: answer.citations })
  })

  it('knows only the documents of its own company', async () => {
    await ask('How long do refunds take?')
    const [request] = assistant.player.requests
    expect(JSON.stringify(request?.body)).toContain('Refunds are paid within 14 days')
    expect(JSON.stringify(request?.body)).not.toContain('Rumpelstiltskin')
  })

  it('sees a follow-up in its conversation', async () => {
    const history = [
      { author: 'customer' as const, text: ASKED },
      { author: 'assistant' as const, text: 'Shipping to France takes three days.' },
    ]
    const { answer, decision } = await ask('And to Spain?', { history })
    expect(decision.understood).toMatchObject({ by: 'model', standalone: expect.stringContaining('Spain') })
    expect(answer.text).toContain('five days')
  })

  it('costs no request at all where there is nothing to read', async () => {
    const { answer } = await assistant.ask('empty', 'How long does shipping take?')
    expect(answer).toMatchObject({ kind: 'unknown', mode: 'extractive' })
    expect(assistant.player.received()).toBe(0)
  })
})

describe('the language of an answer', () => {
  beforeAll(() =>
    assistant.teach('versand', { title: 'Versand', text: 'Der Expressversand kostet 12 Euro im Monat Mai.' }),
  )

  it.each([
    ['pro monat?', null, 'de'],
    ['was kostet express?', 'de', 'de'],
    ['por mês?', 'pt', 'pt'],
    ['¿Cuánto cuesta el envío?', null, 'es'],
    ['How much does express shipping cost in May?', 'de', 'en'],
  ])('to "%s" in a conversation in %s is %s', async (text, spoken, language) => {
    expect((await assistant.ask('versand', text, { spoken })).answer.language).toBe(language)
  })
})

describe('a document that is deleted while it is quoted', () => {
  it('is not quoted any more', async () => {
    const id = await assistant.teach('deleting', REFUNDS)
    let goOn = () => {}
    const deleted = new Promise<void>((resolve) => (goOn = resolve))
    assistant.player.behave(() => deleted.then(() => 'good' as const))
    const asked = assistant.ask('deleting', 'How long do refunds take?')
    await eventually(async () => assistant.player.requests.some(({ schema }) => schema === 'answer'))
    await assistant.forget('deleting', id)
    goOn()
    await expect(asked).rejects.toMatchObject({ kind: 'unavailable', code: 'documents_changed' })
    expect((await assistant.ask('deleting', 'How long do refunds take?')).answer).toMatchObject({ kind: 'unknown' })
  })
})

describe('a question that is made to be long', () => {
  it('is thought about as far as a question goes, whatever its signs become', async () => {
    for (const text of ['\ufdfa'.repeat(10_000), 'refund '.repeat(1_400), '?'.repeat(9_000), '１'.repeat(9_000)]) {
      const { decision } = await ask(text)
      expect(decision.question).toBe(text)
      expect(decision.asked.length).toBeLessThanOrEqual(4_000)
    }
  })
})

describe('when the model fails', () => {
  const faults: [string, Behaviour][] = [
    ['hangs', 'hanging'],
    ['hangs after its headers', { kind: 'hanging', headers: true }],
    ['fails', { kind: 'failing', status: 500 }],
    ['is overloaded', { kind: 'limited', retryAfter: 30 }],
    ['refuses', { kind: 'refusing', status: 401 }],
    ['writes prose', { kind: 'garbage', what: 'not_json' }],
    ['writes another form', { kind: 'garbage', what: 'wrong_schema' }],
    ['writes ten megabytes', { kind: 'garbage', what: 'endless' }],
    ['sends a web page', { kind: 'garbage', what: 'html' }],
    ['stalls at once', { kind: 'stalling', tokens: 2 }],
    ['stalls in the middle', { kind: 'stalling', tokens: 20 }],
    ['is cut off', { kind: 'cut', when: 'middle', tokens: 30 }],
    ['ends in the middle as if it were whole', { kind: 'cut', when: 'clean', tokens: 20 }],
  ]
  it.each(faults)(
    'that %s, the documents are quoted instead, and nothing of a draft stays',
    async (_what, behaviour) => {
      const fresh = await openAssistant(mongo, { firstTokenMs: 300 })
      fresh.player.behave(behaviour)
      const { answer, shown, decision } = await fresh.ask('acme', ASKED)
      expect(answer).toMatchObject({ kind: 'grounded', mode: 'extractive' })
      expect(answer.text).toContain('three days')
      expect(shown.at(-1) ?? null).toBeNull()
      expect(decision.model).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/^model_/) })
      await fresh.close()
    },
  )
})

describe('a model that lies', () => {
  it('is not believed: what it cannot prove is cut, and quotes speak instead', async () => {
    assistant.player.behave('liar')
    for (const text of [ASKED, 'How long do refunds take?', 'Are shipping costs refunded?']) {
      const { answer, decision } = await ask(text)
      const facts = [REFUNDS.text, SHIPPING.text].join('\n')
      for (const { quote } of answer.citations) expect(facts).toContain(quote)
      for (const { verdict } of decision.model?.sentences ?? []) expect(verdict).not.toBe('unknown')
      for (const figure of answer.text.replace(/\[\d+\]/gu, '').match(/\d+/gu) ?? []) expect(facts).toContain(figure)
    }
  })
})

describe('a decision that is replayed', () => {
  it('judges the recorded sentences again, and names the documents that changed since', async () => {
    const id = await assistant.teach('replaying', REFUNDS)
    const { answer, decision } = await assistant.ask('replaying', 'How long do refunds take?')
    expect(decision).not.toHaveProperty('replay')
    const same = await assistant.replay('replaying', answer.decisionId)
    expect(same).toMatchObject({ documents: [], differs: false })
    expect(same?.sentences[0]).toMatchObject({ then: 'proved', now: 'proved', differs: false })

    await assistant.reteach('replaying', id, { ...REFUNDS, text: REFUNDS.text.replace('14 days', '30 days') })
    const changed = await assistant.replay('replaying', answer.decisionId)
    expect(changed).toMatchObject({ documents: [{ documentId: id }], differs: true })
    expect(changed?.sentences[0]).toMatchObject({ then: 'proved', differs: true })
    await expect(assistant.replay('rival', answer.decisionId)).rejects.toMatchObject({ kind: 'not_found' })
  })
})

// Last in this file: the breaker stays open after it.
describe('an answer without a model that answers', () => {
  it('to a follow-up that rules understood does not begin with what was said before', async () => {
    assistant.player.behave('failing')
    const first = await ask(ASKED)
    expect(first.answer).toMatchObject({ mode: 'extractive', text: expect.stringContaining('three days') })
    const history = [
      { author: 'customer' as const, text: ASKED },
      { author: 'assistant' as const, text: first.answer.text },
    ]
    const { answer, decision } = await ask('And to Spain?', { history })
    expect(decision.understood.by).toBe('rules')
    expect(answer.text).toContain('five days')
    expect(answer.text).not.toContain('three days')
  })
})
