import { IconClockHour4 } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import type { Conversation } from '../server/queries.js'
import { useMinute } from '../ui/clock.js'
import { clockTime, fullDate, sameDay } from '../ui/time.js'
import './due.css'

/** What was promised first, in words and not by colour alone; nothing where nothing is due. */
export const DueChip = ({ conversation: { due } }: { conversation: Conversation }) => {
  const t = useT()
  const moment = useMoment()
  if (!due) return null
  const late = due.state === 'breached'
  const look = { breached: 'bad', warned: 'waiting', running: '' }[due.state]
  return (
    <span className={`chip ${look}`} title={t(`due.${due.clock}`)}>
      <IconClockHour4 aria-hidden />
      <span className="cut">{t(late ? 'due.was' : 'due.by', { at: moment(due.at) })}</span>
    </span>
  )
}

/** Every promise to this customer, and the way to each deadline, in the server's words. */
export const Promises = ({ conversation: { id, version, due } }: { conversation: Conversation }) => {
  const t = useT()
  const moment = useMoment()
  const levels = useQuery({
    queryKey: ['service-levels', id, version, due?.at],
    queryFn: ({ signal }) => call('conversations', 'serviceLevels', { params: { id }, signal }),
    placeholderData: (before) => before,
  })
  const { policy, clocks } = levels.data ?? {}
  if (!policy || !clocks) return null
  return (
    <section className="promises">
      <h3>{t('due.title')}</h3>
      <ul>
        {clocks.map((clock) => (
          <li key={clock.id}>
            <span className="promise">
              <span className="grow">{t(`due.${clock.clock}`)}</span>
              <span className={clock.state === 'breached' ? 'chip bad' : 'chip'}>{t(`due.${clock.state}`)}</span>
            </span>
            {clock.deadline && clock.state === 'running' && (
              <span className="faint">{t('due.by', { at: moment(clock.deadline) })}</span>
            )}
            <details>
              <summary>{t('due.why')}</summary>
              <ol dir="ltr" lang="en">
                {clock.steps.map(({ at, text }) => (
                  <li key={at + text}>{text}</li>
                ))}
              </ol>
            </details>
          </li>
        ))}
      </ul>
      <p className="faint">{t('due.policy', { name: policy.name })}</p>
    </section>
  )
}

/** "14:05" today, with the date on another day. */
const useMoment = (): ((at: string) => string) => {
  const language = useLanguage()
  const present = useMinute()
  return (at) => {
    const date = new Date(at)
    const time = clockTime(language, date)
    return sameDay(date, new Date(present)) ? time : `${fullDate(language, at)}, ${time}`
  }
}
