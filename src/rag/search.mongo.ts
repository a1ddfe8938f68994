import type { Collection, Document as Stage, Mongo } from '../platform/mongo.js'
import { labelsOf, PUBLIC_AUDIENCE, type Metadata } from './drafts.js'
import type { Quotable } from './extract.js'
import { languagesIn, PASSAGE_SEARCH_INDEX, type StoredPassage, type StoredSummary } from './knowledge.mongo.js'
import { detectLanguage } from './languages.js'
import { makeQuery, rank, type Query, type Ranked, type Statistics } from './ranking.js'

export type SearchFilter = {
  documentId?: string | undefined
  /** Those who ask see what is public and what is for them. Without it everything is seen. */
  audience?: string | undefined
  language?: string | undefined
  metadata?: Metadata | undefined
}

export type FoundPassage = {
  documentId: string
  passageId: string
  title: string
  headings: string[]
  text: string
  score: number
}

export type Retrieval = { ranked: Ranked<Quotable>[]; statistics: Statistics }

/** The store gives this many by plain BM25; the product ranks them anew. */
const CANDIDATES = 50

/** What is fetched of a candidate. */
const FIELDS = {
  documentId: 1,
  version: 1,
  title: 1,
  headings: 1,
  text: 1,
  blocks: 1,
  language: 1,
  terms: 1,
  headingTerms: 1,
} as const

type Candidate = Pick<StoredPassage, '_id' | keyof typeof FIELDS>

export type Search = ReturnType<typeof makeSearch>

export const makeSearch = ({ mongo }: { mongo: Mongo }) => {
  const passages = mongo.db.collection<StoredPassage>('passages')
  const documents = mongo.db.collection<{ _id: string; companyId: string; version: number }>('documents')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')
  const statisticsOf = makeStatistics(passages)

  /** Languages of the company's passages, the most frequent first. */
  const languagesOf = async (companyId: string): Promise<string[]> => {
    const summary = await summaries.findOne({ _id: companyId })
    return summary ? languagesIn(summary) : []
  }

  /** The best passages for a text, each of its document's present version. The text is analysed once per language there is. */
  const retrieve = async (
    companyId: string,
    text: string,
    filter: SearchFilter = {},
    asked: { language?: string } = {},
  ): Promise<Retrieval> => {
    const summary = await summaries.findOne({ _id: companyId })
    if (!summary) return { ranked: [], statistics: NOTHING }
    const languages = languagesIn(summary).filter((language) => !filter.language || language === filter.language)
    const askedIn = asked.language ?? (await detectLanguage(text, languages))
    const queries = languages
      .map((language) => makeQuery(text, language, askedIn))
      .filter(({ terms }) => terms.length > 0)
    if (queries.length === 0) return { ranked: [], statistics: NOTHING }
    const [found, statistics] = await Promise.all([
      passages.aggregate<Candidate>(pipeline(companyId, queries, filter)).toArray(),
      statisticsOf(summary),
    ])
    return { ranked: rank(queries, await onlyLive(companyId, found), statistics), statistics }
  }

  /** A search index may lag behind the documents: what was replaced or deleted meanwhile is dropped here. */
  const onlyLive = async (companyId: string, found: Candidate[]): Promise<Quotable[]> => {
    const ids = [...new Set(found.map(({ documentId }) => documentId))]
    const live = await documents.find({ _id: { $in: ids }, companyId }, { projection: { version: 1 } }).toArray()
    const versions = new Map(live.map(({ _id, version }) => [_id, version]))
    return found
      .filter(({ documentId, version }) => versions.get(documentId) === version)
      .map(({ _id, ...passage }) => ({ passageId: _id, ...passage }))
  }

  /** For people: the `k` passages that fit best, at most 50. */
  const searchPassages = async (request: {
    companyId: string
    query: string
    k: number
    filter?: SearchFilter | undefined
  }): Promise<FoundPassage[]> => {
    const { ranked } = await retrieve(request.companyId, request.query, request.filter)
    return ranked.slice(0, request.k).map(({ candidate: { documentId, passageId, title, headings, text }, score }) => ({
      documentId,
      passageId,
      title,
      headings,
      text,
      score,
    }))
  }

  /** For health: asks the search for what nobody has. Throws what the store says when it cannot search. */
  const responds = async (): Promise<true> => {
    const nothing = { index: PASSAGE_SEARCH_INDEX, equals: { path: 'companyId', value: 'nobody' } }
    await passages.aggregate([{ $search: nothing }, { $limit: 1 }]).toArray()
    return true
  }

  return { retrieve, searchPassages, languagesOf, responds }
}

/** The company stands inside the search: a passage of another one is never even ranked. */
const pipeline = (companyId: string, queries: readonly Query[], filter: SearchFilter): Stage[] => {
  const query = [...new Set(queries.flatMap(({ terms }) => terms))].join(' ')
  const equals = (path: string, value: string) => ({ equals: { path, value } })
  return [
    {
      $search: {
        index: PASSAGE_SEARCH_INDEX,
        compound: {
          should: [
            { text: { query, path: 'terms' } },
            { text: { query, path: 'headingTerms', score: { boost: { value: 0.5 } } } },
          ],
          minimumShouldMatch: 1,
          filter: [
            equals('companyId', companyId),
            ...(filter.documentId ? [equals('documentId', filter.documentId)] : []),
            ...(filter.language ? [equals('language', filter.language)] : []),
            ...(filter.audience ? [{ in: { path: 'audience', value: [PUBLIC_AUDIENCE, filter.audience] } }] : []),
            ...labelsOf(filter.metadata ?? {}).map((label) => equals('labels', label)),
          ],
        },
      },
    },
    { $limit: CANDIDATES },
    { $project: FIELDS },
  ]
}

const NOTHING: Statistics = { passages: 0, averageTerms: 1, averageHeadingTerms: 1, frequency: () => 0 }

const SAMPLE = 1_000
/** A term in fewer of the sampled passages than this is rare: those who rank count it among what they found. */
const COMMON = 4
const COMPANIES_KEPT = 100

/**
 * Word statistics of a company, from a sample: ids of passages are hashes, so the first by id are drawn at random. Kept until
 * the number of passages has changed by a tenth: frequencies of common words do not move faster.
 */
const makeStatistics = (passages: Collection<StoredPassage>) => {
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
