import { terms } from '../analysis.js'
import { LEXICONS, phrases, type Lexicon, type Narrowing, type OperatorClass } from './words.js'

/** The lexicon made ready: phrases by their first word, the longest first. */
export type Phrase = {
  words: readonly string[]
  as: { operator: OperatorClass; beforeNumber: boolean } | { same: string } | 'neutral' | 'framing'
}
export type Vocabulary = {
  language: string
  lexicon: Lexicon | undefined
  phrases: ReadonlyMap<string, readonly Phrase[]>
  addable: ReadonlySet<string>
  joints: ReadonlySet<string>
  prepositions: ReadonlySet<string>
  agent: ReadonlySet<string>
  passive: ReadonlySet<string>
  you: ReadonlySet<string>
  we: ReadonlySet<string>
  third: ReadonlySet<string>
  customer: ReadonlySet<string>
  pointing: ReadonlySet<string>
  narrowing: NarrowingWords
  /** Stem → the groups of words of the same meaning that it is in. */
  groups: ReadonlyMap<string, readonly string[]>
}

const vocabularies = new Map<string, Vocabulary>()

export const vocabularyOf = (language: string): Vocabulary => {
  const known = vocabularies.get(language)
  if (known) return known
  const lexicon = Object.hasOwn(LEXICONS, language) ? LEXICONS[language] : undefined
  const byFirst = new Map<string, Phrase[]>()
  const addPhrase = (written: string, as: Phrase['as']) => {
    const parts = written.split(' ')
    const first = parts[0] ?? ''
    byFirst.set(first, [...(byFirst.get(first) ?? []), { words: parts, as }])
  }
  for (const [operator, written] of Object.entries(lexicon?.operators ?? {}) as [OperatorClass, string][]) {
    for (const phrase of phrases(written))
      addPhrase(phrase.replace('#', ''), { operator, beforeNumber: phrase.endsWith('#') })
  }
  for (const phrase of phrases(lexicon?.neutral ?? '')) addPhrase(phrase, 'neutral')
  for (const phrase of phrases(lexicon?.framing ?? '')) addPhrase(phrase, 'framing')
  const groups = new Map<string, string[]>()
  for (const [at, group] of phrases(lexicon?.same ?? '').entries()) {
    for (const word of group.split(' ')) {
      if (word.includes('-')) {
        addPhrase(word.replaceAll('-', ' '), { same: `same:${at}` })
        continue
      }
      const stem = stemOf(word, language)
      groups.set(stem, [...(groups.get(stem) ?? []), `same:${at}`])
    }
  }
  for (const found of byFirst.values()) found.sort((a, b) => b.words.length - a.words.length)
  const vocabulary: Vocabulary = {
    language,
    lexicon,
    phrases: byFirst,
    addable: words(lexicon?.addable),
    joints: words(lexicon?.joints),
    prepositions: words(lexicon?.prepositions),
    agent: words(lexicon?.agent),
    passive: words(lexicon?.passive),
    you: words(lexicon?.you),
    we: words(lexicon?.we),
    third: words(lexicon?.third),
    customer: words(lexicon?.customer),
    pointing: words(lexicon?.pointing),
    narrowing: narrowingOf(lexicon),
    groups,
  }
  vocabularies.set(language, vocabulary)
  return vocabulary
}

const words = (written: string | undefined): ReadonlySet<string> =>
  new Set((written ?? '').split(/\s+/u).filter(Boolean))

type NarrowingWords = Record<Exclude<keyof Narrowing, 'pastForms' | 'pastEnding'>, ReadonlySet<string>> & {
  isPastForm: (word: string) => boolean
}

/** A text in no language that is known may be in any: then all of their words count. */
const narrowingOf = (lexicon: Lexicon | undefined): NarrowingWords => {
  const all = (lexicon ? [lexicon] : Object.values(LEXICONS)).map(({ narrowing }) => narrowing)
  const of = (field: keyof Narrowing) => words(all.map((one) => one[field]).join(' '))
  const forms = of('pastForms')
  const endings = all.flatMap(({ pastEnding }) => (pastEnding ? [new RegExp(`${pastEnding}$`, 'u')] : []))
  return {
    respectively: of('respectively'),
    ranges: of('ranges'),
    ages: of('ages'),
    and: of('and'),
    per: of('per'),
    every: of('every'),
    periods: of('periods'),
    when: of('when'),
    opening: of('opening'),
    purposes: of('purposes'),
    granted: of('granted'),
    partitive: of('partitive'),
    discourse: of('discourse'),
    relative: of('relative'),
    past: of('past'),
    present: of('present'),
    isPastForm: (word) => forms.has(word) || endings.some((ending) => ending.test(word)),
  }
}

const STEMS_KEPT = 20_000
const stems = new Map<string, string>()

export const stemOf = (word: string, language: string): string => {
  const key = `${language}:${word}`
  let stem = stems.get(key)
  if (stem === undefined) {
    stem = terms(word, language)[0] ?? word
    if (stems.size >= STEMS_KEPT) stems.clear()
    stems.set(key, stem)
  }
  return stem
}
