import { AppError } from '../platform/errors.js'
import {
  businessTimeBetween,
  checkHours,
  isOpen,
  nextOpening,
  openPeriods,
  type BusinessHours,
} from '../sla/business-hours.js'

/**
 * What happens to a customer who writes while nobody is there: the assistant answers as always; it answers and says
 * when a person is back; or it only says when a person is back and leaves the question to them.
 */
export const OUTSIDE_HOURS = ['as_usual', 'sets_expectations', 'message_only'] as const
export type OutsideHours = (typeof OUTSIDE_HOURS)[number]

/** An exception may say which holiday it is. */
export type NamedHours = BusinessHours & { exceptions?: { date: string; periods: BusinessPeriod[]; name?: string }[] }
type BusinessPeriod = { open: string; close: string }

/**
 * When a company's people are there; `null` is always. A channel may have its own; what it leaves out is the company's. A
 * team's own hours count, whatever the channel, for what the team has.
 */
export type OpeningHours = {
  hours: NamedHours | null
  outside: OutsideHours
  channels: { channelId: string; hours?: NamedHours | null; outside?: OutsideHours }[]
  /** Absent in versions from before there were teams. */
  teams?: { teamId: string; hours: NamedHours | null }[]
}

export const ALWAYS_OPEN: OpeningHours = { hours: null, outside: 'as_usual', channels: [], teams: [] }

export const hoursOnChannel = ({ hours, channels }: OpeningHours, channelId: string | null): BusinessHours | null => {
  const own = channels.find((channel) => channel.channelId === channelId)?.hours
  return own === undefined ? hours : own
}

export const outsideOnChannel = ({ outside, channels }: OpeningHours, channelId: string): OutsideHours =>
  channels.find((channel) => channel.channelId === channelId)?.outside ?? outside

/** The teams with hours of their own. */
export const hoursOfTeams = ({ teams = [] }: OpeningHours): ReadonlyMap<string, BusinessHours | null> =>
  new Map(teams.map(({ teamId, hours }) => [teamId, hours]))

/** The hours that count for what a team has that came in on a channel: team before channel before company. */
export const hoursOf = (
  opening: OpeningHours,
  channelId: string | null,
  teamId: string | null,
): BusinessHours | null => {
  const own = teamId === null ? undefined : hoursOfTeams(opening).get(teamId)
  return own === undefined ? hoursOnChannel(opening, channelId) : own
}

/** What there is to name. */
export type Places = { channels: readonly string[]; teams: readonly string[] }

/** Refuses by field what nobody could keep. */
export const assertOpeningHours = (given: OpeningHours, places: Places): void => {
  assertHours(given.hours, 'hours')
  const seen = new Set<string>()
  for (const [index, { channelId, hours }] of given.channels.entries()) {
    const field = `channels.${index}.channelId`
    if (!places.channels.includes(channelId)) {
      throw refused('unknown_channel', `There is no channel ${channelId}.`, field)
    }
    if (seen.has(channelId)) throw refused('duplicate_channel', `${channelId} has hours of its own already.`, field)
    seen.add(channelId)
    assertHours(hours ?? null, `channels.${index}.hours`)
  }
  for (const [index, { teamId, hours }] of (given.teams ?? []).entries()) {
    const field = `teams.${index}.teamId`
    if (!places.teams.includes(teamId)) throw refused('unknown_team', `There is no team ${teamId}.`, field)
    if (seen.has(teamId)) throw refused('duplicate_team', `${teamId} has hours of its own already.`, field)
    seen.add(teamId)
    assertHours(hours, `teams.${index}.hours`)
  }
}

export const assertHours = (hours: BusinessHours | null, field: string): void => {
  const fault = hours && checkHours(hours)[0]
  if (fault) throw refused(fault.code, fault.message, `${field}.${fault.field}`)
}

const refused = (code: string, message: string, field: string) => new AppError('invalid', code, message, { field })

const WEEKS = 2
const DAY = 24 * 60 * 60 * 1000

/** The coming two weeks as they would be: what an editor draws, and how much less or more than `before` that is. */
export const previewHours = (hours: BusinessHours | null, before: BusinessHours | null, now: Date) => {
  const until = new Date(now.getTime() + WEEKS * 7 * DAY)
  const openMs = businessTimeBetween(hours, now, until)
  return {
    from: now,
    until,
    timeZone: hours?.timeZone ?? null,
    isOpen: isOpen(hours, now),
    nextOpening: isOpen(hours, now) ? null : nextOpening(hours, now),
    periods: [...openPeriods(hours, now, until)],
    openMs,
    openBeforeMs: businessTimeBetween(before, now, until),
  }
}
