import { z } from 'zod'
import type { Standing as Known } from '../channel.js'
import { MAX_MESSAGE_LENGTH, type Attachment, type Message } from '../../conversations/message.js'

/** What goes over the wire between a chat page and the server, by HTTP and by socket alike. */

export const openSession = z.strictObject({
  channelKey: z.string().min(1).max(100),
  visitor: z
    .strictObject({
      id: z.string().min(1).max(200).optional().describe("The site's own name for the visitor."),
      hash: z
        .string()
        .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
        .optional()
        .describe("HMAC-SHA256 of the id under the channel's identity secret: proves that the site says so."),
      name: z.string().trim().min(1).max(100).optional(),
      email: z.email().max(200).optional(),
    })
    .refine(({ id, hash }) => id !== undefined || hash === undefined, {
      message: 'is required with a hash',
      path: ['id'],
    })
    .optional(),
})

export const sessionOpened = z.strictObject({ token: z.string(), conversationId: z.string() })

export const sendMessage = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'must be 1 to 100 letters, digits or _ . : -')
      .describe("The client's own id: sending it again, however often, is one message."),
    text: z.string().max(MAX_MESSAGE_LENGTH, `must be at most ${MAX_MESSAGE_LENGTH} characters`),
    attachments: z.array(z.string().max(2000)).max(5).optional().describe('Tickets of files that were sent up before.'),
    page: z.string().max(5000).optional().describe('The address of the page it is written on, for the way back.'),
    language: z.string().max(35).optional().describe('The language in which the chat is shown.'),
  })
  .refine(({ text, attachments = [] }) => text.trim() !== '' || attachments.length > 0, {
    message: 'must not be empty',
    path: ['text'],
  })

export const fileAccepted = z.strictObject({
  ticket: z.string().describe("Puts the file into a message: one of its 'attachments'."),
  name: z.string(),
  size: z.int(),
})
export const readFile = z.strictObject({ link: z.string().min(1).max(2000) })

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
  clientId: z.string().optional().describe('What the client called it, of a message of its own.'),
  seq: z.int().describe('Orders the messages of one conversation.'),
  author: z.enum(['customer', 'assistant', 'agent', 'system']),
  name: z.string().optional().describe('Who is talking, as readers should see it.'),
  text: z.string(),
  citations: z.array(citation),
  attachments: z
    .array(
      z.strictObject({
        name: z.string(),
        type: z.string(),
        size: z.int(),
        path: z.string().describe('Where it can be saved from, for a day.'),
      }),
    )
    .optional(),
  mode: z.enum(['model', 'extractive']).optional().describe('How the assistant came to its answer.'),
  choices: z
    .array(z.string())
    .optional()
    .describe('The assistant asks back which of these is meant. To choose, write one of them, or its number.'),
  handover: z.literal(true).optional().describe('The assistant says here that a person was asked to help.'),
  feedback: z.enum(['up', 'down']).optional().describe('Whether it helped, as the visitor said.'),
  at: z.iso.datetime(),
})
export type ChatMessage = z.infer<typeof chatMessage>

const standing = z.strictObject({
  handler: z.enum(['assistant', 'agent', 'nobody']).describe('Who has the conversation; nobody: a person is awaited.'),
  agent: z.string().nullable().describe('The name of the person who has it.'),
  working: z.boolean().describe('The assistant has yet to deal with what was written.'),
  askEmail: z.boolean().describe('A person is awaited, and there is no address to reach the visitor at.'),
  opensAt: z.iso.datetime().optional().describe('When people are back, where it is known that none is here now.'),
})
export type Standing = z.infer<typeof standing>

export const rateMessage = z.strictObject({
  messageId: z.string().min(1).max(100),
  rating: z.enum(['up', 'down']).nullable().describe('null takes it back.'),
})

export const leaveEmail = z.strictObject({ email: z.email('is not an email address').max(200) })

export const readSource = z.strictObject({
  message: z.string().min(1).max(100),
  citation: z.coerce.number().int().min(0).max(99).describe("The place in the message's citations, from 0."),
})
export const sourceRead = z.strictObject({
  before: z.string(),
  quote: z.string().describe('Stands verbatim between the two.'),
  after: z.string(),
})

export const readConfig = z.strictObject({ key: z.string().min(1).max(100) })
export const done = z.strictObject({})

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

export const chatMessages = z.strictObject({
  messages: z.array(chatMessage),
  standing,
  token: z.string().optional().describe('To be used from now on: the old one is past half of its life.'),
})

/** `linkTo` gives the link to a file of the message. */
export const toFrame = (message: Message, linkTo: (attachment: Attachment) => string): ChatMessage => ({
  id: message.id,
  conversationId: message.conversationId,
  ...(message.author.kind === 'customer' && message.externalId ? { clientId: clientIdIn(message.externalId) } : {}),
  seq: message.seq,
  author: message.author.kind,
  ...(message.author.name ? { name: message.author.name } : {}),
  text: message.text,
  citations: message.citations,
  ...(message.attachments
    ? {
        attachments: message.attachments.map((attachment) => ({
          name: attachment.name,
          type: attachment.type,
          size: attachment.size,
          path: `/api/v1/webchat/files?link=${linkTo(attachment)}`,
        })),
      }
    : {}),
  ...(message.mode ? { mode: message.mode } : {}),
  ...(message.choices ? { choices: message.choices.map(({ label }) => label) } : {}),
  ...(message.handover ? { handover: message.handover } : {}),
  ...(message.feedback ? { feedback: message.feedback.rating } : {}),
  at: message.at.toISOString(),
})

export const toStanding = ({ opensAt, ...standing }: Known): Standing => ({
  ...standing,
  ...(opensAt ? { opensAt: opensAt.toISOString() } : {}),
})

/** The web chat's name for a message that came in: the client's own id, within its visitor. A visitor's id has no colon. */
export const externalIdOf = (visitorId: string, clientId: string): string => `${visitorId}:${clientId}`
const clientIdIn = (externalId: string): string => externalId.slice(externalId.indexOf(':') + 1)
