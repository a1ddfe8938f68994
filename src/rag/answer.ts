/** A part of a passage's text, word for word, that a sentence of the answer rests on. */
export type Citation = { documentId: string; passageId: string; title: string; quote: string }

/** `unknown` carries no citation. `language` is the question's, as detected or given. */
export type Answer = {
  kind: 'grounded' | 'unknown'
  text: string
  citations: Citation[]
  mode: 'model' | 'extractive'
  decisionId: string
  language: string
}

export type Question = {
  companyId: string
  text: string
  /** What was said before, oldest first. */
  history: { author: 'customer' | 'assistant' | 'agent'; text: string }[]
  language?: string
  conversationId?: string
  /** Who asks: sees what is public and what is for this audience. */
  audience?: string
}

export type AnswerQuestion = (question: Question, signal: AbortSignal) => Promise<Answer>
