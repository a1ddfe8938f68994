import { Agenda, InMemoryNotificationChannel } from 'agenda'
import { MongoBackend } from '@agendajs/mongo-backend'
import type { z } from 'zod'
import { currentRequestId, withRequestId, type Log } from './log.js'
import type { Metrics } from './metrics.js'
import type { CollectionSchema, Db } from './mongo.js'

/**
 * Wakes work up, in this process or another one; nothing more. What is due stands in the data that the work is about
 * (an `answerDue`, a `delivery`, a document's state), so a lost or doubled job does no harm: the sweep wakes it again.
 */
export type Queue = {
  /** Asks for one run of the job with this payload, soon. Never throws and never waits. */
  wake(job: string, payload: Record<string, string>): void
  start(): Promise<void>
  /** Takes no more work, lets running jobs finish for up to `graceMs`, then aborts them. */
  stop(graceMs: number): Promise<void>
}

export type JobDefinition<Payload extends Record<string, string> = Record<string, string>> = {
  schema: z.ZodType<Payload>
  /** Runs at once in one process. */
  concurrency: number
  run(payload: Payload, stop: AbortSignal): Promise<void>
}

/** A job whose process died is free again after this long; a living one renews it. */
const LOCK_LIFETIME_MS = 20_000
const TOUCH_EVERY_MS = 5_000
/** Jobs of other processes, and jobs whose notice was lost, are found this often. */
const LOOK_EVERY_MS = 5_000
const FORGET_EVERY_MS = 10_000
const FAILED_JOBS_KEPT_S = 7 * 24 * 60 * 60

export const queueSchemas: CollectionSchema[] = [
  { collection: 'jobs', indexes: [{ key: { failedAt: 1 }, name: 'failed', expireAfterSeconds: FAILED_JOBS_KEPT_S }] },
]

type Needs = { db: Db; jobs: Record<string, JobDefinition>; log: Log; metrics: Metrics }

export const makeQueue = ({ db, jobs, log, metrics }: Needs): Queue => {
  const agenda = new Agenda({
    backend: new MongoBackend({ mongo: db, collection: 'jobs' }),
    notificationChannel: new InMemoryNotificationChannel(),
    processEvery: LOOK_EVERY_MS,
    defaultLockLifetime: LOCK_LIFETIME_MS,
    maxConcurrency: 50,
    removeOnComplete: true,
  })

  const stopping = new AbortController()
  // While stopping, a look into the queue may find the connection closed: nothing is lost by that.
  agenda.on('error', (err: Error) => stopping.signal.aborted || log.error({ err }, 'queue'))
  /** Asked for and not begun here: asking again would change nothing. Forgotten after a while: it may have run elsewhere. */
  let waiting = new Set<string>()
  let waitingLonger = new Set<string>()
  const forgetting = setInterval(() => {
    waitingLonger = waiting
    waiting = new Set()
  }, FORGET_EVERY_MS).unref()

  let running = 0
  let idle = () => {}

  for (const [name, { schema, concurrency, run }] of Object.entries(jobs)) {
    const runJob = async (job: { attrs: { data: unknown }; touch(): Promise<unknown> }) => {
      const { requestId, ...given } = job.attrs.data as Record<string, string>
      const key = keyOf(name, given)
      if (!waiting.delete(key)) waitingLonger.delete(key)
      running += 1
      const ended = metrics.jobs.startTimer({ job: name })
      const touching = setInterval(() => {
        job.touch().catch((err: unknown) => log.warn({ err, job: name }, 'job not touched'))
      }, TOUCH_EVERY_MS)
      try {
        await withRequestId(requestId ?? name, () => run(schema.parse(given), stopping.signal))
        ended({ outcome: 'done' })
      } catch (err) {
        ended({ outcome: 'failed' })
        log.error({ err, job: name, requestId }, 'job failed')
        throw err
      } finally {
        running -= 1
        if (running === 0) idle()
        clearInterval(touching)
      }
    }
    agenda.define(name, runJob, { concurrency })
  }

  return {
    wake: (job, payload) => {
      const key = keyOf(job, payload)
      if (waiting.has(key) || waitingLonger.has(key) || stopping.signal.aborted) return
      waiting.add(key)
      agenda.now(job, { ...payload, requestId: currentRequestId() ?? job }).catch((err: unknown) => {
        waiting.delete(key)
        log.error({ err, job }, 'job not enqueued: the sweep will')
      })
    },
    start: () => agenda.start(),
    stop: async (graceMs) => {
      clearInterval(forgetting)
      await agenda.stop()
      const finished = new Promise<void>((resolve) => {
        idle = resolve
        if (running === 0) resolve()
      })
      const abort = setTimeout(() => stopping.abort(), graceMs / 2)
      const late = setTimeout(idle, graceMs)
      await finished
      clearTimeout(abort)
      clearTimeout(late)
      stopping.abort()
    },
  }
}

const keyOf = (job: string, payload: Record<string, string>): string => `${job} ${Object.values(payload).join(' ')}`
