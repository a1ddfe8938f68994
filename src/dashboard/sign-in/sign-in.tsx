import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient } from '../server/queries.js'
import { Password } from '../ui/form.js'
import { Gate } from './gate.js'

/** Stands in place of whatever page was asked for: after it, that page goes on, with what was typed into it. */
export const SignIn = () => {
  const t = useT()
  const fault = useFault()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const enter = useMutation({
    mutationFn: () => call('setup', 'signIn', { body: { email: email.trim(), password } }),
    onSuccess: () => queryClient.invalidateQueries(),
  })
  return (
    <Gate title={t('signIn.title')} text={t('signIn.text')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          enter.mutate()
        }}
      >
        <TextInput
          label={t('signIn.email')}
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Password label={t('signIn.password')} autoComplete="current-password" value={password} change={setPassword} />
        <p role="alert" className="form-fault">
          {enter.isError && fault(enter.error)}
        </p>
        <Button type="submit" fullWidth loading={enter.isPending}>
          {t('signIn.enter')}
        </Button>
      </form>
    </Gate>
  )
}
