import type { T } from '../languages/index.js'
import type { Answer } from '../server/client.js'

export type PromisedClock = Answer<'conversations', 'serviceLevels'>['clocks'][number]
export type Step = PromisedClock['steps'][number]
type Change = Extract<Step, { cause: unknown }>

type Saying = {
  t: T
  /** Whose conversation it is. */
  customer: string
  policy: string
  time: PromisedClock['time']
  moment(at: string): string
  duration(milliseconds: number): string
}

/**
 * One step of the way to a deadline, in the reader's words and with everybody's name. In parts, each of which is written in the
 * direction of its own words.
 */
export const stepParts = (step: Step, saying: Saying): string[] => {
  const { t, moment, duration } = saying
  switch (step.kind) {
    case 'closed':
      return [t('step.closed', { until: moment(step.until) })]
    case 'counted': {
      const said = {
        until: moment(step.until),
        counts: duration(step.milliseconds),
        elapsed: duration(step.elapsedMs),
      }
      return [step.openings > 1 ? t('step.openings', { count: step.openings, ...said }) : t('step.counted', said)]
    }
    case 'due':
      return [t('step.due')]
    default:
      return [t(`step.${step.kind}`), ...because(step, saying)]
  }
}

const because = (step: Change, saying: Saying): string[] => {
  switch (step.kind) {
    case 'start':
      return [
        causeText(step, saying),
        targetText(step, saying),
        ...hoursText(step, saying),
        saying.t('due.policy', { name: saying.policy }),
      ]
    case 'retarget':
      return [causeText(step, saying), targetText(step, saying)]
    case 'transfer':
      return [causeText(step, saying), ...hoursText(step, saying)]
    case 'breach':
      return [targetText(step, saying)]
    default:
      return [causeText(step, saying)]
  }
}

const targetText = ({ targetMs }: Change, { t, time, duration }: Saying): string =>
  targetMs === null ? t('step.nothing') : t(`step.${time}`, { duration: duration(targetMs) })

/** By the calendar no hours count. */
const hoursText = ({ hoursOf }: Change, { t, time }: Saying): string[] => {
  if (time === 'calendar') return []
  return [hoursOf === null ? t('step.channelHours') : t('step.teamHours', { name: hoursOf })]
}

const causeText = ({ cause }: Change, { t, customer }: Saying): string => {
  const { kind, name } = cause
  const by = (text: string) => (name ? `${text} (${name})` : text)
  switch (kind) {
    case 'customer_message':
      return t('stepCause.customer_message', { name: customer })
    case 'human_reply':
      return t('stepCause.human_reply', { name: name ?? t('author.agent') })
    case 'state':
      return by(t('stepCause.state', { state: cause.state ? t(`state.${cause.state}`) : '' }))
    case 'priority':
      return by(t('stepCause.priority', { priority: cause.priority ? t(`priority.${cause.priority}`) : '' }))
    case 'team':
      return by(cause.team ? t('stepCause.team', { name: cause.team }) : t('stepCause.noTeam'))
    default:
      return by(t(`stepCause.${kind}`))
  }
}
