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

/** Files that were sent up and wait for the words to go with. */
type StoredFile = { ticket: string; name: string; size: number }
const filesKeyOf = (conversationId: string) => `${keyOf(conversationId)}.files`

export const storedFiles = {
  read: (conversationId: string): StoredFile[] => {
    try {
      return JSON.parse(localStorage.getItem(filesKeyOf(conversationId)) ?? '[]') as StoredFile[]
    } catch {
      return []
    }
  },
  keep: (conversationId: string, files: readonly StoredFile[]): void => {
    try {
      if (files.length === 0) localStorage.removeItem(filesKeyOf(conversationId))
      else localStorage.setItem(filesKeyOf(conversationId), JSON.stringify(files))
    } catch {
      // They live as long as the page does.
    }
  },
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
