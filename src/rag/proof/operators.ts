import type { Judgement, Laid } from './lay.js'
import { SUBORDINATING } from './reports.js'
import type { Token } from './scan.js'
import type { Turned } from './turned.js'
import { OPERATOR_RULES } from './words.js'

/** Each operator beside the word that it stood beside; none gone whose word stayed. */
export const operatorsFault = (
  { to, claim, passage, vocabulary, language, inOrder, from, said, written, fault, between, neighboursOf }: Laid,
  turned: Turned | undefined,
): Judgement | undefined => {
  for (const [index, at] of to.entries()) {
    const token = said(index)
    if (!token.operator || at < 0) continue
    const isBeside = token.operator === 'only' && isOfAgent(index) ? isOnlyAgent(index, at) : sameSide(index, at)
    if (!isBeside) return fault(OPERATOR_RULES[token.operator].fault, token.text)
  }
  for (let at = 0; at < passage.solids.length; at += 1) {
    const token = written(at)
    if (!token.operator || from.has(at)) continue
    const { drop, fault: reason } = OPERATOR_RULES[token.operator]
    if (drop === 'free') continue
    if (drop === 'always' ? stillSpeaks(at) : drop === 'number' ? numberStays(at) : neighbourStays(at)) {
      if (isReplaced(at, token)) continue
      return fault(reason, token.text)
    }
  }
  return undefined

  /** The claim has another operator in its place that may stand for it. */
  function isReplaced(at: number, token: Token): boolean {
    // "If you are a customer" is dropped with its wish; "if you want to reset it" says no more than "to reset it".
    if (token.operator !== 'if') return false
    const position = passage.solids[at] ?? 0
    const near = passage.tokens.slice(position + 1, position + 5)
    return (
      near.some(({ text }) => vocabulary.you.has(text)) &&
      near.some(({ text }) => WISHES.has(text)) &&
      !near.some(({ operator }) => operator === 'not')
    )
  }

  /** A condition binds its sentence, up to what begins another statement; the stop of "e.g." does not. */
  function stillSpeaks(at: number): boolean {
    const position = passage.solids[at] ?? 0
    const ends = ({ kind, text }: Token) => kind === 'break' && /^[;\n|•]/u.test(text)
    let [low, high] = [position, position]
    while (low > 0 && !ends(passage.tokens[low - 1] as Token)) low -= 1
    while (high < passage.tokens.length - 1 && !ends(passage.tokens[high + 1] as Token)) high += 1
    return passage.solids.some(
      (solid, index) => solid >= low && solid <= high && from.has(index) && !written(index).operator,
    )
  }

  function numberStays(at: number): boolean {
    for (let other = at + 1; other <= at + 2 && other < passage.solids.length; other += 1)
      if (written(other).figure && from.has(other)) return true
    return at > 0 && written(at - 1).figure !== undefined && from.has(at - 1) && TRAILING_BOUND.test(written(at).text)
  }

  function neighbourStays(at: number): boolean {
    const [before, after] = neighboursOf(passage, at)
    const class_ = written(at).operator
    const looksBack =
      class_ === 'not' ||
      class_ === 'rarely' ||
      class_ === 'only' ||
      class_ === 'off' ||
      class_ === 'out' ||
      class_ === 'up' ||
      class_ === 'down'
    // "It is not true that …"
    if (class_ === 'not' && after !== undefined && !from.has(after)) {
      const kept = [...from.keys()].filter((other) => other > after).sort((a, b) => a - b)[0]
      if (kept !== undefined && between(after, kept).some(({ text }) => SUBORDINATING.has(text))) return true
    }
    return (
      (after !== undefined && from.has(after)) ||
      (before !== undefined && from.has(before) && (looksBack || after === undefined))
    )
  }

  /** Before the verb or the agent of what was turned from active to passive, or back. */
  function isOfAgent(index: number): boolean {
    const after = neighboursOf(claim, index)[1]
    return turned?.kind === 'passive' && (after === turned.agent || after === turned.verb)
  }

  /** "Only owners can delete it" is "it can only be deleted by owners": before the verb of a passive it is about who does it. */
  function isOnlyAgent(index: number, at: number): boolean {
    if (turned?.kind !== 'passive') return false
    const { agent, verb, agentHere } = turned
    const [afterHere, afterThere] = [neighboursOf(claim, index)[1], neighboursOf(passage, at)[1]]
    const agentThere = to[agent]
    return agentHere
      ? (afterHere === verb || afterHere === agent) && afterThere === agentThere
      : afterHere === agent && (afterThere === to[verb] || afterThere === agentThere)
  }

  /** The operator stands beside the same word on both sides, before or after it. */
  function sameSide(index: number, at: number): boolean {
    const [before, after] = neighboursOf(claim, index)
    const [beforeThere, afterThere] = neighboursOf(passage, at)
    if (after !== undefined && afterThere !== undefined && to[after] === afterThere) return true
    if (before !== undefined && beforeThere !== undefined && to[before] === beforeThere) return true
    const crossed =
      (after !== undefined && to[after] === beforeThere) || (before !== undefined && to[before] === afterThere)
    if (crossed && language === 'de' && said(index).operator !== 'only') return true
    // Its word there was left out, or its word here is new: then it must at least be in its place.
    if (inOrder[index] !== at) return false
    const fresh = after === undefined || (to[after] ?? -1) < 0
    const gone = afterThere === undefined || !from.has(afterThere)
    return fresh || (gone && !between(at, to[after] ?? at).some(({ joint }) => joint))
  }
}

const TRAILING_BOUND = /(?:more|less|fewer|above|up|older|later|más|menos|mais|mehr|weniger|plus|moins|più|meno)$/u
/** What makes of "if you … to" a mere "to". */
export const WISHES = new Set(
  'want wish like need would quieres quiere desea deseas quiser deseja möchten möchtest wollen willst souhaitez voulez vuoi desideri vuole desidera'.split(
    ' ',
  ),
)
