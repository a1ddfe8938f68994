/**
 * How long a recording is, as its own head or tail says, in seconds; `null` where this kind does not say. A file may lie: the
 * limit of bytes holds beside it. Ogg: RFC 3533 and RFC 7845; MP4: ISO/IEC 14496-12, `mvhd`; WAV: RIFF, `fmt ` and `data`.
 */
export const secondsOf = (bytes: Buffer): number | null => {
  const found = oggSeconds(bytes) ?? mp4Seconds(bytes) ?? wavSeconds(bytes)
  return found !== null && Number.isFinite(found) && found >= 0 ? found : null
}

const OGG = Buffer.from('OggS')
/** Opus counts in this rate, whatever it was recorded at. */
const OPUS_RATE = 48_000
const MOST_PAGES_BACK = 64 * 1024

/** The last page says how many samples there are. */
const oggSeconds = (bytes: Buffer): number | null => {
  if (!bytes.subarray(0, 4).equals(OGG)) return null
  const head = bytes.subarray(0, 200)
  const opus = head.indexOf('OpusHead')
  const vorbis = head.indexOf('\u0001vorbis', 0, 'latin1')
  const rate = opus >= 0 ? OPUS_RATE : vorbis >= 0 && head.length > vorbis + 16 ? head.readUInt32LE(vorbis + 12) : 0
  const last = bytes.lastIndexOf(OGG, undefined)
  if (rate === 0 || last < bytes.length - MOST_PAGES_BACK || last + 14 > bytes.length) return null
  return Number(bytes.readBigUInt64LE(last + 6)) / rate
}

const mp4Seconds = (bytes: Buffer): number | null => {
  if (bytes.toString('latin1', 4, 8) !== 'ftyp') return null
  const at = bytes.indexOf('mvhd', 0, 'latin1')
  if (at < 0 || at + 36 > bytes.length) return null
  const isLong = bytes[at + 4] === 1
  const rate = bytes.readUInt32BE(at + (isLong ? 24 : 16))
  const length = isLong ? Number(bytes.readBigUInt64BE(at + 28)) : bytes.readUInt32BE(at + 20)
  return rate > 0 ? length / rate : null
}

const wavSeconds = (bytes: Buffer): number | null => {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') return null
  const format = bytes.indexOf('fmt ', 12, 'latin1')
  const data = bytes.indexOf('data', 12, 'latin1')
  if (format < 0 || data < 0 || format + 20 > bytes.length || data + 8 > bytes.length) return null
  const bytesPerSecond = bytes.readUInt32LE(format + 16)
  return bytesPerSecond > 0 ? bytes.readUInt32LE(data + 4) / bytesPerSecond : null
}
