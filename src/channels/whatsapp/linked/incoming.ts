import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { MessageArrival, Received } from '../../../conversations/message.js'
import { AppError } from '../../../platform/errors.js'
import { isOutage } from '../../../platform/mongo.js'
import type { ChannelKit, Receive } from '../../channel.js'
import type { Media } from '../decode.js'
import { phoneOf } from '../contact.js'
import { toldBy } from '../incoming.js'
import { edited } from '../late-media.js'
import { withConsent } from '../opt-out.js'
import type { Fetched } from '../checked-file.js'
import { decodeMessage, decodeReaction, decodeUpdate, type Told } from './decode.js'
import { makeLanes } from './lanes.js'
import { externalIdOf, mappingOf, type Person } from './names.js'
import type { People } from './people.js'
import type { SocketEvent } from './socket.js'

type Needs = {
  kit: Pick<ChannelKit, 'memory' | 'clock' | 'log' | 'messagesByExternalIds' | 'contactOf'>
  people: People
  receive: Receive
  /** Our own name for a message of ours; `null` where it is not one. */
  ownNameOf(externalId: string, status: 'sent' | 'delivered' | 'read' | 'refused'): Promise<OwnName | null>
  isOurs(externalId: string): Promise<boolean>
  fetchFile(raw: unknown, media: Media, signal: AbortSignal): Promise<Fetched>
  /** What was kept of a message until it was taken in is kept no longer. */
  settled(journal: string): Promise<void>
  /** How long a message that could not be opened may take to come again, in milliseconds. */
  againWithinMs?: number
}

/** A message that left in parts is known by the last of them. */
export type OwnName = { messageId: string; externalId: string; isLast: boolean }

type MessageTold = Extract<Told, { kind: 'message' }>
type Changed = Extract<Told, { kind: 'edit' | 'revoke' | 'reaction' }>

const AT_ONCE = 12
const FILES_AT_ONCE = 4
const NAMES_AT_ONCE = 2
const AGAIN_WITHIN_MS = 20_000
const LONGEST_PAUSE_MS = 15_000
const FILE_TRIES = 6
const MOST_TRIES = 8
/** WhatsApp keeps files for some weeks; a phone that has not handed one out within days will not. */
const FILE_WITHIN_MS = 3 * 24 * 60 * 60 * 1000
const MOST_KNOWN = 20_000
const AWAITED = 'awaited/'
const UNREADABLE = '[A message that cannot be read yet: WhatsApp was asked for it again]'

/**
 * Takes in what the linked phone tells: each person's in its order, once, however often it comes. Until it is stored it is
 * kept in the journal, so that no instant of a crash loses what WhatsApp was told has arrived.
 */
export const makeIncoming = (needs: Needs) => {
  const { kit, people, receive, ownNameOf, isOurs, fetchFile, settled, againWithinMs = AGAIN_WITHIN_MS } = needs
  const { memory, log, clock } = kit
  const lanes = makeLanes(AT_ONCE)
  const files = makeLanes(FILES_AT_ONCE)
  /** Thousands of names may be told at once: whoever writes meanwhile does not wait behind them. */
  const names = makeLanes(NAMES_AT_ONCE)
  const stopping = new AbortController()
  // Everybody who waits listens to it.
  setMaxListeners(0, stopping.signal)
  const hiddenIds = new Map<string, string>()
  /** Waited for in place. */
  const expected = new Map<string, NodeJS.Timeout>()
  /** Shown as unreadable: what comes now takes the place of that. `null` while it is not known which. */
  let awaited: Set<string> | null = null

  /** What a person says under one name does not overtake what they said under the other. */
  const laneOf = ({ lid, number }: Person): string => {
    if (lid && number) {
      hiddenIds.set(number, lid)
      const [oldest] = hiddenIds.keys()
      if (hiddenIds.size > MOST_KNOWN && oldest !== undefined) hiddenIds.delete(oldest)
    }
    return lid ?? hiddenIds.get(number ?? '') ?? number ?? ''
  }

  const awaitedIds = async (): Promise<Set<string>> =>
    (awaited ??= new Set((await memory.list(AWAITED)).map(({ key }) => key.slice(AWAITED.length))))

  const arrivalOf = (told: MessageTold, person: Person, externalId: string): MessageArrival => {
    const { details = {}, ...words } = toldBy(told.content)
    const { replyTo, ...about } = told.about
    const all = { ...details, ...about }
    const now = clock.now()
    return {
      kind: 'message',
      externalId: told.externalId,
      contact: contactOf(person, externalId, told.name),
      ...words,
      ...(Object.keys(all).length > 0 ? { details: all } : {}),
      ...(replyTo ? { replyTo } : {}),
      // A time that lies ahead of ours is the sender's clock, and nobody's time.
      ...(told.sentAt ? { sentAt: told.sentAt > now ? now : told.sentAt } : {}),
      ...(told.own ? { from: 'agent' as const } : {}),
      ...(told.content.kind === 'media' ? { awaitsFile: true as const } : {}),
    }
  }

  /** Somebody's program may name a message as another's was named: it is told apart, and changes nothing of the other. */
  const receiveOnce = async (arrival: MessageArrival): Promise<Received | null> => {
    try {
      return await receive(arrival)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'message_id_reused') throw error
      const [known] = await kit.messagesByExternalIds([arrival.externalId])
      const contact = await kit.contactOf(arrival.contact.externalId)
      // The same person's under the same id, with other words: the first that was taken in stays.
      if (!known || known.contactId === contact?.id) return null
      return receive({ ...arrival, externalId: `${arrival.externalId}~${arrival.contact.externalId}` })
    }
  }

  const takeMessage = async (told: MessageTold, raw: unknown): Promise<(() => Promise<void>) | null> => {
    const { externalId } = told
    if (told.own && (await isOurs(externalId))) return null
    const person = await people.identified(told.person, receive)
    const contact = externalIdOf(person)
    if (!contact) return null
    if (!told.own) await people.wrote(person)
    clearTimeout(expected.get(externalId))
    expected.delete(externalId)
    const words = !told.own && told.content.kind === 'text' ? told.content.text : ''
    const arrival = await withConsent(arrivalOf(told, person, contact), words, kit.contactOf)
    if ((await awaitedIds()).has(externalId)) {
      await receive({ kind: 'edit', externalId, text: arrival.text, ...optionalDetails(arrival.details) })
      await memory.remove(AWAITED + externalId)
      awaited?.delete(externalId)
    } else await receiveOnce(arrival)
    const { content } = told
    return content.kind === 'media' ? () => takeFile(told, raw, content.media, content.caption) : null
  }

  const takeFile = async (
    { externalId, sentAt }: MessageTold,
    raw: unknown,
    media: Media,
    caption: string,
  ): Promise<void> => {
    let fetched = await fetchFile(raw, media, stopping.signal)
    for (let tries = 1; fetched.kind === 'later' && tries < FILE_TRIES && !stopping.signal.aborted; tries += 1) {
      await pause(Math.min(1_000 * 2 ** tries, LONGEST_PAUSE_MS), undefined, { signal: stopping.signal }).catch(
        () => {},
      )
      fetched = await fetchFile(raw, media, stopping.signal)
    }
    const isOld = sentAt !== undefined && clock.now().getTime() - sentAt.getTime() > FILE_WITHIN_MS
    if (fetched.kind === 'later' && isOld) fetched = { kind: 'refused', reason: 'expired' }
    if (fetched.kind === 'later') {
      // It stays in the journal, and is asked for again when the phone is connected next.
      throw new AppError('unavailable', 'file_later', 'The file is not to be had at this moment.')
    }
    if (fetched.kind === 'refused') log.warn({ code: `file_${fetched.reason}` }, 'linked phone')
    await receive({ kind: 'edit', externalId, ...edited(media, caption, fetched) })
  }

  /** Only who wrote a message may change it, and only in the chat where it stands. */
  const change = async (told: Changed): Promise<void> => {
    const person = await people.identified(told.person, receive)
    const externalId = externalIdOf(person)
    if (!externalId || (told.own && told.kind === 'reaction')) return
    const [[message], contact] = await Promise.all([
      kit.messagesByExternalIds([told.externalId]),
      kit.contactOf(externalId),
    ])
    if (!message || message.contactId !== contact?.id) return log.warn({ code: 'change_of_unknown' }, 'linked phone')
    const isTheirs = message.author.kind === 'customer'
    if (told.kind === 'reaction') {
      await receive({ kind: 'reaction', externalId: told.externalId, emoji: told.emoji })
      return
    }
    if (isTheirs === told.own) return log.warn({ code: 'change_of_anothers' }, 'linked phone')
    const text = told.kind === 'revoke' ? null : toldBy(told.content).text
    await receive({ kind: 'edit', externalId: told.externalId, text })
  }

  const takeStatus = async ({ externalId, status, code }: Extract<Told, { kind: 'status' }>): Promise<void> => {
    const own = await ownNameOf(externalId, status)
    // Of a part that is not the last only its failure counts: then the whole did not arrive.
    if (own && !own.isLast && status !== 'refused') return
    const named = own ? { messageId: own.messageId, externalId: own.externalId } : { externalId }
    const reason = status === 'refused' ? { reason: `${code ?? 'refused'}: WhatsApp did not deliver it` } : {}
    await receive({ kind: 'status', ...named, status, ...reason })
  }

  /** Not shown at once: its sender is asked again, and mostly it comes within seconds. */
  const expect = ({ externalId, person, own, sentAt }: Extract<Told, { kind: 'undecrypted' }>): void => {
    if (own || expected.has(externalId)) return
    const show = async () => {
      if (!expected.delete(externalId)) return
      const known = await people.identified(person, receive)
      const contact = externalIdOf(known)
      if (!contact) return
      await memory.set(AWAITED + externalId, true)
      ;(await awaitedIds()).add(externalId)
      await receive({
        kind: 'message',
        externalId,
        contact: contactOf(known, contact),
        text: UNREADABLE,
        needsPerson: 'undecrypted',
        ...(sentAt ? { sentAt } : {}),
      })
    }
    const timer = setTimeout(() => void lanes.run(laneOf(person), async () => void (await surely(show))), againWithinMs)
    expected.set(externalId, timer.unref())
  }

  /** The store may be away for a while; nothing is given up for that. What is wrong in itself is named, and left. */
  const surely = async (work: () => Promise<void>): Promise<boolean> => {
    for (let tries = 0; !stopping.signal.aborted; tries += 1) {
      try {
        await work()
        return true
      } catch (err) {
        const isAway = err instanceof AppError ? err.kind === 'unavailable' : isOutage(err)
        const code = err instanceof AppError ? err.code : 'not_taken_in'
        log.warn({ code, tries }, 'linked phone')
        // What no outage explains stays in the journal, until the phone connects next: it must not hold up everybody else.
        if (!isAway && (err instanceof AppError || tries >= MOST_TRIES)) return false
        await pause(Math.min(250 * 2 ** tries, LONGEST_PAUSE_MS), undefined, { signal: stopping.signal }).catch(
          () => {},
        )
      }
    }
    return false
  }

  const takeTold = (told: Told, raw: unknown, journal: string | undefined): void => {
    const end = async () => {
      if (journal !== undefined) await surely(() => settled(journal))
    }
    switch (told.kind) {
      case 'ignored':
        log.debug({ code: told.name }, 'linked phone')
        return void end()
      case 'undecrypted':
        expect(told)
        return void end()
      case 'message':
        return void lanes.run(laneOf(told.person), async () => {
          let later: (() => Promise<void>) | null = null
          const isIn = await surely(async () => void (later = await takeMessage(told, raw)))
          if (!isIn) return
          const rest = later as (() => Promise<void>) | null
          if (!rest) return end()
          // A file may take a minute: what the person says next does not wait for it.
          void files.run(told.externalId, async () => {
            const isHere = await rest().then(
              () => true,
              () => false,
            )
            if (isHere) await end()
          })
        })
      case 'edit':
      case 'revoke':
      case 'reaction':
        return void lanes.run(laneOf(told.person), async () => {
          if (await surely(() => change(told))) await end()
        })
      case 'status':
        return void lanes.run(laneOf(told.person), async () => void (await surely(() => takeStatus(told))))
    }
  }

  const learnAll = (mappings: readonly unknown[]): void => {
    for (const raw of mappings) {
      const mapping = mappingOf(raw)
      if (!mapping) log.warn({ code: 'mapping_unreadable' }, 'linked phone')
      else
        void names.run(
          mapping.lid,
          async () => void (await surely(async () => void (await people.learn(mapping.lid, mapping.number, receive)))),
        )
    }
  }

  return {
    take: (event: Extract<SocketEvent, { kind: 'message' | 'history' | 'update' | 'reaction' | 'mapping' }>): void => {
      switch (event.kind) {
        case 'message':
          return takeTold(decodeMessage(event.raw), event.raw, event.journal)
        case 'update':
          return takeTold(decodeUpdate(event.raw), event.raw, undefined)
        case 'reaction':
          return takeTold(decodeReaction(event.raw), event.raw, undefined)
        case 'mapping':
          return learnAll([event.raw])
        case 'history':
          // It was said to people before this was linked: nobody waits for an answer to it.
          log.info({ messages: event.messages }, 'history of the linked phone left where it is')
          return learnAll(event.mappings)
      }
    },
    /** When all that was told has been taken in, files included. */
    idle: async (): Promise<void> => {
      await lanes.idle()
      await names.idle()
      await files.idle()
    },
    stop: async (): Promise<void> => {
      for (const timer of expected.values()) clearTimeout(timer)
      stopping.abort()
      await lanes.idle()
      await names.idle()
      await files.idle()
    },
  }
}

/** A hidden id is never shown as a number. */
const contactOf = ({ number }: Person, externalId: string, name?: string): MessageArrival['contact'] => ({
  externalId,
  ...(name ? { name } : {}),
  ...(number ? { phone: phoneOf(number) } : {}),
})

const optionalDetails = (details: Record<string, unknown> | undefined) => (details ? { details } : {})
