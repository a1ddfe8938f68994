import { type Side } from './align.js'
import type { Judgement, Laid } from './lay.js'
import type { Token } from './scan.js'
import { ARTICLES, type Turned } from './turned.js'

/** Who speaks and who is spoken to, agents of passives, directions. */
export const rolesFault = (
  {
    to,
    claim,
    passage,
    vocabulary,
    language,
    inOrder,
    from,
    said,
    fault,
    leftOut,
    between,
    governorOf,
    isAgent,
    opensClause,
  }: Laid,
  turned: Turned | undefined,
): Judgement | undefined => {
  for (const [index, at] of to.entries()) {
    if (at < 0 || said(index).operator) continue
    const mine = governorOf(claim, index)
    const theirs = governorOf(passage, at)
    if (mine === theirs) continue
    if (mine && theirs && (OPPOSITES[mine] ?? []).includes(theirs)) return fault('order', `${mine} ${said(index).text}`)
  }
  const ours = doneByUs(claim)
  if (ours && !doneByUs(passage) && turned?.kind !== 'ours') return fault('order', ours.text)
  const replaced = replacedVerb()
  if (replaced) return fault('coverage', replaced.text)
  const isMoved = to.some((at, index) => at >= 0 && inOrder[index] === -1)
  // German puts its verbs where the clause wants them: around them nobody changes places by that alone.
  if (isMoved && (turned || language !== 'de')) return speakersFault()
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

  /** "By us". */
  function doneByUs({ tokens }: Side): Token | undefined {
    return tokens.find(({ text }, at) => vocabulary.agent.has(text) && TOLD.we.has(tokens[at + 1]?.text ?? ''))
  }

  /** "The fee is the deposit" for "the fee replaces the deposit". */
  function replacedVerb(): Token | undefined {
    for (const [index, at] of to.entries()) {
      const next = to[index + 1]
      if (next === undefined || at < 0 || next <= at + 1) continue
      const here = claim.tokens.slice((claim.solids[index] ?? 0) + 1, claim.solids[index + 1])
      const isCopula =
        here.some(({ text }) => COPULAS.has(text)) &&
        here.some(({ text }) => vocabulary.pointing.has(text) || ARTICLES.has(text)) &&
        !here.some(({ text }) => vocabulary.prepositions.has(text))
      if (!isCopula || between(at, next).some(({ text }) => vocabulary.passive.has(text))) continue
      const verb = leftOut(at, next).find(({ kind, capital, operator }) => kind === 'word' && !capital && !operator)
      if (verb) return verb
    }
    return undefined
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

const SUBJECTS = {
  we: new Set('we i nosotros nós wir ich nous je noi'.split(' ')),
  other: new Set('he she it él ella ele ela er es il elle'.split(' ')),
  you: new Set('you usted ustedes tú você vocês du vous tu'.split(' ')),
}
const TOLD = {
  we: new Set('us me uns mir nos noi nous'.split(' ')),
  you: new Set('you dir ihnen te ti vous voi'.split(' ')),
}
const COPULAS = new Set('is are was were ist sind war waren es son era eran é são est sont è sono'.split(' '))
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
