import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { openBaileys } from '../../src/channels/whatsapp/linked/baileys.js'
import { makeLink } from '../../src/channels/whatsapp/linked/link.js'
import { openSessionKeys } from '../../src/channels/whatsapp/linked/session-keys.js'
import type { Health } from '../../src/channels/channel.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import type { Mongo } from '../../src/platform/mongo.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { eventually } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Mongo & { close(): Promise<void> }
let server: Server
let url: string
let sockets: Duplex[]
let refusing = false
let hellos: Buffer[]
const stopping: (() => Promise<void>)[] = []

beforeAll(async () => {
  mongo = await openTestMongo()
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat`
  sockets = []
  hellos = []
  server.on('upgrade', (request, socket: Duplex) => {
    sockets.push(socket)
    socket.on('error', () => {})
    if (refusing) return socket.destroy()
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
      .digest('base64')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'))
    socket.once('data', (frame: Buffer) => hellos.push(unmasked(frame)))
    socket.on('data', ([first = 0]: Buffer) => (first === CLOSE_FRAME[0] ? socket.end(CLOSE_FRAME) : undefined))
  })
})
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop()
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  await mongo.close()
})

/** RFC 6455 sections 1.3 and 5.2; a client's short frame. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const unmasked = (frame: Buffer): Buffer => {
  const mask = frame.subarray(2, 6)
  return Buffer.from(frame.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
}
const CLOSE_FRAME = Buffer.from([0x88, 0])

const link = (channelId: string) => {
  const memory = makeMemories(mongo).of({ companyId: 'acme', id: channelId })
  const secrets = makeSecrets('k'.repeat(40))
  const health: Health[] = []
  const made = makeLink({
    openKeys: () => openSessionKeys({ channelId, memory, secrets }),
    openSocket: openBaileys({ url }),
    phoneNumber: undefined,
    sentText: async () => null,
    report: (said) => health.push(said),
    clock: systemClock,
    log: makeLog('silent'),
  })
  const stop = new AbortController()
  const running = made.run(stop.signal, () => {})
  stopping.push(async () => (stop.abort(), running))
  return { health, keys: () => openSessionKeys({ channelId, memory, secrets }) }
}

describe('a linked phone through Baileys, against a WebSocket server', () => {
  it('connects with WhatsApp’s handshake, and again after the server closed', async () => {
    const before = sockets.length
    const { health, keys } = link('chn_ws')
    await eventually(async () => hellos.length > before)
    expect(hellos.at(-1)!.subarray(0, 2).toString()).toBe('WA')
    const first = (await keys()).identity
    expect(first).toMatchObject({ registered: false, noiseKey: { private: expect.any(Buffer) } })
    sockets.at(-1)!.end(CLOSE_FRAME)
    await eventually(async () => health.some(({ code }) => code === 'lost'))
    await eventually(async () => sockets.length === before + 2)
  })

  it('answers a server that throws everybody out with pauses, not with a storm', async () => {
    const before = sockets.length
    refusing = true
    const { health } = link('chn_storm')
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    refusing = false
    // After 0, 1 and 3 s.
    expect(sockets.length - before).toBeLessThanOrEqual(3)
    expect(health.at(-1)?.state).not.toBe('connected')
  })

  it('leaves nothing running behind when the channel is closed', async () => {
    const before = sockets.length
    const heard = hellos.length
    link('chn_closed')
    await eventually(async () => hellos.length > heard)
    const closed = new Promise((resolve) => sockets.at(-1)!.once('close', resolve))
    await stopping.pop()!()
    await closed
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(sockets.length).toBe(before + 1)
  })
})
