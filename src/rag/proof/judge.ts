import { sameFigure, type Figure } from './figures.js'
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

type Side = { tokens: readonly Token[]; solids: readonly number[] }

const isSolid = ({ kind }: Token): boolean => kind !== 'filler' && kind !== 'break'
const sideOf = (tokens: readonly Token[]): Side => ({
  tokens,
  solids: tokens.flatMap((token, at) => (isSolid(token) ? [at] : [])),
})

const SUFFIXES: Record<string, ReadonlySet<string>> = Object.fromEntries(
  Object.entries({
    en: ' e y s es ed d ing er ers or ors ment ments ion ions ation ations al ally ly able ance ence ies ied',
    de: ' e en er es em n s st t te ten tes ter et ung ungen lich liche lichen bar',
    es: ' o a os as e es ar er ir ado ada ados adas ido ida idos idas ción ciones ando iendo an en ó aron ieron ará mente',
    pt: ' o a os as e es ar er ir ado ada ados adas ido ida idos idas ção ções ando endo indo am em ou aram eram mente',
    fr: ' e s es er ir re é ée és ées ez ent ons tion tions ation ations ement ment ant',
    it: ' o a i e are ere ire ato ata ati ate ito ita iti ite zione zioni azione azioni ando endo ano ono mente',
  }).map(([language, suffixes]) => [language, new Set(suffixes.split(' '))]),
)
const SHORTEST_ROOT = 4

/** deliver, delivery: one root and endings that do not turn its meaning. Names must be the same. */
const related = (one: Token, other: Token, language: string): boolean => {
  const suffixes = SUFFIXES[language]
  if (!suffixes || one.kind !== 'word' || other.kind !== 'word') return false
  if (language !== 'de' && (one.capital || other.capital)) return false
  const [a, b] = [one.text, other.text]
  let shared = 0
  while (shared < a.length && a[shared] === b[shared]) shared += 1
  for (let root = shared; root >= SHORTEST_ROOT && root >= shared - 2; root -= 1) {
    if (suffixes.has(a.slice(root)) && suffixes.has(b.slice(root))) return true
  }
  return false
}

/** Whether `claim` may stand for `passage`. */
const matches = (claim: Token, passage: Token, language: string): boolean => {
  if (claim.figure || passage.figure) {
    const said = claim.figure
    const written = passage.figure
    if (said && written) return sameFigure(said, written) || sameHour(said, written)
    return false
  }
  if (claim.operator) {
    if (claim.keys.some((key) => passage.keys.includes(key))) return true
    return passage.operator !== undefined && (OPERATOR_RULES[claim.operator].from?.includes(passage.operator) ?? false)
  }
  if (passage.operator) return false
  return claim.keys.some((key) => passage.keys.includes(key)) || related(claim, passage, language)
}

/** "from 9 to 17" is "9:00–17:00". */
const sameHour = (said: Figure, written: Figure): boolean => {
  const [time, number] = said.kind === 'time' ? [said, written] : [written, said]
  return time.kind === 'time' && number.kind === 'number' && !number.unit && Number(number.value) * 60 === time.minutes
}

/**
 * The heaviest common subsequence of the solid words; neighbours that stay neighbours weigh more, so that of two equal words the
 * one in its place is taken. Returns, for each solid of the claim, the index in the passage's solids or -1.
 */
const align = (claim: Side, passage: Side, language: string, ties: Ties): number[] => {
  const [rows, columns] = [claim.solids.length, passage.solids.length]
  const width = columns + 1
  const best = new Float64Array((rows + 1) * width)
  const ending = new Float64Array((rows + 1) * width)
  for (let i = 1; i <= rows; i += 1) {
    const said = claim.tokens[claim.solids[i - 1] ?? 0]
    for (let j = 1; j <= columns; j += 1) {
      const written = passage.tokens[passage.solids[j - 1] ?? 0]
      const at = i * width + j
      let score = 0
      if (said && written && matches(said, written, language)) {
        const weight = said.operator ? 1 : said.capital || said.figure ? 2.2 : 2
        const diagonal = at - width - 1
        const alone = best[diagonal] ?? 0
        const joined = ending[diagonal] ?? 0
        score = weight + Math.max(alone, joined > 0 ? joined + 0.5 : 0)
      }
      ending[at] = score
      best[at] = Math.max(score, best[at - 1] ?? 0, best[at - width] ?? 0)
    }
  }
  const found = new Array<number>(rows).fill(-1)
  let [i, j] = [rows, columns]
  let mustEnd = false
  while (i > 0 && j > 0) {
    const at = i * width + j
    const score = ending[at] ?? 0
    if (score > 0 && (mustEnd || (score === best[at] && (ties === 'late' || best[at - 1] !== score)))) {
      found[i - 1] = j - 1
      const diagonal = at - width - 1
      const joined = ending[diagonal] ?? 0
      mustEnd = joined > 0 && joined + 0.5 > (best[diagonal] ?? 0)
      i -= 1
      j -= 1
    } else {
      mustEnd = false
      if (ties === 'early' && best[at] === best[at - 1]) j -= 1
      else if (best[at] === best[at - width]) i -= 1
      else j -= 1
    }
  }
  return found
}

/**
 * Judges `claimTokens` against the sentence `passageTokens`. `vocabulary` is the passage's language's; without a lexicon every word
 * counts and nothing may be moved.
 */
export const judge = (
  claim: readonly Token[],
  passage: readonly Token[],
  vocabulary: Vocabulary,
  context: () => Context,
): Judgement => {
  const late = judgeWith('late', claim, passage, vocabulary, context)
  if (late.holds || late.matched < 2) return late
  const early = judgeWith('early', claim, passage, vocabulary, context)
  return early.holds ? early : late
}

/** Of equal words in a passage the claim may mean the first or the last. */
type Ties = 'early' | 'late'

const judgeWith = (
  ties: Ties,
  claimTokens: readonly Token[],
  passageTokens: readonly Token[],
  vocabulary: Vocabulary,
  context: () => Context,
): Judgement => {
  const claim = sideOf(claimTokens)
  const passage = sideOf(passageTokens)
  const language = vocabulary.language
  const literal = vocabulary.lexicon === undefined
  const to = align(claim, passage, language, ties)
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
      if (place.some(({ perhaps }) => perhaps && token.figure && sameFigure(token.figure, perhaps))) continue
      if (topicSupplies(index, out, place)) continue
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

  const places = to.filter((at) => at >= 0)
  const nouns = matched()
  if (nouns === 0)
    return fault(
      'coverage',
      claimTokens
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
      if (at < 0 || !listed) return false
      return isList(
        passage.tokens.slice(passage.solids[Math.min(at, low)], (passage.solids[Math.max(at, high)] ?? 0) + 1),
      )
    })
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
    return near.some(({ text }) => vocabulary.you.has(text)) && near.some(({ text }) => WISHES.has(text))
  }

  /** A condition binds its sentence, up to a stop that begins another statement. */
  function stillSpeaks(at: number): boolean {
    const position = passage.solids[at] ?? 0
    const ends = ({ kind, text }: Token) => kind === 'break' && /^[;.:!?\n|•]/u.test(text)
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
    if (crossed && language === 'de') return true
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
      if (literal && !(opensBefore && opensAfter)) return fault('coverage', written(first).text)
      if (inside && !opensBefore && !opensAfter) return fault('order', written(high).text)
    }
    return undefined
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
