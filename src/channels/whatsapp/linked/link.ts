import { toString as drawQr } from 'qrcode'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { Log } from '../../../platform/log.js'
import type { ChannelKit } from '../../channel.js'
import { begin, healthOf, step, type Event, type Fault, type State } from './connection.js'
import { isLinked, type SessionKeys } from './session-keys.js'
import type { LinkedSocket, OpenSocket, SocketEvent } from './socket.js'

type Needs = {
  openKeys(): Promise<SessionKeys>
  openSocket: OpenSocket
  /** Asks for a code to type in instead of a picture to scan. */
  phoneNumber: string | undefined
  sentText(id: string): Promise<string | null>
  report: ChannelKit['report']
  clock: Clock
  log: Log
}

const TICK_MS = 500
/** Baileys shows the first picture for a minute and each further one for 20 s; a code is good for about three minutes. */
const FIRST_QR_MS = 60_000
const NEXT_QR_MS = 20_000
const CODE_MS = 160_000

const FAULTS: readonly string[] = ['keys_damaged', 'keys_newer', 'package_missing'] satisfies Fault[]

export type Told = Extract<SocketEvent, { kind: 'message' | 'history' | 'update' | 'reaction' | 'mapping' }>

/** Carries out what the state machine of connection.ts decides: one link, while this process owns it. */
export const makeLink = (needs: Needs) => {
  const { openKeys, openSocket, phoneNumber, sentText, report, clock, log } = needs
  let current: { socket: LinkedSocket; keys: SessionKeys } | null = null
  let isOpen = false
  let downSince = clock.now()

  /** Owns the link until `signal`; where it ended for good it stays, and does nothing. */
  const run = async (signal: AbortSignal, told: (event: Told) => void): Promise<void> => {
    const now = () => clock.now().getTime()
    const keys = await openKeys().catch((error: unknown) => error)
    let state: State = begin(now(), isKeys(keys) && keys.identity !== null && isLinked(keys.identity))
    /** Events of a connection that was given up count for nothing. */
    let generation = 0
    let pictures = 0

    const give = (event: Event): void => {
      const before = state.connection.at
      const next = step(state, event, now(), Math.random())
      state = next.state
      if (before === 'open' && state.connection.at !== 'open') downSince = clock.now()
      isOpen = state.connection.at === 'open'
      const { connection } = state
      if (before !== connection.at && 'why' in connection) log.info({ code: connection.why }, 'linked phone')
      if (next.action === 'connect') void connect()
      if (next.action === 'drop' || state.connection.at === 'ended') leave()
      if (next.action === 'forget' && isKeys(keys)) forget(keys)
      report(healthOf(state))
    }

    const forget = (held: SessionKeys): void => {
      held.forgetAll().catch((err: unknown) => log.error({ err }, 'keys of an unlinked phone not removed'))
    }

    const fault = (error: unknown): boolean => {
      if (!(error instanceof AppError) || !FAULTS.includes(error.code)) return false
      give({ kind: 'fault', code: error.code as Fault })
      return true
    }

    const leave = (): void => {
      generation += 1
      current?.socket.close()
      current = null
    }

    const connect = async (): Promise<void> => {
      if (!isKeys(keys)) return
      leave()
      const mine = generation
      pictures = 0
      const on = (event: SocketEvent): void => {
        if (mine === generation && !signal.aborted) heard(event)
      }
      try {
        const socket = await openSocket({ keys: watched(keys, fault), on, sentText })
        if (mine !== generation || signal.aborted) return socket.close()
        current = { socket, keys }
      } catch (err) {
        if (mine !== generation || fault(err)) return
        log.warn({ err }, 'linked phone not connected')
        give({ kind: 'closed', code: null })
      }
    }

    const heard = (event: SocketEvent): void => {
      switch (event.kind) {
        case 'qr':
          return void show(event.qr)
        case 'closed':
          current = null
          generation += 1
          return give(event)
        case 'paired':
        case 'open':
        case 'alive':
          return give(event)
        default:
          return told(event)
      }
    }

    const show = async (qr: string): Promise<void> => {
      const mine = generation
      pictures += 1
      try {
        if (phoneNumber) {
          if (pictures > 1) return
          const code = await current?.socket.pairingCode(phoneNumber)
          if (code && mine === generation) give({ kind: 'shown', shown: { code, until: now() + CODE_MS } })
          return
        }
        const svg = await drawQr(qr, { type: 'svg', margin: 2 })
        const until = now() + (pictures === 1 ? FIRST_QR_MS : NEXT_QR_MS)
        const picture = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
        if (mine === generation) give({ kind: 'shown', shown: { qr: picture, until } })
      } catch (err) {
        log.warn({ err }, 'nothing to link the phone with')
      }
    }

    try {
      if (!isKeys(keys) && !fault(keys)) throw keys
      give({ kind: 'tick' })
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => give({ kind: 'tick' }), TICK_MS)
        const end = () => {
          clearInterval(timer)
          resolve()
        }
        if (signal.aborted) end()
        else signal.addEventListener('abort', end, { once: true })
      })
    } finally {
      leave()
      isOpen = false
      downSince = clock.now()
      if (isKeys(keys)) keys.close()
    }
  }

  return {
    run,
    socket: (): LinkedSocket | null => (isOpen ? (current?.socket ?? null) : null),
    standing: (): { socket: LinkedSocket } | { downSince: Date } =>
      isOpen && current ? { socket: current.socket } : { downSince },
    settled: async (journal: string): Promise<void> => current?.keys.set({ [JOURNAL]: { [journal]: null } }),
  }
}

/** Where messages are kept beside the keys that opened them, until they are taken in. */
export const JOURNAL = 'incoming'

const isKeys = (value: unknown): value is SessionKeys =>
  typeof value === 'object' && value !== null && 'saveIdentity' in value

/** What is wrong with the keys is not for a library to swallow. */
const watched = (keys: SessionKeys, fault: (error: unknown) => boolean): SessionKeys => {
  const seen = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      fault(error)
      throw error
    })
  return {
    get identity() {
      return keys.identity
    },
    begin: (identity) => seen(keys.begin(identity)),
    get: (type, ids) => seen(keys.get(type, ids)),
    set: (batch) => seen(keys.set(batch)),
    saveIdentity: () => seen(keys.saveIdentity()),
    list: (type) => seen(keys.list(type)),
    forgetAll: () => keys.forgetAll(),
    close: () => keys.close(),
  }
}
