import { describe, expect, it } from '@jest/globals'
import { Registry, Counter } from 'prom-client'
import { makeLimits, network } from '../../src/api/limits.js'

const limits = (factor = 1) => {
  const rateLimited = new Counter({ name: 'x', help: 'x', labelNames: ['limit'], registers: [new Registry()] })
  return makeLimits({ factor, metrics: { rateLimited } })
}

const spend = async (times: number, once: () => Promise<void>): Promise<unknown> => {
  for (let spent = 0; spent < times; spent += 1) {
    try {
      await once()
    } catch (error) {
      return error
    }
  }
  return null
}

describe('rate limits', () => {
  it('let sixteen visitors behind one address open sessions at once and write forty messages each', async () => {
    const limit = limits()
    expect(await spend(16, () => limit('sessions_per_address', '203.0.113.9'))).toBeNull()
    expect(await spend(40, () => limit('messages_per_visitor', 'visitor'))).toBeNull()
  })

  it('let one token read a hundred times a second', async () => {
    const limit = limits()
    expect(await spend(200, () => limit('reads_per_visitor', 'visitor'))).toBeNull()
  })

  it('say when to come back once an allowance is spent', async () => {
    const limit = limits()
    const refused = await spend(1_000, () => limit('sign_ins_per_account', 'a@example.test'))
    expect(refused).toMatchObject({ kind: 'rate_limited', code: 'rate_limited' })
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0)
    await expect(limit('sign_ins_per_account', 'b@example.test')).resolves.toBeUndefined()
  })

  it('grow with RATE_LIMIT_FACTOR', async () => {
    expect(await spend(100, () => limits(10)('sign_ins_per_account', 'a'))).toBeNull()
    const limit = limits(10)
    expect(await spend(100, () => limit('sign_ins_per_account', 'a'))).toBeNull()
    expect(await spend(1, () => limit('sign_ins_per_account', 'a'))).not.toBeNull()
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2345::1', '2001:db8:1:2399:aaaa::2'],
    ['2001:db8::1', '2001:0db8:0000:0000:ffff:ffff:ffff:ffff'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
  ])('count %s as the same network as %s', (one, other) => {
    expect(network(one)).toBe(network(other))
  })

  it.each([
    ['192.0.2.7', '192.0.2.8'],
    ['2001:db8:1:2345::1', '2001:db8:1:2445::1'],
    ['::1', '1::1'],
  ])('count %s and %s as two networks', (one, other) => {
    expect(network(one)).not.toBe(network(other))
  })
})
