import { terms } from '../analysis.js'
import { functionWordsOf } from '../languages.js'
import {
  decimalOf,
  monthsOf,
  numberFigure,
  numberWordsOf,
  numericDates,
  scaled,
  unitOf,
  type Figure,
} from './figures.js'
import { LEXICONS, phrases, type Lexicon, type OperatorClass } from './words.js'

/**
 * A text as the proof reads it. `word`, `figure`, `code` and `operator` are solid: they must be found in the passage. A `filler`
 * carries grammar only, a `break` is punctuation that parts clauses or items.
 *
 * `keys`: two tokens that share one say the same. `joint`: a clause or an item begins here. `perhaps`: a filler that may be a
 * number ("a", "one").
 */
export type Token = {
  kind: 'word' | 'figure' | 'code' | 'operator' | 'filler' | 'break'
  text: string
  start: number
  end: number
  keys: readonly string[]
  capital: boolean
  joint: boolean
  operator?: OperatorClass | undefined
  figure?: Figure | undefined
  perhaps?: Figure | undefined
  /** Names nothing: may be added. */
  addable?: boolean | undefined
}

/** Letters and digits that a sentence may not hide: soft hyphens, joiners, marks of direction. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/gu

type Raw = {
  kind: 'word' | 'figure' | 'code' | 'break' | 'dash' | 'sign'
  text: string
  start: number
  end: number
  capital: boolean
  shouted: boolean
  figure?: Figure
}

const TLD =
  'com|org|net|io|dev|app|co|uk|de|es|pt|br|fr|it|eu|info|ai|help|shop|store|edu|gov|me|biz|cloud|online|example|test|local'
const PIECES = new RegExp(
  [
    '`(?<tick>[^`\\n]{1,300})`',
    '(?<link>(?:[a-z][a-z0-9+.-]{1,15}:\\/\\/|www\\.|mailto:|javascript:|data:|tel:)[^\\s<>"“”`]{1,2000})',
    '(?<mail>[\\p{L}\\p{N}._%+-]{1,64}@[\\p{L}\\p{N}-]{1,63}(?:\\.[\\p{L}\\p{N}-]{1,63}){1,5})',
    `(?<host>(?:[\\p{L}\\p{N}-]{1,63}\\.){1,4}(?:${TLD})(?![\\p{L}\\p{N}])(?:[/?#][^\\s<>"“”\`]{0,500})?)`,
    '(?<iso>\\p{Nd}{4}-\\p{Nd}{2}-\\p{Nd}{2}(?![\\p{Nd}]))',
    '(?<phone>(?<![\\p{L}\\p{N}])(?:\\+\\p{Nd}{1,3}[ .\\-]?(?:\\(\\p{Nd}{1,5}\\)[ .\\-]?)?\\p{Nd}{1,5}(?:[ .\\-/]?\\p{Nd}{2,5}){1,5}|\\(?0\\p{Nd}{1,5}\\)?(?:[ \\-/]\\p{Nd}{2,8}){1,4}|(?:1-)?\\p{Nd}{3}-\\p{Nd}{3}-\\p{Nd}{4})(?![\\p{L}\\p{N}]))',
    '(?<date>(?<![\\p{L}\\p{N}.,/])\\p{Nd}{1,2}([./-])\\p{Nd}{1,2}\\k<sep>(?:\\p{Nd}{4}|\\p{Nd}{2})(?![\\p{L}\\p{N}]))'.replace(
      '([./-])',
      '(?<sep>[./-])',
    ),
    '(?<clock>(?<![\\p{L}\\p{N}.,])\\p{Nd}{1,2}(?:(?::\\p{Nd}{2}(?::\\p{Nd}{2})?|h\\p{Nd}{2})(?:\\s?[ap]\\.?m\\b\\.?)?|(?:[.]\\p{Nd}{2})?\\s?(?:[ap]\\.?m\\b\\.?|Uhr\\b))(?![\\p{L}\\p{N}]))',
    '(?<fraction>(?<![\\p{L}\\p{N}/.,])\\p{Nd}{1,3}\\/\\p{Nd}{1,3}(?![\\p{L}\\p{N}/]))',
    '(?<flag>(?<![^\\s(])(?:--?|\\/)[\\p{L}][\\p{L}\\p{N}_/.-]{0,200})',
    '(?<tag><\\/?[\\p{L}][^<>\\n]{0,200}>)',
    '(?<version>(?<![\\p{L}\\p{N}.,])v?\\p{Nd}{1,5}(?:\\.\\p{Nd}{1,5}){2,4}(?![\\p{L}\\p{N}]))',
    "(?<number>(?:(?<![^\\s(])[-−])?(?:(?<![\\p{N}])\\p{Nd}{1,3}(?:[.,'’  \\u2009 ]\\p{Nd}{3})+(?:[.,]\\p{Nd}+)?|\\p{Nd}+(?:[.,]\\p{Nd}+)*)[½¼¾⅓⅔]?|[½¼¾⅓⅔])(?<suffix>(?:st|nd|rd|th|ers?|ères?|e|ème|º|ª|s)(?![\\p{L}\\p{N}]))?",
    '(?<name>(?:[\\p{L}_]|\\$(?=\\p{L}))[\\p{L}\\p{M}\\p{N}_$\\u00ad]*(?:[_./:@#\\\\=-]{1,2}[\\p{L}\\p{N}_$]+){0,20})',
    '(?<sign>[%‰°€$£¥₹#])',
    '(?<dash>(?<=\\p{N})\\s?[-–—]\\s?(?=\\p{N}))',
    '(?<stop>[,;:()\\[\\]{}—–|•·!?.…\\n]| - |[。、，；：！？])',
    // What is left of numerals ("⑧", "²", "Ⅷ") and signs ("≤", "❌"): a back-tick and a lone accent are none.
    '(?<mark>(?![`´¨˜])[\\p{N}\\p{S}\\p{Extended_Pictographic}])',
  ].join('|'),
  'giu',
)
/** Signs that compare, beside a number; elsewhere ("Settings > Security") they are signs like others. */
const COMPARISONS: Record<string, OperatorClass> = {
  '<': 'lessThan',
  '>': 'moreThan',
  '≤': 'atMost',
  '⩽': 'atMost',
  '≥': 'atLeast',
  '⩾': 'atLeast',
  '≠': 'not',
  '~': 'about',
  '≈': 'about',
  '±': 'about',
}
const COMPARING = /^[<>≤⩽≥⩾≠~≈±+]$/u
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const FRACTIONS: Record<string, string> = { '½': '.5', '¼': '.25', '¾': '.75', '⅓': '.333333', '⅔': '.666667' }

/** A name of a machine, not of a language: HELPDESK_API_KEY, fooBar, node.js, a/b/c, A4B2. */
const isCode = (chunk: string): boolean =>
  /_|::|=|\\|[$#@]/u.test(chunk) ||
  /\p{Ll}\p{Lu}/u.test(chunk) ||
  /\p{L}{2,}\.\p{Ll}{2,}/u.test(chunk) ||
  /\/.*\//u.test(chunk) ||
  /\p{L}\p{N}/u.test(chunk)

/** Digits of any script as ASCII. */
export const asciiDigits = (text: string): string =>
  /^[\x00-\x7f]*$/u.test(text)
    ? text
    : text.replace(/\p{Nd}/gu, (digit) => {
        const code = digit.codePointAt(0) ?? 0
        if (code < 0x80) return digit
        // Each script's ten digits stand in a row that begins at a multiple of its own: count back to its zero.
        let zero = code
        while (zero > code - 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1
        return String((code - zero) % 10)
      })

const pieces = (text: string, language: string): Raw[] => {
  const raws: Raw[] = []
  const shouting = text === text.toUpperCase()
  const put = (kind: Raw['kind'], written: string, start: number, end: number, figure?: Figure) =>
    raws.push({
      kind,
      text: written,
      start,
      end,
      capital: /^\p{Lu}/u.test(written),
      shouted: !shouting && written.length > 1 && written === written.toUpperCase() && /\p{Lu}/u.test(written),
      ...(figure ? { figure } : {}),
    })
  for (const match of text.matchAll(PIECES)) {
    const groups = match.groups ?? {}
    const start = match.index
    const end = start + match[0].length
    if (groups['tick']) {
      // What stands between back-ticks is read like the rest where it is words, and is one name where it is not.
      if (/^[\p{L}\p{M}\s]+$/u.test(groups['tick'])) {
        for (const word of groups['tick'].matchAll(/[\p{L}\p{M}]+/gu))
          put('word', word[0], start + 1 + word.index, start + 1 + word.index + word[0].length)
      } else put('code', groups['tick'], start, end)
    } else if (groups['link'] ?? groups['host'] ?? groups['mail']) {
      const address = match[0].replace(/[.,;:!?)\]}'’*]+$/u, '')
      put('code', address, start, start + address.length)
      if (address.length < match[0].length) put('break', match[0].slice(address.length), start + address.length, end)
    } else if (groups['phone'] ?? groups['version'] ?? groups['fraction'] ?? groups['flag'] ?? groups['tag']) {
      put(
        'code',
        asciiDigits(match[0])
          .replace(/\s+/gu, ' ')
          .replace(/[.-]+$/u, ''),
        start,
        end,
      )
    } else if (groups['iso'] ?? groups['date']) {
      const written = asciiDigits(match[0])
      const [first = 0, second = 0, third] = written.split(/[./-]/u).map(Number)
      // The year 25 written in full is not 2025.
      const readings = /(?:^|\D)0\d{3}(?!\d)/u.test(written) ? [] : numericDates(first, second, third)
      if (readings.length > 0) put('figure', match[0], start, end, { kind: 'date', readings })
      else put('code', asciiDigits(match[0]), start, end)
    } else if (groups['clock']) {
      put('figure', match[0], start, end, clockFigure(asciiDigits(match[0])))
    } else if (groups['number']) {
      addNumber(groups['number'], groups['suffix'] ?? '', start, end)
    } else if (groups['sign']) {
      put('word', match[0], start, end)
    } else if (groups['dash']) {
      // The dash of a range parts no clauses.
      put('dash', match[0], start, end)
    } else if (groups['stop']) {
      put('break', match[0], start, end)
    } else if (groups['mark']) {
      put(COMPARING.test(match[0]) ? 'sign' : 'code', match[0], start, end)
    } else {
      addName(match[0], start)
    }
  }
  return raws

  function addNumber(written: string, suffix: string, start: number, end: number) {
    const plain = asciiDigits(written)
    const fraction = /[½¼¾⅓⅔]$/u.exec(plain)?.[0]
    const negative = /^[-−]/u.test(plain)
    const digits = plain.replace(/^[-−]/u, '').replace(/[½¼¾⅓⅔]$/u, '')
    const value = fraction ? `${digits || '0'}${FRACTIONS[fraction]}` : decimalOf(digits, language)
    if (value === undefined) return void put('code', digits, start, end)
    const decade = suffix === 's'
    const ordinal = suffix !== '' && !decade
    put('figure', written, start, end, numberFigure(`${negative ? '-' : ''}${value}${decade ? 's' : ''}`, '', ordinal))
  }

  function addName(chunk: string, start: number) {
    if (UNSPACED.test(chunk)) {
      for (const { segment, index, isWordLike } of segmenterOf(language).segment(chunk))
        if (isWordLike) put('word', segment, start + index, start + index + segment.length)
      return
    }
    if (isCode(chunk)) return void put('code', chunk.replace(INVISIBLE, ''), start, start + chunk.length)
    for (const word of chunk.matchAll(/[\p{L}\p{M}\u00ad]+|\p{N}+/gu)) {
      const at = start + word.index
      if (/^\p{N}/u.test(word[0])) addNumber(word[0], '', at, at + word[0].length)
      else put('word', word[0].replace(INVISIBLE, ''), at, at + word[0].length)
    }
  }
}

const segmenters = new Map<string, Intl.Segmenter>()
const segmenterOf = (language: string): Intl.Segmenter => {
  const known = segmenters.get(language)
  if (known) return known
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' })
  segmenters.set(language, segmenter)
  return segmenter
}

const clockFigure = (written: string): Figure => {
  const [hours = 0, minutes = 0] = (written.match(/\d+/gu) ?? []).map(Number)
  const half = /([ap])\.?m/iu.exec(written)?.[1]?.toLowerCase()
  const hour = half === undefined ? hours : (hours % 12) + (half === 'p' ? 12 : 0)
  return { kind: 'time', minutes: hour * 60 + minutes }
}

/** The lexicon made ready: phrases by their first word, the longest first. */
type Phrase = {
  words: readonly string[]
  as: { operator: OperatorClass; beforeNumber: boolean } | 'neutral' | 'framing'
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
  /** Stem → the groups of words of the same meaning that it is in. */
  groups: ReadonlyMap<string, readonly string[]>
}

const vocabularies = new Map<string, Vocabulary>()

export const vocabularyOf = (language: string): Vocabulary => {
  const known = vocabularies.get(language)
  if (known) return known
  const lexicon = Object.hasOwn(LEXICONS, language) ? LEXICONS[language] : undefined
  const words = (written: string | undefined) => new Set((written ?? '').split(/\s+/u).filter(Boolean))
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
  for (const found of byFirst.values()) found.sort((a, b) => b.words.length - a.words.length)
  const groups = new Map<string, string[]>()
  for (const [at, group] of phrases(lexicon?.same ?? '').entries()) {
    for (const word of group.split(' ')) {
      const stem = stemOf(word, language)
      groups.set(stem, [...(groups.get(stem) ?? []), `same:${at}`])
    }
  }
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
    groups,
  }
  vocabularies.set(language, vocabulary)
  return vocabulary
}

const STEMS_KEPT = 20_000
const stems = new Map<string, string>()

/** Among the words of grammar these say something by themselves: "the same" is not "a different". */
const SAYING = new Set(
  'same both mismo misma mismos mismas ambos ambas même mêmes stesso stessa stessi stesse mesmo mesma'.split(' '),
)

const stemOf = (word: string, language: string): string => {
  const key = `${language}:${word}`
  let stem = stems.get(key)
  if (stem === undefined) {
    stem = terms(word, language)[0] ?? word
    if (stems.size >= STEMS_KEPT) stems.clear()
    stems.set(key, stem)
  }
  return stem
}

/** Past this many tokens a text is read no further: no sentence has them. */
export const MOST_TOKENS = 600

/** Reads `text`; `claim` says that it is the model's, whose opening words ("Please note that") are taken off. */
export const scan = (text: string, language: string, role: 'claim' | 'passage'): Token[] => {
  const vocabulary = vocabularyOf(language)
  const raws = withDates(withoutContractions(pieces(text, language), text, language), language)
  const functionWords = functionWordsOf(language)
  const found: Token[] = []
  let opening = role === 'claim'
  for (let at = 0; at < raws.length && found.length < MOST_TOKENS; ) {
    const raw = raws[at]
    if (!raw) break
    if (raw.kind !== 'word') {
      // "1.", "2)" before a step is its place, not a number.
      found.push(raw.kind === 'sign' ? signToken(raw, raws[at - 1], raws[at + 1]) : plainToken(raw))
      if (raw.kind !== 'break') opening = false
      at += 1
      continue
    }
    const word = lower(raw.text)
    const numeral = opening && phraseAt(raws, at, vocabulary, 'framing') ? undefined : numeralAt(raws, at, language)
    if (numeral) {
      found.push(numeral.token)
      at += numeral.taken
      opening = false
      continue
    }
    const phrase = phraseAt(raws, at, vocabulary, opening ? 'framing' : undefined)
    if (phrase && !(raw.shouted && phrase.words.length === 1)) {
      const last = raws[at + phrase.words.length - 1] ?? raw
      const span = { text: phrase.words.join(' '), start: raw.start, end: last.end, capital: raw.capital }
      const joint = phrase.words.some((each) => vocabulary.joints.has(each))
      if (typeof phrase.as === 'string') {
        found.push({ ...span, kind: 'filler', keys: [], joint: false })
      } else {
        const { operator } = phrase.as
        // A hedge is as good as its own word: "claims" is not "suggests".
        const key = operator === 'hedge' ? `hedge:${stemOf(phrase.words[0] ?? '', language)}` : `is:${operator}`
        found.push({ ...span, kind: 'operator', keys: [key], joint, operator })
        opening = false
      }
      at += phrase.words.length
      continue
    }
    // "Pro Bowl" is no "pro Monat": German writes its small words small, but at the beginning and to be polite.
    const before = raws[at - 1]
    const isName =
      language === 'de' && raw.capital && before?.kind === 'word' && !vocabulary.joints.has(lower(before.text))
    found.push(wordToken(raw, word, isName, before))
    opening = false
    at += 1
  }
  return role === 'claim' ? withoutNo(found) : found

  /** "20 m", "5 s": grammar elsewhere, directly after a number its unit. */
  function isSymbol({ text: written, end }: Raw, before: Raw | undefined): boolean {
    return (
      before?.kind === 'figure' &&
      /^[b-df-hj-np-tv-xz]{1,2}$/iu.test(written) &&
      !/^['’ʼ]/u.test(text.slice(end, end + 1))
    )
  }

  function wordToken(raw: Raw, word: string, isName: boolean, before: Raw | undefined): Token {
    const base = { text: word, start: raw.start, end: raw.end, capital: raw.capital }
    const joint = vocabulary.joints.has(word)
    const perhaps = numberWordsOf(language)?.words.get(folded(word))
    const isGrammar =
      joint ||
      functionWords.has(word) ||
      vocabulary.prepositions.has(word) ||
      vocabulary.third.has(word) ||
      vocabulary.you.has(word) ||
      vocabulary.we.has(word)
    const says = SAYING.has(word)
    if (
      vocabulary.lexicon &&
      isGrammar &&
      !says &&
      !isSymbol(raw, before) &&
      !raw.shouted &&
      !(isName && vocabulary.prepositions.has(word))
    ) {
      return {
        ...base,
        kind: 'filler',
        keys: [],
        joint,
        ...(perhaps?.unsure ? { perhaps: numberFigure(perhaps.value, '', perhaps.ordinal) } : {}),
      }
    }
    const unit = unitOf(word)
    const stem = stemOf(word, language)
    return {
      ...base,
      kind: 'word',
      keys: [`word:${stem}`, ...(unit ? [`unit:${unit}`] : []), ...(vocabulary.groups.get(stem) ?? [])],
      joint: false,
      addable: vocabulary.addable.has(word),
      ...(perhaps?.unsure ? { perhaps: numberFigure(perhaps.value, '', perhaps.ordinal) } : {}),
    }
  }
}

/** "No, we do not share it": an answer's first word, where what follows denies by itself. */
const withoutNo = (tokens: Token[]): Token[] => {
  const [first, comma, ...rest] = tokens
  const isAnswer = first?.operator === 'not' && /^(?:no|nein|non|não)$/u.test(first.text) && comma?.text === ','
  return isAnswer && rest.some(({ operator }) => operator === 'not') ? rest : tokens
}

/** "6+", "< 5 EUR": a bound; any other sign must be found as it is. */
const signToken = (raw: Raw, before: Raw | undefined, after: Raw | undefined): Token => {
  const isBound = (next: Raw | undefined) =>
    next?.kind === 'figure' || (next !== undefined && unitOf(next.text) !== undefined)
  const operator: OperatorClass | undefined =
    raw.text === '+'
      ? before?.kind === 'figure' && before.end === raw.start
        ? 'atLeast'
        : undefined
      : isBound(after)
        ? COMPARISONS[raw.text]
        : undefined
  const token = plainToken({ ...raw, kind: 'code' })
  return operator ? { ...token, kind: 'operator', keys: [`is:${operator}`], operator } : token
}

const plainToken = ({ kind, text, start, end, capital, figure }: Raw): Token => ({
  kind: kind === 'dash' ? 'filler' : kind === 'sign' ? 'code' : kind,
  text,
  start,
  end,
  capital,
  joint: kind === 'break',
  keys: kind === 'code' ? [`code:${text}`] : [],
  ...(figure ? { figure } : {}),
})

const lower = (word: string): string => word.normalize('NFKC').toLowerCase()
const folded = (word: string): string => word.replace(/[\s-]/gu, '')

/** The longest phrase of the lexicon that begins at `at`; framing only where the sentence has not begun yet. */
const phraseAt = (
  raws: readonly Raw[],
  at: number,
  vocabulary: Vocabulary,
  want: 'framing' | undefined,
): Phrase | undefined => {
  const first = raws[at]
  if (first?.kind !== 'word') return undefined
  for (const phrase of vocabulary.phrases.get(lower(first.text)) ?? []) {
    if (phrase.as === 'framing' && want !== 'framing') continue
    let next = at
    const fits = phrase.words.every((word) => {
      // "Beachten Sie, dass": a comma inside of a framing phrase is none of the claim's.
      if (phrase.as === 'framing' && next > at && raws[next]?.kind === 'break') return false
      const raw = raws[next]
      next += 1
      return raw?.kind === 'word' && lower(raw.text) === word
    })
    if (!fits) continue
    if (typeof phrase.as === 'object' && phrase.as.beforeNumber && !numberFollows(raws, next, vocabulary.language))
      continue
    return phrase
  }
  return undefined
}

const numberFollows = (raws: readonly Raw[], at: number, language: string): boolean => {
  const raw = raws[at]
  if (!raw) return false
  if (raw.kind === 'figure') return true
  if (raw.kind !== 'word') return false
  if (unitOf(lower(raw.text)) !== undefined) return raws[at + 1]?.kind === 'figure'
  const number = numberWordsOf(language)?.words.get(lower(raw.text))
  return number !== undefined && !number.unsure
}

/** A number with what belongs to it, in digits or words: "$ 1.5 million", "twenty-five per cent", "fünf Euro". */
const numeralAt = (raws: readonly Raw[], at: number, language: string): { token: Token; taken: number } | undefined => {
  const table = numberWordsOf(language)
  const first = raws[at]
  if (!table || first?.kind !== 'word') return undefined
  // The longest of up to three words: "treinta y uno", "twenty five", "quatre vingt dix".
  for (let length = 4; length >= 1; length -= 1) {
    const words = raws.slice(at, at + length)
    if (words.length < length || words.some(({ kind }) => kind !== 'word')) continue
    const joined = words.map(({ text }) => lower(text)).join('')
    const found = table.words.get(joined)
    if (!found) continue
    const next = raws[at + length]
    const power = next?.kind === 'word' ? table.scales.get(lower(next.text)) : undefined
    if (found.unsure && power === undefined) return undefined
    const counted = length + (power === undefined ? 0 : 1)
    const beside = raws[at + counted]
    const unit = beside?.kind === 'word' && !found.ordinal ? unitOf(lower(beside.text)) : undefined
    const taken = counted + (unit === undefined ? 0 : 1)
    const last = raws[at + taken - 1] ?? first
    const value = power === undefined ? found.value : scaled(found.value, power)
    const figure = numberFigure(value, unit, found.ordinal)
    return {
      token: {
        kind: 'figure',
        text: words.map(({ text }) => text).join(' '),
        start: first.start,
        end: last.end,
        keys: [],
        capital: false,
        joint: false,
        figure,
      },
      taken,
    }
  }
  return undefined
}

const SHORT_NOT: Record<string, string> = { can: 'can', won: 'will', shan: 'shall', ain: 'is' }

/** "don't" → do not, "cannot" → can not; what stands after other apostrophes is a word of its own and grammar. */
const withoutContractions = (raws: readonly Raw[], text: string, language: string): Raw[] => {
  if (language !== 'en') return [...raws]
  return raws.flatMap((raw, at): Raw[] => {
    if (raw.kind !== 'word') return [raw]
    const word = lower(raw.text)
    if (word === 'cannot')
      return [
        { ...raw, text: 'can' },
        { ...raw, text: 'not', capital: false },
      ]
    const next = raws[at + 1]
    const before = raws[at - 1]
    const joined = (one: Raw | undefined, other: Raw | undefined) =>
      one !== undefined && other !== undefined && other.start - one.end === 1 && /['’ʼ]/u.test(text[one.end] ?? '')
    if (word === 't' && joined(before, raw) && /n$/iu.test(before?.text ?? '')) return [{ ...raw, text: 'not' }]
    if (next && lower(next.text) === 't' && joined(raw, next) && word.endsWith('n'))
      return [{ ...raw, text: SHORT_NOT[word] ?? word.slice(0, -1) }]
    return [raw]
  })
}

/** Joins numbers with scales and units, and days, months and years into dates. */
const withDates = (raws: readonly Raw[], language: string): Raw[] => {
  const scales = numberWordsOf(language)?.scales
  const found: Raw[] = []
  for (let at = 0; at < raws.length; at += 1) {
    const raw = raws[at]
    if (!raw) break
    const date = dateAt(raws, at, language)
    if (date) {
      found.push(date.raw)
      at += date.taken - 1
      continue
    }
    const figure = raw.figure
    if (figure?.kind !== 'number') {
      found.push(raw)
      continue
    }
    let { value, unit } = figure
    let end = raw.end
    const before = found.at(-1)
    const sign = before?.kind === 'word' ? unitOf(lower(before.text)) : undefined
    let start = raw.start
    if (before && sign && sign !== '%' && raw.start - before.end <= 1) {
      unit = sign
      start = before.start
      found.pop()
      // "US$": the letters before the sign belong to it.
      const country = found.at(-1)
      if (sign === 'USD' && country && lower(country.text) === 'us' && country.end === start) {
        start = country.start
        found.pop()
      }
    }
    let next = raws[at + 1]
    const power = next?.kind === 'word' ? scales?.get(lower(next.text)) : undefined
    if (next && power !== undefined && /^\d/u.test(value)) {
      value = scaled(value, power)
      end = next.end
      at += 1
      next = raws[at + 1]
    }
    const after = raws[at + 2]
    if (next?.kind === 'word' && after?.kind === 'word') {
      const two = unitOf(lower(next.text) + lower(after.text))
      if (two === '%') {
        unit = two
        end = after.end
        at += 2
        next = undefined
      }
    }
    const followed = next?.kind === 'word' ? unitOf(lower(next.text)) : undefined
    if (next && followed && !unit) {
      unit = followed
      end = next.end
      at += 1
    }
    found.push({ ...raw, start, end, figure: { ...figure, value, unit } })
  }
  return found
}

const WEAK_LINKS: Record<string, string> = { es: 'de del', pt: 'de', en: 'of the', fr: '', it: '', de: '' }

const dateAt = (raws: readonly Raw[], at: number, language: string): { raw: Raw; taken: number } | undefined => {
  const months = monthsOf(language)
  if (months.size === 0) return undefined
  const links = new Set((WEAK_LINKS[language] ?? '').split(' '))
  const monthAt = (index: number) => {
    const raw = raws[index]
    return raw?.kind === 'word' ? months.get(lower(raw.text)) : undefined
  }
  const numberAt = (index: number, least: number, most: number): number | undefined => {
    const figure = raws[index]?.figure
    if (figure?.kind !== 'number' || figure.unit || !/^\d+$/u.test(figure.value)) return undefined
    const value = Number(figure.value)
    return value >= least && value <= most ? value : undefined
  }
  /** The next index after links and at most one stop. */
  const past = (index: number, stops: RegExp) => {
    let next = index
    if (raws[next]?.kind === 'break' && stops.test(raws[next]?.text ?? '')) next += 1
    while (raws[next]?.kind === 'word' && links.has(lower(raws[next]?.text ?? ''))) next += 1
    return next
  }
  const made = (taken: number, reading: { year?: number | undefined; month?: number; day?: number | undefined }) => {
    const first = raws[at]
    const last = raws[at + taken - 1]
    if (!first || !last) return undefined
    return {
      raw: { ...first, kind: 'figure' as const, end: last.end, figure: { kind: 'date' as const, readings: [reading] } },
      taken,
    }
  }
  const day = numberAt(at, 1, 31)
  if (day !== undefined) {
    const monthIndex = past(at + 1, /^[.]$/u)
    const month = monthAt(monthIndex)
    if (!month) return undefined
    const yearIndex = past(monthIndex + 1, /^[.,]$/u)
    const year = numberAt(yearIndex, 1000, 2999)
    return made((year === undefined ? monthIndex : yearIndex) - at + 1, { day, month: month.month, year })
  }
  const month = monthAt(at)
  if (!month) return undefined
  const dayIndex = past(at + 1, /^[.]$/u)
  const dayAfter = language === 'en' ? numberAt(dayIndex, 1, 31) : undefined
  if (dayAfter !== undefined) {
    const yearIndex = past(dayIndex + 1, /^[.,]$/u)
    const year = numberAt(yearIndex, 1000, 2999)
    return made((year === undefined ? dayIndex : yearIndex) - at + 1, { day: dayAfter, month: month.month, year })
  }
  const yearIndex = past(at + 1, /^[.,]$/u)
  const year = numberAt(yearIndex, 1000, 2999)
  if (year !== undefined) return made(yearIndex - at + 1, { month: month.month, year })
  return month.short ? undefined : made(1, { month: month.month })
}
