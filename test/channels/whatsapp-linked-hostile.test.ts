import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeLog } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { eventually } from '../support/app.js'
import { openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'
import { makePhone, messageOf, nextId, textOf, type Phone } from '../support/whatsapp-socket.js'
import { openLinkedDesk } from '../support/whatsapp-linked.js'

/** Stands in every word, name and number below: no line of the log may carry it. */
const CANARY = '4479'
const ANA = { number: '5511987654321' }
const EVE = { number: `${CANARY}00900123`, lid: `${CANARY}90001234` }

let mongo: Mongo & { close(): Promise<void> }
let core: Core
let phone: Phone
let desk: Awaited<ReturnType<typeof openLinkedDesk>>
let lines: string[]
let channels = 0

beforeAll(async () => {
  mongo = await openTestMongo()
  core = await openCore(mongo)
})
afterAll(() => mongo.close())
beforeEach(async () => {
  lines = []
  phone = makePhone()
  const log = makeLog('trace', { write: (line) => void lines.push(line) })
  desk = await openLinkedDesk(mongo, core, phone, { channelId: `chn_hostile_${(channels += 1)}`, log })
  await desk.untilConnected()
})
afterEach(() => desk.stop())

const codes = () => lines.map((line) => (JSON.parse(line) as { code?: string }).code)
/** The channel goes on, and nothing of what was said or by whom is in the log. */
const livesOn = async () => {
  phone.says(textOf(ANA, 'and life goes on'))
  await eventually(async () => (await desk.texts()).includes('and life goes on'))
  expect(desk.health.at(-1)).toEqual({ state: 'connected' })
  expect(lines.join('')).not.toContain(CANARY)
}

describe('a linked phone goes on, names what it was told, and logs nothing of it', () => {
  it('when a number contradicts the one that was told before', async () => {
    phone.says(textOf(EVE, `${CANARY} hello`))
    await desk.idle()
    phone.tell({ kind: 'mapping', raw: { lid: `${EVE.lid}@lid`, pn: `${CANARY}00900999@s.whatsapp.net` } })
    await desk.idle()
    expect(codes()).toContain('mapping_contradicted')
    await livesOn()
  })

  it.each([
    ['no object', CANARY],
    ['one name', { lid: `${CANARY}90001234@lid` }],
    ['a hidden id for a number', { lid: `${CANARY}90001234@lid`, pn: `${CANARY}90001234@lid` }],
    ['a group', { lid: `${CANARY}-1@g.us`, pn: `${CANARY}00900123@s.whatsapp.net` }],
    ['a number of forty digits', { lid: `${CANARY}90001234@lid`, pn: `${CANARY.repeat(10)}@s.whatsapp.net` }],
  ])('when a mapping is %s', async (_name, raw) => {
    phone.tell({ kind: 'mapping', raw })
    await desk.idle()
    expect(codes()).toContain('mapping_unreadable')
    await livesOn()
  })

  it('when a message is of a kind of tomorrow: a person looks at it', async () => {
    phone.says(messageOf(EVE, { hologramMessage: { depth: CANARY } }))
    await desk.idle()
    const [message] = await desk.messages()
    expect(message).toHaveProperty('needsPerson')
    expect(message!.text).not.toContain(CANARY)
    await livesOn()
  })

  it('when a message comes from the year 2031, or from no time at all', async () => {
    for (const at of [1_930_000_000, -1, Number.NaN, 1e18]) phone.says(textOf(EVE, `${CANARY} at ${at}`, { at: at }))
    await desk.idle()
    const messages = await desk.messages()
    expect(messages).toHaveLength(4)
    for (const { sentAt } of messages) expect(sentAt?.getTime() ?? 0).toBeLessThanOrEqual(Date.now())
    await livesOn()
  })

  it('when the key of a file does not fit', async () => {
    const id = nextId()
    phone.files.set(id, 'wrong key')
    const imageMessage = { mediaKey: new Uint8Array([9]), mimetype: 'image/png', caption: CANARY }
    phone.says(messageOf(EVE, { imageMessage }, { id }))
    await desk.idle()
    expect((await desk.messages())[0]).toMatchObject({ details: { missing: 'damaged' } })
    expect(codes()).toContain('file_damaged')
    await livesOn()
  })

  it('when the history of years is handed over: nobody who writes now waits behind it', async () => {
    const mappings = [...Array(10_000).keys()].map((n) => ({
      lid: `${CANARY}8${String(n).padStart(7, '0')}@lid`,
      pn: `${CANARY}7${String(n).padStart(7, '0')}@s.whatsapp.net`,
    }))
    phone.tell({ kind: 'history', messages: 10_000, mappings })
    await livesOn()
    const learned = () => mongo.db.collection('channel_memory').countDocuments({ _id: /\/lid\// as never })
    expect(await learned()).toBeLessThan(10_000)
    expect(await desk.texts()).toEqual(['and life goes on'])
  })

  it.each([
    ['nothing', undefined],
    ['words', CANARY],
    ['a list', [CANARY]],
    ['keys that are none', { key: { remoteJid: { [CANARY]: 1 }, id: 7 } }],
    ['a prototype', JSON.parse(`{"key":{"remoteJid":"${CANARY}@s.whatsapp.net"},"__proto__":{"x":1}}`) as unknown],
    ['a message inside itself', cyclic()],
  ])('when it is told %s instead of a message', async (_name, raw) => {
    for (const kind of ['message', 'update', 'reaction', 'mapping'] as const) phone.tell({ kind, raw })
    await desk.idle()
    await livesOn()
    expect(await desk.texts()).toEqual(['and life goes on'])
  })
})

function cyclic(): unknown {
  const message: Record<string, unknown> = {}
  message.ephemeralMessage = { message }
  return { key: { remoteJid: 'status@broadcast', id: 'A' }, message }
}
