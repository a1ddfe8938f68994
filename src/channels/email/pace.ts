import type { Clock } from '../../platform/clock.js'

const MINUTE_MS = 60_000
const EARLY_MS = 250
const FORGOTTEN_AFTER_MS = 60 * MINUTE_MS

/**
 * Turns for sending: no more than `perMinute` within any minute, per process. Whoever has to wait is told how long, and has that
 * turn when they come again: nothing queues here, because what waits must be seen to wait where it is durable.
 */
export const makePace = ({ perMinute, clock }: { perMinute: number; clock: Clock }) => {
  /** The last turns given out, some of them to come. */
  const turns: number[] = []
  const promised = new Map<string, number>()

  /** Milliseconds until the turn of `id`; 0: it is now, and taken. */
  return (id: string): number => {
    const now = clock.now().getTime()
    const own = promised.get(id)
    if (own !== undefined) {
      if (own - now > EARLY_MS) return own - now
      promised.delete(id)
      return 0
    }
    const before = turns.at(-perMinute)
    const turn = Math.max(now, turns.length < perMinute || before === undefined ? now : before + MINUTE_MS)
    turns.push(turn)
    if (turns.length > 2 * perMinute) turns.splice(0, turns.length - perMinute)
    if (turn <= now) return 0
    for (const [other, at] of promised) {
      if (now - at < FORGOTTEN_AFTER_MS) break
      promised.delete(other)
    }
    promised.set(id, turn)
    return turn - now
  }
}
