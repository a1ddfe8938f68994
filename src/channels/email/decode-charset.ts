/**
 * Bytes to text. A mail's claim about its charset is often absent and sometimes a lie: what is well-formed UTF-8 is UTF-8 whatever
 * it says, and what says UTF-8 but is not is read by the older charset that most likely wrote it. The caller learns of a guess.
 */

export type Decoded = { text: string; guessed: boolean }

/** Names that mail uses and the WHATWG encoding standard does not list. */
const ALIASES: Record<string, string> = {
  utf8mb4: 'utf-8',
  'unicode-1-1-utf-8': 'utf-8',
  'x-unknown': '',
  'unknown-8bit': '',
  unknown: '',
  default: '',
  '8bit': '',
  ansi: 'windows-1252',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1252: 'windows-1252',
  'iso8859-1': 'iso-8859-1',
  'latin-1': 'iso-8859-1',
  cp932: 'shift_jis',
  'iso-2022-jp-ms': 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp936: 'gbk',
  gb18030: 'gb18030',
  cp949: 'euc-kr',
  ks_c_5601: 'euc-kr',
  cp950: 'big5',
  'x-big5': 'big5',
  'koi8-ru': 'koi8-u',
  cp866: 'ibm866',
  'x-gbk': 'gbk',
}

const SINGLE_BYTE_WESTERN = /^(?:windows-1252|iso-8859-15?|us-ascii|ascii|ansi_x3\.4-1968)$/u

/** ESC followed by one of the designations that switch ISO-2022-JP to another character set. */

const ISO_2022_JP = /\u001b(?:\$[@B]|\([JI])/u

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

export const decodeText = (bytes: Uint8Array, label: string | undefined): Decoded => {
  const name = knownName(label)
  if (name === 'utf-7') return { text: decodeUtf7(Buffer.from(bytes).toString('latin1')), guessed: false }
  if (isAscii(bytes) && !(name && !isAsciiSuperset(name))) {
    const ascii = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    if (!name && ISO_2022_JP.test(ascii.slice(0, 4_096))) return { text: decodeAs('iso-2022-jp', bytes), guessed: true }
    return { text: ascii, guessed: false }
  }
  if (!name || name === 'utf-8' || SINGLE_BYTE_WESTERN.test(name)) {
    const utf8 = asUtf8(bytes)
    // Text in an old Western charset is practically never well-formed UTF-8 by accident.
    if (utf8 !== null) return { text: utf8, guessed: Boolean(label?.trim()) && name !== 'utf-8' }
    if ((!name || name === 'utf-8') && isTorn(bytes)) return { text: decodeAs('utf-8', bytes), guessed: false }
    const western = name && name !== 'utf-8' && !name.includes('ascii')
    return { text: decodeAs(western ? name : likelyLegacy(bytes), bytes), guessed: !western }
  }
  return { text: decodeAs(name, bytes), guessed: false }
}

const knownName = (label: string | undefined): string | null => {
  const asked = (label ?? '')
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/gu, '')
    .replace(/\*.*$/u, '')
    .replace(/_(?=8859|1252)/gu, '-')
  if (asked === 'utf-7' || asked === 'unicode-1-1-utf-7') return 'utf-7'
  const name = ALIASES[asked] ?? asked
  if (!name) return null
  try {
    return /^(?:us-)?ascii$/u.test(name)
      ? 'us-ascii'
      : /^iso-?8859-?15$/u.test(name)
        ? 'iso-8859-15'
        : new TextDecoder(name).encoding
  } catch {
    return null
  }
}

const decodeAs = (name: string, bytes: Uint8Array): string => new TextDecoder(name).decode(bytes)

const asUtf8 = (bytes: Uint8Array): string | null => {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return null
  }
}

const isAscii = (bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += 1) if ((bytes[at] as number) > 0x7f) return false
  return true
}

const isAsciiSuperset = (name: string): boolean => !/^(?:utf-16|iso-2022|utf-7|x-user|replacement)/u.test(name)

/** UTF-8 with a few broken places, such as a cut in the middle of a sign, is still UTF-8. */
const isTorn = (bytes: Uint8Array): boolean => {
  const text = decodeAs('utf-8', bytes)
  let broken = 0
  let whole = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === 0xfffd) broken += 1
    else if (unit > 0x7f) whole += 1
  }
  return broken * 4 <= whole
}

/** Undeclared eight-bit text. Only pairs of high bytes throughout speak for an East Asian charset; Cyrillic is told by its vowels. */
const likelyLegacy = (bytes: Uint8Array): string => {
  const sample = bytes.subarray(0, 20_000)
  let high = 0
  let paired = 0
  for (let at = 0; at < sample.length; at += 1) {
    if ((sample[at] as number) < 0x80) continue
    high += 1
    if (at + 1 < sample.length && (sample[at] as number) >= 0xa1 && (sample[at + 1] as number) >= 0xa1) {
      paired += 2
      high += 1
      at += 1
    }
  }
  if (high < 8) return 'windows-1252'
  const share = (name: string, signs: RegExp) =>
    (decodeAs(name, sample).match(signs)?.length ?? 0) / Math.max(1, Math.min(high, sample.length))
  if (high / sample.length > 0.3) {
    if (share('koi8-r', /[оаеинт]/gu) > 0.3) return 'koi8-r'
    if (share('windows-1251', /[оаеинт]/gu) > 0.3) return 'windows-1251'
    if (paired === high) return 'gb18030'
  }
  return 'windows-1252'
}

/** RFC 2152. Browsers refuse it, and so does TextDecoder; a few old gateways still write it. */
const decodeUtf7 = (text: string): string =>
  text.replace(/\+([A-Za-z0-9+/]*)-?/gu, (_, coded: string) => {
    if (!coded) return '+'
    const bytes = Buffer.from(coded, 'base64')
    return new TextDecoder('utf-16be').decode(bytes.subarray(0, bytes.length - (bytes.length % 2)))
  })
