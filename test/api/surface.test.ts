import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let address: string

beforeAll(async () => {
  installation = await openInstallation()
  address = installation.address
})
afterAll(() => installation.close())

const page = async (path: string) => {
  const response = await fetch(address + path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('the OpenAPI document', () => {
  it('lists exactly the routes that are mounted', async () => {
    const { json } = await call(address, 'get', '/openapi.json')
    expect(json.openapi).toBe('3.1.0')
    const described = Object.entries(json.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    type Layer = { route?: { path: string; methods: Record<string, boolean> } }
    const mounted = (installation.api.app.router.stack as unknown as Layer[]).flatMap(({ route }) =>
      route?.path.startsWith('/api/')
        ? Object.keys(route.methods)
            .filter((method) => method !== 'options')
            .map((method) => `${method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`)
        : [],
    )
    expect(mounted.length).toBeGreaterThan(40)
    expect(described.toSorted()).toEqual(mounted.toSorted())
  })

  it('describes each body, answer and refusal', async () => {
    const { json } = await call(address, 'get', '/openapi.json')
    const add = json.paths['/api/v1/knowledge/documents']?.post
    expect(add?.security).toEqual([{ key: [] }])
    expect(add?.requestBody.content['application/json']?.schema).toMatchObject({
      required: ['title', 'text'],
      additionalProperties: false,
    })
    expect(Object.keys(add?.responses ?? {})).toEqual(['202', '400', '401', '403', '413', '415'])
  })
})

describe('pages', () => {
  it.each(['/', '/docs', '/setup?token=x'])('%s is HTML that runs only our own files', async (path) => {
    const { status, headers, text } = await page(path)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toContain("default-src 'none';script-src 'self'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('strict-transport-security')).toBeNull()
    expect(text).not.toMatch(/<script>|<style>|style=|onclick=|https?:\/\//)
    for (const [, file] of text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      expect((await page(file ?? '')).status).toBe(200)
    }
  })

  it('do not echo the token of a set-up link', async () => {
    expect((await page('/setup?token="><script>alert(1)</script>')).text).not.toContain('alert')
  })
})

describe('metrics', () => {
  it('name routes by their pattern, never by an id', async () => {
    await call(address, 'get', '/api/v1/conversations/cnv_canary', { key })
    const { text } = await page('/metrics')
    expect(text).toContain(
      'http_request_duration_seconds_count{method="GET",route="/api/v1/conversations/:id",status="404"} 1',
    )
    expect(text).not.toContain('cnv_canary')
  })
})

describe('health', () => {
  it('is fine when every part answers, and shows the breaker of the model', async () => {
    expect((await call(address, 'get', '/health/live')).json).toEqual({ status: 'live' })
    expect(await call(address, 'get', '/health/ready')).toMatchObject({ status: 200, json: { status: 'ready' } })
    expect(await call(address, 'get', '/health/deep')).toMatchObject({
      status: 200,
      json: { status: 'ok', checks: { store: { ok: true }, model: { ok: true, state: 'closed' } } },
    })
  })

  it('is degraded but serving without a part that can be missed', async () => {
    const degraded = await openInstallation({ sick: ['model'] })
    expect((await call(degraded.address, 'get', '/health/ready')).status).toBe(200)
    expect(await call(degraded.address, 'get', '/health/deep')).toMatchObject({
      status: 200,
      json: { status: 'degraded' },
    })
    await degraded.close()
  })

  it('names the part without which nothing can be served', async () => {
    const down = await openInstallation({ sick: ['store'] })
    expect((await call(down.address, 'get', '/health/live')).status).toBe(200)
    expect(await call(down.address, 'get', '/health/ready')).toMatchObject({
      status: 503,
      json: { failing: ['store'] },
    })
    expect(await call(down.address, 'get', '/health/deep')).toMatchObject({ status: 503, json: { status: 'down' } })
    await down.close()
  })
})

describe('the log', () => {
  it('holds no text, address, token or key of anybody', async () => {
    const canaries = [
      'canary text',
      'canary@example.test',
      'canary-password',
      'canary-key',
      'canary-token',
      'canary-query',
    ]
    const [text, email, password, wrongKey, token, query] = canaries as [string, string, string, string, string, string]
    await call(address, 'post', '/api/v1/knowledge/ask', { key, body: { question: text } })
    await call(address, 'post', '/api/v1/knowledge/ask', { key, raw: `{"question": "${text}` })
    await call(address, 'post', '/api/auth/sign-in/email', { body: { email, password } })
    await call(address, 'post', '/api/v1/setup', { body: { token: token.repeat(3), name: text, email, password } })
    await call(address, 'get', '/api/v1/company', { key: wrongKey })
    await call(address, 'get', `/api/v1/conversations?q=${query}`, { key })
    await call(address, 'get', `/setup?token=${token}`).catch(() => {})
    const lines = installation.lines.join('')
    expect(lines).toContain('/api/v1/knowledge/ask')
    for (const canary of [...canaries, key]) expect(lines).not.toContain(canary)
  })
})

describe('a fault of our own', () => {
  it('tells the caller nothing, is logged once and reported once', async () => {
    const faulty = await openInstallation()
    await faulty.mongo.client.close()
    const lines = faulty.lines.length
    const answer = await call(faulty.address, 'get', '/api/v1/company', { key })
    expect(answer.status).toBe(500)
    expect(answer.json).toEqual({
      error: {
        code: 'internal',
        message: 'Something went wrong on our side. Try again later.',
        requestId: answer.headers.get('x-request-id'),
      },
    })
    const errors = faulty.lines.slice(lines).filter((line) => line.includes('"level":50'))
    expect(errors).toHaveLength(1)
    expect(faulty.reported).toHaveLength(1)
    await faulty.close().catch(() => {})
  })
})
