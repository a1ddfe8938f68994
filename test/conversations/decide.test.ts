import { describe, expect, it } from '@jest/globals'
import type { Conversation } from '../../src/conversations/conversation.js'
import { ANSWER_WITHIN_MS, decide } from '../../src/conversations/decide.js'
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
    const decision = decide(conversation(), said(['customer', 'Where is my parcel?']), now)
    expect(decision).toMatchObject({ kind: 'answer', question: { text: 'Where is my parcel?' }, history: [] })
  })

  it('to read several messages in a row as one question, with what was said before as history', () => {
    const messages = said(
      ['customer', 'Hello'],
      ['assistant', 'Hi'],
      ['customer', 'My parcel'],
      ['customer', 'where is it?'],
    )
    const decision = decide(conversation(), messages, now)
    expect(decision).toMatchObject({ kind: 'answer', question: { text: 'My parcel\nwhere is it?' } })
    expect(decision.kind === 'answer' && decision.history.map(({ text }) => text)).toEqual(['Hello', 'Hi'])
  })

  it('not to see notes and events as somebody having answered', () => {
    const messages = said(['customer', 'Where is it?'], ['agent', 'looks odd', 'note'], ['system', 'Assigned', 'event'])
    expect(decide(conversation(), messages, now).kind).toBe('answer')
  })

  it.each(['agent', 'nobody'] as const)('to stay silent when the conversation is with %s', (handler) => {
    const decision = decide(conversation({ handler }), said(['customer', 'Hello?']), now)
    expect(decision).toEqual({ kind: 'leave', reason: 'a_person_has_it' })
  })

  it('to stay silent when somebody answered meanwhile', () => {
    const decision = decide(conversation(), said(['customer', 'Hello?'], ['agent', 'Yes?']), now)
    expect(decision).toEqual({ kind: 'leave', reason: 'nothing_to_answer' })
  })

  it.each([
    ['the last attempt failed', 4, 100, 'assistant_failed'],
    ['a second attempt comes after the promised time', 2, ANSWER_WITHIN_MS + 1, 'took_too_long'],
  ] as const)('to ask a person when %s', (_when, attempts, waitedMs, reason) => {
    const answerDue = { since: agoMs(waitedMs), attempts, notBefore: now, requestId: 'req_1' }
    expect(decide(conversation({ answerDue }), said(['customer', 'Hello?']), now)).toEqual({ kind: 'handoff', reason })
  })

  it('to try once even long after the promised time: the installation may have been down', () => {
    const answerDue = { since: agoMs(3_600_000), attempts: 1, notBefore: now, requestId: 'req_1' }
    expect(decide(conversation({ answerDue }), said(['customer', 'Hello?']), now).kind).toBe('answer')
  })
})
