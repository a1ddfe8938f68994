/** Signs that end a line, or turn the direction of what stands around them. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu

/** What a stranger calls themselves, as text to show beside ours: well-formed, on one line, turning nothing; perhaps empty. */
export const personName = (given: string): string =>
  Buffer.from(given, 'utf8').toString('utf8').normalize('NFC').replace(UNSHOWN, ' ').replace(/\s+/gu, ' ').trim()
