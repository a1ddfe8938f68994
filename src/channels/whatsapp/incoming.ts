import type { Attachment, MessageArrival } from '../../conversations/message.js'
import { externalIdOf, phoneOf, type Sender } from './contact.js'
import type { Content, MediaKind, Update } from './decode.js'
import { fromWhatsApp } from './format.js'
import { chosenIn } from './outgoing.js'

/** What a customer sent, in words that everybody in the conversation can read, and whether words are all of it. */
type Told = Pick<MessageArrival, 'text' | 'needsPerson' | 'automatic' | 'wordless' | 'chosen' | 'details'>

const MEDIA: Record<MediaKind, string> = {
  image: 'Photo',
  video: 'Video',
  audio: 'Audio',
  voice: 'Voice note',
  document: 'Document',
  sticker: 'Sticker',
}

export const toldBy = (content: Content): Told => {
  switch (content.kind) {
    case 'text':
      return content.text.trim()
        ? { text: fromWhatsApp(content.text) }
        : { text: '[Empty message]', automatic: 'empty' }
    case 'media': {
      const { media, caption } = content
      const words = MEDIA[media.kind]
      const named = media.name ? `[${words}: ${media.name}]` : `[${words}]`
      const details = { media: media.kind }
      // A sticker asks for nothing: it is kept, and nobody is called for it.
      if (media.kind === 'sticker') return { text: named, automatic: 'sticker', details }
      const said = caption.trim() ? { text: fromWhatsApp(caption) } : { text: named, wordless: true as const }
      return { ...said, needsPerson: media.kind, details }
    }
    case 'location': {
      const { latitude, longitude, name, address } = content
      const where = [name, address].filter(Boolean).join(', ')
      const link = `https://maps.google.com/?q=${latitude},${longitude}`
      const text = `[Location${where ? `: ${where}` : ''}] ${link}`
      return { text, needsPerson: 'location', details: { location: { latitude, longitude } } }
    }
    case 'contacts': {
      const cards = content.cards.map(({ name, phones, emails }) =>
        [name, ...phones, ...emails].filter(Boolean).join(', '),
      )
      return { text: cards.map((card) => `[Contact: ${card}]`).join('\n') || '[Contact]', needsPerson: 'contacts' }
    }
    case 'choice': {
      const chosen = chosenIn(content.id)
      return { text: content.title || content.id, ...(chosen ? { chosen } : {}), details: { choice: content.id } }
    }
    case 'form':
      return { text: `[Form] ${content.text}`, needsPerson: 'form' }
    case 'order': {
      const items = content.items.map(
        ({ product, quantity, price, currency }) => `- ${quantity} × ${product} (${price} ${currency})`,
      )
      return { text: ['[Order]', content.text, ...items].filter(Boolean).join('\n'), needsPerson: 'order' }
    }
    case 'unsupported':
      return {
        text: '[A message that WhatsApp does not hand over]',
        needsPerson: 'unsupported',
        details: { kind: content.what },
      }
    case 'unknown':
      return {
        text: `[A message of a kind that is not known here: ${content.what}]`,
        needsPerson: 'unknown',
        details: { kind: content.what },
      }
  }
}

/** What a message says after it was changed; `null` where that is no words. */
export const wordsOf = (content: Content): string | null => {
  if (content.kind === 'text') return fromWhatsApp(content.text)
  return content.kind === 'media' && content.caption ? fromWhatsApp(content.caption) : null
}

/** The contact as the core keeps it. */
const contactOf = (sender: Sender, externalId: string): MessageArrival['contact'] => ({
  externalId,
  ...(sender.name ? { name: sender.name } : {}),
  ...(sender.waId ? { phone: phoneOf(sender.waId) } : {}),
})

type Message = Extract<Update, { kind: 'message' | 'echo' }>

/**
 * A message as the core takes it; the same one gives the same, or a redelivery would look like another. A time that lies ahead
 * of ours is the sender's clock, and nobody's time.
 */
export const arrivalOf = (
  message: Message,
  contactId: string | null,
  now: Date,
  attachments: Attachment[] = [],
): MessageArrival | null => {
  const externalId = contactId ?? externalIdOf(message.sender)
  if (!externalId) return null
  const { details, ...told } = toldBy(message.content)
  const { replyTo, ...about } = message.kind === 'message' ? message.about : {}
  const all = { ...details, ...about }
  return {
    kind: 'message',
    externalId: message.externalId,
    contact: contactOf(message.sender, externalId),
    ...told,
    ...(Object.keys(all).length > 0 ? { details: all } : {}),
    ...(replyTo ? { replyTo } : {}),
    ...(message.sentAt ? { sentAt: message.sentAt > now ? now : message.sentAt } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(message.kind === 'echo' ? { from: 'agent' as const } : {}),
  }
}
