import { CloseButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useLanguage, useT } from '../languages/index.js'
import { remembered } from '../server/remembered.js'
import { useMinute } from './clock.js'

const LOOK_EVERY_MS = 10 * 60_000
const DAY_MS = 24 * 60 * 60_000
const QUIET_UNTIL = 'helpdesk.capacity'
const MOVE = 'npm run migrate-store -- --to URI'

type Health = { checks?: Partial<Record<string, { ok: boolean; state?: string }>> }

/** How full the built-in store is, where it says that this is too much; the number leads what it says. */
const nearlyFull = async (signal: AbortSignal): Promise<number | null> => {
  const { checks } = (await (await fetch('/health/deep', { signal })).json()) as Health
  const percent = Number.parseInt(checks?.capacity?.state ?? '', 10)
  return checks?.capacity?.ok === false && Number.isFinite(percent) ? percent : null
}

/** Long before anything is refused: who runs the installation reads the one line that moves it, at most once a day. */
export const CapacityBanner = () => {
  const t = useT()
  const language = useLanguage()
  const present = useMinute()
  const [quietUntil, setQuietUntil] = useState(() => Number(remembered.get(QUIET_UNTIL) ?? 0))
  const quiet = present < quietUntil
  const { data: percent } = useQuery({
    queryKey: ['capacity'],
    queryFn: ({ signal }) => nearlyFull(signal),
    refetchInterval: LOOK_EVERY_MS,
    retry: false,
    enabled: !quiet,
  })
  if (quiet || !percent) return null
  const later = () => {
    remembered.set(QUIET_UNTIL, String(present + DAY_MS))
    setQuietUntil(present + DAY_MS)
  }
  const share = new Intl.NumberFormat(language, { style: 'percent' }).format(percent / 100)
  return (
    <aside className="banner" aria-label={t('capacity.label')}>
      <p className="grow">
        {t('capacity.text', { share })}{' '}
        <code dir="ltr" className="banner-line">
          {MOVE}
        </code>
      </p>
      <CloseButton variant="transparent" c="inherit" aria-label={t('capacity.later')} onClick={later} />
    </aside>
  )
}
