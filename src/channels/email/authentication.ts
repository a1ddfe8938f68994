import { oneLine, type Headers, type Mailbox } from './decode-headers.js'

/** What the receiving server found out about the sender (RFC 8601). */
export type Authentication = {
  /** The topmost header: the one that our own mailbox's server wrote, if it writes any. */
  raw: string | null
  /** The server that vouches there; null where it does not say its name, as Microsoft's. */
  server: string | null
  /** `pass`: somebody who may use the domain of From sent it. `fail`: From is forged. `none`: nobody says. */
  verdict: Verdict
  /** What every server says whose header is there, the topmost first. Those below the first may be the sender's lies. */
  statements: Statement[]
}

type Verdict = 'pass' | 'fail' | 'none'
type Statement = { server: string | null; verdict: Verdict }

const MOST_HEADERS = 20

export const authenticationOf = (headers: Headers, from: Mailbox | null): Authentication => {
  const all = headers.all('authentication-results').slice(0, MOST_HEADERS)
  const [top] = all
  if (!top) return { raw: null, server: null, verdict: 'none', statements: [] }
  const read = all.map((value) => resultsIn(oneLine(value, 4_000)))
  const servers = [...new Set(read.map(({ server }) => server))]
  const statements = servers.map((server) => ({
    server,
    verdict: verdictOf(
      read.filter((each) => each.server === server).map(({ results }) => results),
      from,
    ),
  }))
  const [first = { server: null, verdict: 'none' }] = statements
  return { raw: oneLine(top, 4_000), ...first, statements }
}

/**
 * Some servers write their header below what the sender wrote: who tells us the name of theirs is not misled by a header above it.
 * Without a name the topmost counts.
 */
export const verdictBy = ({ verdict, statements }: Authentication, trusted: string | undefined): Verdict =>
  trusted === undefined ? verdict : (statements.find(({ server }) => server === trusted)?.verdict ?? 'none')

type Results = { server: string | null; results: string[] }

const resultsIn = (raw: string): Results => {
  const pieces = withoutComments(raw).split(';')
  const [first = ''] = pieces
  if (RESULT.test(first)) return { server: null, results: pieces }
  return { server: first.trim().split(/\s/u, 1)[0]?.toLowerCase() || null, results: pieces.slice(1) }
}

const RESULT = /^\s*([\w-]+)\s*(?:\/\s*\d+)?\s*=\s*([a-z]+)/iu

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

/** `headers`: of one server, the topmost first. Of each method the topmost that speaks of it counts. */
const verdictOf = (headers: string[][], from: Mailbox | null): Verdict => {
  const domain = from?.address.split('@').at(-1)?.toLowerCase() ?? ''
  const found = headers.map((results) =>
    results.flatMap((result) => {
      const match = RESULT.exec(result)
      return match
        ? [{ method: (match[1] ?? '').toLowerCase(), result: (match[2] ?? '').toLowerCase(), rest: result }]
        : []
    }),
  )
  const of = (method: string) =>
    found.map((each) => each.filter((result) => result.method === method)).find(({ length }) => length > 0) ?? []
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
