/** What a browser keeps for the chat: across reloads and tabs where it may, for this page where storage is blocked. */

export type Memory = {
  /** `null` when there is nothing, or nothing that can be read. */
  read<T>(name: string): T | null
  /** `null` forgets. */
  write(name: string, value: unknown): void
  /** Another tab of the same site wrote. */
  onChange(listener: (name: string) => void): () => void
}

export const makeMemory = (kind: 'localStorage' | 'sessionStorage', prefix: string): Memory => {
  const storage = storageOf(kind)
  const own = new Map<string, string>()
  return {
    read: <T>(name: string): T | null => {
      try {
        return JSON.parse(own.get(name) ?? storage?.getItem(prefix + name) ?? 'null') as T | null
      } catch {
        return null
      }
    },
    write: (name, value) => {
      const text = JSON.stringify(value)
      own.delete(name)
      try {
        if (!storage) throw new Error('blocked')
        if (value === null) storage.removeItem(prefix + name)
        else storage.setItem(prefix + name, text)
      } catch {
        // Blocked or full: this page remembers it all the same.
        if (value !== null) own.set(name, text)
      }
    },
    onChange: (listener) => {
      const heard = (event: StorageEvent) => {
        if (event.storageArea === storage && event.key?.startsWith(prefix)) listener(event.key.slice(prefix.length))
      }
      addEventListener('storage', heard)
      return () => removeEventListener('storage', heard)
    },
  }
}

const storageOf = (kind: 'localStorage' | 'sessionStorage'): Storage | null => {
  try {
    return window[kind]
  } catch {
    return null
  }
}
