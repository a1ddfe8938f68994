import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { FoundMail } from './mailbox.js'

/**
 * Mail that somebody else receives and hands in: the raw message as the body, signed in `x-helpdesk-signature` as
 * `t=<seconds>,v1=<hex>`, the HMAC-SHA256 of `<seconds>.<body>` under the channel's secret. 200 means that it is stored.
 */
const SIGNATURE_HEADER = 'x-helpdesk-signature'
const VALID_FOR_MS = 5 * 60_000

const signature = z
  .string()
  .regex(/^t=(\d{1,12}),v1=([0-9a-f]{64})$/)
  .transform((text) => ({ seconds: text.slice(2, text.indexOf(',')), mac: text.slice(text.indexOf('v1=') + 3) }))

type Needs = { secret: string; take(mail: FoundMail): Promise<void>; clock: Clock }

export const makeWebhook =
  ({ secret, take, clock }: Needs) =>
  async (request: Request): Promise<Response> => {
    if (request.method !== 'POST') throw new AppError('invalid', 'post_only', 'Hand the mail in with POST.')
    const raw = Buffer.from(await request.arrayBuffer())
    const now = clock.now()
    assertSigned(secret, request.headers.get(SIGNATURE_HEADER), raw, now)
    if (raw.length === 0) throw new AppError('invalid', 'body_empty', 'The body is the raw mail; it is empty.')
    await take({ raw, receivedAt: now, old: false })
    return Response.json({ received: true })
  }

const assertSigned = (secret: string, header: string | null, raw: Buffer, now: Date): void => {
  const { data } = signature.safeParse(header)
  const unsigned = (message: string) => new AppError('unauthenticated', 'signature_invalid', message)
  if (!data) throw unsigned(`The header ${SIGNATURE_HEADER} is missing or not of the form t=…,v1=….`)
  const expected = createHmac('sha256', secret).update(`${data.seconds}.`).update(raw).digest()
  if (!timingSafeEqual(expected, Buffer.from(data.mac, 'hex')))
    throw unsigned('The signature is not that of this body.')
  if (Math.abs(now.getTime() - Number(data.seconds) * 1_000) > VALID_FOR_MS)
    throw unsigned('The signature is older than five minutes. Check the clock of whoever signs.')
}
