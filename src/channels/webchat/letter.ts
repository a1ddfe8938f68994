import { z } from 'zod'
import type { Attachment, ComposedLetter, LetterGiven, Message } from '../../conversations/message.js'
import type { ChannelKit } from '../channel.js'
import { LETTER_LANGUAGES, LETTER_WORDS, type LetterLanguage } from './letter-words.js'
import type { Settings } from './settings.js'

/** Where a message was written: kept with it, so that a mail finds the way back. */
export type Written = { page?: string; language?: LetterLanguage }

/** Longer addresses are no pages that somebody goes back to. */
const LONGEST_PAGE = 500
/** Beyond it a file stays in the chat. */
const LARGEST_FILES = 10 * 1024 * 1024

/**
 * What a visitor's browser says of the page: nothing of it is needed, so what is strange is left out. The page's own query and
 * fragment may hold what is nobody else's business.
 */
export const writtenOn = (given: { page?: string | undefined; language?: string | undefined }): Written => {
  const page = given.page === undefined || !URL.canParse(given.page) ? null : new URL(given.page)
  const isPage = page !== null && /^https?:$/.test(page.protocol)
  const address = isPage ? page.origin + page.pathname : ''
  const language = LETTER_LANGUAGES.find((one) => one === given.language)
  return {
    ...(isPage && address.length <= LONGEST_PAGE ? { page: address } : {}),
    ...(language ? { language } : {}),
  }
}

const written = z.object({ page: z.string().optional(), language: z.enum(LETTER_LANGUAGES).optional() })

type Needs = { settings: Settings; ownOrigin: string; openFile: ChannelKit['openFile'] }

/**
 * What people answered, for a visitor who has left the page. It repeats nothing that the visitor wrote: anybody can leave anybody's
 * address, and must not get us to send them a text. For the same reason it leads only to sites that the company has named.
 */
export const makeLetter =
  ({ settings, ownOrigin, openFile }: Needs) =>
  async ({ conversation, messages, history, company, answerable, stopUrl }: LetterGiven): Promise<ComposedLetter> => {
    const places = history.flatMap(({ author, details }) =>
      author.kind === 'customer' ? (written.safeParse(details?.webchat).data ?? []) : [],
    )
    const language = languageOf(conversation.language, places.findLast((place) => place.language)?.language, settings)
    const page = places.findLast((place) => place.page)?.page
    const words = LETTER_WORDS[language]
    const isContinued = history.some(({ letter }) => letter?.mailId !== undefined)
    const subject = filled(words.subject, { company: oneLine(company) })
    const { files, leftOut } = await filesOf(messages, openFile)
    const names = [...new Set(messages.map(({ author }) => oneLine(author.name ?? '')).filter(Boolean))]
    const parts: Parts = {
      language,
      company: oneLine(company),
      said: messages.map(({ author, text }) => ({ name: oneLine(author.name ?? ''), text })),
      leftOut: leftOut.length > 0 ? filled(words.files, { names: leftOut.join(', ') }) : null,
      page: page && [ownOrigin, ...settings.origins].includes(new URL(page).origin) ? page : null,
      answerable,
      stopUrl,
      color: settings.color,
    }
    return {
      from: [names.join(', '), oneLine(company)].filter(Boolean).join(' · '),
      subject: isContinued ? `Re: ${subject}` : subject,
      text: plainOf(parts),
      html: htmlOf(parts),
      files,
    }
  }

/** What they write in, where the chat speaks it; else what the chat spoke to them. */
const languageOf = (spoken: string | null, shown: LetterLanguage | undefined, { language }: Settings): LetterLanguage =>
  LETTER_LANGUAGES.find((one) => one === spoken) ?? shown ?? (language === 'auto' ? 'en' : language)

const filesOf = async (messages: readonly Message[], openFile: Needs['openFile']) => {
  const files: ComposedLetter['files'] = []
  const leftOut: string[] = []
  let bytes = 0
  for (const attachment of messages.flatMap(({ attachments = [] }) => attachments)) {
    bytes += attachment.size
    if (bytes > LARGEST_FILES) leftOut.push(oneLine(attachment.name))
    else files.push(await readFile(attachment, openFile))
  }
  return { files, leftOut }
}

const readFile = async (attachment: Attachment, openFile: Needs['openFile']) => {
  const { name, type, stream } = await openFile(attachment)
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
  return { filename: oneLine(name), contentType: type, content: Buffer.concat(parts) }
}

type Parts = {
  language: LetterLanguage
  company: string
  said: { name: string; text: string }[]
  leftOut: string | null
  page: string | null
  answerable: boolean
  stopUrl: string
  color: string
}

const howToAnswer = ({ language, answerable, page }: Parts): string => {
  const { answerHere, answerInChat, answerOnSite } = LETTER_WORDS[language]
  return answerable ? answerHere : page ? answerInChat : answerOnSite
}

const plainOf = (parts: Parts): string => {
  const { language, company, said, leftOut, page, stopUrl } = parts
  const words = LETTER_WORDS[language]
  return [
    filled(words.intro, { company }),
    ...said.map(({ name, text }) => (name ? `${name}:\n${text.trim()}` : text.trim())),
    ...(leftOut ? [leftOut] : []),
    // RFC 3676 section 4.3: readers fold away what stands below.
    ['-- ', howToAnswer(parts), ...(page ? [`${words.toChat}: ${page}`] : []), `${words.stop}: ${stopUrl}`].join('\n'),
    '',
  ].join('\n\n')
}

/** Our own few tags around escaped text: nothing that anybody wrote becomes markup. */
const htmlOf = (parts: Parts): string => {
  const { language, company, said, leftOut, page, stopUrl, color } = parts
  const words = LETTER_WORDS[language]
  const direction = language === 'ar' ? 'rtl' : 'ltr'
  const small = 'font-size:13px;color:#555'
  return [
    `<!doctype html><html lang="${language}" dir="${direction}"><head><meta charset="utf-8"></head>`,
    `<body dir="${direction}" style="font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;font-size:15px;line-height:1.5;color:#1c1c1c">`,
    `<p style="${small}">${filled(words.intro, { company: `<bdi>${escaped(company)}</bdi>` })}</p>`,
    ...said.map(
      ({ name, text }) =>
        `<div style="border-inline-start:3px solid ${color};padding-inline-start:12px;margin:0 0 14px">` +
        `${name ? `<strong dir="auto">${escaped(name)}</strong>` : ''}${paragraphs(text)}</div>`,
    ),
    leftOut ? `<p style="${small}">${escaped(leftOut)}</p>` : '',
    `<div style="${small};border-top:1px solid #ddd;margin-top:20px;padding-top:8px">`,
    `<p>${howToAnswer(parts)}${page ? ` <a href="${escaped(page)}">${words.toChat}</a>` : ''}</p>`,
    `<p><a href="${escaped(stopUrl)}" style="color:#555">${words.stop}</a></p></div></body></html>`,
  ].join('')
}

const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => `<p dir="auto" style="margin:4px 0">${linked(escaped(paragraph)).replaceAll('\n', '<br>')}</p>`)
    .join('')

const linked = (html: string): string =>
  html.replace(
    /\bhttps?:\/\/[^\s<>"']{1,2000}[^\s<>"'.,;:!?)\]}]/g,
    (url) => `<a href="${url}" rel="noopener">${url}</a>`,
  )

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)

const filled = (text: string, values: Record<string, string>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)

/** RFC 5322 section 2.2: a line break in a header begins the next one. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
