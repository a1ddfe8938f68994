import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** Keys for one purpose each, derived from the installation's SECRET_KEY (HKDF, RFC 5869). */
export type Secrets = {
  /** Signs `payload` into a URL-safe token for `purpose`. The payload is readable by its holder: nothing secret in it. */
  sign(purpose: string, payload: object): string
  /** The payload of a token that this installation signed for `purpose`; `null` for anything else. Expiry is the caller's. */
  verify(purpose: string, token: string): unknown
}

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
  }
}

/** 256 random bits, URL-safe. */
export const randomToken = (): string => randomBytes(32).toString('base64url')

/** For secrets of full entropy (keys, one-time tokens): a fast hash is enough, and lookups go by it. */
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex')
