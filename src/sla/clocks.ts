import { businessTimeBetween, nextOpening } from './business-hours.js'
import type { ClockKind, Policy, Priority, State } from './policy.js'
import {
  clockOf,
  finish,
  giveUp,
  hold,
  hoursOf,
  pause,
  resume,
  run,
  targetOf,
  teamOf,
  transfer,
  write,
  type Terms,
  type Timing,
} from './timing.js'

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

// ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** By the hours of whoever had it at its end. */
const spanOf = (watch: Watch, mark: Mark | null, now: Date): Span | null =>
  mark && {
    fromId: mark.from.id,
    toId: mark.to?.id ?? null,
    elapsedMs: businessTimeBetween(hoursOf(watch.terms, mark.to ? mark : watch), mark.from.at, mark.to?.at ?? now),
  }

const earliest = (dates: readonly (Date | null)[]): Date | null =>
  dates.reduce((first, date) => (first && (!date || first <= date) ? first : date), null)
