import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Mail } from '../platform/mail.js'
import { refusalLetter } from './refusal-words.js'
import type { Refusal, Refusals } from './refusals.mongo.js'

/** An owner or an admin, and the language that they chose; `null`: none yet. */
type Recipient = { id: string; email: string; language: string | null }

type Needs = {
  refusals: Pick<Refusals, 'claim' | 'told' | 'end'>
  /** `null`: it was removed. */
  channel(companyId: string, channelId: string): Promise<{ name: string; kind: string; company: string } | null>
  recipients(companyId: string): Promise<Recipient[]>
  send(mail: Mail): Promise<void>
  publicUrl: string
  clock: Clock
  log: Log
}

/** A crash frees what was claimed after this long, and a mail server that is away is asked again. */
const HOLD_MS = 60_000
/** Whoever looks at the desk knows by then. */
const STALE_MS = 24 * 60 * 60 * 1000

/**
 * Tells owners and admins of a channel that is refused, each once for each episode, whichever process is first. Only a crash
 * between a mail server's yes and writing it down can repeat a mail: better than a channel of which nobody hears.
 */
export const makeMailRefusals = (needs: Needs) => async (): Promise<void> => {
  const { refusals, clock } = needs
  for (;;) {
    const now = clock.now()
    const refusal = await refusals.claim(now, new Date(now.getTime() + HOLD_MS))
    if (!refusal) return
    const isStale = now.getTime() - refusal.since.getTime() > STALE_MS
    if (isStale || (await tell(needs, refusal))) await refusals.end(refusal)
  }
}

/** Whether everybody knows now. */
const tell = async (needs: Needs, refusal: Refusal): Promise<boolean> => {
  const { refusals, channel, recipients, send, publicUrl, log } = needs
  const { companyId, channelId, code, done } = refusal
  const found = await channel(companyId, channelId)
  if (!found) return true
  const facts = {
    channel: plain(found.name),
    kind: found.kind,
    company: plain(found.company),
    code,
    url: new URL('/settings/channels', publicUrl).href,
  }
  let all = true
  for (const { id, email, language } of await recipients(companyId)) {
    if (done.includes(id)) continue
    try {
      await send({ to: email, ...refusalLetter(language, facts) })
      await refusals.told(refusal, id)
    } catch (err) {
      log.warn({ err, channelId }, 'refused channel not mailed')
      all = false
    }
  }
  return all
}

const LONGEST_NAME = 60

/** People chose the names: one short line, and nothing in it that a mail program makes a link of. */
const plain = (name: string): string => {
  const line = name
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .replaceAll(/[:/<>{}]/g, '')
    .trim()
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME - 1)}…` : line
}
