import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { decide } from '../../src/conversations/decide.js'
import type { AnswerQuestion } from '../../src/conversations/answer.js'
import { withChoices, type MessageArrival } from '../../src/conversations/message.js'
import { phrasesIn } from '../../src/conversations/phrases.js'
import { recogniseTalk } from '../../src/conversations/talk.js'
import { ACME, arrival, grounded, openCore, unknown, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0
let id = ''
type Asked = Parameters<AnswerQuestion>[0]
let asked: Asked[]

const place = (label: string) => ({ label, title: 'Hire', documentId: 'doc_1', headings: ['Hire', label] })
const CAR = place('Renting a car')
const BICYCLE = place('Renting a bicycle')

/** Knows what stands under a heading, and asks for it. */
const asksBack: AnswerQuestion = async (question, ...rest) => {
  asked.push(question)
  if (question.within) return grounded(question, ...rest)
  const answer = await unknown(question, ...rest)
  return question.asksBack ? { ...answer, choices: [CAR, BICYCLE] } : answer
}

beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())
beforeEach(async () => {
  core = await openCore(mongo)
  core.assistant.answerQuestion = asksBack
  asked = []
  number += 1
  id = `cnv_choice_${number}`
})

let written = 0
const say = (text: string, more: Partial<MessageArrival> = {}) => {
  const externalId = `${id}:${(written += 1)}`
  return core.receive(ACME, arrival(externalId, { contact: { externalId: id }, conversationId: id, text, ...more }))
}
const write = async (...said: Parameters<typeof say>) => {
  await say(...said)
  await core.answer('acme', id)
}
const spoken = async () => (await core.inbox.messages('acme', id)).filter(({ kind }) => kind === 'message')
const authors = async () => (await spoken()).map(({ author }) => author.kind)
const last = async () => (await spoken()).at(-1)!
const conversation = () => core.inbox.get('acme', id)

describe('a customer who is asked back', () => {
  it('sees what they may choose, last of all a person, and nobody else has it yet', async () => {
    await write('What about the deposit?')
    expect(await last()).toMatchObject({
      author: { kind: 'assistant' },
      text: phrasesIn('en').whichOne,
      choices: [
        { kind: 'place', label: 'Renting a car' },
        { kind: 'place', label: 'Renting a bicycle' },
        { kind: 'person', label: 'Talk to a person' },
      ],
      citations: [],
      decisionId: 'dec_2',
      status: 'queued',
    })
    expect(await conversation()).toMatchObject({ handler: 'assistant', answerDue: null, handoff: null, language: 'en' })
    expect(
      withChoices(await last())
        .split('\n')
        .slice(-3),
    ).toEqual(['1. Renting a car', '2. Renting a bicycle', '3. Talk to a person'])
  })

  it.each([
    ['the whole name', 'Renting a bicycle'],
    ['the name, carelessly', '  renting  a BICYCLE! '],
    ['a word of it that stands in no other', 'bicycle'],
    ['its number', '2'],
    ['its number with a point', '2.'],
    ['its number on a key', '2️⃣'],
    ['its number in Arabic', '٢'],
    ['its number above a signature', '2\n\nKind regards\nAna'],
  ])('may choose by %s', async (_how, text) => {
    await write('What about the deposit?')
    const offering = await last()
    await write(text)
    expect(asked.at(-1)).toMatchObject({ text: 'What about the deposit?', within: BICYCLE, history: [] })
    expect(asked.at(-1)).not.toHaveProperty('asksBack')
    expect(await last()).toMatchObject({
      citations: [{ title: 'Parcels' }],
      about: { messageId: offering.id, label: 'Renting a bicycle' },
    })
    expect(await conversation()).toMatchObject({ handler: 'assistant' })
  })

  it.each([
    ['a number that was not offered', '7'],
    ['a word that stands in both names', 'renting'],
    ['a small word', 'a'],
    ['something else', 'How do I pay with a card?'],
    ['a name within a question of its own', 'Is renting a bicycle cheaper in winter?'],
    ['a number with a question below', '2\nBut is it insured?'],
  ])('who writes %s is answered as if it were any question, and not asked back again', async (_what, text) => {
    await write('What about the deposit?')
    core.assistant.answerQuestion = (question, ...rest) => (asked.push(question), grounded(question, ...rest))
    await write(text)
    expect(asked.at(-1)?.text).toBe(text)
    expect(asked.at(-1)).not.toHaveProperty('within')
    expect(asked.at(-1)).not.toHaveProperty('asksBack')
    expect(asked.at(-1)?.history.map((turn) => turn.text)).toEqual([
      'What about the deposit?',
      expect.stringContaining('2. Renting a bicycle'),
    ])
    expect(await last()).not.toHaveProperty('about')
  })

  it('twice in a row never is: the second time a person is asked, as ever', async () => {
    await write('What about the deposit?')
    await write('And the insurance?')
    expect((await last()).text).toMatch(/^I don't know that\. I have asked a person/)
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'unknown_answer' } })
  })

  it('may be asked back again about something else, later', async () => {
    await write('What about the deposit?')
    await write('1')
    await write('And the insurance?')
    expect(asked.at(-1)).toMatchObject({ asksBack: true })
    expect((await last()).choices).toHaveLength(3)
  })

  it('and chooses what proves nothing gets a person, who sees what was meant', async () => {
    await write('What about the deposit?')
    core.assistant.answerQuestion = unknown
    await write('2')
    expect((await last()).text).toMatch(/^I don't know that\. I have asked a person/)
    expect(await last()).toMatchObject({ about: { label: 'Renting a bicycle' } })
    const { handler, handoff } = await conversation()
    expect(handler).toBe('nobody')
    expect(handoff?.recap?.asked).toEqual(['What about the deposit?', 'Renting a bicycle'])
    expect(handoff?.recap).not.toHaveProperty('answered')
  })

  it.each([['3'], ['Talk to a person'], ['a person, please']])('gets a person for %j', async (text) => {
    await write('What about the deposit?')
    await write(text)
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'asked_for_person' } })
  })

  it('gets a person who asks for one beside a choice', async () => {
    await write('What about the deposit?')
    await say('1')
    await write('I want to talk to a human')
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'asked_for_person' } })
  })

  it('says with the choice what belongs to it', async () => {
    await write('What about the deposit?')
    await say('1')
    await write('for a week')
    expect(asked.at(-1)).toMatchObject({ text: 'What about the deposit?\nfor a week', within: CAR })
    expect(await authors()).toEqual(['customer', 'assistant', 'customer', 'customer', 'assistant'])
  })
})

describe('a button that a customer presses', () => {
  const press = (messageId: string, at: number, text = 'cut to twenty si…') =>
    write(text, { chosen: { messageId, at } })

  it('is the choice it stands for, whatever its cut words say', async () => {
    await write('What about the deposit?')
    await press((await last()).id, 1)
    expect(asked.at(-1)).toMatchObject({ text: 'What about the deposit?', within: BICYCLE })
    await write('And the insurance?')
    await press((await last()).id, 2)
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'asked_for_person' } })
  })

  it('twice, before or after the answer, is answered once', async () => {
    await write('What about the deposit?')
    const { id: messageId } = await last()
    for (const externalId of ['a', 'b', 'b']) {
      const pressed = arrival(`${id}:${externalId}`, { text: 'Renting…', chosen: { messageId, at: 0 } })
      await core.receive(ACME, { ...pressed, contact: { externalId: id }, conversationId: id })
    }
    await core.answer('acme', id)
    await press(messageId, 0)
    await press(messageId, 0)
    expect((await authors()).filter((author) => author === 'assistant')).toHaveLength(2)
    expect(asked).toHaveLength(2)
    expect(await conversation()).toMatchObject({ handler: 'assistant', answerDue: null })
  })

  it.each([
    ['that somebody made up', (_own: string) => ({ messageId: 'msg_of_somebody_else', at: 0 })],
    ['with a place that there is not', (own: string) => ({ messageId: own, at: 9 })],
  ])('%s is only text', async (_what, forged) => {
    await write('What about the deposit?')
    await write('Gift cards', { chosen: forged((await last()).id) })
    expect(asked.at(-1)).toMatchObject({ text: 'Gift cards' })
    expect(asked.at(-1)).not.toHaveProperty('within')
  })

  it('that is overtaken is only text', async () => {
    await write('What about the deposit?')
    const { id: messageId } = await last()
    await write('thank you')
    await press(messageId, 1, 'Renting a bicy…')
    expect(asked.at(-1)).toMatchObject({ text: 'Renting a bicy…' })
    expect(asked.at(-1)).not.toHaveProperty('within')
  })

  it('of another conversation is only text', async () => {
    await write('What about the deposit?')
    const { id: messageId } = await last()
    id = `${id}_other`
    await press(messageId, 1, 'Renting a bicy…')
    expect(asked.at(-1)).not.toHaveProperty('within')
  })

  it('after a person has taken over is theirs to read', async () => {
    await write('What about the deposit?')
    const { id: messageId } = await last()
    await core.actions.speak({ companyId: 'acme', conversationId: id, person: { id: 'p', name: 'Ana' }, text: 'Hello' })
    await press(messageId, 0)
    expect(await authors()).toEqual(['customer', 'assistant', 'agent', 'customer'])
    expect(decide(await core.store.conversation('acme', id), await spoken())).toMatchObject({ kind: 'leave' })
  })
})

describe('the way to a person among the choices', () => {
  it.each(['en', 'pt', 'es', 'de', 'fr', 'it', 'ar'])(
    'fits a button and is understood when it is written, in %s',
    (code) => {
      const { person, whichOne } = phrasesIn(code)
      expect(person.length).toBeLessThanOrEqual(20)
      expect(recogniseTalk(person)?.kind).toBe('person')
      expect(recogniseTalk(whichOne)).toBeNull()
    },
  )
})
