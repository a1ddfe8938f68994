import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconClockHour4, IconPencil, IconTrash, IconUsersGroup, IconUsersPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient, useChannels, useMay, usePeople, useTeams, type Team } from '../server/queries.js'
import { Dialog, useConfirm } from '../ui/confirm.js'
import { FormFault } from '../ui/form.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { Choices } from './choices.js'
import { SettingsPage } from './page.js'
import './promises.css'
import { useRemoving } from './removing.js'

/** Who shares a queue, and what comes to it. */
export const TeamsScreen = () => {
  const t = useT()
  const teams = useTeams()
  const mayWrite = useMay('people:write')
  const [editing, setEditing] = useState<Team | 'new' | null>(null)
  const [dialog, confirm] = useConfirm()
  const removing = useRemoving('teams')
  const remove = ({ id, name }: Team) =>
    confirm({
      title: t('teams.removeTitle', { name }),
      text: t('teams.removeText'),
      yes: t('common.remove'),
      run: async () => {
        await removing(() => call('teams', 'remove', { params: { id } }))
        await queryClient.invalidateQueries({ queryKey: ['hours'] })
      },
    })
  const add = mayWrite && (
    <Button leftSection={<IconUsersPlus size={17} aria-hidden />} onClick={() => setEditing('new')}>
      {t('teams.add')}
    </Button>
  )
  return (
    <SettingsPage title={t('teams.title')} text={t('teams.text')} needs="people:read" action={add}>
      {teams.isPending && <Coming lines={4} />}
      {teams.isError && <Failed error={teams.error} retry={() => void teams.refetch()} />}
      {teams.data?.length === 0 && (
        <div className="card">
          <Blank icon={<IconUsersGroup aria-hidden />} title={t('teams.empty')}>
            {t('teams.emptyText')}
          </Blank>
        </div>
      )}
      {teams.data && teams.data.length > 0 && (
        <ul className="rows card people">
          {teams.data.map((team) => (
            <TeamRow
              key={team.id}
              team={team}
              edit={mayWrite ? () => setEditing(team) : null}
              remove={mayWrite ? () => remove(team) : null}
            />
          ))}
        </ul>
      )}
      {dialog}
      {editing && (
        <TeamForm
          key={editing === 'new' ? 'new' : editing.id}
          team={editing === 'new' ? null : editing}
          others={teams.data?.filter((one) => editing === 'new' || one.id !== editing.id) ?? []}
          close={() => setEditing(null)}
        />
      )}
    </SettingsPage>
  )
}

const TeamRow = ({ team, edit, remove }: { team: Team; edit: (() => void) | null; remove: (() => void) | null }) => {
  const t = useT()
  const people = usePeople()
  const channels = useChannels()
  const mayPromise = useMay('service_levels:write')
  const { name } = team
  const members = people.data?.filter(({ id }) => team.members.includes(id)).map((one) => one.name) ?? []
  const from = channels.data?.filter(({ id }) => team.channels.includes(id)).map((one) => one.name || one.kind) ?? []
  return (
    <li>
      <div className="person">
        <span className="name cut">
          <bdi>{name}</bdi>
        </span>
        <span className="small soft">
          <bdi>{members.length > 0 ? members.join(', ') : t('teams.noMembers')}</bdi>
        </span>
        {from.length > 0 && <span className="small soft">{t('teams.gets', { channels: from.join(', ') })}</span>}
      </div>
      {mayPromise && (
        <Link to="/settings/hours" className="row small">
          <IconClockHour4 size={15} aria-hidden />
          {t('nav.hours')}
        </Link>
      )}
      {edit && (
        <ActionIcon variant="subtle" color="gray" aria-label={t('teams.change', { name })} onClick={edit}>
          <IconPencil size={17} aria-hidden />
        </ActionIcon>
      )}
      {remove && (
        <ActionIcon variant="subtle" color="gray" aria-label={t('teams.remove', { name })} onClick={remove}>
          <IconTrash size={17} aria-hidden />
        </ActionIcon>
      )}
    </li>
  )
}

type FormProps = { team: Team | null; others: readonly Team[]; close: () => void }

const TeamForm = ({ team, others, close }: FormProps) => {
  const t = useT()
  const fault = useFault()
  const people = usePeople()
  const channels = useChannels()
  const [name, setName] = useState(team?.name ?? '')
  const [members, setMembers] = useState<readonly string[]>(team?.members ?? [])
  const [from, setFrom] = useState<readonly string[]>(team?.channels ?? [])
  const save = useDeed({
    mutationFn: () => {
      const body = { name: name.trim(), members: [...members], channels: [...from] }
      return team ? call('teams', 'update', { params: { id: team.id }, body }) : call('teams', 'add', { body })
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['teams'] })
      tell(t('common.saved'))
      close()
    },
  })
  const faultOf = (field: string) =>
    save.error instanceof Refused && save.error.field?.split('.')[0] === field ? fault(save.error) : undefined
  const withTeam = (channelId: string) => others.find((one) => one.channels.includes(channelId))?.name
  const named = ['name', 'members', 'channels'].some((field) => faultOf(field) !== undefined)
  return (
    <Dialog title={team ? t('teams.change', { name: team.name }) : t('teams.add')} opened close={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <TextInput
          label={t('common.name')}
          required
          withAsterisk={false}
          maxLength={120}
          data-autofocus
          value={name}
          error={faultOf('name')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Choices
          label={t('teams.members')}
          options={(people.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
          chosen={members}
          fault={faultOf('members')}
          change={setMembers}
        />
        {channels.data && (
          <>
            <Choices
              label={t('teams.handovers')}
              options={channels.data.map((one) => {
                const called = one.name || one.kind
                const taken = withTeam(one.id)
                return taken === undefined
                  ? { value: one.id, label: called }
                  : { value: one.id, label: `${called} (${t('teams.taken', { team: taken })})`, disabled: true }
              })}
              chosen={from}
              fault={faultOf('channels')}
              change={setFrom}
            />
            <p className="small soft">{t('teams.handoversHint')}</p>
          </>
        )}
        {save.isError && !named && <FormFault>{fault(save.error)}</FormFault>}
        <Button type="submit" loading={save.isPending}>
          {t('common.save')}
        </Button>
      </form>
    </Dialog>
  )
}
