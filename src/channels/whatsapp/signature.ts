import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * True when whoever knows the app's secret signed exactly these bytes: `X-Hub-Signature-256`, an HMAC-SHA256 over the body as it
 * came (Meta, "Webhooks: validating payloads"). Before anything is read of it, and in a time that tells nothing.
 */
export const isSigned = (body: Uint8Array, header: string | null, appSecret: string): boolean => {
  const given = /^sha256=([0-9a-f]{64})$/iu.exec(header ?? '')?.[1]
  const expected = createHmac('sha256', appSecret).update(body).digest()
  return timingSafeEqual(Buffer.from(given ?? '0'.repeat(64), 'hex'), expected) && given !== undefined
}

/** What Meta asks once when the address is set up. The challenge is returned only to who knows our word. */
export const answerChallenge = (url: URL, verifyToken: string): Response => {
  const { searchParams } = url
  const challenge = searchParams.get('hub.challenge') ?? ''
  const known =
    searchParams.get('hub.mode') === 'subscribe' && isSame(searchParams.get('hub.verify_token') ?? '', verifyToken)
  if (!known || !/^[\w-]{1,200}$/u.test(challenge)) return new Response(null, { status: 403 })
  return new Response(challenge, { status: 200, headers: { 'content-type': 'text/plain' } })
}

const isSame = (given: string, expected: string): boolean => {
  const digest = (text: string) => createHmac('sha256', 'verify').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
