import { Button, TextInput } from '@mantine/core'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useLanguage, useT, wordsFor } from '../languages/index.js'
import { call } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { Fault } from './channels-form.js'

/** A message to oneself, hop by hop: where it stops is what has to be looked at. */
export const TryOut = ({ channelId }: { channelId: string }) => {
  const t = useT()
  const language = useLanguage()
  const [to, setTo] = useState('')
  const test = useDeed({
    mutationFn: () => call('channels', 'test', { params: { id: channelId }, body: { to: to.trim() } }),
  })
  const took = (ms: number) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(ms)
  return (
    <div role="group" className="try-out stack" aria-label={t('channels.test')}>
      <h3>{t('channels.test')}</h3>
      <p className="small soft">{t('channels.testText')}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate()
        }}
      >
        <TextInput
          label={t('channels.testTo')}
          maxLength={320}
          dir="ltr"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={test.isPending} disabled={!to.trim()}>
          {t('channels.testRun')}
        </Button>
      </form>
      {test.data && (
        <ol className="steps" role="status">
          {test.data.steps.map(({ name, ok, ms, detail }, at) => (
            <li key={at} className={ok ? '' : 'failed'}>
              {ok ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
              <span className="grow">
                <span className="hidden">{t(ok ? 'channels.stepOk' : 'channels.stepFailed')}: </span>
                {wordsFor(t, `testStep.${name}`, name)}
                {detail && <span className="small soft"> {detail}</span>}
              </span>
              <span className="small soft">{took(ms)}</span>
            </li>
          ))}
        </ol>
      )}
      <Fault error={test.error} />
    </div>
  )
}
