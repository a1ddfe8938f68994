import { monthsOf, numberFigure, numberWordsOf, scaled, unitOf } from './figures.js'
import { lower, type Raw } from './pieces.js'
import type { Token } from './scan.js'

/** Numbers, units and dates that stand in several pieces, put together. */

export const numberFollows = (raws: readonly Raw[], at: number, language: string): boolean => {
  const raw = raws[at]
  if (!raw) return false
  if (raw.kind === 'figure') return true
  if (raw.kind !== 'word') return false
  if (unitOf(lower(raw.text)) !== undefined) return raws[at + 1]?.kind === 'figure'
  const number = numberWordsOf(language)?.words.get(lower(raw.text))
  return number !== undefined && !number.unsure
}

/** A number with what belongs to it, in digits or words: "$ 1.5 million", "twenty-five per cent", "fünf Euro". */
export const numeralAt = (
  raws: readonly Raw[],
  at: number,
  language: string,
): { token: Token; taken: number } | undefined => {
  const table = numberWordsOf(language)
  const first = raws[at]
  if (!table || first?.kind !== 'word') return undefined
  // The longest of up to three words: "treinta y uno", "twenty five", "quatre vingt dix".
  for (let length = 4; length >= 1; length -= 1) {
    const words = raws.slice(at, at + length)
    if (words.length < length || words.some(({ kind }) => kind !== 'word')) continue
    const joined = words.map(({ text }) => lower(text)).join('')
    const found = table.words.get(joined)
    if (!found) continue
    const next = raws[at + length]
    const power = next?.kind === 'word' ? table.scales.get(lower(next.text)) : undefined
    if (found.unsure && power === undefined) return undefined
    const counted = length + (power === undefined ? 0 : 1)
    const beside = raws[at + counted]
    const unit = beside?.kind === 'word' && !found.ordinal ? unitOf(lower(beside.text)) : undefined
    const taken = counted + (unit === undefined ? 0 : 1)
    const last = raws[at + taken - 1] ?? first
    const value = power === undefined ? found.value : scaled(found.value, power)
    const figure = numberFigure(value, unit, found.ordinal)
    return {
      token: {
        kind: 'figure',
        text: words.map(({ text }) => text).join(' '),
        start: first.start,
        end: last.end,
        keys: [],
        capital: false,
        joint: false,
        figure,
      },
      taken,
    }
  }
  return undefined
}

/** Joins numbers with scales and units, and days, months and years into dates. */
export const withDates = (raws: readonly Raw[], language: string): Raw[] => {
  const scales = numberWordsOf(language)?.scales
  const found: Raw[] = []
  for (let at = 0; at < raws.length; at += 1) {
    const raw = raws[at]
    if (!raw) break
    const date = dateAt(raws, at, language)
    if (date) {
      found.push(date.raw)
      at += date.taken - 1
      continue
    }
    const figure = raw.figure
    if (figure?.kind !== 'number') {
      found.push(raw)
      continue
    }
    let { value, unit } = figure
    let end = raw.end
    const before = found.at(-1)
    const sign = before?.kind === 'word' ? unitOf(lower(before.text)) : undefined
    let start = raw.start
    if (before && sign && sign !== '%' && raw.start - before.end <= 1) {
      unit = sign
      start = before.start
      found.pop()
      // "US$": the letters before the sign belong to it.
      const country = found.at(-1)
      if (sign === 'USD' && country && lower(country.text) === 'us' && country.end === start) {
        start = country.start
        found.pop()
      }
    }
    let next = raws[at + 1]
    const power = next?.kind === 'word' ? scales?.get(lower(next.text)) : undefined
    if (next && power !== undefined && /^\d/u.test(value)) {
      value = scaled(value, power)
      end = next.end
      at += 1
      next = raws[at + 1]
    }
    const after = raws[at + 2]
    if (next?.kind === 'word' && after?.kind === 'word') {
      const two = unitOf(lower(next.text) + lower(after.text))
      if (two === '%') {
        unit = two
        end = after.end
        at += 2
        next = undefined
      }
    }
    const followed = next?.kind === 'word' ? unitOf(lower(next.text)) : undefined
    if (next && followed && !unit) {
      unit = followed
      end = next.end
      at += 1
    }
    found.push({ ...raw, start, end, figure: { ...figure, value, unit } })
  }
  return found
}

const WEAK_LINKS: Record<string, string> = { es: 'de del', pt: 'de', en: 'of the', fr: '', it: '', de: '' }

const dateAt = (raws: readonly Raw[], at: number, language: string): { raw: Raw; taken: number } | undefined => {
  const months = monthsOf(language)
  if (months.size === 0) return undefined
  const links = new Set((WEAK_LINKS[language] ?? '').split(' '))
  const monthAt = (index: number) => {
    const raw = raws[index]
    return raw?.kind === 'word' ? months.get(lower(raw.text)) : undefined
  }
  const numberAt = (index: number, least: number, most: number): number | undefined => {
    const figure = raws[index]?.figure
    if (figure?.kind !== 'number' || figure.unit || !/^\d+$/u.test(figure.value)) return undefined
    const value = Number(figure.value)
    return value >= least && value <= most ? value : undefined
  }
  /** The next index after links and at most one stop. */
  const past = (index: number, stops: RegExp) => {
    let next = index
    if (raws[next]?.kind === 'break' && stops.test(raws[next]?.text ?? '')) next += 1
    while (raws[next]?.kind === 'word' && links.has(lower(raws[next]?.text ?? ''))) next += 1
    return next
  }
  const made = (taken: number, reading: { year?: number | undefined; month?: number; day?: number | undefined }) => {
    const first = raws[at]
    const last = raws[at + taken - 1]
    if (!first || !last) return undefined
    return {
      raw: { ...first, kind: 'figure' as const, end: last.end, figure: { kind: 'date' as const, readings: [reading] } },
      taken,
    }
  }
  const day = numberAt(at, 1, 31)
  if (day !== undefined) {
    const monthIndex = past(at + 1, /^[.]$/u)
    const month = monthAt(monthIndex)
    if (!month) return undefined
    const yearIndex = past(monthIndex + 1, /^[.,]$/u)
    const year = numberAt(yearIndex, 1000, 2999)
    return made((year === undefined ? monthIndex : yearIndex) - at + 1, { day, month: month.month, year })
  }
  const month = monthAt(at)
  if (!month) return undefined
  const dayIndex = past(at + 1, /^[.]$/u)
  const dayAfter = language === 'en' ? numberAt(dayIndex, 1, 31) : undefined
  if (dayAfter !== undefined) {
    const yearIndex = past(dayIndex + 1, /^[.,]$/u)
    const year = numberAt(yearIndex, 1000, 2999)
    return made((year === undefined ? dayIndex : yearIndex) - at + 1, { day: dayAfter, month: month.month, year })
  }
  const yearIndex = past(at + 1, /^[.,]$/u)
  const year = numberAt(yearIndex, 1000, 2999)
  if (year !== undefined) return made(yearIndex - at + 1, { month: month.month, year })
  return month.short ? undefined : made(1, { month: month.month })
}
