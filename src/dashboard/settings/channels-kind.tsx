import { IconBrandWhatsapp, IconDeviceMobile, IconMail, IconMessages, IconPlug, type Icon } from '@tabler/icons-react'
import { useT, wordsFor } from '../languages/index.js'
import type { Answer } from '../server/client.js'

export type Channel = Answer<'channels', 'get'>
export type Kind = Answer<'channels', 'kinds'>['kinds'][number]

const ICONS: Record<string, Icon> = {
  message: IconMessages,
  mail: IconMail,
  'phone-message': IconBrandWhatsapp,
  'device-mobile': IconDeviceMobile,
}

export const KindIcon = ({ kind }: { kind: Kind | undefined }) => {
  const Shown = ICONS[kind?.icon ?? ''] ?? IconPlug
  return <Shown aria-hidden className="row-icon" />
}

/** What a kind calls itself is English, and the key to what others call it: no kind is named in this room. */
export const useKindName = (): ((kind: Kind) => string) => {
  const t = useT()
  return ({ label }) => wordsFor(t, `channelKind.${label}`, label)
}

/** What somebody has to know of a kind before they open such a channel, and while they have it. */
export const Cautions = ({ kind }: { kind: Kind | undefined }) => {
  const t = useT()
  if (!kind || kind.cautions.length === 0) return null
  return (
    <div role="group" className="cautions small" aria-label={t('channels.cautions')}>
      <h3>{t('channels.cautions')}</h3>
      <ul>
        {kind.cautions.map(({ code, text }) => (
          <li key={code}>{wordsFor(t, `channelCaution.${code}`, text)}</li>
        ))}
      </ul>
    </div>
  )
}
