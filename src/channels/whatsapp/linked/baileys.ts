import type * as BaileysModule from '@whiskeysockets/baileys'
import type { SignalRepositoryWithLIDStore, WAMessage, WASocket } from '@whiskeysockets/baileys'
import { AppError } from '../../../platform/errors.js'
import { asFields, idIn, type Fields } from './fields.js'
import { JOURNAL } from './link.js'
import { isLinked, type SessionKeys } from './session-keys.js'
import type { LinkedSocket, OpenSocket, Outgoing, SendOutcome } from './socket.js'

/**
 * The only place that knows Baileys, an optional package: loaded when a phone is to be linked, and not before.
 *
 * Baileys tells WhatsApp that a message has arrived before anybody has it. So what a message says is written into the journal
 * in the same transaction as the key that opened it, which comes before that receipt: no crash loses an acknowledged message.
 */

type Baileys = typeof BaileysModule
type SocketConfig = Parameters<Baileys['makeWASocket']>[0]
type Auth = SocketConfig['auth']
type MakeRepository = NonNullable<SocketConfig['makeSignalRepository']>
type Stanza = Parameters<Baileys['decodeMessageNode']>[0]

/** What is written down of a message: its envelope and what was in it. */
type Journaled = { attrs: Record<string, string>; plain: Buffer }

/** Twice in the time after which a connection counts as dead. */
const KEEP_ALIVE_MS = 20_000
const ACK_WITHIN_MS = 5_000
const DOWNLOAD_HOSTS = /(^|\.)whatsapp\.net$/u

const load = async (): Promise<Baileys> => {
  try {
    return await import('@whiskeysockets/baileys')
  } catch (cause) {
    throw new AppError('unsupported', 'package_missing', 'The package @whiskeysockets/baileys is not installed.', {
      cause,
    })
  }
}

/** Without a URL it is WhatsApp's own server. */
export const openBaileys = ({ url }: { url?: string }): OpenSocket => {
  // They outlive a connection: how often a message was asked for again is not forgotten with an outage.
  const caches = {
    msgRetryCounterCache: makeCache(),
    userDevicesCache: makeCache(),
    callOfferCache: makeCache(),
    placeholderResendCache: makeCache(),
  }
  return async ({ keys, on, sentText }) => {
    const baileys = await load()
    if (!keys.identity || !isLinked(keys.identity)) await keys.begin(baileys.initAuthCreds())
    const creds = keys.identity as unknown as Auth['creds']
    const stanzas = new WeakMap<object, Stanza>()
    const isOwn = (address: string | undefined) =>
      [creds.me?.id, creds.me?.lid].some((own) => own && address && baileys.areJidsSameUser(own, address))

    const sock = baileys.makeWASocket({
      ...(url ? { waWebSocketUrl: url } : {}),
      auth: { creds, keys: keyStore(baileys, keys) },
      logger: silent,
      browser: baileys.Browsers.ubuntu('Chrome'),
      ...caches,
      keepAliveIntervalMs: KEEP_ALIVE_MS,
      emitOwnEvents: false,
      // The phone goes on ringing for what comes in here.
      markOnlineOnConnect: false,
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => false,
      shouldIgnoreJid: (jid) => /@(g\.us|broadcast|newsletter)$/u.test(jid),
      getMessage: async ({ id }) => {
        const text = id ? await sentText(id) : null
        return text === null ? undefined : { conversation: text }
      },
      makeSignalRepository: journaling(baileys, stanzas, isOwn),
    })

    const acks = new Map<string, (outcome: SendOutcome) => void>()
    sock.ws.prependListener('CB:message', (node: Stanza) => {
      if (!Array.isArray(node.content)) return
      for (const { content } of node.content) if (content instanceof Uint8Array) stanzas.set(content, node)
    })
    sock.ws.on('frame', () => on({ kind: 'alive' }))
    sock.ws.on('CB:ack,class:message', ({ attrs }: Stanza) => {
      const { id = '', error } = attrs
      acks.get(id)?.(error ? { kind: 'refused', code: `whatsapp_${error}` } : { kind: 'taken' })
    })

    sock.ev.on('creds.update', () => {
      // Baileys puts the change into `creds` itself, in a listener before this one.
      keys.saveIdentity().catch(() => sock.end(undefined))
    })
    sock.ev.on('connection.update', ({ connection, qr, isNewLogin, lastDisconnect }) => {
      if (qr) on({ kind: 'qr', qr })
      if (isNewLogin) on({ kind: 'paired' })
      if (connection === 'open') {
        on({ kind: 'open' })
        replay(baileys, keys, creds, (raw, journal) => on({ kind: 'message', raw, journal })).catch(() =>
          sock.end(undefined),
        )
      }
      if (connection === 'close') {
        const code = asFields(asFields(lastDisconnect?.error).output).statusCode
        on({ kind: 'closed', code: typeof code === 'number' ? code : null })
      }
    })
    sock.ev.on('messages.upsert', ({ messages }) => {
      for (const raw of messages) {
        const journal = journalName(raw.key.id, raw.key.fromMe ? null : raw.key.remoteJid)
        on({ kind: 'message', raw, ...(journal ? { journal } : {}) })
      }
    })
    sock.ev.on('messaging-history.set', ({ messages, lidPnMappings = [] }) =>
      on({ kind: 'history', messages: messages.length, mappings: lidPnMappings }),
    )
    sock.ev.on('messages.update', (updates) => updates.forEach((raw) => on({ kind: 'update', raw })))
    sock.ev.on('messages.reaction', (reactions) => reactions.forEach((raw) => on({ kind: 'reaction', raw })))
    sock.ev.on('lid-mapping.update', (raw) => on({ kind: 'mapping', raw }))

    return {
      pairingCode: (number) => sock.requestPairingCode(number),
      send: (message) => send(sock, acks, message),
      typing: (to, isOn) => sock.sendPresenceUpdate(isOn ? 'composing' : 'paused', to),
      download: (raw) => download(baileys, sock, raw),
      close: () => void sock.end(undefined),
    } satisfies LinkedSocket
  }
}

const MOST_CACHED = 2_000

/** What is oldest goes first; without timers, which Baileys' own ones leave behind. */
const makeCache = () => {
  const values = new Map<string, unknown>()
  return {
    get: <T>(key: string) => values.get(key) as T | undefined,
    set: (key: string, value: unknown) => {
      values.delete(key)
      values.set(key, value)
      const [oldest] = values.keys()
      if (values.size > MOST_CACHED && oldest !== undefined) values.delete(oldest)
    },
    del: (key: string) => void values.delete(key),
    flushAll: () => values.clear(),
  }
}

const keyStore = (baileys: Baileys, keys: SessionKeys): Auth['keys'] => ({
  get: async (type, ids) => {
    const found = await keys.get(type, ids)
    if (type === 'app-state-sync-key')
      for (const [id, value] of Object.entries(found))
        found[id] = baileys.proto.Message.AppStateSyncKeyData.fromObject(asFields(value))
    return found as Awaited<ReturnType<Auth['keys']['get']>> as never
  },
  set: (batch) => keys.set(batch),
})

/** Whom a message is from is said on its envelope; what is in it, only once it was opened. */
const journaling =
  (
    baileys: Baileys,
    stanzas: WeakMap<object, Stanza>,
    isOwn: (address: string | undefined) => boolean,
  ): MakeRepository =>
  (auth, logger, pnToLid): SignalRepositoryWithLIDStore => {
    const repository = baileys.DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, pnToLid)
    const { decryptMessage } = repository
    const { keys } = auth
    if (!('transaction' in keys)) return repository
    repository.decryptMessage = (sealed) =>
      keys.transaction(async () => {
        const plain = await decryptMessage.call(repository, sealed)
        const attrs = stanzas.get(sealed.ciphertext)?.attrs
        const name = attrs && journalName(attrs.id, isOwn(attrs.from) ? null : attrs.from)
        if (attrs && name) {
          const entry: Journaled = { attrs: plainCopy(attrs), plain: Buffer.from(plain) }
          await keys.set({ [JOURNAL]: { [name]: entry } } as unknown as Parameters<typeof keys.set>[0])
        }
        return plain
      }, sealed.jid)
    return repository
  }

const plainCopy = (attrs: Fields): Record<string, string> =>
  Object.fromEntries(Object.entries(attrs).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])))

/** Ids are the senders' own: two people may use the same one. `from` is `null` for the phone's own messages. */
const journalName = (id: string | null | undefined, from: string | null | undefined): string | null => {
  if (!idIn({ id }, 'id')) return null
  const sender = from === null ? 'own' : /^(\d{1,20})/u.exec(from ?? '')?.[1]
  return sender ? `${encodeURIComponent(id ?? '')}~${sender}` : null
}

/** What a process before this one opened and did not take in. */
const replay = async (
  baileys: Baileys,
  keys: SessionKeys,
  creds: Auth['creds'],
  tell: (raw: WAMessage, journal: string) => void,
): Promise<void> => {
  for (const { id: journal, value } of await keys.list(JOURNAL)) {
    const { attrs, plain } = value as Journaled
    try {
      const node: Stanza = { tag: 'message', attrs, content: [] }
      const { fullMessage } = baileys.decodeMessageNode(node, creds.me?.id ?? '', creds.me?.lid ?? '')
      const message = baileys.proto.Message.decode(baileys.unpadRandomMax16(plain))
      fullMessage.message = message.deviceSentMessage?.message ?? message
      tell(fullMessage, journal)
    } catch {
      // It was opened and is no message: the decoder names it, and it is kept no longer.
      tell({ key: { id: attrs.id ?? '' } }, journal)
    }
  }
}

const send = async (
  sock: WASocket,
  acks: Map<string, (outcome: SendOutcome) => void>,
  { to, id, content, quoted }: Outgoing,
): Promise<SendOutcome> => {
  if (!sock.ws.isOpen) throw new AppError('unavailable', 'not_connected', 'The linked phone is not connected.')
  const answered = new Promise<SendOutcome>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'unknown' }), ACK_WITHIN_MS)
    acks.set(id, (outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    })
  })
  try {
    await sock.sendMessage(to, bodyOf(content), {
      messageId: id,
      ...(quoted
        ? {
            quoted: {
              key: { remoteJid: to, id: quoted.id, fromMe: quoted.fromMe },
              message: { conversation: quoted.text },
            },
          }
        : {}),
    })
    return await answered
  } catch (cause) {
    throw new AppError('unavailable', 'not_sent', 'The linked phone could not send.', { cause })
  } finally {
    acks.get(id)?.({ kind: 'unknown' })
    acks.delete(id)
  }
}

const bodyOf = (content: Outgoing['content']): Parameters<WASocket['sendMessage']>[1] => {
  // A preview would be fetched from wherever the text points to.
  if (content.kind === 'text') return { text: content.text, linkPreview: null }
  const { media, mime, name, bytes, caption } = content
  const words = caption ? { caption } : {}
  switch (media) {
    case 'image':
      return { image: bytes, mimetype: mime, ...words }
    case 'video':
      return { video: bytes, mimetype: mime, ...words }
    case 'audio':
      return { audio: bytes, mimetype: mime }
    case 'document':
      return { document: bytes, mimetype: mime, fileName: name, ...words }
  }
}

/** WhatsApp's answers that mean: not here any more. Baileys then asks the phone, once; these are what is left after that. */
const GONE = [404, 410, 412]

const download = async (baileys: Baileys, sock: WASocket, raw: unknown): Promise<AsyncIterable<Uint8Array>> => {
  const message = raw as WAMessage
  const content = baileys.extractMessageContent(message.message)
  for (const part of Object.values(content ?? {})) keepToWhatsApp(asFields(part))
  try {
    const context = { reuploadRequest: sock.updateMediaMessage, logger: silent }
    return await baileys.downloadMediaMessage(message, 'stream', {}, context)
  } catch (cause) {
    const { status, output } = asFields(cause)
    const code = typeof status === 'number' ? status : asFields(output).statusCode
    if (GONE.includes(Number(code))) throw new AppError('not_found', 'media_gone', 'The file is gone.', { cause })
    throw new AppError('unavailable', 'media_later', 'The file is not to be had at this moment.', { cause })
  }
}

/** A message says where its file lies, and a stranger wrote it: it leads to WhatsApp, or nowhere. */
const keepToWhatsApp = (media: Fields): void => {
  if (typeof media.directPath === 'string' && !media.directPath.startsWith('/')) media.directPath = ''
  if (typeof media.url === 'string' && !isAtWhatsApp(media.url)) media.url = ''
}

const isAtWhatsApp = (given: string): boolean => {
  const parsed = URL.canParse(given) ? new URL(given) : null
  return parsed !== null && parsed.protocol === 'https:' && DOWNLOAD_HOSTS.test(parsed.hostname) && parsed.port === ''
}

/** Baileys logs what people write. */
const nothing = () => {}
const silent: SocketConfig['logger'] & object = {
  level: 'silent',
  child: () => silent,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}
