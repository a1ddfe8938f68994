import type { Clock, HistoryEvent } from '../../src/sla/clocks.js'
import { readClocks } from '../../src/sla/clocks.js'
import type { BusinessHours } from '../../src/sla/business-hours.js'
import {
  POLICY_DEFAULTS,
  type ClockKind,
  type Policy,
  type Priority,
  type State,
  type Targets,
} from '../../src/sla/policy.js'
import { HOUR, MINUTE } from './hours.js'

/** First response within an hour, next within half an hour, solved within eight; a quarter of that when urgent. */
const normal: Targets = { first_response: HOUR, next_response: 30 * MINUTE, resolution: 8 * HOUR }
const urgent: Targets = { first_response: 15 * MINUTE, next_response: 8 * MINUTE, resolution: 2 * HOUR }
const nothing: Targets = { first_response: null, next_response: null, resolution: null }

export const promise = (change: Partial<Policy> = {}): Policy => ({
  ...POLICY_DEFAULTS,
  id: 'pol_1',
  version: 3,
  name: 'Standard',
  when: {},
  time: 'calendar',
  targets: { low: nothing, normal, high: normal, urgent },
  ...change,
})

const MONDAY = '2024-01-15'

/** `10:30` on the Monday, `3 10:30` three days later. */
export const moment = (text: string): Date => {
  const [, days, time] = /^(?:(\d+) )?(.*)$/.exec(text) ?? []
  return new Date(new Date(`${MONDAY}T${time}Z`).getTime() + Number(days ?? 0) * 24 * HOUR)
}

export const clockFace = (date: Date | null): string | null => {
  if (!date) return null
  const days = Math.floor((date.getTime() - moment('00:00').getTime()) / (24 * HOUR))
  return `${days > 0 ? `${days} ` : ''}${date.toISOString().slice(11, -1).replace('.000', '').replace(/:00$/, '')}`
}

const DEEDS = {
  customer: 'customer_message',
  agent: 'human_reply',
  assistant: 'assistant_reply',
  handoff: 'handoff',
} as const
const STATES: readonly string[] = ['open', 'pending', 'on_hold', 'snoozed', 'resolved', 'closed'] satisfies State[]

/**
 * A conversation as a list of lines: `10:00 customer`, `10:20 agent`, `11:00 pending`, `12:00 urgent`. The first is `e1`.
 */
export const conversation = (...lines: string[]): HistoryEvent[] =>
  lines.map((line, index): HistoryEvent => {
    const cut = line.lastIndexOf(' ')
    const [at, what] = [moment(line.slice(0, cut)), line.slice(cut + 1)]
    const id = `e${index + 1}`
    if (what in DEEDS) return { id, at, kind: DEEDS[what as keyof typeof DEEDS] }
    if (STATES.includes(what)) return { id, at, kind: 'state', state: what as State }
    return { id, at, kind: 'priority', priority: what as Priority }
  })

type Setting = { policy?: Policy; hours?: BusinessHours | null; priority?: Priority }

export const at = (now: string, history: HistoryEvent[], { policy, hours, priority }: Setting = {}) =>
  readClocks({
    policy: policy ?? promise(),
    hours: hours ?? null,
    priority: priority ?? 'normal',
    history,
    now: moment(now),
  })

export const clock = (reading: { clocks: Clock[] }, kind: ClockKind, number = 0): Clock => {
  const found = reading.clocks.filter((each) => each.kind === kind)[number]
  if (!found) throw new Error(`There is no ${kind} clock ${number}`)
  return found
}

/** `11:00` where something is due, in one word where nothing is. */
export const dueAt = (found: Clock): string | null => ('deadline' in found ? clockFace(found.deadline) : null)

/** The ledger as lines: `10:45 warning by time`. */
export const ledger = ({ ledger: entries }: Clock): string[] =>
  entries.map(
    ({ at: when, change, cause }) => `${clockFace(when)} ${change} by ${cause.kind === 'time' ? 'time' : cause.id}`,
  )
