import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeLog } from '../../src/platform/log.js'
import type { Limits, makeReader as MakeReader, Reader } from '../../src/rag/reader.js'
import { readDocument, unpack, type Read, type ReadPart, type ReadRequest } from '../../src/rag/reading.js'
import { makeDocx, makePdf, makeRawPdf, paragraph } from '../fixtures/documents/make.js'

let folder: string
let makeReader: typeof MakeReader
const readers: Reader[] = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'helpdesk-reader-'))
  // As it was built: its process is plain JavaScript.
  const built = '../../dist/rag/reader.js'
  ;({ makeReader } = (await import(built)) as { makeReader: typeof MakeReader })
})
afterAll(async () => {
  for (const reader of readers) await reader.stop()
  await rm(folder, { recursive: true })
})

const open = (limits: Partial<Limits> = {}): Reader => {
  const reader = makeReader({ log: makeLog('silent'), limits })
  readers.push(reader)
  return reader
}

let files = 0
const request = async (bytes: Buffer, format: ReadRequest['format']): Promise<ReadRequest> => {
  files += 1
  const file = path.join(folder, String(files))
  await writeFile(file, bytes)
  return {
    source: { path: file },
    format,
    documentId: 'doc_1',
    title: null,
    fallbackTitle: 'File',
    language: null,
    likelyLanguages: [],
  }
}

const never = new AbortController().signal
const whole = async (read: Read, given: ReadRequest, signal = never) => {
  const parts: ReadPart[] = []
  for await (const part of read(given, signal)) parts.push(part)
  return {
    document: parts.find(({ kind }) => kind === 'document'),
    passages: parts.flatMap((part) => (part.kind === 'passages' ? unpack(part.passages) : [])),
    progress: parts.flatMap((part) => (part.kind === 'progress' ? [part.progress] : [])),
  }
}

const GOOD = Buffer.from('# Returns\n\nYou can return a parcel within 14 days.')
/** Text for V8's heap to hold. */
const bomb = () => makeRawPdf(Buffer.alloc(60_000_000, 'BT /F1 9 Tf (boom boom boom boom) Tj ET\n'), 2)
/** Nothing but blanks: they never reach V8's heap, whose limit would not see them. */
const blanks = () => makeRawPdf(Buffer.alloc(300_000_000, ' '), 2)

describe('The reader', () => {
  it('reads in its own process what is read in this one', async () => {
    const { read } = open()
    const pdf = await makePdf(
      Array.from({ length: 30 }, (_, at) => [
        { text: `Part ${at}`, size: 20 },
        '',
        `Device ${at} is guaranteed for ${at} years.`,
      ]),
    )
    for (const given of [
      await request(GOOD, 'markdown'),
      await request(pdf, 'pdf'),
      await request(await makeDocx(paragraph('Returns', 'Heading1') + paragraph('Within 14 days.')), 'docx'),
      await request(Buffer.from('Land,Tage\nNorwegen,5'), 'csv'),
    ]) {
      const there = await whole(read, given)
      const here = await whole(readDocument, given)
      expect(there.passages).toEqual(here.passages)
      expect(there.document).toEqual(here.document)
      expect(there.passages.length).toBeGreaterThan(0)
      expect(there.progress).toEqual(there.progress.toSorted((a, b) => a - b))
    }
  })

  it.each([
    ['in the heap', bomb],
    ['outside of the heap', blanks],
  ])('ends a document that takes too much memory %s, and reads the next one', async (_where, make) => {
    const reader = open({ memoryMb: 200 })
    const given = await request(make(), 'pdf')
    const before = process.memoryUsage.rss()
    await expect(whole(reader.read, given)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'document_too_large',
      message: expect.stringContaining('200 MB'),
    })
    expect(process.memoryUsage.rss() - before).toBeLessThan(150_000_000)
    expect((await whole(reader.read, await request(GOOD, 'markdown'))).passages).toHaveLength(1)
  })

  it('ends a document that takes too long, and says so', async () => {
    const reader = open({ longestMs: 300 })
    const many = await makePdf(Array.from({ length: 1_500 }, () => ['word '.repeat(15), 'word '.repeat(15)]))
    await expect(whole(reader.read, await request(many, 'pdf'))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'document_too_slow',
    })
  })

  it('stops at once when the answer is no longer wanted', async () => {
    const reader = open()
    const stop = new AbortController()
    const reading = whole(reader.read, await request(bomb(), 'pdf'), stop.signal)
    setTimeout(() => stop.abort(new Error('not wanted')), 200)
    await expect(reading).rejects.toThrow('not wanted')
    expect((await whole(reader.read, await request(GOOD, 'markdown'))).passages).toHaveLength(1)
  })

  it('reads one document at a time, in turn', async () => {
    const { read } = open()
    const given = await request(GOOD, 'markdown')
    const all = await Promise.all(Array.from({ length: 8 }, () => whole(read, given)))
    expect(all.map(({ passages }) => passages.length)).toEqual(Array(8).fill(1))
  })

  it('says the reason of a document that cannot be read, and goes on in the same process', async () => {
    const { read } = open()
    const locked = await readFile(path.resolve(import.meta.dirname, '../fixtures/documents/locked.pdf'))
    await expect(whole(read, await request(locked, 'pdf'))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'pdf_locked',
    })
    expect((await whole(read, await request(GOOD, 'markdown'))).passages).toHaveLength(1)
  })

  it('has nothing of our environment', async () => {
    // What is in the environment of its process, as the system tells; elsewhere than on Linux nobody tells.
    if (process.platform !== 'linux') return
    const { read } = open()
    await whole(read, await request(GOOD, 'markdown'))
    const children = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).trim().split(' ')
    const environments: string[] = []
    for (const pid of children) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      if (command.includes('reader-process')) environments.push(await readFile(`/proc/${pid}/environ`, 'utf8'))
    }
    expect(environments.length).toBeGreaterThan(0)
    const names = environments.flatMap((environment) =>
      environment.split('\0').map((entry) => entry.split('=')[0] ?? ''),
    )
    expect(names.filter((name) => name !== '' && !name.startsWith('NODE_CHANNEL'))).toEqual([])
  })

  it('ends when nothing was read for a while, and starts again', async () => {
    const { read } = open({ idleMs: 50 })
    const given = await request(GOOD, 'markdown')
    await whole(read, given)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await whole(read, given)).passages).toHaveLength(1)
  })
})
