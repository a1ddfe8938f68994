import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeHasten } from '../../src/conversations/deliver.js'
import type { Receipt } from '../../src/conversations/message.js'
import { makeLog } from '../../src/platform/log.js'
import { eventually } from '../support/app.js'
import { ACME, arrival, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())

const HOUR = 60 * 60_000
const away: Receipt = { kind: 'later', afterMs: 15 * 60_000, reason: 'the phone is not connected' }
let core: Core
let ids = 0

beforeEach(async () => {
  core = await openCore(mongo)
  core.settings.idempotent = false
})

/** The assistant has answered, and the answer has yet to leave. */
const answered = async (origin = ACME): Promise<string> => {
  const conversationId = `cnv_later_${(ids += 1)}`
  const contact = { externalId: `visitor-${ids}` }
  await core.receive(origin, arrival(`later-${ids}`, { conversationId, contact }))
  await core.answer(origin.companyId, conversationId)
  return conversationId
}
const answerIn = async (conversationId: string, companyId = ACME.companyId) =>
  (await core.store.messagesOf(companyId, conversationId)).find(({ author }) => author.kind === 'assistant')

describe('an answer whose channel is away', () => {
  it('waits through an outage of hours and then leaves, once', async () => {
    const conversationId = await answered()
    core.channel.send = async () => away
    for (let tries = 0; tries < 30; tries += 1) {
      await core.deliver(ACME.companyId, conversationId)
      core.pass(15 * 60_000)
    }
    expect(await answerIn(conversationId)).toMatchObject({ status: 'queued' })
    let sent = 0
    core.channel.send = async () => ((sent += 1), { kind: 'sent', externalId: `later-out-${ids}` })
    await core.deliver(ACME.companyId, conversationId)
    await core.deliver(ACME.companyId, conversationId)
    expect(await answerIn(conversationId)).toMatchObject({ status: 'sent' })
    expect(sent).toBe(1)
  })

  it('is given to a person after a day, with the reason', async () => {
    const conversationId = await answered()
    core.channel.send = async () => away
    core.pass(25 * HOUR)
    await core.deliver(ACME.companyId, conversationId)
    expect(await answerIn(conversationId)).toMatchObject({ status: 'refused', reason: 'the phone is not connected' })
    expect(await core.store.conversation(ACME.companyId, conversationId)).toMatchObject({
      handler: 'nobody',
      handoff: { reason: 'delivery_failed' },
    })
  })

  it('leaves the moment the channel is back, and nobody else’s does', async () => {
    const globex = { companyId: 'globex', channelId: 'chn_globex' }
    const [ours, theirs] = [await answered(), await answered(globex)]
    core.channel.send = async () => away
    await core.deliver(ACME.companyId, ours)
    await core.deliver(globex.companyId, theirs)
    core.woken.length = 0
    const hasten = makeHasten({
      store: core.store,
      wakeDeliver: (companyId, id) => core.woken.push({ job: 'deliver', companyId, id }),
      clock: { now: core.now },
      log: makeLog('silent'),
    })
    hasten(ACME)
    await eventually(async () => core.woken.length > 0)
    expect(core.woken).toEqual([{ job: 'deliver', companyId: ACME.companyId, id: ours }])
    core.channel.send = async () => ({ kind: 'sent' })
    await core.deliver(ACME.companyId, ours)
    await core.deliver(globex.companyId, theirs)
    expect(await answerIn(ours)).toMatchObject({ status: 'sent' })
    expect(await answerIn(theirs, globex.companyId)).toMatchObject({ status: 'queued' })
  })
})
