import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Files } from '../../src/platform/files.js'

type Opened = { files: Files; directory: string; close(): Promise<void> }

/** What every store of files does, whatever lies under it. */
export const keepsFiles = (name: string, open: () => Promise<Opened>): void => {
  describe(name, () => {
    let files: Files
    let directory: string
    let close: () => Promise<void>

    beforeEach(async () => ({ files, directory, close } = await open()))
    afterEach(() => close())

    const MOST = 10_000_000
    const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7 + length) % 251))
    const inPieces = async function* (whole: Buffer, size = 65_536) {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
    }
    const kept = async (companyId: string, whole: Buffer) => {
      const received = await files.receive(inPieces(whole), MOST)
      await files.keep(companyId, received)
      return received.id
    }
    const read = async (companyId: string, id: string) => {
      const parts: Buffer[] = []
      for await (const part of await files.open(companyId, id)) parts.push(part as Buffer)
      return Buffer.concat(parts)
    }
    const all = async (time = new Date('2100-01-01')) => {
      const found: { companyId: string; id: string }[] = []
      for await (const file of files.keptBefore(time)) found.push(file)
      return found
    }
    const incoming = () => readdir(path.join(directory, 'incoming')).catch(() => [])

    it.each([0, 1, 255_000, 1_000_003])('a file of %i bytes comes back as it was', async (length) => {
      const whole = bytes(length)
      const id = await kept('company', whole)
      expect(id).toBe(createHash('sha256').update(whole).digest('hex'))
      expect((await read('company', id)).equals(whole)).toBe(true)
      expect((await files.withPath('company', id, (place) => readFile(place))).equals(whole)).toBe(true)
      expect(await incoming()).toEqual([])
    })

    it.each([
      [0, 0],
      [100, 199],
      [254_999, 255_000],
      [600_000, 600_002],
    ])('bytes %i to %i of it come alone', async (first, last) => {
      const whole = bytes(600_003)
      const id = await kept('company', whole)
      const parts: Buffer[] = []
      for await (const part of await files.open('company', id, { first, last })) parts.push(part as Buffer)
      expect(Buffer.concat(parts).equals(whole.subarray(first, last + 1))).toBe(true)
    })

    it('what is received tells its size, its hash and its first bytes before it is kept', async () => {
      const whole = bytes(20_000)
      const { size, head, id } = await files.receive(inPieces(whole, 1_000), MOST)
      expect(size).toBe(20_000)
      expect(Buffer.from(head).equals(whole.subarray(0, 8_192))).toBe(true)
      await expect(files.open('company', id)).rejects.toMatchObject({ kind: 'not_found' })
    })

    it('a file over the limit is refused by its name, and nothing of it stays', async () => {
      await expect(files.receive(inPieces(bytes(1_048_577)), 1_048_576)).rejects.toMatchObject({
        kind: 'too_large',
        field: 'file',
        message: 'The file is larger than the limit of 1 MB.',
      })
      await expect(files.receive(inPieces(bytes(1_048_576)), 1_048_576)).resolves.toMatchObject({ size: 1_048_576 })
      expect(await incoming()).toHaveLength(1)
    })

    it('a sender who breaks off leaves nothing', async () => {
      const broken = async function* () {
        yield bytes(100)
        await Promise.resolve()
        throw new Error('gone')
      }
      await expect(files.receive(broken(), MOST)).rejects.toThrow('gone')
      expect(await incoming()).toEqual([])
    })

    it('a file that is discarded is gone', async () => {
      const received = await files.receive(inPieces(bytes(10)), MOST)
      await received.discard()
      await received.discard()
      expect(await incoming()).toEqual([])
    })

    it('the same content is one file, also when two keep it at once', async () => {
      const whole = bytes(300_000)
      const received = await Promise.all([1, 2, 3].map(() => files.receive(inPieces(whole), MOST)))
      await Promise.all(received.map((each) => files.keep('company', each)))
      const { id } = received[0]!
      expect((await read('company', id)).equals(whole)).toBe(true)
      await files.remove('company', id)
      await expect(files.open('company', id)).rejects.toMatchObject({ kind: 'not_found' })
      expect(await all()).toEqual([])
    })

    it("one company never reaches another's file, not even with its id", async () => {
      const id = await kept('one', bytes(50))
      await expect(files.open('two', id)).rejects.toMatchObject({ kind: 'not_found' })
      await expect(files.withPath('two', id, async () => 'read')).rejects.toMatchObject({ kind: 'not_found' })
      await files.remove('two', id)
      expect(await read('one', id)).toHaveLength(50)
    })

    it.each(['../../etc/passwd', '..', '', 'a/b', 'x'.repeat(64), `${'0'.repeat(63)}/`])(
      'an id like %j opens nothing',
      async (id) => {
        await expect(files.open('company', id)).rejects.toMatchObject({ kind: 'invalid' })
        await expect(files.open(id || '/', '0'.repeat(64))).rejects.toMatchObject({
          kind: id === 'x'.repeat(64) ? 'not_found' : 'invalid',
        })
      },
    )

    it('removing is harmless twice', async () => {
      const id = await kept('company', bytes(10))
      await files.remove('company', id)
      await files.remove('company', id)
    })

    it('lists what was kept before a time', async () => {
      const [first, second] = [await kept('one', bytes(10)), await kept('two', bytes(20))]
      const found = (await all()).sort((a, b) => (a.companyId < b.companyId ? -1 : 1))
      expect(found).toEqual([
        { companyId: 'one', id: first },
        { companyId: 'two', id: second },
      ])
      expect(await all(new Date('2001-01-01'))).toEqual([])
    })

    it('what a crash left half received is cleaned away, what is kept and what is just arriving is not', async () => {
      const id = await kept('company', bytes(10))
      await files.receive(inPieces(bytes(20)), MOST)
      await files.clean(new Date('2001-01-01'))
      expect(await incoming()).toHaveLength(1)
      await files.clean(new Date('2100-01-01'))
      expect(await incoming()).toEqual([])
      expect(await read('company', id)).toHaveLength(10)
    })
  })
}
