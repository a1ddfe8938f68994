import { ActionIcon } from '@mantine/core'
import { IconMessages, IconPlus, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useMay } from '../server/queries.js'
import { useConfirm } from '../ui/confirm.js'
import { Menu } from '../ui/menu.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { ChannelForm, NewChannel } from './channels-form.js'
import { Cautions, KindIcon, useKindName, type Channel, type Kind } from './channels-kind.js'
import { Preview } from './channels-preview.js'
import { Pairing } from './channels-pairing.js'
import { LastArrival, StateChip, Why } from './channels-state.js'
import { TryOut } from './channels-try-out.js'
import { Copyable } from './copyable.js'
import { SettingsPage } from './page.js'
import type { Values } from './schema-form.js'

const WHILE_CONNECTING_MS = 5_000

export const ChannelsScreen = () => {
  const t = useT()
  const may = useMay('channels:read')
  const mayWrite = useMay('channels:write')
  const kindName = useKindName()
  const [adding, setAdding] = useState<Kind | null>(null)
  const list = useQuery({
    queryKey: ['channels', 'whole'],
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
    // Frames tell what changes; a frame that was lost leaves nobody before a picture that is none any more.
    refetchInterval: ({ state: { data } }) =>
      data?.channels.some(({ channel }) => channel.state === 'connecting') ? WHILE_CONNECTING_MS : false,
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
            items={list.data.kinds.map((kind) => ({ text: kindName(kind), run: () => setAdding(kind) }))}
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
        <ChannelCard key={channel.id} channel={channel} kind={kind} readAt={list.dataUpdatedAt} />
      ))}
    </SettingsPage>
  )
}

type CardProps = { channel: Channel; kind: Kind | undefined; readAt: number }

const ChannelCard = ({ channel, kind, readAt }: CardProps) => {
  const t = useT()
  const fault = useFault()
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
      run: async () => {
        await call('channels', 'remove', { params: { id } }).catch((error: unknown) => tell(fault(error), 'fault'))
        await queryClient.invalidateQueries({ queryKey: ['channels'] })
      },
    })
  // A chat is seen beside its settings; of the others one wants to know how they are, and seldom changes them.
  const form = (
    <ChannelForm
      // A secret that was just replaced is one that is set.
      key={shown}
      channel={channel}
      kind={kind}
      changed={changed}
      setChanged={setChanged}
      saved={() => setShown(shown + 1)}
    />
  )
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
        <LastArrival channel={channel} />
        <Pairing channel={channel} kind={kind} readAt={readAt} />
        <Cautions kind={kind} />
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
        {key ? (
          form
        ) : (
          <details>
            <summary>{t('channels.settings')}</summary>
            <div>{form}</div>
          </details>
        )}
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
