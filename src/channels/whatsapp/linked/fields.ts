import { cut, wellFormed } from '../contact.js'

/** Reading what a stranger wrote: whatever stands there, a value of the right kind comes out, or nothing. */

export type Fields = Record<string, unknown>

const LONGEST_TEXT = 9_900
const LONGEST_FIELD = 1_000

export const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    ? (value as Fields)
    : {}

export const listIn = (from: Fields, key: string): Fields[] => {
  const value = from[key]
  return Array.isArray(value) ? value.map(asFields).filter((item) => Object.keys(item).length > 0) : []
}

export const textIn = (from: Fields, key: string): string | undefined => {
  const value = from[key]
  return typeof value === 'string' && value !== '' ? cut(wellFormed(value), LONGEST_FIELD) : undefined
}

export const longText = (from: Fields, key: string): string => {
  const value = from[key]
  return typeof value === 'string' ? cut(wellFormed(value), LONGEST_TEXT) : ''
}

/** Protobuf's 64 bits come as a number, as text or in two halves. */
export const numberIn = (from: Fields, key: string): number | undefined => {
  const value = from[key]
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'string') return /^-?\d{1,15}$/u.test(value) ? Number(value) : undefined
  const { low, high } = asFields(value)
  return typeof low === 'number' && typeof high === 'number' ? high * 2 ** 32 + (low >>> 0) : undefined
}

/** Printable, and no longer than an index wants. */
export const idIn = (from: Fields, key: string): string | null => {
  const value = from[key]
  return typeof value === 'string' && /^[\x21-\x7E]{1,128}$/u.test(value) ? value : null
}

/** Seconds since 1970; nothing where it is no time of this century. */
export const timeIn = (from: Fields, key: string): Date | undefined => {
  const seconds = numberIn(from, key)
  return seconds !== undefined && seconds > 946_684_800 && seconds < 4_102_444_800
    ? new Date(seconds * 1_000)
    : undefined
}

export const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } =>
  value === undefined ? {} : ({ [key]: value } as { [key in Key]: Value })
