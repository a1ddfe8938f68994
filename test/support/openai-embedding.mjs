// Vectors without a model: texts that share words and pieces of words are near to each other.

/**
 * A hashed bag of stems and trigrams, of unit length. Deterministic.
 * @param {string} text @param {number} dimensions
 */
export const embeddingOf = (text, dimensions) => {
  const vector = new Float64Array(dimensions)
  for (const word of wordsOf(text)) {
    const weight = word.length < 4 ? 0.25 : 1
    add(vector, `w${stemOf(word)}`, weight)
    const padded = `^${word}$`
    for (let at = 0; at + 3 <= padded.length; at += 1) add(vector, padded.slice(at, at + 3), weight * 0.3)
  }
  const length = Math.hypot(...vector)
  if (length === 0) vector[0] = 1
  else for (let at = 0; at < dimensions; at += 1) vector[at] = (vector[at] ?? 0) / length
  return vector
}

/** Lower case, without accents. @param {string} text @returns {string[]} */
export const wordsOf = (text) =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

/** Crude on purpose: the beginning of a word stands for it. @param {string} word */
export const stemOf = (word) => word.replace(/(?:ing|ed|es|s|en|er)$/u, '').slice(0, 7)

/** @param {Float64Array} vector @param {string} feature @param {number} weight */
const add = (vector, feature, weight) => {
  let hash = 0x811c9dc5
  for (let at = 0; at < feature.length; at += 1) {
    hash = Math.imul(hash ^ feature.charCodeAt(at), 0x01000193)
  }
  hash ^= hash >>> 15
  const place = (hash >>> 1) % vector.length
  vector[place] = (vector[place] ?? 0) + (hash & 1 ? weight : -weight)
}
