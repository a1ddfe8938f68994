import { IconExternalLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useT } from '../languages/index.js'
import { Blank } from '../ui/states.js'
import type { Values } from './schema-form.js'

/** A form is typed into faster than a chat is drawn. */
const SHOW_AFTER_MS = 300
const isColour = (given: unknown) => typeof given !== 'string' || /^#[0-9a-f]{6}$/i.test(given)

/** The real thing, as customers get it; what is not saved yet is shown to nobody but who changes it. */
export const Preview = ({
  channelKey,
  settings,
  changed,
}: {
  channelKey: string
  settings: Values
  changed: Values
}) => {
  const t = useT()
  const frame = useRef<HTMLIFrameElement>(null)
  const address = `/demo?key=${encodeURIComponent(channelKey)}`
  const there = useQuery({
    queryKey: ['demo'],
    queryFn: async () => (await fetch('/demo', { method: 'HEAD' })).ok,
    staleTime: Infinity,
    retry: false,
  })
  useEffect(() => {
    const shown = { ...settings, ...changed }
    if (Object.keys(changed).length === 0 || !isColour(shown.color)) return
    const timer = setTimeout(
      () => frame.current?.contentWindow?.postMessage({ helpdesk: 'preview', settings: shown }, location.origin),
      SHOW_AFTER_MS,
    )
    return () => clearTimeout(timer)
  }, [settings, changed])
  return (
    <div role="group" className="preview stack" aria-label={t('channels.preview')}>
      <p className="small soft row">
        {t('channels.preview')}
        {there.data && (
          <a href={address} target="_blank" rel="noreferrer" aria-label={t('inbox.tryChat')}>
            <IconExternalLink size={15} aria-hidden />
          </a>
        )}
      </p>
      {there.data ? (
        <iframe ref={frame} title={t('channels.preview')} src={address} />
      ) : (
        <Blank title={t('channels.preview')}>{t('channels.noPreview')}</Blank>
      )}
    </div>
  )
}
