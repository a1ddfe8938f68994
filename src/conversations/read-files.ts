import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { MessageDocument } from './documents.mongo.js'
import { canRead, type Reads } from './heard-and-seen.js'
import type { Attachment, FileText } from './message.js'
import type { ConversationStore } from './store.mongo.js'

/**
 * What the core asks of whoever can hear and see. The same file of the same company is paid for once, however often it is asked
 * for. Throws `unavailable` where it may be asked again; `file_busy`: somebody else is at it.
 */
export type ReadFile = (
  companyId: string,
  file: Attachment,
  language: string,
  signal: AbortSignal,
) => Promise<{ kind: 'read'; text: FileText } | { kind: 'unread'; reason: string }>

type Needs = {
  store: ConversationStore
  readFile: ReadFile
  reads: Reads
  wakeAnswer(companyId: string, conversationId: string): void
  wakeRead(companyId: string, messageId: string): void
  bus: Bus
  clock: Clock
  log: Log
}

/** A process that dies holds a message for so long. Who reads longer is not disturbed: the file itself is held too. */
const HELD_MS = 6_000
const MAX_ATTEMPTS = 3
const retryAfterMs = (attempts: number) => 1_000 * 4 ** (attempts - 1)
const BUSY_MS = 500
/** Of one message. */
const MOST_FILES = 4

/**
 * Has the files of one message heard and seen, and puts beside each what was made of it, or why there is nothing. Safe to call any
 * number of times: where nothing is due it does nothing.
 */
export const makeReadFiles = ({ store, readFile, reads, wakeAnswer, wakeRead, bus, clock, log }: Needs) => {
  const after = (ms: number) => new Date(clock.now().getTime() + ms)

  const readOne = async (
    { companyId, reading }: MessageDocument,
    file: Attachment,
    language: string,
    stop: AbortSignal,
  ): Promise<Attachment> => {
    const attempts = reading?.attempts ?? 0
    // Whoever tried it so often did not live to say how it ended.
    if (attempts > MAX_ATTEMPTS) return { ...file, unread: 'failed' }
    try {
      const found = await readFile(companyId, file, language, stop)
      return found.kind === 'read' ? { ...file, text: found.text } : { ...file, unread: found.reason }
    } catch (error) {
      const isLast = attempts >= MAX_ATTEMPTS && !isBusy(error)
      if (stop.aborted || !isLast) throw error
      log.warn({ err: error, companyId }, 'file not read')
      return { ...file, unread: 'failed' }
    }
  }

  const readAll = async (message: MessageDocument, stop: AbortSignal): Promise<Attachment[]> => {
    const { companyId, conversationId, attachments = [], revoked } = message
    const { blocked, language } = await store.conversation(companyId, conversationId)
    if (blocked || revoked) return attachments
    const wanted = new Set(attachments.filter((file) => canRead(file, reads)).slice(0, MOST_FILES))
    const read: Attachment[] = []
    for (const file of attachments)
      read.push(wanted.has(file) ? await readOne(message, file, language ?? 'en', stop) : file)
    return read
  }

  return async (companyId: string, messageId: string, stop: AbortSignal): Promise<void> => {
    const message = await store.claimReading(companyId, messageId, clock.now(), after(HELD_MS))
    if (!message) return
    const { conversationId } = message
    try {
      await store.endReading(message, await readAll(message, stop))
    } catch (error) {
      const uncounted = stop.aborted || isBusy(error)
      const pauseMs = stop.aborted ? 0 : isBusy(error) ? BUSY_MS : retryAfterMs(message.reading?.attempts ?? 1)
      await store.retryReading(message, after(pauseMs), uncounted)
      if (stop.aborted) return
      log.info({ err: error, conversationId, messageId }, 'file is read later')
      setTimeout(() => wakeRead(companyId, messageId), pauseMs).unref()
      return
    }
    bus.publish({ type: 'delivery', companyId, conversationId, messageId })
    await store.answerNow(companyId, conversationId, clock.now())
    wakeAnswer(companyId, conversationId)
  }
}

const isBusy = (error: unknown): boolean => error instanceof AppError && error.code === 'file_busy'
