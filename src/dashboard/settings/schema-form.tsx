import { Button, Input, NativeSelect, PasswordInput, Switch, Textarea, TextInput } from '@mantine/core'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/PasswordInput.layer.css'
import '@mantine/core/styles/Switch.layer.css'
import { useEffect, useId, useState, type ReactNode } from 'react'
import { useLanguage, useT, wordsFor, type T } from '../languages/index.js'

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
  minimum?: number
  maximum?: number
  pattern?: string
  format?: string
  required?: string[]
}
export type Values = Record<string, unknown>

type Props = {
  schema: Schema
  values: Values
  /** By their whole names: `imap.password` is one inside another. */
  secrets: readonly string[]
  secretsSet: readonly string[]
  path?: string
  disabled: boolean
  faultAt: string | undefined
  change: (name: string, value: unknown) => void
}

export const SettingsFields = ({
  schema,
  values,
  secrets,
  secretsSet,
  path = '',
  disabled,
  faultAt,
  change,
}: Props) => (
  <>
    {Object.entries(schema.properties ?? {}).map(([name, field]) => (
      <Field
        key={name}
        name={name}
        schema={field}
        value={values[name]}
        required={schema.required?.includes(name) ?? false}
        path={path + name}
        secrets={secrets}
        secretsSet={secretsSet}
        disabled={disabled}
        faultAt={faultAt === name || faultAt?.startsWith(`${name}.`) ? faultAt.slice(name.length + 1) : undefined}
        change={(value) => change(name, value)}
      />
    ))}
  </>
)

/** Text that may be longer than the longest address has several lines. */
const LONGEST_LINE = 500
/** Tokens are long and have one line; a key in PEM has many. */
const LONGEST_SECRET_LINE = 5_000

/** Addresses, names of servers and the like are no words of a language: they are written from left to right. */
const isWords = ({ pattern, format }: Schema): boolean => pattern === undefined && format === undefined

type FieldProps = {
  name: string
  schema: Schema
  value: unknown
  required: boolean
  path: string
  secrets: readonly string[]
  secretsSet: readonly string[]
  disabled: boolean
  faultAt: string | undefined
  change: (value: unknown) => void
}

const Field = ({
  name,
  schema: given,
  value: set,
  required,
  path,
  secrets,
  secretsSet,
  disabled,
  ...rest
}: FieldProps) => {
  const { faultAt, change } = rest
  const t = useT()
  const language = useLanguage()
  // That it may be null is said beside its type, or by a choice of types.
  const types = [given.type ?? [], given.anyOf?.map(({ type }) => type ?? []) ?? []].flat(2)
  const nullable = types.includes('null')
  const schema: Schema = { ...given, ...given.anyOf?.find(({ type }) => type !== 'null') }
  if (Array.isArray(schema.type)) schema.type = schema.type.find((type) => type !== 'null') ?? 'string'
  const label = labelFor(t, language, name)
  // Of a kind that is newer than these words there is the channel's own English, which keeps its direction.
  const said = given.description
  const hint = said && <bdi>{wordsFor(t, `settingHint.${name}`, said)}</bdi>
  // A required object is open for what is required in it; what has a default need not be given.
  const isNeeded = required && schema.default === undefined
  const value = set ?? schema.default
  const common = { label, disabled, error: faultAt !== undefined, description: hint, withAsterisk: isNeeded }
  const text = typeof value === 'string' ? value : ''
  const give = (typed: string) => change(typed === '' && nullable ? null : typed)

  if (secrets.includes(path))
    return (
      <Secret
        {...common}
        lines={(schema.maxLength ?? 0) > LONGEST_SECRET_LINE}
        isSet={secretsSet.includes(path)}
        value={text}
        change={change}
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
  if (schema.type === 'integer' || schema.type === 'number')
    return (
      <TextInput
        {...common}
        type="number"
        inputMode="numeric"
        min={schema.minimum}
        max={schema.maximum}
        value={typeof value === 'number' ? value : ''}
        onChange={({ currentTarget: { value: typed } }) => change(typed === '' ? undefined : Number(typed))}
      />
    )
  if (schema.type === 'boolean')
    return (
      <Switch
        label={label}
        description={hint}
        disabled={disabled}
        checked={value === true}
        onChange={(event) => change(event.currentTarget.checked)}
      />
    )
  if (schema.type === 'array')
    return (
      <Textarea
        {...common}
        description={
          <>
            {hint} {t('channels.listHint')}
          </>
        }
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
      <Group label={label} hint={hint} opens={faultAt !== undefined || (isNeeded && set === undefined)}>
        <SettingsFields
          schema={schema}
          values={inner}
          secrets={secrets}
          secretsSet={secretsSet}
          path={`${path}.`}
          disabled={disabled}
          faultAt={faultAt}
          change={(key, next) => {
            const others = Object.entries(inner).filter(([other]) => other !== key)
            // What was there is taken away by null; what never was is simply not given.
            const emptied = next === '' || next === undefined
            const left = emptied ? (key in inner ? [[key, null]] : []) : [[key, next]]
            change(Object.fromEntries([...others, ...left]))
          }}
        />
      </Group>
    )
  }
  if (schema.pattern?.includes('#[0-9a-f]')) return <Colour {...common} value={text} change={change} />
  if (schema.type === 'string')
    return name === 'greeting' || (schema.maxLength ?? 0) > LONGEST_LINE ? (
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
        {...(isWords(schema) ? {} : { dir: 'ltr' })}
        {...(schema.format === 'date' ? { type: 'date' } : {})}
        maxLength={schema.maxLength ?? 500}
        value={text}
        onChange={(event) => give(event.currentTarget.value)}
      />
    )
  return null
}

type GroupProps = { label: string; hint: ReactNode; opens: boolean; children: ReactNode }

/** Settings within a setting. Opened by itself where something in it is wanted; closed only by hand. */
const Group = ({ label, hint, opens, children }: GroupProps) => {
  const [open, setOpen] = useState(opens)
  useEffect(() => {
    if (opens) setOpen(true)
  }, [opens])
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{label}</summary>
      <div>
        {hint && <p className="small soft">{hint}</p>}
        {children}
      </div>
    </details>
  )
}

type SecretProps = {
  label: string
  description: ReactNode
  withAsterisk: boolean
  disabled: boolean
  error: boolean
  isSet: boolean
  lines: boolean
  value: string
  change: (value: unknown) => void
}

/** Never shown again: one that is set can only be replaced, and only when that is meant. */
const Secret = ({ isSet, lines, value, change, ...common }: SecretProps) => {
  const t = useT()
  const [replacing, setReplacing] = useState(false)
  if (isSet && !replacing && value === '')
    return (
      <Input.Wrapper label={common.label} description={common.description} labelElement="div">
        <div className="secret">
          <span aria-hidden>••••••••</span>
          <span className="small soft">{t('channels.secretSet')}</span>
          {!common.disabled && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`${t('channels.replace')}: ${common.label}`}
              onClick={() => setReplacing(true)}
            >
              {t('channels.replace')}
            </Button>
          )}
        </div>
      </Input.Wrapper>
    )
  if (lines)
    return (
      <Textarea
        {...common}
        autoComplete="off"
        spellCheck={false}
        rows={3}
        value={value}
        onChange={(event) => change(event.currentTarget.value || undefined)}
      />
    )
  return (
    <PasswordInput
      {...common}
      autoComplete="off"
      data-autofocus={replacing}
      placeholder={isSet ? t('channels.secretKept') : ''}
      visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
      value={value}
      onChange={(event) => change(event.currentTarget.value || undefined)}
    />
  )
}

type ColourProps = {
  label: string
  description: ReactNode
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
        dir="ltr"
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

const labelFor = (t: T, language: string, name: string): string =>
  wordsFor(t, `setting.${name}`, languageName(language, name) ?? name)

const optionFor = (t: T, language: string, option: string): string =>
  wordsFor(t, `option.${option}`, languageName(language, option) ?? option)

const languageName = (language: string, code: string): string | null =>
  /^[a-z]{2}$/.test(code) ? (new Intl.DisplayNames(language, { type: 'language' }).of(code) ?? null) : null
