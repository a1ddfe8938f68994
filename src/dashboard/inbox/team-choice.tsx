import { NativeSelect } from '@mantine/core'
import { useT } from '../languages/index.js'
import { useCounts, useMe, useTeams } from '../server/queries.js'

/** Offered where there are teams; with each, how much of its there is to do. */
export const TeamChoice = ({ team, choose }: { team: string; choose: (team: string) => void }) => {
  const t = useT()
  const me = useMe().data
  const teams = useTeams().data ?? []
  const counts = useCounts().data?.teams ?? []
  const isMember = teams.some(({ members }) => me && members.includes(me.id))
  const numberOf = (id: string) => counts.find(({ teamId }) => teamId === id)?.all ?? 0
  const known = ['', 'mine', 'none', ...teams.map(({ id }) => id)].includes(team)
  return (
    <NativeSelect
      size="xs"
      aria-label={t('inbox.team')}
      value={team}
      data={[
        { value: '', label: t('inbox.everyTeam') },
        ...(isMember || team === 'mine' ? [{ value: 'mine', label: t('inbox.myTeams') }] : []),
        ...teams.map(({ id, name }) => ({ value: id, label: numberOf(id) > 0 ? `${name} (${numberOf(id)})` : name })),
        { value: 'none', label: t('inbox.noTeam') },
        ...(known ? [] : [{ value: team, label: team }]),
      ]}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  )
}
