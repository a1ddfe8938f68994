/**
 * Two machines that answer each other write faster than people do. Counts what one address sends to ours, by the time at which
 * the server took it in; beyond the allowance its mail counts as automatic. Only a brake on top of the caps per thread, per
 * sender and per day: it lives in memory, and a restart forgets minutes.
 */
const WINDOWS = [
  { most: 8, withinMs: 5 * 60_000 },
  { most: 30, withinMs: 60 * 60_000 },
] as const
const LONGEST_MS = 60 * 60_000
const MOST_ADDRESSES = 20_000

export const makeBrake = () => {
  const times = new Map<string, number[]>()

  return {
    /** Notes a mail and says whether it is one too many. */
    isTooFast: (address: string, at: Date): boolean => {
      const now = at.getTime()
      const recent = (times.get(address) ?? []).filter((time) => Math.abs(now - time) < LONGEST_MS)
      recent.push(now)
      times.delete(address)
      times.set(address, recent.slice(-50))
      const oldest = times.keys().next()
      if (times.size > MOST_ADDRESSES && !oldest.done) times.delete(oldest.value)
      return WINDOWS.some(
        ({ most, withinMs }) => recent.filter((time) => Math.abs(now - time) < withinMs).length > most,
      )
    },
  }
}

export type Brake = ReturnType<typeof makeBrake>
