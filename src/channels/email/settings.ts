import { z } from 'zod'

/** How a company's mail is read and sent. Passwords, tokens and keys are secrets: kept sealed, never shown again. */

const host = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9.:_-]+$/, 'must be the name of a server, such as imap.example.com')
const port = z.int().min(1).max(65_535)
const secure = z
  .boolean()
  .default(true)
  .describe('TLS from the first byte (ports 993 and 465); otherwise the connection is upgraded by STARTTLS (143, 587).')

const oauth = z.strictObject({
  tokenUrl: z.url({ protocol: /^https?$/ }).describe('Where access tokens are issued'),
  clientId: z.string().min(1).max(500),
  clientSecret: z.string().max(500).optional(),
  refreshToken: z.string().min(1).max(5_000),
  scope: z.string().max(1_000).optional(),
})

const imap = z
  .strictObject({
    host,
    port: port.default(993),
    secure,
    user: z.string().min(1).max(320),
    password: z.string().min(1).max(500).optional(),
    oauth: oauth.optional().describe('Instead of a password: Gmail and Microsoft 365'),
  })
  .refine(({ password, oauth: tokens }) => password !== undefined || tokens !== undefined, {
    path: ['password'],
    message: 'a password or oauth is needed',
  })

const smtp = z.strictObject({
  host,
  port: port.default(465),
  secure,
  user: z.string().min(1).max(320).optional().describe('Where it is not the same as for reading'),
  password: z.string().min(1).max(500).optional(),
})

const dkim = z.strictObject({
  domain: z.hostname().max(253),
  selector: z.string().regex(/^[a-z0-9._-]{1,63}$/i),
  privateKey: z.string().min(1).max(10_000),
})

export const settings = z
  .strictObject({
    address: z.email().max(254).describe('Customers write to it, and answers come from it.'),
    name: z.string().trim().max(100).default('').describe('Stands beside the address, such as "Acme Support"'),
    imap: imap.optional(),
    mailbox: z.string().min(1).max(200).default('INBOX'),
    since: z.iso.date().optional().describe('Mail from this day on is taken in; without it, what arrives from now on.'),
    authservId: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9._-]{1,253}$/, 'must be a name such as mx.example.com')
      .optional()
      .describe(
        'The name by which your mail server signs Authentication-Results. Only its word on forged senders counts then; without it, the topmost.',
      ),
    webhookSecret: z
      .string()
      .min(24)
      .max(200)
      .optional()
      .describe('For mail that a provider hands in instead: signs what it sends.'),
    smtp,
    replyMark: z
      .enum(['address', 'subject'])
      .default('address')
      .describe(
        'How replies name their conversation: support+…@ (the server must take plus addresses) or [#…] in the subject.',
      ),
    returnPath: z
      .enum(['address', 'marked'])
      .default('address')
      .describe('"marked": bounces come to an address per message; the server must let you send from it.'),
    sentCopy: z.boolean().default(false).describe('Puts a copy into Sent, where the server does not do so itself.'),
    perMinute: z.int().min(1).max(10_000).default(60).describe('Mails sent in a minute at most'),
    signature: z.string().max(2_000).default(''),
    color: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #0f6a58')
      .default('#0f6a58'),
    logo: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional(),
    dkim: dkim.optional().describe('Where the server does not sign for the domain itself'),
  })
  .refine((given) => given.imap !== undefined || given.webhookSecret !== undefined, {
    path: ['imap'],
    message: 'mail has to come from somewhere: imap or a webhookSecret is needed',
  })

export type EmailSettings = z.infer<typeof settings>
export type ImapSettings = z.infer<typeof imap>
export type OauthSettings = z.infer<typeof oauth>

export const SECRET_SETTINGS = [
  'imap.password',
  'imap.oauth.clientSecret',
  'imap.oauth.refreshToken',
  'smtp.password',
  'dkim.privateKey',
  'webhookSecret',
] as const
