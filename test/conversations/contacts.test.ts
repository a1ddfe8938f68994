import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeContacts } from '../../src/conversations/contacts.js'
import { contactIdOf } from '../../src/conversations/message.js'
import { makeBus } from '../../src/platform/bus.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { arrival, ACME, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let contacts: ReturnType<typeof makeContacts>
const MAIL = { companyId: ACME.companyId, channelId: 'chn_mail' }
const KIM = { id: 'prs_kim', name: 'Kim' }

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
  contacts = makeContacts({ store: core.store, bus: makeBus(), clock: { now: core.now } })
})
afterAll(() => mongo.close())

/** Somebody writes on a channel; their contact's id. */
const writes = async (origin: typeof ACME, who: string, text = 'Where is my parcel?'): Promise<string> => {
  const { conversationId: _named, ...rest } = arrival(`${who}-${text}`, { contact: { externalId: who }, text })
  await core.receive(origin, rest)
  return contactIdOf(origin, who)
}
const idsOf = ({ others }: Awaited<ReturnType<typeof contacts.get>>) => others.map(({ id }) => id).sort()

describe('one person with several contacts', () => {
  it('is found from each of them, with everything they wrote, and can be taken apart again', async () => {
    const chat = await writes(ACME, 'ada-chat')
    const mail = await writes(MAIL, 'ada@example.test')
    const phone = await writes({ ...ACME, channelId: 'chn_phone' }, '4915550001')
    await contacts.merge(ACME.companyId, chat, mail)
    const known = await contacts.merge(ACME.companyId, phone, chat)
    expect(idsOf(known)).toEqual([chat, mail].sort())
    expect(known.conversations.map(({ channelId }) => channelId).sort()).toEqual([
      ACME.channelId,
      MAIL.channelId,
      'chn_phone',
    ])
    expect(idsOf(await contacts.get(ACME.companyId, mail))).toEqual([chat, phone].sort())
    await contacts.separate(ACME.companyId, mail)
    expect(idsOf(await contacts.get(ACME.companyId, mail))).toEqual([])
    expect(idsOf(await contacts.get(ACME.companyId, chat))).toEqual([phone])
  })

  it('stays apart from another company’s contacts', async () => {
    const chat = await writes(ACME, 'bea-chat')
    const foreign = await writes({ companyId: 'other', channelId: 'chn_other' }, 'bea')
    await expect(contacts.merge(ACME.companyId, chat, foreign)).rejects.toMatchObject({ code: 'contact_not_found' })
    await expect(contacts.get('other', chat)).rejects.toMatchObject({ code: 'contact_not_found' })
    expect(idsOf(await contacts.get(ACME.companyId, chat))).toEqual([])
  })

  it('has at most twenty', async () => {
    const first = await writes(ACME, 'many-0')
    for (let n = 1; n < 20; n++) await contacts.merge(ACME.companyId, await writes(ACME, `many-${n}`), first)
    const last = await writes(ACME, 'many-20')
    await expect(contacts.merge(ACME.companyId, last, first)).rejects.toMatchObject({ code: 'too_many_contacts' })
  })
})

describe('a blocked contact', () => {
  const block = (contactId: string, blocked: boolean) =>
    contacts.block({ companyId: ACME.companyId, contactId, person: KIM }, blocked)

  it('is answered by nobody, wakes nobody, and what they write is kept', async () => {
    const contactId = await writes(ACME, 'troll')
    await block(contactId, true)
    core.woken.length = 0
    await writes(ACME, 'troll', 'Answer me!')
    expect(core.woken).toEqual([])
    const [conversation] = (await contacts.get(ACME.companyId, contactId)).conversations
    await core.answer(ACME.companyId, conversation!.id)
    const messages = await core.store.messagesOf(ACME.companyId, conversation!.id)
    expect(messages.filter(({ kind }) => kind === 'message').map(({ author, text }) => [author.kind, text])).toEqual([
      ['customer', 'Where is my parcel?'],
      ['customer', 'Answer me!'],
    ])
    expect(messages.find(({ event }) => event?.name === 'blocked')?.author).toMatchObject(KIM)
  })

  it('begins no conversation that anybody has to look at, until they are let through again', async () => {
    const contactId = await writes(ACME, 'troll-2')
    const [first] = (await contacts.get(ACME.companyId, contactId)).conversations
    await block(contactId, true)
    await core.actions.setState({
      companyId: ACME.companyId,
      conversationId: first!.id,
      person: KIM,
      state: 'closed',
    })
    core.pass(1_000)
    await writes(ACME, 'troll-2', 'Me again')
    const [second] = (await contacts.get(ACME.companyId, contactId)).conversations
    expect(second).toMatchObject({ state: 'resolved', answerDue: null, blocked: true })
    await block(contactId, false)
    await writes(ACME, 'troll-2', 'Sorry.')
    expect(await core.store.conversation(ACME.companyId, second!.id)).toMatchObject({ state: 'open', blocked: false })
    expect((await core.store.conversation(ACME.companyId, second!.id)).answerDue).not.toBeNull()
  })
})
