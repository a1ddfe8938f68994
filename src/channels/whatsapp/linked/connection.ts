import type { Health } from '../../channel.js'

/**
 * When a linked phone is connected to, and when not: pure, in milliseconds. A server that refuses is asked less and less
 * often, however often it lets us in for a moment in between.
 */

export type Connection =
  | { at: 'resting'; until: number; why: Cause }
  | { at: 'connecting'; since: number }
  | { at: 'pairing'; since: number; heardAt: number; shown?: Shown }
  | { at: 'open'; since: number; heardAt: number }
  /** Nothing more happens until somebody opens the channel anew. */
  | { at: 'ended'; why: Cause }

/** What is shown to whoever links the phone. */
export type Shown = { qr?: string; code?: string; until: number }

export type State = {
  connection: Connection
  /** When it was connected to within the window, oldest first. */
  attempts: readonly number[]
  /** When a phone began to be waited for; `null` where one is linked. */
  pairingSince: number | null
}

export type Event =
  | { kind: 'tick' }
  | { kind: 'shown'; shown: Shown }
  | { kind: 'paired' }
  | { kind: 'open' }
  | { kind: 'alive' }
  | { kind: 'closed'; code: number | null }
  /** Nothing that trying again would mend. */
  | { kind: 'fault'; code: Fault }

/** `drop`: the connection is given up. `forget`: so are the keys. */
export type Action = 'connect' | 'drop' | 'forget' | null

export type Cause =
  | 'starting'
  | 'restart'
  | 'lost'
  | 'silent'
  | 'replaced'
  | 'unavailable'
  | 'bad_session'
  | 'logged_out'
  | 'forbidden'
  | 'outdated'
  | 'pairing_expired'
  | Fault

export type Fault = 'keys_damaged' | 'keys_newer' | 'package_missing'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const WINDOW_MS = 15 * MINUTE
const LONGEST_REST_MS = 90 * SECOND
/** Two that take the link from each other in turns: whoever waits longer ends it. */
const REPLACED_REST_MS = 3 * MINUTE
const OUTDATED_REST_MS = 30 * MINUTE
/** A server that asks for a restart gets it at once, but not in a loop. */
const MOST_PROMPT_RESTARTS = 4
/** An open connection says something every 20 s (our pings, at the latest). */
const SILENCE_MS = 50 * SECOND
const CONNECT_WITHIN_MS = 45 * SECOND
const PAIR_WITHIN_MS = 5 * MINUTE

export const begin = (now: number, isLinked: boolean): State => ({
  connection: { at: 'resting', until: now, why: 'starting' },
  attempts: [],
  pairingSince: isLinked ? null : now,
})

/** `random` is from [0, 1): companies that lost the server together do not come back together. */
export const step = (state: State, event: Event, now: number, random: number): { state: State; action: Action } => {
  const { connection } = state
  if (connection.at === 'ended') return stay(state)
  switch (event.kind) {
    case 'tick':
      return tick(state, now, random)
    case 'shown':
      if (connection.at !== 'connecting' && connection.at !== 'pairing') return stay(state)
      return to(state, { at: 'pairing', since: connection.since, heardAt: now, shown: event.shown })
    case 'paired':
      if (connection.at !== 'pairing') return stay(state)
      return stay({ ...state, pairingSince: null, connection: { at: 'connecting', since: now } })
    case 'open':
      if (connection.at === 'resting') return stay(state)
      return stay({ ...state, pairingSince: null, connection: { at: 'open', since: now, heardAt: now } })
    case 'alive':
      if (connection.at !== 'open' && connection.at !== 'pairing') return stay(state)
      return to(state, { ...connection, heardAt: now })
    case 'closed':
      return connection.at === 'resting' ? stay(state) : closed(state, event.code, now, random)
    case 'fault':
      return end(state, event.code, 'drop')
  }
}

const tick = (state: State, now: number, random: number): { state: State; action: Action } => {
  const { connection, pairingSince } = state
  switch (connection.at) {
    case 'resting': {
      if (now < connection.until) return stay(state)
      if (pairingSince !== null && now - pairingSince > PAIR_WITHIN_MS) return end(state, 'pairing_expired', null)
      const attempts = [...recent(state.attempts, now), now]
      return { state: { ...state, attempts, connection: { at: 'connecting', since: now } }, action: 'connect' }
    }
    case 'connecting':
      return now - connection.since > CONNECT_WITHIN_MS ? rest(state, 'silent', now, random, 'drop') : stay(state)
    case 'pairing':
      if (pairingSince !== null && now - pairingSince > PAIR_WITHIN_MS) return end(state, 'pairing_expired', 'drop')
      return stay(state)
    case 'open':
      return now - connection.heardAt > SILENCE_MS ? rest(state, 'silent', now, random, 'drop') : stay(state)
    case 'ended':
      return stay(state)
  }
}

/** What the close codes mean: WhatsApp's own (stream and failure codes), and those of Baileys' `DisconnectReason`. */
const closed = (state: State, code: number | null, now: number, random: number): { state: State; action: Action } => {
  switch (code) {
    case 515:
      return recent(state.attempts, now).length <= MOST_PROMPT_RESTARTS
        ? to(state, { at: 'resting', until: now, why: 'restart' })
        : rest(state, 'restart', now, random)
    case 401:
      return end(state, 'logged_out', 'forget')
    case 402:
    case 403:
    case 411:
    case 419:
      return end(state, 'forbidden', null)
    case 405:
      return to(state, { at: 'resting', until: now + OUTDATED_REST_MS, why: 'outdated' })
    case 440: {
      const rested = rest(state, 'replaced', now, random)
      const until = now + REPLACED_REST_MS * jitter(random)
      return to(rested.state, { at: 'resting', until, why: 'replaced' })
    }
    case 500:
      return rest(state, 'bad_session', now, random)
    case 503:
      return rest(state, 'unavailable', now, random)
    default:
      return rest(state, 'lost', now, random)
  }
}

const rest = (state: State, why: Cause, now: number, random: number, action: Action = null) => ({
  state: {
    ...state,
    connection: { at: 'resting' as const, until: now + restMs(recent(state.attempts, now).length, random), why },
  },
  action,
})

/** 1 s after the first attempt of the window, doubled with each further one. */
const restMs = (attempts: number, random: number): number =>
  Math.min(SECOND * 2 ** Math.max(0, attempts - 1), LONGEST_REST_MS) * jitter(random)

const jitter = (random: number): number => 0.85 + 0.3 * random

const recent = (attempts: readonly number[], now: number): number[] => attempts.filter((at) => now - at < WINDOW_MS)

const stay = (state: State): { state: State; action: Action } => ({ state, action: null })
const to = (state: State, connection: Connection): { state: State; action: Action } => stay({ ...state, connection })
const end = (state: State, why: Cause, action: Action): { state: State; action: Action } => ({
  state: { ...state, connection: { at: 'ended', why } },
  action,
})

/** Rests that are long, or come after many attempts, are worth somebody's attention. */
const MANY_ATTEMPTS = 4

/** How the channel is, for people. */
export const healthOf = ({ connection, attempts, pairingSince }: State): Health => {
  switch (connection.at) {
    case 'open':
      return { state: 'connected' }
    case 'pairing': {
      const { shown } = connection
      const pairing = shown && { ...shownOnly(shown), expiresAt: new Date(shown.until) }
      return { state: 'connecting', code: 'pairing', detail: SAYS.pairing, ...(pairing ? { pairing } : {}) }
    }
    case 'connecting':
      return pairingSince === null ? { state: 'connecting' } : { state: 'connecting', code: 'pairing' }
    case 'resting': {
      const { why } = connection
      if (why === 'starting' || why === 'restart') return { state: 'connecting' }
      const isSerious = why === 'replaced' || why === 'outdated' || why === 'bad_session'
      const state = isSerious || attempts.length >= MANY_ATTEMPTS ? 'disconnected' : 'connecting'
      return { state, code: why, detail: SAYS[why] }
    }
    case 'ended':
      return {
        state: connection.why === 'pairing_expired' ? 'disconnected' : 'refused',
        code: connection.why,
        detail: SAYS[connection.why],
      }
  }
}

const shownOnly = ({ qr, code }: Shown) => ({ ...(qr ? { qr } : {}), ...(code ? { code } : {}) })

const SAYS: Record<Cause | 'pairing', string> = {
  starting: 'The connection to WhatsApp is being made.',
  pairing: 'Waiting for a phone: WhatsApp → Settings → Linked devices → Link a device.',
  restart: 'WhatsApp asks again and again to begin anew.',
  lost: 'The connection to WhatsApp was lost. It is tried again by itself.',
  silent: 'WhatsApp does not answer any more. It is tried again by itself.',
  replaced: 'Another program uses this link. End it there, or unlink the phone and link it again.',
  unavailable: 'WhatsApp is not available at this moment. It is tried again by itself.',
  bad_session: 'WhatsApp does not accept this session. If that lasts, unlink the phone and link it again.',
  logged_out: 'The phone was unlinked. Save the settings again to link it anew.',
  forbidden: 'WhatsApp refuses this number. Look at the phone: the account may be restricted.',
  outdated: 'WhatsApp does not accept this version of the product any more. Update it.',
  pairing_expired: 'No phone was linked within five minutes. Save the settings again for a fresh code.',
  keys_damaged:
    'The keys of the linked phone cannot be read: damaged, or kept under another SECRET_KEY. Restore them, or remove the channel and link the phone to a new one.',
  keys_newer: 'The keys of the linked phone were written by a newer version of the product. Run that one.',
  package_missing:
    'This installation was made without the optional package @whiskeysockets/baileys. Install it, or use the Cloud API.',
}
