import { z } from 'zod'
import type { JobDefinition } from './platform/queue.mongo.js'

type Run = (companyId: string, id: string, stop: AbortSignal) => Promise<void>

/**
 * All background work on one page. A job only wakes: retries, pauses and the last word when all failed stand with the
 * thing itself (conversations/answer.ts, deliver.ts, read-files.ts, rag/knowledge.mongo.ts, rag/vectors.mongo.ts), so that they survive the
 * process. The sweep asks again for what is due.
 */
export const defineJobs = (run: { answer: Run; deliver: Run; read: Run; index: Run; embed: Run }) => {
  const conversation = z.strictObject({ companyId: z.string(), conversationId: z.string() })
  const message = z.strictObject({ companyId: z.string(), messageId: z.string() })
  const document = z.strictObject({ companyId: z.string(), documentId: z.string() })
  return {
    answer: job(conversation, 20, (payload, stop) => run.answer(payload.companyId, payload.conversationId, stop)),
    deliver: job(conversation, 20, (payload, stop) => run.deliver(payload.companyId, payload.conversationId, stop)),
    read: job(message, 8, (payload, stop) => run.read(payload.companyId, payload.messageId, stop)),
    index: job(document, 2, (payload, stop) => run.index(payload.companyId, payload.documentId, stop)),
    embed: job(document, 2, (payload, stop) => run.embed(payload.companyId, payload.documentId, stop)),
  } satisfies Record<string, JobDefinition>
}

/** The sweep runs on a timer of each process, every 2 s and once at start; any number of them do no harm. */
export const SWEEP_EVERY_MS = 2_000
/** Warnings and breaches of promised times come within a second. */
export const TELL_TIME_EVERY_MS = 400
/** People are mailed about them a little later, so that what comes up together is one mail. */
export const MAIL_PROMISES_EVERY_MS = 5_000
/** Owners and admins are mailed about channels that are refused. */
export const MAIL_REFUSALS_EVERY_MS = 5_000
/** Customers who have left get their mail within moments of its time. */
export const MAIL_LETTERS_EVERY_MS = 2_000
/** Files that a crash left without their document. */
export const SWEEP_FILES_EVERY_MS = 10 * 60 * 1000

const job = <Payload extends Record<string, string>>(
  schema: z.ZodType<Payload>,
  concurrency: number,
  run: (payload: Payload, stop: AbortSignal) => Promise<void>,
): JobDefinition => ({ schema, concurrency, run: (payload, stop) => run(payload as Payload, stop) })
