import type { Attachment, Choice, Chosen, Citation, OutboundMessage } from '../../conversations/message.js'
import { addressOf, cut } from './contact.js'
import { splitText, toWhatsApp } from './format.js'
import { wordsIn } from './words.js'

/** One request to the Graph API. A file is sent up first and named by what comes back. */
export type Part =
  | { kind: 'message'; body: Record<string, unknown> }
  | { kind: 'file'; attachment: Attachment; media: MediaType; mime: string; caption?: string }

export type MediaType = 'image' | 'video' | 'audio' | 'document'

/** What can be pressed. */
type Button = { id: string; title: string; description?: string }

/** An approved template and the values of its `{{1}}`, `{{2}}` and so on. */
export type TemplateUse = { name: string; language: string; parameters: string[] }

type Said = Pick<OutboundMessage, 'id' | 'text' | 'citations' | 'attachments' | 'author'> & {
  language: string | null
  /** Up to three that fit become buttons, up to ten a list. */
  choices: readonly Choice[]
  template: TemplateUse | null
  personButton: boolean
  ratingButtons: boolean
}

/** WhatsApp's limits, in characters. */
const MOST_CAPTION = 1_024
const MOST_INTERACTIVE = 1_024
const MOST_BUTTONS = 3
const MOST_ROWS = 10
const BUTTON_TITLE = 20
const ROW_TITLE = 24
const ROW_DESCRIPTION = 72

/** The id of our own button, by which its press is told from words. */
export const PERSON_CHOICE = 'person'

const RATINGS = { up: '👍', down: '👎' }
const ratingButtonsOf = (messageId: string): Button[] =>
  Object.entries(RATINGS).map(([rating, title]) => ({ id: `rate:${rating}:${messageId}`, title }))

/** Which answer of ours was rated by the press of a button, and how; `null`: it was another button. */
export const ratingIn = (choice: string): { messageId: string; rating: 'up' | 'down' } | null => {
  const [, rating, messageId] = /^rate:(up|down):([\w-]{1,64})$/u.exec(choice) ?? []
  return messageId ? { messageId, rating: rating as 'up' | 'down' } : null
}

const CHOICE = 'choice'

/** Which choice of which message the press of a button takes, as its id says; `null`: it was another button. */
export const chosenIn = (button: string): Chosen | null => {
  const [, at, messageId] = /^choice:(\d):([\w-]{1,64})$/u.exec(button) ?? []
  return messageId ? { messageId, at: Number(at) } : null
}

/** A message as what WhatsApp takes one after the other, in this order. */
export const partsOf = (said: Said): Part[] => {
  if (said.template) return [templatePart(said.template)]
  const { attachments = [] } = said
  const text = textWithSources(said)
  const files = attachments.map(filePart)
  const [first] = files
  if (
    files.length === 1 &&
    first &&
    first.media !== 'audio' &&
    text &&
    text.length <= MOST_CAPTION &&
    !hasChoices(said)
  )
    return [{ ...first, caption: text }]
  return [...textParts(text, said), ...files]
}

const hasChoices = ({ choices }: Said): boolean => choices.length > 0

const textParts = (text: string, said: Said): Part[] => {
  const parts = splitText(text)
  return parts.map((part, index): Part => {
    const isLast = index === parts.length - 1
    const offered = isLast && part.length <= MOST_INTERACTIVE ? offeredWith(said) : []
    if (offered.length === 0)
      return { kind: 'message', body: { type: 'text', text: { body: part, preview_url: false } } }
    return { kind: 'message', body: { type: 'interactive', interactive: interactive(part, offered) } }
  })
}

/** Under an answer of the assistant's: a way to a person, and to say whether it helped. */
const offeredWith = (said: Said): readonly Button[] => {
  const { id, choices, personButton, ratingButtons, author, citations, language } = said
  if (choices.length > 0) return choices.slice(0, MOST_ROWS).map((choice, at) => buttonOf(choice, at, id))
  if (author.kind !== 'assistant' || citations.length === 0) return []
  return [
    ...(personButton ? [{ id: PERSON_CHOICE, title: wordsIn(language).person }] : []),
    ...(ratingButtons ? ratingButtonsOf(id) : []),
  ]
}

/** The whole name where the title cuts it, else the document that it stands in. */
const buttonOf = (choice: Choice, at: number, messageId: string): Button => {
  const { label: title } = choice
  const document = choice.kind === 'place' && choice.title !== title ? choice.title : ''
  const description = title.length > ROW_TITLE ? title : document
  return { id: `${CHOICE}:${at}:${messageId}`, title, ...(description ? { description } : {}) }
}

/** Buttons have no room for more than a short title; what is cut there stands whole in a list. */
const interactive = (body: string, offered: readonly Button[]): Record<string, unknown> => {
  if (offered.length <= MOST_BUTTONS && offered.every(({ title }) => title.length <= BUTTON_TITLE)) {
    const buttons = offered.map(({ id, title }) => ({ type: 'reply', reply: { id, title } }))
    return { type: 'button', body: { text: body }, action: { buttons } }
  }
  const rows = offered.map(({ id, title, description }) => ({
    id,
    title: cut(title, ROW_TITLE),
    ...(description ? { description: cut(description, ROW_DESCRIPTION) } : {}),
  }))
  return { type: 'list', body: { text: body }, action: { button: '☰', sections: [{ rows }] } }
}

const templatePart = ({ name, language, parameters }: TemplateUse): Part => ({
  kind: 'message',
  body: {
    type: 'template',
    template: {
      name,
      language: { code: language },
      ...(parameters.length > 0
        ? { components: [{ type: 'body', parameters: parameters.map((text) => ({ type: 'text', text })) }] }
        : {}),
    },
  },
})

/** The marks `[n]` stay in the text; what they stand for is said below it, each document once per page. */
const textWithSources = ({ text, citations, language }: Said): string => {
  const said = toWhatsApp(text).trim()
  if (citations.length === 0) return said
  const { sources, page } = wordsIn(language)
  const lines = new Map<string, number[]>()
  citations.forEach((citation, index) => {
    const line = sourceLine(citation, page)
    lines.set(line, [...(lines.get(line) ?? []), index + 1])
  })
  const listed = [...lines].map(([line, marks]) => `${marks.map((mark) => `[${mark}]`).join('')} ${line}`)
  return `${said}\n\n_${sources}_\n${listed.join('\n')}`
}

const sourceLine = ({ title, headings = [], page }: Citation, pageWord: string): string => {
  const heading = headings.at(-1)
  const where = [title, ...(heading && heading !== title ? [heading] : [])].map((words) => cut(oneLine(words), 120))
  return `${where.join(' › ')}${page ? `, ${pageWord} ${page}` : ''}`
}

/** A title is not formatted: signs in it are its own. */
const oneLine = (text: string): string =>
  text
    .replace(/\s+/gu, ' ')
    .replace(/[*_~`]/gu, ' ')
    .replace(/ +/gu, ' ')
    .trim()

const MB = 1024 * 1024

/** What WhatsApp shows as what it is, and up to which size; everything else is a document. By the name's end. */
const SHOWN: Record<string, { media: MediaType; mime: string; mostBytes: number }> = {
  jpg: { media: 'image', mime: 'image/jpeg', mostBytes: 5 * MB },
  jpeg: { media: 'image', mime: 'image/jpeg', mostBytes: 5 * MB },
  png: { media: 'image', mime: 'image/png', mostBytes: 5 * MB },
  mp4: { media: 'video', mime: 'video/mp4', mostBytes: 16 * MB },
  '3gp': { media: 'video', mime: 'video/3gpp', mostBytes: 16 * MB },
  mp3: { media: 'audio', mime: 'audio/mpeg', mostBytes: 16 * MB },
  m4a: { media: 'audio', mime: 'audio/mp4', mostBytes: 16 * MB },
  ogg: { media: 'audio', mime: 'audio/ogg', mostBytes: 16 * MB },
}

const DOCUMENTS: Record<string, string> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
}

const filePart = (attachment: Attachment): Extract<Part, { kind: 'file' }> => {
  const extension = /\.([a-z0-9]+)$/iu.exec(attachment.name)?.[1]?.toLowerCase() ?? ''
  const shown = SHOWN[extension]
  if (shown && attachment.size <= shown.mostBytes) {
    const { media, mime } = shown
    return { kind: 'file', attachment, media, mime }
  }
  return { kind: 'file', attachment, media: 'document', mime: DOCUMENTS[extension] ?? 'application/octet-stream' }
}

/** The request for one part: to whom, in answer to what, and with our own name for it, which comes back with its statuses. */
export const requestOf = (
  body: Record<string, unknown>,
  { to, replyTo, echo }: { to: string; replyTo: string | undefined; echo: string },
): Record<string, unknown> => ({
  recipient_type: 'individual',
  ...addressOf(to),
  ...(replyTo ? { context: { message_id: replyTo } } : {}),
  ...body,
  biz_opaque_callback_data: echo,
})
