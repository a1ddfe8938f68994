import { sha256 } from '../../platform/secrets.js'

/**
 * Outlook's Thread-Index ([MS-OXOMSG] section 2.2.1.3): 22 bytes that all mails of a thread begin with, and 5 more for each answer.
 * Whoever made the first 22 is not known by them: they are a hint, and no proof.
 */

const ROOT_BYTES = 22
const LONGEST_BYTES = 1_000

const bytesOf = (threadIndex: string | null): Buffer | null => {
  if (!threadIndex || !/^[A-Za-z0-9+/]+=*$/u.test(threadIndex)) return null
  const bytes = Buffer.from(threadIndex, 'base64')
  return bytes.length >= ROOT_BYTES && bytes.length <= LONGEST_BYTES ? bytes : null
}

/** The same for all mails of one thread; `null` where it is none. */
export const threadRoot = (threadIndex: string | null): string | null => {
  const bytes = bytesOf(threadIndex)
  return bytes && sha256(bytes.subarray(0, ROOT_BYTES).toString('hex')).slice(0, 24)
}

/** FILETIME counts units of 100 ns from 1601; the header of a thread keeps its upper 48 bits. */
const filetime = (at: Date): bigint => BigInt(at.getTime() + 11_644_473_600_000) * 10_000n

/** The index of an answer to a mail that has this one; `name` tells answers of one moment apart. `null` where it has none. */
export const answeringIndex = (threadIndex: string | null, at: Date, name: string): string | null => {
  const bytes = bytesOf(threadIndex)
  if (!bytes || bytes.length + 5 > LONGEST_BYTES) return null
  const sinceFirst = filetime(at) - (BigInt(`0x${bytes.toString('hex', 0, 6)}`) << 16n)
  const passed = sinceFirst > 0n ? sinceFirst : 0n
  // 31 bits of it: finer within about 1.7 years, coarser beyond, which the first bit says.
  const isLong = passed >> 49n > 0n
  const delta = isLong ? ((passed >> 23n) & 0x7fffffffn) | 0x80000000n : passed >> 18n
  const block = Buffer.alloc(5)
  block.writeUInt32BE(Number(delta))
  block.writeUInt8(parseInt(sha256(name).slice(0, 1), 16) << 4, 4)
  return Buffer.concat([bytes, block]).toString('base64')
}
