import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeSentenceReader } from '../../src/rag/claims.js'

const sentence = (text: string) => ({ text, citations: [{ passage: 1, quote: text }] })
const written = (...texts: string[]) => JSON.stringify({ sentences: texts.map(sentence) })

const readAll = (pieces: readonly string[]) => {
  const reader = makeSentenceReader()
  const found = pieces.flatMap((piece) => reader.push(piece))
  reader.end()
  return found.map(({ text }) => text)
}

describe("a model's sentences", () => {
  it('are read as soon as each is complete', () => {
    const reader = makeSentenceReader()
    const json = written('One.', 'Two.')
    const firstEnds = json.indexOf('},{') + 1
    expect(reader.push(json.slice(0, firstEnds - 1))).toEqual([])
    expect(reader.push(json.slice(firstEnds - 1, firstEnds)).map(({ text }) => text)).toEqual(['One.'])
    expect(reader.done()).toBe(false)
    expect(reader.push(json.slice(firstEnds)).map(({ text }) => text)).toEqual(['Two.'])
    expect(reader.done()).toBe(true)
  })

  it('are the same however the text is cut into pieces, with braces, quotes and brackets inside', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((it) => it.trim() === it && it !== '')
    const odd = fc.constantFrom('}', '{"a":[1,2]}', '"]}', '\\', '\\"', '],"sentences":[', '{{{{', '💬 “x”')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, odd), { maxLength: 5 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (all, cuts) => {
          const json = written(...all)
          const places = [0, ...cuts.map((cut) => cut % json.length).sort((a, b) => a - b), json.length]
          const pieces = places.slice(1).map((end, index) => json.slice(places[index], end))
          expect(readAll(pieces)).toEqual(all)
        },
      ),
    )
  })

  it('that go on and on are given up long before the model is done', () => {
    const reader = makeSentenceReader()
    reader.push('{"sentences":[{"text":"')
    const goOn = () => {
      for (let written = 0; written < 13_000; written += 100) reader.push('x'.repeat(100))
    }
    expect(goOn).toThrow('a sentence without an end')
  })

  it('may be none: the model found no answer', () => {
    expect(readAll(['{"sentences":', ' [ ] }'])).toEqual([])
  })

  it('are found behind a fence or a word too many', () => {
    expect(readAll(['```json\n{"sentences":[', JSON.stringify(sentence('One.')), ']}\n```'])).toEqual(['One.'])
  })

  it.each([
    ['prose', ['The answer is 42.']],
    ['an answer that breaks off', ['{"sentences":[{"text":"One']],
    ['a list that never ends', [written('One.').slice(0, -2)]],
    ['a sentence without citations', ['{"sentences":[{"text":"One."}]}']],
    ['a citation by name', ['{"sentences":[{"text":"One.","citations":[{"passage":"first","quote":"One."}]}]}']],
    ['an empty sentence', ['{"sentences":[{"text":"  ","citations":[]}]}']],
    ['strings instead of sentences', ['{"sentences":["One."]}']],
    ['nothing', ['']],
    ['broken JSON inside', ['{"sentences":[{"text":One}]}']],
    ['a sentence without an end', ['{"sentences":[{"text":"', 'x'.repeat(20_000)]],
    ['megabytes of something else', Array.from({ length: 100 }, () => 'x'.repeat(100_000))],
  ])('are refused as a whole when it is %s', (_what, pieces) => {
    expect(() => readAll(pieces)).toThrow(expect.objectContaining({ code: 'model_garbled' }))
  })

  it('are followed by nothing that counts', () => {
    const reader = makeSentenceReader()
    expect(reader.push(`${written('One.')}{"sentences":[{"text":"Two.","citations":[]}]}`)).toHaveLength(1)
    expect(reader.push(JSON.stringify(sentence('Three.')))).toEqual([])
    reader.end()
  })
})
