import { ImapFlow, type FetchMessageObject, type ImapFlowOptions } from 'imapflow'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Log } from '../../platform/log.js'
import type { ChannelKit } from '../channel.js'
import { mailFaultOf } from './faults.js'

/** One mail as it lies in the mailbox. */
export type FoundMail = {
  raw: Buffer
  /** When the server took it in, by the server's clock. */
  receivedAt: Date
  /** It is larger than what is taken: `raw` is its beginning, this its whole size in bytes. */
  cutFrom?: number
  /** It lay there before the channel was connected. */
  old: boolean
}

type Needs = {
  /** For one connection: addresses looked up and tokens fetched just now. */
  connection(): Promise<ImapFlowOptions>
  /** The server refused what the connection signed in with; says whether the next one signs in with something newer. */
  renew(): boolean
  path: string
  since: Date | null
  memory: Pick<ChannelKit['memory'], 'get' | 'set'>
  /** Durable when it resolves. */
  take(mail: FoundMail): Promise<void>
  /** For a mail that `take` could not: keeps it as it is. */
  setAside(mail: FoundMail): Promise<void>
  report: ChannelKit['report']
  clock: Clock
  log: Log
  timing?: Partial<Timing>
}

/** In milliseconds. */
type Timing = {
  /** How often it is looked without having been told, which also finds out whether the connection is still alive. */
  poll: number
  /** An answer that takes longer is none: the connection is dead, whatever the socket says. */
  answer: number
  firstPause: number
}
const TIMING: Timing = { poll: 45_000, answer: 20_000, firstPause: 500 }
const LONGEST_PAUSE_MS = 60_000
const LASTING_PAUSE_MS = 5 * 60_000
const STEADY_AFTER_MS = 60_000

const MOST_BYTES = 40 * 1024 * 1024
const GROUP_BYTES = 4 * 1024 * 1024
const GROUP_MAILS = 20
const LISTED_AT_ONCE = 500
const FETCH_WITHIN_MS = 5 * 60_000
const TAKE_WITHIN_MS = 60_000

/** A mail is tried so often while the process lives, and so often by processes that died over it. */
const TRIES = 3
const DEATHS = 5

/** Everything up to `lastUid` of this generation of the mailbox is taken in. Only ever moves forward within one. */
type Cursor = {
  uidValidity: string
  lastUid: number
  /** Only mail that arrived since this day is looked at; `null` where the UIDs alone decide. */
  from: string | null
  /** What `since` was when the mailbox was first opened, or last widened. */
  since: string | null
  startedAt: string
  /** Written before a mail is touched: who dies over it is seen by the next. */
  trying?: { uid: number; times: number }
}

/**
 * Follows one mailbox: everything in it is taken in once, in order, and the place is remembered only after that. Nothing in
 * the mailbox is changed, and its flags decide nothing: somebody else may read the same mail.
 */
export const makeMailbox = (needs: Needs) => {
  const { connection, renew, path, since, memory, take, setAside, report, clock, log } = needs
  const timing = { ...TIMING, ...needs.timing }
  const key = `cursor ${path}`

  /** Reads the place, or makes it for a mailbox that is new, another one than before, or asked for from earlier on. */
  const placeIn = async (client: ImapFlow): Promise<Cursor> => {
    const { mailbox } = client
    if (!mailbox) throw new AppError('unavailable', 'mailbox_closed', 'The mailbox was closed.')
    const uidValidity = String(mailbox.uidValidity)
    const wanted = since?.toISOString() ?? null
    const kept = await memory.get<Cursor>(key)
    if (!kept) {
      const fresh: Cursor = {
        uidValidity,
        lastUid: since ? 0 : mailbox.uidNext - 1,
        from: wanted,
        since: wanted,
        startedAt: clock.now().toISOString(),
      }
      await memory.set(key, fresh)
      return fresh
    }
    const wider = wanted !== null && (kept.since === null ? wanted < kept.startedAt : wanted < kept.since)
    if (kept.uidValidity === uidValidity && !wider) return kept
    // Numbers of another generation mean nothing. What was taken in before is recognised by its Message-ID.
    const first = wanted !== null && wanted < kept.startedAt ? wanted : dayBefore(kept.startedAt)
    const again: Cursor = { ...kept, uidValidity, lastUid: 0, from: first, since: wanted }
    delete again.trying
    await memory.set(key, again)
    log.info({ uidValidityChanged: kept.uidValidity !== uidValidity }, 'mailbox is read again')
    return again
  }

  const listNew = async (client: ImapFlow, { lastUid, from }: Cursor): Promise<number[]> => {
    const query = { uid: `${lastUid + 1}:*`, ...(from ? { since: new Date(from) } : {}) }
    const found = await within(client, client.search(query, { uid: true }), timing.answer)
    if (!found) throw new AppError('unavailable', 'search_failed', 'The mailbox could not be searched.')
    // `n:*` names the last mail even where its number is smaller than n (RFC 3501 section 6.4.8).
    return found.filter((uid) => uid > lastUid).sort((a, b) => a - b)
  }

  const listSizes = async (client: ImapFlow, uids: number[]): Promise<Listed[]> => {
    // The usual case: one mail has come, and somebody waits for the answer.
    const [only] = uids
    if (uids.length === 1 && only !== undefined) return [{ uid: only, size: 0 }]
    const answer = client.fetchAll(uids.join(','), { uid: true, size: true }, { uid: true })
    const listed = await within(client, answer, FETCH_WITHIN_MS)
    return listed.map(({ uid, size = 0 }) => ({ uid, size })).sort((a, b) => a.uid - b.uid)
  }

  const fetchGroup = async (client: ImapFlow, group: Listed[], startedAt: Date): Promise<Found[]> => {
    const source = { start: 0, maxLength: MOST_BYTES }
    const range = group.map(({ uid }) => uid).join(',')
    const answers = await within(
      client,
      client.fetchAll(range, { uid: true, internalDate: true, size: true, source }, { uid: true }),
      FETCH_WITHIN_MS,
    )
    return answers.flatMap((answer) => foundIn(answer, clock.now(), startedAt)).sort((a, b) => a.uid - b.uid)
  }

  /** Tries a mail a few times; then it is set aside, so that it does not keep the others from being read. */
  const takeOne = async ({ uid: _uid, ...mail }: Found, deaths: number): Promise<void> => {
    for (let tries = 1; deaths < DEATHS && tries <= TRIES; tries += 1) {
      try {
        return await soon(take(mail))
      } catch (err) {
        if (isPassing(err)) throw err
        log.warn({ err, tries }, 'mail not taken in')
        if (tries < TRIES) await pause(100 * tries)
      }
    }
    try {
      await setAside(mail)
      log.error({ deaths }, 'mail set aside')
    } catch (err) {
      if (isPassing(err)) throw err
      log.error({ err }, 'mail left in the mailbox: it can neither be taken in nor set aside')
      report({
        state: 'attention',
        code: 'mail_left_behind',
        detail: 'A mail could not be stored. It is still in the mailbox.',
      })
    }
  }

  const takeGroup = async (client: ImapFlow, cursor: Cursor, group: Listed[]): Promise<Cursor> => {
    const [first] = group
    const last = group.at(-1)
    if (!first || !last) return cursor
    const times = cursor.trying?.uid === first.uid ? cursor.trying.times + 1 : 1
    const tried = { ...cursor, trying: { uid: first.uid, times } }
    const [found] = await Promise.all([fetchGroup(client, group, new Date(cursor.startedAt)), memory.set(key, tried)])
    const { trying: _trying, ...rest } = cursor
    try {
      for (const mail of found) await takeOne(mail, times - 1)
    } catch (error) {
      // Nothing is wrong with the mail.
      await memory.set(key, rest)
      throw error
    }
    const moved: Cursor = { ...rest, lastUid: last.uid }
    await memory.set(key, moved)
    return moved
  }

  const catchUp = async (client: ImapFlow, before: Cursor, signal: AbortSignal): Promise<Cursor> => {
    let cursor = before
    const uids = await listNew(client, cursor)
    for (let from = 0; from < uids.length; from += LISTED_AT_ONCE) {
      const sizes = await listSizes(client, uids.slice(from, from + LISTED_AT_ONCE))
      while (sizes.length > 0 && !signal.aborted) {
        // Whoever died here before goes one by one, to find the mail that does it.
        const group = nextGroup(sizes, cursor.trying && cursor.trying.uid === sizes[0]?.uid ? 1 : GROUP_MAILS)
        cursor = await takeGroup(client, cursor, group)
      }
      if (signal.aborted) return cursor
    }
    return cursor
  }

  /** One connection from its beginning to its end, which is an error unless `signal` asked for it. */
  const follow = async (signal: AbortSignal, opened: () => void): Promise<void> => {
    const client = new ImapFlow({ ...(await connection()), logger: false, disableAutoIdle: true, emitLogs: false })
    let told: () => void = () => {}
    let news = false
    let lost: Error | null = null
    const ended = new AbortController()
    const tell = () => {
      news = true
      told()
    }
    // Without a listener the process would end with the connection.
    client.on('error', (error: Error) => (lost = error))
    client.on('exists', tell)
    client.on('close', () => {
      ended.abort()
      told()
    })
    const leave = () => client.close()
    signal.addEventListener('abort', leave, { once: true })
    try {
      await within(client, client.connect(), timing.answer)
      // Read-only: looking must not mark anything as seen.
      await within(client, client.mailboxOpen(path, { readOnly: true }), timing.answer)
      let cursor = await placeIn(client)
      opened()
      report({ state: 'connected' })
      while (!signal.aborted && !ended.signal.aborted) {
        news = false
        // Also the watchdog: a connection that died without a word does not answer.
        cursor = await catchUp(client, cursor, signal)
        if (news || signal.aborted) continue
        // Not awaited: it lasts until the next command. Its end is told by `close`.
        client.idle().catch(() => {})
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timing.poll)
          told = () => {
            clearTimeout(timer)
            resolve()
          }
          if (news || ended.signal.aborted) told()
        })
        told = () => {}
      }
      if (!signal.aborted)
        throw lost ?? new AppError('unavailable', 'connection_lost', 'The mail server closed the connection.')
    } finally {
      signal.removeEventListener('abort', leave)
      client.close()
    }
  }

  return {
    /** Follows the mailbox until `signal`, whatever happens to the connection. */
    run: async (signal: AbortSignal): Promise<void> => {
      let failures = 0
      while (!signal.aborted) {
        report({ state: 'connecting' })
        let openedAt = Infinity
        try {
          await follow(signal, () => (openedAt = clock.now().getTime()))
        } catch (error) {
          if (signal.aborted) return
          const fault = mailFaultOf(error)
          // A server that lets in and throws out again and again is not one that works.
          failures = clock.now().getTime() - openedAt > STEADY_AFTER_MS ? 1 : failures + 1
          log.warn({ err: error, code: fault.code, failures }, 'mailbox not followed')
          const isLasting = fault.lasting && !(fault.code === 'password_refused' && failures === 1 && renew())
          const state = isLasting ? 'refused' : failures > 2 ? 'attention' : 'connecting'
          report({ state, code: fault.code, detail: fault.sentence })
          const backOff = Math.min(timing.firstPause * 2 ** (failures - 1), LONGEST_PAUSE_MS)
          const pauseMs = isLasting ? LASTING_PAUSE_MS : backOff * (0.75 + Math.random() / 2)
          await pause(pauseMs, undefined, { signal }).catch(() => {})
        }
      }
    },
  }
}

type Listed = { uid: number; size: number }
type Found = FoundMail & { uid: number }

const foundIn = ({ uid, source, size = 0, internalDate }: FetchMessageObject, now: Date, startedAt: Date): Found[] => {
  if (!source) return []
  const receivedAt = internalDate ? new Date(internalDate) : now
  const old = receivedAt.getTime() < startedAt.getTime() - 10 * 60_000
  return [{ uid, raw: source, receivedAt, old, ...(size > MOST_BYTES ? { cutFrom: size } : {}) }]
}

/** Takes from the front of `sizes` what is fetched at once: few enough to hold, many enough to be quick. */
const nextGroup = (sizes: Listed[], most: number): Listed[] => {
  let bytes = 0
  let count = 0
  for (const { size } of sizes) {
    bytes += size
    if (count > 0 && (bytes > GROUP_BYTES || count >= most)) break
    count += 1
  }
  return sizes.splice(0, count)
}

/** Nothing is wrong with the mail: the store or the server is away, and all of them would fail. */
const isPassing = (error: unknown): boolean =>
  error instanceof AppError && (error.kind === 'unavailable' || error.kind === 'rate_limited')

const dayBefore = (iso: string): string => new Date(new Date(iso).getTime() - 24 * 60 * 60 * 1000).toISOString()

/** What takes longer is stuck. Where it ends after all, the mail is the same mail. */
const soon = async (taking: Promise<void>): Promise<void> => {
  const late = new AbortController()
  const end = pause(TAKE_WITHIN_MS, undefined, { signal: late.signal }).then(() => {
    throw new AppError('internal', 'mail_stuck', 'A mail took too long to be taken in.')
  })
  try {
    await Promise.race([taking, end])
  } finally {
    late.abort()
    end.catch(() => {})
    taking.catch(() => {})
  }
}

/** imapflow waits for as long as the socket lives; a server that keeps it open and says nothing is given up here. */
const within = async <T>(client: ImapFlow, answer: Promise<T>, milliseconds: number): Promise<T> => {
  const late = new AbortController()
  const silence = pause(milliseconds, undefined, { signal: late.signal }).then(() => {
    client.close()
    throw new AppError('unavailable', 'server_silent', 'The mail server does not answer any more.')
  })
  try {
    return await Promise.race([answer, silence])
  } finally {
    late.abort()
    silence.catch(() => {})
    answer.catch(() => {})
  }
}
