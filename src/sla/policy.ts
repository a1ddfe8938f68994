export const STATES = ['open', 'pending', 'on_hold', 'snoozed', 'resolved', 'closed'] as const
export type State = (typeof STATES)[number]

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
export type Priority = (typeof PRIORITIES)[number]

/** States in which the resolution clock may stand still: somebody else's turn. */
export const PAUSABLE_STATES = ['pending', 'on_hold', 'snoozed'] as const satisfies readonly State[]
export type PausableState = (typeof PAUSABLE_STATES)[number]

export const CLOCK_KINDS = ['first_response', 'next_response', 'resolution'] as const
export type ClockKind = (typeof CLOCK_KINDS)[number]

/** What is promised, in milliseconds; `null` promises nothing. */
export type Targets = Record<ClockKind, number | null>

/** All that are given must hold; of a list, one. None given: everybody. */
export type Conditions = {
  tier?: string[]
  channel?: string[]
  team?: string[]
  priority?: Priority[]
  tag?: string[]
  /** BCP 47; `de` also means `de-AT`. */
  language?: string[]
  /** Each must hold. */
  attributes?: { name: string; values: string[] }[]
}

/** Versions are immutable: a change is a new version, and a conversation keeps the one that it began under. */
export type Policy = {
  id: string
  version: number
  name: string
  when: Conditions
  targets: Record<Priority, Targets>
  /** What the targets are measured in. */
  time: 'business' | 'calendar'
  pausedIn: PausableState[]
  /** The part of a target after which to warn, between 0 and 1. */
  warningShare: number
  /** Whether the assistant's reply answers the customer as a person's does. */
  countAssistantReplies: boolean
  /** What a conversation that begins under it begins with; absent: normal. */
  setsPriority?: Priority
}

export const POLICY_DEFAULTS = {
  time: 'business',
  pausedIn: ['pending', 'snoozed'],
  warningShare: 0.75,
  countAssistantReplies: false,
} satisfies Partial<Policy>

/** What a policy is chosen by: a conversation, its company's tier and its contact, as they are when the clocks start. */
export type Facts = {
  tier: string | null
  channel: string
  /** Whose queue it is in; none while nobody chose one. */
  team?: string | null
  priority: Priority
  tags: readonly string[]
  language: string | null
  attributes: Readonly<Record<string, string | number | boolean>>
}

/** The first policy whose conditions all hold; `null`: nothing is promised. */
export const matchPolicy = (policies: readonly Policy[], facts: Facts): Policy | null =>
  policies.find(({ when }) => holds(when, facts)) ?? null

const holds = (when: Conditions, facts: Facts): boolean => {
  const { tier, channel, team, priority, tag, language, attributes = [] } = when
  if (tier && !tier.some((wanted) => wanted === facts.tier)) return false
  if (channel && !channel.includes(facts.channel)) return false
  if (team && !team.some((wanted) => wanted === facts.team)) return false
  if (priority && !priority.includes(facts.priority)) return false
  if (tag && !tag.some((wanted) => facts.tags.includes(wanted))) return false
  if (language && !language.some((range) => speaks(facts.language, range))) return false
  return attributes.every(
    ({ name, values }) => Object.hasOwn(facts.attributes, name) && values.includes(String(facts.attributes[name])),
  )
}

/** RFC 4647, section 3.3.1 (basic filtering). */
const speaks = (language: string | null, range: string): boolean => {
  const spoken = language?.toLowerCase()
  const wanted = range.toLowerCase()
  return spoken === wanted || spoken?.startsWith(`${wanted}-`) === true
}

// ── Refusing on save ────────────────────────────────────────────────────────────────────────────────────────────────

export type PolicyFault = {
  /** Where, as a path: `0.targets.urgent.resolution`. */
  field: string
  code:
    | 'duplicate_policy'
    | 'never_reached'
    | 'unknown_condition'
    | 'empty_condition'
    | 'blank_value'
    | 'unknown_priority'
    | 'unknown_language'
    | 'unknown_channel'
    | 'unknown_team'
    | 'missing_priority'
    | 'nothing_promised'
    | 'target_not_positive'
    | 'target_not_whole'
    | 'target_too_long'
    | 'unknown_time'
    | 'unknown_state'
    | 'state_cannot_pause'
    | 'warning_share_out_of_range'
  message: string
}

type Problem = [path: string, code: PolicyFault['code'], message: string]

/** A year of measured time: more than four by the calendar where people are there forty hours a week. */
const LONGEST_TARGET_MS = 366 * 24 * 60 * 60 * 1000

/** The channels and teams that exist now. */
type Places = { channels: readonly string[]; teams?: readonly string[] }

/** Everything that is wrong with policies before they are saved. */
export const checkPolicies = (policies: readonly Policy[], places: Places): PolicyFault[] => {
  const everybody = policies.findIndex(({ when }) => Object.values(when).every((given) => given === undefined))
  return policies.flatMap((policy, index) => {
    const problems: Problem[] = [
      ...conditionProblems(policy.when, places),
      ...targetProblems(policy.targets),
      ...measureProblems(policy),
    ]
    if (policies.findIndex(({ id }) => id === policy.id) < index) {
      problems.push(['id', 'duplicate_policy', `There is a policy ${policy.id} already.`])
    }
    if (everybody !== -1 && everybody < index) {
      problems.push(['when', 'never_reached', 'A policy before it is for everybody: this one never comes to pass.'])
    }
    return problems.map(([path, code, message]) => ({ field: `${index}.${path}`, code, message }))
  })
}

const LISTS = [
  'tier',
  'channel',
  'team',
  'priority',
  'tag',
  'language',
] as const satisfies readonly (keyof Conditions)[]

const conditionProblems = (when: Conditions, { channels, teams = [] }: Places): Problem[] => {
  const known: readonly string[] = [...LISTS, 'attributes']
  const problems: Problem[] = Object.keys(when)
    .filter((name) => !known.includes(name))
    .map((name) => [`when.${name}`, 'unknown_condition', `There is no condition ${name}.`])
  for (const name of LISTS) problems.push(...valueProblems(`when.${name}`, when[name]))
  for (const [index, { name, values }] of (when.attributes ?? []).entries()) {
    const path = `when.attributes.${index}`
    if (name.trim() === '') problems.push([`${path}.name`, 'blank_value', 'An attribute needs a name.'])
    problems.push(...valueProblems(`${path}.values`, values))
  }
  if (when.attributes?.length === 0) problems.push(...valueProblems('when.attributes', []))
  for (const [index, priority] of (when.priority ?? []).entries()) {
    if (PRIORITIES.includes(priority)) continue
    problems.push([`when.priority.${index}`, 'unknown_priority', `There is no priority ${String(priority)}.`])
  }
  for (const [index, channel] of (when.channel ?? []).entries()) {
    if (channels.includes(channel)) continue
    problems.push([`when.channel.${index}`, 'unknown_channel', `There is no channel ${channel}.`])
  }
  for (const [index, team] of (when.team ?? []).entries()) {
    if (teams.includes(team)) continue
    problems.push([`when.team.${index}`, 'unknown_team', `There is no team ${team}.`])
  }
  for (const [index, language] of (when.language ?? []).entries()) {
    problems.push(...languageProblems(`when.language.${index}`, language))
  }
  return problems
}

const valueProblems = (path: string, values: readonly string[] | undefined): Problem[] => {
  if (!values) return []
  if (values.length === 0) return [[path, 'empty_condition', 'A condition without a value never holds: leave it out.']]
  return values.flatMap((value, index): Problem[] =>
    value.trim() === '' ? [[`${path}.${index}`, 'blank_value', 'A value must not be blank.']] : [],
  )
}

const languageProblems = (path: string, text: string): Problem[] => {
  try {
    Intl.getCanonicalLocales(text)
    return []
  } catch {
    return [[path, 'unknown_language', `${text} is not a language tag such as pt-BR.`]]
  }
}

const targetProblems = (targets: Policy['targets']): Problem[] => {
  const problems: Problem[] = Object.keys(targets)
    .filter((name) => !PRIORITIES.some((priority) => priority === name))
    .map((name) => [`targets.${name}`, 'unknown_priority', `There is no priority ${name}.`])
  for (const priority of PRIORITIES) {
    if (!Object.hasOwn(targets, priority)) {
      problems.push([`targets.${priority}`, 'missing_priority', `Say what is promised at priority ${priority}.`])
      continue
    }
    for (const kind of CLOCK_KINDS) {
      const problem = targetProblem(targets[priority][kind])
      if (problem) problems.push([`targets.${priority}.${kind}`, ...problem])
    }
  }
  if (
    problems.length === 0 &&
    PRIORITIES.every((priority) => CLOCK_KINDS.every((kind) => targets[priority][kind] === null))
  ) {
    problems.push(['targets', 'nothing_promised', 'A policy promises at least one thing.'])
  }
  return problems
}

const targetProblem = (target: number | null): [code: PolicyFault['code'], message: string] | null => {
  if (target === null) return null
  if (!(target > 0)) return ['target_not_positive', 'A target is longer than nothing.']
  if (target > LONGEST_TARGET_MS) return ['target_too_long', 'A target is a year at most.']
  if (!Number.isInteger(target)) return ['target_not_whole', 'A target is a whole number of milliseconds.']
  return null
}

const measureProblems = ({ time, pausedIn, warningShare, setsPriority }: Policy): Problem[] => {
  const problems: Problem[] = []
  if (setsPriority !== undefined && !PRIORITIES.includes(setsPriority)) {
    problems.push(['setsPriority', 'unknown_priority', `There is no priority ${String(setsPriority)}.`])
  }
  if (!['business', 'calendar'].includes(time)) {
    problems.push(['time', 'unknown_time', 'Time is measured as business or calendar time.'])
  }
  for (const [index, state] of pausedIn.entries()) {
    if (PAUSABLE_STATES.includes(state)) continue
    problems.push(
      STATES.includes(state)
        ? [`pausedIn.${index}`, 'state_cannot_pause', `No clock stands still while a conversation is ${String(state)}.`]
        : [`pausedIn.${index}`, 'unknown_state', `There is no state ${String(state)}.`],
    )
  }
  if (!(warningShare > 0 && warningShare < 1)) {
    problems.push([
      'warningShare',
      'warning_share_out_of_range',
      'The warning comes after 0 and before 1 of the target.',
    ])
  }
  return problems
}
