import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useMay } from '../server/queries.js'
import { useSecondsSince } from '../ui/clock.js'
import { Fault } from './channels-form.js'
import type { Channel, Kind } from './channels-kind.js'
import type { Schema, Values } from './schema-form.js'

/** Where nothing is tried by itself any more: somebody says when. To the first ones, something is shown to the phone again. */
const UNLINKED: readonly (string | undefined)[] = ['pairing_expired', 'logged_out']
const ENDED: readonly (string | undefined)[] = ['forbidden', 'keys_damaged', 'keys_newer', 'package_missing']

/** The setting that has a code shown instead of a picture. */
const NUMBER = 'phoneNumber'
const takesNumber = (kind: Kind | undefined): boolean =>
  (kind?.settings as Schema | undefined)?.properties?.[NUMBER] !== undefined

type Props = { channel: Channel; kind: Kind | undefined; readAt: number }

/** How a phone becomes this channel's: what it has to scan or be told, for how long that is good, and how to get the next. */
export const Pairing = ({ channel, kind, readAt }: Props) => {
  const t = useT()
  const mayWrite = useMay('channels:write')
  const { id, code, pairing } = channel
  const again = useMutation({
    mutationFn: (settings: Values) => call('channels', 'update', { params: { id }, body: { settings } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['channels'] }),
  })
  const isWaited = code === 'pairing'
  const tryAgain = (words: string) => (
    <Button variant="default" loading={again.isPending} onClick={() => again.mutate({})}>
      {words}
    </Button>
  )
  if (mayWrite && ENDED.includes(code)) return <div>{tryAgain(t('channels.connectAgain'))}</div>
  if (!mayWrite || (!isWaited && !UNLINKED.includes(code))) return null
  const byCode = typeof channel.settings[NUMBER] === 'string'
  return (
    <div role="group" className="pairing" aria-label={t('channels.pairingTitle')}>
      {isWaited && <p className="small soft">{t('channels.pairing')}</p>}
      {isWaited && byCode && <p className="small soft">{t('channels.pairingCode')}</p>}
      {pairing?.qr && <Picture picture={pairing.qr} />}
      {pairing?.code && <Code code={pairing.code} />}
      {pairing && <Left seconds={pairing.secondsLeft} readAt={readAt} />}
      {isWaited && !pairing && <p className="small soft">{t('channels.pairingSoon')}</p>}
      <div className="row">
        {tryAgain(t(byCode ? 'channels.pairingNewCode' : 'channels.pairingNewPicture'))}
        {byCode && (
          <Button variant="subtle" disabled={again.isPending} onClick={() => again.mutate({ [NUMBER]: null })}>
            {t('channels.pairingByPicture')}
          </Button>
        )}
      </div>
      {!byCode && takesNumber(kind) && (
        <ByCode pending={again.isPending} ask={(number) => again.mutate({ [NUMBER]: number })} />
      )}
      <Fault error={again.error} />
    </div>
  )
}

/** Drawn into the page: its security policy loads no picture from a data URL. */
const Picture = ({ picture }: { picture: string }) => {
  const t = useT()
  const { viewBox, lines } = useMemo(() => {
    const svg = new DOMParser().parseFromString(atob(picture.split(',')[1] ?? ''), 'image/svg+xml').documentElement
    const path = svg.querySelector('path[stroke]')
    return { viewBox: svg.getAttribute('viewBox') ?? '', lines: path?.getAttribute('d') ?? '' }
  }, [picture])
  return (
    <svg role="img" aria-label={t('channels.pairingPicture')} viewBox={viewBox} width={240} height={240}>
      <path d={lines} stroke="#000" shapeRendering="crispEdges" />
    </svg>
  )
}

/** In two groups, as the phone asks for it. */
const Code = ({ code }: { code: string }) => (
  <p className="pairing-code" dir="ltr">
    {code.slice(0, 4)}
    <span aria-hidden> – </span>
    {code.slice(4)}
  </p>
)

const Left = ({ seconds, readAt }: { seconds: number; readAt: number }) => {
  const t = useT()
  const left = Math.max(0, seconds - useSecondsSince(readAt))
  return (
    <p className="small soft" role="timer">
      {left > 0 ? t('channels.pairingLeft', { count: left }) : t('channels.pairingSoon')}
    </p>
  )
}

const ByCode = ({ pending, ask }: { pending: boolean; ask: (number: string) => void }) => {
  const t = useT()
  const [number, setNumber] = useState('')
  return (
    <details>
      <summary>{t('channels.pairingNoCamera')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          ask(number.trim())
        }}
      >
        <TextInput
          type="tel"
          autoComplete="tel"
          dir="ltr"
          label={t('channels.pairingNumber')}
          description={t('channels.pairingNumberHint')}
          maxLength={30}
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={pending} disabled={!number.trim()}>
          {t('channels.pairingByCode')}
        </Button>
      </form>
    </details>
  )
}
