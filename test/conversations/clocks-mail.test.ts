import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { makeMailPromises } from '../../src/conversations/clocks-mail.js'
import { makeConversationStore } from '../../src/conversations/store.mongo.js'
import type { Promised } from '../../src/companies/service-levels.mongo.js'
import { makeLog } from '../../src/platform/log.js'
import type { Mail } from '../../src/platform/mail.js'
import { promise } from '../sla/conversation.js'
import { DAY, HOUR, MINUTE } from '../sla/hours.js'
import { arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const ADA = { id: 'per_ada', email: 'ada@example.com' }
const BEN = { id: 'per_ben', email: 'ben@example.com' }
const promised: Promised = {
  ref: { policyId: 'pol_1', policies: 1, hours: null, channelId: 'chn' },
  terms: { policy: promise({}), hours: null },
}

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let sent: Mail[]
let away: Set<string>
let number = 0
/** Each test has a company of its own: what an earlier one left is nobody's here. */
let company = 0
const companyId = () => `company_${company}`

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  core.promise.now = promised
})
afterAll(() => mongo.close())
beforeEach(() => {
  company += 1
  sent = []
  away = new Set()
})

/** One process's worker, in a company where `to` are those who want to know. */
const worker = ({ to = [ADA] }: { to?: (typeof ADA)[] } = {}) =>
  makeMailPromises({
    store: core.store,
    recipients: async (of, assigneeId) => (of !== companyId() ? [] : assigneeId === BEN.id ? [BEN] : to),
    openingOf: async () => core.opening.now,
    send: async (mail) => {
      if (away.has(mail.to)) throw new Error('the mail server is away')
      sent.push(mail)
    },
    publicUrl: 'https://desk.example.com',
    clock: { now: core.now },
    log: makeLog('silent'),
  })

const customer = async (name = 'Jonas Keller') => {
  number += 1
  const id = `cnv_mail${number}`
  const contact = { externalId: id, name }
  const origin = { companyId: companyId(), channelId: 'chn_acme' }
  await core.receive(origin, arrival(`${id}:1`, { contact, conversationId: id }))
  return { companyId: companyId(), conversationId: id, person: { id: BEN.id, name: 'Ben' } }
}

it('mails the admins when a promise to somebody in no hands is broken, and says where to look', async () => {
  const { conversationId } = await customer()
  core.pass(HOUR + 1)
  await core.tellTime()
  await worker()()
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatchObject({ to: ADA.email, subject: '2 promised times are near or have passed' })
  expect(sent[0]?.text).toContain('Promise broken: first response to Jonas Keller')
  expect(sent[0]?.text).toContain(`https://desk.example.com/inbox/${conversationId}`)
})

it('is told once, however many workers there are and however often they start again', async () => {
  await customer()
  core.pass(46 * MINUTE)
  await core.tellTime()
  await Promise.all([worker()(), worker()(), worker()()])
  core.pass(DAY / 2)
  await worker()()
  expect(sent.filter(({ subject }) => subject.startsWith('Due soon'))).toHaveLength(1)
  expect(sent).toHaveLength(1)
})

it('mails whose conversation it is, and nobody else', async () => {
  const target = await customer()
  await core.actions.assign({ ...target, assignee: { id: BEN.id, name: 'Ben' } })
  core.pass(46 * MINUTE)
  await core.tellTime()
  await worker({ to: [ADA] })()
  expect(sent.map(({ to }) => to)).toEqual([BEN.email])
})

it('tries again while the mail server is away, and only those who have nothing yet', async () => {
  await customer()
  core.pass(46 * MINUTE)
  await core.tellTime()
  away.add(BEN.email)
  await worker({ to: [ADA, BEN] })()
  expect(sent.map(({ to }) => to)).toEqual([ADA.email])
  away.clear()
  await worker({ to: [ADA, BEN] })()
  expect(sent).toHaveLength(1)
  core.pass(2 * MINUTE)
  await worker({ to: [ADA, BEN] })()
  expect(sent.map(({ to }) => to)).toEqual([ADA.email, BEN.email])
})

it('says nothing any more about what was due the day before yesterday', async () => {
  await customer()
  core.pass(46 * MINUTE)
  await core.tellTime()
  core.pass(2 * DAY)
  await worker()()
  expect(sent).toEqual([])
})

it('makes no letter of a customer’s name', async () => {
  await customer('Win\r\nBcc: all@example.com <b>https://evil.example</b>')
  core.pass(46 * MINUTE)
  await core.tellTime()
  await worker()()
  expect(sent[0]?.subject).toBe('Due soon: first response to Win Bcc all@example.com bhttpsevil.exampleb')
  expect(sent[0]?.text).not.toContain('https://evil')
})

it('keeps nothing to be mailed where the installation sends no mail', async () => {
  const store = makeConversationStore({
    ...mongo,
    termsOf: async () => promised.terms,
    choicesFor: async () => ({ changes: false, choose: () => null }),
    teamOfChannel: async () => null,
  })
  const { conversationId, ...target } = await customer()
  core.pass(2 * HOUR)
  await store.change({ companyId: target.companyId, conversationId, at: core.now(), requestId: 'r' }, () => ({
    change: {},
    drafts: [],
  }))
  expect(
    (await store.messagesOf(target.companyId, conversationId)).some(({ event }) => event?.name === 'service_level'),
  ).toBe(true)
  await worker()()
  expect(sent).toEqual([])
})
