import { MARKUP, PATTERNS, TURNED, type AttemptKind } from './attempt-patterns.js'

/** A place in a text that tries to instruct the assistant. `start` and `end` are offsets in the text as given. */
export type Attempt = { kind: AttemptKind; start: number; end: number }

/** What one look reads of a text: enough for a message, and for where documents hide such things. */
const READ = 10_000

/**
 * Attempts to instruct the assistant, in a message, a document or a file's name, in the order in which they stand. Only a mark for
 * people: nothing rests on it, because what is data in the prompt and proved before it is sent needs no detection. So it would
 * rather miss one than cry wolf.
 */
export const attemptsIn = (text: string): Attempt[] => {
  const read = text.slice(0, READ)
  const plain = plainOf(read)
  const inPlain = found(plain.text, PATTERNS).map(({ kind, start, end }) => ({
    kind,
    start: plain.offsets[start] ?? 0,
    end: plain.offsets[end] ?? read.length,
  }))
  const inMarkup = found(read, MARKUP)
  const encoded = [...encodedIn(read), ...(inPlain.length === 0 ? turnedIn(read) : [])]
  return [...inPlain, ...inMarkup, ...encoded].sort((a, b) => a.start - b.start)
}

const found = (text: string, patterns: readonly [AttemptKind, RegExp][]): Attempt[] =>
  patterns.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ kind, start: match.index, end: match.index + match[0].length })),
  )

/** Letters of other scripts that are drawn like Latin ones. */
const LOOKALIKES: Record<string, string> = Object.fromEntries(
  [
    ['аαɑ', 'a'],
    ['в', 'b'],
    ['сϲ', 'c'],
    ['ԁ', 'd'],
    ['еεҽ', 'e'],
    ['һ', 'h'],
    ['іιıӏ', 'i'],
    ['ј', 'j'],
    ['кκ', 'k'],
    ['м', 'm'],
    ['нп', 'n'],
    ['оοօ', 'o'],
    ['рρ', 'p'],
    ['ѕ', 's'],
    ['тτ', 't'],
    ['υս', 'u'],
    ['ѵν', 'v'],
    ['ԝ', 'w'],
    ['хχ', 'x'],
    ['уγ', 'y'],
  ].flatMap(([from = '', to = '']) => [...from].map((letter) => [letter, to])),
)

const DIGITS: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't' }

type Plain = { text: string; offsets: number[] }

/**
 * The text as it is read by a person: small Latin letters without accents, invisible characters dropped, digits that stand for
 * letters inside a word replaced, letters that are set apart brought together. `offsets` leads back to the text as given.
 */
const plainOf = (given: string): Plain => {
  const letters: string[] = []
  const offsets: number[] = []
  let at = 0
  for (const character of given) {
    const shown = isAscii(character) ? character.toLowerCase() : unmasked(character)
    for (const letter of shown.split('')) {
      letters.push(letter)
      offsets.push(at)
    }
    at += character.length
  }
  offsets.push(at)
  return closed(withoutDigits(letters), offsets)
}

const isAscii = (character: string): boolean => character < '\u0080'

/** The letters that a character shows, one or more UTF-16 units; none for what is not seen. */
const unmasked = (character: string): string => {
  const bare = character
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}]/gu, '')
  return [...bare].map((letter) => LOOKALIKES[letter] ?? (letter === '’' ? "'" : letter)).join('')
}

const withoutDigits = (letters: string[]): string =>
  letters
    .join('')
    .replace(/[\p{L}\d]+/gu, (word) =>
      /\p{L}/u.test(word) && /^[a-z0134567]*$/.test(word)
        ? word.replace(/[013457]/g, (digit) => DIGITS[digit] ?? '')
        : word,
    )

/** "I g n o r e  a l l" is "ignore all". */
const closed = (text: string, offsets: number[]): Plain => {
  if (!/(?<![\p{L}\d])(?:\p{L}[ ._-]){5}/u.test(text)) return { text, offsets }
  const between = text.matchAll(/(?<=(?<![\p{L}\d])\p{L})[ ._-](?=\p{L}(?![\p{L}\d]))/gu)
  const dropped = new Set([...between].map(({ index }) => index))
  const left = text
    .split('')
    .map((_letter, index) => index)
    .filter((index) => !dropped.has(index))
  return {
    text: left.map((index) => text[index]).join(''),
    offsets: [...left.map((index) => offsets[index] ?? 0), offsets.at(-1) ?? 0],
  }
}

/** Base64, hexadecimal, and the tag characters that no screen shows, where an attempt is inside. */
const encodedIn = (text: string): Attempt[] => {
  const spans = [
    ...[...text.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/g)].map((match) => ({ match, inside: decoded(match[0], 'base64') })),
    ...[...text.matchAll(/(?:[0-9a-f]{2}){12,}/gi)].map((match) => ({ match, inside: decoded(match[0], 'hex') })),
    ...[...text.matchAll(/[\u{E0020}-\u{E007E}]{4,}/gu)].map((match) => ({ match, inside: untagged(match[0]) })),
  ]
  return spans
    .filter(({ inside }) => found(plainOf(inside).text, PATTERNS).length > 0)
    .map(({ match }) => ({ kind: 'encoded', start: match.index, end: match.index + match[0].length }))
}

/** Text that was turned round is looked for at the beginning only: it costs two more looks. */
const TURNED_READ = 1_000

/** Text backwards, and ROT13. */
const turnedIn = (text: string): Attempt[] => {
  const short = text.slice(0, TURNED_READ)
  const turned = [[...short].reverse().join(''), short.replace(/[a-z]/gi, rotated)]
  const isTurned = turned.some((other) => found(plainOf(other).text, TURNED).length > 0)
  return isTurned ? [{ kind: 'encoded', start: 0, end: short.length }] : []
}

const decoded = (text: string, encoding: 'base64' | 'hex'): string => Buffer.from(text, encoding).toString('utf8')

const untagged = (text: string): string =>
  [...text].map((tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000)).join('')

const rotated = (letter: string): string => {
  const first = letter < 'a' ? 65 : 97
  return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first)
}
