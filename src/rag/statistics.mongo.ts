import type { Collection } from '../platform/mongo.js'
import type { StoredPassage } from './documents.mongo.js'
import type { StoredSummary } from './summary.mongo.js'
import type { Statistics } from './ranking.js'

const SAMPLE = 1_000
/** A term in fewer of the sampled passages than this is rare: those who rank count it among what they found. */
const COMMON = 4
const COMPANIES_KEPT = 100

/**
 * Word statistics of a company, from a sample: ids of passages are hashes, so the first by id are drawn at random. Kept until
 * the number of passages has changed by a tenth: frequencies of common words do not move faster.
 */
export const makeStatistics = (passages: Collection<StoredPassage>) => {
  const kept = new Map<string, Statistics>()
  return async ({ _id: companyId, passages: count }: StoredSummary): Promise<Statistics> => {
    const known = kept.get(companyId)
    if (known && Math.abs(known.passages - count) <= known.passages / 10) return known
    const sample = await passages
      .find({ companyId }, { projection: { terms: 1, headingTerms: 1 } })
      .sort({ _id: 1 })
      .limit(SAMPLE)
      .toArray()
    const statistics = statisticsFrom(sample, count)
    kept.delete(companyId)
    kept.set(companyId, statistics)
    const [oldest] = kept.keys()
    if (kept.size > COMPANIES_KEPT && oldest !== undefined) kept.delete(oldest)
    return statistics
  }
}

const statisticsFrom = (
  sample: readonly Pick<StoredPassage, 'terms' | 'headingTerms'>[],
  passages: number,
): Statistics => {
  const counts = new Map<string, number>()
  let terms = 0
  let headingTerms = 0
  for (const passage of sample) {
    const [inText, inHeadings] = [passage.terms.split(' '), passage.headingTerms.split(' ')]
    terms += inText.length
    headingTerms += inHeadings.length
    for (const term of new Set([...inText, ...inHeadings])) counts.set(term, (counts.get(term) ?? 0) + 1)
  }
  const size = Math.max(sample.length, 1)
  const common = new Map([...counts].filter(([, count]) => count >= COMMON))
  return {
    passages,
    averageTerms: terms / size,
    averageHeadingTerms: headingTerms / size,
    frequency: (term) => Math.round(((common.get(term) ?? 0) * passages) / size),
  }
}
