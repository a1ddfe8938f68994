import { parseHtml } from './html.js'
import type { Section } from './section.js'
import { checkZip } from './zip.js'
import { AppError } from '../../platform/errors.js'

/** Bytes of a Word document when unpacked, pictures and all. */
const MOST_UNPACKED_BYTES = 200 * 1024 * 1024

/** What a document calls its title is its highest heading. */
const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"]

/**
 * Word through HTML: headings, lists and tables stay what they are. Nothing outside of the file is ever read, no picture is
 * unpacked for reading, and macros are not even looked at.
 */
export const parseDocx = async (path: string): Promise<Section[]> => parseHtml(await docxToHtml(path))

export const docxToHtml = async (path: string): Promise<string> => {
  await checkZip(path, MOST_UNPACKED_BYTES)
  const { default: mammoth } = await import('mammoth')
  const options = {
    styleMap: STYLES,
    externalFileAccess: false,
    convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
  }
  try {
    const { value } = await mammoth.convertToHtml({ path }, options)
    return value
  } catch (cause) {
    throw new AppError(
      'invalid',
      'docx_damaged',
      'The Word document is damaged and cannot be read. Open it in a word processor, save it again as .docx and upload it.',
      { field: 'file', cause },
    )
  }
}
