import type { ServiceHours } from '../companies/service-levels.mongo.js'
import type { Clock } from '../platform/clock.js'
import { readClocks } from '../sla/clocks.js'
import { matchPolicy, type ClockKind, type Policy } from '../sla/policy.js'
import { eventOf, factsOf, FIRST } from './clocks.js'
import type { Conversation } from './conversation.js'
import type { Contact } from './contacts.mongo.js'
import type { ConversationStore } from './store.mongo.js'

type Kept = { met: number; breached: number }

export type PolicyPreview = {
  since: Date
  conversations: number
  /** There were more: only the newest were looked at. */
  cut: boolean
  /** To which none of the policies would have applied. */
  unpromised: number
  clocks: Record<ClockKind, { before: Kept; after: Kept }>
}

type Needs = {
  store: ConversationStore
  /** As they hold now. */
  hoursFor(companyId: string, channelId: string): Promise<ServiceHours>
  clock: Clock
}

const DAYS = 30
const MOST = 1_000
const DAY = 24 * 60 * 60 * 1000

/**
 * How the last 30 days would have looked under other policies, with the hours of today: the timelines are read again, nothing
 * is written. `before` is what the ledgers say.
 */
export const makePolicyPreview =
  ({ store, hoursFor, clock }: Needs) =>
  async (companyId: string, policies: readonly Policy[]): Promise<PolicyPreview> => {
    const now = clock.now()
    const since = new Date(now.getTime() - DAYS * DAY)
    const begun = { companyId, createdAt: { $gte: since } }
    const found = await store.list(begun, { createdAt: -1, _id: -1 }, MOST + 1)
    const conversations = found.slice(0, MOST)
    const contacts = await contactsOf(store, companyId, conversations)
    const clocks = nothingKept()
    let unpromised = 0
    for (const conversation of conversations) {
      const { id, channelId, contactId } = conversation
      const contact = contacts.get(contactId) ?? {}
      // As it is known now: tags, priority and language choose a promise again while a conversation goes on.
      const policy = matchPolicy(policies, factsOf(conversation, contact))
      if (!policy) {
        unpromised += 1
        continue
      }
      const hours = await hoursFor(companyId, channelId)
      const history = (await store.messagesOf(companyId, id)).flatMap((line) => eventOf(line) ?? [])
      const priority = policy.setsPriority ?? FIRST.priority
      for (const { kind, state } of readClocks({ policy, ...hours, priority, history, now }).clocks) {
        if (state === 'met' || state === 'breached') clocks[kind].after[state] += 1
      }
    }
    const looked = new Set(conversations.map(({ id }) => id))
    for await (const { conversationId, kind, state, targetMs } of store.clocksStarted(companyId, since, now)) {
      if (!looked.has(conversationId) || targetMs === null || !isClock(kind)) continue
      if (state === 'met' || state === 'breached') clocks[kind].before[state] += 1
    }
    return { since, conversations: conversations.length, cut: found.length > MOST, unpromised, clocks }
  }

const contactsOf = async (
  store: ConversationStore,
  companyId: string,
  conversations: readonly Conversation[],
): Promise<Map<string, Contact>> => {
  const ids = conversations.map(({ contactId }) => contactId)
  return new Map((await store.contacts(companyId, ids)).map((contact) => [contact.id, contact]))
}

const isClock = (kind: string): kind is ClockKind =>
  kind === 'first_response' || kind === 'next_response' || kind === 'resolution'

const nothingKept = (): PolicyPreview['clocks'] => {
  const none = () => ({ before: { met: 0, breached: 0 }, after: { met: 0, breached: 0 } })
  return { first_response: none(), next_response: none(), resolution: none() }
}
