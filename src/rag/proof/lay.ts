import { isSolid, matches, type Side } from './align.js'
import type { Token } from './scan.js'
import type { Vocabulary } from './vocabulary.js'

export type JudgeFault = { reason: FaultReason; detail: string }
export type FaultReason =
  | 'number'
  | 'date'
  | 'unit'
  | 'name'
  | 'link'
  | 'negation'
  | 'condition'
  | 'modal'
  | 'quantity'
  | 'order'
  | 'coverage'

export type Judgement =
  /** `rests`: the passage's tokens that the claim rests on, in order; `matched`: how many words, operators apart. */
  { holds: true; rests: number[]; matched: number } | { holds: false; fault: JudgeFault; matched: number }

/** Where each solid word of a claim stands in a passage, and what can be asked of the two when they lie side by side. */
export type Laid = ReturnType<typeof lay>

/** `to` holds, for each solid of the claim, its place among the passage's, or -1; it is completed with what stands elsewhere. */
export const lay = (to: number[], claim: Side, passage: Side, vocabulary: Vocabulary) => {
  const language = vocabulary.language
  const literal = vocabulary.lexicon === undefined
  const used = new Set(to.filter((at) => at >= 0))
  const inOrder = [...to]

  const said = (index: number): Token => claim.tokens[claim.solids[index] ?? -1] as Token
  const written = (index: number): Token => passage.tokens[passage.solids[index] ?? -1] as Token
  const matched = () => to.filter((at, index) => at >= 0 && said(index).kind !== 'operator').length
  const fault = (reason: FaultReason, detail: string): Judgement => ({
    holds: false,
    fault: { reason, detail },
    matched: matched(),
  })

  // What stands elsewhere in the passage: moved, not new.
  for (const [index, at] of to.entries()) {
    if (at >= 0) continue
    for (let other = 0; other < passage.solids.length; other += 1) {
      if (!used.has(other) && matches(said(index), written(other), language)) {
        to[index] = other
        used.add(other)
        break
      }
    }
  }

  const from = new Map<number, number>()
  for (const [index, at] of to.entries()) if (at >= 0) from.set(at, index)
  /** The solids of the passage before and after the place that corresponds to a claim's solid that has none. */
  const gapOf = (index: number): { after: number; before: number } => {
    let after = -1
    for (let at = index - 1; at >= 0 && after < 0; at -= 1) after = inOrder[at] ?? -1
    let before = passage.solids.length
    for (let at = index + 1; at < inOrder.length; at += 1) {
      const found = inOrder[at] ?? -1
      if (found >= 0) {
        before = found
        break
      }
    }
    return { after, before }
  }
  /** Words of the passage between two of its solids that the claim leaves out. */
  const leftOut = (after: number, before: number): Token[] => {
    const out: Token[] = []
    for (let at = after + 1; at < before; at += 1) if (!from.has(at)) out.push(written(at))
    return out
  }
  /** All tokens of the passage between two of its solids. */
  const between = (after: number, before: number): readonly Token[] =>
    passage.tokens.slice(
      after < 0 ? 0 : (passage.solids[after] ?? 0) + 1,
      before < passage.solids.length ? passage.solids[before] : passage.tokens.length,
    )
  return {
    to,
    claim,
    passage,
    vocabulary,
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
    governorOf,
    isAgent,
    neighboursOf,
    nextSolid,
    opensClause,
  }

  /** The word that says what part a solid plays: the preposition or conjunction before it, over articles and the like. */
  function governorOf(side: Side, solid: number): string | undefined {
    const own = side.tokens[side.solids[solid] ?? 0]
    if (own?.operator && GOVERNING.has(own.operator)) return `is:${own.operator}`
    for (let at = (side.solids[solid] ?? 0) - 1; at >= 0; at -= 1) {
      const token = side.tokens[at]
      if (!token || token.kind === 'break') return undefined
      if (token.operator && GOVERNING.has(token.operator)) return `is:${token.operator}`
      if (vocabulary.prepositions.has(token.text) || (token.joint && !vocabulary.pointing.has(token.text)))
        return token.text
      if (isSolid(token)) return undefined
    }
    return undefined
  }

  function isAgent(side: Side, solid: number): boolean {
    const governor = governorOf(side, solid)
    return governor !== undefined && vocabulary.agent.has(governor)
  }

  /** The nearest solid words (no operators) of the same clause. */
  function neighboursOf(side: Side, solid: number): [number | undefined, number | undefined] {
    return [walk(side, solid, -1), walk(side, solid, 1)]
  }

  function walk(side: Side, solid: number, step: 1 | -1): number | undefined {
    let other = solid + step
    for (let at = (side.solids[solid] ?? 0) + step; at >= 0 && at < side.tokens.length; at += step) {
      const token = side.tokens[at]
      if (!token || token.kind === 'break') return undefined
      if (!isSolid(token)) continue
      if (!token.operator || token.operator === 'hedge') return other
      other += step
    }
    return undefined
  }

  function nextSolid(side: Side, solid: number): number | undefined {
    return walk(side, solid, 1)
  }

  /** Whether the passage's solid is the first word of its clause, but for "to" and the like: an imperative or an infinitive. */
  function opensClause(solid: number): boolean {
    const at = passage.solids[solid] ?? 0
    for (let index = at - 1; index >= 0; index -= 1) {
      const token = passage.tokens[index]
      if (!token || token.kind === 'break' || token.joint) return true
      if (token.kind !== 'filler') {
        if (token.operator && IMPERATIVE_OPERATORS.has(token.operator)) continue
        return false
      }
      if (!vocabulary.prepositions.has(token.text) && !vocabulary.you.has(token.text)) return false
    }
    return true
  }
}

/** "Do not share it", "Only use it", "Always keep it" are imperatives too. */
const IMPERATIVE_OPERATORS = new Set(['not', 'never', 'only', 'always'])
const GOVERNING = new Set([
  'over',
  'under',
  'before',
  'after',
  'until',
  'since',
  'if',
  'unless',
  'without',
  'except',
  'within',
  'atMost',
  'atLeast',
])
