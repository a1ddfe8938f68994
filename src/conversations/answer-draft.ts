import type { Bus } from '../platform/bus.js'
import { newId } from '../platform/ids.js'
import type { Conversation } from './conversation.js'
import type { Citation } from './message.js'

/** Where proved sentences are shown as they come, before the message exists. What was shown can be taken back as a whole. */
export type AnswerDraft = {
  say(sentence: { text: string; citations: Citation[] }): void
  withdraw(): void
}

/** A draft of one run, for everybody who has the conversation open. After the run was aborted nothing is shown any more. */
export const openDraft = (
  bus: Bus,
  { companyId, id, contactId }: Pick<Conversation, 'companyId' | 'id' | 'contactId'>,
  signal: AbortSignal,
): AnswerDraft => {
  const of = { companyId, conversationId: id, contactId, draftId: newId('dft') }
  let shown = 0
  return {
    say: ({ text, citations }) => {
      if (signal.aborted) return
      bus.publish({ type: 'sentence', ...of, index: shown, text, citations })
      shown += 1
    },
    withdraw: () => {
      if (shown === 0) return
      shown = 0
      bus.publish({ type: 'withdrawn', ...of })
    },
  }
}
