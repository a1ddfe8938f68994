import { Button, Switch, TextInput } from '@mantine/core'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/Switch.layer.css'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call, type Answer } from '../server/client.js'
import { queryClient, useCompany } from '../server/queries.js'
import { Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { SettingsPage } from './page.js'

export const CompanyScreen = () => {
  const t = useT()
  const company = useCompany()
  return (
    <SettingsPage title={t('company.title')} text={t('company.text')} needs="company:write">
      {company.isPending && <Coming lines={4} />}
      {company.isError && <Failed error={company.error} retry={() => void company.refetch()} />}
      {company.data && <CompanyForms key={company.data.id} company={company.data} />}
    </SettingsPage>
  )
}

type Company = Answer<'companies', 'getCompany'>
type Change = Parameters<typeof call<'companies', 'updateCompany'>>[2]['body']

const CompanyForms = ({ company }: { company: Company }) => {
  const t = useT()
  const fault = useFault()
  const [name, setName] = useState(company.name)
  const change = useMutation({
    mutationFn: ({ body }: { body: Change; done: string }) => call('companies', 'updateCompany', { body }),
    onSuccess: (after, { done }) => {
      queryClient.setQueryData(['company'], after)
      tell(done)
    },
    onError: (error) => tell(fault(error), 'fault'),
  })
  return (
    <div className="stack">
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate({ body: { name: name.trim() }, done: t('common.saved') })
        }}
      >
        <TextInput
          label={t('company.name')}
          required
          withAsterisk={false}
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!name.trim() || name.trim() === company.name}>
          {t('common.save')}
        </Button>
      </form>
      <div className="card form">
        <Switch
          label={t('company.assistant')}
          description={t('company.assistantHint')}
          checked={!company.assistant.paused}
          disabled={change.isPending}
          onChange={(event) => {
            const paused = !event.currentTarget.checked
            change.mutate({
              body: { assistant: { paused } },
              done: paused ? t('company.paused') : t('company.resumed'),
            })
          }}
        />
      </div>
      <Budget
        limit={company.assistant.monthlyTokens}
        save={(monthlyTokens) => change.mutate({ body: { assistant: { monthlyTokens } }, done: t('common.saved') })}
      />
    </div>
  )
}

const Budget = ({ limit, save }: { limit: number | null; save: (limit: number | null) => void }) => {
  const t = useT()
  const language = useLanguage()
  const [typed, setTyped] = useState(limit === null ? '' : String(limit))
  const usage = useQuery({ queryKey: ['usage'], queryFn: ({ signal }) => call('companies', 'getUsage', { signal }) })
  const number = new Intl.NumberFormat(language)
  const [month] = usage.data?.months ?? []
  const used = number.format(month?.tokens ?? 0)
  const cost = month?.costUsd
  const wanted = typed.trim() === '' ? null : Number(typed)
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault()
        save(wanted)
      }}
    >
      <TextInput
        label={t('company.budget')}
        description={t('company.budgetHint')}
        inputMode="numeric"
        pattern="[0-9]{1,12}"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value.replaceAll(/\D/g, ''))}
      />
      <p className="small soft">
        {limit === null ? t('company.used', { used }) : t('company.usedOf', { used, limit: number.format(limit) })}
        {cost
          ? ` · ${t('company.cost', { cost: new Intl.NumberFormat(language, { style: 'currency', currency: 'USD' }).format(cost) })}`
          : ''}
      </p>
      {limit !== null && limit > 0 && (
        <progress max={limit} value={Math.min(limit, month?.tokens ?? 0)} aria-label={t('company.budget')} />
      )}
      <Button type="submit" disabled={wanted === limit}>
        {t('common.save')}
      </Button>
    </form>
  )
}
