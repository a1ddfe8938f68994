import { AppError } from '../platform/errors.js'
import { isOutage } from '../platform/mongo.js'

/**
 * Writes of different conversations that wait at the same time share a transaction, as a database's group commit does: a
 * busy installation pays for the round trips and the disk once per group. A group in which one write is refused is taken
 * apart, so that none suffers for another.
 */

export type Outcome<T> = { done: T } | { refused: unknown }

type Waiting<W, T> = { wanted: W; resolve(done: T): void; reject(error: unknown): void }

/** Groups that are written at once: while one waits for the disk, the next is prepared. */
const GROUPS = 2
const GROUP_SIZE = 64
/** Beyond this the store cannot keep up: who comes now is asked to come again, instead of waiting without an end. */
const MOST_WAITING = 5_000

const unavailable = (cause: unknown) =>
  new AppError('unavailable', 'store_unavailable', 'The store does not answer at this moment. Try again.', {
    retryAfterMs: 2_000,
    cause,
  })

const tooMuch = () =>
  new AppError('unavailable', 'overloaded', 'Too much is being written at this moment. Try again.', {
    retryAfterMs: 1_000,
  })

type Needs<W, T> = {
  /** In one transaction: an outcome for each that is wanted, in their order. */
  write(group: readonly W[]): Promise<Outcome<T>[]>
  /** More than one write of a conversation may share a group; else the second waits for the first to be durable. */
  sharesGroup: boolean
}

export const makeGroupCommit = <W extends { conversationId: string }, T>({ write, sharesGroup }: Needs<W, T>) => {
  const waiting: Waiting<W, T>[] = []
  /** Conversations in a group under way: their next write waits, so writes of one conversation never collide here. */
  const busy = new Set<string>()
  let groups = 0

  const settle = async (group: readonly Waiting<W, T>[]): Promise<void> => {
    try {
      const outcomes = await write(group.map(({ wanted }) => wanted))
      for (const [index, outcome] of outcomes.entries()) {
        if ('refused' in outcome) group[index]?.reject(outcome.refused)
        else group[index]?.resolve(outcome.done)
      }
    } catch (error) {
      // Only what one write can cause is worth finding out alone. A store that is away, or a commit whose fate is
      // unknown, concerns all of them: trying again here could write twice what has no id of its own.
      if (group.length > 1 && !isOutage(error)) {
        for (const alone of group) await settle([alone])
        return
      }
      const refusal = isOutage(error) ? unavailable(error) : error
      for (const one of group) one.reject(refusal)
    }
  }

  /** What may go together, in order: what waits for a busy conversation stays, and all behind it of the same one. */
  const takeGroup = (): Waiting<W, T>[] => {
    const group: Waiting<W, T>[] = []
    const left: Waiting<W, T>[] = []
    const taken = new Set<string>()
    for (const one of waiting) {
      const { conversationId } = one.wanted
      const free = !busy.has(conversationId) || (sharesGroup && taken.has(conversationId))
      if (free && group.length < GROUP_SIZE) {
        group.push(one)
        taken.add(conversationId)
        busy.add(conversationId)
      } else {
        left.push(one)
      }
    }
    waiting.splice(0, waiting.length, ...left)
    return group
  }

  const pump = (): void => {
    while (groups < GROUPS && waiting.length > 0) {
      const group = takeGroup()
      if (group.length === 0) return
      groups += 1
      void settle(group).finally(() => {
        groups -= 1
        for (const { wanted } of group) busy.delete(wanted.conversationId)
        pump()
      })
    }
  }

  /** Resolves when it is durable. */
  return (wanted: W): Promise<T> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MOST_WAITING) throw tooMuch()
      waiting.push({ wanted, resolve, reject })
      if (groups < GROUPS) setImmediate(pump)
    })
}
