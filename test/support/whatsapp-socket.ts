import { AppError } from '../../src/platform/errors.js'
import type { OpenSocket, Outgoing, SendOutcome, SocketEvent } from '../../src/channels/whatsapp/linked/socket.js'

/**
 * WhatsApp and the phone, played by a script. What is said while nobody is connected waits; what was handed over within the
 * last moments before an outage is handed over again, as WhatsApp does with what it is not sure of.
 */
export const makePhone = () => {
  let on: ((event: SocketEvent) => void) | null = null
  /** Who is connected, by number of connection: events of older ones go nowhere. */
  let connections = 0
  let refusing: number | null | undefined
  let pairing: string | null = null
  const waiting: SocketEvent[] = []
  let recent: SocketEvent[] = []
  const sent: Outgoing[] = []
  const typing: { to: string; on: boolean }[] = []
  const files = new Map<string, Buffer | 'gone' | 'later' | 'wrong key'>()
  const answer: { send: (message: Outgoing) => SendOutcome | Promise<SendOutcome> } = {
    send: () => ({ kind: 'taken' }),
  }

  const openSocket: OpenSocket = async (needs) => {
    connections += 1
    const mine = connections
    const own = (event: SocketEvent) => {
      if (mine === connections) needs.on(event)
    }
    if (!needs.keys.identity) await needs.keys.begin({ noiseKey: 'played', signedIdentityKey: 'played' })
    setTimeout(() => {
      if (mine !== connections) return
      on = own
      if (refusing !== undefined) return end(refusing)
      if (pairing !== null && !needs.keys.identity?.account) return own({ kind: 'qr', qr: pairing })
      own({ kind: 'open' })
      const again = recent
      recent = []
      for (const event of [...again, ...waiting.splice(0)]) own(event)
    }, 1)
    return {
      pairingCode: async () => 'ABCD1234',
      send: async (message) => {
        const outcome = await answer.send(message)
        if (outcome.kind === 'taken') sent.push(message)
        return outcome
      },
      typing: async (to, isOn) => void typing.push({ to, on: isOn }),
      download: async (raw) => {
        const { id } = (raw as { key: { id: string } }).key
        const file = files.get(id)
        if (Buffer.isBuffer(file)) return chunked(file)
        throw fileFault(file)
      },
      close: () => {
        if (mine === connections) on = null
      },
    }
  }

  const end = (code: number | null): void => {
    const tell = on
    on = null
    tell?.({ kind: 'closed', code })
  }

  /** What was told last counts as not acknowledged, until the next outage. */
  const tell = (event: SocketEvent): void => {
    if (!on) return void waiting.push(event)
    recent = [...recent.slice(-9), event]
    on(event)
  }

  return {
    openSocket,
    sent,
    typing,
    files,
    answer,
    tell,
    says: (raw: object) => tell({ kind: 'message', raw }),
    lose: (code: number | null = 428) => end(code),
    /** From now on every connection ends so; `undefined` lets them in. */
    refuse: (code: number | null | undefined) => (refusing = code),
    /** Connections show this until `scan`. */
    showsQr: (qr: string) => (pairing = qr),
    scan: () => on?.({ kind: 'paired' }),
    get connections() {
      return connections
    },
    get isConnected() {
      return on !== null
    },
  }
}

export type Phone = ReturnType<typeof makePhone>

const fileFault = (file: string | undefined): Error => {
  switch (file) {
    case 'gone':
      return new AppError('not_found', 'media_gone', 'The file is gone.')
    case 'wrong key':
      return new Error('error:1C800064:Provider routines::bad decrypt')
    default:
      return new AppError('unavailable', 'media_later', 'Not now.')
  }
}

async function* chunked(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

type Sender = { number?: string; lid?: string }

let ids = 0
export const nextId = (): string => `3A${(ids += 1).toString(16).toUpperCase().padStart(16, '0')}`

export const keyOf = ({ number, lid }: Sender, id = nextId(), fromMe = false): Record<string, unknown> => ({
  remoteJid: lid ? `${lid}@lid` : `${number}@s.whatsapp.net`,
  ...(lid && number ? { remoteJidAlt: `${number}@s.whatsapp.net` } : {}),
  id,
  fromMe,
})

/** One message as Baileys hands it over. */
export const messageOf = (
  sender: Sender,
  message: object,
  { id = nextId(), at = 1_772_445_600, fromMe = false }: { id?: string; at?: number; fromMe?: boolean } = {},
) => ({ key: keyOf(sender, id, fromMe), message, messageTimestamp: at, pushName: 'Ana Souza' })

export const textOf = (sender: Sender, text: string, more: { id?: string; at?: number; fromMe?: boolean } = {}) =>
  messageOf(sender, { conversation: text }, more)
