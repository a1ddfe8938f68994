import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { openErrorReports } from '../../src/platform/error-reports.js'

const received: string[] = []
let server: Server
let dsn: string

beforeAll(async () => {
  server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : body.toString()
      received.push(`${JSON.stringify(req.headers)}\n${text}`)
      res.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  dsn = `http://publickey@127.0.0.1:${(server.address() as AddressInfo).port}/1`
})

afterAll(() => new Promise((resolve) => server.close(resolve)))

describe('error reports', () => {
  it('carry the kind, the stack and the request id of an error, and nothing that a customer wrote', async () => {
    const canaries = {
      text: 'canary-text-4111',
      email: 'canary@example.test',
      token: 'canary-token-77',
      query: 'canary-query-88',
      header: 'canary-header-99',
      message: 'canary-message-55',
      cause: 'canary-cause-33',
    }
    const reports = await openErrorReports({ SENTRY_DSN: dsn })

    const handleCustomer = (email: string, text: string) => {
      const error = new TypeError(`${canaries.message} while reading ${text} of ${email}`, {
        cause: new Error(canaries.cause),
      })
      throw Object.assign(error, {
        request: { headers: { authorization: canaries.token }, url: `/?q=${canaries.query}` },
      })
    }
    // What runs around the error is what an instrumentation would pick up: a call with a body, a query and a header.
    await fetch(`${dsn.replace('publickey@', '').replace(/\/1$/, '/own')}?q=${canaries.query}`, {
      headers: { 'x-canary': canaries.header },
    })
    received.length = 0
    try {
      handleCustomer(canaries.email, canaries.text)
    } catch (error) {
      reports.report(error, { requestId: 'req_for-the-report' })
    }
    await reports.close()

    const everything = received.join('\n')
    expect(everything).toContain('TypeError')
    expect(everything).toContain('req_for-the-report')
    expect(everything).toContain('handleCustomer')
    for (const canary of Object.values(canaries)) expect(everything).not.toContain(canary)
  })

  it('cost nothing and go nowhere without an address', async () => {
    received.length = 0
    const reports = await openErrorReports({})
    reports.report(new Error('unseen'), { requestId: 'req_unseen' })
    await reports.close()
    expect(received).toEqual([])
  })
})
