import { Button, NativeSelect, Switch, useMantineColorScheme } from '@mantine/core'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/Switch.layer.css'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { chooseLanguage, LANGUAGES, useFault, useLanguage, useT, type Language } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient } from '../server/queries.js'
import { singleKeys } from '../ui/commands.js'
import { FormFault, Password } from '../ui/form.js'
import { tell } from '../ui/tell.js'
import { SettingsPage } from './page.js'

const THEMES = ['auto', 'light', 'dark'] as const

export const ProfileScreen = () => {
  const t = useT()
  const fault = useFault()
  const language = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const [keys, setKeys] = useState(singleKeys.on)
  return (
    <SettingsPage title={t('profile.title')} text={t('profile.text')}>
      <div className="stack">
        <section className="card form">
          <h2>{t('profile.look')}</h2>
          <NativeSelect
            label={t('profile.language')}
            value={language}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
            onChange={(event) =>
              void chooseLanguage(event.currentTarget.value as Language).catch((error: unknown) =>
                tell(fault(error), 'fault'),
              )
            }
          />
          <NativeSelect
            label={t('profile.theme')}
            value={colorScheme}
            data={THEMES.map((value) => ({ value, label: t(`profile.${value}`) }))}
            onChange={(event) => setColorScheme(event.currentTarget.value as (typeof THEMES)[number])}
          />
          <Switch
            label={t('profile.keys')}
            description={t('profile.keysHint')}
            checked={keys}
            onChange={(event) => {
              singleKeys.set(event.currentTarget.checked)
              setKeys(event.currentTarget.checked)
            }}
          />
          <BrowserNotifications />
          <PromiseMail />
        </section>
        <ChangePassword />
      </div>
    </SettingsPage>
  )
}

const BrowserNotifications = () => {
  const t = useT()
  const [permission, setPermission] = useState<NotificationPermission | 'none'>(() =>
    'Notification' in window ? Notification.permission : 'none',
  )
  return (
    <div className="form-head">
      <h3>{t('profile.notifications')}</h3>
      {permission === 'granted' && <p className="small soft">{t('profile.notificationsOn')}</p>}
      {permission === 'denied' && <p className="small soft">{t('profile.notificationsOff')}</p>}
      {permission === 'none' && <p className="small soft">{t('profile.notificationsNone')}</p>}
      {permission === 'default' && (
        <Button variant="default" size="xs" onClick={() => void Notification.requestPermission().then(setPermission)}>
          {t('profile.notificationsAsk')}
        </Button>
      )}
    </div>
  )
}

/** About promised times: whoever has a conversation in hand, and admins. */
const PromiseMail = () => {
  const t = useT()
  const fault = useFault()
  const notices = useQuery({
    queryKey: ['notices'],
    queryFn: ({ signal }) => call('companies', 'getNotices', { signal }),
  })
  const change = useMutation({
    mutationFn: (promiseMail: boolean) => call('companies', 'setNotices', { body: { promiseMail } }),
    onSuccess: (after) => {
      queryClient.setQueryData(['notices'], after)
      tell(t('common.saved'))
    },
    onError: (error) => tell(fault(error), 'fault'),
  })
  if (!notices.data) return null
  return (
    <Switch
      label={t('notices.mail')}
      description={t('notices.mailHint')}
      checked={change.isPending ? change.variables : notices.data.promiseMail}
      disabled={change.isPending}
      onChange={(event) => change.mutate(event.currentTarget.checked)}
    />
  )
}

const LEAST_PASSWORD = 12

const ChangePassword = () => {
  const t = useT()
  const fault = useFault()
  const [currentPassword, setCurrent] = useState('')
  const [newPassword, setNext] = useState('')
  const short = newPassword.length > 0 && newPassword.length < LEAST_PASSWORD
  const change = useDeed({
    mutationFn: () => call('setup', 'changePassword', { body: { currentPassword, newPassword } }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      tell(t('profile.changed'))
    },
  })
  const field = change.error instanceof Refused ? change.error.field : undefined
  const shown = change.error instanceof Refused && field ? change.error.message : change.error && fault(change.error)
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault()
        if (newPassword.length >= LEAST_PASSWORD) change.mutate()
      }}
    >
      <h2>{t('profile.password')}</h2>
      <Password
        label={t('profile.current')}
        autoComplete="current-password"
        value={currentPassword}
        error={field === 'currentPassword' ? shown : undefined}
        change={setCurrent}
      />
      <Password
        label={t('profile.next')}
        autoComplete="new-password"
        value={newPassword}
        error={short ? t('signIn.passwordShort', { count: LEAST_PASSWORD - newPassword.length }) : undefined}
        change={setNext}
      />
      {change.isError && field !== 'currentPassword' && <FormFault>{shown}</FormFault>}
      <Button
        type="submit"
        loading={change.isPending}
        disabled={!currentPassword || newPassword.length < LEAST_PASSWORD}
      >
        {t('profile.change')}
      </Button>
    </form>
  )
}
