import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeLeases } from '../../src/platform/lease.mongo.js'
import { makeLog } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Mongo & { close(): Promise<void> }
beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())

const processOf = (now: () => Date = () => new Date()) =>
  makeLeases({ db: mongo.db, clock: { now }, log: makeLog('silent') })

/** Work that goes on until it must end, and tells how many do it at once. */
const counting = () => {
  const seen = { now: 0, most: 0, began: 0 }
  const work = async (signal: AbortSignal) => {
    seen.now += 1
    seen.began += 1
    seen.most = Math.max(seen.most, seen.now)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    seen.now -= 1
  }
  return { seen, work }
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 600 && !holds(); i++) await sleep(50)
  expect(holds()).toBe(true)
}

describe('what only one process may do', () => {
  it('is done by one of several, and by another as soon as that one stops', async () => {
    const { seen, work } = counting()
    const holders = [processOf(), processOf(), processOf()].map((leases) => leases.hold('mailbox', work))
    await until(() => seen.began === 1)
    await holders[0]!.stop()
    await holders[1]!.stop()
    await until(() => seen.began >= 2 || seen.now === 1)
    await holders[2]!.stop()
    expect(seen).toMatchObject({ now: 0, most: 1 })
  })

  it('moves on when its owner died without a word, once the lease ran out', async () => {
    const { seen, work } = counting()
    let now = new Date('2026-03-02T10:00:00Z')
    const ranOut = new Date(now.getTime() + 1_500)
    await mongo.db
      .collection<{ _id: string; owner: string; until: Date }>('leases')
      .insertOne({ _id: 'orphan', owner: 'own_dead', until: ranOut })
    /** How often the work had begun each time when the holder looked at its clock. */
    const begunBy: number[] = []
    const holder = processOf(() => (begunBy.push(seen.began), now)).hold('orphan', work)
    await until(() => begunBy.length > 0)
    const looks = begunBy.length
    now = ranOut
    await until(() => seen.began === 1)
    // When it tried a second time, the first try had been in vain.
    expect(begunBy[looks]).toBe(0)
    await holder.stop()
  })

  it('ends where the lease was lost to another', async () => {
    const { seen, work } = counting()
    const holder = processOf().hold('taken', work)
    await until(() => seen.now === 1)
    await mongo.db
      .collection<{ _id: string; owner: string; until: Date }>('leases')
      .updateOne({ _id: 'taken' }, { $set: { owner: 'own_other', until: new Date(Date.now() + 60_000) } })
    await until(() => seen.now === 0)
    await holder.stop()
    expect(seen.began).toBe(1)
  })

  it('is tried again after it failed', async () => {
    let times = 0
    const holder = processOf().hold('failing', async () => {
      times += 1
      throw new Error('no')
    })
    await until(() => times >= 2)
    await holder.stop()
  })
})
