import { useSyncExternalStore } from 'react'
import { sendFile } from '../server/files.js'
import { storedFiles } from './drafts.js'

/**
 * Files on their way into the message that is being written. They go up at once and stay with their conversation, also while
 * another one is looked at; what has arrived survives a reload. What cannot be sent is refused before anything leaves.
 */

/** The server's limits, said before anything is sent. */
export const MOST_FILES = 5
export const MOST_BYTES = 10 * 1024 * 1024
const EXTENSIONS = [
  ...['png', 'jpg', 'jpeg', 'gif', 'webp', 'pdf', 'txt', 'log', 'csv', 'json', 'md'],
  ...['docx', 'xlsx', 'pptx', 'odt', 'ods', 'zip'],
  ...['mp3', 'm4a', 'ogg', 'wav', 'mp4', 'webm'],
]
export const ACCEPTED = EXTENSIONS.map((extension) => `.${extension}`).join()

/** A file that the server has: its ticket puts it into a message. */
export type ReadyFile = { ticket: string; name: string; size: number }

export type Pending = {
  key: number
  name: string
  size: number
  state:
    | { kind: 'sending'; file: File; percent: number }
    | { kind: 'ready'; ticket: string }
    | { kind: 'failed'; file: File; error: unknown }
}

export type Problem = { kind: 'large' | 'type' | 'many' | 'empty'; name: string }
type Held = { all: readonly Pending[]; problem: Problem | null }

const held = new Map<string, Held>()
const listeners = new Set<() => void>()
let keys = 0

const heldOf = (conversationId: string): Held => {
  const known = held.get(conversationId)
  if (known) return known
  const all = storedFiles.read(conversationId).map(({ ticket, name, size }): Pending => {
    return { key: (keys += 1), name, size, state: { kind: 'ready', ticket } }
  })
  const fresh = { all, problem: null }
  held.set(conversationId, fresh)
  return fresh
}

const write = (conversationId: string, next: Held): void => {
  held.set(conversationId, next)
  storedFiles.keep(conversationId, readyIn(next.all))
  for (const listener of listeners) listener()
}

const readyIn = (all: readonly Pending[]): ReadyFile[] =>
  all.flatMap(({ name, size, state }) => (state.kind === 'ready' ? [{ ticket: state.ticket, name, size }] : []))

export const usePending = (conversationId: string): Held =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => heldOf(conversationId),
  )

export const attach = (conversationId: string, files: readonly File[]): void => {
  let { all } = heldOf(conversationId)
  let problem: Problem | null = null
  const added: Pending[] = []
  for (const file of files) {
    const kind = faultOf(file, all.length)
    if (kind) {
      problem = { kind, name: file.name }
      continue
    }
    const one: Pending = {
      key: (keys += 1),
      name: file.name,
      size: file.size,
      state: { kind: 'sending', file, percent: 0 },
    }
    added.push(one)
    all = [...all, one]
  }
  write(conversationId, { all, problem })
  for (const { key } of added) void send(conversationId, key)
}

const send = async (conversationId: string, key: number): Promise<void> => {
  const put = (state: Pending['state']) => {
    const { all, problem } = heldOf(conversationId)
    write(conversationId, { all: all.map((one) => (one.key === key ? { ...one, state } : one)), problem })
  }
  const state = heldOf(conversationId).all.find((one) => one.key === key)?.state
  if (!state || state.kind === 'ready') return
  const { file } = state
  put({ kind: 'sending', file, percent: 0 })
  try {
    const { ticket } = (await sendFile('/api/v1/attachments', file, (percent) =>
      put({ kind: 'sending', file, percent }),
    )) as { ticket: string }
    put({ kind: 'ready', ticket })
  } catch (error) {
    put({ kind: 'failed', file, error })
  }
}

export const attachAgain = (conversationId: string, key: number): void => void send(conversationId, key)

export const detach = (conversationId: string, key: number): void =>
  write(conversationId, { all: heldOf(conversationId).all.filter((one) => one.key !== key), problem: null })

/** What goes with the message: it is the message's from now on. What failed stays, to be seen. */
export const takeReady = (conversationId: string): ReadyFile[] => {
  const { all } = heldOf(conversationId)
  const ready = readyIn(all)
  write(conversationId, { all: all.filter(({ state }) => state.kind !== 'ready'), problem: null })
  return ready
}

/** Nothing of this person stays behind on this machine. */
export const forgetFiles = (): void => held.clear()

const faultOf = ({ name, size }: File, count: number): Problem['kind'] | null => {
  if (count >= MOST_FILES) return 'many'
  if (size > MOST_BYTES) return 'large'
  if (size === 0) return 'empty'
  return EXTENSIONS.includes(/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '') ? null : 'type'
}
