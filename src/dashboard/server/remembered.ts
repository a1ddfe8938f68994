/** What this browser keeps for its person. Where storage is forbidden or full it is kept as long as the page lives. */
const here = new Map<string, string>()

export const remembered = {
  get: (key: string): string | null => {
    try {
      return here.get(key) ?? localStorage.getItem(key)
    } catch {
      return here.get(key) ?? null
    }
  },

  set: (key: string, value: string | null): void => {
    here.delete(key)
    try {
      if (value === null) localStorage.removeItem(key)
      else localStorage.setItem(key, value)
    } catch {
      if (value !== null) here.set(key, value)
    }
  },

  forget: (prefix: string): void => {
    for (const key of [...here.keys(), ...storedKeys()]) if (key.startsWith(prefix)) remembered.set(key, null)
  },
}

const storedKeys = (): string[] => {
  try {
    return Object.keys(localStorage)
  } catch {
    return []
  }
}
