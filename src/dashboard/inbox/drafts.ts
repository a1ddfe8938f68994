import { useState } from 'react'
import { remembered } from '../server/remembered.js'

/** What somebody has begun to write stays with its conversation, through reloads and a lost session. */
const keyOf = (conversationId: string) => `helpdesk.draft.${conversationId}`

type Draft = { kind: 'message' | 'note'; text: string }

const readDraft = (conversationId: string): Draft => {
  try {
    const stored = remembered.get(keyOf(conversationId))
    if (stored) return JSON.parse(stored) as Draft
  } catch {
    // What cannot be read holds no draft.
  }
  return { kind: 'message', text: '' }
}

const keep = (conversationId: string, draft: Draft): void =>
  remembered.set(keyOf(conversationId), draft.text === '' ? null : JSON.stringify(draft))

/** Files that were sent up and wait for the words to go with. */
type StoredFile = { ticket: string; name: string; size: number }
const filesKeyOf = (conversationId: string) => `${keyOf(conversationId)}.files`

export const storedFiles = {
  read: (conversationId: string): StoredFile[] => {
    try {
      return JSON.parse(remembered.get(filesKeyOf(conversationId)) ?? '[]') as StoredFile[]
    } catch {
      return []
    }
  },
  keep: (conversationId: string, files: readonly StoredFile[]): void =>
    remembered.set(filesKeyOf(conversationId), files.length === 0 ? null : JSON.stringify(files)),
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

export const forgetDrafts = (): void => remembered.forget(keyOf(''))
