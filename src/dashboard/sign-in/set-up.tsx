import { Button, PasswordInput, TextInput } from '@mantine/core'
import '@mantine/core/styles/PasswordInput.layer.css'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient } from '../server/queries.js'
import { Coming } from '../ui/states.js'
import { Gate } from './gate.js'

const LEAST_PASSWORD = 12

/** Read once: the token leaves the address bar and the history with the first look at it. */
const tokenInAddress = location.pathname === '/setup' ? location.hash.slice(1) : ''

/** The first owner, or somebody who was invited, comes in by a one-time link. */
export const SetUpScreen = () => {
  const t = useT()
  const fault = useFault()
  const [token] = useState(tokenInAddress)
  useEffect(() => history.replaceState(history.state, '', location.pathname), [])
  const link = useQuery({
    queryKey: ['link'],
    queryFn: () => call('setup', 'look', { body: { token } }),
    enabled: token !== '',
    retry: false,
    staleTime: Infinity,
  })
  if (token === '') return <Gate title={t('setUp.title')} text={t('setUp.noLink')} children={null} />
  if (link.isPending) return <Gate title={t('setUp.title')} text="" children={<Coming lines={3} />} />
  if (link.isError)
    return (
      <Gate title={t('setUp.spent')} text={fault(link.error)}>
        <Link to="/inbox">{t('signIn.title')}</Link>
      </Gate>
    )
  return <SetUpForm token={token} company={link.data.company} invited={link.data.invited} />
}

type Invited = { email: string; name: string } | null

const SetUpForm = ({ token, company, invited }: { token: string; company: string; invited: Invited }) => {
  const t = useT()
  const fault = useFault()
  const navigate = useNavigate()
  const [name, setName] = useState(invited?.name ?? '')
  const [email, setEmail] = useState(invited?.email ?? '')
  const [password, setPassword] = useState('')
  const short = password.length > 0 && password.length < LEAST_PASSWORD
  const create = useDeed({
    mutationFn: async () => {
      const given = { name: name.trim(), email: email.trim(), password }
      await call('setup', 'setUp', { body: { token, ...given } })
      await call('setup', 'signIn', { body: { email: given.email, password } })
    },
    onSuccess: async () => {
      await queryClient.resetQueries()
      await navigate({ to: '/inbox', replace: true })
    },
  })
  const field = create.error instanceof Refused ? create.error.field : undefined
  const faultOf = (own: string) => (field === own && create.error ? fault(create.error) : undefined)
  return (
    <Gate
      title={invited ? t('setUp.welcome', { company }) : t('setUp.title')}
      text={invited ? t('setUp.invitedText') : t('setUp.ownerText')}
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (password.length >= LEAST_PASSWORD) create.mutate()
        }}
      >
        <TextInput
          label={t('common.name')}
          description={t('setUp.nameHint')}
          autoComplete="name"
          required
          withAsterisk={false}
          maxLength={120}
          autoFocus={!invited}
          value={name}
          error={faultOf('name')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={t('signIn.email')}
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          maxLength={254}
          readOnly={invited !== null}
          value={email}
          error={faultOf('email')}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label={t('signIn.password')}
          description={t('setUp.passwordHint')}
          autoComplete="new-password"
          required
          withAsterisk={false}
          maxLength={128}
          autoFocus={invited !== null}
          value={password}
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
          error={short ? t('signIn.passwordShort', { count: LEAST_PASSWORD - password.length }) : faultOf('password')}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <p role="alert" className="form-fault">
          {create.isError && !['name', 'email', 'password'].includes(field ?? '') && fault(create.error)}
        </p>
        <Button type="submit" fullWidth loading={create.isPending}>
          {t('setUp.create')}
        </Button>
      </form>
    </Gate>
  )
}
