import { isSolid } from './align.js'
import type { JudgeFault } from './lay.js'
import type { Token } from './scan.js'
import type { Vocabulary } from './vocabulary.js'

/**
 * What narrows a sentence may not be left out of it: a number, "per user", the clause that comes first, "with a yearly plan" after
 * who it speaks of. `kept` holds the places of the passage's words that a claim rests on, `subject` that of its first.
 */
export const widened = (
  passage: readonly Token[],
  kept: ReadonlySet<number>,
  subject: number,
  vocabulary: Vocabulary,
): JudgeFault | undefined => {
  const isOut = (at: number) => {
    const token = passage[at]
    return token !== undefined && isSolid(token) && !kept.has(at)
  }
  const isWordOut = (at: number) => isOut(at) && !passage[at]?.operator && passage[at]?.addable !== true
  const fault = (reason: JudgeFault['reason'], at: number): JudgeFault => ({
    reason,
    detail: passage[at]?.text ?? '',
  })
  const textAt = (at: number) => passage[at]?.text ?? ''
  const isBreak = (at: number) => passage[at]?.kind === 'break'
  const find = (from: number, to: number, test: (at: number) => boolean): number => {
    for (let at = from; at < to; at += 1) if (test(at)) return at
    return -1
  }
  const some = (from: number, to: number, test: (at: number) => boolean) => find(from, to, test) >= 0
  /** Where the punctuation stands that ends what `at` is in. */
  const endOf = (at: number) => {
    const end = find(at, passage.length, isBreak)
    return end < 0 ? passage.length : end
  }
  const { respectively, ranges, ages, and, per, every, periods, when, purposes, granted, partitive } =
    vocabulary.narrowing
  const { discourse, relative, opening: opensLimits } = vocabulary.narrowing
  const isRange = (text: string) => RANGE_SIGNS.has(text) || ranges.has(text)
  const narrated = isNarrative(passage, vocabulary.narrowing)
  if (!some(0, passage.length, isOut)) return undefined
  return shared() ?? figures() ?? opening() ?? conditions() ?? attributes() ?? grants() ?? denials()

  /** "Respectively" ties two lists: only all of it is true. */
  function shared(): JudgeFault | undefined {
    const at = passage.findIndex(({ text }) => respectively.has(text))
    return at >= 0 && some(0, passage.length, isOut) ? fault('order', at) : undefined
  }

  function figures(): JudgeFault | undefined {
    for (const [at, { figure, end }] of passage.entries()) {
      if (!figure || isFraming(at)) continue
      if (kept.has(at)) {
        const next = passage[at + 1]
        const isUnit = next?.kind === 'word' && next.start - end <= 1 && !isYear(passage[at] as Token)
        if (isUnit && isWordOut(at + 1) && !ages.has(next.text)) return fault('unit', at + 1)
        const rate = rateAfter(at)
        if (rate >= 0) return fault('unit', rate)
        continue
      }
      // A range is one figure.
      for (const [other, joint] of [
        [at + 2, at + 1],
        [at - 2, at - 1],
      ] as const)
        if (kept.has(other) && passage[other]?.figure && isRange(textAt(joint).trim())) return fault('number', at)
      if (isBound(at) || (kept.has(at + 1) && passage[at + 1]?.kind === 'word')) return fault('number', at)
    }
    return undefined
  }

  /** What is left out around a number hangs on a kept word of its clause: "children under 6", "possible within 14 days". */
  function isBound(figure: number): boolean {
    let [low, high] = [figure, figure + 1]
    while (low > 0 && !kept.has(low - 1) && !isJoint(low - 1)) low -= 1
    while (high < passage.length && !kept.has(high) && !isJoint(high)) high += 1
    const [last, first] = [passage[low - 1], passage[low]]
    // "It [costs 4.90 EUR] and takes …": a statement of its own.
    const isWhole =
      first !== undefined &&
      !narrows(first) &&
      (isJoint(high) ? some(high, passage.length, (at) => kept.has(at)) : and.has(last?.text ?? ''))
    if (isWhole || (!kept.has(low - 1) && !kept.has(high))) return bindsAll(figure, low)
    return (last !== undefined || kept.has(high)) && some(low, figure, (at) => narrows(passage[at] as Token))
  }

  function isJoint(at: number): boolean {
    const token = passage[at]
    return token !== undefined && token.joint && !narrows(token)
  }

  /** "… until 2026" at the end of a list binds all of it. */
  function bindsAll(figure: number, low: number): boolean {
    const isUntil = passage[figure - 1]?.operator === 'until'
    return isUntil && !narrated && low > 0 && !isBreak(low - 1) && figure >= passage.length - 2
  }

  function narrows(token: Token): boolean {
    return vocabulary.prepositions.has(token.text) || BOUNDS.has(token.operator ?? '')
  }

  function isFraming(at: number): boolean {
    return at === 0 && (vocabulary.phrases.get(textAt(0).toLowerCase()) ?? []).some(({ as }) => as === 'framing')
  }

  /** "per user and month" after a number that is kept: the place of a word of it that is not, or -1. */
  function rateAfter(figure: number): number {
    for (let at = figure + 1; at <= figure + 2; at += 1) {
      const isRate =
        (per.has(textAt(at)) && passage[at]?.kind === 'filler') ||
        (every.has(textAt(at)) && periods.has(textAt(at + 1)))
      if (!isRate) continue
      if (isOut(at + 1)) return at + 1
      return and.has(textAt(at + 2)) && periods.has(textAt(at + 3)) && isOut(at + 3) ? at + 3 : -1
    }
    return -1
  }

  /** "On request, …", "When your payment fails, …", "Ab 50 Euro …": all that comes before what is kept. */
  function opening(): JudgeFault | undefined {
    if (narrated) return undefined
    const first = find(0, passage.length, (at) => !isBreak(at))
    const token = passage[first]
    if (!token || (token.operator && UNBOUND.has(token.operator))) return undefined
    if (!vocabulary.prepositions.has(token.text) && !opensLimits.has(token.text) && !BOUNDS.has(token.operator ?? ''))
      return undefined
    const start = find(first, passage.length, (at) => kept.has(at))
    const out = find(first, start, isWordOut)
    if (out < 0 || some(first, endOf(first), (at) => kept.has(at) && at < start)) return undefined
    const isPurpose =
      purposes.has(token.text) && (token.text === 'to' || INFINITIVE.test(textAt(out)) || token.text === 'um')
    if (isPurpose || !some(first, start, (at) => isWordOut(at) && !discourse.has(textAt(at)))) return undefined
    return fault('condition', first)
  }

  /** Of a condition that is kept no word may go; "when …" at the end may not go at all. */
  function conditions(): JudgeFault | undefined {
    for (const [at, { text, operator }] of passage.entries()) {
      if ((operator === 'until' || (operator === 'within' && !narrated)) && isOut(at) && kept.has(at - 1))
        return fault('condition', at)
      const isIf = operator === 'if' || operator === 'unless'
      if (!isIf && !when.has(text)) continue
      const end = endOf(at + 1)
      const isKept = some(at + 1, end, (other) => kept.has(other))
      const out = find(at + 1, end, isWordOut)
      if (out < 0) continue
      if (isKept && (kept.has(at) || !isIf)) return fault('condition', out)
      if (!isKept && !isIf && !narrated && some(0, at, (other) => kept.has(other))) return fault('condition', at)
    }
    return undefined
  }

  /** "Premium customers", "members with a yearly plan": who a sentence speaks of is not anybody. */
  function attributes(): JudgeFault | undefined {
    if (narrated || subject < 0) return undefined
    if (isWordOut(subject - 1) && passage[subject - 1]?.kind === 'word' && !isFraming(subject - 1))
      return fault('coverage', subject - 1)
    const next = find(subject + 1, passage.length, (at) => kept.has(at))
    const after = passage[subject + 1]
    if (next < 0 || !after || some(subject, next, isBreak)) return undefined
    const opens = narrows(after) || relative.has(after.text)
    const out = find(subject + 1, next, isWordOut)
    return opens && out >= 0 ? fault('coverage', out) : undefined
  }

  /** "Free for members", "allowed in the garden": what is granted is granted there and to them. */
  function grants(): JudgeFault | undefined {
    if (narrated) return undefined
    for (const at of kept) {
      const to = passage[at + 1]
      if (!to || !granted.has(textAt(at)) || !narrows(to) || partitive.has(to.text)) continue
      const out = find(at + 2, endOf(at + 2), isWordOut)
      if (out >= 0 && !some(at + 2, out, (other) => kept.has(other) || passage[other]?.joint === true))
        return fault('coverage', out)
    }
    return undefined
  }

  /** "We do not share it with others" denies less than "we do not share it". */
  function denials(): JudgeFault | undefined {
    for (const [at, { operator }] of passage.entries()) {
      if (!kept.has(at) || (operator !== 'not' && operator !== 'never' && operator !== 'without')) continue
      const joint = find(at + 1, passage.length, (other) => isBreak(other) || passage[other]?.joint === true)
      const out = find(at + 1, joint < 0 ? passage.length : joint, isWordOut)
      if (out >= 0) return fault('negation', out)
    }
    return undefined
  }
}

/** What was, was, wherever the sentence begins; what is may be so only there. */
const isNarrative = (passage: readonly Token[], { past, isPastForm, present }: Vocabulary['narrowing']): boolean =>
  passage.some(({ text }) => past.has(text)) ||
  (passage.some(({ text }) => isPastForm(text)) && !passage.some(({ text }) => present.has(text)))

const isYear = ({ figure }: Token): boolean =>
  figure?.kind !== 'number' || figure.ordinal || /^1[0-9]{3}s?$|^20[0-9]{2}s?$/u.test(figure.value)

const RANGE_SIGNS = new Set(['-', '–', '—'])
const BOUNDS = new Set(
  'within before after until since over under moreThan lessThan atLeast atMost about without except only'.split(' '),
)
const UNBOUND = new Set(['not', 'never', 'may', 'can', 'must', 'all'])
const INFINITIVE = /(?:[aei]r(?:l[oae]s?|se|te|me|nos)?|re|oir|[aei]r(?:si|lo|la))$/u
