import { addBusinessTime, businessTimeBetween, nextOpening, type BusinessHours } from './business-hours.js'
import type { Cause, Change, Clock, HistoryEvent, LedgerEntry } from './clocks.js'
import type { ClockKind, Policy, Priority } from './policy.js'

/** What happens to one clock: it runs, stands still, goes on, ends, and writes each of that down. What moves it is in clocks.ts. */

export type TeamHours = ReadonlyMap<string, BusinessHours | null>

export type Terms = {
  /** The version that counted when the first customer message arrived. */
  policy: Policy
  /** The hours of the same moment; `null` is always open. */
  hours: BusinessHours | null
  /** Of the teams that have hours of their own. */
  teamHours?: TeamHours
  /** At the beginning of the history. */
  priority: Priority
}

export type Timing = {
  id: string
  kind: ClockKind
  priority: Priority
  target: number | null
  startedAt: Date
  countsFrom: Date
  /** Whose hours count; absent: those of the conversation's channel. */
  team?: string
  /** Measured before `since`. */
  elapsedMs: number
  /** `null`: it stands still or has ended. */
  since: Date | null
  deadline: Date | null
  warnsAt: Date | null
  warned: boolean
  breached: boolean
  end: { how: 'done' | 'cancelled' | 'waived'; at: Date } | null
  /** Who has dealt with the message that waits. */
  assistantReplied: boolean
  handedOff: boolean
  ledger: readonly LedgerEntry[]
}

/** What holds in the conversation at the time. */
type InForce = { terms: Terms; priority: Priority; team?: string }

/** Whoever has it now is measured by their own hours, where they have some. */
export const hoursUnder = (
  { hours, teamHours }: { hours: BusinessHours | null; teamHours?: TeamHours | undefined },
  { team }: { team?: string | undefined },
): BusinessHours | null => {
  const own = team === undefined ? undefined : teamHours?.get(team)
  return own === undefined ? hours : own
}

export const hoursOf = (terms: Terms, whose: { team?: string }): BusinessHours | null =>
  terms.policy.time === 'business' ? hoursUnder(terms, whose) : null

export const run = (terms: Terms, timing: Timing, since: Date): Timing => {
  const { target, elapsedMs } = timing
  if (target === null) return { ...timing, since, deadline: null, warnsAt: null }
  // A target that became shorter than what has passed is due at once, never in the past.
  const after = (milliseconds: number) =>
    addBusinessTime(hoursOf(terms, timing), since, Math.max(0, milliseconds - elapsedMs))
  const warnAfter = Math.round(target * terms.policy.warningShare)
  return { ...timing, since, deadline: after(target), warnsAt: after(warnAfter) }
}

export const targetOf = ({ terms, priority }: InForce, kind: ClockKind): number | null =>
  terms.policy.targets[priority][kind]

/** Takes what was measured so far into the account; the clock stands still. */
export const hold = (terms: Terms, timing: Timing, at: Date): Timing => ({
  ...timing,
  elapsedMs: elapsedAt(terms, timing, at),
  since: null,
})

/** A promise that was broken stays broken at the instant at which it was. */
export const transfer = (terms: Terms, before: Timing, event: HistoryEvent, team: string | undefined): Timing => {
  const { team: _from, ...held } = hold(terms, before, event.at)
  const { countsFrom } = before
  const theirs = { ...held, ...teamOf({ team }) }
  const timing =
    countsFrom >= event.at ? { ...theirs, countsFrom: nextOpening(hoursOf(terms, theirs), event.at) } : theirs
  if (before.since === null) return write(timing, event.at, 'transfer', event)
  const goesOn = timing.breached ? { ...timing, since: event.at } : run(terms, timing, event.at)
  return write(goesOn, event.at, 'transfer', event)
}

export const pause = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  if (timing.since === null && !timing.end) return timing
  const held = hold(terms, { ...timing, end: null }, event.at)
  return write(timing.breached ? held : { ...held, deadline: null, warnsAt: null }, event.at, 'pause', event)
}

export const resume = (now: InForce, timing: Timing, event: HistoryEvent): Timing => {
  if (timing.since !== null) return timing
  const { team: _before, ...ended } = timing
  const held = { ...ended, ...teamOf(now) }
  // The deadline that was missed stays the one that was missed.
  if (timing.breached) return write({ ...held, end: null, since: event.at }, event.at, 'resume', event)
  // The priority may have changed while it was resolved.
  const again = { ...held, end: null, priority: now.priority, target: targetOf(now, timing.kind) }
  return write(run(now.terms, again, event.at), event.at, 'resume', event)
}

export const finish = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  const ended: Timing = { ...hold(terms, timing, event.at), end: { how: 'done', at: event.at } }
  return write(ended, event.at, timing.breached || timing.target === null ? 'stop' : 'meet', event)
}

/** Resolved while the customer still waited for a person's word. */
export const giveUp = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  const held = hold(terms, timing, event.at)
  if (timing.kind === 'first_response' && timing.assistantReplied && !timing.handedOff) {
    const waived: Timing = { ...held, deadline: null, end: { how: 'waived', at: event.at } }
    return write(waived, event.at, 'waive', event)
  }
  if (timing.breached || timing.target === null) return finish(terms, timing, event)
  return write({ ...held, end: { how: 'cancelled', at: event.at } }, event.at, 'cancel', event)
}

export const write = (timing: Timing, at: Date, change: Change, cause: Cause): Timing => {
  const entry: LedgerEntry = {
    at,
    change,
    cause: withoutTime(cause),
    targetMs: timing.target,
    deadline: timing.deadline,
    ...teamOf(timing),
  }
  return { ...timing, ledger: [...timing.ledger, entry] }
}

/** An entry has its own time; an event may carry more than clocks care for. */
const withoutTime = (cause: Cause): Cause => {
  switch (cause.kind) {
    case 'time':
      return { kind: 'time' }
    case 'state':
      return { kind: 'state', id: cause.id, state: cause.state }
    case 'priority':
      return { kind: 'priority', id: cause.id, priority: cause.priority }
    case 'team':
      return { kind: 'team', id: cause.id, team: cause.team }
    default:
      return { kind: cause.kind, id: cause.id }
  }
}

const elapsedAt = (terms: Terms, timing: Timing, now: Date): number =>
  timing.since === null
    ? timing.elapsedMs
    : timing.elapsedMs + businessTimeBetween(hoursOf(terms, timing), timing.since, now)

export const clockOf = (terms: Terms, timing: Timing, now: Date): Clock => {
  const { id, kind, priority, target, startedAt, countsFrom, end, deadline, warnsAt, warned, ledger } = timing
  const { id: policyId, version, time } = terms.policy
  const facts = {
    id,
    kind,
    policy: { id: policyId, version },
    time,
    priority,
    startedAt,
    countsFrom,
    elapsedMs: elapsedAt(terms, timing, now),
    ledger,
  }
  const endedAt = end?.at ?? null
  if (end?.how === 'waived') return { ...facts, state: 'not_applicable', reason: 'assistant_alone', endedAt }
  if (target === null) return { ...facts, state: 'not_applicable', reason: 'no_target', endedAt }
  const promised = { ...facts, targetMs: target }
  if (timing.breached && deadline) return { ...promised, state: 'breached', deadline, endedAt }
  if (end) return { ...promised, state: end.how === 'cancelled' ? 'cancelled' : 'met', deadline, endedAt: end.at }
  if (!deadline) return { ...promised, state: 'paused', remainingMs: Math.max(0, target - timing.elapsedMs) }
  return { ...promised, state: 'running', deadline, warnsAt: warned ? null : warnsAt }
}

export const teamOf = ({ team }: { team?: string | undefined }): { team?: string } =>
  team === undefined ? {} : { team }
