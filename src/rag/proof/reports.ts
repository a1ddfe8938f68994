import { isSolid } from './align.js'
import type { Token } from './scan.js'
import type { Vocabulary } from './vocabulary.js'

/**
 * What a passage only reports, denies or asks it does not state: "some believe that …", "it is a myth that …", "false: …", "…?".
 * `kept` holds where the words stand that a claim rests on. Returns the words that a claim may not leave out, if it did.
 */
export const unstated = (
  passage: readonly Token[],
  kept: ReadonlySet<number>,
  vocabulary: Vocabulary,
): string | undefined => {
  // The passage's own sentence, its head and its question mark with it.
  if (passage.every((token, at) => !isSolid(token) || kept.has(at))) return undefined
  for (const [at, token] of passage.entries()) {
    if (token.kind === 'break') {
      if (isAsking(token) && someKept(kept, startOfSentence(passage, at), at)) return token.text
      if (token.text !== ':' || someKept(kept, 0, at) || !someKept(kept, at, passage.length)) continue
      const doubt = doubtIn(passage.slice(0, at))
      if (doubt !== undefined) return doubt
      continue
    }
    if (!SUBORDINATING.has(token.text) || isPointing(passage[at - 1], vocabulary)) continue
    const head = passage.slice(0, at).findLastIndex(isSolid)
    const saying = passage[head]
    if (!saying || kept.has(head) || FACTIVE.has(saying.text)) continue
    // After a comma or a bracket the word before it need not be what the clause hangs on.
    if (passage[at - 1]?.kind === 'break' && someKept(kept, 0, at)) continue
    const comma = passage.findIndex(({ kind }, index) => index > at + 1 && kind === 'break')
    const end = comma < 0 || !someKept(kept, 0, at) ? passage.length : comma
    if (someKept(kept, at, end)) return saying.text
  }
  return undefined
}

/** A word that denies, asks or only reports: what follows it after a colon is not said. */
export const doubtIn = (head: readonly Token[]): string | undefined =>
  head.find(({ operator, text }) => (operator && DOUBTING.has(operator)) || DOUBTS.has(text))?.text

const isAsking = ({ kind, text }: Token): boolean => kind === 'break' && /^[?？؟]/u.test(text)

const someKept = (kept: ReadonlySet<number>, from: number, to: number): boolean => {
  for (const at of kept) if (at >= from && at < to) return true
  return false
}

const startOfSentence = (passage: readonly Token[], at: number): number =>
  passage.slice(0, at).findLastIndex(({ kind, text }) => kind === 'break' && /^[.!?;:([]/u.test(text)) + 1

/** "After that, …": it points back and opens no clause. */
const isPointing = (before: Token | undefined, vocabulary: Vocabulary): boolean =>
  before === undefined ||
  (vocabulary.language === 'en' &&
    (before.kind === 'break' || vocabulary.prepositions.has(before.text) || before.operator === 'after'))

/** Opens a clause that hangs on the word before it. */
export const SUBORDINATING: ReadonlySet<string> = new Set('that dass daß que qu che whether ob'.split(' '))
const DOUBTING = new Set(['not', 'never', 'rarely', 'hedge'])
/** Before "that" these vouch for what follows. */
const FACTIVE = new Set(
  `note notice important remember mind know aware sure ensure means mean shows guarantee confirm
  recuerde recuerda cuenta seguro importante significa garantiza beachten wichtig sicher bedeutet garantieren
  notez noter sûr signifie garantit nota ricorda ricordi presente significa garante lembre certifique`.split(/\s+/u),
)
const DOUBTS = new Set(
  `false wrong untrue incorrect myth myths misconception misconceptions mistaken bad fake question q rumour rumor hoax asked
  falso falsa mito mitos incorrecto incorrecta error pregunta bulo falsch unwahr irrtum mythos frage gerücht faux fausse mythe
  rumeur pergunta boato domanda bufala`.split(/\s+/u),
)
