import type { Clock } from './clock.js'
import { newId } from './ids.js'
import type { Log } from './log.js'
import { isDuplicateKey, type CollectionSchema, type Db } from './mongo.js'

/** What only one process may do at a time (a mailbox, a linked phone): whoever holds the lease does it. */

type LeaseDocument = { _id: string; owner: string; until: Date }

export const leaseSchemas: CollectionSchema[] = [{ collection: 'leases', indexes: [] }]

/** A process that dies is followed by another after at most this long. */
const LEASE_MS = 12_000
const RENEW_MS = 3_000

export type Leases = {
  /**
   * Runs `work` whenever this process holds the lease `name`, and again after it ended or failed. Its signal aborts when the
   * lease is lost or `stop` is called; `stop` resolves when the work has ended and the lease is given back.
   */
  hold(name: string, work: (signal: AbortSignal) => Promise<void>): { stop(): Promise<void> }
}

export const makeLeases = ({ db, clock, log }: { db: Db; clock: Clock; log: Log }): Leases => {
  const leases = db.collection<LeaseDocument>('leases')
  const until = () => new Date(clock.now().getTime() + LEASE_MS)

  const take = async (name: string, owner: string): Promise<boolean> => {
    try {
      const free = { _id: name, $or: [{ until: { $lte: clock.now() } }, { owner }] }
      const { matchedCount, upsertedCount } = await leases.updateOne(
        free,
        { $set: { owner, until: until() } },
        { upsert: true },
      )
      return matchedCount + upsertedCount === 1
    } catch (error) {
      if (isDuplicateKey(error)) return false
      throw error
    }
  }

  return {
    hold: (name, work) => {
      const owner = newId('own')
      const stopping = new AbortController()
      const pause = (ms: number) =>
        new Promise<void>((resolve) => {
          if (stopping.signal.aborted) return resolve()
          const timer = setTimeout(resolve, ms)
          stopping.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
        })

      const holdWhile = async (): Promise<void> => {
        const lost = new AbortController()
        const end = () => lost.abort()
        stopping.signal.addEventListener('abort', end)
        let renewedAt = performance.now()
        const renewal = setInterval(() => {
          take(name, owner).then(
            (kept) => (kept ? (renewedAt = performance.now()) : end()),
            (err: unknown) => {
              log.warn({ err, lease: name }, 'lease not renewed')
              // Nobody else may have it before it ran out; after that somebody may.
              if (performance.now() - renewedAt > LEASE_MS - RENEW_MS) end()
            },
          )
        }, RENEW_MS)
        try {
          await work(lost.signal)
        } finally {
          clearInterval(renewal)
          stopping.signal.removeEventListener('abort', end)
          end()
        }
      }

      const run = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          try {
            if (await take(name, owner)) await holdWhile()
          } catch (err) {
            log.warn({ err, lease: name }, 'work under a lease failed')
          }
          await pause(RENEW_MS)
        }
        await leases
          .deleteOne({ _id: name, owner })
          .catch((err: unknown) => log.warn({ err, lease: name }, 'lease not given back'))
      }
      const running = run()
      return {
        stop: () => {
          stopping.abort()
          return running
        },
      }
    },
  }
}
