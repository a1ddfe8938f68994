import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import type { ChannelDefinition, ChannelKit, Health, Receive } from '../../src/channels/channel.js'
import { defineChannel } from '../../src/channels/channel.js'
import type { Origin, OutboundMessage } from '../../src/conversations/message.js'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { makeChannelRegistry } from '../../src/channels/registry.mongo.js'
import { makeOutside } from '../../src/platform/addresses.js'
import { makeBus } from '../../src/platform/bus.js'
import { AppError } from '../../src/platform/errors.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { openTestMongo } from '../support/mongo.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())

let report: (health: Health) => void
let told: Receive | undefined
let given: unknown[]

/** A kind of channel with settings inside settings, as a mailbox has. */
const mailbox = defineChannel({
  label: 'Mailbox',
  icon: 'mail',
  settings: z.strictObject({
    address: z.email(),
    imap: z.strictObject({
      host: z.string(),
      password: z.string(),
      oauth: z.strictObject({ secret: z.string() }).optional(),
    }),
  }),
  secrets: ['imap.password', 'imap.oauth.secret'],
  idempotent: false,
  webhookBytes: 10,
  check: async (settings) => {
    const { imap } = settings as { imap: { password: string } }
    if (imap.password === 'wrong')
      throw new AppError('invalid', 'password_refused', 'The server refuses this password.', {
        field: 'settings.imap.password',
      })
  },
  open: (settings, kit) => {
    given.push(settings)
    report = (kit as unknown as { tell(health: Health): void }).tell
    return {
      start: async (receive) => void (told = receive),
      stop: async () => {},
      send: async () => ({ kind: 'sent' }),
      webhook: async (request) => new Response(await request.text(), { status: 202 }),
    }
  },
})

const back: Origin[] = []
const metrics = makeMetrics()
const bus = makeBus()
const memories = makeMemories(mongo)
const open = (kinds: Record<string, ChannelDefinition>) =>
  makeChannelRegistry({
    db: mongo.db,
    kinds,
    receive: (): Receive => async (arrival) =>
      arrival.kind === 'message' ? { messageId: 'm', conversationId: 'c', duplicate: false } : null,
    kit: (record, tell) => ({ record, tell }) as unknown as ChannelKit,
    connected: (channel) => back.push(channel),
    healthChanged: async () => {},
    forget: memories.forget,
    outside: makeOutside({ allowPrivate: false }),
    metrics,
    bus,
    clock: { now: () => new Date('2026-03-02T10:00:00Z') },
    log: makeLog('silent'),
    secrets: makeSecrets('k'.repeat(40)),
  })

const settings = {
  address: 'help@example.test',
  imap: { host: 'imap.example.test', password: 'right', oauth: { secret: 'hidden too' } },
}

beforeEach(async () => {
  given = []
  await mongo.db.collection('channels').deleteMany({})
})

describe('settings inside settings', () => {
  it('are sealed in the store, never returned, and opened for the channel alone', async () => {
    const registry = open({ mailbox })
    const { id } = await registry.create('acme', { kind: 'mailbox', settings })
    const [stored] = await mongo.db.collection('channels').find().toArray()
    expect(JSON.stringify(stored)).not.toMatch(/right|hidden too/)
    expect(given).toEqual([settings])
    const shown = await registry.get('acme', id)
    expect(shown.settings).toEqual({ address: settings.address, imap: { host: 'imap.example.test', oauth: {} } })
    expect(shown.secretsSet).toEqual(['imap.password', 'imap.oauth.secret'])
    await registry.closeAll()
    const again = open({ mailbox })
    await again.openAll()
    expect(given.at(-1)).toEqual(settings)
    await again.closeAll()
  })

  it('keep what is not given anew: who changes the host need not know the password', async () => {
    const registry = open({ mailbox })
    const { id } = await registry.create('acme', { kind: 'mailbox', settings })
    await registry.update('acme', id, { settings: { imap: { host: 'other.example.test' } } })
    expect(given.at(-1)).toEqual({ ...settings, imap: { ...settings.imap, host: 'other.example.test' } })
    await registry.closeAll()
  })

  it('that the provider refuses are not kept, and what ran goes on', async () => {
    const registry = open({ mailbox })
    const { id } = await registry.create('acme', { kind: 'mailbox', settings })
    const wrong = { imap: { ...settings.imap, password: 'wrong' } }
    const refused = { code: 'password_refused', field: 'settings.imap.password' }
    await expect(registry.update('acme', id, { settings: wrong })).rejects.toMatchObject(refused)
    await expect(
      registry.create('acme', { kind: 'mailbox', settings: { ...settings, ...wrong } }),
    ).rejects.toMatchObject(refused)
    expect(given).toEqual([settings])
    expect(await registry.list('acme')).toHaveLength(1)
    await registry.closeAll()
  })
})

describe('how a channel is', () => {
  it('is told as it changes, kept, counted, and told once', async () => {
    const registry = open({ mailbox })
    const { id } = await registry.create('acme', { kind: 'mailbox', settings })
    const events: string[] = []
    const unsubscribe = bus.subscribe((event) => {
      if (event.type === 'channel') events.push(event.state)
    })
    expect(await registry.list('acme')).toMatchObject([{ id, state: 'open', webhookPath: `/webhooks/${id}` }])
    report({ state: 'connected' })
    report({ state: 'connected' })
    report({ state: 'refused', code: 'password_refused', detail: 'The server refuses the password.' })
    while (events.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(events).toEqual(['connected', 'refused'])
    expect(await registry.list('acme')).toMatchObject([
      { state: 'refused', code: 'password_refused', at: new Date('2026-03-02T10:00:00Z') },
    ])
    expect(registry.troubled()).toEqual(['password_refused'])
    expect(back).toEqual([{ companyId: 'acme', channelId: id }])
    await registry.send({ companyId: 'acme', channelId: id }, {} as OutboundMessage, new AbortController().signal)
    await told?.({ kind: 'identity', from: 'a', to: 'b' })
    const wrote = (change: object) =>
      told?.({ kind: 'message', externalId: 'm', contact: { externalId: 'c' }, text: 'Hello', ...change })
    expect(registry.lagMs()).toBeNull()
    await wrote({ sentAt: new Date('2026-03-02T09:59:58Z') })
    // What lay there before the channel was opened is not late.
    await wrote({ sentAt: new Date('2026-02-02T09:59:58Z'), automatic: 'history' })
    expect(registry.lagMs()).toBe(2_000)
    const lastArrival = { at: new Date('2026-03-02T09:59:58Z'), lagMs: 2_000 }
    expect(await registry.list('acme')).toMatchObject([{ lastArrival }])
    expect((await registry.list('globex')).length).toBe(0)
    const exposed = await metrics.registry.metrics()
    expect(exposed).toContain('helpdesk_channels{kind="mailbox",state="refused",code="password_refused"} 1')
    expect(exposed).toContain('helpdesk_channel_changes_total{kind="mailbox",state="connected"} 1')
    expect(exposed).toContain('helpdesk_channel_sends_total{kind="mailbox",outcome="sent"} 1')
    expect(exposed).toContain('helpdesk_channel_arrivals_total{kind="mailbox",arrival="identity"} 1')
    expect(exposed).toContain('helpdesk_channel_lag_seconds_sum{kind="mailbox"} 2')
    await registry.remove('acme', id)
    // What a closed one still says counts for nobody.
    report({ state: 'connected' })
    expect(await metrics.registry.metrics()).not.toContain('helpdesk_channels{kind="mailbox"')
    unsubscribe()
  })

  it('is unknown to another company, whatever it asks', async () => {
    const registry = open({ mailbox })
    const { id } = await registry.create('acme', { kind: 'mailbox', settings })
    for (const ask of [
      () => registry.get('other', id),
      () => registry.test('other', id, 'me@example.test'),
      () => registry.templates('other', id),
      () => registry.update('other', id, { name: 'Mine' }),
      () => registry.remove('other', id),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'channel_not_found' })
    expect(await registry.reachable({ companyId: 'other', channelId: id }, 'cnv_1')).toEqual({ kind: 'open' })
    await registry.closeAll()
  })
})

describe('what a channel remembers', () => {
  it('is its own, is listed in order, and is forgotten with it', async () => {
    const own = memories.of({ companyId: 'acme', id: 'chn_1' })
    const others = memories.of({ companyId: 'acme', id: 'chn_12' })
    for (const key of ['media/2', 'media/1', 'cursor']) await own.set(key, { key })
    await others.set('media/3', { key: 'theirs' })
    expect(await own.list('media/')).toEqual([
      { key: 'media/1', value: { key: 'media/1' } },
      { key: 'media/2', value: { key: 'media/2' } },
    ])
    await own.remove('media/1')
    expect(await own.get('media/1')).toBeNull()
    expect(await memories.of({ companyId: 'other', id: 'chn_1' }).get('cursor')).toBeNull()
    await memories.forget('acme', 'chn_1')
    expect(await own.list('')).toEqual([])
    expect(await others.get('media/3')).toEqual({ key: 'theirs' })
  })
})
