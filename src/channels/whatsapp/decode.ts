import { asUserId, asWaId, cut, shownName, wellFormed, type Sender } from './contact.js'

/**
 * What the Cloud API tells, as one of a few named kinds. Total: whatever comes, something named comes out, in its order, and
 * one strange item takes nothing from its neighbours.
 */
export type Update =
  | { kind: 'message'; externalId: string; sender: Sender; sentAt?: Date; content: Content; about: About }
  /** Written by the company itself in the app on its phone. */
  | { kind: 'echo'; externalId: string; sender: Sender; sentAt?: Date; content: Content }
  | { kind: 'edit'; externalId: string; content: Content }
  | { kind: 'revoke'; externalId: string }
  /** `emoji` is `null` where a reaction was taken back. */
  | { kind: 'reaction'; externalId: string; sender: Sender; emoji: string | null }
  | { kind: 'status'; externalId: string; status: Status; at?: Date; error?: ProviderError; echoed?: string }
  | { kind: 'number_changed'; from: string; to: string }
  /** Something went wrong at the provider that no message of ours is to blame for. */
  | { kind: 'fault'; error: ProviderError }
  /** Nothing for a helpdesk; `name` says what it was, for the count. */
  | { kind: 'ignored'; name: string }

/** For whom an update is: one webhook may carry those of several numbers. */
export type Addressed = Update & { phoneNumberId: string | null }

export type Status = 'sent' | 'delivered' | 'read' | 'failed'
export type ProviderError = { code: number; title: string }

/** What surrounds a message and is not said in it. */
export type About = {
  replyTo?: string
  forwarded?: 'once' | 'often'
  /** The advertisement or post from which the customer came. */
  referral?: { url?: string; headline?: string; body?: string; id?: string }
  /** The product that the customer asks about. */
  product?: string
}

export type MediaKind = 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker'
export type Media = {
  kind: MediaKind
  id: string
  type: string
  /** Of the bytes, base64. */
  sha256?: string
  /** Good for minutes. */
  url?: string
  name?: string
}

export type Content =
  | { kind: 'text'; text: string }
  | { kind: 'media'; media: Media; caption: string }
  | { kind: 'location'; latitude: number; longitude: number; name?: string; address?: string }
  | { kind: 'contacts'; cards: { name: string; phones: string[]; emails: string[] }[] }
  /** A button or a line of a list that we offered, or a template's button. */
  | { kind: 'choice'; id: string; title: string }
  /** A form that was filled in, field by field. */
  | { kind: 'form'; text: string }
  | { kind: 'order'; text: string; items: { product: string; quantity: number; price: number; currency: string }[] }
  /** WhatsApp itself cannot hand it over; `what` is what it says that it was. */
  | { kind: 'unsupported'; what: string }
  /** A kind that came after this was written. */
  | { kind: 'unknown'; what: string }

type Json = Record<string, unknown>

/** Texts are cut here; WhatsApp's own limit is far below. */
const LONGEST_TEXT = 9_900
const LONGEST_FIELD = 1_000
const MOST_CARDS = 20
const MOST_ITEMS = 100

export const decodeUpdates = (body: unknown): Addressed[] => {
  const root = asObject(body)
  if (root.object !== 'whatsapp_business_account') return [unaddressed(`object:${nameOf(root.object)}`)]
  return listIn(root, 'entry').flatMap((entry) => listIn(entry, 'changes').flatMap(changeOf))
}

const changeOf = (change: Json): Addressed[] => {
  const value = asObject(change.value)
  const phoneNumberId = textIn(asObject(value.metadata), 'phone_number_id') ?? null
  const updates = ((): Update[] => {
    switch (change.field) {
      case 'messages':
        return messagesOf(value)
      case 'smb_message_echoes':
        return listIn(value, 'message_echoes').map(echoOf)
      default:
        return [ignored(`field:${nameOf(change.field)}`)]
    }
  })()
  return updates.map((update) => ({ ...update, phoneNumberId }))
}

const messagesOf = (value: Json): Update[] => {
  const messages = listIn(value, 'messages')
  const contacts = listIn(value, 'contacts')
  return [
    ...messages.map((message) => messageOf(message, contacts)),
    ...listIn(value, 'statuses').map(statusOf),
    // Beside messages, the errors are theirs.
    ...(messages.length > 0
      ? []
      : listIn(value, 'errors').map((error): Update => ({ kind: 'fault', error: errorOf(error) }))),
  ]
}

const messageOf = (message: Json, contacts: Json[]): Update => {
  const type = nameOf(message.type)
  if (type === 'system') return systemOf(message)
  const sender = senderOf(message, contacts)
  if (!sender.waId && !sender.userId) return ignored('message:sender_unreadable')
  const externalId = idIn(message, 'id')
  if (!externalId) return ignored('message:without_id')

  switch (type) {
    case 'reaction': {
      const reaction = asObject(message.reaction)
      const target = idIn(reaction, 'message_id')
      if (!target) return ignored('reaction:without_target')
      const emoji = textIn(reaction, 'emoji')
      return { kind: 'reaction', externalId: target, sender, emoji: emoji ? cut(emoji, 40) : null }
    }
    case 'edit': {
      const edit = asObject(message.edit)
      const target = idIn(edit, 'original_message_id')
      if (!target) return ignored('edit:without_target')
      return { kind: 'edit', externalId: target, content: contentOf(asObject(edit.message)) }
    }
    case 'revoke': {
      const target = idIn(asObject(message.revoke), 'original_message_id')
      return target ? { kind: 'revoke', externalId: target } : ignored('revoke:without_target')
    }
    default:
      return {
        kind: 'message',
        externalId,
        sender,
        ...sentAtOf(message),
        content: contentOf(message),
        about: aboutOf(message),
      }
  }
}

const echoOf = (message: Json): Update => {
  const sender: Sender = { waId: asWaId(message.to), userId: asUserId(message.to_user_id) }
  const externalId = idIn(message, 'id')
  if (!externalId || (!sender.waId && !sender.userId)) return ignored('echo:unreadable')
  const type = nameOf(message.type)
  if (type === 'edit' || type === 'revoke') {
    const target = idIn(asObject(message[type]), 'original_message_id')
    if (!target) return ignored(`echo:${type}:without_target`)
    if (type === 'revoke') return { kind: 'revoke', externalId: target }
    return { kind: 'edit', externalId: target, content: contentOf(asObject(asObject(message.edit).message)) }
  }
  return { kind: 'echo', externalId, sender, ...sentAtOf(message), content: contentOf(message) }
}

const systemOf = (message: Json): Update => {
  const system = asObject(message.system)
  const type = nameOf(system.type)
  // The second name is that of older versions of the API.
  if (type !== 'user_changed_number' && type !== 'customer_changed_number') return ignored(`system:${type}`)
  const from = asWaId(message.from)
  const to = asWaId(system.wa_id ?? system.new_wa_id)
  return from && to ? { kind: 'number_changed', from: `+${from}`, to: `+${to}` } : ignored('system:number_unreadable')
}

const statusOf = (status: Json): Update => {
  const externalId = idIn(status, 'id')
  if (!externalId) return ignored('status:without_id')
  const said = nameOf(status.status)
  const known = STATUSES[said]
  if (!known) return ignored(`status:${said}`)
  const at = timeIn(status)
  const [error] = listIn(status, 'errors')
  const echoed = textIn(status, 'biz_opaque_callback_data')
  return {
    kind: 'status',
    externalId,
    status: known,
    ...(at ? { at } : {}),
    ...(error ? { error: errorOf(error) } : {}),
    ...(echoed ? { echoed } : {}),
  }
}

/** A voice note that was played was read. */
const STATUSES: Partial<Record<string, Status>> = Object.assign(
  Object.create(null) as object,
  {
    sent: 'sent',
    delivered: 'delivered',
    read: 'read',
    played: 'read',
    failed: 'failed',
  } as const,
)

const contentOf = (message: Json): Content => {
  const type = nameOf(message.type)
  switch (type) {
    case 'text':
      return { kind: 'text', text: longText(asObject(message.text), 'body') }
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaOf(type, asObject(message[type]))
    case 'location':
      return locationOf(asObject(message.location))
    case 'contacts':
      return { kind: 'contacts', cards: listIn(message, 'contacts').slice(0, MOST_CARDS).map(cardOf) }
    case 'button': {
      const button = asObject(message.button)
      const title = field(button, 'text') ?? ''
      return { kind: 'choice', id: field(button, 'payload') ?? title, title }
    }
    case 'interactive':
      return interactiveOf(asObject(message.interactive))
    case 'order':
      return orderOf(asObject(message.order))
    case 'request_welcome':
      return { kind: 'unsupported', what: type }
    case 'unsupported': {
      const [error] = listIn(message, 'errors')
      const what = textIn(asObject(message.unsupported), 'type')
      return { kind: 'unsupported', what: what ? nameOf(what) : error ? String(errorOf(error).code) : 'unknown' }
    }
    default:
      return { kind: 'unknown', what: type }
  }
}

const mediaOf = (type: Exclude<MediaKind, 'voice'>, given: Json): Content => {
  const id = idIn(given, 'id')
  if (!id) return { kind: 'unsupported', what: `${type}:without_id` }
  const kind = type === 'audio' && given.voice === true ? 'voice' : type
  const name = shownName(given.filename)
  return {
    kind: 'media',
    media: {
      kind,
      id,
      type: (textIn(given, 'mime_type') ?? '').split(';')[0]?.trim().toLowerCase().slice(0, 100) ?? '',
      ...optional('sha256', textIn(given, 'sha256')),
      ...optional('url', textIn(given, 'url')),
      ...optional('name', name),
    },
    caption: longText(given, 'caption'),
  }
}

const locationOf = (location: Json): Content => {
  const { latitude, longitude } = location
  if (
    typeof latitude !== 'number' ||
    typeof longitude !== 'number' ||
    Math.abs(latitude) > 90 ||
    Math.abs(longitude) > 180
  )
    return { kind: 'unsupported', what: 'location:unreadable' }
  return {
    kind: 'location',
    latitude,
    longitude,
    ...optional('name', field(location, 'name')),
    ...optional('address', field(location, 'address')),
  }
}

const cardOf = (card: Json) => ({
  name: shownName(asObject(card.name).formatted_name) ?? '',
  phones: listIn(card, 'phones').flatMap((phone) => field(phone, 'phone') ?? []),
  emails: listIn(card, 'emails').flatMap((email) => field(email, 'email') ?? []),
})

const interactiveOf = (interactive: Json): Content => {
  const type = nameOf(interactive.type)
  switch (type) {
    case 'button_reply':
    case 'list_reply': {
      const reply = asObject(interactive[type])
      const title = field(reply, 'title') ?? ''
      return { kind: 'choice', id: field(reply, 'id') ?? title, title }
    }
    case 'nfm_reply': {
      const reply = asObject(interactive.nfm_reply)
      return { kind: 'form', text: longText(reply, 'response_json') || longText(reply, 'body') }
    }
    default:
      return { kind: 'unsupported', what: `interactive:${type}` }
  }
}

const orderOf = (order: Json): Content => ({
  kind: 'order',
  text: longText(order, 'text'),
  items: listIn(order, 'product_items')
    .slice(0, MOST_ITEMS)
    .map((item) => ({
      product: field(item, 'product_retailer_id') ?? '',
      quantity: numberIn(item, 'quantity'),
      price: numberIn(item, 'item_price'),
      currency: (field(item, 'currency') ?? '').slice(0, 3),
    })),
})

const aboutOf = (message: Json): About => {
  const context = asObject(message.context)
  const referral = asObject(message.referral)
  const forwarded =
    context.frequently_forwarded === true
      ? ('often' as const)
      : context.forwarded === true
        ? ('once' as const)
        : undefined
  return {
    ...optional('replyTo', idIn(context, 'id') ?? undefined),
    ...optional('forwarded', forwarded),
    ...optional('product', field(asObject(context.referred_product), 'product_retailer_id')),
    ...(message.referral
      ? {
          referral: {
            ...optional('url', field(referral, 'source_url')),
            ...optional('headline', field(referral, 'headline')),
            ...optional('body', field(referral, 'body')),
            ...optional('id', field(referral, 'source_id')),
          },
        }
      : {}),
  }
}

/** The profile that belongs to the message: the one of its sender, or the only one there is. */
const senderOf = (message: Json, contacts: Json[]): Sender => {
  const from = asWaId(message.from)
  const fromUser = asUserId(message.from_user_id)
  const own = contacts.find(
    (contact) => (from && asWaId(contact.wa_id) === from) || (fromUser && asUserId(contact.user_id) === fromUser),
  )
  const contact = own ?? (contacts.length === 1 ? contacts[0] : undefined) ?? {}
  const name = shownName(asObject(contact.profile).name)
  return { waId: from, userId: fromUser ?? asUserId(contact.user_id), ...optional('name', name) }
}

const errorOf = (error: Json): ProviderError => ({
  code: numberIn(error, 'code'),
  title: cut(wellFormed(textIn(error, 'title') ?? textIn(error, 'message') ?? ''), 200),
})

const sentAtOf = (message: Json): { sentAt?: Date } => {
  const sentAt = timeIn(message)
  return sentAt ? { sentAt } : {}
}

/** Seconds since 1970, as text or number; nothing where it is no time of this century. */
const timeIn = ({ timestamp }: Json): Date | undefined => {
  const seconds = typeof timestamp === 'string' && /^\d{1,12}$/u.test(timestamp) ? Number(timestamp) : timestamp
  if (typeof seconds !== 'number' || !(seconds > 946_684_800 && seconds < 4_102_444_800)) return undefined
  return new Date(seconds * 1000)
}

const ignored = (name: string): Update => ({ kind: 'ignored', name })
const unaddressed = (name: string): Addressed => ({ kind: 'ignored', name, phoneNumberId: null })

/** What the provider calls a kind: short and plain, because it is counted and shown. */
const nameOf = (value: unknown): string =>
  typeof value === 'string' && /^[a-z][a-z0-9_]{0,40}$/u.test(value) ? value : 'unnamed'

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

/** The objects of a list; what is none is left out. */
const listIn = (from: Json, key: string): Json[] => {
  const value = from[key]
  return Array.isArray(value)
    ? value.filter((item): item is Json => typeof item === 'object' && item !== null && !Array.isArray(item))
    : []
}

const textIn = (from: Json, key: string): string | undefined => {
  const value = from[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const numberIn = (from: Json, key: string): number => {
  const value = Number(from[key])
  return Number.isFinite(value) ? value : 0
}

/** An id of the provider's: printable, and no longer than an index wants. */
const idIn = (from: Json, key: string): string | null => {
  const value = from[key]
  return typeof value === 'string' && /^[\x21-\x7E]{1,256}$/u.test(value) ? value : null
}

const field = (from: Json, key: string): string | undefined => {
  const value = textIn(from, key)
  return value === undefined ? undefined : cut(wellFormed(value), LONGEST_FIELD)
}

const longText = (from: Json, key: string): string => cut(wellFormed(textIn(from, key) ?? ''), LONGEST_TEXT)

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } =>
  value === undefined ? {} : ({ [key]: value } as { [key in Key]: Value })
