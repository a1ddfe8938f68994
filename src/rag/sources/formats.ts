import { fileTypeFromBuffer } from 'file-type'
import { AppError } from '../../platform/errors.js'
import { decodeText } from './charset.js'
import { detectFormat, type Format } from './parse.js'
import { namesInZip } from './zip.js'

/** What a document may be. */
export type DocumentFormat = Format | 'csv' | 'pdf' | 'docx'

/** How an original is named and declared when it is handed out again: never as its uploader said. */
export const FORMATS = {
  markdown: { extension: '.md', type: 'text/markdown; charset=utf-8' },
  html: { extension: '.html', type: 'text/html' },
  text: { extension: '.txt', type: 'text/plain' },
  csv: { extension: '.csv', type: 'text/csv' },
  pdf: { extension: '.pdf', type: 'application/pdf' },
  docx: {
    extension: '.docx',
    type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  },
} satisfies Record<DocumentFormat, { extension: string; type: string }>

const BY_EXTENSION: Record<string, DocumentFormat> = {
  pdf: 'pdf',
  docx: 'docx',
  docm: 'docx',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
  csv: 'csv',
  tsv: 'csv',
}

/** Files whose name says that they can be read. */
export const READABLE = new RegExp(`\\.(?:${Object.keys(BY_EXTENSION).join('|')})$`, 'iu')

const BY_TYPE: Record<string, DocumentFormat> = {
  'application/pdf': 'pdf',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/markdown': 'markdown',
  'text/plain': 'text',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
}

const TAKEN = '.pdf, .docx, .html, .md, .txt and .csv'

/** What to do with files that people try to upload and that cannot be read, by extension. */
const INSTEAD: Record<string, string> = {
  doc: 'is an old Word file. Save it as .docx',
  xls: 'is a spreadsheet. Save each sheet as .csv',
  xlsx: 'is a spreadsheet. Save each sheet as .csv',
  ods: 'is a spreadsheet. Save each sheet as .csv',
  numbers: 'is a spreadsheet. Save each sheet as .csv',
  ppt: 'is a presentation. Save it as .pdf',
  pptx: 'is a presentation. Save it as .pdf',
  odp: 'is a presentation. Save it as .pdf',
  odt: 'is an OpenDocument text. Save it as .docx or .pdf',
  rtf: 'is rich text. Save it as .docx or .pdf',
  pages: 'is a Pages document. Save it as .docx or .pdf',
  epub: 'is an electronic book. Save it as .pdf or .html',
  zip: 'is an archive. Unpack it and upload the documents in it one by one',
  json: 'is data for programs. Save it as .csv or .md',
  xml: 'is data for programs. Save it as .html or .md',
}

type Given = {
  /** Where the whole file lies. */
  path: string
  head: Uint8Array
  size: number
  /** What the client calls it, and what the client says that it is; both may lie. */
  name: string
  declaredType?: string | undefined
}

/**
 * What a file is. Its bytes decide; its name and what was declared only tell texts apart, which look alike. A wrong name that
 * does no harm is corrected (a PDF called `.txt`); what cannot be read is refused with what to do instead.
 */
export const formatOf = async ({ path, head, size, name, declaredType }: Given): Promise<DocumentFormat> => {
  if (size === 0) throw new AppError('invalid', 'file_empty', 'The file is empty.', { field: 'file' })
  const extension = /\.([a-z0-9]{1,10})$/iu.exec(name)?.[1]?.toLowerCase() ?? ''
  const named = BY_EXTENSION[extension]
  const found = await byMagic(head)
  switch (found?.ext) {
    case 'pdf':
      return 'pdf'
    case 'zip':
      return formatOfZip(path)
    case 'cfb':
      throw unsupported(
        'is an old Office file, or an Office file that is protected by a password. Save it as .docx or .csv without a password',
      )
    case 'xml':
      if (named === 'html') return 'html'
      throw unsupported(INSTEAD.xml)
    case undefined:
      return formatOfText({ head, extension, named, declaredType, whole: head.length >= size })
    default:
      if (/^(?:image|video|audio)\//u.test(found?.mime ?? '')) throw unsupported(notRead(found?.mime ?? ''))
      throw unsupported(INSTEAD[found?.ext ?? ''])
  }
}

/** A PDF may begin a little into the file; everything that is packed with zip is looked into by its directory. */
const byMagic = async (head: Uint8Array): Promise<{ ext: string; mime: string } | undefined> => {
  if (head[0] === 0x50 && head[1] === 0x4b && (head[2] === 0x03 || head[2] === 0x05)) return { ext: 'zip', mime: '' }
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  if (found) return found
  const start = Buffer.from(head.subarray(0, 1_024)).toString('latin1')
  return /^[^<{]{0,1000}%PDF-\d/u.test(start) ? { ext: 'pdf', mime: 'application/pdf' } : undefined
}

const notRead = (mime: string): string =>
  mime.startsWith('image/')
    ? 'is a picture, and text in pictures is not read. Run text recognition (OCR) on it and save the text as .pdf or .txt'
    : 'is a recording, and speech is not read. Write down what it says and save the text as .txt or .docx'

const formatOfZip = async (path: string): Promise<DocumentFormat> => {
  const telling = /^(?:word\/document\d*\.xml|xl\/workbook\.(?:xml|bin)|ppt\/presentation\.xml)$/u
  const names = await namesInZip(path, (name) => telling.test(name))
  const told = names.find((name) => telling.test(name))
  if (told?.startsWith('word/')) return 'docx'
  if (told?.startsWith('xl/')) throw unsupported(INSTEAD.xlsx)
  if (told?.startsWith('ppt/')) throw unsupported(INSTEAD.pptx)
  if (names.includes('META-INF/container.xml')) throw unsupported(INSTEAD.epub)
  if (names.includes('mimetype') && names.includes('content.xml')) throw unsupported(INSTEAD.odt)
  throw unsupported(INSTEAD.zip)
}

type Text = {
  head: Uint8Array
  extension: string
  named: DocumentFormat | undefined
  declaredType: string | undefined
  whole: boolean
}

const formatOfText = ({ head, extension, named, declaredType, whole }: Text): DocumentFormat => {
  if (named === 'pdf' || named === 'docx') {
    throw new AppError(
      'unsupported',
      'unsupported_file',
      `The file is named .${extension}, but it is none or it is damaged. Save it again and upload the new file.`,
      { field: 'file' },
    )
  }
  // A character may be cut at the head's end: the last few bytes say nothing.
  const text = decodeText(whole ? head : head.subarray(0, head.length - 4), { html: named === 'html' })
  if (named) return named
  if (extension in INSTEAD) throw unsupported(INSTEAD[extension])
  const declared = BY_TYPE[declaredType?.split(';')[0]?.trim().toLowerCase() ?? '']
  if (declared && declared !== 'pdf') return declared === 'text' ? detectFormat(text) : declared
  if (extension === '') return detectFormat(text)
  throw unsupported(undefined)
}

const unsupported = (reason = 'is of a kind that cannot be read'): AppError =>
  new AppError('unsupported', 'unsupported_file', `The file ${reason}. Files that can be read are ${TAKEN}.`, {
    field: 'file',
  })
