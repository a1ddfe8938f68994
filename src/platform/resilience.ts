import CircuitBreaker from 'opossum'
import type { Metrics } from './metrics.js'

export type BreakerState = 'closed' | 'open' | 'half-open'

/**
 * How a call ended, seen from the provider:
 * `worked`; `failed` (no answer in time, a broken answer, 5xx); `answered` (it refused this call, or its reader left in the
 * middle: no failure, and enough to see that it lives); `unknown` (the caller left before anything came).
 */
export type Outcome = 'worked' | 'failed' | 'answered' | 'unknown'

/** Leave to make one request. */
export type Pass = {
  /** The one request of a half-open breaker: its outcome decides for everybody. */
  probe: boolean
  /** Only the first outcome counts. */
  end(outcome: Outcome): void
}

export type Breaker = {
  state(): BreakerState
  /** `null`: do not call. Costs microseconds. */
  enter(): Pass | null
}

/** From opening to the next probe, in milliseconds. */
export const RESET_MS = 5_000
/** Opens when at least this many calls ended within the window and at least half of them failed. */
const LEAST_CALLS = 3
const WINDOW_MS = 30_000
const HALF = 49.9
/** A probe whose caller has forgotten it is given up after this long. */
const PROBE_WITHIN_MS = 30_000

type Needs = { name: string; metrics: Pick<Metrics, 'breakerState'>; changed?: (state: BreakerState) => void }

/**
 * One breaker per provider and credential. opossum counts outcomes and keeps the state; it never holds a call. A call enters
 * here and hands in its outcome when that is known, which is what keeps opossum's known faults away:
 * - a probe that nobody waits for any more cannot leave it half-open for ever: it opens again and asks later;
 * - only one call enters while it is half-open, so that a provider on its knees is not flooded;
 * - outcomes of calls that began in an earlier state say nothing about this one and are dropped;
 * - a refusal (4xx) is neither success nor failure, so the bad request of one company closes or opens nothing.
 * So there is at most one request per RESET_MS while the provider is down, and once it is well again the breaker is closed after at
 * most RESET_MS and one call, whatever happened before.
 */
export const makeBreaker = ({ name, metrics, changed }: Needs): Breaker => {
  const counter = new CircuitBreaker(
    async (worked: boolean) => {
      if (!worked) throw new Error('failed')
    },
    {
      timeout: false,
      resetTimeout: RESET_MS,
      errorThresholdPercentage: HALF,
      volumeThreshold: LEAST_CALLS,
      rollingCountTimeout: WINDOW_MS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    },
  )
  /** Grows with each change of state. */
  let era = 0
  let probing = false

  const state = (): BreakerState => (counter.closed ? 'closed' : counter.halfOpen ? 'half-open' : 'open')
  const show = () => {
    for (const each of ['closed', 'half-open', 'open'] as const) {
      metrics.breakerState.set({ breaker: name, state: each }, each === state() ? 1 : 0)
    }
  }
  const turned = () => {
    era += 1
    probing = false
    show()
    changed?.(state())
  }
  counter.on('open', turned)
  counter.on('halfOpen', turned)
  counter.on('close', turned)
  show()

  const record = (worked: boolean) => {
    counter.fire(worked).catch(() => {
      // The outcome was a failure, and is counted.
    })
  }

  const pass = (probe: boolean): Pass => {
    const entered = era
    let ended = false
    const end = (outcome: Outcome) => {
      if (ended || entered !== era) return
      ended = true
      switch (outcome) {
        case 'worked':
          return record(true)
        case 'failed':
          return record(false)
        case 'answered':
          return probe ? record(true) : undefined
        case 'unknown':
          return probe ? counter.open() : undefined
      }
    }
    if (probe) setTimeout(() => end('unknown'), PROBE_WITHIN_MS).unref()
    return { probe, end }
  }

  return {
    state,
    enter: () => {
      if (counter.closed) return pass(false)
      if (!counter.halfOpen || probing) return null
      probing = true
      return pass(true)
    },
  }
}

/** Calls that may be repeated: one in ten, and this many more. */
const REPEATED_SHARE = 0.1
const REPEATED_SPARE = 3

/** Keeps repeats from multiplying an outage: over any stretch of time at most a tenth of the calls, and three, are repeated. */
export const makeRetryBudget = () => {
  let left = REPEATED_SPARE
  return {
    /** Notes a call that is made for the first time. */
    called: (): void => {
      left = Math.min(REPEATED_SPARE, left + REPEATED_SHARE)
    },
    /** True when one more repeat is allowed; it is then spent. */
    spend: (): boolean => {
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
