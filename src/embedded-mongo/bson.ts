import { Binary, BSONRegExp, Code, Decimal128, Double, MaxKey, MinKey, Timestamp } from 'mongodb'
import { notImplemented } from './errors.js'
import { type Doc, isInt32, keyOf, nameOf, newDoc, ObjectId, type Value } from './values.js'

/**
 * BSON (bsonspec.org) to and from the values of `values.ts`. Own code instead of the driver's `bson`, because that one
 * loses the difference between int32 and double, moves fields with numeric names, and costs twice the time.
 */
export class MalformedBson extends Error {}

/** A whole BSON document that is written as it is: answers are built without decoding what is stored. */
export class Raw {
  constructor(readonly bytes: Buffer) {}
}

const MAX_DEPTH = 180

// One decoding at a time: the state lives in the module, which saves an allocation per document.
let bytes: Buffer = Buffer.alloc(0)
let at = 0

// Field names repeat endlessly: a name is looked up by a hash of its bytes before a string is made.
type CachedName = { key: string; bytes: Buffer }
const NAME_SLOTS = 4096
const names: (CachedName | undefined)[] = new Array<CachedName | undefined>(NAME_SLOTS)

const readName = (): string => {
  const start = at
  let hash = 0
  let byte = bytes[at]!
  while (byte !== 0) {
    hash = (Math.imul(hash, 31) + byte) | 0
    byte = bytes[++at]!
    if (byte === undefined) throw new MalformedBson('a field name does not end')
  }
  const length = at - start
  at++
  const slot = (hash ^ (hash >>> 12)) & (NAME_SLOTS - 1)
  const cached = names[slot]
  if (cached?.bytes.length === length) {
    let i = 0
    while (i < length && cached.bytes[i] === bytes[start + i]) i++
    if (i === length) return cached.key
  }
  const key = keyOf(bytes.toString('utf8', start, start + length))
  if (length <= 64) names[slot] = { key, bytes: Buffer.from(bytes.subarray(start, start + length)) }
  return key
}

const readCString = (): string => {
  const end = bytes.indexOf(0, at)
  if (end < 0) throw new MalformedBson('a string does not end')
  const text = bytes.toString('utf8', at, end)
  at = end + 1
  return text
}

const readString = (): string => {
  const length = bytes.readInt32LE(at)
  const end = at + 4 + length
  if (length < 1 || end > bytes.length || bytes[end - 1] !== 0) throw new MalformedBson('a string has a wrong length')
  const text = bytes.toString('utf8', at + 4, end - 1)
  at = end
  return text
}

const readBinary = (): Binary => {
  const length = bytes.readInt32LE(at)
  const subtype = bytes[at + 4]!
  const start = at + 5
  if (length < 0 || start + length > bytes.length) throw new MalformedBson('binary data has a wrong length')
  at = start + length
  return new Binary(Buffer.from(bytes.subarray(start, at)), subtype)
}

/** The options that MongoDB knows, each at most once. */
const REGEX_OPTIONS = /^(?!.*(.).*\1)[ilmsux]*$/

const readRegex = (): BSONRegExp => {
  const pattern = readCString()
  const options = readCString()
  if (!REGEX_OPTIONS.test(options)) throw new MalformedBson('a regular expression has unknown options')
  return new BSONRegExp(pattern, options)
}

const readDate = (): Date => {
  const date = new Date(Number(bytes.readBigInt64LE(at)))
  if (Number.isNaN(date.getTime())) throw notImplemented('a date outside the years ±271821')
  at += 8
  return date
}

const readValue = (type: number, depth: number): Value => {
  switch (type) {
    case 0x01: {
      const value = bytes.readDoubleLE(at)
      at += 8
      return isInt32(value) ? new Double(value) : value
    }
    case 0x02:
      return readString()
    case 0x03:
      return readDocument(depth + 1)
    case 0x04:
      return readArray(depth + 1)
    case 0x05:
      return readBinary()
    case 0x07: {
      const value = new ObjectId(bytes.toString('latin1', at, at + 12))
      if (at + 12 > bytes.length) throw new MalformedBson('an ObjectId is cut off')
      at += 12
      return value
    }
    case 0x08: {
      const value = bytes[at++]!
      if (value > 1) throw new MalformedBson('a boolean is neither 0 nor 1')
      return value === 1
    }
    case 0x09:
      return readDate()
    case 0x0a:
      return null
    case 0x0b:
      return readRegex()
    case 0x0d:
      return new Code(readString())
    case 0x10: {
      const value = bytes.readInt32LE(at)
      at += 4
      return value
    }
    case 0x11: {
      const value = new Timestamp({ i: bytes.readUInt32LE(at), t: bytes.readUInt32LE(at + 4) })
      at += 8
      return value
    }
    case 0x12: {
      const value = bytes.readBigInt64LE(at)
      at += 8
      return value
    }
    case 0x13: {
      if (at + 16 > bytes.length) throw new MalformedBson('a Decimal128 is cut off')
      const value = new Decimal128(Buffer.from(bytes.subarray(at, at + 16)))
      at += 16
      return value
    }
    case 0xff:
      return new MinKey()
    case 0x7f:
      return new MaxKey()
    case 0x06:
    case 0x0c:
    case 0x0e:
    case 0x0f:
      throw notImplemented(`the BSON type ${type} (undefined, DBPointer, symbol, code with scope)`)
    default:
      throw new MalformedBson(`unknown BSON type ${type}`)
  }
}

/** Reads length and bounds of the document at the cursor and returns where its last byte (a NUL) is. */
const enter = (depth: number): number => {
  const start = at
  if (depth > MAX_DEPTH) throw new MalformedBson('a document is nested too deeply')
  if (start + 5 > bytes.length) throw new MalformedBson('a document is cut off')
  const length = bytes.readInt32LE(start)
  const end = start + length - 1
  if (length < 5 || end >= bytes.length || bytes[end] !== 0) throw new MalformedBson('a document has a wrong length')
  at += 4
  return end
}

const readDocument = (depth: number): Doc => {
  const end = enter(depth)
  const doc = newDoc()
  while (at < end) {
    const type = bytes[at++]!
    doc[readName()] = readValue(type, depth)
  }
  if (at !== end) throw new MalformedBson('a document ends too late')
  at++
  return doc
}

const readArray = (depth: number): Value[] => {
  const end = enter(depth)
  const list: Value[] = []
  while (at < end) {
    const type = bytes[at++]!
    // The names of an array's elements are their positions; BSON readers may skip them.
    while (bytes[at] !== 0) if (++at > end) throw new MalformedBson('an array index does not end')
    at++
    list.push(readValue(type, depth))
  }
  if (at !== end) throw new MalformedBson('an array ends too late')
  at++
  return list
}

/** Node's own bounds check: the input ends inside a number. */
export const isOutOfBounds = (error: unknown): boolean =>
  ['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS'].includes((error as { code?: string }).code ?? '')

/** Decodes the document that fills `source` from `offset`. Throws MalformedBson, or NotImplemented for types not kept. */
export const decode = (source: Buffer, offset = 0): Doc => {
  bytes = source
  at = offset
  try {
    return readDocument(0)
  } catch (error) {
    if (isOutOfBounds(error)) throw new MalformedBson('a value is cut off', { cause: error })
    throw error
  }
}

/** Byte length of the document that starts at `offset`, checked against the end. */
export const lengthAt = (source: Buffer, offset: number, end: number): number => {
  if (offset + 5 > end) throw new MalformedBson('a document is cut off')
  const length = source.readInt32LE(offset)
  if (length < 5 || offset + length > end) throw new MalformedBson('a document has a wrong length')
  return length
}

let out = Buffer.allocUnsafe(1 << 16)
let end = 0

const room = (size: number): void => {
  if (end + size <= out.length) return
  const larger = Buffer.allocUnsafe(Math.max(out.length * 2, end + size))
  out.copy(larger, 0, 0, end)
  out = larger
}

const writeText = (text: string): void => {
  const length = text.length
  room(length * 3 + 1)
  if (length > 40) {
    end += out.write(text, end, 'utf8')
    return
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 127) {
      end += out.write(i === 0 ? text : text.slice(i), end, 'utf8')
      return
    }
    out[end++] = unit
  }
}

const writeHead = (type: number, key: string): void => {
  room(1)
  out[end++] = type
  writeText(key.charCodeAt(0) === 0 ? nameOf(key) : key)
  room(17)
  out[end++] = 0
}

const writeStringValue = (text: string): void => {
  room(4)
  const start = end
  end += 4
  writeText(text)
  room(1)
  out[end++] = 0
  out.writeInt32LE(end - start - 4, start)
}

const writeNumber = (key: string, value: number): void => {
  if (isInt32(value)) {
    writeHead(0x10, key)
    end = out.writeInt32LE(value, end)
  } else {
    writeHead(0x01, key)
    end = out.writeDoubleLE(value, end)
  }
}

// Answers are plain objects, stored documents are not; both are written alike.
const writeField = (key: string, value: unknown): void => {
  switch (typeof value) {
    case 'undefined':
      return
    case 'string':
      writeHead(0x02, key)
      return writeStringValue(value)
    case 'number':
      return writeNumber(key, value)
    case 'boolean':
      writeHead(0x08, key)
      out[end++] = value ? 1 : 0
      return
    case 'bigint':
      writeHead(0x12, key)
      end = out.writeBigInt64LE(value, end)
      return
    default:
  }
  if (value === null) writeHead(0x0a, key)
  else if (Array.isArray(value)) {
    writeHead(0x04, key)
    writeArray(value)
  } else if (value instanceof ObjectId) {
    writeHead(0x07, key)
    end += out.write(value.bytes, end, 'latin1')
  } else if (value instanceof Date) {
    writeHead(0x09, key)
    end = out.writeBigInt64LE(BigInt(value.getTime()), end)
  } else if (value instanceof Raw) {
    writeHead(0x03, key)
    room(value.bytes.length)
    end += value.bytes.copy(out, end)
  } else if (value instanceof Double) {
    writeHead(0x01, key)
    end = out.writeDoubleLE(value.value, end)
  } else writeRareField(key, value as object)
}

const writeRareField = (key: string, value: object): void => {
  if (value instanceof Binary) {
    const content = value.value()
    writeHead(0x05, key)
    room(5 + content.length)
    end = out.writeInt32LE(content.length, end)
    out[end++] = value.sub_type
    out.set(content, end)
    end += content.length
  } else if (value instanceof Decimal128) {
    writeHead(0x13, key)
    out.set(value.bytes, end)
    end += 16
  } else if (value instanceof Timestamp) {
    writeHead(0x11, key)
    end = out.writeUInt32LE(value.low >>> 0, end)
    end = out.writeUInt32LE(value.high >>> 0, end)
  } else if (value instanceof BSONRegExp) {
    writeHead(0x0b, key)
    for (const part of [value.pattern, value.options]) {
      writeText(part)
      room(1)
      out[end++] = 0
    }
  } else if (value instanceof Code) {
    writeHead(0x0d, key)
    writeStringValue(value.code)
  } else if (value instanceof MinKey) writeHead(0xff, key)
  else if (value instanceof MaxKey) writeHead(0x7f, key)
  else {
    writeHead(0x03, key)
    writeDocument(value)
  }
}

const writeArray = (list: readonly unknown[]): void => {
  room(5)
  const start = end
  end += 4
  for (let i = 0; i < list.length; i++) writeField(String(i), list[i] === undefined ? null : list[i])
  room(1)
  out[end++] = 0
  out.writeInt32LE(end - start, start)
}

const writeDocument = (value: object): void => {
  room(5)
  const start = end
  end += 4
  for (const key in value) writeField(key, (value as Record<string, unknown>)[key])
  room(1)
  out[end++] = 0
  out.writeInt32LE(end - start, start)
}

/** Encodes a document behind `header` free bytes that the caller fills. */
export const encode = (value: object, header = 0): Buffer => {
  room(header)
  end = header
  writeDocument(value)
  const result = Buffer.allocUnsafe(end)
  out.copy(result, 0, 0, end)
  // One huge answer must not pin its memory for ever.
  if (out.length > 1 << 24) out = Buffer.allocUnsafe(1 << 16)
  return result
}
