import type { Request } from 'express'
import type { Caller } from '../companies/companies.js'
import { may, type Permission } from '../companies/roles.js'
import { AppError } from '../platform/errors.js'
import type { Limits } from './limits.js'

type Needs = {
  /** Addresses under which browsers reach this server, such as https://support.example.com. */
  origins: readonly string[]
  callerByKey: (key: string) => Promise<Caller | null>
  /** `companyId` is the company that a person with several asks for. */
  limit: Limits
  callerBySession: (cookie: string, companyId: string | undefined) => Promise<Caller | null>
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The token of `Authorization: Bearer …`, `null` without one. */
export const bearerOf = (req: Request): string | null =>
  /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(req.headers.authorization ?? '')?.[1] ?? null

/** Who may come in: by key, or by the session's cookie if the call is our own pages'. */
export const makeAdmission = ({ origins, callerByKey, callerBySession, limit }: Needs) => {
  const identify = async (req: Request): Promise<Caller | null> => {
    const wanted = req.header('x-company-id') ?? companyInAddress(req)
    if (req.headers.authorization !== undefined) {
      const key = bearerOf(req)
      const caller = key && (await callerByKey(key))
      if (caller && wanted !== undefined && wanted !== caller.companyId) throw foreignCompany()
      return caller || null
    }
    const cookie = req.headers.cookie
    return cookie ? callerBySession(cookie, wanted) : null
  }

  return {
    admit: async (req: Request, permission: Permission): Promise<Caller> => {
      const caller = await identify(req)
      if (!caller) {
        const message =
          req.headers.authorization === undefined
            ? 'Send an API key as "Authorization: Bearer …", or sign in.'
            : 'This API key is not known; it may have been revoked.'
        throw new AppError('unauthenticated', 'unauthenticated', message)
      }
      await limit('requests_per_caller', caller.id)
      if (may(caller, permission)) return caller
      throw new AppError('forbidden', 'forbidden', `The role ${caller.role} lacks the permission ${permission}.`)
    },

    /**
     * A browser sends cookies with what other sites make it send. Such a call names its Origin; a key is never sent
     * unasked, so calls that bear one are exempt.
     */
    refuseForeignSites: (req: Request): void => {
      if (SAFE_METHODS.has(req.method) || req.headers.authorization !== undefined) return
      if (req.headers['sec-fetch-site'] === 'same-origin') return
      const { origin } = req.headers
      if (origin === undefined ? req.headers.cookie === undefined : origins.includes(origin)) return
      throw new AppError(
        'forbidden',
        'foreign_origin',
        origin === undefined
          ? "With a session cookie, send an Origin header that names this server's address; or use an API key."
          : 'This call comes from another site. Set PUBLIC_URL if this is the address of the server itself.',
        { field: 'origin' },
      )
    },
  }
}

/** A player in a page can send no header: what is only read may name the company in its address, where its route says so. */
const companyInAddress = ({ method, query }: Request): string | undefined =>
  SAFE_METHODS.has(method) && typeof query.company === 'string' ? query.company : undefined

const foreignCompany = (): AppError =>
  new AppError('forbidden', 'not_a_member', 'This key or person does not belong to that company.', {
    field: 'x-company-id',
  })
