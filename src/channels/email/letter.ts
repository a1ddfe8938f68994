import type { Message, OutboundLetter } from '../../conversations/message.js'
import { headersOfLetter } from '../../platform/mail.js'
import type { ComposedMail } from './compose.js'
import { factsIn } from './facts.js'
import type { Marks } from './marks.js'
import type { EmailSettings } from './settings.js'

const MOST_REFERENCES = 20

type Needs = { settings: EmailSettings; marks: Marks }

/**
 * A mail for a channel whose customer has left, under our address. It names its conversation as every mail of ours does, so that
 * an answer comes back into that; and it continues the mails that went before it (RFC 5322 section 3.6.4).
 */
export const makeLetterMail =
  ({ settings, marks }: Needs) =>
  (letter: OutboundLetter, history: readonly Message[]): ComposedMail => {
    const { id, conversationId, to, from, subject, text, html, files, stopUrl } = letter
    const marked = settings.replyMark === 'address' ? marks.conversationAddress(conversationId) : null
    const reference = settings.replyMark === 'subject' ? marks.subjectReference(conversationId) : null
    const before = [...new Set(history.flatMap((one) => one.letter?.mailId ?? factsIn(one)?.messageId ?? []))]
    const references = before.filter((one) => /^<[^<>\s]{1,900}>$/.test(one)).slice(-MOST_REFERENCES)
    return {
      messageId: marks.messageIdOf(id),
      from: { name: from, address: settings.address },
      to: [{ name: '', address: to }],
      cc: [],
      replyTo: marked ? { name: from, address: marked } : null,
      envelopeFrom: (settings.returnPath === 'marked' && marks.bounceAddress(id)) || settings.address,
      subject: reference ? `${subject} ${reference}` : subject,
      inReplyTo: references.at(-1) ?? null,
      references,
      headers: { 'X-Helpdesk-Loop': settings.address, ...headersOfLetter(stopUrl) },
      text,
      html,
      attachments: files,
    }
  }
