import { Button, TextInput } from '@mantine/core'
import { IconExternalLink, IconMessages } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, Refused, type Answer } from '../server/client.js'
import { queryClient, useMay } from '../server/queries.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { Copyable } from './copyable.js'
import { SettingsPage } from './page.js'
import { SettingsFields, type Values } from './schema-form.js'

export const ChannelsScreen = () => {
  const t = useT()
  const may = useMay('channels:read')
  const list = useQuery({
    queryKey: ['channels'],
    queryFn: async ({ signal }) => {
      const [{ channels }, { kinds }] = await Promise.all([
        call('channels', 'list', { signal }),
        call('channels', 'kinds', { signal }),
      ])
      const whole = await Promise.all(channels.map(({ id }) => call('channels', 'get', { params: { id }, signal })))
      return whole.map((channel) => ({ channel, kind: kinds.find(({ kind }) => kind === channel.kind) }))
    },
    enabled: may,
  })
  return (
    <SettingsPage title={t('channels.title')} text={t('channels.text')} needs="channels:read">
      {list.isPending && <Coming lines={6} />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data?.length === 0 && (
        <div className="card">
          <Blank icon={<IconMessages aria-hidden />} title={t('channels.empty')} />
        </div>
      )}
      {list.data?.map(({ channel, kind }) => (
        <ChannelCard key={channel.id} channel={channel} kind={kind} />
      ))}
    </SettingsPage>
  )
}

type Channel = Answer<'channels', 'get'>
type Kind = Answer<'channels', 'kinds'>['kinds'][number]

const ChannelCard = ({ channel, kind }: { channel: Channel; kind: Kind | undefined }) => {
  const t = useT()
  const { id, name, state, key } = channel
  const [shown, setShown] = useState(0)
  const [changed, setChanged] = useState<Values>({})
  return (
    <article className="card channel" aria-labelledby={id}>
      <header className="channel-head">
        <IconMessages aria-hidden className="row-icon" />
        <h2 id={id} className="cut">
          <bdi>{name}</bdi>
        </h2>
        <span className={state === 'open' ? 'chip assistant' : 'chip bad'}>
          {state === 'open' ? t('channels.open') : t('channels.closed')}
        </span>
      </header>
      <div className="stack">
        {key && (
          <section className="stack">
            <p className="small soft">{t('channels.snippet')}</p>
            <Copyable
              label={t('channels.snippet')}
              text={`<script src="${location.origin}/widget.js" data-channel="${key}" async></script>`}
            />
          </section>
        )}
        <ChannelForm
          channel={channel}
          kind={kind}
          changed={changed}
          setChanged={setChanged}
          saved={() => setShown(shown + 1)}
        />
      </div>
      {key && <Preview key={shown} channelKey={key} settings={channel.settings} changed={changed} />}
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

const ChannelForm = ({ channel, kind, changed, setChanged, saved }: FormProps) => {
  const t = useT()
  const fault = useFault()
  const mayWrite = useMay('channels:write')
  const [name, setName] = useState(channel.name)
  const save = useMutation({
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
  const field = save.error instanceof Refused ? save.error.field : undefined
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
        faultAt={field?.replace(/^settings\./, '')}
        change={(setting, value) => setChanged((before) => ({ ...before, [setting]: value }))}
      />
      {save.isError && (
        <p role="alert" className="bad-text small">
          {save.error instanceof Refused && save.error.code === 'invalid_settings'
            ? save.error.message.replace(/^settings\./, '')
            : fault(save.error)}
        </p>
      )}
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

/** A form is typed into faster than a chat is drawn. */
const SHOW_AFTER_MS = 300
const isColour = (given: unknown) => typeof given !== 'string' || /^#[0-9a-f]{6}$/i.test(given)

/** The real thing, as customers get it; what is not saved yet is shown to nobody but who changes it. */
const Preview = ({ channelKey, settings, changed }: { channelKey: string; settings: Values; changed: Values }) => {
  const t = useT()
  const frame = useRef<HTMLIFrameElement>(null)
  const address = `/demo?key=${encodeURIComponent(channelKey)}`
  const there = useQuery({
    queryKey: ['demo'],
    queryFn: async () => (await fetch('/demo', { method: 'HEAD' })).ok,
    staleTime: Infinity,
    retry: false,
  })
  useEffect(() => {
    const shown = { ...settings, ...changed }
    if (Object.keys(changed).length === 0 || !isColour(shown.color)) return
    const timer = setTimeout(
      () => frame.current?.contentWindow?.postMessage({ helpdesk: 'preview', settings: shown }, location.origin),
      SHOW_AFTER_MS,
    )
    return () => clearTimeout(timer)
  }, [settings, changed])
  return (
    <section className="preview stack" aria-label={t('channels.preview')}>
      <p className="small soft row">
        {t('channels.preview')}
        {there.data && (
          <a href={address} target="_blank" rel="noreferrer" aria-label={t('inbox.tryChat')}>
            <IconExternalLink size={15} aria-hidden />
          </a>
        )}
      </p>
      {there.data ? (
        <iframe ref={frame} title={t('channels.preview')} src={address} />
      ) : (
        <Blank title={t('channels.preview')}>{t('channels.noPreview')}</Blank>
      )}
    </section>
  )
}
