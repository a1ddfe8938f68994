import { useEffect, useState, useSyncExternalStore } from 'react'

/** The one place of the dashboard that reads the time. Display only: what counts is decided by the server's clock. */
const now = (): number => Date.now()

const MINUTE_MS = 60_000
let minute = Math.floor(now() / MINUTE_MS)
const listeners = new Set<() => void>()
setInterval(() => {
  minute = Math.floor(now() / MINUTE_MS)
  for (const listener of listeners) listener()
}, 10_000)

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Renders again when a minute has passed, so that "5 min" does not stand still. */
export const useMinute = (): number => useSyncExternalStore(subscribe, () => minute) * MINUTE_MS

/** Whole seconds since `from`, a time of this page's own clock; renders again with each of them. */
export const useSecondsSince = (from: number): number => {
  const [present, setPresent] = useState(now)
  useEffect(() => {
    const ticking = setInterval(() => setPresent(now()), 1_000)
    return () => clearInterval(ticking)
  }, [])
  return Math.max(0, Math.floor((present - from) / 1_000))
}
