import { describe, expect, it } from '@jest/globals'
import { contextOf, tokensOf } from '../../src/rag/context.js'

const passage = (documentId: string, ordinal: number, terms: string, text = terms) => ({
  passageId: `${documentId}-${ordinal}`,
  documentId,
  title: documentId,
  headings: [],
  text,
  ordinal,
  terms,
})
type Passage = ReturnType<typeof passage>
const ranked = (...passages: Passage[]) => passages.map((candidate) => ({ candidate }))
const ids = (passages: Passage[], tokens?: number) =>
  contextOf(ranked(...passages), tokens === undefined ? {} : { tokens }).map(({ passage: { passageId } }) => passageId)

describe('What a model reads', () => {
  it('is numbered from 1, the best document first', () => {
    const found = contextOf(ranked(passage('b', 4, 'refund seven days'), passage('a', 0, 'parcel norway')))
    expect(found).toMatchObject([
      { id: 1, passage: { passageId: 'b-4' } },
      { id: 2, passage: { passageId: 'a-0' } },
    ])
  })

  it('has neighbours of one document in reading order', () => {
    const found = contextOf(
      ranked(
        passage('a', 5, 'third step'),
        passage('b', 0, 'other thing'),
        passage('a', 4, 'second move'),
        passage('a', 7, 'last words'),
      ),
    )
    expect(found.map(({ passage: { passageId } }) => passageId)).toEqual(['a-4', 'a-5', 'a-7', 'b-0'])
  })

  it('has something new rather than the same once more, where there is no room for both', () => {
    const text = 'x'.repeat(350)
    const same = 'refund arrives seven days parcel back'
    const passages = [
      passage('a', 0, same, text),
      passage('b', 0, same, text),
      passage('c', 0, 'express costs nine euro', text),
    ]
    expect(ids(passages, 250)).toEqual(['a-0', 'c-0'])
    expect(ids(passages, 1_000)).toEqual(['a-0', 'c-0', 'b-0'])
  })

  it('is the best first where all are about different things', () => {
    expect(ids(['one', 'two', 'three', 'four', 'five'].map((terms, at) => passage(terms, at, terms)))).toEqual(
      ['one', 'two', 'three', 'four', 'five'].map((terms, at) => `${terms}-${at}`),
    )
  })

  it('keeps to the budget, passing over what does not fit for something smaller', () => {
    const passages = [
      passage('a', 0, 'one', 'x'.repeat(700)),
      passage('b', 0, 'two', 'x'.repeat(7_000)),
      passage('c', 0, 'three', 'short'),
    ]
    expect(ids(passages, 400)).toEqual(['a-0', 'c-0'])
    const found = contextOf(ranked(...passages), { tokens: 400 })
    expect(found.reduce((sum, { passage: { text } }) => sum + tokensOf(text), 0)).toBeLessThanOrEqual(400)
  })

  it('has the best passage even when it is larger than the budget', () => {
    expect(ids([passage('a', 0, 'one', 'x'.repeat(70_000)), passage('b', 0, 'two')], 400)).toEqual(['a-0'])
  })

  it('is nothing where nothing was found', () => {
    expect(contextOf([])).toEqual([])
  })

  it('is the same for the same passages, and leaves them as they are', () => {
    const passages = Array.from({ length: 40 }, (_, at) => passage(`d${at % 5}`, at, `word${at} word${at % 7} common`))
    const before = structuredClone(passages)
    expect(ids(passages)).toEqual(ids(structuredClone(passages)))
    expect(passages).toEqual(before)
    expect(new Set(ids(passages)).size).toBe(ids(passages).length)
  })
})

describe('Tokens', () => {
  it.each([
    ['', 0],
    ['The refund arrives within seven days.', 11],
    ['返金は七日以内に届きます。', 13],
    ['Возврат приходит через семь дней.', 16],
    ['환불은 7일 이내에 도착합니다.', 14],
  ])('of %j are estimated by script', (text, tokens) => {
    expect(tokensOf(text)).toBe(tokens)
  })

  it('are counted in linear time', () => {
    expect(tokensOf('a返1 '.repeat(200_000))).toBeGreaterThan(300_000)
  })
})
