import { CommandError, notSupported } from './errors.js'
import { orderKey } from './ordering.js'
import { indexedValues, parsePath, type Path } from './paths.js'
import type { Collection } from './collection.js'
import { type Doc, docOf, isDoc, nameOf, typeName, type TypeName, type Value, displayed } from './values.js'

/**
 * One full-text index (Atlas Search: "Define Field Mappings"), inverted, in memory, built from the collection at its
 * first use and kept up with every write after that, one document at a time.
 */

type Analyzer = (text: string) => string[]

const ANALYZERS: Partial<Record<string, Analyzer>> = {
  'lucene.whitespace': (text) => text.split(/\s+/).filter((term) => term !== ''),
  'lucene.keyword': (text) => [text],
}

/** Types whose values are found as a whole, by `equals` and `in`. */
const EXACT_TYPES: Partial<Record<string, readonly TypeName[]>> = {
  token: ['string'],
  boolean: ['bool'],
  objectId: ['objectId'],
  number: ['int', 'long', 'double'],
  date: ['date'],
}

type StringMapping = { path: Path; analyze: Analyzer; analyzeQuery: Analyzer }
type ExactMapping = { path: Path; types: readonly TypeName[] }
type Mappings = { text: Map<string, StringMapping>; exact: Map<string, ExactMapping> }

/** Where a term occurs: documents (by ordinal) and how often, side by side, in no order. */
export type Posting = { ordinals: number[]; frequencies: number[] }

/** Lengths and postings of one field, over the whole index as in Lucene. */
export type TextField = {
  postings: Map<string, Posting>
  /** Number of documents that have a term in this field, and of all terms in it. */
  documents: number
  terms: number
  /** Terms of each document, by ordinal; 0 where the field is empty. */
  lengths: number[]
  analyzeQuery: Analyzer
}

/** What is kept of a document: its terms per value of each string field, its keys per exact field. */
export type Entry = {
  seq: number
  doc: Doc
  text: Map<string, string[][]>
  exact: Map<string, Set<string>>
}

export class SearchIndex {
  readonly name: string
  private readonly mappings: Mappings
  readonly fields = new Map<string, TextField>()
  /** By ordinal; freed ordinals are used again, so that scores fit into small arrays. */
  readonly entries: (Entry | null)[] = []
  private readonly ordinalOf = new Map<number, number>()
  private readonly free: number[] = []
  private built = false

  constructor(readonly stored: Doc) {
    this.name = stored.name as string
    this.mappings = mappingsOf(stored.latestDefinition as Doc)
    for (const [path, { analyzeQuery }] of this.mappings.text) {
      this.fields.set(path, { postings: new Map(), documents: 0, terms: 0, lengths: [], analyzeQuery })
    }
  }

  ready(collection: Collection): this {
    if (!this.built) {
      this.built = true
      for (const { seq, doc } of collection.slots.values()) if (doc) this.add(seq, doc)
    }
    return this
  }

  replace(seq: number, before: Doc | null, after: Doc | null): void {
    if (!this.built) return
    if (before) this.remove(seq)
    if (after) this.add(seq, after)
  }

  textField(path: string): TextField {
    const field = this.fields.get(path)
    if (!field)
      throw new CommandError(
        'BadValue',
        `Path '${path}' needs to be indexed as string in the search index '${this.name}'`,
      )
    return field
  }

  /** The key under which `equals` and `in` find a value of this path. */
  exactKey(path: string, value: Value): string {
    const mapping = this.mappings.exact.get(path)
    if (!mapping?.types.includes(typeName(value))) {
      throw new CommandError(
        'BadValue',
        `Path '${path}' needs to be indexed for values of type ${typeName(value)} in the search index '${this.name}'`,
      )
    }
    return orderKey(value)
  }

  has(path: string): boolean {
    return this.mappings.text.has(path) || this.mappings.exact.has(path)
  }

  private add(seq: number, doc: Doc): void {
    const ordinal = this.free.pop() ?? this.entries.length
    const entry: Entry = { seq, doc, text: new Map(), exact: new Map() }
    for (const [path, mapping] of this.mappings.text) this.addText(ordinal, entry, path, mapping, doc)
    for (const [path, mapping] of this.mappings.exact) {
      const keys = indexedValues(doc, mapping.path)
        .values.filter((value) => mapping.types.includes(typeName(value)))
        .map(orderKey)
      if (keys.length > 0) entry.exact.set(path, new Set(keys))
    }
    this.entries[ordinal] = entry
    this.ordinalOf.set(seq, ordinal)
  }

  private addText(
    ordinal: number,
    entry: Entry,
    path: string,
    { path: steps, analyze }: StringMapping,
    doc: Doc,
  ): void {
    const values = indexedValues(doc, steps)
      .values.filter((value) => typeof value === 'string')
      .map(analyze)
    const length = values.reduce((sum, terms) => sum + terms.length, 0)
    const field = this.fields.get(path)!
    field.lengths[ordinal] = length
    if (length === 0) return
    field.documents++
    field.terms += length
    for (const [term, frequency] of frequencies(values)) {
      let posting = field.postings.get(term)
      if (!posting) field.postings.set(term, (posting = { ordinals: [], frequencies: [] }))
      posting.ordinals.push(ordinal)
      posting.frequencies.push(frequency)
    }
    entry.text.set(path, values)
  }

  private remove(seq: number): void {
    const ordinal = this.ordinalOf.get(seq)
    if (ordinal === undefined) return
    const entry = this.entries[ordinal]!
    for (const [path, values] of entry.text) {
      const field = this.fields.get(path)!
      field.documents--
      field.terms -= field.lengths[ordinal]!
      for (const term of new Set(values.flat())) {
        const posting = field.postings.get(term)!
        const at = posting.ordinals.indexOf(ordinal)
        const [last, frequency] = [posting.ordinals.pop()!, posting.frequencies.pop()!]
        if (at < posting.ordinals.length) {
          posting.ordinals[at] = last
          posting.frequencies[at] = frequency
        }
        if (posting.ordinals.length === 0) field.postings.delete(term)
      }
    }
    this.entries[ordinal] = null
    this.ordinalOf.delete(seq)
    this.free.push(ordinal)
  }
}

const frequencies = (values: readonly string[][]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const terms of values) for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}

// --- definitions -----------------------------------------------------------------------------------------------------

const analyzerOf = (name: Value): Analyzer => {
  const analyzer = typeof name === 'string' ? ANALYZERS[name] : undefined
  if (!analyzer)
    throw notSupported(`the analyzer '${String((name as string | undefined) ?? 'lucene.standard')}' of a search index`)
  return analyzer
}

const onlyKeys = (where: string, doc: Doc, keys: readonly string[]): void => {
  const other = Object.keys(doc).find((key) => !keys.includes(key))
  if (other !== undefined) throw notSupported(`'${nameOf(other)}' in ${where}`)
}

const mappingsOf = (definition: Doc): Mappings => {
  onlyKeys('the definition of a search index', definition, ['analyzer', 'searchAnalyzer', 'mappings'])
  const { mappings } = definition
  if (!isDoc(mappings)) throw new CommandError('BadValue', '"definition.mappings" is required')
  onlyKeys('the mappings of a search index', mappings, ['dynamic', 'fields'])
  if (mappings.dynamic !== undefined && mappings.dynamic !== false) throw notSupported('a dynamic search index')
  const result: Mappings = { text: new Map(), exact: new Map() }
  const fields = isDoc(mappings.fields) ? mappings.fields : docOf({})
  for (const key of Object.keys(fields)) {
    const path = nameOf(key)
    const definitions = Array.isArray(fields[key]) ? fields[key] : [fields[key]]
    for (const field of definitions) addMapping(result, path, field, definition)
  }
  return result
}

const addMapping = ({ text, exact }: Mappings, path: string, field: Value, definition: Doc): void => {
  if (!isDoc(field)) throw new CommandError('BadValue', `"${path}" must be a document`)
  if (field.type === 'string') {
    onlyKeys(`the string field '${path}' of a search index`, field, ['type', 'analyzer', 'searchAnalyzer'])
    const analyze = analyzerOf(field.analyzer ?? definition.analyzer)
    // As Atlas has it: the field's own, the field's analyzer, the index's.
    const analyzeQuery = analyzerOf(
      field.searchAnalyzer ?? field.analyzer ?? definition.searchAnalyzer ?? definition.analyzer,
    )
    text.set(path, { path: parsePath(path), analyze, analyzeQuery })
    return
  }
  const types = typeof field.type === 'string' ? EXACT_TYPES[field.type] : undefined
  if (!types) throw notSupported(`the type '${displayed(field.type)}' in a search index`)
  onlyKeys(`the field '${path}' of a search index`, field, ['type'])
  const known = exact.get(path)
  exact.set(path, { path: parsePath(path), types: [...(known?.types ?? []), ...types] })
}
