import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals'
import { makeAttendance } from '../../src/conversations/attendance.js'
import { makeLetterCameBack } from '../../src/conversations/letters.js'
import type { LetterStore } from '../../src/conversations/letters.mongo.js'
import { contactIdOf, type OutboundLetter } from '../../src/conversations/message.js'
import { AppError } from '../../src/platform/errors.js'
import { makeBus } from '../../src/platform/bus.js'
import { makeLog } from '../../src/platform/log.js'
import { arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const MINUTE = 60_000
const ADA = { id: 'per_ada', name: 'Ada' }

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let sent: OutboundLetter[]
let manner: 'takes' | 'away' | 'refuses' | 'breaks'
let waitingFor: jest.SpiedFunction<LetterStore['waitingFor']>
let end: jest.SpiedFunction<LetterStore['end']>
let number = 0
/** Each test has a company of its own: what an earlier one left is nobody's here. */
let companyId = ''

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  core.settings.writesLetters = true
  waitingFor = jest.spyOn(core.letters, 'waitingFor')
  end = jest.spyOn(core.letters, 'end')
})
afterAll(() => mongo.close())
beforeEach(() => {
  number += 1
  companyId = `company_${number}`
  sent = []
  manner = 'takes'
  core.post.carrierOf = (of) => (of === companyId ? { answerable: false, carry } : null)
})

const carry = async (letter: OutboundLetter) => {
  if (manner === 'away') throw new AppError('unavailable', 'mail_not_sent', 'away')
  if (manner === 'refuses') return { kind: 'refused' as const, reason: '550 no such user here' }
  sent.push(letter)
  if (manner === 'breaks') throw new Error('the connection broke')
  return { kind: 'sent' as const, externalId: `<${letter.id}@example.com>` }
}

/** A visitor who wrote, and whose address is known. */
const visitor = async (email: string | null = 'jonas@example.com', name = `cnv_letter${number}`) => {
  const origin = { companyId, channelId: 'chn_acme' }
  const contact = { externalId: `visitor of ${name}`, ...(email ? { email } : {}) }
  await core.receive(origin, arrival(`${name}:1`, { contact, conversationId: name }))
  const contactId = contactIdOf(origin, contact.externalId)
  return { origin, contactId, target: { companyId, conversationId: name, person: ADA } }
}
const reply = (target: Awaited<ReturnType<typeof visitor>>['target'], text: string) =>
  core.actions.speak({ ...target, text })
const lettersIn = async (conversationId: string) =>
  (await core.store.messagesOf(companyId, conversationId)).flatMap(({ letter }) => letter ?? [])
/** What was only noted is written down: nobody waits for that but a test. */
const settled = async (): Promise<void> => {
  const asked = () => [...waitingFor.mock.results, ...end.mock.results]
  for (let known = -1; known < asked().length; ) {
    known = asked().length
    await Promise.allSettled(asked().map(({ value }) => value as Promise<unknown>))
  }
}

it('mails a person’s answer to a visitor who has left, once, whatever workers there are', async () => {
  const { target } = await visitor()
  await reply(target, 'It is on its way.')
  await core.openLetterWorker()()
  expect(sent).toEqual([])
  core.pass(2 * MINUTE)
  await Promise.all([core.openLetterWorker()(), core.openLetterWorker()(), core.openLetterWorker()()])
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([
    expect.objectContaining({ to: 'jonas@example.com', text: 'It is on its way.', references: [] }),
  ])
  expect(await lettersIn(target.conversationId)).toEqual([
    expect.objectContaining({ state: 'sent', to: 'jonas@example.com' }),
  ])
})

it('puts what was written within the two minutes into one mail, and what comes later into a next one of its thread', async () => {
  const { target } = await visitor()
  const first = await reply(target, 'One moment.')
  core.pass(MINUTE)
  await reply(target, 'It is on its way.')
  core.pass(MINUTE)
  await core.openLetterWorker()()
  expect(sent.map(({ text }) => text)).toEqual(['One moment.\nIt is on its way.'])
  await reply(target, 'It arrives on Friday.')
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  expect(sent[1]).toMatchObject({ text: 'It arrives on Friday.', references: [`<${first.id}@example.com>`] })
})

it('does not mail what the assistant says', async () => {
  const { target } = await visitor()
  await core.answer(companyId, target.conversationId)
  core.pass(10 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])
})

it('mails nothing to a visitor who has the chat open', async () => {
  const { origin, contactId, target } = await visitor()
  core.attendance.came(origin, contactId)
  await reply(target, 'It is on its way.')
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  core.attendance.left(origin, contactId, 'left')
  core.pass(10 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])
  expect(await lettersIn(target.conversationId)).toEqual([expect.objectContaining({ state: 'seen' })])
})

it('leaves a visitor alone who has the chat open in another process, because that one says so in time', async () => {
  const { origin, contactId, target } = await visitor()
  const elsewhere = makeAttendance({
    letters: core.letters,
    bus: { publish: () => {}, subscribe: () => () => {} },
    clock: { now: core.now },
    log: makeLog('silent'),
    metrics: core.metrics,
  })
  elsewhere.came(origin, contactId)
  await reply(target, 'It is on its way.')
  core.pass(MINUTE)
  await core.openLetterWorker(elsewhere)()
  core.pass(MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])
})

it.each([
  ['comes back', async (origin: never, contactId: string) => core.attendance.came(origin, contactId)],
  [
    'reads on a page without a live connection',
    async (_origin: never, contactId: string) =>
      core.attendance.read(contactId, await core.store.messagesOf(companyId, `cnv_letter${number}`)),
  ],
])('mails nothing to a visitor who %s in between', async (_what, come) => {
  const { origin, contactId, target } = await visitor()
  await reply(target, 'It is on its way.')
  core.pass(MINUTE)
  await come(origin as never, contactId)
  await settled()
  core.attendance.left(origin, contactId, 'lost')
  core.pass(10 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])
})

it('mails a visitor whose line went dead before the answer came: nobody knows that it was read', async () => {
  const { origin, contactId, target } = await visitor()
  core.attendance.came(origin, contactId)
  await settled()
  await reply(target, 'It is on its way.')
  core.pass(40_000)
  core.attendance.left(origin, contactId, 'lost')
  core.pass(80_000)
  await core.openLetterWorker()()
  expect(sent).toHaveLength(1)
})

it('sends nothing twice when the process dies between the mail server’s yes and writing it down, and says so', async () => {
  const { target } = await visitor()
  await reply(target, 'It is on its way.')
  core.pass(2 * MINUTE)
  const dies = { ...core.letters, end: () => Promise.reject(new Error('killed')) }
  await core.openLetterWorker(core.attendance, dies)()
  expect(sent).toHaveLength(1)
  core.pass(30_000)
  await core.openLetterWorker()()
  expect(await lettersIn(target.conversationId)).toEqual([expect.objectContaining({ state: 'sending' })])
  core.pass(MINUTE)
  await core.openLetterWorker()()
  await core.openLetterWorker()()
  expect(sent).toHaveLength(1)
  expect(await lettersIn(target.conversationId)).toEqual([
    expect.objectContaining({ state: 'uncertain', reason: 'unknown' }),
  ])
})

it('knows of a mail that came back before its server had said that it took it', async () => {
  const { target } = await visitor()
  await reply(target, 'It is on its way.')
  const cameBack = makeLetterCameBack({ letters: core.letters, bus: makeBus(), metrics: core.metrics })
  core.post.carrierOf = () => ({
    answerable: false,
    carry: async (letter) => {
      expect(await cameBack(companyId, letter.id, '550 no such user here')).toBe(true)
      return carry(letter)
    },
  })
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  core.pass(60 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toHaveLength(1)
  expect(await lettersIn(target.conversationId)).toEqual([
    expect.objectContaining({ state: 'refused', reason: 'came_back', detail: '550 no such user here' }),
  ])
})

it('does not send again what a broken connection leaves unknown', async () => {
  const { target } = await visitor()
  await reply(target, 'It is on its way.')
  core.pass(2 * MINUTE)
  manner = 'breaks'
  await core.openLetterWorker()()
  core.pass(60 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toHaveLength(1)
  expect(await lettersIn(target.conversationId)).toEqual([expect.objectContaining({ state: 'uncertain' })])
})

it('tries again while the mail server is away, and not after the visitor came back meanwhile', async () => {
  const { target, origin, contactId } = await visitor()
  await reply(target, 'It is on its way.')
  core.pass(2 * MINUTE)
  manner = 'away'
  await core.openLetterWorker()()
  core.pass(MINUTE)
  await core.openLetterWorker()()
  manner = 'takes'
  core.attendance.came(origin, contactId)
  await settled()
  core.attendance.left(origin, contactId, 'lost')
  core.pass(60 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])

  await reply(target, 'It arrives on Friday.')
  core.pass(2 * MINUTE)
  manner = 'away'
  await core.openLetterWorker()()
  manner = 'takes'
  core.pass(MINUTE)
  await core.openLetterWorker()()
  expect(sent.map(({ text }) => text)).toEqual(['It arrives on Friday.'])
})

it('gives up after a day’s tries, and shows what a server’s no was', async () => {
  const away = await visitor('jonas@example.com', `cnv_away${number}`)
  await reply(away.target, 'It is on its way.')
  manner = 'away'
  for (let hours = 0; hours < 10; hours += 1) {
    core.pass(60 * MINUTE)
    await core.openLetterWorker()()
  }
  expect(await lettersIn(away.target.conversationId)).toEqual([
    expect.objectContaining({ state: 'refused', reason: 'unreachable', attempts: 6 }),
  ])
  const refused = await visitor('nobody@example.com', `cnv_refused${number}`)
  await reply(refused.target, 'It is on its way.')
  manner = 'refuses'
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  expect(await lettersIn(refused.target.conversationId)).toEqual([
    expect.objectContaining({ state: 'refused', reason: 'not_taken', detail: '550 no such user here' }),
  ])
})

it('goes to the address that is known when it leaves, not to the one before', async () => {
  const { target, contactId } = await visitor('old@example.com')
  await reply(target, 'It is on its way.')
  await core.store.setContactEmail(companyId, contactId, 'new@example.com')
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  expect(sent.map(({ to }) => to)).toEqual(['new@example.com'])
})

it.each([
  ['left no address', 'no_address', async () => {}],
  ['is blocked', 'blocked', async (conversationId: string) => block(conversationId)],
  ['wants no more mail', 'stopped', async (conversationId: string) => stop(conversationId)],
  ['writes to a company without mail', 'no_mail', async () => void (core.post.carrierOf = () => null)],
])('mails nothing to a visitor who %s, tells why, and forgets it when they read it after all', async (...given) => {
  const [, reason, prepare] = given
  const { target, contactId } = await visitor(reason === 'no_address' ? null : 'jonas@example.com')
  await reply(target, 'It is on its way.')
  await prepare(target.conversationId)
  core.pass(2 * MINUTE)
  await core.openLetterWorker()()
  expect(sent).toEqual([])
  expect(await lettersIn(target.conversationId)).toEqual([expect.objectContaining({ state: 'unsent', reason })])
  core.attendance.read(contactId, await core.store.messagesOf(companyId, target.conversationId))
  await settled()
  expect(await lettersIn(target.conversationId)).toEqual([expect.objectContaining({ state: 'seen' })])
})

const change = (conversationId: string, change: { blocked: true }) =>
  core.store.change({ companyId, conversationId, at: core.now(), requestId: 'r' }, () => ({ change, drafts: [] }))
const block = (conversationId: string) => change(conversationId, { blocked: true })
const stop = (conversationId: string) =>
  core.stopMail.stop(new URL(core.stopMail.urlFor(companyId, conversationId)).searchParams.get('t') ?? '')

it('ends the mails about one conversation by its link, once, and those of no other company', async () => {
  const { target } = await visitor()
  const own = target.conversationId
  expect(await stop(own)).toBe(true)
  expect(await stop(own)).toBe(true)
  const lines = await core.store.messagesOf(companyId, own)
  expect(lines.filter(({ event }) => event?.name === 'mail_stopped')).toHaveLength(1)

  const foreign = core.stopMail.urlFor('another_company', own)
  expect(await core.stopMail.stop(new URL(foreign).searchParams.get('t') ?? '')).toBe(false)
  expect(await core.stopMail.stop('forged.token')).toBe(false)
  expect(await core.stopMail.look('forged.token')).toBeNull()
})

it('sends nothing of one company by the mail of another', async () => {
  const { target } = await visitor()
  await reply(target, 'It is on its way.')
  core.pass(2 * MINUTE)
  const asked: string[] = []
  core.post.carrierOf = (of) => {
    asked.push(of)
    return null
  }
  await core.openLetterWorker()()
  expect(asked).toEqual([companyId])
  expect(sent).toEqual([])
})
