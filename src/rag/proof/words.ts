import { de } from './words/de.js'
import { en } from './words/en.js'
import { es } from './words/es.js'
import { fr } from './words/fr.js'
import { it } from './words/it.js'
import { pt } from './words/pt.js'

/**
 * What the proof knows of a language. Operators are the words that turn a sentence's meaning without naming a thing: negations,
 * restrictions, modals, quantifiers, bounds. A language that is not here is proved by its literal words alone.
 */
export type OperatorClass = keyof typeof RULES

/**
 * What may happen to an operator between passage and sentence. `drop`: leaving it out is a fault `always`, only while a word that it
 * stands beside is `kept`, only while the `number` after it is kept, or never. `add`: it may appear without one in the
 * passage. `from`: other operators of the passage that it may stand for, because they say at least as much.
 */
type OperatorRule = {
  fault: 'negation' | 'condition' | 'modal' | 'quantity' | 'order'
  drop: 'always' | 'kept' | 'number' | 'free'
  from?: readonly string[]
}

const RULES = {
  not: { fault: 'negation', drop: 'kept', from: ['never'] },
  never: { fault: 'negation', drop: 'kept' },
  without: { fault: 'negation', drop: 'kept' },
  except: { fault: 'condition', drop: 'always' },
  unless: { fault: 'condition', drop: 'always' },
  if: { fault: 'condition', drop: 'always' },
  despite: { fault: 'condition', drop: 'free' },
  only: { fault: 'condition', drop: 'kept' },
  may: { fault: 'modal', drop: 'kept', from: ['can'] },
  can: { fault: 'modal', drop: 'free', from: ['may'] },
  must: { fault: 'modal', drop: 'free' },
  should: { fault: 'modal', drop: 'kept' },
  hedge: { fault: 'modal', drop: 'kept' },
  all: { fault: 'quantity', drop: 'free' },
  most: { fault: 'quantity', drop: 'kept' },
  many: { fault: 'quantity', drop: 'kept' },
  some: { fault: 'quantity', drop: 'kept' },
  few: { fault: 'quantity', drop: 'kept' },
  always: { fault: 'quantity', drop: 'free' },
  usually: { fault: 'quantity', drop: 'kept' },
  often: { fault: 'quantity', drop: 'kept' },
  sometimes: { fault: 'quantity', drop: 'kept' },
  rarely: { fault: 'quantity', drop: 'kept' },
  atLeast: { fault: 'quantity', drop: 'kept' },
  atMost: { fault: 'quantity', drop: 'kept', from: ['within'] },
  within: { fault: 'quantity', drop: 'free', from: ['atMost'] },
  moreThan: { fault: 'quantity', drop: 'number' },
  lessThan: { fault: 'quantity', drop: 'number' },
  about: { fault: 'quantity', drop: 'number' },
  more: { fault: 'quantity', drop: 'kept' },
  less: { fault: 'quantity', drop: 'kept' },
  before: { fault: 'order', drop: 'kept' },
  after: { fault: 'order', drop: 'kept' },
  until: { fault: 'order', drop: 'kept' },
  since: { fault: 'order', drop: 'kept' },
  over: { fault: 'order', drop: 'free' },
  under: { fault: 'order', drop: 'free' },
  off: { fault: 'negation', drop: 'kept' },
  out: { fault: 'negation', drop: 'kept' },
  up: { fault: 'negation', drop: 'kept' },
  down: { fault: 'negation', drop: 'kept' },
} as const satisfies Record<string, OperatorRule>

export const OPERATOR_RULES: Readonly<Record<OperatorClass, OperatorRule>> = RULES

export type Lexicon = {
  /** Words and phrases, parted by `|`; a trailing `#` says: only before a number. */
  operators: Partial<Record<OperatorClass, string>>
  /** Phrases that look like operators and are none ("not only", "whether or not"). */
  neutral: string
  /** What may stand before a claim without being one. */
  framing: string
  /** Words that name nothing: they may be added, not put in another word's place. */
  addable: string
  /** Where a clause or an item of a list begins. */
  joints: string
  prepositions: string
  /** Marks the agent of a passive, and the auxiliaries that make one. */
  agent: string
  passive: string
  you: string
  we: string
  third: string
  /** What "you" may stand for. */
  customer: string
  /** Determiners that point back to something named before. */
  pointing: string
  /** Groups of words that mean the same, irregular forms among them; hyphens join what is written in several words. */
  same: string
  /** What the limits of a sentence are told by (restrictions.ts). */
  narrowing: Narrowing
}

export type Narrowing = {
  /** Ties two lists, item by item. */
  respectively: string
  /** Between the two ends of a range; signs apart. */
  ranges: string
  /** Years of age, which a number may go without. */
  ages: string
  and: string
  /** "Per user", "every month": the rate of a number, and of what. */
  per: string
  every: string
  periods: string
  /** Opens a condition without being an operator. */
  when: string
  /** Beside prepositions, what opens an adverbial that narrows the rest. */
  opening: string
  /** "To reset it, …": a purpose, which narrows nothing. */
  purposes: string
  /** What is granted is granted to those and there whom the next words name. */
  granted: string
  /** Prepositions that name no such circle. */
  partitive: string
  /** "For example", "on the other hand": words of openings that narrow nothing. */
  discourse: string
  relative: string
  /** What tells a report of what was. `pastForms` and `pastEnding` (a pattern) do so only beside no word of `present`. */
  past: string
  pastForms: string
  pastEnding: string
  present: string
}

const list = (words: string): string[] =>
  words
    .split('|')
    .map((word) => word.trim().replace(/\s+/gu, ' '))
    .filter(Boolean)

export const phrases = list

export const LEXICONS: Readonly<Record<string, Lexicon>> = { en, es, pt, de, fr, it }
