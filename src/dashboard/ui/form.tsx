import { PasswordInput } from '@mantine/core'
import '@mantine/core/styles/PasswordInput.layer.css'
import type { ReactNode } from 'react'
import { useT } from '../languages/index.js'

/** Why a form was not taken, where it is no one field's fault. */
export const FormFault = ({ children }: { children: ReactNode }) => (
  <p role="alert" className="bad-text small">
    {children}
  </p>
)

type Props = {
  label: string
  autoComplete: 'current-password' | 'new-password'
  value: string
  error?: ReactNode
  change: (password: string) => void
}

export const Password = ({ change, ...props }: Props) => {
  const t = useT()
  return (
    <PasswordInput
      {...props}
      required
      withAsterisk={false}
      maxLength={128}
      visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
      onChange={(event) => change(event.currentTarget.value)}
    />
  )
}
