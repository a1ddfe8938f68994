import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { AppError } from './errors.js'

/** Keys for one purpose each, derived from the installation's SECRET_KEY (HKDF, RFC 5869). */
export type Secrets = {
  /** Signs `payload` into a URL-safe token for `purpose`. The payload is readable by its holder: nothing secret in it. */
  sign(purpose: string, payload: object): string
  /** The payload of a token that this installation signed for `purpose`; `null` for anything else. Expiry is the caller's. */
  verify(purpose: string, token: string): unknown
  /** Encrypts what has to be kept and read again (AES-256-GCM): the same text never looks the same twice. */
  seal(purpose: string, text: string): string
  /** What `seal` was given. Throws where it was sealed under another SECRET_KEY or changed since. */
  unseal(purpose: string, sealed: string): string
}

const IV_BYTES = 12
const TAG_BYTES = 16

export const makeSecrets = (secretKey: string): Secrets => {
  const keys = new Map<string, Buffer>()
  const keyFor = (purpose: string) => {
    let key = keys.get(purpose)
    if (!key) keys.set(purpose, (key = Buffer.from(hkdfSync('sha256', secretKey, 'helpdesk', purpose, 32))))
    return key
  }
  const mac = (purpose: string, body: string) => createHmac('sha256', keyFor(purpose)).update(body).digest()
  return {
    sign: (purpose, payload) => {
      const body = Buffer.from(JSON.stringify(payload)).toString('base64url')
      return `${body}.${mac(purpose, body).toString('base64url')}`
    },
    verify: (purpose, token) => {
      const [body, signature, ...rest] = token.split('.')
      if (!body || !signature || rest.length > 0) return null
      const given = Buffer.from(signature, 'base64url')
      const expected = mac(purpose, body)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
      // Only what we signed is parsed, so it is JSON.
      return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as unknown
    },
    seal: (purpose, text) => {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyFor(`seal ${purpose}`), iv)
      const hidden = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), hidden]).toString('base64url')
    },
    unseal: (purpose, sealed) => {
      const bytes = Buffer.from(sealed, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', keyFor(`seal ${purpose}`), bytes.subarray(0, IV_BYTES))
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
        const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
        return text.toString('utf8')
      } catch (cause) {
        const message = 'A kept secret cannot be read: SECRET_KEY is not the one that it was kept under.'
        throw new AppError('internal', 'secret_unreadable', message, { cause })
      }
    },
  }
}

/** 256 random bits, URL-safe. */
export const randomToken = (): string => randomBytes(32).toString('base64url')

/** For secrets of full entropy (keys, one-time tokens): a fast hash is enough, and lookups go by it. */
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex')
