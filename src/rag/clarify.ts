import { attemptsIn } from './attempts.js'
import { isName } from './extract.js'
import { presence, type Ranked, type WeightedQuery } from './ranking.js'
import type { Retrieved } from './search.mongo.js'

/**
 * Asking back where nothing can be proved: what is asked stands in several places, and the customer says which is meant. The
 * choices are headings and titles, word for word, so that nothing is said that no document says. Pure.
 */

/** Where in a document: the headings above it, all of them. */
export type Place = { documentId: string; headings: string[] }

/** A place by the name that no other one of those offered bears. */
export type Choice = Place & { label: string; title: string }

/** A passage that may be meant, and how much of the question it has. */
export type Meant = Place & {
  passageId: string
  version: number
  title: string
  score: number
  /** Content words of the question that do not stand there. */
  missing: number
  /** It has the word that tells most. */
  hasRarest: boolean
}

/** Enough to say why it was asked back or not, and to find the same again. */
export type Clarification = {
  /** Content words of the question, and whether one of them is a name. */
  words: number
  isNamed: boolean
  meant: Meant[]
  outcome: 'asked' | 'nothing_named' | 'too_long' | 'one_place'
  choices: Choice[]
}

/** Passages that are looked at. */
const READ = 16
/** A question with more content words says what it means: whoever asks it is not asked back. */
const MOST_WORDS = 4
/** The same where it names a thing, by a name. */
const MOST_WORDS_NAMED = 8
/** Of a word at least this much stands there: itself or its kin. */
const MOSTLY = 0.5
/** What fits much worse than the best is not meant. */
const CLOSE = 0.4
const MOST_CHOICES = 4
/** Characters: longer headings are sentences, and no button holds them. */
const LONGEST_LABEL = 80

export const clarify = (ranked: readonly Ranked<Retrieved>[]): Clarification => {
  const read = [...ranked].sort((a, b) => b.score - a.score).slice(0, READ)
  const words = contentOf(read[0]?.query)
  const asked = { words: words.length, isNamed: words.some(({ surface }) => isName(surface)), meant: read.map(meantBy) }
  return { ...asked, ...chosenFrom(asked) }
}

/** What is offered of what may be meant: again, the same. */
export const chosenFrom = ({
  words,
  isNamed,
  meant,
}: Pick<Clarification, 'words' | 'isNamed' | 'meant'>): Pick<Clarification, 'outcome' | 'choices'> => {
  const none = (outcome: Clarification['outcome']) => ({ outcome, choices: [] })
  const fitting = meant.filter(({ missing, hasRarest }) => hasRarest && missing <= Math.max(words - 2, words / 2))
  const [best] = fitting
  // At least one has as much as a sentence has to hold of a question (`extract`): nobody is asked for nothing.
  if (!best || fitting.every(({ missing }) => missing > Math.max(0, words - 2))) return none('nothing_named')
  if (words > (isNamed ? MOST_WORDS_NAMED : MOST_WORDS)) return none('too_long')
  const places = distinct(fitting.filter(({ score }) => score >= CLOSE * best.score)).slice(0, MOST_CHOICES)
  const choices = labelled(places)
  return choices.length < 2 ? none('one_place') : { outcome: 'asked', choices }
}

/** Whether a passage stands in that place itself, not below it. */
export const standsIn = ({ documentId, headings }: Place, passage: Place): boolean =>
  keyOf({ documentId, headings }) === keyOf(passage)

const keyOf = ({ documentId, headings }: Place): string => JSON.stringify([documentId, ...headings])

const contentOf = (query: WeightedQuery | undefined) =>
  query?.words.flatMap((word, at) => (word.light ? [] : [{ ...word, weight: query.weights[at] ?? 0 }])) ?? []

const meantBy = ({ candidate, query, score }: Ranked<Retrieved>): Meant => {
  const { passageId, documentId, version, title, headings } = candidate
  const present = new Set([...candidate.terms.split(' '), ...candidate.headingTerms.split(' ')])
  const words = contentOf(query).map((word) => ({ ...word, isHere: presence(word, present) >= MOSTLY }))
  const rarest = Math.max(...words.map(({ weight }) => weight))
  return {
    passageId,
    documentId,
    version,
    title,
    headings,
    score,
    missing: words.filter(({ isHere }) => !isHere).length,
    hasRarest: words.some(({ weight, isHere }) => isHere && weight === rarest),
  }
}

const distinct = (meant: readonly Meant[]): Meant[] =>
  [...new Map([...meant].reverse().map((one) => [keyOf(one), one])).values()].reverse()

/** Each by its deepest name that none of the others bears; what has no such name cannot be told from them. */
const labelled = (places: readonly Meant[]): Choice[] => {
  const names = places.map(({ headings, title }) => [...headings.toReversed(), title])
  const folded = names.map((all) => new Set(all.map(fold)))
  return places.flatMap(({ documentId, headings, title }, at) => {
    const isOwn = (name: string) => folded.every((others, other) => other === at || !others.has(fold(name)))
    const label = names[at]?.find((name) => isOwn(name) && isSayable(name))
    return label === undefined ? [] : [{ documentId, headings, title, label }]
  })
}

const fold = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim()

/** Signs that turn the direction of what follows, or break a line, have no place on a button. */
const UNSAYABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

/** What a document says to the assistant is not offered to customers. */
const isSayable = (name: string): boolean =>
  name.length <= LONGEST_LABEL && /\p{L}/u.test(name) && !UNSAYABLE.test(name) && attemptsIn(name).length === 0
