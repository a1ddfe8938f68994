import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconCopy, IconPlus, IconX } from '@tabler/icons-react'
import { useId } from 'react'
import { useLanguage, useT } from '../languages/index.js'
import { Menu } from '../ui/menu.js'
import { useFaultAt } from './draft.js'
import { DAYS, dayName, isNextDay, minutesOf, type Hours, type Period } from './hours-words.js'

type Weekly = Hours['weekly']
type Props = { path: string; weekly: Weekly; change: (weekly: Weekly) => void }

/** Any number of periods a day; one that closes before it opens ends on the next day. */
export const WeekEditor = ({ path, weekly, change }: Props) => {
  const t = useT()
  const language = useLanguage()
  const faultAt = useFaultAt()
  const fault = faultAt(path)
  const set = (day: (typeof DAYS)[number], periods: Period[]) => change({ ...weekly, [day]: periods })
  const copyTo = (days: readonly (typeof DAYS)[number][], periods: Period[]) =>
    change({ ...weekly, ...Object.fromEntries(days.map((day) => [day, periods.map((period) => ({ ...period }))])) })
  return (
    <div className="week">
      {DAYS.map((day) => {
        const periods = weekly[day] ?? []
        const name = dayName(language, day, 'long')
        return (
          <div className="week-day" key={day} role="group" aria-label={name}>
            <span className="week-name">{name}</span>
            <Periods path={`${path}.${day}`} of={name} periods={periods} change={(next) => set(day, next)} />
            {periods.length > 0 && (
              <Menu
                className="copy-day"
                label={t('hours.copy', { day: name })}
                items={[
                  { text: t('hours.toWorkdays'), run: () => copyTo(DAYS.slice(0, 5), periods) },
                  { text: t('hours.toAllDays'), run: () => copyTo(DAYS, periods) },
                ]}
              >
                <IconCopy size={16} aria-hidden />
              </Menu>
            )}
          </div>
        )
      })}
      {fault && (
        <p className="small bad-text" role="alert">
          {fault}
        </p>
      )}
    </div>
  )
}

type PeriodsProps = { path: string; of: string; periods: readonly Period[]; change: (periods: Period[]) => void }

export const Periods = ({ path, of, periods, change }: PeriodsProps) => {
  const t = useT()
  const faultAt = useFaultAt()
  const faultId = useId()
  const fault = faultAt(path, 'within')
  const last = periods.at(-1)
  const next: Period = last
    ? { open: last.close === '24:00' ? '00:00' : last.close, close: '18:00' }
    : { open: '09:00', close: '17:00' }
  return (
    <div className="periods">
      {periods.length === 0 && <span className="faint">{t('hours.closed')}</span>}
      {periods.map((period, index) => {
        const own = `${path}.${index}`
        const side = (name: 'open' | 'close') => (
          <TextInput
            type="time"
            size="xs"
            aria-label={`${of}: ${t(name === 'open' ? 'hours.opens' : 'hours.closes')}`}
            error={Boolean(faultAt(`${own}.${name}`) ?? faultAt(own))}
            {...(fault ? { 'aria-describedby': faultId } : {})}
            value={name === 'close' && period.close === '24:00' ? '00:00' : period[name]}
            onChange={(event) => {
              const typed = event.currentTarget.value
              const value = name === 'close' && typed === '00:00' ? '24:00' : typed
              change(periods.map((one, at) => (at === index ? { ...one, [name]: value } : one)))
            }}
          />
        )
        return (
          <span className="period" key={index}>
            {side('open')}
            <span aria-hidden>–</span>
            {side('close')}
            {isNextDay(period) && <span className="chip">{t('hours.nextDay')}</span>}
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('hours.removePeriod', { day: of, open: period.open, close: period.close })}
              onClick={() => change(periods.filter((_, at) => at !== index))}
            >
              <IconX size={15} aria-hidden />
            </ActionIcon>
          </span>
        )
      })}
      <Button
        variant="subtle"
        size="compact-xs"
        leftSection={<IconPlus size={14} aria-hidden />}
        aria-label={t('hours.addPeriod', { day: of })}
        onClick={() => change([...periods, next])}
      >
        {t('hours.period')}
      </Button>
      {fault && (
        <p className="small bad-text" role="alert" id={faultId}>
          {fault}
        </p>
      )}
    </div>
  )
}

const DAY_MINUTES = 1440

/** The week as it is drawn: nights reach into the next day, Sunday's into Monday. */
const spansOf = (weekly: Weekly): { day: number; from: number; to: number }[] =>
  DAYS.flatMap((day, index) =>
    (weekly[day] ?? []).flatMap(({ open, close }) => {
      const from = minutesOf(open)
      const to = minutesOf(close)
      if (from === null || to === null || from === to) return []
      if (to > from) return [{ day: index, from, to }]
      const rest = { day: (index + 1) % DAYS.length, from: 0, to }
      return [{ day: index, from, to: DAY_MINUTES }, ...(to > 0 ? [rest] : [])]
    }),
  )

export const WeekPicture = ({ weekly }: { weekly: Weekly }) => {
  const t = useT()
  const language = useLanguage()
  const spans = spansOf(weekly)
  const minutes = spans.reduce((sum, { from, to }) => sum + to - from, 0)
  const hours = new Intl.NumberFormat(language, { style: 'unit', unit: 'hour', maximumFractionDigits: 1 }).format(
    minutes / 60,
  )
  const percent = (value: number) => `${(value / DAY_MINUTES) * 100}%`
  return (
    <figure className="week-picture">
      <div role="img" aria-label={t('hours.picture', { hours })}>
        {DAYS.map((day, index) => (
          <div className="week-line" key={day} aria-hidden>
            <span>{dayName(language, day, 'short')}</span>
            <span className="week-track">
              {spans.map(({ day: on, from, to }) =>
                on === index ? (
                  <span key={from} style={{ insetInlineStart: percent(from), width: percent(to - from) }} />
                ) : null,
              )}
            </span>
          </div>
        ))}
        <div className="week-line week-scale" aria-hidden>
          <span />
          <span>
            {[0, 6, 12, 18, 24].map((hour) => (
              <span key={hour} style={{ insetInlineStart: percent(hour * 60) }}>
                {hour}
              </span>
            ))}
          </span>
        </div>
      </div>
      <figcaption className="small soft">{t('hours.aWeek', { hours })}</figcaption>
    </figure>
  )
}
