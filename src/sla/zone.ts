/** Offsets of one IANA zone. All instants are milliseconds since the epoch. */
export type Zone = {
  /** What to add to `at` to read the clock on the wall, in milliseconds. */
  offsetAt(at: number): number
  /**
   * The instant at which the wall shows `wall` (milliseconds as if the wall were UTC). A wall time that the zone skips
   * moves forward by what was skipped; of two equal ones the first counts.
   */
  instantOf(wall: number): number
}

const SECOND = 1_000
const DAY = 86_400_000

/**
 * The zone is asked once per block; between two answers that differ, the change is looked for by halving. No zone has
 * changed twice within six days since 1970 (the closest are seven apart: Recife in October 2000).
 */
const BLOCK = 6 * DAY
/** Some 65 years; then the oldest knowledge is dropped, so that strange dates cannot fill the memory. */
const BLOCKS_KEPT = 4_000

type Block = number | { changesAt: number; before: number; after: number }

const zones = new Map<string, Zone>()

/** Throws a RangeError for a name that is not in the time zone database; an offset such as `+02:00` is no zone. */
export const zoneNamed = (timeZone: string): Zone => {
  const known = zones.get(timeZone)
  if (known) return known
  const zone = openZone(timeZone)
  zones.set(timeZone, zone)
  return zone
}

const openZone = (timeZone: string): Zone => {
  const ask = askerOf(timeZone)
  const blocks = new Map<number, Block>()
  /** The end of one block is the beginning of the next. */
  const edges = new Map<number, number>()

  const edgeAt = (index: number): number => {
    const known = edges.get(index)
    if (known !== undefined) return known
    const offset = ask(index * BLOCK)
    edges.set(index, offset)
    return offset
  }

  const lookUp = (index: number): Block => {
    const before = edgeAt(index)
    const after = edgeAt(index + 1)
    if (before === after) return before
    let low = index * BLOCK
    let high = low + BLOCK
    // The database of time zones knows no part of a second.
    while (high - low > SECOND) {
      const middle = low + Math.floor((high - low) / SECOND / 2) * SECOND
      if (ask(middle) === before) low = middle
      else high = middle
    }
    return { changesAt: high, before, after }
  }

  const offsetAt = (at: number): number => {
    const index = Math.floor(at / BLOCK)
    let block = blocks.get(index)
    if (block === undefined) {
      block = lookUp(index)
      if (blocks.size >= BLOCKS_KEPT) {
        blocks.clear()
        edges.clear()
      }
      blocks.set(index, block)
    }
    if (typeof block === 'number') return block
    return at < block.changesAt ? block.before : block.after
  }

  const instantOf = (wall: number): number => {
    const before = offsetAt(wall - DAY)
    const after = offsetAt(wall + DAY)
    const first = wall - before
    if (offsetAt(first) === before) return first
    const second = wall - after
    // Neither holds: the wall skips this time. Read with the offset of before, it lies beyond by what was skipped.
    return offsetAt(second) === after ? second : first
  }

  return { offsetAt, instantOf }
}

const askerOf = (timeZone: string): ((at: number) => number) => {
  const format = formatterOf(timeZone)
  return (at) => {
    // `1/31/2026, GMT-03:30:52`; seconds only where the zone once had them; `GMT` alone where there is no offset.
    const found = /([+-])(\d+):(\d+)(?::(\d+))?/.exec(format.format(at))
    if (!found) return 0
    const [, sign, hours, minutes, seconds = 0] = found
    const size = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000
    return sign === '-' ? -size : size
  }
}

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  // Without a name, or with an offset, some runtimes would take the machine's own zone or a fixed one.
  if (!/[A-Za-z]/.test(timeZone)) throw new RangeError(`Unknown time zone: ${JSON.stringify(timeZone)}`)
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch (cause) {
    throw new RangeError(`Unknown time zone: ${JSON.stringify(timeZone)}`, { cause })
  }
}
