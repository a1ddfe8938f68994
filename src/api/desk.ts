import type { Caller } from '../companies/companies.js'
import { may, type Permission } from '../companies/roles.js'
import type { Bus, LiveEvent } from '../platform/bus.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { Limits } from './limits.js'
import type { LiveNamespace } from './live.js'
import { toConversation, toMessage, type ConversationsNeeds } from './routes/conversations.js'

type Needs = {
  callerBySession: (cookie: string, companyId: string | undefined) => Promise<Caller | null>
  /** The addresses of our own pages: a socket that another site opened carries the same cookie. */
  origins: readonly string[]
  inbox: ConversationsNeeds['inbox']
  bus: Bus
  limit: Limits
  log: Log
}

type Watcher = {
  cookie: string
  caller: Caller
  emit: (event: string, payload: object) => void
  end: (event: string) => void
}

/** How long a right that was taken away in another process may still be seen by, in milliseconds. */
const RECHECK_MS = 10_000

/**
 * The live side of the dashboard: one connection of one signed-in person in one company. Frames carry what the API would
 * answer, looked up once per event for everybody who watches, so that nobody has to ask back.
 */
export const makeDesk = ({ callerBySession, origins, inbox, bus, limit, log }: Needs) => {
  const watchers = new Map<string, Set<Watcher>>()
  let shown = Promise.resolve()

  const frameOf = async (event: LiveEvent): Promise<[Permission, string, object] | null> => {
    const { companyId } = event
    switch (event.type) {
      case 'message':
      case 'feedback':
      case 'delivery': {
        const found = await inbox.message(companyId, event.messageId)
        if (!found) return null
        return ['conversations:read', 'message', { conversationId: event.conversationId, message: toMessage(found) }]
      }
      case 'conversation':
        return [
          'conversations:read',
          'conversation',
          { conversation: toConversation(await inbox.get(companyId, event.conversationId)) },
        ]
      case 'service_level': {
        const { conversationId, clock, change, dueAt } = event
        return ['conversations:read', 'service_level', { conversationId, clock, change, dueAt }]
      }
      case 'sentence': {
        const { conversationId, draftId, index, text, citations } = event
        return ['conversations:read', 'answer.sentence', { conversationId, draftId, index, text, citations }]
      }
      case 'withdrawn': {
        const { conversationId, draftId } = event
        return ['conversations:read', 'answer.withdrawn', { conversationId, draftId }]
      }
      case 'channel':
        return ['channels:read', 'channel', { channelId: event.channelId, state: event.state }]
      case 'document':
        return ['knowledge:read', 'document', { documentId: event.documentId, status: event.status }]
    }
  }

  // One after the other, so that everybody sees the events of a conversation in their order.
  bus.subscribe((event) => {
    if (!watchers.has(event.companyId)) return
    shown = shown
      .then(async () => {
        const frame = await frameOf(event)
        if (!frame) return
        const [permission, name, payload] = frame
        for (const { caller, emit } of watchers.get(event.companyId) ?? [])
          if (may(caller, permission)) emit(name, payload)
      })
      .catch((err: unknown) => log.warn({ err, type: event.type }, 'live event not shown'))
  })

  const leave = (watcher: Watcher): void => {
    const { companyId } = watcher.caller
    const others = watchers.get(companyId)
    others?.delete(watcher)
    if (others?.size === 0) watchers.delete(companyId)
  }

  const recheckOne = async (watcher: Watcher): Promise<void> => {
    const { caller } = watcher
    const now = await callerBySession(watcher.cookie, caller.companyId).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'forbidden') return null
      throw error
    })
    if (!now) return watcher.end('signed_out')
    if (now.role === caller.role && now.operator === caller.operator) return
    watcher.caller = now
    watcher.emit('rights', {})
  }

  /** Looks again whether everybody who watches still may: call it when somebody signed out or lost a right. */
  const recheck = async (): Promise<void> => {
    const all = [...watchers.values()].flatMap((some) => [...some])
    await Promise.all(
      all.map((watcher) => recheckOne(watcher).catch((err: unknown) => log.warn({ err }, 'session not checked'))),
    )
  }
  const timer = setInterval(() => void recheck(), RECHECK_MS).unref()

  const namespace: LiveNamespace = {
    path: '/dashboard',
    connect: async ({ cookie, company, origin, address, emit, end }) => {
      await limit('connects_per_address', address)
      // A browser names its origin with every WebSocket and every cross-site request.
      if (origin !== null && !origins.includes(origin)) {
        throw new AppError('forbidden', 'foreign_origin', 'This connection comes from another site.')
      }
      const caller = cookie ? await callerBySession(cookie, company ?? undefined) : null
      if (!caller || !cookie) throw new AppError('unauthenticated', 'unauthenticated', 'Sign in first.')
      if (!may(caller, 'company:read')) throw new AppError('forbidden', 'forbidden', 'This role may not watch.')
      const watcher: Watcher = { cookie, caller, emit, end }
      watchers.set(caller.companyId, (watchers.get(caller.companyId) ?? new Set()).add(watcher))
      return { on: {}, close: () => leave(watcher) }
    },
  }

  return { namespace, recheck, close: () => clearInterval(timer) }
}
