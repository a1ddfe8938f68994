import { isSolid } from './align.js'
import type { Judgement, Laid } from './lay.js'
import type { Token } from './scan.js'
import type { Turned } from './turned.js'

/** Blocks that stand elsewhere than in the passage: harmless where they may be moved, another statement where not. */
export const movedFault = (
  {
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
    fault,
    gapOf,
    leftOut,
    between,
    governorOf,
  }: Laid,
  turned: Turned | undefined,
): Judgement | undefined => {
  const moved = to.flatMap((at, index) => (at >= 0 && inOrder[index] === -1 ? [index] : []))
  if (moved.length === 0) return undefined
  const first = moved[0] ?? 0
  if (literal) return fault('order', said(first).text)
  if (turned) return undefined
  const runs: number[][] = []
  for (const index of moved) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run && last === index - 1 && (to[index] ?? 0) > (to[last] ?? 0) && !parted(last, index)) run.push(index)
    else runs.push([index])
  }
  const governors = new Set<string>()
  for (const run of runs) {
    const detail = run.map((index) => said(index).text).join(' ')
    const head = run[0] ?? 0
    const tokens = run.map(said)
    // Operators stand beside their words; that is judged apart.
    if (tokens.every(({ operator }) => operator)) continue
    if (isAdverb(tokens)) continue
    if (isListed(run)) continue
    const mine = governorOf(claim, head)
    const theirs = governorOf(passage, to[head] ?? 0)
    if (!tokens.some(({ figure }) => figure?.kind === 'date') && crossesValue(run)) return fault('order', detail)
    if (hasRival(run, mine) || isTaken(head, theirs) || isSpliced(run)) return fault('order', detail)
    if (!mine || mine !== theirs || governors.has(mine) || BOUND_PREPOSITIONS.has(mine)) return fault('order', detail)
    governors.add(mine)
  }
  return undefined

  /** "In Denver … in Carolina": a block may not jump over another that plays the same part, or they may have changed places. */
  function hasRival(run: readonly number[], governor: string | undefined): boolean {
    const isValue = (index: number) => said(index).figure !== undefined
    const head = run[0] ?? 0
    return to.some((at, index) => {
      if (at < 0 || run.includes(index) || isValue(index) !== isValue(head)) return false
      const jumped = index < head !== at < (to[head] ?? 0)
      return jumped && (governorOf(claim, index) === governor || governorOf(passage, at) === governor)
    })
  }

  /** Over the joint of two statements: what stands there has a name or a value of its own. */
  function crossesValue(run: readonly number[]): boolean {
    const head = run[0] ?? 0
    const { after, before } = gapOf(head)
    const origin = to[head] ?? 0
    const [low, high] = origin > after ? [after, origin] : [origin, before]
    if (!between(low, high).some(({ joint }) => joint)) return false
    const isValue = ({ figure }: Token) => figure !== undefined
    const isName = ({ kind, capital }: Token) => kind === 'word' && capital
    const out = passage.solids.flatMap((_, at) => (from.has(at) ? [] : [written(at)]))
    const words = run.map(said)
    return (
      (words.some(isName) && out.some(isName)) ||
      (words.some(isValue) && out.some(isValue)) ||
      (to.some((at, index) => at >= 0 && isValue(said(index))) && out.some(isValue))
    )
  }

  /** From one of two statements into the other, with something left out between them. */
  function isSpliced(run: readonly number[]): boolean {
    const [head, tail] = [run[0] ?? 0, run.at(-1) ?? 0]
    // From one end of the sentence to the other it speaks of all of it.
    const last = passage.solids.length - 1
    if ((head === 0 && to[tail] === last) || (tail === to.length - 1 && to[head] === 0)) return false
    const { after, before } = gapOf(head)
    const origin = to[head] ?? 0
    const [low, high] = origin > after ? [after, origin] : [origin, before]
    return (
      leftOut(low, high).length > 0 &&
      between(low, high).some(({ kind, text }) => LIST_WORDS.has(text) || (kind === 'break' && /^[;.:|]/u.test(text)))
    )
  }

  /** The passage says something else in that place: "on Saturday from 10:00" is not "on Saturday from 9:00". */
  function isTaken(head: number, governor: string | undefined): boolean {
    const { after, before } = gapOf(head)
    for (let at = after + 1; at < before; at += 1) {
      const isOther = !from.has(at) && (written(at).figure !== undefined) === (said(head).figure !== undefined)
      if (isOther && governorOf(passage, at) === governor) return true
    }
    return false
  }

  /** Whether something of the passage that the claim keeps lies between two solids of the claim. */
  function parted(one: number, other: number): boolean {
    const [low, high] = [to[one] ?? 0, to[other] ?? 0]
    for (let at = low + 1; at < high; at += 1) if (from.has(at)) return true
    return false
  }

  function isAdverb(tokens: readonly Token[]): boolean {
    const only = tokens.length === 1 ? tokens[0] : undefined
    if (!only) return false
    if (only.figure?.kind === 'date') return true
    if (only.kind !== 'word' || only.capital) return false
    // German verbs go where the clause wants them; its nouns are told by their capitals.
    return language === 'de' || /(?:[a-z]{3}ly|mente|ment)$/u.test(only.text)
  }

  /** The items of a list in another order: nothing but separators and articles between what changed places. */
  function isListed(run: readonly number[]): boolean {
    const [head, tail] = [run[0] ?? 0, run.at(-1) ?? 0]
    const [low, high] = [to[head] ?? 0, to[tail] ?? 0]
    const isList = (tokens: readonly Token[]) =>
      tokens.some(isSeparator) &&
      tokens.every((token) => isSolid(token) || isSeparator(token) || vocabulary.pointing.has(token.text)) &&
      short(tokens)
    const joined = (one: number, other: number) =>
      isList(claim.tokens.slice(claim.solids[one], (claim.solids[other] ?? 0) + 1))
    return [
      { at: to[head - 1] ?? -1, listed: head > 0 && joined(head - 1, head) },
      { at: to[tail + 1] ?? -1, listed: tail + 1 < to.length && joined(tail, tail + 1) },
    ].some(({ at, listed }) => {
      if (
        at < 0 ||
        !listed ||
        !isItem(at < low ? (passage.solids[low] ?? 0) : (passage.solids[high] ?? 0), at < low ? -1 : 1)
      )
        return false
      return isList(
        passage.tokens.slice(passage.solids[Math.min(at, low)], (passage.solids[Math.max(at, high)] ?? 0) + 1),
      )
    })
  }

  /** Nothing but an article between a word of the passage and the next separator: a whole item, not a part of one. */
  function isItem(position: number, step: 1 | -1): boolean {
    let at = position + step
    while (step < 0 && vocabulary.pointing.has(passage.tokens[at]?.text ?? '')) at += step
    const token = passage.tokens[at]
    return token !== undefined && isSeparator(token)
  }

  function isSeparator(token: Token): boolean {
    return token.kind === 'break' ? /^[,;|•·\n]/u.test(token.text) : LIST_WORDS.has(token.text)
  }

  /** Items of a list are short; two statements joined by a comma are not. */
  function short(tokens: readonly Token[]): boolean {
    let length = 0
    for (const token of tokens) {
      length = isSeparator(token) ? 0 : length + Number(isSolid(token))
      if (length > 3) return false
    }
    return true
  }
}

/** Prepositions whose block hangs on the word before it. */
const BOUND_PREPOSITIONS = new Set('of de do da dos das del von des di della dei than als que'.split(' '))
const LIST_WORDS = new Set('and or y e o u ou et und oder ed & sowie'.split(' '))
