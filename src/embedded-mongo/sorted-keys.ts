/**
 * An ordered map from strings to items: a list of sorted chunks, searched by halving. Inserting moves at most one
 * chunk's worth of pointers, appending none, and a scan walks arrays.
 */
const FULL = 512

type Chunk<T> = { keys: string[]; items: T[] }

export class SortedKeys<T> {
  private readonly chunks: Chunk<T>[] = []
  size = 0

  /** The last chunk that begins at or before the key; the first one when there is none. */
  private chunkOf(key: string): number {
    let low = 0
    let high = this.chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.chunks[middle]!.keys[0]! <= key) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Position of the first key that is not below. */
  private static position(keys: readonly string[], key: string): number {
    let low = 0
    let high = keys.length
    if (high > 0 && keys[high - 1]! < key) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  get(key: string): T | undefined {
    const chunk = this.chunks[this.chunkOf(key)]
    if (!chunk) return undefined
    const at = SortedKeys.position(chunk.keys, key)
    return chunk.keys[at] === key ? chunk.items[at] : undefined
  }

  set(key: string, item: T): void {
    const number = this.chunkOf(key)
    const chunk = this.chunks[number]
    if (!chunk) {
      this.chunks.push({ keys: [key], items: [item] })
      this.size = 1
      return
    }
    const at = SortedKeys.position(chunk.keys, key)
    if (chunk.keys[at] === key) {
      chunk.items[at] = item
      return
    }
    this.size++
    if (at === chunk.keys.length) {
      // Growing keys (times, sequence numbers) fill chunks to the brim.
      if (at >= FULL && number === this.chunks.length - 1) {
        this.chunks.push({ keys: [key], items: [item] })
        return
      }
      chunk.keys.push(key)
      chunk.items.push(item)
    } else {
      chunk.keys.splice(at, 0, key)
      chunk.items.splice(at, 0, item)
    }
    if (chunk.keys.length > FULL) {
      const half = chunk.keys.length >> 1
      this.chunks.splice(number + 1, 0, { keys: chunk.keys.splice(half), items: chunk.items.splice(half) })
    }
  }

  delete(key: string): void {
    const number = this.chunkOf(key)
    const chunk = this.chunks[number]
    if (!chunk) return
    const at = SortedKeys.position(chunk.keys, key)
    if (chunk.keys[at] !== key) return
    this.size--
    if (chunk.keys.length === 1) {
      this.chunks.splice(number, 1)
      return
    }
    chunk.keys.splice(at, 1)
    chunk.items.splice(at, 1)
  }

  /** Visits items with from <= key < to in order until `visit` returns false; true when it came to the end. */
  scan(from: string, to: string | null, reverse: boolean, visit: (item: T) => boolean): boolean {
    return reverse ? this.scanBack(from, to, visit) : this.scanOn(from, to, visit)
  }

  private scanOn(from: string, to: string | null, visit: (item: T) => boolean): boolean {
    let number = this.chunkOf(from)
    let at = number < this.chunks.length ? SortedKeys.position(this.chunks[number]!.keys, from) : 0
    for (; number < this.chunks.length; number++, at = 0) {
      const { keys, items } = this.chunks[number]!
      for (; at < keys.length; at++) {
        if (to !== null && keys[at]! >= to) return true
        if (!visit(items[at]!)) return false
      }
    }
    return true
  }

  private scanBack(from: string, to: string | null, visit: (item: T) => boolean): boolean {
    let number = to === null ? this.chunks.length - 1 : this.chunkOf(to)
    const last = this.chunks[number]
    let at = last ? (to === null ? last.keys.length : SortedKeys.position(last.keys, to)) - 1 : -1
    for (; number >= 0; number--, at = (this.chunks[number]?.keys.length ?? 0) - 1) {
      const chunk = this.chunks[number]
      if (!chunk) return true
      for (; at >= 0; at--) {
        if (chunk.keys[at]! < from) return true
        if (!visit(chunk.items[at]!)) return false
      }
    }
    return true
  }
}
