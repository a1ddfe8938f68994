import type { BusinessHours } from '../../src/sla/business-hours.js'
import { DAY, MINUTE } from './hours.js'

const MARGIN = 16 * DAY
const NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/**
 * Business time as a child would count it: every minute of a month has a mark, open or not. It shares nothing with what it
 * checks: the zone is asked for what its wall shows, a time is looked for among the minutes shown, and time is counted
 * one minute after the other.
 */
export class MinuteByMinute {
  private readonly start: number
  private readonly marks: boolean[]

  constructor(hours: BusinessHours, near: string) {
    this.start = new Date(near).getTime() - MARGIN
    const { wall, shownAt } = wallOf(hours.timeZone, this.start)

    const minuteOf = (shown: number): number => {
      const found = shownAt.get(shown)
      if (found !== undefined) return found
      const jump = wall.findIndex((before, minute) => before < shown && (wall[minute + 1] ?? before) > shown)
      const skipped = (wall[jump + 1] ?? 0) - (wall[jump] ?? 0) - 1
      return shownAt.get(shown + skipped) ?? NaN
    }

    this.marks = wall.map(() => false)
    for (let day = -14; day <= 14; day += 1) {
      const date = new Date(new Date(near).getTime() + day * DAY)
      for (const { open, close } of periodsOn(hours, date)) {
        const midnight = date.getTime() / MINUTE
        const opens = minutes(open)
        const closes = minutes(close) > opens ? minutes(close) : minutes(close) + 1440
        const until = minuteOf(midnight + closes)
        for (let minute = minuteOf(midnight + opens); minute < until; minute += 1) this.marks[minute] = true
      }
    }
  }

  isOpen(at: Date): boolean {
    return this.marks[this.minute(at)] === true
  }

  /** `undefined`: beyond the minutes that are marked. */
  nextOpening(from: Date): Date | undefined {
    if (this.isOpen(from)) return from
    const next = this.marks.indexOf(true, this.minute(from))
    return this.known(next) ? new Date(this.start + next * MINUTE) : undefined
  }

  between(from: Date, to: Date): number {
    let sum = 0
    for (let minute = this.minute(from); minute <= this.minute(to); minute += 1) {
      if (!this.marks[minute]) continue
      const begin = Math.max(from.getTime(), this.start + minute * MINUTE)
      const end = Math.min(to.getTime(), this.start + (minute + 1) * MINUTE)
      sum += end - begin
    }
    return sum
  }

  add(from: Date, milliseconds: number): Date | undefined {
    let left = milliseconds
    for (let minute = this.minute(from); this.known(minute); minute += 1) {
      if (!this.marks[minute]) continue
      const begin = Math.max(from.getTime(), this.start + minute * MINUTE)
      const available = this.start + (minute + 1) * MINUTE - begin
      if (left <= available) return new Date(begin + left)
      left -= available
    }
    return undefined
  }

  private minute(at: Date): number {
    return Math.floor((at.getTime() - this.start) / MINUTE)
  }

  /** The last days have no nights of their own any more. */
  private known(minute: number): boolean {
    return minute >= 0 && minute * MINUTE < 2 * MARGIN - 4 * DAY
  }
}

const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

const periodsOn = ({ weekly, exceptions = [] }: BusinessHours, date: Date) => {
  const text = date.toISOString().slice(0, 10)
  const exception =
    exceptions.find((entry) => entry.date === text) ?? exceptions.find((entry) => entry.date === text.slice(5))
  return exception?.periods ?? weekly[NAMES[date.getUTCDay()] ?? 'sun'] ?? []
}

type Wall = { wall: number[]; shownAt: Map<number, number> }

const walls = new Map<string, Wall>()

/** What the wall shows, in minutes as if it were UTC, for each minute of the month; and when it shows it first. */
const wallOf = (timeZone: string, start: number): Wall => {
  const key = `${timeZone} ${start}`
  const known = walls.get(key)
  if (known) return known
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const show = (minute: number) =>
    new Date(`${format.format(start + minute * MINUTE).replace(' ', 'T')}Z`).getTime() / MINUTE
  const wall: number[] = []
  // A whole hour is shown minute by minute only where its end says that something happened within.
  for (let hour = 0; hour * 60 * MINUTE < 2 * MARGIN; hour += 1) {
    const from = show(hour * 60)
    const plain = show(hour * 60 + 60) === from + 60
    for (let minute = 0; minute < 60; minute += 1) wall.push(plain ? from + minute : show(hour * 60 + minute))
  }
  const shownAt = new Map<number, number>()
  for (const [minute, shown] of wall.entries()) if (!shownAt.has(shown)) shownAt.set(shown, minute)
  walls.set(key, { wall, shownAt })
  return { wall, shownAt }
}
