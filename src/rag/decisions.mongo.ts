import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { withId, type CollectionSchema, type Mongo } from '../platform/mongo.js'
import type { ExtractedSentence, Verdict } from './extract.js'
import type { Features, QueryWord } from './ranking.js'

/** Why the assistant said what it said: enough to explain it, and, with the passages of these versions, to repeat it. */
export type DecisionRecord = {
  companyId: string
  conversationId?: string
  question: string
  /** What was searched for in the end: the question, or the part of it that is one. */
  asked: string
  language: string
  audience: string
  /** The words as analysed, once per language of the passages that were found, with the weight that each had. */
  analysed: {
    language: string
    words: (QueryWord & { weight: number; unseen: boolean })[]
    terms: { term: string; weight: number }[]
  }[]
  statistics: { passages: number; averageTerms: number; averageHeadingTerms: number }
  candidates: {
    passageId: string
    documentId: string
    version: number
    language: string
    score: number
    features: Features
  }[]
  verdict: Verdict
  sentences: ExtractedSentence[]
  answer: { kind: 'grounded' | 'unknown'; text: string }
  mode: 'model' | 'extractive'
  times: { searchMs: number; totalMs: number }
  /** Version of analysis, ranking and extraction: a replay under another one may differ. */
  algorithm: string
  at: Date
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
  return {
    /** Returns the new decision's id. */
    recordDecision: async (record: DecisionRecord): Promise<string> => {
      const _id = newId('dec')
      await decisions.insertOne({ _id, ...record })
      return _id
    },
    /** Throws `not_found`. */
    getDecision: async (companyId: string, decisionId: string): Promise<Decision> => {
      const found = await decisions.findOne({ _id: decisionId, companyId })
      if (!found) throw new AppError('not_found', 'decision_not_found', `There is no decision ${decisionId}.`)
      return withId(found)
    },
  }
}
