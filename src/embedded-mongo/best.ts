/** The best of many by score, the greatest first, equal ones in order of insertion; no more than `limit` are held on the way. */
export class Best<Item extends { score: number; seq: number }> {
  readonly items: Item[] = []

  constructor(private readonly limit: number) {}

  /** False for what would be dropped at once: asked before an item is made, or tested at some cost. */
  wants(score: number, seq: number): boolean {
    const last = this.items.length < this.limit ? undefined : this.items.at(-1)
    return last === undefined || isBefore(score, seq, last)
  }

  add(item: Item): void {
    let low = 0
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(item.score, item.seq, this.items[middle]!)) high = middle
      else low = middle + 1
    }
    this.items.splice(low, 0, item)
    if (this.items.length > this.limit) this.items.pop()
  }
}

const isBefore = (score: number, seq: number, than: { score: number; seq: number }): boolean =>
  score > than.score || (score === than.score && seq < than.seq)
