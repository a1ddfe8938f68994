import type { z } from 'zod'
import type { Companies } from '../../companies/companies.js'
import { toCsv, type Report, type ReportRequest } from '../../conversations/service-level-report.js'
import type { Clock } from '../../platform/clock.js'
import { openBytes } from '../../platform/files.js'
import { contract } from '../contract.js'
import { endpoint, type Endpoint } from '../endpoint.js'

export type ReportsNeeds = {
  serviceLevelReport(companyId: string, request: ReportRequest): Promise<Report>
  channels: { list(companyId: string): Promise<{ id: string; name: string }[]> }
  companies: Pick<Companies, 'serviceLevels' | 'teams'>
  clock: Clock
}

const { reports: routes } = contract
const DEFAULT_MS = 30 * 24 * 60 * 60 * 1000

type Query = z.output<typeof routes.serviceLevels.query>

export const makeReportsRouter = ({ serviceLevelReport, channels, companies, clock }: ReportsNeeds): Endpoint[] => {
  const report = async (companyId: string, { by, time, ...range }: Query) => {
    const { content } = await companies.serviceLevels.hours.get(companyId)
    const timeZone = content.hours?.timeZone ?? 'UTC'
    const to = range.to === undefined ? clock.now() : new Date(range.to)
    const from = range.from === undefined ? new Date(to.getTime() - DEFAULT_MS) : new Date(range.from)
    const { rows, total, worst } = await serviceLevelReport(companyId, { from, to, by, time, timeZone })
    const named = by === 'channel' ? channels.list(companyId) : by === 'team' ? companies.teams.list(companyId) : []
    const names = new Map((await named).map(({ id, name }) => [id, name]))
    return {
      from,
      to,
      timeZone,
      total,
      worst,
      rows: rows.map((row) => ({ ...row, name: names.get(row.key) ?? row.name })),
    }
  }

  return [
    endpoint(routes.serviceLevels, async ({ caller, query }) => {
      const { from, to, worst, ...rest } = await report(caller.companyId, query)
      return {
        from: from.toISOString(),
        to: to.toISOString(),
        ...rest,
        worst: worst.map((one) => ({ ...one, dueAt: one.dueAt.toISOString() })),
      }
    }),
    endpoint(routes.serviceLevelsTable, async ({ caller, query }) => {
      const { rows, from, to } = await report(caller.companyId, query)
      const bytes = Buffer.from(toCsv(query.by, rows))
      const days = [from, to].map((date) => date.toISOString().slice(0, 10)).join('-')
      const name = `service-levels-${days}.csv`
      return { name, type: 'text/csv; charset=utf-8', size: bytes.length, open: openBytes(bytes) }
    }),
  ]
}
