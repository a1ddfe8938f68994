import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MongoNetworkError } from 'mongodb'
import { makeConversationStore } from '../../src/conversations/store.mongo.js'
import { AppError } from '../../src/platform/errors.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
const ids = Array.from({ length: 12 }, (_, index) => `cnv_c${index}`)

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  for (const id of ids) await core.receive(ACME, arrival(id, { contact: { externalId: id }, conversationId: id }))
})
afterAll(() => mongo.close())

const target = (conversationId: string) => ({ ...ACME, conversationId, at: new Date(0), requestId: 'req_1' })
const tag = () => ({ change: { tags: ['seen'] }, drafts: [] })

describe('changes that wait together', () => {
  it('are all refused as unavailable, and none is tried again, when the store is away', async () => {
    let tries = 0
    const withSession = () => {
      tries += 1
      return Promise.reject(new MongoNetworkError('the line is cut'))
    }
    const client = { withSession } as unknown as Mongo['client']
    const termsOf = () => Promise.reject(new Error('nothing is promised here'))
    const away = makeConversationStore({
      client,
      db: mongo.db,
      termsOf,
      choicesFor: async () => ({ changes: false, choose: () => null }),
      teamOfChannel: async () => null,
    })
    const outcomes = await Promise.allSettled(ids.map((id) => away.change(target(id), tag)))
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code: 'store_unavailable' } })
    }
    expect(tries).toBeLessThanOrEqual(2)
  })

  it('do not suffer from one that is refused by its own plan', async () => {
    const outcomes = await Promise.allSettled(
      ids.map((id, index) =>
        core.store.change(target(id), () => {
          if (index === 5) throw new AppError('conflict', 'not_now', 'Not now.')
          return tag()
        }),
      ),
    )
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(ids.map((_, index) => index !== 5))
    expect((await core.inbox.get('acme', 'cnv_c5')).tags).toEqual([])
    expect((await core.inbox.get('acme', 'cnv_c6')).tags).toEqual(['seen'])
  })

  it('of one conversation happen one after the other, each on what the one before left', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        core.store.change(target('cnv_c0'), ({ tags }) => ({ change: { tags: [...tags, `t${index}`] }, drafts: [] })),
      ),
    )
    expect((await core.inbox.get('acme', 'cnv_c0')).tags).toEqual([
      'seen',
      ...Array.from({ length: 30 }, (_, i) => `t${i}`),
    ])
  })
})
