import { z } from 'zod'
import { MAX_MESSAGE_LENGTH } from '../../conversations/message.js'
import { ATTACHMENT_LIMITS } from '../channel.js'
import { coloursOf } from './colours.js'

/** How a company's chat looks and whom it lets in; and what of it any visitor's browser may know. */

const LANGUAGES = ['en', 'pt', 'es', 'ar'] as const

const texts = z.strictObject({
  title: z.string().trim().max(40).optional().describe('Stands at the top of the chat'),
  greeting: z.string().trim().max(300).optional().describe('Stands where no message is yet'),
})

export const settings = z.strictObject({
  origins: z
    .array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin))
    .max(50)
    .default([])
    .describe('Sites that may carry the chat; none means any.'),
  color: z
    .string()
    .toLowerCase()
    .regex(/^#[0-9a-f]{6}$/, 'must be a colour such as #0f6a58')
    .default('#0f6a58')
    .describe('Of the button and of what the visitor writes; text on it is black or white, whichever can be read.'),
  logo: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .nullable()
    .default(null)
    .describe("The address of a picture; the visitor's browser loads it from there."),
  position: z.enum(['right', 'left']).default('right'),
  theme: z.enum(['auto', 'light', 'dark']).default('auto').describe("`auto` follows the visitor's system."),
  language: z
    .enum(['auto', ...LANGUAGES])
    .default('auto')
    .describe("`auto` takes the page's language, else the browser's."),
  texts: z
    .strictObject(Object.fromEntries(LANGUAGES.map((language) => [language, texts.optional()])) as Texts)
    .default({})
    .describe("The company's own words by language, in place of ours."),
  attachments: z.boolean().default(true).describe('Whether visitors may send pictures and files.'),
  identitySecret: z
    .string()
    .min(32, 'must be at least 32 characters')
    .max(200)
    .nullable()
    .default(null)
    .describe('With it, the site proves who its visitor is. Kept encrypted and never returned.'),
})

type Texts = Record<(typeof LANGUAGES)[number], z.ZodOptional<typeof texts>>
export type Settings = z.infer<typeof settings>

/** Kept encrypted, opened only for the channel itself. */
export const SECRET_SETTINGS = ['identitySecret'] as const

export const chatConfig = z.strictObject({
  colors: z.strictObject({
    fill: z.string(),
    onFill: z.string(),
    textOnLight: z.string(),
    textOnDark: z.string(),
  }),
  logo: z.string().nullable(),
  position: z.enum(['right', 'left']),
  theme: z.enum(['auto', 'light', 'dark']),
  language: z.enum(['auto', ...LANGUAGES]),
  texts: settings.shape.texts.unwrap(),
  maxMessageLength: z.int(),
  files: z
    .strictObject({
      most: z.int().describe('With one message.'),
      mostBytes: z.int().describe('Of one file.'),
      extensions: z.array(z.string()),
    })
    .nullable()
    .describe('What may be sent; null: no files.'),
})
export type ChatConfig = z.infer<typeof chatConfig>

/** What is kept from before a setting was thought of gets that setting's default. */
export const configOf = (kept: Record<string, unknown>): ChatConfig => {
  const { color, logo, position, theme, language, texts: own, attachments } = settings.parse(kept)
  return {
    colors: coloursOf(color),
    logo,
    position,
    theme,
    language,
    texts: own,
    maxMessageLength: MAX_MESSAGE_LENGTH,
    files: attachments ? ATTACHMENT_LIMITS : null,
  }
}
