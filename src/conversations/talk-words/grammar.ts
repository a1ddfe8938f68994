/**
 * What people write when they ask nothing, by language. Words are without accents and apostrophes ("c'est" is `cest`). In a phrase
 * `(a|b)` is a choice, `?` makes what stands before it optional, `*` is any one word, `…` up to four of them, `#` a number,
 * `^` the beginning of a clause and `$` its end.
 */
export type Grammar = {
  greeting: string[]
  thanks: string[]
  goodbye: string[]
  /** Said beside the others; says nothing by itself. */
  padding: string[]
  /** A name may follow: "Thanks Anna". */
  beforeName: string[]
  /** Asks for a person only when nothing else is said. */
  bare: string[]
  /** Asks for a person wherever it stands. */
  person: string[]
  /** Dissatisfaction, wherever it stands, unless a question stands beside it. */
  complaint: string[]
  /** Dissatisfaction only when nothing else is said: with an object it describes a problem. */
  grumble: string[]
  /** Questions that want no answer. */
  rhetorical: string[]
  /** How a clause begins that asks, where the question mark is missing. */
  question: string[]
}

/** Understood in every language. */
export const EVERYWHERE = {
  greeting: ['(hi|hey|hello|hy)', 'emojiwave'],
  thanks: ['(ok|okay|okey|oki|k|kk|top|super|thx|thanks)', 'emojithanks'],
  goodbye: ['(bye|byebye)'],
  grumble: ['emojiangry', 'wtf'],
}
