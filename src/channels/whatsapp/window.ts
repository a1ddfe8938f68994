import type { Message } from '../../conversations/message.js'

/** Free words are allowed for this long after the customer's last message; then only approved templates (Meta's policy). */
const WINDOW_MS = 24 * 60 * 60 * 1000
/** What is sent at the last moment would arrive after it. */
const MARGIN_MS = 30_000

/** Until when free words may be sent; `null` where the customer wrote nothing that opens the window. */
export const windowClosesAt = (history: readonly Pick<Message, 'author' | 'kind' | 'at' | 'sentAt'>[]): Date | null => {
  const written = history
    .filter(({ author, kind }) => kind === 'message' && author.kind === 'customer')
    // What was told late was written when WhatsApp says; and what was told last need not have been written last.
    .map(({ at, sentAt }) => Math.min(at.getTime(), sentAt?.getTime() ?? Infinity))
  return written.length > 0 ? new Date(Math.max(...written) + WINDOW_MS) : null
}

export const isOpenAt = (closesAt: Date | null, now: Date): boolean =>
  closesAt !== null && now.getTime() < closesAt.getTime() - MARGIN_MS
