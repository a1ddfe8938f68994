import { hkdfSync } from 'node:crypto'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import type { CollectionSchema, Db } from '../platform/mongo.js'
import type { PersonLanguage } from './person-language.js'

/**
 * Sign-in with email and password by better-auth. Nothing of its own HTTP interface is mounted: `api` calls what is here,
 * so its other endpoints (sign-up, organisations that users make) do not exist. Its collections are declared here and
 * their shape is better-auth's; people.mongo.ts writes to them in the same transactions as its own.
 */

export type UserDocument = {
  _id: string
  name: string
  email: string
  emailVerified: boolean
  createdAt: Date
  updatedAt: Date
}
export type AccountDocument = {
  _id: string
  accountId: string
  providerId: 'credential'
  userId: string
  password: string
  createdAt: Date
  updatedAt: Date
}
export type MemberDocument = {
  _id: string
  organizationId: string
  userId: string
  role: string
  /** They want no mail about promised times. */
  noPromiseMail?: true
  language?: PersonLanguage
  createdAt: Date
}
export type OrganizationDocument = { _id: string; name: string; slug: string; createdAt: Date }

export const signInSchemas: CollectionSchema[] = [
  { collection: 'users', indexes: [{ key: { email: 1 }, name: 'email', unique: true }] },
  { collection: 'accounts', indexes: [{ key: { userId: 1 }, name: 'of_user' }] },
  {
    collection: 'sessions',
    indexes: [
      { key: { token: 1 }, name: 'token', unique: true },
      { key: { userId: 1 }, name: 'of_user' },
      { key: { expiresAt: 1 }, name: 'expired', expireAfterSeconds: 0 },
    ],
  },
  { collection: 'organizations', indexes: [{ key: { slug: 1 }, name: 'slug', unique: true }] },
  {
    collection: 'members',
    indexes: [
      { key: { organizationId: 1, userId: 1 }, name: 'member_once', unique: true },
      { key: { userId: 1 }, name: 'of_user' },
    ],
  },
]

type Needs = {
  db: Db
  /** The installation's SECRET_KEY; better-auth gets a key of its own, derived from it. */
  secretKey: string
  publicUrl: string
  origins: readonly string[]
}

export type User = { id: string; name: string; email: string }
export type SignedIn = { user: User; cookies: string[] }

/** Loaded when somebody signs in for the first time: half of the start-up would be spent on it, and keys do without. */
const openAuth = async ({ db, secretKey, publicUrl, origins }: Needs) => {
  const { betterAuth } = await import('better-auth')
  const { mongodbAdapter } = await import('better-auth/adapters/mongodb')
  const { organization } = await import('better-auth/plugins')
  const secure = publicUrl.startsWith('https:')
  const prefix = secure ? '__Host-helpdesk' : 'helpdesk'
  return betterAuth({
    baseURL: new URL(publicUrl).origin,
    secret: Buffer.from(hkdfSync('sha256', secretKey, 'helpdesk', 'better-auth', 32)).toString('base64url'),
    trustedOrigins: [...origins],
    telemetry: { enabled: false },
    // Its lines quote what people typed.
    logger: { disabled: true },
    // No `client`: no transactions of its own, which would not include ours.
    database: mongodbAdapter(db, { usePlural: true }),
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 12, maxPasswordLength: 128 },
    plugins: [organization({ allowUserToCreateOrganization: false })],
    advanced: {
      database: { generateId: ({ model }) => newId(model.slice(0, 3)) },
      ipAddress: { disableIpTracking: true },
      // Its own prefix would be __Secure-, which permits a Domain; __Host- does not.
      useSecureCookies: false,
      defaultCookieAttributes: { secure, httpOnly: true, sameSite: 'lax', path: '/' },
      cookies: {
        session_token: { name: `${prefix}.session` },
        session_data: { name: `${prefix}.session_data` },
        dont_remember: { name: `${prefix}.dont_remember` },
        account_data: { name: `${prefix}.account_data` },
      },
    },
  })
}

export const makeSignIn = (needs: Needs) => {
  let opened: ReturnType<typeof openAuth> | undefined
  const auth = () => (opened ??= openAuth(needs))

  const completed = async (response: Response): Promise<SignedIn> => {
    const body = (await response.json()) as { user?: User; code?: string }
    if (body.code === 'INVALID_EMAIL_OR_PASSWORD') throw wrongPassword('The email or the password is wrong.')
    if (body.code === 'INVALID_PASSWORD') throw wrongPassword('The current password is wrong.', 'currentPassword')
    if (response.status === 401) throw new AppError('unauthenticated', 'unauthenticated', 'Sign in first.')
    if (!response.ok || !body.user) {
      throw new AppError('internal', 'sign_in_failed', `The sign-in library answered ${response.status}.`)
    }
    const { id, name, email } = body.user
    return { user: { id, name, email }, cookies: response.headers.getSetCookie() }
  }

  return {
    signIn: async (input: { email: string; password: string; rememberMe: boolean }): Promise<SignedIn> =>
      completed(await (await auth()).api.signInEmail({ body: input, headers: new Headers(), asResponse: true })),

    /** Ends the session of `cookie`; the returned cookies delete it in the browser. */
    signOut: async (cookie: string): Promise<string[]> => {
      const response = await (await auth()).api.signOut({ headers: new Headers({ cookie }), asResponse: true })
      return response.headers.getSetCookie()
    },

    /** Who is signed in. With `refresh`, a session that is in use lives on and `cookies` say so to the browser. */
    session: async (
      cookie: string,
      { refresh }: { refresh: boolean },
    ): Promise<{ user: User; expiresAt: Date; cookies: string[] } | null> => {
      const { response, headers } = await (
        await auth()
      ).api.getSession({
        headers: new Headers({ cookie }),
        query: { disableRefresh: !refresh },
        returnHeaders: true,
      })
      if (!response) return null
      const { id, name, email } = response.user
      return { user: { id, name, email }, expiresAt: response.session.expiresAt, cookies: headers.getSetCookie() }
    },

    /** Ends all other sessions of the person. */
    changePassword: async (
      cookie: string,
      { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
    ): Promise<SignedIn> =>
      completed(
        await (
          await auth()
        ).api.changePassword({
          body: { currentPassword, newPassword, revokeOtherSessions: true },
          headers: new Headers({ cookie }),
          asResponse: true,
        }),
      ),

    hashPassword: async (password: string): Promise<string> => (await (await auth()).$context).password.hash(password),
    verifyPassword: async (password: string, hash: string): Promise<boolean> =>
      (await (await auth()).$context).password.verify({ password, hash }),
  }
}

export type SignIn = ReturnType<typeof makeSignIn>

const wrongPassword = (message: string, field?: string) =>
  new AppError('unauthenticated', 'invalid_credentials', message, { field })
