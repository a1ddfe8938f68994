import { Binary } from 'mongodb'
import { Best } from './best.js'
import { badValue, CommandError, notSupported } from './errors.js'
import type { Filter } from './match.js'
import { orderKey } from './ordering.js'
import { indexedValues, parsePath, type Path } from './paths.js'
import type { Collection } from './collection.js'
import { displayed, type Doc, isDoc, isNumeric, nameOf, toNumber, type Value, wholeNumber } from './values.js'

/**
 * One vector index (Atlas Vector Search: "How to Index Fields for Vector Search"), in memory: a matrix of float32 per vector
 * field and the documents behind its rows, built from the collection at its first use and kept up with every write after that,
 * one document at a time. The search compares every vector that passes the filter, so its answer is exact.
 *
 * A vector costs four bytes a dimension here, beside the document that holds it.
 */

export type Similarity = 'cosine' | 'dotProduct' | 'euclidean'

/** The scores of the manual, from 0 to 1 for vectors of unit length. */
const scoreOf = (similarity: Similarity, measured: number): number =>
  similarity === 'euclidean' ? 1 / (1 + measured) : (1 + measured) / 2

/** The manual's largest. */
const MAX_DIMENSIONS = 8_192
/** Rows come in blocks of about this many numbers, so that growing copies nothing. */
const BLOCK_NUMBERS = 1 << 18

export type Neighbour = { seq: number; doc: Doc; score: number }

/** The vectors of one field by row, with what cosine divides by; a row without a vector has length 0 and is skipped. */
class Matrix {
  private readonly blocks: Float32Array[] = []
  private readonly rowsPerBlock: number
  private readonly held: number[] = []
  private readonly norms: number[] = []

  constructor(
    readonly dimensions: number,
    readonly similarity: Similarity,
  ) {
    this.rowsPerBlock = Math.max(1, Math.floor(BLOCK_NUMBERS / dimensions))
  }

  set(row: number, vector: Float32Array | null): void {
    // Nothing can be said of the angle of a vector without a length: such a document is not indexed.
    const norm = vector ? Math.sqrt(dot(vector, 0, vector, this.dimensions)) : 0
    const usable = vector !== null && Number.isFinite(norm) && (norm > 0 || this.similarity !== 'cosine')
    this.held[row] = usable ? 1 : 0
    this.norms[row] = norm
    if (!usable) return
    const block = Math.floor(row / this.rowsPerBlock)
    while (this.blocks.length <= block) this.blocks.push(new Float32Array(this.rowsPerBlock * this.dimensions))
    this.blocks[block]!.set(vector, (row % this.rowsPerBlock) * this.dimensions)
  }

  has(row: number): boolean {
    return this.held[row] === 1
  }

  /** How a row compares with `query`, whose length is `norm`: greater is nearer, but for a distance. */
  measure(row: number, query: Float32Array, norm: number): number {
    const block = this.blocks[Math.floor(row / this.rowsPerBlock)]!
    const at = (row % this.rowsPerBlock) * this.dimensions
    switch (this.similarity) {
      case 'euclidean':
        return distance(block, at, query, this.dimensions)
      case 'dotProduct':
        return dot(block, at, query, this.dimensions)
      case 'cosine':
        return Math.max(-1, Math.min(1, dot(block, at, query, this.dimensions) / (norm * this.norms[row]!)))
    }
  }
}

// Four sums that do not wait for each other: the processor adds them at the same time. Measured: eight are no faster.
const dot = (rows: Float32Array, at: number, query: Float32Array, dimensions: number): number => {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i + 3 < dimensions; i += 4) {
    a += rows[at + i]! * query[i]!
    b += rows[at + i + 1]! * query[i + 1]!
    c += rows[at + i + 2]! * query[i + 2]!
    d += rows[at + i + 3]! * query[i + 3]!
  }
  for (; i < dimensions; i++) a += rows[at + i]! * query[i]!
  return a + b + c + d
}

const distance = (rows: Float32Array, at: number, query: Float32Array, dimensions: number): number => {
  let sum = 0
  for (let i = 0; i < dimensions; i++) sum += (rows[at + i]! - query[i]!) ** 2
  return Math.sqrt(sum)
}

type Entry = { seq: number; doc: Doc }

export class VectorIndex {
  readonly name: string
  private readonly vectors: Map<string, { path: Path; matrix: Matrix }>
  /** Per filter field which rows have a value, so that a company's search walks only what is the company's. */
  private readonly filters: Map<string, { path: Path; rows: Map<string, Set<number>> }>
  /** By row; freed rows are used again. */
  private readonly entries: (Entry | null)[] = []
  private readonly rowOf = new Map<number, number>()
  private readonly free: number[] = []
  private built = false

  constructor(readonly stored: Doc) {
    this.name = stored.name as string
    const { vectors, filters } = fieldsOf(stored.latestDefinition as Doc)
    this.vectors = new Map([...vectors].map(([path, matrix]) => [path, { path: parsePath(path), matrix }]))
    this.filters = new Map([...filters].map((path) => [path, { path: parsePath(path), rows: new Map() }]))
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

  /** Refuses by name a path without vectors, and a query that is no vector of that field. */
  queryFor(path: string, vector: Value): Float32Array {
    const field = this.vectors.get(path)
    if (!field) throw badValue(`Path '${path}' needs to be indexed as vector in the vector search index '${this.name}'`)
    const { dimensions, similarity } = field.matrix
    const length = Array.isArray(vector) ? vector.length : vector instanceof Binary ? floatsIn(vector) : null
    if (length === null) throw badValue('"queryVector" must be an array of numbers or a float32 vector')
    if (length !== dimensions)
      throw badValue(`vector field is indexed with ${dimensions} dimensions but queried with ${length}`)
    const query = vectorOf(vector, dimensions)
    if (!query?.every(Number.isFinite)) throw badValue('"queryVector" must hold finite numbers only')
    if (similarity === 'cosine' && query.every((number) => number === 0))
      throw badValue('Cosine similarity cannot be calculated against a zero vector.')
    return query
  }

  checkFilterPath(path: string): void {
    if (!this.filters.has(path))
      throw badValue(`Path '${path}' needs to be indexed as filter in the vector search index '${this.name}'`)
  }

  /** The `limit` nearest that pass the filter, the nearest first; equal ones in order of insertion. */
  nearest(path: string, query: Float32Array, limit: number, filter: Filter): Neighbour[] {
    const { matrix } = this.vectors.get(path)!
    const norm = Math.sqrt(dot(query, 0, query, matrix.dimensions))
    const best = new Best<Neighbour>(limit)
    const consider = (row: number): void => {
      const entry = this.entries[row]
      if (!entry || !matrix.has(row)) return
      const score = scoreOf(matrix.similarity, matrix.measure(row, query, norm))
      // The filter comes last, because it costs as much as comparing and nearly no row gets so far.
      if (best.wants(score, entry.seq) && filter.test(entry.doc)) best.add({ ...entry, score })
    }
    const rows = this.narrowed(filter)
    if (rows) rows.forEach(consider)
    else for (let row = 0; row < this.entries.length; row++) consider(row)
    return best.items
  }

  /** The fewest rows that one of the filter's equalities leaves; null when it has none. */
  private narrowed({ conditions }: Filter): Set<number> | null {
    let fewest: Set<number> | null = null
    for (const { path, operator, operand } of conditions) {
      const field = operator === '$eq' ? this.filters.get(path) : undefined
      if (!field || operand === null || /(^|\.)\d+(\.|$)/.test(path)) continue
      const rows = field.rows.get(orderKey(operand)) ?? NO_ROWS
      if (!fewest || rows.size < fewest.size) fewest = rows
    }
    return fewest
  }

  private add(seq: number, doc: Doc): void {
    const row = this.free.pop() ?? this.entries.length
    for (const { path, matrix } of this.vectors.values()) matrix.set(row, vectorAt(doc, path, matrix.dimensions))
    for (const { path, rows } of this.filters.values()) {
      for (const key of keysAt(doc, path)) {
        const known = rows.get(key)
        if (known) known.add(row)
        else rows.set(key, new Set([row]))
      }
    }
    this.entries[row] = { seq, doc }
    this.rowOf.set(seq, row)
  }

  private remove(seq: number): void {
    const row = this.rowOf.get(seq)
    if (row === undefined) return
    const { doc } = this.entries[row]!
    for (const { path, rows } of this.filters.values()) {
      for (const key of keysAt(doc, path)) {
        const known = rows.get(key)
        known?.delete(row)
        if (known?.size === 0) rows.delete(key)
      }
    }
    this.entries[row] = null
    this.rowOf.delete(seq)
    this.free.push(row)
  }
}

const NO_ROWS: Set<number> = new Set()

const keysAt = (doc: Doc, path: Path): string[] =>
  indexedValues(doc, path).values.map((value) => orderKey(value ?? null))

// --- vectors ---------------------------------------------------------------------------------------------------------

const FLOAT32 = 0x27
const HEADER_BYTES = 2

/** Numbers in a float32 vector (BSON binary subtype 9), or null where it is none. */
const floatsIn = (binary: Binary): number | null => {
  const size = binary.length() - HEADER_BYTES
  const isVector = binary.sub_type === Binary.SUBTYPE_VECTOR && binary.buffer[0] === FLOAT32 && binary.buffer[1] === 0
  return isVector && size >= 0 && size % Float32Array.BYTES_PER_ELEMENT === 0
    ? size / Float32Array.BYTES_PER_ELEMENT
    : null
}

/** What is no vector of this many numbers is not indexed, as in Atlas. */
const vectorOf = (value: Value, dimensions: number): Float32Array | null => {
  if (value instanceof Binary) return floatsIn(value) === dimensions ? value.toFloat32Array() : null
  if (!Array.isArray(value) || value.length !== dimensions) return null
  const vector = new Float32Array(dimensions)
  for (let i = 0; i < dimensions; i++) {
    const number = value[i]
    if (!isNumeric(number)) return null
    vector[i] = toNumber(number)
  }
  return vector
}

const vectorAt = (doc: Doc, path: Path, dimensions: number): Float32Array | null => {
  let value: Value = doc
  for (const { key } of path) value = isDoc(value) ? value[key] : undefined
  return vectorOf(value, dimensions)
}

// --- definitions -----------------------------------------------------------------------------------------------------

const onlyKeys = (where: string, doc: Doc, keys: readonly string[]): void => {
  const other = Object.keys(doc).find((key) => !keys.includes(key))
  if (other !== undefined) throw notSupported(`'${nameOf(other)}' in ${where}`)
}

const SIMILARITIES: readonly unknown[] = ['cosine', 'dotProduct', 'euclidean'] satisfies Similarity[]
const isSimilarity = (value: unknown): value is Similarity => SIMILARITIES.includes(value)

const fieldsOf = (definition: Doc): { vectors: Map<string, Matrix>; filters: Set<string> } => {
  onlyKeys('the definition of a vector search index', definition, ['fields'])
  if (!Array.isArray(definition.fields)) throw badValue('"definition.fields" is required')
  const vectors = new Map<string, Matrix>()
  const filters = new Set<string>()
  for (const field of definition.fields) {
    if (!isDoc(field) || typeof field.path !== 'string' || field.path === '')
      throw badValue('a field of a vector search index needs a path')
    const { path, type } = field
    if (vectors.has(path) || filters.has(path))
      throw new CommandError('BadValue', `the path '${path}' stands twice in a vector search index`)
    switch (type) {
      case 'filter':
        onlyKeys(`the filter field '${path}' of a vector search index`, field, ['type', 'path'])
        filters.add(path)
        break
      case 'vector':
        vectors.set(path, matrixFor(path, field))
        break
      default:
        throw notSupported(`the type '${displayed(type)}' in a vector search index`)
    }
  }
  if (vectors.size === 0) throw badValue('a vector search index needs a field of type vector')
  return { vectors, filters }
}

const matrixFor = (path: string, field: Doc): Matrix => {
  onlyKeys(`the vector field '${path}' of a vector search index`, field, [
    'type',
    'path',
    'numDimensions',
    'similarity',
    'quantization',
  ])
  const { similarity, quantization = 'none' } = field
  const dimensions = wholeNumber(field.numDimensions)
  if (dimensions === undefined || dimensions < 1 || dimensions > MAX_DIMENSIONS)
    throw badValue(`"numDimensions" of '${path}' must be a whole number from 1 to ${MAX_DIMENSIONS}`)
  if (!isSimilarity(similarity)) throw badValue(`"similarity" of '${path}' must be cosine, dotProduct or euclidean`)
  if (quantization !== 'none') throw notSupported(`the quantization '${displayed(quantization)}' of a vector field`)
  return new Matrix(dimensions, similarity)
}
