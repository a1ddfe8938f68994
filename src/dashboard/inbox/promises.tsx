import { TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Fragment, useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useMay, type Conversation } from '../server/queries.js'
import { exactDuration } from '../ui/duration.js'
import { tell } from '../ui/tell.js'
import { useMoment } from './due.js'
import { nameOf } from './news.js'
import { stepParts, type PromisedClock } from './steps.js'
import './promises.css'

/** Every promise to this customer, and the way to each deadline. */
export const Promises = ({ conversation }: { conversation: Conversation }) => {
  const { id, version, due } = conversation
  const t = useT()
  const moment = useMoment()
  const levels = useQuery({
    queryKey: ['service-levels', id, version, due?.at],
    queryFn: ({ signal }) => call('conversations', 'serviceLevels', { params: { id }, signal }),
    placeholderData: (before) => before,
  })
  const { policy, clocks, timeZone } = levels.data ?? {}
  if (!policy || !clocks) return null
  return (
    <section className="promises">
      <h3>{t('due.title')}</h3>
      <ul>
        {clocks.map((clock) => (
          <li key={clock.id}>
            <span className="promise">
              <span className="grow">{t(`due.${clock.clock}`)}</span>
              <span className={clock.state === 'breached' ? 'chip bad' : 'chip'}>{t(`due.${clock.state}`)}</span>
            </span>
            {clock.deadline && clock.state === 'running' && (
              <span className="faint">{t('due.by', { at: moment(clock.deadline) })}</span>
            )}
            <details>
              <summary>{t('due.why')}</summary>
              <Steps clock={clock} policy={policy.name} customer={nameOf(conversation, t('inbox.visitor'))} />
            </details>
          </li>
        ))}
      </ul>
      <p className="faint">{t('due.policy', { name: policy.name })}</p>
      {/* All times here are the reader's. */}
      {timeZone && timeZone !== OWN_ZONE && <p className="faint">{t('step.zone', { zone: timeZone })}</p>}
    </section>
  )
}

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

type StepsProps = { clock: PromisedClock; policy: string; customer: string }

const Steps = ({ clock: { time, steps }, policy, customer }: StepsProps) => {
  const t = useT()
  const language = useLanguage()
  const moment = useMoment()
  const duration = (milliseconds: number) => exactDuration(language, milliseconds)
  return (
    <ol>
      {steps.map((step, at) => (
        <li key={at}>
          <time dateTime={step.at}>{moment(step.at)}</time>
          <span>
            {stepParts(step, { t, customer, policy, time, moment, duration }).map((part, index) => (
              <Fragment key={index}>
                {index > 0 && ' · '}
                <bdi>{part}</bdi>
              </Fragment>
            ))}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** How important the company calls this customer: what is promised may depend on it. */
export const Tier = ({ conversation: { id, contact } }: { conversation: Conversation }) => {
  const t = useT()
  const fault = useFault()
  const mayWrite = useMay('conversations:write')
  const [typed, setTyped] = useState(contact.tier ?? '')
  const change = useMutation({
    mutationFn: (tier: string | null) => call('conversations', 'setTier', { params: { id }, body: { tier } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['service-levels', id] }),
    onError: (error) => {
      setTyped(contact.tier ?? '')
      tell(fault(error), 'fault')
    },
  })
  const save = () => {
    const tier = typed.trim()
    if (tier !== (contact.tier ?? '')) change.mutate(tier === '' ? null : tier)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <TextInput
        size="sm"
        label={t('tier.label')}
        description={t('tier.hint')}
        maxLength={60}
        disabled={!mayWrite}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={save}
      />
    </form>
  )
}
