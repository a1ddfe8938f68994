import { functionWordsOf } from '../languages.js'
import { numberFigure, numberWordsOf, unitOf, type Figure } from './figures.js'
import { numeralAt, numberFollows, withDates } from './numerals.js'
import { COMPARISONS, lower, pieces, type Raw } from './pieces.js'
import { stemOf, vocabularyOf, type Phrase, type Vocabulary } from './vocabulary.js'
import type { OperatorClass } from './words.js'

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

/** Among the words of grammar these say something by themselves: "the same" is not "a different". */
const SAYING = new Set(
  'same both mismo misma mismos mismas ambos ambas même mêmes stesso stessa stessi stesse mesmo mesma'.split(' '),
)

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
      } else if ('same' in phrase.as) {
        found.push({ ...span, kind: 'word', keys: [phrase.as.same], joint: false })
        opening = false
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
  const isAnswer = /^(?:no|nein|non|não)$/u.test(first?.text ?? '') && comma?.text === ','
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
    if (
      typeof phrase.as === 'object' &&
      'operator' in phrase.as &&
      phrase.as.beforeNumber &&
      !numberFollows(raws, next, vocabulary.language)
    )
      continue
    return phrase
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
