import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Verdict } from './graph-errors.js'

/** Who may send when: as fast as the number may, and not at all while WhatsApp asked to be let alone. */
export type Pace = {
  /** Waits for a moment at most; throws `unavailable` with `retryAfterMs` where it would be longer. */
  turn(contact: string, signal: AbortSignal): Promise<void>
  /** A message was taken. */
  went(contact: string): void
  /** A message was not; limits are kept to from now on. */
  heed(contact: string, verdict: Verdict): void
  /** Until when the number rests; `null` while it may send. */
  restsUntil(): Date | null
}

/** Meta's throughput for a number is 80 messages a second; another process of ours may use the same number. */
const PER_SECOND = 40
/** As much is waited for in place; beyond it the message goes back into its queue. */
const MOST_WAIT_MS = 1_000
/** A limit that is met again doubles the pause, up to this. */
const LONGEST_REST_MS = 15 * 60_000
/** Who is limited is remembered for this many people. */
const MOST_CONTACTS = 10_000

type Rest = { until: number; times: number }

export const makePace = ({ clock, changed }: { clock: Clock; changed(): void }): Pace => {
  const gapMs = 1_000 / PER_SECOND
  let next = 0
  let number: Rest = { until: 0, times: 0 }
  const contacts = new Map<string, Rest>()
  const now = () => clock.now().getTime()

  const longer = ({ times }: Rest, afterMs: number): Rest => ({
    until: now() + Math.min(afterMs * 2 ** times, LONGEST_REST_MS),
    times: times + 1,
  })

  const later = (ms: number) =>
    new AppError('unavailable', 'rate_limited', 'WhatsApp asked to slow down.', { retryAfterMs: Math.ceil(ms) })

  return {
    turn: async (contact, signal) => {
      const at = now()
      const rest = Math.max(number.until, contacts.get(contact)?.until ?? 0) - at
      if (rest > 0) throw later(rest)
      const wait = Math.max(0, next - at)
      if (wait > MOST_WAIT_MS) throw later(wait)
      next = Math.max(next, at) + gapMs
      if (wait > 0) await pause(wait, signal)
    },

    went: (contact) => {
      contacts.delete(contact)
      if (number.times === 0) return
      number = { until: 0, times: 0 }
      changed()
    },

    heed: (contact, verdict) => {
      if (verdict.kind !== 'later') return
      switch (verdict.of) {
        case 'number':
          // Those that were on their way together met the limit once.
          if (number.until > now()) return
          number = longer(number, verdict.afterMs)
          return changed()
        case 'contact': {
          const [oldest] = contacts.keys()
          if (contacts.size >= MOST_CONTACTS && oldest !== undefined) contacts.delete(oldest)
          contacts.set(contact, longer(contacts.get(contact) ?? { until: 0, times: 0 }, verdict.afterMs))
          return
        }
        case 'message':
          return
      }
    },

    restsUntil: () => (number.until > now() ? new Date(number.until) : null),
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      reject(new AppError('unavailable', 'stopped', 'The sending was stopped.'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    signal.addEventListener('abort', end, { once: true })
  })
