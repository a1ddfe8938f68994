import { useEffect, useState } from 'react'
import { onFrame, type Frames } from '../server/live.js'
import type { Message } from '../server/queries.js'

export type Sentence = Frames['answer.sentence']
export type Writing = { draftId: string; sentences: readonly Sentence[] }

/** What the assistant is about to say, as far as it is proved; gone when it is said, or taken back. */
export const useWriting = (conversationId: string, messages: readonly Message[]): Writing | null => {
  const [writing, setWriting] = useState<Writing | null>(null)
  useEffect(() => {
    const ends = [
      onFrame('answer.sentence', (sentence) => {
        if (sentence.conversationId !== conversationId) return
        setWriting((before) => {
          const earlier = before?.draftId === sentence.draftId ? before.sentences : []
          return { draftId: sentence.draftId, sentences: [...earlier.slice(0, sentence.index), sentence] }
        })
      }),
      onFrame('answer.withdrawn', (draft) => draft.conversationId === conversationId && setWriting(null)),
      onFrame('open', () => setWriting(null)),
    ]
    return () => ends.forEach((end) => end())
  }, [conversationId])
  const last = messages.at(-1)?.seq
  useEffect(() => setWriting(null), [last])
  return writing
}
