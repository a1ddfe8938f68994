import { describe, expect, it } from '@jest/globals'
import {
  checkPolicies,
  matchPolicy,
  POLICY_DEFAULTS,
  type Conditions,
  type Facts,
  type Policy,
  type Targets,
} from '../../src/sla/policy.js'
import { HOUR } from './hours.js'

const promise: Targets = { first_response: HOUR, next_response: HOUR, resolution: 8 * HOUR }
const nothing: Targets = { first_response: null, next_response: null, resolution: null }

const policy = (id: string, when: Conditions, change: Partial<Policy> = {}): Policy => ({
  ...POLICY_DEFAULTS,
  id,
  version: 1,
  name: id,
  when,
  targets: { low: promise, normal: promise, high: promise, urgent: promise },
  ...change,
})

const customer: Facts = {
  tier: 'gold',
  channel: 'chn_mail',
  priority: 'high',
  tags: ['refund', 'vip'],
  language: 'de-AT',
  attributes: { plan: 'enterprise', seats: 500, trial: false },
}

describe('a policy applies to a customer', () => {
  it.each<[string, Conditions, boolean]>([
    ['when it is for everybody', {}, true],
    ['of this tier', { tier: ['silver', 'gold'] }, true],
    ['of another tier', { tier: ['silver'] }, false],
    ['on this channel', { channel: ['chn_mail'] }, true],
    ['on another channel', { channel: ['chn_chat'] }, false],
    ['at this priority', { priority: ['urgent', 'high'] }, true],
    ['at another priority', { priority: ['urgent'] }, false],
    ['with one of the tags', { tag: ['other', 'vip'] }, true],
    ['without any of the tags', { tag: ['other'] }, false],
    ['who writes the language in a country', { language: ['de'] }, true],
    ['who writes exactly that', { language: ['en', 'DE-at'] }, true],
    ['who writes it in another country', { language: ['de-CH'] }, false],
    ['whose language only begins alike', { language: ['d'] }, false],
    ['with this attribute', { attributes: [{ name: 'plan', values: ['enterprise'] }] }, true],
    ['with this number', { attributes: [{ name: 'seats', values: ['500'] }] }, true],
    ['with this yes or no', { attributes: [{ name: 'trial', values: ['false'] }] }, true],
    ['with another attribute', { attributes: [{ name: 'plan', values: ['free'] }] }, false],
    ['without the attribute', { attributes: [{ name: 'constructor', values: ['undefined', ''] }] }, false],
    [
      'with one attribute of two',
      {
        attributes: [
          { name: 'plan', values: ['enterprise'] },
          { name: 'seats', values: ['1'] },
        ],
      },
      false,
    ],
    ['when all conditions hold', { tier: ['gold'], tag: ['vip'], language: ['de'] }, true],
    ['when all but one hold', { tier: ['gold'], tag: ['vip'], language: ['fr'] }, false],
  ])('%s', (_case, when, expected) => {
    expect(matchPolicy([policy('p', when)], customer) !== null).toBe(expected)
  })

  it('of whom neither tier nor language is known only when it does not ask', () => {
    const unknown = { ...customer, tier: null, language: null }
    expect(matchPolicy([policy('a', { tier: ['null'] }), policy('b', { language: ['null'] })], unknown)).toBeNull()
    expect(matchPolicy([policy('a', { tier: ['gold'] }), policy('b', { tag: ['vip'] })], unknown)?.id).toBe('b')
  })

  it('the first that applies wins', () => {
    const policies = [
      policy('free', { tier: ['free'] }),
      policy('vip', { tag: ['vip'] }),
      policy('gold', { tier: ['gold'] }),
    ]
    expect(matchPolicy(policies, customer)?.id).toBe('vip')
    expect(matchPolicy(policies.toReversed(), customer)?.id).toBe('gold')
    expect(matchPolicy([], customer)).toBeNull()
  })
})

describe('policies that are to be saved', () => {
  const targets = (urgent: Partial<Targets>) => ({
    targets: { low: nothing, normal: nothing, high: nothing, urgent: { ...nothing, ...urgent } },
  })
  const check = (...policies: Policy[]) => checkPolicies(policies, { channels: ['chn_mail', 'chn_chat'] })

  it('pass, the one for everybody last', () => {
    const precise = policy('gold', {
      tier: ['gold'],
      channel: ['chn_mail'],
      priority: ['high'],
      tag: ['vip'],
      language: ['de', 'pt-BR', 'zh-Hant'],
      attributes: [{ name: 'plan', values: ['enterprise'] }],
    })
    expect(
      check(precise, policy('rest', {}, { pausedIn: ['on_hold'], time: 'calendar', ...targets({ resolution: 1 }) })),
    ).toEqual([])
    expect(check(policy('long', {}, targets({ resolution: 366 * 24 * HOUR })))).toEqual([])
    expect(check()).toEqual([])
  })

  it.each<[string, Policy, string]>([
    [
      'a target of zero',
      policy('p', {}, targets({ first_response: 0 })),
      'targets.urgent.first_response target_not_positive',
    ],
    [
      'a negative target',
      policy('p', {}, targets({ next_response: -HOUR })),
      'targets.urgent.next_response target_not_positive',
    ],
    [
      'a target that is no number',
      policy('p', {}, targets({ resolution: NaN })),
      'targets.urgent.resolution target_not_positive',
    ],
    [
      'a part of a millisecond',
      policy('p', {}, targets({ resolution: 1.5 })),
      'targets.urgent.resolution target_not_whole',
    ],
    [
      'an endless target',
      policy('p', {}, targets({ resolution: Infinity })),
      'targets.urgent.resolution target_too_long',
    ],
    [
      'six years',
      policy('p', {}, targets({ resolution: 366 * 24 * HOUR + 1 })),
      'targets.urgent.resolution target_too_long',
    ],
    ['no promise at all', policy('p', {}, targets({})), 'targets nothing_promised'],
    [
      'a priority left out',
      policy('p', {}, { targets: { low: promise, normal: promise, high: promise } as Policy['targets'] }),
      'targets.urgent missing_priority',
    ],
    [
      'a priority that does not exist',
      policy('p', {}, { targets: { ...policy('p', {}).targets, top: promise } as Policy['targets'] }),
      'targets.top unknown_priority',
    ],
    [
      'an unknown state',
      policy('p', {}, { pausedIn: ['asleep'] as unknown as Policy['pausedIn'] }),
      'pausedIn.0 unknown_state',
    ],
    [
      'a pause while it is open',
      policy('p', {}, { pausedIn: ['pending', 'open'] as unknown as Policy['pausedIn'] }),
      'pausedIn.1 state_cannot_pause',
    ],
    ['a warning at the start', policy('p', {}, { warningShare: 0 }), 'warningShare warning_share_out_of_range'],
    ['a warning at the end', policy('p', {}, { warningShare: 1 }), 'warningShare warning_share_out_of_range'],
    ['a warning that is no number', policy('p', {}, { warningShare: NaN }), 'warningShare warning_share_out_of_range'],
    ['another kind of time', policy('p', {}, { time: 'lunar' as 'business' }), 'time unknown_time'],
    ['a condition without values', policy('p', { tier: [] }), 'when.tier empty_condition'],
    ['attributes without any', policy('p', { attributes: [] }), 'when.attributes empty_condition'],
    [
      'an attribute without values',
      policy('p', { attributes: [{ name: 'plan', values: [] }] }),
      'when.attributes.0.values empty_condition',
    ],
    [
      'an attribute without a name',
      policy('p', { attributes: [{ name: ' ', values: ['x'] }] }),
      'when.attributes.0.name blank_value',
    ],
    ['a blank value', policy('p', { tag: ['vip', ' '] }), 'when.tag.1 blank_value'],
    ['an unknown condition', policy('p', { moon: ['full'] } as Conditions), 'when.moon unknown_condition'],
    [
      'a priority left out where nothing is promised at the others',
      policy('p', {}, { targets: { low: nothing, normal: nothing, high: nothing } as Policy['targets'] }),
      'targets.urgent missing_priority',
    ],
    ['an unknown priority', policy('p', { priority: ['top' as 'high'] }), 'when.priority.0 unknown_priority'],
    [
      'a priority to begin with that is none',
      policy('p', {}, { setsPriority: 'top' as 'high' }),
      'setsPriority unknown_priority',
    ],
    [
      'a channel that was deleted',
      policy('p', { channel: ['chn_mail', 'chn_gone'] }),
      'when.channel.1 unknown_channel',
    ],
    ['what is no language', policy('p', { language: ['de', 'not a language'] }), 'when.language.1 unknown_language'],
  ])('are refused by field: %s', (_case, wrong, expected) => {
    const faults = check(policy('first', { tier: ['gold'] }), wrong)
    expect(faults.map(({ field, code }) => `${field} ${code}`)).toEqual([`1.${expected}`])
    expect(faults[0]?.message).toMatch(/\.$/)
  })

  it('are refused when a team was deleted, or where there is none', () => {
    const forTeam = policy('p', { team: ['tea_gone'] })
    const fault = { field: '0.when.team.0', code: 'unknown_team', message: 'There is no team tea_gone.' }
    expect(check(forTeam)).toEqual([fault])
    expect(checkPolicies([forTeam], { channels: [], teams: ['tea_day'] })).toEqual([fault])
  })

  it('are refused when two have one name or one can never come to pass', () => {
    // A form that was left empty asks for nothing.
    const everybody = policy('a', { tier: undefined, tag: undefined } as unknown as Conditions)
    expect(check(everybody, policy('a', { tier: ['gold'] }))).toEqual([
      { field: '1.id', code: 'duplicate_policy', message: 'There is a policy a already.' },
      {
        field: '1.when',
        code: 'never_reached',
        message: 'A policy before it is for everybody: this one never comes to pass.',
      },
    ])
    expect(check(policy('gold', { tier: ['gold'] }), policy('rest', {}))).toEqual([])
    const vip = policy('vip', { tier: undefined, tag: ['vip'] } as unknown as Conditions)
    expect(check(vip, policy('rest', {}))).toEqual([])
  })

  it('wait while it is the turn of the customer or of a day to come, and for the word of a person, unless they say otherwise', () => {
    expect(POLICY_DEFAULTS).toEqual({
      time: 'business',
      pausedIn: ['pending', 'snoozed'],
      warningShare: 0.75,
      countAssistantReplies: false,
    })
  })
})
