import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { makeLog } from '../../src/platform/log.js'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

type Line = { msg: string; requestId?: string }

const lines: string[] = []
const written = () => lines.map((line) => JSON.parse(line) as Line)
let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>

beforeAll(async () => {
  mongo = await openTestMongo()
  app = await openApp(mongo, { log: makeLog('trace', { write: (line) => void lines.push(line) }) })
})
afterAll(async () => {
  await app.stop()
  await mongo.close()
})

const open = async () => {
  const { channelKey } = (await app.call<{ channelKey: string }>('/webchat/demo')).body
  const visitor = { name: 'canary-name' }
  return (await app.call<{ token: string }>('/webchat/sessions', { body: { channelKey, visitor } })).body.token
}

it('one request id follows a message from the door to the last job', async () => {
  const token = await open()
  const headers = { 'x-request-id': 'trace-of-one-message' }
  await app.call('/webchat/messages', { token, headers, body: { id: 'm1', text: 'How long can I return goods?' } })
  await eventually(async () =>
    written().some(({ msg, requestId }) => msg === 'delivered' && requestId === headers['x-request-id']),
  )
  const traced = written().filter(({ requestId }) => requestId === headers['x-request-id'])
  expect(traced.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['message received', 'request', 'delivered']))
  expect(traced.some(({ msg }) => msg === 'answered' || msg === 'handed over')).toBe(true)
})

it('no line carries what a customer wrote, who they are, a token or a key', async () => {
  const token = await open()
  const key = 'canary-key-of-nobody'
  await app.call('/webchat/messages', { token, body: { id: 'canary-id', text: 'canary-text jane@example.com' } })
  await app.call('/webchat/messages?canary-query=1', { token, body: { id: 'x', text: { $gt: 'canary-operator' } } })
  await app.call('/conversations', { token: key })
  await app.call('/knowledge/documents', { body: { title: 'canary-title', text: 'canary-document' } })
  await eventually(async () => written().some(({ msg }) => msg === 'handed over'))
  const all = lines.join('')
  for (const secret of ['canary', 'jane@', token, key, 'a-key-for-the-tests-only']) expect(all).not.toContain(secret)
})
