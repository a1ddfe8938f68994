import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Binary, type Document, Double, Int32, Long, MongoClient, ObjectId } from 'mongodb'
import { serve, type Serving } from '../../src/embedded-mongo/serve.js'
import { temporaryFolder } from './store.js'

const root = path.resolve(import.meta.dirname, '../..')

let folder: string
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Ran = { code: number | null; said: string }

const start = (script: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [path.join(root, 'scripts', script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

const run = async (script: string, ...args: string[]): Promise<Ran> => {
  const child = start(script, ...args)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (piece: Buffer) => (said += piece.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

const installation = (name: string): string => {
  const directory = path.join(folder, name)
  mkdirSync(path.join(directory, 'files', 'knowledge', 'kept', 'company1'), { recursive: true })
  writeFileSync(path.join(directory, 'secret.key'), 'a secret of more than thirty-two characters')
  return directory
}

/** The store of an installation as the running product has it: on its socket. */
const open = async (directory: string): Promise<{ client: MongoClient; stop: () => Promise<void> }> => {
  const serving: Serving = await serve({
    file: path.join(directory, 'helpdesk.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  const client = await new MongoClient(serving.uri).connect()
  const stop = async () => {
    await client.close()
    await serving.stop()
  }
  return { client, stop }
}

const contents = async (client: MongoClient, database = 'helpdesk'): Promise<Record<string, string[]>> => {
  const found: Record<string, string[]> = {}
  for (const { name } of await client.db(database).listCollections({}, { nameOnly: true }).toArray()) {
    const raw = await client.db(database).collection(name).find({}, { raw: true }).sort({ _id: 1 }).toArray()
    found[name] = raw.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex'))
  }
  return found
}

const fill = async (client: MongoClient): Promise<void> => {
  const db = client.db('helpdesk')
  await db.collection('odd').insertMany([
    { _id: 'text' as never, n: new Double(1), long: Long.fromBigInt(2n ** 60n), list: [1, [2, null]], 'a.b': 1 },
    { _id: 7 as never, binary: new Binary(Buffer.from([1, 2, 3])), at: new Date(5), minusZero: new Double(-0) },
    { _id: new ObjectId(), byName: { z: 1, 10: 'ten', 2: 'two' }, int: new Int32(3), nan: new Double(NaN) },
  ])
  await db.collection('many').createIndex({ n: 1 }, { unique: true })
  await db.collection('many').createIndex({ at: 1 }, { expireAfterSeconds: 3600 })
  const many = Array.from({ length: 3000 }, (_, n) => ({ n, at: new Date(), text: 'x'.repeat(300) }))
  await db.collection('many').insertMany(many)
  await db.createCollection('empty')
}

describe('a backup', () => {
  it('is a whole copy although the store is written to meanwhile, and comes back', async () => {
    const directory = installation('running')
    writeFileSync(path.join(directory, 'files', 'knowledge', 'kept', 'company1', 'f'.repeat(64)), 'an original')
    const { client, stop } = await open(directory)
    await fill(client)
    const pairs = client.db('helpdesk')
    let writing = true
    // Two documents that are only ever written together.
    const writer = (async () => {
      for (let n = 0; writing; n++)
        await client.withSession((session) =>
          session.withTransaction(async () => {
            for (const side of ['left', 'right']) await pairs.collection(side).insertOne({ n }, { session })
          }),
        )
    })()
    const backup = path.join(folder, 'backup')
    const ran = await run('backup.mjs', '--data', directory, '--to', backup)
    writing = false
    await writer
    expect(ran).toMatchObject({ code: 0, said: expect.stringContaining('every checksum is right') as unknown })
    const before = await contents(client)
    await client.db('helpdesk').collection('many').deleteMany({})
    await stop()

    const restored = await run('restore.mjs', '--from', backup, '--data', directory)
    expect(restored.code).toBe(0)
    const again = await open(directory)
    const after = await contents(again.client)
    expect({ ...after, left: 0, right: 0 }).toEqual({ ...before, left: 0, right: 0 })
    const numbers = async (side: string) =>
      (await again.client.db('helpdesk').collection(side).find().toArray()).map(({ n }) => n as number)
    expect(await numbers('left')).toEqual(await numbers('right'))
    await again.stop()
    const original = path.join('files', 'knowledge', 'kept', 'company1', 'f'.repeat(64))
    expect(readFileSync(path.join(directory, original), 'utf8')).toBe('an original')
    expect(readdirSync(directory).some((name) => name.startsWith('before-restore-'))).toBe(true)
  }, 120_000)

  it('that is damaged is not put in the place of anything', async () => {
    const directory = installation('kept')
    const first = await open(directory)
    await first.client
      .db('helpdesk')
      .collection<Document>('c')
      .insertOne({ _id: 1 as never, text: 'precious' })
    await first.stop()
    const backup = path.join(folder, 'damaged-backup')
    mkdirSync(backup)
    const bytes = readFileSync(path.join(directory, 'helpdesk.db'))
    bytes.write('tampered', bytes.indexOf('precious'))
    writeFileSync(path.join(backup, 'helpdesk.db'), bytes)
    const refused = await run('restore.mjs', '--from', backup, '--data', directory)
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('damaged') as unknown })
    const again = await open(directory)
    expect(await again.client.db('helpdesk').collection('c').findOne()).toEqual({ _id: 1, text: 'precious' })
    await again.stop()
  }, 60_000)

  it('is not restored under a running server', async () => {
    const directory = installation('busy')
    const { client, stop } = await open(directory)
    await client.db('helpdesk').collection('c').insertOne({ text: 'live' })
    const backup = path.join(folder, 'busy-backup')
    expect((await run('backup.mjs', '--data', directory, '--to', backup)).code).toBe(0)
    const refused = await run('restore.mjs', '--from', backup, '--data', directory)
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('stop it first') as unknown })
    expect(await client.db('helpdesk').collection('c').countDocuments()).toBe(1)
    await stop()
  }, 60_000)
})

describe('moving to another MongoDB', () => {
  it('copies everything byte for byte, goes on after an interruption, and proves it', async () => {
    const directory = installation('moving')
    const first = await open(directory)
    await fill(first.client)
    const before = await contents(first.client)
    await first.stop()
    const target = await open(installation('target'))
    const uri = `mongodb://${encodeURIComponent(path.join(folder, 'target', 'mongo.sock'))}/?directConnection=true`

    const interrupted = start('migrate-store.mjs', '--data', directory, '--to', uri)
    interrupted.stdout!.on('data', (piece: Buffer) => {
      if (/many: 1000\n/.test(piece.toString())) interrupted.kill('SIGKILL')
    })
    await once(interrupted, 'close')
    const half = await target.client.db('helpdesk').collection('many').countDocuments()
    expect(half).toBeGreaterThanOrEqual(1000)

    const ran = await run('migrate-store.mjs', '--data', directory, '--to', uri)
    expect(ran).toMatchObject({
      code: 0,
      said: expect.stringContaining('Moved and compared: 3003 documents') as unknown,
    })
    expect(ran.said).not.toContain('many: 500\n')
    const { migration_of_the_store: _progress, ...after } = await contents(target.client)
    expect(after).toEqual(before)
    expect((await target.client.db('helpdesk').collection('many').indexes()).map(({ name }) => name).sort()).toEqual([
      '_id_',
      'at_1',
      'n_1',
    ])
    await target.stop()
  }, 120_000)

  it('stops when what arrived is not what was sent, and touches nothing that is there already', async () => {
    const directory = installation('compared')
    const first = await open(directory)
    await first.client
      .db('helpdesk')
      .collection('c')
      .insertMany([{ n: 1 }, { n: 2 }])
    await first.stop()
    const target = await open(installation('occupied'))
    const uri = `mongodb://${encodeURIComponent(path.join(folder, 'occupied', 'mongo.sock'))}/?directConnection=true`
    await target.client.db('helpdesk').collection('c').insertOne({ theirs: true })
    const occupied = await run('migrate-store.mjs', '--data', directory, '--to', uri)
    expect(occupied).toMatchObject({ code: 1, said: expect.stringContaining('is not empty') as unknown })
    expect(await target.client.db('helpdesk').collection('c').countDocuments()).toBe(1)
    // As if somebody wrote between two runs.
    await target.client
      .db('helpdesk')
      .collection<Document>('migration_of_the_store')
      .insertOne({ _id: 'c' as never, copied: 0 })
    const different = await run('migrate-store.mjs', '--data', directory, '--to', uri)
    expect(different).toMatchObject({ code: 1, said: expect.stringContaining('is not the same') as unknown })
    expect(existsSync(path.join(directory, 'helpdesk.db'))).toBe(true)
    await target.stop()
  }, 60_000)
})
