import { z } from 'zod'
import type { Message } from '../../conversations/message.js'
import { sha256 } from '../../platform/secrets.js'

/** What this channel keeps with a message that came in; the core carries it without looking into it. */

const person = z.object({ name: z.string(), address: z.string() })

const emailFacts = z.object({
  /** As sent, with its brackets. */
  messageId: z.string().nullable(),
  references: z.array(z.string()),
  subject: z.string(),
  from: person.nullable(),
  to: z.array(person),
  cc: z.array(person),
  /** Where an answer is wanted, where that is not From. */
  replyTo: z.array(person),
  /** Of sender and body: tells whether two mails with one Message-ID are the same mail. */
  fingerprint: z.string(),
  /** Outlook's own idea of the thread. */
  threadIndex: z.string().nullable().default(null),
  /** What was strange about it, by name. */
  oddities: z.array(z.string()),
})

export type EmailFacts = z.infer<typeof emailFacts>

/** `null` for messages that were sent, and for those of other times. */
export const factsIn = ({ details }: Pick<Message, 'details'>): EmailFacts | null =>
  emailFacts.safeParse(details?.email).data ?? null

const LONGEST_ID = 250

/** A Message-ID as the name of a message: one that is too long to be a name is told by its hash. */
export const externalIdOf = (messageId: string): string =>
  messageId.length <= LONGEST_ID ? messageId : `<${sha256(messageId)}@long>`
