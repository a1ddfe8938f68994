import { cut, shownName, wellFormed } from '../contact.js'
import type { About, Content, MediaKind } from '../decode.js'
import { asFields, idIn, listIn, longText, numberIn, optional, textIn, timeIn, type Fields } from './fields.js'
import { chatOf, type Person } from './names.js'

/**
 * What a linked phone tells, in the words of the Cloud API. Total: whatever comes, something named comes out. A new kind of
 * message is shown as one that is not known; nothing is taken for what it is not.
 */
export type Told =
  | {
      kind: 'message'
      externalId: string
      person: Person
      own: boolean
      name?: string
      sentAt?: Date
      content: Content
      about: About
    }
  /** Its sender is asked to send it once more; it may come under the same id. */
  | { kind: 'undecrypted'; externalId: string; person: Person; own: boolean; sentAt?: Date }
  | { kind: 'edit'; externalId: string; person: Person; own: boolean; content: Content }
  | { kind: 'revoke'; externalId: string; person: Person; own: boolean }
  | { kind: 'reaction'; externalId: string; person: Person; own: boolean; emoji: string | null }
  | {
      kind: 'status'
      externalId: string
      person: Person
      status: 'sent' | 'delivered' | 'read' | 'refused'
      code?: string
    }
  /** Nothing for a helpdesk; `name` says what it was, for the log. */
  | { kind: 'ignored'; name: string }

/** `WebMessageInfo.StubType.CIPHERTEXT`, `Message.ProtocolMessage.Type` and `WebMessageInfo.Status` of WhatsApp's protobuf. */
const STUB_CIPHERTEXT = 2
const PROTOCOL_REVOKE = 0
const PROTOCOL_EDIT = 14
const STATUS = { error: 0, serverAck: 2, deliveryAck: 3, read: 4, played: 5 }

const MOST_CARDS = 20
const MOST_WRAPPERS = 6

export const decodeMessage = (raw: unknown): Told => {
  const given = asFields(raw)
  const key = asFields(given.key)
  const person = chatOf(key)
  if (typeof person === 'string') return ignored(`chat:${person}`)
  const externalId = idIn(key, 'id')
  if (!externalId) return ignored('message:without_id')
  const own = key.fromMe === true
  const sentAt = timeIn(given, 'messageTimestamp')
  const base = { externalId, person, own, ...optional('sentAt', sentAt) }
  const message = unwrapped(asFields(given.message))
  const [type] = kindsIn(message)
  if (!type) return withoutContent(given, key, base)

  switch (type) {
    case 'reactionMessage':
    case 'encReactionMessage':
      // Told apart, as a reaction.
      return ignored('message:reaction')
    case 'protocolMessage':
      return protocolOf(asFields(message.protocolMessage), person, own)
    case 'pollUpdateMessage':
    case 'pinInChatMessage':
    case 'keepInChatMessage':
    case 'encEventResponseMessage':
    case 'senderKeyDistributionMessage':
    case 'messageHistoryBundle':
    case 'messageHistoryNotice':
    case 'stickerSyncRmrMessage':
    case 'albumMessage':
    case 'callLogMesssage':
    case 'chat':
      return ignored(`message:${type}`)
    default: {
      const content = contentOf(type, message)
      const name = own ? undefined : shownName(given.pushName)
      return { kind: 'message', ...base, ...optional('name', name), content, about: aboutOf(asFields(message[type])) }
    }
  }
}

/** What became of a message that was told before. */
export const decodeUpdate = (raw: unknown): Told => {
  const given = asFields(raw)
  const key = asFields(given.key)
  const update = asFields(given.update)
  const person = chatOf(key)
  if (typeof person === 'string') return ignored(`chat:${person}`)
  const externalId = idIn(key, 'id')
  if (!externalId) return ignored('update:without_id')
  const own = key.fromMe === true
  // Edits and revokes come as messages too, and are taken from there: only there it is known who says so.
  const status = numberIn(update, 'status')
  if (status === undefined) return ignored('update:other')
  if (!own) return ignored('status:of_theirs')
  const said = { kind: 'status' as const, externalId, person }
  switch (status) {
    case STATUS.error: {
      const code = Array.isArray(update.messageStubParameters) ? codeOf(update.messageStubParameters[0]) : undefined
      return { ...said, status: 'refused', ...optional('code', code) }
    }
    case STATUS.serverAck:
      return { ...said, status: 'sent' }
    case STATUS.deliveryAck:
      return { ...said, status: 'delivered' }
    case STATUS.read:
    case STATUS.played:
      return { ...said, status: 'read' }
    default:
      return ignored('status:other')
  }
}

/** `key` names the message under which the reaction is; who reacted stands in the reaction's own key. */
export const decodeReaction = (raw: unknown): Told => {
  const given = asFields(raw)
  const reaction = asFields(given.reaction)
  const own = asFields(reaction.key)
  const person = chatOf(own)
  if (typeof person === 'string') return ignored(`chat:${person}`)
  const externalId = idIn(asFields(given.key), 'id')
  if (!externalId) return ignored('reaction:without_target')
  const emoji = textIn(reaction, 'text')
  return { kind: 'reaction', externalId, person, own: own.fromMe === true, emoji: emoji ? cut(emoji, 40) : null }
}

/** The message inside the messages that only say how it is shown: disappearing, view once, edited. */
const unwrapped = (message: Fields): Fields => {
  let inner = message
  for (let depth = 0; depth < MOST_WRAPPERS; depth += 1) {
    const [type] = kindsIn(inner)
    const wrapped = type && WRAPPERS.has(type) ? asFields(asFields(inner[type]).message) : null
    if (!wrapped) return inner
    inner = wrapped
  }
  return inner
}

const WRAPPERS = new Set([
  ...['ephemeralMessage', 'viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension', 'deviceSentMessage'],
  ...[
    'documentWithCaptionMessage',
    'editedMessage',
    'lottieStickerMessage',
    'groupMentionedMessage',
    'botInvokeMessage',
  ],
  ...[
    'associatedChildMessage',
    'questionMessage',
    'questionReplyMessage',
    'limitSharingMessage',
    'botForwardedMessage',
  ],
])

/** Beside what is said; never what is said. */
const BESIDE = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
])

/** What the message is, first; what only stands beside it comes where there is nothing else. */
const kindsIn = (message: Fields): string[] => {
  const set = Object.keys(message).filter((name) => message[name] !== null && message[name] !== undefined)
  const said = set.filter((name) => !BESIDE.has(name))
  return said.length > 0 ? said : set.filter((name) => name === 'senderKeyDistributionMessage')
}

type Base = { externalId: string; person: Person; own: boolean; sentAt?: Date }

const withoutContent = (given: Fields, key: Fields, base: Base): Told => {
  if (key.isViewOnce === true)
    return { kind: 'message', ...base, content: { kind: 'unsupported', what: 'view_once' }, about: {} }
  const stub = numberIn(given, 'messageStubType')
  if (stub === STUB_CIPHERTEXT) return { kind: 'undecrypted', ...base }
  return ignored(stub === undefined ? 'message:empty' : `stub:${numberOf(stub)}`)
}

const protocolOf = (protocol: Fields, person: Person, own: boolean): Told => {
  const target = idIn(asFields(protocol.key), 'id')
  // Unset is 0, and 0 is a revoke: only one that names a message is one.
  const type = numberIn(protocol, 'type') ?? PROTOCOL_REVOKE
  if (type === PROTOCOL_REVOKE && target) return { kind: 'revoke', externalId: target, person, own }
  if (type !== PROTOCOL_EDIT) return ignored(`protocol:${numberOf(type)}`)
  const edited = unwrapped(asFields(protocol.editedMessage))
  const [kind] = kindsIn(edited)
  if (!target || !kind) return ignored('edit:unreadable')
  return { kind: 'edit', externalId: target, person, own, content: contentOf(kind, edited) }
}

const MEDIA: Partial<Record<string, MediaKind>> = Object.assign(
  Object.create(null) as object,
  {
    imageMessage: 'image',
    videoMessage: 'video',
    ptvMessage: 'video',
    audioMessage: 'audio',
    documentMessage: 'document',
    stickerMessage: 'sticker',
  } as const,
)

const contentOf = (type: string, message: Fields): Content => {
  const said = asFields(message[type])
  const media = MEDIA[type]
  if (media) return mediaOf(media, said)
  switch (type) {
    case 'conversation':
      return { kind: 'text', text: longText(message, 'conversation') }
    case 'extendedTextMessage':
      return { kind: 'text', text: longText(said, 'text') }
    case 'locationMessage':
    case 'liveLocationMessage':
      return locationOf(said)
    case 'contactMessage':
      return { kind: 'contacts', cards: [cardOf(said)] }
    case 'contactsArrayMessage':
      return { kind: 'contacts', cards: listIn(said, 'contacts').slice(0, MOST_CARDS).map(cardOf) }
    case 'buttonsResponseMessage':
      return choiceOf(textIn(said, 'selectedButtonId'), textIn(said, 'selectedDisplayText'))
    case 'templateButtonReplyMessage':
      return choiceOf(textIn(said, 'selectedId'), textIn(said, 'selectedDisplayText'))
    case 'listResponseMessage':
      return choiceOf(textIn(asFields(said.singleSelectReply), 'selectedRowId'), textIn(said, 'title'))
    case 'interactiveResponseMessage': {
      const form = longText(asFields(said.nativeFlowResponseMessage), 'paramsJson')
      return { kind: 'form', text: form || longText(asFields(said.body), 'text') }
    }
    case 'orderMessage': {
      const price = (numberIn(said, 'totalAmount1000') ?? 0) / 1_000
      const item = {
        product: textIn(said, 'orderTitle') ?? textIn(said, 'orderId') ?? '',
        quantity: numberIn(said, 'itemCount') ?? 0,
        price,
        currency: (textIn(said, 'totalCurrencyCode') ?? '').slice(0, 3),
      }
      return { kind: 'order', text: longText(said, 'message'), items: [item] }
    }
    case 'productMessage': {
      const product = asFields(said.product)
      const words = [textIn(product, 'title'), textIn(said, 'body'), textIn(product, 'description')]
      return { kind: 'text', text: words.filter(Boolean).join('\n') }
    }
    case 'pollCreationMessage':
    case 'pollCreationMessageV2':
    case 'pollCreationMessageV3':
    case 'pollCreationMessageV5':
      return { kind: 'unsupported', what: 'poll' }
    case 'call':
    case 'bcallMessage':
    case 'scheduledCallCreationMessage':
      return { kind: 'unsupported', what: 'call' }
    case 'eventMessage':
    case 'groupInviteMessage':
    case 'sendPaymentMessage':
    case 'requestPaymentMessage':
    case 'invoiceMessage':
    case 'placeholderMessage':
    case 'stickerPackMessage':
      return { kind: 'unsupported', what: type.replace(/Message$/u, '').toLowerCase() }
    default:
      return { kind: 'unknown', what: /^[a-zA-Z0-9]{1,60}$/u.test(type) ? type : 'unnamed' }
  }
}

/** The file itself is fetched by the whole message: `id` only says that there is one. */
const mediaOf = (kind: MediaKind, given: Fields): Content => {
  if (!(given.mediaKey instanceof Uint8Array) && typeof given.mediaKey !== 'string')
    return { kind: 'unsupported', what: `${kind}:without_key` }
  const sha256 = given.fileSha256
  const hash =
    sha256 instanceof Uint8Array
      ? Buffer.from(sha256).toString('base64')
      : typeof sha256 === 'string'
        ? sha256
        : undefined
  return {
    kind: 'media',
    media: {
      kind: kind === 'audio' && given.ptt === true ? 'voice' : kind,
      id: hash ?? 'file',
      type: (textIn(given, 'mimetype') ?? '').split(';')[0]?.trim().toLowerCase().slice(0, 100) ?? '',
      ...optional('sha256', hash),
      ...optional('name', shownName(given.fileName)),
    },
    caption: longText(given, 'caption'),
  }
}

const locationOf = (said: Fields): Content => {
  const latitude = numberIn(said, 'degreesLatitude')
  const longitude = numberIn(said, 'degreesLongitude')
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    return { kind: 'unsupported', what: 'location:unreadable' }
  return {
    kind: 'location',
    latitude,
    longitude,
    ...optional('name', textIn(said, 'name') ?? textIn(said, 'caption')),
    ...optional('address', textIn(said, 'address')),
  }
}

/** Of a vCard only what a helpdesk reads: RFC 6350 sections 6.4.1 and 6.4.2, in the versions that phones write. */
const cardOf = (said: Fields) => {
  const vcard = typeof said.vcard === 'string' ? wellFormed(said.vcard).slice(0, 20_000) : ''
  const values = (property: string): string[] =>
    [...vcard.matchAll(new RegExp(`^(?:item\\d+\\.)?${property}[;:](?:[^:\\n]*:)?([^\\r\\n]{1,200})`, 'gimu'))]
      .map((match) => (match[1] ?? '').trim())
      .filter(Boolean)
      .slice(0, 5)
  return { name: shownName(said.displayName) ?? '', phones: values('TEL'), emails: values('EMAIL') }
}

const choiceOf = (id: string | undefined, title: string | undefined): Content => ({
  kind: 'choice',
  id: id ?? title ?? '',
  title: title ?? id ?? '',
})

const aboutOf = (said: Fields): About => {
  const context = asFields(said.contextInfo)
  const ad = asFields(context.externalAdReply)
  const referral = {
    ...optional('url', textIn(ad, 'sourceUrl')),
    ...optional('headline', textIn(ad, 'title')),
    ...optional('body', textIn(ad, 'body')),
    ...optional('id', textIn(ad, 'sourceId')),
  }
  const score = numberIn(context, 'forwardingScore') ?? 0
  const forwarded = score >= 5 ? ('often' as const) : context.isForwarded === true ? ('once' as const) : undefined
  return {
    ...optional('replyTo', idIn(context, 'stanzaId') ?? undefined),
    ...optional('forwarded', forwarded),
    ...(Object.keys(referral).length > 0 ? { referral } : {}),
  }
}

const codeOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[A-Za-z0-9_]{1,40}$/u.test(value) ? value : undefined

/** A number of WhatsApp's protobuf, and none that a stranger would have in our log. */
const numberOf = (value: number): string => (/^\d{1,3}$/u.test(String(value)) ? String(value) : 'unnamed')

const ignored = (name: string): Told => ({ kind: 'ignored', name })
