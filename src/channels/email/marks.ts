import { createHash } from 'node:crypto'
import type { Secrets } from '../../platform/secrets.js'

/**
 * Names that we put into mail and recognise when they come back: an address per conversation, an address per message for
 * its bounces, a reference for subjects, and our Message-IDs. All are signed, so that nobody makes one; all are lower case,
 * because some servers fold the part before the @.
 */
export type Marks = {
  /** support+c…@example.com; `null` where the id or the address is of a form that does not fit. */
  conversationAddress(conversationId: string): string | null
  conversationOf(address: string): string | null
  bounceAddress(messageId: string): string | null
  bouncedOf(address: string): string | null
  subjectReference(conversationId: string): string | null
  conversationInSubject(subject: string): string | null
  /** The Message-ID of a message of ours, with its brackets: the same at every attempt to send it. */
  messageIdOf(outboundId: string): string
  /** The message of ours that bears this Message-ID; `null` for everybody else's. */
  outboundOf(messageId: string): string | null
  /** Our address, or one of its plus forms. */
  isOwn(address: string): boolean
}

/** RFC 5321 section 4.5.3.1.1. */
const LONGEST_LOCAL_PART = 64
const MAC_LENGTH = 10

type Kind = 'conversation' | 'bounce' | 'reference' | 'message-id'
const LETTER = { conversation: 'c', bounce: 'b' } as const
const PREFIX = { conversation: 'cnv_', bounce: 'msg_', reference: 'cnv_' } as const

type Needs = { address: string; channelId: string; secrets: Secrets }

export const makeMarks = ({ address, channelId, secrets }: Needs): Marks => {
  const { local, domain } = splitAddress(address)

  const mac = (kind: Kind, id: string): string =>
    base32(
      createHash('sha256')
        .update(secrets.sign(`email ${kind}`, { channelId, id }))
        .digest(),
    ).slice(0, MAC_LENGTH)

  const token = (kind: 'conversation' | 'bounce' | 'reference', id: string): string | null => {
    const packed = id.startsWith(PREFIX[kind]) ? pack(id.slice(PREFIX[kind].length)) : null
    return packed && packed + mac(kind, id)
  }
  const verified = (kind: 'conversation' | 'bounce' | 'reference', given: string): string | null => {
    const body = unpack(given.slice(0, -MAC_LENGTH))
    if (body === null) return null
    const id = PREFIX[kind] + body
    return mac(kind, id) === given.slice(-MAC_LENGTH) ? id : null
  }

  const marked = (kind: 'conversation' | 'bounce', id: string): string | null => {
    const made = token(kind, id)
    if (!made) return null
    const full = `${local}+${LETTER[kind]}${made}`
    return full.length > LONGEST_LOCAL_PART ? null : `${full}@${domain}`
  }
  const readMark = (kind: 'conversation' | 'bounce', given: string): string | null => {
    const { local: before, domain: after } = splitAddress(given)
    const start = `${local}+${LETTER[kind]}`
    return after === domain && before.startsWith(start) ? verified(kind, before.slice(start.length)) : null
  }

  return {
    conversationAddress: (conversationId) => marked('conversation', conversationId),
    conversationOf: (given) => readMark('conversation', given),
    bounceAddress: (messageId) => marked('bounce', messageId),
    bouncedOf: (given) => readMark('bounce', given),
    subjectReference: (conversationId) => {
      const made = token('reference', conversationId)
      return made && `[#${made}]`
    },
    conversationInSubject: (subject) => {
      for (const [, given = ''] of subject.slice(0, 2_000).matchAll(/\[#([a-z2-7]{20,60})\]/gi)) {
        const found = verified('reference', given.toLowerCase())
        if (found) return found
      }
      return null
    },
    messageIdOf: (outboundId) => `<${outboundId}.${mac('message-id', outboundId)}@${domain}>`,
    outboundOf: (messageId) => {
      const [, id, given] = /^<?([A-Za-z0-9_-]{1,80})\.([a-z2-7]{10})@[^@\s>]+>?$/.exec(messageId) ?? []
      return id && mac('message-id', id) === given ? id : null
    },
    isOwn: (given) => {
      const { local: before, domain: after } = splitAddress(given)
      return after === domain && (before === local || before.startsWith(`${local}+`))
    },
  }
}

const splitAddress = (address: string): { local: string; domain: string } => {
  const at = address.lastIndexOf('@')
  const lower = address.toLowerCase().trim()
  return { local: lower.slice(0, at), domain: lower.slice(at + 1) }
}

/** The two forms that our ids have behind their prefix, as bytes: 20 characters of base64url, or 32 of hexadecimal. */
const pack = (body: string): string | null => {
  if (/^[0-9a-f]{32}$/.test(body)) return `h${base32(Buffer.from(body, 'hex'))}`
  if (/^[A-Za-z0-9_-]{20}$/.test(body)) return `r${base32(Buffer.from(body, 'base64url'))}`
  return null
}

const unpack = (packed: string): string | null => {
  const bytes = fromBase32(packed.slice(1))
  if (bytes === null) return null
  if (packed.startsWith('h') && bytes.length === 16) return bytes.toString('hex')
  if (packed.startsWith('r') && bytes.length === 15) return bytes.toString('base64url')
  return null
}

/** RFC 4648 section 6, lower case, without padding. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

const base32 = (bytes: Uint8Array): string => {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[parseInt(five.padEnd(5, '0'), 2)]).join('')
}

const fromBase32 = (text: string): Buffer | null => {
  let bits = ''
  for (const sign of text) {
    const value = ALPHABET.indexOf(sign)
    if (value < 0) return null
    bits += value.toString(2).padStart(5, '0')
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
}
