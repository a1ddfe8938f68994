import { afterAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { defineChannel, type ChannelKit, type Health } from '../../src/channels/channel.js'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { makeChannelRegistry } from '../../src/channels/registry.mongo.js'
import { decodeMessage, decodeReaction, decodeUpdate } from '../../src/channels/whatsapp/linked/decode.js'
import { makeOutside } from '../../src/platform/addresses.js'
import { makeBus } from '../../src/platform/bus.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { eventually } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { keyOf, messageOf, textOf } from '../support/whatsapp-socket.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())

describe('what a phone has to scan', () => {
  it('is shown with the channel, not in the list, and never reaches the store', async () => {
    let report: (health: Health) => void = () => {}
    const phone = defineChannel({
      label: 'Phone',
      icon: 'phone',
      settings: z.object({}),
      idempotent: false,
      open: (_settings, kit) => {
        report = (kit as unknown as { tell(health: Health): void }).tell
        return { start: async () => {}, stop: async () => {}, send: async () => ({ kind: 'sent' }) }
      },
    })
    const registry = makeChannelRegistry({
      db: mongo.db,
      kinds: { phone },
      receive: () => async () => null,
      kit: (record, tell) => ({ record, tell }) as unknown as ChannelKit,
      connected: () => {},
      healthChanged: async () => {},
      forget: makeMemories(mongo).forget,
      outside: makeOutside({ allowPrivate: false }),
      metrics: makeMetrics(),
      bus: makeBus(),
      clock: systemClock,
      log: makeLog('silent'),
      secrets: makeSecrets('k'.repeat(40)),
    })
    const { id } = await registry.create('acme', { kind: 'phone', settings: {} })
    const pairing = { qr: 'data:image/svg+xml;base64,SECRETPICTURE', expiresAt: new Date('2026-03-02T10:01:00Z') }
    report({ state: 'connecting', code: 'pairing', pairing })
    const documents = mongo.db.collection('channels')
    await eventually(async () => (await documents.findOne({ 'health.code': 'pairing' })) !== null)
    expect(await registry.get('acme', id)).toMatchObject({ state: 'connecting', pairing })
    expect(JSON.stringify(await documents.find().toArray())).not.toContain('SECRETPICTURE')
    expect(JSON.stringify(await registry.list('acme'))).not.toContain('SECRETPICTURE')
    await expect(registry.get('globex', id)).rejects.toMatchObject({ code: 'channel_not_found' })
    report({ state: 'connected' })
    expect(await registry.get('acme', id)).not.toHaveProperty('pairing')
    await registry.closeAll()
  })
})

const ANA = { number: '5511987654321' }
const media = { mediaKey: new Uint8Array([1]), mimetype: 'audio/ogg; codecs=opus' }

describe('every kind of message', () => {
  it.each([
    ['plain words', { conversation: 'hi' }, { kind: 'text', text: 'hi' }],
    ['words with a preview', { extendedTextMessage: { text: 'hi' } }, { kind: 'text', text: 'hi' }],
    ['words that disappear', { ephemeralMessage: { message: { conversation: 'hi' } } }, { kind: 'text', text: 'hi' }],
    [
      'a voice note',
      { audioMessage: { ...media, ptt: true } },
      { kind: 'media', media: { kind: 'voice', type: 'audio/ogg' } },
    ],
    ['a song', { audioMessage: media }, { kind: 'media', media: { kind: 'audio' } }],
    [
      'a document with words',
      { documentWithCaptionMessage: { message: { documentMessage: { ...media, fileName: 'a.pdf', caption: 'see' } } } },
      { kind: 'media', media: { kind: 'document', name: 'a.pdf' }, caption: 'see' },
    ],
    [
      'a picture without its key',
      { imageMessage: { mimetype: 'image/png' } },
      { kind: 'unsupported', what: 'image:without_key' },
    ],
    ['a place', { locationMessage: { degreesLatitude: 1, degreesLongitude: 2 } }, { kind: 'location', latitude: 1 }],
    ['no place', { locationMessage: { degreesLatitude: 91, degreesLongitude: 2 } }, { kind: 'unsupported' }],
    [
      'a card',
      {
        contactMessage: {
          displayName: 'Rui',
          vcard: 'BEGIN:VCARD\nTEL;type=CELL;waid=351911:+351 911\nEMAIL:r@x.test\nEND:VCARD',
        },
      },
      { kind: 'contacts', cards: [{ name: 'Rui', phones: ['+351 911'], emails: ['r@x.test'] }] },
    ],
    ['a poll', { pollCreationMessageV3: { name: 'x' } }, { kind: 'unsupported', what: 'poll' }],
    ['a kind of tomorrow', { hologramMessage: {} }, { kind: 'unknown', what: 'hologramMessage' }],
  ])('%s', (_name, message, content) => {
    expect(decodeMessage(messageOf(ANA, message))).toMatchObject({ kind: 'message', content })
  })

  it.each([
    [undefined],
    [null],
    [7],
    ['text'],
    [[]],
    [{ key: null }],
    [{ key: { remoteJid: {}, id: [] } }],
    [textOf(ANA, 'x', { id: '\u0000' })],
    [messageOf(ANA, { protocolMessage: { type: 5 } })],
    [messageOf(ANA, { protocolMessage: { type: 14, key: { id: 'A' }, editedMessage: null } })],
    [messageOf({ lid: 'not-a-number' }, { conversation: 'x' })],
  ])('strange input %# is named and harms nothing', (raw) => {
    expect(decodeMessage(raw)).toMatchObject({ kind: 'ignored' })
    expect(decodeUpdate(raw).kind).toBe('ignored')
    expect(decodeReaction(raw).kind).toBe('ignored')
  })

  it('wrapped in a hundred layers ends, and is not taken for words', () => {
    let message: object = { conversation: 'deep' }
    for (let depth = 0; depth < 100; depth += 1) message = { ephemeralMessage: { message } }
    expect(decodeMessage(messageOf(ANA, message))).toMatchObject({ content: { kind: 'unknown' } })
  })

  it('of ours that WhatsApp refused says with which code', () => {
    const raw = { key: keyOf(ANA, 'X1', true), update: { status: 0, messageStubParameters: ['463'] } }
    expect(decodeUpdate(raw)).toMatchObject({ kind: 'status', status: 'refused', code: '463' })
  })
})
