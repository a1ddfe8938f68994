import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { IconTrash, IconUserPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient, useMay, useMe, usePeople, type Person, type Role } from '../server/queries.js'
import { Dialog, useConfirm } from '../ui/confirm.js'
import { Face } from '../ui/face.js'
import { FormFault } from '../ui/form.js'
import { Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { Copyable } from './copyable.js'
import { SettingsPage } from './page.js'
import { useRemoving } from './removing.js'

/** From the most powerful to the least: nobody gives a role above their own. */
export const ROLES = Object.keys({
  owner: 0,
  admin: 0,
  supervisor: 0,
  agent: 0,
  viewer: 0,
} satisfies Record<Role, 0>) as Role[]

export const rolesUpTo = (own: Role): Role[] => ROLES.slice(ROLES.indexOf(own))

export const PeopleScreen = () => {
  const t = useT()
  const people = usePeople()
  const mayWrite = useMay('people:write')
  const [inviting, setInviting] = useState(false)
  const [dialog, confirm] = useConfirm()
  const removing = useRemoving('people')
  const remove = ({ id, name, status }: Person) =>
    confirm({
      title: t('people.removeTitle', { name }),
      text: status === 'invited' ? t('people.revokeText') : t('people.removeText'),
      yes: t('common.remove'),
      run: () => removing(() => call('people', 'remove', { params: { id } })),
    })
  return (
    <SettingsPage
      title={t('people.title')}
      text={t('people.text')}
      needs="people:read"
      action={
        mayWrite && (
          <Button leftSection={<IconUserPlus size={17} aria-hidden />} onClick={() => setInviting(true)}>
            {t('people.invite')}
          </Button>
        )
      }
    >
      {people.isPending && <Coming lines={4} />}
      {people.isError && <Failed error={people.error} retry={() => void people.refetch()} />}
      {people.data && (
        <ul className="rows card people">
          {people.data.map((person) => (
            <PersonRow key={person.id} person={person} remove={mayWrite ? () => remove(person) : null} />
          ))}
        </ul>
      )}
      {dialog}
      {inviting && <Invite close={() => setInviting(false)} />}
    </SettingsPage>
  )
}

const PersonRow = ({ person, remove }: { person: Person; remove: (() => void) | null }) => {
  const t = useT()
  const fault = useFault()
  const me = useMe().data
  const { id, name, email, role, status } = person
  const own = id === me?.id
  const below = me !== null && me !== undefined && rolesUpTo(me.role).includes(role)
  const change = useMutation({
    mutationFn: (to: Role) => call('people', 'changeRole', { params: { id }, body: { role: to } }),
    onSuccess: () => tell(t('common.saved')),
    onError: (error) => tell(fault(error), 'fault'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['people'] }),
  })
  return (
    <li>
      <Face name={name} />
      <div className="person">
        <span className="name cut">
          <bdi>{name}</bdi>
          {own && <span className="soft"> ({t('people.you')})</span>}
        </span>
        <span className="small soft cut">{email}</span>
      </div>
      {status === 'invited' && <span className="chip waiting">{t('people.invited')}</span>}
      {remove && below && me ? (
        <NativeSelect
          size="xs"
          aria-label={t('people.roleOf', { name })}
          value={change.isPending ? change.variables : role}
          data={rolesUpTo(me.role).map((value) => ({ value, label: t(`role.${value}`) }))}
          onChange={(event) => change.mutate(event.currentTarget.value as Role)}
        />
      ) : (
        <span className="chip">{t(`role.${role}`)}</span>
      )}
      {remove && below && !own && (
        <ActionIcon variant="subtle" color="gray" aria-label={t('people.remove', { name })} onClick={remove}>
          <IconTrash size={17} aria-hidden />
        </ActionIcon>
      )}
    </li>
  )
}

const Invite = ({ close }: { close: () => void }) => {
  const t = useT()
  const fault = useFault()
  const me = useMe().data
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('agent')
  const invite = useDeed({
    mutationFn: () => call('people', 'invite', { body: { name: name.trim(), email: email.trim(), role } }),
    onSuccess: async ({ mailed }) => {
      await queryClient.invalidateQueries({ queryKey: ['people'] })
      if (!mailed) return
      tell(t('people.mailed', { email: email.trim() }))
      close()
    },
  })
  const link = invite.data && !invite.data.mailed ? invite.data.setupUrl : null
  const faultOf = (field: string) =>
    invite.error instanceof Refused && invite.error.field === field ? fault(invite.error) : undefined
  return (
    <Dialog title={t('people.invite')} opened close={close}>
      {link ? (
        <div className="stack">
          <div className="once" role="status">
            <p>{t('people.link', { name: name.trim() })}</p>
            <Copyable text={link} label={t('people.invite')} />
          </div>
          <Button variant="default" onClick={close}>
            {t('common.close')}
          </Button>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            invite.mutate()
          }}
        >
          <p className="soft small">{t('people.inviteText')}</p>
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
          <TextInput
            label={t('signIn.email')}
            type="email"
            required
            withAsterisk={false}
            maxLength={254}
            value={email}
            error={faultOf('email')}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('people.role')}
            description={t(`roleHint.${role}`)}
            value={role}
            data={rolesUpTo(me?.role ?? 'agent').map((value) => ({ value, label: t(`role.${value}`) }))}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
          />
          {invite.isError && !faultOf('name') && !faultOf('email') && <FormFault>{fault(invite.error)}</FormFault>}
          <Button type="submit" loading={invite.isPending}>
            {t('people.send')}
          </Button>
        </form>
      )}
    </Dialog>
  )
}
