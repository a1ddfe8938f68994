import type { Companies, Team } from '../../companies/companies.js'
import { contract } from '../contract.js'
import type { TeamDto } from '../contract/teams.js'
import { endpoint, type Endpoint } from '../endpoint.js'

export type TeamsNeeds = { companies: Pick<Companies, 'teams'> }

const { teams: routes } = contract

export const makeTeamsRouter = ({ companies: { teams } }: TeamsNeeds): Endpoint[] => [
  endpoint(routes.list, async ({ caller }) => ({ teams: (await teams.list(caller.companyId)).map(toTeam) })),
  endpoint(routes.add, async ({ caller, body }) => toTeam(await teams.add(caller.companyId, body))),
  endpoint(routes.update, async ({ caller, params, body }) =>
    toTeam(await teams.update(caller.companyId, params.id, body)),
  ),
  endpoint(routes.remove, ({ caller, params }) => teams.remove(caller, params.id)),
]

const toTeam = ({ createdAt, ...team }: Team): TeamDto => ({ ...team, createdAt: createdAt.toISOString() })
