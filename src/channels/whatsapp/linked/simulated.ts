import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { AppError } from '../../../platform/errors.js'
import type { ChannelKit } from '../../channel.js'
import { asFields, textIn, type Fields } from './fields.js'
import type { OpenSocket, SendOutcome, SocketEvent } from './socket.js'

/**
 * A phone that a program plays, to see this work without one: its events come as lines of JSON from `GET /events`, and what
 * is done goes to `POST /send`, `/typing`, `/pair` and `/download`. Bytes inside JSON are text in base64, as protobuf has it.
 */
export const openSimulated =
  (url: string, { fetch }: Pick<ChannelKit, 'fetch'>): OpenSocket =>
  async ({ keys, on }) => {
    const ended = new AbortController()
    const ask = async (path: string, body: object): Promise<Fields> => {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([ended.signal, AbortSignal.timeout(5_000)]),
      }).catch((cause: unknown) => {
        throw new AppError('unavailable', 'not_connected', 'The simulator does not answer.', { cause })
      })
      if (!response.ok) throw new AppError('unavailable', 'not_connected', 'The simulator is not connected.')
      return asFields(await response.json())
    }

    if (!keys.identity) await keys.begin({ noiseKey: 'simulated', signedIdentityKey: 'simulated' })
    const linked = keys.identity?.account ? 'linked' : 'new'
    const stream = await fetch(new URL(`/events?phone=${linked}`, url), { signal: ended.signal })
    if (!stream.ok || !stream.body) throw new AppError('unavailable', 'not_connected', 'The simulator does not answer.')

    const follow = async (body: NonNullable<typeof stream.body>): Promise<void> => {
      let code: number | null = 428
      try {
        for await (const line of createInterface({ input: Readable.fromWeb(body) })) {
          on({ kind: 'alive' })
          const event = line ? (JSON.parse(line) as SocketEvent) : null
          if (event?.kind === 'closed') code = event.code
          else if (event?.kind === 'paired') {
            Object.assign(keys.identity ?? {}, { account: 'simulated' })
            await keys.saveIdentity()
            on(event)
          } else if (event) on(event)
        }
      } catch {
        code = 408
      }
      on({ kind: 'closed', code })
    }
    void follow(stream.body)

    return {
      pairingCode: async (phoneNumber) => textIn(await ask('/pair', { phoneNumber }), 'code') ?? '',
      send: async ({ to, id, content, quoted }) => {
        const said = content.kind === 'text' ? content : { ...content, bytes: content.bytes.toString('base64') }
        return outcomeOf(await ask('/send', { to, id, content: said, quoted }))
      },
      typing: async (to, isOn) => void (await ask('/typing', { to, on: isOn })),
      download: async (raw) => {
        const { bytes } = await ask('/download', { key: asFields(raw).key as object })
        if (typeof bytes !== 'string') throw new AppError('not_found', 'media_gone', 'The file is gone.')
        return Readable.from([Buffer.from(bytes, 'base64')])
      },
      close: () => ended.abort(),
    }
  }

const outcomeOf = (answer: Fields): SendOutcome => {
  switch (answer.outcome) {
    case 'taken':
      return { kind: 'taken' }
    case 'refused':
      return { kind: 'refused', code: textIn(answer, 'code') ?? 'refused' }
    default:
      return { kind: 'unknown' }
  }
}
