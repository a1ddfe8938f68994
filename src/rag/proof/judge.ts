import { align, isSolid, sideOf, type Side } from './align.js'
import { sameFigure } from './figures.js'
import { lay, type Judgement } from './lay.js'
import { movedFault } from './moved.js'
import { operatorsFault, WISHES } from './operators.js'
import { unstated } from './reports.js'
import { widened } from './restrictions.js'
import { rolesFault } from './roles.js'
import type { Token } from './scan.js'
import type { Vocabulary } from './vocabulary.js'
import { turnedAround } from './turned.js'
import { OPERATOR_RULES } from './words.js'

/**
 * Whether one sentence of a passage says what a claim says. The claim is laid beside the passage's words in their order; what is
 * left over on either side is then judged: a word that is new, a word that is gone though its neighbour stayed, a block that stands
 * elsewhere. Whatever is not known to be harmless is a fault.
 */
/** What else may name the subject: words of title and headings, and what the sentence before speaks of. */
export type Context = { topic: ReadonlySet<string>; before: ReadonlySet<string> }

/**
 * Judges a claim against one sentence of a passage. `vocabulary` is the passage's language's; without a lexicon every word counts
 * and nothing may be moved.
 */
export const judge = (
  claim: readonly Token[],
  passage: readonly Token[],
  vocabulary: Vocabulary,
  context: () => Context,
): Judgement => {
  const first = judgeWords(claim, passage, vocabulary, context)
  if (first.holds || vocabulary.lexicon === undefined) return first
  const moved = withoutFront(claim, passage, vocabulary)
  const second = moved ? judgeWords(moved, passage, vocabulary, context) : first
  return second.holds ? second : first
}

/**
 * "On Saturday, we are open from 10:00" for "we are open … on Saturday from 10:00": the claim with what it begins with put where the
 * passage has it, before what the passage says after it. Nothing where it stands at the passage's end, or the claim has clauses.
 */
const withoutFront = (
  claim: readonly Token[],
  passage: readonly Token[],
  vocabulary: Vocabulary,
): Token[] | undefined => {
  const opens = claim[0]
  const comma = claim.findIndex(({ kind }) => kind === 'break')
  if (!opens || !vocabulary.prepositions.has(opens.text) || claim[comma]?.text !== ',') return undefined
  const [front, rest] = [claim.slice(0, comma), claim.slice(comma + 1)]
  const last = rest.findLastIndex(isSolid)
  if (front.some(({ joint }) => joint) || rest.slice(0, last).some(({ kind, joint }) => joint || kind === 'break'))
    return undefined
  const [frontSide, restSide, passageSide] = [sideOf(front), sideOf(rest), sideOf(passage)]
  const place = align(frontSide, passageSide, vocabulary.language, 'late')[0] ?? -1
  const before = passage[passageSide.solids[place] ?? -1]
  const next = align(restSide, passageSide, vocabulary.language, 'late').findIndex((at) => at > place)
  if (!before || next < 0) return undefined
  let at = restSide.solids[next] ?? 0
  while (rest[at - 1]?.kind === 'filler' && !vocabulary.passive.has(rest[at - 1]?.text ?? '')) at -= 1
  return [...rest.slice(0, at), ...front, ...rest.slice(at)]
}

const judgeWords = (
  claim: readonly Token[],
  passage: readonly Token[],
  vocabulary: Vocabulary,
  context: () => Context,
): Judgement => {
  const sides = [sideOf(claim), sideOf(passage)] as const
  const [late, early] = [align(...sides, vocabulary.language, 'late'), align(...sides, vocabulary.language, 'early')]
  const isClear = late.every((at, index) => at === early[index])
  const first = judgeAligned(late, ...sides, vocabulary, context)
  if (first.holds || isClear) return first
  const second = judgeAligned(early, ...sides, vocabulary, context)
  return second.holds ? second : first
}

const judgeAligned = (
  to: number[],
  claim: Side,
  passage: Side,
  vocabulary: Vocabulary,
  context: () => Context,
): Judgement => {
  const laid = lay(to, claim, passage, vocabulary)
  const {
    language,
    literal,
    inOrder,
    from,
    said,
    written,
    matched,
    fault,
    gapOf,
    leftOut,
    between,
    nextSolid,
    opensClause,
  } = laid

  // 1. Words that the passage does not have.
  for (const [index, at] of to.entries()) {
    if (at >= 0) continue
    const token = said(index)
    const gap = gapOf(index)
    const out = leftOut(gap.after, gap.before)
    const place = between(gap.after, gap.before)
    if (literal) return newFault(token)
    if (token.operator) {
      if (operatorMayBeAdded(index, token, place)) continue
      return fault(OPERATOR_RULES[token.operator].fault, token.text)
    }
    if (token.figure) {
      // "1 year" for "a year"; a word of a title that is a number, beside other words of it.
      const beside = gap.before > 0 ? between(gap.before - 1, gap.before) : []
      if (beside.some(({ perhaps }) => perhaps && token.figure && sameFigure(token.figure, perhaps))) continue
      if ((isTopic(index - 1) || isTopic(index + 1)) && topicSupplies(index, out, place)) continue
      return newFault(token)
    }
    if (token.kind === 'code') return newFault(token)
    if (vocabulary.customer.has(token.text) && place.some(({ text }) => vocabulary.you.has(text))) continue
    if (token.addable && out.every((word) => word.addable === true || word.kind === 'operator')) continue
    if (isYearWord(index, token)) continue
    if (topicSupplies(index, out, place)) continue
    return newFault(token)
  }

  // "…, customers in France too": what they do too was said of others.
  const too = claim.tokens.findLastIndex(({ kind }) => kind !== 'break')
  const isElliptic = TOO.has(claim.tokens[too]?.text ?? '') && claim.tokens.slice(0, too).some(({ joint }) => joint)
  if (isElliptic && !passage.tokens.some(({ text }) => TOO.has(text)))
    return fault('order', claim.tokens[too]?.text ?? '')

  // 2. A number that shrank to "one".
  const perhapsFault = wrongPerhaps()
  if (perhapsFault) return perhapsFault

  // 3. Blocks that stand elsewhere.
  const turned = literal ? undefined : turnedAround(laid)
  const orderFault = movedFault(laid, turned)
  if (orderFault) return orderFault

  // 4. Operators: each beside the word that it stood beside; none gone whose word stayed.
  const operatorFault = operatorsFault(laid, turned)
  if (operatorFault) return operatorFault

  // 5. What was cut out must have been a whole: not the end of one statement and the beginning of the next.
  const cutFault = cutsFault()
  if (cutFault) return cutFault

  // 6. Who speaks and who is spoken to; agents of passives; directions.
  const roleFault = rolesFault(laid, turned)
  if (roleFault) return roleFault

  // 7. What the passage does not state, and what it states only with a restriction.
  const rests = new Set([...from.keys()].map((at) => passage.solids[at] ?? 0))
  // "One day" is "1 day", though it may be an article elsewhere.
  for (const { perhaps } of claim.tokens)
    for (const [at, { figure }] of passage.tokens.entries())
      if (perhaps && figure && sameFigure(perhaps, figure)) rests.add(at)
  const report = unstated(passage.tokens, rests, vocabulary)
  if (report !== undefined) return fault('modal', report)
  const subject = to.findIndex((at, index) => at >= 0 && said(index).kind === 'word')
  const restriction = widened(passage.tokens, rests, passage.solids[to[subject] ?? -1] ?? -1, vocabulary)
  if (restriction) return fault(restriction.reason, restriction.detail)

  const places = to.filter((at) => at >= 0)
  const nouns = matched()
  // One word of several states nothing: "Customers are."
  if (nouns === 0 || (nouns === 1 && passage.solids.length > 2))
    return fault(
      'coverage',
      claim.tokens
        .map(({ text }) => text)
        .join(' ')
        .slice(0, 80),
    )
  return {
    holds: true,
    rests: places.map((at) => passage.solids[at] ?? 0).sort((a, b) => a - b),
    matched: nouns,
  }

  function newFault(token: Token): Judgement {
    if (token.operator) return fault(OPERATOR_RULES[token.operator].fault, token.text)
    if (token.figure?.kind === 'date' || token.figure?.kind === 'time') return fault('date', token.text)
    if (token.figure?.kind === 'number') {
      const value = token.figure.value
      const otherUnit = passage.solids.some((_, at) => {
        const figure = written(at).figure
        return figure?.kind === 'number' && figure.value === value
      })
      return fault(otherUnit ? 'unit' : 'number', token.text)
    }
    if (token.kind === 'code') return fault('link', token.text)
    return fault(token.capital ? 'name' : 'coverage', token.text)
  }

  /** "im Jahr 2015" for "2015". */
  function isYearWord(index: number, token: Token): boolean {
    const next = claim.solids[index + 1]
    const figure = next === undefined ? undefined : claim.tokens[next]?.figure
    return (
      /^(?:year|jahre?|año|ano|année|anno)$/u.test(token.text) &&
      figure?.kind === 'number' &&
      /^[12]\d{3}$/u.test(figure.value)
    )
  }

  /**
   * The title or a heading names what the passage's sentence calls "it" or "the service", or leaves out. Only where the passage
   * names nothing else in that place: the title of a page is not who acts in all of its sentences.
   */
  function topicSupplies(index: number, out: readonly Token[], place: readonly Token[]): boolean {
    const token = said(index)
    const key = token.figure ? `figure:${token.text}` : token.keys.find((each) => each.startsWith('word:'))
    if (key === undefined) return false
    const nouns = out.filter(({ kind }) => kind !== 'operator')
    const pronoun = place.some(({ kind, text }) => kind === 'filler' && vocabulary.third.has(text))
    if (context().topic.has(key)) {
      if (nouns.length === 0) return true
      // "The game", "this plan": a common noun that points back.
      const only = nouns.length === 1 ? nouns[0] : undefined
      const before = only && passage.tokens[passage.tokens.indexOf(only) - 1]
      return (
        only !== undefined &&
        only.kind === 'word' &&
        (language === 'de' || !only.capital) &&
        before !== undefined &&
        vocabulary.pointing.has(before.text)
      )
    }
    return pronoun && nouns.length === 0 && context().before.has(key)
  }

  /** A word of the claim that the passage's sentence lacks and its title or a heading has. */
  function isTopic(index: number): boolean {
    const token = to[index] === -1 ? said(index) : undefined
    return token?.kind === 'word' && token.keys.some((key) => context().topic.has(key))
  }

  function operatorMayBeAdded(index: number, token: Token, place: readonly Token[]): boolean {
    const saysYou = nearTokens(index, 3).some(({ text }) => vocabulary.you.has(text))
    const anchor = nextSolid(claim, index)
    const target = anchor === undefined ? -1 : (to[anchor] ?? -1)
    const imperative = target >= 0 && opensClause(target)
    switch (token.operator) {
      // "You can reset it" for "Reset it" or "To reset it".
      case 'can':
      case 'must':
      case 'should':
        return saysYou && imperative
      // "If you want to reset it" for "To reset it"; "if you order" for "when you order"; "check if" for "check whether".
      case 'if':
        if (place.some(({ text }) => vocabulary.narrowing.when.has(text) || text === 'whether')) return true
        return saysYou && nearTokens(index, 4).some(({ text }) => WISHES.has(text))
      case 'all':
        return place.some(({ text }) => /^(?:per|pro|por|par|al|a|an)$/u.test(text)) && isEach(token.text)
      case 'within':
        return place.some(({ text }) => /^(?:in|innerhalb|binnen|tra)$/u.test(text))
      default:
        return false
    }
  }

  function nearTokens(index: number, reach: number): readonly Token[] {
    const at = claim.solids[index] ?? 0
    return claim.tokens.slice(Math.max(0, at - reach), at + reach + 1)
  }

  function wrongPerhaps(): Judgement | undefined {
    for (const [position, token] of claim.tokens.entries()) {
      const perhaps = token.perhaps
      if (!perhaps || isSolid(token)) continue
      let after = -1
      let before = passage.solids.length
      for (const [index, at] of inOrder.entries()) {
        if (at < 0) continue
        if ((claim.solids[index] ?? 0) < position) after = at
        else {
          before = at
          break
        }
      }
      const next = before < passage.solids.length ? before : undefined
      if (next === undefined || next - 1 <= after) continue
      const beside = written(next - 1)
      if (between(after, before).some(({ text }) => text === token.text)) continue
      if (
        beside.figure?.kind === 'number' &&
        !from.has(next - 1) &&
        !sameFigure(perhaps, beside.figure) &&
        perhaps.kind === 'number' &&
        !beside.figure.ordinal
      )
        return fault('number', token.text)
    }
    return undefined
  }

  /**
   * Between two words that the claim keeps, words were left out. If a clause begins among them, the cut goes through two statements,
   * unless it ends where a clause or an item begins.
   */
  function cutsFault(): Judgement | undefined {
    const places = [...from.keys()].sort((a, b) => a - b)
    for (const [order, low] of places.entries()) {
      const high = places[order + 1]
      if (high === undefined || high - low < 2) continue
      // Only where the claim, too, has them side by side.
      const [here, there] = [from.get(low) ?? 0, from.get(high) ?? 0]
      if (there <= here) continue
      const out: number[] = []
      for (let at = low + 1; at < high; at += 1) if (!written(at).operator || !written(at).joint) out.push(at)
      const [first, last] = [out[0], out.at(-1)]
      if (first === undefined || last === undefined) continue
      const isJoint = (token: Token) => (literal ? token.kind === 'break' : token.joint)
      const opensBefore = between(low, first).some(isJoint)
      const opensAfter = between(last, high).some(isJoint)
      const inside = passage.tokens
        .slice((passage.solids[first] ?? 0) + 1, passage.solids[last])
        .some((token) => isJoint(token))
      if (startsAnother(out, low, high)) return fault('order', written(high).text)
      if (literal && !(opensBefore && opensAfter)) return fault('coverage', written(first).text)
      if (inside && !opensBefore && !opensAfter) return fault('order', written(high).text)
    }
    return undefined
  }

  /** What was left out ends one statement and begins another, whose own subject is gone: "standard …; express … takes 1 day". */
  function startsAnother(out: readonly number[], low: number, high: number): boolean {
    const tokens = between(low, high)
    const stop = tokens.findLastIndex(({ kind, text }) => kind === 'break' && /^[;|]/u.test(text))
    if (stop >= 0 && tokens.slice(stop).some((token) => isSolid(token) && !token.operator)) return true
    const isAside = (one: number, other: number) => between(one, other).some(({ kind }) => kind === 'break')
    if (isAside(low, out[0] ?? low) && isAside(out.at(-1) ?? low, high)) return false
    const first = Math.min(...from.keys())
    const named = new Set<string>()
    for (let at = first; from.has(at) && written(at).kind === 'word' && between(first, at).every(isSolid); at += 1)
      for (const key of written(at).keys) named.add(key)
    return out.some((at) => written(at).kind === 'word' && written(at).keys.some((key) => named.has(key)))
  }
}

const TOO = new Set('too likewise también auch aussi également anche também'.split(' '))
const isEach = (text: string): boolean => /^(?:each|every|cada|jede[rnms]?|chaque|ogni)$/u.test(text)
