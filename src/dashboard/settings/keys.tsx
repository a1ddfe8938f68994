import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { IconKey, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient, useMay, useMe, type Role } from '../server/queries.js'
import { Dialog, useConfirm } from '../ui/confirm.js'
import { FormFault } from '../ui/form.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { fullDate } from '../ui/time.js'
import { Copyable } from './copyable.js'
import { SettingsPage } from './page.js'
import { rolesUpTo } from './people.js'
import { useRemoving } from './removing.js'

export const KeysScreen = () => {
  const t = useT()
  const language = useLanguage()
  const removing = useRemoving('keys')
  const mayWrite = useMay('keys:write')
  const mayRead = useMay('keys:read')
  const [making, setMaking] = useState(false)
  const [dialog, confirm] = useConfirm()
  const keys = useQuery({
    queryKey: ['keys'],
    queryFn: async ({ signal }) => (await call('keys', 'list', { signal })).keys,
    enabled: mayRead,
  })
  const revoke = (id: string, name: string) =>
    confirm({
      title: t('keys.revokeTitle', { name }),
      text: t('keys.revokeText'),
      yes: t('keys.revokeYes'),
      run: () => removing(() => call('keys', 'remove', { params: { id } })),
    })
  return (
    <SettingsPage
      title={t('keys.title')}
      text={t('keys.text')}
      needs="keys:read"
      action={mayWrite && <Button onClick={() => setMaking(true)}>{t('keys.make')}</Button>}
    >
      {keys.isPending && <Coming lines={3} />}
      {keys.isError && <Failed error={keys.error} retry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && (
        <div className="card">
          <Blank icon={<IconKey aria-hidden />} title={t('keys.empty')} />
        </div>
      )}
      {keys.data && keys.data.length > 0 && (
        <ul className="rows card">
          {keys.data.map(({ id, name, role, prefix, createdAt, lastUsedAt }) => (
            <li key={id}>
              <div className="person">
                <span className="name cut">
                  <bdi>{name}</bdi>
                </span>
                <span className="small soft cut">
                  <code>{prefix}…</code> · {t('keys.made', { date: fullDate(language, createdAt) })} ·{' '}
                  {lastUsedAt ? t('keys.used', { date: fullDate(language, lastUsedAt) }) : t('keys.unused')}
                </span>
              </div>
              <span className="chip">{t(`role.${role}`)}</span>
              {mayWrite && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('keys.revoke', { name })}
                  onClick={() => revoke(id, name)}
                >
                  <IconTrash size={17} aria-hidden />
                </ActionIcon>
              )}
            </li>
          ))}
        </ul>
      )}
      {dialog}
      {making && <MakeKey close={() => setMaking(false)} />}
    </SettingsPage>
  )
}

const MakeKey = ({ close }: { close: () => void }) => {
  const t = useT()
  const fault = useFault()
  const me = useMe().data
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('agent')
  const make = useDeed({
    mutationFn: () => call('keys', 'add', { body: { name: name.trim(), role } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['keys'] }),
  })
  return (
    <Dialog title={t('keys.make')} opened close={close}>
      {make.data ? (
        <div className="stack">
          <div className="once" role="status">
            <p>{t('keys.once')}</p>
            <Copyable text={make.data.key} label={t('keys.title')} />
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
            make.mutate()
          }}
        >
          <TextInput
            label={t('keys.name')}
            required
            withAsterisk={false}
            maxLength={120}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('keys.role')}
            description={t(`roleHint.${role}`)}
            value={role}
            data={rolesUpTo(me?.role ?? 'agent').map((value) => ({ value, label: t(`role.${value}`) }))}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
          />
          {make.isError && <FormFault>{fault(make.error)}</FormFault>}
          <Button type="submit" loading={make.isPending}>
            {t('keys.create')}
          </Button>
        </form>
      )}
    </Dialog>
  )
}
