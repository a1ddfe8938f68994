import snowball from 'snowball-stemmers'
import { functionWordsOf, lightWordsOf, stemmerOf } from './languages.js'

/**
 * Text → terms. The same analysis makes the field `terms` of a passage and the terms of a question, so a search engine has
 * only to split at blanks: ranking is the same on every store. A term never contains white space.
 */

/**
 * `start` and `end` are offsets in the analysed text; the tokens of one word share its `position`: a name stands whole and in
 * its parts, and pairs of characters bridge differing cuts of a script without spaces.
 */
export type Token = {
  term: string
  start: number
  end: number
  position: number
  kind: 'word' | 'whole' | 'part' | 'pair'
}

/** Bump it when terms change: passages carry it, and what was indexed under another number is indexed again. */
export const ANALYSIS_VERSION = 1

/** A run of letters and digits, with what may join them inside of one name: HELPDESK_API_KEY, /health/live, e-mail, 3.5, don't. */
const CHUNK =
  /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:(?:[_\-‐‑./:@'’&+#]|(?<=\p{N}),(?=\p{N}))[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*/gu
const PLAIN_WORD = /^[\p{L}\p{M}]+$/u
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
/** Scripts whose characters pair up; in the others a pair of letters means nothing. */
const PAIRED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu
const HAS_WITHOUT_SPACES = new RegExp(WITHOUT_SPACES.source, 'u')
/** Where a name falls apart: at its joints, between fooBar's humps, between letters and digits. */
const PARTS = /\p{Lu}+(?![\p{Ll}])|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}+|\p{N}+/gu
/** Marks that are only accents: what somebody on a plain keyboard leaves out. Vowel signs of Indic and Thai are not. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/gu
/** A longer name is a URL or a blob: nobody asks for it whole. */
const LONGEST_WHOLE = 64

const fold = (word: string): string =>
  /^[\x00-\x7f]*$/u.test(word)
    ? word
    : word
        .normalize('NFD')
        .replace(ACCENTS, '')
        .normalize('NFC')
        .replaceAll('ß', 'ss')
        .replaceAll('ø', 'o')
        .replaceAll('ł', 'l')
        .replaceAll('ı', 'i')

type Stem = (word: string) => string

const STEMS_KEPT = 20_000
const stems = new Map<string, Stem>()

/** One stemmer per language, its answers remembered: words repeat, and a stemmer costs microseconds for each. */
const stemOf = (language: string): Stem => {
  const known = stems.get(language)
  if (known) return known
  const algorithm = stemmerOf(language)
  const stemmer = algorithm ? snowball.newStemmer(algorithm) : undefined
  const cache = new Map<string, string>()
  const stem: Stem = (word) => {
    let found = cache.get(word)
    if (found === undefined) {
      found = fold(stemmer ? stemmer.stem(spelled(word, language)) : word) || fold(word)
      if (cache.size >= STEMS_KEPT) cache.clear()
      cache.set(word, found)
    }
    return found
  }
  stems.set(language, stem)
  return stem
}

/** One spelling where a language allows two: German umlauts typed as ae, oe, ue are the same word. */
const spelled = (word: string, language: string): string =>
  language === 'de'
    ? word.replace(/ae|oe|(?<![aeq])ue/gu, (pair) => ({ ae: 'ä', oe: 'ö', ue: 'ü' })[pair] ?? pair)
    : word

const segmenters = new Map<string, Intl.Segmenter>()
const wordsOf = (text: string, language: string) => {
  let segmenter = segmenters.get(language)
  if (!segmenter) segmenters.set(language, (segmenter = new Intl.Segmenter(language, { granularity: 'word' })))
  return segmenter.segment(text)
}

/** All tokens of `text`, function words left out. Acronyms that look like one (IT, WHO, US) stay. */
export const tokens = (text: string, language: string): Token[] => {
  const found: Token[] = []
  const stem = stemOf(language)
  const functionWords = functionWordsOf(language)
  const shouting = text === text.toUpperCase()
  let position = 0
  const add = (term: string, start: number, end: number, kind: Token['kind']) => {
    if (term) found.push({ term, start, end, position, kind })
  }
  const addWord = (raw: string, start: number, kind: 'word' | 'part' = 'word') => {
    const word = raw.normalize('NFKC').toLowerCase()
    const acronym = !shouting && raw.length > 1 && raw !== word && raw === raw.toUpperCase()
    if (!acronym && functionWords.has(word)) return
    add(stem(word), start, start + raw.length, kind)
  }
  for (const match of text.matchAll(CHUNK)) {
    const chunk = match[0]
    const at = match.index
    if (HAS_WITHOUT_SPACES.test(chunk)) {
      addUnspaced(chunk, at)
    } else if (PLAIN_WORD.test(chunk) && !/\p{Ll}\p{Lu}/u.test(chunk)) {
      addWord(chunk, at)
    } else {
      addName(chunk, at)
    }
    position++
  }
  return found

  function addName(chunk: string, at: number) {
    const plain = chunk.normalize('NFKC').toLowerCase().replaceAll('’', "'")
    // English possessives and other short tails are grammar: Anthropic's, don't.
    const apostrophe = /^([\p{L}\p{M}]+)'([\p{L}\p{M}]+)$/u.exec(plain)
    if (apostrophe?.[1] && apostrophe[2]) {
      addWord(chunk.slice(0, apostrophe[1].length), at)
      if (apostrophe[2].length > 1)
        addWord(chunk.slice(-apostrophe[2].length), at + chunk.length - apostrophe[2].length)
      return
    }
    const whole = /^\d{1,3}(?:[,.]\d{3})+$/u.test(plain) ? plain.replace(/[,.]/gu, '') : plain.replace(/['‐‑-]/gu, '')
    if (whole.length <= LONGEST_WHOLE) {
      add(PLAIN_WORD.test(whole) ? stem(whole) : fold(whole), at, at + chunk.length, 'whole')
    }
    for (const part of chunk.matchAll(PARTS)) {
      if (part[0].length < chunk.length) addWord(part[0], at + part.index, 'part')
    }
  }

  /** Words as the segmenter cuts them, and every pair of neighbours: the pairs match where two cuts differ. */
  function addUnspaced(chunk: string, at: number) {
    for (const { segment, index, isWordLike } of wordsOf(chunk, language)) {
      if (isWordLike) addWord(segment, at + index)
      position++
    }
    for (const run of chunk.matchAll(PAIRED)) {
      const letters = [...run[0]]
      let offset = at + run.index
      for (const [index, letter] of letters.entries()) {
        const next = letters[index + 1]
        if (next && letters.length > 2) add(fold(letter + next), offset, offset + letter.length + next.length, 'pair')
        offset += letter.length
      }
    }
  }
}

export const terms = (text: string, language: string): string[] => tokens(text, language).map(({ term }) => term)

const lightTerms = new Map<string, ReadonlySet<string>>()

/** Terms of the language's light words. */
export const lightTermsOf = (language: string): ReadonlySet<string> => {
  const known = lightTerms.get(language)
  if (known) return known
  const found = new Set(terms(lightWordsOf(language), language))
  lightTerms.set(language, found)
  return found
}
