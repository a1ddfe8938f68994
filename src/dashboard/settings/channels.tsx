import { ActionIcon, Button, TextInput } from '@mantine/core'
import {
  IconBrandWhatsapp,
  IconDeviceMobile,
  IconCheck,
  IconExternalLink,
  IconMail,
  IconMessages,
  IconPlug,
  IconPlus,
  IconTrash,
  IconX,
  type Icon,
} from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { en } from '../languages/en.js'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call, Refused, type Answer } from '../server/client.js'
import { queryClient, useMay } from '../server/queries.js'
import { useConfirm } from '../ui/confirm.js'
import { Menu } from '../ui/menu.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { fullDate } from '../ui/time.js'
import { Copyable } from './copyable.js'
import { SettingsPage } from './page.js'
import { SettingsFields, type Values } from './schema-form.js'

export const ChannelsScreen = () => {
  const t = useT()
  const may = useMay('channels:read')
  const mayWrite = useMay('channels:write')
  const [adding, setAdding] = useState<Kind | null>(null)
  const list = useQuery({
    queryKey: ['channels'],
    queryFn: async ({ signal }) => {
      const [{ channels }, { kinds }] = await Promise.all([
        call('channels', 'list', { signal }),
        call('channels', 'kinds', { signal }),
      ])
      const whole = await Promise.all(channels.map(({ id }) => call('channels', 'get', { params: { id }, signal })))
      return {
        kinds,
        channels: whole.map((channel) => ({ channel, kind: kinds.find(({ kind }) => kind === channel.kind) })),
      }
    },
    enabled: may,
  })
  return (
    <SettingsPage
      title={t('channels.title')}
      text={t('channels.text')}
      needs="channels:read"
      action={
        mayWrite &&
        list.data && (
          <Menu
            label={t('channels.add')}
            items={list.data.kinds.map((kind) => ({ text: kind.label, run: () => setAdding(kind) }))}
            className="add-channel"
          >
            <IconPlus aria-hidden size={16} />
            {t('channels.add')}
          </Menu>
        )
      }
    >
      {list.isPending && <Coming lines={6} />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {adding && mayWrite && <NewChannel key={adding.kind} kind={adding} close={() => setAdding(null)} />}
      {list.data?.channels.length === 0 && !adding && (
        <div className="card">
          <Blank icon={<IconMessages aria-hidden />} title={t('channels.empty')} />
        </div>
      )}
      {list.data?.channels.map(({ channel, kind }) => (
        <ChannelCard key={channel.id} channel={channel} kind={kind} />
      ))}
    </SettingsPage>
  )
}

type Channel = Answer<'channels', 'get'>
type Kind = Answer<'channels', 'kinds'>['kinds'][number]

const ICONS: Record<string, Icon> = {
  message: IconMessages,
  mail: IconMail,
  'phone-message': IconBrandWhatsapp,
  'device-mobile': IconDeviceMobile,
}

const KindIcon = ({ kind }: { kind: Kind | undefined }) => {
  const Shown = ICONS[kind?.icon ?? ''] ?? IconPlug
  return <Shown aria-hidden className="row-icon" />
}

const ChannelCard = ({ channel, kind }: { channel: Channel; kind: Kind | undefined }) => {
  const t = useT()
  const mayWrite = useMay('channels:write')
  const [dialog, confirm] = useConfirm()
  const { id, name, key, webhookPath } = channel
  const [shown, setShown] = useState(0)
  const [changed, setChanged] = useState<Values>({})
  const remove = () =>
    confirm({
      title: t('channels.removeTitle', { name }),
      text: t('channels.removeText'),
      yes: t('channels.remove'),
      run: () => removeChannel(id),
    })
  return (
    <article className={key ? 'card channel' : 'card channel plain'} aria-labelledby={id}>
      <header className="channel-head">
        <KindIcon kind={kind} />
        <h2 id={id} className="cut">
          <bdi>{name}</bdi>
        </h2>
        <StateChip state={channel.state} />
        <span className="grow" />
        {mayWrite && (
          <ActionIcon variant="subtle" color="gray" aria-label={t('channels.remove')} onClick={remove}>
            <IconTrash size={17} aria-hidden />
          </ActionIcon>
        )}
      </header>
      <div className="stack">
        <Why channel={channel} />
        {channel.pairing && <Pairing pairing={channel.pairing} />}
        {key && (
          <section className="stack">
            <p className="small soft">{t('channels.snippet')}</p>
            <Copyable
              label={t('channels.snippet')}
              text={`<script src="${location.origin}/widget.js" data-channel="${key}" async></script>`}
            />
          </section>
        )}
        {webhookPath && (
          <section className="stack">
            <p className="small soft">{t('channels.webhook')}</p>
            <Copyable label={t('channels.webhook')} text={location.origin + webhookPath} />
          </section>
        )}
        <ChannelForm
          // A secret that was just replaced is one that is set.
          key={shown}
          channel={channel}
          kind={kind}
          changed={changed}
          setChanged={setChanged}
          saved={() => setShown(shown + 1)}
        />
      </div>
      {key ? (
        <Preview key={shown} channelKey={key} settings={channel.settings} changed={changed} />
      ) : (
        mayWrite && <TryOut channelId={id} />
      )}
      {dialog}
    </article>
  )
}

/** What links a phone; it is replaced by the next one while nobody has used it. */
const Pairing = ({ pairing: { qr, code } }: { pairing: NonNullable<Channel['pairing']> }) => {
  const t = useT()
  return (
    <section className="pairing" aria-label={t('channels.pairing')}>
      <p className="small soft">{t('channels.pairing')}</p>
      {qr && <img src={qr} alt={t('channels.pairingPicture')} width={240} height={240} />}
      {code && (
        <p className="pairing-code" dir="ltr">
          {code}
        </p>
      )}
    </section>
  )
}

const removeChannel = async (id: string): Promise<void> => {
  await call('channels', 'remove', { params: { id } }).catch((error: unknown) =>
    tell(error instanceof Error ? error.message : String(error), 'fault'),
  )
  await queryClient.invalidateQueries({ queryKey: ['channels'] })
}

const CHIPS: Record<Channel['state'], string> = {
  open: 'assistant',
  connected: 'assistant',
  connecting: '',
  limited: 'waiting',
  attention: 'waiting',
  closed: 'bad',
  disconnected: 'bad',
  refused: 'bad',
}

const StateChip = ({ state }: { state: Channel['state'] }) => {
  const t = useT()
  return (
    <span className={`chip ${CHIPS[state]}`} role="status">
      {t(`channelState.${state}`)}
    </span>
  )
}

const isKnownCode = (code: string): code is keyof typeof en.channelCode => Object.hasOwn(en.channelCode, code)

/** Why it is in its state, where there is more to say than the state itself. */
const Why = ({ channel: { code, detail, at } }: { channel: Channel }) => {
  const t = useT()
  const language = useLanguage()
  const words = code !== undefined && isKnownCode(code) ? t(`channelCode.${code}`) : detail
  if (!words) return null
  return (
    <p className="channel-why small">
      {words} {at && <span className="soft">{t('channels.since', { at: fullDate(language, at) })}</span>}
    </p>
  )
}

const NewChannel = ({ kind, close }: { kind: Kind; close: () => void }) => {
  const t = useT()
  const [name, setName] = useState(kind.label)
  const [values, setValues] = useState<Values>({})
  const add = useMutation({
    mutationFn: () => call('channels', 'add', { body: { kind: kind.kind, name: name.trim(), settings: values } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['channels'] })
      tell(t('channels.opened'))
      close()
    },
  })
  return (
    <article className="card channel plain" aria-label={t('channels.new', { kind: kind.label })}>
      <header className="channel-head">
        <KindIcon kind={kind} />
        <h2 className="cut">{t('channels.new', { kind: kind.label })}</h2>
      </header>
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

const withSetting = (before: Values, name: string, value: unknown): Values => {
  const others = Object.entries(before).filter(([other]) => other !== name)
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]])
}

const fieldOf = (error: unknown): string | undefined =>
  error instanceof Refused ? error.field?.replace(/^settings\./, '') : undefined

/** What the server says about a setting names it and is the best that can be said. */
const Fault = ({ error }: { error: unknown }) => {
  const fault = useFault()
  if (!error) return null
  const aboutSettings = error instanceof Refused && error.field?.startsWith('settings')
  return (
    <p role="alert" className="bad-text small">
      {aboutSettings ? error.message.replace(/^settings\./, '') : fault(error)}
    </p>
  )
}

/** A message to oneself, hop by hop: where it stops is what has to be looked at. */
const TryOut = ({ channelId }: { channelId: string }) => {
  const t = useT()
  const language = useLanguage()
  const [to, setTo] = useState('')
  const test = useMutation({
    mutationFn: () => call('channels', 'test', { params: { id: channelId }, body: { to: to.trim() } }),
  })
  const took = (ms: number) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(ms)
  return (
    <section className="try-out stack" aria-label={t('channels.test')}>
      <h3>{t('channels.test')}</h3>
      <p className="small soft">{t('channels.testText')}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate()
        }}
      >
        <TextInput
          label={t('channels.testTo')}
          maxLength={320}
          dir="ltr"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={test.isPending} disabled={!to.trim()}>
          {t('channels.testRun')}
        </Button>
      </form>
      {test.data && (
        <ol className="steps" role="status">
          {test.data.steps.map(({ name, ok, ms, detail }, at) => (
            <li key={at} className={ok ? '' : 'failed'}>
              {ok ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
              <span className="grow">
                <span className="hidden">{t(ok ? 'channels.stepOk' : 'channels.stepFailed')}: </span>
                {name.replaceAll('_', ' ')}
                {detail && <span className="small soft"> {detail}</span>}
              </span>
              <span className="small soft">{took(ms)}</span>
            </li>
          ))}
        </ol>
      )}
      <Fault error={test.error} />
    </section>
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
