import { z } from 'zod'
import type { Message } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import type { ChannelNamespace, ChannelRecord, ChannelRoute, PublicKit, RouteInput } from '../channel.js'
import * as frames from './frames.js'
import { writtenOn } from './letter.js'
import { makeSessions, visitorOf, type Session } from './session.js'
import { chatConfig, configOf } from './settings.js'

/** How long a changed look takes to be seen everywhere. */
const CONFIG_CACHE_SECONDS = 60

/** What a chat page on somebody's site may call: open a session, write, read, follow. */
export const makePublicApi = (kit: PublicKit): { routes: ChannelRoute[]; namespace: ChannelNamespace } => {
  const sessions = makeSessions(kit.secrets, kit.clock)

  /** An empty list allows any site; a client that is no browser sends no Origin. */
  const assertOrigin = (channel: ChannelRecord, origin: string | null): void => {
    const { origins } = channel.settings as { origins?: string[] }
    if (!origin || !origins || origins.length === 0 || origins.includes(origin)) return
    if (kit.ownOrigins.includes(origin)) return
    throw new AppError('forbidden', 'origin_not_allowed', 'This chat may not be used from this site.')
  }

  const channelOf = (session: Session, origin: string | null): ChannelRecord => {
    const channel = kit.channelById(session.channelId)
    if (!channel) throw new AppError('unauthenticated', 'channel_gone', 'This chat no longer exists.')
    assertOrigin(channel, origin)
    return channel
  }

  const channelByKey = (key: string, field: string, origin: string | null): ChannelRecord => {
    const channel = kit.channelByKey(key)
    if (!channel) throw new AppError('not_found', 'channel_not_found', 'There is no chat with this key.', { field })
    assertOrigin(channel, origin)
    return channel
  }

  const toFrame = (message: Message) =>
    frames.toFrame(message, (attachment) => kit.linkToFile(message.companyId, attachment))

  const write = async (
    { token, origin, address }: Client,
    { id, text, attachments: tickets = [], page, language }: z.infer<typeof frames.sendMessage>,
  ): Promise<{ messageId: string }> => {
    const session = sessions.read(token)
    const channel = channelOf(session, origin)
    await kit.limit('messages_per_visitor', session.visitorId)
    await kit.limit('messages_per_address', address)
    const place = writtenOn({ page, language })
    const attachments = kit.redeemFiles(channel, session.visitorId, tickets)
    const received = await kit.receive(channel, {
      kind: 'message',
      externalId: frames.externalIdOf(session.visitorId, id),
      contact: { externalId: session.visitorId, ...session.visitor },
      conversationId: session.conversationId,
      // Whoever sends a file without a word is quoted by its name.
      ...(text.trim() === ''
        ? { text: attachments.map(({ name }) => name).join(', '), wordless: true as const }
        : { text }),
      attachments,
      ...(Object.keys(place).length > 0 ? { details: { webchat: place } } : {}),
    })
    return { messageId: received.messageId }
  }

  const reader = async ({ token, origin }: Client) => {
    const { visitorId } = sessions.read(token)
    const channel = channelOf(sessions.read(token), origin)
    await kit.limit('reads_per_visitor', visitorId)
    return { channel, visitorId }
  }

  const read = async (client: Client, after?: string) => {
    const { channel, visitorId } = await reader(client)
    const messages = await kit.history(channel, visitorId, after)
    const token = sessions.renewed(client.token)
    const standing = frames.toStanding(await kit.standing(channel, visitorId))
    return { messages: messages.map(toFrame), standing, ...(token ? { token } : {}) }
  }

  /** Small changes count like messages: nobody makes hundreds of them in earnest. */
  const changer = async (client: Client) => {
    await kit.limit('messages_per_visitor', sessions.read(client.token).visitorId)
    return reader(client)
  }

  const routes: ChannelRoute[] = [
    {
      method: 'get',
      path: '/webchat/config',
      summary: 'How a chat looks',
      bearer: false,
      query: frames.readConfig,
      cacheSeconds: CONFIG_CACHE_SECONDS,
      status: 200,
      response: chatConfig,
      handle: async ({ query, origin }) =>
        configOf(channelByKey((query as z.infer<typeof frames.readConfig>).key, 'key', origin).settings),
    },
    {
      method: 'post',
      path: '/webchat/sessions',
      summary: 'Open a chat session for a visitor',
      bearer: false,
      body: frames.openSession,
      status: 201,
      response: frames.sessionOpened,
      handle: async ({ body, address, origin }) => {
        const { channelKey, visitor = {} } = body as z.infer<typeof frames.openSession>
        await kit.limit('sessions_per_address', address)
        const channel = channelByKey(channelKey, 'channelKey', origin)
        const { identitySecret } = channel.settings as { identitySecret?: string | null }
        const { token, session } = sessions.open(channel.id, visitorOf(visitor, identitySecret ?? null))
        return { token, conversationId: session.conversationId }
      },
    },
    {
      method: 'post',
      path: '/webchat/messages',
      summary: 'Write a message',
      bearer: true,
      body: frames.sendMessage,
      status: 202,
      response: frames.messageAccepted,
      handle: async (input) => write(clientOf(input), input.body as z.infer<typeof frames.sendMessage>),
    },
    {
      method: 'get',
      path: '/webchat/messages',
      summary: 'Read the chat, oldest message first',
      bearer: true,
      query: frames.readMessages,
      status: 200,
      response: frames.chatMessages,
      handle: async (input) => read(clientOf(input), (input.query as z.infer<typeof frames.readMessages>).after),
    },
    {
      method: 'get',
      path: '/webchat/source',
      summary: 'Read the passage that an answer quotes',
      bearer: true,
      query: frames.readSource,
      status: 200,
      response: frames.sourceRead,
      handle: async (input) => {
        const { message, citation } = input.query as z.infer<typeof frames.readSource>
        const { channel, visitorId } = await reader(clientOf(input))
        return kit.source(channel, visitorId, message, citation)
      },
    },
    {
      method: 'post',
      path: '/webchat/feedback',
      summary: 'Say whether an answer helped',
      bearer: true,
      body: frames.rateMessage,
      status: 200,
      response: frames.done,
      handle: async (input) => {
        const { messageId, rating } = input.body as z.infer<typeof frames.rateMessage>
        const { channel, visitorId } = await changer(clientOf(input))
        await kit.rate(channel, visitorId, messageId, rating)
        return {}
      },
    },
    {
      method: 'post',
      path: '/webchat/contact',
      summary: 'Leave an address to be reached at',
      bearer: true,
      body: frames.leaveEmail,
      status: 200,
      response: frames.done,
      handle: async (input) => {
        const { email } = input.body as z.infer<typeof frames.leaveEmail>
        const { channel, visitorId } = await changer(clientOf(input))
        await kit.leaveEmail(channel, visitorId, email)
        return {}
      },
    },
    {
      method: 'post',
      path: '/webchat/files',
      summary: 'Send a file up, to put it into a message',
      bearer: true,
      file: 'At most 10 MB: a picture, PDF, text, office document, ZIP, sound or film',
      status: 201,
      response: frames.fileAccepted,
      handle: async (input) => {
        const { channel, visitorId } = await reader(clientOf(input))
        if ((channel.settings as { attachments?: boolean }).attachments === false) {
          throw new AppError('forbidden', 'files_not_allowed', 'This chat takes no files.')
        }
        await kit.limit('files_per_visitor', visitorId)
        const accepted = await input.readFile?.(
          (file) => kit.acceptFile(channel, visitorId, file),
          // Nobody names it: it is swept.
          async () => {},
        )
        if (!accepted) throw new AppError('invalid', 'invalid', 'file: is required', { field: 'file' })
        const { ticket, attachment } = accepted
        return { ticket, name: attachment.name, size: attachment.size }
      },
    },
    {
      method: 'get',
      path: '/webchat/files',
      summary: 'Save a file of the chat',
      bearer: false,
      query: frames.readFile,
      status: 200,
      handle: async ({ query }) => kit.openLink((query as z.infer<typeof frames.readFile>).link),
    },
    {
      method: 'get',
      path: '/webchat/demo',
      summary: "The public key of the first company's chat, for trying it out",
      bearer: false,
      status: 200,
      response: z.strictObject({ channelKey: z.string() }),
      handle: async () => {
        const channel = kit.demoChannel()
        if (!channel?.key) throw new AppError('not_found', 'channel_not_found', 'The first company has no chat.')
        return { channelKey: channel.key }
      },
    },
  ]

  const namespace: ChannelNamespace = {
    path: '/webchat',
    connect: async ({ token, origin, address, emit }) => {
      await kit.limit('connects_per_address', address)
      const client = { token, origin, address }
      const session = sessions.read(token)
      const unfollow = kit.follow(channelOf(session, origin), session.visitorId, {
        message: (message) => emit('message', toFrame(message)),
        standing: (standing) => emit('standing', frames.toStanding(standing)),
        sentence: (sentence) => emit('answer.sentence', sentence satisfies frames.AnswerSentence),
        withdrawn: (draft) => emit('answer.withdrawn', draft satisfies frames.AnswerWithdrawn),
      })
      return {
        // Looked at anew each time: the channel may have been closed since, or the token have expired.
        on: {
          message: async (payload) => write(client, parse(frames.sendMessage, payload)),
          history: async (payload) => read(client, parse(frames.readMessages, payload).after),
        },
        close: unfollow,
      }
    },
  }

  return { routes, namespace }
}

type Client = { token: string | null; origin: string | null; address: string }

const clientOf = ({ bearer, origin, address }: RouteInput): Client => ({ token: bearer, origin, address })

const parse = <T>(schema: z.ZodType<T>, payload: unknown): T => {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.')
  const message =
    issue?.code === 'unrecognized_keys' ? 'There is no such field here.' : (issue?.message ?? 'is not valid')
  throw new AppError('invalid', 'invalid', `${field || 'payload'}: ${message}`, { field })
}
