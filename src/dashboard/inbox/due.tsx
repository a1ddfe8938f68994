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
  const at = moment(due.at)
  const words = t(late ? 'due.was' : 'due.by', { at })
  return (
    <span className={`chip ${look}`} title={`${words} · ${t(`due.${due.clock}`)}`}>
      <IconClockHour4 aria-hidden />
      <span className="hidden">{words}</span>
      {/* Beside other chips a row has no room for more than the time; what is late says so. */}
      <span className="cut" aria-hidden>
        {late ? words : at}
      </span>
    </span>
  )
}

export const useMoment = (): ((at: string) => string) => {
  const language = useLanguage()
  const present = useMinute()
  return (at) => momentOf(language, new Date(at), present)
}
