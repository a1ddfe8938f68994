import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Mongo } from '../../src/platform/mongo.js'
import type { OutboundMessage } from '../../src/conversations/message.js'
import { eventually } from '../support/app.js'
import { openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'
import { keyOf, makePhone, messageOf, nextId, textOf, type Phone } from '../support/whatsapp-socket.js'
import { openLinkedDesk } from '../support/whatsapp-linked.js'

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let phone: Phone
let desk: Awaited<ReturnType<typeof openLinkedDesk>>
let number = 0
const ANA = { number: '5511987654321' }

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
})
afterAll(() => mongo.close())
afterEach(() => desk.stop())

const open = async (settings = {}, channelId = `chn_${(number += 1)}`) => {
  phone = makePhone()
  desk = await openLinkedDesk(mongo, core, phone, { channelId, settings })
  await desk.untilConnected()
}

const outbound = async (text: string, change: Partial<OutboundMessage> = {}): Promise<OutboundMessage> => {
  const [message] = await desk.messages()
  const contact = await desk.kit.contact(message!.contactId)
  return {
    id: `msg_${nextId()}`,
    conversationId: message!.conversationId,
    contactId: message!.contactId,
    seq: 9,
    author: { kind: 'agent', name: 'Rui' },
    text,
    citations: [],
    at: core.now(),
    contact: contact!,
    ...change,
  }
}
const never = new AbortController().signal

describe('what customers write to a linked phone', () => {
  it('is taken in once and in order, however often it comes', async () => {
    await open()
    const [first, second] = [textOf(ANA, 'Hello *there*'), textOf(ANA, 'Where is my parcel?')]
    for (const raw of [first, second, first, second, first]) phone.says(raw)
    await desk.idle()
    expect(await desk.texts()).toEqual(['Hello **there**', 'Where is my parcel?'])
    const [message] = await desk.messages()
    expect(await desk.kit.contact(message!.contactId)).toMatchObject({
      externalId: '+5511987654321',
      name: 'Ana Souza',
      phone: '+5511987654321',
    })
  })

  it('while nobody was connected is there after the outage, each once', async () => {
    await open()
    phone.says(textOf(ANA, 'one'))
    await desk.idle()
    phone.lose()
    for (const text of ['two', 'three']) phone.says(textOf(ANA, text))
    await eventually(async () => phone.connections > 1 && (await desk.texts()).length === 3)
    expect(await desk.texts()).toEqual(['one', 'two', 'three'])
  })

  it('in groups, broadcasts, channels and as a status is left alone', async () => {
    await open()
    for (const remoteJid of ['123-456@g.us', 'status@broadcast', '99@broadcast', '120@newsletter', 'nonsense', 7])
      phone.says({ ...textOf(ANA, 'not for you'), key: { remoteJid, id: nextId(), fromMe: false } })
    phone.says(textOf(ANA, 'for you'))
    await desk.idle()
    expect(await desk.texts()).toEqual(['for you'])
  })

  it('that was written before the phone was linked is neither taken in nor answered', async () => {
    await open()
    const mappings = [...Array(300).keys()].map((n) => ({
      lid: `9000${n}1@lid`,
      pn: `4915100${n + 10_000}@s.whatsapp.net`,
    }))
    phone.tell({ kind: 'history', messages: 10_000, mappings: [...mappings, { lid: 'broken' }, null] })
    phone.says(textOf(ANA, 'today'))
    await desk.idle()
    expect(await desk.texts()).toEqual(['today'])
    phone.says(textOf({ lid: '900071' }, 'known by a hidden id'))
    await desk.idle()
    const message = (await desk.messages()).find(({ text }) => text.startsWith('known'))
    expect(await desk.kit.contact(message!.contactId)).toMatchObject({ externalId: '+491510010007' })
  })

  it('from the future counts as written now', async () => {
    await open()
    phone.says(textOf(ANA, 'hello from 2031', { at: 1_930_000_000 }))
    await desk.idle()
    const [message] = await desk.messages()
    expect(message!.sentAt!.getTime()).toBeLessThanOrEqual(Date.now())
  })

  it('is not lost while the store is away', async () => {
    await open()
    desk.failing.next = 3
    for (const text of ['a', 'b', 'c']) phone.says(textOf(ANA, text))
    await desk.idle()
    expect(await desk.texts()).toEqual(['a', 'b', 'c'])
  })
})

describe('what the company writes on the phone itself', () => {
  it('is an agent’s, and the assistant keeps quiet', async () => {
    await open()
    phone.says(textOf(ANA, 'Is anybody there?'))
    await desk.idle()
    phone.says(textOf(ANA, 'Yes, it is me, Rui.', { fromMe: true }))
    await desk.idle()
    const messages = await desk.messages()
    expect(messages.map(({ author }) => author.kind)).toEqual(['customer', 'agent'])
    const conversation = await desk.kit.conversation(messages[0]!.conversationId)
    expect(conversation?.handler).toBe('agent')
  })

  it('is not what the product itself has sent', async () => {
    await open()
    phone.says(textOf(ANA, 'Hello'))
    await desk.idle()
    await desk.channel.send(await outbound('Good morning'), never)
    phone.says(textOf(ANA, 'Good morning', { id: phone.sent[0]!.id, fromMe: true }))
    await desk.idle()
    expect(await desk.texts()).toEqual(['Hello'])
  })
})

describe('changes of a message', () => {
  it('by its writer are seen: an edit, a reaction, a revoke', async () => {
    await open()
    const id = nextId()
    phone.says(textOf(ANA, 'Where is my parcle?', { id }))
    await desk.idle()
    const edit = { protocolMessage: { type: 14, key: { id }, editedMessage: { conversation: 'Where is my parcel?' } } }
    phone.says(messageOf(ANA, { editedMessage: { message: edit } }))
    phone.tell({ kind: 'reaction', raw: { key: { id }, reaction: { key: keyOf(ANA), text: '👍' } } })
    await desk.idle()
    expect((await desk.messages())[0]).toMatchObject({ text: 'Where is my parcel?', reaction: '👍' })
    phone.says(messageOf(ANA, { protocolMessage: { type: 0, key: { id } } }))
    await desk.idle()
    expect((await desk.messages())[0]).toMatchObject({ revoked: true })
  })

  it('by anybody else change nothing, however they name it', async () => {
    await open()
    const id = nextId()
    const eve = { number: '4915199999999' }
    phone.says(textOf(ANA, 'my own words', { id }))
    phone.says(textOf(eve, 'me too'))
    await desk.idle()
    phone.says(messageOf(eve, { protocolMessage: { type: 0, key: { id } } }))
    phone.says(messageOf(eve, { protocolMessage: { type: 14, key: { id }, editedMessage: { conversation: 'hers' } } }))
    phone.tell({ kind: 'reaction', raw: { key: { id }, reaction: { key: keyOf(eve), text: '💣' } } })
    phone.says(textOf(eve, 'the same id', { id }))
    await desk.idle()
    const messages = await desk.messages()
    const hers = messages.find(({ externalId }) => externalId === id)
    expect(hers).toMatchObject({ text: 'my own words' })
    expect(hers).not.toHaveProperty('revoked')
    expect(hers).not.toHaveProperty('reaction')
    expect(messages.map(({ text }) => text)).toContain('the same id')
  })
})

describe('files', () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
    'base64',
  )
  const picture = (more: object = {}) => ({
    imageMessage: { mediaKey: new Uint8Array([1]), mimetype: 'image/png', caption: 'look', ...more },
  })

  it('are fetched at once and belong to their message', async () => {
    await open()
    const id = nextId()
    phone.files.set(id, png)
    phone.says(messageOf(ANA, picture(), { id }))
    await desk.idle()
    const [message] = await desk.messages()
    expect(message).toMatchObject({ text: 'look', needsPerson: 'image', attachments: [{ name: 'image.png' }] })
    expect(desk.kept[0]!.bytes).toEqual(png)
  })

  it.each([
    ['gone', 'expired'],
    ['wrong key', 'damaged'],
  ] as const)('that are %s are named, and the message stays', async (file, missing) => {
    await open()
    const id = nextId()
    phone.files.set(id, file)
    phone.says(messageOf(ANA, picture(), { id }))
    phone.says(textOf(ANA, 'and this'))
    await desk.idle()
    const [message, next] = await desk.messages()
    expect(message).toMatchObject({ details: { missing } })
    expect(message!.text).toContain('look')
    expect(next!.text).toBe('and this')
  })

  it('that are too large, programs, or not what their hash says are not kept', async () => {
    await open()
    const program = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(200)])
    const cases = [
      [Buffer.alloc(33 * 1024 * 1024), {}, 'too_large'],
      [program, {}, 'program'],
      [png, { fileSha256: Buffer.alloc(32) }, 'damaged'],
    ] as const
    for (const [bytes, more] of cases) {
      const id = nextId()
      phone.files.set(id, bytes)
      phone.says(messageOf(ANA, picture(more), { id }))
    }
    await desk.idle()
    expect((await desk.messages()).map(({ details }) => details?.missing)).toEqual(
      cases.map(([, , missing]) => missing),
    )
    expect(desk.kept).toEqual([])
  })
})

describe('answers over a linked phone', () => {
  const hello = async () => {
    await open()
    phone.says(textOf(ANA, 'Hello'))
    await desk.idle()
  }

  it('go to whoever wrote, with typing shown, under a name that a retry repeats', async () => {
    await hello()
    const message = await outbound('**Good** morning')
    const receipt = await desk.channel.send(message, never)
    expect(phone.sent).toMatchObject([{ to: '5511987654321@s.whatsapp.net', content: { text: '*Good* morning' } }])
    expect(receipt).toEqual({ kind: 'sent', externalId: phone.sent[0]!.id })
    expect(phone.typing).toEqual([
      { to: '5511987654321@s.whatsapp.net', on: true },
      { to: '5511987654321@s.whatsapp.net', on: false },
    ])
    await desk.channel.send(message, never)
    expect(phone.sent[1]!.id).toBe(phone.sent[0]!.id)
  })

  it('that ask back have numbered lines: a linked phone has no buttons', async () => {
    await hello()
    const choices = [
      { kind: 'place' as const, label: 'Renting a car', title: 'Hire', documentId: 'doc_1', headings: [] },
      { kind: 'person' as const, label: 'Talk to a person' },
    ]
    expect(await desk.channel.send(await outbound('Which one?', { choices }), never)).toMatchObject({ kind: 'sent' })
    expect(phone.sent.at(-1)?.content).toMatchObject({
      kind: 'text',
      text: 'Which one?\n\n1. Renting a car\n2. Talk to a person',
    })
  })

  it('wait while the phone is not connected, and longer the longer that lasts', async () => {
    await hello()
    phone.refuse(503)
    phone.lose()
    expect(await desk.channel.send(await outbound('Later'), never)).toMatchObject({ kind: 'later', afterMs: 15_000 })
    expect(phone.sent).toEqual([])
  })

  it('to hundreds who waited for the phone get a time each, instead of all trying again at once', async () => {
    phone = makePhone()
    // They all come at once: the clock stands still.
    const clock = { now: () => core.now() }
    desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_paced', timing: { gap: 400 }, clock })
    await desk.untilConnected()
    phone.says(textOf(ANA, 'Hello'))
    await desk.idle()
    const message = await outbound('Good morning')
    const others = [...Array(100).keys()].map((n) => ({ ...message.contact, externalId: `+4915100${n + 10_000}` }))
    const receipts = await Promise.all(
      others.map((contact) => desk.channel.send({ ...message, id: `msg_${nextId()}`, contact }, never)),
    )
    const times = receipts.flatMap((receipt) => (receipt.kind === 'later' ? [receipt.afterMs] : []))
    expect(times.length).toBeGreaterThan(80)
    expect(Math.max(...times)).toBeGreaterThan(times.length * 390)
    times.sort((one, other) => one - other)
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(300)
  })

  it('of which nobody knows whether they left are no matter for a second try', async () => {
    await hello()
    phone.answer.send = () => ({ kind: 'unknown' })
    const fate = await desk.channel.send(await outbound('Did it?'), never).catch((error: unknown) => error)
    expect(fate).toBeInstanceOf(Error)
    expect(fate).not.toHaveProperty('kind')
    // Its receipt comes after all, under our own name for the message.
    const message = await outbound('Did it?')
    await desk.channel.send(message, never).catch(() => {})
    phone.answer.send = () => ({ kind: 'taken' })
    await desk.channel.send(message, never)
    phone.tell({ kind: 'update', raw: { key: keyOf(ANA, phone.sent[0]!.id, true), update: { status: 3 } } })
    await desk.idle()
    expect(desk.arrivals.at(-1)).toEqual({
      kind: 'status',
      externalId: phone.sent[0]!.id,
      messageId: message.id,
      status: 'delivered',
    })
  })

  it('that WhatsApp refuses say why', async () => {
    await hello()
    phone.answer.send = () => ({ kind: 'refused', code: 'whatsapp_463' })
    expect(await desk.channel.send(await outbound('Hi'), never)).toEqual({
      kind: 'refused',
      reason: 'whatsapp_463: WhatsApp did not take it',
    })
  })

  it('that are long go in parts, and a retry repeats none that left', async () => {
    await hello()
    const message = await outbound(`${'A sentence of some length. '.repeat(220)}`)
    let calls = 0
    phone.answer.send = () => ((calls += 1) === 2 ? { kind: 'unknown' } : { kind: 'taken' })
    await expect(desk.channel.send(message, never)).rejects.toThrow()
    const receipt = await desk.channel.send(message, never)
    expect(phone.sent).toHaveLength(2)
    expect(new Set(phone.sent.map(({ id }) => id)).size).toBe(2)
    expect(receipt).toEqual({ kind: 'sent', externalId: phone.sent[1]!.id })
  })
})

describe('linking a phone', () => {
  it('shows a picture until the phone has scanned it, then connects by itself', async () => {
    phone = makePhone()
    phone.showsQr('2@abc,def,ghi')
    desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_qr' })
    const shown = await eventually(async () => desk.health.find(({ pairing }) => pairing?.qr))
    expect(Buffer.from(shown.pairing!.qr!.split(',')[1]!, 'base64').toString()).toContain('<svg')
    phone.scan()
    phone.showsQr(null as unknown as string)
    phone.lose(515)
    await desk.untilConnected()
    expect(desk.health.at(-1)).toEqual({ state: 'connected' })
  })

  it('shows a code where the phone’s number is known', async () => {
    phone = makePhone()
    phone.showsQr('2@abc')
    desk = await openLinkedDesk(mongo, core, phone, {
      channelId: 'chn_code',
      settings: { phoneNumber: '+351911222333' },
    })
    const shown = await eventually(async () => desk.health.find(({ pairing }) => pairing?.code))
    expect(shown.pairing).toMatchObject({ code: 'ABCD1234' })
    expect(shown.pairing).not.toHaveProperty('qr')
  })

  it('that was unlinked on the phone ends it, forgets its keys and says so', async () => {
    await open({}, 'chn_out')
    phone.lose(401)
    await eventually(async () => desk.health.at(-1)?.code === 'logged_out')
    const left = () => mongo.db.collection('channel_memory').countDocuments({ channelId: 'chn_out' })
    await eventually(async () => (await left()) === 0)
    expect(phone.connections).toBe(1)
  })

  it('whose keys are damaged is refused and left as it is', async () => {
    await open({}, 'chn_broken')
    await desk.stop()
    const documents = mongo.db.collection<{ _id: string }>('channel_memory')
    await documents.updateOne({ _id: 'chn_broken/link/identity' }, { $set: { value: 'cut' } })
    phone = makePhone()
    desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_broken' })
    await eventually(async () => desk.health.at(-1)?.code === 'keys_damaged')
    expect(desk.health.at(-1)?.state).toBe('refused')
    expect(phone.connections).toBe(0)
    expect(await documents.findOne({ _id: 'chn_broken/link/identity' })).toMatchObject({ value: 'cut' })
  })
})
