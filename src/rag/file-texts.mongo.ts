import { fileTypeFromBuffer } from 'file-type'
import { z } from 'zod'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { CollectionSchema, Mongo } from '../platform/mongo.js'
import { sha256 } from '../platform/secrets.js'
import type { Model, Transcriber } from './model.js'
import { DESCRIPTION_SCHEMA, descriptionPrompt } from './prompt.js'
import { secondsOf } from './recording.js'

/**
 * What is said in a recording, and what a picture shows, by a model. A file is named by its content: within a company the same
 * one is read once, however often and on however many channels it comes, and whichever process is asked.
 */

export type FileText = { kind: 'transcript' | 'description'; text: string; model: string; at: Date }

/** Why there is none, and will be none: `silent` nothing is said in it; `refused` by the model; `garbled` what it wrote. */
export type WhyUnread = 'unsupported' | 'too_large' | 'too_long' | 'silent' | 'refused' | 'garbled' | 'budget'

export type FileReading = { kind: 'read'; text: FileText } | { kind: 'unread'; reason: WhyUnread }

/** `id` is the hash of the content. */
export type ReadableFile = { id: string; size: number; open(): Promise<AsyncIterable<Uint8Array>> }

/**
 * Throws `unavailable` where it may be tried again: `file_busy` while another process reads it, else what the model's door threw.
 */
export type ReadFile = (
  companyId: string,
  file: ReadableFile,
  language: string,
  signal: AbortSignal,
) => Promise<FileReading>

type Kept = { _id: string; companyId: string; fileId: string; heldUntil: Date; outcome?: FileReading }

export const fileTextSchemas: CollectionSchema[] = [
  { collection: 'file_texts', indexes: [{ key: { companyId: 1, fileId: 1 }, name: 'of_file' }] },
]

type Needs = {
  mongo: Pick<Mongo, 'db'>
  /** `null`: this installation does not listen, or does not see. */
  transcriber: Transcriber | null
  seer: Model | null
  clock: Clock
  log: Log
}

const MB = 1024 * 1024
/** WhatsApp's own limit for voices; a provider takes more, and nobody says more that a desk should answer by itself. */
const MOST_RECORDING_BYTES = 16 * MB
const MOST_SECONDS = 10 * 60
const MOST_PICTURE_BYTES = 8 * MB
const MOST_CHARACTERS = 8_000
/** Short, so that a file whose reader was killed is free again within seconds; renewed while it is read. */
const HELD_MS = 6_000
const RENEW_EVERY_MS = 2_000

/** What the protocol's servers take, by what the bytes are. */
const RECORDINGS: Record<string, string> = {
  'audio/ogg': 'ogg',
  'audio/opus': 'ogg',
  'application/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/x-m4a': 'm4a',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/x-flac': 'flac',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'audio/webm': 'webm',
}
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])

/** Of the model's door: another request would end the same way, and be paid for again. */
const FINAL: Record<string, WhyUnread> = {
  model_refused: 'refused',
  model_garbled: 'garbled',
  model_too_long: 'garbled',
}

export const makeReadFile = ({ mongo, transcriber, seer, clock, log }: Needs): ReadFile => {
  const texts = mongo.db.collection<Kept>('file_texts')
  const idOf = (companyId: string, fileId: string) => sha256([companyId, fileId].join('\0'))

  const heldUntil = () => new Date(clock.now().getTime() + HELD_MS)

  const claim = async (companyId: string, fileId: string): Promise<Kept> => {
    const _id = idOf(companyId, fileId)
    const now = clock.now()
    await texts.updateOne({ _id }, { $setOnInsert: { companyId, fileId, heldUntil: new Date(0) } }, { upsert: true })
    const claimed = await texts.findOneAndUpdate(
      { _id, outcome: { $exists: false }, heldUntil: { $lte: now } },
      { $set: { heldUntil: heldUntil() } },
      { returnDocument: 'after' },
    )
    const found = claimed ?? (await texts.findOne({ _id }))
    if (!claimed && !found?.outcome)
      throw new AppError('unavailable', 'file_busy', 'The file is being read already.', { retryAfterMs: 500 })
    return found as Kept
  }

  const read = async (
    companyId: string,
    file: ReadableFile,
    language: string,
    signal: AbortSignal,
  ): Promise<FileReading> => {
    if (file.size > MOST_RECORDING_BYTES) return unread('too_large')
    const bytes = await whole(file)
    const found = await fileTypeFromBuffer(bytes).catch(() => undefined)
    const extension = found && RECORDINGS[found.mime.split(';')[0] ?? '']
    if (extension && transcriber) {
      const seconds = secondsOf(bytes)
      if (seconds !== null && seconds > MOST_SECONDS) return unread('too_long')
      const recording = { bytes, name: `recording.${extension}`, seconds }
      const text = await transcriber.transcribe(companyId, recording, signal)
      return text === '' ? unread('silent') : readAs('transcript', text, transcriber.model)
    }
    if (!found || !seer || !PICTURES.has(found.mime)) return unread('unsupported')
    if (bytes.length > MOST_PICTURE_BYTES) return unread('too_large')
    const text = await described(companyId, { type: found.mime, base64: bytes.toString('base64') }, language, signal)
    return text === null ? unread('garbled') : readAs('description', text, seer.name)
  }

  const described = async (
    companyId: string,
    picture: { type: string; base64: string },
    language: string,
    signal: AbortSignal,
  ): Promise<string | null> => {
    const messages = descriptionPrompt(picture, language)
    const request = { companyId, messages, schema: DESCRIPTION_SCHEMA, maxOutputTokens: 600 }
    const answer = await (seer as Model).complete({ ...request, purpose: 'description' }, signal)
    const parsed = description.safeParse(answer.text)
    if (!parsed.success) return null
    const { shows, writing } = parsed.data
    return writing ? `${shows}\n“${writing}”` : shows
  }

  const readAs = (kind: FileText['kind'], text: string, model: string): FileReading => ({
    kind: 'read',
    text: { kind, text: text.slice(0, MOST_CHARACTERS), model, at: clock.now() },
  })

  return async (companyId, file, language, signal) => {
    const { _id, outcome: known } = await claim(companyId, file.id)
    if (known) return known
    const renewal = setInterval(() => {
      texts
        .updateOne({ _id }, { $set: { heldUntil: heldUntil() } })
        .catch((err: unknown) => log.warn({ err }, 'file not held on to'))
    }, RENEW_EVERY_MS)
    try {
      const outcome = await read(companyId, file, language, signal)
      await texts.updateOne({ _id }, { $set: { outcome } })
      return outcome
    } catch (error) {
      const reason = error instanceof AppError ? FINAL[error.code] : undefined
      // A spent budget says nothing about the file: next month it may be read.
      const isSpent = error instanceof AppError && error.code === 'model_budget'
      await texts.updateOne({ _id }, { $set: reason ? { outcome: unread(reason) } : { heldUntil: new Date(0) } })
      if (!reason && !isSpent) throw error
      log.info({ companyId, reason: reason ?? 'budget' }, 'file not read')
      return unread(reason ?? 'budget')
    } finally {
      clearInterval(renewal)
    }
  }
}

const unread = (reason: WhyUnread): FileReading => ({ kind: 'unread', reason })

const whole = async ({ open }: ReadableFile): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const part of await open()) parts.push(part)
  return Buffer.concat(parts)
}

/** What a model wrote about a picture, where it kept to the form. */
const description = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue('is no JSON')
      return z.NEVER
    }
  })
  .pipe(z.object({ shows: z.string().trim().min(1), writing: z.string().trim() }))
