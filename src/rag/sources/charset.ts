import { AppError } from '../../platform/errors.js'

/** How far into a page browsers look for what it says of its charset (HTML standard, "prescan a byte stream"). */
const PRESCAN_BYTES = 1_024
/** A text has no more control characters than this share, besides line ends, tabs and form feeds. */
const MOST_CONTROLS = 0.005

/**
 * Bytes as text: a byte order mark decides; then valid UTF-8 is UTF-8, whatever the page says of itself (other charsets are
 * hardly ever valid UTF-8 by chance); then what an HTML page declares; then Windows-1252, in which every byte means something.
 * Throws `invalid` where the bytes are no text at all.
 */
export const decodeText = (bytes: Uint8Array, { html = false } = {}): string => {
  const text = decoded(bytes, html)
  const controls = text.match(/[\u0000-\u0008\u000e-\u001f\u007f]/gu)?.length ?? 0
  if (text.includes('\u0000') || controls > text.length * MOST_CONTROLS) throw notText()
  return text
}

const decoded = (bytes: Uint8Array, html: boolean): string => {
  const marked = byMark(bytes)
  if (marked) return new TextDecoder(marked).decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const label = html ? declared(bytes) : undefined
    return label === undefined || label === 'windows-1252' ? windows1252(bytes) : new TextDecoder(label).decode(bytes)
  }
}

/** What Windows-1252 has where Latin 1 has control signs (Encoding Standard, "index windows-1252"). */
const FROM_0X80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/** By hand, because Node 20's own decoder of that name reads Latin 1. */
const windows1252 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replace(/[\u0080-\u009f]/gu, (sign) => FROM_0X80.charAt(sign.charCodeAt(0) - 0x80))

const byMark = ([first, second, third]: Uint8Array): string | undefined => {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

/** A page that says UTF-8 and is not is a page that says nothing; so is one that names a charset that nobody knows. */
const declared = (bytes: Uint8Array): string | undefined => {
  const start = Buffer.from(bytes.subarray(0, PRESCAN_BYTES)).toString('latin1')
  const label = /<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)/iu.exec(start)?.[1]
  if (!label) return undefined
  try {
    const { encoding } = new TextDecoder(label)
    return encoding.startsWith('utf-') ? undefined : encoding
  } catch {
    return undefined
  }
}

const notText = (): AppError =>
  new AppError(
    'invalid',
    'not_text',
    'The file is named as a text, but it holds something else. Save it as .pdf, .docx, .html, .md, .txt or .csv and upload it again.',
    { field: 'file' },
  )
