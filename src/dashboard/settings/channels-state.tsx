import { useLanguage, useT, wordsFor } from '../languages/index.js'
import { shownDuration } from '../ui/duration.js'
import { fullDate } from '../ui/time.js'
import type { Channel } from './channels-kind.js'

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

export const StateChip = ({ state }: { state: Channel['state'] }) => {
  const t = useT()
  return (
    <span className={`chip ${CHIPS[state]}`} role="status">
      {t(`channelState.${state}`)}
    </span>
  )
}

/** When somebody last wrote, and how long that took to be here. */
export const LastArrival = ({ channel: { lastArrival } }: { channel: Channel }) => {
  const t = useT()
  const language = useLanguage()
  if (!lastArrival) return null
  const lag = shownDuration(language, lastArrival.lagMs)
  return <p className="small soft">{t('channels.lastArrival', { at: fullDate(language, lastArrival.at), lag })}</p>
}

/** Why it is in its state, where there is more to say than the state itself. */
export const Why = ({ channel: { code, detail, at } }: { channel: Channel }) => {
  const t = useT()
  const language = useLanguage()
  const words = code === undefined ? detail : wordsFor(t, `channelCode.${code}`, detail ?? '')
  if (!words) return null
  return (
    <p className="channel-why small">
      {words} {at && <span className="soft">{t('channels.since', { at: fullDate(language, at) })}</span>}
    </p>
  )
}
