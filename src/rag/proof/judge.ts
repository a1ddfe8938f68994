import { align, isSolid, matches, sideOf, type Side } from './align.js'
import { sameFigure } from './figures.js'
import { unstated } from './reports.js'
import { widened } from './restrictions.js'
import type { Token, Vocabulary } from './scan.js'
import { OPERATOR_RULES } from './words.js'

/**
 * Whether one sentence of a passage says what a claim says. The claim is laid beside the passage's words in their order; what is
 * left over on either side is then judged: a word that is new, a word that is gone though its neighbour stayed, a block that stands
 * elsewhere. Whatever is not known to be harmless is a fault.
 */
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

  // 2. A number that shrank to "one".
  const perhapsFault = wrongPerhaps()
  if (perhapsFault) return perhapsFault

  // 3. Blocks that stand elsewhere.
  const orderFault = movedFault()
  if (orderFault) return orderFault

  // 4. Operators: each beside the word that it stood beside; none gone whose word stayed.
  const operatorFault = operatorsFault()
  if (operatorFault) return operatorFault

  // 5. What was cut out must have been a whole: not the end of one statement and the beginning of the next.
  const cutFault = cutsFault()
  if (cutFault) return cutFault

  // 6. Who speaks and who is spoken to; agents of passives; directions.
  const roleFault = rolesFault()
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
      // "If you want to reset it" for "To reset it".
      case 'if':
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

  function movedFault(): Judgement | undefined {
    const moved = to.flatMap((at, index) => (at >= 0 && inOrder[index] === -1 ? [index] : []))
    if (moved.length === 0) return undefined
    const first = moved[0] ?? 0
    if (literal) return fault('order', said(first).text)
    if (isTurnedAround()) return undefined
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
  }

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

  /** Two blocks that changed places around a form of "to be", or around the verb of a passive: the same statement. */
  function isTurnedAround(): boolean {
    const kept = withoutUnmoved(to.flatMap((at, index) => (at >= 0 ? [index] : [])))
    const splits = kept.flatMap((index, position) =>
      position > 0 && (to[index] ?? 0) < (to[kept[position - 1] ?? 0] ?? 0) ? [position] : [],
    )
    if (splits.length === 1) {
      const cut = splits[0] ?? 0
      const [left, right] = [kept.slice(0, cut), kept.slice(cut)]
      const [leftEnd, rightStart] = [left.at(-1) ?? 0, right[0] ?? 0]
      const [rightEndAt, leftStartAt] = [to[right.at(-1) ?? 0] ?? 0, to[left[0] ?? 0] ?? 0]
      if (rightEndAt >= leftStartAt) return false
      const joint = claim.tokens.slice((claim.solids[leftEnd] ?? 0) + 1, claim.solids[rightStart])
      const theirs = between(rightEndAt, leftStartAt)
      const isCopula = (tokens: readonly Token[]) =>
        tokens.some(({ text }) => vocabulary.passive.has(text)) &&
        tokens.every(
          (token) =>
            !isSolid(token) &&
            (vocabulary.passive.has(token.text) || vocabulary.pointing.has(token.text) || ARTICLES.has(token.text)),
        )
      return (
        isCopula(joint) &&
        isCopula(theirs) &&
        governorOf(claim, left[0] ?? 0) === governorOf(passage, leftStartAt) &&
        governorOf(claim, rightStart) === governorOf(passage, to[rightStart] ?? 0)
      )
    }
    if (splits.length !== 2) return false
    // [Y] was [verb] by [X]  ⇄  [X] [verb] [Y]
    const [one, two] = [splits[0] ?? 0, splits[1] ?? 0]
    const blocks = [kept.slice(0, one), kept.slice(one, two), kept.slice(two)]
    const [front, verb, back] = blocks as [number[], number[], number[]]
    const [verbHead, backHead, frontHead] = [verb[0] ?? 0, back[0] ?? 0, front[0] ?? 0]
    if (verb.some((index) => said(index).capital)) return false
    if ((to[back.at(-1) ?? 0] ?? 0) > (to[verbHead] ?? 0) || (to[verb.at(-1) ?? 0] ?? 0) > (to[frontHead] ?? 0))
      return false
    const agentHere = isAgent(claim, backHead)
    const agentThere = isAgent(passage, to[frontHead] ?? 0)
    const passiveHere = claim.tokens
      .slice(claim.solids[front.at(-1) ?? 0], claim.solids[verbHead])
      .some(({ text }) => vocabulary.passive.has(text))
    const passiveThere = between(to[back.at(-1) ?? 0] ?? 0, to[verbHead] ?? 0).some(({ text }) =>
      vocabulary.passive.has(text),
    )
    return agentHere ? !agentThere && passiveHere : agentThere && passiveThere
  }

  /** What stands in its place at the beginning and at the end takes no part in it. */
  function withoutUnmoved(kept: readonly number[]): number[] {
    const ranks = kept.map((index) => to[index] ?? 0).sort((a, b) => a - b)
    let [low, high] = [0, kept.length]
    while (low < high && to[kept[low] ?? 0] === ranks[low]) low += 1
    while (high > low && to[kept[high - 1] ?? 0] === ranks[high - 1]) high -= 1
    return kept.slice(low, high)
  }

  function isAgent(side: Side, solid: number): boolean {
    const governor = governorOf(side, solid)
    return governor !== undefined && vocabulary.agent.has(governor)
  }

  function operatorsFault(): Judgement | undefined {
    for (const [index, at] of to.entries()) {
      const token = said(index)
      if (!token.operator || at < 0) continue
      if (!sameSide(index, at)) return fault(OPERATOR_RULES[token.operator].fault, token.text)
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
  }

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

  function rolesFault(): Judgement | undefined {
    for (const [index, at] of to.entries()) {
      if (at < 0 || said(index).operator) continue
      const mine = governorOf(claim, index)
      const theirs = governorOf(passage, at)
      if (mine === theirs) continue
      if (mine && theirs && (OPPOSITES[mine] ?? []).includes(theirs))
        return fault('order', `${mine} ${said(index).text}`)
    }
    if (to.some((at, index) => at >= 0 && inOrder[index] === -1)) return speakersFault()
    // A passive that the passage has not, around words in the same order: who did it and to whom changed places.
    for (const [index, at] of to.entries()) {
      if (index === 0 || at < 0 || said(index).operator) continue
      const [here, there] = [isAgent(claim, index), isAgent(passage, at)]
      if (here === there) continue
      const aux = (tokens: readonly Token[]) => tokens.some(({ text }) => vocabulary.passive.has(text))
      const earlier = claim.tokens.slice(Math.max(0, (claim.solids[index - 1] ?? 0) - 3), claim.solids[index])
      const earlierThere = passage.tokens.slice(Math.max(0, (passage.solids[at - 1] ?? 0) - 3), passage.solids[at])
      if (here ? aux(earlier) && !aux(earlierThere) : aux(earlierThere) && !aux(earlier))
        return fault('order', said(index).text)
    }
    return speakersFault()
  }

  /** "We will contact you" is not "you will contact us", and "you" are a customer or a user, nobody else. */
  function speakersFault(): Judgement | undefined {
    for (const [index, at] of to.entries()) {
      if (at < 0) continue
      const speaker = speakerBefore(claim, index)
      const speakerThere = speakerBefore(passage, at)
      const [told, toldThere] = [toldAfter(claim, index), toldAfter(passage, at)]
      if (told && toldThere && told !== toldThere) return fault('name', said(index).text)
      // "Send us the form" asks; "we send you the form" does not.
      if (speakerThere && !speaker && index === 0 && claim.solids[0] === 0) return fault('name', said(index).text)
      if (speakerThere && speaker && speaker !== speakerThere) return fault('name', said(index).text)
      if (speaker !== 'you' || speakerThere || opensClause(at)) continue
      const kept = previousKept(at)
      const named = leftOut(kept, at).find(({ operator, text }) => !operator && !vocabulary.customer.has(text))
      if (named && !between(kept, at).some(({ joint }) => joint)) return fault('name', named.text)
    }
    return undefined
  }

  function previousKept(at: number): number {
    for (let other = at - 1; other >= 0; other -= 1) if (from.has(other)) return other
    return -1
  }

  /** Whom a verb is done to: the pronoun directly after it. */
  function toldAfter(side: Side, solid: number): 'we' | 'you' | undefined {
    const next = side.tokens[(side.solids[solid] ?? 0) + 1]
    if (next?.kind !== 'filler') return undefined
    if (TOLD.we.has(next.text)) return 'we'
    return TOLD.you.has(next.text) ? 'you' : undefined
  }

  /** Who stands directly before a word of a clause: "we ship", "you will receive". */
  function speakerBefore(side: Side, solid: number): 'we' | 'you' | 'other' | undefined {
    for (let at = (side.solids[solid] ?? 0) - 1; at >= 0; at -= 1) {
      const token = side.tokens[at]
      if (!token || token.kind === 'break' || token.kind === 'word' || token.figure) return undefined
      if (token.kind !== 'filler') continue
      if (SUBJECTS.we.has(token.text)) return 'we'
      if (SUBJECTS.you.has(token.text)) return 'you'
      if (SUBJECTS.other.has(token.text)) return 'other'
      if (vocabulary.prepositions.has(token.text)) return undefined
    }
    return undefined
  }
}

const isEach = (text: string): boolean => /^(?:each|every|cada|jede[rnms]?|chaque|ogni)$/u.test(text)

const WISHES = new Set(
  'want wish like need would quieres quiere desea deseas quiser deseja möchten möchtest wollen willst souhaitez voulez vuoi desideri vuole desidera'.split(
    ' ',
  ),
)
/** Prepositions whose block hangs on the word before it. */
const BOUND_PREPOSITIONS = new Set('of de do da dos das del von des di della dei than als que'.split(' '))
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
const SUBORDINATING = new Set('that dass daß que che whether ob'.split(' '))
const LIST_WORDS = new Set('and or y e o u ou et und oder ed & sowie'.split(' '))
const ARTICLES = new Set(
  'a an the el la los las un una o a os as um uma der die das ein eine le les une il lo i gli uno'.split(' '),
)
const SUBJECTS = {
  we: new Set('we i nosotros nós wir ich nous je noi'.split(' ')),
  other: new Set('he she it él ella ele ela er es il elle'.split(' ')),
  you: new Set('you usted ustedes tú você vocês du vous tu'.split(' ')),
}
const TOLD = {
  we: new Set('us me uns mir nos noi nous'.split(' ')),
  you: new Set('you dir ihnen te ti vous voi'.split(' ')),
}
const OPPOSITES: Record<string, readonly string[]> = {
  from: ['to'],
  to: ['from'],
  above: ['below', 'under'],
  below: ['above', 'over'],
  over: ['under', 'below'],
  under: ['over', 'above'],
  von: ['zu', 'zum', 'zur', 'nach'],
  zu: ['von', 'vom'],
  über: ['unter'],
  unter: ['über'],
  con: ['sin'],
  avec: ['sans'],
}
const TRAILING_BOUND = /(?:more|less|fewer|above|up|older|later|más|menos|mais|mehr|weniger|plus|moins|più|meno)$/u
