import { z } from 'zod'
import { MAX_MESSAGE_LENGTH, type Message } from '../../conversations/message.js'

/** What goes over the wire between a chat page and the server, by HTTP and by socket alike. */

export const openSession = z.strictObject({
  channelKey: z.string().min(1).max(100),
  visitor: z
    .strictObject({
      id: z.string().min(1).max(200).optional().describe("The site's own name for the visitor; not verified."),
      name: z.string().trim().min(1).max(100).optional(),
      email: z.email().max(200).optional(),
    })
    .transform(({ id, name, email }) => ({
      ...(id ? { reference: id } : {}),
      ...(name ? { name } : {}),
      ...(email ? { email } : {}),
    }))
    .optional(),
})

export const sessionOpened = z.strictObject({ token: z.string(), conversationId: z.string() })

export const sendMessage = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'must be 1 to 100 letters, digits or _ . : -')
    .describe("The client's own id: sending it again, however often, is one message."),
  text: z
    .string()
    .max(MAX_MESSAGE_LENGTH, `must be at most ${MAX_MESSAGE_LENGTH} characters`)
    .refine((text) => text.trim() !== '', 'must not be empty'),
})

export const messageAccepted = z.strictObject({ messageId: z.string() })

export const readMessages = z.strictObject({
  after: z.string().min(1).max(100).optional().describe('A message id; only later messages are returned.'),
})

const citation = z.strictObject({
  documentId: z.string(),
  passageId: z.string(),
  title: z.string(),
  quote: z.string().describe('Stands verbatim in the passage.'),
  headings: z.array(z.string()).optional(),
  page: z.int().nullable().optional(),
})

const chatMessage = z.strictObject({
  id: z.string(),
  conversationId: z.string(),
  seq: z.int().describe('Orders the messages of one conversation.'),
  author: z.enum(['customer', 'assistant', 'agent', 'system']),
  name: z.string().optional().describe('Who is talking, as readers should see it.'),
  text: z.string(),
  citations: z.array(citation),
  mode: z.enum(['model', 'extractive']).optional().describe('How the assistant came to its answer.'),
  at: z.iso.datetime(),
})

/** Sent as the assistant proves its answer, sentence by sentence; the `message` that follows replaces them. */
export type AnswerSentence = {
  conversationId: string
  draftId: string
  /** From 0, without gaps; 0 again after `answer.withdrawn`. */
  index: number
  /** With its marks: `[n]` is the n-th of `citations`, as in the message that follows. */
  text: string
  /** All of the draft so far. */
  citations: z.infer<typeof citation>[]
}
/** What was shown of this draft is to be taken back. */
export type AnswerWithdrawn = { conversationId: string; draftId: string }

export const chatMessages = z.strictObject({ messages: z.array(chatMessage) })

export const toFrame = (message: Message): z.infer<typeof chatMessage> => ({
  id: message.id,
  conversationId: message.conversationId,
  seq: message.seq,
  author: message.author.kind,
  ...(message.author.name ? { name: message.author.name } : {}),
  text: message.text,
  citations: message.citations,
  ...(message.mode ? { mode: message.mode } : {}),
  at: message.at.toISOString(),
})
