import { decode, encode, isOutOfBounds, lengthAt, MalformedBson } from './bson.js'
import type { Doc } from './values.js'

/** MongoDB's wire protocol: OP_MSG, and the one OP_QUERY with which drivers say hello. */

export const MAX_MESSAGE_BYTES = 48_000_000
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
/** Bits 0 to 15 must be understood by the receiver. */
const REQUIRED_FLAGS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)

/** Input that is not the protocol: the connection it came from is closed. */
export class MalformedMessage extends Error {}

export type RawDocument = { doc: Doc; raw: Buffer }

export type Request = {
  id: number
  legacy: boolean
  wantsReply: boolean
  body: Doc
  /** The document sequences of payload type 1, by field. */
  sequences: Map<string, RawDocument[]>
}

const HEADER = 16

/** Cuts a stream of bytes into whole messages. */
export class MessageReader {
  private parts: Buffer[] = []
  private held = 0
  private wanted = HEADER

  /** The messages that are complete with this piece. Throws MalformedMessage when the length cannot be true. */
  push(piece: Buffer): Buffer[] {
    this.parts.push(piece)
    this.held += piece.length
    if (this.held < this.wanted) return []
    let bytes = this.parts.length === 1 ? piece : Buffer.concat(this.parts, this.held)
    const messages: Buffer[] = []
    while (bytes.length >= HEADER) {
      const length = bytes.readInt32LE(0)
      if (length < HEADER || length > MAX_MESSAGE_BYTES) throw new MalformedMessage(`a message of ${length} bytes`)
      if (bytes.length < length) break
      messages.push(bytes.subarray(0, length))
      bytes = bytes.subarray(length)
    }
    this.parts = bytes.length > 0 ? [bytes] : []
    this.held = bytes.length
    this.wanted = bytes.length >= HEADER ? bytes.readInt32LE(0) : HEADER
    return messages
  }
}

export const readRequest = (message: Buffer): Request => {
  const id = message.readInt32LE(4)
  const operation = message.readInt32LE(12)
  try {
    if (operation === OP_MSG) return readMsg(message, id)
    if (operation === OP_QUERY) return readQuery(message, id)
  } catch (error) {
    if (error instanceof MalformedBson || isOutOfBounds(error))
      throw new MalformedMessage((error as Error).message, { cause: error })
    throw error
  }
  throw new MalformedMessage(`operation ${operation}`)
}

const readMsg = (message: Buffer, id: number): Request => {
  const flags = message.readUInt32LE(HEADER)
  if (flags & REQUIRED_FLAGS) throw new MalformedMessage(`flags ${flags}`)
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0)
  const sequences = new Map<string, RawDocument[]>()
  let body: Doc | null = null
  let at = HEADER + 4
  while (at < end) {
    const kind = message[at++]
    if (kind === 0) {
      const length = lengthAt(message, at, end)
      if (body) throw new MalformedMessage('two bodies')
      body = decode(message.subarray(at, at + length))
      at += length
    } else if (kind === 1) {
      const sectionEnd = at + message.readInt32LE(at)
      const nameEnd = message.indexOf(0, at + 4)
      if (sectionEnd > end || nameEnd < 0 || nameEnd >= sectionEnd) throw new MalformedMessage('a section is cut off')
      const name = message.toString('utf8', at + 4, nameEnd)
      const documents: RawDocument[] = []
      at = nameEnd + 1
      while (at < sectionEnd) {
        const length = lengthAt(message, at, sectionEnd)
        // A copy: what is stored must not keep the whole message alive.
        const raw = Buffer.from(message.subarray(at, at + length))
        documents.push({ doc: decode(raw), raw })
        at += length
      }
      sequences.set(name, documents)
    } else throw new MalformedMessage(`a section of kind ${kind}`)
  }
  if (!body) throw new MalformedMessage('no body')
  return { id, legacy: false, wantsReply: (flags & MORE_TO_COME) === 0, body, sequences }
}

const readQuery = (message: Buffer, id: number): Request => {
  const nameEnd = message.indexOf(0, HEADER + 4)
  if (nameEnd < 0) throw new MalformedMessage('a query without a collection')
  const namespace = message.toString('utf8', HEADER + 4, nameEnd)
  if (!namespace.endsWith('.$cmd')) throw new MalformedMessage(`a query of ${namespace}`)
  const at = nameEnd + 9
  const body = decode(message.subarray(at, at + lengthAt(message, at, message.length)))
  body.$db = namespace.slice(0, -'.$cmd'.length)
  return { id, legacy: true, wantsReply: true, body, sequences: new Map() }
}

/** Bytes before the document of an OP_MSG: header, flags, kind of the section. */
const REPLY_HEAD = HEADER + 5
const LEGACY_HEAD = HEADER + 20

let nextReplyId = 1

export const encodeReply = (reply: object): Buffer => encode(reply, REPLY_HEAD)

/** Fills the head of an encoded reply; a legacy request gets an OP_REPLY. */
export const addressReply = (encoded: Buffer, request: Request): Buffer => {
  const message = request.legacy ? Buffer.alloc(encoded.length - REPLY_HEAD + LEGACY_HEAD) : encoded
  nextReplyId = (nextReplyId + 1) & 0x7fffffff
  message.writeInt32LE(message.length, 0)
  message.writeInt32LE(nextReplyId, 4)
  message.writeInt32LE(request.id, 8)
  message.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12)
  if (request.legacy) {
    message.writeInt32LE(8, HEADER) // AwaitCapable
    message.writeInt32LE(1, HEADER + 16) // numberReturned
    encoded.copy(message, LEGACY_HEAD, REPLY_HEAD)
  } else message.fill(0, HEADER, REPLY_HEAD)
  return message
}
