import { isSolid } from './align.js'
import { SUBORDINATING } from './reports.js'
import type { Token } from './scan.js'
import type { Vocabulary } from './vocabulary.js'

/**
 * What a sentence does not repeat because it has just said it, said in full: "customers in Austria pay by invoice, customers in
 * France by card" also says "customers in France pay by card". Each reading is made of the sentence's own tokens and keeps all that
 * follows, so that what restricts it still does. Only shapes that can be read in one way are unfolded.
 */
export const unfolded = (passage: readonly Token[], vocabulary: Vocabulary): Token[][] =>
  vocabulary.lexicon === undefined
    ? []
    : [...contrasts(passage, vocabulary), ...echoes(passage), ...gaps(passage, vocabulary)]

const BUT = new Set('but aber jedoch pero mas mais ma'.split(' '))
const isStop = ({ kind, text }: Token): boolean => kind === 'break' && /^[,;]/u.test(text)
const solidPlaces = (tokens: readonly Token[]): number[] => tokens.flatMap((token, at) => (isSolid(token) ? [at] : []))
const isContent = (token: Token): boolean => isSolid(token) && !token.operator

/** "It covers A but not B": it covers A, and it does not cover B. */
const contrasts = (passage: readonly Token[], { prepositions }: Vocabulary): Token[][] => {
  const at = passage.findIndex(({ text }, index) => BUT.has(text) && passage[index + 1]?.operator === 'not')
  const not = passage[at + 1]
  if (at < 0 || !not) return []
  const comma = passage[at - 1]
  const head = passage.slice(0, comma && isStop(comma) ? at - 1 : at)
  if (head.some(({ kind, operator }) => kind === 'break' || operator === 'not')) return []
  const stop = passage.findIndex(({ kind }, index) => index > at + 1 && kind === 'break')
  const end = stop < 0 ? passage.length : stop
  const [other, tail] = [passage.slice(at + 2, end), passage.slice(end)]
  // What else it says after that may be about either.
  if (!other.some(isContent) || tail.some(isSolid)) return []
  const opening = other[0]
  const places = solidPlaces(head)
  const from =
    opening && prepositions.has(opening.text)
      ? // "To Norway but not to Sweden": the last block that begins alike is the one that is contrasted.
        [head.findLastIndex(({ text }) => text === opening.text)].filter((place) => place > 0)
      : head.some(({ text }) => prepositions.has(text))
        ? []
        : places.slice(2)
  return [
    [...head, ...tail],
    ...from.flatMap((start) => {
      const kept = head.slice(0, start)
      const verb = kept.findLastIndex(isContent)
      return verb < 1
        ? []
        : [
            [...kept.slice(0, verb), not, ...kept.slice(verb), ...other, ...tail],
            [...kept, not, ...other, ...tail],
          ]
    }),
  ]
}

const MODALS = new Set(['may', 'can', 'must', 'should'])

/** "Admins may invite guests; members may not": members may not invite guests. */
const echoes = (passage: readonly Token[]): Token[][] => {
  const last = passage.findLastIndex(isSolid)
  let verb = last
  while (verb >= 0 && passage[verb]?.operator) verb -= 1
  const said = passage.slice(verb + 1, last + 1)
  const modal = said.find(({ operator }) => operator && MODALS.has(operator))
  const joint = passage.findLastIndex(({ joint: opens }, at) => at <= verb && opens)
  if (!modal || joint < 2 || verb < 0 || said.some(({ operator }) => !operator)) return []
  let end = joint
  while (end > 0 && passage[end - 1]?.joint) end -= 1
  const first = passage.slice(0, end)
  if (first.some(({ kind, text, joint: opens }) => kind === 'break' || opens || SUBORDINATING.has(text))) return []
  const same = first.findIndex(({ operator }) => operator === modal.operator)
  if (same < 1 || first.slice(0, same).some(({ operator }) => operator)) return []
  const rest = first.slice(same + 1)
  const deed = rest[0]?.operator === 'not' ? rest.slice(1) : rest
  return deed.some(isContent) ? [[...passage.slice(joint + 1, last + 1), ...deed, ...passage.slice(last + 1)]] : []
}

/**
 * "Customers in Austria pay by invoice, customers in France by card": the second begins with the same word, has the same
 * prepositions in the same order, and all that it lacks of the first is one piece, the verb.
 */
const gaps = (passage: readonly Token[], { prepositions }: Vocabulary): Token[][] => {
  const opens = passage[solidPlaces(passage)[0] ?? 0]
  if (!opens || opens.kind !== 'word') return []
  const at = passage.findIndex(isStop)
  let begins = at + 1
  while (passage[begins] && !isSolid(passage[begins] as Token) && passage[begins]?.joint) begins += 1
  const second = passage.slice(begins)
  const other = second[solidPlaces(second)[0] ?? -1]
  if (at < 2 || !other || !opens.keys.some((key) => other.keys.includes(key))) return []
  const stop = second.findIndex(({ kind }) => kind === 'break')
  const end = stop < 0 ? second.length : stop
  // A third item, a condition, a second verb: not to be read in one way.
  if (second.slice(end).some(isSolid)) return []
  const [one, two] = [blocksOf(passage.slice(0, at), prepositions), blocksOf(second.slice(0, end), prepositions)]
  if (one.length !== two.length || one.length < 2) return []
  if (!one.every((block, index) => block[0]?.text === two[index]?.[0]?.text || index === 0)) return []
  // The verb stands at the end of a block that is longer in the first than in the second, before the last.
  const longer = one.flatMap((block, index) => {
    const more = solidPlaces(block).length - solidPlaces(two[index] ?? []).length
    return index < one.length - 1 && more !== 0 ? [{ index, more }] : []
  })
  const [verb] = longer
  if (!verb || longer.length > 1 || verb.more < 1) return []
  const block = one[verb.index] ?? []
  const kept = solidPlaces(block)[solidPlaces(two[verb.index] ?? []).length - 1] ?? block.length
  const missing = block.slice(kept + 1)
  return [
    [...two.slice(0, verb.index + 1).flat(), ...missing, ...two.slice(verb.index + 1).flat(), ...second.slice(end)],
  ]
}

/** Cut before each preposition. */
const blocksOf = (tokens: readonly Token[], prepositions: ReadonlySet<string>): Token[][] => {
  const blocks: Token[][] = [[]]
  for (const token of tokens) {
    if (prepositions.has(token.text) && blocks.at(-1)?.some(isSolid)) blocks.push([token])
    else blocks.at(-1)?.push(token)
  }
  return blocks
}
