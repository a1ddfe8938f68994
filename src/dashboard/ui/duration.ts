const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** "1 h 30 min", "45 s": no more than two units. `null` is a dash. */
export const shownDuration = (language: string, milliseconds: number | null): string => {
  if (milliseconds === null) return '–'
  const unit = (value: number, name: 'hour' | 'minute' | 'second') =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'narrow' }).format(value)
  if (milliseconds < MINUTE_MS) return unit(Math.round(milliseconds / 1000), 'second')
  const minutes = Math.round(milliseconds / MINUTE_MS)
  const parts = [Math.floor(minutes / 60), minutes % 60] as const
  return [parts[0] > 0 ? unit(parts[0], 'hour') : '', parts[1] > 0 ? unit(parts[1], 'minute') : '']
    .filter(Boolean)
    .join(' ')
}

/** "1 h 30 s": to the second, for whoever wants to add it up. */
export const exactDuration = (language: string, milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000)
  const parts = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [seconds % 60, 'second'],
  ] as const
  const shown = parts.filter(([value, unit]) => value > 0 || (seconds === 0 && unit === 'second'))
  return shown
    .map(([value, unit]) =>
      new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'narrow' }).format(value),
    )
    .join(' ')
}

/** As people type it and the API counts it: "1h 30m". */
export const typedDuration = (milliseconds: number | null): string => {
  if (milliseconds === null) return ''
  const parts = [
    [Math.floor(milliseconds / HOUR_MS), 'h'],
    [Math.floor((milliseconds % HOUR_MS) / MINUTE_MS), 'm'],
    [(milliseconds % MINUTE_MS) / 1000, 's'],
  ] as const
  return parts.flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : [])).join(' ')
}

/** `undefined`: it cannot be read. Nothing typed promises nothing. */
export const readDuration = (typed: string): number | null | undefined => {
  const text = typed.trim().toLowerCase()
  if (text === '') return null
  const clock = /^(\d{1,4}):([0-5]\d)$/.exec(text)
  if (clock) return Number(clock[1]) * HOUR_MS + Number(clock[2]) * MINUTE_MS
  const units = /^(?:(\d+(?:[.,]\d+)?)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+(?:[.,]\d+)?)\s*s)?$/.exec(text)
  if (!units) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = units.slice(1).map((part = '0') => Number(part.replace(',', '.')))
  return Math.round(hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1000)
}
