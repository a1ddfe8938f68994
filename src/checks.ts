import type { Check } from './api/health.js'
import { NEARLY_FULL_PERCENT, readCapacity, type Mongo } from './platform/mongo.js'

type Needs = {
  mongo: Mongo
  /** The store lives in this process, and has an end. */
  embedded: boolean
  search: { responds(): Promise<boolean> }
  modelState(): string
  channels: { troubled(): string[]; lagMs(): number | null }
  /** Work that nobody waits for is taken up. */
  isWorking(): boolean
}

/** What `/health/ready` and `/health/deep` look at. */
export const healthChecks = ({ mongo, embedded, search, modelState, channels, isWorking }: Needs): Check[] => {
  const capacity = async () => {
    const { fullPercent } = await readCapacity(mongo)
    const state = `${fullPercent} % full`
    if (fullPercent < NEARLY_FULL_PERCENT) return { ok: true, state }
    return { ok: false, state: `${state}; move it to MongoDB: npm run migrate-store -- --to URI` }
  }
  const connections = async () => {
    const troubled = channels.troubled()
    const causes = [...new Set(troubled)].sort().join(', ')
    const lagMs = channels.lagMs()
    const lag = lagMs === null ? '' : `; messages of the last minutes were here within ${(lagMs / 1_000).toFixed(1)} s`
    return troubled.length === 0
      ? { ok: true, state: `connected${lag}` }
      : { ok: false, state: `${troubled.length} not connected: ${causes}` }
  }
  return [
    { name: 'store', essential: true, probe: async () => ({ ok: (await mongo.db.command({ ping: 1 })).ok === 1 }) },
    { name: 'search', essential: true, probe: async () => ({ ok: await search.responds() }) },
    { name: 'model', essential: false, probe: async () => ({ ok: modelState() !== 'open', state: modelState() }) },
    ...(embedded ? [{ name: 'capacity', essential: false, probe: capacity }] : []),
    { name: 'channels', essential: false, probe: connections },
    {
      name: 'queue',
      essential: true,
      probe: async () => ({ ok: isWorking(), state: isWorking() ? 'running' : 'starting' }),
    },
  ]
}
