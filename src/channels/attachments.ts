import { fileTypeFromBuffer } from 'file-type'
import type { Readable } from 'node:stream'
import type { Attachment } from '../conversations/message.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { shownName, type ByteRange, type Files } from '../platform/files.js'
import type { Secrets } from '../platform/secrets.js'
import { ATTACHMENT_LIMITS, type KeptFile } from './channel.js'

/** Files that come with a message, a customer's or an agent's. Nobody opens them here: they are kept as they are, and saved by whoever wants to. */

/** Shown as pictures, and therefore only what is one by its content. Everything else is bytes to be saved. */
const PICTURES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
}
const SHOWN = new Set(Object.values(PICTURES))
/** Played where they came, and therefore only what is sound or film by its content. By what the bytes are, as browsers call it. */
const PLAYED: Record<string, string> = {
  'audio/aac': 'audio/aac',
  'audio/flac': 'audio/flac',
  'audio/mp4': 'audio/mp4',
  'audio/mpeg': 'audio/mpeg',
  'audio/ogg': 'audio/ogg',
  'audio/wav': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/x-m4a': 'audio/mp4',
  'video/mp4': 'video/mp4',
  'video/webm': 'video/webm',
}
/** What may be inside of a file of that name, where people send it up themselves. */
const PLAYED_AS: Record<string, readonly string[]> = {
  m4a: ['audio/mp4', 'video/mp4'],
  mp3: ['audio/mpeg'],
  mp4: ['video/mp4', 'audio/mp4'],
  ogg: ['audio/ogg'],
  wav: ['audio/wav'],
  webm: ['video/webm'],
}
const BYTES = 'application/octet-stream'

/** A file is swept when no message names it by then; its ticket is worth nothing a while before. */
const ORPHAN_AFTER_MS = 24 * 60 * 60 * 1000
const TICKET_MS = 20 * 60 * 60 * 1000
const LINK_MS = 24 * 60 * 60 * 1000
const TICKET = 'attachment-ticket'
const LINK = 'attachment-link'

/** Who sent a file up: a contact, or a person of the company. Nobody else may put it into a message. */
type Owner = { companyId: string; ownerId: string }
type Ticket = Owner & Attachment & { expires: number }
type Link = Attachment & { companyId: string; expires: number }

export type IncomingFile = { bytes: AsyncIterable<Uint8Array>; name: string }
export type OpenedFile = { name: string; type: string; size: number; stream: Readable }
/** To be opened by whoever knows which part of it is wanted. */
export type OfferedFile = { name: string; type: string; size: number; open(part?: ByteRange): Promise<Readable> }

type Needs = {
  files: Files
  /** The file as a message of the company's calls it; `null` when none does. */
  attachment(companyId: string, fileId: string): Promise<Attachment | null>
  secrets: Secrets
  clock: Clock
}

export const makeAttachments = ({ files, attachment, secrets, clock }: Needs) => {
  const expiry = (ms: number) => clock.now().getTime() + ms
  const isPast = ({ expires }: { expires: number }) => expires <= clock.now().getTime()
  const offer = (companyId: string, { id, name, type, size }: Attachment): OfferedFile => ({
    name,
    type,
    size,
    open: (part) => files.open(companyId, id, part),
  })

  return {
    /** Keeps a file and hands out a ticket, with which its owner, and nobody else, may put it into a message. */
    accept: async ({ companyId, ownerId }: Owner, { bytes, name: given }: IncomingFile) => {
      const name = shownName(given)
      const extension = extensionOf(name)
      if (!ATTACHMENT_LIMITS.extensions.includes(extension)) throw unsupported(name)
      const received = await files.receive(bytes, ATTACHMENT_LIMITS.mostBytes)
      try {
        if (received.size === 0) throw new AppError('invalid', 'file_empty', `${name} is empty.`, { field: 'file' })
        const found = await mimeOf(received)
        const picture = PICTURES[extension]
        const played = PLAYED[found]
        if (picture ? found !== picture : RUNS.test(found)) throw unsupported(name)
        const wanted = PLAYED_AS[extension]
        if (wanted && !(played && wanted.includes(played))) throw unsupported(name)
        await files.keep(companyId, received)
        const type = picture ?? (wanted && played) ?? BYTES
        const kept: Attachment = { id: received.id, name, type, size: received.size }
        const ticket = { companyId, ownerId, ...kept, expires: expiry(TICKET_MS) } satisfies Ticket
        return { attachment: kept, ticket: secrets.sign(TICKET, ticket) }
      } finally {
        await received.discard()
      }
    },

    /** Keeps what came with a message through a provider, whatever it is; only what is a picture, sound or film is ever shown as one. */
    keep: async (companyId: string, { bytes, name: given, mostBytes }: KeptFile): Promise<Attachment> => {
      const name = shownName(given)
      const received = await files.receive(bytes, mostBytes)
      try {
        const found = await mimeOf(received)
        const type = SHOWN.has(found) ? found : (PLAYED[found] ?? BYTES)
        await files.keep(companyId, received)
        return { id: received.id, name, type, size: received.size }
      } finally {
        await received.discard()
      }
    },

    /** What the tickets stand for. Throws where one is not ours, not this owner's, or too old. */
    redeem: ({ companyId, ownerId }: Owner, tickets: readonly string[]): Attachment[] =>
      tickets.map((text, index) => {
        const ticket = secrets.verify(TICKET, text) as Ticket | null
        if (!ticket || ticket.companyId !== companyId || ticket.ownerId !== ownerId || isPast(ticket)) {
          throw new AppError('invalid', 'attachment_unknown', 'The file is not there any more. Attach it again.', {
            field: `attachments.${index}`,
          })
        }
        const { id, name, type, size } = ticket
        return { id, name, type, size }
      }),

    /** Opens one file for a day, to whoever was given it. */
    linkTo: (companyId: string, { id, name, type, size }: Attachment): string =>
      secrets.sign(LINK, { companyId, id, name, type, size, expires: expiry(LINK_MS) } satisfies Link),

    openLink: async (text: string): Promise<OfferedFile> => {
      const link = secrets.verify(LINK, text) as Link | null
      if (!link || isPast(link)) throw new AppError('not_found', 'link_expired', 'The link to this file is too old.')
      return offer(link.companyId, link)
    },

    offer,

    open: async (companyId: string, { id, name, type, size }: Attachment): Promise<OpenedFile> => ({
      name,
      type,
      size,
      stream: await files.open(companyId, id),
    }),

    /** Removes what was sent up and never sent off. */
    sweep: async (): Promise<void> => {
      const before = new Date(clock.now().getTime() - ORPHAN_AFTER_MS)
      await files.clean(before)
      for await (const { companyId, id } of files.keptBefore(before))
        if (!(await attachment(companyId, id))) await files.remove(companyId, id)
    },
  }
}

export type Attachments = ReturnType<typeof makeAttachments>

/** By the first bytes, without parameters; empty where nobody knows. */
const mimeOf = async ({ head }: { head: Uint8Array }): Promise<string> => {
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  return found?.mime.split(';')[0]?.trim() ?? ''
}

/** Programs under another name. */
const RUNS = /msdownload|executable|x-elf|x-mach|x-sh|java-archive|x-msi|vnd\.android/

const extensionOf = (name: string): string => /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''

const unsupported = (name: string): AppError =>
  new AppError(
    'unsupported',
    'file_type_not_allowed',
    `${name}: this kind of file cannot be sent. Send one of ${ATTACHMENT_LIMITS.extensions.join(', ')}.`,
    { field: 'file' },
  )
