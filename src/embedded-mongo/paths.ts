import { type Doc, isDoc, keyOf, type Value } from './values.js'

/** One part of a dotted path: a field's key, and the position it names if it is applied to an array (else -1). */
export type Step = { key: string; index: number }
export type Path = readonly Step[]

const known = new Map<string, Path>()

export const parsePath = (text: string): Path => {
  let path = known.get(text)
  if (!path) {
    path = text
      .split('.')
      .map((name) => ({ key: keyOf(name), index: /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : -1 }))
    if (known.size > 5000) known.clear()
    known.set(text, path)
  }
  return path
}

/**
 * True when one of the elements that a query's path leads to passes. Arrays on the way are entered, by element and by
 * position; the value at the end is given as it is, `undefined` when missing: to `atPosition` when the path's last step was
 * a position in an array, else to `test`. An array on the way without a document inside leads nowhere.
 */
export const someAt = (
  value: Value,
  path: Path,
  depth: number,
  test: (leaf: Value) => boolean,
  atPosition = test,
): boolean => {
  if (depth === path.length) return test(value)
  if (isDoc(value)) return someAt(value[path[depth]!.key], path, depth + 1, test, atPosition)
  if (!Array.isArray(value)) return test(undefined)
  const { index } = path[depth]!
  for (let i = 0; i < value.length; i++) {
    const element = value[i]
    if (isDoc(element) && someAt(element, path, depth, test, atPosition)) return true
    if (i === index) {
      if (depth + 1 === path.length) {
        if (atPosition(element)) return true
      } else if ((isDoc(element) || Array.isArray(element)) && someAt(element, path, depth + 1, test, atPosition))
        return true
    }
  }
  return false
}

/**
 * The values that an index or a sort sees at a path: arrays are unfolded at the end and on the way.
 * `null` in the result stands for a missing value as well.
 */
export const indexedValues = (doc: Doc, path: Path): { values: Value[]; multi: boolean } => {
  let value: Value = doc
  let depth = 0
  // Nearly always there is no array on the way.
  while (depth < path.length && isDoc(value)) value = value[path[depth++]!.key]
  if (!Array.isArray(value)) return { values: [depth === path.length ? value : undefined], multi: false }
  const values: Value[] = []
  collect(value, path, depth, values)
  return { values, multi: true }
}

const collect = (value: Value, path: Path, depth: number, values: Value[]): void => {
  if (depth === path.length) {
    if (!Array.isArray(value)) values.push(value)
    else if (value.length === 0) values.push(EMPTY_ARRAY)
    else values.push(...value)
  } else if (isDoc(value)) collect(value[path[depth]!.key], path, depth + 1, values)
  else if (Array.isArray(value)) {
    const { index } = path[depth]!
    if (index >= 0 && index < value.length) return collect(value[index], path, depth + 1, values)
    for (const element of value) {
      if (isDoc(element)) collect(element, path, depth, values)
      else values.push(undefined)
    }
    if (value.length === 0) values.push(undefined)
  } else values.push(undefined)
}

/** Marks the key of an empty array among `indexedValues`: MongoDB gives it a key below null. */
export const EMPTY_ARRAY: Value = Object.freeze([]) as unknown as Value[]
