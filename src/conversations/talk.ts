import { ar } from './talk-words/ar.js'
import { de } from './talk-words/de.js'
import { en } from './talk-words/en.js'
import { es } from './talk-words/es.js'
import { fr } from './talk-words/fr.js'
import type { Grammar } from './talk-words/grammar.js'
import { it } from './talk-words/it.js'
import { pt } from './talk-words/pt.js'

/** What a customer's message is when it asks nothing that documents could answer. */
export type Talk = { kind: TalkKind; language: string }

/** What a kind word answers; the others are for a person. */
export const SMALL_TALK = ['greeting', 'thanks', 'goodbye'] as const
export type SmallTalk = (typeof SMALL_TALK)[number]
type TalkKind = SmallTalk | 'complaint' | 'person'

/** Small talk is short; a longer message says something, and its typing errors are left alone. */
const LONGEST_TALK = 40

/** Shorter words are too near to others to be corrected. */
const SHORTEST_CORRECTED = 5

/**
 * Tells small talk, complaints and requests for a person from questions, without a model. A request for a person is found
 * anywhere in the text; a complaint too, unless a question stands beside it; greetings, thanks and goodbyes only when nothing
 * else is said, so that a question is never taken for politeness. `null` is a question, or what nobody can tell.
 * The language in which the fewest words are
 * misspelt is the customer's; `likely`, the conversation's, decides where words are of several ("ok", "ciao").
 */
export const recogniseTalk = (text: string, likely: string | null = null): Talk | null => {
  const tokens = tokenise(text)
  const readings = LANGUAGES.map((language) => {
    const spoken = corrected(tokens, language.vocabulary)
    const slips = spoken.filter((token, at) => token !== tokens[at]).length
    return { language, spoken, slips, unlikely: Number(language.code !== likely) }
  }).sort((a, b) => a.slips - b.slips || a.unlikely - b.unlikely)
  for (const kindIn of [asksForPerson, complains, politeKind]) {
    for (const { language, spoken } of readings) {
      // A word that only looks like a misspelt reproach ("estaba", "estafa") is none.
      const kind = kindIn(kindIn === complains ? tokens : spoken, language.rules)
      if (kind) return { kind, language: language.code }
    }
  }
  return null
}

type Token = { word: string; isName: boolean; isMark: boolean }
type Rules = { [key in keyof Grammar]: RegExp[] }

const asksForPerson = (tokens: Token[], rules: Rules): TalkKind | null => {
  if (matches(rules.person, joined(tokens))) return 'person'
  return covered(tokens, rules).has('bare') ? 'person' : null
}

/** Dissatisfaction is for a person, unless what is asked beside it can be answered. */
const complains = (tokens: Token[], rules: Rules): TalkKind | null => {
  const said = covered(tokens, rules)
  if (said.has('grumble')) return 'complaint'
  const sentences = joined(tokens).match(/[^.?!]+[.?!]?_?/g) ?? []
  const isQuestion = (sentence: string) =>
    (sentence.includes('?') || matches(rules.question, sentence)) && !matches(rules.rhetorical, sentence)
  if (sentences.some(isQuestion)) return null
  return sentences.some((sentence) => matches(rules.complaint, sentence) || matches(rules.rhetorical, sentence))
    ? 'complaint'
    : null
}

const politeKind = (tokens: Token[], rules: Rules): TalkKind | null => {
  const said = covered(tokens, rules)
  return POLITE.find((kind) => said.has(kind)) ?? null
}

/** Who says goodbye with thanks leaves; who greets with thanks says thanks. */
const POLITE = ['goodbye', 'thanks', 'greeting'] as const
const COVERING = ['bare', 'grumble', ...POLITE, 'padding'] as const

/** The kinds of phrase that the whole text is made of, the longest phrase first; empty when anything else is said. */
const covered = (tokens: Token[], rules: Rules): Set<string> => {
  const words = tokens.filter(({ isMark }) => !isMark)
  const found = new Set<string>()
  if (words.length === 0 || words.length > LONGEST_TALK) return found
  for (let at = 0, addressed = false; at < words.length; ) {
    const rest = joined(words.slice(at))
    const phrases = COVERING.map((kind) => ({ kind, length: longestMatch(rules[kind], rest) }))
    const longest = phrases.reduce((best, phrase) => (phrase.length > best.length ? phrase : best))
    if (longest.length > 0) {
      found.add(longest.kind)
      at += longest.length
      addressed = matches(rules.beforeName, `${words[at - 1]?.word}_`)
    } else if (addressed && words[at]?.isName) at += 1
    else return new Set()
  }
  return found
}

/** In words. */
const longestMatch = (phrases: readonly RegExp[], text: string): number =>
  Math.max(...phrases.map((phrase) => (phrase.exec(text)?.[0].split('_').length ?? 1) - 1))

const matches = (phrases: readonly RegExp[], text: string): boolean => phrases.some((phrase) => phrase.test(text))

/** Words each ending in `_`, which is what the compiled phrases expect; marks of punctuation stand as words of their own. */
const joined = (tokens: readonly Token[]): string => tokens.map(({ word }) => `${word}_`).join('')

/** Characters: nobody greets, thanks or complains for longer; what follows is a story. */
const READ = 4_000

const EMOJI: Record<string, string> = {
  '👍': 'emojithanks',
  '🙏': 'emojithanks',
  '👌': 'emojithanks',
  '❤': 'emojithanks',
  '👋': 'emojiwave',
  '😡': 'emojiangry',
  '😠': 'emojiangry',
  '🤬': 'emojiangry',
  '👎': 'emojiangry',
}

/** Without case, accents, apostrophes and long-drawn letters; emoji that say nothing are dropped. */
const tokenise = (text: string): Token[] => {
  // One sign may become eighteen: what is longer than talk is not looked at before it is normalised, nor after.
  const plain = text
    .slice(0, READ)
    .normalize('NFKC')
    .slice(0, READ)
    .replace(/[\p{Cf}'’‘`´]/gu, '')
  const found = plain.matchAll(/[\p{L}\p{M}\p{N}]+|\p{Extended_Pictographic}|[?？؟]|[.!;:…\n¡¿]+|[,–—]/gu)
  return [...found].flatMap(([given]): Token[] => {
    if (/^\p{Extended_Pictographic}/u.test(given)) {
      const word = EMOJI[given]
      return word ? [{ word, isName: false, isMark: false }] : []
    }
    if (/^[?？؟]/.test(given)) return [{ word: '?', isName: false, isMark: true }]
    if (!/^[\p{L}\p{M}\p{N}]/u.test(given)) {
      return [{ word: /^[,–—]/.test(given) ? ',' : '.', isName: false, isMark: true }]
    }
    return [{ word: folded(given), isName: /^\p{Lu}\p{Ll}+$/u.test(given), isMark: false }]
  })
}

/** Without accents; Arabic loses its vowel signs and the seats of its hamza. */
const unmarked = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '')

const folded = (word: string): string =>
  unmarked(word)
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('œ', 'oe')
    .replace(/\u0640/gu, '')
    .replace(/(\p{L})\1{2,}/gu, '$1')

type Vocabulary = { words: Set<string>; bySqueezed: Map<string, string>; long: string[] }

const squeezed = (word: string): string => word.replace(/(.)\1+/g, '$1')

const vocabularyOf = (grammar: Grammar): Vocabulary => {
  const words = new Set(
    Object.values(grammar)
      .flat()
      .map(unmarked)
      .join(' ')
      .match(/\p{L}+/gu),
  )
  const inReverse = [...words].reverse()
  return {
    words,
    bySqueezed: new Map(inReverse.map((word) => [squeezed(word), word])),
    long: [...words].filter(({ length }) => length >= SHORTEST_CORRECTED),
  }
}

/** Words that are one slip away from one that the language's phrases know become that word. */
const corrected = (tokens: Token[], { words, bySqueezed, long }: Vocabulary): Token[] => {
  if (tokens.length > LONGEST_TALK) return tokens
  return tokens.map((token) => {
    const { word, isMark } = token
    if (isMark || words.has(word)) return token
    const near = bySqueezed.get(squeezed(word)) ?? long.find((known) => isSlip(word, known))
    return near ? { ...token, word: near } : token
  })
}

/**
 * One letter missing, too many, wrong, or two swapped. A first letter that differs makes another word, and a last one that
 * is added or differs another form of it ("agents").
 */
const isSlip = (word: string, known: string): boolean => {
  const more = word.length - known.length
  if (word[0] !== known[0] && word[0] !== known[1]) return false
  if (more < -1 || more > 1 || word.length < SHORTEST_CORRECTED - 1) return false
  let at = 0
  while (at < word.length && word[at] === known[at]) at += 1
  const rest = word.slice(at)
  const wanted = known.slice(at)
  if (more === -1) return at > 0 && rest === wanted.slice(1)
  if (more === 1) return rest.length > 1 && rest.slice(1) === wanted
  if (rest.slice(2) === wanted.slice(2) && rest[0] === wanted[1] && rest[1] === wanted[0]) return true
  return at > 0 && rest.length > 1 && rest.slice(1) === wanted.slice(1)
}

/** The notation of `talk-words/grammar.ts` as an expression over words that end in `_`; `start` says where it may begin. */
const compiled = (phrase: string, start: string): RegExp => {
  const source = unmarked(phrase)
    .replace(/\p{L}+/gu, '(?:$&_)')
    .replace(/\s+/g, '')
    .replaceAll('^', '(?<=(?:^|[.?,]_))')
    .replaceAll('*', '(?:[^_.?,]+_)')
    .replaceAll('…', '(?:[^_.?,]+_){0,4}')
    .replaceAll('#', '(?:\\d+[a-z]*_)')
    .replaceAll('$', '(?=[.?,]|$)')
  return new RegExp(`${start}(?:${source})`)
}

/** What covers a text is read from where the last phrase ended; the rest is looked for at the beginning of any word. */
const rulesOf = (grammar: Grammar): Rules => {
  const covers = new Set<string>(COVERING)
  const entries = Object.entries(grammar).map(([kind, phrases]) => [
    kind,
    phrases.map((phrase) => compiled(phrase, covers.has(kind) ? '^' : '(?<![^_])')),
  ])
  return Object.fromEntries(entries) as Rules
}

/** The order decides where a phrase is of several languages. */
const LANGUAGES = Object.entries({ en, pt, it, es, fr, de, ar }).map(([code, grammar]) => ({
  code,
  vocabulary: vocabularyOf(grammar),
  rules: rulesOf(grammar),
}))
