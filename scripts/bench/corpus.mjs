// A made-up company's documents, the same in each run: Zipf-distributed words, and in each section one fact to ask for.
const SEED = 20_260_301
const WORDS = 12_000
const SYLLABLES = [
  'ba',
  'de',
  'fi',
  'go',
  'lu',
  'ma',
  'ne',
  'pi',
  'ro',
  'su',
  'ta',
  've',
  'wi',
  'xo',
  'zu',
  'kra',
  'ste',
  'pli',
  'dro',
  'flu',
]
const VERBS = ['supports', 'replaces', 'requires', 'explains', 'limits', 'records']

/** @param {number} seed a small linear congruential generator (Numerical Recipes) */
const random = (seed) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

/**
 * `passages` sections of about 120 words in documents of 50; `questions` with the sentence that answers each.
 * @param {number} passages
 */
export const makeCorpus = (passages) => {
  const next = random(SEED)
  const pick = (/** @type {string[]} */ from) => /** @type {string} */ (from[Math.floor(next() * from.length)])
  const word = () => Array.from({ length: 2 + Math.floor(next() * 2) }, () => pick(SYLLABLES)).join('')
  const words = Array.from({ length: WORDS }, word)
  const zipf = () => /** @type {string} */ (words[Math.min(WORDS - 1, Math.floor(WORDS ** next()) - 1)])
  const sentence = () =>
    `The ${zipf()} ${pick(VERBS)} the ${zipf()} ${zipf()} of each ${zipf()} in the ${zipf()} and the ${zipf()}.`

  const documents = []
  const questions = []
  for (let at = 0; at < passages; at += 50) {
    const sections = []
    for (let section = at; section < Math.min(at + 50, passages); section += 1) {
      const product = `${word()}${word()}-${section}`
      const months = 3 + Math.floor(next() * 60)
      const fact = `The warranty of the ${product} lasts ${months} months.`
      questions.push({ text: `How long does the warranty of the ${product} last?`, answer: fact })
      sections.push(
        `## About the ${product}\n\n${Array.from({ length: 4 }, sentence).join(' ')} ${fact} ${Array.from({ length: 5 }, sentence).join(' ')}`,
      )
    }
    documents.push({
      title: `Handbook ${at / 50 + 1}`,
      format: 'markdown',
      text: `# Handbook ${at / 50 + 1}\n\n${sections.join('\n\n')}`,
    })
  }
  return { documents, questions }
}
