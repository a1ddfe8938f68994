import { personName } from '../../platform/names.js'

/** Who writes, as WhatsApp names them: by a number, by an id that hides the number, or by both. */
export type Sender = {
  /** What WhatsApp calls the person, digits alone; not always a number that can be dialled. */
  waId: string | null
  /** Business-scoped: there even where the number is hidden. A new number means a new one. */
  userId: string | null
  name?: string
}

/** ITU-T E.164: at most fifteen digits, none of them a leading zero. Shorter than seven is no subscriber. */
const WA_ID = /^[1-9]\d{6,14}$/
const USER_ID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/
const LONGEST_NAME = 100

export const asWaId = (value: unknown): string | null => {
  const digits = typeof value === 'string' ? value.replace(/^\+/u, '') : ''
  return WA_ID.test(digits) ? digits : null
}

export const asUserId = (value: unknown): string | null =>
  typeof value === 'string' && USER_ID.test(value) ? value : null

/**
 * The contact's external id: `+` and what WhatsApp calls them, or the hidden id. It is what a reply is sent to, so nothing
 * is corrected in it; the number for people is `phoneOf`.
 */
export const externalIdOf = ({ waId, userId }: Sender): string | null => (waId ? `+${waId}` : userId)

/** Where a reply goes, as the Graph API wants it: `to` for numbers, `recipient` for hidden ids. */
export const addressOf = (externalId: string): { to: string } | { recipient: string } =>
  externalId.startsWith('+') ? { to: externalId.slice(1) } : { recipient: externalId }

/**
 * The number in E.164, the same that other channels and address books have. Two countries' numbers are kept by WhatsApp in
 * an older form: Mexican ones with a 1 after the country code, Brazilian mobile ones without their ninth digit.
 */
export const phoneOf = (waId: string): string => {
  const mexican = /^521(\d{10})$/u.exec(waId)
  if (mexican) return `+52${mexican[1]}`
  const brazilian = /^55(\d{2})([6-9]\d{7})$/u.exec(waId)
  if (brazilian) return `+55${brazilian[1]}9${brazilian[2]}`
  return `+${waId}`
}

/** A profile's name as text to show. */
export const shownName = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined
  const shown = personName(value)
  return shown ? cut(shown, LONGEST_NAME) : undefined
}

/** Halves of characters are replaced, as the store would do: what is compared with the stored text must be the same. */
export const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')

/** At most `most` code units, never half a character. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`
