/**
 * Tells passages that say the same thing: boilerplate that stands in twenty documents is quoted once. Folding happens when
 * passages have been found, never when they are stored, so that deleting one document brings the other's passage back.
 */

/** 64 bits of likeness, then 32 bits of what must be equal, in hexadecimal: `0123456789abcdef-01234567`. */
export type Fingerprint = string

/** So many of the 64 bits may differ: a typing error, a changed header, not another sentence. */
const MOST_DIFFERENT_BITS = 3

/** Words that turn a sentence around, in the languages of which the product knows most. */
const TURNS = new Set(
  `not no never none without except unless only nicht kein keine keinen nie ohne außer nur no nunca sin salvo excepto solo sólo
   não nunca sem exceto só ne pas jamais sans sauf seulement non mai senza tranne solo can't cannot don't won't isn't`.split(
    /\s+/u,
  ),
)

/**
 * SimHash (Charikar 2002) over words and pairs of words: texts that share most of them differ in few bits. Figures and negations
 * are hashed apart, because one of them makes another statement of an otherwise equal text.
 */
export const fingerprintOf = (text: string): Fingerprint => {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{M}\p{N}']+/gu) ?? []
  const sums = new Int32Array(64)
  let exact = SEED
  let previous = 0
  for (const word of words) {
    const single = hash(word, SEED)
    addBits(sums, single)
    if (previous !== 0) addBits(sums, mix(Math.imul(previous, 31) ^ single))
    if (/\p{N}/u.test(word) || TURNS.has(word)) exact = hash(word, exact)
    previous = single
  }
  let bits = ''
  for (let at = 0; at < 64; at += 4) {
    let digit = 0
    for (let bit = 0; bit < 4; bit += 1) digit = digit * 2 + ((sums[at + bit] ?? 0) > 0 ? 1 : 0)
    bits += digit.toString(16)
  }
  return `${bits}-${hex(exact)}`
}

/**
 * The list without what says the same as something before it: hand it in best first, and the best of each kind stays. What has
 * no fingerprint (indexed before there were any) is like nothing else.
 */
export const foldDuplicates = <T>(ranked: readonly T[], of: (entry: T) => Fingerprint | undefined): T[] => {
  const kept: { exact: string; high: number; low: number }[] = []
  return ranked.filter((entry) => {
    const fingerprint = of(entry)
    if (!fingerprint) return true
    const one = {
      exact: fingerprint.slice(17),
      high: Number.parseInt(fingerprint.slice(0, 8), 16),
      low: Number.parseInt(fingerprint.slice(8, 16), 16),
    }
    const like = kept.some(
      ({ exact, high, low }) =>
        exact === one.exact && ones(high ^ one.high) + ones(low ^ one.low) <= MOST_DIFFERENT_BITS,
    )
    if (!like) kept.push(one)
    return !like
  })
}

const addBits = (sums: Int32Array, first: number): void => {
  const second = mix(first ^ SEED)
  for (let bit = 0; bit < 32; bit += 1) {
    sums[bit]! += ((first >>> bit) & 1) * 2 - 1
    sums[bit + 32]! += ((second >>> bit) & 1) * 2 - 1
  }
}

const SEED = 0x811c9dc5

/** FNV-1a over UTF-16 units, mixed at the end: FNV alone leaves the high bits alike. */
const hash = (text: string, seed: number): number => {
  let value = seed
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return mix(value)
}

/** As MurmurHash3 ends. */
const mix = (given: number): number => {
  let value = Math.imul(given ^ (given >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

const hex = (value: number): string => value.toString(16).padStart(8, '0')

const ones = (value: number): number => {
  let left = value >>> 0
  let count = 0
  for (; left !== 0; left &= left - 1) count += 1
  return count
}
