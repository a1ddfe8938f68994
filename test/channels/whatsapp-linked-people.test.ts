import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { makeContacts } from '../../src/conversations/contacts.js'
import type { OutboundMessage } from '../../src/conversations/message.js'
import { makeBus } from '../../src/platform/bus.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'
import { makePhone, textOf, type Phone } from '../support/whatsapp-socket.js'
import { openLinkedDesk } from '../support/whatsapp-linked.js'

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let phone: Phone
let desk: Awaited<ReturnType<typeof openLinkedDesk>>
let number = 0

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
})
afterAll(() => mongo.close())
afterEach(() => desk.stop())

const open = async (channelId = `chn_p${(number += 1)}`) => {
  phone = makePhone()
  desk = await openLinkedDesk(mongo, core, phone, { channelId })
  await desk.untilConnected()
}
const said = async (...messages: object[]) => {
  for (const raw of messages) phone.says(raw)
  await desk.idle()
}
const messageWith = async (text: string) => (await desk.messages()).find((message) => message.text === text)!
const replyIn = async (text: string, words: string): Promise<OutboundMessage> => {
  const { conversationId, contactId } = await messageWith(text)
  const contact = (await desk.kit.contact(contactId))!
  const author = { kind: 'agent' as const, name: 'Rui' }
  return {
    id: `msg_reply_${(number += 1)}`,
    conversationId,
    contactId,
    seq: 9,
    author,
    text: words,
    citations: [],
    at: core.now(),
    contact,
  }
}
const never = new AbortController().signal

describe('people with a hidden id', () => {
  it('are one contact as soon as their number shows, and the id is never shown as a number', async () => {
    await open()
    phone.says(textOf({ lid: '77001122' }, 'first, hidden'))
    await desk.idle()
    const [before] = await desk.messages()
    const hidden = await desk.kit.contact(before!.contactId)
    expect(hidden).toMatchObject({ externalId: 'lid:77001122' })
    expect(hidden).not.toHaveProperty('phone')
    phone.says(textOf({ lid: '77001122', number: '5511900000001' }, 'now both'))
    phone.says(textOf({ number: '5511900000001' }, 'now the number'))
    phone.says(textOf({ lid: '77001122' }, 'hidden again'))
    await desk.idle()
    const messages = await desk.messages()
    expect(new Set(messages.map(({ contactId }) => contactId)).size).toBe(1)
    expect(new Set(messages.map(({ conversationId }) => conversationId)).size).toBe(1)
    expect(messages).toHaveLength(4)
    expect(await desk.kit.contact(messages[0]!.contactId)).toMatchObject({
      externalId: '+5511900000001',
      phone: '+5511900000001',
    })
  })

  it('whose number is contradicted keep it, and are answered where they wrote', async () => {
    await open()
    phone.says(textOf({ lid: '77003344', number: '5511900000002' }, 'it is me'))
    await desk.idle()
    phone.tell({ kind: 'mapping', raw: { lid: '77003344@lid', pn: '5511900000003@s.whatsapp.net' } })
    phone.says(textOf({ lid: '77003344', number: '5511900000003' }, 'still me'))
    await desk.idle()
    const messages = await desk.messages()
    expect(new Set(messages.map(({ contactId }) => contactId)).size).toBe(1)
    await desk.channel.send(await replyIn('still me', 'Hello you'), never)
    expect(phone.sent[0]!.to).toBe('77003344@lid')
  })

  describe('who wrote under both names before WhatsApp told that they are one', () => {
    const hidden = { lid: '77005566' }
    const known = { number: '5511900000044' }
    const both = { ...hidden, ...known }
    const contacts = () => makeContacts({ store: core.store, bus: makeBus(), clock: { now: core.now } })

    /** Under the hidden id first, under the number second; then the mapping shows. */
    const told = async () => {
      await open()
      await said(textOf(hidden, 'from the hidden id'))
      core.pass(60_000)
      await said(textOf(known, 'from the number'))
      core.pass(60_000)
      phone.tell({ kind: 'mapping', raw: { lid: '77005566@lid', pn: '5511900000044@s.whatsapp.net' } })
      await desk.idle()
    }

    it('are one person, with both conversations, and nothing of either is lost or moved', async () => {
      await told()
      const [first, second] = [await messageWith('from the hidden id'), await messageWith('from the number')]
      expect(first.conversationId).not.toBe(second.conversationId)
      const person = await contacts().get('acme', first.contactId)
      expect(person.others.map(({ id }) => id)).toEqual([second.contactId])
      expect(person.conversations.map(({ id }) => id).sort()).toEqual(
        [first.conversationId, second.conversationId].sort(),
      )
    })

    it('go on where they wrote last, whichever name they use', async () => {
      await told()
      await said(textOf(hidden, 'hidden again'), textOf(known, 'the number again'), textOf(both, 'and both'))
      const { conversationId } = await messageWith('from the number')
      for (const text of ['hidden again', 'the number again', 'and both'])
        expect((await messageWith(text)).conversationId).toBe(conversationId)
      expect(await desk.texts()).toHaveLength(5)
    })

    it('are answered in either conversation', async () => {
      await told()
      for (const text of ['from the hidden id', 'from the number'])
        expect(await desk.channel.send(await replyIn(text, `to ${text}`), never)).toMatchObject({ kind: 'sent' })
      expect(phone.sent.map(({ to }) => to)).toEqual(['77005566@lid', '5511900000044@s.whatsapp.net'])
    })

    it('are two persons again where a colleague says so', async () => {
      await told()
      const first = await messageWith('from the hidden id')
      await contacts().separate('acme', first.contactId)
      const person = await contacts().get('acme', first.contactId)
      expect(person.others).toEqual([])
      expect(person.conversations.map(({ id }) => id)).toEqual([first.conversationId])
    })

    it('do not get through under their other name where one is blocked', async () => {
      await open()
      await said(textOf(hidden, 'a nuisance'), textOf(known, 'a nuisance too'))
      const agent = { id: 'prs_1', name: 'Rui' }
      const { contactId } = await messageWith('a nuisance')
      await contacts().block({ companyId: 'acme', contactId, person: agent }, true)
      core.pass(60_000)
      await said(textOf(known, 'and more'), textOf(both, 'now as both'), textOf(known, 'and as the number'))
      for (const text of ['now as both', 'and as the number'])
        expect((await messageWith(text)).contactId).toBe(contactId)
    })

    it('of another company stay two where they wrote to another phone', async () => {
      await told()
      await desk.stop()
      phone = makePhone()
      desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_globex', companyId: 'globex' })
      await desk.untilConnected()
      await said(textOf(hidden, 'here hidden'), textOf(known, 'here known'))
      const ids = (await desk.messages()).map(({ contactId }) => contactId)
      expect(new Set(ids).size).toBe(2)
    })
  })
})
