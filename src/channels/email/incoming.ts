import { MAX_MESSAGE_LENGTH, type Attachment, type MessageArrival } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import { sha256 } from '../../platform/secrets.js'
import type { ChannelKit, Receive } from '../channel.js'
import { verdictBy } from './authentication.js'
import type { Brake } from './brake.js'
import { decodeEmail, type Bounce, type DecodedEmail, type Oddity } from './decode.js'
import { externalIdOf, factsIn, type EmailFacts } from './facts.js'
import type { FoundMail } from './mailbox.js'
import type { Marks } from './marks.js'
import { makeFindThread, makeNoteThread, UNPROVEN, type Thread } from './threading.js'

type Needs = {
  kit: ChannelKit
  marks: Marks
  brake: Brake
  /** The server whose word on forged senders counts; absent: the topmost. */
  authservId: string | undefined
  receive: Receive
  /** A mail of our own test came back. */
  cameBack(messageId: string): Promise<void>
}

/** A question that has waited so long is answered by somebody who can say why. */
const LATE_AFTER_MS = 48 * 60 * 60 * 1000
const LARGEST_FILE = 25 * 1024 * 1024
const MOST_FILES = 50
const LONGEST_ORIGINAL = 500_000
const LONGEST_INDEX = 1_400
const RAW_NAME = 'message.eml'
/** What cannot be seen in what is shown of it: the mail is kept as it came. */
const KEPT_WHOLE: readonly Oddity[] = [
  'header_only',
  'encrypted',
  'signed',
  'winmail',
  'partial',
  'external_body',
  'too_many_attachments',
  'attachment_too_large',
  'too_many_parts',
  'nested_too_deep',
  'text_too_long',
]

/** Takes in one mail, by whatever way it came: once, into the right conversation, and durable when it resolves. */
export const makeIncoming = ({ kit, marks, brake, authservId, receive, cameBack }: Needs) => {
  const findThread = makeFindThread({ marks, kit })
  const noteThread = makeNoteThread(kit.memory)

  /** Once more where the decoder failed: a busy machine, or a thread that died of the mail before, is not this mail's fault. */
  const decoded = async (raw: Buffer): Promise<DecodedEmail> => {
    const first = await decodeEmail(raw)
    const mail = first.oddities.includes('header_only') ? await decodeEmail(raw) : first
    const { authentication } = mail
    return { ...mail, authentication: { ...authentication, verdict: verdictBy(authentication, authservId) } }
  }

  const receiveUnder = async <A extends MessageArrival>(
    arrival: A,
    fingerprint: string,
    take: (arrival: A) => ReturnType<Receive> = receive,
  ) => {
    try {
      return await take(arrival)
    } catch (error) {
      // The same id came with other words at this very moment.
      if (!(error instanceof AppError) || error.code !== 'message_id_reused') throw error
      return take({ ...arrival, externalId: `${arrival.externalId}#${fingerprint}` })
    }
  }

  /**
   * A Message-ID is what its sender says it is: where another mail bears it already, ours to be is told apart by what it holds, or
   * whoever knows an id could keep somebody's mail from being seen. `null`: this very mail is here.
   */
  const nameFor = async (base: string, fingerprint: string): Promise<string | null> => {
    const [known] = await kit.messagesByExternalIds([base])
    if (!known) return base
    return factsIn(known)?.fingerprint === fingerprint ? null : `${base}#${fingerprint}`
  }

  const keepFiles = async (mail: DecodedEmail, { raw }: FoundMail): Promise<Attachment[]> => {
    const kept: Attachment[] = []
    for (const { content, filename } of mail.attachments.slice(0, MOST_FILES)) {
      if (content.length === 0 || content.length > LARGEST_FILE) continue
      kept.push(await kit.keepFile({ bytes: inOnePiece(content), name: filename, mostBytes: LARGEST_FILE }))
    }
    const wasLeftOut = kept.length < mail.attachments.filter(({ content }) => content.length > 0).length
    if (wasLeftOut || mail.oddities.some((oddity) => KEPT_WHOLE.includes(oddity))) kept.push(await keepRaw(raw))
    return kept
  }

  const keepRaw = (raw: Buffer): Promise<Attachment> =>
    kit.keepFile({ bytes: inOnePiece(raw), name: RAW_NAME, mostBytes: raw.length })

  const takeBounce = async (mail: DecodedEmail, bounce: Bounce, found: FoundMail): Promise<void> => {
    const byAddress = [...mail.deliveredTo, ...mail.to.map(({ address }) => address)]
      .flatMap((address) => marks.bouncedOf(address) ?? [])
      .map(marks.messageIdOf)
    const ours = [...new Set([...byAddress, ...bounce.originalMessageIds.filter(marks.outboundOf)])]
    const [original] = ours.length > 0 ? await kit.messagesByExternalIds(ours) : []
    if (!original && (await letterCameBack(ours, bounce))) return
    if (original && bounce.reason !== 'delayed') {
      const reason = `${bounce.kind === 'hard' ? 'address_refused' : 'bounced'}: ${reasonInWords(bounce)}`
      await receive({ kind: 'status', externalId: original.externalId ?? '', status: 'refused', reason })
      const contact = await kit.contact(original.contactId)
      const hit = bounce.recipient?.toLowerCase() ?? contact?.email
      if (bounce.kind === 'hard' && contact?.email && contact.email.toLowerCase() === hit)
        await kit.memory.set(bouncedKey(hit), {
          at: found.receivedAt.toISOString(),
          reason: bounce.reason,
        } satisfies KeptBounce)
    }
    const { kind, reason, recipient, status } = bounce
    await takeMessage(mail, found, {
      thread: original ? { kind: 'known', conversationId: original.conversationId, by: 'references' } : null,
      details: { bounce: { kind, reason, recipient, status, matched: original?.id ?? null } },
    })
  }

  /** What was carried for another channel is shown there, under the message that was mailed. */
  const letterCameBack = async (messageIds: readonly string[], bounce: Bounce): Promise<boolean> => {
    if (bounce.reason === 'delayed') return false
    for (const letter of messageIds.flatMap((id) => marks.outboundOf(id) ?? []))
      if (await kit.carried.cameBack(letter, reasonInWords(bounce))) return true
    return false
  }

  /** What is written to a closed conversation begins the next one; it does not fall into another that is open. */
  const stillOpen = async (thread: Thread): Promise<Thread> => {
    if (thread.kind !== 'known') return thread
    const conversation = await kit.conversation(thread.conversationId)
    return conversation?.state === 'closed' ? { ...thread, kind: 'suggested', because: 'closed' } : thread
  }

  type Decided = { thread: Thread | null; details?: Record<string, unknown> }

  const takeMessage = async (
    mail: DecodedEmail,
    found: FoundMail,
    { thread, details = {} }: Decided,
  ): Promise<void> => {
    const { raw, receivedAt } = found
    const fingerprint = fingerprintOf(mail, raw)
    const base = mail.messageId ? externalIdOf(mail.messageId) : `<${sha256Of(raw)}@no-message-id>`
    const externalId = await nameFor(base, fingerprint)
    if (externalId === null) return void kit.log.debug('mail is here already')

    const isForged = mail.authentication.verdict === 'fail'
    const automatic = automaticReason(mail, found)
    const attachments = await keepFiles(mail, found)
    const whole = wholeText(mail, thread?.kind !== 'known')
    if (whole.length > MAX_MESSAGE_LENGTH)
      attachments.push(
        await kit.keepFile({ bytes: inOnePiece(Buffer.from(mail.text)), name: 'message.txt', mostBytes: LARGEST_FILE }),
      )
    const needsPerson = personReason(mail, found, kit.clock.now())
    const arrival: MessageArrival = {
      kind: 'message',
      externalId,
      contact: contactOf(mail, externalId, isForged),
      text: clip(whole, MAX_MESSAGE_LENGTH),
      attachments,
      ...originalOf(mail, whole),
      sentAt: receivedAt,
      ...(automatic ? { automatic } : {}),
      ...(needsPerson ? { needsPerson } : {}),
      ...placeOf(thread, kit.record.id, externalId),
      details: {
        ...details,
        ...(isForged ? { unauthenticated: true } : {}),
        ...(thread?.kind === 'suggested'
          ? { suggests: { conversationId: thread.conversationId, because: thread.because, by: thread.by } }
          : {}),
        email: factsOf(mail, fingerprint),
      },
    }
    if (thread?.kind === 'known' && thread.carriedTo) {
      const { conversationId, carriedTo } = thread
      const contact = { externalId: carriedTo.externalId }
      // The assistant would answer where nobody is.
      const answer = { ...arrival, conversationId, contact, needsPerson: needsPerson ?? 'by_mail' }
      await receiveUnder({ ...answer, externalId: `mail:${externalId}` }, fingerprint, kit.carried.receive)
      return
    }
    const received = await receiveUnder(arrival, fingerprint)
    if (received && !isForged) await noteThread(mail, received.conversationId)
  }

  const automaticReason = (mail: DecodedEmail, { receivedAt, old }: FoundMail): string | null => {
    const sender = mail.from?.address.toLowerCase()
    if (mail.bounce) return 'delivery_report'
    if (mail.automatic) return mail.automatic
    if (old) return 'history'
    if (!sender) return null
    if (marks.isOwn(sender)) return 'own_address'
    return brake.isTooFast(sender, receivedAt) ? 'loop_suspected' : null
  }

  return {
    take: async (found: FoundMail): Promise<void> => {
      const mail = await decoded(found.raw)
      const sender = mail.from?.address ?? ''
      if (mail.messageId && marks.outboundOf(mail.messageId) && marks.isOwn(sender)) return cameBack(mail.messageId)
      if (mail.bounce) return takeBounce(mail, mail.bounce, found)
      // Whoever writes has an address that works again.
      if (sender && (await kit.memory.get(bouncedKey(sender)))) await kit.memory.remove(bouncedKey(sender))
      await takeMessage(mail, found, { thread: await stillOpen(await findThread(mail)) })
    },

    /** What nobody could read is kept as it came, for a person to open. */
    setAside: async ({ raw, receivedAt }: FoundMail): Promise<void> => {
      const hash = sha256Of(raw)
      const externalId = `<${hash}@set-aside>`
      await receive({
        kind: 'message',
        externalId,
        contact: { externalId: `${UNPROVEN}${hash}` },
        text: 'A mail came in that could not be read. It is attached as it arrived.',
        attachments: [await keepRaw(raw)],
        sentAt: receivedAt,
        needsPerson: 'unreadable',
        ...placeOf({ kind: 'new' }, kit.record.id, externalId),
      })
    },
  }
}

export type KeptBounce = { at: string; reason: string }

/** Where hard bounces of an address are remembered. The address itself is not kept there. */
export const bouncedKey = (address: string): string => `bounced ${sha256(address.toLowerCase()).slice(0, 24)}`

/** Named by what it came with, so that taking it in again lands in the same one. */
const placeOf = (thread: Thread | null, channelId: string, externalId: string): Partial<MessageArrival> => {
  if (!thread) return {}
  if (thread.kind === 'known') return { conversationId: thread.conversationId }
  return { conversationId: `cnv_${sha256(`${channelId} ${externalId}`).slice(0, 32)}`, startsConversation: true }
}

const contactOf = ({ from }: DecodedEmail, externalId: string, isForged: boolean): MessageArrival['contact'] => {
  if (!from) return { externalId: `${UNPROVEN}${externalId}` }
  const address = from.address.toLowerCase()
  return {
    externalId: isForged ? UNPROVEN + address : address,
    email: address,
    ...(from.name ? { name: from.name } : {}),
  }
}

const personReason = (mail: DecodedEmail, { receivedAt, cutFrom }: FoundMail, now: Date): string | null => {
  if (mail.authentication.verdict === 'fail') return 'unauthenticated'
  if (!mail.from) return 'no_sender'
  if (mail.oddities.includes('several_senders')) return 'several_senders'
  if (mail.oddities.includes('encrypted')) return 'encrypted'
  if (cutFrom !== undefined) return 'too_large'
  if (mail.oddities.includes('header_only')) return 'unreadable'
  if (mail.reply.trim() === '' && mail.attachments.length > 0) return 'files_only'
  if (now.getTime() - receivedAt.getTime() > LATE_AFTER_MS) return 'late'
  return null
}

/** What is new in it. The first mail of a conversation asks with its subject too. */
const wholeText = ({ subject, reply, text }: DecodedEmail, isFirst: boolean): string => {
  const said = reply.trim() || text.trim()
  const title = subject.trim()
  if (said === '') return title || '(no text)'
  return isFirst && title && !said.toLowerCase().startsWith(title.toLowerCase()) ? `${title}\n\n${said}` : said
}

/** The mail with its quotes and its markup, where that is more than what is shown of it. */
const originalOf = ({ text, html }: DecodedEmail, shown: string): Pick<MessageArrival, 'original'> => {
  const kept = html !== null && html.length <= LONGEST_ORIGINAL ? { html } : {}
  if (text.trim() === shown.trim() && !('html' in kept)) return {}
  return { original: { text: clip(text, LONGEST_ORIGINAL), ...kept } }
}

const factsOf = (mail: DecodedEmail, fingerprint: string): EmailFacts => {
  const { messageId, references, inReplyTo, subject, from, to, cc, replyTo, threadIndex, oddities } = mail
  return {
    messageId: messageId && clip(messageId, 1_000),
    references: [...new Set([...references, ...(inReplyTo ? [inReplyTo] : [])])]
      .slice(-30)
      .map((id) => clip(id, 1_000)),
    subject: clip(subject, 1_000),
    from,
    to: to.slice(0, 50),
    cc: cc.slice(0, 50),
    replyTo: replyTo.slice(0, 5),
    fingerprint,
    threadIndex: threadIndex && threadIndex.length <= LONGEST_INDEX ? threadIndex : null,
    oddities: [...oddities],
  }
}

/** Of the sender and the body as it was sent: the headers change with each server on the way. */
const fingerprintOf = ({ from }: DecodedEmail, raw: Buffer): string => {
  const end = Math.max(raw.indexOf('\r\n\r\n'), 0) || Math.max(raw.indexOf('\n\n'), 0)
  return sha256(`${from?.address.toLowerCase() ?? ''}\0${sha256Of(raw.subarray(end))}`).slice(0, 24)
}

const inOnePiece = async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

const sha256Of = (bytes: Buffer): string => sha256(bytes.toString('latin1'))

const reasonInWords = ({ reason, status }: Bounce): string =>
  [reason.replaceAll('_', ' '), status].filter(Boolean).join(', ')

const clip = (text: string, most: number): string =>
  text.length <= most
    ? text
    : Buffer.from(text.slice(0, most - 1), 'utf8')
        .toString('utf8')
        .replace(/\uFFFD$/u, '') + '…'
