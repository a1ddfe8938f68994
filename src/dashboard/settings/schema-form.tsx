import { NativeSelect, PasswordInput, Switch, Textarea, TextInput } from '@mantine/core'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/PasswordInput.layer.css'
import '@mantine/core/styles/Switch.layer.css'
import { useId } from 'react'
import { en } from '../languages/en.js'
import { useLanguage, useT, type T } from '../languages/index.js'

/**
 * A form made from the JSON Schema of a channel's settings: a new kind of channel brings its own fields along. Only what
 * the server's schemas use is known here; a field of an unknown shape is left as it is.
 */
export type Schema = {
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  enum?: string[]
  anyOf?: Schema[]
  description?: string
  default?: unknown
  maxLength?: number
  pattern?: string
}
export type Values = Record<string, unknown>

type Props = {
  schema: Schema
  values: Values
  secrets?: readonly string[]
  secretsSet?: readonly string[]
  disabled: boolean
  faultAt: string | undefined
  change: (name: string, value: unknown) => void
}

export const SettingsFields = ({ schema, values, secrets = [], secretsSet = [], disabled, faultAt, change }: Props) => (
  <>
    {Object.entries(schema.properties ?? {}).map(([name, field]) => (
      <Field
        key={name}
        name={name}
        schema={field}
        value={values[name]}
        secret={secrets.includes(name)}
        isSet={secretsSet.includes(name)}
        disabled={disabled}
        faultAt={faultAt === name || faultAt?.startsWith(`${name}.`) ? faultAt.slice(name.length + 1) : undefined}
        change={(value) => change(name, value)}
      />
    ))}
  </>
)

type FieldProps = {
  name: string
  schema: Schema
  value: unknown
  secret: boolean
  isSet: boolean
  disabled: boolean
  faultAt: string | undefined
  change: (value: unknown) => void
}

const Field = ({ name, schema: given, value, secret, isSet, disabled, faultAt, change }: FieldProps) => {
  const t = useT()
  const language = useLanguage()
  const nullable = given.anyOf?.some(({ type }) => type === 'null') ?? false
  const schema: Schema = { ...given, ...given.anyOf?.find(({ type }) => type !== 'null') }
  const label = wordFor(t, language, name)
  const hint = isHint(name) ? t(`settingHint.${name}`) : given.description
  const common = { label, disabled, error: faultAt !== undefined, description: hint }
  const text = typeof value === 'string' ? value : ''
  const give = (typed: string) => change(typed === '' && nullable ? null : typed)

  if (secret)
    return (
      <PasswordInput
        {...common}
        autoComplete="off"
        placeholder={isSet ? t('channels.secretKept') : ''}
        visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
        value={text}
        onChange={(event) => change(event.currentTarget.value || undefined)}
      />
    )
  if (schema.enum)
    return (
      <NativeSelect
        {...common}
        value={text}
        data={schema.enum.map((one) => ({ value: one, label: optionFor(t, language, one) }))}
        onChange={(event) => change(event.currentTarget.value)}
      />
    )
  if (schema.type === 'boolean')
    return (
      <Switch
        {...common}
        error={null}
        checked={value === true}
        onChange={(event) => change(event.currentTarget.checked)}
      />
    )
  if (schema.type === 'array')
    return (
      <Textarea
        {...common}
        description={[hint, t('channels.listHint')].filter(Boolean).join(' ')}
        rows={3}
        value={Array.isArray(value) ? value.join('\n') : ''}
        onChange={(event) => change(event.currentTarget.value.split('\n'))}
        onBlur={(event) =>
          change(
            event.currentTarget.value
              .split('\n')
              .map((line) => line.trim())
              .filter(Boolean),
          )
        }
      />
    )
  if (schema.type === 'object') {
    const inner = (typeof value === 'object' && value !== null ? value : {}) as Values
    return (
      <details open={faultAt !== undefined}>
        <summary>{label}</summary>
        <div>
          <SettingsFields
            schema={schema}
            values={inner}
            disabled={disabled}
            faultAt={faultAt}
            change={(key, next) => {
              const rest = Object.fromEntries(Object.entries(inner).filter(([other]) => other !== key))
              change(next === '' || next === undefined ? rest : { ...rest, [key]: next })
            }}
          />
        </div>
      </details>
    )
  }
  if (schema.pattern?.includes('#[0-9a-f]')) return <Colour {...common} value={text} change={change} />
  if (schema.type === 'string')
    return (schema.maxLength ?? 0) > 200 && name !== 'logo' ? (
      <Textarea
        {...common}
        rows={2}
        maxLength={schema.maxLength ?? 10_000}
        value={text}
        onChange={(event) => give(event.currentTarget.value)}
      />
    ) : (
      <TextInput
        {...common}
        maxLength={schema.maxLength ?? 500}
        value={text}
        onChange={(event) => give(event.currentTarget.value)}
      />
    )
  return null
}

type ColourProps = {
  label: string
  description: string | undefined
  disabled: boolean
  error: boolean
  value: string
  change: (value: string) => void
}

const Colour = ({ label, description, disabled, error, value, change }: ColourProps) => {
  const id = useId()
  return (
    <div className="stack" style={{ gap: 'var(--s-1)' }}>
      <TextInput
        id={id}
        label={label}
        description={description}
        disabled={disabled}
        error={error}
        maxLength={7}
        value={value}
        onChange={(event) => change(event.currentTarget.value)}
        rightSectionWidth="3.5rem"
        rightSection={
          <input
            type="color"
            aria-label={label}
            disabled={disabled}
            className="colour-well"
            value={/^#[0-9a-f]{6}$/i.test(value) ? value : '#000000'}
            onChange={(event) => change(event.currentTarget.value)}
          />
        }
      />
    </div>
  )
}

const isSetting = (name: string): name is keyof typeof en.setting => Object.hasOwn(en.setting, name)
const isHint = (name: string): name is keyof typeof en.settingHint => Object.hasOwn(en.settingHint, name)
const isOption = (name: string): name is keyof typeof en.option => Object.hasOwn(en.option, name)

const wordFor = (t: T, language: string, name: string): string =>
  isSetting(name) ? t(`setting.${name}`) : (languageName(language, name) ?? name)

const optionFor = (t: T, language: string, option: string): string =>
  isOption(option) ? t(`option.${option}`) : (languageName(language, option) ?? option)

const languageName = (language: string, code: string): string | null =>
  /^[a-z]{2}$/.test(code) ? (new Intl.DisplayNames(language, { type: 'language' }).of(code) ?? null) : null
