import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { makeMetrics } from '../../src/platform/metrics.js'
import {
  makeBreaker,
  makeRetryBudget,
  RESET_MS,
  type BreakerState,
  type Outcome,
  type Pass,
} from '../../src/platform/resilience.js'

/** Longest life of a probe that its caller has forgotten. */
const PROBE_WITHIN_MS = 30_000

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const pass = async (ms: number) => jest.advanceTimersByTimeAsync(ms)

const open = () => {
  const turns: BreakerState[] = []
  const metrics = makeMetrics()
  const breaker = makeBreaker({ name: 'test', metrics, changed: (state) => turns.push(state) })
  const call = async (outcome: Outcome): Promise<boolean> => {
    const entered = breaker.enter()
    entered?.end(outcome)
    await pass(0)
    return entered !== null
  }
  const fail = async () => {
    for (let calls = 0; calls < 3; calls += 1) await call('failed')
  }
  return { breaker, turns, metrics, call, fail }
}

describe('a breaker', () => {
  it('opens when the provider fails, and asks once in each reset period', async () => {
    const { breaker, call, fail } = open()
    await fail()
    expect(breaker.state()).toBe('open')
    let requests = 0
    for (let ms = 0; ms < 10 * RESET_MS; ms += 100) {
      if (await call('failed')) requests += 1
      await pass(100)
    }
    expect(requests).toBeLessThanOrEqual(10)
    expect(requests).toBeGreaterThanOrEqual(8)
  })

  it('closes with the first call after the reset period when the provider is well again', async () => {
    const { breaker, turns, call, fail } = open()
    await fail()
    await pass(RESET_MS)
    expect(breaker.state()).toBe('half-open')
    expect(await call('worked')).toBe(true)
    expect(breaker.state()).toBe('closed')
    expect(turns).toEqual(['open', 'half-open', 'closed'])
  })

  it('stays closed through single failures, and when most calls work', async () => {
    const { breaker, call } = open()
    await call('failed')
    await call('failed')
    expect(breaker.state()).toBe('closed')
    await pass(60_000)
    for (let calls = 0; calls < 50; calls += 1) await call(calls % 3 === 2 ? 'failed' : 'worked')
    expect(breaker.state()).toBe('closed')
  })

  it('forgets failures that are long past', async () => {
    const { breaker, call } = open()
    for (let calls = 0; calls < 10; calls += 1) {
      await call('failed')
      await pass(20_000)
    }
    expect(breaker.state()).toBe('closed')
  })

  it.each<Outcome>(['answered', 'unknown'])('counts %s neither for nor against the provider', async (outcome) => {
    const { breaker, call } = open()
    for (let calls = 0; calls < 100; calls += 1) await call(outcome)
    expect(breaker.state()).toBe('closed')
    // … nor do they thin out the failures.
    for (let calls = 0; calls < 3; calls += 1) await call('failed')
    expect(breaker.state()).toBe('open')
  })

  it('lets one call in while it is half-open, however many come', async () => {
    const { breaker, fail } = open()
    await fail()
    await pass(RESET_MS)
    const entered = Array.from({ length: 100 }, () => breaker.enter()).filter((one) => one !== null)
    expect(entered).toHaveLength(1)
    expect(entered[0]?.probe).toBe(true)
  })

  it('takes a refusal for a sign of life when it probes', async () => {
    const { breaker, call, fail } = open()
    await fail()
    await pass(RESET_MS)
    await call('answered')
    expect(breaker.state()).toBe('closed')
  })

  it('tries again after a reset period when the reader of its probe left', async () => {
    const { breaker, call, fail } = open()
    await fail()
    await pass(RESET_MS)
    await call('unknown')
    expect(await call('worked')).toBe(false)
    await pass(RESET_MS)
    expect(await call('worked')).toBe(true)
    expect(breaker.state()).toBe('closed')
  })

  it('is not held half-open by a caller that never says how it went', async () => {
    const { breaker, call, fail } = open()
    await fail()
    await pass(RESET_MS)
    breaker.enter()
    await pass(PROBE_WITHIN_MS + RESET_MS)
    expect(await call('worked')).toBe(true)
    expect(breaker.state()).toBe('closed')
  })

  it('listens to no call that began before it turned', async () => {
    const { breaker, fail } = open()
    const [early, other] = [breaker.enter(), breaker.enter()]
    await fail()
    early?.end('worked')
    await pass(RESET_MS)
    expect(breaker.state()).toBe('half-open')
    other?.end('worked')
    await pass(0)
    expect(breaker.state()).toBe('half-open')
    other?.end('failed')
    await pass(0)
    expect(breaker.state()).toBe('half-open')
  })

  it('shows its state among the metrics', async () => {
    const { metrics, fail } = open()
    const shown = async () =>
      (await metrics.breakerState.get()).values.filter(({ value }) => value === 1).map(({ labels }) => labels)
    expect(await shown()).toEqual([{ breaker: 'test', state: 'closed' }])
    await fail()
    expect(await shown()).toEqual([{ breaker: 'test', state: 'open' }])
  })
})

type Step =
  | { do: 'enter' }
  | { do: 'end'; which: number; outcome: Outcome }
  | { do: 'forget'; which: number }
  | { do: 'wait'; ms: number }
  /** Three calls that fail. */
  | { do: 'outage' }

const outcome = fc.constantFrom<Outcome>('worked', 'failed', 'failed', 'failed', 'answered', 'unknown')
const history: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Step>({ do: 'enter' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'outage' }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(20), outcome }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), which: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.oneof(fc.nat(200), fc.constantFrom(RESET_MS - 1, RESET_MS, RESET_MS + 1, 2 * RESET_MS, 40_000)),
      }),
    },
  ),
  { maxLength: 80 },
)

/** Lives through it, and holds up at every step what must hold at every step. Returns what is still under way. */
const live = async (steps: readonly Step[]) => {
  const { breaker } = open()
  let running: Pass[] = []
  const forgotten: Pass[] = []
  let now = 0
  let lastProbeAt = -Infinity
  for (const step of steps) {
    switch (step.do) {
      case 'enter': {
        const before = breaker.state()
        const entered = breaker.enter()
        if (before === 'closed') expect(entered).not.toBeNull()
        if (before === 'open') expect(entered).toBeNull()
        if (!entered) break
        expect(entered.probe).toBe(before === 'half-open')
        if (entered.probe) {
          expect(now - lastProbeAt).toBeGreaterThanOrEqual(RESET_MS)
          lastProbeAt = now
        }
        running.push(entered)
        break
      }
      case 'end': {
        const [ended] = running.splice(step.which % Math.max(1, running.length), 1)
        ended?.end(step.outcome)
        break
      }
      case 'outage':
        if (breaker.state() === 'closed') for (let calls = 0; calls < 3; calls += 1) breaker.enter()?.end('failed')
        break
      case 'forget':
        forgotten.push(...running.splice(step.which % Math.max(1, running.length), 1))
        break
      case 'wait':
        await pass(step.ms)
        now += step.ms
    }
    // Several outcomes may arrive in the same moment: what they do is awaited only now and then.
    if (step.do !== 'end') await pass(0)
  }
  return {
    breaker,
    finish: (last: Outcome) => {
      for (const one of running) one.end(last)
      running = []
    },
    forgotten,
  }
}

describe('whatever happened before', () => {
  const healthy = fc.constantFrom<Outcome>('worked', 'answered', 'unknown')

  it('a provider that is well again is back after a reset period and one call', async () => {
    await fc.assert(
      fc
        .asyncProperty(history, healthy, async (steps, last) => {
          const { breaker, finish, forgotten } = await live(steps)
          finish(last)
          await pass(0)
          // A probe that its caller forgot is given up by the breaker itself first.
          if (forgotten.some(({ probe }) => probe)) await pass(PROBE_WITHIN_MS)
          await pass(RESET_MS)
          const entered = breaker.enter()
          expect(entered).not.toBeNull()
          entered?.end('worked')
          await pass(0)
          expect(breaker.state()).toBe('closed')
        })
        .afterEach(() => jest.clearAllTimers()),
      { numRuns: 400 },
    )
  })

  it('a provider that is down is asked once in a reset period at most', async () => {
    await fc.assert(
      fc
        .asyncProperty(history, fc.integer({ min: 1, max: 400 }), async (steps, everyMs) => {
          const { breaker, finish } = await live(steps)
          finish('failed')
          await pass(0)
          while (breaker.state() === 'closed') {
            breaker.enter()?.end('failed')
            await pass(0)
          }
          let requests = 0
          for (let ms = 0; ms < 4 * RESET_MS; ms += everyMs) {
            const entered = breaker.enter()
            if (entered) requests += 1
            entered?.end('failed')
            await pass(everyMs)
          }
          expect(requests).toBeLessThanOrEqual(5)
        })
        .afterEach(() => jest.clearAllTimers()),
      { numRuns: 100 },
    )
  })
})

describe('repeats', () => {
  it('are a tenth of the calls and three more, at most, over any stretch', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), fc.nat(400), (events, from) => {
        const budget = makeRetryBudget()
        let calls = 0
        let repeats = 0
        for (const [at, isCall] of events.entries()) {
          if (isCall) budget.called()
          const spent = !isCall && budget.spend()
          if (at < from) continue
          if (isCall) calls += 1
          if (spent) repeats += 1
        }
        expect(repeats).toBeLessThanOrEqual(3 + 0.1 * calls + 1e-9)
      }),
    )
  })

  it('are allowed again while calls go on', () => {
    const budget = makeRetryBudget()
    while (budget.spend()) continue
    for (let calls = 0; calls < 11; calls += 1) budget.called()
    expect(budget.spend()).toBe(true)
    expect(budget.spend()).toBe(false)
  })
})
