import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { Attendance } from './attendance.js'
import { toMessage } from './documents.mongo.js'
import type { Contact } from './contacts.mongo.js'
import type { Conversation } from './conversation.js'
import type { LetterDocument, LetterStore } from './letters.mongo.js'
import type { ComposedLetter, Letter, LetterGiven, Origin, OutboundLetter, Receipt, Unmailed } from './message.js'
import type { ConversationStore } from './store.mongo.js'

/** Who takes a letter out of the house. A broken network throws `unavailable`; anything else that is thrown leaves it unknown. */
export type Carrier = {
  /** An answer to the mail comes back into the conversation. */
  answerable: boolean
  carry(letter: OutboundLetter, signal: AbortSignal): Promise<Receipt>
}

type Needs = {
  store: Pick<ConversationStore, 'findConversation' | 'contact' | 'recentMessages'>
  letters: LetterStore
  attendance: Pick<Attendance, 'isHere' | 'seen'>
  /** In the channel's words; throws `unavailable` where the channel is not open. */
  compose(channel: Origin, given: LetterGiven): Promise<ComposedLetter>
  /** `null`: this company has no way to send a mail. */
  carrierOf(companyId: string): Carrier | null
  companyName(companyId: string): Promise<string>
  stopUrl(companyId: string, conversationId: string): string
  bus: Bus
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'letters'>
}

/** A customer who has left may come back by then; and what follows soon after goes with the same mail. */
const GRACE_MS = 2 * 60_000
/**
 * Whoever is there this long before is there to stay: a line that went dead unheard is known to be dead by then, and each
 * process notes its own customers before any process mails.
 */
const SETTLED_MS = 60_000
const SEND_MS = 15_000
/** A crash frees what was being sent after this long; whether it went out, nobody knows then. */
const HOLD_MS = 60_000
const MAX_ATTEMPTS = 6
const LONGEST_PAUSE_MS = 60 * 60_000
/** A server that puts it off for longer does not want it. */
const MOST_WAIT_MS = 24 * 60 * 60_000
const retryAfterMs = (attempts: number) => Math.min(30_000 * 4 ** (attempts - 1), LONGEST_PAUSE_MS)
const BATCH = 200
const HISTORY = 60

/** Of what a person has just written to a customer who may have left. */
export const newLetter = (now: Date): Letter => ({
  state: 'waiting',
  attempts: 0,
  notBefore: new Date(now.getTime() + GRACE_MS),
})

/** Why a mail will not follow the customer who leaves; `null`: it will. */
const unmailedBecause = (
  { blocked, mailStopped }: Pick<Conversation, 'blocked' | 'mailStopped'>,
  { email }: Pick<Contact, 'email'>,
  carrier: Carrier | null,
): Unmailed | null => {
  if (blocked) return 'blocked'
  if (mailStopped) return 'stopped'
  if (!carrier) return 'no_mail'
  return email ? null : 'no_address'
}

type Attempt = Receipt | { kind: 'unreachable' } | { kind: 'unknown' }

/**
 * Mails what people wrote to customers who left before they read it. Held in the store before it is sent, so that no second worker
 * and no restart sends it again: where a crash leaves it unknowable whether a mail went out, an agent is told.
 */
export const makeMailLetters = (needs: Needs) => {
  const { store, letters, attendance, compose, carrierOf, companyName, stopUrl, bus, clock, log, metrics } = needs

  const ended = async (
    some: readonly LetterDocument[],
    from: Letter['state'],
    ending: Parameters<LetterStore['end']>[2],
  ): Promise<void> => {
    if (some.length === 0) return
    await letters.end(idsOf(some), from, ending, clock.now())
    metrics.letters.inc(
      { outcome: ending.state === 'unsent' ? (ending.reason ?? 'unsent') : ending.state },
      some.length,
    )
    tell(some)
  }

  const tell = (some: readonly LetterDocument[]): void => {
    for (const { companyId, conversationId, _id: messageId } of some) {
      bus.publish({ type: 'delivery', companyId, conversationId, messageId })
    }
  }

  const treat = async (all: readonly LetterDocument[], now: Date): Promise<void> => {
    const isDue = ({ letter }: LetterDocument) => letter.notBefore !== undefined && letter.notBefore <= now
    // Held, and never finished: whoever sent them died.
    await ended(
      all.filter((one) => one.letter.state === 'sending' && isDue(one)),
      'sending',
      { state: 'uncertain', reason: 'unknown' },
    )
    const waiting = all.filter(({ letter }) => letter.state === 'waiting')
    const [first] = waiting
    if (!first) return
    if (attendance.isHere(first.contactId)) return attendance.seen(waiting.map(toMessage))
    const head = waiting.find(isDue)
    if (head) await mail(head)
  }

  const mail = async (head: LetterDocument): Promise<void> => {
    const { companyId, conversationId, contactId, _id: id } = head
    const [conversation, contact, history, company] = await Promise.all([
      store.findConversation(companyId, conversationId),
      store.contact(companyId, contactId),
      store.recentMessages(companyId, conversationId, HISTORY),
      companyName(companyId),
    ])
    const carrier = carrierOf(companyId)
    const obstacle = unmailedBecause(conversation ?? {}, contact ?? {}, carrier)
    const held = await letters.claim(head, inMs(clock, HOLD_MS))
    if (!held) return
    if (obstacle || !conversation || !contact?.email || !carrier) {
      return ended(held, 'sending', { state: 'unsent', reason: obstacle ?? 'no_address' })
    }
    const { email: to } = contact
    const url = stopUrl(companyId, conversationId)
    const { answerable } = carrier
    const given = { conversation, messages: held.map(toMessage), history, company, answerable, stopUrl: url }
    const composed = await compose(head, given).catch((err: unknown) => {
      log.warn({ err, conversationId }, 'letter not composed')
      return null
    })
    if (!composed) return settle(held, to, { kind: 'unreachable' })
    const references = [...new Set(history.flatMap(({ letter }) => letter?.mailId ?? []))]
    const letter = { ...composed, id, conversationId, to, references, stopUrl: url }
    const attempt = await sendWithin((signal) => carrier.carry(letter, signal))
    log.info({ conversationId, messageId: id, letters: held.length, outcome: attempt.kind }, 'letter')
    return settle(held, to, attempt)
  }

  const sendWithin = async (send: (signal: AbortSignal) => Promise<Receipt>): Promise<Attempt> => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), SEND_MS)
    const aborted = new Promise<Attempt>((resolve) => {
      late.signal.addEventListener('abort', () => resolve({ kind: 'unknown' }))
    })
    const sending = send(late.signal).catch((err: unknown): Attempt => {
      log.warn({ err }, 'letter not sent')
      return err instanceof AppError && err.kind === 'unavailable' ? { kind: 'unreachable' } : { kind: 'unknown' }
    })
    return Promise.race([sending, aborted]).finally(() => clearTimeout(timer))
  }

  const settle = async (held: readonly LetterDocument[], to: string, attempt: Attempt): Promise<void> => {
    const attempts = Math.max(...held.map(({ letter }) => letter.attempts))
    switch (attempt.kind) {
      case 'sent':
        return ended(held, 'sending', {
          state: 'sent',
          to,
          ...(attempt.externalId ? { mailId: attempt.externalId } : {}),
        })
      case 'refused':
        return ended(held, 'sending', { state: 'refused', to, reason: 'not_taken', detail: wordsIn(attempt) })
      case 'unknown':
        // A second copy is worse than a person who looks.
        return ended(held, 'sending', { state: 'uncertain', to, reason: 'unknown' })
      case 'later': {
        const { afterMs } = attempt
        const detail = wordsIn(attempt)
        const isTooLong = held.some(({ at }) => clock.now().getTime() - at.getTime() > MOST_WAIT_MS)
        if (isTooLong) return ended(held, 'sending', { state: 'refused', to, reason: 'not_taken', detail })
        return letters.putBack(idsOf(held), inMs(clock, afterMs), { uncounted: true })
      }
      case 'deferred':
      case 'unreachable': {
        const why = attempt.kind === 'deferred' ? { detail: wordsIn(attempt) } : {}
        if (attempts >= MAX_ATTEMPTS)
          return ended(held, 'sending', { state: 'refused', to, reason: 'unreachable', ...why })
        metrics.letters.inc({ outcome: 'unreachable' }, held.length)
        return letters.putBack(idsOf(held), inMs(clock, retryAfterMs(attempts)))
      }
    }
  }

  return async (): Promise<void> => {
    const now = clock.now()
    const due = await letters.due(new Date(now.getTime() + SETTLED_MS), BATCH)
    for (const conversationId of new Set(due.map((one) => one.conversationId))) {
      const all = due.filter((one) => one.conversationId === conversationId).sort((one, other) => one.seq - other.seq)
      await withRequestId(conversationId, () => treat(all, now)).catch((err: unknown) =>
        log.warn({ err, conversationId }, 'letters not mailed'),
      )
    }
  }
}

/** Without the code before them. */
const wordsIn = ({ reason }: { reason: string }): string => reason.replace(/^[a-z_]+: /, '')

const idsOf = (some: readonly LetterDocument[]): string[] => some.map(({ _id }) => _id)
const inMs = (clock: Clock, ms: number): Date => new Date(clock.now().getTime() + ms)

/** The mail that this message named came back undelivered, however long it took. `false`: there is no such mail. */
export const makeLetterCameBack =
  ({ letters, bus, metrics }: Pick<Needs, 'letters' | 'bus' | 'metrics'>) =>
  async (companyId: string, messageId: string, detail: string): Promise<boolean> => {
    const back = await letters.cameBack(companyId, messageId, detail)
    if (back.length > 0) metrics.letters.inc({ outcome: 'came_back' }, back.length)
    for (const { conversationId, _id } of back)
      bus.publish({ type: 'delivery', companyId, conversationId, messageId: _id })
    return back.length > 0
  }

/** What becomes of what a person writes, if the customer has left by then. */
export type Outlook = { kind: 'mailed'; to: string } | { kind: 'unread'; reason: Unmailed }

type OutlookNeeds = Pick<Needs, 'carrierOf'> & { writesLetters(channel: Origin): boolean }

/** `null`: customers of this channel do not leave. */
export const makeOutlook =
  ({ carrierOf, writesLetters }: OutlookNeeds) =>
  (conversation: Conversation & { contact: Pick<Contact, 'email'> }): Outlook | null => {
    if (!writesLetters(conversation) || conversation.state === 'closed') return null
    const { companyId, contact } = conversation
    const reason = unmailedBecause(conversation, contact, carrierOf(companyId))
    return reason ? { kind: 'unread', reason } : { kind: 'mailed', to: contact.email ?? '' }
  }
