import { TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useMay, type Conversation } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { useMoment } from './due.js'
import './promises.css'

/** Every promise to this customer, and the way to each deadline, in the server's words. */
export const Promises = ({ conversation }: { conversation: Conversation }) => {
  const { id, version, due } = conversation
  const t = useT()
  const moment = useMoment()
  const levels = useQuery({
    queryKey: ['service-levels', id, version, due?.at],
    queryFn: ({ signal }) => call('conversations', 'serviceLevels', { params: { id }, signal }),
    placeholderData: (before) => before,
  })
  const { policy, clocks } = levels.data ?? {}
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
              <ol dir="ltr" lang="en">
                {clock.steps.map(({ at, text }) => (
                  <li key={at + text}>{text}</li>
                ))}
              </ol>
            </details>
          </li>
        ))}
      </ul>
      <p className="faint">{t('due.policy', { name: policy.name })}</p>
    </section>
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
