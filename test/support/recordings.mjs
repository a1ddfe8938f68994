// Recordings and pictures of the tests: true files by their first and last bytes, in which stands what a model would hear or see.
// The player of OpenAI reads it from there.

const SAID = 'said in the test: '
const SHOWN = 'shown in the test: '

/** An Ogg file of Opus (RFC 3533, RFC 7845): two pages, the last of which says how long it is. @param {string} text */
export const voiceNote = (text, seconds = 4) => {
  const head = Buffer.from('OpusHead\u0001\u0001', 'latin1')
  const words = Buffer.from(`${SAID}${JSON.stringify({ text, seconds })}\n`)
  return Buffer.concat([page(0n, 2), head, words, page(BigInt(seconds) * 48_000n, 4)])
}

/** @param {bigint} granule @param {number} flags */
const page = (granule, flags) => {
  const bytes = Buffer.alloc(28)
  bytes.write('OggS', 'latin1')
  bytes[5] = flags
  bytes.writeBigUInt64LE(granule, 6)
  bytes[26] = 1
  return bytes
}

/** Sound that every browser plays: a low hum, as 8-bit PCM in a WAV file. */
export const hum = (seconds = 4) => {
  const samples = Buffer.from(
    Array.from({ length: seconds * 8_000 }, (_, at) => 128 + Math.round(20 * Math.sin(at / 8))),
  )
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + samples.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(8_000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}

/** A picture that is large enough to be one, and what is to be seen in it. @param {string} shows */
export const picture = (shows, writing = '') =>
  Buffer.concat([
    Buffer.from(PIXEL, 'base64'),
    Buffer.alloc(4_096),
    Buffer.from(`${SHOWN}${JSON.stringify({ shows, writing })}\n`),
  ])

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

/** @param {Buffer} bytes @param {string} mark */
const after = (bytes, mark) => {
  const at = bytes.indexOf(mark)
  if (at < 0) return null
  const start = at + mark.length
  return JSON.parse(bytes.toString('utf8', start, bytes.indexOf('\n', start)))
}

/** @param {Buffer} bytes @returns {{ text: string, seconds: number } | null} */
export const saidIn = (bytes) => after(bytes, SAID)

/** @param {Buffer} bytes @returns {{ shows: string, writing: string }} */
export const shownIn = (bytes) => after(bytes, SHOWN) ?? { shows: 'Something grey.', writing: '' }
