import type { Attachment, FileText, Message } from './message.js'

/** What of a customer's message is in its files: said by voice, or to be seen in a picture. Pure. */

/** What this installation can make of files. */
export type Reads = Record<FileText['kind'], boolean>

/** By the name's end: what the bytes truly are is looked at where they are read. */
const RECORDING = /\.(?:ogg|oga|opus|mp3|m4a|wav|flac|weba)$/iu
/** Signs in signatures and pixels that count readers say nothing. */
const LEAST_PICTURE_BYTES = 4 * 1024

const textKindOf = ({ name, type, size }: Attachment): FileText['kind'] | null => {
  if (type.startsWith('image/')) return size >= LEAST_PICTURE_BYTES ? 'description' : null
  return RECORDING.test(name) ? 'transcript' : null
}

export const canRead = (attachment: Attachment, reads: Reads): boolean => {
  const kind = textKindOf(attachment)
  return kind !== null && reads[kind]
}

/** Why channels leave a message to people that a model may hear or see. */
const FOR_FILES: Record<string, FileText['kind']> = {
  voice: 'transcript',
  audio: 'transcript',
  image: 'description',
}

/** Whether it is worth waiting for a file that is still to come. */
export const isWorthWaiting = ({ needsPerson }: Pick<Message, 'needsPerson'>, reads: Reads): boolean => {
  const kind = needsPerson === undefined ? undefined : FOR_FILES[needsPerson]
  return kind !== undefined && reads[kind]
}

const textsOf = ({ attachments = [] }: Pick<Message, 'attachments'>, kind: FileText['kind']): string[] =>
  attachments.flatMap(({ text }) => (text?.kind === kind ? [text.text] : []))

export const isHeard = (message: Pick<Message, 'attachments'>): boolean => textsOf(message, 'transcript').length > 0

/** What a customer said, in writing or by voice; empty where they said nothing. What a picture shows, nobody said. */
export const wordsOf = (message: Pick<Message, 'text' | 'wordless' | 'attachments'>): string =>
  [...(message.wordless ? [] : [message.text]), ...textsOf(message, 'transcript')].join('\n')

/** What its pictures show, as a machine says. */
export const picturesIn = (message: Pick<Message, 'attachments'>): string[] => textsOf(message, 'description')

/** What of it the assistant cannot deal with: its channel said so, and no model has heard or seen it since. */
export const needsPerson = (message: Message): boolean => {
  if (!message.needsPerson) return false
  const kind = FOR_FILES[message.needsPerson]
  return kind === undefined || message.attachments?.length !== textsOf(message, kind).length
}

/** Left to people whatever a model makes of its files. */
export const isForPeople = ({ needsPerson: reason }: Message): boolean =>
  reason !== undefined && FOR_FILES[reason] === undefined
