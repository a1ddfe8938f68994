import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Mail } from '../platform/mail.js'
import type { MessageDocument } from './documents.mongo.js'
import type { Conversation } from './conversation.js'
import type { Opening } from './opening-notice.js'
import type { ConversationStore } from './store.mongo.js'

/** Somebody who is told, as the company knows them. */
type Recipient = { id: string; email: string }

type Needs = {
  store: Pick<ConversationStore, 'claimMail' | 'mailed' | 'endMail' | 'list' | 'contacts'>
  /** Whose it is, if they want mail; of what is in nobody's hands, the admins who do. */
  recipients(companyId: string, assigneeId: string | null): Promise<Recipient[]>
  openingOf(companyId: string, channelId: string, teamId?: string | null): Promise<Opening>
  send(mail: Mail): Promise<void>
  publicUrl: string
  clock: Clock
  log: Log
}

/** A crash or a mail server that is away frees what was claimed after this long. */
const HOLD_MS = 60_000
const BATCH = 100
const MAX_ATTEMPTS = 8
/** Nobody wants to read tomorrow what was due today. */
const STALE_MS = 24 * 60 * 60 * 1000

type Line = { message: MessageDocument; conversation: Conversation; customer: string; timeZone: string }

/**
 * Mails warnings and breaches, once for each line of the timeline that says so: the line carries its way out, and to whom it
 * went, so no restart and no second worker repeats it. What came up together goes to each person as one mail. Only a crash
 * between a mail server's yes and writing it down can repeat a mail: better than a breach that nobody hears of.
 */
export const makeMailPromises = (needs: Needs) => async (): Promise<void> => {
  const { store, recipients, send, clock, log } = needs
  const lines = await seen(needs, await claim(store, clock))
  const letters = new Map<string, { to: Recipient; lines: Line[] }>()
  const failed = new Set<string>()
  const told = new Map<string, number>()
  for (const line of lines) {
    const { message, conversation } = line
    const people = await recipients(message.companyId, conversation.assignee?.id ?? null)
    told.set(message._id, people.length)
    for (const to of people) {
      if (message.mail?.done?.includes(to.id)) continue
      const letter = letters.get(to.id) ?? { to, lines: [] }
      letter.lines.push(line)
      letters.set(to.id, letter)
    }
  }
  for (const { to, lines: theirs } of letters.values()) {
    const ids = theirs.map(({ message }) => message._id)
    try {
      await send(letterOf(to.email, theirs, needs.publicUrl))
      await store.mailed(ids, to.id)
    } catch (err) {
      log.warn({ err, lines: ids.length }, 'promised times not mailed')
      for (const id of ids) failed.add(id)
    }
  }
  const sent = lines.filter(({ message }) => !failed.has(message._id))
  for (const { message } of sent) await store.endMail(message._id, clock.now(), told.get(message._id) ?? 0)
}

const claim = async (store: Needs['store'], clock: Clock): Promise<MessageDocument[]> => {
  const claimed: MessageDocument[] = []
  while (claimed.length < BATCH) {
    const now = clock.now()
    const message = await store.claimMail(now, new Date(now.getTime() + HOLD_MS))
    if (!message) break
    const stale = now.getTime() - message.at.getTime() > STALE_MS
    if (stale || (message.mail?.attempts ?? 0) > MAX_ATTEMPTS) await store.endMail(message._id, now, 0)
    else claimed.push(message)
  }
  return claimed
}

/** With what a person needs to know of each. */
const seen = async ({ store, openingOf }: Needs, messages: readonly MessageDocument[]): Promise<Line[]> => {
  const lines: Line[] = []
  for (const companyId of new Set(messages.map((one) => one.companyId))) {
    const own = messages.filter((one) => one.companyId === companyId)
    const ids = [...new Set(own.map(({ conversationId }) => conversationId))]
    const conversations = await store.list({ companyId, _id: { $in: ids } }, { _id: 1 }, ids.length)
    const contacts = await store.contacts(
      companyId,
      conversations.map(({ contactId }) => contactId),
    )
    for (const message of own) {
      const conversation = conversations.find(({ id }) => id === message.conversationId)
      if (!conversation) continue
      const { name, email } = contacts.find(({ id }) => id === conversation.contactId) ?? {}
      const { hours } = await openingOf(companyId, conversation.channelId, conversation.teamId)
      lines.push({
        message,
        conversation,
        customer: plain(name ?? email ?? 'a visitor'),
        timeZone: hours?.timeZone ?? 'UTC',
      })
    }
  }
  return lines
}

const CLOCK_IN_WORDS = { first_response: 'first response', next_response: 'next response', resolution: 'resolution' }

const letterOf = (to: string, lines: readonly Line[], publicUrl: string): Mail => {
  const said = lines.flatMap(({ message: { event, conversationId }, customer, timeZone }) => {
    if (event?.name !== 'service_level') return []
    const what = event.change === 'breach' ? 'Promise broken' : 'Due soon'
    const due = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'medium', timeStyle: 'short' }).format(
      new Date(event.dueAt),
    )
    return [
      {
        headline: `${what}: ${CLOCK_IN_WORDS[event.clock]} to ${customer}`,
        rest: [`due ${due} (${timeZone})`, new URL(`/inbox/${encodeURIComponent(conversationId)}`, publicUrl).href],
      },
    ]
  })
  const [first] = said
  return {
    to,
    subject: said.length === 1 && first ? first.headline : `${said.length} promised times are near or have passed`,
    text: [
      ...said.map(({ headline, rest }) => [headline, ...rest].join('\n')),
      'You can switch these mails off in your profile.',
      '',
    ].join('\n\n'),
  }
}

const LONGEST_NAME = 60

/** A customer chose the name: one short line, and nothing in it that a mail program makes a link of. */
const plain = (name: string): string => {
  const line = name
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .replaceAll(/[:/<>]/g, '')
    .trim()
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME - 1)}…` : line
}
