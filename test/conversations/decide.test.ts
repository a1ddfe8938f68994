import { describe, expect, it } from '@jest/globals'
import type { Conversation } from '../../src/conversations/conversation.js'
import { ANSWER_WITHIN_MS, decide, mustGiveUp, runLimitMs } from '../../src/conversations/decide.js'
import type { AuthorKind, Message, MessageKind } from '../../src/conversations/message.js'

const now = new Date('2026-03-02T10:00:00Z')
const agoMs = (ms: number) => new Date(now.getTime() - ms)

const conversation = (change: Partial<Conversation> = {}): Conversation => ({
  id: 'cnv_1',
  companyId: 'acme',
  channelId: 'chn_1',
  contactId: 'cnt_1',
  previousId: null,
  state: 'open',
  handler: 'assistant',
  assignee: null,
  priority: 'normal',
  tags: [],
  language: null,
  seq: 1,
  version: 1,
  answerDue: { since: agoMs(100), attempts: 1, notBefore: now, requestId: 'req_1' },
  lease: null,
  handoff: null,
  lastMessage: { author: 'customer', excerpt: '', at: now },
  createdAt: now,
  updatedAt: now,
  resolvedAt: null,
  ...change,
})

const said = (...lines: [AuthorKind, string, MessageKind?][]): Message[] =>
  lines.map(([kind, text, messageKind = 'message'], index) => ({
    id: `msg_${index + 1}`,
    companyId: 'acme',
    conversationId: 'cnv_1',
    channelId: 'chn_1',
    contactId: 'cnt_1',
    seq: index + 1,
    kind: messageKind,
    author: { kind },
    text,
    citations: [],
    status: null,
    at: now,
  }))

describe('the assistant decides', () => {
  it('to answer what the customer asked last', () => {
    const decision = decide(conversation(), said(['customer', 'Where is my parcel?']))
    expect(decision).toMatchObject({ kind: 'answer', question: { text: 'Where is my parcel?' }, history: [] })
  })

  it('to read several messages in a row as one question, with what was said before as history', () => {
    const messages = said(
      ['customer', 'Hello'],
      ['assistant', 'Hi'],
      ['customer', 'My parcel'],
      ['customer', 'where is it?'],
    )
    const decision = decide(conversation(), messages)
    expect(decision).toMatchObject({ kind: 'answer', question: { text: 'My parcel\nwhere is it?' } })
    expect(decision.kind === 'answer' && decision.history.map(({ text }) => text)).toEqual(['Hello', 'Hi'])
  })

  it('on the newest words when what was asked before went to a person already', () => {
    const messages = said(
      ['customer', 'Do you ship to the moon?'],
      ['assistant', 'A person will help you.'],
      ['customer', 'ok thanks'],
    )
    const promised = messages.map((message, at) => (at === 1 ? { ...message, handover: true as const } : message))
    expect(decide(conversation(), promised)).toMatchObject({ kind: 'talk', talk: 'thanks' })
    expect(decide(conversation(), promised.slice(0, 2))).toMatchObject({
      kind: 'answer',
      question: { text: 'Do you ship to the moon?' },
    })
  })

  it('on the beginning and the end of pages and pages', () => {
    const pages = said(
      ...Array.from({ length: 50 }, (_, at): ['customer', string] => ['customer', `${at} ${'long '.repeat(1_900)}`]),
    )
    const decision = decide(conversation(), pages)
    expect(decision.kind === 'answer' && decision.question.text.length).toBeLessThan(5_000)
  })

  it('not to see notes and events as somebody having answered', () => {
    const messages = said(['customer', 'Where is it?'], ['agent', 'looks odd', 'note'], ['system', 'Assigned', 'event'])
    expect(decide(conversation(), messages).kind).toBe('answer')
  })

  it.each(['agent', 'nobody'] as const)('to stay silent when the conversation is with %s', (handler) => {
    const decision = decide(conversation({ handler }), said(['customer', 'Hello?']))
    expect(decision).toEqual({ kind: 'leave', reason: 'a_person_has_it' })
  })

  it('to stay silent when somebody answered meanwhile', () => {
    const decision = decide(conversation(), said(['customer', 'Hello?'], ['agent', 'Yes?']))
    expect(decision).toEqual({ kind: 'leave', reason: 'nothing_to_answer' })
  })

  it('not to take the word that a person will come for an answer', () => {
    const [question, promise] = said(['customer', 'Where is it?'], ['assistant', 'I asked a person'])
    const messages = [question, { ...promise, handover: true as const }] as Message[]
    expect(decide(conversation(), messages)).toMatchObject({ kind: 'answer', question: { text: 'Where is it?' } })
  })
})

describe('the assistant decides on small talk', () => {
  it.each([
    ['a greeting', 'Hello', { kind: 'talk', talk: 'greeting', language: 'en' }],
    ['thanks', 'Obrigado!', { kind: 'talk', talk: 'thanks', language: 'pt' }],
    ['a goodbye', 'Auf Wiedersehen', { kind: 'talk', talk: 'goodbye', language: 'de' }],
    ['a complaint', 'This is unacceptable', { kind: 'hand_over', reason: 'complaint', language: 'en' }],
    ['a wish', 'humano por favor', { kind: 'hand_over', reason: 'asked_for_person', language: 'pt' }],
  ])('%s', (_what, text, decision) => {
    expect(decide(conversation(), said(['customer', text]))).toEqual(decision)
  })

  it('as part of the question that follows', () => {
    const decision = decide(conversation(), said(['customer', 'Hello'], ['customer', 'Where is it?']))
    expect(decision).toMatchObject({ kind: 'answer', question: { text: 'Hello\nWhere is it?' } })
  })

  it('that a person is wanted, whatever else was written', () => {
    const decision = decide(conversation(), said(['customer', 'agent!'], ['customer', 'Where is it?']))
    expect(decision).toMatchObject({ kind: 'hand_over', reason: 'asked_for_person' })
  })

  it('in the language of the conversation where a word is of several', () => {
    const decision = decide(conversation({ language: 'fr' }), said(['customer', 'ok']))
    expect(decision).toEqual({ kind: 'talk', talk: 'thanks', language: 'fr' })
  })

  const chatter = (count: number, last: string): Message[] => {
    const pairs = Array.from({ length: count }, (): [AuthorKind, string][] => [
      ['customer', 'Thanks'],
      ['assistant', 'You are welcome!'],
    ])
    return said(...pairs.flat(), ['customer', last]).map((message) =>
      message.author.kind === 'assistant' ? { ...message, talk: 'thanks' as const } : message,
    )
  }

  it('that enough was said after three kind words, and that somebody who still greets needs a person', () => {
    expect(decide(conversation(), chatter(2, 'Thanks'))).toMatchObject({ kind: 'talk' })
    expect(decide(conversation(), chatter(3, 'Thanks'))).toEqual({ kind: 'leave', reason: 'enough_said' })
    expect(decide(conversation(), chatter(3, 'Hello'))).toMatchObject({ kind: 'hand_over', reason: 'nothing_asked' })
    expect(decide(conversation(), chatter(3, 'human please'))).toMatchObject({ reason: 'asked_for_person' })
    expect(decide(conversation(), chatter(3, 'Where is it?'))).toMatchObject({ kind: 'answer' })
  })
})

describe('the assistant gives up and asks a person', () => {
  const serving = agoMs(3_600_000)
  const due = (attempts: number, waitedMs: number) => ({
    since: agoMs(waitedMs),
    attempts,
    notBefore: now,
    requestId: 'req_1',
  })

  it.each([
    ['not while it has tries and time left', 3, 100, null],
    ['when the last try failed', 4, 100, 'assistant_failed'],
    ['a moment before the promised time is over', 1, ANSWER_WITHIN_MS - 1_000, 'took_too_long'],
    ['not before that moment', 1, ANSWER_WITHIN_MS - 1_001, null],
  ] as const)('%s', (_when, attempts, waitedMs, reason) => {
    expect(mustGiveUp(due(attempts, waitedMs), now, serving)).toBe(reason)
  })

  it('not before it tried once after an outage of its own, however long that was', () => {
    expect(mustGiveUp(due(1, 3_600_000), now, agoMs(100))).toBeNull()
    expect(mustGiveUp(due(1, 3_600_000), now, agoMs(ANSWER_WITHIN_MS))).toBe('took_too_long')
  })

  it('in time: two runs that hang end before the promised time', () => {
    const first = runLimitMs(due(1, 0), now, serving)
    const second = runLimitMs(due(2, first + 500), now, serving)
    expect(first + 500 + second).toBeLessThan(ANSWER_WITHIN_MS)
    expect(second).toBeGreaterThan(10_000)
  })
})
