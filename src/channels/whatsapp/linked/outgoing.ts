import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { withChoices, type Message, type OutboundMessage, type Receipt } from '../../../conversations/message.js'
import { AppError } from '../../../platform/errors.js'
import type { ChannelKit } from '../../channel.js'
import { toWhatsApp } from '../format.js'
import { isUnwanted, UNWANTED } from '../opt-out.js'
import { partsOf, type Part } from '../outgoing.js'
import type { OwnName } from './incoming.js'
import { externalIdOf, type Person } from './names.js'
import type { People } from './people.js'
import type { LinkedSocket, Outgoing, OutgoingContent } from './socket.js'

type Needs = {
  kit: Pick<ChannelKit, 'memory' | 'clock' | 'conversation' | 'contact' | 'openFile' | 'messagesByExternalIds'>
  channelId: string
  people: People
  /** Open at this moment; else since when it is not. */
  link(): { socket: LinkedSocket } | { downSince: Date }
  /** In milliseconds. */
  timing?: Timing
}

type Timing = { gap: number; typingBase: number; typingPerCharacter: number; typingMost: number }

/** As a busy person types, and well within the time that one delivery may take. */
const TIMING: Timing = { gap: 700, typingBase: 400, typingPerCharacter: 12, typingMost: 1_500 }
/** As much is waited for in place; beyond it the message goes back into its queue. */
const MOST_WAIT_MS = 1_500
/** No more than one delivery has time for. */
const MOST_PARTS_AT_ONCE = 2
const SHORTEST_RETRY_MS = 15_000
const LONGEST_RETRY_MS = 15 * 60_000
const MOST_NAMES = 5_000

/** What is written down before a message leaves: which of ours it is. Gone once its reader has it. */
type Left = { messageId: string; part: number; parts: number }
const leftKey = (externalId: string) => `out/${externalId}`
const progressKey = (messageId: string) => `sent/${messageId}`

/**
 * Sends as a person would: one after the other with pauses, typing shown, one at a time to a contact. Every part has the same
 * name at WhatsApp however often it is sent, and what has left is written down, so that a retry repeats nothing.
 */
export const makeOutgoing = ({ kit, channelId, people, link, timing = TIMING }: Needs) => {
  const { memory, clock } = kit
  const busy = new Set<string>()
  const names = new Set<string>()
  let nextAt = 0
  let turnedAwayUntil = 0

  /** WhatsApp's names for messages of its web clients begin like this; the rest is any hexadecimal digits. */
  const nameOf = (messageId: string, part: number): string => {
    const hash = createHash('sha256')
      .update([channelId, messageId, String(part)].join('\0'))
      .digest('hex')
    return `3EB0${hash.slice(0, 18).toUpperCase()}`
  }

  const opened = (): LinkedSocket => {
    const standing = link()
    if ('socket' in standing) return standing.socket
    const downMs = clock.now().getTime() - standing.downSince.getTime()
    throw later('not_connected', Math.min(Math.max(SHORTEST_RETRY_MS, 3 * downMs), LONGEST_RETRY_MS))
  }

  const turn = async (signal: AbortSignal): Promise<void> => {
    const now = clock.now().getTime()
    const wait = Math.max(0, nextAt - now)
    if (wait > MOST_WAIT_MS) {
      // Each gets a time of its own: a thousand that waited for the phone do not all come again in a second.
      turnedAwayUntil = Math.max(turnedAwayUntil, nextAt) + timing.gap
      throw later('paced', turnedAwayUntil - now)
    }
    nextAt = Math.max(nextAt, now) + timing.gap * (0.8 + 0.4 * Math.random())
    if (wait > 0) await paused(wait, signal)
  }

  const typeFor = async (socket: LinkedSocket, to: string, content: OutgoingContent, signal: AbortSignal) => {
    const length = content.kind === 'text' ? content.text.length : 0
    await socket.typing(to, true).catch(() => {})
    await paused(Math.min(timing.typingBase + timing.typingPerCharacter * length, timing.typingMost), signal)
    await socket.typing(to, false).catch(() => {})
  }

  const contentOf = async (part: Part): Promise<OutgoingContent | null> => {
    if (part.kind === 'file') {
      const { attachment, media, mime, caption } = part
      const { stream } = await kit.openFile(attachment)
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) chunks.push(chunk as Uint8Array)
      const bytes = Buffer.concat(chunks)
      return { kind: 'file', media, mime, name: attachment.name, bytes, ...(caption ? { caption } : {}) }
    }
    const text = textIn(part)
    return text === null ? null : { kind: 'text', text }
  }

  const quotedBy = async (replyTo: string | undefined): Promise<Outgoing['quoted']> => {
    if (!replyTo) return undefined
    const [message] = await kit.messagesByExternalIds([replyTo])
    return message && { id: replyTo, text: message.text.slice(0, 300), fromMe: message.author.kind !== 'customer' }
  }

  const partsIn = async (
    message: Pick<Message, 'id' | 'conversationId' | 'text' | 'choices' | 'citations' | 'attachments' | 'author'>,
  ) => {
    const conversation = await kit.conversation(message.conversationId)
    return partsOf({
      ...message,
      // A linked phone has no buttons.
      text: withChoices(message),
      language: conversation?.language ?? null,
      choices: [],
      template: null,
      personButton: false,
      ratingButtons: false,
    })
  }

  const sendParts = async (message: OutboundMessage, parts: Part[], signal: AbortSignal): Promise<Receipt> => {
    const { id: messageId, contact } = message
    const done = parts.length > 1 ? ((await memory.get<number>(progressKey(messageId))) ?? 0) : 0
    const to = await people.addressOf(contact.externalId)
    for (const [index, part] of parts.entries()) {
      if (index < done) continue
      if (index - done >= MOST_PARTS_AT_ONCE) throw later('paced', 0)
      const socket = opened()
      const content = await contentOf(part)
      if (!content) return { kind: 'refused', reason: 'unsupported: a linked phone cannot send this' }
      await turn(signal)
      await typeFor(socket, to, content, signal)
      const id = nameOf(messageId, index)
      await memory.set(leftKey(id), { messageId, part: index, parts: parts.length } satisfies Left)
      remember(id)
      const quoted = index === 0 ? await quotedBy(message.replyTo) : undefined
      signal.throwIfAborted()
      const outcome = await opened().send({ to, id, content, ...(quoted ? { quoted } : {}) })
      if (outcome.kind === 'refused') return { kind: 'refused', reason: `${outcome.code}: WhatsApp did not take it` }
      // Not a fault of the network that may be tried again: it may have arrived. A receipt that comes later settles it.
      if (outcome.kind === 'unknown') throw new Error('WhatsApp did not say whether it took the message')
      if (parts.length > 1) await memory.set(progressKey(messageId), index + 1)
    }
    if (parts.length > 1) await memory.remove(progressKey(messageId))
    return { kind: 'sent', externalId: nameOf(messageId, parts.length - 1) }
  }

  const remember = (id: string): void => {
    names.add(id)
    const [oldest] = names
    if (names.size > MOST_NAMES && oldest !== undefined) names.delete(oldest)
  }

  return {
    send: async (message: OutboundMessage, signal: AbortSignal): Promise<Receipt> => {
      if (message.template) return { kind: 'refused', reason: 'template: a linked phone sends none; write the words' }
      if (isUnwanted(message)) return { kind: 'refused', reason: UNWANTED }
      const { externalId } = message.contact
      if (busy.has(externalId)) return { kind: 'later', afterMs: 1_000, reason: WAITS.paced }
      busy.add(externalId)
      try {
        opened()
        const parts = await partsIn(message)
        if (parts.length === 0)
          return { kind: 'refused', reason: 'empty: there is nothing in it that WhatsApp could show' }
        return await sendParts(message, parts, signal)
      } catch (error) {
        if (!(error instanceof AppError) || !isWait(error.code)) throw error
        return { kind: 'later', afterMs: error.retryAfterMs ?? SHORTEST_RETRY_MS, reason: WAITS[error.code] }
      } finally {
        busy.delete(externalId)
      }
    },

    /** Shown while an answer is being written. */
    typing: async (conversationId: string): Promise<void> => {
      const standing = link()
      if (!('socket' in standing)) return
      const conversation = await kit.conversation(conversationId)
      const contact = conversation && (await kit.contact(conversation.contactId))
      if (contact) await standing.socket.typing(await people.addressOf(contact.externalId), true)
    },

    ownNameOf: async (externalId: string, status: string): Promise<OwnName | null> => {
      const left = await memory.get<Left>(leftKey(externalId))
      if (!left) return null
      if (status === 'delivered' || status === 'read' || status === 'refused') await memory.remove(leftKey(externalId))
      const last = left.parts - 1
      return { messageId: left.messageId, externalId: nameOf(left.messageId, last), isLast: left.part === last }
    },

    isOurs: async (externalId: string): Promise<boolean> =>
      names.has(externalId) || (await memory.get(leftKey(externalId))) !== null,

    /** The words that a reader's phone could not open, to be sent to it once more. */
    sentText: async (externalId: string): Promise<string | null> => {
      const left = await memory.get<Left>(leftKey(externalId))
      const [message] = await kit.messagesByExternalIds([left ? nameOf(left.messageId, left.parts - 1) : externalId])
      if (!message || message.author.kind === 'customer') return null
      const parts = await partsIn(message)
      const part = parts[left?.part ?? parts.length - 1]
      return part?.kind === 'message' ? textIn(part) : null
    },

    /** A message by hand, to see whether the link works. */
    test: async (person: Person, words: string): Promise<void> => {
      const externalId = externalIdOf(person)
      if (!externalId) return
      const id = nameOf(`test ${clock.now().toISOString()}`, 0)
      remember(id)
      const outcome = await opened().send({
        to: await people.addressOf(externalId),
        id,
        content: { kind: 'text', text: toWhatsApp(words) },
      })
      if (outcome.kind !== 'taken') throw new AppError('unavailable', 'not_taken', 'WhatsApp did not take the message.')
    },
  }
}

/** Why a message was not tried. */
const WAITS = {
  paced: 'paced: other messages go first',
  not_connected: 'not_connected: the linked phone is not connected',
}
const isWait = (code: string): code is keyof typeof WAITS => Object.hasOwn(WAITS, code)

const later = (code: keyof typeof WAITS, retryAfterMs: number): AppError =>
  new AppError('unavailable', code, WAITS[code], { retryAfterMs })

const textIn = (part: Extract<Part, { kind: 'message' }>): string | null => {
  const { text } = part.body as { text?: { body?: unknown } }
  return typeof text?.body === 'string' ? text.body : null
}

const paused = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal }).catch((cause: unknown) => {
    throw new AppError('unavailable', 'stopped', 'The sending was stopped.', { cause })
  })
