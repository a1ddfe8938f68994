import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { openDraft, type AnswerDraft } from './answer-draft.js'
import type { AnswerDue, Conversation } from './conversation.js'
import { runLimitMs } from './decide.js'
import type { ConversationStore } from './store.mongo.js'

/** A conversation that this process has, and what is due in it. */
export type Claimed = Conversation & { answerDue: AnswerDue }

type Needs = {
  store: Pick<ConversationStore, 'claimAnswer' | 'renewLease' | 'releaseLease'>
  /**
   * True when the conversation is dealt with; false when it changed meanwhile and must be looked at again; a time where it
   * waits for its files.
   */
  run(conversation: Claimed, signal: AbortSignal, draft: AnswerDraft): Promise<boolean | Date>
  wakeAnswer(companyId: string, conversationId: string): void
  /** When this process began to serve: an outage before that is nobody's waiting time. */
  servingSince: Date
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/** Short, so that a conversation whose worker was killed is free again within seconds; renewed while the work goes on. */
const LEASE_MS = 6_000
const RENEW_EVERY_MS = 2_000
/** After the first failure, after the second; the third is followed by the handover at once. */
const PAUSES_MS = [500, 2_000, 0]
/** When even the handover fails, the store is away: it is asked again like this. */
const HANDOVER_PAUSE_MS = 3_000

/**
 * One run at a time in a conversation over all processes, by lease, and none for longer than it may. A run that failed is tried again
 * after a pause. Safe to call any number of times: without a due answer it does nothing.
 */
export const makeRounds = ({ store, run, wakeAnswer, servingSince, bus, clock, log, metrics }: Needs) => {
  const claim = async (companyId: string, conversationId: string, owner: string): Promise<Claimed | null> => {
    const now = clock.now()
    const claimed = await store.claimAnswer(companyId, conversationId, now, owner, new Date(now.getTime() + LEASE_MS))
    return claimed?.answerDue ? { ...claimed, answerDue: claimed.answerDue } : null
  }

  const round = async (conversation: Claimed, owner: string, stop: AbortSignal): Promise<'again' | 'done'> => {
    const { companyId, id, answerDue } = conversation
    const limited = limit(runLimitMs(answerDue, clock.now(), servingSince), stop)
    const renewal = setInterval(() => {
      store
        .renewLease(companyId, id, owner, new Date(clock.now().getTime() + LEASE_MS))
        .then((kept) => kept || limited.abort(new Error('the lease was lost')))
        .catch((err: unknown) => log.warn({ err, conversationId: id }, 'lease not renewed'))
    }, RENEW_EVERY_MS)
    const draft = openDraft(bus, conversation, limited.signal)
    try {
      const done = await Promise.race([run(conversation, limited.signal, draft), limited.aborted])
      if (done instanceof Date) {
        await store.releaseLease(companyId, id, owner, { retryAt: done, uncounted: true })
        setTimeout(() => wakeAnswer(companyId, id), done.getTime() - clock.now().getTime()).unref()
        return 'done'
      }
      if (!done) draft.withdraw()
      await store.releaseLease(companyId, id, owner, { uncounted: !done })
      return 'again'
    } catch (err) {
      draft.withdraw()
      const { attempts } = answerDue
      log.error({ err, conversationId: id, attempts }, 'answer failed')
      metrics.answers.inc({ outcome: 'failed' })
      const pauseMs = stop.aborted ? 0 : (PAUSES_MS[attempts - 1] ?? HANDOVER_PAUSE_MS)
      const retryAt = new Date(clock.now().getTime() + pauseMs)
      await store.releaseLease(companyId, id, owner, { retryAt, uncounted: stop.aborted })
      setTimeout(() => wakeAnswer(companyId, id), pauseMs).unref()
      return 'done'
    } finally {
      clearInterval(renewal)
      limited.end()
    }
  }

  return async (companyId: string, conversationId: string, stop: AbortSignal): Promise<void> => {
    const owner = newId('run')
    // Each round ends with nothing due, or with the news that made the last one void.
    for (let state: 'again' | 'done' = 'again'; state === 'again' && !stop.aborted; ) {
      const conversation = await claim(companyId, conversationId, owner)
      if (!conversation) return
      state = await withRequestId(conversation.answerDue.requestId, () => round(conversation, owner, stop))
    }
  }
}

/**
 * A run's own end: after `ms`, or when `stop` says so. `aborted` rejects then, whether the work heeds the signal or not.
 * The timer is held here on purpose: a time-out that only `AbortSignal.any` refers to may be collected and never fire.
 */
const limit = (ms: number, stop: AbortSignal) => {
  const controller = new AbortController()
  const abort = (reason: unknown) => controller.abort(reason)
  const timer = setTimeout(() => abort(new AppError('unavailable', 'answer_late', 'The answer took too long.')), ms)
  const onStop = () => abort(new AppError('unavailable', 'stopping', 'The server is stopping.'))
  stop.addEventListener('abort', onStop)
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error))
  })
  aborted.catch(() => {})
  const end = () => {
    clearTimeout(timer)
    stop.removeEventListener('abort', onStop)
  }
  return { signal: controller.signal, aborted, abort, end }
}
