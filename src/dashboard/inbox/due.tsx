import { IconClockHour4 } from '@tabler/icons-react'
import { useLanguage, useT } from '../languages/index.js'
import type { Conversation } from '../server/queries.js'
import { useMinute } from '../ui/clock.js'
import { momentOf } from '../ui/time.js'

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

export const useMoment = (): ((at: string) => string) => {
  const language = useLanguage()
  const present = useMinute()
  return (at) => momentOf(language, new Date(at), present)
}
