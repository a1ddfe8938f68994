import type { Document as Stage, Filter, Mongo } from '../platform/mongo.js'
import { labelsOf, PUBLIC_AUDIENCE, type Metadata } from './drafts.js'
import type { Quotable } from './extract.js'
import { foldDuplicates } from './fingerprint.js'
import { PASSAGE_SEARCH_INDEX, type StoredPassage } from './documents.mongo.js'
import { languagesIn, type StoredSummary } from './summary.mongo.js'
import { detectLanguage } from './languages.js'
import { fuse, makeQuery, rank, type Query, type Ranked, type Statistics } from './ranking.js'
import { makeStatistics } from './statistics.mongo.js'
import type { Nearest, VectorHit, Vectors } from './vectors.mongo.js'

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

/** A passage as it is quoted, where it stands in its document, and what tells others that say the same. */
export type Retrieved = Quotable & Pick<StoredPassage, 'ordinal' | 'page' | 'fingerprint'>

/** What the vectors did for a search: `off` where none are configured; otherwise `used`, or why not. */
export type VectorUse = 'off' | 'used' | Extract<Nearest, { kind: 'none' }>['why']

export type Retrieval = { ranked: Ranked<Retrieved>[]; statistics: Statistics; vectors: VectorUse }

type Asked = {
  /** The language of the question, where it is known. */
  language?: string
  signal?: AbortSignal
}

/** The store gives this many by plain BM25, which the product ranks anew, and this many by vectors. */
const CANDIDATES = 50

/** What is fetched of a candidate. */
const FIELDS = {
  documentId: 1,
  version: 1,
  ordinal: 1,
  page: 1,
  title: 1,
  headings: 1,
  text: 1,
  blocks: 1,
  language: 1,
  terms: 1,
  headingTerms: 1,
  fingerprint: 1,
} as const

type Candidate = Pick<StoredPassage, '_id' | keyof typeof FIELDS>

export type Search = ReturnType<typeof makeSearch>

type Needs = { mongo: Mongo; vectors?: Pick<Vectors, 'nearest' | 'responds'> | undefined }

export const makeSearch = ({ mongo, vectors }: Needs) => {
  const passages = mongo.db.collection<StoredPassage>('passages')
  const documents = mongo.db.collection<{ _id: string; companyId: string; version: number }>('documents')
  const summaries = mongo.db.collection<StoredSummary>('knowledge')
  const statisticsOf = makeStatistics(passages)

  /** Languages of the company's passages, the most frequent first. */
  const languagesOf = async (companyId: string): Promise<string[]> => {
    const summary = await summaries.findOne({ _id: companyId })
    return summary ? languagesIn(summary) : []
  }

  /**
   * The best passages for a text, each of its document's present version. The text is analysed once per language there is. With
   * several texts (a question and other wordings of it) all of them search, and passages are scored by the words of the first.
   * Where vectors or wordings give more than one list, the order is the lists' fused one. What says the same as a better one is
   * left out. Throws the reason of `signal`.
   */
  const retrieve = async (
    companyId: string,
    text: string | readonly string[],
    filter: SearchFilter = {},
    { language: askedIn, signal = NEVER }: Asked = {},
  ): Promise<Retrieval> => {
    const off: VectorUse = vectors ? 'incomplete' : 'off'
    const summary = await summaries.findOne({ _id: companyId })
    if (!summary) return { ranked: [], statistics: NOTHING, vectors: off }
    const languages = languagesIn(summary).filter((language) => !filter.language || language === filter.language)
    const wordings = await wordingsOf(typeof text === 'string' ? [text] : text, languages, askedIn)
    if (wordings.length === 0) return { ranked: [], statistics: NOTHING, vectors: off }
    const [found, near, statistics] = await Promise.all([
      Promise.all(wordings.map(({ queries }) => byWords(companyId, queries, filter))),
      Promise.all(wordings.map((wording) => byVector(companyId, wording.text, filter, signal))),
      statisticsOf(summary),
    ])
    signal.throwIfAborted()
    const hits = near.map((each) => (each?.kind === 'found' ? each.hits : []))
    const byId = await present(companyId, filter, found.flat(), hits.flat())
    const alive = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? [])
    const lists = found.map((list) => alive(list.map(({ _id }) => _id)))
    const [first, ...further] = wordings.map(({ queries }, at) => ({ queries, list: lists[at] ?? [] }))
    if (!first) return { ranked: [], statistics: NOTHING, vectors: off }
    const others = [...byId.values()].filter((passage) => !first.list.includes(passage))
    const ranked = rank(first.queries, first.list, statistics, others)
    if (others.length === 0 && further.length === 0 && hits.flat().length === 0) {
      return { ranked: folded(ranked), statistics, vectors: useOf(near) }
    }
    const vectorLists = hits.map((list) => list.filter(({ passageId }) => byId.has(passageId)))
    const orders = [
      ranked.filter(({ features }) => features.lexicalRank !== null).map(({ candidate }) => candidate.passageId),
      ...further.map(({ queries, list }) =>
        rank(queries, list, statistics).map(({ candidate }) => candidate.passageId),
      ),
      ...vectorLists.map((list) => list.map(({ passageId }) => passageId)),
    ]
    return { ranked: folded(fuse(withVectors(ranked, vectorLists), orders)), statistics, vectors: useOf(near) }
  }

  /** Each distinct text that has a word to search for, as it is analysed in each language. */
  const wordingsOf = async (texts: readonly string[], languages: readonly string[], askedIn: string | undefined) => {
    const wordings = await Promise.all(
      [...new Set(texts)].map(async (text) => {
        const asked = askedIn ?? (await detectLanguage(text, [...languages]))
        const queries = languages.map((language) => makeQuery(text, language, asked))
        return { text, queries: queries.filter(({ terms }) => terms.length > 0) }
      }),
    )
    return wordings.filter(({ queries }) => queries.length > 0)
  }

  const byWords = (companyId: string, queries: readonly Query[], filter: SearchFilter): Promise<Candidate[]> =>
    passages.aggregate<Candidate>(pipeline(companyId, queries, filter)).toArray()

  const byVector = async (
    companyId: string,
    text: string,
    { documentId, audience, language, metadata = {} }: SearchFilter,
    signal: AbortSignal,
  ): Promise<Nearest | null> => {
    const audiences = audience ? [PUBLIC_AUDIENCE, audience] : undefined
    const asked = { documentId, audiences, language, labels: labelsOf(metadata) }
    return vectors ? vectors.nearest(companyId, text, asked, CANDIDATES, signal) : null
  }

  /**
   * What was found, as it is now. A search index may lag behind the documents and a vector is only a pointer: what was replaced or
   * deleted meanwhile is dropped, and what only a vector found must be the company's and pass the filter itself.
   */
  const present = async (
    companyId: string,
    filter: SearchFilter,
    found: readonly Candidate[],
    hits: readonly VectorHit[],
  ): Promise<Map<string, Retrieved>> => {
    const byId = new Map(found.map((passage) => [passage._id, passage]))
    const missing = [...new Set(hits.map(({ passageId }) => passageId))].filter((id) => !byId.has(id))
    const documentIds = new Set([...found, ...hits].map(({ documentId }) => documentId))
    const [fetched, live] = await Promise.all([
      missing.length > 0
        ? passages.find({ ...inside(companyId, filter), _id: { $in: missing } }, { projection: FIELDS }).toArray()
        : [],
      documents.find({ _id: { $in: [...documentIds] }, companyId }, { projection: { version: 1 } }).toArray(),
    ])
    for (const passage of fetched) byId.set(passage._id, passage)
    const versions = new Map(live.map(({ _id, version }) => [_id, version]))
    return new Map(
      [...byId.values()]
        .filter(({ documentId, version }) => versions.get(documentId) === version)
        .map(({ _id, ...passage }) => [_id, { passageId: _id, ...passage }]),
    )
  }

  /** Whether these may still be quoted: a document may be replaced or deleted while an answer is written. */
  const areCurrent = async (
    companyId: string,
    quoted: readonly { documentId: string; version: number }[],
  ): Promise<boolean> => {
    const ids = [...new Set(quoted.map(({ documentId }) => documentId))]
    if (ids.length === 0) return true
    const live = await documents.find({ _id: { $in: ids }, companyId }, { projection: { version: 1 } }).toArray()
    const versions = new Map(live.map(({ _id, version }) => [_id, version]))
    return quoted.every(({ documentId, version }) => versions.get(documentId) === version)
  }

  /** For people: the `k` passages that fit best, at most 50. */
  const searchPassages = async (request: {
    companyId: string
    query: string
    k: number
    filter?: SearchFilter | undefined
  }): Promise<FoundPassage[]> => {
    const { ranked } = await retrieve(request.companyId, request.query, request.filter)
    return ranked.slice(0, request.k).map(({ candidate, score, features }) => {
      const { documentId, passageId, title, headings, text } = candidate
      return { documentId, passageId, title, headings, text, score: features.fused ?? score }
    })
  }

  /** For health: asks the search for what nobody has. Throws what the store says when it cannot search. */
  const responds = async (): Promise<true> => {
    const nothing = { index: PASSAGE_SEARCH_INDEX, equals: { path: 'companyId', value: 'nobody' } }
    await passages.aggregate([{ $search: nothing }, { $limit: 1 }]).toArray()
    return vectors ? vectors.responds() : true
  }

  return { retrieve, areCurrent, searchPassages, languagesOf, responds }
}

const NEVER = new AbortController().signal

/** What says the same as something better is not read again. */
const folded = (ranked: readonly Ranked<Retrieved>[]): Ranked<Retrieved>[] =>
  foldDuplicates(ranked, ({ candidate }) => candidate.fingerprint)

/** The best rank and similarity that a passage has in the vectors' lists. */
const withVectors = (ranked: readonly Ranked<Retrieved>[], lists: readonly VectorHit[][]): Ranked<Retrieved>[] => {
  const best = new Map<string, { vectorRank: number; similarity: number }>()
  for (const list of lists) {
    list.forEach(({ passageId, similarity }, at) => {
      const known = best.get(passageId)
      if (!known || at + 1 < known.vectorRank) best.set(passageId, { vectorRank: at + 1, similarity })
    })
  }
  return ranked.map((entry) => ({ ...entry, features: { ...entry.features, ...best.get(entry.candidate.passageId) } }))
}

const useOf = (near: readonly (Nearest | null)[]): VectorUse => {
  if (near.some((each) => each?.kind === 'found')) return 'used'
  const [none] = near
  return none?.kind === 'none' ? none.why : 'off'
}

/** The same for what is fetched by its id: no vector speaks for what its passage does not allow. */
const inside = (companyId: string, { documentId, language, audience, metadata = {} }: SearchFilter) => {
  const labels = labelsOf(metadata)
  return {
    companyId,
    ...(documentId ? { documentId } : {}),
    ...(language ? { language } : {}),
    ...(audience ? { audience: { $in: [PUBLIC_AUDIENCE, audience] } } : {}),
    ...(labels.length > 0 ? { labels: { $all: labels } } : {}),
  } satisfies Filter<StoredPassage>
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
