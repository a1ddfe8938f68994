import { openPeriods, type BusinessHours } from './business-hours.js'
import type { Cause, Change, Clock, LedgerEntry } from './clocks.js'
import { hoursUnder, type TeamHours } from './timing.js'

/**
 * One line of an answer to "why is this due at 14:35": when, and what happened then. `text` says the same in plain English, for
 * whoever has no words of their own.
 */
export type Step = { at: Date; text: string } & (
  | {
      kind: Exclude<Change, 'warning'>
      cause: Cause
      /** Promised from then on; `null`: nothing. */
      targetMs: number | null
      /** The team by whose own hours it counts from then on; `null`: by those of the channel, or of the calendar. */
      hoursOf: string | null
    }
  | { kind: 'closed'; until: Date }
  /** Time that counted: of this stretch, which may hold several openings, and in all so far. */
  | { kind: 'counted'; until: Date; openings: number; milliseconds: number; elapsedMs: number }
  | { kind: 'due' }
)

/**
 * The way from the customer's message to the deadline or the end, in plain English and in the zone of the hours that count at
 * its end (UTC for `null`). `hours` and `teamHours` are those that the clock was read with.
 */
export const explain = (clock: Clock, hours: BusinessHours | null, teamHours?: TeamHours): Step[] => {
  const counting = (entry: LedgerEntry) => hoursUnder({ hours, teamHours }, entry)
  const last = clock.ledger.at(-1)
  const moment = momentIn((last ? counting(last) : hours)?.timeZone ?? 'UTC')
  const due = clock.state === 'running' ? clock.deadline : null
  const entries = clock.ledger.filter((entry): entry is Told => entry.change !== 'warning')

  const steps: Step[] = []
  let elapsedMs = 0
  let runs: boolean | null = null
  for (const [index, entry] of entries.entries()) {
    const from = turnOf(entry)
    const { change: kind, cause, targetMs, team } = entry
    const hoursOf = clock.time === 'business' && team !== undefined && teamHours?.has(team) ? team : null
    steps.push({ at: from, kind, cause, targetMs, hoursOf, text: sentence(clock, entry, hoursOf, moment) })
    runs = RUNS_AFTER[entry.change] ?? runs
    const next = entries[index + 1]
    const until = next ? turnOf(next) : due
    if (!runs || !until) continue
    for (const piece of piecesOf(clock.time === 'business' ? counting(entry) : null, from, until)) {
      elapsedMs += piece.milliseconds
      const { from: at, to, openings, milliseconds } = piece
      const text = line(piece, elapsedMs, moment)
      steps.push(
        piece.kind === 'closed'
          ? { at, kind: 'closed', until: to, text }
          : { at, kind: 'counted', until: to, openings, milliseconds, elapsedMs, text },
      )
    }
  }
  if (due) steps.push({ at: due, kind: 'due', text: `Due ${moment(due)}` })
  return steps
}

/** A warning is no step: nothing is different after it. */
type Told = LedgerEntry & { change: Exclude<Change, 'warning'> }

/** Whether time counts after a change; `null`: as before. */
export const RUNS_AFTER = {
  start: true,
  resume: true,
  retarget: null,
  transfer: null,
  warning: null,
  breach: null,
  pause: false,
  meet: false,
  stop: false,
  cancel: false,
  waive: false,
} satisfies Record<Change, boolean | null>

/** The breach is noted at the first instant after the deadline; the target was used up at the deadline. */
const turnOf = ({ change, at, deadline }: LedgerEntry): Date => (change === 'breach' ? (deadline ?? at) : at)

// ── The time that counts ────────────────────────────────────────────────────────────────────────────────────────────

type Piece = { kind: 'closed' | 'open' | 'more'; from: Date; to: Date; openings: number; milliseconds: number }

/** More openings than this in a row are summed up. */
const LISTED = 6

const piecesOf = (hours: BusinessHours | null, from: Date, to: Date): Piece[] => {
  const open = [...openPeriods(hours, from, to)].map((period): Piece => {
    const milliseconds = period.close.getTime() - period.open.getTime()
    return { kind: 'open', from: period.open, to: period.close, openings: 1, milliseconds }
  })
  const first = open[0]?.from ?? to
  const closed: Piece[] = first > from ? [{ kind: 'closed', from, to: first, openings: 0, milliseconds: 0 }] : []
  return [
    ...closed,
    ...(open.length > LISTED ? [...open.slice(0, 2), open.slice(2, -1).reduce(together), ...open.slice(-1)] : open),
  ]
}

const together = (sum: Piece, next: Piece): Piece => ({
  kind: 'more',
  from: sum.from,
  to: next.to,
  openings: sum.openings + next.openings,
  milliseconds: sum.milliseconds + next.milliseconds,
})

const line = ({ kind, from, to, openings, milliseconds }: Piece, elapsedMs: number, moment: Moment): string => {
  const counts = `${duration(milliseconds)}, ${duration(elapsedMs)} so far`
  switch (kind) {
    case 'closed':
      return `Closed until ${moment(to)}`
    case 'open':
      return `From ${moment(from)} to ${moment(to)}: ${counts}`
    case 'more':
      return `${openings} more openings until ${moment(to)}: ${counts}`
  }
}

// ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const sentence = (
  clock: Clock,
  { at, change, cause, targetMs, deadline }: Told,
  hoursOf: string | null,
  moment: Moment,
): string => {
  const by = words(cause)
  const target = targetMs === null ? 'nothing is promised' : `${duration(targetMs)} of ${clock.time} time`
  switch (change) {
    case 'start': {
      const { id, version } = clock.policy
      return `${moment(at)}: the ${clock.kind.replace('_', ' ')} clock starts with ${by}; ${target} (policy ${id}, version ${version})`
    }
    case 'retarget':
      return `${moment(at)}: ${by}; from now on ${target}`
    case 'transfer':
      return `${moment(at)}: ${by}; from here on ${hoursOf === null ? "the channel's" : 'its'} hours count`
    case 'pause':
      return `${moment(at)}: stands still, ${by}`
    case 'resume':
      return `${moment(at)}: goes on, ${by}`
    case 'breach':
      return `${moment(deadline ?? at)}: ${target} used up, the promise is broken`
    case 'meet':
      return `${moment(at)}: kept, ${by}`
    case 'stop':
      return `${moment(at)}: ended, ${by}`
    case 'cancel':
      return `${moment(at)}: cancelled before it was due, ${by}`
    case 'waive':
      return `${moment(at)}: does not apply, the assistant alone solved it, ${by}`
  }
}

const words = (cause: Cause): string => {
  switch (cause.kind) {
    case 'time':
      return 'time passed'
    case 'state':
      return `state ${cause.state.replace('_', ' ')} (${cause.id})`
    case 'priority':
      return `priority ${cause.priority} (${cause.id})`
    case 'team':
      return cause.team ? `team ${cause.team.name} has it (${cause.id})` : `no team has it (${cause.id})`
    default:
      return `${cause.kind.replace('_', ' ')} ${cause.id}`
  }
}

const UNITS = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/** Of more than nothing. */
const duration = (milliseconds: number): string => {
  let left = milliseconds
  const parts = UNITS.flatMap(([unit, size]) => {
    const number = Math.floor(left / size)
    left -= number * size
    return number > 0 ? [`${number} ${unit}`] : []
  })
  return parts.join(' ')
}

type Moment = (at: Date) => string

/** `Mon 15 Jan 2024, 14:35`, with seconds where there are some. */
const momentIn = (timeZone: string): Moment => {
  const day = { timeZone, weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const
  const dayFormat = new Intl.DateTimeFormat('en-GB', day)
  const time = { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const short = new Intl.DateTimeFormat('en-GB', time)
  const exact = new Intl.DateTimeFormat('en-GB', { ...time, second: '2-digit' })
  return (at) => `${dayFormat.format(at).replace(',', '')}, ${(at.getTime() % 60_000 === 0 ? short : exact).format(at)}`
}
