import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let address: string

beforeAll(async () => {
  installation = await openInstallation()
  address = installation.address
})
afterAll(() => installation.close())

const limit = (monthlyTokens: unknown) =>
  call(address, 'patch', '/api/v1/company', { key, body: { assistant: { monthlyTokens } } })

describe('what a company spends on models', () => {
  it('has no limit until an admin sets one, and none again', async () => {
    const before = await call(address, 'get', '/api/v1/usage', { key })
    expect(before).toMatchObject({ status: 200, json: { monthlyTokens: null, months: [] } })
    expect(await limit(2_000_000)).toMatchObject({
      status: 200,
      json: { assistant: { paused: false, monthlyTokens: 2_000_000 } },
    })
    expect((await call(address, 'get', '/api/v1/usage', { key })).json).toMatchObject({ monthlyTokens: 2_000_000 })
    expect(await limit(null)).toMatchObject({ json: { assistant: { monthlyTokens: null } } })
  })

  it('stays as it is while the assistant is paused', async () => {
    await limit(5)
    const body = { assistant: { paused: true } }
    expect(await call(address, 'patch', '/api/v1/company', { key, body })).toMatchObject({
      json: { assistant: { paused: true, monthlyTokens: 5 } },
    })
  })

  it.each([-1, 1.5, '7', 1e300, undefined])('is not limited to %p', async (monthlyTokens) => {
    expect(await limit(monthlyTokens)).toMatchObject({ status: 400 })
  })

  it('is not limited by somebody who may only answer', async () => {
    const agent = await call(address, 'post', '/api/v1/keys', { key, body: { name: 'Agent', role: 'agent' } })
    const body = { assistant: { monthlyTokens: 1 } }
    const refused = await call(address, 'patch', '/api/v1/company', { key: String(agent.json['key']), body })
    expect(refused.status).toBe(403)
  })
})
