import type { Clock } from '../platform/clock.js'
import type { ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import { AppError } from '../platform/errors.js'
import { businessTimeBetween } from '../sla/business-hours.js'
import type { LedgerEntry } from '../sla/clocks.js'
import { hoursUnder } from '../sla/timing.js'
import { RUNS_AFTER } from '../sla/explain.js'
import { CLOCK_KINDS, type ClockKind } from '../sla/policy.js'
import type { SpanKind } from './clocks.js'
import type { ClockDocument } from './clocks.mongo.js'
import type { ConversationStore } from './store.mongo.js'

export const REPORTED_BY = ['company', 'channel', 'team', 'agent', 'priority', 'day'] as const
export type ReportedBy = (typeof REPORTED_BY)[number]

export type ReportRequest = { from: Date; to: Date; by: ReportedBy; time: 'business' | 'calendar'; timeZone: string }

/** How long it took where it came to an end, in milliseconds; and of what was promised, how much was kept. */
export type Measure = {
  ended: number
  medianMs: number | null
  p90Ms: number | null
  met: number
  breached: number
  /** met / (met + breached); `null` where nothing was decided. */
  share: number | null
}

export type ReportRow = {
  /** Of the channel, the team, the agent, the priority or the day; empty for the company, and for what nobody ended. */
  key: string
  name: string
  measures: Record<ClockKind | SpanKind, Measure>
}

/** A promise that was broken, by how much, and to whom. */
export type Broken = {
  conversationId: string
  /** Name or address of the customer; `null`: neither is known. */
  contact: string | null
  excerpt: string
  clock: ClockKind
  dueAt: Date
  /** From the deadline to the end, or to now where it still waits; by the calendar. */
  lateMs: number
  ended: boolean
}

export type Report = { rows: ReportRow[]; total: ReportRow; worst: Broken[] }

type Needs = {
  store: Pick<ConversationStore, 'clocksStarted' | 'list' | 'contacts'>
  clock: Clock
  termsOf(companyId: string, ref: TermsRef): Promise<ServiceTerms>
}

const LONGEST_DAYS = 400
const DAY = 24 * 60 * 60 * 1000

/**
 * Of all clocks that started in [from, to): how long they took and whether they were kept, worked out from their ledgers.
 * What a row counts is decided by the start; a clock that still runs counts only where it is broken already.
 */
export const makeServiceLevelReport =
  ({ store, termsOf, clock: present }: Needs) =>
  async (companyId: string, request: ReportRequest): Promise<Report> => {
    const { from, to, by, time, timeZone } = request
    if (to <= from) throw refused('range_empty', 'to: must lie after from')
    if (to.getTime() - from.getTime() > LONGEST_DAYS * DAY) {
      throw refused('range_too_long', `to: a report covers at most ${LONGEST_DAYS} days`)
    }
    const rowOf: RowOf = {
      company: inAll,
      channel: ofChannel,
      team: ofTeam,
      agent: ofAgent,
      priority: ofPriority,
      day: onDayIn(timeZone),
    }[by]
    const total = tally('', '')
    const rows = new Map<string, Tally>()
    const now = present.now()
    let worst: Late[] = []
    for await (const clock of store.clocksStarted(companyId, from, to)) {
      const { key, name } = rowOf(clock)
      const row = rows.get(key) ?? tally(key, name)
      rows.set(key, row)
      const took = tookOf(clock, time === 'business' ? await termsOf(companyId, clock.ref) : { hours: null })
      for (const each of [row, total]) count(each, clock, took)
      worst = withLate(worst, clock, now)
    }
    return {
      rows: [...rows.values()].map(toRow).sort((a, b) => (a.key < b.key ? -1 : 1)),
      total: toRow(total),
      worst: await toBroken(store, companyId, worst),
    }
  }

const refused = (code: string, message: string) => new AppError('invalid', code, message, { field: 'to' })

// ── Which row ───────────────────────────────────────────────────────────────────────────────────────────────────────

type RowOf = (clock: ClockDocument) => { key: string; name: string }

const inAll: RowOf = () => ({ key: '', name: '' })
const ofChannel: RowOf = ({ channelId }) => ({ key: channelId, name: channelId })
const ofTeam: RowOf = ({ teamId }) => ({ key: teamId ?? '', name: teamId ?? '' })
const ofPriority: RowOf = ({ priority }) => ({ key: priority, name: priority })
const ofAgent: RowOf = ({ endedBy }) =>
  endedBy?.kind === 'agent' ? { key: endedBy.id ?? '', name: endedBy.name ?? '' } : { key: '', name: '' }

const onDayIn = (timeZone: string): RowOf => {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  return ({ startedAt }) => {
    const day = format.format(startedAt)
    return { key: day, name: day }
  }
}

// ── What went worst ─────────────────────────────────────────────────────────────────────────────────────────────────

const MOST_WORST = 10

type Late = { clock: ClockDocument; dueAt: Date; lateMs: number }

const withLate = (worst: readonly Late[], clock: ClockDocument, now: Date): Late[] => {
  const { state, deadline, endedAt, targetMs } = clock
  if (state !== 'breached' || !deadline || targetMs === null) return [...worst]
  const late = { clock, dueAt: deadline, lateMs: (endedAt ?? now).getTime() - deadline.getTime() }
  return [...worst, late].sort((a, b) => b.lateMs - a.lateMs).slice(0, MOST_WORST)
}

const toBroken = async (
  store: Pick<ConversationStore, 'list' | 'contacts'>,
  companyId: string,
  worst: readonly Late[],
): Promise<Broken[]> => {
  const ids = [...new Set(worst.map(({ clock }) => clock.conversationId))]
  const found = ids.length > 0 ? await store.list({ companyId, _id: { $in: ids } }, { _id: 1 }, ids.length) : []
  const contacts = await store.contacts(
    companyId,
    found.map(({ contactId }) => contactId),
  )
  return worst.flatMap(({ clock: { conversationId, kind, endedAt }, dueAt, lateMs }): Broken[] => {
    const conversation = found.find(({ id }) => id === conversationId)
    const clock = CLOCK_KINDS.find((one) => one === kind)
    if (!conversation || !clock) return []
    const { name, email } = contacts.find(({ id }) => id === conversation.contactId) ?? {}
    const { excerpt } = conversation.lastMessage
    return [{ conversationId, contact: name ?? email ?? null, excerpt, clock, dueAt, lateMs, ended: endedAt !== null }]
  })
}

// ── What one clock says ─────────────────────────────────────────────────────────────────────────────────────────────

/** From the start to the answer, or what was worked on until the solution; `null` where it has not come to that. */
const tookOf = (clock: ClockDocument, hours: Pick<ServiceTerms, 'hours' | 'teamHours'>): number | null => {
  const { kind, startedAt, endedAt, teamId, ledger } = clock
  if (!endedAt) return null
  if (kind === 'assistant_first_reply' || kind === 'handoff_to_human_reply') {
    return businessTimeBetween(hoursUnder(hours, { team: teamId ?? undefined }), startedAt, endedAt)
  }
  const last = ledger.findLast(({ change }) => change !== 'warning' && change !== 'breach')
  if (last?.change !== 'meet' && last?.change !== 'stop') return null
  let sum = 0
  let runningSince: LedgerEntry | null = null
  for (const entry of ledger) {
    if (runningSince) sum += businessTimeBetween(hoursUnder(hours, runningSince), runningSince.at, entry.at)
    const runs: boolean = RUNS_AFTER[entry.change] ?? runningSince !== null
    runningSince = runs ? entry : null
  }
  return sum
}

// ── Counting ────────────────────────────────────────────────────────────────────────────────────────────────────────

const MEASURED = [
  'first_response',
  'next_response',
  'resolution',
  'assistant_first_reply',
  'handoff_to_human_reply',
] as const

type Tally = {
  key: string
  name: string
  of: Record<ClockKind | SpanKind, { took: number[]; met: number; breached: number }>
}

const tally = (key: string, name: string): Tally => ({ key, name, of: each(() => ({ took: [], met: 0, breached: 0 })) })

const count = ({ of }: Tally, { kind, state, targetMs }: ClockDocument, took: number | null): void => {
  const sum = of[kind]
  if (took !== null) sum.took.push(took)
  if (targetMs === null) return
  if (state === 'met') sum.met += 1
  if (state === 'breached') sum.breached += 1
}

const toRow = ({ key, name, of }: Tally): ReportRow => ({
  key,
  name,
  measures: each((kind) => {
    const { took, met, breached } = of[kind]
    const sorted = took.toSorted((a, b) => a - b)
    const decided = met + breached
    return {
      ended: sorted.length,
      medianMs: medianOf(sorted),
      p90Ms: sorted[Math.ceil(sorted.length * 0.9) - 1] ?? null,
      met,
      breached,
      share: decided > 0 ? met / decided : null,
    }
  }),
})

const medianOf = (sorted: readonly number[]): number | null => {
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  return low === undefined || high === undefined ? null : Math.round((low + high) / 2)
}

const each = <T>(make: (kind: ClockKind | SpanKind) => T): Record<ClockKind | SpanKind, T> => ({
  first_response: make('first_response'),
  next_response: make('next_response'),
  resolution: make('resolution'),
  assistant_first_reply: make('assistant_first_reply'),
  handoff_to_human_reply: make('handoff_to_human_reply'),
})

// ── As a table ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** RFC 4180. What a spreadsheet would take for a formula is kept a text: names are what anybody called something. */
export const toCsv = (by: ReportedBy, rows: readonly ReportRow[]): string => {
  const head = [by, 'name', ...MEASURED.flatMap((kind) => COLUMNS.map((column) => `${kind}_${column}`))]
  const lines = rows.map(({ key, name, measures }) => [
    key,
    name,
    ...MEASURED.flatMap((kind) => {
      const { ended, medianMs, p90Ms, met, breached, share } = measures[kind]
      return [ended, medianMs, p90Ms, met, breached, share === null ? null : Number(share.toFixed(4))]
    }),
  ])
  return [head, ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

const COLUMNS = ['ended', 'median_ms', 'p90_ms', 'met', 'breached', 'share'] as const

const cell = (value: string | number | null): string => {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
