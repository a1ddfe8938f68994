import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient, useMay } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { Cautions, KindIcon, useKindName, type Channel, type Kind } from './channels-kind.js'
import { SettingsFields, type Values } from './schema-form.js'

export const NewChannel = ({ kind, close }: { kind: Kind; close: () => void }) => {
  const t = useT()
  const kindName = useKindName()(kind)
  const [name, setName] = useState(kindName)
  const [values, setValues] = useState<Values>({})
  const add = useDeed({
    mutationFn: () => call('channels', 'add', { body: { kind: kind.kind, name: name.trim(), settings: values } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['channels'] })
      tell(t('channels.opened'))
      close()
    },
  })
  return (
    <article className="card channel plain" aria-label={t('channels.new', { kind: kindName })}>
      <header className="channel-head">
        <KindIcon kind={kind} />
        <h2 className="cut">{t('channels.new', { kind: kindName })}</h2>
      </header>
      <Cautions kind={kind} />
      <form
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <TextInput
          label={t('channels.name')}
          description={t('channels.nameHint')}
          required
          withAsterisk={false}
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <SettingsFields
          schema={kind.settings}
          values={values}
          secrets={kind.secrets}
          secretsSet={[]}
          disabled={add.isPending}
          faultAt={fieldOf(add.error)}
          change={(setting, value) => setValues((before) => withSetting(before, setting, value))}
        />
        <Fault error={add.error} />
        <div className="row">
          <Button type="submit" loading={add.isPending} disabled={!name.trim()}>
            {t('channels.open_it')}
          </Button>
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
        </div>
      </form>
    </article>
  )
}

type FormProps = {
  channel: Channel
  kind: Kind | undefined
  changed: Values
  setChanged: (change: (before: Values) => Values) => void
  saved: () => void
}

export const ChannelForm = ({ channel, kind, changed, setChanged, saved }: FormProps) => {
  const t = useT()
  const mayWrite = useMay('channels:write')
  const [name, setName] = useState(channel.name)
  const save = useDeed({
    mutationFn: () =>
      call('channels', 'update', {
        params: { id: channel.id },
        body: { name: name.trim(), ...(Object.keys(changed).length > 0 ? { settings: changed } : {}) },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['channels'] })
      setChanged(() => ({}))
      tell(t('common.saved'))
      saved()
    },
  })
  return (
    <form
      aria-label={t('channels.settings')}
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      {!mayWrite && <p className="small soft">{t('channels.readOnly')}</p>}
      <TextInput
        label={t('channels.name')}
        description={t('channels.nameHint')}
        required
        withAsterisk={false}
        maxLength={120}
        disabled={!mayWrite}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <SettingsFields
        schema={kind?.settings ?? {}}
        values={{ ...(channel.settings as Values), ...changed }}
        secrets={kind?.secrets ?? []}
        secretsSet={channel.secretsSet}
        disabled={!mayWrite}
        faultAt={fieldOf(save.error)}
        change={(setting, value) => setChanged((before) => withSetting(before, setting, value))}
      />
      <Fault error={save.error} />
      {mayWrite && (
        <Button
          type="submit"
          loading={save.isPending}
          disabled={!name.trim() || (name.trim() === channel.name && Object.keys(changed).length === 0)}
        >
          {t('common.save')}
        </Button>
      )}
    </form>
  )
}

const withSetting = (before: Values, name: string, value: unknown): Values => {
  const others = Object.entries(before).filter(([other]) => other !== name)
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]])
}

const fieldOf = (error: unknown): string | undefined =>
  error instanceof Refused ? error.field?.replace(/^settings\./, '') : undefined

/** What the server says about a setting names it and is the best that can be said. */
export const Fault = ({ error }: { error: unknown }) => {
  const fault = useFault()
  if (!error) return null
  const aboutSettings = error instanceof Refused && error.field?.startsWith('settings')
  return (
    <p role="alert" className="bad-text small">
      {aboutSettings ? error.message.replace(/^settings\./, '') : fault(error)}
    </p>
  )
}
