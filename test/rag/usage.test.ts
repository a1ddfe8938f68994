import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeLog } from '../../src/platform/log.js'
import { ensureSchema, type Mongo } from '../../src/platform/mongo.js'
import { makeUsage, usageSchema } from '../../src/rag/usage.mongo.js'
import { eventually } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let now = new Date('2026-03-31T23:59:00Z')
const budgets = new Map<string, number | null>()

const makeMonths = (db: Pick<Mongo, 'db'> = mongo) =>
  makeUsage({
    mongo: db,
    budgetOf: async (companyId) => budgets.get(companyId) ?? null,
    clock: { now: () => now },
    log: makeLog('silent'),
  })

beforeAll(async () => {
  mongo = await openTestMongo()
  await ensureSchema(mongo.db, usageSchema)
})
afterAll(() => mongo.close())
beforeEach(() => {
  now = new Date('2026-03-31T23:59:00Z')
})
afterEach(async () => {
  await mongo.db.collection('usage').deleteMany({})
  budgets.clear()
})

const used = { inputTokens: 100, outputTokens: 20, costUsd: 0.001, requests: 1, latencyMs: 400 }

describe('the use of models', () => {
  it('is counted per company, month and purpose', async () => {
    const { meter, months } = makeMonths()
    meter.record({ companyId: 'acme', purpose: 'answer', ...used })
    meter.record({ companyId: 'acme', purpose: 'answer', ...used, requests: 2, latencyMs: 600 })
    meter.record({ companyId: 'acme', purpose: 'embedding', ...used, outputTokens: 0, costUsd: null })
    meter.record({ companyId: 'other', purpose: 'answer', ...used })
    const [march] = await eventually(async () => {
      const seen = await months('acme')
      return seen[0]?.tokens === 340 && seen
    })
    expect(march).toEqual({
      month: '2026-03',
      tokens: 340,
      costUsd: 0.002,
      purposes: expect.arrayContaining([
        {
          purpose: 'answer',
          calls: 2,
          requests: 3,
          inputTokens: 200,
          outputTokens: 40,
          costUsd: 0.002,
          averageMs: 500,
        },
        {
          purpose: 'embedding',
          calls: 1,
          requests: 1,
          inputTokens: 100,
          outputTokens: 0,
          costUsd: null,
          averageMs: 400,
        },
      ]) as unknown,
    })
    now = new Date('2026-04-01T00:00:00Z')
    meter.record({ companyId: 'acme', purpose: 'rewrite', ...used })
    await eventually(async () => (await months('acme')).length === 2)
    expect((await months('acme')).map(({ month }) => month)).toEqual(['2026-04', '2026-03'])
    expect(await months('nobody')).toEqual([])
  })

  it('loses nothing when many answers end at once', async () => {
    const { meter, months } = makeMonths()
    for (let answer = 0; answer < 50; answer += 1) meter.record({ companyId: 'acme', purpose: 'answer', ...used })
    await eventually(async () => (await months('acme'))[0]?.purposes[0]?.calls === 50)
    expect((await months('acme'))[0]?.tokens).toBe(6_000)
  })

  it('ends with the budget of the company, and begins again with the month', async () => {
    const { meter, months } = makeMonths()
    budgets.set('acme', 120)
    await meter.assertWithinBudget('acme')
    meter.record({ companyId: 'acme', purpose: 'answer', ...used })
    await eventually(async () => (await months('acme')).length === 1)
    await expect(meter.assertWithinBudget('acme')).rejects.toMatchObject({ kind: 'unavailable', code: 'model_budget' })
    await meter.assertWithinBudget('another company')
    budgets.set('acme', 121)
    await meter.assertWithinBudget('acme')
    budgets.set('acme', 120)
    now = new Date('2026-04-01T00:00:00Z')
    await meter.assertWithinBudget('acme')
  })

  it('is nothing at all for a company whose budget is nought', async () => {
    budgets.set('acme', 0)
    await expect(makeMonths().meter.assertWithinBudget('acme')).rejects.toMatchObject({ code: 'model_budget' })
  })

  it('that cannot be written down harms nobody', async () => {
    const broken = { collection: () => ({ updateOne: async () => Promise.reject(new Error('away')) }) }
    const { meter } = makeMonths({ db: broken as unknown as Mongo['db'] })
    expect(() => meter.record({ companyId: 'acme', purpose: 'answer', ...used })).not.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
