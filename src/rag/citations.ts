import type { Retrieved } from './search.mongo.js'
import type { ProvedSentence, Quote } from './verdicts.js'

/** A part of a passage's text, word for word, that a sentence of the answer rests on, and where the passage stands. */
export type Citation = {
  documentId: string
  passageId: string
  title: string
  quote: string
  headings: string[]
  /** Of a document that has pages. */
  page: number | null
}

export const citationOf = (passage: Retrieved, start: number, end: number): Citation => ({
  documentId: passage.documentId,
  passageId: passage.passageId,
  title: passage.title,
  quote: passage.text.slice(start, end),
  headings: passage.headings,
  page: passage.page,
})

/** Gives each quote of an answer its number, the same one whenever it comes again. */
export const makeNumbering = (passages: readonly Retrieved[]) => {
  const citations: Citation[] = []
  const numbers = new Map<string, number>()
  const marked: string[] = []

  const numberOf = ({ passageId, start, end }: Quote): number | null => {
    const passage = passages.find((one) => one.passageId === passageId)
    if (!passage) return null
    const key = `${passageId}:${start}:${end}`
    const known = numbers.get(key)
    if (known) return known
    const number = citations.push(citationOf(passage, start, end))
    numbers.set(key, number)
    return number
  }

  return {
    /** The sentence with its marks, and all citations so far. */
    add: ({ text, quotes }: ProvedSentence): { text: string; citations: Citation[] } => {
      const marks = [...new Set(quotes.map(numberOf))].map((number) => `[${number}]`).join('')
      const sentence = `${text} ${marks}`
      marked.push(sentence)
      return { text: sentence, citations: [...citations] }
    },
    /** All sentences that were added. */
    whole: (): { text: string; citations: Citation[] } => ({ text: marked.join(' '), citations }),
  }
}
