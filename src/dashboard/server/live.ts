import { useSyncExternalStore } from 'react'
import { io, type Socket } from 'socket.io-client'
import { chosenCompany } from './client.js'
import type { Conversation, Message } from './queries.js'

/** What the server tells without being asked. Frames are hints: after a gap everybody asks again. */
export type Frames = {
  message: { conversationId: string; message: Message }
  conversation: { conversation: Conversation }
  'answer.sentence': {
    conversationId: string
    draftId: string
    index: number
    text: string
    citations: Message['citations']
  }
  'answer.withdrawn': { conversationId: string; draftId: string }
  document: { documentId: string; status: string }
  channel: { channelId: string; state: string }
  rights: object
  signed_out: object
  /** The line is open, for the first time or again: what happened before nobody has told, it has to be fetched. */
  open: object
}

export type Line = 'connecting' | 'live' | 'lost'

let socket: Socket | null = null
let line: Line = 'connecting'
const lineListeners = new Set<() => void>()
const listeners = new Map<keyof Frames, Set<(payload: never) => void>>()

const setLine = (next: Line) => {
  line = next
  for (const listener of lineListeners) listener()
}

const NAMES = [
  ...['message', 'conversation', 'answer.sentence', 'answer.withdrawn', 'document', 'channel', 'rights', 'signed_out'],
] as (keyof Frames)[]

const tellAll = <Name extends keyof Frames>(name: Name, payload: Frames[Name]): void => {
  for (const listener of listeners.get(name) ?? []) (listener as (payload: Frames[Name]) => void)(payload)
}

/** Opens the line for the signed-in person. It comes back by itself, waiting a little longer each time, each client apart. */
export const openLine = (): (() => void) => {
  const opened = io('/dashboard', {
    auth: (give) => give({ company: chosenCompany.get() ?? undefined }),
    transports: ['websocket', 'polling'],
    reconnectionDelay: 400,
    reconnectionDelayMax: 8_000,
    randomizationFactor: 0.6,
  })
  socket = opened
  opened.on('connect', () => {
    setLine('live')
    tellAll('open', {})
  })
  opened.on('disconnect', () => setLine('lost'))
  opened.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    setLine('lost')
    if (error.data?.code === 'unauthenticated') tellAll('signed_out', {})
  })
  for (const name of NAMES) opened.on(name, (payload: Frames[typeof name]) => tellAll(name, payload))
  const wake = () => opened.connect()
  addEventListener('online', wake)
  return () => {
    removeEventListener('online', wake)
    opened.close()
    if (socket === opened) socket = null
    setLine('connecting')
  }
}

export const onFrame = <Name extends keyof Frames>(
  name: Name,
  listener: (payload: Frames[Name]) => void,
): (() => void) => {
  const all = listeners.get(name) ?? new Set()
  listeners.set(name, all.add(listener))
  return () => void all.delete(listener)
}

export const useLine = (): Line =>
  useSyncExternalStore(
    (listener) => {
      lineListeners.add(listener)
      return () => void lineListeners.delete(listener)
    },
    () => line,
  )
