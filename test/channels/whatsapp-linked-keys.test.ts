import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeMemories } from '../../src/channels/memory.mongo.js'
import { openSessionKeys } from '../../src/channels/whatsapp/linked/session-keys.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { openTestMongo } from '../support/mongo.js'

const mongo = await openTestMongo()
afterAll(() => mongo.close())
const memories = makeMemories(mongo)
const secrets = makeSecrets('k'.repeat(40))
const documents = mongo.db.collection<{ _id: string; value: unknown }>('channel_memory')
const memoryOf = (id: string, companyId = 'acme') => memories.of({ companyId, id })
const openKeys = (channelId = 'chn_1', companyId = 'acme') =>
  openSessionKeys({ channelId, memory: memoryOf(channelId, companyId), secrets })

const identity = () => ({
  noiseKey: { public: Buffer.from([1, 2]), private: Buffer.from([3, 4]) },
  signedIdentityKey: { public: Buffer.from([5]), private: Buffer.from([6]) },
  registrationId: 7,
})
const linked = () => ({ ...identity(), account: { details: 'signed by the phone' } })

beforeEach(async () => {
  await documents.deleteMany({})
})

describe('the keys of a linked phone', () => {
  it('are what they were after a restart, bytes included, and unreadable in the store', async () => {
    const keys = await openKeys()
    expect(keys.identity).toBeNull()
    await keys.begin(linked())
    await keys.set({ session: { 'a.1': Buffer.from('ratchet of a') }, 'lid-mapping': { '4911': '88' } })
    const again = await openKeys()
    expect(again.identity).toEqual(linked())
    expect(await again.get('session', ['a.1', 'b.1'])).toEqual({ 'a.1': Buffer.from('ratchet of a') })
    expect(await again.get('lid-mapping', ['4911'])).toEqual({ '4911': '88' })
    const stored = JSON.stringify(await documents.find().toArray())
    expect(stored).not.toContain('ratchet')
    expect(stored).not.toContain(Buffer.from('ratchet of a').toString('base64'))
  })

  it('that change together are written together, the identity with them', async () => {
    const keys = await openKeys()
    const own: Record<string, unknown> = linked()
    await keys.begin(own)
    own.nextPreKeyId = 31
    await keys.set({ session: { a: Buffer.from('1') }, 'pre-key': { 3: null } })
    expect((await openKeys()).identity).toMatchObject({ nextPreKeyId: 31 })
    const tooLarge = { session: { a: Buffer.from('2'), b: Buffer.alloc(17 * 1024 * 1024) } }
    await expect(keys.set(tooLarge)).rejects.toThrow()
    expect(await (await openKeys()).get('session', ['a', 'b'])).toEqual({ a: Buffer.from('1') })
  })

  it.each([
    ['cut short', (sealed: string) => sealed.slice(0, -9)],
    ['of another secret', () => makeSecrets('another'.repeat(8)).seal('whatsapp-link chn_1', '{}')],
    ['no text', () => 7],
    ['of another shape', () => secrets.seal('whatsapp-link chn_1', '{"v":1,"name":"identity","value":[]}')],
  ])('that are %s are refused, and stay as they are', async (_name, spoil) => {
    const keys = await openKeys()
    await keys.begin(linked())
    const id = 'chn_1/link/identity'
    const [before] = await documents.find({ _id: id }).toArray()
    const value = spoil(before!.value as string)
    await documents.updateOne({ _id: id }, { $set: { value } })
    await expect(openKeys()).rejects.toMatchObject({ code: 'keys_damaged' })
    expect((await documents.findOne({ _id: id }))?.value).toEqual(value)
  })

  it('of another company or another channel open nothing here', async () => {
    const keys = await openKeys('chn_1')
    await keys.begin(linked())
    const [stolen] = await documents.find({ _id: 'chn_1/link/identity' }).toArray()
    const planted = { _id: 'chn_2/link/identity', companyId: 'globex', channelId: 'chn_2', value: stolen!.value }
    await documents.insertOne(planted)
    await expect(openKeys('chn_2', 'globex')).rejects.toMatchObject({ code: 'keys_damaged' })
  })

  it('under each other’s names are damaged', async () => {
    const keys = await openKeys()
    await keys.begin(linked())
    await keys.set({ session: { a: Buffer.from('of a'), b: Buffer.from('of b') } })
    const [a] = await documents.find({ _id: 'chn_1/link/session/a' }).toArray()
    await documents.updateOne({ _id: 'chn_1/link/session/b' }, { $set: { value: a!.value } })
    await expect((await openKeys()).get('session', ['b'])).rejects.toMatchObject({ code: 'keys_damaged' })
  })

  it('without their identity are damaged: no fresh one is put over them', async () => {
    const keys = await openKeys()
    await keys.begin(linked())
    await keys.set({ session: { a: Buffer.from('1') } })
    await documents.deleteOne({ _id: 'chn_1/link/identity' })
    await expect(openKeys()).rejects.toMatchObject({ code: 'keys_damaged' })
  })

  it('of a newer version are left to it', async () => {
    const keys = await openKeys()
    await keys.begin(linked())
    const value = secrets.seal('whatsapp-link chn_1', '{"v":2,"name":"identity","value":{}}')
    await documents.updateOne({ _id: 'chn_1/link/identity' }, { $set: { value } })
    await expect(openKeys()).rejects.toMatchObject({ code: 'keys_newer' })
  })

  it('are not begun anew while a phone is linked; an offer that nobody took is', async () => {
    const keys = await openKeys()
    await keys.begin(identity())
    await keys.set({ 'pre-key': { 1: { public: Buffer.from('1') } } })
    await keys.begin({ ...linked(), registrationId: 8 })
    expect(await keys.get('pre-key', ['1'])).toEqual({})
    await expect(keys.begin(identity())).rejects.toMatchObject({ code: 'keys_damaged' })
    expect((await openKeys()).identity).toMatchObject({ registrationId: 8 })
  })

  it('are all forgotten after a logout, more than a thousand too', async () => {
    const keys = await openKeys()
    await keys.begin(linked())
    for (let batch = 0; batch < 3; batch += 1)
      await keys.set({ session: Object.fromEntries([...Array(500).keys()].map((n) => [`${batch}-${n}`, 'x'])) })
    await keys.forgetAll()
    expect(await documents.countDocuments({})).toBe(0)
    expect((await openKeys()).identity).toBeNull()
  })

  it('are written by nobody who has lost the link', async () => {
    const keys = await openKeys()
    await keys.begin(linked())
    keys.close()
    await expect(keys.set({ session: { a: 'late' } })).rejects.toMatchObject({ code: 'link_moved' })
  })
})
