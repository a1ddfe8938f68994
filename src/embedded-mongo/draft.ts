import { badValue, CommandError } from './errors.js'
import type { Path, Step } from './paths.js'
import { type Doc, isDoc, nameOf, newDoc, show, type Value } from './values.js'

/** At most so many nulls fill an array up to the position that is written. */
const MOST_PADDING = 1_500_000

/** A document under change: copies what it changes, shares the rest with the document it came from. */
export class Draft {
  readonly root: Doc
  private readonly own = new Set<object>()
  constructor(doc: Doc) {
    this.root = Object.assign(newDoc(), doc)
    this.own.add(this.root)
  }

  get(path: Path): Value {
    let value: Value = this.root
    for (const { key, index } of path) {
      if (isDoc(value)) value = value[key]
      else if (Array.isArray(value) && index >= 0) value = value[index]
      else return undefined
    }
    return value
  }

  /** Throws when nothing could ever be at this path: it leads through a scalar, or by a name into an array. */
  checkViable(path: Path): void {
    let value: Value = this.root
    for (const [depth, step] of path.entries()) {
      if (isDoc(value)) value = value[step.key]
      else if (Array.isArray(value) && step.index >= 0) value = value[step.index]
      else throw notViable(step, path[depth - 1], value)
      if (value === undefined) return
    }
  }

  set(path: Path, value: Value): void {
    let container: Doc | Value[] = this.root
    for (let depth = 0; depth < path.length - 1; depth++) {
      const step = path[depth]!
      const inner: Value = isDoc(container) ? container[step.key] : container[step.index]
      if (inner !== undefined && !isDoc(inner) && !Array.isArray(inner)) {
        throw notViable(path[depth + 1]!, step, inner)
      }
      const next: Doc | Value[] = inner === undefined ? newDoc() : this.owned(inner)
      this.put(container, step, next)
      container = next
    }
    this.put(container, path.at(-1)!, value)
  }

  remove(path: Path): void {
    const parent = this.get(path.slice(0, -1))
    const last = path.at(-1)!
    if (isDoc(parent) ? parent[last.key] === undefined : !Array.isArray(parent) || !(last.index in parent)) return
    // An element of an array cannot be taken out by $unset; it becomes null.
    if (Array.isArray(parent)) return this.set(path, null)
    if (path.length === 1) {
      delete this.root[last.key]
      return
    }
    const copy = this.owned(parent)
    delete (copy as Doc)[last.key]
    this.set(path.slice(0, -1), copy)
  }

  private owned(value: Value): Doc | Value[] {
    if (this.own.has(value as object)) return value as Doc | Value[]
    const copy = isDoc(value) ? Object.assign(newDoc(), value) : [...(value as Value[])]
    this.own.add(copy)
    return copy
  }

  private put(container: Doc | Value[], step: Step, value: Value): void {
    if (isDoc(container)) {
      container[step.key] = value
      return
    }
    if (step.index < 0) throw notViable(step, undefined, container)
    if (step.index > container.length + MOST_PADDING) throw badValue('an array cannot be filled up with so many nulls')
    while (container.length < step.index) container.push(null)
    container[step.index] = value
  }
}

const notViable = (child: Step, parent: Step | undefined, value: Value): CommandError =>
  new CommandError(
    'PathNotViable',
    `Cannot create field '${nameOf(child.key)}' in element ${parent ? `{${nameOf(parent.key)}: ${show(value)}}` : show(value)}`,
  )
