import { addBusinessTime, businessTimeBetween, nextOpening, type BusinessHours } from './business-hours.js'
import type { ClockKind, Policy, Priority, State } from './policy.js'

/**
 * What happened in a conversation, as far as its clocks care. `at` of a reply is when it was written; it belongs here
 * once its channel accepted it. Notes, surveys and automatic mail do not belong here.
 */
export type HistoryEvent = { id: string; at: Date } & (
  | { kind: 'customer_message' | 'human_reply' | 'assistant_reply' | 'handoff' }
  | { kind: 'state'; state: State }
  | { kind: 'priority'; priority: Priority }
  /** Whose it is from now on: their hours count. */
  | { kind: 'team'; team: { id: string; name: string } | null }
)

export type Change =
  | 'start'
  /** The priority changed, and with it the target. */
  | 'retarget'
  /** Another team has it: what counted so far stays, and from here on that team's hours count. */
  | 'transfer'
  | 'pause'
  | 'resume'
  | 'warning'
  | 'breach'
  | 'meet'
  /** It ended after its breach, or without a target. */
  | 'stop'
  | 'cancel'
  | 'waive'

/** The event that did it, or time that passed. */
export type Cause = Untimed<HistoryEvent> | { kind: 'time' }
type Untimed<Event> = Event extends unknown ? Omit<Event, 'at'> : never

export type LedgerEntry = {
  at: Date
  change: Change
  cause: Cause
  /** Target and deadline as they stand after this change; `null`: nothing is promised, nothing is due. */
  targetMs: number | null
  deadline: Date | null
  /** The team whose hours count after this change; absent: none has it. */
  team?: string
}

/** One promise to one customer. Measured times are in the policy's time, up to the end or to now, in milliseconds. */
export type Clock = {
  /** The same in every computation: kind and the message that started it. */
  id: string
  kind: ClockKind
  policy: { id: string; version: number }
  time: Policy['time']
  priority: Priority
  startedAt: Date
  /** The first instant that counts: the next opening where it started outside hours. */
  countsFrom: Date
  elapsedMs: number
  ledger: readonly LedgerEntry[]
} & (
  | { state: 'running'; targetMs: number; deadline: Date; warnsAt: Date | null }
  | { state: 'paused'; targetMs: number; remainingMs: number }
  | { state: 'met' | 'cancelled'; targetMs: number; deadline: Date | null; endedAt: Date }
  | { state: 'breached'; targetMs: number; deadline: Date; endedAt: Date | null }
  | { state: 'not_applicable'; reason: 'assistant_alone' | 'no_target'; endedAt: Date | null }
)

/** How long from one message to another, shown beside the clocks; `toId` is `null` while it is still to come. */
export type Span = { fromId: string; toId: string | null; elapsedMs: number }

export type Reading = {
  clocks: Clock[]
  assistantFirstReply: Span | null
  handoffToHumanReply: Span | null
  /** The first instant after now at which a clock changes by itself; `null`: only an event can change anything. */
  nextChangeAt: Date | null
}

export type TeamHours = ReadonlyMap<string, BusinessHours | null>

type Terms = {
  /** The version that counted when the first customer message arrived. */
  policy: Policy
  /** The hours of the same moment; `null` is always open. */
  hours: BusinessHours | null
  /** Of the teams that have hours of their own. */
  teamHours?: TeamHours
  /** At the beginning of the history. */
  priority: Priority
}

/**
 * Every clock of a conversation at `now`. Pure: the history alone decides, in the order of its times (equal times in the
 * order given), and what lies after `now` has not happened yet.
 */
export const readClocks = ({
  history,
  now,
  ...terms
}: Terms & { history: readonly HistoryEvent[]; now: Date }): Reading => {
  const sorted = history.toSorted((a, b) => a.at.getTime() - b.at.getTime())
  const past = sorted.filter(({ at }) => at <= now)
  const reading = look(past.reduce(advance, watch(terms)), now)
  return { ...reading, nextChangeAt: earliest([reading.nextChangeAt, sorted[past.length]?.at ?? null]) }
}

// ── The running state: what `readClocks` folds over, and what one who follows a conversation event by event keeps ───────

/** Reveals nothing by itself: `look` at it. Never changed in place. */
export type Watch = {
  terms: Terms
  /** Everything up to here is settled; nothing earlier may be added. */
  upTo: Date | null
  state: State
  priority: Priority
  /** Whose it is; absent: no team's. */
  team?: string
  /** A reply that counts followed the first customer message. */
  answered: boolean
  timings: readonly Timing[]
  assistantFirstReply: Mark | null
  handoffToHumanReply: Mark | null
}

/** `team`: whose it was when it came to its end. */
type Mark = { from: { id: string; at: Date }; to: { id: string; at: Date } | null; team?: string }

type Timing = {
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

export const watch = (terms: Terms): Watch => ({
  terms,
  upTo: null,
  state: 'open',
  priority: terms.priority,
  answered: false,
  timings: [],
  assistantFirstReply: null,
  handoffToHumanReply: null,
})

/** Adds the next event. One that happened before what is settled throws a RangeError: then read the whole history again. */
export const advance = (before: Watch, event: HistoryEvent): Watch => {
  if (before.upTo && event.at < before.upTo) throw new RangeError(`Event ${event.id} came too late to be added`)
  const now = settle(before, event.at)
  switch (event.kind) {
    case 'customer_message':
      return startClocks(changeState(now, event, 'open'), event)
    case 'human_reply':
      return reply({ ...now, handoffToHumanReply: arrive(now, now.handoffToHumanReply, event) }, event)
    case 'assistant_reply': {
      const marked = { ...now, assistantFirstReply: arrive(now, now.assistantFirstReply, event) }
      if (now.terms.policy.countAssistantReplies) return reply(marked, event)
      return waiting(marked, (timing) => ({ ...timing, assistantReplied: true }))
    }
    case 'handoff':
      return waiting(
        { ...now, handoffToHumanReply: now.handoffToHumanReply ?? { from: event, to: null } },
        (timing) => ({
          ...timing,
          handedOff: true,
        }),
      )
    case 'state':
      return changeState(now, event, event.state)
    case 'priority':
      return retargetAll({ ...now, priority: event.priority }, event)
    case 'team':
      return transferAll(now, event, event.team?.id)
  }
}

/** What can be seen at `now`, which must not lie before what is settled. */
export const look = (before: Watch, now: Date): Reading => {
  const settled = settle(before, now)
  const { terms, timings, assistantFirstReply, handoffToHumanReply } = settled
  return {
    clocks: timings.map((timing) => clockOf(terms, timing, now)),
    assistantFirstReply: spanOf(settled, assistantFirstReply, now),
    handoffToHumanReply: spanOf(settled, handoffToHumanReply, now),
    nextChangeAt: earliest(timings.map((timing) => nextTimer(timing)?.at ?? null)),
  }
}

/** Lets the warnings and breaches up to and including `now` come to pass. */
export const settle = (before: Watch, now: Date): Watch => ({
  ...before,
  upTo: now,
  timings: before.timings.map((timing) => {
    let current = timing
    for (let timer = nextTimer(current); timer && timer.at <= now; timer = nextTimer(current)) {
      const changed = timer.change === 'breach' ? { ...current, breached: true } : { ...current, warned: true }
      current = write(changed, timer.at, timer.change, { kind: 'time' })
    }
    return current
  }),
})

const nextTimer = ({ since, breached, warned, warnsAt, deadline }: Timing) => {
  if (since === null || breached || deadline === null) return null
  if (!warned && warnsAt) return { change: 'warning' as const, at: warnsAt }
  // Met on the deadline itself: the breach is the first instant after it.
  return { change: 'breach' as const, at: new Date(deadline.getTime() + 1) }
}

// ── What events do ──────────────────────────────────────────────────────────────────────────────────────────────────

const isDone = (state: State): boolean => state === 'resolved' || state === 'closed'

const startClocks = (now: Watch, event: HistoryEvent): Watch => {
  const kinds: ClockKind[] = []
  // Further messages do not restart a promise.
  if (!now.timings.some(isWaiting)) kinds.push(now.answered ? 'next_response' : 'first_response')
  if (now.timings.length === 0) kinds.push('resolution')
  return {
    ...now,
    timings: [...now.timings, ...kinds.map((kind) => start(now, kind, event))],
    assistantFirstReply: now.assistantFirstReply ?? { from: event, to: null },
  }
}

const start = (now: Watch, kind: ClockKind, event: HistoryEvent): Timing => {
  const timing: Timing = {
    id: `${kind}:${event.id}`,
    kind,
    priority: now.priority,
    target: targetOf(now, kind),
    startedAt: event.at,
    countsFrom: event.at,
    ...teamOf(now),
    elapsedMs: 0,
    since: null,
    deadline: null,
    warnsAt: null,
    warned: false,
    breached: false,
    end: null,
    assistantReplied: false,
    handedOff: false,
    ledger: [],
  }
  const running = run(now.terms, timing, event.at)
  return write({ ...running, countsFrom: nextOpening(hoursOf(now.terms, now), event.at) }, event.at, 'start', event)
}

const reply = (now: Watch, event: HistoryEvent): Watch => ({
  ...waiting(now, (timing) => finish(now.terms, timing, event)),
  answered: now.answered || now.timings.length > 0,
})

const changeState = (now: Watch, event: HistoryEvent, state: State): Watch => {
  const from = now.state
  if (isDone(from) && isDone(state)) return { ...now, state }
  const change = (timing: Timing): Timing => {
    if (timing.kind !== 'resolution')
      return isDone(state) && isWaiting(timing) ? giveUp(now.terms, timing, event) : timing
    if (isDone(state)) return finish(now.terms, timing, event)
    return stands(now.terms, state) ? pause(now.terms, timing, event) : resume(now, timing, event)
  }
  return { ...now, state, timings: now.timings.map(change) }
}

const stands = ({ policy }: Terms, state: State): boolean => policy.pausedIn.some((paused) => paused === state)

const targetOf = ({ terms, priority }: Watch, kind: ClockKind): number | null => terms.policy.targets[priority][kind]

const retargetAll = (now: Watch, event: HistoryEvent): Watch => ({
  ...now,
  timings: now.timings.map((timing) => {
    // What was broken stays broken, what was kept stays kept.
    if (timing.end || timing.breached) return timing
    const target = targetOf(now, timing.kind)
    if (target === timing.target) return { ...timing, priority: now.priority }
    const changed = { ...hold(now.terms, timing, event.at), priority: now.priority, target }
    const again = timing.since === null ? changed : run(now.terms, changed, event.at)
    return write(again, event.at, 'retarget', event)
  }),
})

const transferAll = (now: Watch, event: HistoryEvent, team: string | undefined): Watch => {
  if (now.team === team) return now
  const { team: _from, ...rest } = now
  const timings = now.timings.map((timing) => (timing.end ? timing : transfer(now.terms, timing, event, team)))
  return { ...rest, ...teamOf({ team }), timings }
}

const isWaiting = ({ kind, end }: Timing): boolean => kind !== 'resolution' && end === null

const waiting = (now: Watch, change: (timing: Timing) => Timing): Watch => ({
  ...now,
  timings: now.timings.map((timing) => (isWaiting(timing) ? change(timing) : timing)),
})

const arrive = (now: Watch, mark: Mark | null, event: HistoryEvent): Mark | null =>
  mark?.to === null ? { ...mark, to: event, ...teamOf(now) } : mark

const teamOf = ({ team }: { team?: string | undefined }): { team?: string } => (team === undefined ? {} : { team })

// ── What happens to one clock ───────────────────────────────────────────────────────────────────────────────────────

/** Whoever has it now is measured by their own hours, where they have some. */
export const hoursUnder = (
  { hours, teamHours }: { hours: BusinessHours | null; teamHours?: TeamHours | undefined },
  { team }: { team?: string | undefined },
): BusinessHours | null => {
  const own = team === undefined ? undefined : teamHours?.get(team)
  return own === undefined ? hours : own
}

const hoursOf = (terms: Terms, whose: { team?: string }): BusinessHours | null =>
  terms.policy.time === 'business' ? hoursUnder(terms, whose) : null

const run = (terms: Terms, timing: Timing, since: Date): Timing => {
  const { target, elapsedMs } = timing
  if (target === null) return { ...timing, since, deadline: null, warnsAt: null }
  // A target that became shorter than what has passed is due at once, never in the past.
  const after = (milliseconds: number) =>
    addBusinessTime(hoursOf(terms, timing), since, Math.max(0, milliseconds - elapsedMs))
  const warnAfter = Math.round(target * terms.policy.warningShare)
  return { ...timing, since, deadline: after(target), warnsAt: after(warnAfter) }
}

/** Takes what was measured so far into the account; the clock stands still. */
const hold = (terms: Terms, timing: Timing, at: Date): Timing => ({
  ...timing,
  elapsedMs: elapsedAt(terms, timing, at),
  since: null,
})

/** A promise that was broken stays broken at the instant at which it was. */
const transfer = (terms: Terms, before: Timing, event: HistoryEvent, team: string | undefined): Timing => {
  const { team: _from, ...held } = hold(terms, before, event.at)
  const { countsFrom } = before
  const theirs = { ...held, ...teamOf({ team }) }
  const timing =
    countsFrom >= event.at ? { ...theirs, countsFrom: nextOpening(hoursOf(terms, theirs), event.at) } : theirs
  if (before.since === null) return write(timing, event.at, 'transfer', event)
  const goesOn = timing.breached ? { ...timing, since: event.at } : run(terms, timing, event.at)
  return write(goesOn, event.at, 'transfer', event)
}

const pause = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  if (timing.since === null && !timing.end) return timing
  const held = hold(terms, { ...timing, end: null }, event.at)
  return write(timing.breached ? held : { ...held, deadline: null, warnsAt: null }, event.at, 'pause', event)
}

const resume = (now: Watch, timing: Timing, event: HistoryEvent): Timing => {
  if (timing.since !== null) return timing
  const { team: _before, ...ended } = timing
  const held = { ...ended, ...teamOf(now) }
  // The deadline that was missed stays the one that was missed.
  if (timing.breached) return write({ ...held, end: null, since: event.at }, event.at, 'resume', event)
  // The priority may have changed while it was resolved.
  const again = { ...held, end: null, priority: now.priority, target: targetOf(now, timing.kind) }
  return write(run(now.terms, again, event.at), event.at, 'resume', event)
}

const finish = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  const ended: Timing = { ...hold(terms, timing, event.at), end: { how: 'done', at: event.at } }
  return write(ended, event.at, timing.breached || timing.target === null ? 'stop' : 'meet', event)
}

/** Resolved while the customer still waited for a person's word. */
const giveUp = (terms: Terms, timing: Timing, event: HistoryEvent): Timing => {
  const held = hold(terms, timing, event.at)
  if (timing.kind === 'first_response' && timing.assistantReplied && !timing.handedOff) {
    const waived: Timing = { ...held, deadline: null, end: { how: 'waived', at: event.at } }
    return write(waived, event.at, 'waive', event)
  }
  if (timing.breached || timing.target === null) return finish(terms, timing, event)
  return write({ ...held, end: { how: 'cancelled', at: event.at } }, event.at, 'cancel', event)
}

const write = (timing: Timing, at: Date, change: Change, cause: Cause): Timing => {
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

// ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const elapsedAt = (terms: Terms, timing: Timing, now: Date): number =>
  timing.since === null
    ? timing.elapsedMs
    : timing.elapsedMs + businessTimeBetween(hoursOf(terms, timing), timing.since, now)

const clockOf = (terms: Terms, timing: Timing, now: Date): Clock => {
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

/** By the hours of whoever had it at its end. */
const spanOf = (watch: Watch, mark: Mark | null, now: Date): Span | null =>
  mark && {
    fromId: mark.from.id,
    toId: mark.to?.id ?? null,
    elapsedMs: businessTimeBetween(hoursOf(watch.terms, mark.to ? mark : watch), mark.from.at, mark.to?.at ?? now),
  }

const earliest = (dates: readonly (Date | null)[]): Date | null =>
  dates.reduce((first, date) => (first && (!date || first <= date) ? first : date), null)
