import { wordsFor, type T } from '../languages/index.js'
import type { Message } from '../server/queries.js'

/** A line of the timeline in the person's language; one that is newer than this page, in the server's words. */
export const eventText = (t: T, { event, text, authorName }: Message): string => {
  switch (event?.name) {
    case 'handoff':
      return `${t('event.handoff')} ${handoffText(t, event.reason)}`
    case 'blocked':
    case 'unblocked':
      return withName(t(`event.${event.name}`), authorName)
    case 'mail_stopped':
      return t('event.mail_stopped')
    case 'resumed':
      return withName(t('event.resumed'), authorName)
    case 'assigned':
      return withName(event.to ? t('event.assigned', { name: event.to }) : t('event.unassigned'), authorName)
    case 'state': {
      const to = wordsFor(t, `state.${event.to}`, event.to)
      return (
        withName(t('event.state', { state: to }), authorName) +
        (event.reason ? `: ${stateReason(t, event.reason)}` : '')
      )
    }
    case 'team':
      return withName(event.to ? t('event.team', { name: event.to.name }) : t('event.noTeam'), authorName)
    case 'attempt':
      return t('event.attempt', {
        kinds: event.kinds.map((kind) => wordsFor(t, `attempt.${kind}`, kind)).join(', '),
      })
    case 'consent':
      return t(event.wants === 'out' ? 'event.optedOut' : 'event.optedIn')
    case 'priority':
      return withName(t('event.priority', { priority: t(`priority.${event.to}`) }), authorName)
    case 'service_level':
      return t(`event.${event.change}`, { clock: t(`due.${event.clock}`) })
    default:
      return text
  }
}

export const handoffText = (t: T, reason: string): string => wordsFor(t, `handoff.${reason}`, reason)

/** A code of ours, or what a person gave as the reason. */
const stateReason = (t: T, reason: string): string => wordsFor(t, `stateReason.${reason}`, reason)

/** `code: words`: in the reader's language where the code is known, else the words. */
export const refusalText = (t: T, reason: string): string => {
  const [, code, words = ''] = /^([a-z_]+)(?:: (.*))?$/s.exec(reason) ?? []
  return code ? wordsFor(t, `refusal.${code}`, words || reason, { words }) : reason
}

const withName = (text: string, name: string | undefined): string => (name ? `${text} · ${name}` : text)
