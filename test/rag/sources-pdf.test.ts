import { describe, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { MOST_PAGES, parsePdf, type ReadPdf } from '../../src/rag/sources/pdf.js'
import { makePdf, makeRawPdf, makeScan } from '../fixtures/documents/make.js'

const read = async (bytes: Buffer): Promise<ReadPdf> => {
  const parsing = parsePdf(new Uint8Array(bytes))
  for (;;) {
    const step = await parsing.next()
    if (step.done) return step.value
  }
}
const textOf = async (bytes: Buffer) =>
  (await read(bytes)).sections.flatMap(({ blocks }) => blocks.map(({ text }) => text)).join('\n')

const LONG = [
  'Parcels that weigh more than thirty kilograms are sent by freight and take a',
  'week longer. The carrier calls before the delivery to agree on a day and on the',
  'floor to which the parcel is to be brought.',
]

describe('A PDF', () => {
  it('becomes paragraphs, lists and headings that know their page', async () => {
    const bytes = await makePdf([
      [
        { text: 'Shipping', size: 24 },
        '',
        ...LONG,
        '',
        { text: 'Abroad', size: 16 },
        '',
        'We ship to these countries:',
        '• Norway, within five days',
        '• Japan, within ten days and only',
        { text: 'by air', x: 72 },
      ],
      [{ text: 'Returns', size: 24 }, '', 'You can return a parcel within 14 days.'],
    ])
    const { sections, pages, note } = await read(bytes)
    expect(sections.filter(({ blocks }) => blocks.length > 0)).toEqual([
      { headings: ['Shipping'], blocks: [{ kind: 'prose', page: 1, text: LONG.join(' ') }] },
      {
        headings: ['Shipping', 'Abroad'],
        blocks: [
          { kind: 'prose', page: 1, text: 'We ship to these countries:' },
          { kind: 'list', page: 1, text: '- Norway, within five days\n- Japan, within ten days and only by air' },
        ],
      },
      { headings: ['Returns'], blocks: [{ kind: 'prose', page: 2, text: 'You can return a parcel within 14 days.' }] },
    ])
    expect([pages, note]).toEqual([2, null])
  })

  it('is one text again where a line’s end tore a word, but keeps the hyphens that it writes', async () => {
    const text = await textOf(
      await makePdf([
        ['The guarantee covers the manu-', 'facturing of each self-service terminal and its self-', 'service manual.'],
      ]),
    )
    expect(text).toBe(
      'The guarantee covers the manufacturing of each self-service terminal and its self-service manual.',
    )
  })

  it('goes on over the end of a page, and without the headers and numbers that run along', async () => {
    const bytes = await makePdf(
      [
        ['The first page says that a refund takes seven days after the parcel has'],
        ['arrived at our warehouse. Then it is paid.'],
        ['The third page is about gifts.'],
        ['The fourth page is about vouchers. They expire after 3 years.'],
      ],
      { header: 'Handbook of the shop', footer: (page) => `Page ${page} of 4` },
    )
    const { sections } = await read(bytes)
    expect(sections.flatMap(({ blocks }) => blocks)).toEqual([
      {
        kind: 'prose',
        page: 1,
        text: 'The first page says that a refund takes seven days after the parcel has arrived at our warehouse. Then it is paid.',
      },
      { kind: 'prose', page: 3, text: 'The third page is about gifts.' },
      { kind: 'prose', page: 4, text: 'The fourth page is about vouchers. They expire after 3 years.' },
    ])
  })

  it('leaves out page numbers beside the titles of chapters, but not what stands there by chance', async () => {
    const at = (text: string, y: number) => ({ text, y, x: 60 })
    const bytes = await makePdf(
      ['Shipping', 'Returns', 'Prices', 'Imprint'].map((chapter, page) => [
        at(`${chapter} ${page + 17}`, 810),
        at(`All about ${chapter.toLowerCase()} is said here.`, 500),
        ...(page === 3 ? [at('Founded in 1999', 40)] : []),
      ]),
    )
    expect(await textOf(bytes)).toBe(
      'All about shipping is said here.\nAll about returns is said here.\nAll about prices is said here.\nAll about imprint is said here.\nFounded in 1999',
    )
  })

  it('in two columns is read one column after the other', async () => {
    const bytes = await makePdf([
      [
        ...['Left one begins here', 'and goes on here.', 'Left ends.'].map((text, at) => ({
          text,
          x: 50,
          y: 600 - at * 14,
        })),
        ...['Right one begins here', 'and goes on too.', 'Right ends.'].map((text, at) => ({
          text,
          x: 320,
          y: 600 - at * 14,
        })),
      ],
    ])
    expect(await textOf(bytes)).toBe(
      'Left one begins here and goes on here. Left ends.\nRight one begins here and goes on too. Right ends.',
    )
  })

  it('that begins with what is no PDF is read all the same', async () => {
    expect(
      await textOf(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), await makePdf([['Hello there.']])])),
    ).toBe('Hello there.')
  })

  it('whose end is missing is read as far as it goes, or says that it is damaged', async () => {
    const whole = await makePdf([LONG, LONG])
    for (const share of [0.3, 0.6, 0.9, 0.99]) {
      const outcome = await textOf(whole.subarray(0, Math.floor(whole.length * share))).catch((error: unknown) => error)
      if (typeof outcome === 'string') expect(outcome).toContain('freight')
      else expect(outcome).toMatchObject({ kind: 'invalid', code: expect.stringMatching(/^pdf_(damaged|scanned)$/) })
    }
  })

  it.each([
    ['no PDF at all', Buffer.from('%PDF-1.7\nnot really'), 'pdf_damaged', 'damaged'],
    ['noise', Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(5_000, 0xfe)]), 'pdf_damaged', 'damaged'],
  ])('%s is said to be damaged', async (_name, bytes, code, word) => {
    await expect(read(bytes)).rejects.toMatchObject({ kind: 'invalid', code, message: expect.stringContaining(word) })
  })

  it('that is locked says to remove the password', async () => {
    const bytes = await readFile(path.resolve(import.meta.dirname, '../fixtures/documents/locked.pdf'))
    await expect(read(bytes)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'pdf_locked',
      message: 'The PDF is protected by a password. Remove the protection and upload it again.',
    })
  })

  it('that may only not be printed is read', async () => {
    const bytes = await readFile(path.resolve(import.meta.dirname, '../fixtures/documents/not-for-printing.pdf'))
    expect(await textOf(bytes)).toContain('You can return a parcel within 14 days.')
  })

  it('of scanned pages says that it needs text recognition', async () => {
    await expect(read(await makeScan(3))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'pdf_scanned',
      message: expect.stringContaining('OCR'),
    })
  })

  it('with some scanned pages is read, and says which pages are missing', async () => {
    const { note } = await read(await makePdf([LONG, [], LONG, []]))
    expect(note).toBe('2 of 4 pages hold no text that could be read; they may be pictures: 2, 4.')
  })

  it(`of more than ${MOST_PAGES} pages is refused by the limit`, async () => {
    const most = await makePdf(Array.from({ length: MOST_PAGES + 1 }, () => []))
    await expect(read(most)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'pdf_too_many_pages',
      message: expect.stringContaining('at most 2000'),
    })
  })

  it('that writes every word as a heading has none', async () => {
    const { sections } = await read(
      await makePdf([
        [
          { text: 'Big words only, as on a poster', size: 30 },
          { text: 'and small print', size: 8 },
        ],
      ]),
    )
    expect(sections.map(({ headings }) => headings)).toEqual([[]])
  })

  it('written by hand is read', async () => {
    expect(await textOf(makeRawPdf(Buffer.from('BT /F1 12 Tf 50 700 Td (Open from nine to five.) Tj ET'), 2))).toBe(
      'Open from nine to five.',
    )
  })
})
