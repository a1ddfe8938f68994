import { Button, NativeSelect } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call, chosenCompany, refusalOf, type Answer } from '../server/client.js'
import { SettingsPage } from '../settings/page.js'
import { useMinute } from '../ui/clock.js'
import { shownDuration } from '../ui/duration.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { fullDate } from '../ui/time.js'
import '../settings/promises.css'
import './reports.css'

type Report = Answer<'reports', 'serviceLevels'>
type Row = Report['rows'][number]
type Measure = Row['measures'][keyof Row['measures']]

const CLOCKS = ['first_response', 'next_response', 'resolution'] as const
const BESIDE = ['assistant_first_reply', 'handoff_to_human_reply'] as const
const PERIODS = ['7', '30', '90'] as const
const BY = ['day', 'channel', 'team', 'agent', 'priority'] as const
const TIMES = ['business', 'calendar'] as const

const DAY_MS = 24 * 60 * 60 * 1000

/** Which promises were kept, how long customers waited, and the conversations behind the bad figures. */
export const ReportsScreen = () => {
  const t = useT()
  const fault = useFault()
  const [days, setDays] = useState<(typeof PERIODS)[number]>('30')
  const [by, setBy] = useState<(typeof BY)[number]>('day')
  const [time, setTime] = useState<(typeof TIMES)[number]>('business')
  const now = useMinute()
  // To the hour: who only looks on does not ask again every minute.
  const to = new Date(Math.ceil(now / (DAY_MS / 24)) * (DAY_MS / 24))
  const query = { from: new Date(to.getTime() - Number(days) * DAY_MS).toISOString(), to: to.toISOString(), by, time }
  const report = useQuery({
    queryKey: ['report', query],
    queryFn: ({ signal }) => call('reports', 'serviceLevels', { query, signal }),
    placeholderData: keepPreviousData,
  })
  const choice = <Value extends string>(
    label: string,
    value: Value,
    data: { value: Value; label: string }[],
    set: (value: Value) => void,
  ) => (
    <NativeSelect
      size="xs"
      label={label}
      value={value}
      data={data}
      onChange={(event) => set(event.currentTarget.value as Value)}
    />
  )
  return (
    <SettingsPage
      title={t('reports.title')}
      text={t('reports.text')}
      needs="reports:read"
      action={
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => void download(query).catch((error: unknown) => tell(fault(error), 'fault'))}
        >
          {t('reports.csv')}
        </Button>
      }
    >
      <div className="report">
        <div className="row wrap report-choice" role="group" aria-label={t('reports.choice')}>
          {choice(
            t('reports.period'),
            days,
            PERIODS.map((value) => ({ value, label: t(`reports.days${value}`) })),
            setDays,
          )}
          {choice(
            t('reports.by'),
            by,
            BY.map((value) => ({ value, label: t(`reports.by_${value}`) })),
            setBy,
          )}
          {choice(
            t('policies.time'),
            time,
            TIMES.map((value) => ({ value, label: t(`policies.${value}`) })),
            setTime,
          )}
        </div>
        {report.isPending && <Coming lines={6} />}
        {report.isError && <Failed error={report.error} retry={() => void report.refetch()} />}
        {report.data &&
          (report.data.rows.length === 0 ? (
            <div className="card">
              <Blank title={t('reports.empty')}>{t('reports.emptyText')}</Blank>
            </div>
          ) : (
            <Figures report={report.data} by={by} />
          ))}
      </div>
    </SettingsPage>
  )
}

/** By a call of its own and not by a link: a link cannot say which of a person's companies is meant. */
const download = async (query: Record<string, string>): Promise<void> => {
  const company = chosenCompany.get()
  const response = await fetch(`/api/v1/reports/service-levels.csv?${new URLSearchParams(query).toString()}`, {
    headers: company === null ? {} : { 'x-company-id': company },
  })
  if (!response.ok) throw refusalOf(response, await response.text())
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = 'service-levels.csv'
  link.click()
  URL.revokeObjectURL(link.href)
}

const Figures = ({ report, by }: { report: Report; by: (typeof BY)[number] }) => {
  const t = useT()
  const language = useLanguage()
  const { total, rows, worst } = report
  return (
    <>
      <ul className="tiles">
        {CLOCKS.map((clock) => (
          <Tile key={clock} title={t(`due.${clock}`)} measure={total.measures[clock]} promised />
        ))}
        {BESIDE.map((span) => (
          <Tile key={span} title={t(`reports.${span}`)} measure={total.measures[span]} />
        ))}
      </ul>
      {by === 'day' && <Days rows={rows} />}
      <section>
        <h2>{t('reports.table')}</h2>
        <div className="scroll-x card" tabIndex={0} role="region" aria-label={t('reports.table')}>
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">{t(`reports.by_${by}`)}</th>
                {CLOCKS.map((clock) => (
                  <th scope="col" key={clock}>
                    {t(`due.${clock}`)}
                  </th>
                ))}
                {BESIDE.map((span) => (
                  <th scope="col" key={span}>
                    {t(`reports.${span}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.key}>
                  <th scope="row">
                    <bdi>{nameOf(row, by, t, language)}</bdi>
                  </th>
                  {CLOCKS.map((clock) => (
                    <td key={clock}>
                      <Share measure={row.measures[clock]} />
                      <span className="faint">{shownDuration(language, row.measures[clock].medianMs)}</span>
                    </td>
                  ))}
                  {BESIDE.map((span) => (
                    <td key={span}>{shownDuration(language, row.measures[span].medianMs)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="small soft">{t('reports.legend', { zone: report.timeZone })}</p>
      </section>
      <section>
        <h2>{t('reports.worst')}</h2>
        {worst.length === 0 ? (
          <p className="soft">{t('reports.noneBroken')}</p>
        ) : (
          <ol className="rows card worst">
            {worst.map(({ conversationId, contact, excerpt, clock, dueAt, lateMs, ended }) => (
              <li key={conversationId + clock + dueAt}>
                <div className="person">
                  <Link to="/inbox/$id" params={{ id: conversationId }} className="name cut">
                    <bdi>{contact ?? t('inbox.visitor')}</bdi>
                  </Link>
                  <span className="small soft cut" dir="auto">
                    {excerpt}
                  </span>
                </div>
                <span className="small soft">
                  {t(`due.${clock}`)} · {t('due.by', { at: fullDate(language, dueAt) })}
                </span>
                <span className="chip bad">
                  {t(ended ? 'reports.late' : 'reports.stillLate', { time: shownDuration(language, lateMs) })}
                </span>
              </li>
            ))}
          </ol>
        )}
      </section>
    </>
  )
}

const nameOf = ({ key, name }: Row, by: (typeof BY)[number], t: ReturnType<typeof useT>, language: string): string => {
  if (key === '') return t(by === 'team' ? 'inbox.noTeam' : 'reports.nobody')
  if (by === 'day') return dayOf(language, key)
  if (by === 'priority' && (key === 'low' || key === 'normal' || key === 'high' || key === 'urgent'))
    return t(`priority.${key}`)
  return name
}

const dayOf = (language: string, day: string): string =>
  new Intl.DateTimeFormat(language, { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }).format(
    Date.parse(day),
  )

const percent = (language: string, share: number | null): string =>
  share === null ? '–' : new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(share)

const Tile = ({ title, measure, promised = false }: { title: string; measure: Measure; promised?: boolean }) => {
  const t = useT()
  const language = useLanguage()
  const { share, met, breached, medianMs, p90Ms, ended } = measure
  return (
    <li className="card tile">
      <h2>{title}</h2>
      <p className="tile-figure">{promised ? percent(language, share) : shownDuration(language, medianMs)}</p>
      {promised && (
        <>
          <Bar met={met} breached={breached} />
          <p className="small soft">{t('reports.kept', { met, breached })}</p>
        </>
      )}
      <p className="small soft">
        {promised
          ? t('reports.medianAnd90', { median: shownDuration(language, medianMs), p90: shownDuration(language, p90Ms) })
          : t('reports.only90', { p90: shownDuration(language, p90Ms), number: ended })}
      </p>
    </li>
  )
}

const Bar = ({ met, breached }: { met: number; breached: number }) => (
  <span className="share-bar" aria-hidden data-empty={met + breached === 0}>
    <span style={{ flexGrow: met }} />
    <span className="broken" style={{ flexGrow: breached }} />
  </span>
)

const Share = ({ measure: { share, met, breached } }: { measure: Measure }) => {
  const language = useLanguage()
  return (
    <span className="share">
      {percent(language, share)}
      <Bar met={met} breached={breached} />
    </span>
  )
}

/** Kept and broken of one clock, day by day. The table below says the same in figures. */
const Days = ({ rows }: { rows: readonly Row[] }) => {
  const t = useT()
  const language = useLanguage()
  const [clock, setClock] = useState<(typeof CLOCKS)[number]>('first_response')
  const most = Math.max(1, ...rows.map(({ measures }) => measures[clock].met + measures[clock].breached))
  const height = (count: number) => `${(count / most) * 100}%`
  return (
    <figure className="card days">
      <figcaption className="row wrap">
        <h2 className="grow">{t('reports.dayByDay')}</h2>
        <span className="small key-met">{t('due.met')}</span>
        <span className="small key-broken">{t('due.breached')}</span>
        <NativeSelect
          size="xs"
          aria-label={t('policies.promise')}
          value={clock}
          data={CLOCKS.map((value) => ({ value, label: t(`due.${value}`) }))}
          onChange={(event) => setClock(event.currentTarget.value as typeof clock)}
        />
      </figcaption>
      <div className="columns" role="img" aria-label={t('reports.chart', { clock: t(`due.${clock}`) })}>
        {rows.map(({ key, measures }) => {
          const { met, breached } = measures[clock]
          return (
            <span
              key={key}
              className="column"
              title={`${dayOf(language, key)}: ${t('reports.kept', { met, breached })}`}
            >
              <span className="broken" style={{ height: height(breached) }} />
              <span style={{ height: height(met) }} />
            </span>
          )
        })}
      </div>
    </figure>
  )
}
