import { useSyncExternalStore } from 'react'
import { call, Refused } from '../server/client.js'
import { heard, queryClient } from '../server/queries.js'
import { remembered } from '../server/remembered.js'
import type { ReadyFile } from './attachments.js'
import { placeMessage } from './follow.js'

/**
 * What was written and is not known to have arrived. It is kept by the browser until the server has said so, goes out in
 * its order, and is tried again under the same id: however often, it is one message.
 */

export type Outgoing = {
  id: string
  /** Who wrote it: nobody else sends it, whoever signs in here next. */
  by: string
  conversationId: string
  kind: 'message' | 'note'
  text: string
  /** Files that were sent up before, by their tickets. */
  files?: readonly ReadyFile[]
  state: 'sending' | 'refused'
  /** Of a refusal, for people. */
  fault?: { code: string; message: string }
}

const STORED = 'helpdesk.outbox'
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000]

const listeners = new Set<() => void>()
const running = new Set<string>()
let own: string | null = null
let held: readonly Outgoing[] = read()

function read(): Outgoing[] {
  try {
    return JSON.parse(remembered.get(STORED) ?? '[]') as Outgoing[]
  } catch {
    return []
  }
}

const write = (next: readonly Outgoing[]): void => {
  held = next
  remembered.set(STORED, JSON.stringify(next))
  for (const listener of listeners) listener()
}

const change = (id: string, to: Outgoing | null): void =>
  write(held.flatMap((one) => (one.id !== id ? [one] : to ? [to] : [])))

export const useOutgoing = (conversationId: string): readonly Outgoing[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => ofConversation(conversationId),
  )

/** The same list as long as nothing changed, as the subscription asks for. */
const lists = new Map<string, { of: readonly Outgoing[]; list: readonly Outgoing[] }>()
const ofConversation = (conversationId: string): readonly Outgoing[] => {
  const made = lists.get(conversationId)
  if (made?.of === held) return made.list
  const list = held.filter((one) => one.conversationId === conversationId && one.by === own)
  lists.set(conversationId, { of: held, list })
  return list
}

export const say = (
  conversationId: string,
  kind: Outgoing['kind'],
  text: string,
  files: readonly ReadyFile[],
): void => {
  if (own === null) return
  const sent = files.length > 0 ? { files } : {}
  write([...held, { id: newId(), by: own, conversationId, kind, text, ...sent, state: 'sending' }])
  void sendAll(conversationId)
}

export const sayAgain = (outgoing: Outgoing): void => {
  const { fault: _fault, ...rest } = outgoing
  change(outgoing.id, { ...rest, state: 'sending' })
  void sendAll(outgoing.conversationId)
}

export const forget = ({ id }: Outgoing): void => change(id, null)

/** Outside secure contexts there is no randomUUID: a desk on the local network over plain HTTP is one. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Also what an earlier page left behind. */
export const openOutbox = (personId: string): void => {
  own = personId
  for (const conversationId of new Set(held.map((one) => one.conversationId))) void sendAll(conversationId)
}

const sendAll = async (conversationId: string): Promise<void> => {
  if (running.has(conversationId)) return
  running.add(conversationId)
  try {
    for (let failures = 0; ; ) {
      const next = ofConversation(conversationId).find(({ state }) => state === 'sending')
      if (!next) return
      const outcome = await sendOne(next)
      if (outcome === 'done') failures = 0
      else await pause(outcome ?? RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0)
    }
  } finally {
    running.delete(conversationId)
  }
}

/** `done`, or how long to wait before the next attempt; `null` leaves that to the caller. */
const sendOne = async (outgoing: Outgoing): Promise<'done' | number | null> => {
  const { id, conversationId, kind, text, files = [] } = outgoing
  try {
    const said = { params: { id: conversationId }, body: { text, id, attachments: files.map(({ ticket }) => ticket) } }
    placeMessage(
      conversationId,
      await (kind === 'note' ? call('conversations', 'note', said) : call('conversations', 'speak', said)),
    )
    change(id, null)
    return 'done'
  } catch (error) {
    if (!(error instanceof Refused) || error.status >= 500) return null
    if (error.status === 429) return error.retryAfterMs ?? null
    // A session of yesterday: who it is is asked again, and what was written is still here then.
    heard(error)
    if (error.code === 'window_closed')
      void queryClient.invalidateQueries({ queryKey: ['conversation', conversationId] })
    change(id, { ...outgoing, state: 'refused', fault: { code: error.code, message: error.message } })
    return 'done'
  }
}

let skip: (() => void) | null = null

/** A line that came back ends the wait. */
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const before = skip
    skip = () => {
      clearTimeout(timer)
      before?.()
      resolve()
    }
  })

/** Nothing of this person stays behind on this machine. */
export const emptyOutbox = (): void => {
  write(held.filter(({ by }) => by !== own))
  own = null
}

export const sendNow = (): void => {
  skip?.()
  skip = null
}
