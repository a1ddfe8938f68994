import type { Reachable, Template } from '../../channels/channel.js'
import type { Caller, Companies, Team } from '../../companies/companies.js'
import type { Conversation, Priority, State } from '../../conversations/conversation.js'
import type { InboxFilter, Seen } from '../../conversations/inbox.js'
import type { Outlook } from '../../conversations/letters.js'
import type { Attachment, Letter, Message, Origin, Original, SentTemplate } from '../../conversations/message.js'
import type { ExplainedServiceLevels } from '../../conversations/service-levels.js'
import { AppError } from '../../platform/errors.js'
import { contract } from '../contract.js'
import type { ConversationDto, MessageDto } from '../contract/conversations.js'
import { endpoint, type Download, type Endpoint } from '../endpoint.js'
import type { IncomingFile } from '../form.js'
import { toServiceLevels } from './explained-service-levels.js'

/** Somebody acts on a conversation: every use case takes these. */
type Act = { companyId: string; conversationId: string; person: { id: string; name: string } }

type Saying = {
  text: string
  attachments: Attachment[]
  template?: SentTemplate | undefined
  clientId: string | undefined
}

type Counts = {
  all: number
  mine: number
  waiting: number
  teams: { teamId: string; all: number; waiting: number }[]
}

/** Whose file it is until a message names it. */
type Owner = { companyId: string; ownerId: string }

export type ConversationsNeeds = {
  inbox: {
    list(companyId: string, filter: InboxFilter): Promise<{ conversations: Seen[]; nextCursor: string | null }>
    counts(companyId: string, personId: string): Promise<Counts>
    get(companyId: string, id: string): Promise<Seen>
    message(companyId: string, id: string): Promise<Message | null>
    /** Adds who wrote it. */
    see(companyId: string, conversation: Conversation): Promise<Seen>
    messages(companyId: string, id: string, after?: number): Promise<Message[]>
    original(companyId: string, messageId: string): Promise<Original | null>
  }
  actions: {
    speak(act: Act & Saying): Promise<Message>
    note(act: Act & Saying): Promise<Message>
    /** Throws `too_late_to_cancel`. */
    cancel(act: Omit<Act, 'conversationId'> & { messageId: string }): Promise<Message>
    assign(act: Act & { assignee: { id: string; name: string } | null }): Promise<Conversation>
    assignTeam(act: Act & { team: Pick<Team, 'id' | 'name' | 'members'> | null }): Promise<Conversation>
    setState(act: Act & { state: State; reason?: string | undefined }): Promise<Conversation>
    handoff(act: Act & { reason: string }): Promise<Conversation>
    resume(act: Act): Promise<Conversation>
    setTags(act: Act & { tags: string[] }): Promise<Conversation>
    setTier(act: Act & { tier: string | null }): Promise<Conversation>
    setPriority(act: Act & { priority: Priority }): Promise<Conversation>
  }
  attachments: {
    accept(owner: Owner, file: IncomingFile): Promise<{ attachment: Attachment; ticket: string }>
    redeem(owner: Owner, tickets: readonly string[]): Attachment[]
  }
  /** Throws `not_found` where no message of the company's brought it. */
  openAttachment(companyId: string, fileId: string): Promise<Download>
  /** What becomes of a reply to a customer who has left; `null`: they do not leave. */
  outlookOf(conversation: Seen): Outlook | null
  explainServiceLevels(companyId: string, conversationId: string): Promise<ExplainedServiceLevels | null>
  channels: {
    /** Whether free text may be sent to the conversation's customer now. */
    reachable(origin: Origin, conversationId: string): Promise<Reachable>
    templates(companyId: string, channelId: string): Promise<Template[]>
  }
  companies: Pick<Companies, 'teams'>
  people: { get(companyId: string, id: string): Promise<{ id: string; name: string }> }
}

type Said = {
  caller: Caller
  body: {
    text: string
    attachments?: string[] | undefined
    template?: SentTemplate | undefined
    id?: string | undefined
  }
}

const { conversations: routes } = contract
const ME = 'me'
const NOBODY = 'nobody'
const MINE = 'mine'
const NONE = 'none'

export const makeConversationsRouter = ({
  inbox,
  actions,
  attachments,
  openAttachment,
  outlookOf,
  explainServiceLevels,
  channels,
  companies: { teams },
  people,
}: ConversationsNeeds): Endpoint[] => {
  /** Of a filter: the teams that are meant; `null`: of no team. */
  const teamsOf = async (caller: Caller, wanted: string | undefined) => {
    if (wanted === undefined) return undefined
    if (wanted === NONE) return null
    if (wanted !== MINE) return [wanted]
    return (await teams.list(caller.companyId)).filter(({ members }) => members.includes(caller.id)).map(({ id }) => id)
  }

  const teamOf = async (caller: Caller, id: string | null) => {
    if (id === null) return null
    const found = (await teams.list(caller.companyId)).find((team) => team.id === id)
    if (!found) throw new AppError('invalid', 'unknown_team', 'team: is not a team of this company', { field: 'team' })
    return found
  }

  const assigneeOf = async (caller: Caller, id: string | null) => {
    if (id === null) return null
    if (id === ME) return { id: caller.id, name: caller.name }
    const { name } = await people.get(caller.companyId, id).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.kind !== 'not_found') throw error
      throw new AppError('invalid', 'unknown_person', 'assignee: is not a person of this company', {
        field: 'assignee',
      })
    })
    return { id, name }
  }

  const seen = async ({ caller }: { caller: Caller }, conversation: Promise<Conversation>) =>
    toConversation(await inbox.see(caller.companyId, await conversation))

  const saying = ({ caller, body: { text, attachments: tickets = [], id } }: Said): Saying => {
    const files = attachments.redeem(ownerOf(caller), tickets)
    // What is said without a word is called by the names of its files.
    const words = text.trim() === '' ? files.map(({ name }) => name).join(', ') : text
    return { text: words, attachments: files, clientId: id }
  }

  /** Refuses now what the channel would refuse later, so that it can be said otherwise. */
  const reaching = async (origin: Origin, conversationId: string, words: Saying): Promise<Saying> => {
    const reach = await channels.reachable(origin, conversationId)
    if (reach.kind === 'closed') throw new AppError('conflict', reach.code, reach.message)
    return words
  }

  /** Templates reach people who may not be reached otherwise, but not those who said that they want none. */
  const assertWanted = async (origin: Origin, conversationId: string): Promise<void> => {
    const reach = await channels.reachable(origin, conversationId)
    if (reach.kind === 'closed' && reach.code === 'opted_out') throw new AppError('conflict', reach.code, reach.message)
  }

  /** A template as its reader will see it. */
  const filled = async (companyId: string, channelId: string, { name, language, parameters }: SentTemplate) => {
    const found = (await channels.templates(companyId, channelId)).find(
      (template) => template.name === name && template.language === language,
    )
    if (!found) throw unfit('unknown_template', 'The channel has no such template.')
    if (found.parameters !== parameters.length) {
      throw unfit('wrong_parameters', `The template takes ${found.parameters} parameters.`)
    }
    return found.text.replace(/\{\{(\d+)\}\}/gu, (mark, number: string) => parameters[Number(number) - 1] ?? mark)
  }

  return [
    endpoint(routes.list, async ({ caller, query }) => {
      const assignee = query.assignee === ME ? caller.id : query.assignee === NOBODY ? null : query.assignee
      const team = await teamsOf(caller, query.team)
      const { conversations, nextCursor } = await inbox.list(caller.companyId, { ...query, assignee, team })
      return { conversations: conversations.map(toConversation), nextCursor }
    }),
    endpoint(routes.counts, ({ caller }) => inbox.counts(caller.companyId, caller.id)),
    endpoint(routes.get, async ({ caller, params }) => {
      const found = await inbox.get(caller.companyId, params.id)
      const reach = toReach(await channels.reachable(found, found.id), outlookOf(found))
      return { ...toConversation(found), reach }
    }),
    endpoint(routes.messages, async ({ caller, params, query }) => ({
      messages: (await inbox.messages(caller.companyId, params.id, query.after)).map(toMessage),
    })),
    endpoint(routes.original, async ({ caller, params }) => {
      const found = await inbox.original(caller.companyId, params.id)
      if (!found)
        throw new AppError('not_found', 'original_not_found', 'There is no more of this message than it shows.')
      return found
    }),
    endpoint(routes.attachment, ({ caller, params }) => openAttachment(caller.companyId, params.id)),
    endpoint(routes.addAttachment, async ({ caller, form }) => {
      if (!form) throw new AppError('invalid', 'invalid', 'file: is required', { field: 'file' })
      // What is not put into a message is swept.
      const { file } = await form(
        (given) => attachments.accept(ownerOf(caller), given),
        async () => {},
      )
      return { ...file.attachment, ticket: file.ticket }
    }),
    endpoint(routes.serviceLevels, async ({ caller, params }) =>
      toServiceLevels(await explainServiceLevels(caller.companyId, params.id)),
    ),
    endpoint(routes.speak, async (input) => {
      const { companyId } = input.caller
      const { channelId, id } = await inbox.get(companyId, input.params.id)
      const { template } = input.body
      if (template) await assertWanted({ companyId, channelId }, id)
      const words = template
        ? { text: await filled(companyId, channelId, template), attachments: [], template, clientId: input.body.id }
        : await reaching({ companyId, channelId }, id, saying(input))
      return toMessage(await actions.speak({ ...actOf(input), ...words }))
    }),
    endpoint(routes.note, async (input) => toMessage(await actions.note({ ...actOf(input), ...saying(input) }))),
    endpoint(routes.cancel, async ({ caller: { companyId, id, name }, params }) =>
      toMessage(await actions.cancel({ companyId, messageId: params.id, person: { id, name } })),
    ),
    endpoint(routes.assign, async (input) => {
      const assignee = await assigneeOf(input.caller, input.body.assignee)
      return seen(input, actions.assign({ ...actOf(input), assignee }))
    }),
    endpoint(routes.assignTeam, async (input) => {
      const team = await teamOf(input.caller, input.body.team)
      return seen(input, actions.assignTeam({ ...actOf(input), team }))
    }),
    endpoint(routes.setState, (input) => seen(input, actions.setState({ ...actOf(input), ...input.body }))),
    endpoint(routes.handoff, (input) => seen(input, actions.handoff({ ...actOf(input), ...input.body }))),
    endpoint(routes.resume, (input) => seen(input, actions.resume(actOf(input)))),
    endpoint(routes.setTags, (input) => seen(input, actions.setTags({ ...actOf(input), ...input.body }))),
    endpoint(routes.setTier, (input) => seen(input, actions.setTier({ ...actOf(input), ...input.body }))),
    endpoint(routes.setPriority, (input) => seen(input, actions.setPriority({ ...actOf(input), ...input.body }))),
  ]
}

const unfit = (code: string, message: string) => new AppError('invalid', code, message, { field: 'template' })

const toReach = (reach: Reachable, whenGone: Outlook | null): NonNullable<ConversationDto['reach']> => {
  if (reach.kind !== 'open') return reach
  const { until } = reach
  return { kind: 'open', ...(until ? { until: until.toISOString() } : {}), ...(whenGone ? { whenGone } : {}) }
}

const toLetter = ({ state, to, reason, detail, endedAt }: Letter): NonNullable<MessageDto['letter']> => ({
  state,
  ...(to ? { to } : {}),
  ...(reason ? { reason } : {}),
  ...(detail ? { detail } : {}),
  ...(endedAt ? { at: endedAt.toISOString() } : {}),
})

const actOf = ({ caller, params }: { caller: Caller; params: { id: string } }): Act => ({
  companyId: caller.companyId,
  conversationId: params.id,
  person: { id: caller.id, name: caller.name },
})

const ownerOf = ({ companyId, id }: Caller): Owner => ({ companyId, ownerId: id })

/** What stays inside: the outbox (`answerDue`), the lease and the company. */
export const toConversation = (given: Seen): ConversationDto => ({
  id: given.id,
  channelId: given.channelId,
  contactId: given.contactId,
  contact: toContact(given.contact),
  previousId: given.previousId,
  state: given.state,
  handler: given.handler,
  assignee: given.assignee,
  teamId: given.teamId ?? null,
  priority: given.priority,
  tags: given.tags,
  seq: given.seq,
  version: given.version,
  handoff: given.handoff && { ...given.handoff, at: given.handoff.at.toISOString() },
  lastMessage: { ...given.lastMessage, at: given.lastMessage.at.toISOString() },
  ...(given.clocks?.due ? { due: { ...given.clocks.due, at: given.clocks.due.at.toISOString() } } : {}),
  createdAt: given.createdAt.toISOString(),
  updatedAt: given.updatedAt.toISOString(),
  resolvedAt: given.resolvedAt?.toISOString() ?? null,
})

/** What a channel calls them stays inside. */
const toContact = ({ id, name, email, phone, reference, verified, tier, blocked }: Seen['contact']) => ({
  id,
  ...(name ? { name } : {}),
  ...(email ? { email } : {}),
  ...(phone ? { phone } : {}),
  ...(reference ? { reference } : {}),
  ...(verified ? { verified } : {}),
  ...(tier ? { tier } : {}),
  ...(blocked ? { blocked } : {}),
})

export const toMessage = (given: Message): MessageDto => ({
  id: given.id,
  seq: given.seq,
  kind: given.kind,
  author: given.author.kind,
  ...(given.author.name === undefined ? {} : { authorName: given.author.name }),
  text: given.text,
  citations: given.citations,
  ...(given.attachments === undefined ? {} : { attachments: given.attachments.map(toAttachment) }),
  ...(given.mode === undefined ? {} : { mode: given.mode }),
  ...(given.decisionId === undefined ? {} : { decisionId: given.decisionId }),
  ...(given.choices === undefined ? {} : { choices: given.choices.map(({ label }) => label) }),
  ...(given.about === undefined ? {} : { about: given.about }),
  ...(given.talk === undefined ? {} : { talk: given.talk }),
  ...(given.feedback === undefined
    ? {}
    : { feedback: { rating: given.feedback.rating, at: given.feedback.at.toISOString() } }),
  ...(given.automatic === undefined ? {} : { automatic: given.automatic }),
  ...(given.needsPerson === undefined ? {} : { needsPerson: given.needsPerson }),
  ...(given.isBeingRead === undefined ? {} : { isBeingRead: given.isBeingRead }),
  ...(given.details === undefined ? {} : { details: given.details }),
  ...(given.template === undefined ? {} : { template: given.template }),
  ...(given.edits === undefined ? {} : { edits: given.edits.map(({ text, at }) => ({ text, at: at.toISOString() })) }),
  ...(given.revoked === undefined ? {} : { revoked: given.revoked }),
  ...(given.reaction === undefined ? {} : { reaction: given.reaction }),
  ...(given.event === undefined ? {} : { event: given.event }),
  ...(given.clientId === undefined ? {} : { clientId: given.clientId }),
  status: given.status,
  ...(given.reason === undefined ? {} : { reason: given.reason }),
  ...(given.nextTryAt === undefined ? {} : { nextTryAt: given.nextTryAt.toISOString() }),
  ...(given.letter === undefined ? {} : { letter: toLetter(given.letter) }),
  at: given.at.toISOString(),
})

const toAttachment = ({ text, ...file }: Attachment): NonNullable<MessageDto['attachments']>[number] => ({
  ...file,
  ...(text ? { text: { ...text, at: text.at.toISOString() } } : {}),
})
