import type { Row } from './aggregate.js'
import { Best } from './best.js'
import { badValue, CommandError, notImplemented, notSupported } from './errors.js'
import { type Entry, SearchIndex, type TextField } from './search-index.js'
import type { Store } from './store.js'
import { type Doc, isDoc, isNumeric, nameOf, toNumber, wholeNumber, type Value } from './values.js'

/**
 * `$search` (Atlas Search: "text", "phrase", "equals", "in", "exists", "compound"), ranked by BM25 as in Lucene's
 * BM25Similarity: idf · tf / (tf + k1 · (1 − b + b · length / average length)), idf = ln(1 + (N − n + 0.5) / (n + 0.5)).
 * Lucene keeps the length of a field in one byte; here it is exact, so that scores differ slightly for long fields.
 */
const K1 = 1.2
const B = 0.75

/** Matching documents by ordinal, with their scores. */
type Hits = { ordinals: number[]; matched: Uint8Array; scores: Float64Array }

type Passes = (entry: Entry, ordinal: number) => boolean
const ANY: Passes = () => true

/**
 * An operator in its uses: finding documents with scores, and testing one document, which is cheaper in a filter. `unfiltered` finds
 * more than it should and says what passes: whoever wants only the best tests only those.
 */
type Operator = {
  hits: (index: SearchIndex) => Hits
  test: (index: SearchIndex) => Passes
  unfiltered?: (index: SearchIndex) => { hits: Hits; passes: Passes }
}

/** With `limit` no more than that many are ever ordered: a common word is in every document. */
export const runSearch = (spec: Value, store: Store, limit = Infinity): ((namespace: string) => Row[]) => {
  if (!isDoc(spec)) throw badValue('$search must be an object')
  const { index: name = 'default', ...rest } = spec
  const [operator, ...more] = Object.keys(rest)
  if (typeof name !== 'string') throw badValue('"index" must be a string')
  const option = more.concat(operator ?? []).find((key) => !(key in OPERATORS))
  if (option !== undefined)
    throw KNOWN_OPERATORS.has(option)
      ? notImplemented(`the search operator '${option}'`)
      : notSupported(`the option '${nameOf(option)}' of $search`)
  if (operator === undefined || more.length > 0) throw badValue('$search needs exactly one operator')
  const compiled = compileOperator(operator, rest[operator])
  return (namespace) => {
    const collection = store.collections.get(namespace)
    // Like Atlas: an index that is not there finds nothing.
    const index = collection?.searchIndexes.find((each) => each.name === name)
    if (!collection || !index) return []
    if (!(index instanceof SearchIndex))
      throw badValue(`$search needs an index of type search, and '${name}' is of type vectorSearch`)
    index.ready(collection)
    const { hits, passes } = compiled.unfiltered?.(index) ?? { hits: compiled.hits(index), passes: ANY }
    const { ordinals, scores } = hits
    const item = (ordinal: number): Item => ({
      entry: index.entries[ordinal]!,
      score: scores[ordinal]!,
      seq: index.entries[ordinal]!.seq,
    })
    if (limit > MOST_HELD) {
      const passing = ordinals.filter((ordinal) => passes(index.entries[ordinal]!, ordinal)).map(item)
      return rowsOf(passing.sort((a, b) => b.score - a.score || a.seq - b.seq))
    }
    const best = new Best<Item>(limit)
    for (const ordinal of ordinals) {
      const entry = index.entries[ordinal]!
      if (best.wants(scores[ordinal]!, entry.seq) && passes(entry, ordinal)) best.add(item(ordinal))
    }
    return rowsOf(best.items)
  }
}

/** More than this are rather sorted at the end. */
const MOST_HELD = 1_000

type Item = { entry: Entry; score: number; seq: number }
const rowsOf = (items: readonly Item[]): Row[] => items.map(({ entry: { doc }, score }) => ({ doc, score }))

const KNOWN_OPERATORS = new Set(
  'autocomplete embeddedDocument facet geoShape geoWithin hasAncestor hasRoot knnBeta moreLikeThis near queryString range regex returnScope span vectorSearch wildcard'.split(
    ' ',
  ),
)

const compileOperator = (name: string, spec: Value): Operator => {
  const compile = OPERATORS[name]
  if (!compile)
    throw KNOWN_OPERATORS.has(name)
      ? notImplemented(`the search operator '${name}'`)
      : badValue(`Unrecognized search operator: ${nameOf(name)}`)
  if (!isDoc(spec)) throw badValue(`"${name}" must be a document`)
  return scored(compile(spec), spec.score)
}

const checkKeys = (
  operator: string,
  spec: Doc,
  required: readonly string[],
  optional: readonly string[] = [],
): void => {
  const missing = required.find((key) => !(key in spec))
  if (missing !== undefined) throw badValue(`"${operator}.${missing}" is required`)
  const other = Object.keys(spec).find((key) => key !== 'score' && !required.includes(key) && !optional.includes(key))
  if (other !== undefined) throw notSupported(`the option '${nameOf(other)}' of the search operator '${operator}'`)
}

const strings = (where: string, value: Value): string[] => {
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw badValue(`"${where}" cannot be empty`)
  return list.map((item) => {
    if (typeof item === 'string') return item
    throw isDoc(item)
      ? notSupported(`a '${Object.keys(item)[0] ?? '{}'}' in "${where}"`)
      : badValue(`"${where}" must be a string`)
  })
}

// --- scores ----------------------------------------------------------------------------------------------------------

const noHits = (index: SearchIndex): Hits => ({
  ordinals: [],
  matched: new Uint8Array(index.entries.length),
  scores: new Float64Array(index.entries.length),
})

const hit = (hits: Hits, ordinal: number, score: number): void => {
  if (hits.matched[ordinal] === 0) {
    hits.matched[ordinal] = 1
    hits.ordinals.push(ordinal)
  }
  hits.scores[ordinal]! += score
}

const scored = (operator: Operator, score: Value): Operator => {
  if (score === undefined) return operator
  const [kind, ...more] = isDoc(score) ? Object.keys(score) : []
  const setting = kind === undefined ? undefined : (score as Doc)[kind]
  if ((kind !== 'boost' && kind !== 'constant') || more.length > 0)
    throw notSupported(`the score modifier '${String(kind)}'`)
  if (!isDoc(setting) || Object.keys(setting).join() !== 'value')
    throw notSupported(`"score.${kind}" with other options than 'value'`)
  if (!isNumeric(setting.value) || !(toNumber(setting.value) >= 0))
    throw badValue(`"score.${kind}.value" must be a positive number`)
  const value = toNumber(setting.value)
  return {
    test: operator.test,
    hits: (index) => {
      const hits = operator.hits(index)
      for (const ordinal of hits.ordinals)
        hits.scores[ordinal] = kind === 'boost' ? hits.scores[ordinal]! * value : value
      return hits
    },
  }
}

const idf = ({ documents }: TextField, found: number): number => Math.log(1 + (documents - found + 0.5) / (found + 0.5))

const weight = (field: TextField, length: number, frequency: number): number =>
  frequency / (frequency + K1 * (1 - B + (B * length) / (field.terms / field.documents)))

// --- operators -------------------------------------------------------------------------------------------------------

/** An operator that is described by the documents it finds. */
const finding = (hits: (index: SearchIndex) => Hits): Operator => ({
  hits,
  test: (index) => {
    const { matched } = hits(index)
    return (_entry, ordinal) => matched[ordinal] === 1
  },
})

/** An operator that is described by a test on the entry; all that pass score the same. */
const testing = (test: (index: SearchIndex) => (entry: Entry) => boolean): Operator => ({
  test,
  hits: (index) => {
    const hits = noHits(index)
    const passes = test(index)
    for (const [ordinal, entry] of index.entries.entries()) if (entry && passes(entry)) hit(hits, ordinal, 1)
    return hits
  },
})

const text = (spec: Doc): Operator => {
  checkKeys('text', spec, ['query', 'path'], ['matchCriteria'])
  const queries = strings('text.query', spec.query)
  const paths = strings('text.path', spec.path)
  const all = spec.matchCriteria === 'all'
  if (spec.matchCriteria !== undefined && !all && spec.matchCriteria !== 'any')
    throw badValue('"text.matchCriteria" must be "any" or "all"')
  return finding((index) => {
    const hits = noHits(index)
    for (const path of paths) {
      const field = index.textField(path)
      for (const query of queries) addTerms(index, hits, path, field, field.analyzeQuery(query), all)
    }
    return hits
  })
}

const addTerms = (
  index: SearchIndex,
  hits: Hits,
  path: string,
  field: TextField,
  terms: readonly string[],
  all: boolean,
): void => {
  const wanted = new Set(terms)
  const counts = all ? new Uint16Array(index.entries.length) : null
  const target = all ? noHits(index) : hits
  // A term that is asked for twice counts twice.
  for (const term of wanted) {
    const posting = field.postings.get(term)
    if (!posting) continue
    const factor = idf(field, posting.ordinals.length) * terms.filter((other) => other === term).length
    for (let i = 0; i < posting.ordinals.length; i++) {
      const ordinal = posting.ordinals[i]!
      hit(target, ordinal, factor * weight(field, field.lengths[ordinal]!, posting.frequencies[i]!))
      if (counts) counts[ordinal]!++
    }
  }
  if (counts)
    for (const ordinal of target.ordinals)
      if (counts[ordinal] === wanted.size) hit(hits, ordinal, target.scores[ordinal]!)
}

const phrase = (spec: Doc): Operator => {
  checkKeys('phrase', spec, ['query', 'path'], ['slop'])
  const queries = strings('phrase.query', spec.query)
  const paths = strings('phrase.path', spec.path)
  if (spec.slop !== undefined && wholeNumber(spec.slop) !== 0)
    throw notImplemented("a 'slop' other than 0 in the search operator 'phrase'")
  return finding((index) => {
    const hits = noHits(index)
    for (const path of paths) {
      const field = index.textField(path)
      for (const query of queries) addPhrase(index, hits, path, field, field.analyzeQuery(query))
    }
    return hits
  })
}

const addPhrase = (index: SearchIndex, hits: Hits, path: string, field: TextField, terms: readonly string[]): void => {
  const postings = terms.map((term) => field.postings.get(term))
  if (postings.length === 0 || postings.includes(undefined)) return
  const factor = postings.reduce((sum, posting) => sum + idf(field, posting!.ordinals.length), 0)
  const rarest = postings.reduce((a, b) => (b!.ordinals.length < a!.ordinals.length ? b : a))!
  for (const ordinal of rarest.ordinals) {
    const entry = index.entries[ordinal]!
    const frequency = occurrences(entry.text.get(path)!, terms)
    if (frequency > 0) hit(hits, ordinal, factor * weight(field, field.lengths[ordinal]!, frequency))
  }
}

/** A phrase never reaches from one value of an array into the next. */
const occurrences = (values: readonly string[][], terms: readonly string[]): number => {
  let count = 0
  for (const value of values) {
    for (let start = 0; start + terms.length <= value.length; start++) {
      let i = 0
      while (i < terms.length && value[start + i] === terms[i]) i++
      if (i === terms.length) count++
    }
  }
  return count
}

const single = (where: string, value: Value): string => {
  if (typeof value !== 'string') throw badValue(`"${where}" must be a string`)
  return value
}

const equals = (spec: Doc): Operator => {
  checkKeys('equals', spec, ['path', 'value'])
  const path = single('equals.path', spec.path)
  if (spec.value === null) throw notImplemented("null in the search operator 'equals'")
  return testing((index) => {
    const key = index.exactKey(path, spec.value)
    return ({ exact }) => exact.get(path)?.has(key) ?? false
  })
}

const isIn = (spec: Doc): Operator => {
  checkKeys('in', spec, ['path', 'value'])
  const paths = strings('in.path', spec.path)
  const values = Array.isArray(spec.value) ? spec.value : [spec.value]
  if (values.length === 0) throw badValue('"in.value" cannot be empty')
  return testing((index) => {
    const wanted = paths.map((path) => ({ path, keys: values.map((value) => index.exactKey(path, value)) }))
    return ({ exact }) =>
      wanted.some(({ path, keys }) => {
        const held = exact.get(path)
        return held !== undefined && keys.some((key) => held.has(key))
      })
  })
}

const exists = (spec: Doc): Operator => {
  checkKeys('exists', spec, ['path'])
  const path = single('exists.path', spec.path)
  return testing((index) => {
    if (!index.has(path))
      throw new CommandError('BadValue', `Path '${path}' is not indexed in the search index '${index.name}'`)
    return ({ text: terms, exact }) => terms.has(path) || exact.has(path)
  })
}

const clause = (name: string, value: Value): Operator[] =>
  (value === undefined ? [] : Array.isArray(value) ? value : [value]).map((item) => {
    const [operator, ...more] = isDoc(item) ? Object.keys(item) : []
    if (operator === undefined || more.length > 0)
      throw badValue(`"compound.${name}" needs documents with one operator each`)
    return compileOperator(operator, (item as Doc)[operator])
  })

const compound = (spec: Doc): Operator => {
  checkKeys('compound', spec, [], ['must', 'should', 'mustNot', 'filter', 'minimumShouldMatch'])
  const must = clause('must', spec.must)
  const should = clause('should', spec.should)
  const filter = clause('filter', spec.filter)
  const mustNot = clause('mustNot', spec.mustNot)
  if (must.length + should.length + filter.length + mustNot.length === 0)
    throw badValue('"compound" must have at least one clause')
  // As in Lucene: alternatives are optional beside something that must match, else one of them has to.
  const least = wholeNumber(spec.minimumShouldMatch) ?? (must.length + filter.length > 0 || should.length === 0 ? 0 : 1)
  if (least > should.length || least < 0)
    throw badValue('"compound.minimumShouldMatch" cannot be greater than the number of should clauses')
  const unfiltered = (index: SearchIndex): { hits: Hits; passes: Passes } => {
    const filters = filter.map((operator) => operator.test(index))
    const excluded = mustNot.map((operator) => operator.test(index))
    const required = must.map((operator) => operator.hits(index))
    const optional = should.map((operator) => operator.hits(index))
    const hits = noHits(index)
    const consider = (ordinal: number): void => {
      if (!index.entries[ordinal] || hits.matched[ordinal] === 1) return
      let score = 0
      for (const { matched, scores } of required) {
        if (matched[ordinal] === 0) return
        score += scores[ordinal]!
      }
      let met = 0
      for (const { matched, scores } of optional) {
        if (matched[ordinal] === 0) continue
        met++
        score += scores[ordinal]!
      }
      if (met >= least) hit(hits, ordinal, score)
    }
    const [first] = required
    if (first) first.ordinals.forEach(consider)
    else if (least > 0) for (const { ordinals } of optional) ordinals.forEach(consider)
    else for (let ordinal = 0; ordinal < index.entries.length; ordinal++) consider(ordinal)
    const passes: Passes = (entry, ordinal) =>
      filters.every((test) => test(entry, ordinal)) && !excluded.some((test) => test(entry, ordinal))
    return { hits, passes }
  }
  const filtered = (index: SearchIndex): Hits => {
    const { hits, passes } = unfiltered(index)
    const result = noHits(index)
    for (const ordinal of hits.ordinals)
      if (passes(index.entries[ordinal]!, ordinal)) hit(result, ordinal, hits.scores[ordinal]!)
    return result
  }
  return { ...finding(filtered), unfiltered }
}

const OPERATORS: Partial<Record<string, (spec: Doc) => Operator>> = { text, phrase, equals, in: isIn, exists, compound }
