import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { AppError } from '../../src/platform/errors.js'
import { makeLog } from '../../src/platform/log.js'
import { ensureSchema, type Mongo } from '../../src/platform/mongo.js'
import { fileTextSchemas, makeReadFile, type ReadFile } from '../../src/rag/file-texts.mongo.js'
import { makeModel, makeTranscriber } from '../../src/rag/model.js'
import { eventually } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { openPlayer, type Behaviour } from '../support/openai.mjs'
import { picture, voiceNote } from '../support/recordings.mjs'
import { never, openProvider } from './provider.js'

let mongo: Mongo & { close(): Promise<void> }
let player: Awaited<ReturnType<typeof openPlayer>>
const time = { now: new Date('2026-03-02T10:00:00Z') }
const clock = { now: () => time.now }
const budget: { spent: AppError | null } = { spent: null }

beforeAll(async () => {
  mongo = await openTestMongo()
  player = await openPlayer()
  await ensureSchema(mongo.db, fileTextSchemas)
})
afterEach(() => {
  player.behave('good')
  player.forget()
  budget.spent = null
})
afterAll(async () => {
  await player.close()
  await mongo.close()
})

/** Its own breaker, so that no test opens another's; what it used is noted. */
const openReader = () => {
  const { provider, used } = openProvider({
    baseUrl: player.baseUrl,
    meter: {
      assertWithinBudget: async () => {
        if (budget.spent) throw budget.spent
      },
    },
  })
  const transcriber = makeTranscriber({ provider, name: 'player-ear', pricePerMinute: 0.006 })
  const seer = makeModel({ provider, name: 'player-eye', price: { input: 1, output: 4 }, firstMs: 2_000 })
  return { read: makeReadFile({ mongo, transcriber, seer, clock, log: makeLog('silent') }), used }
}

let number = 0
/** A recording that nobody has heard before. */
const said = (text: string, seconds?: number) => voiceNote(`${text} (${(number += 1)})`, seconds)
const fileOf = (bytes: Buffer) => ({
  id: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
  open: async () => once(bytes),
})
async function* once(bytes: Buffer) {
  yield bytes
}
const hear = (read: ReadFile, bytes: Buffer, companyId = 'acme') => read(companyId, fileOf(bytes), 'en', never)

describe('a voice note', () => {
  it('is written down, counted in tokens, and priced by the minute', async () => {
    const { read, used } = openReader()
    const outcome = await hear(read, said('How long can I return goods?', 30))
    expect(outcome).toMatchObject({
      kind: 'read',
      text: { kind: 'transcript', text: expect.stringContaining('How long can I return goods?'), model: 'player-ear' },
    })
    expect(used).toHaveLength(1)
    expect(used[0]).toMatchObject({ companyId: 'acme', purpose: 'transcription', requests: 1, inputTokens: 500 })
    expect(used[0]?.costUsd).toBeCloseTo(0.003)
    expect(player.requests[0]).toMatchObject({
      path: '/v1/audio/transcriptions',
      authorization: 'Bearer sk-of-the-tests',
    })
    expect(player.requests[0]?.body).toMatchObject({ model: 'player-ear', name: 'recording.ogg' })
  })

  it('is paid for once by a company, however often and from how many places it comes', async () => {
    const one = openReader()
    const other = openReader()
    player.behave({ kind: 'slow', firstTokenMs: 150 })
    const bytes = said('Where is my parcel?')
    const all = await Promise.allSettled([one, other, one, other].map(({ read }) => hear(read, bytes)))
    const heard = all.filter(({ status }) => status === 'fulfilled')
    const busy = all.filter((each) => each.status === 'rejected' && (each.reason as AppError).code === 'file_busy')
    expect([heard.length, busy.length]).toEqual([1, 3])
    expect(await hear(other.read, bytes)).toEqual(await hear(one.read, bytes))
    expect(player.received()).toBe(1)
  })

  it('is another company’s own: nothing is known of it there', async () => {
    const { read } = openReader()
    const bytes = said('Our secret')
    await hear(read, bytes, 'acme')
    await hear(read, bytes, 'globex')
    expect(player.received()).toBe(2)
  })

  it('of a process that died is heard by another one, once it is sure that it died', async () => {
    const { read } = openReader()
    player.behave('hanging')
    const bytes = said('Hello')
    const file = fileOf(bytes)
    // As after kill -9: the claim stands, and nobody works under it.
    const dying = read('acme', file, 'en', never).catch(() => null)
    await eventually(async () => player.requests.some(({ played }) => played === 'hanging'))
    player.behave('good')
    await expect(hear(openReader().read, bytes)).rejects.toMatchObject({ code: 'file_busy' })
    time.now = new Date(time.now.getTime() + 6_001)
    expect(await hear(openReader().read, bytes)).toMatchObject({ kind: 'read' })
    await player.close()
    player = await openPlayer()
    await dying
  })

  it.each<[string, Behaviour, string]>([
    ['nobody speaks in', { kind: 'garbage', what: 'empty' }, 'silent'],
    ['the model refuses', { kind: 'refusing' }, 'refused'],
    ['comes back as no JSON', { kind: 'garbage', what: 'not_json' }, 'garbled'],
    ['comes back in another form', { kind: 'garbage', what: 'wrong_schema' }, 'garbled'],
    ['comes back without an end', { kind: 'garbage', what: 'endless' }, 'garbled'],
  ])('that %s is not asked for again', async (_what, behaviour, reason) => {
    const { read } = openReader()
    const bytes = said('Something')
    player.behave(behaviour)
    expect(await hear(read, bytes)).toEqual({ kind: 'unread', reason })
    player.behave('good')
    expect(await hear(read, bytes)).toEqual({ kind: 'unread', reason })
    expect(player.received()).toBe(1)
  })

  it.each<[string, Behaviour, string]>([
    ['fails', { kind: 'failing', status: 500 }, 'model_failed'],
    ['breaks the line', { kind: 'cut' }, 'model_failed'],
    ['takes no more', { kind: 'limited' }, 'model_limited'],
  ])('is asked for again where the provider %s', async (_what, behaviour, code) => {
    const bytes = said('Something')
    player.behave(behaviour)
    await expect(hear(openReader().read, bytes)).rejects.toMatchObject({ kind: 'unavailable', code })
    player.behave('good')
    expect(await hear(openReader().read, bytes)).toMatchObject({ kind: 'read' })
  })

  it('is not heard once the month’s tokens are used up, and heard in the next one', async () => {
    const { read } = openReader()
    const bytes = said('Something')
    budget.spent = new AppError('unavailable', 'model_budget', 'The tokens of this month are used up.')
    expect(await hear(read, bytes)).toEqual({ kind: 'unread', reason: 'budget' })
    expect(player.received()).toBe(0)
    budget.spent = null
    expect(await hear(read, bytes)).toMatchObject({ kind: 'read' })
  })

  it.each<[string, Buffer, string]>([
    ['longer than ten minutes', voiceNote('On and on', 601), 'too_long'],
    ['larger than sixteen megabytes', Buffer.concat([voiceNote('Big'), Buffer.alloc(17 * 1024 * 1024)]), 'too_large'],
    [
      'that is a program',
      Buffer.concat([Buffer.from('\u007fELF\u0002\u0001\u0001', 'latin1'), Buffer.alloc(64)]),
      'unsupported',
    ],
    ['that is nothing at all', Buffer.from('not a recording'), 'unsupported'],
    ['that is empty', Buffer.alloc(0), 'unsupported'],
  ])('%s never leaves for the provider', async (_what, bytes, reason) => {
    expect(await hear(openReader().read, bytes)).toEqual({ kind: 'unread', reason })
    expect(player.received()).toBe(0)
  })
})

describe('a picture', () => {
  it('is described, with the writing in it apart', async () => {
    const { read, used } = openReader()
    const bytes = picture('A coffee machine with a red light.', 'ERROR E42')
    expect(await hear(read, bytes)).toMatchObject({
      kind: 'read',
      text: { kind: 'description', text: 'A coffee machine with a red light.\n“ERROR E42”', model: 'player-eye' },
    })
    expect(used[0]).toMatchObject({ purpose: 'description', requests: 1 })
    expect(used[0]?.inputTokens).toBeGreaterThan(0)
  })

  it('whose description is garbled has none', async () => {
    player.behave({ kind: 'garbage', what: 'not_json' })
    expect(await hear(openReader().read, picture('A cup'))).toEqual({ kind: 'unread', reason: 'garbled' })
  })

  it('is left alone where nothing sees', async () => {
    const read = makeReadFile({ mongo, transcriber: null, seer: null, clock, log: makeLog('silent') })
    expect(await hear(read, picture('A tree'))).toEqual({ kind: 'unread', reason: 'unsupported' })
  })
})
