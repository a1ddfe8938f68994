import type { RequestHandler } from 'express'

/** A part that the product stands on. `probe` throws or says what is wrong; it is given up after a second. */
export type Check = {
  name: string
  /** Without it nothing can be served; a part that is not essential only degrades the product. */
  essential: boolean
  probe: () => Promise<{ ok: boolean; state?: string }>
}

type Result = { ok: boolean; state?: string }

const PROBE_MS = 1_000

export const makeHealth = (checks: readonly Check[]) => {
  const probe = async ({ name, probe }: Check): Promise<[string, Result]> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Result>((resolve) => {
      timer = setTimeout(() => resolve({ ok: false, state: 'no answer' }), PROBE_MS)
    })
    // The reason of a failure stays in the log of whoever failed: this page is public.
    const result = await Promise.race([probe().catch((): Result => ({ ok: false, state: 'failing' })), late])
    clearTimeout(timer)
    return [name, result]
  }

  const essential = checks.filter((check) => check.essential)
  const failing = (results: readonly [string, Result][]) => results.filter(([, { ok }]) => !ok).map(([name]) => name)

  const live: RequestHandler = (_req, res) => void res.json({ status: 'live' })

  const ready: RequestHandler = async (_req, res) => {
    const missing = failing(await Promise.all(essential.map(probe)))
    if (missing.length === 0) res.json({ status: 'ready' })
    else res.status(503).json({ status: 'not ready', failing: missing })
  }

  const deep: RequestHandler = async (_req, res) => {
    const results = await Promise.all(checks.map(probe))
    const missing = failing(results)
    const down = essential.some(({ name }) => missing.includes(name))
    const status = down ? 'down' : missing.length > 0 ? 'degraded' : 'ok'
    res.status(down ? 503 : 200).json({ status, checks: Object.fromEntries(results) })
  }

  return { live, ready, deep }
}
