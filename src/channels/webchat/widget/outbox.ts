import type { Memory } from './memory.js'
import type { SentFile } from './uploads.js'

/**
 * What the visitor wrote and the server has not acknowledged. It is kept until it is, in the order in which it was written;
 * each has an id, so that sending it again, from whichever tab, is one message.
 */

export type Unsent = {
  id: string
  text: string
  /** By number, for the same reason as below. */
  files?: Record<number, SentFile>
  /** Why it will never be accepted; the visitor decides what becomes of it. */
  refused?: string
}

/** By id, in order. Not a list: some old libraries give `Array.prototype` a `toJSON` of their own, and a list is lost then. */
type Kept = Record<string, Omit<Unsent, 'id'>>

export const makeOutbox = (memory: Memory) => {
  const all = (): Unsent[] => Object.entries(memory.read<Kept>(':out') ?? {}).map(([id, unsent]) => ({ id, ...unsent }))
  const save = (unsent: Unsent[]) =>
    memory.write(
      ':out',
      unsent.length > 0 ? Object.fromEntries(unsent.map(({ id, ...kept }) => [id, kept] as const)) : null,
    )
  return {
    all,
    add: (text: string, files: readonly SentFile[], id = randomId()): void =>
      save([...all(), { id, text, ...(files.length > 0 ? { files: { ...files } } : {}) }]),
    next: (): Unsent | undefined => all().find(({ refused }) => !refused),
    refuse: (id: string, reason: string): void =>
      save(all().map((one) => (one.id === id ? { ...one, refused: reason } : one))),
    remove: (id: string): void => save(all().filter((one) => one.id !== id)),
    clear: (): void => save([]),
  }
}

/** Not `crypto.randomUUID`: pages without https have none. */
const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
