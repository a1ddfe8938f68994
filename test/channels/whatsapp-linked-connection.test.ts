import { describe, expect, it } from '@jest/globals'
import {
  begin,
  healthOf,
  step,
  type Action,
  type Event,
  type State,
} from '../../src/channels/whatsapp/linked/connection.js'

const T0 = Date.parse('2026-03-02T10:00:00Z')
const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Plays a server for some time: `answer` says what happens to a connection, and how long after. */
const play = (
  options: { forMs: number; linked?: boolean; random?: () => number },
  answer: (attempt: number) => { afterMs: number; event: Event }[],
) => {
  const random = options.random ?? (() => 0.5)
  let state: State = begin(T0, options.linked ?? true)
  const connects: number[] = []
  const actions: Action[] = []
  let pending: { at: number; event: Event }[] = []
  const give = (event: Event, now: number) => {
    const next = step(state, event, now, random())
    state = next.state
    if (next.action) actions.push(next.action)
    if (next.action === 'connect') {
      connects.push(now)
      pending = answer(connects.length).map(({ afterMs, event: due }) => ({ at: now + afterMs, event: due }))
    }
    if (next.action === 'drop') pending = []
  }
  for (let now = T0; now < T0 + options.forMs; now += SECOND / 2) {
    for (const due of pending.filter(({ at }) => at <= now)) {
      pending = pending.filter((other) => other !== due)
      give(due.event, now)
    }
    give({ kind: 'tick' }, now)
  }
  return { state, connects, actions }
}

const closes = (code: number | null) => () => [{ afterMs: 200, event: { kind: 'closed', code } as const }]

const perMinuteAfter5 = (connects: number[], forMs: number) => {
  const minutes = Math.floor(forMs / MINUTE)
  return Math.max(
    ...[...Array(minutes - 5).keys()].map((m) => {
      const from = T0 + (m + 5) * MINUTE
      return connects.filter((at) => at >= from && at < from + MINUTE).length
    }),
  )
}

describe('a linked phone whose server refuses', () => {
  it.each([428, 408, 500, 503, 515, 440, 405, 999, null])(
    'with %s in a loop is asked at most once a minute after five minutes',
    (code) => {
      for (const luck of [0, 0.5, 0.999]) {
        const { connects } = play({ forMs: 60 * MINUTE, random: () => luck }, closes(code))
        expect(perMinuteAfter5(connects, 60 * MINUTE)).toBeLessThanOrEqual(1)
      }
    },
  )

  it('does not get more attempts by letting in for a moment each time', () => {
    const briefly = () => [
      { afterMs: 500, event: { kind: 'open' } as const },
      { afterMs: 3_000, event: { kind: 'closed', code: 428 } as const },
    ]
    const { connects } = play({ forMs: 60 * MINUTE }, briefly)
    expect(perMinuteAfter5(connects, 60 * MINUTE)).toBeLessThanOrEqual(1)
  })

  it('is asked again all day long: nothing gives up on a server that is away', () => {
    const { connects, state } = play({ forMs: 12 * 60 * MINUTE }, closes(428))
    expect(connects.length).toBeGreaterThan(400)
    expect(state.connection.at).toBe('resting')
    expect(healthOf(state)).toMatchObject({ state: 'disconnected', code: 'lost' })
  })

  it('does not meet all companies at the same instant', () => {
    const times = [0, 0.3, 0.9].map((luck) =>
      play({ forMs: 10 * MINUTE, random: () => luck }, closes(428)).connects.at(-1),
    )
    expect(new Set(times).size).toBe(3)
  })
})

describe('how a connection ends', () => {
  it('restart required: at once', () => {
    const { connects, state } = play({ forMs: MINUTE }, (attempt) =>
      attempt === 1
        ? closes(515)()
        : [
            { afterMs: 300, event: { kind: 'open' } },
            { afterMs: 30_000, event: { kind: 'alive' } },
          ],
    )
    expect(connects[1]! - connects[0]!).toBeLessThanOrEqual(SECOND)
    expect(healthOf(state)).toEqual({ state: 'connected' })
  })

  it('an hour of quiet work forgets the outages before: the next one is mended within two seconds', () => {
    const quiet = 60 * MINUTE
    const { connects } = play({ forMs: 3 * 60 * MINUTE }, () => [
      { afterMs: 300, event: { kind: 'open' } },
      ...[...Array(quiet / 20_000).keys()].map((n) => ({
        afterMs: n * 20_000 + 301,
        event: { kind: 'alive' } as const,
      })),
      { afterMs: quiet, event: { kind: 'closed', code: 428 } },
    ])
    expect(connects).toHaveLength(3)
    expect(connects[1]! - connects[0]! - quiet).toBeLessThanOrEqual(2 * SECOND)
  })

  it('logged out: the keys are forgotten, an admin is told, and nothing is tried again', () => {
    const { connects, actions, state } = play({ forMs: 60 * MINUTE }, closes(401))
    expect(connects).toHaveLength(1)
    expect(actions).toEqual(['connect', 'forget'])
    expect(healthOf(state)).toMatchObject({ state: 'refused', code: 'logged_out' })
  })

  it.each([403, 402, 411, 419])('%s: refused, the keys stay, nothing is tried again', (code) => {
    const { connects, actions, state } = play({ forMs: 60 * MINUTE }, closes(code))
    expect(connects).toHaveLength(1)
    expect(actions).not.toContain('forget')
    expect(healthOf(state)).toMatchObject({ state: 'refused', code: 'forbidden' })
  })

  it('replaced by another program: it waits for minutes and says so', () => {
    const { connects, state } = play({ forMs: 2 * MINUTE }, closes(440))
    expect(connects).toHaveLength(1)
    expect(healthOf(state)).toMatchObject({ state: 'disconnected', code: 'replaced' })
  })

  it('no close code but a logout ever forgets the keys', () => {
    for (const code of [null, ...Array(600).keys()].filter((code) => code !== 401)) {
      const { actions } = play({ forMs: 10 * MINUTE }, closes(code))
      expect(actions).not.toContain('forget')
    }
  })

  it('keys that cannot be read end it, and are not forgotten', () => {
    const { actions, state } = play({ forMs: MINUTE }, () => [
      { afterMs: 0, event: { kind: 'fault', code: 'keys_damaged' } },
    ])
    expect(actions).toEqual(['connect', 'drop'])
    expect(healthOf(state)).toMatchObject({ state: 'refused', code: 'keys_damaged' })
  })
})

describe('a connection that died without a word', () => {
  it('is noticed within 60 seconds', () => {
    const { connects } = play({ forMs: 5 * MINUTE }, (attempt) =>
      attempt === 1 ? [{ afterMs: 500, event: { kind: 'open' } }] : [],
    )
    expect(connects[1]! - connects[0]!).toBeLessThanOrEqual(60 * SECOND)
  })

  it('is noticed too where it never opened', () => {
    const { connects, actions } = play({ forMs: 2 * MINUTE }, () => [])
    expect(connects.length).toBeGreaterThan(1)
    expect(actions.slice(0, 3)).toEqual(['connect', 'drop', 'connect'])
  })
})

describe('linking a phone', () => {
  const shows = { kind: 'shown', shown: { qr: 'data:image/svg+xml,1', until: T0 + MINUTE } } as const

  it('shows what to scan, and is connected after the restart that WhatsApp asks for', () => {
    let state = begin(T0, false)
    const give = (event: Event, now: number) => ({ state } = step(state, event, now, 0.5))
    give({ kind: 'tick' }, T0)
    give(shows, T0 + 900)
    expect(healthOf(state)).toMatchObject({
      state: 'connecting',
      code: 'pairing',
      pairing: { qr: 'data:image/svg+xml,1', expiresAt: new Date(T0 + MINUTE) },
    })
    give({ kind: 'paired' }, T0 + 9_000)
    expect(healthOf(state)).not.toHaveProperty('pairing')
    give({ kind: 'closed', code: 515 }, T0 + 9_500)
    give({ kind: 'tick' }, T0 + 9_600)
    give({ kind: 'open' }, T0 + 11_000)
    expect(healthOf(state)).toEqual({ state: 'connected' })
  })

  it('ends after five minutes without a phone: no server is asked for ever on behalf of nobody', () => {
    const { connects, state } = play({ forMs: 60 * MINUTE, linked: false }, () => [
      { afterMs: 500, event: shows },
      { afterMs: 100_000, event: { kind: 'closed', code: 408 } },
    ])
    expect(connects.length).toBeLessThan(6)
    expect(healthOf(state)).toMatchObject({ state: 'disconnected', code: 'pairing_expired' })
  })
})
