import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call, Refused, type Answer } from '../server/client.js'
import { shownDuration } from '../ui/duration.js'
import type { Hours } from './hours-words.js'

const AFTER_MS = 400

/** What was typed, once the typing rests. */
const useRested = <T,>(value: T): T => {
  const text = JSON.stringify(value)
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), AFTER_MS)
    return () => clearTimeout(timer)
  }, [text])
  return rested
}

type Preview = Answer<'hours', 'preview'>

const usePreview = (hours: Hours | null) => {
  const rested = useRested(hours)
  return useQuery({
    queryKey: ['hours-preview', rested],
    queryFn: ({ signal }) => call('hours', 'preview', { body: { hours: rested }, signal }),
    placeholderData: (before) => before,
    staleTime: 60_000,
  })
}

type Props = { hours: Hours; before: Hours | null }

/** The coming two weeks as they would be, and what is different from how they are now. */
export const HoursPreview = ({ hours, before }: Props) => {
  const t = useT()
  const fault = useFault()
  const language = useLanguage()
  const preview = usePreview(hours)
  const now = usePreview(before)
  if (preview.isError)
    return (
      <p className="small bad-text" role="alert">
        {fault(preview.error)}
      </p>
    )
  if (!preview.data) return null
  const { isOpen, nextOpening, openMs } = preview.data
  const difference = openMs - (now.data?.openMs ?? openMs)
  const then = now.data ? new Map(daysOf(language, now.data, hours.timeZone).map(({ key, text }) => [key, text])) : null
  return (
    <div className="hours-preview" role="group" aria-label={t('hours.preview')}>
      <h3>{t('hours.preview')}</h3>
      <p className="small" role="status">
        {isOpen ? t('hours.openNow') : t('hours.opens_next', { at: momentIn(language, nextOpening, hours.timeZone) })}{' '}
        {t('hours.inAll', { hours: shownDuration(language, openMs) })}{' '}
        {difference !== 0 && (
          <strong>
            {t(difference > 0 ? 'hours.more' : 'hours.less', { hours: shownDuration(language, Math.abs(difference)) })}
          </strong>
        )}
      </p>
      <ul>
        {daysOf(language, preview.data, hours.timeZone).map(({ key, name, text }) => {
          const changed = then !== null && (then.get(key) ?? '') !== text
          return (
            <li key={key} className={changed ? 'changed' : ''}>
              <span>{name}</span>
              <bdi>{text || <span className="faint">{t('hours.closed')}</span>}</bdi>
              {changed && <span className="chip waiting">{t('hours.changed')}</span>}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** Whether hours can be previewed tells whether they could be saved. */
export const usePreviewFault = (hours: Hours | null): Refused | null => {
  const { error } = usePreview(hours)
  return error instanceof Refused ? error : null
}

const DAY_MS = 24 * 60 * 60 * 1000

const daysOf = (language: string, { from, until, periods }: Preview, timeZone: string) => {
  const key = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const name = new Intl.DateTimeFormat(language, { timeZone, weekday: 'short', day: 'numeric', month: 'short' })
  const time = new Intl.DateTimeFormat(language, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const days = new Map<string, { key: string; name: string; spans: string[] }>()
  for (let at = Date.parse(from); at < Date.parse(until); at += DAY_MS / 2) {
    days.set(key.format(at), { key: key.format(at), name: name.format(at), spans: [] })
  }
  for (const { open, close } of periods) {
    days
      .get(key.format(Date.parse(open)))
      ?.spans.push(`${time.format(Date.parse(open))}–${time.format(Date.parse(close))}`)
  }
  return [...days.values()].map(({ spans, ...day }) => ({ ...day, text: spans.join(', ') }))
}

const momentIn = (language: string, at: string | null, timeZone: string): string =>
  at
    ? new Intl.DateTimeFormat(language, {
        timeZone,
        weekday: 'long',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      }).format(Date.parse(at))
    : ''
