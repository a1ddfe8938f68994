import { useState } from 'react'

/** What somebody has begun to write stays with its conversation, through reloads and a lost session. */
const keyOf = (conversationId: string) => `helpdesk.draft.${conversationId}`

type Draft = { kind: 'message' | 'note'; text: string }

const readDraft = (conversationId: string): Draft => {
  try {
    const stored = localStorage.getItem(keyOf(conversationId))
    if (stored) return JSON.parse(stored) as Draft
  } catch {
    // Unreadable storage holds no draft.
  }
  return { kind: 'message', text: '' }
}

const keep = (conversationId: string, draft: Draft): void => {
  try {
    if (draft.text === '') localStorage.removeItem(keyOf(conversationId))
    else localStorage.setItem(keyOf(conversationId), JSON.stringify(draft))
  } catch {
    // It lives as long as the page does.
  }
}

export const useDraft = (conversationId: string): [Draft, (draft: Draft) => void] => {
  const [draft, setDraft] = useState(() => readDraft(conversationId))
  return [
    draft,
    (next) => {
      setDraft(next)
      keep(conversationId, next)
    },
  ]
}

export const forgetDrafts = (): void => {
  for (const key of Object.keys(localStorage)) if (key.startsWith(keyOf(''))) localStorage.removeItem(key)
}
