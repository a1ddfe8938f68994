import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { ensureSchema, type Mongo } from '../../src/platform/mongo.js'
import { makeAnswerQuestion } from '../../src/rag/answer.js'
import type { Citation } from '../../src/rag/citations.js'
import { decisionsSchema, makeDecisions } from '../../src/rag/decisions.mongo.js'
import { knowledgeSchema } from '../../src/rag/documents.mongo.js'
import { makeKnowledge } from '../../src/rag/knowledge.mongo.js'
import { makeModel, makeProvider } from '../../src/rag/model.js'
import { makeSearch } from '../../src/rag/search.mongo.js'
import { openPlayer } from './openai.mjs'

type Document = { title: string; text: string }

/** The assistant on a real store and the real door to a model, behind which the player of OpenAI stands. */
export const openAssistant = async (mongo: Mongo, { entailment = false, firstTokenMs = 1_000 } = {}) => {
  await ensureSchema(mongo.db, [...knowledgeSchema, ...decisionsSchema])
  const player = await openPlayer()
  const provider = makeProvider({
    baseUrl: player.baseUrl,
    apiKey: 'key-of-the-player',
    firstTokenMs,
    meter: { assertWithinBudget: async () => {}, record: () => {} },
    clock: systemClock,
    log: makeLog('silent'),
    metrics: makeMetrics(),
  })
  await provider.warm()
  const knowledge = makeKnowledge({ mongo, clock: systemClock })
  const decisions = makeDecisions({ mongo })
  const answerQuestion = makeAnswerQuestion({
    search: makeSearch({ mongo }),
    decisions,
    model: makeModel({ provider, name: 'player' }),
    judge: entailment ? makeModel({ provider, name: 'player-judge' }) : null,
    clock: systemClock,
  })

  return {
    player,
    provider,
    /** Adds documents and waits until they are answered from. */
    teach: async (companyId: string, ...documents: Document[]): Promise<string> => {
      let last = ''
      for (const document of documents) {
        const { id } = await knowledge.addDocument(companyId, document)
        await knowledge.indexDocument(companyId, id)
        last = id
      }
      return last
    },
    reteach: async (companyId: string, id: string, document: Document): Promise<void> => {
      await knowledge.replaceDocument(companyId, id, document)
      await knowledge.indexDocument(companyId, id)
    },
    replay: async (companyId: string, decisionId: string) =>
      (await decisions.getDecision(companyId, decisionId, true)).replay,
    forget: knowledge.deleteDocument,
    /** The answer, what its draft showed (`null` where it was taken back), and the decision. */
    ask: async (companyId: string, text: string, more: Partial<Parameters<typeof answerQuestion>[0]> = {}) => {
      const shown: ({ text: string; citations: Citation[] } | null)[] = []
      const answer = await answerQuestion({ companyId, text, history: [], ...more }, new AbortController().signal, {
        say: (sentence) => shown.push(sentence),
        withdraw: () => void (shown.length > 0 && shown.push(null)),
      })
      return { answer, shown, decision: await decisions.getDecision(companyId, answer.decisionId) }
    },
    answerQuestion,
    close: () => player.close(),
  }
}
