import type { Outside } from '../../platform/addresses.js'
import { AppError } from '../../platform/errors.js'
import type { ChannelKit } from '../channel.js'
import { GraphError, makeGraph, type Graph } from './graph.js'
import type { Refusal } from './graph-errors.js'
import { healthOf, UNKNOWN, type Facts } from './health.js'
import type { CloudSettings } from './settings.js'

/** The Graph API is asked again after this long; what sending tells in between counts too. */
const ASK_EVERY_MS = 60 * 60 * 1000
const ASK_AGAIN_MS = 60 * 1000
/** Webhooks come in some process: that one came is written down for the others, at most this often. */
const HEARD_EVERY_MS = 60 * 1000
const HEARD = 'heard'
const ANSWERS_WITHIN_MS = 10_000

/** Keeps what is known of the connection, and tells people as it changes. */
export const makeWatch = ({ settings, kit }: { settings: CloudSettings; kit: ChannelKit }) => {
  const { clock, memory, report, log } = kit
  let facts: Facts = UNKNOWN
  let heardNotedAt = 0
  let askedAt = -Infinity

  const note = (news: Partial<Facts>): void => {
    facts = { ...facts, ...news }
    report(healthOf(facts, clock.now()))
  }

  const ask = async (graph: Graph, signal: AbortSignal): Promise<void> => {
    try {
      await graph.call(settings.phoneNumberId, { query: { fields: 'display_phone_number' }, signal })
      note({ graph: { kind: 'works' }, tokenEndsAt: await endOfToken(graph, signal) })
    } catch (error) {
      if (signal.aborted) return
      const { verdict } = error instanceof GraphError ? error : { verdict: null }
      if (verdict?.kind === 'refused') note({ graph: { kind: 'refused', code: verdict.code, detail: verdict.reason } })
      else if (!facts.graph || facts.graph.kind === 'works') note({ graph: { kind: 'silent' } })
    }
  }

  /** Meta tells it of most tokens; of the others nothing is known, and nothing is wrong. */
  const endOfToken = async (graph: Graph, signal: AbortSignal): Promise<Date | null> => {
    const answer = await graph
      .call('debug_token', { query: { input_token: settings.accessToken }, signal })
      .catch(() => null)
    const { expires_at: end } = (answer?.data ?? {}) as { expires_at?: unknown }
    return typeof end === 'number' && end > 0 ? new Date(end * 1000) : null
  }

  return {
    note,

    noteRefusal: ({ code, reason }: Refusal): void => {
      if (OF_THE_CONNECTION.has(code)) note({ graph: { kind: 'refused', code, detail: reason } })
    },

    heard: (): void => {
      const now = clock.now()
      note({ heardAt: now, unheardSince: null })
      if (now.getTime() - heardNotedAt < HEARD_EVERY_MS) return
      heardNotedAt = now.getTime()
      memory.set(HEARD, now).catch((err: unknown) => log.warn({ err }, 'webhook not noted'))
    },

    sent: (): void => note({ graph: { kind: 'works' }, unheardSince: facts.unheardSince ?? clock.now() }),

    hasHeard: async (): Promise<boolean> => (await memory.get(HEARD)) !== null,

    /** Asks what is due to be asked, and says how things stand now. */
    look: async (graph: Graph, signal: AbortSignal): Promise<void> => {
      const at = clock.now().getTime()
      const every = facts.graph?.kind === 'works' ? ASK_EVERY_MS : ASK_AGAIN_MS
      const elsewhere = await memory.get<Date>(HEARD)
      if (elsewhere && elsewhere > (facts.heardAt ?? new Date(0))) {
        const isAfter = facts.unheardSince && elsewhere > facts.unheardSince
        note({ heardAt: elsewhere, ...(isAfter ? { unheardSince: null } : {}) })
      }
      if (at - askedAt < every) return note({})
      askedAt = at
      await ask(graph, AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]))
    },
  }
}

/** What no message can get past: the connection itself is refused. */
const OF_THE_CONNECTION = new Set([
  'token_refused',
  'permission_missing',
  'number_unknown',
  'account_blocked',
  'number_not_registered',
  'payment_missing',
])

const wrong = (field: string, code: string, message: string, cause: unknown) =>
  new AppError('invalid', code, message, { field: `settings.${field}`, cause })

/** Asks Meta for the number, with the token and a proof of the secret: each of the three is told apart when it is wrong. */
export const checkCloud = async (settings: CloudSettings, { fetch }: Outside, signal: AbortSignal): Promise<void> => {
  const free = { turn: async () => {}, went: () => {}, heed: () => {}, restsUntil: () => null }
  const graph = makeGraph({ settings, fetch, pace: free })
  try {
    await graph.call(settings.phoneNumberId, { query: { fields: 'display_phone_number,verified_name' }, signal })
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid') throw wrong('graphUrl', error.code, error.message, error)
    if (!(error instanceof GraphError) || error.verdict.kind === 'unknown')
      throw wrong('graphUrl', 'graph_unreachable', 'The Graph API cannot be reached at this address.', error)
    if (error.isProof)
      throw wrong(
        'appSecret',
        'secret_wrong',
        'The app secret does not belong to the app that made the access token.',
        error,
      )
    if (error.verdict.kind === 'later') throw wrong('graphUrl', error.code, error.verdict.reason, error)
    if (error.code === 'token_refused' || error.code === 'permission_missing')
      throw wrong('accessToken', error.code, error.verdict.reason, error)
    throw wrong(
      'phoneNumberId',
      'number_unknown',
      'WhatsApp knows no number with this id, or the token may not use it.',
      error,
    )
  }
}
