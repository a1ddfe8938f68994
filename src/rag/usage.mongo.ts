import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { CollectionSchema, Mongo } from '../platform/mongo.js'
import type { Meter, Purpose } from './model-provider.js'

/** What a company used in one month (UTC) for one purpose. `costUsd` leaves out what was used while no price was configured. */
export type Usage = {
  purpose: Purpose
  calls: number
  /** More than `calls` where some were repeated. */
  requests: number
  inputTokens: number
  outputTokens: number
  costUsd: number | null
  /** Mean of the whole calls, in milliseconds. */
  averageMs: number
}
/** `tokens` is what the budget counts: everything that was read and written, whatever for. */
export type UsageMonth = { month: string; tokens: number; costUsd: number | null; purposes: Usage[] }

type Counters = {
  calls: number
  requests: number
  inputTokens: number
  outputTokens: number
  latencyMs: number
  costUsd?: number
}
type UsageDocument = {
  _id: string
  companyId: string
  month: string
  tokens: number
  purposes: Partial<Record<Purpose, Counters>>
}

export const usageSchema: CollectionSchema[] = [
  { collection: 'usage', indexes: [{ key: { companyId: 1, month: -1 }, name: 'by_company' }] },
]

/** A year and the month that is under way. */
const MONTHS_SHOWN = 13

type Needs = {
  mongo: Pick<Mongo, 'db'>
  /** Tokens that the company may use in a month; `null` for no limit. */
  budgetOf: (companyId: string) => Promise<number | null>
  clock: Clock
  log: Log
}

export const makeUsage = ({ mongo, budgetOf, clock, log }: Needs) => {
  const usage = mongo.db.collection<UsageDocument>('usage')
  const thisMonth = () => clock.now().toISOString().slice(0, 7)
  const idOf = (companyId: string, month: string) => `${companyId} ${month}`

  const meter: Meter = {
    /**
     * Asked before each call, and answered from what is written: calls that run at the same moment may together use a little more
     * than the budget.
     */
    assertWithinBudget: async (companyId) => {
      const budget = await budgetOf(companyId)
      if (budget === null) return
      const month = await usage.findOne({ _id: idOf(companyId, thisMonth()) }, { projection: { tokens: 1 } })
      if ((month?.tokens ?? 0) < budget) return
      throw new AppError('unavailable', 'model_budget', 'The tokens of this month are used up.')
    },

    /** Nobody waits for it, and an answer is worth more than its count: a failure is logged. */
    record: ({ companyId, purpose, latencyMs, inputTokens, outputTokens, costUsd, requests }) => {
      const month = thisMonth()
      const counters: Counters = {
        calls: 1,
        requests,
        inputTokens,
        outputTokens,
        latencyMs,
        ...(costUsd === null ? {} : { costUsd }),
      }
      const counted = Object.entries(counters).map(([name, value]) => [`purposes.${purpose}.${name}`, value] as const)
      usage
        .updateOne(
          { _id: idOf(companyId, month) },
          {
            $inc: { tokens: inputTokens + outputTokens, ...Object.fromEntries(counted) },
            $setOnInsert: { companyId, month },
          },
          { upsert: true },
        )
        .catch((err: unknown) => log.error({ err, companyId, purpose }, 'usage not counted'))
    },
  }

  return {
    meter,

    /** Newest first; months without any use are left out. */
    months: async (companyId: string): Promise<UsageMonth[]> => {
      const found = await usage.find({ companyId }, { sort: { month: -1 }, limit: MONTHS_SHOWN }).toArray()
      return found.map(({ month, tokens, purposes }) => {
        const shown = Object.entries(purposes).map(([purpose, counters]) => toUsage(purpose as Purpose, counters))
        const costs = shown.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]))
        return {
          month,
          tokens,
          costUsd: costs.length > 0 ? costs.reduce((sum, cost) => sum + cost, 0) : null,
          purposes: shown,
        }
      })
    },
  }
}

export type UsageStore = ReturnType<typeof makeUsage>

const toUsage = (
  purpose: Purpose,
  { calls, requests, inputTokens, outputTokens, latencyMs, costUsd }: Counters,
): Usage => ({
  purpose,
  calls,
  requests,
  inputTokens,
  outputTokens,
  costUsd: costUsd ?? null,
  averageMs: Math.round(latencyMs / calls),
})
