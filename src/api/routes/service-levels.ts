import type { Companies } from '../../companies/companies.js'
import { assertHours, hoursOf, previewHours, type OpeningHours } from '../../companies/opening-hours.js'
import type { Saved } from '../../companies/service-levels.mongo.js'
import type { PolicyPreview } from '../../conversations/policy-preview.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { readHolidays } from '../../sla/holidays.js'
import type { Policy } from '../../sla/policy.js'
import { contract } from '../contract.js'
import { endpoint, type Endpoint } from '../endpoint.js'

export type ServiceLevelsNeeds = {
  companies: Pick<Companies, 'serviceLevels'>
  previewPolicies(companyId: string, policies: readonly Policy[]): Promise<PolicyPreview>
  clock: Clock
}

const { hours: hoursRoutes, policies: policyRoutes } = contract

export const makeServiceLevelsRouter = ({
  companies: { serviceLevels },
  previewPolicies,
  clock,
}: ServiceLevelsNeeds): Endpoint[] => [
  endpoint(hoursRoutes.get, async ({ caller }) => toHours(await serviceLevels.hours.get(caller.companyId))),
  endpoint(hoursRoutes.save, async ({ caller, body: { version, ...given } }) =>
    toHours(await serviceLevels.hours.save(caller.companyId, stated(given), caller, version)),
  ),
  endpoint(hoursRoutes.preview, async ({ caller, body: { hours, channelId, teamId } }) => {
    const wanted = stated(hours)
    assertHours(wanted, 'hours')
    const { content } = await serviceLevels.hours.get(caller.companyId)
    const before = hoursOf(content, channelId ?? null, teamId ?? null)
    const { from, until, nextOpening, periods, ...preview } = previewHours(wanted, before, clock.now())
    return {
      ...preview,
      from: from.toISOString(),
      until: until.toISOString(),
      nextOpening: nextOpening?.toISOString() ?? null,
      periods: periods.map(({ open, close }) => ({ open: open.toISOString(), close: close.toISOString() })),
    }
  }),
  endpoint(hoursRoutes.readHolidays, ({ body }) => {
    const read = readHolidays(body.ics)
    if (read.kind === 'read') return { holidays: read.holidays }
    const { code, line, message } = read.fault
    throw new AppError('invalid', code, `Line ${line}: ${message}`, { field: 'ics' })
  }),
  endpoint(policyRoutes.get, async ({ caller }) => toPolicies(await serviceLevels.policies.get(caller.companyId))),
  endpoint(policyRoutes.versions, async ({ caller, query }) => ({
    versions: (await serviceLevels.policies.versions(caller.companyId, query.limit)).map(toPolicies),
  })),
  endpoint(policyRoutes.save, async ({ caller, body: { version, policies } }) =>
    toPolicies(await serviceLevels.policies.save(caller.companyId, stated(policies), caller, version)),
  ),
  endpoint(policyRoutes.preview, async ({ caller: { companyId }, body: { policies } }) => {
    const checked = await serviceLevels.policies.check(companyId, stated(policies))
    const { since, ...preview } = await previewPolicies(companyId, checked)
    return { since: since.toISOString(), ...preview }
  }),
]

const toHours = ({ version, savedAt, savedBy, content }: Saved<OpeningHours>) => ({
  version,
  savedAt: savedAt?.toISOString() ?? null,
  savedBy,
  ...content,
  teams: content.teams ?? [],
})

const toPolicies = ({ version, savedAt, savedBy, content }: Saved<Policy[]>) => ({
  version,
  savedAt: savedAt?.toISOString() ?? null,
  savedBy,
  policies: content,
})

/** A schema's optional fields may stand there as `undefined`; the rooms know only fields that are there. */
type Stated<T> = T extends readonly (infer Item)[]
  ? Stated<Item>[]
  : T extends object
    ? { [Key in keyof T]: Stated<Exclude<T[Key], undefined>> }
    : T

const stated = <T>(given: T): Stated<T> => {
  if (Array.isArray(given)) return given.map((item: unknown) => stated(item)) as Stated<T>
  if (typeof given !== 'object' || given === null) return given as Stated<T>
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([key, value]) => [key, stated(value) as unknown])) as Stated<T>
}
