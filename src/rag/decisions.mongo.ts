import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { withId, type CollectionSchema, type Mongo } from '../platform/mongo.js'
import type { Attempt } from './attempts.js'
import type { Choice, Clarification } from './clarify.js'
import type { ExtractedSentence, Verdict } from './extract.js'
import type { StoredPassage } from './documents.mongo.js'
import type { ModelUsage } from './model.js'
import type { Features, QueryWord } from './ranking.js'
import { replayed, type Replay } from './replay.js'
import type { VectorUse } from './search.mongo.js'
import type { Spoken } from './speak.js'
import type { JudgedSentence } from './verdicts.js'

/** Why the assistant said what it said: enough to explain it, and, with the passages of these versions, to repeat it. */
export type DecisionRecord = {
  companyId: string
  conversationId?: string
  question: string
  /** It was said by voice, and `question` is what a machine heard. */
  from?: 'transcript'
  /** What pictures that came with it show, as a machine says: read by the model, proof of nothing. */
  pictures?: string[]
  /** The question as understood; each text was searched, `asked` is the one whose passages were read. */
  understood: { standalone: string | null; core: string | null; by: 'model' | 'rules' | null; failed: string | null }
  asked: string
  /** What in the customer's words looks like an instruction to the assistant. It changes nothing but what people see. */
  attempts: Attempt[]
  language: string
  audience: string
  /** The words as analysed, once per language of the passages that were found, with the weight that each had. */
  analysed: {
    language: string
    words: (QueryWord & { weight: number; unseen: boolean })[]
    terms: { term: string; weight: number }[]
  }[]
  statistics: { passages: number; averageTerms: number; averageHeadingTerms: number }
  /** Whether the search went by meaning too, or why not. */
  vectors: VectorUse
  candidates: {
    passageId: string
    documentId: string
    version: number
    language: string
    score: number
    features: Features
  }[]
  /** What extraction made of the candidates: the answer where no model speaks. */
  verdict: Verdict
  sentences: ExtractedSentence[]
  /** What the model was given and wrote, each sentence with its verdict; `null` when it was not asked. */
  model: ModelStage | null
  answer: { kind: 'grounded' | 'unknown'; text: string }
  /** Where the customer said that what they ask is meant: nothing else was read. */
  within?: Choice
  /** Whether they were asked back instead of answered, with what, and why. */
  clarification?: Clarification
  mode: 'model' | 'extractive'
  usage: ModelUsage
  times: { understandMs: number; searchMs: number; modelMs: number; totalMs: number }
  /** Version of analysis, ranking, extraction and proof: a replay under another one may differ. */
  algorithm: string
  at: Date
}

type ModelStage = {
  name: string
  /** The model that had to agree to each sentence. */
  judge: string | null
  prompt: string
  /** Passages by their number in the prompt. */
  passages: { id: number; passageId: string; documentId: string; version: number }[]
  language: string
  outcome: Spoken['outcome']
  /** Why it failed. */
  reason: string | null
  sentences: JudgedSentence[]
}

export type Decision = DecisionRecord & { id: string }

export const decisionsSchema: CollectionSchema[] = [
  {
    collection: 'decisions',
    indexes: [{ key: { companyId: 1, conversationId: 1, at: 1 }, name: 'by_conversation' }],
  },
]

export type Decisions = ReturnType<typeof makeDecisions>

export const makeDecisions = ({ mongo }: { mongo: Mongo }) => {
  const decisions = mongo.db.collection<DecisionRecord & { _id: string }>('decisions')
  const passages = mongo.db.collection<StoredPassage>('passages')
  return {
    /** Returns the new decision's id. */
    recordDecision: async (record: DecisionRecord): Promise<string> => {
      const _id = newId('dec')
      await decisions.insertOne({ _id, ...record })
      return _id
    },
    /** With `replay`, what would become of it now. Throws `not_found`. */
    getDecision: async (
      companyId: string,
      decisionId: string,
      replay = false,
    ): Promise<Decision & { replay?: Replay }> => {
      const found = await decisions.findOne({ _id: decisionId, companyId })
      if (!found) throw new AppError('not_found', 'decision_not_found', `There is no decision ${decisionId}.`)
      if (!replay) return withId(found)
      const read = [...(found.model?.passages ?? []), ...(found.clarification?.meant ?? [])]
      const ids = [...new Set(read.map(({ passageId }) => passageId))]
      const kept = await passages.find({ companyId, _id: { $in: ids } }).toArray()
      return { ...withId(found), replay: replayed(found, new Map(kept.map((passage) => [passage._id, passage]))) }
    },
  }
}
