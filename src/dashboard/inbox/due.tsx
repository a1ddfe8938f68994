import { IconClockHour4 } from '@tabler/icons-react'
import { useLanguage, useT } from '../languages/index.js'
import type { Conversation } from '../server/queries.js'
import { useMinute } from '../ui/clock.js'
import { clockTime, fullDate, sameDay } from '../ui/time.js'

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

/** "14:05" today, with the date on another day. */
export const useMoment = (): ((at: string) => string) => {
  const language = useLanguage()
  const present = useMinute()
  return (at) => {
    const date = new Date(at)
    const time = clockTime(language, date)
    return sameDay(date, new Date(present)) ? time : `${fullDate(language, at)}, ${time}`
  }
}
