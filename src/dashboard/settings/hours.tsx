import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useChannels, useMay, useTeams } from '../server/queries.js'
import { Coming, Failed } from '../ui/states.js'
import { DraftBar, FaultAt, HoldsNow, useDraft, useFaultAt } from './draft.js'
import { Exceptions } from './hours-exceptions.js'
import { HoursPreview, usePreviewFault } from './hours-preview.js'
import { WeekEditor, WeekPicture } from './hours-week.js'
import { usualHours, type Hours, type OpeningHours } from './hours-words.js'
import { SettingsPage } from './page.js'

const LOOK_AGAIN_MS = 5_000

export const HoursScreen = () => {
  const t = useT()
  const hours = useQuery({
    queryKey: ['hours'],
    queryFn: ({ signal }) => call('hours', 'get', { signal }),
    refetchInterval: LOOK_AGAIN_MS,
  })
  return (
    <SettingsPage title={t('hours.title')} text={t('hours.text')} needs="service_levels:read">
      {hours.isPending && <Coming lines={7} />}
      {hours.isError && !hours.data && <Failed error={hours.error} retry={() => void hours.refetch()} />}
      {hours.data && <HoursForm saved={hours.data} lookAgain={() => void hours.refetch()} />}
    </SettingsPage>
  )
}

type Saved = Awaited<ReturnType<typeof call<'hours', 'get'>>>

const toDraft = ({ hours, outside, channels, teams }: Saved): OpeningHours => ({ hours, outside, channels, teams })

const OUTSIDE = ['as_usual', 'sets_expectations', 'message_only'] as const

const HoursForm = ({ saved, lookAgain }: { saved: Saved; lookAgain: () => void }) => {
  const t = useT()
  const mayWrite = useMay('service_levels:write')
  const editing = useDraft({
    name: 'hours',
    saved,
    toDraft,
    lookAgain,
    save: async (draft: OpeningHours, version) => {
      const after = await call('hours', 'save', { body: { ...draft, version } })
      queryClient.setQueryData(['hours'], after)
      return after
    },
  })
  const { draft, change, base } = editing
  const { hours, outside } = draft
  const early = usePreviewFault(hours)
  return (
    <FaultAt error={editing.fault ?? early}>
      <HoldsNow {...base} />
      <fieldset className="bare stack" disabled={!mayWrite}>
        <section className="card promise-card">
          <h2>{t('hours.when')}</h2>
          <AlwaysOr hours={hours} change={(next) => change({ ...draft, hours: next })} />
          {hours && (
            <HoursEditor
              path="hours"
              hours={hours}
              before={base.hours}
              change={(next) => change({ ...draft, hours: next })}
            />
          )}
        </section>
        <section className="card promise-card">
          <h2>{t('hours.outside')}</h2>
          <NativeSelect
            label={t('hours.outsideLabel')}
            description={t(`outsideHint.${outside}`)}
            value={outside}
            data={OUTSIDE.map((value) => ({ value, label: t(`outside.${value}`) }))}
            onChange={(event) => change({ ...draft, outside: event.currentTarget.value as typeof outside })}
          />
        </section>
        <Channels draft={draft} base={base} change={change} />
        <Teams draft={draft} base={base} change={change} />
      </fieldset>
      {mayWrite && <DraftBar editing={editing} />}
    </FaultAt>
  )
}

const AlwaysOr = ({ hours, change }: { hours: Hours | null; change: (hours: Hours | null) => void }) => {
  const t = useT()
  return (
    <NativeSelect
      label={t('hours.people')}
      value={hours ? 'set' : 'always'}
      data={[
        { value: 'always', label: t('hours.always') },
        { value: 'set', label: t('hours.set') },
      ]}
      onChange={(event) => change(event.currentTarget.value === 'set' ? usualHours() : null)}
    />
  )
}

type EditorProps = { path: string; hours: Hours; before: Hours | null; change: (hours: Hours) => void }

const ZONES = [...Intl.supportedValuesOf('timeZone'), 'UTC']

const HoursEditor = ({ path, hours, before, change }: EditorProps) => {
  const t = useT()
  const faultAt = useFaultAt()
  const { timeZone, weekly, exceptions = [] } = hours
  const zones = ZONES.includes(timeZone) ? ZONES : [timeZone, ...ZONES]
  return (
    <div className="hours">
      <div className="stack">
        <NativeSelect
          label={t('hours.zone')}
          value={timeZone}
          data={zones}
          error={faultAt(`${path}.timeZone`)}
          onChange={(event) => change({ ...hours, timeZone: event.currentTarget.value })}
        />
        <WeekEditor path={`${path}.weekly`} weekly={weekly} change={(next) => change({ ...hours, weekly: next })} />
        <Exceptions
          path={`${path}.exceptions`}
          exceptions={exceptions}
          change={(next) => change({ ...hours, exceptions: next })}
        />
      </div>
      <div className="stack">
        <WeekPicture weekly={weekly} />
        <HoursPreview hours={hours} before={before} />
      </div>
    </div>
  )
}

type OwnProps = { draft: OpeningHours; base: OpeningHours; change: (draft: OpeningHours) => void }
type Own = OpeningHours['channels'][number]

/** What a channel does not say for itself is the company's. */
const Channels = ({ draft, base, change }: OwnProps) => {
  const t = useT()
  const channels = useChannels()
  const put = (channelId: string, { hours, outside }: Omit<Own, 'channelId'>) => {
    const own: Own = {
      channelId,
      ...(hours === undefined ? {} : { hours }),
      ...(outside === undefined ? {} : { outside }),
    }
    const says = hours !== undefined || outside !== undefined
    const known = draft.channels.some((one) => one.channelId === channelId)
    const next = known
      ? draft.channels.flatMap((one) => (one.channelId !== channelId ? [one] : says ? [own] : []))
      : [...draft.channels, own]
    change({ ...draft, channels: next })
  }
  return (
    <section className="card promise-card">
      <div className="form-head">
        <h2>{t('hours.channels')}</h2>
        <p className="small soft">{t('hours.channelsText')}</p>
      </div>
      {channels.data?.map(({ id, name, kind }) => {
        const index = draft.channels.findIndex(({ channelId }) => channelId === id)
        const { hours, outside } = draft.channels[index] ?? {}
        const called = name || kind
        return (
          <div key={id} className="channel-hours" role="group" aria-label={called}>
            <h3>
              <bdi>{called}</bdi>
            </h3>
            <div className="channel-choices">
              <NativeSelect
                label={t('hours.people')}
                value={hours === undefined ? 'company' : hours ? 'set' : 'always'}
                data={[
                  { value: 'company', label: t('hours.asCompany') },
                  { value: 'always', label: t('hours.always') },
                  { value: 'set', label: t('hours.own') },
                ]}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  const own = value === 'set' ? (draft.hours ?? usualHours()) : value === 'always' ? null : undefined
                  put(id, { hours: own, outside })
                }}
              />
              <NativeSelect
                label={t('hours.outsideLabel')}
                value={outside ?? ''}
                data={[
                  { value: '', label: t('hours.asCompany') },
                  ...OUTSIDE.map((value) => ({ value, label: t(`outside.${value}`) })),
                ]}
                onChange={(event) =>
                  put(id, { hours, outside: (event.currentTarget.value || undefined) as Own['outside'] })
                }
              />
            </div>
            {hours && (
              <HoursEditor
                path={`channels.${index}.hours`}
                hours={hours}
                before={base.channels.find(({ channelId }) => channelId === id)?.hours ?? base.hours}
                change={(next) => put(id, { hours: next, outside })}
              />
            )}
          </div>
        )
      })}
    </section>
  )
}

/** A team without hours of its own goes by those of the channel. */
const Teams = ({ draft, base, change }: OwnProps) => {
  const t = useT()
  const teams = useTeams()
  if (!teams.data || teams.data.length === 0) return null
  const put = (teamId: string, hours: Hours | null | undefined) => {
    const others = draft.teams.filter((one) => one.teamId !== teamId)
    change({ ...draft, teams: hours === undefined ? others : [...others, { teamId, hours }] })
  }
  return (
    <section className="card promise-card">
      <div className="form-head">
        <h2>{t('hours.teams')}</h2>
        <p className="small soft">{t('hours.teamsText')}</p>
      </div>
      {teams.data.map(({ id, name }) => {
        const index = draft.teams.findIndex(({ teamId }) => teamId === id)
        const hours = draft.teams[index]?.hours
        return (
          <div key={id} className="channel-hours" role="group" aria-label={name}>
            <h3>
              <bdi>{name}</bdi>
            </h3>
            <div className="channel-choices">
              <NativeSelect
                label={t('hours.people')}
                value={hours === undefined ? 'channel' : hours ? 'set' : 'always'}
                data={[
                  { value: 'channel', label: t('hours.asChannel') },
                  { value: 'always', label: t('hours.always') },
                  { value: 'set', label: t('hours.own') },
                ]}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  put(id, value === 'set' ? (draft.hours ?? usualHours()) : value === 'always' ? null : undefined)
                }}
              />
            </div>
            {hours && (
              <HoursEditor
                path={`teams.${index}.hours`}
                hours={hours}
                before={base.teams.find(({ teamId }) => teamId === id)?.hours ?? base.hours}
                change={(next) => put(id, next)}
              />
            )}
          </div>
        )
      })}
    </section>
  )
}
