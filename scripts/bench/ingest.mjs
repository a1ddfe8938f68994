// A thousand pages of PDF through the product's own upload, reading process, analysis and store, and how long the process that
// serves customers was held up meanwhile. The same for the worst documents: bombs, and one text as long as may be.
import { spawnSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { deflateSync } from 'node:zlib'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { makeCorpus } from './corpus.mjs'

const DOCUMENTS = 4
const PAGES_EACH = 250
const LINES = 46
const COMPANY = 'bench'

export const ingest = async () => {
  const { startEmbeddedMongo } = await import('../../dist/embedded-mongo/index.js')
  const { systemClock } = await import('../../dist/platform/clock.js')
  const { makeDiskFiles } = await import('../../dist/platform/files.js')
  const { makeLog } = await import('../../dist/platform/log.js')
  const { connectMongo, ensureSchema } = await import('../../dist/platform/mongo.js')
  const { knowledgeSchema } = await import('../../dist/rag/documents.mongo.js')
  const { makeKnowledge } = await import('../../dist/rag/knowledge.mongo.js')
  const { makeReader } = await import('../../dist/rag/reader.js')

  const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  // In a process of its own, so that what making them costs is not taken for what reading them costs.
  const { status } = spawnSync(process.execPath, [import.meta.filename, directory], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the documents were not made')
  const store = await startEmbeddedMongo({
    file: path.join(directory, 'bench.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  const mongo = await connectMongo(store.uri, 'bench')
  await ensureSchema(mongo.db, knowledgeSchema)
  const reader = makeReader({ log: makeLog('silent') })
  const files = makeDiskFiles(path.join(directory, 'files'))
  const knowledge = makeKnowledge({ mongo, clock: systemClock, files, read: reader.read })

  /** @param {string} name */
  const upload = async (name) => {
    const upload = await knowledge.receiveFile({ bytes: createReadStream(path.join(directory, name)), name })
    const { id } = await knowledge.addDocument(COMPANY, { upload })
    await knowledge.indexDocument(COMPANY, id)
    return knowledge.getDocument(COMPANY, id)
  }

  // What this machine does to a process that has nothing to do.
  const idle = await watched(() => new Promise((resolve) => setTimeout(resolve, 5_000)))
  const pages = await watched(async () => {
    for (let at = 0; at < DOCUMENTS; at += 1) await upload(`${at}.pdf`)
  })
  const passages = await mongo.db.collection('passages').countDocuments({})
  const bombed = await watched(() => upload('bomb.pdf'))
  const text = await watched(() => upload('long.txt'))

  await reader.stop()
  await mongo.client.close()
  await store.stop()
  rmSync(directory, { recursive: true, force: true })
  return {
    bench: 'ingest',
    pages: DOCUMENTS * PAGES_EACH,
    passages,
    seconds: round(pages.ms / 1000),
    stallMs: pages.stallMs,
    stallP99Ms: pages.stallP99Ms,
    idleStallMs: idle.stallMs,
    peakRssMb: pages.rssMb,
    readerPeakRssMb: pages.readerRssMb,
    bomb: {
      status: bombed.result.status,
      seconds: round(bombed.ms / 1000),
      stallMs: bombed.stallMs,
      readerPeakRssMb: bombed.readerRssMb,
    },
    longText: {
      status: text.result.status,
      passages: text.result.passages,
      seconds: round(text.ms / 1000),
      stallMs: text.stallMs,
    },
  }
}

/** @template T @param {() => Promise<T>} work */
const watched = async (work) => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let [rss, readerRss] = [0, 0]
  const looking = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss())
    readerRss = Math.max(readerRss, childRss())
  }, 50)
  delay.enable()
  const before = performance.now()
  const result = await work()
  const ms = performance.now() - before
  delay.disable()
  clearInterval(looking)
  return {
    result,
    ms,
    stallMs: round(delay.max / 1e6),
    stallP99Ms: round(delay.percentile(99) / 1e6),
    rssMb: Math.round(rss / 2 ** 20),
    readerRssMb: Math.round(readerRss / 2 ** 20),
  }
}

/** Of the processes that this one started; only where there is /proc. */
const childRss = () => {
  try {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
    return Math.max(
      0,
      ...children.map((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4_096),
    )
  } catch {
    return 0
  }
}

/** A handbook with headings, headers and page numbers. @param {number} pages @param {number} volume */
const makeBook = async (pages, volume) => {
  const { documents } = makeCorpus(pages * 4 * (volume + 1))
  const lines = documents
    .slice(-Math.ceil((pages * 4) / 50))
    .flatMap(({ text }) => text.split('\n').flatMap((/** @type {string} */ line) => wrapped(line)))
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (let number = 0; number < pages; number += 1) {
    const page = pdf.addPage([595, 842])
    page.drawText('Handbook of the company', { x: 60, y: 815, size: 8, font })
    for (const [at, line] of lines
      .slice((number * LINES) % lines.length)
      .slice(0, LINES)
      .entries()) {
      const heading = line.startsWith('#')
      page.drawText(line.replace(/^#+ /, ''), { x: 60, y: 770 - at * 15, size: heading ? 15 : 10, font })
    }
    page.drawText(`${number + 1}`, { x: 290, y: 25, size: 8, font })
  }
  return Buffer.from(await pdf.save())
}

/** @param {string} line */
const wrapped = (line) => line.match(/\S(?:.{0,94}\S)?(?=\s|$)/g) ?? ['']

/** A page whose content unpacks to so many megabytes. @param {number} megabytes */
const makeBomb = (megabytes) => {
  const packed = deflateSync(Buffer.alloc(megabytes * 2 ** 20, 'BT /F1 9 Tf (boom boom boom) Tj ET\n'), { level: 9 })
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
    `<</Length ${packed.length}/Filter/FlateDecode>>stream\n${packed.toString('latin1')}\nendstream`,
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
  ]
  // Without a table of its objects: readers look for them.
  const body = objects.map((object, at) => `${at + 1} 0 obj\n${object}\nendobj\n`).join('')
  return Buffer.from(`%PDF-1.5\n${body}trailer<</Root 1 0 R>>\n%%EOF`, 'latin1')
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10

if (process.argv[1] === import.meta.filename) {
  const [, , directory = '.'] = process.argv
  const write = (/** @type {string} */ name, /** @type {string | Buffer} */ content) =>
    writeFileSync(path.join(directory, name), content)
  for (let at = 0; at < DOCUMENTS; at += 1) write(`${at}.pdf`, await makeBook(PAGES_EACH, at))
  write('bomb.pdf', makeBomb(1_000))
  write('long.txt', 'The parcel, number 17, arrives on Monday or it does not arrive at all. '.repeat(110_000))
}
