import { Refused, type Answer, type call } from '../server/client.js'
import { readDuration, typedDuration } from '../ui/duration.js'

export type SavedPolicies = Answer<'policies', 'get'>
type Policy = SavedPolicies['policies'][number]
type Body = Parameters<typeof call<'policies', 'save'>>[2]['body']
export type PolicyBody = Body['policies'][number]

export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const
export const CLOCKS = ['first_response', 'next_response', 'resolution'] as const
export const PAUSABLE = ['pending', 'on_hold', 'snoozed'] as const
type Priority = (typeof PRIORITIES)[number]

/** A policy while it is typed: durations and lists are text, so that half of a word is no fault. */
export type PolicyDraft = {
  /** Where it is in the list may change; what it is called to React may not. */
  key: string
  id?: string
  name: string
  when: {
    tier: string
    channel: string[]
    team: string[]
    priority: Priority[]
    tag: string
    language: string
    attributes: { name: string; values: string }[]
  }
  targets: Record<Priority, Record<(typeof CLOCKS)[number], string>>
  time: 'business' | 'calendar'
  pausedIn: (typeof PAUSABLE)[number][]
  warningPercent: string
  countAssistantReplies: boolean
  setsPriority: Priority | ''
}

/** What a customer may be asked by; as the API calls them. */
export const ATTRIBUTES = ['name', 'email', 'reference', 'verified'] as const

const listed = (values: readonly string[] = []): string => values.join(', ')
const readList = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
  ),
]

const each = <T>(make: (priority: Priority, clock: (typeof CLOCKS)[number]) => T) =>
  Object.fromEntries(
    PRIORITIES.map((priority) => [priority, Object.fromEntries(CLOCKS.map((clock) => [clock, make(priority, clock)]))]),
  ) as Record<Priority, Record<(typeof CLOCKS)[number], T>>

export const toPolicyDraft = ({ id, name, when, targets, ...policy }: Policy): PolicyDraft => ({
  key: id,
  id,
  name,
  when: {
    tier: listed(when.tier),
    channel: when.channel ?? [],
    team: when.team ?? [],
    priority: when.priority ?? [],
    tag: listed(when.tag),
    language: listed(when.language),
    attributes: (when.attributes ?? []).map(({ name: of, values }) => ({ name: of, values: listed(values) })),
  },
  targets: each((priority, clock) => typedDuration(targets[priority][clock])),
  time: policy.time,
  pausedIn: policy.pausedIn,
  warningPercent: String(Number((policy.warningShare * 100).toFixed(4))),
  countAssistantReplies: policy.countAssistantReplies,
  setsPriority: policy.setsPriority ?? '',
})

const USUAL: Record<Priority, [string, string, string]> = {
  urgent: ['15m', '15m', '4h'],
  high: ['1h', '1h', '8h'],
  normal: ['4h', '4h', '24h'],
  low: ['8h', '8h', '40h'],
}

export const usualPolicy = (name: string, key: string): PolicyDraft => ({
  key,
  name,
  when: { tier: '', channel: [], team: [], priority: [], tag: '', language: '', attributes: [] },
  targets: each((priority, clock) => USUAL[priority][CLOCKS.indexOf(clock)] ?? ''),
  time: 'business',
  pausedIn: ['pending', 'snoozed'],
  warningPercent: '75',
  countAssistantReplies: false,
  setsPriority: '',
})

/** Throws, by field, what cannot be read; whether it can be kept the server says. */
export const toPolicyBodies = (drafts: readonly PolicyDraft[], unreadable: string): PolicyBody[] =>
  drafts.map(({ key: _key, id, when, targets, warningPercent, setsPriority, ...policy }, index) => {
    const { tier, channel, team, priority, tag, language, attributes } = when
    const given = {
      tier: readList(tier),
      channel,
      team,
      priority,
      tag: readList(tag),
      language: readList(language),
      attributes: attributes.map(({ name, values }) => ({ name, values: readList(values) })),
    }
    return {
      ...policy,
      ...(id ? { id } : {}),
      when: Object.fromEntries(Object.entries(given).filter(([, values]) => values.length > 0)),
      targets: each((of, clock) => {
        const read = readDuration(targets[of][clock])
        if (read !== undefined) return read
        throw new Refused(400, 'unreadable_duration', unreadable, `policies.${index}.targets.${of}.${clock}`, undefined)
      }),
      warningShare: Number(warningPercent.replace(',', '.')) / 100,
      ...(setsPriority ? { setsPriority } : {}),
    }
  })
