import { parseHeaders, parseParameters, type Headers } from './decode-headers.js'

/**
 * A message as a tree of parts (RFC 2045–2049), read from the bytes where they lie. It takes what the world sends: missing and
 * doubled boundaries, bare line ends, a header without an end. It loses no text of such mail, and its work is bounded: by depth,
 * by parts, and by the bytes that it looks at again for parts inside parts.
 *
 * Our own, because the library at hand drops parts whose boundary line ends in spaces, leaves encoded messages closed, and has no
 * bounds.
 */

export type Part = {
  headers: Headers
  /** Lower case, `type/subtype`. */
  type: string
  parameters: Record<string, string>
  disposition: string
  dispositionParameters: Record<string, string>
  /** Still encoded for the way. */
  body: Buffer
  /** Of a multipart its parts, of a message/rfc822 the one message in it. */
  children: Part[]
}

export type MimeOddity =
  | 'truncated'
  | 'too_many_parts'
  | 'nested_too_deep'
  | 'malformed_header'
  | 'header_too_long'
  | 'base64_damaged'

export type Tree = { root: Part; oddities: Set<MimeOddity> }

const MOST_PARTS = 1_000
const DEEPEST = 30
/** Bytes to look at for boundaries, as a multiple of the message. */
const LOOKED_AT_TIMES = 12
const LONGEST_HEADER = 512 * 1024

type Walk = { parts: number; bytesLeft: number; oddities: Set<MimeOddity> }

export const parseMime = (raw: Buffer): Tree => {
  const oddities = new Set<MimeOddity>()
  const walk: Walk = { parts: 0, bytesLeft: raw.length * LOOKED_AT_TIMES + 1024 * 1024, oddities }
  return { root: parsePart(raw, walk, 0, 'text/plain', true), oddities }
}

const parsePart = (bytes: Buffer, walk: Walk, depth: number, defaultType: string, isMessage = false): Part => {
  walk.parts += 1
  const bodyAt = endOfHeader(bytes)
  if (bodyAt > LONGEST_HEADER) walk.oddities.add('header_too_long')
  let headers = parseHeaders(bytes.subarray(0, bodyAt))
  let body = bytes.subarray(bodyAt)
  if (headers.malformed) walk.oddities.add('malformed_header')
  // Nothing in it is a header: then all of it is what somebody wrote.
  if (headers.count === 0 && bodyAt > 0 && (isMessage || headers.malformed)) {
    headers = parseHeaders(Buffer.alloc(0))
    body = bytes
  }
  const contentType = parseParameters(headers.first('content-type') ?? '')
  const disposition = parseParameters(headers.first('content-disposition') ?? '')
  const type = /^[\w.+-]+\/[\w.+-]+$/u.test(contentType.value)
    ? contentType.value
    : shortType(contentType.value, defaultType)
  const part: Part = {
    headers,
    type,
    parameters: contentType.parameters,
    disposition: disposition.value,
    dispositionParameters: disposition.parameters,
    body,
    children: [],
  }
  // Sentences among the fields were meant for whoever reads it: no text is lost with its header.
  if (isMessage && headers.count > 0 && headers.stray.length > 0 && isAsSent(part))
    part.body = Buffer.concat([Buffer.from(`${headers.stray.join('\r\n')}\r\n\r\n`, 'latin1'), body])
  addChildren(part, walk, depth)
  return part
}

const isAsSent = ({ type, headers }: Part): boolean =>
  type === 'text/plain' && !/^(?:base64|quoted|x-?uu|uu)/iu.test(headers.first('content-transfer-encoding') ?? '')

/** `Content-Type: text` is plain text; what else is not a type is unknown. */
const shortType = (value: string, defaultType: string): string =>
  value === 'text' ? 'text/plain' : value === '' ? defaultType : 'application/octet-stream'

const addChildren = (part: Part, walk: Walk, depth: number): void => {
  const multipart = part.type.startsWith('multipart/')
  const message = part.type === 'message/rfc822' || part.type === 'message/global'
  if (!multipart && !message) return
  if (depth >= DEEPEST || walk.bytesLeft < part.body.length) {
    walk.oddities.add('nested_too_deep')
    return
  }
  walk.bytesLeft -= part.body.length
  if (message) {
    const inner = decodeTransfer(part, walk.oddities)
    if (inner.length > 0) part.children.push(parsePart(inner, walk, depth + 1, 'text/plain', true))
    return
  }
  const boundary = rawBoundary(part)
  if (!boundary) return asText(part)
  const defaultType = part.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain'
  const { pieces, closed } = splitParts(part.body, boundary)
  if (!closed) walk.oddities.add('truncated')
  if (pieces.length === 0 && !closed) return asText(part)
  for (const piece of pieces) {
    if (walk.parts >= MOST_PARTS) {
      walk.oddities.add('too_many_parts')
      return
    }
    part.children.push(parsePart(piece, walk, depth + 1, defaultType))
  }
}

/** It says that it has parts and has none: then it is what somebody wrote, as its second Content-Type may even say. */
const asText = (part: Part): void => {
  if (part.body.length === 0) return
  const second = parseParameters(part.headers.all('content-type')[1] ?? '')
  part.type = second.value === 'text/html' ? 'text/html' : 'text/plain'
  part.parameters = second.parameters
}

/** As it stands in the header, byte for byte, spaces at its end too: a boundary is compared, not read. */
const rawBoundary = (part: Part): string | undefined => {
  const found = /boundary\s*=\s*(?:"([^"]*)"|([^;\s]+))/iu.exec(part.headers.first('content-type') ?? '')
  const exact = found?.[1] ?? found?.[2] ?? part.parameters.boundary ?? guessedBoundary(part.body)
  if (exact === undefined || part.body.includes(`--${exact}`, 0, 'latin1')) return exact
  return exact.trim()
}

/** The parameter got lost, as where its line was not indented: then the first line that looks like one, and is closed by one. */
const guessedBoundary = (body: Buffer): string | undefined => {
  const first = /^--([^\r\n]{4,200}?)[ \t]*$/mu.exec(body.toString('latin1', 0, 8_192))?.[1]
  return first && body.includes(`--${first}--`, 0, 'latin1') ? first : undefined
}

const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** What stands between the boundary lines. A line counts when it starts with the boundary (RFC 2046, section 5.1.1). */
const splitParts = (body: Buffer, boundary: string): { pieces: Buffer[]; closed: boolean } => {
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  const pieces: Buffer[] = []
  let start = -1
  let at = 0
  for (;;) {
    const found = body.indexOf(mark, at)
    if (found < 0) break
    at = found + mark.length
    const before = body[found - 1]
    if (found > 0 && before !== LF && before !== CR) continue
    const rest = restOfLine(body, at)
    const closes = body[at] === DASH && body[at + 1] === DASH
    // Another boundary that merely begins like this one.
    if (!closes && !/^(?:[ \t]|$)/u.test(rest.text)) continue
    if (start >= 0) pieces.push(body.subarray(start, Math.max(start, lineEndBefore(body, found))))
    if (closes && (pieces.length > 0 || start >= 0)) return { pieces, closed: true }
    start = rest.next
    at = rest.next
    if (pieces.length > MOST_PARTS) break
  }
  if (start >= 0 && start < body.length) pieces.push(body.subarray(start))
  return { pieces, closed: false }
}

const restOfLine = (body: Buffer, at: number): { text: string; next: number } => {
  let end = at
  while (end < body.length && body[end] !== LF && body[end] !== CR) end += 1
  const next = body[end] === CR && body[end + 1] === LF ? end + 2 : end + 1
  return { text: body.toString('latin1', at, Math.min(end, at + 100)), next: Math.min(next, body.length) }
}

/** The line end before a boundary belongs to the boundary. */
const lineEndBefore = (body: Buffer, at: number): number => {
  if (body[at - 1] === LF) return body[at - 2] === CR ? at - 2 : at - 1
  return body[at - 1] === CR ? at - 1 : at
}

/** Where the body begins: after the first empty line. At the very start it is none. */
const endOfHeader = (bytes: Buffer): number => {
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === LF) return at + 1
    if (byte === CR) return bytes[at + 1] === LF ? at + 2 : at + 1
    at = nextLine(bytes, at)
  }
  return bytes.length
}

const nextLine = (bytes: Buffer, from: number): number => {
  const feed = bytes.indexOf(LF, from)
  const end = feed < 0 ? bytes.length : feed
  const carriage = bytes.subarray(from, end).indexOf(CR)
  // A lone CR ends a line as well.
  if (carriage >= 0 && from + carriage < end - 1) return from + carriage + 1
  return feed < 0 ? bytes.length : feed + 1
}

/** The part's bytes as they were before they were made fit for the way. */
export const decodeTransfer = (part: Part, oddities: Set<MimeOddity>): Buffer => {
  const encoding = (part.headers.first('content-transfer-encoding') ?? '').split(/[\s;(]/u, 1)[0]?.toLowerCase()
  switch (encoding) {
    case 'base64':
      return decodeBase64(part.body, oddities)
    case 'quoted-printable':
      return decodeQuotedPrintable(part.body)
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return decodeUu(part.body)
    default:
      return part.body
  }
}

const BASE64_SLICE = 2 * 1024 * 1024

/** Signs that are not base64 are passed over (RFC 2045, section 6.8); what is plainly no base64 stays as it was sent. */
const decodeBase64 = (body: Buffer, oddities: Set<MimeOddity>): Buffer => {
  const head = body.subarray(0, 2_000).toString('latin1')
  const foreign = head.match(/[^A-Za-z0-9+/=\s]/gu)?.length ?? 0
  if (foreign > 0) oddities.add('base64_damaged')
  if (foreign * 20 > head.length) return body
  const out = Buffer.allocUnsafeSlow(Math.ceil((body.length * 3) / 4))
  let size = 0
  for (let at = 0; at < body.length; ) {
    // Cut where a group of four ends, so that none lies across.
    const end = at + BASE64_SLICE >= body.length ? body.length : wholeGroups(body, at, at + BASE64_SLICE)
    size += writeBase64(body.toString('latin1', at, end), out, size)
    at = end
  }
  return out.subarray(0, size)
}

/**
 * Padding ends a group but not always the part: some mailers join pieces that were encoded apart. Other text after it is none.
 * Tells how many bytes were written.
 */
const writeBase64 = (slice: string, out: Buffer, at: number): number => {
  // Node reads the signs of base64url as well, which in a mail are no base64.
  const text = slice.replace(/[-_]+/gu, '')
  let size = 0
  let from = 0
  for (const padding of text.matchAll(/=[=\s]*/gu)) {
    size += out.write(text.slice(from, padding.index), at + size, 'base64')
    from = padding.index + padding[0].length
    if (!/^[A-Za-z0-9+/]{8,}={0,2}[\r\n]*$/u.test(text.slice(from, from + 80).split(/\r|\n/u, 1)[0] ?? '')) return size
  }
  return size + out.write(text.slice(from), at + size, 'base64')
}

/** 1 for the 64 signs, 0 for all else. */
const IS_SIGN = new Uint8Array(256)
for (const sign of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')) IS_SIGN[sign] = 1

/** The last place in it up to which the signs make whole groups of four. */
const wholeGroups = (body: Buffer, from: number, to: number): number => {
  let signs = 0
  for (let at = from; at < to; at += 1) signs += IS_SIGN[body[at] as number] as number
  let end = to
  for (let over = signs % 4; over > 0; end -= 1) over -= IS_SIGN[body[end - 1] as number] as number
  return end
}

/** −1 for what is none, which stays negative when shifted. */
const hexDigit = (byte = 0): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

const decodeQuotedPrintable = (body: Buffer): Buffer => {
  const out = Buffer.allocUnsafe(body.length)
  let length = 0
  /** Spaces that end a line were added on the way. */
  let spacesFrom = -1
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] as number
    if (byte === LF || byte === CR) {
      if (spacesFrom >= 0) length = spacesFrom
    } else if (byte === 0x3d) {
      const code = (hexDigit(body[at + 1]) << 4) | hexDigit(body[at + 2])
      if (code >= 0) {
        out[length] = code
        length += 1
        at += 2
        spacesFrom = -1
        continue
      }
      const rest = softBreak(body, at + 1)
      if (rest > 0) {
        at = rest - 1
        spacesFrom = -1
        continue
      }
    }
    if (byte === 0x20 || byte === 0x09) {
      if (spacesFrom < 0) spacesFrom = length
    } else spacesFrom = -1
    out[length] = byte
    length += 1
  }
  return out.subarray(0, length)
}

/** Where the text goes on after `=` and the end of a line, or 0. */
const softBreak = (body: Buffer, from: number): number => {
  let at = from
  while (at < body.length && (body[at] === 0x20 || body[at] === 0x09)) at += 1
  if (at >= body.length) return at
  if (body[at] === CR) return body[at + 1] === LF ? at + 2 : at + 1
  return body[at] === LF ? at + 1 : 0
}

/** `begin 644 name` … `end`, as mail carried files before MIME. */
const decodeUu = (body: Buffer): Buffer => {
  const lines: Buffer[] = []
  let open = false
  for (const line of body.toString('latin1').split(/\r\n|\n|\r/u)) {
    if (!open) {
      open = /^begin [0-7]{3,4} /u.test(line)
      continue
    }
    if (line === 'end') break
    lines.push(uuLine(line))
  }
  return open ? Buffer.concat(lines) : body
}

const uuLine = (line: string): Buffer => {
  const size = (line.charCodeAt(0) - 32) & 0x3f
  const out = Buffer.alloc(Math.ceil(size / 3) * 3)
  const value = (at: number) => ((line.charCodeAt(at) || 32) - 32) & 0x3f
  for (let group = 0; group * 3 < size; group += 1) {
    const at = 1 + group * 4
    const bits = (value(at) << 18) | (value(at + 1) << 12) | (value(at + 2) << 6) | value(at + 3)
    out.writeUIntBE(bits, group * 3, 3)
  }
  return out.subarray(0, size)
}
