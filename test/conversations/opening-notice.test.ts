import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { OutsideHours } from '../../src/companies/opening-hours.js'
import { makeCustomerActions } from '../../src/conversations/customer.js'
import { contactIdOf } from '../../src/conversations/message.js'
import { backNotice } from '../../src/conversations/opening-notice.js'
import { makeBus } from '../../src/platform/bus.js'
import { promise } from '../sla/conversation.js'
import { office } from '../sla/hours.js'
import { ACME, arrival, grounded, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
let number = 0
let id = ''

const BERLIN = office('Europe/Berlin')
const FRIDAY_NIGHT = '2026-03-06T20:00:00Z'
const SATURDAY_NIGHT = '2026-03-07T20:00:00Z'
const MONDAY_NOON = '2026-03-09T11:00:00Z'
const MONDAY_NIGHT = '2026-03-09T20:00:00Z'

beforeAll(async () => {
  mongo = await openTestMongo()
})
afterAll(() => mongo.close())
beforeEach(async () => {
  core = await openCore(mongo)
  number += 1
  id = `cnv_n${number}`
})

const at = (time: string) => core.pass(new Date(time).getTime() - core.now().getTime())
const write = async (text = 'Where is my parcel?') => {
  const externalId = `${id}:${Math.random()}`
  await core.receive(ACME, arrival(externalId, { contact: { externalId: id }, conversationId: id, text }))
  await core.answer(ACME.companyId, id)
}
const opens = (outside: OutsideHours) => {
  core.opening.now = { hours: BERLIN, outside }
}
const conversation = () => core.inbox.get(ACME.companyId, id)
const told = async () =>
  (await core.inbox.messages(ACME.companyId, id))
    .filter(({ kind, author }) => kind === 'message' && author.kind !== 'customer')
    .map(({ text }) => text)
const ANSWER = 'From our documentation:\n\nIt is on its way.'
const ON_MONDAY = expect.stringMatching(/^Somebody is back on Monday at 9:00 \((CET|GMT\+1)\)\.$/)
const person = { companyId: ACME.companyId, person: { id: 'per_1', name: 'Ana' } }

describe('a customer who writes while nobody is there', () => {
  it('gets an answer and no other word where the channel is as usual', async () => {
    opens('as_usual')
    at(FRIDAY_NIGHT)
    await write()
    expect(await told()).toEqual([ANSWER])
  })

  it('is told when somebody is back, once in each closed period, beside the answers', async () => {
    opens('sets_expectations')
    at(FRIDAY_NIGHT)
    await write()
    at(SATURDAY_NIGHT)
    await write('And the other one?')
    at(MONDAY_NOON)
    await write('Still nothing?')
    expect(await told()).toEqual([ANSWER, ON_MONDAY, ANSWER, ANSWER])
    at(MONDAY_NIGHT)
    await write('Hello?')
    expect((await told()).at(-1)).toMatch(/^Somebody is back on Tuesday at 9:00/)
  })

  it('is told it once a day where the channel caps it, in however many conversations, and is answered in each', async () => {
    core.settings.automaticLimits = { noticesPerContactAndDay: 1 }
    opens('sets_expectations')
    at(FRIDAY_NIGHT)
    const contact = { externalId: id }
    const begin = async (conversationId: string) => {
      await core.receive(ACME, arrival(conversationId, { contact, conversationId, startsConversation: true }))
      await core.answer(ACME.companyId, conversationId)
      return (await core.inbox.messages(ACME.companyId, conversationId)).filter(
        ({ author }) => author.kind === 'assistant',
      ).length
    }
    expect([await begin(`${id}a`), await begin(`${id}b`), await begin(`${id}c`)]).toEqual([2, 1, 1])
    at(SATURDAY_NIGHT)
    core.pass(60 * 60_000)
    expect(await begin(`${id}d`)).toBe(2)
    core.settings.automaticLimits = {}
  })

  it('hears it in the word that a person was asked', async () => {
    opens('sets_expectations')
    at(FRIDAY_NIGHT)
    await write('I want to talk to a human')
    expect(await told()).toEqual([expect.stringMatching(/^Of course\. I have asked a person.*back on Monday at 9:00/)])
  })

  it('gets no answer where only messages are taken, but a place in the queue and the time', async () => {
    opens('message_only')
    let asked = 0
    core.assistant.answerQuestion = (...given) => {
      asked += 1
      return grounded(...given)
    }
    at(FRIDAY_NIGHT)
    await write()
    await write('Please!')
    expect(await told()).toEqual([expect.stringMatching(/^Thank you, we have your message.*back on Monday at 9:00/)])
    expect(await conversation()).toMatchObject({ handler: 'nobody', handoff: { reason: 'outside_hours' } })
    expect(asked).toBe(0)
  })

  it('who complains is listened to, also where only messages are taken', async () => {
    opens('message_only')
    at(FRIDAY_NIGHT)
    await write('This is outrageous, I want to complain!')
    expect(await conversation()).toMatchObject({ handoff: { reason: 'complaint' } })
  })

  it('is answered inside of the hours, whatever happens outside', async () => {
    opens('message_only')
    at(MONDAY_NOON)
    await write()
    expect(await told()).toEqual([ANSWER])
  })

  it('and whom a person has, is told once that the person is away', async () => {
    opens('sets_expectations')
    at(MONDAY_NOON)
    await write()
    await core.actions.speak({ ...person, conversationId: id, text: 'I am looking into it.' })
    await write('Thanks, and?')
    expect((await told()).at(-1)).toBe('I am looking into it.')
    at(MONDAY_NIGHT)
    await write('Are you there?')
    await write('Hello?')
    expect(await told()).toEqual([ANSWER, 'I am looking into it.', expect.stringContaining('back on Tuesday')])
    expect(await conversation()).toMatchObject({ handler: 'agent', answerDue: null })
  })

  it('is answered when the conversation is handed back: when somebody is there is no answer', async () => {
    opens('sets_expectations')
    at(MONDAY_NOON)
    await write()
    await core.actions.handoff({ ...person, conversationId: id, reason: 'look' })
    at(MONDAY_NIGHT)
    await write('And where is the other parcel?')
    await core.actions.resume({ ...person, conversationId: id })
    await core.answer(ACME.companyId, id)
    expect((await told()).at(-1)).toBe(ANSWER)
  })

  it('still waits for a first response: a word about when is none', async () => {
    opens('sets_expectations')
    const terms = { policy: promise({ time: 'business', countAssistantReplies: true }), hours: BERLIN }
    core.promise.now = { ref: { policyId: 'pol_n', policies: 1, hours: 1, channelId: ACME.channelId }, terms }
    at(FRIDAY_NIGHT)
    await write('I want to talk to a human')
    at(MONDAY_NIGHT)
    await write('Hello?')
    await core.deliver(ACME.companyId, id)
    const [clock] = await core.store.clocksOf(ACME.companyId, id)
    expect(await told()).toHaveLength(2)
    expect(clock).toMatchObject({ kind: 'assistant_first_reply', endedAt: null })
    expect((await conversation()).clocks?.due?.clock).toBe('first_response')
  })
})

describe('a chat that was opened while nobody is there', () => {
  it('shows when somebody is back, where the channel says so', async () => {
    const openingOf = async () => core.opening.now
    const { standing } = makeCustomerActions({ ...core, openingOf, bus: makeBus(), clock: { now: core.now } })
    const shown = async () => (await standing(ACME, contactIdOf(ACME, id))).opensAt
    at(FRIDAY_NIGHT)
    opens('as_usual')
    expect(await shown()).toBeUndefined()
    opens('sets_expectations')
    expect(await shown()).toEqual(new Date('2026-03-09T08:00:00Z'))
    await write()
    expect(await shown()).toEqual(new Date('2026-03-09T08:00:00Z'))
    at(MONDAY_NOON)
    expect(await shown()).toBeUndefined()
  })
})

describe('while the assistant is paused', () => {
  beforeEach(() => {
    core.settings.paused = true
  })

  it('a new customer is told that a person will answer, once', async () => {
    await write()
    await write('Hello?')
    expect(await told()).toEqual(['A person will answer you here.'])
    expect(await conversation()).toMatchObject({ handler: 'nobody', answerDue: null })
  })

  it('a new customer at night is also told when', async () => {
    opens('as_usual')
    at(FRIDAY_NIGHT)
    await write()
    expect(await told()).toEqual([expect.stringMatching(/^A person will answer you here\. Somebody is back on Monday/)])
  })

  it('says so in the language of the customer', async () => {
    core.assistant.languageOf = async () => 'es'
    await write('¿Dónde está mi paquete?')
    expect(await told()).toEqual(['Una persona te responderá aquí.'])
  })

  it('says nothing where a person was faster', async () => {
    const { recentMessages } = core.store
    core.store.recentMessages = async (...given) => {
      await core.actions.speak({ ...person, conversationId: id, text: 'Hello, this is Ana.' })
      return recentMessages(...given)
    }
    await write()
    expect(await told()).toEqual(['Hello, this is Ana.'])
  })
})

describe('the moment at which somebody is back', () => {
  const noticeAt = (language: string, now: string, hours = BERLIN) =>
    backNotice({}, { hours, outside: 'sets_expectations' }, language, new Date(now))?.text.replace(/ \([^)]*\)/, '')

  it.each([
    ['en', 'Somebody is back on Monday at 9:00.'],
    ['de', 'Am Montag um 9:00 Uhr ist wieder jemand da.'],
    ['es', 'Habrá alguien de vuelta el lunes a las 9:00.'],
    ['pt', 'Haverá alguém de volta na segunda-feira às 9:00.'],
    ['fr', 'Quelqu’un sera de retour lundi à 9:00.'],
    ['it', 'Qualcuno tornerà lunedì alle 9:00.'],
    ['sv', 'Somebody is back on Monday at 9:00.'],
  ])('is said in the words of %s', (language, text) => {
    expect(noticeAt(language, FRIDAY_NIGHT)).toBe(text)
  })

  it('needs no day where it is today, and a date where it is more than a week away', () => {
    expect(noticeAt('en', '2026-03-02T05:00:00Z')).toBe('Somebody is back at 9:00.')
    const closed = Object.fromEntries(['09', '10', '11', '12', '13'].map((day) => [`2026-03-${day}`, '']))
    expect(noticeAt('en', FRIDAY_NIGHT, office('Europe/Berlin', closed))).toMatch(/on Monday,? 16 March at 9:00/)
  })

  it('is a moment in the zone of the people, whatever the zone of the server', () => {
    expect(noticeAt('en', FRIDAY_NIGHT, office('Asia/Kolkata'))).toBe('Somebody is back on Monday at 9:00.')
  })
})
