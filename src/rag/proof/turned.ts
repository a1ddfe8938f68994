import type { Laid } from './lay.js'
import type { Token } from './scan.js'

/**
 * The same statement the other way round: two blocks that changed places around a form of "to be"; active and passive, with or
 * without who did it; a condition before or after what it is a condition of. `undefined` where what changed places is not known to
 * be harmless. Operators are judged apart, each beside its word.
 */
export type Turned =
  | { kind: 'copula' | 'ours' | 'condition' }
  /** Solids of the claim: who did it, and what. */
  | { kind: 'passive'; agent: number; verb: number; agentHere: boolean }

export const turnedAround = (laid: Laid): Turned | undefined => {
  const { to, claim, passage, vocabulary, said, written, between, governorOf, isAgent } = laid
  const kept = withoutUnmoved(to.flatMap((at, index) => (at >= 0 && !said(index).operator ? [index] : [])))
  const splits = kept.flatMap((index, position) =>
    position > 0 && (to[index] ?? 0) < (to[kept[position - 1] ?? 0] ?? 0) ? [position] : [],
  )
  const [one, two, ...more] = splits
  if (one === undefined || more.length > 0) return undefined
  return two === undefined
    ? swapped(kept.slice(0, one), kept.slice(one))
    : passive([kept.slice(0, one), kept.slice(one, two), kept.slice(two)])

  function swapped(left: readonly number[], right: readonly number[]): Turned | undefined {
    const [leftStart, leftEnd] = [left[0] ?? 0, left.at(-1) ?? 0]
    const [rightStart, rightEnd] = [right[0] ?? 0, right.at(-1) ?? 0]
    const [rightEndAt, leftStartAt] = [to[rightEnd] ?? 0, to[leftStart] ?? 0]
    if (rightEndAt >= leftStartAt) return undefined
    const here = claim.tokens.slice((claim.solids[leftEnd] ?? 0) + 1, claim.solids[rightStart])
    const there = between(rightEndAt, leftStartAt)
    const isEven =
      governorOf(claim, leftStart) === governorOf(passage, leftStartAt) &&
      governorOf(claim, rightStart) === governorOf(passage, to[rightStart] ?? 0)
    if (isCopula(here) && isCopula(there) && isEven) return { kind: 'copula' }
    if (isCondition(left, right, here, there)) return { kind: 'condition' }
    if (isOurs(left, right, here)) return { kind: 'ours' }
    return verbLast(left, right)
  }

  /** "Nur Inhaber können den Bereich löschen" is "Der Bereich kann nur von Inhabern gelöscht werden". */
  function verbLast(left: readonly number[], right: readonly number[]): Turned | undefined {
    if (vocabulary.language !== 'de') return undefined
    const end = right.at(-1) ?? 0
    const isInside = right.length > 1 && said(end).kind === 'word' && !said(end).capital
    const verb = isInside ? end : to.findIndex((at, index) => index > end && at >= 0 && !said(index).operator)
    if (verb < 0 || said(verb).capital) return undefined
    if (!isInside && (to[verb] ?? 0) < (to[left.at(-1) ?? 0] ?? 0)) return undefined
    const [agentHere, agentThere] = [isAgent(claim, right[0] ?? 0), isAgent(passage, to[left[0] ?? 0] ?? 0)]
    if (agentHere === agentThere) return undefined
    const isPassive = ({ tokens }: typeof claim) =>
      tokens.some(({ text }) => text.startsWith('w') && vocabulary.passive.has(text))
    if (isPassive(claim) !== agentHere || isPassive(passage) !== agentThere) return undefined
    return { kind: 'passive', agent: (agentHere ? right[0] : left[0]) ?? 0, verb, agentHere }
  }

  function isCopula(tokens: readonly Token[]): boolean {
    return (
      tokens.some(({ text }) => vocabulary.passive.has(text)) &&
      tokens.every(
        ({ kind, text }) =>
          kind === 'filler' && (vocabulary.passive.has(text) || vocabulary.pointing.has(text) || ARTICLES.has(text)),
      )
    )
  }

  /** "If A, B" is "B, if A": both whole, with nothing before them, and the condition's word at the head of the same one. */
  function isCondition(
    left: readonly number[],
    right: readonly number[],
    here: readonly Token[],
    there: readonly Token[],
  ): boolean {
    const isHead = ({ text, operator }: Token) =>
      operator === 'if' || operator === 'unless' || vocabulary.narrowing.when.has(text)
    const count = to.filter((at, index) => at >= 0 && !said(index).operator).length
    if (left.length + right.length !== count) return false
    const [opensHere, opensThere] = [
      claim.tokens.slice(0, claim.solids[left[0] ?? 0]),
      passage.tokens.slice(0, passage.solids[to[right[0] ?? 0] ?? 0]),
    ]
    // The words before the first content word, where operators stand too.
    const [headsHere, headsThere] = [here.filter(isHead).length, there.filter(isHead).length]
    const [firstHere, firstThere] = [opensHere.some(isHead), opensThere.some(isHead)]
    const isComma = ({ kind, text }: Token) => kind === 'break' && text === ','
    if (headsHere === 1 && firstThere) return headsThere === 0 && !firstHere && there.some(isComma)
    if (headsThere === 1 && firstHere) return headsHere === 0 && !firstThere && here.some(isComma)
    return false
  }

  /**
   * "We do not share your data" is "your data is not shared". The other way round who does it is not said; only what cannot be done
   * at all, we cannot do either.
   */
  function isOurs(left: readonly number[], right: readonly number[], here: readonly Token[]): boolean {
    if (claim.solids.some((_, index) => isAgent(claim, index)) || passage.solids.some((_, at) => isAgent(passage, at)))
      return false
    const [verb, thing] = right.length === 1 ? [right, left] : [left, right]
    const [verbHere, thingHere] = [verb[0] ?? 0, thing[0] ?? 0]
    const [verbThere, thingThere] = [to[verbHere] ?? 0, to[thingHere] ?? 0]
    if (verb.length !== 1 || said(verbHere).kind !== 'word' || (said(verbHere).capital && verbHere > 0)) return false
    if (governorOf(claim, thingHere) !== undefined || governorOf(passage, thingThere) !== undefined) return false
    if (thingHere < verbHere) {
      return (
        here.some(({ text }) => vocabulary.passive.has(text)) &&
        isOurDeed(passage.tokens, passage.solids[verbThere] ?? 0) &&
        between(verbThere, thingThere).every(({ kind, joint }) => kind === 'filler' && !joint)
      )
    }
    const isImpersonal = between(to[thing.at(-1) ?? 0] ?? 0, verbThere).some(
      ({ text }) => vocabulary.passive.has(text) || REFLEXIVE.has(text),
    )
    const denies = (index: number, side: readonly Token[]) =>
      side.slice(Math.max(0, index - 4), index).some(({ operator }) => operator === 'not')
    return (
      isImpersonal &&
      denies(claim.solids[verbHere] ?? 0, claim.tokens) &&
      denies(passage.solids[verbThere] ?? 0, passage.tokens) &&
      (isOurDeed(claim.tokens, claim.solids[verbHere] ?? 0) || /[aei]mos$/u.test(said(verbHere).text)) &&
      here.every(({ kind, joint }) => kind === 'filler' && !joint) &&
      written(verbThere).kind === 'word'
    )
  }

  /** "We" before a verb, and nothing but operators and auxiliaries of the active between them. */
  function isOurDeed(tokens: readonly Token[], verb: number): boolean {
    for (let at = verb - 1; at >= 0; at -= 1) {
      const token = tokens[at]
      if (!token || token.kind === 'break' || vocabulary.passive.has(token.text)) return false
      if (OUR_SUBJECTS.has(token.text)) return true
      if (token.kind !== 'filler' && !token.operator) return false
    }
    return false
  }

  /** [Y] was [verb] by [X]  ⇄  [X] [verb] [Y] */
  function passive([front, verb, back]: [number[], number[], number[]]): Turned | undefined {
    const [verbHead, backHead, frontHead] = [verb[0] ?? 0, back[0] ?? 0, front[0] ?? 0]
    if (verb.some((index) => said(index).capital)) return undefined
    if ((to[back.at(-1) ?? 0] ?? 0) > (to[verbHead] ?? 0) || (to[verb.at(-1) ?? 0] ?? 0) > (to[frontHead] ?? 0))
      return undefined
    const agentHere = isAgent(claim, backHead)
    const agentThere = isAgent(passage, to[frontHead] ?? 0)
    const passiveHere = claim.tokens
      .slice(claim.solids[front.at(-1) ?? 0], claim.solids[verbHead])
      .some(({ text }) => vocabulary.passive.has(text))
    const passiveThere = between(to[back.at(-1) ?? 0] ?? 0, to[verbHead] ?? 0).some(({ text }) =>
      vocabulary.passive.has(text),
    )
    const isTurned = agentHere ? !agentThere && passiveHere : agentThere && passiveThere
    return isTurned
      ? { kind: 'passive', agent: agentHere ? backHead : frontHead, verb: verbHead, agentHere }
      : undefined
  }

  /** What stands in its place at the beginning and at the end takes no part in it. */
  function withoutUnmoved(all: readonly number[]): number[] {
    const ranks = all.map((index) => to[index] ?? 0).sort((a, b) => a - b)
    let [low, high] = [0, all.length]
    while (low < high && to[all[low] ?? 0] === ranks[low]) low += 1
    while (high > low && to[all[high - 1] ?? 0] === ranks[high - 1]) high -= 1
    return all.slice(low, high)
  }
}

export const ARTICLES: ReadonlySet<string> = new Set(
  'a an the el la los las un una o a os as um uma der die das ein eine le les une il lo i gli uno'.split(' '),
)
const OUR_SUBJECTS = new Set('we nosotros nós wir nous noi'.split(' '))
/** Makes a passive without an agent in Spanish, Portuguese and Italian. */
const REFLEXIVE = new Set(['se', 'si'])
