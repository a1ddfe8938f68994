import { EventEmitter } from 'node:events'

/** What happened, for whoever shows it live. A hint, never the truth: readers fetch by `seq` what they missed. */
export type LiveEvent =
  | {
      type: 'message'
      companyId: string
      conversationId: string
      channelId: string
      contactId: string
      messageId: string
      seq: number
      kind: 'message' | 'note' | 'event'
    }
  | { type: 'delivery'; companyId: string; conversationId: string; messageId: string }
  /** A customer said whether an answer helped. */
  | {
      type: 'feedback'
      companyId: string
      conversationId: string
      channelId: string
      contactId: string
      messageId: string
    }
  /** A promised time is near, has passed, or was kept after all: written down once, told once. */
  | {
      type: 'service_level'
      companyId: string
      conversationId: string
      clock: string
      change: 'warning' | 'breach' | 'withdrawn'
      dueAt: string
    }
  | { type: 'conversation'; companyId: string; conversationId: string; contactId: string; version: number }
  /** A proved sentence of an answer that is not written yet; the appended message replaces all of them. */
  | (DraftOf & { type: 'sentence'; index: number; text: string; citations: Quoted[] })
  /** The draft will not become a message: whoever shows it takes it back. */
  | (DraftOf & { type: 'withdrawn' })
  /** A channel's connection changed. */
  | { type: 'channel'; companyId: string; channelId: string; state: string }
  | { type: 'document'; companyId: string; documentId: string; status: string }

type DraftOf = { companyId: string; conversationId: string; contactId: string; draftId: string }
type Quoted = {
  documentId: string
  passageId: string
  title: string
  quote: string
  headings?: string[]
  page?: number | null
}

export type Bus = {
  publish(event: LiveEvent): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: LiveEvent) => void): () => void
}

export const makeBus = (): Bus => {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    publish: (event) => void emitter.emit('event', event),
    subscribe: (listener) => {
      emitter.on('event', listener)
      return () => void emitter.off('event', listener)
    },
  }
}
