import { oneLine, type Headers, type Mailbox } from './decode-headers.js'

/** What the receiving server found out about the sender (RFC 8601). */
export type Authentication = {
  /** The topmost header: the one that our own mailbox's server wrote, if it writes any. Those below may be the sender's lies. */
  raw: string | null
  /** The server that vouches: whoever knows its name can compare it. */
  server: string | null
  /** `pass`: somebody who may use the domain of From sent it. `fail`: From is forged. `none`: nobody says. */
  verdict: 'pass' | 'fail' | 'none'
}

export const authenticationOf = (headers: Headers, from: Mailbox | null): Authentication => {
  const top = headers.first('authentication-results')
  if (!top) return { raw: null, server: null, verdict: 'none' }
  const raw = oneLine(top, 4_000)
  const results = withoutComments(raw).split(';')
  const server = results[0]?.trim().split(/\s/u, 1)[0]?.toLowerCase() || null
  return { raw, server, verdict: verdictOf(results.slice(1), from) }
}

const withoutComments = (text: string): string => {
  let out = ''
  let depth = 0
  for (const sign of text) {
    if (sign === '(') depth += 1
    else if (sign === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0) out += sign
  }
  return out
}

const verdictOf = (results: string[], from: Mailbox | null): Authentication['verdict'] => {
  const domain = from?.address.split('@').at(-1)?.toLowerCase() ?? ''
  const found = results.flatMap((result) => {
    const match = /^\s*([\w-]+)\s*(?:\/\s*\d+)?\s*=\s*([a-z]+)/iu.exec(result)
    return match
      ? [{ method: (match[1] ?? '').toLowerCase(), result: (match[2] ?? '').toLowerCase(), rest: result }]
      : []
  })
  const of = (method: string) => found.filter((each) => each.method === method)
  const dmarc = of('dmarc')[0]?.result
  // DMARC is the domain's own rule for its From: where it speaks, it decides (RFC 7489).
  if (dmarc === 'pass') return 'pass'
  if (dmarc === 'fail') return 'fail'
  const aligned = (rest: string, property: RegExp) => {
    const named = property.exec(rest)?.[1]?.toLowerCase().split('@').at(-1)?.replace(/[";>]/gu, '') ?? ''
    return (
      named !== '' &&
      domain !== '' &&
      (named === domain || named.endsWith(`.${domain}`) || (domain.endsWith(`.${named}`) && named.includes('.')))
    )
  }
  if (of('dkim').some(({ result, rest }) => result === 'pass' && aligned(rest, /header\.[di]\s*=\s*(\S+)/iu)))
    return 'pass'
  if (of('spf').some(({ result, rest }) => result === 'pass' && aligned(rest, /smtp\.mail(?:from)?\s*=\s*(\S+)/iu)))
    return 'pass'
  if (of('spf').some(({ result, rest }) => result === 'fail' && aligned(rest, /smtp\.mail(?:from)?\s*=\s*(\S+)/iu)))
    return 'fail'
  if (of('dkim').some(({ result, rest }) => result === 'fail' && aligned(rest, /header\.[di]\s*=\s*(\S+)/iu)))
    return 'fail'
  return 'none'
}
