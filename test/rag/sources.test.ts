import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import JSZip from 'jszip'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { decodeText } from '../../src/rag/sources/charset.js'
import { parseCsv } from '../../src/rag/sources/csv.js'
import { parseDocx } from '../../src/rag/sources/docx.js'
import { formatOf } from '../../src/rag/sources/formats.js'
import { parseSource } from '../../src/rag/sources/parse.js'
import { checkZip } from '../../src/rag/sources/zip.js'
import { linkedPicture, makeDocx, makePdf, paragraph, PNG, relationships } from '../fixtures/documents/make.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'helpdesk-sources-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
const saved = async (bytes: Buffer): Promise<string> => {
  files += 1
  const file = path.join(folder, String(files))
  await writeFile(file, bytes)
  return file
}

describe('A table', () => {
  const lines = (text: string) => parseCsv(text).flatMap(({ blocks }) => blocks.map((block) => block.text.split('\n')))

  it.each([
    ['commas', 'Country,Days,Price\nNorway,5,"9,90 €"\nJapan,10,19 €'],
    ['semicolons', 'Country;Days;Price\nNorway;5;9,90 €\nJapan;10;19 €'],
    ['tabs', 'Country\tDays\tPrice\r\nNorway\t5\t9,90 €\r\nJapan\t10\t19 €\r\n'],
    ['bars', 'Country|Days|Price\nNorway|5|9,90 €\nJapan|10|19 €'],
  ])('with %s says in each row what each cell is', (_name, text) => {
    expect(lines(text)).toEqual([
      ['- Country: Norway; Days: 5; Price: 9,90 €', '- Country: Japan; Days: 10; Price: 19 €'],
    ])
  })

  it('of questions and answers has a section for each question', () => {
    const answer = 'You can send it back within fourteen days, counted from the day on which it arrived. '
      .repeat(4)
      .trim()
    const text = `Question,Answer\n"How do I return a parcel?","${answer}"\nWho pays?,"${answer}"`
    expect(parseCsv(text).filter(({ blocks }) => blocks.length > 0)).toEqual([
      { headings: ['How do I return a parcel?'], blocks: [{ kind: 'prose', text: answer }] },
      { headings: ['Who pays?'], blocks: [{ kind: 'prose', text: answer }] },
    ])
  })

  it('without names of columns, with empty cells and uneven rows is read all the same', () => {
    expect(lines('1,Norway,\n2,,Japan\n3,Peru,x,y')).toEqual([['- 1; Norway', '- 2; Japan', '- 3; Peru; x; y']])
  })

  it('with a quote that is never closed is read as it stands', () => {
    expect(lines('Screen,Price\n19",100\n"24,200')).toEqual([
      ['- Screen: 19"; Price: 100', '- Screen: "24; Price: 200'],
    ])
  })

  it.each([
    ['a million columns', ','.repeat(1_000_000)],
    ['a row without an end', `a,b\n"${'x'.repeat(2_000_000)}"`],
    ['many columns', `${'a,'.repeat(1_001)}\n${'1,'.repeat(1_001)}`],
  ])('with %s is refused by the limit', (_name, text) => {
    expect(() => parseCsv(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining('1000 columns') }),
    )
  })
})

describe('A text', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1')
  it.each([
    ['UTF-8', Buffer.from('Grüße, 5 €'), false, 'Grüße, 5 €'],
    ['UTF-8 with a mark', Buffer.from('\uFEFFGrüße'), false, 'Grüße'],
    ['UTF-16', Buffer.from('\uFEFFGrüße', 'utf16le'), false, 'Grüße'],
    ['UTF-16, the other way round', Buffer.from('\uFEFFGrüße', 'utf16le').swap16(), false, 'Grüße'],
    ['Windows-1252', Buffer.concat([latin('Grüße, 5 '), Buffer.from([0x80])]), false, 'Grüße, 5 €'],
    [
      'a page in the charset that it declares',
      Buffer.concat([latin('<meta charset="windows-1251"><p>'), Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2])]),
      true,
      '<meta charset="windows-1251"><p>Привет',
    ],
    [
      'a page that lies: it is UTF-8',
      Buffer.from('<meta charset=latin1><p>Grüße'),
      true,
      '<meta charset=latin1><p>Grüße',
    ],
    [
      'a page that lies: it is not UTF-8',
      latin('<meta charset="utf-8"><p>Grüße'),
      true,
      '<meta charset="utf-8"><p>Grüße',
    ],
    [
      'a page in a charset of nobody',
      latin('<meta charset="klingon"><p>Grüße'),
      true,
      '<meta charset="klingon"><p>Grüße',
    ],
  ])('in %s is read', (_name, bytes, html, text) => {
    expect(decodeText(bytes, { html })).toBe(text)
  })

  it.each([
    ['zeros', Buffer.alloc(100)],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0])],
    ['control signs', Buffer.from(`text ${'\u0001\u0002\u0003'.repeat(10)}`)],
  ])('that is %s is refused', (_name, bytes) => {
    expect(() => decodeText(bytes)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'not_text' }))
  })

  it('of a page that nests 500 deep is read', () => {
    const page = `${'<div>'.repeat(500)}<p>Found at the bottom.</p>${'</div>'.repeat(500)}`
    expect(JSON.stringify(parseSource(page, 'html'))).toContain('Found at the bottom.')
  })
})

describe('A Word document', () => {
  it('becomes headings, paragraphs and tables', async () => {
    const table = `<w:tbl>${[
      ['Country', 'Days'],
      ['Norway', '5'],
    ]
      .map((row) => `<w:tr>${row.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join('')}</w:tr>`)
      .join('')}</w:tbl>`
    const bytes = await makeDocx(
      paragraph('Handbook', 'Title') + paragraph('Shipping', 'Heading1') + paragraph('We ship &amp; pack.') + table,
    )
    expect((await parseDocx(await saved(bytes))).filter(({ blocks }) => blocks.length > 0)).toEqual([
      {
        headings: ['Shipping'],
        blocks: [
          { kind: 'prose', text: 'We ship & pack.' },
          { kind: 'table', text: 'Country | Days\nNorway | 5' },
        ],
      },
    ])
  })

  it('never makes the product fetch what lies elsewhere, on the net or on its disk', async () => {
    let asked = 0
    const server = createServer((_req, res) => {
      asked += 1
      res.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const type = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
    const secret = await saved(Buffer.from('a secret of the machine'))
    const link = (id: string, kind: string, target: string) =>
      `<Relationship Id="${id}" Type="${type}/${kind}" Target="${target}" TargetMode="External"/>`
    const bytes = await makeDocx(paragraph('Only this.') + linkedPicture('rId1') + linkedPicture('rId2'), {
      'word/_rels/document.xml.rels': relationships(
        link('rId1', 'image', `http://127.0.0.1:${port}/p.png`) +
          link('rId2', 'image', `file://${secret}`) +
          link('rId3', 'attachedTemplate', `http://127.0.0.1:${port}/t.dotm`) +
          link('rId4', 'styles', `http://127.0.0.1:${port}/s.xml`),
      ),
    })
    try {
      const read = await parseDocx(await saved(bytes)).then(JSON.stringify, (error: unknown) => error)
      if (typeof read === 'string') expect(read).toContain('Only this.')
      else expect(read).toMatchObject({ kind: 'invalid' })
      expect(String(JSON.stringify(read))).not.toContain('secret of the machine')
      expect(asked).toBe(0)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('whose entities would grow to gigabytes stays small', async () => {
    const laughs = Array.from({ length: 10 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('')
    const bytes = await makeDocx('', {
      'word/document.xml': `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">${laughs}]><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${paragraph('Ha: &l10;')}</w:body></w:document>`,
    })
    const read = await parseDocx(await saved(bytes)).then(
      (sections) => JSON.stringify(sections).length,
      (error: unknown) => error,
    )
    if (typeof read === 'number') expect(read).toBeLessThan(1_000)
    else expect(read).toMatchObject({ kind: 'invalid' })
  })

  it('is unpacked no further than the limit, whatever it says of its sizes', async () => {
    const bytes = await makeDocx(paragraph('x'), { 'word/media/large.bin': Buffer.alloc(3_000_000) })
    await expect(checkZip(await saved(bytes), 2 * 1024 * 1024)).rejects.toMatchObject({ code: 'zip_too_large' })
    // The directory says one byte where there are three million.
    const lying = Buffer.from(bytes)
    const real = Buffer.alloc(4)
    real.writeUInt32LE(3_000_000)
    for (let at = lying.indexOf(real); at >= 0; at = lying.indexOf(real, at + 1)) lying.writeUInt32LE(1, at)
    expect(lying.equals(bytes)).toBe(false)
    await expect(checkZip(await saved(lying), 2 * 1024 * 1024)).rejects.toMatchObject({ kind: 'invalid' })
    await expect(parseDocx(await saved(lying))).rejects.toMatchObject({ kind: 'invalid', code: 'file_damaged' })
  })

  it('of ten thousand parts and more is refused', async () => {
    const zip = new JSZip()
    for (let at = 0; at < 10_001; at += 1) zip.file(`word/${at}.xml`, '')
    await expect(parseDocx(await saved(await zip.generateAsync({ type: 'nodebuffer' })))).rejects.toMatchObject({
      code: 'zip_too_many',
    })
  })

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['garbled', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at > 200 && at < 700 ? byte ^ 0xff : byte)))],
    ['without its document', null],
  ])('that is %s says that it is damaged', async (_name, spoil) => {
    const whole = await makeDocx(paragraph('Some words. '.repeat(100)))
    const bytes = spoil ? spoil(whole) : await makeDocx('', { 'word/document.xml': 'no XML at all' })
    await expect(parseDocx(await saved(bytes))).rejects.toMatchObject({ kind: 'invalid', field: 'file' })
  })
})

describe('What a file is', () => {
  const told = async (bytes: Buffer, name: string, declaredType?: string) =>
    formatOf({ path: await saved(bytes), head: bytes.subarray(0, 8_192), size: bytes.length, name, declaredType })
  const TEXT = Buffer.from('Open from nine to five.')

  it.each([
    ['a PDF called .txt', () => makePdf([['x']]), 'hours.txt', 'text/plain', 'pdf'],
    ['a PDF without a name', () => makePdf([['x']]), '', 'application/octet-stream', 'pdf'],
    ['a Word document called .zip', () => makeDocx(paragraph('x')), 'a.zip', undefined, 'docx'],
    ['Markdown', async () => TEXT, 'hours.MD', 'application/octet-stream', 'markdown'],
    ['a table', async () => TEXT, 'hours.tsv', undefined, 'csv'],
    ['XHTML', async () => Buffer.from('<?xml version="1.0"?><html><body>x</body></html>'), 'a.html', undefined, 'html'],
    ['a text without a name', async () => TEXT, '', 'text/plain', 'text'],
    ['a page without a name', async () => Buffer.from('<!doctype html><p>x'), 'page', undefined, 'html'],
    ['a text in another charset', async () => Buffer.from('Gr\xfc\xdfe', 'latin1'), 'a.txt', 'text/plain', 'text'],
  ])('is told by its bytes: %s', async (_name, make, name, type, format) => {
    expect(await told(await make(), name, type)).toBe(format)
  })

  const zipOf = (...names: string[]) => {
    const zip = new JSZip()
    for (const name of names) zip.file(name, 'x')
    return zip.generateAsync({ type: 'nodebuffer' })
  }
  const cfb = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
  it.each([
    ['a picture', async () => PNG, 'scan.png', 'OCR'],
    ['a picture called .pdf', async () => PNG, 'scan.pdf', 'OCR'],
    ['an old Word file', async () => cfb, 'old.doc', '.docx'],
    ['a locked Word file', async () => cfb, 'locked.docx', 'without a password'],
    ['a spreadsheet', () => zipOf('[Content_Types].xml', 'xl/workbook.xml'), 'a.xlsx', '.csv'],
    ['a spreadsheet called .docx', () => zipOf('xl/workbook.xml'), 'a.docx', '.csv'],
    ['slides', () => zipOf('ppt/presentation.xml'), 'a.pptx', '.pdf'],
    ['an archive', () => zipOf('a.txt'), 'a.zip', 'Unpack it'],
    ['a book', () => zipOf('mimetype', 'META-INF/container.xml'), 'a.epub', 'electronic book'],
    ['rich text', async () => Buffer.from('{\\rtf1 hello}'), 'a.rtf', 'rich text'],
    ['data', async () => Buffer.from('{"a":1}'), 'a.json', 'data for programs'],
    ['a text of an unknown kind', async () => TEXT, 'a.xyz', 'cannot be read'],
    ['a text called .pdf', async () => TEXT, 'a.pdf', 'named .pdf'],
    ['a text called .docx', async () => TEXT, 'a.docx', 'named .docx'],
  ])('%s is refused, with what to do instead', async (_name, make, name, instead) => {
    await expect(told(await make(), name)).rejects.toMatchObject({
      kind: 'unsupported',
      field: 'file',
      message: expect.stringContaining(instead),
    })
  })

  it.each([
    ['nothing', Buffer.alloc(0), 'a.txt'],
    ['a program called .txt', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]), 'a.txt'],
    ['noise called .md', Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 31) % 32)), 'a.md'],
    ['half an archive', Buffer.from('PK\u0003\u0004 and no more'), 'a.docx'],
  ])('%s is refused', async (_name, bytes, name) => {
    await expect(told(bytes, name)).rejects.toMatchObject({ field: 'file' })
  })
})
