import { describe, expect, it } from '@jest/globals'
import type { ServiceLevelsDto } from '../../src/api/contract/explained-service-levels.js'

type Step = ServiceLevelsDto['clocks'][number]['steps'][number]
type T = (key: string, values?: Record<string, string | number>) => string
type Saying = {
  t: T
  customer: string
  policy: string
  time: 'business' | 'calendar'
  moment(at: string): string
  duration(milliseconds: number): string
}

/** What browsers load is compiled by itself: here it is only run. */
const fromDashboard = (file: string): Promise<unknown> => import(`../../src/dashboard/${file}.js`)
const { stepParts } = (await fromDashboard('inbox/steps')) as { stepParts(step: Step, saying: Saying): string[] }
const { exactDuration } = (await fromDashboard('ui/duration')) as {
  exactDuration(language: string, milliseconds: number): string
}

const LANGUAGES = ['en', 'pt-BR', 'es', 'ar'] as const
type Language = (typeof LANGUAGES)[number]
const HOUR = 3_600_000

const catalogues = new Map<Language, Record<string, Record<string, string>>>()
for (const language of LANGUAGES) {
  const desk = (await fromDashboard(`languages/desk/${language}`)) as { words: object }
  const talk = (await fromDashboard(`languages/talk/${language}`)) as { words: object }
  catalogues.set(language, { ...desk.words, ...talk.words })
}

/** As the pages look words up. What is not there is loud. */
const translate =
  (language: Language): T =>
  (key, values = {}) => {
    const [section = '', name = ''] = key.split('.')
    const words = catalogues.get(language)?.[section] ?? {}
    const { count } = values
    const plural = count === undefined ? undefined : `${name}_${new Intl.PluralRules(language).select(Number(count))}`
    const found = (plural && words[plural]) ?? words[name]
    if (found === undefined) throw new Error(`${language} has no words for ${key}`)
    return found.replace(/\{\{(\w+)\}\}/g, (mark, value: string) => String(values[value] ?? mark))
  }

const textIn = (language: Language, step: Step, time: 'business' | 'calendar' = 'business') =>
  stepParts(step, {
    t: translate(language),
    customer: 'Mia',
    policy: 'Gold',
    time,
    moment: (at) => at.slice(11, 16),
    duration: (milliseconds) => exactDuration(language, milliseconds),
  }).join(' · ')

const at = '2026-03-02T09:00:00Z'
const until = '2026-03-02T14:35:00Z'
const promised = { at, targetMs: HOUR, hoursOf: null, text: 'first response of msg_1 under pol_1' }
const KINDS = ['start', 'retarget', 'transfer', 'pause', 'resume', 'breach', 'meet', 'stop', 'cancel', 'waive'] as const
const CAUSES: Extract<Step, { cause: unknown }>['cause'][] = [
  { kind: 'customer_message', author: 'customer' },
  { kind: 'human_reply', author: 'agent', name: 'Nora' },
  { kind: 'human_reply' },
  { kind: 'assistant_reply', author: 'assistant' },
  { kind: 'handoff', author: 'system' },
  { kind: 'state', state: 'on_hold', name: 'Nora' },
  { kind: 'priority', priority: 'urgent', name: 'Nora' },
  { kind: 'team', team: 'Night', name: 'Nora' },
  { kind: 'team', team: null },
  { kind: 'time' },
]
const STEPS: Step[] = [
  ...KINDS.flatMap((kind) => CAUSES.map((cause): Step => ({ ...promised, kind, cause }))),
  { ...promised, kind: 'start', cause: { kind: 'customer_message' }, targetMs: null },
  { ...promised, kind: 'transfer', cause: { kind: 'team', team: 'Night' }, hoursOf: 'Night' },
  { kind: 'closed', at, until, text: '' },
  ...[1, 2, 3, 11, 100].map((openings): Step => {
    return { kind: 'counted', at, until, openings, milliseconds: HOUR, elapsedMs: 2 * HOUR, text: '' }
  }),
  { kind: 'due', at, text: '' },
]

describe('why something is due then', () => {
  it.each(LANGUAGES)('is told in %s, every step of it, with nothing left open and no id', (language) => {
    for (const time of ['business', 'calendar'] as const)
      for (const step of STEPS) {
        const text = textIn(language, step, time)
        expect(text).not.toMatch(/\{\{|undefined|null|msg_|pol_|NaN/)
        expect(text.trim()).not.toBe('')
      }
  })

  it('is told in each language in its own words', () => {
    for (const step of STEPS) expect(new Set(LANGUAGES.map((language) => textIn(language, step))).size).toBe(4)
  })

  it('names the customer, the policy and the hours with which it begins', () => {
    const begins: Step = { ...promised, kind: 'start', cause: { kind: 'customer_message', author: 'customer' } }
    expect(textIn('en', begins)).toBe(
      'Begins · Mia wrote · 1h of opening hours · by the hours of the channel · Policy: Gold',
    )
    expect(textIn('en', begins, 'calendar')).toBe('Begins · Mia wrote · 1h round the clock · Policy: Gold')
  })

  it('names the team whose hours count, and who gave it to them', () => {
    const handed: Step = {
      ...promised,
      kind: 'transfer',
      cause: { kind: 'team', team: 'Night', author: 'agent', name: 'Nora' },
      hoursOf: 'Night',
    }
    expect(textIn('en', handed)).toBe('Other hands · the team Night has it (Nora) · by the hours of the team Night')
  })

  it('can be added up to the second', () => {
    expect(exactDuration('en', 5_430_000)).toBe('1h 30m 30s')
    expect(exactDuration('en', 0)).toBe('0s')
  })
})
