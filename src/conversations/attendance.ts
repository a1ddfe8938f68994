import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { withId } from '../platform/mongo.js'
import type { LetterStore } from './letters.mongo.js'
import type { Message, Origin } from './message.js'

type Unseen = Pick<Message, 'id' | 'companyId' | 'conversationId'>

type Needs = { letters: LetterStore; bus: Bus; clock: Clock; log: Log; metrics: Pick<Metrics, 'letters'> }

/**
 * Which customers are there to read what is written to them: who has their conversation open in this process, and who fetched
 * it. Whoever is there is not mailed. Another process's customers are noted by that one, on the letters themselves.
 */
export const makeAttendance = ({ letters, bus, clock, log, metrics }: Needs) => {
  const open = new Map<string, number>()

  const seen = async (some: readonly Unseen[], from: 'waiting' | 'unsent' = 'waiting'): Promise<void> => {
    if (some.length === 0) return
    const ids = some.map(({ id }) => id)
    await letters.end(ids, from, { state: 'seen' }, clock.now())
    metrics.letters.inc({ outcome: 'seen' }, ids.length)
    for (const { companyId, conversationId, id: messageId } of some) {
      bus.publish({ type: 'delivery', companyId, conversationId, messageId })
    }
  }

  /** Nothing waits for it: at worst somebody gets a mail about what they have read. */
  const note = (contactId: string, work: Promise<void>): void => {
    work.catch((err: unknown) => log.warn({ err, contactId }, 'not noted that a customer is there'))
  }

  const isBack = async ({ companyId }: Origin, contactId: string): Promise<void> =>
    seen((await letters.waitingFor(companyId, contactId)).map(withId))

  return {
    seen,

    isHere: (contactId: string): boolean => open.has(contactId),

    came: (origin: Origin, contactId: string): void => {
      open.set(contactId, (open.get(contactId) ?? 0) + 1)
      note(contactId, isBack(origin, contactId))
    },

    /** `lost`: the line went dead some time ago, and nobody knows what was still read. */
    left: (origin: Origin, contactId: string, how: 'left' | 'lost'): void => {
      const others = (open.get(contactId) ?? 1) - 1
      if (others > 0) open.set(contactId, others)
      else open.delete(contactId)
      if (how === 'left') note(contactId, isBack(origin, contactId))
    },

    /** These were handed to the customer. */
    read: (contactId: string, messages: readonly Message[]): void => {
      for (const state of ['waiting', 'unsent'] as const) {
        const unread = messages.filter(({ letter }) => letter?.state === state)
        note(contactId, seen(unread, state))
      }
    },
  }
}

export type Attendance = ReturnType<typeof makeAttendance>
