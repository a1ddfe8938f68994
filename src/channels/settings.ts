import { AppError } from '../platform/errors.js'
import type { Secrets } from '../platform/secrets.js'
import type { ChannelDefinition } from './channel.js'

type Settings = Record<string, unknown>

/** How a secret stands in the store. */
type Sealed = { sealed: string }
const PURPOSE = 'channel-settings'

/** What somebody gives, as the kind of channel wants it; else a refusal that names the field. */
export const checked = (definition: ChannelDefinition, settings: unknown): Settings => {
  const parsed = definition.settings.safeParse(settings)
  if (parsed.success) return parsed.data as Settings
  const [issue] = parsed.error.issues
  const field = ['settings', ...(issue?.path ?? [])].join('.')
  throw new AppError('invalid', 'invalid_settings', `${field}: ${issue?.message ?? 'invalid'}`, { field })
}

/**
 * Settings inside a setting keep what is not given anew: whoever changes a host need not know the password. There, null takes
 * one away (as in RFC 7396); a setting itself may be null in its own right.
 */
export const merged = (before: Settings, given: unknown): unknown =>
  isPlain(given) ? mergedPlain(before, given) : given

const mergedPlain = (before: Settings, given: Settings): Settings => ({
  ...before,
  ...Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const old = before[name]
      return [name, isPlain(value) ? withoutNulls(mergedPlain(isPlain(old) ? old : {}, value)) : value]
    }),
  ),
})

const withoutNulls = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))

/** The secrets among a channel's settings: sealed in the store, open only for the channel itself, shown to nobody. */
export const makeSettings = (secrets: Secrets) => {
  const unsealed = ({ secrets: names = [] }: ChannelDefinition, settings: Settings): Settings =>
    mapped(settings, names, (value) => (isSealed(value) ? secrets.unseal(PURPOSE, value.sealed) : value))

  return {
    unsealed,

    /** What the store keeps. */
    sealed: ({ secrets: names = [] }: ChannelDefinition, settings: Settings): Settings =>
      mapped(settings, names, (value) =>
        typeof value === 'string' ? ({ sealed: secrets.seal(PURPOSE, value) } satisfies Sealed) : value,
      ),

    /** What people see of what the store keeps: of secrets only the names of those that are set. */
    shown: (definition: ChannelDefinition, kept: Settings): { settings: Settings; secretsSet: string[] } => {
      // What is kept from before a setting was thought of gets that setting's default.
      const { data } = definition.settings.safeParse(unsealed(definition, kept))
      const all = (data ?? kept) as Settings
      const names = definition.secrets ?? []
      return {
        settings: mapped(all, names, () => undefined),
        secretsSet: names.filter((name) => typeof at(all, name) === 'string'),
      }
    },
  }
}

const isSealed = (value: unknown): value is Sealed => typeof value === 'object' && value !== null && 'sealed' in value

/** A setting inside another is named with a dot between. */
const at = (settings: Settings, name: string): unknown =>
  name.split('.').reduce<unknown>((value, part) => (isPlain(value) ? value[part] : undefined), settings)

/** `settings` with the named ones changed; what becomes `undefined` is left out. */
const mapped = (
  settings: Settings,
  names: readonly string[],
  change: (value: unknown) => unknown,
  path = '',
): Settings =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => {
      const whole = `${path}${name}`
      const next = names.includes(whole)
        ? change(value)
        : isPlain(value)
          ? mapped(value, names, change, `${whole}.`)
          : value
      return next === undefined ? [] : [[name, next]]
    }),
  )

const isPlain = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
