import { decimalOf, numberFigure, numericDates, type Figure } from './figures.js'
import type { OperatorClass } from './words.js'

/** A text in the pieces that its writing shows, before anything is known of its words. */
export type Raw = {
  kind: 'word' | 'figure' | 'code' | 'break' | 'dash' | 'sign'
  text: string
  start: number
  end: number
  capital: boolean
  shouted: boolean
  figure?: Figure
}

/** Letters and digits that a sentence may not hide: soft hyphens, joiners, marks of direction. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/gu

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
export const COMPARISONS: Record<string, OperatorClass> = {
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

export const pieces = (text: string, language: string): Raw[] => {
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

export const lower = (word: string): string => word.normalize('NFKC').toLowerCase()
