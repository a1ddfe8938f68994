import path from 'node:path'
import { shownName } from '../../platform/files.js'
import type { Part } from './decode-mime.js'

/** The files of a mail: what they are called, and which of them run when opened. */

export type EmailAttachment = {
  /** Fit to be shown and stored: no path, no control signs. */
  filename: string
  contentType: string
  size: number
  content: Buffer
  /** Of a picture within the HTML, without brackets: `data-cid` there. */
  contentId: string | null
  inline: boolean
  /** Opening it may run something: kept, but said. */
  unsafe: boolean
}

export const givenName = (part: Part): string => part.dispositionParameters.filename || part.parameters.name || ''

export const describeFile = (part: Part, bytes: Buffer, index: number): EmailAttachment => {
  const given = givenName(part)
  const filename = given ? shownName(given) : `${nameFor(part.type)}-${index + 1}${EXTENSIONS[part.type] ?? ''}`
  const contentId = /<?([^<>\s\p{Cc}]{1,300})>?/u.exec(part.headers.first('content-id') ?? '')?.[1] ?? null
  return {
    filename,
    contentType: part.type,
    size: bytes.length,
    content: bytes,
    contentId,
    inline: part.disposition !== 'attachment' && (contentId !== null || part.disposition === 'inline'),
    unsafe: isUnsafe(filename, part.type),
  }
}

const nameFor = (type: string): string =>
  type.startsWith('image/') ? 'image' : type.startsWith('message/') ? 'message' : 'attachment'

const EXTENSIONS: Record<string, string> = {
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/gif': '.gif',
  'image/webp': '.webp',
  'application/pdf': '.pdf',
  'text/plain': '.txt',
  'text/html': '.html',
  'text/calendar': '.ics',
  'text/csv': '.csv',
  'message/rfc822': '.eml',
  'application/pgp-signature': '.asc',
  'application/pkcs7-signature': '.p7s',
  'application/x-pkcs7-signature': '.p7s',
  'application/pkcs7-mime': '.p7m',
  'application/zip': '.zip',
}

/** What a double click runs, on any of the systems that agents use. */
const UNSAFE = new Set(
  (
    'exe com scr pif bat cmd ps1 psm1 msi msp mst vbs vbe vb js jse mjs ws wsf wsh wsc hta cpl jar jnlp lnk inf reg scf url ' +
    'application gadget msc dll sys drv ocx app dmg pkg command terminal workflow sh bash zsh csh run elf deb rpm appimage apk ' +
    'iso img vhd vhdx chm hlp xll xlam docm dotm xlsm xltm pptm potm ppam ppsm sldm ade adp mdb accde one html htm xhtml shtml mht mhtml svg swf'
  ).split(' '),
)
const UNSAFE_TYPES =
  /^(?:application\/(?:x-msdownload|x-msdos-program|x-dosexec|x-executable|x-sh|x-bat|hta|javascript|x-javascript|vnd\.microsoft\.portable-executable|x-ms-shortcut|java-archive)|text\/(?:html|javascript|x-sh|vbscript)|image\/svg\+xml)$/u

/** By the name's last extension, after the tricks that hide it: dots and spaces at the end, a harmless one before it. */
const isUnsafe = (filename: string, type: string): boolean =>
  UNSAFE.has(
    path
      .extname(filename.replace(/[.\s]+$/u, ''))
      .slice(1)
      .toLowerCase(),
  ) || UNSAFE_TYPES.test(type)
