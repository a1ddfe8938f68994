/** Mails as people's programs write them, as far as a test needs it. */

export type Letter = {
  from: string
  to?: string
  cc?: string
  subject?: string
  text: string
  id?: string | null
  inReplyTo?: string
  references?: string[]
  headers?: Record<string, string>
  date?: Date
}

export const letter: (letter: Letter) => string

/** One field of a raw mail, unfolded. */
export const fieldOf: (raw: string, name: string) => string | null
