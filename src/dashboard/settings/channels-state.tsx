import { useLanguage, useT, wordsFor } from '../languages/index.js'
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
