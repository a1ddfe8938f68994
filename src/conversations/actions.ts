import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { currentRequestId } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { assertTransition, type Conversation, type Priority, type State } from './conversation.js'
import type { Attachment, Author, Message, Origin, SentTemplate } from './message.js'
import type { Draft } from './documents.mongo.js'
import type { Appended, ConversationChange, Plan } from './fold.js'
import { newLetter } from './letters.js'
import { isAlreadySaid, type ConversationStore } from './store.mongo.js'
import { announce, eventLine, summarised } from './timeline.js'

/** Who does it: a person of the company, or an API key by its name. */
export type Person = { id: string; name: string }

type Target = { companyId: string; conversationId: string; person: Person }

type CancelledBy = { companyId: string; messageId: string; person: Person }

/** `clientId` makes saying it again harmless. */
type Said = Target & {
  text: string
  attachments?: readonly Attachment[]
  template?: SentTemplate | undefined
  clientId?: string | undefined
}

type Needs = {
  store: ConversationStore
  assistantPaused(companyId: string): Promise<boolean>
  /** Customers of this channel leave: what they do not read in time is mailed to them. */
  writesLetters(channel: Origin): boolean
  wakeAnswer(companyId: string, conversationId: string): void
  wakeDeliver(companyId: string, conversationId: string): void
  bus: Bus
  clock: Clock
  metrics: Metrics
}

const RELEASE_BATCH = 200

/** What people do with a conversation. Each is decided on the conversation as it is when it is written. */
export const makeActions = (needs: Needs) => {
  const { store, assistantPaused, writesLetters, wakeAnswer, wakeDeliver, bus, clock, metrics } = needs

  const change = async (
    { companyId, conversationId }: Target,
    plan: (conversation: Conversation, now: Date) => ReturnType<Plan>,
    choosing: { choosesAgain?: true } = {},
  ): Promise<Appended> => {
    const now = clock.now()
    const target = { companyId, conversationId, at: now, requestId: currentRequestId() ?? newId('req'), ...choosing }
    const appended = await store.change(target, (conversation) => plan(conversation, now))
    if (!appended) throw new AppError('not_found', 'conversation_not_found', 'There is no such conversation.')
    announce(bus, appended)
    return appended
  }

  const changed = async (target: Target, plan: Parameters<typeof change>[1]): Promise<Conversation> =>
    (await change(target, plan)).conversation

  /** A change by which another promise may be chosen. */
  const rechosen = async (target: Target, plan: Parameters<typeof change>[1]): Promise<Conversation> =>
    (await change(target, plan, { choosesAgain: true })).conversation

  /** Appends what a person's client may send again because it never heard that it arrived. */
  const say = async (
    target: Said,
    kind: 'message' | 'note',
    append: () => Promise<Appended>,
  ): Promise<{ message: Message; again: boolean }> => {
    const { companyId, conversationId, clientId } = target
    const before = async () => {
      const found = clientId ? await store.messageByClientId(companyId, conversationId, clientId) : null
      if (found && (found.kind !== kind || !saysTheSame(found, target))) {
        throw new AppError('conflict', 'id_reused', 'Another message was sent under this id.', { field: 'id' })
      }
      return found && { message: found, again: true }
    }
    const known = await before()
    if (known) return known
    try {
      return { message: onlyMessage(await append()), again: false }
    } catch (error) {
      const raced = isAlreadySaid(error) ? await before() : null
      if (!raced) throw error
      return raced
    }
  }

  /** What it said is not to reach the customer: a person looks. Where people have the conversation, nothing changes. */
  const takeFromAssistant = async ({ companyId, conversationId, text }: Message, person: Person): Promise<void> => {
    const at = clock.now()
    const handoff = { reason: 'requested_by_agent' as const, summary: summarised(text), at }
    const requestId = currentRequestId() ?? newId('req')
    const target = { companyId, conversationId, at, requestId, choosesAgain: true as const }
    const line = eventLine({ name: 'handoff', reason: handoff.reason }, authorOf(person))
    const appended = await store.change(target, ({ handler }) =>
      handler === 'assistant' ? { change: { handler: 'nobody', answerDue: null, handoff }, drafts: [line] } : null,
    )
    if (appended) announce(bus, appended)
  }

  return {
    /** A person answers the customer, and has the conversation from now on: the assistant falls silent. */
    speak: async (target: Said): Promise<Message> => {
      const { message, again } = await say(target, 'message', () =>
        change(target, (conversation, now) => {
          if (conversation.state === 'closed') throw closed()
          const letter = writesLetters(conversation) ? { letter: newLetter(now) } : {}
          return {
            change: {
              handler: 'agent',
              assignee: conversation.assignee ?? target.person,
              answerDue: null,
              ...reopened(conversation),
            },
            drafts: [
              ...reopening(conversation, target.person),
              { kind: 'message', ...saying(target), ...letter, deliver: true },
            ],
          }
        }),
      )
      if (again) return message
      metrics.messages.inc({ author: 'agent' })
      wakeDeliver(target.companyId, target.conversationId)
      return message
    },

    /** A line for colleagues; the customer never sees it. */
    note: async (target: Said): Promise<Message> => {
      const append = () => change(target, () => ({ change: {}, drafts: [{ kind: 'note', ...saying(target) }] }))
      return (await say(target, 'note', append)).message
    },

    /**
     * What has not left yet never leaves. The store decides between this and the sender: one of the two is told no. Twice is
     * harmless.
     */
    cancel: async ({ companyId, messageId, person }: CancelledBy): Promise<Message> => {
      const find = async () => {
        const found = await store.message(companyId, messageId)
        if (!found) throw new AppError('not_found', 'message_not_found', 'There is no such message.')
        return found
      }
      const message = await find()
      if (isCancelled(message)) return message
      // First, so that a crash in between leaves nobody in silence: whoever wants to stop the assistant looks at what it said.
      if (message.status === 'queued' && message.author.kind === 'assistant') await takeFromAssistant(message, person)
      const reason = `${CANCELLED}: ${person.name}`
      if (await store.cancelDelivery(message, clock.now(), reason)) {
        const { conversationId } = message
        bus.publish({ type: 'delivery', companyId, conversationId, messageId })
        wakeDeliver(companyId, conversationId)
      }
      const now = await find()
      if (isCancelled(now)) return now
      throw new AppError('conflict', 'too_late_to_cancel', 'The message is being sent at this moment, or has left.')
    },

    /** Giving it to a person takes it from the assistant; taking it from the person puts it back into the human queue. */
    assign: (target: Target & { assignee: Person | null }) =>
      changed(target, (conversation) => ({
        change: target.assignee
          ? { assignee: target.assignee, handler: 'agent', answerDue: null }
          : { assignee: null, handler: conversation.handler === 'agent' ? 'nobody' : conversation.handler },
        drafts: [eventLine({ name: 'assigned', to: target.assignee?.name ?? null }, authorOf(target.person))],
      })),

    /** What somebody outside of the team had in hand waits for the team: that is what giving it to another team means. */
    assignTeam: (target: Target & { team: { id: string; name: string; members: readonly string[] } | null }) =>
      rechosen(target, ({ teamId = null, assignee, handler }) => {
        const { team, person } = target
        const isReleased = team !== null && assignee !== null && !team.members.includes(assignee.id)
        const to = team && { id: team.id, name: team.name }
        return {
          change: {
            teamId: team?.id ?? null,
            ...(isReleased ? { assignee: null, handler: handler === 'agent' ? 'nobody' : handler } : {}),
          },
          drafts: [
            ...(teamId === (team?.id ?? null) ? [] : [eventLine({ name: 'team', to }, authorOf(person))]),
            ...(isReleased ? [eventLine({ name: 'assigned', to: null }, authorOf(person))] : []),
          ],
        }
      }),

    setState: (target: Target & { state: State; reason?: string | undefined }) =>
      changed(target, (conversation, now) => {
        const { state: to, reason } = target
        assertTransition(conversation.state, to, 'person')
        return {
          change: { state: to, resolvedAt: to === 'resolved' ? now : null, ...(isOver(to) ? { answerDue: null } : {}) },
          drafts:
            conversation.state === to
              ? []
              : [
                  eventLine(
                    { name: 'state', from: conversation.state, to, ...(reason ? { reason } : {}) },
                    authorOf(target.person),
                  ),
                ],
        }
      }),

    handoff: (target: Target & { reason: string }) =>
      rechosen(target, (conversation, now) => {
        if (conversation.state === 'closed') throw closed()
        return {
          change: {
            handler: 'nobody',
            assignee: null,
            answerDue: null,
            handoff: { reason: 'requested_by_agent', summary: target.reason, at: now },
          },
          drafts: [eventLine({ name: 'handoff', reason: 'requested_by_agent' }, authorOf(target.person))],
        }
      }),

    /** Back to the assistant, which answers at once what the customer still waits for. */
    resume: async (target: Target): Promise<Conversation> => {
      if (await assistantPaused(target.companyId)) {
        throw new AppError(
          'conflict',
          'assistant_paused',
          'The assistant is paused for the company. Let it go on first.',
        )
      }
      const requestId = currentRequestId() ?? newId('req')
      const conversation = await changed(target, (current, now) => {
        if (current.state === 'closed') throw closed()
        const answerDue = { since: now, attempts: 0, notBefore: now, requestId }
        return {
          change: { handler: 'assistant', assignee: null, handoff: null, answerDue },
          drafts: [eventLine({ name: 'resumed' }, authorOf(target.person))],
        }
      })
      wakeAnswer(target.companyId, target.conversationId)
      return conversation
    },

    /** Everything that somebody had in hand goes back to the human queue, because they no longer belong to the company. */
    releaseAll: async (companyId: string, gone: string, person: Person): Promise<void> => {
      for (let left = true; left; ) {
        const found = await store.assignedTo(companyId, gone, RELEASE_BATCH)
        for (const { _id: conversationId } of found) {
          await changed({ companyId, conversationId, person }, () => ({
            change: { assignee: null, handler: 'nobody' },
            drafts: [eventLine({ name: 'assigned', to: null }, authorOf(person))],
          }))
        }
        left = found.length === RELEASE_BATCH
      }
    },

    /** What a team has is nobody's from now on, because there is no such team any more. */
    releaseTeam: async (companyId: string, teamId: string, person: Person): Promise<void> => {
      for (let left = true; left; ) {
        const found = await store.ofTeam(companyId, teamId, RELEASE_BATCH)
        for (const { _id: conversationId } of found) {
          await rechosen({ companyId, conversationId, person }, () => ({
            change: { teamId: null },
            drafts: [eventLine({ name: 'team', to: null }, authorOf(person))],
          }))
        }
        left = found.length === RELEASE_BATCH
      }
    },

    setTags: (target: Target & { tags: string[] }) =>
      rechosen(target, () => ({ change: { tags: [...new Set(target.tags)] }, drafts: [] })),

    /** Of the customer, in all of their conversations; what is not resolved may be promised something else by it. */
    setTier: async (target: Target & { tier: string | null }): Promise<Conversation> => {
      const { companyId, conversationId, person } = target
      const { contactId } = await store.conversation(companyId, conversationId)
      await store.setContactTier(companyId, contactId, target.tier)
      const others = (await store.unresolvedOfContact(companyId, contactId)).filter((id) => id !== conversationId)
      for (const id of others) {
        await rechosen({ companyId, conversationId: id, person }, () => ({ change: {}, drafts: [] }))
      }
      return rechosen(target, () => ({ change: {}, drafts: [] }))
    },

    setPriority: (target: Target & { priority: Priority }) =>
      rechosen(target, ({ priority: from }) => ({
        change: { priority: target.priority },
        drafts:
          from === target.priority
            ? []
            : [eventLine({ name: 'priority', from, to: target.priority }, authorOf(target.person))],
      })),
  }
}

const authorOf = ({ id, name }: Person): Author => ({ kind: 'agent', id, name })

const saying = ({ person, text, attachments = [], template, clientId }: Said) => ({
  author: authorOf(person),
  text,
  ...(attachments.length > 0 ? { attachments: [...attachments] } : {}),
  ...(template ? { template } : {}),
  ...(clientId ? { clientId } : {}),
})

const saysTheSame = (message: Message, { text, attachments = [] }: Said): boolean =>
  message.text === text && idsOf(message.attachments ?? []) === idsOf(attachments)

const idsOf = (attachments: readonly Attachment[]): string => attachments.map(({ id }) => id).join()

/** The code of a message that a person cancelled; its words are their name. */
const CANCELLED = 'cancelled'

const isCancelled = ({ status, reason }: Message): boolean =>
  status === 'refused' && reason?.startsWith(`${CANCELLED}: `) === true

const isOver = (state: State) => state === 'resolved' || state === 'closed'

/** Whoever speaks into a resolved conversation takes it up again. */
const reopened = (conversation: Conversation): ConversationChange =>
  conversation.state === 'resolved' ? { state: 'open', resolvedAt: null } : {}

const reopening = ({ state: from }: Conversation, person: Person): Draft[] =>
  from === 'resolved' ? [eventLine({ name: 'state', from, to: 'open' }, authorOf(person))] : []

const closed = () =>
  new AppError(
    'conflict',
    'conversation_closed',
    'The conversation is closed. A new message of the customer starts a new one.',
  )

const onlyMessage = ({ messages }: Appended): Message => {
  const message = messages.find(({ kind }) => kind !== 'event')
  if (!message) throw new AppError('internal', 'nothing_appended', 'A message was not appended.')
  return message
}
