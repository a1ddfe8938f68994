import type { Promised, ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import {
  advance,
  look,
  settle,
  watch,
  type Change,
  type Clock,
  type HistoryEvent,
  type LedgerEntry,
  type Watch,
} from '../sla/clocks.js'
import type { ClockKind, Facts } from '../sla/policy.js'
import type { Conversation, Priority } from './conversation.js'
import type { Author, DeliveryStatus, Message } from './message.js'

/**
 * The service-level clocks of one conversation: what its timeline means to them (`eventOf`), the running state that the
 * conversation carries (`begin`, `follow`), and reading the whole timeline again (`readAgain`), which gives the same.
 * Pure; change.mongo.ts writes the outcome in the transaction of the change that moved them.
 */

export type RunningClocks = {
  ref: TermsRef
  /** That the conversation began with. */
  priority: Priority
  /** Number of the last line of the timeline that moved a clock. */
  seq: number
  /** Without its terms, and without what can no longer change: answers that came, ledgers that are written. */
  watch: Omit<Watch, 'terms'>
  /** What is due first; `null`: nothing. */
  due: Due | null
  /** When a clock changes by itself; absent: only an event can change anything. */
  nextChangeAt?: Date
}

export type Due = { clock: ClockKind; at: Date; state: 'running' | 'warned' | 'breached' }

/** A line of the timeline as the clocks see it. */
type Happened = HistoryEvent & { seq: number; author: Author }

/** Shown beside the clocks; nothing is promised about them. */
export type SpanKind = 'assistant_first_reply' | 'handoff_to_human_reply'

/** A clock, or a span beside it, as reports read it. */
export type ClockRecord = {
  clockId: string
  kind: ClockKind | SpanKind
  priority: Priority
  state: Clock['state']
  startedAt: Date
  endedAt: Date | null
  /** Whose word or deed ended it. */
  endedBy: { kind: Author['kind']; id?: string; name?: string } | null
  targetMs: number | null
  deadline: Date | null
  /** Whose it was at its end, or is; absent in records from before there were teams. */
  teamId?: string | null
}

/** `entries` are new in its ledger. */
type Moved = { record: ClockRecord; entries: readonly LedgerEntry[] }

export type Announcement = { clock: ClockKind; change: 'warning' | 'breach' | 'withdrawn'; dueAt: Date }

export type Followed = { clocks: RunningClocks; moved: Moved[]; announced: Announcement[] }

const ACCEPTED: readonly (DeliveryStatus | null)[] = ['sent', 'delivered', 'read']

/** Whether a message is somebody's answer, once its channel has accepted it. The word that a person will come is none. */
export const isReply = ({ kind, author, handover, notice }: Pick<Message, 'kind' | 'author' | 'handover' | 'notice'>) =>
  kind === 'message' && (author.kind === 'agent' || author.kind === 'assistant') && !handover && !notice

/** With what every conversation begins. */
export const FIRST = { priority: 'normal' as const, tags: [] as string[] }

type Known = { name?: string; email?: string; reference?: string; verified?: true; tier?: string }

/** What a promise is chosen by. */
export const factsOf = (
  { channelId, teamId, ...given }: Pick<Conversation, 'channelId' | 'teamId' | 'priority' | 'tags' | 'language'>,
  { name, email, reference, verified, tier }: Known,
): Facts => ({
  tier: tier ?? null,
  channel: channelId,
  team: teamId ?? null,
  priority: given.priority,
  tags: given.tags,
  language: given.language,
  attributes: {
    ...(name ? { name } : {}),
    ...(email ? { email } : {}),
    ...(reference ? { reference } : {}),
    verified: verified ?? false,
  },
})

const DECIDED: readonly Change[] = ['meet', 'breach', 'stop', 'cancel', 'waive']

/** As long as nothing was kept, broken or given up, another promise may take the place of the one that was made. */
export const isOpenToChoice = (known: Ledgers): boolean =>
  [...known.values()].every(({ changes }) => !changes.some((change) => DECIDED.includes(change)))

/** `null`: no clock cares. */
export const eventOf = (message: Omit<Message, 'text' | 'citations'>): Happened | null => {
  const { id, at, seq, author, kind, event, status } = message
  const of = { id, at, seq, author }
  if (kind === 'message') {
    if (author.kind === 'customer') return message.automatic ? null : { ...of, kind: 'customer_message' }
    if (!isReply(message) || !ACCEPTED.includes(status)) return null
    return { ...of, kind: author.kind === 'agent' ? 'human_reply' : 'assistant_reply' }
  }
  switch (event?.name) {
    case 'handoff':
      return { ...of, kind: 'handoff' }
    case 'state':
      return { ...of, kind: 'state', state: event.to }
    case 'priority':
      return { ...of, kind: 'priority', priority: event.to }
    case 'team':
      return { ...of, kind: 'team', team: event.to }
    default:
      return null
  }
}

/** The clocks of a conversation that begins with these lines. */
export const begin = (
  { ref, terms }: Promised,
  priority: Priority,
  lines: readonly Omit<Message, 'text' | 'citations'>[],
  at: Date,
): Followed => {
  const { terms: _terms, ...fresh } = watch({ ...terms, priority })
  return follow({ ref, priority, seq: 0, watch: fresh, due: null }, terms, lines, at)
}

/** What the lines, and the time up to `at`, do to running clocks. None of the lines may come before what they know. */
export const follow = (
  clocks: RunningClocks,
  terms: ServiceTerms,
  lines: readonly Omit<Message, 'text' | 'citations'>[],
  at: Date,
): Followed => {
  const happened = lines.flatMap((line) => eventOf(line) ?? [])
  const before: Watch = { ...clocks.watch, terms: { ...terms, priority: clocks.priority } }
  const after = settle(happened.reduce<Watch>(advance, before), at)
  const read = look(after, at)
  const moved = [
    ...read.clocks.filter(({ ledger }) => ledger.length > 0).map((clock) => toMoved(clock, happened)),
    ...spansOf(after, happened).filter((span) => !spansOf(before, []).some((known) => sameSpan(known, span))),
  ]
  const announced = moved.flatMap(announcementsOf)
  return { clocks: running(clocks, after, read.nextChangeAt, happened.at(-1)?.seq), moved, announced }
}

/** True when a line came too late to be followed: then only the whole timeline tells. */
export const isLate = ({ seq, watch: { upTo } }: RunningClocks, line: Pick<Message, 'seq' | 'at'>): boolean =>
  line.seq < seq || (upTo !== null && line.at < upTo)

/** What stands in the ledgers so far, by the clock. */
export type Ledgers = ReadonlyMap<string, Pick<ClockRecord, 'kind' | 'deadline'> & { changes: readonly Change[] }>

/**
 * The clocks read anew from the whole timeline, and all of their ledgers; `gone` never were. What was announced is not
 * announced again, and a breach that turns out to be none is taken back.
 */
export const readAgain = (
  clocks: RunningClocks,
  terms: ServiceTerms,
  lines: readonly Omit<Message, 'text' | 'citations'>[],
  at: Date,
  known: Ledgers,
): Followed & { gone: string[] } => {
  const fresh = { ...clocks, seq: 0, watch: { ...watch({ ...terms, priority: clocks.priority }) } }
  const followed = follow(fresh, terms, lines, at)
  const seen = new Set(followed.moved.map(({ record }) => record.clockId))
  const gone = [...known.keys()].filter((clockId) => !seen.has(clockId))
  const isKnown = (clockId: string, change: Change) => known.get(clockId)?.changes.includes(change) ?? false
  const isNew = ({ record, entries }: Moved): Moved => ({
    record,
    entries: entries.filter(({ change }) => !isKnown(record.clockId, change)),
  })
  const withdrawn = [...known].flatMap(([clockId, { kind, deadline, changes }]): Announcement[] => {
    const entries = followed.moved.find(({ record }) => record.clockId === clockId)?.entries ?? []
    if (!changes.includes('breach') || entries.some(({ change }) => change === 'breach')) return []
    return [{ clock: kind as ClockKind, change: 'withdrawn', dueAt: deadline ?? at }]
  })
  return { ...followed, announced: [...followed.moved.map(isNew).flatMap(announcementsOf), ...withdrawn], gone }
}

// ── The running state ───────────────────────────────────────────────────────────────────────────────────────────────

type Timing = Watch['timings'][number]

const running = (
  { ref, priority, seq }: RunningClocks,
  { terms: _terms, ...after }: Watch,
  nextChangeAt: Date | null,
  lastSeq = seq,
): RunningClocks => ({
  ref,
  priority,
  seq: Math.max(seq, lastSeq),
  watch: {
    ...after,
    // An answer that came, or was given up, is never looked at again; a solution may be reopened.
    timings: after.timings
      .filter(({ kind, end }) => kind === 'resolution' || end === null)
      .map((timing) => ({ ...timing, ledger: [] })),
    assistantFirstReply: bare(after.assistantFirstReply),
    handoffToHumanReply: bare(after.handoffToHumanReply),
  },
  due: dueOf(after.timings),
  ...(nextChangeAt ? { nextChangeAt } : {}),
})

const dueOf = (timings: readonly Timing[]): Due | null => {
  const due = timings.flatMap(({ kind, since, end, deadline, warned, breached }): Due[] =>
    since === null || end || !deadline
      ? []
      : [{ clock: kind, at: deadline, state: breached ? 'breached' : warned ? 'warned' : 'running' }],
  )
  return due.reduce<Due | null>((first, one) => (first && first.at <= one.at ? first : one), null)
}

type Mark = Watch['assistantFirstReply']

/** Events carry more than is worth keeping. */
const bare = (mark: Mark): Mark =>
  mark && {
    from: { id: mark.from.id, at: mark.from.at },
    to: mark.to && { id: mark.to.id, at: mark.to.at },
    ...(mark.team === undefined ? {} : { team: mark.team }),
  }

// ── What reports read ───────────────────────────────────────────────────────────────────────────────────────────────

const toMoved = (clock: Clock, happened: readonly Happened[]): Moved => {
  const { id: clockId, kind, priority, state, startedAt, ledger } = clock
  const last = ledger.at(-1)
  const endedAt = 'endedAt' in clock ? clock.endedAt : null
  return {
    record: {
      clockId,
      kind,
      priority,
      state,
      startedAt,
      endedAt,
      endedBy: endedAt && last ? authorOf(last.cause, happened) : null,
      targetMs: 'targetMs' in clock ? clock.targetMs : null,
      deadline: 'deadline' in clock ? clock.deadline : null,
      teamId: last?.team ?? null,
    },
    entries: ledger,
  }
}

const authorOf = (cause: LedgerEntry['cause'], happened: readonly Happened[]): ClockRecord['endedBy'] => {
  if (cause.kind === 'time') return null
  const author = happened.find(({ id }) => id === cause.id)?.author
  return author
    ? { kind: author.kind, ...(author.id ? { id: author.id } : {}), ...(author.name ? { name: author.name } : {}) }
    : null
}

const spansOf = (
  { priority, team, assistantFirstReply, handoffToHumanReply }: Watch,
  happened: readonly Happened[],
): Moved[] => {
  const span = (kind: SpanKind, mark: Mark): Moved[] =>
    mark
      ? [
          {
            record: {
              clockId: kind,
              kind,
              priority,
              state: mark.to ? 'met' : 'running',
              startedAt: mark.from.at,
              endedAt: mark.to?.at ?? null,
              endedBy: mark.to ? authorOf({ kind: 'human_reply', id: mark.to.id }, happened) : null,
              targetMs: null,
              deadline: null,
              teamId: (mark.to ? mark.team : team) ?? null,
            },
            entries: [],
          },
        ]
      : []
  return [...span('assistant_first_reply', assistantFirstReply), ...span('handoff_to_human_reply', handoffToHumanReply)]
}

const sameSpan = ({ record: a }: Moved, { record: b }: Moved): boolean =>
  a.kind === b.kind && (a.endedAt === null) === (b.endedAt === null) && a.teamId === b.teamId

const announcementsOf = ({ record, entries }: Moved): Announcement[] =>
  entries.flatMap(({ change, deadline, at }): Announcement[] =>
    change === 'warning' || change === 'breach'
      ? [{ clock: record.kind as ClockKind, change, dueAt: deadline ?? at }]
      : [],
  )
