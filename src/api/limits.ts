import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { isIPv6 } from 'node:net'
import type { LimitName as ChannelLimit } from '../channels/channel.js'
import { AppError } from '../platform/errors.js'
import type { Metrics } from '../platform/metrics.js'

export type LimitName =
  | ChannelLimit
  | 'sign_ins_per_address'
  | 'sign_ins_per_account'
  | 'setups_per_address'
  | 'requests_per_caller'
  | 'events_per_socket'

type Limit = { points: number; seconds: number; by: 'address' | 'key' }

/**
 * So many within so many seconds. Sixteen visitors behind one address may open sessions at once and write forty messages
 * within seconds; reads up to 100/s per token are free.
 */
const LIMITS: Record<LimitName, Limit> = {
  sessions_per_address: { points: 120, seconds: 60, by: 'address' },
  connects_per_address: { points: 300, seconds: 60, by: 'address' },
  messages_per_address: { points: 1500, seconds: 60, by: 'address' },
  messages_per_visitor: { points: 60, seconds: 30, by: 'key' },
  reads_per_visitor: { points: 300, seconds: 2, by: 'key' },
  files_per_visitor: { points: 30, seconds: 300, by: 'key' },
  sign_ins_per_address: { points: 30, seconds: 60, by: 'address' },
  sign_ins_per_account: { points: 10, seconds: 300, by: 'key' },
  setups_per_address: { points: 20, seconds: 60, by: 'address' },
  requests_per_caller: { points: 2000, seconds: 2, by: 'key' },
  events_per_socket: { points: 60, seconds: 10, by: 'key' },
}

type Needs = { factor: number; metrics: Pick<Metrics, 'rateLimited'> }

/** Counts in this process. Returns a function that throws `rate_limited` when `key` has spent its allowance. */
export const makeLimits = ({ factor, metrics }: Needs) => {
  const limiters = new Map(
    Object.entries(LIMITS).map(([name, { points, seconds }]) => [
      name,
      new RateLimiterMemory({ points: Math.max(1, Math.round(points * factor)), duration: seconds }),
    ]),
  )
  return async (name: LimitName, key: string): Promise<void> => {
    try {
      await limiters.get(name)?.consume(LIMITS[name].by === 'address' ? network(key) : key)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      metrics.rateLimited.inc({ limit: name })
      throw new AppError(
        'rate_limited',
        'rate_limited',
        `Too many requests (${name.replaceAll('_', ' ')}): wait a moment.`,
        {
          retryAfterMs: refused.msBeforeNext,
        },
      )
    }
  }
}

export type Limits = ReturnType<typeof makeLimits>

/** One customer of a provider holds a whole IPv6 /56 (RFC 6177), so that is what counts as one address. */
export const network = (address: string): string => {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right]
  const first = groups.slice(0, 4).map((group) => group.padStart(4, '0').toLowerCase())
  return `${first.join('').slice(0, 14)}/56`
}
