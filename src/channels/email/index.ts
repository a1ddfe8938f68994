import type { OutboundMessage, Receipt } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import { defineChannel, type Channel, type ChannelKit, type Health } from '../channel.js'
import { makeBrake } from './brake.js'
import { checkSettings } from './check.js'
import { answeredBy, makeCompose } from './compose.js'
import { keepInSent, imapOptions } from './imap.js'
import { mailFaultOf, type MailFault } from './faults.js'
import { bouncedKey, makeIncoming, type KeptBounce } from './incoming.js'
import { makeLetterMail } from './letter.js'
import { makeMailbox } from './mailbox.js'
import { makeMarks } from './marks.js'
import { makeAccessTokens } from './oauth.js'
import { makeRoundTrip } from './round-trip.js'
import { SECRET_SETTINGS, settings, type EmailSettings } from './settings.js'
import { makeSmtp } from './smtp.js'
import { makeWebhook } from './webhook.js'

/** What an answer is composed from. */
const HISTORY = 60
const LARGEST_MAIL = 25 * 1024 * 1024
const WEBHOOK_BYTES = 40 * 1024 * 1024
const HOUR_MS = 60 * 60 * 1000

const open = (given: EmailSettings, kit: ChannelKit): Channel => {
  const { imap, smtp: _smtp, webhookSecret, mailbox: path } = given
  const { record, secrets, memory, clock, log, lookup } = kit
  const marks = makeMarks({ address: given.address, channelId: record.id, secrets })
  const tokens = imap?.oauth
    ? makeAccessTokens({ oauth: imap.oauth, fetch: kit.fetch, kept: { memory, secrets }, clock })
    : null
  const smtp = makeSmtp({ settings: given, tokens, lookup, clock })
  const compose = makeCompose({ settings: given, marks })
  const letterMail = makeLetterMail({ settings: given, marks })
  const roundTrip = makeRoundTrip({ settings: given, marks, smtp, tokens, kit })
  const brake = makeBrake()
  let incoming: ReturnType<typeof makeIncoming> | null = null
  let following: { stop(): Promise<void> } | null = null

  const bounceOf = (email: string) => memory.get<KeptBounce>(bouncedKey(email))

  const filesOf = async ({ attachments = [] }: OutboundMessage) => {
    const files = []
    for (const attachment of attachments) {
      const { name, type, stream } = await kit.openFile(attachment)
      const parts: Buffer[] = []
      for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
      files.push({ filename: name, contentType: type, content: Buffer.concat(parts) })
    }
    return files
  }

  /** Receiving may work while sending does not: people are told of both as one. */
  let receiving: Health = { state: 'connecting' }
  let broken: MailFault | null = null
  const report = (): void =>
    kit.report(
      broken && receiving.state === 'connected'
        ? { state: 'attention', code: broken.code, detail: `Sending: ${broken.sentence}` }
        : receiving,
    )
  const sentWith = (fault: MailFault | null): void => {
    if (fault?.code === broken?.code) return
    broken = fault
    report()
  }

  const send = async (message: OutboundMessage, signal: AbortSignal): Promise<Receipt> => {
    const { email } = message.contact
    if (message.author.kind !== 'agent' && email && (await bounceOf(email)))
      return { kind: 'refused', reason: 'bounced_before: mail to this address came back as undeliverable' }
    const [history, conversation, attachments] = await Promise.all([
      kit.history(message.conversationId, HISTORY),
      kit.conversation(message.conversationId),
      filesOf(message),
    ])
    if (attachments.reduce((sum, { content }) => sum + content.length, 0) > LARGEST_MAIL)
      return { kind: 'refused', reason: 'files_too_large: the files are too large for a mail: 25 MB in all' }
    const answered = answeredBy(message, history)
    const original = answered && message.author.kind === 'agent' ? await kit.original(answered.id) : null
    const language = conversation?.language ?? null
    const mail = compose({ message, history, original: original?.text, language, attachments })
    if (mail.to.length === 0) return { kind: 'refused', reason: 'no_address: there is no address to answer to' }
    const { receipt, raw } = await smtp.send(mail, signal).catch((error: unknown) => {
      if (error instanceof AppError && !signal.aborted) sentWith(mailFaultOf(error.cause ?? error))
      throw error
    })
    if (receipt.kind === 'sent') sentWith(null)
    if (receipt.kind === 'sent' && raw && given.sentCopy && imap)
      keepInSent({ imap, tokens, lookup }, raw, mail.messageId).catch((err: unknown) =>
        log.warn({ err }, 'no copy in the sent mailbox'),
      )
    return receipt
  }

  return {
    start: async (receive) => {
      const { authservId } = given
      const made = makeIncoming({ kit, marks, brake, authservId, receive, cameBack: roundTrip.cameBack })
      incoming = made
      const told = (health: Health): void => {
        receiving = health
        report()
      }
      if (!imap) return told({ state: 'connected' })
      const mailbox = makeMailbox({
        connection: () => imapOptions({ imap, tokens, lookup }),
        // An access token may be taken back before its time.
        renew: () => {
          tokens?.forget()
          return tokens !== null
        },
        path,
        since: given.since ? new Date(given.since) : null,
        memory,
        take: made.take,
        setAside: made.setAside,
        report: told,
        clock,
        log,
      })
      following = kit.lease('mailbox', mailbox.run)
    },
    stop: async () => {
      await following?.stop()
      smtp.close()
    },
    send,
    carry: async (letter, signal) =>
      (await smtp.send(letterMail(letter, await kit.history(letter.conversationId, HISTORY)), signal)).receipt,
    reachable: async (conversationId) => {
      const conversation = await kit.conversation(conversationId)
      const email = conversation && (await kit.contact(conversation.contactId))?.email
      const bounce = email ? await bounceOf(email) : null
      if (!bounce) return { kind: 'open' }
      const message = `Mail to this address came back on ${bounce.at.slice(0, 10)}: ${bounce.reason.replaceAll('_', ' ')}.`
      return { kind: 'doubtful', code: 'address_bounced', message }
    },
    test: roundTrip.run,
    ...(webhookSecret
      ? {
          webhook: makeWebhook({
            secret: webhookSecret,
            take: async (mail) => {
              if (!incoming) throw new AppError('unavailable', 'channel_not_open', 'The channel is not open yet.')
              return incoming.take(mail)
            },
            clock,
          }),
        }
      : {}),
  }
}

/** Customers' mail: read from a mailbox by IMAP or handed in by a provider, answered by SMTP. */
export default defineChannel({
  label: 'Email',
  icon: 'mail',
  settings,
  secrets: SECRET_SETTINGS,
  // A connection that breaks at the wrong moment leaves it unknown whether a mail went out: a person looks.
  idempotent: false,
  // What a server puts off is tried for as long as servers themselves do (RFC 5321 section 4.5.4.1).
  patience: { tellAfterMs: HOUR_MS, giveUpAfterMs: 4 * 24 * HOUR_MS },
  automaticLimits: { perConversation: 10, perContactAndDay: 20, noticesPerContactAndDay: 1 },
  webhookBytes: WEBHOOK_BYTES,
  check: checkSettings,
  open,
})
