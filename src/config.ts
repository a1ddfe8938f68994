import { z } from 'zod'

/** The environment, read once. Every variable says in a sentence what it does: .env.example and the README's table are made from here. */

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** An address without a path: http://127.0.0.1:3000 and the like. */
const isOrigin = (value: string): boolean =>
  URL.canParse(value) && /^https?:/.test(value) && new URL(value).pathname === '/'

const OPENAI = 'https://api.openai.com/v1'

/** Each of them is asked at OPENAI_BASE_URL. */
const MODELS = ['OPENAI_MODEL', 'OPENAI_EMBEDDING_MODEL', 'OPENAI_TRANSCRIPTION_MODEL', 'OPENAI_VISION_MODEL'] as const

const price = z.coerce
  .number('must be a number of US dollars')
  .min(0, 'must be a number of US dollars')
  .max(1_000_000, 'must be a number of US dollars')
  .optional()

export const environment = z
  .object({
    PORT: z.coerce
      .number('must be a whole number from 0 to 65535')
      .int('must be a whole number from 0 to 65535')
      .min(0, 'must be a whole number from 0 to 65535')
      .max(65_535, 'must be a whole number from 0 to 65535')
      .default(3000)
      .describe('Port of the web server; 0 takes a free one.'),
    HOST: z
      .string()
      .default('127.0.0.1')
      .describe(
        'Address to listen on. The default is reachable from this machine only; 0.0.0.0 is every address of it.',
      ),
    DATA_DIR: z.string().default('./data').describe('Directory of the embedded store, files and the generated secret.'),
    PUBLIC_URL: z
      .string()
      .refine(isOrigin, 'must be an address such as https://support.example.com, without a path')
      .optional()
      .describe('Address under which people reach the server, such as https://support.example.com.'),
    MONGODB_URI: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\/./, 'must begin with mongodb:// or mongodb+srv://')
      .optional()
      .describe(
        'MongoDB with search (Atlas, or 8.2 and later with its search process). Unset: the embedded store in DATA_DIR.',
      ),
    MONGODB_DATABASE: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,38}$/, 'must be 1 to 38 letters, digits, _ or -')
      .default('helpdesk')
      .describe('Name of the database.'),
    SECRET_KEY: z
      .string()
      .min(32, 'must be at least 32 characters')
      .optional()
      .describe(
        'At least 32 characters that sign tokens and encrypt secrets. Required with NODE_ENV=production or MONGODB_URI; else made once in DATA_DIR.',
      ),
    HELPDESK_ADMIN_EMAIL: z
      .email('must be an email address')
      .optional()
      .describe(
        'First owner, made at the first start together with HELPDESK_ADMIN_PASSWORD. Unset: a one-time set-up link is printed.',
      ),
    HELPDESK_ADMIN_PASSWORD: z
      .string()
      .min(12, 'must be 12 to 128 characters')
      .max(128, 'must be 12 to 128 characters')
      .optional()
      .describe('Password of the first owner, 12 to 128 characters.'),
    HELPDESK_API_KEY: z
      .string()
      .min(16, 'must be 16 to 256 characters')
      .max(256, 'must be 16 to 256 characters')
      .optional()
      .describe('An owner-level API key of the first company, for automation; at least 16 characters.'),
    OPENAI_API_KEY: z
      .string()
      .max(1000, 'must be at most 1,000 characters')
      .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII characters without blanks')
      .optional()
      .describe('Key of the provider of language models. A server of your own at OPENAI_BASE_URL may need none.'),
    OPENAI_BASE_URL: z
      .url({ protocol: /^https?$/, error: 'must be an address such as http://127.0.0.1:11434/v1' })
      .refine((url) => URL.canParse(url) && new URL(url).username === '', 'must not hold a user name or password')
      .default(OPENAI)
      .describe('Where the models are asked: any server that speaks the protocol of OpenAI.'),
    OPENAI_MODEL: z
      .string()
      .optional()
      .describe(
        'Model that writes the answers, such as gpt-4.1-mini. Unset: none; answers are quoted from the documents.',
      ),
    OPENAI_EMBEDDING_MODEL: z
      .string()
      .optional()
      .describe('Model that makes vectors, for search by meaning. Unset: none; search goes by words alone.'),
    OPENAI_ENTAILMENT_MODEL: z
      .string()
      .optional()
      .describe('Model that checks once more that each sentence follows from its quotes. Unset: no such check.'),
    OPENAI_TRANSCRIPTION_MODEL: z
      .string()
      .optional()
      .describe(
        'Model that writes down voice notes, such as gpt-4o-mini-transcribe, asked at OPENAI_BASE_URL/audio/transcriptions. Unset: none; a person listens.',
      ),
    OPENAI_VISION_MODEL: z
      .string()
      .optional()
      .describe(
        'Model that describes pictures that customers send; it may be OPENAI_MODEL, if that one sees. Unset: none; a person looks.',
      ),
    OPENAI_FIRST_TOKEN_MS: z.coerce
      .number('must be a whole number from 100 to 15000')
      .int('must be a whole number from 100 to 15000')
      .min(100, 'must be a whole number from 100 to 15000')
      .max(15_000, 'must be a whole number from 100 to 15000')
      .default(1_800)
      .describe(
        'How long OPENAI_MODEL may take to begin an answer, in milliseconds, before the documents are quoted instead. A slow server of your own may need more.',
      ),
    OPENAI_INPUT_PRICE: price.describe(
      'US dollars per million tokens that OPENAI_MODEL reads, to show costs. Unset: costs are not shown.',
    ),
    OPENAI_OUTPUT_PRICE: price.describe('US dollars per million tokens that OPENAI_MODEL writes.'),
    OPENAI_TRANSCRIPTION_PRICE: price.describe(
      'US dollars per minute that OPENAI_TRANSCRIPTION_MODEL hears. Unset: its cost is not shown.',
    ),
    KNOWLEDGE_DIR: z
      .string()
      .optional()
      .describe(
        "Folder whose .pdf, .docx, .html, .md, .txt and .csv files the first company answers from. Unset: the product's own documentation; empty: none.",
      ),
    ALLOW_PRIVATE_ADDRESSES: z
      .enum(['true', 'false'], 'must be true or false')
      .default('false')
      .transform((value) => value === 'true')
      .describe(
        'Whether channels may connect to loopback and private addresses, such as a mail server in your own network.',
      ),
    RATE_LIMIT_FACTOR: z.coerce
      .number('must be a number above 0')
      .positive('must be a number above 0')
      .default(1)
      .describe('Multiplies every rate limit, for load tests and for installations whose visitors share one address.'),
    TRUST_PROXY: z
      .string()
      .optional()
      .describe(
        'Proxies whose X-Forwarded-For is believed: comma-separated addresses or CIDRs, or "loopback". Unset: none.',
      ),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\/./, 'must begin with smtp:// or smtps://')
      .optional()
      .describe(
        "Server for the product's own mail (invitations, warnings, replies to visitors who left the chat), such as smtps://user:password@mail.example.com. Unset: links are shown instead.",
      ),
    MAIL_FROM: z
      .string()
      .regex(/^[^\r\n]{3,254}$/, 'must be an address such as Support <support@example.com>')
      .optional()
      .describe("Sender of the product's own mail, such as Support <support@example.com>; required with SMTP_URL."),
    SENTRY_DSN: z
      .url({ protocol: /^https?$/, error: 'must be the address that Sentry shows as DSN' })
      .optional()
      .describe('Where errors are reported, without personal data. Unset: nowhere.'),
    LOG_LEVEL: z
      .enum(LEVELS, `must be one of ${LEVELS.join(', ')}`)
      .default('info')
      .describe('Least severe log line that is written.'),
    NODE_ENV: z
      .enum(['development', 'test', 'production'], 'must be development, test or production')
      .default('development')
      .describe('With production, SECRET_KEY is required.'),
  })
  .refine((env) => env.SECRET_KEY || !(env.NODE_ENV === 'production' || env.MONGODB_URI), {
    path: ['SECRET_KEY'],
    message: 'is required with NODE_ENV=production or MONGODB_URI: set at least 32 random characters',
  })
  .refine((env) => !env.SMTP_URL || env.MAIL_FROM, { path: ['MAIL_FROM'], message: 'is required with SMTP_URL' })
  .refine((env) => Boolean(env.HELPDESK_ADMIN_EMAIL) === Boolean(env.HELPDESK_ADMIN_PASSWORD), {
    path: ['HELPDESK_ADMIN_PASSWORD'],
    message: 'and HELPDESK_ADMIN_EMAIL go together: set both or neither',
  })
  .refine((env) => env.OPENAI_API_KEY || env.OPENAI_BASE_URL !== OPENAI || !MODELS.some((name) => env[name]), {
    path: ['OPENAI_API_KEY'],
    message: `is required with ${MODELS.join(', ')}, unless OPENAI_BASE_URL names a server of your own`,
  })
  .refine((env) => env.OPENAI_MODEL || !env.OPENAI_ENTAILMENT_MODEL, {
    path: ['OPENAI_ENTAILMENT_MODEL'],
    message: 'checks what OPENAI_MODEL writes: set OPENAI_MODEL too',
  })
  .refine((env) => (env.OPENAI_INPUT_PRICE === undefined) === (env.OPENAI_OUTPUT_PRICE === undefined), {
    path: ['OPENAI_OUTPUT_PRICE'],
    message: 'and OPENAI_INPUT_PRICE go together: set both or neither',
  })

export type Config = z.infer<typeof environment>

/** The server's own address, without a proxy before it. */
export const ownAddress = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`

export class ConfigError extends Error {}

/** Empty variables count as unset, but for KNOWLEDGE_DIR, where empty means none. Throws ConfigError, one line per fault. */
export const readConfig = (env: Record<string, string | undefined>): Config => {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== '' || name === 'KNOWLEDGE_DIR'),
  )
  const parsed = environment.safeParse(given)
  if (parsed.success) return parsed.data
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'))
}
