import type { ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import type { Clock as Now } from '../platform/clock.js'
import { readClocks, type Clock, type Span } from '../sla/clocks.js'
import { hoursUnder } from '../sla/timing.js'
import { explain, type Step } from '../sla/explain.js'
import { eventOf } from './clocks.js'
import type { Author, Message } from './message.js'
import { MESSAGES_PER_READ, type ConversationStore } from './store.mongo.js'

/** The promises of one conversation, each with the steps to its deadline or its end. */
export type ExplainedServiceLevels = {
  policy: { id: string; version: number; name: string }
  timeZone: string | null
  clocks: (Clock & { steps: Step[] })[]
  /** Whose word or deed each line of the timeline was that moved a clock, by its id. */
  authors: ReadonlyMap<string, Author>
  /** What the teams that had it were called then. */
  teamNames: ReadonlyMap<string, string>
  assistantFirstReply: Span | null
  handoffToHumanReply: Span | null
}

type Needs = {
  store: ConversationStore
  termsOf(companyId: string, ref: TermsRef): Promise<ServiceTerms>
  clock: Now
}

/**
 * Read from the timeline alone, as it stands: the explanation is the calculation, not a memory of it. `null`: nothing was
 * promised when the conversation began.
 */
export const makeExplainServiceLevels =
  ({ store, termsOf, clock }: Needs) =>
  async (companyId: string, conversationId: string): Promise<ExplainedServiceLevels | null> => {
    const { clocks: running, teamId } = await store.conversation(companyId, conversationId)
    if (!running) return null
    const terms = await termsOf(companyId, running.ref)
    const { policy, hours, teamHours } = terms
    const history = (await timeline(store, companyId, conversationId)).flatMap((line) => eventOf(line) ?? [])
    const reading = readClocks({ ...terms, priority: running.priority, history, now: clock.now() })
    const { assistantFirstReply, handoffToHumanReply } = reading
    const counting = hoursUnder(terms, { team: teamId ?? undefined })
    return {
      policy: { id: policy.id, version: policy.version, name: policy.name },
      authors: new Map(history.map(({ id, author }) => [id, author])),
      teamNames: new Map(
        history.flatMap((event) => (event.kind === 'team' && event.team ? [[event.team.id, event.team.name]] : [])),
      ),
      timeZone: policy.time === 'business' ? (counting?.timeZone ?? null) : null,
      clocks: reading.clocks.map((one) => ({ ...one, steps: explain(one, hours, teamHours) })),
      assistantFirstReply,
      handoffToHumanReply,
    }
  }

const timeline = async (store: ConversationStore, companyId: string, conversationId: string): Promise<Message[]> => {
  const found: Message[] = []
  for (;;) {
    const page = await store.messagesOf(companyId, conversationId, found.at(-1)?.seq ?? 0)
    found.push(...page)
    if (page.length < MESSAGES_PER_READ) return found
  }
}
