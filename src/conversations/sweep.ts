import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { assertTransition, CLOSES_AFTER_MS } from './conversation.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine } from './timeline.js'

type Needs = {
  store: ConversationStore
  wakeAnswer(companyId: string, conversationId: string): void
  wakeDeliver(companyId: string, conversationId: string): void
  wakeRead(companyId: string, messageId: string): void
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

const BATCH = 500

type Waiting = { clocks?: { due: { at: Date } | null } }

/** What is promised first comes first; of what nothing is promised, the order stays: longest waiting first. */
const byDue = (a: Waiting, b: Waiting): number =>
  (a.clocks?.due?.at.getTime() ?? Infinity) - (b.clocks?.due?.at.getTime() ?? Infinity) || 0

/**
 * Wakes again what is due and not being worked on: whatever a lost job, a crash or a retry's pause left behind. The
 * truth is on the conversations and messages, so a sweep at any time, from any process, does no harm.
 * `graceMs` leaves alone what was woken a moment ago.
 */
export const makeSweep = ({ store, wakeAnswer, wakeDeliver, wakeRead, bus, clock, log, metrics }: Needs) => {
  const closeResolved = async (now: Date) => {
    for (const { _id, companyId } of await store.resolvedBefore(new Date(now.getTime() - CLOSES_AFTER_MS), BATCH)) {
      assertTransition('resolved', 'closed', 'system')
      const line = eventLine({ name: 'state', from: 'resolved', to: 'closed', reason: 'quiet_for_seven_days' })
      const target = { companyId, conversationId: _id, at: now, requestId: _id }
      const appended = await store.change(target, ({ state }) =>
        state === 'resolved' ? { change: { state: 'closed', resolvedAt: null }, drafts: [line] } : null,
      )
      if (appended) announce(bus, appended)
    }
  }

  /**
   * Writes down, and so announces, the promised times that came near or passed. Whoever is first does it: the change itself
   * finds nothing left to announce when another process, or a customer's message, was faster.
   */
  const tellTime = async (): Promise<void> => {
    for (let left = true; left; ) {
      const now = clock.now()
      const due = await store.clocksDue(now, BATCH)
      await Promise.all(
        due.map(({ _id, companyId }) => tell({ companyId, conversationId: _id, at: now, requestId: _id })),
      )
      left = due.length === BATCH
    }
  }

  const tell = async (target: Parameters<ConversationStore['change']>[0]): Promise<void> => {
    const appended = await store.change(target, ({ clocks }) =>
      clocks?.nextChangeAt && clocks.nextChangeAt <= target.at ? { change: {}, drafts: [] } : null,
    )
    if (appended) announce(bus, appended)
  }

  const wakeDue = async (graceMs: number): Promise<void> => {
    const now = clock.now()
    const dueSince = new Date(now.getTime() - graceMs)
    const answers = (await store.answersDue(dueSince, BATCH)).sort(byDue)
    for (const { _id, companyId, answerDue } of answers) {
      metrics.swept.inc({ job: 'answer' })
      log.info({ conversationId: _id, attempts: answerDue?.attempts }, 'sweep wakes an answer')
      withRequestId(answerDue?.requestId ?? _id, () => wakeAnswer(companyId, _id))
    }
    for (const { _id, companyId, conversationId, delivery } of await store.deliveriesDue(dueSince, BATCH)) {
      metrics.swept.inc({ job: 'deliver' })
      log.info({ messageId: _id, attempts: delivery?.attempts }, 'sweep wakes a delivery')
      withRequestId(delivery?.requestId ?? _id, () => wakeDeliver(companyId, conversationId))
    }
    for (const { _id, companyId } of await store.readingsDue(dueSince, BATCH)) {
      metrics.swept.inc({ job: 'read' })
      log.info({ messageId: _id }, 'sweep wakes a reading')
      wakeRead(companyId, _id)
    }
    await closeResolved(now)
  }

  return { wakeDue, tellTime }
}
