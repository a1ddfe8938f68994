import type { ExplainedServiceLevels } from '../../conversations/service-levels.js'
import type { ServiceLevelsDto } from '../contract/explained-service-levels.js'

const NOTHING_PROMISED: ServiceLevelsDto = {
  policy: null,
  timeZone: null,
  clocks: [],
  assistantFirstReply: null,
  handoffToHumanReply: null,
}

export const toServiceLevels = (given: ExplainedServiceLevels | null): ServiceLevelsDto => {
  if (!given) return NOTHING_PROMISED
  const { policy, timeZone, clocks, assistantFirstReply, handoffToHumanReply } = given
  return {
    ...{ policy, timeZone, assistantFirstReply, handoffToHumanReply },
    clocks: clocks.map((clock) => toServiceLevel(clock, given)),
  }
}

type Names = Pick<ExplainedServiceLevels, 'authors' | 'teamNames'>

const toServiceLevel = (
  given: ExplainedServiceLevels['clocks'][number],
  names: Names,
): ServiceLevelsDto['clocks'][number] => ({
  id: given.id,
  clock: given.kind,
  state: given.state,
  ...(given.state === 'not_applicable' ? { reason: given.reason } : {}),
  priority: given.priority,
  time: given.time,
  startedAt: given.startedAt.toISOString(),
  countsFrom: given.countsFrom.toISOString(),
  elapsedMs: given.elapsedMs,
  targetMs: 'targetMs' in given ? given.targetMs : null,
  deadline: ('deadline' in given && given.deadline?.toISOString()) || null,
  warnsAt: (given.state === 'running' && given.warnsAt?.toISOString()) || null,
  remainingMs: given.state === 'paused' ? given.remainingMs : null,
  endedAt: ('endedAt' in given && given.endedAt?.toISOString()) || null,
  ledger: given.ledger.map(({ at, change, cause, targetMs, deadline }) => ({
    at: at.toISOString(),
    change,
    cause: cause.kind,
    messageId: cause.kind === 'time' ? null : cause.id,
    targetMs,
    deadline: deadline?.toISOString() ?? null,
  })),
  steps: given.steps.map((step) => toStep(step, names)),
})

type Step = ExplainedServiceLevels['clocks'][number]['steps'][number]
type StepDto = ServiceLevelsDto['clocks'][number]['steps'][number]

const toStep = (step: Step, names: Names): StepDto => {
  const at = step.at.toISOString()
  switch (step.kind) {
    case 'due':
      return { ...step, at }
    case 'closed':
    case 'counted':
      return { ...step, at, until: step.until.toISOString() }
    default:
      return {
        ...step,
        at,
        cause: toCause(step.cause, names),
        hoursOf: step.hoursOf && (names.teamNames.get(step.hoursOf) ?? null),
      }
  }
}

/** With names in the place of ids. */
const toCause = (cause: Extract<Step, { cause: unknown }>['cause'], { authors }: Names) => {
  if (cause.kind === 'time') return { kind: cause.kind }
  const author = authors.get(cause.id)
  return {
    kind: cause.kind,
    ...(author ? { author: author.kind } : {}),
    ...(author?.name === undefined ? {} : { name: author.name }),
    ...(cause.kind === 'state' ? { state: cause.state } : {}),
    ...(cause.kind === 'priority' ? { priority: cause.priority } : {}),
    ...(cause.kind === 'team' ? { team: cause.team?.name ?? null } : {}),
  }
}
