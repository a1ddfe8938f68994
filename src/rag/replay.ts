import { chosenFrom, type Clarification } from './clarify.js'
import type { DecisionRecord } from './decisions.mongo.js'
import type { StoredPassage } from './documents.mongo.js'
import { PROOF_VERSION } from './proof/index.js'
import { plain, rule, type Verdict } from './verdicts.js'

/** The model's sentences of a decision, and what was asked back, judged again by today's rules beside today's documents. */
export type Replay = {
  /** Rules as they were and as they are. */
  algorithm: string
  proof: string
  /** Passages that were read or offered and are another version now, or gone: what differs may be due to them. */
  documents: { documentId: string; passageId: string; state: 'changed' | 'gone' }[]
  sentences: { text: string; then: Verdict; now: Verdict; detail: string | null; differs: boolean }[]
  /** What the customer could choose from, and what they could now; absent where asking back was not thought of. */
  choices?: { then: string[]; now: string[]; differs: boolean }
  /** Whether any sentence would be said now that was not, or the other way round, or other choices be offered. */
  differs: boolean
}

type Kept = Pick<StoredPassage, 'version' | 'text' | 'title' | 'headings' | 'language'>

/** `passages`: those that are still there, by their id. What only a model or the question can tell is taken as it was. */
export const replayed = (
  { model, algorithm, clarification }: Pick<DecisionRecord, 'model' | 'algorithm' | 'clarification'>,
  passages: ReadonlyMap<string, Kept>,
): Replay => {
  const read = [...(model?.passages ?? []), ...(clarification?.meant ?? [])]
  const documents = [...new Map(read.map((one) => [one.passageId, one])).values()].flatMap((one) => {
    const { passageId, documentId, version } = one
    const now = passages.get(passageId)
    if (now?.version === version) return []
    return [{ documentId, passageId, state: now ? ('changed' as const) : ('gone' as const) }]
  })
  let before: Verdict | undefined
  const sentences = (model?.sentences ?? []).map(({ text, citations, verdict: then }) => {
    const cited = citations.map(({ passageId, quote }) => {
      const passage = passageId === null ? undefined : passages.get(passageId)
      return { quote, passage: passage && passageId !== null ? { ...passage, passageId } : undefined }
    })
    const ruling = rule(plain(text), cited, model?.language ?? '', before)
    const isOthersWord = then === 'not_entailed' || then === 'beside_question'
    const passes = ruling.verdict === 'proved' || (ruling.needsAgreement && typeof model?.judge === 'string')
    const now = passes && (isOthersWord || then === 'proved') ? then : passes ? 'proved' : ruling.verdict
    before = now
    return {
      text,
      then,
      now,
      detail: passes ? null : ruling.detail,
      differs: (then === 'proved') !== (now === 'proved'),
    }
  })
  const choices = clarification && offeredNow(clarification, passages)
  const differs = sentences.some((sentence) => sentence.differs) || choices?.differs === true
  return { algorithm, proof: PROOF_VERSION, documents, sentences, ...(choices ? { choices } : {}), differs }
}

/** The same passages under today's headings; those that are gone are no choice any more. */
const offeredNow = (
  clarification: Clarification,
  passages: ReadonlyMap<string, Kept>,
): NonNullable<Replay['choices']> => {
  const meant = clarification.meant.flatMap((one) => {
    const kept = passages.get(one.passageId)
    return kept ? [{ ...one, title: kept.title, headings: kept.headings }] : []
  })
  const then = labelsOf(clarification)
  const now = labelsOf(chosenFrom({ ...clarification, meant }))
  return { then, now, differs: then.join('\n') !== now.join('\n') }
}

const labelsOf = ({ choices }: Pick<Clarification, 'choices'>): string[] => choices.map(({ label }) => label)
